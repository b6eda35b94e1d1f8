/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hairpin/json.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* From memory that ends where the text ends, so that a byte read beyond it is caught. */
static struct json *parse_exact(const char *text, size_t length, bool relaxed,
				struct json_error *ret_error)
{
	char *copy = malloc(length > 0 ? length : 1);
	struct json *root;

	assert_non_null(copy);
	memcpy(copy, text, length);
	root = json_parse(copy, length, relaxed ? JSON_RELAXED : JSON_STRICT, ret_error);
	free(copy);
	return root;
}

static struct json *parse(const char *text, bool relaxed)
{
	struct json_error error;
	struct json *root = parse_exact(text, strlen(text), relaxed, &error);

	if (!root)
		fail_msg("refused: %s: %u:%u %s", text, error.place.line,
			 error.place.column, error.text);
	return root;
}

static void assert_prints(struct json *take, const char *expected)
{
	char *text = json_print(take, false);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
	json_free(take);
}

static void accepts(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "null", "null" }, { " true\r\n\t", "true" }, { "false", "false" },
		{ "0", "0" }, { "-0", "-0" }, { "-12.5e+1", "-125" }, { "1E2", "100" },
		{ "\"\"", "\"\"" }, { "[]", "[]" }, { "{}", "{}" }, { " [ ] ", "[]" },
		{ "[1,[2,{\"a\":[]}]]", "[1,[2,{\"a\":[]}]]" },
		{ "{\"A\":1,\"a\":2}", "{\"A\":1,\"a\":2}" }, { "{\"\":1}", "{\"\":1}" },
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
		  "\"\\\"\\\\/\\b\\f\\n\\r\\t\xc3\xa9\"" },
		{ "\"\\ud83d\\uDE00\"", "\"\xf0\x9f\x98\x80\"" },
		{ "\"\xf4\x8f\xbf\xbf\x7f\"", "\"\xf4\x8f\xbf\xbf\x7f\"" },
		{ "\"// no /* comment */ # ,]\"", "\"// no /* comment */ # ,]\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text;
		struct json *root = parse(cases[i].in, false);

		text = json_print(root, false);
		/* A cJSON may write -0 as 0. */
		if (strcmp(cases[i].in, "-0") != 0)
			assert_string_equal(text, cases[i].out);
		free(text);
		json_free(root);
		json_free(parse(cases[i].in, true));
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
	} cases[] = {
		{ "", 1, 1 }, { " \n ", 2, 2 }, { "nul", 1, 1 }, { "True", 1, 1 },
		{ "nullx", 1, 5 }, { "NaN", 1, 1 }, { "-Infinity", 1, 2 }, { "1 2", 1, 3 },
		{ "{} x", 1, 4 }, { "{}{}", 1, 3 }, { "[1,]", 1, 4 }, { "[,1]", 1, 2 },
		{ "[1 2]", 1, 4 }, { "[1", 1, 1 }, { "[", 1, 2 }, { "]", 1, 1 },
		{ "{\"a\"}", 1, 5 }, { "{\"a\":}", 1, 6 }, { "{\"a\":1,}", 1, 8 },
		{ "{a:1}", 1, 2 }, { "{'a':1}", 1, 2 }, { "{1:1}", 1, 2 }, { "[1}", 1, 3 },
		{ "{\"a\":1", 1, 1 }, { "{\n \"a\": 1\n \"b\": 2}", 3, 2 },
		/* numbers */
		{ "01", 1, 2 }, { "-", 1, 2 }, { "+1", 1, 1 }, { ".5", 1, 1 }, { "1.", 1, 3 },
		{ "1e", 1, 3 }, { "1e+", 1, 4 }, { "0x10", 1, 2 }, { "1_000", 1, 2 },
		{ "[1e999]", 1, 2 }, { "[-1e999]", 1, 2 },
		{ "1000000000000000000000000000000000000000000000000000000000000000", 1, 1 },
		/* strings */
		{ "\"abc", 1, 1 }, { "[\"abc]", 1, 2 }, { "\"a\nb\"", 1, 3 },
		{ "\"a\tb\"", 1, 3 }, { "\"\x01\"", 1, 2 }, { "\"\\x41\"", 1, 3 },
		{ "\"\\", 1, 3 }, { "\"\\u12\"", 1, 6 }, { "\"\\u 123\"", 1, 4 },
		{ "\"\\u+123\"", 1, 4 }, { "\"a\\u0000b\"", 1, 3 },
		{ "{\"\\u0000\":1}", 1, 3 },
		{ "\"\\ud800\"", 1, 2 }, { "\"\\udc00\"", 1, 2 }, { "\"\\udc00\\ud800\"", 1, 2 },
		{ "\"\\ud800x\"", 1, 2 }, { "\"\\ud800\\n\"", 1, 2 },
		{ "\"\\ud800\\ud800\"", 1, 2 }, { "\"\\ud800\\u0041\"", 1, 2 },
		/* bytes that are no UTF-8, in strings and outside */
		{ "\"a\xff\"", 1, 3 }, { "\"\xc3\"", 1, 2 }, { "\"\xc0\x80\"", 1, 2 },
		{ "\"\xed\xa0\x80\"", 1, 2 }, { "\"\xf4\x90\x80\x80\"", 1, 2 },
		{ "\xef\xbb\xbf{}", 1, 1 }, { "\x0c{}", 1, 1 }, { "\xc2\xa0{}", 1, 1 },
		/* what only relaxed reading takes */
		{ "// x\n{}", 1, 1 }, { "{} # x", 1, 4 }, { "[/**/]", 1, 2 },
		/* keys twice */
		{ "{\"a\":1,\"a\":2}", 1, 8 }, { "{\"a\":1,\"\\u0061\":2}", 1, 8 },
		{ "[{\"x\":{\"b\":1,\n\"a\":1, \"b\":1}}]", 2, 8 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct json_error error = { .text = "" };
		struct json *root = parse_exact(cases[i].text, strlen(cases[i].text),
						false, &error);

		if (root)
			fail_msg("accepted: %s", cases[i].text);
		if (error.place.line != cases[i].line || error.place.column != cases[i].column)
			fail_msg("%s: %u:%u %s", cases[i].text, error.place.line,
				 error.place.column, error.text);
		assert_true(strlen(error.text) > 10);
	}
}

