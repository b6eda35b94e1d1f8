/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hairpin/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define DAY_MS INT64_C(86400000)

static void grows(void **state)
{
	TEXT_CLEANUP struct text text = TEXT_INIT;
	char *taken;

	(void)state;
	assert_string_equal(text.bytes, "");
	text_clear(&text);
	text_add(&text, "");
	assert_string_equal(text.bytes, "");
	for (int i = 0; i < 1000; i++) {
		text_add_char(&text, 'a');
		text_addf(&text, "%d,", i % 10);
		assert_int_equal(strlen(text.bytes), text.length);
	}
	assert_int_equal(text.length, 3000);
	assert_memory_equal(text.bytes + 2994, "a8,a9,", 7);
	text_add_bytes(&text, "x\0y", 3);
	assert_memory_equal(text.bytes + 3000, "x\0y", 4);
	taken = text_take(&text);
	assert_int_equal(strlen(taken), 3001);
	free(taken);
	assert_int_equal(text.length, 0);
	text_add(&text, "again");
	assert_string_equal(text.bytes, "again");
	text_clear(&text);
	assert_string_equal(text.bytes, "");
	assert_false(text.failed);
	taken = text_take(&text);
	assert_string_equal(taken, "");
	free(taken);
}

static void remembers_a_failure(void **state)
{
	struct text text = TEXT_INIT;

	(void)state;
	text_add(&text, "kept");
	text_add_bytes(&text, "", SIZE_MAX / 2);
	assert_true(text.failed);
	text_add(&text, "ignored");
	text_addf(&text, "%d", 1);
	assert_string_equal(text.bytes, "kept");
	assert_null(text_take(&text));
	assert_false(text.failed);
	assert_string_equal(text.bytes, "");
	text_done(&text);
}

static void copies_what_fits(void **state)
{
	char out[4] = "zzz";

	(void)state;
	assert_true(text_copy(out, sizeof(out), "abc"));
	assert_string_equal(out, "abc");
	assert_false(text_copy(out, sizeof(out), "abcd"));
	assert_string_equal(out, "");
	assert_true(text_copy(out, 1, ""));
	assert_false(text_copy(out, 0, ""));
}

