/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every answer costs in requests: each HTTP status from 200 to 599 with each word of
 * dyndns2 in its body, judged, and then given to every update for two virtual weeks. What
 * is expected stands here by status and word, not by verdict.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "answer_room.h"
#include "fake/world.h"
#include "hairpin/order.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define A "81.2.69.1"

enum { WEEKS_MS = 14 * 24 * 3600 * 1000 };

/* What the protocol asks of a client. */
enum duty {
	ONCE,		/* it went well */
	NEVER_AGAIN,	/* refused until the user acts */
	TWICE,		/* the same, after two in a row */
	HALF_AN_HOUR,	/* not before 30 minutes */
	AS_TOLD,	/* not before the time that the answer names */
	EVER_SLOWER,	/* 8 in the first hour, 3 in each later one, 60 a day */
};

static const struct {
	const char *body;
	enum duty duty;			/* under 2xx */
	bool refuses, patience;		/* a word that 403, and 5xx, listen to */
} words[] = {
	{ "good 81.2.69.1", ONCE, false, false },
	{ "nochg 81.2.69.1", ONCE, false, false },
	{ "good 127.0.0.1", NEVER_AGAIN, true, false },
	{ "badauth", NEVER_AGAIN, true, false },
	{ "!donator", NEVER_AGAIN, true, false },
	{ "notfqdn", NEVER_AGAIN, true, false },
	{ "nohost", NEVER_AGAIN, true, false },
	{ "!yours", NEVER_AGAIN, true, false },
	{ "!active", NEVER_AGAIN, true, false },
	{ "numhost", NEVER_AGAIN, true, false },
	{ "abuse", NEVER_AGAIN, true, false },
	{ "badagent", NEVER_AGAIN, true, false },
	{ "badsys", NEVER_AGAIN, true, false },
	{ "dnserr", HALF_AN_HOUR, true, true },
	{ "911", HALF_AN_HOUR, true, true },
	{ "w90m", AS_TOLD, true, true },
	{ "w2h", AS_TOLD, true, true },
	{ "", EVER_SLOWER, false, false },
	{ "<html>good</html>", EVER_SLOWER, false, false },
	{ "ok", EVER_SLOWER, false, false },
	{ "Good", EVER_SLOWER, false, false },
	{ "wait", EVER_SLOWER, false, false },
};

/* Is it the word that counts, or the status? */
static bool word_counts(unsigned status, size_t word)
{
	if (status == 403)
		return words[word].refuses;
	return status <= 299 || (status >= 500 && words[word].patience);
}

static enum duty duty_of(unsigned status, size_t word, bool retry_after)
{
	enum duty slower = retry_after ? AS_TOLD : EVER_SLOWER;

	if (word_counts(status, word))
		return words[word].duty == EVER_SLOWER ? slower : words[word].duty;
	if (status <= 399)
		return TWICE;
	if (status == 401 || status == 403)
		return NEVER_AGAIN;
	if (status == 408 || status == 421 || status == 425 || status == 429)
		return slower;
	return status <= 499 ? TWICE : slower;
}

/* --- two weeks of one verdict ------------------------------------------------------ */

static enum message_verdict answer;

static enum message_verdict world_same(struct world *world, size_t record)
{
	(void)world;
	(void)record;
	return answer;
}

struct weeks {
	enum message_verdict verdict;
	uint32_t retry_after_s;
	size_t requests, most_hour, most_later_hour, most_day;
	int64_t least_gap_ms;
};

static void live(struct weeks *weeks)
{
	struct world *world = world_new(1, 1, CONFIG_IPV4);
	int64_t first_ms;

	world_start(world);
	world->provider = world_same;
	answer = weeks->verdict;
	world->retry_after_s = weeks->retry_after_s;
	world_set(world, AF_INET, A);
	world_run(world, WEEKS_MS);
	weeks->requests = world->request_count;
	weeks->most_hour = world_most(world, HOUR);
	weeks->most_day = world_most(world, DAY);
	weeks->least_gap_ms = WEEKS_MS;
	for (size_t i = 1; i < world->request_count; i++)
		if (world->requests[i].ms - world->requests[i - 1].ms <
		    weeks->least_gap_ms)
			weeks->least_gap_ms = world->requests[i].ms -
					      world->requests[i - 1].ms;
	first_ms = world->request_count > 0 ? world->requests[0].ms : 0;
	for (int64_t hour = 1; hour < 14 * 24 - 1; hour++) {
		size_t count = world_requests(world, first_ms + hour * HOUR,
					      first_ms + (hour + 1) * HOUR);

		if (count > weeks->most_later_hour)
			weeks->most_later_hour = count;
	}
	world_free(world);
}

