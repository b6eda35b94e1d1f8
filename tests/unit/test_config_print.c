/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The effective document: complete, loadable again, and without secrets where people read it.
 */
#include "config_room.h"

#include "hairpin/json.h"

static const char full[] =
	"{ \"contact\": \"me@example.org\","
	"  \"wans\": [ {\"name\": \"fibre\", \"interface\": \"ppp0\", "
	"\"grace\": \"1500ms\"},"
	"    {\"ipv6\": \"off\", \"bind\": false},"
	"    {\"name\": \"six\", \"ipv6\": {\"source\": \"interface\", \"keep\": "
	"\"suffix\", \"prefix_from\": \"br0\", \"prefix_length\": 56}} ],"
	"  \"nat\": {\"tables\": [\"ip:nat\"], \"max\": 12, \"filter\": true, "
	"\"add_missing\": true, \"names\": \"at \"},"
	"  \"providers\": ["
	"    {\"type\": \"duckdns\", \"token\": \"geheim\\\\ \\\"1\\\"\", "
	"\"wan\": \"wan2\","
	"     \"hostnames\": [\"a.duckdns.org\"], \"ca_file\": \"ca.pem\"},"
	"    {\"type\": \"duckdns\", \"token\": {\"env\": \"HAIRPIN_TEST\"},"
	"     \"hostnames\": [{\"name\": \"b.duckdns.org\", \"families\": [\"ipv4\"]}]},"
	"    {\"type\": \"dyndns2\", \"server\": \"ddns.example.org:8080\","
	"     \"insecure_http\": true, \"username\": \"me\", \"password\": \"geheim3\","
	"     \"families\": [\"ipv4\", \"ipv6\"], \"hostnames\": [\"*.example.org\", "
	"{\"name\": \"nas.example.org\", \"ipv6_suffix\": \"::211:22ff:FE33:4455\"}],"
	"     \"user_agent\": \"x/1 \xc3\xa9\", \"check\": false, "
	"\"refresh\": \"25d\"} ],"
	"  \"dns\": {\"servers\": [\"[2001:db8::1]:53\"]},"
	"  \"log\": {\"level\": \"debug\", \"target\": \"syslog\"},"
	"  \"metrics\": {\"textfile\": \"/x.prom\"} }";

static void load_full(struct room *room)
{
	room_write(room, "ca.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n", 0600);
	assert_int_equal(setenv("HAIRPIN_TEST", "geheim2", 1), 0);
	if (room_load_text(room, full) < 0)
		fail_msg("%s", room->problems.text.bytes);
}

static struct json *parse(const char *text)
{
	struct json_error error;
	struct json *root = json_parse(text, strlen(text), JSON_STRICT, &error);

	if (!root)
		fail_msg("%u:%u: %s", error.place.line, error.place.column, error.text);
	return root;
}

static void revealed_comes_back(void **state)
{
	struct room *room = *state;
	struct config *again = NULL;
	char suffix[ADDR_TEXT_BYTES];
	struct err err = { 0 };
	char *first, *second;

	load_full(room);
	first = config_print(room->config, CONFIG_REVEAL);
	assert_non_null(first);
	if (config_parse(first, strlen(first), &again, &err) < 0)
		fail_msg("%s", err.text);
	second = config_print(again, CONFIG_REVEAL);
	assert_string_equal(first, second);

	assert_string_equal(again->contact, "me@example.org");
	assert_string_equal(config_user_agent(again, &again->providers[0]),
			    "hairpind/" HAIRPIN_VERSION " (me@example.org)");
	assert_string_equal(config_user_agent(again, &again->providers[2]),
			    "x/1 \xc3\xa9");
	assert_int_equal(again->provider_count, 3);
	assert_string_equal(again->providers[0].ca_pem,
				 "-----BEGIN CERTIFICATE-----\nMIIB\n");
	assert_string_equal(again->providers[0].description,
			    room->config->providers[0].description);
	assert_int_equal(again->providers[0].wan, 1);
	assert_string_equal(secret_reveal(&config_setting_find(&again->providers[0],
							       "token")->value),
			    "geheim\\ \"1\"");
	assert_string_equal(secret_reveal(&config_setting_find(&again->providers[1],
							       "token")->value), "geheim2");
	assert_true(again->providers[2].insecure_http);
	assert_int_equal(again->wans[0].grace_ms, 1500);
	assert_int_equal(again->wans[0].keep_bits, 0);
	assert_int_equal(again->wans[2].keep_bits, 56);
	assert_string_equal(again->wans[2].prefix_from, "br0");
	assert_true(again->wans[0].has_hosts && !again->wans[2].has_hosts);
	assert_string_equal(addr_format(&again->providers[2].hostnames[1].ipv6_suffix,
					suffix), "::211:22ff:fe33:4455");
	assert_true(addr_is_none(&again->providers[2].hostnames[0].ipv6_suffix));
	assert_true(again->nat.filter && again->nat.add_missing);
	assert_string_equal(again->nat.names, "at ");
	config_free(again);
	free(first);
	free(second);
}

