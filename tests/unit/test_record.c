/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a look at DNS decides, verification, the user's wishes, and what outlives the
 * process: one record, driven through the schedule by a fake provider and zone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake/world.h"
#include "figure.h"

#define A "81.2.69.1"
#define B "81.2.69.2"
#define FOREIGN "6.6.6.6"

static enum message_verdict answer;

static enum message_verdict world_same(struct world *world, size_t record)
{
	(void)world;
	(void)record;
	return answer;
}

static struct world *started(void)
{
	struct world *world = world_new(1, 1, CONFIG_IPV4);

	world_start(world);
	return world;
}

static struct record *record_of(struct world *world)
{
	return world_record(world, 0);
}

/* --- the first look, without a state file --- */

static void test_right_already(void **state)
{
	struct world *world = started();

	(void)state;
	world_zone(world, AF_INET, A);
	world_set(world, AF_INET, A);
	world_run(world, DAY);
	assert_int_equal(world->request_count, 0);
	assert_int_equal(record_of(world)->state, RECORD_CURRENT);
	assert_true(record_of(world)->verified);
	assert_int_equal(world->events[RECORD_PUBLISHED], 0);	/* we published nothing */
	world_free(world);
}

static void test_differs(void **state)
{
	struct world *world = started();

	(void)state;
	world_zone(world, AF_INET, FOREIGN);
	world_set(world, AF_INET, A);
	world_run(world, SECOND);
	assert_int_equal(world->request_count, 1);
	assert_int_equal(world->events[RECORD_PUBLISHED], 1);
	world_free(world);
}

/* Our address among others, as round robin has it: it is there. */
static void test_among_others(void **state)
{
	struct world *world = started();
	struct message_result result = { .head = { MESSAGE_RESULT, 0 },
					 .verdict = MESSAGE_ANSWER };
	struct schedule_job job;

	(void)state;
	world_set(world, AF_INET, A);
	assert_true(schedule_next(world->schedule, world->now_ms, &job));
	assert_int_equal(job.kind, MESSAGE_CHECK);
	result.head.number = job.number;
	result.address_count = 2;
	result.addresses[0] = world_address(FOREIGN);
	result.addresses[1] = world_address(A);
	schedule_answer(world->schedule, &result, world->now_ms, world_wall_s(world), 0);
	assert_int_equal(record_of(world)->state, RECORD_CURRENT);
	world_free(world);
}

/* Nothing is known and nobody answers: asked again for 60 s, then one update. */
static void test_dns_silent_without_state(void **state)
{
	static const enum message_verdict silent[] = { MESSAGE_NO_ANSWER,
						       MESSAGE_NO_PROOF };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct world *world = started();

		world->dns = silent[i];
		world_set(world, AF_INET, A);
		world_run(world, 20 * SECOND);
		world_run(world, 39 * SECOND);
		assert_int_equal(world->look_count, 2);	/* with the update, three */
		assert_int_equal(world->request_count, 0);
		world_run(world, 2 * SECOND);
		assert_int_equal(world->request_count, 1);
		world_run(world, 7 * DAY);	/* and never again */
		assert_int_equal(world->request_count, 1);
		assert_int_equal(record_of(world)->state, RECORD_CURRENT);
		assert_false(record_of(world)->verified);
		assert_int_equal(world->events[RECORD_PUBLISHED], 1);
		assert_int_equal(world->events[RECORD_UNPROVEN], i);	/* said once */
		world_free(world);
	}
}

/* --- with a state file --- */

static struct world *published(void)
{
	struct world *world = started();

	world_set(world, AF_INET, A);
	world_run(world, HOUR);
	assert_int_equal(world->request_count, 1);
	world->request_count = world->look_count = 0;
	memset(world->events, 0, sizeof(world->events));
	return world;
}

static void test_dns_silent_with_state(void **state)
{
	struct world *world = published();

	(void)state;
	world->dns = MESSAGE_NO_ANSWER;
	world_restart(world);
	world_set(world, AF_INET, A);
	assert_int_equal(record_of(world)->state, RECORD_CURRENT);
	world_run(world, DAY);
	assert_int_equal(world->request_count, 0);
	world_restart(world);
	world_set(world, AF_INET, B);		/* the file holds, and says another one */
	world_run(world, SECOND);
	assert_int_equal(world->request_count, 1);
	world_free(world);
}

/* The state file is an old one (read-only flash): DNS knows better. */
static void test_old_state(void **state)
{
	struct world *world = published();

	(void)state;
	world_zone(world, AF_INET, B);
	for (int i = 0; i < 100; i++) {
		world_restart(world);
		world_set(world, AF_INET, B);
		world_run(world, MINUTE);
	}
	assert_int_equal(world->request_count, 0);
	world_free(world);
}