/* Few verdicts come of many answers: each is lived through once. */
static const struct weeks *weeks_of(enum message_verdict verdict, uint32_t retry_after_s)
{
	static struct weeks known[64];
	static size_t count;

	for (size_t i = 0; i < count; i++)
		if (known[i].verdict == verdict &&
		    known[i].retry_after_s == retry_after_s)
			return &known[i];
	assert_true(count < COUNT(known));
	known[count] = (struct weeks){ .verdict = verdict,
				       .retry_after_s = retry_after_s };
	live(&known[count]);
	return &known[count++];
}

static bool is_done(enum duty duty, const struct weeks *weeks, int64_t wait_ms)
{
	switch (duty) {
	case ONCE:
	case NEVER_AGAIN:
		return weeks->requests == 1;
	case TWICE:
		return weeks->requests == 2 && weeks->least_gap_ms >= 24 * SECOND;
	case HALF_AN_HOUR:
		return weeks->requests >= 14 * 20 && weeks->most_hour <= 2 &&
		       weeks->least_gap_ms >= 30 * MINUTE;
	case AS_TOLD:
		return weeks->requests >= 14 * 10 && wait_ms > 0 &&
		       weeks->least_gap_ms >= wait_ms;
	case EVER_SLOWER:
		return weeks->requests > 14 * 24 && weeks->most_hour <= 8 &&
		       weeks->most_later_hour <= 3 && weeks->most_day <= 60;
	}
	return false;
}

/* --- the table --------------------------------------------------------------------- */

/* What header and word ask for, whichever is longer. */
static int64_t wait_of(unsigned status, size_t word, bool retry_after)
{
	int64_t header_ms = retry_after ? HOUR : 0, word_ms = 0;

	if (words[word].duty == AS_TOLD && word_counts(status, word))
		word_ms = strcmp(words[word].body, "w2h") == 0 ? 2 * HOUR : 90 * MINUTE;
	return MAX(header_ms, word_ms);
}

static void check(unsigned status, size_t word, bool retry_after)
{
	static const struct catalogue catalogue = { .protocol = CATALOGUE_DYNDNS2 };
	const struct addr sent = world_address(A);
	struct provider_answer reply = {
		.http_status = status, .body = words[word].body,
		.length = strlen(words[word].body), .https = true,
		.retry_after = retry_after ? "3600" : "", .headers = "",
		.wall_s = WORLD_WALL_S,
	};
	enum duty duty = duty_of(status, word, retry_after);
	int64_t wait_ms = wait_of(status, word, retry_after);
	struct provider_verdict verdict;
	const struct weeks *weeks;

	verdict = answer_judge(&catalogue, &reply, &sent);
	weeks = weeks_of(verdict.verdict, verdict.retry_after_s);
	if (!is_done(duty, weeks, wait_ms))
		fail_msg("%u \"%s\": %s, %zu requests, duty %d", status,
			 words[word].body, message_verdict_name(verdict.verdict),
			 weeks->requests, duty);
}

static void every_status_and_word(void **state)
{
	(void)state;
	for (unsigned status = 200; status <= 599; status++)
		for (size_t word = 0; word < COUNT(words); word++)
			check(status, word, false);
}

/* The same where the answer has a Retry-After of an hour. */
static void with_retry_after(void **state)
{
	(void)state;
	for (unsigned status = 200; status <= 599; status++)
		for (size_t word = 0; word < COUNT(words); word++)
			check(status, word, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_and_word),
		cmocka_unit_test(with_retry_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
