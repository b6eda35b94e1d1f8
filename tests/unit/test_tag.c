/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hairpin/tag.h"

static void finds_anywhere(void **state)
{
	static const struct {
		const char *pattern, *comment;
		int length;
	} cases[] = {
		{ "hairpin", "hairpin", 7 },
		{ "hairpin", "web hairpin 80", 7 },
		{ "hairpin", "!fw4: hairpin (reflection)", 7 },
		{ "hairpin", "Hairpin", -1 },
		{ "hairpin", "hair pin", -1 },
		{ "hairpin", "harpin", -1 },
		{ "hairpin", "", -1 },
		{ "hairpin", "\xff\xfe\x01 hairpin \x80", 7 },
		{ "hairpin(:fibre)?", "hairpin:fibre", 13 },
		{ "^hairpin$", "hairpin", 7 },
		{ "^hairpin$", "hairpin ", -1 },
		{ "wan[0-9]+", "to wan12 now", 5 },
		{ "a|b", "xxb", 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct tag tag;

		assert_int_equal(tag_init(&tag, cases[i].pattern, NULL), 0);
		assert_int_equal(tag_match(&tag, cases[i].comment), cases[i].length);
		tag_done(&tag);
	}
}

/* Patterns that stand for themselves are searched for in another way: the same answers. */
static void literals_are_as_the_library_says(void **state)
{
	static const char *const patterns[] = {
		"a", "ab", "a b", "a-b", "<a>", "a/b", "a,b", "\"a'", "~", "a~b!", "a.b",
		"a|b", "(ab)", "a{1}", "[ab]", "ab+", "ab?b", "a\\.b", "^ab", "ab$", "{", "a}",
		"a]", "\xc3\xa9", "a\tb",
	};
	static const char *const comments[] = {
		"", "a", "ab", "xxab", "abab", "a b", "a-b", "<a>", "a/b", "a.b", "a,b", "~",
		"\"a'", "a~b!", "\xff" "ab\xff", "\xc3\xa9", "\xc3", "a}", "a]", "{", "a\tb",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		regex_t expression;
		struct tag tag;

		if (tag_init(&tag, patterns[i], NULL) < 0)
			continue;
		assert_int_equal(regcomp(&expression, patterns[i], REG_EXTENDED), 0);
		for (size_t j = 0; j < sizeof(comments) / sizeof(comments[0]); j++) {
			regmatch_t found;
			int expected = -1;

			if (regexec(&expression, comments[j], 1, &found, 0) == 0)
				expected = (int)(found.rm_eo - found.rm_so);
			assert_int_equal(tag_match(&tag, comments[j]), expected);
		}
		regfree(&expression);
		tag_done(&tag);
	}
}

static void refuses_what_is_no_expression(void **state)
{
	static const char *const bad[] = { "", "(", "[a", "a{2,1}" };
	char longest[TAG_MAX_BYTES + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct tag tag = { 0 };
		struct err err = { "" };

		assert_int_equal(tag_init(&tag, bad[i], &err), -EINVAL);
		assert_null(tag.pattern);
		assert_true(err.text[0] != '\0');
	}
	memset(longest, 'a', sizeof(longest));
	longest[TAG_MAX_BYTES + 1] = '\0';
	struct tag tag = { 0 };
	assert_int_equal(tag_init(&tag, longest, NULL), -EINVAL);
	longest[TAG_MAX_BYTES] = '\0';
	assert_int_equal(tag_init(&tag, longest, NULL), 0);
	tag_done(&tag);
	tag_done(&tag);
}

static void refuses_what_matches_everything(void **state)
{
	static const char *const bad[] = { "x*", "hairpin|", "(hairpin)?", ".*", "^", "$",
					   "^$", "(a|)", "a{0,3}" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct tag tag = { 0 };
		struct err err = { "" };

		assert_int_equal(tag_init(&tag, bad[i], &err), -EINVAL);
		assert_null(tag.pattern);
		assert_non_null(strstr(err.text, "every comment"));
	}
}

/* No match of the empty string, but empty matches in others. */
static void an_empty_match_is_none(void **state)
{
	struct tag tag;

	(void)state;
	if (tag_init(&tag, "\\<", NULL) != 0) {
		print_message("# this C library has no \\<\n");
		skip();
	}
	assert_int_equal(tag_match(&tag, "web"), TAG_NO_MATCH);
	tag_done(&tag);
}

static void the_longest_match_owns_the_comment(void **state)
{
	struct tag first, second, third;
	const struct tag *tags[] = { &first, &second, &third };

	(void)state;
	assert_int_equal(tag_init(&first, "hairpin", NULL), 0);
	assert_int_equal(tag_init(&second, "hairpin:lte", NULL), 0);
	assert_int_equal(tag_init(&third, "hairpin:[a-z]+", NULL), 0);
	assert_int_equal(tag_select(tags, 3, "nothing"), TAG_NO_MATCH);
	assert_int_equal(tag_select(tags, 0, "hairpin"), TAG_NO_MATCH);
	assert_int_equal(tag_select(tags, 3, "hairpin web"), 0);
	assert_int_equal(tag_select(tags, 2, "hairpin:lte web"), 1);
	assert_int_equal(tag_select(tags, 3, "hairpin:lte web"), TAG_AMBIGUOUS);
	assert_int_equal(tag_select(tags, 3, "hairpin:fibre"), 2);
	/* A longer one after two equal ones settles it. */
	const struct tag *turned[] = { &first, &first, &third };
	assert_int_equal(tag_select(turned, 3, "hairpin:fibre"), 2);
	assert_int_equal(tag_select(turned, 3, "hairpin"), TAG_AMBIGUOUS);
	tag_done(&first);
	tag_done(&second);
	tag_done(&third);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_anywhere),
		cmocka_unit_test(literals_are_as_the_library_says),
		cmocka_unit_test(refuses_what_is_no_expression),
		cmocka_unit_test(refuses_what_matches_everything),
		cmocka_unit_test(an_empty_match_is_none),
		cmocka_unit_test(the_longest_match_owns_the_comment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
