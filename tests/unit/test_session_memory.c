/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * No memory, at each allocation of an update in turn: what is asked is what would be asked
 * otherwise or nothing, never another record or address; what was not answered is not good.
 */
#include "session_room.h"

#include "figure.h"
#include "torture/alone.h"

/* What was kept of the last time is the record. */
static const char of_memory[] = HEAD
	"\"settings\": {\"id\": {\"default\": \"\", \"help\": \"i\"}},"
	"\"requests\": ["
	"{\"step\": \"update\", \"when\": {\"found\": \"id\"}, \"method\": \"PATCH\","
	" \"url\": \"https://x.org/{id}\", \"body\": {\"addr\": \"{ip}\"}},"
	"{\"step\": \"create\", \"when\": {\"missing\": \"id\"}, \"method\": \"POST\","
	" \"url\": \"https://x.org/\", \"body\": {\"addr\": \"{ip}\"},"
	" \"read\": {\"id\": {\"json\": \"id\"}}, \"keep\": [\"id\"]}],"
	"\"answers\": [{\"json\": \"ok\", \"is\": true, \"means\": \"good\"}]}";

static const struct exchange by_memory[] = {
	{ "PATCH https://x.org/7 {\"addr\":\"81.2.69.7\"}", 200, "{\"ok\": true}" },
};

static const struct exchange looked_for[] = {
	{ "GET https://x.org/zones", 200, "[{\"id\": \"z1\", \"name\": \"x.org\"}]" },
	{ "GET https://x.org/z1/A/a.x.org", 200, "{\"id\": 7, \"addr\": \"81.2.69.8\"}" },
	{ "PATCH https://x.org/z1/7 {\"addr\":\"81.2.69.7\"}", 200, "{\"ok\": true}" },
};

static const struct exchange *exchanges;
static size_t exchange_count;
static struct play play;
static long wrong;

static bool next(struct provider_request *ret_request)
{
	bool more;

	alone.armed = true;
	more = play_next(&play, ret_request);
	alone_end();
	return more;
}

/* The answers to all that it asks; true where the last one was given, too. */
static bool talk(void)
{
	struct provider_request request;
	size_t at = 0;

	while (next(&request)) {
		char line[4096];

		snprintf(line, sizeof(line), "%s %s%s%s", request.method, request.url,
			 request.body ? " " : "", request.body ? request.body : "");
		if (at == exchange_count || strcmp(line, exchanges[at].asks) != 0) {
			print_error("allocation %lu: %s\n", alone.wanted, line);
			wrong++;
		}
		provider_request_done(&request);
		if (at == exchange_count)
			return false;
		alone.armed = true;
		play_answer(&play, &exchanges[at++]);
		alone_end();
	}
	return at == exchange_count;
}

static void update(void)
{
	struct provider_job job = {
		.catalogue = play.catalogue, .settings = play.settings,
		.setting_count = play.setting_count, .records = play.records,
		.record_count = play.record_count };
	const struct provider_outcome *outcome;
	struct err err = { "" };
	int result;
	bool whole;

	play.session = NULL;
	alone_begin();
	result = provider_session_new(&job, &play.session, &err);
	alone_end();
	if (result < 0) {
		assert_null(play.session);
		assert_true(alone.met);
		return;
	}
	whole = talk();
	outcome = play_outcome(&play, 0);
	if (outcome && outcome->verdict.verdict == MESSAGE_GOOD && !whole) {
		print_error("allocation %lu: good without an answer\n", alone.wanted);
		wrong++;
	}
	if (!alone.met)
		assert_int_equal(outcome->verdict.verdict, MESSAGE_GOOD);
	provider_session_free(play.session);
	play.session = NULL;
}

static unsigned long walk(const char *text, const char *memo, const struct exchange *list,
			  size_t count)
{
	unsigned long failed;

	exchanges = list;
	exchange_count = count;
	play_read(&play, text);
	play_set(&play, "token", "secret-token");
	play_want(&play, "a.x.org", "81.2.69.7", memo);
	failed = alone_walk(update);
	play_done(&play);
	return failed;
}

static void nothing_wrong_is_published(void **state)
{
	(void)state;
	assert_true(walk(zones_description, "", looked_for, 3) > 50);
	assert_true(walk(of_memory, "id=7", by_memory, 1) > 20);
	figure_exactly("F62", "wrong requests and false successes of updates without memory",
		       wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_wrong_is_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
