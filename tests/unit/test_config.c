/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a good configuration becomes: defaults, every key, drop-ins, host names.
 */
#include "config_room.h"

#include <errno.h>
#include <syslog.h>

static void empty_object_is_the_default(void **state)
{
	struct room *room = *state;
	const struct config *config;

	assert_int_equal(room_load_text(room, "{}"), 0);
	config = room->config;
	assert_int_equal(room->problems.warnings, 0);
	assert_int_equal(config->wan_count, 1);
	assert_string_equal(config->wans[0].name, "wan");
	assert_string_equal(config->wans[0].interface, "");
	assert_string_equal(config->wans[0].tag, "hairpin");
	assert_int_equal(config->wans[0].ipv4, CONFIG_INTERFACE);
	assert_int_equal(config->wans[0].ipv6, CONFIG_INTERFACE);
	assert_int_equal(config->wans[0].grace_ms, 2000);
	assert_true(config->wans[0].bind);
	assert_true(config->nat.enabled);
	assert_true(config->nat.conntrack);
	assert_int_equal(config->nat.table_count, 0);
	assert_int_equal(config->nat.max, 131072);
	assert_int_equal(config->provider_count, 0);
	assert_int_equal(config->dns.check_every_ms, 600000);
	assert_true(config->dns.verify);
	assert_int_equal(config->hooks.timeout_ms, 30000);
	assert_int_equal(config->log.level, LOG_NOTICE);
	assert_false(config->log.to_syslog);
	assert_string_equal(config->control.group, "hairpind");
	assert_string_equal(config->metrics_textfile, "");
}

static void missing_default_file_is_the_default(void **state)
{
	struct room *room = *state;
	const struct config_load load = { .path = NULL };

	if (access(HAIRPIN_SYSCONFDIR, F_OK) == 0) {
		print_message("# a hairpind is configured here\n");
		skip();
	}
	assert_int_equal(config_load(&load, &room->config, &room->problems), 0);
	assert_int_equal(room->config->wan_count, 1);
	assert_int_equal(room->config->provider_count, 0);
}

static void missing_named_file_is_a_mistake(void **state)
{
	struct room *room = *state;

	assert_int_equal(room_load(room), -EINVAL);
	assert_says(room, "there is no such file");
}

static const char every_key[] =
	"{ \"wans\": ["
	"    {\"name\": \"fibre\", \"interface\": \"ppp0\", \"tag\": \"hp[0-9]\","
	"     \"ipv4\": {\"source\": \"interface\"}, \"ipv6\": \"off\","
	"     \"grace\": \"5s\", \"bind\": false},"
	"    {\"interface\": \"eth1\"} ],"
	"  \"nat\": {\"enabled\": false, \"tables\": [\"ip:nat\", \"inet:fw4\"],"
	"    \"conntrack\": false, \"max\": 7},"
	"  \"providers\": [ {\"type\": \"dyndns2\", \"name\": \"own\", \"wan\": \"wan2\","
	"    \"server\": \"DDNS.example.org:8443\", \"username\": \"me\","
	"    \"password\": \"geheim\", \"families\": [\"ipv6\"], \"refresh\": \"25d\","
	"    \"min_interval\": \"60s\", \"timeout\": \"5s\", \"user_agent\": \"x/1\","
	"    \"hostnames\": [\"a.example.org\","
	"      {\"name\": \"b.example.org\", \"families\": [\"ipv4\"]}],"
	"    \"private_server\": true, \"allow_private\": true, \"check\": false} ],"
	"  \"dns\": {\"check_every\": \"1h\", \"servers\": [\"192.0.2.1\","
	"    \"192.0.2.1:5353\", \"[2001:db8::1]:53\", \"2001:db8::1\"],"
	"    \"verify\": false},"
	"  \"hooks\": {\"directory\": \"hooks\", \"timeout\": \"3s\", \"user\": \"me\"},"
	"  \"log\": {\"level\": \"debug\", \"target\": \"syslog\"},"
	"  \"control\": {\"socket\": \"/x/y\", \"group\": \"\", "
	"\"admin_group\": \"wheel\"},"
	"  \"state\": {\"directory\": \"/var/x\"}, }";

