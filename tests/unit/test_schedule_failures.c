/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a failure leaves behind: doubt or none, events, the circuit of several requests in
 * flight, jobs that could not be sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake/world.h"

#define A "81.2.69.1"
#define B "81.2.69.2"

static enum message_verdict answer;

static enum message_verdict world_same(struct world *world, size_t record)
{
	(void)world;
	(void)record;
	return answer;
}

/* A is published; from then on the provider says `answer`, and what is counted is new. */
static struct world *published(size_t names, unsigned parallel)
{
	struct world *world = world_new(1, names, CONFIG_IPV4);

	world->providers[0].facts.parallel = parallel;
	world_start(world);
	world_set(world, AF_INET, A);
	world_run(world, HOUR);
	assert_int_equal(world->request_count, names);
	world->request_count = 0;
	memset(world->events, 0, sizeof(world->events));
	world->provider = world_same;
	return world;
}

/*
 * After what certainly did not happen the old address needs no update; after what may
 * have, it does.
 */
static void test_back_after_failure(void **state)
{
	static const struct {
		enum message_verdict verdict;
		size_t requests;
	} rows[] = {
		{ MESSAGE_UNREACHABLE, 1 }, { MESSAGE_TLS_REFUSED, 1 },
		{ MESSAGE_RATE_LIMITED, 1 }, { MESSAGE_SERVER_ERROR, 1 },
		{ MESSAGE_TRANSIENT, 2 },   { MESSAGE_UNCONFIRMED, 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct world *world = published(1, 1);

		answer = rows[i].verdict;
		world_set(world, AF_INET, B);
		world_run(world, SECOND);
		answer = MESSAGE_GOOD;
		world_set(world, AF_INET, A);
		world_run(world, HOUR);
		assert_int_equal(world->request_count, rows[i].requests);
		assert_int_equal(world_record(world, 0)->state, RECORD_CURRENT);
		world_free(world);
	}
}

static void test_events(void **state)
{
	static const struct {
		enum message_verdict verdict;
		size_t failed_at;	/* which try tells the hook */
	} rows[] = { { MESSAGE_TRANSIENT, 1 }, { MESSAGE_SERVER_ERROR, 1 },
		     { MESSAGE_UNREACHABLE, 3 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct world *world = published(1, 1);

		answer = rows[i].verdict;
		world_set(world, AF_INET, B);
		while (world->request_count < rows[i].failed_at) {
			assert_int_equal(world->events[RECORD_FAILED], 0);
			world_run(world, SECOND);
		}
		world_run(world, SECOND);
		assert_int_equal(world->events[RECORD_FAILED], 1);
		world_run(world, DAY);
		assert_int_equal(world->events[RECORD_FAILED], 1);
		assert_int_equal(world->events[RECORD_RETRYING],
				 world->request_count - 1);
		world_free(world);
	}
}

/*
 * Six hours without a connection, then a 503: its back-off is that of a first failure.
 * And a hiccup of the line between two 503 makes the second no first one.
 */
static void test_unconnected_counts_for_nothing(void **state)
{
	struct world *world = published(1, 1);
	size_t before;

	(void)state;
	answer = MESSAGE_UNREACHABLE;
	world_set(world, AF_INET, B);
	world_run(world, 6 * HOUR);
	assert_int_equal(world->events[RECORD_FAILED], 1);
	answer = MESSAGE_TRANSIENT;
	before = world->request_count;
	while (world->request_count == before)
		world_run(world, SECOND);
	world_run(world, SECOND);
	assert_int_equal(world_record(world, 0)->attempts, 1);
	world_run(world, 40 * SECOND);
	assert_int_equal(world->request_count, before + 2);
	world_run(world, 2 * HOUR);
	answer = MESSAGE_UNREACHABLE;
	before = world->request_count;
	while (world->request_count == before)
		world_run(world, SECOND);
	answer = MESSAGE_TRANSIENT;
	world_run(world, 20 * MINUTE);
	assert_int_equal(world->request_count, before + 2);
	assert_int_equal(world->events[RECORD_FAILED], 1);	/* one row */
	world_free(world);
}

/* One try without a connection, then a 503: that is worth telling. */
static void test_told_after_hiccup(void **state)
{
	struct world *world = published(1, 1);

	(void)state;
	answer = MESSAGE_UNREACHABLE;
	world_set(world, AF_INET, B);
	world_run(world, SECOND);
	answer = MESSAGE_TRANSIENT;
	world_run(world, 15 * SECOND);
	assert_int_equal(world->request_count, 2);
	assert_int_equal(world->events[RECORD_FAILED], 1);
	world_free(world);
}

/* The zone follows five seconds later; killed in between, nothing is sent twice. */
static void test_doubt_waits_for_the_zone(void **state)
{
	struct world *world = published(1, 1);

	(void)state;
	answer = MESSAGE_GOOD;
	world->follows_ms = 5 * SECOND;
	world_set(world, AF_INET, B);
	world_run(world, 100);
	world_restart(world);
	world_set(world, AF_INET, B);
	world_run(world, HOUR);
	assert_int_equal(world->request_count, 1);
	assert_int_equal(world_record(world, 0)->state, RECORD_CURRENT);

	world_set(world, AF_INET, A);		/* the same with the publisher */
	world_run(world, 100);
	world->reply_count = 0;
	schedule_publisher_gone(world->schedule, world->now_ms);
	world_run(world, HOUR);
	assert_int_equal(world->request_count, 2);
	world_free(world);
}

/*
 * The provider stores the address, but its answer makes no sense: a look right before the
 * next try finds it there, and nothing is sent again.
 */
static void test_doubt_is_looked_at(void **state)
{
	static const enum message_verdict verdicts[] = { MESSAGE_TRANSIENT,
							 MESSAGE_UNCONFIRMED };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct world *world = published(1, 1);
		size_t looks = world->look_count;

		answer = verdicts[i];
		world_set(world, AF_INET, B);
		world_run(world, SECOND);
		world_zone(world, AF_INET, B);
		assert_int_equal(world->look_count, looks);
		world_run(world, 40 * SECOND);
		assert_int_equal(world->look_count, looks + 1);
		assert_int_equal(world->request_count, 1);
		assert_int_equal(world_record(world, 0)->state, RECORD_CURRENT);
		assert_int_equal(world->events[RECORD_PUBLISHED], 1);
		world_run(world, DAY);
		assert_int_equal(world->request_count, 1);
		world_free(world);
	}
}

/* Where DNS held it before, a look proves nothing: a wish of the user goes out again. */
static void test_forced_doubt(void **state)
{
	struct world *world = published(1, 1);

	(void)state;
	answer = MESSAGE_TRANSIENT;
	assert_int_equal(schedule_update(world->schedule, NULL, 0, true, world->now_ms),
			 1);
	world_run(world, SECOND);
	answer = MESSAGE_GOOD;
	world_run(world, MINUTE);
	assert_int_equal(world->request_count, 2);
	world_free(world);
}

/* A refresh that fails and fails backs off like any other update. */
static void test_refresh_fails(void **state)
{
	struct world *world = world_new(1, 1, CONFIG_IPV4);

	(void)state;
	world->providers[0].refresh_ms = 2 * HOUR;
	world_start(world);
	world_set(world, AF_INET, A);
	world_run(world, HOUR);
	world->provider = world_same;
	answer = MESSAGE_TRANSIENT;
	world->request_count = 0;
	world_run(world, 3 * HOUR);
	assert_in_range(world->request_count, 8, 12);
	world_free(world);
}

/* The fifth update in ten minutes comes 30 s after the fourth. */
static void test_burst(void **state)
{
	struct world *world = published(1, 1);
	char text[32];

	(void)state;
	answer = MESSAGE_GOOD;
	for (int i = 0; i < 30; i++) {
		snprintf(text, sizeof(text), "81.2.70.%d", i + 1);
		world_set(world, AF_INET, text);
		world_run(world, 4 * SECOND);
	}
	assert_true(world->request_count > 5);
	assert_true(world->requests[3].ms - world->requests[0].ms <= 15 * SECOND);
	assert_in_range(world->requests[4].ms - world->requests[3].ms, 30 * SECOND,
			34 * SECOND);
	assert_in_range(world->requests[5].ms - world->requests[4].ms, 60 * SECOND,
			64 * SECOND);
	world_free(world);
}

/*
 * Three requests of one outage are one failure; then one at a time, until one is
 * answered.
 */
static void test_parallel_outage(void **state)
{
	struct world *world = published(9, 3);
	int64_t start_ms = world->now_ms;

	(void)state;
	answer = MESSAGE_TRANSIENT;
	world_set(world, AF_INET, B);
	world_run(world, 20 * SECOND);
	assert_int_equal(world->request_count, 3);
	world_run(world, 20 * SECOND);
	assert_int_equal(world->request_count, 4);	/* after 30 s: not after 120 */
	world->provider_ms = 5 * SECOND;
	answer = MESSAGE_GOOD;
	while (world->request_count < 5)
		world_run(world, SECOND);
	world_run(world, 3 * SECOND);
	assert_int_equal(world->request_count, 5);	/* the probe alone */
	world_run(world, 5 * SECOND);
	assert_true(world->request_count >= 8);
	world_run(world, 5 * MINUTE);
	assert_int_equal(world_requests(world, start_ms, INT64_MAX), 4 + 9);
	world_free(world);
}

/* The channel is full, again and again: nothing is counted, nothing is lost. */
static void test_unsent(void **state)
{
	struct world *world = published(1, 1);
	struct schedule_job job;

	(void)state;
	answer = MESSAGE_GOOD;
	world_set(world, AF_INET, B);
	for (int i = 0; i < 1000; i++) {
		assert_true(schedule_next(world->schedule, world->now_ms, &job));
		assert_int_equal(job.kind, MESSAGE_UPDATE_RECORDS);
		assert_true(addr_equal(&job.records[0].address,
				       &world_record(world, 0)->wanted));
		schedule_unsent(world->schedule, job.number, world->now_ms);
		world->now_ms += 10;
	}
	world_run(world, MINUTE);
	assert_int_equal(world->request_count, 1);
	assert_int_equal(world_record(world, 0)->state, RECORD_CURRENT);
	world_free(world);
}

/* Answers that nobody waits for change nothing. */
static void test_strange_answers(void **state)
{
	struct world *world = published(2, 1);
	struct message_result result = { .head = { MESSAGE_RESULT, 0 },
					 .verdict = MESSAGE_ABUSE };
	struct schedule_report report;
	struct schedule_job job;

	(void)state;
	world_set(world, AF_INET, B);
	assert_true(schedule_next(world->schedule, world->now_ms, &job));
	for (uint32_t number = 0; number < 200; number++)
		for (uint32_t record = 0; record < 300; record += 1 + record / 4) {
			bool ours = number == job.number &&
				    record == job.records[0].record;

			result.head.number = number;
			result.record = record;
			if (ours)
				continue;
			report = schedule_answer(world->schedule, &result, world->now_ms,
						 world_wall_s(world), 0);
			assert_int_equal(report.record, SCHEDULE_NO_RECORD);
		}
	assert_int_equal(world_record(world, 0)->refusal, 0);
	result.head.number = job.number;
	result.record = job.records[0].record;
	result.verdict = MESSAGE_GOOD;
	report = schedule_answer(world->schedule, &result, world->now_ms,
				 world_wall_s(world), 0);
	assert_int_equal(report.record, job.records[0].record);
	result.verdict = MESSAGE_ABUSE;		/* twice the same */
	report = schedule_answer(world->schedule, &result, world->now_ms,
				 world_wall_s(world), 0);
	assert_int_equal(report.record, SCHEDULE_NO_RECORD);
	assert_int_equal(world_record(world, 0)->refusal, 0);
	world_free(world);
}

/* One job of the given kind, handed over and not yet answered. */
static struct message_result awaited(struct world *world, enum message_job_kind kind)
{
	struct message_result result = { .head = { MESSAGE_RESULT, 0 } };
	struct schedule_job job;

	if (kind == MESSAGE_CHECK)
		world->now_ms += HOUR;
	else
		world_set(world, AF_INET, B);
	if (kind == MESSAGE_VERIFY) {
		world->follows_ms = -1;
		world_run(world, 500);
		schedule_publisher_gone(world->schedule, world->now_ms);
		world->reply_count = 0;
		world->now_ms += MINUTE;
	}
	assert_true(schedule_next(world->schedule, world->now_ms, &job));
	assert_int_equal(job.kind, kind);
	result.head.number = job.number;
	result.record = job.records[0].record;
	return result;
}

/* A hostile publisher: each verdict to each kind of job. None is kept that cannot be. */
static void test_verdict_of_another_kind(void **state)
{
	static const struct {
		enum message_job_kind kind;
		uint32_t first, last;
	} rows[] = {
		{ MESSAGE_CHECK, MESSAGE_ANSWER, MESSAGE_NO_ANSWER },
		{ MESSAGE_VERIFY, MESSAGE_ANSWER, MESSAGE_NOT_YET },
		{ MESSAGE_UPDATE_RECORDS, MESSAGE_GOOD, MESSAGE_TLS_REFUSED },
	};

	(void)state;
	answer = MESSAGE_GOOD;
	for (size_t i = 0; i < 3; i++)
		for (uint32_t verdict = 1; verdict <= MESSAGE_TLS_REFUSED; verdict++) {
			bool may = verdict >= rows[i].first && verdict <= rows[i].last;
			struct world *world = published(1, 1);
			struct message_result result = awaited(world, rows[i].kind);
			struct schedule_report report;
			struct record_saved saved;

			result.verdict = verdict;
			assert_int_equal(schedule_may_answer(world->schedule, &result),
					 may);
			report = schedule_answer(world->schedule, &result, world->now_ms,
						 world_wall_s(world), 0);
			assert_int_equal(report.record, may ? 0 : SCHEDULE_NO_RECORD);
			record_save(world_record(world, 0), world->now_ms,
				    world_wall_s(world), &saved);
			assert_true(record_saved_ok(&saved));
			assert_int_equal(schedule_in_flight(world->schedule), !may);
			world_free(world);
		}
}

/* A look for IPv4 that brings IPv6; an answer twice; a record of no job; a late one. */
static void test_what_may_be_answered(void **state)
{
	struct world *world = published(2, 1);
	struct message_result result = awaited(world, MESSAGE_CHECK);

	(void)state;
	result.verdict = MESSAGE_ANSWER;
	result.address_count = 1;
	result.addresses[0] = world_address("2a00:1450::a");
	assert_false(schedule_may_answer(world->schedule, &result));
	result.addresses[0] = world_address(A);
	assert_true(schedule_may_answer(world->schedule, &result));
	result.record = 7;
	assert_false(schedule_may_answer(world->schedule, &result));
	result.record = 0;
	schedule_answer(world->schedule, &result, world->now_ms, world_wall_s(world), 0);
	assert_false(schedule_may_answer(world->schedule, &result));
	result.head.number += 1000;
	assert_true(schedule_may_answer(world->schedule, &result));
	world_free(world);
}

/* The user need not wait for the back-off: once a minute. */
static void test_ask_in_outage(void **state)
{
	struct world *world = published(5, 1);
	size_t before;

	(void)state;
	answer = MESSAGE_TRANSIENT;
	world_set(world, AF_INET, B);
	world_run(world, 6 * HOUR);
	before = world->request_count;
	for (int i = 0; i < 30; i++) {
		schedule_update(world->schedule, NULL, 0, i % 2, world->now_ms);
		world_run(world, SECOND);
	}
	assert_in_range(world->request_count, before + 1, before + 2);
	world_run(world, MINUTE);
	answer = MESSAGE_GOOD;
	before = world->request_count;
	assert_int_equal(schedule_update(world->schedule, NULL, 0, false, world->now_ms),
			 5);
	world_run(world, 3 * SECOND);
	assert_int_equal(world->request_count, before + 5);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_back_after_failure),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_unconnected_counts_for_nothing),
		cmocka_unit_test(test_told_after_hiccup),
		cmocka_unit_test(test_doubt_waits_for_the_zone),
		cmocka_unit_test(test_doubt_is_looked_at),
		cmocka_unit_test(test_forced_doubt),
		cmocka_unit_test(test_refresh_fails),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_parallel_outage),
		cmocka_unit_test(test_ask_in_outage),
		cmocka_unit_test(test_unsent),
		cmocka_unit_test(test_strange_answers),
		cmocka_unit_test(test_verdict_of_another_kind),
		cmocka_unit_test(test_what_may_be_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
