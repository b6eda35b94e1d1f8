/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many updates addresses that come, go and flap lead to; restarts, idle months,
 * records that somebody else changes: the figures we promise, in virtual time.
 */
#include "figure.h"
#include "schedule_room.h"

#define FOREIGN "6.6.6.6"

static void test_change(void **state)
{
	struct world *world = published();
	struct addr former = world_address(A);
	int64_t changed_ms = world->now_ms;

	(void)state;
	world_set(world, AF_INET, B);
	world_run(world, 10 * MINUTE);
	assert_int_equal(world->request_count, 1);
	figure_exactly("P4", "ms from the event to the job, after a quiet minute",
		       world->requests[0].ms - changed_ms, 0);
	assert_int_equal(world->events[RECORD_PUBLISHED], 1);
	assert_true(addr_equal(&world_record(world, 0)->former, &former));
	assert_publishes(world, B);
	world_free(world);
}

static void test_same_again(void **state)
{
	struct world *world = published();

	(void)state;
	for (int i = 0; i < 3600; i++) {
		world_set(world, AF_INET, A);
		schedule_network(world->schedule, 0, world->now_ms);
		world_run(world, SECOND);
	}
	assert_int_equal(world->request_count, 0);
	world_free(world);
}

static void test_away_and_back(void **state)
{
	struct world *world = published();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		world_set(world, AF_INET, NULL);
		world_run(world, 1 + i * 30);
		world_set(world, AF_INET, A);
		world_run(world, 5 * SECOND);
	}
	assert_int_equal(world->request_count, 0);
	assert_publishes(world, A);
	world_free(world);
}

static void test_down(void **state)
{
	struct world *world = published();

	(void)state;
	world_set(world, AF_INET, NULL);
	schedule_route(world->schedule, 0, false, world->now_ms);
	world_run(world, HOUR);
	assert_int_equal(world->request_count, 0);
	assert_int_equal(world->look_count, 0);
	assert_int_equal(world_record(world, 0)->wait, RECORD_WAIT_ADDRESS);
	assert_int_equal(schedule_due_ms(world->schedule, world->now_ms), INT64_MAX);
	world_free(world);
}

static void test_no_route(void **state)
{
	struct world *world = published();

	(void)state;
	schedule_route(world->schedule, 0, false, world->now_ms);
	world_set(world, AF_INET, B);
	world_run(world, HOUR);
	assert_int_equal(world->request_count + world->look_count, 0);
	assert_non_null(strstr(schedule_reason(world->schedule, 0), "no default route"));
	schedule_route(world->schedule, 0, true, world->now_ms);
	world_run(world, SECOND);
	assert_int_equal(world->request_count, 1);
	assert_publishes(world, B);
	world_free(world);
}

/* The first ones of a flapping address go when it has stood for two seconds. */
static void test_flapping_soon(void **state)
{
	struct world *world = published();
	long latest = 0;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		int64_t changed_ms = world->now_ms;

		world_set(world, AF_INET, i % 2 ? A : B);
		world_run(world, 20 * SECOND);
		assert_int_equal(world->request_count, i + 1);
		if (world->requests[i].ms - changed_ms > latest)
			latest = world->requests[i].ms - changed_ms;
	}
	figure_at_most("P4", "ms from the event to the job, 4 changes in 80 s", latest, 2500);
	world_free(world);
}

static void test_flapping_slowly(void **state)
{
	struct world *world = published();

	(void)state;
	for (int i = 0; i < 60; i++) {
		world_set(world, AF_INET, i % 2 ? A : B);
		world_run(world, 10 * SECOND);
	}
	assert_in_range(world->request_count, 5, 12);
	world_set(world, AF_INET, "81.2.69.3");
	world_run(world, 10 * MINUTE);		/* within the current interval */
	assert_publishes(world, "81.2.69.3");
	assert_in_range(world->request_count, 5, 12);
	figure_at_most("F34", "updates while the address flaps every 10 s for 10 min",
		       (long)world->request_count, 12);
	/* quiet: the next one goes at once again */
	world_run(world, 10 * MINUTE);
	world->request_count = 0;
	world_set(world, AF_INET, B);
	world_run(world, SECOND);
	assert_int_equal(world->request_count, 1);
	world_free(world);
}

static void test_flapping_wildly(void **state)
{
	struct world *world = published();

	(void)state;
	for (int i = 0; i < 1000; i++) {
		world_set(world, AF_INET, i % 2 ? A : B);
		world_run(world, 60);
	}
	world_set(world, AF_INET, "81.2.69.3");
	world_run(world, 3 * SECOND);
	assert_in_range(world->request_count, 1, 4);
	assert_publishes(world, "81.2.69.3");
	figure_at_most("F34", "updates while the address switches 1000 times in 60 s",
		       (long)world->request_count, 4);
	world_free(world);
}

