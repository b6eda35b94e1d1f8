/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "figure.h"
#include "provider/judge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT(string) ((char *)(string))
#define JSON(path) .spot = { CATALOGUE_JSON, TEXT(path) }

/* What judge_answer() says: a verdict, or one of these. */
enum { NEXT = -1, NO_RECORD = -2 };

static const struct provider_value settings[] = { { "word", "fine" }, { "empty", "" } };

static int judge_answer_of(const struct catalogue *catalogue,
			   const struct catalogue_step *step,
			   const struct provider_answer *answer)
{
	static const struct fill_name name = {
		.hostname = "home.example.org",
		.ipv6 = { AF_INET6, { 0x2a, 0x01, 0x04, 0xf8, [15] = 1 } },
	};
	struct provider_verdict verdict = { 0 };
	enum judge_way way;
	struct view view;
	struct fill fill;

	fill_init(&fill, catalogue, settings, COUNT(settings));
	fill_set_names(&fill, &name, 1);
	view_init(&view, answer);
	way = judge_answer(catalogue, step, &view, &fill, &name, 1, &verdict);
	view_done(&view);
	fill_done(&fill);
	if (way == JUDGE_NEXT)
		return NEXT;
	return way == JUDGE_NO_RECORD ? NO_RECORD : (int)verdict.verdict;
}

/* From memory that ends where the body ends. */
static int judge(const struct catalogue *catalogue, const struct catalogue_step *step,
		 unsigned status, const char *body)
{
	size_t length = strlen(body);
	char *copy = malloc(length > 0 ? length : 1);
	struct provider_answer answer = { .http_status = status, .body = copy,
					  .length = length, .https = true,
					  .retry_after = "",
					  .headers = "X-Result: Done 7\r\n" };
	int verdict;

	assert_non_null(copy);
	memcpy(copy, body, length);
	verdict = judge_answer_of(catalogue, step, &answer);
	free(copy);
	return verdict;
}

#define SETTINGS .setting_count = 3, \
	.settings = { { .name = "word" }, { .name = "empty" }, \
		      { .name = "missing", .required = true } }

/* One rule that means "unchanged", and answers for which it does or does not hold. */
static void conditions(void **state)
{
	static const struct {
		struct catalogue_rule rule;
		const char *holds, *fails;
	} cases[] = {
		{ { .token = TEXT("ok") }, "\r\n ok then", "okay" },
		{ { .token = TEXT("{word}") }, "fine", "{word}" },
		{ { .token = TEXT("{ip}") }, "2A01:4F8:0:0::1 it is", "2a01:4f8::2" },
		{ { .line = TEXT("at {ip}") }, "x\r\nat 2a01:4f8::1 \r\n", "at 2a01:4f8::1." },
		{ { .line = TEXT("{ip}") }, "x\n2a01:4f8:0::1\n", "2a01:4f8::11" },
		{ { .prefix = TEXT("{word} ") }, "fine day", " fine day" },
		{ { .contains = TEXT("{hostname}") }, "is home.example.org.", "example.org" },
		{ { .contains = TEXT("a"), .prefix = TEXT("b"), .token = TEXT("ba") },
		  "ba c", "b ac" },
		{ { .spot = { CATALOGUE_REGEX, TEXT("^{word}$") } }, "a\nfine\nb", "fine b" },
		{ { .spot = { CATALOGUE_HEADER, TEXT("x-result") }, .token = TEXT("x") },
		  "x", "y" },
		{ { .spot = { CATALOGUE_HEADER, TEXT("X-Result") }, .test = CATALOGUE_BEGINS,
		    .test_text = TEXT("Done"), .token = TEXT("x") }, "x", "y" },
		{ { JSON("a") }, "{\"a\": {}}", "{\"a\": null}" },
		{ { JSON("a"), .test = CATALOGUE_ABSENT }, "{\"a\": null}", "{\"a\": []}" },
		{ { JSON("a"), .test = CATALOGUE_IS, .test_text = TEXT("true") },
		  "{\"a\": true}", "{\"a\": false}" },
		{ { JSON("a"), .test = CATALOGUE_IS, .test_text = TEXT("17") },
		  "{\"a\": 17}", "{\"a\": 17.0}" },
		{ { JSON("a"), .test = CATALOGUE_IS, .test_text = TEXT("{ip}") },
		  "{\"a\": \"2a01:04f8::0001\"}", "{\"a\": \"2a01:4f8::1/64\"}" },
		{ { JSON("a"), .test = CATALOGUE_IS, .test_text = TEXT("Done") },
		  "{\"a\": \"Done\"}", "{\"a\": \"done\"}" },
		{ { JSON("a"), .test = CATALOGUE_IS, .test_text = TEXT("{empty}") },
		  "{\"a\": \"\"}", "{\"a\": \"x\"}" },
		{ { JSON("a"), .test = CATALOGUE_IS_NOT, .test_text = TEXT("0") },
		  "{\"a\": 1}", "{\"a\": 0}" },
		{ { JSON("a"), .test = CATALOGUE_IS_NOT, .test_text = TEXT("0") },
		  "{\"a\": \"\"}", "{\"b\": 1}" },
		{ { JSON("a"), .test = CATALOGUE_HOLDS, .test_text = TEXT("lim") },
		  "{\"a\": \"a limit\"}", "{\"a\": \"a Limit\"}" },
		{ { JSON("a"), .test = CATALOGUE_BEGINS, .test_text = TEXT("lim") },
		  "{\"a\": \"limit\"}", "{\"a\": \"a limit\"}" },
		{ { JSON("") }, "[]", "no JSON" },
	};
	static const struct catalogue_step step = { .does = CATALOGUE_WRITE };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct catalogue catalogue = { SETTINGS, .rule_count = 1 };

		catalogue.rules[0] = cases[i].rule;
		catalogue.rules[0].verdict = CATALOGUE_UNCHANGED;
		if (judge(&catalogue, &step, 200, cases[i].holds) != MESSAGE_UNCHANGED)
			fail_msg("%zu does not hold for %s", i, cases[i].holds);
		if (judge(&catalogue, &step, 200, cases[i].fails) != MESSAGE_TRANSIENT)
			fail_msg("%zu holds for %s", i, cases[i].fails);
	}
}