static void escapes(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "", "" }, { "plain 'text' \"q\" %s%n", "plain 'text' \"q\" %s%n" },
		{ "a\\b", "a\\\\b" }, { "\x1b]0;x\a", "\\x1b]0;x\\x07" },
		{ "good\r\nMay 1 root: fine", "good\\x0d\\x0aMay 1 root: fine" },
		{ "\t", "\\x09" }, { "\x7f", "\\x7f" },
		{ "gr\xc3\xbc\xc3\x9f, \xe2\x82\xac, \xf0\x9f\x98\x80",
		  "gr\xc3\xbc\xc3\x9f, \xe2\x82\xac, \xf0\x9f\x98\x80" },
		{ "\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0", "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f\xc2\xa0" },
		{ "\x9b", "\\x9b" },
		/* bidirectional: RLO, isolate, Arabic letter mark, LRM; zero width; BOM; tag */
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae" }, { "\xe2\x81\xa6", "\\xe2\\x81\\xa6" },
		{ "\xd8\x9c", "\\xd8\\x9c" }, { "\xe2\x80\x8e", "\\xe2\\x80\\x8e" },
		{ "\xe2\x80\x8b", "\\xe2\\x80\\x8b" }, { "\xe2\x80\xa8", "\\xe2\\x80\\xa8" },
		{ "\xef\xbb\xbf", "\\xef\\xbb\\xbf" },
		{ "\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81" },
		{ "\xe2\x80\x90", "\xe2\x80\x90" },
		/* no UTF-8: alone, cut, overlong, surrogate, beyond the end, 5 bytes */
		{ "\x80", "\\x80" }, { "\xc3", "\\xc3" }, { "\xc3(", "\\xc3(" },
		{ "\xe2\x82", "\\xe2\\x82" }, { "\xc0\x80", "\\xc0\\x80" },
		{ "\xc1\xbf", "\\xc1\\xbf" }, { "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
		{ "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf" },
		{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
		{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80" },
		{ "\xff\xfe", "\\xff\\xfe" }, { "\xee\x80\x80", "\xee\x80\x80" },
		{ "\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf" },
	};
	char out[128];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_string_equal(text_escape(out, sizeof(out), cases[i].in,
						strlen(cases[i].in)), cases[i].out);
	assert_string_equal(text_escape(out, sizeof(out), "a\0b", 3), "a\\x00b");
}

/* Into every size of array: never beyond it, never half a character or escape. */
static void cuts_cleanly(void **state)
{
	static const char in[] = "ab\xe2\x82\xac\x1b\xf0\x9f\x98\x80\\end";
	static const char *const by_size[] = {
		[1] = "", [2] = ".", [3] = "..", [4] = "...", [5] = "a...", [6] = "ab...",
		[7] = "ab...", [8] = "ab...", [9] = "ab\xe2\x82\xac...",
		[12] = "ab\xe2\x82\xac...", [13] = "ab\xe2\x82\xac\\x1b...",
		[17] = "ab\xe2\x82\xac\\x1b\xf0\x9f\x98\x80...",
		[18] = "ab\xe2\x82\xac\\x1b\xf0\x9f\x98\x80...",
		[19] = "ab\xe2\x82\xac\\x1b\xf0\x9f\x98\x80\\\\end",
	};

	(void)state;
	for (size_t size = 0; size < COUNT(by_size); size++) {
		char *out = malloc(size + 1);

		assert_non_null(out);
		out[size] = '~';
		text_escape(out, size, in, sizeof(in) - 1);
		assert_int_equal(out[size], '~');
		if (by_size[size])
			assert_string_equal(out, by_size[size]);
		free(out);
	}
}

static void escapes_any_bytes(void **state)
{
	char out[200];

	(void)state;
	for (unsigned seed = 1; seed < 20000; seed++) {
		unsigned char in[64];
		unsigned random = seed * 2654435761u;
		size_t size = 1 + seed % sizeof(out);

		for (size_t i = 0; i < sizeof(in); i++) {
			random = random * 1664525u + 1013904223u;
			in[i] = (unsigned char)(random >> 24);
		}
		text_escape(out, size, in, sizeof(in));
		assert_true(strlen(out) < size);
		for (const char *c = out; *c; c++)
			assert_true((unsigned char)*c >= 0x20 && *c != 0x7f);
	}
}

static void reads_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
		const char *back;
	} cases[] = {
		{ "30s", 30000, "30s" }, { "10m", 600000, "10m" }, { "6h", 21600000, "6h" },
		{ "25d", 25 * DAY_MS, "25d" }, { "250ms", 250, "250ms" }, { "0s", 0, "0s" },
		{ "0d", 0, "0s" }, { "90s", 90000, "90s" }, { "90000ms", 90000, "90s" },
		{ "24h", DAY_MS, "1d" }, { "0060s", 60000, "1m" },
		{ "3650d", 3650 * DAY_MS, "3650d" },
		{ "315360000000ms", 3650 * DAY_MS, "3650d" },
	};
	static const char *const bad[] = {
		"", "s", "30", "30 s", " 30s", "30s ", "-1s", "+1s", "1.5h", "1h30m", "30S",
		"30sec", "30w", "3651d", "315360000001ms", "87601h", "30msx", "0x10s",
		"99999999999999999999999999s", "9223372036854775807d", "\xd9\xa1s",
	};
	char out[24];
	int64_t ms = -7;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (text_parse_duration(bad[i], &ms))
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(ms, -7);
	}
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_true(text_parse_duration(cases[i].text, &ms));
		assert_true(ms == cases[i].ms);
		assert_string_equal(text_format_duration(ms, out), cases[i].back);
	}
	assert_string_equal(text_format_duration(-1500, out), "-1500ms");
	text_format_duration(INT64_MAX, out);
	text_format_duration(INT64_MIN, out);
}

