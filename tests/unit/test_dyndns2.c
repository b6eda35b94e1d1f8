/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "provider/dyndns2.h"

enum { NAMES = 4 };

static void name_all(const char *address, struct fill_name names[NAMES])
{
	struct addr addr;

	assert_true(addr_parse(address, &addr));
	for (size_t i = 0; i < NAMES; i++)
		names[i] = (struct fill_name){ "home.example.org", .ipv4 = addr };
}

/* The verdicts for `count` names, each with the address 81.2.69.7. */
static void judge(const char *body, size_t length, size_t count,
		  struct provider_verdict *ret_verdicts)
{
	struct fill_name names[NAMES];

	name_all("81.2.69.7", names);
	dyndns2_judge(body, length, names, count, NULL, NULL, ret_verdicts);
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *body;
	enum message_verdict verdict;
	uint32_t retry_after_s;
	size_t addresses;
} lines_for_one[] = {
	{ "good", MESSAGE_GOOD, 0, 0 },
	{ "good 81.2.69.7", MESSAGE_GOOD, 0, 1 },
	{ "good 81.2.69.7\r\n", MESSAGE_GOOD, 0, 1 },
	{ "\r\n  good\t81.2.69.7  \r\n\r\n", MESSAGE_GOOD, 0, 1 },
	{ "good 81.2.69.7,2a01:4f8:1::7", MESSAGE_GOOD, 0, 2 },
	{ "good 81.2.69.7 2a01:4f8:1::7", MESSAGE_GOOD, 0, 2 },
	{ "good 81.2.69.7 home.example.org", MESSAGE_GOOD, 0, 1 },
	{ "nochg 81.2.69.7", MESSAGE_UNCHANGED, 0, 1 },
	{ "nochg", MESSAGE_UNCHANGED, 0, 0 },
	{ "nochg 127.0.0.1", MESSAGE_UNCHANGED, 0, 1 },
	{ "good 127.0.0.1", MESSAGE_BADAGENT, 0, 0 },
	{ "badauth", MESSAGE_BADAUTH, 0, 0 },
	{ "badauth please log in", MESSAGE_BADAUTH, 0, 0 },
	{ "!donator", MESSAGE_FORBIDDEN, 0, 0 },
	{ "notfqdn", MESSAGE_NOHOST, 0, 0 },
	{ "nohost", MESSAGE_NOHOST, 0, 0 },
	{ "!yours", MESSAGE_NOHOST, 0, 0 },
	{ "!active", MESSAGE_NOHOST, 0, 0 },
	{ "numhost", MESSAGE_FORBIDDEN, 0, 0 },
	{ "abuse", MESSAGE_ABUSE, 0, 0 },
	{ "badagent", MESSAGE_BADAGENT, 0, 0 },
	{ "badsys", MESSAGE_BADAGENT, 0, 0 },
	{ "dnserr", MESSAGE_SERVER_ERROR, 1800, 0 },
	{ "911", MESSAGE_SERVER_ERROR, 1800, 0 },
	{ "w30s", MESSAGE_TRANSIENT, 30, 0 },
	{ "w30m", MESSAGE_TRANSIENT, 1800, 0 },
	{ "w2h", MESSAGE_TRANSIENT, 7200, 0 },
	{ "w99h", MESSAGE_TRANSIENT, 86400, 0 },
	{ "w99999999999999999999999s", MESSAGE_TRANSIENT, 86400, 0 },
	{ "wm", MESSAGE_TRANSIENT, 0, 0 },
	{ "w", MESSAGE_TRANSIENT, 0, 0 },
	{ "w3", MESSAGE_TRANSIENT, 0, 0 },
	{ "w3d", MESSAGE_TRANSIENT, 0, 0 },
	{ "w-3m", MESSAGE_TRANSIENT, 0, 0 },
	/* no line of the protocol */
	{ "", MESSAGE_TRANSIENT, 0, 0 },
	{ "\r\n \t\r\n", MESSAGE_TRANSIENT, 0, 0 },
	{ "GOOD 81.2.69.7", MESSAGE_TRANSIENT, 0, 0 },
	{ "goodbye", MESSAGE_TRANSIENT, 0, 0 },
	{ "good,81.2.69.7", MESSAGE_TRANSIENT, 0, 0 },
	{ "good: 81.2.69.7", MESSAGE_TRANSIENT, 0, 0 },
	{ "good morning", MESSAGE_TRANSIENT, 0, 0 },
	{ "good 081.2.69.7", MESSAGE_TRANSIENT, 0, 0 },
	{ "nochg of plans", MESSAGE_TRANSIENT, 0, 0 },
	{ "not good 81.2.69.7", MESSAGE_TRANSIENT, 0, 0 },
	{ "<html>good</html>", MESSAGE_TRANSIENT, 0, 0 },
	{ "<html>\ngood 81.2.69.7\n</html>", MESSAGE_TRANSIENT, 0, 0 },
	{ "\xef\xbb\xbfgood 81.2.69.7", MESSAGE_TRANSIENT, 0, 0 },
	{ "ok", MESSAGE_TRANSIENT, 0, 0 },
	{ "OK", MESSAGE_TRANSIENT, 0, 0 },
	{ "KO", MESSAGE_TRANSIENT, 0, 0 },
	{ "{\"status\": \"good\"}", MESSAGE_TRANSIENT, 0, 0 },
	/* more lines than names: the rest is not looked at */
	{ "good 81.2.69.7\nnohost\nbadauth", MESSAGE_GOOD, 0, 1 },
};