/* A condition whose value is not known, or empty, holds for nothing. */
static void conditions_of_nothing(void **state)
{
	static const struct catalogue_rule rules[] = {
		{ .contains = TEXT("{missing}") }, { .contains = TEXT("{empty}") },
		{ .prefix = TEXT("{empty}") }, { .token = TEXT("{empty}") },
		{ .line = TEXT("{empty}") }, { .line = TEXT("{missing}") },
		{ JSON("a"), .test = CATALOGUE_HOLDS, .test_text = TEXT("{empty}") },
		{ JSON("a"), .test = CATALOGUE_BEGINS, .test_text = TEXT("{empty}") },
		{ JSON("a"), .test = CATALOGUE_IS_NOT, .test_text = TEXT("{missing}") },
		{ JSON("a[b={missing}]") },
		{ .spot = { CATALOGUE_REGEX, TEXT("{missing}") } },
	};
	static const struct catalogue_step step = { .does = CATALOGUE_WRITE };

	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++) {
		struct catalogue catalogue = { SETTINGS, .rule_count = 1 };

		catalogue.rules[0] = rules[i];
		catalogue.rules[0].verdict = CATALOGUE_GOOD;
		assert_int_equal(judge(&catalogue, &step, 200, "{\"a\": \"x\"}"),
				 MESSAGE_TRANSIENT);
	}
}

static void ranges_of_statuses(void **state)
{
	static const struct catalogue catalogue = { .rule_count = 3, .rules = {
		{ .http = 500, .http_to = 599, .verdict = CATALOGUE_SERVER_ERROR },
		{ .http = 304, .http_to = 304, .verdict = CATALOGUE_UNCHANGED },
		{ .http = 201, .verdict = CATALOGUE_GOOD } } };
	static const struct catalogue_step step = { .does = CATALOGUE_WRITE };

	(void)state;
	for (unsigned status = 500; status <= 599; status++)
		assert_int_equal(judge(&catalogue, &step, status, ""),
				 MESSAGE_SERVER_ERROR);
	assert_int_equal(judge(&catalogue, &step, 304, ""), MESSAGE_UNCHANGED);
	assert_int_equal(judge(&catalogue, &step, 305, ""), MESSAGE_BAD_REQUEST);
	assert_int_equal(judge(&catalogue, &step, 201, ""), MESSAGE_GOOD);
	assert_int_equal(judge(&catalogue, &step, 200, ""), MESSAGE_TRANSIENT);
	assert_int_equal(judge(&catalogue, &step, 202, ""), MESSAGE_TRANSIENT);
}

