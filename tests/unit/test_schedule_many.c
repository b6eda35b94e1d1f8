/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many records: batches, both families, recovery, looks, reload. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake/world.h"
#include "figure.h"

#define A "81.2.69.1"
#define B "81.2.69.2"
#define A6 "2a00:1450::a"
#define B6 "2a00:1450::b"
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define BOTH (CONFIG_IPV4 | CONFIG_IPV6)

static enum message_verdict world_down(struct world *world, size_t record)
{
	(void)world;
	(void)record;
	return MESSAGE_TRANSIENT;
}

static void assert_all_current(struct world *world)
{
	for (size_t i = 0; i < schedule_count(world->schedule); i++)
		assert_int_equal(world_record(world, i)->state, RECORD_CURRENT);
}

/* 50 records at 3 providers after 6 hours: done in 10 minutes, not all at once. */
static void test_recovery(void **state)
{
	struct world *world = world_new(3, 17, CONFIG_IPV4);
	size_t before;
	int64_t from_ms;

	(void)state;
	world->providers[2].hostname_count = 16;
	world_start(world);
	world->provider = world_down;
	world_set(world, AF_INET, A);
	world_run(world, 6 * HOUR);
	before = world->request_count;
	from_ms = world->now_ms;
	world->provider = world_good;
	schedule_network(world->schedule, 0, world->now_ms);
	world_run(world, 10 * MINUTE);
	figure_exactly("F46", "updates in 10 minutes after 6 hours, of 50 records",
		       (long)(world->request_count - before), 50);
	assert_all_current(world);
	assert_true(world_requests(world, from_ms, from_ms + MINUTE) <= 3 * (10 + 17));
	world_free(world);
}

/* One pass over all records is not held up by requests per minute. */
static void test_pass(void **state)
{
	struct world *world = world_new(1, 50, CONFIG_IPV4);

	(void)state;
	world_start(world);
	world_set(world, AF_INET, A);
	world_run(world, 15 * SECOND);		/* 50 * 200 ms, one at a time */
	assert_int_equal(world->request_count, 50);
	assert_all_current(world);
	world_run(world, HOUR);
	world->request_count = 0;
	assert_int_equal(schedule_update(world->schedule, NULL, 0, true, world->now_ms),
			 50);
	world_run(world, HOUR);			/* what is no pass is spread */
	assert_int_equal(world->request_count, 50);
	figure_at_most("F46", "requests in any minute", (long)world_most(world, MINUTE), 10);
	world_free(world);
}

static void test_parallel(void **state)
{
	struct world *world = world_new(1, 10, CONFIG_IPV4);

	(void)state;
	world->provider_ms = 10 * SECOND;
	world->providers[0].facts.parallel = 3;
	world_start(world);
	world_set(world, AF_INET, A);
	world_run(world, 5 * SECOND);
	figure_exactly("F46", "requests at once where 3 may be", (long)world->request_count, 3);
	world_run(world, MINUTE);
	assert_int_equal(world->request_count, 10);
	world_free(world);
}

/* --- batches --- */

static struct world *batching(size_t names, unsigned batch, unsigned families)
{
	struct world *world = world_new(1, names, families);

	world->providers[0].facts.batch_hostnames = batch;
	world->providers[0].facts.dual = families == BOTH;
	world_start(world);
	return world;
}

static void test_batch(void **state)
{
	struct world *world = batching(45, 20, CONFIG_IPV4);

	(void)state;
	world_set(world, AF_INET, A);
	world_run(world, MINUTE);
	assert_int_equal(world->request_count, 3);
	assert_int_equal(world->requests[0].records, 20);
	assert_int_equal(world->requests[2].records, 5);
	assert_all_current(world);
	world_free(world);
}

