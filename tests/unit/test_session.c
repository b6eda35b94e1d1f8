/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From records to requests and back to verdicts, a description each.
 */
#include "session_room.h"

#define NONE { 0 }

static const char v4[] = "81.2.69.7", other_v4[] = "81.2.69.8", v6[] = "2a01:4f8::7";

/* --- one request --- */

static const char by_name[] = HEAD
	"\"requests\": [{\"url\": \"https://x.org/?h={hostname}&a={ip}&t={rrtype}\"}],"
	"\"answers\": [{\"http\": 200, \"token\": \"ok\", \"means\": \"good\"},"
	"              {\"token\": \"no\", \"means\": \"nohost\"},"
	"              {\"http\": 403, \"means\": \"badauth\"}]}";

static void a_run_for_each_record(void **state)
{
	static const struct exchange exchanges[] = {
		{ "GET https://x.org/?h=a.x.org&a=81.2.69.7&t=A", 200, "ok" },
		{ "GET https://x.org/?h=a.x.org&a=2a01:4f8::7&t=AAAA", 200, "no" },
		{ "GET https://x.org/?h=b.x.org&a=81.2.69.8&t=A", 503, "busy" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_read(&play, by_name);
	play_want(&play, "a.x.org", v4, "");
	play_want(&play, "a.x.org", v6, "");
	play_want(&play, "b.x.org", other_v4, "");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_GOOD, "");
	play_expect(&play, 1, MESSAGE_NOHOST, "");
	play_expect(&play, 2, MESSAGE_TRANSIENT, "");
	assert_string_equal(play_outcome(&play, 0)->text, "ok");
	assert_int_equal(play_outcome(&play, 2)->http_status, 503);
	assert_string_equal(play_outcome(&play, 2)->text, "HTTP 503: busy");
	play_done(&play);
}

/* What is said of the account holds for those who were not asked about. */
static void the_account_ends_all(void **state)
{
	static const struct exchange exchanges[] = {
		{ "GET https://x.org/?h=a.x.org&a=81.2.69.7&t=A", 200, "ok" },
		{ "GET https://x.org/?h=b.x.org&a=81.2.69.7&t=A", 403, "who?" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_read(&play, by_name);
	play_want(&play, "a.x.org", v4, "");
	play_want(&play, "b.x.org", v4, "");
	play_want(&play, "c.x.org", v4, "");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_GOOD, "");
	play_expect(&play, 1, MESSAGE_BADAUTH, "");
	play_expect(&play, 2, MESSAGE_BADAUTH, "");
	play_done(&play);
}

static void nobody_answers(void **state)
{
	static const struct exchange exchanges[] = {
		{ "GET https://x.org/?h=a.x.org&a=81.2.69.7&t=A", 0, "no route" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_read(&play, by_name);
	play_want(&play, "a.x.org", v4, "zone=7");
	play_want(&play, "b.x.org", v4, "");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_UNREACHABLE, "");
	play_expect(&play, 1, MESSAGE_UNREACHABLE, "");
	assert_string_equal(play_outcome(&play, 1)->text, "no route");
	play_done(&play);
}

static const char dyndns2[] = HEAD
	"\"protocol\": \"dyndns2\", \"batch\": 3,"
	"\"requests\": [{\"url\": \"https://x.org/?h={hostnames}&a={ip}\"}]}";

static void names_of_one_address_together(void **state)
{
	static const struct exchange exchanges[] = {
		{ "GET https://x.org/?h=a.x.org,c.x.org,d.x.org&a=81.2.69.7", 200,
		  "good 81.2.69.7\nnohost\nnochg 81.2.69.7" },
		{ "GET https://x.org/?h=b.x.org&a=81.2.69.8", 200, "good 81.2.69.9" },
		{ "GET https://x.org/?h=a.x.org&a=2a01:4f8::7", 200, "good" },
		{ "GET https://x.org/?h=e.x.org&a=81.2.69.7", 200, "good" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_read(&play, dyndns2);
	play_want(&play, "a.x.org", v4, "");
	play_want(&play, "b.x.org", other_v4, "");
	play_want(&play, "a.x.org", v6, "");
	play_want(&play, "c.x.org", v4, "");
	play_want(&play, "d.x.org", v4, "");
	play_want(&play, "e.x.org", v4, "");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_GOOD, "");
	play_expect(&play, 3, MESSAGE_NOHOST, "");
	play_expect(&play, 4, MESSAGE_UNCHANGED, "");
	assert_int_equal(play_outcome(&play, 1)->verdict.address_count, 1);
	assert_string_equal(play_outcome(&play, 1)->text,
			    "good 81.2.69.9 (not what was sent)");
	play_done(&play);
}

static const char dual[] = HEAD
	"\"batch\": 20, \"protocol\": \"dyndns2\", \"requests\": ["
	"{\"family\": \"ipv4\", \"url\": \"https://x.org/?h={hostnames}&a={ipv4}\"},"
	"{\"family\": \"dual\", \"url\": \"https://x.org/?h={hostnames}&a={ipv4},{ipv6}\"}]}";

static void both_families_at_once(void **state)
{
	static const struct exchange exchanges[] = {
		{ "GET https://x.org/?h=a.x.org,c.x.org&a=81.2.69.7,2a01:4f8::7", 200,
		  "good" },
		{ "GET https://x.org/?h=b.x.org&a=81.2.69.7", 200, "good" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_read(&play, dual);
	play_want(&play, "a.x.org", v4, "");
	play_want(&play, "b.x.org", v4, "");
	play_want(&play, "a.x.org", v6, "");
	play_want(&play, "c.x.org", v6, "");
	play_want(&play, "c.x.org", v4, "");
	play_want(&play, "d.x.org", v6, "");
	play_all(&play, exchanges);
	for (size_t i = 0; i < 5; i++)
		play_expect(&play, i, MESSAGE_GOOD, "");
	play_expect(&play, 5, MESSAGE_BAD_REQUEST, "");
	assert_string_equal(play_outcome(&play, 5)->text,
			    "this provider has no request for this family");
	play_done(&play);
}

static void what_cannot_be_asked(void **state)
{
	static const struct exchange none[] = { NONE };
	struct play play = { 0 };

	(void)state;
	play_read(&play, HEAD
		  "\"requests\": [{\"url\": \"http://x.org/?a={ip}&h={hostname}\"}],"
		  "\"answers\": [{\"http\": 200, \"means\": \"good\"}]}");
	play_want(&play, "a.x.org", v4, "");
	play_all(&play, none);
	play_expect(&play, 0, MESSAGE_BAD_REQUEST, "");
	assert_non_null(strstr(play_outcome(&play, 0)->text, "insecure_http"));
	play_done(&play);
}

/* A zone that is not there is no zone without a name. */
static void what_was_not_found(void **state)
{
	static const char zones[] = HEAD
		"\"settings\": {\"zone_id\": {\"default\": \"\", \"help\": \"z\"}},"
		"\"requests\": ["
		"{\"step\": \"zone\", \"when\": {\"missing\": \"zone_id\"},"
		" \"url\": \"https://x.org/zones\","
		" \"read\": {\"zone_id\": {\"json\": \"[0].id\"}}},"
		"{\"step\": \"set\", \"method\": \"PUT\","
		" \"url\": \"https://x.org/{zone_id}/{hostname}?{ip}\"}],"
		"\"answers\": [{\"http\": 204, \"means\": \"good\"}]}";
	static const struct exchange exchanges[] = {
		{ "GET https://x.org/zones", 200, "[]" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_read(&play, zones);
	play_want(&play, "a.x.org", v4, "");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_NOHOST, "");
	assert_string_equal(play_outcome(&play, 0)->text, "no {zone_id} was found");
	play_done(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_for_each_record),
		cmocka_unit_test(the_account_ends_all),
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(names_of_one_address_together),
		cmocka_unit_test(both_families_at_once),
		cmocka_unit_test(what_cannot_be_asked),
		cmocka_unit_test(what_was_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