/* The step's rules first, whatever stands among those of all. */
static void order(void **state)
{
	static const struct catalogue catalogue = { .rule_count = 2, .rules = {
		{ .http = 200, .verdict = CATALOGUE_GOOD },
		{ .http = 404, .verdict = CATALOGUE_BADAUTH } } };
	static struct catalogue_rule rules[] = {
		{ .http = 404, .verdict = CATALOGUE_NOHOST },
		{ .http = 404, .verdict = CATALOGUE_ABUSE },
	};
	static const struct catalogue_step step = { .does = CATALOGUE_WRITE,
						    .rules = rules, .rule_count = 2 };
	static const struct catalogue_step plain = { .does = CATALOGUE_WRITE };

	(void)state;
	assert_int_equal(judge(&catalogue, &step, 404, ""), MESSAGE_NOHOST);
	assert_int_equal(judge(&catalogue, &plain, 404, ""), MESSAGE_BADAUTH);
	assert_int_equal(judge(&catalogue, &step, 200, ""), MESSAGE_GOOD);
}

/* What each kind of step makes of statuses, and of rules that are not for it. */
static void kinds_of_steps(void **state)
{
	static const struct catalogue catalogue = { .rule_count = 5, .rules = {
		{ .http = 410, .verdict = CATALOGUE_NO_RECORD },
		{ .http = 409, .verdict = CATALOGUE_NEXT_STEP },
		{ .token = TEXT("none"), .verdict = CATALOGUE_NO_RECORD },
		{ .token = TEXT("went"), .verdict = CATALOGUE_GOOD },
		{ .token = TEXT("same"), .verdict = CATALOGUE_UNCHANGED } } };
	static struct catalogue_rule own[] = {
		{ .token = TEXT("there"), .verdict = CATALOGUE_UNCHANGED },
	};
	static const struct {
		unsigned status;
		const char *body;
		int write, look, clean;
	} cases[] = {
		{ 200, "", MESSAGE_TRANSIENT, NEXT, NEXT },
		{ 204, "{}", MESSAGE_TRANSIENT, NEXT, NEXT },
		{ 299, "<html>", MESSAGE_TRANSIENT, NEXT, NEXT },
		{ 199, "", MESSAGE_TRANSIENT, MESSAGE_TRANSIENT, MESSAGE_TRANSIENT },
		{ 301, "", MESSAGE_BAD_REQUEST, MESSAGE_BAD_REQUEST, MESSAGE_BAD_REQUEST },
		{ 404, "", MESSAGE_BAD_REQUEST, MESSAGE_BAD_REQUEST, MESSAGE_BAD_REQUEST },
		{ 403, "", MESSAGE_BADAUTH, MESSAGE_BADAUTH, MESSAGE_BADAUTH },
		{ 500, "", MESSAGE_TRANSIENT, MESSAGE_TRANSIENT, MESSAGE_TRANSIENT },
		{ 410, "", MESSAGE_BAD_REQUEST, NO_RECORD, MESSAGE_BAD_REQUEST },
		{ 409, "", MESSAGE_BAD_REQUEST, NEXT, NEXT },
		{ 200, "none", MESSAGE_TRANSIENT, NO_RECORD, NEXT },
		{ 404, "none", MESSAGE_BAD_REQUEST, MESSAGE_BAD_REQUEST,
		  MESSAGE_BAD_REQUEST },
		{ 500, "none", MESSAGE_TRANSIENT, MESSAGE_TRANSIENT, MESSAGE_TRANSIENT },
		{ 200, "went", MESSAGE_GOOD, NEXT, NEXT },
		{ 500, "went", MESSAGE_TRANSIENT, MESSAGE_TRANSIENT, MESSAGE_TRANSIENT },
		{ 200, "same", MESSAGE_UNCHANGED, NEXT, NEXT },
		{ 200, "there", MESSAGE_UNCHANGED, MESSAGE_UNCHANGED, NEXT },
	};
	static const enum catalogue_does does[] = { CATALOGUE_WRITE, CATALOGUE_LOOK,
						    CATALOGUE_CLEAN };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t k = 0; k < 3; k++) {
			struct catalogue_step step = { .does = does[k], .rules = own,
						       .rule_count = 1 };
			int wanted = k == 0 ? cases[i].write :
				     k == 1 ? cases[i].look : cases[i].clean;
			int got = judge(&catalogue, &step, cases[i].status,
					cases[i].body);

			if (got != wanted)
				fail_msg("%u %s, step %zu: %d, not %d", cases[i].status,
					 cases[i].body, k, got, wanted);
		}
}

