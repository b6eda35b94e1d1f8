/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a bad configuration is told: all of it, with places, and never a secret.
 */
#include "config_room.h"
#include "golden_room.h"

#include <errno.h>

/* Compares with tests/unit/golden/NAME.txt; the directory of the test is written as DIR. */
static void assert_golden(struct room *room, const char *name)
{
	char path[256], *said = room->problems.text.bytes;
	TEXT_CLEANUP struct text plain = TEXT_INIT;

	for (char *at; (at = strstr(said, room->directory)); said = at + strlen(room->directory)) {
		text_add_bytes(&plain, said, (size_t)(at - said));
		text_add(&plain, "DIR");
	}
	text_add(&plain, said);
	snprintf(path, sizeof path, "tests/unit/golden/%s.txt", name);
	golden_compare(path, plain.bytes);
}

static void load_golden(struct room *room, const char *name)
{
	char command[PATH_MAX + 128];

	snprintf(command, sizeof command, "cp 'tests/unit/golden/%s.json' '%s' && chmod 600 '%s'",
		 name, room_path(room, "hairpind.json"), room_path(room, "hairpind.json"));
	assert_int_equal(system(command), 0);
	assert_int_equal(room_load(room), -EINVAL);
	assert_golden(room, name);
}

static void sections_golden(void **state)
{
	load_golden(*state, "config-sections");
}

static void wans_golden(void **state)
{
	load_golden(*state, "config-wans");
}

static void sources_golden(void **state)
{
	load_golden(*state, "config-sources");
}

static void providers_golden(void **state)
{
	load_golden(*state, "config-providers");
}

static void syntax_golden(void **state)
{
	load_golden(*state, "config-syntax");
}