/* A day of flapping stays within the budget of a day, and still publishes every hour. */
static void test_flapping_for_days(void **state)
{
	struct world *world = published();

	(void)state;
	for (int i = 0; i < 3 * 8640; i++) {
		world_set(world, AF_INET, i % 2 ? A : B);
		world_run(world, 10 * SECOND);
	}
	figure_at_most("F34", "updates in any 24 h of three days of flapping",
		       (long)world_most(world, DAY), 104);
	assert_in_range(world_most(world, DAY), 24, 104);
	for (size_t i = 1; i < world->request_count; i++)
		assert_true(world->requests[i].ms - world->requests[i - 1].ms <=
			    61 * MINUTE);
	world_free(world);
}

/* A failed try of another address leaves nothing to undo when the old one returns. */
static void test_there_and_back_unreachable(void **state)
{
	struct world *world = published();

	(void)state;
	schedule_route(world->schedule, 0, false, world->now_ms);
	world_set(world, AF_INET, B);
	world_run(world, MINUTE);
	world_set(world, AF_INET, A);
	schedule_route(world->schedule, 0, true, world->now_ms);
	world_run(world, HOUR);
	assert_int_equal(world->request_count, 0);
	assert_publishes(world, A);
	world_free(world);
}

/*
 * The address changes while the update is in flight: the answer counts for what was sent.
 */
static void test_change_in_flight(void **state)
{
	struct world *world = published();

	(void)state;
	world->provider_ms = 5 * SECOND;
	world_set(world, AF_INET, B);
	world_run(world, SECOND);
	assert_int_equal(world_record(world, 0)->state, RECORD_SENDING);
	world_set(world, AF_INET, "81.2.69.3");
	world_run(world, MINUTE);
	assert_int_equal(world->request_count, 2);
	assert_publishes(world, "81.2.69.3");
	world_free(world);
}

static void test_restarts(void **state)
{
	struct world *world = published();

	(void)state;
	for (int i = 0; i < 100; i++) {
		world_restart(world);
		world_run(world, i % 7 * SECOND);
		world_set(world, AF_INET, A);
		world_run(world, i % 5 * 20);	/* some while DNS is asked */
	}
	world_run(world, DAY);
	figure_exactly("P5", "updates after 100 restarts (schedule)",
		       (long)world->request_count, 0);
	world_free(world);
}

/*
 * Killed with an update in flight, which the provider has taken: DNS is asked, nothing
 * sent again.
 */
static void test_killed_in_flight(void **state)
{
	struct world *world = published();

	(void)state;
	for (int i = 0; i < 20; i++) {
		world_set(world, AF_INET, i % 2 ? A : B);
		world_run(world, 100);
		assert_int_equal(world_record(world, 0)->state, RECORD_SENDING);
		world_restart(world);
		world_set(world, AF_INET, i % 2 ? A : B);
		world_run(world, HOUR);
		assert_publishes(world, i % 2 ? A : B);
	}
	assert_int_equal(world->request_count, 20);
	/* its hook runs all the same */
	assert_int_equal(world->events[RECORD_PUBLISHED], 20);
	world_free(world);
}

/* The same when the request got lost: it is sent again, once, within 15 s. */
static void test_killed_before_arrival(void **state)
{
	struct world *world = published();

	(void)state;
	world->follows_ms = -1;
	world_set(world, AF_INET, B);
	world_run(world, 100);
	world_restart(world);
	world->follows_ms = 0;
	world_set(world, AF_INET, B);
	world_run(world, 15 * SECOND);
	assert_int_equal(world->request_count, 2);
	assert_publishes(world, B);
	world_free(world);
}

static void test_publisher_dies(void **state)
{
	struct world *world = published();

	(void)state;
	world_set(world, AF_INET, B);
	world_run(world, 100);
	world->reply_count = 0;
	schedule_publisher_gone(world->schedule, world->now_ms);
	assert_int_equal(schedule_in_flight(world->schedule), 0);
	world_run(world, MINUTE);
	assert_int_equal(world->request_count, 1);	/* it had arrived: DNS says so */
	assert_publishes(world, B);
	assert_int_equal(world_record(world, 0)->attempts, 0);
	world_free(world);
}