/* Where dyndns2 is spoken its words are for what writes; a look has none. */
static void words(void **state)
{
	static const struct catalogue catalogue = { .protocol = CATALOGUE_DYNDNS2, SETTINGS,
		.rule_count = 3, .rules = {
		{ .token = TEXT("{word}"), .verdict = CATALOGUE_GOOD },
		{ .token = TEXT("go"), .verdict = CATALOGUE_NEXT_STEP },
		{ .token = TEXT("good"), JSON("a"), .verdict = CATALOGUE_ABUSE } } };
	static struct catalogue_rule own[] = {
		{ .token = TEXT("good"), .verdict = CATALOGUE_FORBIDDEN },
		{ .token = TEXT("{missing}"), .verdict = CATALOGUE_GOOD },
	};
	static const struct catalogue_step write = { .does = CATALOGUE_WRITE };
	static const struct catalogue_step look = { .does = CATALOGUE_LOOK };
	static const struct catalogue_step with_own = { .does = CATALOGUE_WRITE,
							.rules = own, .rule_count = 2 };

	(void)state;
	assert_int_equal(judge(&catalogue, &write, 200, "good"), MESSAGE_GOOD);
	assert_int_equal(judge(&catalogue, &write, 200, "fine"), MESSAGE_GOOD);
	assert_int_equal(judge(&catalogue, &write, 500, "fine"), MESSAGE_TRANSIENT);
	assert_int_equal(judge(&catalogue, &write, 200, "go"), MESSAGE_TRANSIENT);
	assert_int_equal(judge(&catalogue, &write, 200, "badauth"), MESSAGE_BADAUTH);
	assert_int_equal(judge(&catalogue, &with_own, 200, "good"), MESSAGE_FORBIDDEN);
	assert_int_equal(judge(&catalogue, &with_own, 403, "good"), MESSAGE_FORBIDDEN);
	assert_int_equal(judge(&catalogue, &with_own, 200, "{missing}"),
			 MESSAGE_TRANSIENT);
	assert_int_equal(judge(&catalogue, &look, 200, "badauth"), NEXT);
	assert_int_equal(judge(&catalogue, &look, 403, "nohost"), MESSAGE_BADAUTH);
}

static void cut_answers(void **state)
{
	static const struct catalogue catalogue = { .rule_count = 3, .rules = {
		{ .http = 200, .verdict = CATALOGUE_GOOD },
		{ .http = 300, .verdict = CATALOGUE_NO_RECORD },
		{ .contains = TEXT("bad"), .verdict = CATALOGUE_NOHOST } } };
	struct provider_answer answer = { .http_status = 200, .body = "none", .length = 4,
					  .cut = true, .https = true };
	struct catalogue_step step = { .does = CATALOGUE_WRITE };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		step.does = (enum catalogue_does[]){ CATALOGUE_WRITE, CATALOGUE_LOOK,
						     CATALOGUE_CLEAN }[i];
		answer.http_status = 200;
		assert_int_equal(judge_answer_of(&catalogue, &step, &answer),
				 MESSAGE_TRANSIENT);
		answer.http_status = 300;
		assert_int_equal(judge_answer_of(&catalogue, &step, &answer),
				 MESSAGE_BAD_REQUEST);
	}
	answer.body = "bad!";
	answer.http_status = 200;
	assert_int_equal(judge_answer_of(&catalogue, &step, &answer), MESSAGE_NOHOST);
}

/*
 * Over plain HTTP a portal may answer everything with its page; its status is no word of
 * the provider.
 */
