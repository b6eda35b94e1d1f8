/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptions with named steps: which are taken, what is kept, and how a run ends.
 */
#include "session_room.h"

#define NONE { 0 }

static const char v4[] = "81.2.69.7", other_v4[] = "81.2.69.8", v6[] = "2a01:4f8::7";

#define ZONES "[{\"id\": \"z0\", \"name\": \"org\"}, {\"id\": \"z1\", \"name\": \"x.org\"}]"

static void looked_up_and_written(void **state)
{
	static const struct exchange exchanges[] = {
		{ "GET https://x.org/zones", 200, ZONES },
		{ "GET https://x.org/z1/A/a.x.org", 200,
		  "{\"id\": 7, \"addr\": \"81.2.69.8\"}" },
		{ "PATCH https://x.org/z1/7 {\"addr\":\"81.2.69.7\"}", 200,
		  "{\"ok\": true}" },
		/* the zones are known by now */
		{ "GET https://x.org/z1/AAAA/a.x.org", 404, "{\"error\": \"none\"}" },
		{ "POST https://x.org/z1 {\"type\":\"AAAA\",\"name\":\"a.x.org\","
		  "\"addr\":\"2a01:4f8::7\"}", 200, "{\"ok\": true}" },
		{ "GET https://x.org/z1/A/b.x.org", 200,
		  "{\"id\": 9, \"addr\": \"81.2.69.7\"}" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_zones(&play);
	play_want(&play, "a.x.org", v4, "");
	play_want(&play, "a.x.org", v6, "");
	play_want(&play, "b.x.org", v4, "");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_GOOD, "zone_id=z1");
	play_expect(&play, 1, MESSAGE_GOOD, "zone_id=z1");
	play_expect(&play, 2, MESSAGE_UNCHANGED, "zone_id=z1");
	assert_string_equal(play_outcome(&play, 2)->text, "it is there already");
	play_done(&play);
}

static void kept_values_save_a_look(void **state)
{
	static const struct exchange exchanges[] = {
		{ "GET https://x.org/z%209/A/a.x.org", 200,
		  "{\"id\": 7, \"addr\": \"81.2.69.8\"}" },
		{ "PATCH https://x.org/z%209/7 {\"addr\":\"81.2.69.7\"}", 200,
		  "{\"ok\": true}" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_zones(&play);
	play_want(&play, "a.x.org", v4, "zone_id=z%209&token=stolen&unknown=1&%%%");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_GOOD, "zone_id=z%209");
	play_done(&play);
}

/* What the user says goes before what was kept. */
static void a_setting_saves_a_look(void **state)
{
	static const struct exchange exchanges[] = {
		{ "GET https://x.org/own/A/a.x.org", 403, "{\"error\": \"secret-token?\"}" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_zones(&play);
	play_set(&play, "zone_id", "own");
	play_want(&play, "a.x.org", v4, "");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_BADAUTH, "");
	assert_string_equal(play_outcome(&play, 0)->text,
			    "record: HTTP 403: (hidden)?");
	play_done(&play);
}

static void kept_values_that_are_refused(void **state)
{
	static const struct exchange exchanges[] = {
		{ "GET https://x.org/old/A/a.x.org", 400, "{}" },
		{ "GET https://x.org/zones", 200, ZONES },
		{ "GET https://x.org/z1/A/a.x.org", 400, "{\"error\": \"bad\"}" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_zones(&play);
	play_want(&play, "a.x.org", v4, "zone_id=old");
	play_all(&play, exchanges);
	/* looked up anew, and only once */
	play_expect(&play, 0, MESSAGE_BAD_REQUEST, "zone_id=z1");
	assert_string_equal(play_outcome(&play, 0)->text, "record: HTTP 400: bad");
	play_done(&play);
}

/* A 404, or words that no rule knows, may come from what was kept; a 503 does not. */
static void kept_values_not_found(void **state)
{
	static const char record[] = HEAD
		"\"requests\": ["
		"{\"step\": \"find\", \"url\": \"https://x.org/{hostname}\","
		" \"read\": {\"id\": {\"json\": \"id\"}}, \"keep\": [\"id\"]},"
		"{\"step\": \"set\", \"method\": \"PUT\","
		" \"url\": \"https://x.org/{id}?{ip}\"}],"
		"\"answers\": [{\"http\": 204, \"means\": \"good\"},"
		"              {\"http\": 404, \"means\": \"transient\"}]}";
	static const struct exchange exchanges[] = {
		{ "PUT https://x.org/1?81.2.69.7", 404, "" },
		{ "GET https://x.org/a.x.org", 200, "{\"id\": 3}" },
		{ "PUT https://x.org/3?81.2.69.7", 204, "" },
		{ "PUT https://x.org/4?81.2.69.7", 200, "{\"error\": \"no such id\"}" },
		{ "GET https://x.org/c.x.org", 200, "{\"id\": 5}" },
		{ "PUT https://x.org/5?81.2.69.7", 200, "{\"error\": \"no luck\"}" },
		{ "PUT https://x.org/2?81.2.69.7", 503, "" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_read(&play, record);
	play_want(&play, "a.x.org", v4, "id=1");
	play_want(&play, "c.x.org", v4, "id=4");
	play_want(&play, "b.x.org", v4, "id=2");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_GOOD, "id=3");
	play_expect(&play, 1, MESSAGE_TRANSIENT, "id=5");
	play_expect(&play, 2, MESSAGE_TRANSIENT, "id=2");
	play_done(&play);
}

/* Nothing was refused: what was kept holds. */
static void kept_values_stay(void **state)
{
	static const struct exchange exchanges[] = {
		{ "GET https://x.org/z1/A/a.x.org", 0, "no route" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_zones(&play);
	play_want(&play, "a.x.org", v4, "zone_id=z1");
	play_want(&play, "b.x.org", v4, "zone_id=z2");
	play_want(&play, "c.x.org", v4, "zone id\n");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_UNREACHABLE, "zone_id=z1");
	play_expect(&play, 1, MESSAGE_UNREACHABLE, "zone_id=z2");
	play_expect(&play, 2, MESSAGE_UNREACHABLE, "");
	play_done(&play);
}

/* A page that is no JSON does not say that there is no record. */
static void no_json(void **state)
{
	static const struct exchange exchanges[] = {
		{ "GET https://x.org/z1/A/a.x.org", 200, "busy, come again" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_zones(&play);
	play_set(&play, "zone_id", "z1");
	play_want(&play, "a.x.org", v4, "");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_TRANSIENT, "");
	play_done(&play);
}

/* A stranger's value leads nowhere else. */
static void hostile_ids(void **state)
{
	static const struct {
		const char *zone, *asks;
	} cases[] = {
		{ "a/../b?c#d", "GET https://x.org/a%2F..%2Fb%3Fc%23d/A/a.x.org" },
		{ "{token}", "GET https://x.org/%7Btoken%7D/A/a.x.org" },
		{ "..", NULL },
		{ "a\\nb", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct play play = { 0 };
		char answer[128];
		struct exchange exchanges[] = {
			{ "GET https://x.org/zones", 200, answer },
			{ cases[i].asks, 0, "" },
			NONE
		};

		snprintf(answer, sizeof(answer), "[{\"name\": \"X.ORG.\", \"id\": \"%s\"}]",
			 cases[i].zone);
		play_zones(&play);
		play_want(&play, "a.x.org", v4, "");
		play_all(&play, exchanges);
		assert_int_equal(play_outcome(&play, 0)->verdict.verdict,
				 cases[i].asks ? MESSAGE_UNREACHABLE :
						 MESSAGE_BAD_REQUEST);
		play_done(&play);
	}
}

/* --- both families, and many records --- */

static const char both[] = HEAD
	"\"requests\": ["
	"{\"step\": \"login\", \"does\": \"look\", \"method\": \"POST\","
	" \"url\": \"https://x.org/login\", \"body\": {\"t\": \"{unix_time}\"},"
	" \"read\": {\"session\": {\"header\": \"X-Session\"}}},"
	"{\"step\": \"one\", \"method\": \"POST\", \"url\": \"https://x.org/{hostname}\","
	" \"body\": \"a={ip}&s={session}\", \"body_type\": \"form\"},"
	"{\"step\": \"two\", \"family\": \"dual\", \"method\": \"POST\","
	" \"url\": \"https://x.org/{hostname}\", \"body_type\": \"form\","
	" \"body\": \"a={ipv4}&aaaa={ipv6}&s={session}\"},"
	"{\"step\": \"logout\", \"does\": \"clean\", \"when\": \"last\","
	" \"url\": \"https://x.org/bye?{session}\"}],"
	"\"answers\": [{\"http\": 200, \"token\": \"done\", \"means\": \"good\"}]}";

static void a_session_of_theirs(void **state)
{
	static const struct exchange exchanges[] = {
		{ "POST https://x.org/login {\"t\":\"1795269600\"}", 200, "" },
		{ "POST https://x.org/a.x.org a=81.2.69.7&aaaa=2a01%3A4f8%3A%3A7&s=k%2F7",
		  200, "done" },
		{ "POST https://x.org/b.x.org a=81.2.69.8&s=k%2F7", 500, "oh" },
		{ "GET https://x.org/bye?k%2F7", 500, "oh" },
		NONE
	};
	struct play play = { .headers = "Date: now\r\nx-session: k/7\r\n" };

	(void)state;
	play_read(&play, both);
	play_want(&play, "a.x.org", v4, "");
	play_want(&play, "b.x.org", other_v4, "");
	play_want(&play, "a.x.org", v6, "");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_GOOD, "");
	play_expect(&play, 1, MESSAGE_TRANSIENT, "");
	play_expect(&play, 2, MESSAGE_GOOD, "");
	play_done(&play);
}

/* Without the session there is nothing to log out of. */
static void no_log_in(void **state)
{
	static const struct exchange exchanges[] = {
		{ "POST https://x.org/login {\"t\":\"1795269600\"}", 401, "" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_read(&play, both);
	play_want(&play, "a.x.org", v4, "");
	play_want(&play, "b.x.org", v4, "");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_BADAUTH, "");
	play_expect(&play, 1, MESSAGE_BADAUTH, "");
	play_done(&play);
}

static const char each[] = HEAD
	"\"batch\": 2,"
	"\"settings\": {\"domain\": {\"required\": true, \"help\": \"d\"},"
	"               \"ttl\": {\"kind\": \"number\", \"default\": \"60\", \"help\": \"t\"}},"
	"\"values\": {\"kind\": {\"ipv4\": \"1\", \"ipv6\": \"28\"}},"
	"\"requests\": [{\"family\": \"each\", \"method\": \"PUT\","
	" \"url\": \"https://x.org/{domain}\","
	" \"body\": {\"records\": [\"{each}\"]},"
	" \"each\": {\"name\": \"{owner}\", \"type\": \"{kind:raw}\", \"data\": \"{ip}\","
	"            \"ttl\": \"{ttl:raw}\"}}],"
	"\"answers\": [{\"http\": 200, \"means\": \"good\"}]}";

static void records_in_one_request(void **state)
{
	static const struct exchange exchanges[] = {
		{ "PUT https://x.org/x.org {\"records\":["
		  "{\"name\":\"a\",\"type\":1,\"data\":\"81.2.69.7\",\"ttl\":60},"
		  "{\"name\":\"a\",\"type\":28,\"data\":\"2a01:4f8::7\",\"ttl\":60},"
		  "{\"name\":\"@\",\"type\":1,\"data\":\"81.2.69.8\",\"ttl\":60}]}", 200,
		  "" },
		{ "PUT https://x.org/x.org {\"records\":["
		  "{\"name\":\"*\",\"type\":28,\"data\":\"2a01:4f8::7\",\"ttl\":60}]}", 200,
		  "" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_read(&play, each);
	play_set(&play, "domain", "x.org");
	play_want(&play, "a.x.org", v4, "");
	play_want(&play, "x.org", other_v4, "");
	play_want(&play, "a.x.org", v6, "");
	play_want(&play, "*.x.org", v6, "");
	play_all(&play, exchanges);
	for (size_t i = 0; i < 4; i++)
		play_expect(&play, i, MESSAGE_GOOD, "");
	play_done(&play);
}

/* --- pages --- */

static const char counted[] = HEAD
	"\"requests\": ["
	"{\"step\": \"list\", \"url\": \"https://x.org/?p={page}\","
	" \"pages\": {\"items\": \"r\", \"size\": 2, \"first\": 1},"
	" \"read\": {\"id\": {\"json\": \"r[name={hostname},type={rrtype}].id\"}}},"
	"{\"step\": \"set\", \"when\": {\"found\": \"id\"}, \"method\": \"PUT\","
	" \"url\": \"https://x.org/{id}?{ip}\"}],"
	"\"answers\": [{\"http\": 204, \"means\": \"good\"}]}";

#define ITEM(name, id) "{\"name\": \"" name "\", \"type\": \"A\", \"id\": \"" id "\"}"
#define FULL "{\"r\": [" ITEM("q.x.org", "1") "," ITEM("r.x.org", "2") "]}"

static void found_on_a_later_page(void **state)
{
	static const struct exchange exchanges[] = {
		{ "GET https://x.org/?p=1", 200, FULL },
		{ "GET https://x.org/?p=2", 200,
		  "{\"r\": [" ITEM("a.x.org", "3") "," ITEM("s.x.org", "4") "]}" },
		{ "PUT https://x.org/3?81.2.69.7", 204, "" },
		/* both pages are known; this name is on neither */
		{ "GET https://x.org/?p=3", 200, "{\"r\": [" ITEM("t.x.org", "5") "]}" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_read(&play, counted);
	play_want(&play, "a.x.org", v4, "");
	play_want(&play, "b.x.org", v4, "");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_GOOD, "");
	play_expect(&play, 1, MESSAGE_NOHOST, "");
	assert_string_equal(play_outcome(&play, 1)->text, "there is no such record");
	play_done(&play);
}

static void a_list_without_end(void **state)
{
	struct provider_request request;
	struct exchange full = { NULL, 200, FULL };
	struct play play = { 0 };
	int pages = 0;

	(void)state;
	play_read(&play, counted);
	play_want(&play, "a.x.org", v4, "");
	play_begin(&play);
	while (play_next(&play, &request)) {
		provider_request_done(&request);
		play_answer(&play, &full);
		pages++;
	}
	assert_int_equal(pages, CATALOGUE_PAGES_MAX);
	play_expect(&play, 0, MESSAGE_BAD_REQUEST, "");
	play_done(&play);
}

static const char by_url[] = HEAD
	"\"requests\": ["
	"{\"step\": \"list\", \"url\": \"https://x.org/l\","
	" \"pages\": {\"next_url\": \"next\"},"
	" \"read\": {\"id\": {\"json\": \"r[name={hostname}].id\"}}},"
	"{\"step\": \"set\", \"when\": {\"found\": \"id\"}, \"method\": \"PUT\","
	" \"url\": \"https://x.org/{id}?{ip}\"}],"
	"\"answers\": [{\"http\": 204, \"means\": \"good\"}]}";

static void the_next_page_has_a_url(void **state)
{
	static const struct exchange exchanges[] = {
		{ "GET https://x.org/l", 200, "{\"next\": \"https://x.org/l?after=9\"}" },
		{ "GET https://x.org/l?after=9", 200, "{\"next\": \"/l?after=18\"}" },
		{ "GET https://x.org/l?after=18", 200, "{\"next\": null}" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_read(&play, by_url);
	play_want(&play, "a.x.org", v4, "");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_NOHOST, "");
	play_done(&play);
}

static void the_next_page_is_elsewhere(void **state)
{
	static const struct exchange exchanges[] = {
		{ "GET https://x.org/l", 200, "{\"next\": \"https://evil.org/l\"}" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_read(&play, by_url);
	play_want(&play, "a.x.org", v4, "");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_BAD_REQUEST, "");
	play_done(&play);
}

/* --- what follows a write --- */

static const char published[] = HEAD
	"\"requests\": ["
	"{\"step\": \"set\", \"method\": \"PUT\", \"url\": \"https://x.org/{hostname}?{ip}\","
	" \"read\": {\"job\": {\"json\": \"job\"}}},"
	"{\"step\": \"publish\", \"does\": \"clean\", \"method\": \"POST\","
	" \"when\": {\"found\": \"job\"}, \"url\": \"https://x.org/go/{job}\"}],"
	"\"answers\": [{\"http\": 200, \"means\": \"good\"}]}";

static void not_good_until_published(void **state)
{
	static const struct exchange exchanges[] = {
		{ "PUT https://x.org/a.x.org?81.2.69.7", 200, "{\"job\": 5}" },
		{ "POST https://x.org/go/5", 200, "" },
		{ "PUT https://x.org/b.x.org?81.2.69.7", 200, "{\"job\": 6}" },
		{ "POST https://x.org/go/6", 500, "" },
		{ "PUT https://x.org/c.x.org?81.2.69.7", 200, "{}" },
		NONE
	};
	struct play play = { 0 };

	(void)state;
	play_read(&play, published);
	play_want(&play, "a.x.org", v4, "");
	play_want(&play, "b.x.org", v4, "");
	play_want(&play, "c.x.org", v4, "");
	play_all(&play, exchanges);
	play_expect(&play, 0, MESSAGE_GOOD, "");
	play_expect(&play, 1, MESSAGE_TRANSIENT, "");
	play_expect(&play, 2, MESSAGE_GOOD, "");
	play_done(&play);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looked_up_and_written),
		cmocka_unit_test(kept_values_save_a_look),
		cmocka_unit_test(a_setting_saves_a_look),
		cmocka_unit_test(kept_values_that_are_refused),
		cmocka_unit_test(kept_values_not_found),
		cmocka_unit_test(kept_values_stay),
		cmocka_unit_test(no_json),
		cmocka_unit_test(hostile_ids),
		cmocka_unit_test(a_session_of_theirs),
		cmocka_unit_test(no_log_in),
		cmocka_unit_test(records_in_one_request),
		cmocka_unit_test(found_on_a_later_page),
		cmocka_unit_test(a_list_without_end),
		cmocka_unit_test(the_next_page_has_a_url),
		cmocka_unit_test(the_next_page_is_elsewhere),
		cmocka_unit_test(not_good_until_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