static void one_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lines_for_one); i++) {
		struct provider_verdict v[1];

		judge(lines_for_one[i].body, strlen(lines_for_one[i].body), 1, v);
		if (v[0].verdict != lines_for_one[i].verdict)
			fail_msg("\"%s\": %s", lines_for_one[i].body,
				 message_verdict_name(v[0].verdict));
		assert_int_equal(v[0].retry_after_s, lines_for_one[i].retry_after_s);
		assert_int_equal(v[0].address_count, lines_for_one[i].addresses);
	}
}

/* Letters: G good, U unchanged, N nohost, A badauth, B abuse, E server error, S split, F
 * forbidden, T transient, ? unconfirmed, R badagent. */
static char letter(enum message_verdict verdict)
{
	switch (verdict) {
	case MESSAGE_GOOD: return 'G';
	case MESSAGE_UNCHANGED: return 'U';
	case MESSAGE_UNCONFIRMED: return '?';
	case MESSAGE_BADAUTH: return 'A';
	case MESSAGE_NOHOST: return 'N';
	case MESSAGE_ABUSE: return 'B';
	case MESSAGE_BADAGENT: return 'R';
	case MESSAGE_FORBIDDEN: return 'F';
	case MESSAGE_SPLIT: return 'S';
	case MESSAGE_SERVER_ERROR: return 'E';
	case MESSAGE_TRANSIENT: return 'T';
	default: return '#';
	}
}

