/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a record outlives the process, and what a wrong clock or a strange file does to
 * it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake/world.h"

#define A "81.2.69.1"
#define B "81.2.69.2"

static struct record_saved good_saved(void)
{
	struct record_saved saved = {
		.verified = true, .refusal = MESSAGE_ABUSE, .last_answer = MESSAGE_ABUSE,
		.attempts = 3, .repairs = 2, .ttl_s = 3600, .wait = RECORD_WAIT_OBEY,
		.retry_wait_s = 86400, .retry_wall_s = WORLD_WALL_S + 60,
		.published_wall_s = WORLD_WALL_S, .fingerprint = UINT64_MAX,
		.reason = "abuse: blocked\\x0a caf\xc3\xa9", .memo = "zone=1",
	};

	saved.published = saved.sent = world_address(A);
	return saved;
}

#define BAD(field, value) do { \
		struct record_saved bad = good_saved(); \
		bad.field = value; \
		if (record_saved_ok(&bad)) \
			fail_msg("accepted: " #field " = " #value); \
	} while (0)

#define BAD_TEXT(field, string) do { \
		struct record_saved bad = good_saved(); \
		memcpy(bad.field, string, sizeof(string)); \
		if (record_saved_ok(&bad)) \
			fail_msg("accepted: " #field " = " #string); \
	} while (0)

static void test_strange_file(void **state)
{
	struct record_saved saved = good_saved();

	(void)state;
	assert_true(record_saved_ok(&saved));
	assert_true(record_saved_ok(&(struct record_saved){ 0 }));
	BAD(published.family, 7);
	BAD(published.bytes[4], 1);
	BAD(former.bytes[0], 1);
	BAD(sent.family, 1);
	BAD(refusal, MESSAGE_GOOD);
	BAD(refusal, MESSAGE_TRANSIENT);
	BAD(refusal, 99);
	BAD(last_answer, MESSAGE_ANSWER);
	BAD(last_answer, MESSAGE_TLS_REFUSED + 1);
	BAD(attempts, UINT32_MAX);
	BAD(bad_requests, UINT32_MAX);
	BAD(repairs, UINT32_MAX);
	BAD(ttl_s, 604801);
	BAD(wait, RECORD_WAIT_ADDRESS);
	BAD(wait, 99);
	BAD(retry_wait_s, 86401);
	BAD(retry_wall_s, -1);
	BAD(retry_wall_s, INT64_MAX);
	BAD(published_wall_s, INT64_MIN);
	BAD(unchanged_wall_s, INT64_MAX);
	BAD(repaired_wall_s, -1);
	BAD(sent_wall_s[0], -1);
	BAD(sent_wall_s[3], INT64_MAX);
	BAD_TEXT(reason, "a\nb");
	BAD_TEXT(memo, "\x1b");
	memset(saved.reason, 'x', sizeof(saved.reason));
	assert_false(record_saved_ok(&saved));
	saved = good_saved();
	memset(saved.memo, 'x', sizeof(saved.memo));
	assert_false(record_saved_ok(&saved));
}

static const struct record_rules rules = {
	.check = true, .verify = true, .check_every_ms = 600000, .fingerprint = 5,
};

static void test_round_trip(void **state)
{
	struct record_saved saved = good_saved(), again;
	struct record record;

	(void)state;
	saved.fingerprint = 5;
	saved.announce = saved.held = true;
	saved.unchanged_wall_s = WORLD_WALL_S - 1000;
	saved.repaired_wall_s = WORLD_WALL_S - 2000;
	for (int i = 0; i < RECORD_BURST; i++)
		saved.sent_wall_s[i] = WORLD_WALL_S - 100 + i;
	record_init(&record, AF_INET, &rules, &saved, 5000, WORLD_WALL_S);
	assert_int_equal(record.state, RECORD_DISABLED);
	record_save(&record, 65000 - 10000, WORLD_WALL_S + 50, &again);
	assert_memory_equal(&saved.published, &again.published, sizeof(saved.published));
	assert_memory_equal(saved.sent_wall_s, again.sent_wall_s,
			    sizeof(saved.sent_wall_s));
	assert_int_equal(again.retry_wall_s, saved.retry_wall_s);
	assert_int_equal(again.retry_wait_s, saved.retry_wait_s);
	assert_int_equal(again.published_wall_s, saved.published_wall_s);
	assert_int_equal(again.unchanged_wall_s, saved.unchanged_wall_s);
	assert_int_equal(again.repaired_wall_s, saved.repaired_wall_s);
	assert_int_equal(again.refusal, saved.refusal);
	assert_int_equal(again.wait, saved.wait);
	assert_int_equal(again.attempts, saved.attempts);
	assert_true(again.verified && again.announce && again.held && !again.in_doubt);
	assert_string_equal(again.reason, saved.reason);
	assert_string_equal(again.memo, saved.memo);
	record_done(&record);
}

