/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "answer_room.h"
#include "provider/mask.h"

static struct provider_verdict judge(const struct catalogue *catalogue,
				     const struct provider_answer *answer)
{
	struct addr sent;

	assert_true(addr_parse("81.2.69.7", &sent));
	return answer_judge(catalogue, answer, &sent);
}

static struct provider_verdict judge_body(const struct catalogue *catalogue,
					  unsigned status, const char *body)
{
	struct provider_answer answer = { .http_status = status, .body = body,
					  .length = strlen(body), .https = true,
					  .retry_after = "" };

	return judge(catalogue, &answer);
}

static enum message_verdict expected(unsigned status)
{
	if (status <= 299)
		return MESSAGE_GOOD;
	if (status <= 399)
		return MESSAGE_BAD_REQUEST;
	switch (status) {
	case 401: case 403: return MESSAGE_BADAUTH;
	case 429: return MESSAGE_RATE_LIMITED;
	case 408: case 421: case 425: return MESSAGE_TRANSIENT;
	}
	return status <= 499 ? MESSAGE_BAD_REQUEST : MESSAGE_TRANSIENT;
}

/* "good" in the body makes a success of 2xx only. */
static void every_status(void **state)
{
	static const struct catalogue catalogue = { .protocol = CATALOGUE_DYNDNS2 };

	(void)state;
	for (unsigned status = 200; status <= 599; status++) {
		assert_int_equal(judge_body(&catalogue, status, "good 81.2.69.7").verdict,
				 expected(status));
		if (status > 299)
			assert_int_equal(judge_body(&catalogue, status, "").verdict,
					 expected(status));
		else
			assert_int_equal(judge_body(&catalogue, status, "").verdict,
					 MESSAGE_TRANSIENT);
	}
	assert_int_equal(judge_body(&catalogue, 0, "good").verdict, MESSAGE_TRANSIENT);
	assert_int_equal(judge_body(&catalogue, 100, "good").verdict, MESSAGE_TRANSIENT);
	assert_int_equal(judge_body(&catalogue, 999, "good").verdict, MESSAGE_TRANSIENT);
}