static void several_names(void **state)
{
	static const struct {
		const char *body, *verdicts;
	} cases[] = {
		{ "good\nnohost\n911\nnochg\n", "GNEU" },
		{ "good 81.2.69.7\r\ngood 81.2.69.7\r\n\r\nabuse\r\n!yours\r\n", "GGBN" },
		{ "good", "GGGG" },
		{ "nochg 81.2.69.7", "UUUU" },
		{ "badauth", "AAAA" },
		{ "abuse", "BBBB" },
		{ "notfqdn", "NNNN" },
		{ "911", "EEEE" },
		{ "numhost", "SSSS" },
		{ "good 127.0.0.1", "RRRR" },
		{ "good\nnohost", "GN??" },
		{ "good\ngood\ngood", "GGG?" },
		{ "good\n911", "GEEE" },
		{ "nohost\nbadauth", "NAAA" },
		{ "badauth\nnohost", "ANAA" },
		{ "good\ngarbage\ngood\ngood", "GTGG" },
		{ "garbage\ngood\ngood\ngood", "TTTT" },
		{ "<html>\ngood\ngood\ngood", "TTTT" },
		{ "", "TTTT" },
		{ "good\ngood\ngood\ngood\nbadauth\n", "GGGG" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct provider_verdict v[4];
		char got[5] = "";

		judge(cases[i].body, strlen(cases[i].body), 4, v);
		for (int k = 0; k < 4; k++)
			got[k] = letter(v[k].verdict);
		assert_string_equal(got, cases[i].verdicts);
	}
}

static void loopback_that_was_sent(void **state)
{
	struct fill_name names[NAMES];
	struct provider_verdict v[1];

	(void)state;
	name_all("127.0.0.1", names);
	dyndns2_judge("good 127.0.0.1", 14, names, 1, NULL, NULL, v);
	assert_int_equal(v[0].verdict, MESSAGE_GOOD);
	assert_null(v[0].note);
	/* among others it is no less a refusal */
	judge("good 2a01:4f8::1,127.0.0.1", 26, 1, v);
	assert_int_equal(v[0].verdict, MESSAGE_BADAGENT);
}

static void bytes_that_are_no_text(void **state)
{
	struct provider_verdict v[1];

	(void)state;
	judge("good\0 81.2.69.7", 15, 1, v);
	assert_int_equal(v[0].verdict, MESSAGE_TRANSIENT);
	judge("\0", 1, 1, v);
	assert_int_equal(v[0].verdict, MESSAGE_TRANSIENT);
	/* nothing behind the length is read */
	judge("good 81.2.69.7 and more", 4, 1, v);
	assert_int_equal(v[0].verdict, MESSAGE_GOOD);
	assert_int_equal(v[0].address_count, 0);
}

static const int marker = 1;

static const struct catalogue_rule *find_word(const void *context, const char *token,
					      size_t length)
{
	static const struct catalogue_rule nofqdn = { .verdict = CATALOGUE_NOHOST },
					   abuse = { .verdict = CATALOGUE_RATE_LIMITED };

	assert_ptr_equal(context, &marker);
	if (length == 6 && memcmp(token, "nofqdn", 6) == 0)
		return &nofqdn;
	return length == 5 && memcmp(token, "abuse", 5) == 0 ? &abuse : NULL;
}

static void words_of_the_description(void **state)
{
	struct fill_name names[NAMES];
	struct provider_verdict v[3];

	(void)state;
	name_all("81.2.69.7", names);
	dyndns2_judge("good\nnofqdn\nabuse", 17, names, 3, find_word, &marker, v);
	assert_int_equal(v[0].verdict, MESSAGE_GOOD);
	assert_int_equal(v[1].verdict, MESSAGE_NOHOST);
	assert_int_equal(v[2].verdict, MESSAGE_RATE_LIMITED);
}

/* What people should know of an answer that is taken all the same. */
static void notes(void **state)
{
	static const struct {
		const char *body, *first, *last;
	} cases[] = {
		{ "good\ngood\ngood\ngood", NULL, NULL },
		{ "good", NULL, "one line for all names" },
		{ "nohost", NULL, NULL },
		{ "good\ngood", NULL, "fewer lines than names" },
		{ "good\ngood\ngood\ngood\ngood", NULL, "more lines than names" },
		{ "good 81.2.69.8\ngood\ngood\ngood", "not what was sent", NULL },
		{ "good 81.2.69.7 2a01:4f8::1\ngood\ngood\ngood", NULL, NULL },
		{ "good 2a01:4f8::1\ngood\ngood\ngood", NULL, NULL },
		{ "nochg 127.0.0.1\ngood\ngood\ngood", "not what was sent", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct provider_verdict v[NAMES];
		const char *first, *last;

		judge(cases[i].body, strlen(cases[i].body), NAMES, v);
		first = v[0].note ? v[0].note : "";
		last = v[NAMES - 1].note ? v[NAMES - 1].note : "";
		assert_string_equal(first, cases[i].first ? cases[i].first : "");
		assert_string_equal(last, cases[i].last ? cases[i].last : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_name),
		cmocka_unit_test(several_names),
		cmocka_unit_test(loopback_that_was_sent),
		cmocka_unit_test(bytes_that_are_no_text),
		cmocka_unit_test(words_of_the_description),
		cmocka_unit_test(notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
