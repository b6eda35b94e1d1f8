/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a setting may hold, as its description says; and the names that belong to it.
 */
#include "config_room.h"

#include <errno.h>

static const char description[] =
	"{ \"id\": \"kinds\", \"name\": \"K\", \"status\": \"alive\",\n"
	"  \"settings\": {\n"
	"    \"url\": {\"kind\": \"url\", \"secret\": true, \"required\": true,\n"
	"            \"help\": \"h\"},\n"
	"    \"ttl\": {\"kind\": \"number\", \"default\": \"60\", \"help\": \"h\"},\n"
	"    \"plan\": {\"kind\": \"choice\", \"choices\": [\"a\", \"b\"], \"default\": \"b\",\n"
	"             \"help\": \"h\"},\n"
	"    \"pem\": {\"kind\": \"document\", \"secret\": true, \"default\": \"\",\n"
	"            \"help\": \"h\"},\n"
	"    \"domain\": {\"default\": \"\", \"help\": \"h\"} },\n"
	"  \"sign\": {\"by\": \"transip\", \"private_key\": \"{pem}\"},\n"
	"  \"requests\": [ {\"url\": \"{url}&ip={ip}&t={ttl}&p={plan}\"} ],\n"
	"  \"answers\": [ {\"http\": 200, \"means\": \"good\"} ],\n"
	"  \"wildcard\": false }";

static const char plain[] = "{ \"providers\": [ {\"type\": \"kinds\", "
	"\"url\": \"https://x.org/u?k=1\", \"hostnames\": [\"a.example.org\"] %s} ] }";

static int load(struct room *room, const char *more)
{
	char text[1024];

	snprintf(text, sizeof text, plain, more);
	return room_load_text(room, text);
}

static int open_with_description(void **state)
{
	room_open(state);
	assert_int_equal(mkdir(room_path(*state, "providers"), 0700), 0);
	room_write(*state, "providers/kinds.json", description, 0644);
	return 0;
}

static const char *value(const struct room *room, const char *name)
{
	const struct config_setting *setting =
		config_setting_find(room->config->providers, name);

	return setting ? secret_reveal(&setting->value) : "(none)";
}

static void defaults_are_there(void **state)
{
	struct room *room = *state;

	assert_int_equal(load(room, ""), 0);
	assert_string_equal(value(room, "ttl"), "60");
	assert_string_equal(value(room, "plan"), "b");
	assert_string_equal(value(room, "pem"), "(none)");
}

static void what_they_may_hold(void **state)
{
	static const struct {
		const char *more, *words;	/* NULL: taken */
	} cases[] = {
		{ ", \"ttl\": \"3600\"", NULL },
		{ ", \"ttl\": \"1h\"", "\"ttl\" must be at most 10 digits" },
		{ ", \"ttl\": \"12345678901\"", "\"ttl\" must be at most 10 digits" },
		{ ", \"ttl\": \"-1\"", "\"ttl\" must be" },
		{ ", \"plan\": \"a\"", NULL },
		{ ", \"plan\": \"c\"", "\"plan\" must be one of \"a\", \"b\"" },
		{ ", \"pem\": \"a\\n\\tb\\r\\n\"", NULL },
		{ ", \"pem\": \"a\\u001b\"", "PEM or JSON" },
		{ ", \"domain\": \"a\\nb\"", "one line of plain text" },
		{ ", \"domain\": \"example.org\"", NULL },
		{ ", \"domain\": \"Example.ORG.\"", NULL },
		{ ", \"domain\": \"a.example.org\"", NULL },
		{ ", \"domain\": \"example.com\"",
		  "\"a.example.org\" is not below the domain \"example.com\"" },
		{ ", \"domain\": \"ample.org\"", "not below the domain" },
		{ ", \"domain\": \"b.a.example.org\"", "not below the domain" },
		{ ", \"domain\": \".\"", "not below the domain" },
	};
	struct room *room = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int result = load(room, cases[i].more);

		if (result != (cases[i].words ? -EINVAL : 0))
			fail_msg("%s: %s", cases[i].more, room->problems.text.bytes);
		if (cases[i].words)
			assert_says(room, cases[i].words);
	}
}

static int load_url(struct room *room, const char *url, const char *more)
{
	char text[1024];

	snprintf(text, sizeof text, "{ \"providers\": [ {\"type\": \"kinds\", \"url\": \"%s\", "
		 "\"hostnames\": [\"a.example.org\"] %s} ] }", url, more);
	return room_load_text(room, text);
}

static void urls_are_checked(void **state)
{
	static const char *const bad[] = {
		"x.org/a", "ftp://x.org/", "https://", "https:///a", "https://me@x.org/",
		"https://x.org:99999/", "https://x.org/#f", "https://x.org/a b",
		"https://x.org/{ip}", "https://x_y/", "https://x.org\\\\.evil/",
		"https://x.org/\xc3\xa4", "HTTPS://x.org/",
	};
	struct room *room = *state;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(load_url(room, bad[i], ""), -EINVAL);
		assert_says(room, "\"url\" is no URL");
	}
	assert_int_equal(load_url(room, "https://X.org:8443/a/b?c=%20&d", ""), 0);
	assert_string_equal(value(room, "url"), "https://X.org:8443/a/b?c=%20&d");
	assert_int_equal(load_url(room, "https://[2001:db8::1]/a", ""), 0);
}