static void every_section_arrives(void **state)
{
	struct room *room = *state;
	const struct config *config;

	assert_int_equal(room_load_text(room, every_key), 0);
	config = room->config;
	assert_int_equal(config->wan_count, 2);
	assert_string_equal(config->wans[0].interface, "ppp0");
	assert_string_equal(config->wans[0].tag, "hp[0-9]");
	assert_int_equal(config->wans[0].ipv4, CONFIG_INTERFACE);
	assert_int_equal(config->wans[0].ipv6, CONFIG_OFF);
	assert_int_equal(config->wans[0].grace_ms, 5000);
	assert_false(config->wans[0].bind);
	assert_string_equal(config->wans[1].name, "wan2");
	assert_string_equal(config->wans[1].tag, "hairpin:wan2");
	assert_false(config->nat.enabled);
	assert_false(config->nat.conntrack);
	assert_int_equal(config->nat.max, 7);
	assert_int_equal(config->nat.table_count, 2);
	assert_string_equal(config->nat.tables[1].text, "inet:fw4");
	assert_int_equal(config->dns.check_every_ms, 3600000);
	assert_int_equal(config->dns.server_count, 4);
	assert_string_equal(config->dns.servers[2], "[2001:db8::1]:53");
	assert_false(config->dns.verify);
	assert_string_equal(config->hooks.directory, room_path(room, "hooks"));
	assert_string_equal(config->hooks.user, "me");
	assert_int_equal(config->log.level, LOG_DEBUG);
	assert_true(config->log.to_syslog);
	assert_string_equal(config->control.socket, "/x/y");
	assert_string_equal(config->control.group, "");
	assert_string_equal(config->control.admin_group, "wheel");
	assert_string_equal(config->state_directory, "/var/x");
}

static void every_key_of_a_provider_arrives(void **state)
{
	struct room *room = *state;
	const struct config_provider *provider;

	assert_int_equal(room_load_text(room, every_key), 0);
	provider = &room->config->providers[0];
	assert_string_equal(provider->name, "own");
	assert_int_equal(provider->wan, 1);
	assert_int_equal(provider->families, CONFIG_IPV6);
	assert_int_equal(provider->refresh_ms, 25LL * 86400 * 1000);
	assert_int_equal(provider->min_interval_ms, 60000);
	assert_int_equal(provider->timeout_ms, 5000);
	assert_string_equal(provider->user_agent, "x/1");
	assert_int_equal(provider->hostname_count, 2);
	assert_int_equal(provider->hostnames[1].families, CONFIG_IPV4);
	assert_true(provider->private_server);
	assert_true(provider->allow_private);
	assert_false(provider->insecure_http);
	assert_false(provider->check);
	assert_string_equal(secret_reveal(&config_setting_find(provider, "server")->value),
			    "ddns.example.org:8443");
	assert_true(config_setting_find(provider, "password")->is_secret);
	assert_false(config_setting_find(provider, "username")->is_secret);
	assert_null(config_setting_find(provider, "token"));
}

static void a_type_brings_its_facts(void **state)
{
	struct room *room = *state;

	assert_int_equal(room_load_text(room, "{ \"providers\": [ {\"type\": \"desec\","
		"\"token\": \"x\", \"hostnames\": [\"me.dedyn.io\"]} ] }"), 0);
	assert_int_equal(room->config->providers[0].min_interval_ms, 60000);
	assert_int_equal(room->config->providers[0].facts.other_family,
				 CATALOGUE_OTHER_KEPT);
	assert_true(room->config->providers[0].facts.dual);
	assert_non_null(room->config->providers[0].description);
	assert_null(strchr(room->config->providers[0].description, '\n'));
}

static void names_are_made_alike(void **state)
{
	struct room *room = *state;

	assert_int_equal(room_load_text(room, "{ \"providers\": ["
		"{\"type\": \"duckdns\", \"token\": \"x\", \"hostnames\": "
		"[\"ME.DuckDNS.org.\"]},"
		"{\"type\": \"duckdns\", \"token\": \"y\", \"hostnames\": "
		"[\"you.duckdns.org\"]}"
		"] }"), 0);
	assert_string_equal(room->config->providers[0].hostnames[0].name,
				 "me.duckdns.org");
	assert_string_equal(room->config->providers[0].name, "duckdns");
	assert_string_equal(room->config->providers[1].name, "duckdns-2");
}

static void drop_ins_are_merged_in_order(void **state)
{
	struct room *room = *state;

	assert_int_equal(mkdir(room_path(room, "conf.d"), 0700), 0);
	room_write(room, "conf.d/20.json", "{ \"log\": {\"level\": \"debug\"},"
		   "\"wans\": [{\"name\": \"third\"}] }", 0600);
	room_write(room, "conf.d/10.json", "{ \"log\": {\"level\": \"err\"},"
		   "\"wans\": [{\"name\": \"second\"}],"
		   "\"providers\": [{\"type\": \"duckdns\", \"wan\": \"third\","
		   "\"token\": \"x\", \"hostnames\": [\"a.duckdns.org\"]}] }", 0600);
	room_write(room, "conf.d/.30.json", "nonsense", 0600);
	room_write(room, "conf.d/30.json~", "nonsense", 0600);
	room_write(room, "conf.d/30.json.bak", "nonsense", 0600);
	room_write(room, "conf.d/30.json.dpkg-old", "nonsense", 0600);
	room_write(room, "conf.d/30.json.rpmnew", "nonsense", 0600);
	assert_int_equal(room_load_text(room, "{ \"wans\": [{\"name\": \"first\"}],"
		"\"log\": {\"level\": \"info\", \"target\": \"syslog\"} }"), 0);
	assert_int_equal(room->config->wan_count, 3);
	assert_string_equal(room->config->wans[1].name, "second");
	assert_string_equal(room->config->wans[2].name, "third");
	assert_int_equal(room->config->providers[0].wan, 2);
	assert_int_equal(room->config->log.level, LOG_DEBUG);
	assert_true(room->config->log.to_syslog);

	room_write(room, "conf.d/20.json", "{ \"lag\": {} }", 0600);
	assert_int_equal(room_load(room), -EINVAL);
	assert_says(room, "conf.d/20.json:1:3: error: unknown key \"lag\"; "
			  "did you mean \"log\"?");
}