/* Each mistake of a text alone, and the words it must be told in. */
static void single_mistakes(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "[]", ":1:1: error: the file must be an object" },
		{ "[ 1 ]", ":1:1: error: the file must be an object" },
		{ "[ { \"providers\": [] } ]", ":1:1: error: the file must be an object" },
		{ "{ \"log\": {}, \"log\": {} }", "log" },
		{ "{ \"log\": [] }", "must be an object, not an array" },
		{ "{ \"wans\": {} }", "must be an array, not an object" },
		{ "{ \"wans\": [ 3 ] }", ":1:13: error: must be an object" },
		{ "{ \"$schema\": 1 }", "must be a string" },
		{ "{ \"catalogue\": {} }", "unknown key \"catalogue\"" },
		{ "{ \"state\": {\"directory\": \"\"} }", "\"directory\" is empty" },
		{ "{ \"control\": {\"group\": \"a b\"} }", "is no name" },
		{ "{ \"wans\": [{\"tag\": \".*\"}] }", "would match every comment" },
		{ "{ \"wans\": [{\"tag\": \"\"}] }", "would match every comment" },
		{ "{ \"wans\": [{\"interface\": \"\"}] }", "is no interface name" },
		{ "{ \"wans\": [{\"interface\": \"abcdefghijklmnop\"}] }",
		  "1 to 15 characters" },
		{ "{ \"wans\": [{\"interface\": \"a\\u0007b\"}] }", "\\x07" },
		{ "{ \"wans\": [{\"ipv4\": {\"source\": \"upmp\"}}] }",
		  "did you mean \"upnp\"?" },
		{ "{ \"wans\": [{\"ipv4\": {}}] }", "\"source\" is missing" },
		{ "{ \"wans\": [{\"ipv6\": {\"source\": \"off\", \"keep\": \"suffix\"}}] }",
		  "unknown source \"off\"" },
		{ "{ \"wans\": [{\"ipv6\": {\"source\": \"interface\", \"keep\": 1}}] }",
		  "\"keep\" must be a string" },
		{ "{ \"wans\": [{\"ipv6\": {\"source\": \"interface\", \"keep\": "
		  "\"suffix\", \"prefix_length\": 0}}] }",
		  "whole number from 1 to 128" },
		{ "{ \"wans\": [{\"ipv4\": {\"source\": \"interface\", "
		  "\"prefix_from\": \"br0\"}}] }", "is for \"ipv6\" only" },
		{ "{ \"nat\": {\"names\": \"a\\u0001\"} }", "plain text" },
		{ "{ \"nat\": {\"names\": \"12345678901234567890123456789012\"} }",
		  "at most 31 bytes" },
		{ "{ \"wans\": [{\"grace\": \"2h\"}] }", "out of range; write 0s to 1h" },
		{ "{ \"dns\": {\"check_every\": \"100ms\"} }",
		  "out of range; write 1s to 30d" },
		{ "{ \"nat\": {\"max\": 1.5} }", "a whole number from 1" },
		{ "{ \"nat\": {\"tables\": [\"bridge:x\"]} }",
		  "is no table of NAT rules" },
		{ "{ \"nat\": {\"tables\": [\"ip:\"]} }", "is no table of NAT rules" },
		{ "{ \"providers\": [{\"hostnames\": [\"a.b.c\"]}] }",
		  "\"type\" is missing" },
		{ "{ \"providers\": [{\"type\": \"../x\", \"hostnames\": [\"a.b.c\"]}] }",
		  "unknown provider" },
		{ "{ \"providers\": [{\"type\": \"dyn\", \"ca_pem\": \"x\"}] }",
		  "unknown key \"ca_pem\"" },
		{ "{ \"providers\": [{\"type\": \"duckdns\", \"token\": {\"value\": \"x\"}}] }",
		  "unknown key \"value\"" },
		{ "{ \"providers\": [{\"type\": \"duckdns\", \"token\": \"a\\nb\"}] }",
		  "\"token\" holds a control character" },
		{ "{ \"providers\": [{\"type\": \"duckdns\", \"token\": \"\"}] }",
		  "\"token\" is empty" },
		{ "{ \"providers\": [{\"type\": \"duckdns\", \"token\": {}}] }",
		  "needs one place" },
		{ "{ \"providers\": [{\"type\": \"duckdns\", \"token\": true}] }",
		  "must be a string, not" },
		{ "{ \"providers\": [{\"type\": \"duckdns\", \"name\": \"-x\"}] }",
		  "is no name" },
	};
	struct room *room = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (room_load_text(room, cases[i].text) != -EINVAL)
			fail_msg("accepted: %s", cases[i].text);
		assert_says(room, cases[i].words);
	}
}

static void a_file_that_nobody_reads(void **state)
{
	struct room *room = *state;

	assert_int_equal(room_load_text(room,
				 "{ \"metrics\": {\"textfile\": \"/x\"} }"), 0);
	assert_says(room, "warning: node_exporter reads only files");
}