static void refuses_nul_bytes(void **state)
{
	static const char *const texts[] = { "{}\0", "\0{}", "[\"a\0b\"]", "[1\0]", "{\"\0\":1}" };
	static const size_t lengths[] = { 3, 3, 7, 4, 7 };
	struct json_error error;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		assert_null(parse_exact(texts[i], lengths[i], false, &error));
		assert_null(parse_exact(texts[i], lengths[i], true, &error));
	}
	/* What lies beyond the length is not the document's. */
	json_free(json_parse("[1]\0x", 3, JSON_STRICT, &error));
	assert_null(json_parse("[1]", 2, JSON_STRICT, &error));
}

static char *repeat(const char *open, size_t count, const char *close)
{
	size_t open_length = strlen(open), close_length = strlen(close);
	char *text = malloc(count * (open_length + close_length) + 1), *at = text;

	assert_non_null(text);
	for (size_t i = 0; i < count; i++, at += open_length)
		memcpy(at, open, open_length);
	for (size_t i = 0; i < count; i++, at += close_length)
		memcpy(at, close, close_length);
	*at = '\0';
	return text;
}

static void limits_depth(void **state)
{
	static const struct {
		size_t count;
		bool fine;
		const char *open, *close;
	} cases[] = {
		{ 32, true, "[", "]" }, { 33, false, "[", "]" }, { 100000, false, "[", "]" },
		{ 31, true, "{\"a\":", "" }, { 33, false, "{\"a\":", "}" },
		{ 100000, false, "[", "" }, { 100000, false, "{\"a\":", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct json_error error = { .text = "" };
		char *text = repeat(cases[i].open, cases[i].count, cases[i].close);
		enum json_form form = i % 2 ? JSON_RELAXED : JSON_STRICT;
		struct json *root = json_parse(text, strlen(text), form, &error);

		if (cases[i].close[0] && cases[i].fine)
			assert_non_null(root);
		else
			assert_null(root);
		if (cases[i].count > 32)
			assert_non_null(strstr(error.text, "too many brackets"));
		json_free(root);
		free(text);
	}
}

static void limits_size(void **state)
{
	struct json_error error = { .text = "" };
	char *text = malloc(JSON_MAX_BYTES + 1);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', JSON_MAX_BYTES + 1);
	text[0] = '7';
	json_free(json_parse(text, JSON_MAX_BYTES, JSON_RELAXED, &error));
	assert_string_equal(error.text, "");
	assert_null(json_parse(text, JSON_MAX_BYTES + 1, JSON_RELAXED, &error));
	assert_non_null(strstr(error.text, "1 MiB"));
	free(text);
}

/* As many keys as fit, all different but two: refused, and at once. */
static void finds_a_duplicate_among_many(void **state)
{
	struct json_error error = { .text = "" };
	char *text = malloc(JSON_MAX_BYTES);
	size_t length = 1;

	(void)state;
	assert_non_null(text);
	text[0] = '{';
	for (unsigned i = 0; length < JSON_MAX_BYTES - 64; i++)
		length += (size_t)sprintf(text + length, "\"%x\":1,", i);
	length += (size_t)sprintf(text + length, "\"\x1f\"") - 3;
	length += (size_t)sprintf(text + length, "\n \"5a5a\":1}");
	assert_null(json_parse(text, length, JSON_STRICT, &error));
	assert_int_equal(error.place.line, 2);
	assert_int_equal(error.place.column, 2);
	assert_string_equal(error.text, "the key \"5a5a\" stands here twice");
	free(text);
}

static void escapes_in_errors(void **state)
{
	struct json_error error;
	const char *text = "{\"\\u001b[2J\":1,\"\\u001b[2J\":1}";

	(void)state;
	assert_null(json_parse(text, strlen(text), JSON_STRICT, &error));
	assert_string_equal(error.text, "the key \"\\x1b[2J\" stands here twice");
}

static void relaxes(void **state)
{
	static const struct {
		const char *in, *out;
	} good[] = {
		{ "// x\n{} // y", "{}" }, { "/* a\n * b */{}/**/", "{}" }, { "# x\n{} #", "{}" },
		{ "[1,]", "[1]" }, { "[1 , // x\n]", "[1]" }, { "{\"a\":1,/* , */}", "{\"a\":1}" },
		{ "[[1,],]", "[[1]]" }, { "{\"a\":{},}", "{\"a\":{}}" },
		{ "[\"a,\",]", "[\"a,\"]" },
		{ "\xef\xbb\xbf{}", "{}" }, { "[\"http://x/*y*/#z\"]", "[\"http://x/*y*/#z\"]" },
		{ "[\"\\\"//\",]", "[\"\\\"//\"]" }, { "[1//]\n]", "[1]" },
		{ "[1/*\"*/,2]", "[1,2]" },
	};
	static const struct {
		const char *in;
		unsigned line, column;
	} bad[] = {
		{ "[,]", 1, 2 }, { "{,}", 1, 2 }, { "[1,,]", 1, 4 }, { "[1,,2]", 1, 4 },
		{ "{\"a\":,}", 1, 6 }, { "1,", 1, 2 }, { ",", 1, 1 }, { "[1], ", 1, 4 },
		{ "/* x", 1, 1 }, { "[1,\n /*/ ]", 2, 2 }, { "[1 / 2]", 1, 4 }, { "// x", 1, 5 },
		{ "/", 1, 1 }, { "{} \"", 1, 4 }, { "[\"a // ]", 1, 2 },
		{ "/* \n\n */ {\"a\": 1, // x\n \"a\": 1,}", 4, 2 },
		{ "[1, # ]\n}", 2, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_prints(parse(good[i].in, true), good[i].out);
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct json_error error;

		if (parse_exact(bad[i].in, strlen(bad[i].in), true, &error))
			fail_msg("accepted: %s", bad[i].in);
		if (error.place.line != bad[i].line || error.place.column != bad[i].column)
			fail_msg("%s: %u:%u %s", bad[i].in, error.place.line,
				 error.place.column, error.text);
	}
}

static void assert_place(const char *text, const struct json *root,
			 const struct json *value, unsigned line, unsigned column)
{
	struct json_place place = { 0, 0 };

	assert_non_null(value);
	assert_true(json_locate(text, strlen(text), root, value, &place));
	assert_int_equal(place.line, line);
	assert_int_equal(place.column, column);
}

static void locates(void **state)
{
	static const char text[] =
		"// a file\n"
		"{\n"
		"\t\"a, {[\": [ 1, {\"x\": null}, // [\n"
		"\t\t[],\n"
		"\t\t[\"\\\"]\", 5,],\n"
		"\t],\n"
		"\t/* \"b\": */ \"b\" : {\"c\":{}, \"d\":\n"
		"\t\t-1.5},\n"
		"}\n";
	struct json *root = parse(text, true), *other = parse("[1]", false);
	const struct json *array = json_get(root, "a, {["), *b = json_get(root, "b");
	const struct json *second = json_next(json_child(array));
	const struct json *fourth = json_next(json_next(second));
	struct json_place place = { 7, 7 };

	(void)state;
	assert_place(text, root, root, 2, 1);
	assert_place(text, root, array, 3, 2);
	assert_place(text, root, json_child(array), 3, 13);
	assert_place(text, root, second, 3, 16);
	assert_place(text, root, json_child(second), 3, 17);
	assert_place(text, root, json_next(second), 4, 3);
	assert_place(text, root, fourth, 5, 3);
	assert_place(text, root, json_next(json_child(fourth)), 5, 11);
	assert_place(text, root, b, 7, 13);
	assert_place(text, root, json_get(b, "c"), 7, 20);
	assert_place(text, root, json_get(b, "d"), 7, 28);
	assert_false(json_locate(text, strlen(text), root, other, &place));
	assert_false(json_locate(text, strlen(text), root, NULL, &place));
	/* Another text than it was parsed from: no place, but no harm. */
	assert_false(json_locate("[1", 2, root, fourth, &place));
	assert_false(json_locate("", 0, root, b, &place));
	assert_int_equal(place.line, 7);
	json_free(other);
	json_free(root);
}

static void reads(void **state)
{
	struct json *root = parse("{\"s\":\"x\",\"n\":5,\"t\":true,\"f\":false,\"z\":null,"
				  "\"a\":[1,2],\"o\":{},\"S\":\"big\"}", false);
	static const struct {
		const char *key;
		enum json_kind kind;
		const char *name;
	} kinds[] = {
		{ "s", JSON_STRING, "a string" }, { "n", JSON_NUMBER, "a number" },
		{ "t", JSON_BOOL, "true or false" }, { "f", JSON_BOOL, "true or false" },
		{ "z", JSON_NULL, "null" }, { "a", JSON_ARRAY, "an array" },
		{ "o", JSON_OBJECT, "an object" }, { "absent", JSON_NULL, "null" },
	};
	bool truth = false;
	int64_t number;

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		enum json_kind kind = json_kind(json_get(root, kinds[i].key));

		assert_int_equal(kind, kinds[i].kind);
		assert_string_equal(json_kind_name(kind), kinds[i].name);
	}
	assert_string_equal(json_string(json_get(root, "s")), "x");
	assert_string_equal(json_string(json_get(root, "S")), "big");
	assert_null(json_string(json_get(root, "n")));
	assert_null(json_string(NULL));
	assert_true(json_bool(json_get(root, "t"), &truth) && truth);
	assert_true(json_bool(json_get(root, "f"), &truth) && !truth);
	assert_false(json_bool(json_get(root, "n"), &truth));
	assert_false(json_bool(NULL, &truth));
	assert_false(json_integer(NULL, 0, 9, &number));
	assert_false(json_integer(json_get(root, "t"), 0, 9, &number));
	assert_int_equal(json_count(root), 8);
	assert_int_equal(json_count(json_get(root, "a")), 2);
	assert_int_equal(json_count(NULL), 0);
	assert_string_equal(json_key(json_child(root)), "s");
	assert_null(json_key(json_child(json_get(root, "a"))));
	assert_null(json_key(root));
	assert_null(json_get(json_get(root, "a"), "s"));
	assert_null(json_get(NULL, "s"));
	assert_null(json_child(NULL));
	assert_null(json_next(NULL));
	assert_null(json_next(root));
	json_wipe_free(root);
	json_wipe_free(NULL);
	json_free(NULL);
}

static void reads_integers(void **state)
{
	static const struct {
		const char *text;
		bool fine;
		int64_t value;
	} cases[] = {
		{ "0", true, 0 }, { "-5", true, -5 }, { "5.0", true, 5 }, { "1e3", true, 1000 },
		{ "9007199254740991", true, INT64_C(9007199254740991) },
		{ "-9007199254740991", true, INT64_C(-9007199254740991) },
		{ "9007199254740992", false, 0 }, { "9007199254740993", false, 0 },
		{ "1.5", false, 0 }, { "1e300", false, 0 }, { "-1e300", false, 0 },
		{ "\"5\"", false, 0 }, { "true", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct json *root = parse(cases[i].text, false);
		int64_t number = -77;

		assert_int_equal(json_integer(root, INT64_MIN, INT64_MAX, &number),
				 cases[i].fine);
		assert_true(number == (cases[i].fine ? cases[i].value : -77));
		assert_false(json_integer(root, 2000, 3000, &number));
		json_free(root);
	}
}

static void makes(void **state)
{
	struct json *root = json_new_object(), *list, *original;
	char *text;

	(void)state;
	json_add_string(root, "s", "a\"b\n\x1b");
	json_add_string(root, "none", NULL);
	json_add_string(root, "bad", "a\xff\xc3");
	json_add_integer(root, "n", -5);
	json_add_integer(root, "big", INT64_C(9007199254740991));
	json_add_integer(root, "us", INT64_C(1767225600123456));
	json_add_integer(root, "max", INT64_MAX);
	json_add_integer(root, "min", INT64_MIN);
	json_add_integer(root, "ms", INT64_C(1767225600123));
	json_add_bool(root, "t", true);
	json_add_null(root, "z");
	list = json_add(root, "list", json_new_array());
	json_add_integer(list, NULL, 1);
	json_add(list, NULL, json_new_string("x"));
	json_remove(root, "t");
	json_remove(root, "T");
	original = parse("{\"k\":{\"deep\":[1]}}", false);
	json_add(list, NULL, json_copy(json_get(original, "k")));
	assert_null(json_key(json_next(json_next(json_child(list)))));
	json_free(original);
	text = json_print(list, true);
	assert_non_null(strstr(text, "\n"));
	free(text);
	assert_prints(root, "{\"s\":\"a\\\"b\\n\\u001b\",\"none\":null,"
		      "\"bad\":\"a\xef\xbf\xbd\xef\xbf\xbd\",\"n\":-5,"
		      "\"big\":9007199254740991,\"us\":1767225600123456,"
		      "\"max\":9223372036854775807,\"min\":-9223372036854775808,"
		      "\"ms\":1767225600123,\"z\":null,"
		      "\"list\":[1,\"x\",{\"deep\":[1]}]}");
}

/* What could not be added is remembered, however deep, and also by a copy. */
static void remembers_what_failed(void **state)
{
	struct json *root = json_new_object(), *list, *copy;

	(void)state;
	list = json_add(root, "list", json_new_array());
	assert_null(json_add(json_add(list, NULL, json_new_object()), "x", NULL));
	json_add_integer(root, "n", 1);
	assert_null(json_print(root, false));
	assert_null(json_print(root, true));
	copy = json_copy(root);
	assert_null(json_print(copy, false));
	json_free(copy);
	json_free(root);
	assert_null(json_print(NULL, false));
	assert_null(json_add(NULL, "x", json_new_array()));
	json_add_integer(NULL, "x", 1);
	json_add_string(NULL, "x", "y");
	json_remove(NULL, "x");
	assert_null(json_copy(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts),
		cmocka_unit_test(refuses),
		cmocka_unit_test(refuses_nul_bytes),
		cmocka_unit_test(limits_depth),
		cmocka_unit_test(limits_size),
		cmocka_unit_test(finds_a_duplicate_among_many),
		cmocka_unit_test(escapes_in_errors),
		cmocka_unit_test(relaxes),
		cmocka_unit_test(locates),
		cmocka_unit_test(reads),
		cmocka_unit_test(reads_integers),
		cmocka_unit_test(makes),
		cmocka_unit_test(remembers_what_failed),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