/* Loads a copy: who owns the source tree is nobody's business here. */
static void load_copy(struct room *room, const char *path)
{
	char command[PATH_MAX + 128];

	snprintf(command, sizeof command, "cp '%s' '%s' && chmod 600 '%s'", path,
		 room_path(room, "hairpind.json"), room_path(room, "hairpind.json"));
	assert_int_equal(system(command), 0);
	if (room_load(room) < 0 || room->problems.warnings > 0)
		fail_msg("%s", room->problems.text.bytes);
}

static void examples_load_without_a_word(void **state)
{
	struct room *room = *state;

	assert_int_equal(setenv("DUCKDNS_TOKEN", "x", 1), 0);
	load_copy(room, "conf/minimal.json");
	assert_int_equal(room->config->provider_count, 1);
	assert_int_equal(setenv("DUCKDNS_TOKEN", "x", 1), 0);
	assert_int_equal(setenv("DDNS_PASSWORD", "x", 1), 0);
	load_copy(room, "conf/hairpind.example.json");
	assert_int_equal(room->config->provider_count, 2);
}

static void servers_are_hosts_and_ports(void **state)
{
	struct room *room = *state;
	static const struct {
		const char *server, *more, *stored;
		bool plain;
	} cases[] = {
		{ "example.org", "", "example.org", false },
		{ "https://example.org/", "", "example.org", false },
		{ "router", "", "router", false },
		{ "127.0.0.1:8443", "", "127.0.0.1:8443", false },
		{ "[::1]:8443", "", "[::1]:8443", false },
		{ "[::1]", "", "[::1]", false },
		{ "example.org:80", ", \"insecure_http\": true", "example.org:80", true },
		{ "http://example.org", ", \"insecure_http\": true",
		  "example.org", true },
		{ "https://example.org", ", \"insecure_http\": true",
		  "example.org", false },
		{ "http://example.org", "", NULL, false },
		{ "ftp://example.org", "", NULL, false },
		{ "file:///etc/passwd", "", NULL, false },
		{ "example.org/path", "", NULL, false },
		{ "me:pw@example.org", "", NULL, false },
		{ "example.org:0", "", NULL, false },
		{ "example.org:65536", "", NULL, false },
		{ "example.org:", "", NULL, false },
		{ "::1", "", NULL, false },
		{ "[::1", "", NULL, false },
		{ "[::1]x", "", NULL, false },
		{ "[127.0.0.1]", "", NULL, false },
		{ "*.example.org", "", NULL, false },
		{ "exa mple.org", "", NULL, false },
		{ "example.org?x", "", NULL, false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[512];
		int result;

		snprintf(text, sizeof text, "{ \"providers\": [ {\"type\": \"dyndns2\","
			 "\"server\": \"%s\", \"username\": \"u\", \"password\": \"p\","
			 "\"hostnames\": [\"a.example.org\"]%s} ] }", cases[i].server,
			 cases[i].more);
		result = room_load_text(room, text);
		if ((result == 0) != (cases[i].stored != NULL))
			fail_msg("%s: %d", cases[i].server, result);
		if (result < 0)
			continue;
		assert_string_equal(cases[i].stored, secret_reveal(
			&config_setting_find(room->config->providers, "server")->value));
		assert_int_equal(room->config->providers[0].insecure_http,
					 cases[i].plain);
	}
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, room_open, room_close)
	const struct CMUnitTest tests[] = {
		TEST(empty_object_is_the_default),
		TEST(missing_default_file_is_the_default),
		TEST(missing_named_file_is_a_mistake),
		TEST(every_section_arrives),
		TEST(every_key_of_a_provider_arrives),
		TEST(a_type_brings_its_facts),
		TEST(names_are_made_alike),
		TEST(drop_ins_are_merged_in_order),
		TEST(examples_load_without_a_word),
		TEST(servers_are_hosts_and_ports),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