static void test_batch_of_both_families(void **state)
{
	struct world *world = batching(25, 20, BOTH);

	(void)state;
	world_set(world, AF_INET, A);
	world_set(world, AF_INET6, A6);
	world_run(world, MINUTE);
	assert_int_equal(world->request_count, 2);
	assert_int_equal(world->requests[0].records, 40);
	assert_int_equal(world->requests[1].records, 10);
	assert_all_current(world);
	world_run(world, HOUR);
	world_set(world, AF_INET6, B6);		/* one family alone */
	world_run(world, MINUTE);
	assert_int_equal(world->request_count, 4);
	assert_int_equal(world->requests[2].records, 20);
	world_free(world);
}

/*
 * Of a multi-line answer each record follows its own line; good ones are not sent again.
 */
static enum message_verdict world_lines(struct world *world, size_t record)
{
	static const enum message_verdict lines[] = {
		MESSAGE_GOOD, MESSAGE_NOHOST, MESSAGE_SERVER_ERROR, MESSAGE_UNCONFIRMED,
	};

	return world->updates_of[record] == 1 ? lines[record] : MESSAGE_GOOD;
}

static void test_partly_failing(void **state)
{
	struct world *world = batching(4, 20, CONFIG_IPV4);

	(void)state;
	world->provider = world_lines;
	world_set(world, AF_INET, A);
	world_run(world, 10 * SECOND);
	assert_int_equal(world_record(world, 0)->state, RECORD_CURRENT);
	assert_int_equal(world_record(world, 1)->state, RECORD_DISABLED);
	assert_int_equal(world_record(world, 2)->wait, RECORD_WAIT_OBEY);
	assert_int_equal(world_record(world, 3)->wait, RECORD_WAIT_RETRY);
	world_run(world, DAY);
	assert_int_equal(world->updates_of[0], 1);
	assert_int_equal(world->updates_of[1], 1);
	assert_int_equal(world->updates_of[2], 2);
	assert_int_equal(world->updates_of[3], 2);
	world_free(world);
}

static size_t most_names;	/* more in one request is "numhost" */

static enum message_verdict world_numhost(struct world *world, size_t record)
{
	(void)record;
	return world->requests[world->request_count - 1].records > most_names
		       ? MESSAGE_SPLIT
		       : MESSAGE_GOOD;
}

static void test_too_many_names(void **state)
{
	static const struct {
		size_t most, requests;
	} rows[] = { { 10, 1 + 2 }, { 3, 1 + 1 + 20 }, { 20, 1 } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct world *world = batching(20, 20, CONFIG_IPV4);

		most_names = rows[i].most;
		world->provider = world_numhost;
		world_set(world, AF_INET, A);
		world_run(world, 10 * MINUTE);
		assert_int_equal(world->request_count, rows[i].requests);
		assert_all_current(world);
		world_free(world);
	}
}

static void test_too_many_names_of_both(void **state)
{
	struct world *world = batching(20, 20, BOTH);

	(void)state;
	most_names = 20;	/* records: ten names */
	world->provider = world_numhost;
	world_set(world, AF_INET, A);
	world_set(world, AF_INET6, A6);
	world_run(world, 10 * MINUTE);
	assert_int_equal(world->request_count, 3);
	assert_all_current(world);
	world_free(world);
}

/* --- a provider that deletes the family a request does not name --- */

static enum message_verdict world_deletes(struct world *world, size_t record)
{
	const struct world_request *request = &world->requests[world->request_count - 1];

	if (request->records == 1) {
		int other = schedule_record(world->schedule, record)->partner;

		world->zone[other].now = world->zone[other].next = (struct addr){ 0 };
	}
	return MESSAGE_GOOD;
}