/* Sources from outside, with what they need and with what is filled in. */
static void sources_come_back(void **state)
{
	static const char text[] =
		"{ \"wans\": [ {\"ipv4\": {\"source\": \"http\"},"
		"    \"ipv6\": {\"source\": \"http\", \"agree\": 1,"
		"    \"urls\": [\"https://a.example.org/\", \"https://b.example.org/\"]}},"
		"  {\"ipv4\": {\"source\": \"dns\"}, \"ipv6\": {\"source\": \"dns\","
		"    \"server\": \"2620:fe::fe\", \"name\": \"whoami.example.org\"}},"
		"  {\"ipv4\": {\"source\": \"command\", \"command\": [\"/bin/x\", \"a b\", \"\"]},"
		"   \"ipv6\": {\"source\": \"dns\", \"server\": \"ns.example.org\","
		"    \"name\": \"whoami.example.org\", \"class\": \"CH\"}},"
		"  {\"ipv4\": {\"source\": \"pcp\"}} ] }";
	struct room *room = *state;
	const struct config_wan *wans;
	struct config *again = NULL;
	struct err err = { 0 };
	char *first, *second;

	if (room_load_text(room, text) < 0)
		fail_msg("%s", room->problems.text.bytes);
	first = config_print(room->config, CONFIG_REVEAL);
	if (config_parse(first, strlen(first), &again, &err) < 0)
		fail_msg("%s", err.text);
	second = config_print(again, CONFIG_REVEAL);
	assert_string_equal(first, second);
	wans = again->wans;
	assert_int_equal(wans[0].ipv4, CONFIG_HTTP);
	assert_int_equal(wans[0].outside4->place_count, 5);
	assert_int_equal(wans[0].outside4->agree, 2);
	assert_int_equal(wans[0].outside6->agree, 1);
	assert_string_equal(wans[0].outside6->places[1].where, "https://b.example.org/");
	assert_int_equal(wans[1].outside4->place_count, 4);
	assert_int_equal(wans[1].outside6->agree, 1);
	assert_string_equal(wans[1].outside6->places[0].type, "AAAA");
	assert_string_equal(wans[1].outside6->places[0].class, "IN");
	assert_int_equal(wans[2].outside4->command_bytes, 12);
	assert_memory_equal(wans[2].outside4->command, "/bin/x\0a b\0", 12);
	assert_string_equal(wans[2].outside6->places[0].type, "TXT");
	assert_int_equal(wans[3].ipv4, CONFIG_PCP);
	assert_null(wans[3].outside6);
	config_free(again);
	free(first);
	free(second);
}

static void hidden_shows_no_secret(void **state)
{
	struct room *room = *state;
	const struct json *provider;
	struct json *root;
	char *text;

	load_full(room);
	text = config_print(room->config, CONFIG_HIDE);
	assert_null(strstr(text, "geheim"));
	assert_null(strstr(text, "CERTIFICATE"));
	root = parse(text);
	assert_null(json_get(root, "catalogue"));
	provider = json_child(json_get(root, "providers"));
	assert_string_equal(json_string(json_get(provider, "token")), "(hidden)");
	assert_string_equal(json_string(json_get(provider, "ca_file")),
			    room_path(room, "ca.pem"));
	provider = json_next(json_next(provider));
	assert_string_equal(json_string(json_get(provider, "password")), "(hidden)");
	assert_string_equal(json_string(json_get(provider, "username")), "me");
	json_free(root);
	free(text);
}

/* Whoever reads --print-config finds every key there is, and may load it again. */
static void defaults_are_spelled_out(void **state)
{
	static const char *const sections[] = {
		"wans", "nat", "providers", "dns", "hooks", "log", "control", "state",
		"metrics" };
	struct room *room = *state;
	struct json *root;
	char *text;

	assert_int_equal(room_load_text(room, "{}"), 0);
	text = config_print(room->config, CONFIG_HIDE);
	root = parse(text);
	assert_int_equal(json_count(root), sizeof sections / sizeof *sections);
	for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
		assert_non_null(json_get(root, sections[i]));
	assert_string_equal(json_string(json_get(json_child(json_get(root,
				 "wans")), "grace")),
			    "2s");
	assert_string_equal(json_string(json_get(json_get(root, "dns"),
				 "check_every")), "10m");
	assert_int_equal(room_load_text(room, text), 0);
	json_free(root);
	free(text);
}

static void only_our_own_words_are_parsed(void **state)
{
	static const char *const texts[] = {
		"", "[]", "{ // comment\n }", "{ \"nat\": 3 }", "{ \"provider\": [] }",
		"{ \"providers\": [ {\"type\": \"duckdns\", \"token\": \"x\","
		" \"hostnames\": [\"a.duckdns.org\"]} ] }",	/* no description inside "
		"*/
		"{ \"providers\": [ {\"type\": \"duckdns\", \"token\": {\"file\": "
		"\"/x\"},"
		" \"hostnames\": [\"a.duckdns.org\"]} ], \"catalogue\": {\"duckdns\": "
		"\"{}\"} }",
	};
	struct config *config = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct err err = { 0 };

		assert_true(config_parse(texts[i], strlen(texts[i]), &config, &err) < 0);
		assert_true(err.text[0] != '\0');
		assert_null(config);
	}
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, room_open, room_close)
	const struct CMUnitTest tests[] = {
		TEST(revealed_comes_back),
		TEST(sources_come_back),
		TEST(hidden_shows_no_secret),
		TEST(defaults_are_spelled_out),
		TEST(only_our_own_words_are_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