/* A split-horizon resolver: a week of proofs of nothing. */
static void test_split_horizon(void **state)
{
	struct world *world = published();

	(void)state;
	world->dns = MESSAGE_NO_PROOF;
	world_run(world, 7 * DAY);
	figure_exactly("F11", "updates in 7 days", (long)world->request_count, 0);
	figure_exactly("F11", "warnings in 7 days", world->events[RECORD_UNPROVEN], 1);
	world_free(world);
}

/* --- verification --- */

/*
 * The provider says "unchanged" twice though DNS differs: no more updates until the
 * address changes.
 */
static void test_twice_unchanged(void **state)
{
	struct world *world = published();

	(void)state;
	world->follows_ms = -1;
	world->provider = world_same;
	answer = MESSAGE_UNCHANGED;
	world_set(world, AF_INET, B);
	world_run(world, 2 * DAY);
	assert_int_equal(world->request_count, 2);
	assert_int_equal(record_of(world)->wait, RECORD_WAIT_HELD);
	world_restart(world);
	world_set(world, AF_INET, B);
	world_run(world, 10 * DAY);
	assert_int_equal(world->request_count, 2);
	world_set(world, AF_INET, A);		/* DNS holds it: still nothing to send */
	world_set(world, AF_INET, "81.2.69.3");
	world_run(world, 5 * SECOND);
	assert_int_equal(world->request_count, 3);
	world_free(world);
}

/* What another account called unchanged does not bind this one: restart, and reload. */
static void test_unchanged_and_another_account(void **state)
{
	(void)state;
	for (int reload = 0; reload < 2; reload++) {
		struct world *world = published();
		struct record_rules rules;

		world->follows_ms = -1;
		world->provider = world_same;
		answer = MESSAGE_UNCHANGED;
		world_set(world, AF_INET, B);
		world_run(world, 2 * DAY);
		assert_int_equal(record_of(world)->wait, RECORD_WAIT_HELD);
		world->request_count = 0;
		world->fingerprints[0]++;
		if (reload) {
			rules = *record_of(world)->rules;
			rules.fingerprint++;
			record_set_rules(record_of(world), &rules, world->now_ms);
		} else {
			world_restart(world);
			world_set(world, AF_INET, B);
		}
		assert_false(record_of(world)->held);
		world_run(world, 13 * HOUR);
		assert_in_range(world->request_count, 1, 2);
		world_free(world);
	}
}

static void test_without_verification(void **state)
{
	struct world *world = world_new(1, 1, CONFIG_IPV4);

	(void)state;
	world->config.dns.verify = false;
	/* a look before DNS follows is no drift */
	world->follows_ms = 5 * MINUTE;
	world->config.dns.check_every_ms = MINUTE;
	world_start(world);
	world_set(world, AF_INET, A);
	world_run(world, SECOND);
	assert_int_equal(record_of(world)->state, RECORD_CURRENT);
	assert_false(record_of(world)->verified);
	assert_int_equal(world->events[RECORD_PUBLISHED], 1);
	world_run(world, DAY);
	assert_int_equal(world->request_count, 1);
	assert_true(record_of(world)->verified);
	assert_int_equal(world->events[RECORD_PUBLISHED], 1);
	world_free(world);
}

/* "check": false (proxied records): DNS is never asked. */
static void test_without_check(void **state)
{
	struct world *world = world_new(1, 1, CONFIG_IPV4);

	(void)state;
	world->providers[0].check = false;
	world_start(world);
	world_zone(world, AF_INET, FOREIGN);
	world_set(world, AF_INET, A);
	world->follows_ms = -1;
	for (int i = 0; i < 30; i++) {
		world_run(world, DAY);
		world_restart(world);
		world_set(world, AF_INET, A);
	}
	figure_exactly("F12", "repeats in 30 days at a proxy that answers its own address",
		       (long)world->request_count - 1, 0);
	figure_exactly("F12", "questions to DNS meanwhile", (long)world->look_count, 0);
	assert_int_equal(record_of(world)->state, RECORD_CURRENT);
	world_free(world);
}

/* --- the user --- */

static void test_force(void **state)
{
	struct world *world = published();

	(void)state;
	world_run(world, 2 * HOUR);
	for (int i = 0; i < 600; i++) {		/* a loop of force for 10 minutes */
		schedule_update(world->schedule, NULL, 0, true, world->now_ms);
		world_run(world, SECOND);
	}
	assert_in_range(world->request_count, 4, 10);
	assert_in_range(world_most(world, MINUTE), 1, 1);
	world_free(world);
}