/* Keys given twice are mistakes like others: what else is wrong is said too. */
/* What is wrong with a host's own IPv6 address; NULL: nothing. */
static void suffixes(void **state)
{
	static const struct {
		const char *ipv6, *hostname, *says;
	} cases[] = {
		{ "\"prefix_from\": \"br0\"", "\"ipv6_suffix\": \"::10\"", NULL },
		{ "\"prefix_from\": \"br0\"",
		  "\"ipv6_suffix\": \"::211:22ff:fe33:4455\"", NULL },
		{ "\"prefix_from\": \"br0\", \"prefix_length\": 56",
		  "\"ipv6_suffix\": \"::a5:0:0:0:10\"", NULL },
		{ "\"prefix_from\": \"br0\"", "\"ipv6_suffix\": \"::a5:0:0:0:10\"",
		  "error: the first 64 bits are those of the WAN's prefix" },
		{ "\"prefix_from\": \"br0\", \"prefix_length\": 60",
		  "\"ipv6_suffix\": \"::10:0:0:0:10\"", "error: the first 60 bits" },
		{ "\"keep\": \"suffix\"", "\"ipv6_suffix\": \"::10\"",
		  "warning: \"a.duckdns.org\" is put under the prefix of the WAN's own" },
		{ "\"prefix_from\": \"br0\"", "\"ipv6_suffix\": \"10\"",
		  "error: \"10\" is no end of an IPv6 address" },
		{ "\"prefix_from\": \"br0\"", "\"ipv6_suffix\": \"0.0.0.10\"",
		  "is no end of an IPv6 address" },
		{ "\"prefix_from\": \"br0\"", "\"ipv6_suffix\": \"::\"",
		  "is no end of an IPv6 address" },
		{ "\"prefix_from\": \"br0\"",
		  "\"ipv6_suffix\": \"::10\", \"families\": [\"ipv4\"]",
		  "error: \"a.duckdns.org\" leaves IPv6 out by its \"families\"" },
		{ "\"prefix_from\": \"br0\"", "\"families\": [\"ipv6\"]",
		  "warning: \"prefix_from\" has no effect" },
		{ "\"prefix_length\": 56", "\"families\": [\"ipv6\"]",
		  "warning: \"prefix_length\" has no effect" },
	};
	struct room *room = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool fails = cases[i].says && !strstr(cases[i].says, "warning");
		char text[512];

		snprintf(text, sizeof text,
			 "{ \"wans\": [{}, {\"name\": \"six\", \"ipv6\": "
			 "{\"source\": \"interface\", %s}}], \"providers\": "
			 "[{\"type\": \"duckdns\", \"token\": \"x\", \"wan\": \"six\", "
			 "\"hostnames\": [{\"name\": \"a.duckdns.org\", %s}]}] }",
			 cases[i].ipv6, cases[i].hostname);
		assert_int_equal(room_load_text(room, text), fails ? -EINVAL : 0);
		if (cases[i].says)
			assert_says(room, cases[i].says);
		else if (strstr(room->problems.text.bytes, "suffix"))
			fail_msg("%s: %s", cases[i].hostname, room->problems.text.bytes);
	}
}

static void who_wants_a_contact(void **state)
{
	static const char entry[] =
		"\"providers\": [{\"type\": \"noip\", \"username\": \"me\", \"password\": "
		"\"x\", \"hostnames\": [\"a.ddns.net\"]%s}]";
	static const struct {
		const char *top, *more;
		bool said;
	} cases[] = {
		{ "", "", true },
		{ "\"contact\": \"me@example.org\",", "", false },
		{ "\"contact\": \"https://example.org/me\",", "", false },
		{ "", ", \"user_agent\": \"x/1\"", false },
	};
	static const char *const none[] = {
		"\"me\"", "\"@example.org\"", "\"me@example.org) (evil\"",
		"\"me@example.org\\u000d\\u000aX: y\"", "\"https://\"",
	};
	struct room *room = *state;
	char text[512], part[256];

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		snprintf(part, sizeof part, entry, cases[i].more);
		snprintf(text, sizeof text, "{ %s %s }", cases[i].top, part);
		assert_int_equal(room_load_text(room, text), 0);
		if (cases[i].said)
			assert_says(room, "noip wants to know whom to write to");
		else
			assert_says_not(room, "whom to write to");
	}
	for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
		snprintf(text, sizeof text, "{ \"contact\": %s }", none[i]);
		assert_int_equal(room_load_text(room, text), -EINVAL);
		assert_says(room, "is no contact; write an e-mail address");
	}
}

/* Where no key is near, those there are are named. */
static void keys_there_are(void **state)
{
	struct room *room = *state;

	assert_int_equal(room_load_text(room, "{ \"log\": {\"zzzzzz\": 1} }"), -EINVAL);
	assert_says(room, "unknown key \"zzzzzz\"; known are level, target\n");
	assert_int_equal(room_load_text(room,
				 "{ \"providers\": [{\"type\": \"noip\", "
				 "\"zzzzzz\": \"x\"}] }"), -EINVAL);
	assert_says(room, "unknown key \"zzzzzz\" for type \"noip\"; it takes username, "
			  "password, and what hairpind.json(5) says");
}

