/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "provider/path.h"
#include "provider/view.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct catalogue catalogue = {
	.setting_count = 5,
	.settings = { { .name = "domain" }, { .name = "trap" }, { .name = "empty" },
		      { .name = "missing", .required = true }, { .name = "spelt" } },
};

static const struct provider_value settings[] = {
	{ "domain", "example.org" }, { "trap", "a],[0].b=*" }, { "empty", "" },
	{ "spelt", "HOME.Example.org." },
};

static void fill_begin(struct fill *fill, struct fill_name *name)
{
	*name = (struct fill_name){ .hostname = "www.home.example.org" };
	assert_true(addr_parse("81.2.69.7", &name->ipv4));
	fill_init(fill, &catalogue, settings, COUNT(settings));
	fill_set_names(fill, name, 1);
}

static struct provider_answer answer_of(const char *body, size_t length,
					const char *headers)
{
	return (struct provider_answer){ .http_status = 200, .body = body,
					 .length = length, .https = true,
					 .retry_after = "", .headers = headers };
}

/* What stands there; NULL: nothing. Lives until the next call. */
static const char *look(const struct provider_answer *answer, enum catalogue_where where,
			const char *path)
{
	struct catalogue_spot spot = { where, (char *)path };
	static char found[4096];
	struct fill_name name;
	struct view view;
	struct fill fill;
	char *text;
	bool has, there;

	fill_begin(&fill, &name);
	view_init(&view, answer);
	there = view_find(&view, &spot, &fill, &text);
	has = view_has(&view, &spot, &fill);
	view_done(&view);
	fill_done(&fill);
	assert_true(has || !there);
	if (!there)
		return NULL;
	assert_true(strlen(text) < sizeof(found));
	strcpy(found, text);
	free(text);
	return found;
}

/* From memory that ends where the body ends. */
static const char *look_bytes(const char *body, size_t length, enum catalogue_where where,
			      const char *path)
{
	char *copy = malloc(length > 0 ? length : 1);
	struct provider_answer answer = answer_of(copy, length, "");
	const char *found;

	assert_non_null(copy);
	memcpy(copy, body, length);
	found = look(&answer, where, path);
	free(copy);
	return found;
}

static void check(const char *body, enum catalogue_where where, const char *path,
		  const char *wanted)
{
	const char *found = look_bytes(body, strlen(body), where, path);

	if (!found != !wanted || (found && strcmp(found, wanted) != 0))
		fail_msg("%s at %s: %s, not %s", body, path, found ? found : "nothing",
			 wanted ? wanted : "nothing");
}

struct look {
	const char *body, *path, *wanted;	/* NULL: nothing */
};

#define RECORDS "{\"result\": [" \
	"{\"id\": 1, \"type\": \"A\", \"name\": \"example.org\"}," \
	"{\"id\": 2, \"type\": \"AAAA\", \"name\": \"home.example.org\", \"x\": {\"y\": 7}}," \
	"{\"id\": 3, \"type\": \"A\", \"name\": \"HOME.example.ORG.\", \"x\": {\"y\": 8}}," \
	"{\"id\": 4, \"type\": \"A\", \"name\": null, \"on\": true}," \
	"{\"id\": 5, \"type\": \"A\", \"name\": [\"x\"]}]}"