static void statuses_whose_body_knows_better(void **state)
{
	static const struct catalogue catalogue = { .protocol = CATALOGUE_DYNDNS2 };
	static const struct {
		unsigned status;
		const char *body;
		enum message_verdict verdict;
		uint32_t retry_after_s;
	} cases[] = {
		{ 403, "abuse", MESSAGE_ABUSE, 0 },
		{ 403, "nohost", MESSAGE_NOHOST, 0 },
		{ 403, "good", MESSAGE_BADAUTH, 0 },
		{ 403, "Forbidden", MESSAGE_BADAUTH, 0 },
		{ 401, "nohost", MESSAGE_BADAUTH, 0 },
		{ 404, "nohost", MESSAGE_BAD_REQUEST, 0 },
		{ 500, "911", MESSAGE_SERVER_ERROR, 1800 },
		{ 503, "dnserr", MESSAGE_SERVER_ERROR, 1800 },
		{ 503, "w2h", MESSAGE_TRANSIENT, 7200 },
		{ 500, "badauth", MESSAGE_TRANSIENT, 0 },
		{ 503, "good 81.2.69.7", MESSAGE_TRANSIENT, 0 },
		{ 302, "911", MESSAGE_BAD_REQUEST, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct provider_verdict v = judge_body(&catalogue, cases[i].status,
						       cases[i].body);

		if (v.verdict != cases[i].verdict)
			fail_msg("%u %s: %s", cases[i].status, cases[i].body,
				 message_verdict_name(v.verdict));
		assert_int_equal(v.retry_after_s, cases[i].retry_after_s);
	}
}

static void plain_http_may_be_a_portal(void **state)
{
	static const struct catalogue catalogue = { .protocol = CATALOGUE_DYNDNS2 };
	struct provider_answer answer = { .http_status = 302,
					  .body = "",
					  .retry_after = "" };

	(void)state;
	assert_int_equal(judge(&catalogue, &answer).verdict, MESSAGE_TRANSIENT);
}

static void cut_bodies(void **state)
{
	static const struct catalogue lines = { .protocol = CATALOGUE_DYNDNS2 };
	static const struct catalogue rules = { .rule_count = 1, .rules = {
		{ .http = 200, .token = (char *)"good", .verdict = CATALOGUE_GOOD } } };
	struct provider_answer answer = { .http_status = 200, .body = "good", .length = 4,
					  .cut = true, .https = true, .retry_after = "" };

	(void)state;
	assert_int_equal(judge(&lines, &answer).verdict, MESSAGE_TRANSIENT);
	assert_int_equal(judge(&rules, &answer).verdict, MESSAGE_TRANSIENT);
	answer.http_status = 401;
	assert_int_equal(judge(&lines, &answer).verdict, MESSAGE_BADAUTH);
}

#define TEXT(string) ((char *)(string))

static void rules_in_order(void **state)
{
	static const struct catalogue duck = {
		.rule_count = 4,
		.rules = { { .token = TEXT("KO"), .verdict = CATALOGUE_BADAUTH },
			   { .token = TEXT("OK"),
			     .line = TEXT("NOCHANGE"),
			     .verdict = CATALOGUE_UNCHANGED },
			   { .token = TEXT("OK"), .verdict = CATALOGUE_GOOD },
			   { .http = 418,
			     .contains = TEXT("later"),
			     .verdict = CATALOGUE_SERVER_ERROR } }
	};
	static const struct {
		unsigned status;
		const char *body;
		enum message_verdict verdict;
	} cases[] = {
		{ 200, "KO", MESSAGE_BADAUTH },
		{ 200, "OK", MESSAGE_GOOD },
		{ 200, "OK\n81.2.69.7\n\nNOCHANGE", MESSAGE_UNCHANGED },
		{ 200, "OK\n81.2.69.7\n\nNOCHANGES", MESSAGE_GOOD },
		{ 200, "OKAY", MESSAGE_TRANSIENT },
		{ 200, "good", MESSAGE_TRANSIENT },
		{ 500, "OK", MESSAGE_TRANSIENT },
		{ 302, "OK", MESSAGE_BAD_REQUEST },
		{ 500, "KO", MESSAGE_BADAUTH },
		{ 418, "come later", MESSAGE_SERVER_ERROR },
		{ 200, "come later", MESSAGE_TRANSIENT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct provider_verdict v = judge_body(&duck, cases[i].status,
						       cases[i].body);

		if (v.verdict != cases[i].verdict)
			fail_msg("%u %s: %s", cases[i].status, cases[i].body,
				 message_verdict_name(v.verdict));
	}
}

static void rules_before_lines(void **state)
{
	static const struct catalogue catalogue = {
		.protocol = CATALOGUE_DYNDNS2,
		.rule_count = 3,
		.rules = { { .http = 404, .verdict = CATALOGUE_NOHOST },
			   { .prefix = TEXT("good but"), .verdict = CATALOGUE_FORBIDDEN },
			   { .token = TEXT("badrequest"),
			     .verdict = CATALOGUE_BAD_REQUEST } }
	};

	(void)state;
	assert_int_equal(judge_body(&catalogue, 404, "x").verdict, MESSAGE_NOHOST);
	assert_int_equal(judge_body(&catalogue, 200, "good but").verdict,
			 MESSAGE_FORBIDDEN);
	assert_int_equal(judge_body(&catalogue, 200, "badrequest").verdict,
			 MESSAGE_BAD_REQUEST);
	assert_int_equal(judge_body(&catalogue, 200, "good").verdict, MESSAGE_GOOD);
}

static void retry_after(void **state)
{
	static const int64_t now = 784111777;	/* Sun, 06 Nov 1994 08:49:37 GMT */
	static const struct {
		const char *value;
		uint32_t seconds;
	} cases[] = {
		{ "", 0 },
		{ "0", 0 },
		{ "120", 120 },
		{ "86400", 86400 },
		{ "86401", 86400 },
		{ "1000000000000", 86400 },
		{ "99999999999999999999999", 86400 },
		{ "-5", 0 },
		{ "+5", 0 },
		{ "5x", 0 },
		{ "1.5", 0 },
		{ "soon", 0 },
		{ " 5", 0 },
		{ "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
		{ "Sun, 06 Nov 1994 08:50:37 GMT", 60 },
		{ "Sun, 06 Nov 1994 08:48:37 GMT", 0 },
		{ "Mon, 06 Nov 2034 08:48:37 GMT", 86400 },
		{ "Sun, 06 Nov 1994 08:50:37 CET", 0 },
		{ "Sun, 06 Nov 1994 08:50:37 GMT, and more", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(provider_retry_after(cases[i].value, now),
				 cases[i].seconds);
}

static void retry_after_for_whom_it_matters(void **state)
{
	static const struct catalogue catalogue = { .protocol = CATALOGUE_DYNDNS2 };
	struct provider_answer answer = { .http_status = 503, .body = "", .https = true,
					  .retry_after = "7200" };

	(void)state;
	assert_int_equal(judge(&catalogue, &answer).retry_after_s, 7200);
	answer.http_status = 429;
	assert_int_equal(judge(&catalogue, &answer).retry_after_s, 7200);
	answer = (struct provider_answer){ .http_status = 200, .body = "911", .length = 3,
					   .https = true, .retry_after = "60" };
	assert_int_equal(judge(&catalogue, &answer).retry_after_s, 1800);
	answer.http_status = 401;
	assert_int_equal(judge(&catalogue, &answer).retry_after_s, 0);
	answer = (struct provider_answer){ .http_status = 200,
					   .body = "good",
					   .length = 4,
					   .https = true,
					   .retry_after = "60" };
	assert_int_equal(judge(&catalogue, &answer).retry_after_s, 0);
}

static void secrets_are_masked(void **state)
{
	struct catalogue catalogue = { .setting_count = 2, .settings = {
		{ .name = "username" }, { .name = "password", .secret = true } } };
	struct provider_value values[] = { { "username", "me" },
					   { "password", "s/cr et+\"x\"" } };
	static const struct {
		const char *bytes, *shown;
	} cases[] = {
		{ "good 81.2.69.7\n", "good 81.2.69.7" },
		{ "hello me", "hello me" },
		{ "<s/cr et+\"x\">", "<(hidden)>" },
		{ "?p=s%2Fcr%20et%2B%22x%22&", "?p=(hidden)&" },
		{ "?p=s%2fcr%20et%2b%22x%22&", "?p=(hidden)&" },
		{ "?p=s%2Fcr+et%2B%22x%22&", "?p=(hidden)&" },
		{ "{\"p\": \"s/cr et+\\\"x\\\"\"}", "{\"p\": \"(hidden)\"}" },
		{ "cut s/cr et+", "cut (hidden)" },
		{ "too little: s/cr et", "too little: s/cr et" },
		/* base64 of "s/cr et+"x"" by itself and behind "me:" and "user:" */
		{ "cy9jciBldCsieCI=", "(hidden)I=" },
		{ "bWU6cy9jciBldCsieCI=", "bWU6(hidden)I=" },
		{ "dXNlcjpzL2NyIGV0KyJ4Ig==", "dXNlcjp(hidden)g==" },
		{ "a\r\nb\x1b[0m", "a\\x0d\\x0ab\\x1b[0m" },
	};
	char out[MESSAGE_TEXT_BYTES];
	struct fill fill;

	(void)state;
	fill_init(&fill, &catalogue, values, 2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(mask_bytes(&fill, cases[i].bytes,
					       strlen(cases[i].bytes), out),
				    cases[i].shown);
	fill_done(&fill);
}

static void little_is_shown(void **state)
{
	struct catalogue catalogue = { 0 };
	char out[MESSAGE_TEXT_BYTES], body[5000];
	struct fill fill;

	(void)state;
	fill_init(&fill, &catalogue, NULL, 0);
	memset(body, 'x', sizeof(body));
	assert_int_equal(strlen(mask_bytes(&fill, body, sizeof(body), out)), 200);
	memset(body, '\1', sizeof(body));
	assert_true(strlen(mask_bytes(&fill, body, sizeof(body), out)) <= 200);
	assert_string_equal(mask_bytes(&fill, "", 0, out), "");
	assert_string_equal(mask_bytes(&fill, "\0\0", 2, out), "\\x00\\x00");
	fill_done(&fill);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status),
		cmocka_unit_test(statuses_whose_body_knows_better),
		cmocka_unit_test(plain_http_may_be_a_portal),
		cmocka_unit_test(cut_bodies),
		cmocka_unit_test(rules_in_order),
		cmocka_unit_test(rules_before_lines),
		cmocka_unit_test(retry_after),
		cmocka_unit_test(retry_after_for_whom_it_matters),
		cmocka_unit_test(secrets_are_masked),
		cmocka_unit_test(little_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