static void keys_given_twice(void **state)
{
	struct room *room = *state;

	assert_int_equal(room_load_text(room,
			"{ \"log\": {\"level\": \"x\"},\n"
			"  \"dns\": {\"verify\": true, \"verify\": true, \"verify\": 1},\n"
			"  \"log\": {\"levle\": \"err\"} }"), -EINVAL);
	assert_says(room, ":3:3: error: the key \"log\" stands here twice; remove one");
	assert_says(room, ":2:43: error: the key \"verify\" stands here twice");
	assert_says(room, ":1:11: error: unknown level \"x\"");
	assert_says(room, ":3:11: error: unknown key \"levle\"");
}

static void the_same_record_twice(void **state)
{
	static const char duck[] =
		"{\"type\": \"duckdns\", \"token\": \"x\", \"hostnames\": [%s]}";
	static const struct {
		const char *first, *second;
		int result;
	} cases[] = {
		{ "\"a.x.org\"", "\"b.x.org\"", 0 },
		{ "\"a.x.org\"", "\"A.x.org.\"", -EINVAL },
		{ "\"a.x.org\", \"a.x.org\"", "\"b.x.org\"", -EINVAL },
		{ "{\"name\": \"a.x.org\", \"families\": [\"ipv4\"]}",
		  "{\"name\": \"a.x.org\", \"families\": [\"ipv6\"]}", 0 },
		{ "{\"name\": \"a.x.org\", \"families\": [\"ipv4\"]}",
		  "\"a.x.org\"", -EINVAL },
	};
	struct room *room = *state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char text[1024], first[256], second[256];

		snprintf(first, sizeof first, duck, cases[i].first);
		snprintf(second, sizeof second, duck, cases[i].second);
		snprintf(text, sizeof text, "{ \"providers\": [%s, %s] }", first, second);
		assert_int_equal(room_load_text(room, text), cases[i].result);
	}
	assert_int_equal(room_load_text(room, "{ \"providers\": ["
		"{\"type\": \"dyndns2\", \"server\": \"a.org\", \"username\": \"u\","
		" \"password\": \"p\", \"hostnames\": [\"x.org\"]},"
		"{\"type\": \"dyndns2\", \"server\": \"b.org\", \"username\": \"u\","
		" \"password\": \"p\", \"hostnames\": [\"x.org\"]} ] }"), 0);
}

static void a_flood_is_cut(void **state)
{
	struct room *room = *state;
	TEXT_CLEANUP struct text text = TEXT_INIT;

	text_add(&text, "{ \"nat\": {");
	for (int i = 0; i < 5000; i++)
		text_addf(&text, "%s\"key%d\": 1", i ? ", " : "", i);
	text_add(&text, "} }");
	assert_int_equal(room_load_text(room, text.bytes), -EINVAL);
	assert_int_equal(room->problems.errors, 5000);
	assert_true(room->problems.text.length < 100000);
	assert_says(room, "further mistakes are not shown");
}

