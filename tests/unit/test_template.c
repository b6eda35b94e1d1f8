/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The values that a template may name, and how they are written. */
#include "fill_room.h"

static void fills(struct room *room, const char *template, enum place place,
		  const char *wanted)
{
	struct err err = { 0 };
	char *filled;
	int r = fill_new(&room->fill, template, place, &filled, &err);

	if (!wanted) {
		assert_int_equal(r, strstr(err.text, " was found") ? -ENODATA : -EINVAL);
		assert_true(err.text[0]);
		return;
	}
	if (r < 0)
		fail_msg("%s: %s", template, err.text);
	assert_string_equal(filled, wanted);
	free(filled);
}

static void built_ins(void **state)
{
	static const struct {
		const char *template, *wanted;
	} cases[] = {
		{ "{unix_time}", "1795269600" },
		{ "{iso_time}", "2026-11-21T14:00:00Z" },
		{ "{http_date}", "Sat, 21 Nov 2026 14:00:00 GMT" },
		{ "{uuid}", "00010203-0405-4f07-bf09-0a0b0c3d3eff" },
		{ "{nonce}", "ABCDEFHHHJKLM9AH" },
		{ "{hostname} {hostnames}", "home.example.org "
		  "home.example.org,*.nas.example.org" },
		{ "{ip} {ipv4} {rrtype}", "81.2.69.7 81.2.69.7 A" },
		{ "{owner}|{owner_or_empty}", "home|home" },
		{ "{number} {host} {again}", "1 home.below "
		  "<2744ccd10c7533bd736ad890f9dd5cab2adb27b07d500b9493f29cdc420cb2e0>" },
		{ "{md} {sha}", "d41d8cd98f00b204e9800998ecf8427e "
		  "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ "{nothing}", "" },
		{ "{ipv6}", NULL }, { "{page}", NULL }, { "{seen}", NULL },
		{ "{of_read}", NULL }, { "{absent}", NULL }, { "{each}", NULL },
	};
	struct room room;

	(void)state;
	room_open(&room, "81.2.69.7", NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		fills(&room, cases[i].template, PLACE_PLAIN, cases[i].wanted);
	fill_done(&room.fill);
	room_open(&room, "81.2.69.7", "2a01::7");
	fills(&room, "{ipv4},{ipv6}", PLACE_PLAIN, "81.2.69.7,2a01::7");
	fills(&room, "{ip}", PLACE_PLAIN, NULL);	/* which? */
	fills(&room, "{rrtype}", PLACE_PLAIN, NULL);
	fills(&room, "{number}", PLACE_PLAIN, NULL);
	fill_done(&room.fill);
}

static void owners(void **state)
{
	static const struct {
		const char *hostname, *zone, *owner, *host;
	} cases[] = {
		{ "a.b.EXAMPLE.ORG", NULL, "a.b", "a.b.below" },
		{ "example.org", NULL, "@", "(apex)" },
		{ "*.example.org", NULL, "*", "*.below" },
		{ "*.a.example.org", NULL, "*.a", "*.a.below" },
		{ "a.b.example.org", "b.example.org.", "a", "a.below" },
		{ "b.example.org", "b.example.org", "@", "(apex)" },
		{ "badexample.org", NULL, NULL, NULL },
		{ "org", NULL, NULL, NULL },
		{ "a.example.org", "example.net", NULL, NULL },
	};
	struct room room;

	(void)state;
	room_open(&room, "81.2.69.7", NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		room.names[0].hostname = cases[i].hostname;
		fill_set_names(&room.fill, room.names, 1);
		assert_true(fill_set_read(&room.fill, "zone", cases[i].zone));
		fills(&room, "{owner}", PLACE_PLAIN, cases[i].owner);
		fills(&room, "{host}", PLACE_PLAIN, cases[i].host);
		if (cases[i].owner)
			fills(&room, "{owner_or_empty}", PLACE_PLAIN,
			      strcmp(cases[i].owner, "@") == 0 ? "" : cases[i].owner);
		assert_int_equal(fill_is_apex(&room.fill),
				 cases[i].owner && *cases[i].owner == '@');
	}
	fill_done(&room.fill);
}

/* A value from an answer fills an empty setting and never another one. */
static void read_values(void **state)
{
	char large[FILL_READ_BYTES + 2];
	struct room room;

	(void)state;
	room_open(&room, "81.2.69.7", NULL);
	assert_true(fill_set_read(&room.fill, "seen", "a/b"));
	assert_true(fill_set_read(&room.fill, "nothing", "something"));
	assert_true(fill_set_read(&room.fill, "username", "them"));
	assert_true(fill_set_read(&room.fill, "hostname", "them"));
	fills(&room, "{seen}{nothing}{username}{hostname}", PLACE_URL,
	      "a%2Fbsomethingmehome.example.org");
	fills(&room, "{of_read}", PLACE_PLAIN, "a/b!");
	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	assert_false(fill_set_read(&room.fill, "seen", large));
	assert_false(fill_knows(&room.fill, "seen"));
	assert_true(fill_set_read(&room.fill, "seen", ""));
	assert_false(fill_knows(&room.fill, "seen"));
	assert_string_equal(fill_find(&room.fill, "seen"), "");
	fill_forget_reads(&room.fill);
	assert_null(fill_find(&room.fill, "seen"));
	fills(&room, "{nothing}{of_read}", PLACE_PLAIN, NULL);
	fill_done(&room.fill);
}

static void places(void **state)
{
	static const struct {
		enum place place;
		const char *value, *template, *wanted;
	} cases[] = {
		{ PLACE_XML, "<a b=\"c\">&'", "<v>{seen}</v>",
		  "<v>&lt;a b=&quot;c&quot;&gt;&amp;&apos;</v>" },
		{ PLACE_REGEX, ".[x]\\()*+?{1}|^$a", "^{seen}$",
		  "^\\.\\[x]\\\\\\(\\)\\*\\+\\?\\{1}\\|\\^\\$a$" },
		{ PLACE_JSON, "7", "{\"a\":\"{seen:raw}\"}", "{\"a\":7}" },
		{ PLACE_JSON, "-0.5e+10", "[\"{seen:raw}\"]", "[-0.5e+10]" },
		{ PLACE_JSON, "true", "[\"{seen:raw}\",{seen:raw}]", "[true,true]" },
		{ PLACE_JSON, "7", "[\"{seen}\",\" {seen:raw}\"]", "[\"7\",\" 7\"]" },
		{ PLACE_JSON, "007", "[\"{seen:raw}\"]", NULL },
		{ PLACE_JSON, "1,\"x\":2", "[\"{seen:raw}\"]", NULL },
		{ PLACE_JSON, "1.", "[\"{seen:raw}\"]", NULL },
		{ PLACE_JSON, "1e", "[\"{seen:raw}\"]", NULL },
		{ PLACE_JSON, "", "[\"{seen:raw}\"]", NULL },
		{ PLACE_JSON, "null", "[\"{seen:raw}\"]", NULL },
		{ PLACE_JSON, "a\"b\\", "[\"{seen}\"]", "[\"a\\\"b\\\\\"]" },
		{ PLACE_URL, "..", "https://x.org/{seen}/b", NULL },
		{ PLACE_URL, ".", "https://x.org/{seen}/b", NULL },
		{ PLACE_URL, "...", "https://x.org/{seen}/b", "https://x.org/.../b" },
		{ PLACE_URL, "a\nb", "{seen}", NULL },
		{ PLACE_PLAIN, "a\rb", "{seen}", NULL },
		{ PLACE_FORM, "a\tb", "{seen}", NULL },
		{ PLACE_XML, "a\x7f", "{seen}", NULL },
		{ PLACE_REGEX, "a\x01", "{seen}", NULL },
		{ PLACE_DOCUMENT, "a\nb\n", "{seen}", "a\nb\n" },
		{ PLACE_PLAIN, "a", "{seen:raw}{seen:}", "{seen:raw}{seen:}" },
	};
	struct room room;

	(void)state;
	room_open(&room, "81.2.69.7", NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(fill_set_read(&room.fill, "seen", cases[i].value));
		fills(&room, cases[i].template, cases[i].place, cases[i].wanted);
	}
	fill_done(&room.fill);
}

static void what_is_found_goes_first(void **state)
{
	struct room room;

	(void)state;
	room_open(&room, "81.2.69.7", NULL);
	fills(&room, "{kept}", PLACE_PLAIN, "nic/update");
	assert_true(fill_set_read(&room.fill, "seen", "3600"));
	fills(&room, "{kept}", PLACE_PLAIN, "3600");
	assert_true(fill_set_read(&room.fill, "seen", ""));
	fills(&room, "{kept}", PLACE_PLAIN, "nic/update");
	fill_done(&room.fill);
}

static void parameters_left_out(void **state)
{
	static const struct {
		const char *template, *url, *form;
	} cases[] = {
		{ "?a={nothing}&b={ip}&c={nothing}", "?b=81.2.69.7", "?b=81.2.69.7" },
		{ "?a={nothing}&b={nothing}", "", "" },
		{ "?a=x{nothing}&b={nothing}x", "?a=x&b=x", "?a=x&b=x" },
		{ "?a={ip}&o={owner_or_empty}&{nothing}",
		  "?a=81.2.69.7&o=home&", "?a=81.2.69.7&o=home&" },
		{ "?o=@&h={hostname}", "?o=@&h=home.example.org",
		  "?o=@&h=home.example.org" },
	};
	struct room room;

	(void)state;
	room_open(&room, "81.2.69.7", NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fills(&room, cases[i].template, PLACE_URL, cases[i].url);
		fills(&room, cases[i].template, PLACE_FORM, cases[i].form);
	}
	fills(&room, "a={nothing}", PLACE_PLAIN, "a=");
	room.names[0].hostname = "example.org";
	fill_set_names(&room.fill, room.names, 1);
	fills(&room, "?o={owner_or_empty}&p={owner}", PLACE_URL, "?o=&p=@");
	fill_done(&room.fill);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_ins),
		cmocka_unit_test(owners),
		cmocka_unit_test(read_values),
		cmocka_unit_test(places),
		cmocka_unit_test(what_is_found_goes_first),
		cmocka_unit_test(parameters_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
