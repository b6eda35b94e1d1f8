/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Large jobs and many of them: names that share look-ups, a hundred requests at once,
 * limits a minute by names, and what the state file knows before anything is sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake/world.h"

#define A "81.2.69.7"
#define B "81.2.69.8"
#define A6 "2a00:1450::7"

static bool next_update(struct world *world, struct schedule_job *job)
{
	while (schedule_next(world->schedule, world->now_ms, job)) {
		if (job->kind == MESSAGE_UPDATE_RECORDS)
			return true;
		world_serve(world, job);
	}
	return false;
}

static void begin(struct world *world)
{
	world_start(world);
	world_set(world, AF_INET, A);
	world_set(world, AF_INET6, A6);
}

static struct world *sharing(size_t names, unsigned families)
{
	struct world *world = world_new(1, names, families);

	world->providers[0].check = false;
	world->providers[0].facts.batch_hostnames = 20;
	world->providers[0].facts.own_addresses = true;
	world->providers[0].facts.parallel = 100;
	return world;
}

/* Names of different addresses, and both families of each, go into one job. */
static void test_own_addresses(void **state)
{
	struct world *world = sharing(30, CONFIG_IPV4 | CONFIG_IPV6);
	struct addr other = world_address(B);
	struct schedule_job job;

	(void)state;
	begin(world);
	record_want(world_record(world, 4), &other, 0);
	world->now_ms += 3 * SECOND;		/* it stands */
	assert_true(next_update(world, &job));
	assert_int_equal(job.count, 40);	/* 20 names */
	for (size_t i = 0; i < job.count; i += 2) {
		assert_int_equal(job.records[i].record + 1, job.records[i + 1].record);
		assert_int_equal(job.records[i].address.family, AF_INET);
		assert_int_equal(job.records[i + 1].address.family, AF_INET6);
	}
	assert_true(addr_equal(&job.records[4].address, &other));
	assert_true(next_update(world, &job));
	assert_int_equal(job.count, 20);
	assert_false(next_update(world, &job));
	world_free(world);
}