static void pages_of_portals(void **state)
{
	static const struct catalogue catalogue = { .rule_count = 3, .rules = {
		{ .http = 204, .verdict = CATALOGUE_GOOD },
		{ .http = 200, .contains = TEXT("our own words"),
		  .verdict = CATALOGUE_UNCHANGED },
		{ .http = 200, .verdict = CATALOGUE_GOOD } } };
	static const char page[] = "<!DOCTYPE html>\n<HTML><body>good</body>";
	static const char own[] = "<html>our own words</html>";
	struct provider_answer answer = { .http_status = 200, .body = page,
					  .length = strlen(page) };
	struct catalogue_step write = { .does = CATALOGUE_WRITE };
	struct catalogue_step look = { .does = CATALOGUE_LOOK };

	(void)state;
	assert_int_equal(judge_answer_of(&catalogue, &write, &answer), MESSAGE_TRANSIENT);
	assert_int_equal(judge_answer_of(&catalogue, &look, &answer), MESSAGE_TRANSIENT);
	answer.body = own;
	answer.length = strlen(own);
	assert_int_equal(judge_answer_of(&catalogue, &write, &answer), MESSAGE_UNCHANGED);
	answer.https = true;
	answer.body = page;
	answer.length = strlen(page);
	assert_int_equal(judge_answer_of(&catalogue, &write, &answer), MESSAGE_GOOD);
	answer = (struct provider_answer){ .http_status = 204, .body = "" };
	assert_int_equal(judge_answer_of(&catalogue, &write, &answer), MESSAGE_GOOD);
	answer = (struct provider_answer){ .http_status = 200, .body = "ok", .length = 2 };
	assert_int_equal(judge_answer_of(&catalogue, &write, &answer), MESSAGE_GOOD);
}

/* Nor are its lines, though the first is a word of the protocol. */
static void lines_of_portals(void **state)
{
	static const struct catalogue lines = { .protocol = CATALOGUE_DYNDNS2 };
	static const char page[] = "good\n<html><body>Please log in</body></html>";
	struct catalogue_step write = { .does = CATALOGUE_WRITE };
	struct provider_answer answer = { .http_status = 200, .body = page,
					  .length = strlen(page) };

	(void)state;
	figure_holds("F42", "a page over plain HTTP that begins with good is no good",
		     judge_answer_of(&lines, &write, &answer) == MESSAGE_TRANSIENT);
	answer.https = true;
	assert_int_equal(judge_answer_of(&lines, &write, &answer), MESSAGE_GOOD);
}

/* What is missing in an answer that nobody can read is no success. */
/* A rule that says of several names that one is missing does not say which. */
static void several_names(void **state)
{
	static const struct catalogue catalogue = { .rule_count = 2, .rules = {
		{ .token = TEXT("KO"), .verdict = CATALOGUE_NOHOST },
		{ .token = TEXT("OK"), .verdict = CATALOGUE_GOOD } } };
	static const struct catalogue_step step = { .does = CATALOGUE_WRITE };
	static const struct {
		const char *first, *second, *body;
		int verdict;
	} cases[] = {
		{ "a.example.org", "b.example.org", "KO", MESSAGE_SPLIT },
		{ "a.example.org", "b.example.org", "OK", MESSAGE_GOOD },
		{ "a.example.org", "A.example.org", "KO", MESSAGE_NOHOST },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct fill_name names[] = { { .hostname = cases[i].first },
						   { .hostname = cases[i].second } };
		const struct provider_answer answer = {
			.http_status = 200, .body = cases[i].body, .length = 2,
			.https = true, .retry_after = "", .headers = "" };
		struct provider_verdict verdicts[2] = { 0 };
		struct view view;
		struct fill fill;

		fill_init(&fill, &catalogue, settings, COUNT(settings));
		fill_set_names(&fill, names, 2);
		view_init(&view, &answer);
		assert_int_equal(judge_answer(&catalogue, &step, &view, &fill, names, 2,
					      verdicts), JUDGE_VERDICT);
		view_done(&view);
		fill_done(&fill);
		assert_int_equal(verdicts[0].verdict, cases[i].verdict);
		assert_int_equal(verdicts[1].verdict, cases[i].verdict);
	}
}