static void test_other_family_kept(void **state)
{
	struct world *world = batching(1, 1, BOTH);
	struct addr a = world_address(A), b6 = world_address(B6);

	(void)state;
	world->providers[0].facts.other_family = CATALOGUE_OTHER_DELETED;
	world->provider = world_deletes;
	world_set(world, AF_INET, A);
	world_set(world, AF_INET6, A6);
	world_run(world, HOUR);
	assert_int_equal(world->request_count, 1);
	world_set(world, AF_INET6, B6);
	world_run(world, HOUR);
	assert_int_equal(world->request_count, 2);
	assert_int_equal(world->requests[1].records, 2);
	assert_true(addr_equal(world_look(world, 0, world->now_ms), &a));
	world_set(world, AF_INET6, NULL);	/* lost: its record keeps its value */
	world_set(world, AF_INET, B);
	world_run(world, HOUR);
	assert_int_equal(world->request_count, 3);
	assert_true(addr_equal(world_look(world, 1, world->now_ms), &b6));
	assert_int_equal(world_record(world, 1)->wait, RECORD_WAIT_ADDRESS);
	world_free(world);
}

/* Idle records, their questions at most, and how old what is known may get. */
static const struct {
	size_t providers, names, an_hour, a_minute;
	int64_t oldest_ms;
} spreads[] = {
	{ 1, 1, 60, 4, 11 * MINUTE },	/* as often as wished */
	{ 1, 3, 60, 6, 11 * MINUTE },
	{ 1, 7, 60, 10, 11 * MINUTE },
	{ 1, 10, 60, 13, 16 * MINUTE },
	{ 4, 2, 60, 20, 21 * MINUTE },	/* four zones */
	{ 1, 30, 360, 7, 11 * MINUTE },
	{ 3, 10, 360, 7, 12 * MINUTE },
	{ 1, 200, 360, 7, 45 * MINUTE },
};

static void spread(size_t row, int64_t *ret_hour, int64_t *ret_minute,
		   int64_t *ret_oldest_ms)
{
	/* of an IPv6 that is not there nothing is asked */
	struct world *world = world_new(spreads[row].providers, spreads[row].names,
					spreads[row].names > 10 ? CONFIG_IPV4 : BOTH);

	world_start(world);
	world_zone(world, AF_INET, A);
	world_set(world, AF_INET, A);
	world_run(world, HOUR);
	*ret_hour = *ret_minute = *ret_oldest_ms = 0;
	for (int64_t minute = 0, at_hour = 0; minute < 600; minute++) {
		int64_t before = (int64_t)world->question_count, now;

		at_hour = minute % 60 ? at_hour : before;
		world_run(world, MINUTE);
		now = (int64_t)world->question_count;
		*ret_minute = MAX(*ret_minute, now - before);
		*ret_hour = MAX(*ret_hour, now - at_hour);
		for (size_t i = 0; i < schedule_count(world->schedule); i++) {
			struct record *record = world_record(world, i);
			if (!addr_is_none(&record->wanted))
				*ret_oldest_ms = MAX(*ret_oldest_ms,
						     world->now_ms - record->looked_ms);
		}
	}
	assert_int_equal(world->request_count, 0);
	world_free(world);
}

static void test_looks_spread(void **state)
{
	int64_t hour, minute, oldest_ms, most = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(spreads) / sizeof(*spreads); i++) {
		spread(i, &hour, &minute, &oldest_ms);
		assert_in_range(hour, 1, spreads[i].an_hour);
		assert_in_range(minute, 1, spreads[i].a_minute);
		assert_in_range(oldest_ms, 9 * MINUTE, spreads[i].oldest_ms);
		most = spreads[i].an_hour == 60 ? MAX(most, hour) : most;
	}
	figure_at_most("P2", "questions to DNS in any hour, up to 10 records", most, 60);
}

/* --- reload --- */

#ifdef __SANITIZE_ADDRESS__
/* of the sanitizer's run-time library; gcc brings no header for it */
int __sanitizer_install_malloc_and_free_hooks(
	void (*on_malloc)(const volatile void *at, size_t bytes),
	void (*on_free)(const volatile void *at));

static bool counting;
static size_t allocations;

static void on_malloc(const volatile void *at, size_t bytes)
{
	(void)at;
	(void)bytes;
	allocations += counting;
}

static void on_free(const volatile void *at)
{
	(void)at;
}
#endif