/* A publisher that never answers is given up. */
static void test_publisher_silent(void **state)
{
	struct world *world = published();

	(void)state;
	world_set(world, AF_INET, B);
	world_run(world, 100);
	world->reply_count = 0;
	world_run(world, 3 * MINUTE);
	assert_int_equal(world->request_count, 1);
	assert_publishes(world, B);
	world_free(world);
}

static void test_idle_months(void **state)
{
	static const struct {
		const char *what;
		int64_t refresh_ms;
		long updates;
	} rows[] = {
		{ "updates in 90 days without change and refresh", 0, 0 },
		{ "updates in 90 days with a refresh of 30 days", 30 * DAY, 3 },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct world *world = world_new(1, 1, CONFIG_IPV4);

		world->providers[0].refresh_ms = rows[i].refresh_ms;
		world_start(world);
		world_set(world, AF_INET, A);
		world_run(world, MINUTE);
		for (int day = 0; day < 90; day++) {
			world_run(world, DAY);
			if (day % 10 == 0) {	/* a restart is no reason */
				world_restart(world);
				world_set(world, AF_INET, A);
			}
		}
		figure_exactly("F73", rows[i].what, (long)world->request_count - 1,
			       rows[i].updates);
		assert_int_equal(world->events[RECORD_PUBLISHED], 1);
		world_free(world);
	}
}

/* Changed by somebody else, once: repaired once. */
static void test_changed_once(void **state)
{
	struct world *world = published();

	(void)state;
	world_zone(world, AF_INET, FOREIGN);
	world_run(world, HOUR);
	figure_exactly("F16", "updates that repair it, within an hour",
		       (long)world->request_count, 1);
	assert_int_equal(world->events[RECORD_CHANGED_BY_OTHERS], 1);
	assert_publishes(world, A);
	world_free(world);
}

/* Somebody sets it back every minute: 24 repairs a day, restarts or not. */
static void test_fight(void **state)
{
	struct world *world = published();

	(void)state;
	for (int i = 0; i < 2 * 1440; i++) {
		world_zone(world, AF_INET, FOREIGN);
		world_run(world, MINUTE);
		if (i % 97 == 0) {
			world_restart(world);
			world_set(world, AF_INET, A);
		}
	}
	assert_true(world_most(world, DAY) >= 12);
	figure_at_most("F16", "repairs in any 24 hours of a fight",
		       (long)world_most(world, DAY), 24);
	assert_non_null(strstr(world_record(world, 0)->reason, "somebody else"));
	assert_true(world->events[RECORD_FOUGHT_OVER] >= 1);
	world_free(world);
}

/* A description with a mistake: nothing is asked, whatever the user wishes. */
static void test_broken(void **state)
{
	struct world *world = published();
	struct record_rules broken = *world_record(world, 0)->rules, mended = broken;

	(void)state;
	broken.broken = "a.json:2:3: unknown key";
	broken.fingerprint++;
	record_set_rules(world_record(world, 0), &broken, world->now_ms);
	assert_int_equal(world_record(world, 0)->state, RECORD_DISABLED);
	assert_string_equal(world_record(world, 0)->reason, broken.broken);
	world->request_count = 0;
	world_set(world, AF_INET, B);
	(void)record_ask(world_record(world, 0), true, world->now_ms);
	world_run(world, DAY);
	assert_int_equal(world->request_count, 0);
	assert_int_equal(world_record(world, 0)->state, RECORD_DISABLED);
	record_set_rules(world_record(world, 0), &mended, world->now_ms);
	assert_string_equal(world_record(world, 0)->reason, "");
	world_run(world, DAY);
	assert_int_equal(world->request_count, 1);
	assert_int_equal(world_record(world, 0)->state, RECORD_CURRENT);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_change),
		cmocka_unit_test(test_same_again),
		cmocka_unit_test(test_away_and_back),
		cmocka_unit_test(test_down),
		cmocka_unit_test(test_no_route),
		cmocka_unit_test(test_flapping_soon),
		cmocka_unit_test(test_flapping_slowly),
		cmocka_unit_test(test_flapping_wildly),
		cmocka_unit_test(test_flapping_for_days),
		cmocka_unit_test(test_there_and_back_unreachable),
		cmocka_unit_test(test_change_in_flight),
		cmocka_unit_test(test_restarts),
		cmocka_unit_test(test_killed_in_flight),
		cmocka_unit_test(test_killed_before_arrival),
		cmocka_unit_test(test_publisher_dies),
		cmocka_unit_test(test_publisher_silent),
		cmocka_unit_test(test_idle_months),
		cmocka_unit_test(test_changed_once),
		cmocka_unit_test(test_fight),
		cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