/*
 * Another account: no refusal, no memo, no back-off; but what is published stays known.
 */
static void test_another_account(void **state)
{
	struct record_saved saved = good_saved();
	struct record record;
	struct addr a = world_address(A);

	(void)state;
	saved.wait = RECORD_WAIT_RETRY;
	record_init(&record, AF_INET, &rules, &saved, 0, WORLD_WALL_S);
	assert_int_equal(record.refusal, 0);
	assert_null(record.memo);
	record_want(&record, &a, 0);
	assert_int_equal(record.state, RECORD_CURRENT);
	record_done(&record);
}

/* "badagent" is about us: over for another version, and that forgives nothing else. */
static void test_another_version(void **state)
{
	static const uint32_t refusals[] = { MESSAGE_BADAGENT, MESSAGE_BADAUTH,
					     MESSAGE_ABUSE, MESSAGE_NOHOST };
	struct record_rules first = rules, later = rules;

	(void)state;
	first.program = 100;
	later.program = 101;
	for (size_t i = 0; i < 4; i++) {
		struct record_saved saved;
		struct record record;

		record_init(&record, AF_INET, &first, NULL, 0, WORLD_WALL_S);
		record_refuse(&record, refusals[i], "");
		record_save(&record, 1000, WORLD_WALL_S, &saved);
		record_done(&record);
		record_init(&record, AF_INET, &first, &saved, 0, WORLD_WALL_S);
		assert_int_equal(record.refusal, refusals[i]);
		record_done(&record);
		record_init(&record, AF_INET, &later, &saved, 0, WORLD_WALL_S);
		assert_int_equal(record.refusal, i == 0 ? 0 : refusals[i]);
		record_done(&record);
	}
}

/* The file is of a record of the other family. */
static void test_other_family(void **state)
{
	struct record_saved saved = good_saved();
	struct record record;

	(void)state;
	record_init(&record, AF_INET6, &rules, &saved, 0, WORLD_WALL_S);
	assert_true(addr_is_none(&record.published));
	assert_true(addr_is_none(&record.sent));
	record_done(&record);
}

/*
 * A wait is never longer than it was meant, and never over too soon, whatever the clock
 * says.
 */