/* A job has time for its records' requests, one of them at most its own. */
static void test_time(void **state)
{
	static const struct {
		size_t names;
		uint32_t request_ms, job_ms;
	} rows[] = { { 1, 30000, 120000 }, { 20, 2000, 46000 }, { 20, 30000, 300000 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct world *world = sharing(rows[i].names, CONFIG_IPV4);
		struct schedule_job job;

		world->providers[0].timeout_ms = rows[i].request_ms;
		begin(world);
		assert_true(next_update(world, &job));
		assert_int_equal(job.request_ms, rows[i].request_ms);
		assert_int_equal(job.timeout_ms, rows[i].job_ms);
		world_free(world);
	}
}

/* Without, only names that get the same data do. */
static void test_same_data(void **state)
{
	struct world *world = sharing(5, CONFIG_IPV4);
	struct addr other = world_address(B);
	struct schedule_job job;

	(void)state;
	world->providers[0].facts.own_addresses = false;
	begin(world);
	record_want(world_record(world, 2), &other, 0);
	world->now_ms += 3 * SECOND;
	assert_true(next_update(world, &job));
	assert_int_equal(job.count, 4);
	assert_true(next_update(world, &job));
	assert_int_equal(job.count, 1);
	assert_int_equal(job.records[0].record, 2);
	world_free(world);
}

/* Where an update deletes what it does not name, the other family comes along. */
static void test_passenger(void **state)
{
	struct world *world = sharing(2, CONFIG_IPV4 | CONFIG_IPV6);
	struct schedule_job job;

	(void)state;
	world->providers[0].facts.other_family = CATALOGUE_OTHER_DELETED;
	begin(world);
	world_run(world, HOUR);
	world_set(world, AF_INET, B);
	assert_true(next_update(world, &job));
	assert_int_equal(job.count, 4);
	for (size_t i = 0; i < job.count; i += 2) {
		struct addr kept = world_address(A6), new = world_address(B);

		assert_true(addr_equal(&job.records[i].address, &new));
		assert_true(addr_equal(&job.records[i + 1].address, &kept));
		assert_int_equal(world_record(world, job.records[i + 1].record)->state,
				 RECORD_CURRENT);
	}
	world_free(world);
}

/* "numhost" halves the names, however many records they have. */
static void test_split_by_names(void **state)
{
	struct world *world = sharing(8, CONFIG_IPV4 | CONFIG_IPV6);
	struct schedule_job job;

	(void)state;
	begin(world);
	assert_true(next_update(world, &job));
	assert_int_equal(job.count, 16);
	for (size_t i = 0; i < job.count; i++) {
		struct message_result result = {
			.head = { MESSAGE_RESULT, job.number },
			.record = job.records[i].record, .verdict = MESSAGE_SPLIT };

		schedule_answer(world->schedule, &result, 10, WORLD_WALL_S, 1);
	}
	for (int i = 0; i < 2; i++) {
		assert_true(next_update(world, &job));
		assert_int_equal(job.count, 8);
	}
	world_free(world);
}

enum { MISSING = 7 };

/* One name is missing; of several at once the answer does not say which. */
static enum message_verdict world_misses(struct world *world, size_t record)
{
	uint32_t job = world_record(world, MISSING)->job;

	if (world->requests[world->request_count - 1].records > 1)
		return world_record(world, record)->job == job ? MESSAGE_SPLIT
							       : MESSAGE_GOOD;
	return record == MISSING ? MESSAGE_NOHOST : MESSAGE_GOOD;
}

/* Until it is found names go alone, afterwards the others together as before. */
static void test_missing_name(void **state)
{
	struct world *world = world_new(1, 20, CONFIG_IPV4);
	size_t first;

	(void)state;
	world->providers[0].facts.batch_hostnames = 20;
	world_start(world);
	world->provider = world_misses;
	world_set(world, AF_INET, A);
	world_run(world, 10 * MINUTE);
	assert_int_equal(world_record(world, MISSING)->state, RECORD_DISABLED);
	for (size_t i = 0; i < 20; i++)
		assert_true(i == MISSING ||
			    world_record(world, i)->state == RECORD_CURRENT);
	first = world->request_count;
	assert_in_range(first, 1 + 2, 1 + 2 + 10);
	world_set(world, AF_INET, B);
	world_run(world, 10 * MINUTE);
	assert_int_equal(world->request_count - first, 1);
	world_free(world);
}

static void test_hundred_at_once(void **state)
{
	struct world *world = world_new(1, 250, CONFIG_IPV4);

	(void)state;
	world->providers[0].check = false;
	world->config.dns.verify = false;
	world->providers[0].facts.parallel = 100;
	world->providers[0].facts.per_minute = 0;
	world->provider_ms = 50;
	begin(world);
	world_run(world, 40);
	assert_int_equal(world->request_count, 100);
	world_run(world, 50);
	assert_int_equal(world->request_count, 200);
	world_run(world, 100);
	assert_int_equal(world->request_count, 250);
	assert_int_equal(schedule_in_flight(world->schedule), 0);
	world_free(world);
}

/* What is no first pass keeps to names a minute; 0 is no limit. */
static void test_names_a_minute(void **state)
{
	static const struct {
		unsigned per_minute, names;
		size_t first;		/* requests in the first minute */
	} rows[] = {
		{ 10, 4, 3 },		/* 4, 8: fewer than 10, so another 4 go */
		{ 8, 4, 2 },
		{ 0, 4, 15 },
		{ 300, 1, 60 },		/* more than there are slots */
		{ 20, 1, 20 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct world *world = world_new(1, 60, CONFIG_IPV4);

		world->providers[0].check = false;
		world->providers[0].facts.batch_hostnames = rows[i].names;
		world->providers[0].facts.per_minute = rows[i].per_minute;
		world->provider_ms = 10;
		begin(world);
		world_run(world, HOUR);
		world->request_count = 0;
		schedule_update(world->schedule, NULL, 0, true, world->now_ms);
		world_run(world, MINUTE - SECOND);
		assert_int_equal(world->request_count, rows[i].first);
		world_free(world);
	}
}

/* One save tells of a whole burst; who was not in it needs another. */
static void test_noted(void **state)
{
	struct world *world = world_new(1, 3, CONFIG_IPV4);
	struct record_saved saved;
	struct schedule_job job;

	(void)state;
	world->providers[0].check = false;
	begin(world);
	assert_true(next_update(world, &job));
	assert_false(schedule_is_noted(world->schedule, &job));
	schedule_save(world->schedule, 1, 0, WORLD_WALL_S, &saved);
	assert_true(saved.in_doubt);
	assert_true(addr_equal(&saved.sent, &world_record(world, 1)->wanted));
	schedule_set_clean(world->schedule, 0);
	assert_true(schedule_is_noted(world->schedule, &job));
	schedule_unsent(world->schedule, job.number, 0);
	for (int i = 0; i < 2; i++) {
		assert_true(next_update(world, &job));
		assert_true(schedule_is_noted(world->schedule, &job));
		schedule_unsent(world->schedule, job.number, 0);
	}
	world_set(world, AF_INET, B);
	world_run(world, 0);
	world->now_ms += MINUTE;
	assert_true(next_update(world, &job));
	assert_false(schedule_is_noted(world->schedule, &job));
	world_free(world);
}

/* What waits for a provider that is out has not been sent, and is not saved so. */
static void test_not_noted_while_out(void **state)
{
	struct world *world = world_new(1, 2, CONFIG_IPV4);
	struct record_saved saved;
	struct schedule_job job;
	struct message_result result = { .verdict = MESSAGE_TRANSIENT };

	(void)state;
	world->providers[0].check = false;
	begin(world);
	assert_true(next_update(world, &job));
	result.head = (struct message){ MESSAGE_RESULT, job.number };
	result.record = job.records[0].record;
	schedule_answer(world->schedule, &result, 10, WORLD_WALL_S, 1);
	schedule_save(world->schedule, 1 - result.record, 10, WORLD_WALL_S, &saved);
	assert_false(saved.in_doubt);
	assert_true(addr_is_none(&saved.sent));
	world_free(world);
}

/* The look at the name of `job`'s record `i` finds another address. */
static void answer_look(struct world *world, const struct schedule_job *job, size_t i)
{
	struct message_result result = {
		.head = { MESSAGE_RESULT, job->number }, .record = job->records[i].record,
		.verdict = MESSAGE_ANSWER, .address_count = 1, .ttl_s = 60,
		.addresses = { world_address(B) },
	};

	schedule_answer(world->schedule, &result, world->now_ms, WORLD_WALL_S, 1);
}

/* Names wait a little for the looks at those that their request could hold, too. */
static void test_looks_together(void **state)
{
	struct world *world = sharing(3, CONFIG_IPV4);
	struct schedule_job looks, job;

	(void)state;
	world->providers[0].check = true;
	begin(world);
	assert_true(schedule_next(world->schedule, world->now_ms, &looks));
	assert_int_equal(looks.kind, MESSAGE_CHECK);
	assert_int_equal(looks.count, 3);
	answer_look(world, &looks, 0);
	assert_false(next_update(world, &job));
	answer_look(world, &looks, 2);
	assert_false(next_update(world, &job));
	assert_true(schedule_due_ms(world->schedule, world->now_ms) <=
		    world->now_ms + 2 * SECOND);
	answer_look(world, &looks, 1);
	assert_true(next_update(world, &job));
	assert_int_equal(job.count, 3);
	world_free(world);
}

/* But not for a zone whose servers are silent, and never where each has its request. */
static void test_looks_apart(void **state)
{
	struct world *world = sharing(3, CONFIG_IPV4);
	struct schedule_job looks, job;

	(void)state;
	world->providers[0].check = true;
	begin(world);
	assert_true(schedule_next(world->schedule, world->now_ms, &looks));
	answer_look(world, &looks, 0);
	world->now_ms += 2 * SECOND;
	assert_true(next_update(world, &job));
	assert_int_equal(job.count, 1);
	world_free(world);

	world = sharing(3, CONFIG_IPV4);
	world->providers[0].check = true;
	world->providers[0].facts.batch_hostnames = 1;
	begin(world);
	assert_true(schedule_next(world->schedule, world->now_ms, &looks));
	answer_look(world, &looks, 0);
	assert_true(next_update(world, &job));
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_addresses),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_same_data),
		cmocka_unit_test(test_passenger),
		cmocka_unit_test(test_split_by_names),
		cmocka_unit_test(test_missing_name),
		cmocka_unit_test(test_hundred_at_once),
		cmocka_unit_test(test_names_a_minute),
		cmocka_unit_test(test_noted),
		cmocka_unit_test(test_not_noted_while_out),
		cmocka_unit_test(test_looks_together),
		cmocka_unit_test(test_looks_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