static void test_force_enables(void **state)
{
	struct world *world = started();

	(void)state;
	world->provider = world_same;
	answer = MESSAGE_ABUSE;
	world_set(world, AF_INET, A);
	world_run(world, DAY);
	assert_int_equal(schedule_update(world->schedule, NULL, 0, false, world->now_ms),
			 0);
	world_run(world, DAY);
	assert_int_equal(world->request_count, 1);
	answer = MESSAGE_GOOD;
	assert_int_equal(schedule_update(world->schedule, NULL, 0, true, world->now_ms),
			 1);
	world_run(world, MINUTE);
	assert_int_equal(world->request_count, 2);
	assert_int_equal(record_of(world)->state, RECORD_CURRENT);
	world_free(world);
}

/* `update` without force: a look at once, and an update only where DNS differs. */
static void test_ask(void **state)
{
	struct world *world = published();
	const char *names[] = { "h0.p0.example.org" }, *others[] = { "x.example.org" };

	(void)state;
	assert_int_equal(
		schedule_update(world->schedule, others, 1, false, world->now_ms), 0);
	assert_int_equal(schedule_update(world->schedule, names, 1, false, world->now_ms),
			 1);
	world_run(world, SECOND);
	assert_int_equal(world->look_count, 1);
	assert_int_equal(world->request_count, 0);
	assert_int_equal(schedule_update(world->schedule, names, 1, false, world->now_ms),
			 0);
	world_free(world);
}

/* A look that was asked for does not hold up the first force; a force holds up both. */
static void test_force_after_ask(void **state)
{
	struct world *world = published();
	int64_t now_ms;

	(void)state;
	assert_true(record_ask(record_of(world), false, world->now_ms));
	world_run(world, SECOND);
	assert_false(record_ask(record_of(world), false, world->now_ms));
	assert_true(record_ask(record_of(world), true, world->now_ms));
	world_run(world, SECOND);
	assert_int_equal(world->request_count, 1);
	now_ms = world->now_ms;
	assert_false(record_ask(record_of(world), true, now_ms));
	assert_false(record_ask(record_of(world), false, now_ms));
	world_run(world, MINUTE);
	world->provider_ms = 5 * SECOND;
	assert_true(record_ask(record_of(world), true, world->now_ms));
	world_run(world, MINUTE + SECOND);	/* its answer is 56 seconds old */
	assert_int_equal(world->request_count, 2);
	assert_false(record_ask(record_of(world), true, world->now_ms));
	world_run(world, 4 * SECOND);
	assert_true(record_ask(record_of(world), true, world->now_ms));
	world_free(world);
}

/* A wish that does nothing costs nothing. */
static void test_ask_without_check(void **state)
{
	struct world *world = world_new(1, 1, CONFIG_IPV4);

	(void)state;
	world->providers[0].check = false;
	world_start(world);
	world_set(world, AF_INET, A);
	world_run(world, HOUR);
	assert_false(record_ask(record_of(world), false, world->now_ms));
	assert_true(record_ask(record_of(world), true, world->now_ms));
	world_run(world, SECOND);
	assert_int_equal(world->request_count, 2);
	world_free(world);
}

/* --- minimum interval --- */

static void test_min_interval(void **state)
{
	struct world *world = world_new(1, 1, CONFIG_IPV4);

	(void)state;
	world->providers[0].min_interval_ms = 5 * MINUTE;
	world_start(world);
	for (int i = 0; i < 60; i++) {
		world_set(world, AF_INET, i % 2 ? A : B);
		world_run(world, MINUTE);
		if (i % 11 == 0)
			world_restart(world);
	}
	for (size_t i = 1; i < world->request_count; i++)
		assert_true(world->requests[i].ms - world->requests[i - 1].ms >=
			    5 * MINUTE - SECOND);
	assert_in_range(world->request_count, 4, 12);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right_already),
		cmocka_unit_test(test_differs),
		cmocka_unit_test(test_among_others),
		cmocka_unit_test(test_dns_silent_without_state),
		cmocka_unit_test(test_dns_silent_with_state),
		cmocka_unit_test(test_old_state),
		cmocka_unit_test(test_split_horizon),
		cmocka_unit_test(test_twice_unchanged),
		cmocka_unit_test(test_unchanged_and_another_account),
		cmocka_unit_test(test_without_verification),
		cmocka_unit_test(test_without_check),
		cmocka_unit_test(test_force),
		cmocka_unit_test(test_force_enables),
		cmocka_unit_test(test_ask),
		cmocka_unit_test(test_force_after_ask),
		cmocka_unit_test(test_ask_without_check),
		cmocka_unit_test(test_min_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