/* The configuration is read again, with these of its names in this order. */
static void reload(struct world *world, const size_t *order, size_t count)
{
	struct config_provider *provider = &world->providers[0];
	struct config_hostname *former = provider->hostnames;
	struct schedule *old = world->schedule;

	provider->hostnames = calloc(count, sizeof(*former));
	provider->hostname_count = count;
	for (size_t i = 0; i < count; i++)
		provider->hostnames[i] = former[order[i]];
	assert_int_equal(schedule_new(&world->config, world->fingerprints, world->now_ms,
				      world_wall_s(world), &world->schedule), 0);
	schedule_adopt(world->schedule, old, world->now_ms);
	free(former);
}

static void test_reload_in_flight(void **state)
{
	struct world *world = world_new(1, 3, CONFIG_IPV4);

	(void)state;
	world->provider_ms = SECOND;
	world_start(world);
	world_set(world, AF_INET, A);
	world_run(world, 500);
	assert_int_equal(schedule_in_flight(world->schedule), 1);
	/* the one in flight is now the last */
	reload(world, (size_t[]){ 2, 1, 0 }, 3);
	assert_int_equal(world_record(world, 2)->state, RECORD_SENDING);
	world_set(world, AF_INET, A);
	world_run(world, HOUR);
	assert_int_equal(world->request_count, 3);
	world_free(world);
}

static void test_reload_removes(void **state)
{
	struct world *world = world_new(1, 3, CONFIG_IPV4);

	(void)state;
	world->provider_ms = SECOND;
	world_start(world);
	world_set(world, AF_INET, A);
	world_run(world, 500);
	reload(world, (size_t[]){ 2, 1 }, 2);
	world_run(world, HOUR);			/* its answer finds nobody */
	assert_int_equal(schedule_in_flight(world->schedule), 0);
	assert_int_equal(world->request_count, 3);
	assert_all_current(world);
	for (int i = 0; i < 1000; i++)
		reload(world, (size_t[]){ 1, 0 }, 2);
	world_run(world, DAY);
	assert_int_equal(world->request_count, 3);
	world_free(world);
}

/* A reload that needs memory for what is known would forget it for want of it. */
static void test_reload_without_memory(void **state)
{
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	struct world *world = world_new(1, 3, CONFIG_IPV4);
	struct schedule *old;

	world_start(world);
	world_set(world, AF_INET, A);
	world_run(world, HOUR);
	world_record(world, 1)->memo = strdup("zone=1");
	old = world->schedule;
	assert_int_equal(schedule_new(&world->config, world->fingerprints, world->now_ms,
				      world_wall_s(world), &world->schedule), 0);
	__sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
	counting = true;
	free(strdup("is it counted at all?"));
	assert_int_equal(allocations, 1);
	schedule_adopt(world->schedule, old, world->now_ms);
	counting = false;
	assert_int_equal(allocations, 1);
	assert_string_equal(world_record(world, 1)->memo, "zone=1");
	assert_all_current(world);
	world_free(world);
#else
	print_message("# counts allocations through the address sanitizer only\n");
	skip();
#endif
}

/* Many records, a change every eight hours: one update each. */
static void test_large(void **state)
{
	struct world *world = world_new(4, 60, CONFIG_IPV4);

	(void)state;
	world_start(world);
	for (int i = 0; i < 20; i++) {
		world_set(world, AF_INET, i % 2 ? A : B);
		world_run(world, 8 * HOUR);
		assert_all_current(world);
	}
	assert_int_equal(world->request_count, 20 * 240);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recovery),
		cmocka_unit_test(test_pass),
		cmocka_unit_test(test_parallel),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_batch_of_both_families),
		cmocka_unit_test(test_partly_failing),
		cmocka_unit_test(test_too_many_names),
		cmocka_unit_test(test_too_many_names_of_both),
		cmocka_unit_test(test_other_family_kept),
		cmocka_unit_test(test_looks_spread),
		cmocka_unit_test(test_reload_in_flight),
		cmocka_unit_test(test_reload_removes),
		cmocka_unit_test(test_reload_without_memory),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