static void plain_http_is_said(void **state)
{
	struct room *room = *state;

	assert_int_equal(load_url(room, "http://x.org/geheim", ""), -EINVAL);
	assert_says(room, "plain HTTP shows");
	assert_says_not(room, "geheim");
	assert_int_equal(load_url(room, "http://x.org/", ", \"insecure_http\": true"), 0);
	assert_true(room->config->providers[0].insecure_http);
	assert_int_equal(load_url(room, "https://x.org/", ", \"insecure_http\": true"), 0);
	assert_says(room, "has no effect");
	assert_false(room->config->providers[0].insecure_http);
}

/* A key file comes with its lines, and goes through the effective document. */
static void documents_travel(void **state)
{
	struct room *room = *state;
	struct config *copy = NULL;
	struct err err = { 0 };
	char pem[4200], *text;

	for (size_t i = 0; i < sizeof pem; i++)
		pem[i] = i % 65 == 64 ? '\n' : 'x';
	pem[3400] = '\0';
	room_write(room, "key.pem", pem, 0600);
	assert_int_equal(load(room, ", \"pem\": {\"file\": \"key.pem\"}"), 0);
	assert_string_equal(value(room, "pem"), pem);
	text = config_print(room->config, CONFIG_REVEAL);
	if (config_parse(text, strlen(text), &copy, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(secret_reveal(&config_setting_find(copy->providers, "pem")->value),
			    pem);
	config_free(copy);
	free(text);
}

static void no_wildcards_where_there_are_none(void **state)
{
	struct room *room = *state;

	assert_int_equal(room_load_text(room, "{ \"providers\": [ {\"type\": \"kinds\", "
					"\"url\": \"https://x.org/\", "
					"\"hostnames\": [\"*.example.org\"]} ] }"),
			 -EINVAL);
	assert_says(room, "\"*.example.org\": kinds takes no names with '*'");
	assert_int_equal(room_load_text(room, "{ \"providers\": [ {\"type\": \"he\", "
					"\"password\": \"p\", "
					"\"hostnames\": [\"*.a.example.org\"]} ] }"), 0);
}

/* All else is as if the entry were not there, but its records are known. */
static void a_broken_description(void **state)
{
	struct room *room = *state;
	const struct config_provider *broken;
	struct config *copy = NULL;
	struct err err = { 0 };
	char *text;

	room_write(room, "providers/mine.json", "{\n \"id\": 3 }", 0644);
	assert_int_equal(room_load_text(room, "{ \"providers\": [ {\"type\": \"mine\", "
					"\"password\": \"geheim\", "
					"\"hostnames\": [\"a.example.org\"]}, "
					"{\"type\": \"mine\", "
					"\"hostnames\": [\"b.example.org\"]}, "
					"{\"type\": \"duckdns\", \"token\": \"t\", "
					"\"hostnames\": [\"a.duckdns.org\"]} ] }"), 0);
	assert_int_equal(room->problems.broken, 2);
	assert_says(room, "hairpind.json:1:19: error: ");
	assert_says(room, "providers/mine.json:2:2: \"id\" must be");
	assert_says_not(room, "geheim");
	text = config_print(room->config, CONFIG_REVEAL);
	assert_null(strstr(text, "geheim"));
	if (config_parse(text, strlen(text), &copy, &err) < 0)
		fail_msg("%s", err.text);
	free(text);
	broken = copy->providers;
	assert_string_equal(broken[0].type, "mine");
	assert_string_equal(broken[1].name, "mine-2");
	assert_string_equal(broken[0].hostnames[0].name, "a.example.org");
	assert_non_null(strstr(broken[0].broken, "mine.json:2:2: "));
	assert_null(broken[0].description);
	assert_int_equal(broken[0].facts.families, CONFIG_IPV4 | CONFIG_IPV6);
	assert_null(broken[2].broken);
	assert_non_null(broken[2].description);
	config_free(copy);
	/* and one that others may write */
	room_write(room, "providers/mine.json", description, 0666);
	assert_int_equal(load(room, ""), 0);
	assert_int_equal(room_load_text(room, "{ \"providers\": [ {\"type\": \"mine\", "
					"\"hostnames\": [\"a.example.org\", "
					"\"a.example.org\"]} ] }"), -EINVAL);
	assert_says(room, "may be written by others");
	assert_says(room, "stands here twice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(defaults_are_there, open_with_description,
						room_close),
		cmocka_unit_test_setup_teardown(what_they_may_hold, open_with_description,
						room_close),
		cmocka_unit_test_setup_teardown(urls_are_checked, open_with_description,
						room_close),
		cmocka_unit_test_setup_teardown(plain_http_is_said, open_with_description,
						room_close),
		cmocka_unit_test_setup_teardown(documents_travel, open_with_description,
						room_close),
		cmocka_unit_test_setup_teardown(no_wildcards_where_there_are_none,
						open_with_description, room_close),
		cmocka_unit_test_setup_teardown(a_broken_description,
						open_with_description, room_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