static void test_wait_and_clock(void **state)
{
	static const struct {
		/* at the restart; the wait was saved with 3600 s to go */
		int64_t wall_s;
		int64_t left_s;
	} rows[] = {
		{ WORLD_WALL_S, 3600 },		 { WORLD_WALL_S + 600, 3000 },
		{ WORLD_WALL_S + 3600, 0 },	 { WORLD_WALL_S + 864000, 0 },
		{ WORLD_WALL_S - 864000, 3600 }, { 100, 3600 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct record_saved saved = {
			.wait = RECORD_WAIT_OBEY, .retry_wait_s = 3600,
			.retry_wall_s = WORLD_WALL_S + 3600, .fingerprint = 5,
			.last_answer = MESSAGE_RATE_LIMITED,
		};
		struct record record;
		struct addr a = world_address(A);

		record_init(&record, AF_INET, &rules, &saved, 0, rows[i].wall_s);
		record_want(&record, &a, 0);
		assert_int_equal(record.state,
				 rows[i].left_s ? RECORD_WAITING : RECORD_STALE);
		if (rows[i].left_s)
			assert_int_equal(record.retry_ms, rows[i].left_s * 1000);
		record_done(&record);
	}
}

/* A clock of 1970, then the right one: nothing is overdue, nothing refreshed. */
static void test_refresh_and_clock(void **state)
{
	struct world *world = world_new(1, 1, CONFIG_IPV4);

	(void)state;
	world->wall_s = 100;
	world->providers[0].refresh_ms = 25 * DAY;
	world_start(world);
	world_set(world, AF_INET, A);
	world_run(world, MINUTE);
	assert_int_equal(world->request_count, 1);
	for (int i = 0; i < 5; i++) {
		int64_t wall_s = i % 2 ? 100 : WORLD_WALL_S + i * 40 * 86400;

		world_restart_after(world, wall_s - world->wall_s);
		world_set(world, AF_INET, A);
		world_run(world, 30 * MINUTE);
	}
	assert_int_equal(world->request_count, 1);
	world_free(world);
}

/* An overdue refresh waits an hour after the start, so that restarts never bring it. */
static void test_refresh_overdue(void **state)
{
	struct world *world = world_new(1, 1, CONFIG_IPV4);

	(void)state;
	world->providers[0].refresh_ms = 25 * DAY;
	world_start(world);
	world_set(world, AF_INET, A);
	world_run(world, MINUTE);
	for (int i = 0; i < 100; i++) {
		world_restart_after(world, i == 0 ? 40 * 86400 : 0);
		world_set(world, AF_INET, A);
		world_run(world, 10 * MINUTE);
	}
	assert_int_equal(world->request_count, 1);
	world_run(world, HOUR);
	assert_int_equal(world->request_count, 2);
	world_free(world);
}

/* Every struct that is saved at any moment of a wild life can be read again. */
static enum message_verdict world_any(struct world *world, size_t record)
{
	(void)record;
	return (enum message_verdict)(MESSAGE_GOOD + (world_roll(world) >> 20) % 15);
}

static void test_wild_life(void **state)
{
	struct world *world = world_new(2, 4, CONFIG_IPV4 | CONFIG_IPV6);

	(void)state;
	world->provider = world_any;
	world->providers[0].facts.dual = true;
	world->providers[0].facts.batch_hostnames = 3;
	world->providers[0].facts.other_family = CATALOGUE_OTHER_DELETED;
	world_start(world);
	for (int i = 0; i < 5000; i++) {
		uint32_t roll = world_roll(world) >> 24;

		world->dns = roll % 5 ? MESSAGE_ANSWER : roll % 2 ? MESSAGE_NO_ANSWER
								  : MESSAGE_NO_PROOF;
		world->follows_ms = roll % 7 ? (int64_t)roll * 100 : -1;
		world_set(world, AF_INET, roll % 3 ? A : roll % 2 ? B : NULL);
		world_set(world, AF_INET6, roll % 4 ? "2a00:1450::a" : NULL);
		schedule_route(world->schedule, 0, roll % 11 != 0, world->now_ms);
		if (roll % 13 == 0)
			schedule_update(world->schedule, NULL, 0, true, world->now_ms);
		if (roll % 17 == 0)
			world_restart(world);
		if (roll % 19 == 0) {
			world->reply_count = 0;
			schedule_publisher_gone(world->schedule, world->now_ms);
		}
		world_run(world, roll * roll * 10);
	}
	for (size_t i = 0; i < schedule_count(world->schedule); i++)
		assert_true(world->updates_of[i] > 0);
	world_free(world);
}

/* The first wait of a row: 30 s after words of the server, less where none was reached. */
static void test_first_waits(void **state)
{
	static const struct {
		enum message_verdict verdict;
		int64_t wall_s, wait_ms;
	} rows[] = {
		{ MESSAGE_TRANSIENT, RECORD_SANE_WALL_S, RECORD_BACKOFF_MS },
		{ MESSAGE_TLS_REFUSED, RECORD_SANE_WALL_S, RECORD_BACKOFF_MS },
		{ MESSAGE_TLS_REFUSED, 0, RECORD_CLOCK_RETRY_MS },
		{ MESSAGE_UNREACHABLE, RECORD_SANE_WALL_S, 5000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (uint32_t dice = 0; dice < 16; dice++)
			assert_in_range(record_backoff_ms(rows[i].verdict, 1, 0,
							  rows[i].wall_s, dice << 28),
					rows[i].wait_ms * 4 / 5, rows[i].wait_ms * 6 / 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_waits),
		cmocka_unit_test(test_strange_file),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_another_account),
		cmocka_unit_test(test_another_version),
		cmocka_unit_test(test_other_family),
		cmocka_unit_test(test_wait_and_clock),
		cmocka_unit_test(test_refresh_and_clock),
		cmocka_unit_test(test_refresh_overdue),
		cmocka_unit_test(test_wild_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