/* The word "geheim" stands in every place a secret can be in; no mistake may show it. */
static void no_line_shows_a_secret(void **state)
{
	static const char *const texts[] = {
		"{ \"providers\": [ {\"type\": \"duckdns\", \"token\": \"geheim\", "
		"\"x\": 1} ] }",
		"{ \"providers\": [ {\"type\": \"nix\", \"token\": \"geheim\"} ] }",
		"{ \"providers\": [ {\"type\": \"duckdns\",\n\"token\":\n\"geheim\", "
		"\"wan\": 3} ] }",
		"{ \"providers\": [ {\"type\": \"duckdns\", \"tokne\": \"geheim\"} ] }",
		"{ \"providers\": [ {\"type\": \"duckdns\", \"token\": [\"geheim\"]} ] }",
		"{ \"providers\": {\"type\": \"duckdns\", \"token\": \"geheim\"} }",
		"{ \"providers\": [ {\"type\": \"duckdns\", \"token\": {\"valu\": "
		"\"geheim\"}} ] }",
		"{ \"provider\": [ {\"type\": \"duckdns\", \"token\": \"geheim\"} ] }",
		"{ \"token\": \"geheim\" }",
		"{ \"providers\": [ {\"type\": \"dyndns2\", \"server\": "
		"\"u:geheim@x.org\",\n"
		"\"username\": \"u\", \"password\": \"p\", \"hostnames\": [\"a.b\"]} ] }",
		"{ \"dns\": {\"x\": 1}, // \"token\": \"geheim\"\n }",
		"{ \"dns\": {\"x\": 1} /* geheim\n geheim */, \"y\": 2 }",
		"{ \"providers\": [ {\"type\": \"duckdns\" \"token\": \"geheim\"} ] }",
		"{ \"providers\": [ {\"type\": \"duckdns\",\n\"token\": geheim} ] }",
		"{ \"providers\": [ {\"type\": \"duckdns\",\n\"token\": \"geheim} ] }",
		"{ \"providers\": [ {\"type\": \"duckdns\",\n\"token\":\n geheim} ] }",
		"{ \"providers\": [ {\"type\": \"duckdns\", \"token\": \"geheim\\n\"} "
		"] }",
		"{ \"providers\": [ {\"type\": \"dyndns2\", \"server\": \"u:geheim@x\","
		" \"username\": \"u\", \"password\": \"geheim\", \"hostnames\": "
		"[\"a.b\"]} ] }",
		"{ \"providers\": [ {\"type\": \"duckdns\", \"token\": \"geheim\","
		" \"token\": \"geheim\"} ] }",
		"{ \"wans\": [{\"ipv4\": {\"source\": \"http\", \"urls\": "
		"[\"https://u:geheim@ip.example.org/\"]}}] }",
		"{ \"wans\": [{\"ipv4\": {\"source\": \"http\", \"urls\": "
		"[\"u:geheim@ip.example.org\"]}}] }",
		"{ \"wans\": [{\"ipv4\": {\"source\": \"http\", \"url\": "
		"[\"https://u:geheim@ip.example.org/\"]}}] }",
		"{ \"wans\": [{\"ipv4\": {\"source\": \"http\", \"agree\": 9, \"urls\": "
		"[\"https://ip.example.org/?token=geheim\"]}}] }",
	};
	struct room *room = *state;

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (room_load_text(room, texts[i]) != -EINVAL)
			fail_msg("accepted: %s", texts[i]);
		assert_says_not(room, "geheim");
		assert_says(room, "hairpind.json:");
	}
}

static void hostile_documents(void **state)
{
	struct room *room = *state;
	char *deep = malloc(200001), *large = malloc((2 << 20) + 1);

	memset(deep, '[', 200000);
	deep[200000] = '\0';
	assert_int_equal(room_load_text(room, deep), -EINVAL);
	memset(large, ' ', 2 << 20);
	large[2 << 20] = '\0';
	assert_int_equal(room_load_text(room, large), -EINVAL);
	assert_says(room, "larger than 1048576 bytes");
	assert_int_equal(room_load_text(room, ""), -EINVAL);
	assert_int_equal(room_load_text(room, "{ \"nat\": {\"max\": 1e999} }"), -EINVAL);
	assert_int_equal(room_load_text(room,
				 "{ \"log\": {\"level\": \"\\ud800\"} }"), -EINVAL);
	assert_int_equal(room_load_text(room, "{} {}"), -EINVAL);
	free(deep);
	free(large);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, room_open, room_close)
	const struct CMUnitTest tests[] = {
		TEST(sections_golden),
		TEST(wans_golden),
		TEST(sources_golden),
		TEST(providers_golden),
		TEST(syntax_golden),
		TEST(single_mistakes),
		TEST(a_file_that_nobody_reads),
		TEST(suffixes),
		TEST(who_wants_a_contact),
		TEST(keys_there_are),
		TEST(keys_given_twice),
		TEST(the_same_record_twice),
		TEST(a_flood_is_cut),
		TEST(no_line_shows_a_secret),
		TEST(hostile_documents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