static void members_and_elements(void **state)
{
	static const struct look looks[] = {
		{ "\"text\"", "", "text" },
		{ "17", "", "17" },
		{ "{}", "", NULL },
		{ "null", "", NULL },
		{ "{\"a\": {\"b\": \"x\"}}", "a.b", "x" },
		{ "{\"a\": {\"b\": \"\"}}", "a.b", "" },
		{ "{\"a\": {\"b\": \"x\"}}", "a", NULL },
		{ "{\"a\": {\"b\": \"x\"}}", "a.B", NULL },
		{ "{\"a\": {\"b\": \"x\"}}", "a.b.c", NULL },
		{ "{\"a\": null}", "a", NULL },
		{ "{\"a\": true, \"b\": false}", "a", "true" },
		{ "{\"a\": true, \"b\": false}", "b", "false" },
		{ "[\"x\", [\"y\", \"z\"]]", "[1][1]", "z" },
		{ "[\"x\", [\"y\", \"z\"]]", "[2]", NULL },
		{ "[\"x\"]", "[99999999999999999999]", NULL },
		{ "[{\"records\": [{\"id\": \"r\"}]}]", "[0].records[0].id", "r" },
		{ "{\"Sites\": [{\"Id\": \"s\"}]}", "Sites[0].Id", "s" },
		{ "{\"a\": {\"b\": 1}}", "a[0]", NULL },
		{ "{\"www.home.example.org\": {\"id\": 3}}", "{hostname}.id", "3" },
		{ "{\"a b-c:d\": 1}", "a b-c:d", "1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(looks); i++)
		check(looks[i].body, CATALOGUE_JSON, looks[i].path, looks[i].wanted);
}

static void matches(void **state)
{
	static const struct look looks[] = {
		{ RECORDS, "result[type={rrtype},name=home.{domain}].id", "3" },
		{ RECORDS, "result[name={spelt}].id", "2" },
		{ RECORDS, "result[type=aaaa].id", "2" },
		{ RECORDS, "result[x.y=8].id", "3" },
		{ RECORDS, "result[x.y.z=8].id", NULL },
		{ RECORDS, "result[on=true].id", "4" },
		{ RECORDS, "result[name={empty}].id", "4" },	/* null is empty */
		{ RECORDS, "result[other={empty}].id", "1" },	/* and so is nothing */
		{ "[7, \"x\", null, {\"id\": 1}]", "[other={empty}].id", "1" },
		{ "[\"x\", [\"y\"]]", "[other={empty}][0]", NULL },
		{ RECORDS, "result[name=x].id", NULL },
		{ RECORDS, "result[type=MX].id", NULL },
		{ RECORDS, "result[name~{hostname}].id", "2" },
		{ RECORDS, "result[type={rrtype},name~{hostname}].id", "3" },
		{ RECORDS, "result[name~example.org].id", "1" },
		{ RECORDS, "result[name~xhome.example.org].id", "1" },
		{ RECORDS, "result[name~org].id", NULL },
		{ RECORDS, "result[name~{empty}].id", NULL },
		{ RECORDS, "result[4].name[0]", "x" },
		{ "[\"org\", \"example.org\", \".\", \"\"]", "[~{hostname}]", "example.org" },
		{ "{\"7\": {\"id\": 7, \"host\": \"www\"}, \"8\": {\"id\": 8, \"host\": \"@\"}}",
		  "[host=@].id", "8" },
		{ "{\"7\": {\"id\": 7, \"host\": \"www\"}, \"8\": {\"id\": 8, \"host\": \"@\"}}",
		  "*[host=@].id", "8" },
		{ "{\"n\": 2, \"a\": [{\"host\": \"x\", \"id\": 1}], \"b\": [{\"host\": \"y\", "
		  "\"id\": 2}]}", "*[host=y].id", "2" },
		{ "{\"a\": {\"id\": null}, \"b\": {\"id\": 2}}", "*.id", "2" },
		{ "{\"a\": {\"c\": {\"id\": 1}}}", "*.id", NULL },
		{ "{\"a\": {\"c\": {\"id\": 1}}}", "*.*.id", "1" },
		{ "[1, 2]", "*", "1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(looks); i++)
		check(looks[i].body, CATALOGUE_JSON, looks[i].path, looks[i].wanted);
}

/* What a value holds is never a part of the path. */
static void values_are_no_syntax(void **state)
{
	static const char body[] = "[{\"b\": 1, \"id\": 1}, {\"b\": \"a],[0].b=*\", \"id\": 2}, "
				   "{\"a],[0].b=*\": {\"c\": 3}}]";

	(void)state;
	check(body, CATALOGUE_JSON, "[b={trap}].id", "2");
	check(body, CATALOGUE_JSON, "[2].{trap}.c", "3");
	check(body, CATALOGUE_JSON, "[b={missing}].id", NULL);
	check(body, CATALOGUE_JSON, "[b={unknown}].id", NULL);
}

static void paths_that_are_none(void **state)
{
	static const char *const paths[] = {
		".", "a.", ".a", "a..b", "a[", "a[]", "a[0", "a]", "a[0]b", "a[0].", "a[b]",
		"a[b=1,]", "a[,b=1]", "a[b=1,c]", "[-1]", "[ 0]", "a[0]]",
		"a[b=1,c=1,d=1,e=1,f=1]",
		"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a",
		"[aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=1]",
	};
	struct fill_name name;
	struct fill fill;
	struct path path;

	(void)state;
	fill_begin(&fill, &name);
	for (size_t i = 0; i < COUNT(paths); i++)
		if (path_parse(paths[i], &fill, &path))
			fail_msg("%s is taken for a path", paths[i]);
	assert_true(path_parse("a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a", &fill, &path));
	path_done(&path);
	fill_done(&fill);
}

/* A double would turn 123456789012345678 into ...680. */
static void numbers_keep_their_digits(void **state)
{
	static const struct look looks[] = {
		{ "{\"a\": \"7, -1\", \"b\": 123456789012345678}", "b",
		  "123456789012345678" },
		{ "[9007199254740993]", "[0]", "9007199254740993" },
		{ "[999999999999999]", "[0]", "999999999999999" },
		{ "[-999999999999999]", "[0]", "-999999999999999" },
		{ "[-1234567890123456]", "[0]", "-1234567890123456" },
		{ "[1.50]", "[0]", "1.50" },
		{ "[1e3, 2]", "[0]", "1e3" },
		{ "[1e3, 2]", "[1]", "2" },
		{ "[-0]", "[0]", "-0" },
		{ "[0]", "[0]", "0" },
		{ "{\"7\": [1.0, {\"8\": \"\\\"9\"}, 10000000000000001], \"x\": 1.1}",
		  "7[2]", "10000000000000001" },
		{ "{\"7\": [1.0, {\"8\": \"\\\"9\"}, 10000000000000001], \"x\": 1.1}", "x",
		  "1.1" },
		{ "[{\"id\": 123456789012345678, \"n\": 1}, "
		  "{\"id\": 123456789012345679, \"n\": 2}]", "[id=123456789012345679].n",
		  "2" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(looks); i++)
		check(looks[i].body, CATALOGUE_JSON, looks[i].path, looks[i].wanted);
}

static void what_is_no_json(void **state)
{
	static const char *const bodies[] = {
		"", " ", "<html>", "{\"a\": 1", "{\"a\": 1} x", "{\"a\": 1, \"a\": 1}",
		"{\"a\": 1, \"b\": {\"c\": 1, \"c\": 1}}", "{'a': 1}", "{\"a\": 1,}",
		"// x\n{\"a\": 1}", "{\"a\": 1, \"b\": \"\xe9\"}", "{\"a\": 1e999}",
		"{\"a\": 1, \"b\": \"\\u0000\"}",
	};
	struct provider_answer cut = answer_of("{\"a\": 1}", 8, "");

	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++)
		check(bodies[i], CATALOGUE_JSON, "a", NULL);
	check("\xef\xbb\xbf{\"a\": 1}", CATALOGUE_JSON, "a", "1");
	assert_null(look_bytes("{\"a\": 1}\0", 9, CATALOGUE_JSON, "a"));
	assert_string_equal(look(&cut, CATALOGUE_JSON, "a"), "1");
	cut.cut = true;
	assert_null(look(&cut, CATALOGUE_JSON, "a"));
}

static void counts(void **state)
{
	static const struct {
		const char *path;
		size_t count;
	} cases[] = { { "result", 5 }, { "result[0]", 3 }, { "result[0].id", 0 },
		      { "other", 0 }, { "", 1 } };
	struct provider_answer answer = answer_of(RECORDS, strlen(RECORDS), "");
	struct fill_name name;
	struct view view;
	struct fill fill;

	(void)state;
	fill_begin(&fill, &name);
	view_init(&view, &answer);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct catalogue_spot spot = { CATALOGUE_JSON, (char *)cases[i].path };

		assert_int_equal(view_count(&view, &spot, &fill), cases[i].count);
		assert_int_equal(view_has(&view, &spot, &fill),
				 strcmp(cases[i].path, "other") != 0);
	}
	view_done(&view);
	fill_done(&fill);
}

static void headers(void **state)
{
	static const char lines[] = "X-Token: first\r\nServer: x\r\nx-tOKEN:\t last one \r\n"
				    "Empty:\r\n X-Folded: no\r\nX-Tokens: no\r\n"
				    "X-Last: end";
	struct provider_answer answer = answer_of("", 0, lines);

	(void)state;
	assert_string_equal(look(&answer, CATALOGUE_HEADER, "X-Token"), "last one");
	assert_string_equal(look(&answer, CATALOGUE_HEADER, "server"), "x");
	assert_string_equal(look(&answer, CATALOGUE_HEADER, "Empty"), "");
	assert_string_equal(look(&answer, CATALOGUE_HEADER, "X-Last"), "end");
	assert_null(look(&answer, CATALOGUE_HEADER, "X-Folded"));
	assert_null(look(&answer, CATALOGUE_HEADER, "X-Tok"));
	assert_null(look(&answer, CATALOGUE_HEADER, "{missing}"));
	answer.headers = NULL;
	assert_null(look(&answer, CATALOGUE_HEADER, "Server"));
}

static void expressions(void **state)
{
	static const struct look looks[] = {
		{ "one\ntwo 2\nthree", "^two ([0-9]+)$", "2" },
		{ "one\r\ntwo 2\r\nthree", "^two ([0-9]+)$", "2" },
		{ "one\ntwo", "^t.*", "two" },
		{ "one\ntwo", "one.two", NULL },
		{ "id=7;id=8", "id=([0-9])", "7" },
		{ "abc", "(x)?c", NULL },
		{ "abc", "(b)(c)", "b" },
		{ "www.home.example.org", "^{hostname}$", "www.home.example.org" },
		{ "wwwxhome.example.org", "^{hostname}$", NULL },
		{ "x a],[0].b=* y", "x {trap} y", "x a],[0].b=* y" },
		{ "81x2.69.7", "{ip}", NULL },
		{ "abc", "(", NULL },
		{ "abc", "{missing}", NULL },
		{ "", "^$", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(looks); i++)
		check(looks[i].body, CATALOGUE_REGEX, looks[i].path, looks[i].wanted);
	assert_string_equal(look_bytes("a\0b\0c", 5, CATALOGUE_REGEX, "b.(c)"), "c");
	assert_null(look_bytes("abc", 2, CATALOGUE_REGEX, "c"));
}

/* Behind 64 KiB nothing is looked for, and in one line not behind 16. */
static void long_bodies(void **state)
{
	static char body[100000];

	(void)state;
	memset(body, 'a', sizeof(body));
	memcpy(body + 16384 - 4, "endX", 4);
	assert_string_equal(look_bytes(body, sizeof(body), CATALOGUE_REGEX, "end(.)"), "X");
	memcpy(body + 16384 - 4, "aend", 4);
	assert_null(look_bytes(body, sizeof(body), CATALOGUE_REGEX, "end(.)"));
	memset(body, 'a', sizeof(body));
	for (size_t i = 0; i < sizeof(body); i += 100)
		body[i] = '\n';
	memcpy(body + 65536 - 4, "endX", 4);
	assert_string_equal(look_bytes(body, sizeof(body), CATALOGUE_REGEX, "end(.)"), "X");
	memcpy(body + 65536 - 4, "aend", 4);
	assert_null(look_bytes(body, sizeof(body), CATALOGUE_REGEX, "end(.)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_and_elements),
		cmocka_unit_test(matches),
		cmocka_unit_test(values_are_no_syntax),
		cmocka_unit_test(paths_that_are_none),
		cmocka_unit_test(numbers_keep_their_digits),
		cmocka_unit_test(what_is_no_json),
		cmocka_unit_test(counts),
		cmocka_unit_test(headers),
		cmocka_unit_test(expressions),
		cmocka_unit_test(long_bodies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