static void reads_numbers(void **state)
{
	static const char *const bad[] = {
		"", "-1", "+1", " 1", "1 ", "1x", "0x1", "65536", "4", "1e3",
		"99999999999999999999", "9223372036854775808",
	};
	long number = -7;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		if (text_parse_number(bad[i], 5, 65535, &number))
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(number, -7);
	}
	assert_true(text_parse_number("5", 5, 65535, &number));
	assert_int_equal(number, 5);
	assert_true(text_parse_number("065535", 5, 65535, &number));
	assert_int_equal(number, 65535);
	assert_true(text_parse_number("0", -5, 5, &number));
	assert_int_equal(number, 0);
	assert_false(text_parse_number("0", -5, -1, &number));
	assert_true(text_parse_number("2147483647", 0, LONG_MAX, &number));
	assert_false(text_parse_number("9223372036854775808", 0, LONG_MAX, &number));
}

static void finds_the_nearest(void **state)
{
	static const char *const keys[] = {
		"hostnames", "token", "username", "password", "interface", "ipv4", "ipv6",
		"name", "tag", "min_interval", NULL,
	};
	static const struct {
		const char *word, *nearest;
	} cases[] = {
		{ "hostname", "hostnames" }, { "hosntames", "hostnames" },
		{ "Token", "token" }, { "tokne", "token" }, { "toke", "token" },
		{ "iface", NULL }, { "interfaces", "interface" }, { "ipv5", "ipv4" },
		{ "usrname", "username" }, { "nmae", "name" }, { "tagg", "tag" },
		{ "mininterval", "min_interval" }, { "x", NULL }, { "", NULL },
		{ "completely_different", NULL }, { "IPV6", "ipv6" },
	};
	static const char *const none[] = { NULL };
	char long_word[100];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *nearest = text_nearest(cases[i].word, keys);

		if (cases[i].nearest)
			assert_string_equal(nearest, cases[i].nearest);
		else if (nearest)
			fail_msg("%s is not near %s", cases[i].word, nearest);
	}
	assert_null(text_nearest("token", none));
	memset(long_word, 'a', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	assert_null(text_nearest(long_word, keys));
	assert_null(text_nearest("a", (const char *const[]){ long_word, NULL }));
	long_word[64] = '\0';
	assert_ptr_equal(text_nearest(long_word, (const char *const[]){ long_word, NULL }),
			 long_word);
}

static void knows_host_names(void **state)
{
	static const char *const good[] = {
		"a.b", "home.example.org", "me.duckdns.org", "_acme-challenge.example.org",
		"*.example.org", "xn--bcher-kva.example", "1.example", "1.2.3.4.example",
		"A-1.EXAMPLE", "a.1b", "a.b-c",
		"123456789012345678901234567890123456789012345678901234567890123.org",
	};
	static const char *const bad[] = {
		"", ".", "..", "localhost", "a.", "a.b.", ".a.b", "a..b", "a b.c", "a.b\n",
		"*", "*.", "*.*.org", "a.*.org", "*a.org", "-a.org", "a-.org", "a.-org",
		"1.2.3.4", "*.1.2", "a.1", "::1", "a.b/c", "a.b:80", "b\xc3\xbc" "cher.de",
		"a.b%00", "http://a.b", "a.b?c", "a@b.c",
		"1234567890123456789012345678901234567890123456789012345678901234.org",
	};
	char longest[256];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!text_is_hostname(good[i]))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		if (text_is_hostname(bad[i]))
			fail_msg("accepted: %s", bad[i]);
	for (size_t i = 0; i < sizeof(longest); i++)
		longest[i] = i % 2 ? '.' : 'a';
	longest[253] = '\0';
	assert_true(text_is_hostname(longest));
	longest[253] = 'a';
	longest[254] = '\0';
	assert_false(text_is_hostname(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows),
		cmocka_unit_test(remembers_a_failure),
		cmocka_unit_test(copies_what_fits),
		cmocka_unit_test(escapes),
		cmocka_unit_test(cuts_cleanly),
		cmocka_unit_test(escapes_any_bytes),
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(finds_the_nearest),
		cmocka_unit_test(knows_host_names),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