static void no_json(void **state)
{
	static const struct catalogue catalogue = { .rule_count = 2, .rules = {
		{ JSON("error"), .test = CATALOGUE_ABSENT, .verdict = CATALOGUE_GOOD },
		{ .http = 202, JSON("error"), .test = CATALOGUE_ABSENT,
		  .verdict = CATALOGUE_UNCHANGED } } };
	struct catalogue_step step = { .does = CATALOGUE_WRITE };

	(void)state;
	assert_int_equal(judge(&catalogue, &step, 200, "{}"), MESSAGE_GOOD);
	assert_int_equal(judge(&catalogue, &step, 200, "<html>"), MESSAGE_TRANSIENT);
	assert_int_equal(judge(&catalogue, &step, 200, "{"), MESSAGE_TRANSIENT);
	assert_int_equal(judge(&catalogue, &step, 202, ""), MESSAGE_TRANSIENT);
}

/* An error that nobody has named is no empty list. */
static void a_look_that_says_what_is_fine(void **state)
{
	static const struct catalogue none = { 0 };
	static struct catalogue_rule own[] = {
		{ JSON("error"), .test = CATALOGUE_ABSENT,
		  .verdict = CATALOGUE_NEXT_STEP },
	};
	struct catalogue_step step = { .does = CATALOGUE_LOOK, .rules = own,
				       .rule_count = 1, .read_count = 1,
				       .reads = { { JSON("[0].id") } } };

	(void)state;
	assert_int_equal(judge(&none, &step, 200, "{\"list\":[]}"), NEXT);
	assert_int_equal(judge(&none, &step, 200, "{\"error\":{\"code\":7}}"),
			 MESSAGE_TRANSIENT);
	assert_int_equal(judge(&none, &step, 404, "{\"error\":{\"code\":7}}"),
			 MESSAGE_BAD_REQUEST);
	step.rule_count = 0;
	assert_int_equal(judge(&none, &step, 200, "{\"error\":{\"code\":7}}"), NEXT);
}

/* Else a page of a maintenance would lead to a second record. */
static void a_look_at_no_json(void **state)
{
	static const struct catalogue none = { 0 };
	static const struct catalogue said = { .rule_count = 2, .rules = {
		{ .http = 404, .verdict = CATALOGUE_NO_RECORD },
		{ .http = 200, .verdict = CATALOGUE_NEXT_STEP } } };
	struct catalogue_step step = { .does = CATALOGUE_LOOK, .read_count = 2,
				       .reads = { { .spot = { CATALOGUE_HEADER, NULL } },
						  { JSON("[0].id") } } };

	(void)state;
	assert_int_equal(judge(&none, &step, 200, "[]"), NEXT);
	assert_int_equal(judge(&none, &step, 200, "<html>"), MESSAGE_TRANSIENT);
	assert_int_equal(judge(&none, &step, 200, ""), MESSAGE_TRANSIENT);
	assert_int_equal(judge(&none, &step, 204, ""), NEXT);
	assert_int_equal(judge(&said, &step, 200, "[]"), NEXT);
	assert_int_equal(judge(&said, &step, 200, "sorry"), MESSAGE_TRANSIENT);
	assert_int_equal(judge(&said, &step, 404, "<html>"), NO_RECORD);
	step.read_count = 1;
	assert_int_equal(judge(&none, &step, 200, "<html>"), NEXT);
	step.pages.by = CATALOGUE_COUNTED;
	assert_int_equal(judge(&none, &step, 200, "<html>"), MESSAGE_TRANSIENT);
	step.does = CATALOGUE_CLEAN;
	assert_int_equal(judge(&none, &step, 200, "<html>"), NEXT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditions),
		cmocka_unit_test(conditions_of_nothing),
		cmocka_unit_test(ranges_of_statuses),
		cmocka_unit_test(order),
		cmocka_unit_test(kinds_of_steps),
		cmocka_unit_test(words),
		cmocka_unit_test(cut_answers),
		cmocka_unit_test(pages_of_portals),
		cmocka_unit_test(lines_of_portals),
		cmocka_unit_test(several_names),
		cmocka_unit_test(no_json),
		cmocka_unit_test(a_look_that_says_what_is_fine),
		cmocka_unit_test(a_look_at_no_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
