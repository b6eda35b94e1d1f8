/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the provider accepted is to be seen at the zone's name servers: soon, late, or
 * never.
 */
#include "figure.h"
#include "schedule_room.h"

static void test_slow_zone(void **state)
{
	struct world *world = published();

	(void)state;
	world->follows_ms = 5 * MINUTE;
	world_set(world, AF_INET, B);
	world_run(world, 4 * MINUTE);
	assert_int_equal(world_record(world, 0)->state, RECORD_VERIFYING);
	assert_int_equal(world->events[RECORD_PUBLISHED], 0);
	/* it goes on verifying, and sends nothing */
	world_restart(world);
	world_set(world, AF_INET, B);
	world_run(world, 3 * MINUTE);
	assert_int_equal(world_record(world, 0)->state, RECORD_CURRENT);
	assert_int_equal(world->events[RECORD_PUBLISHED], 1);
	assert_int_equal(world->request_count, 1);
	assert_in_range(world->look_count, 5, 25);
	world_free(world);
}

/* Looks after 0, 1, 2, 4 seconds: a zone that needs one and a half is right in two. */
static void test_quick_zone(void **state)
{
	struct world *world = published();

	(void)state;
	world->follows_ms = SECOND + SECOND / 2;
	world_set(world, AF_INET, B);
	world_run(world, 2 * SECOND + SECOND / 2);
	assert_int_equal(world_record(world, 0)->state, RECORD_CURRENT);
	world_free(world);
}

/* The zone never follows: minutes until that is said; then 100 hours with restarts. */
static long never_visible(uint32_t ttl_s, const char *figure)
{
	struct world *world = published();
	struct record *record = world_record(world, 0);
	long minutes = 0;

	world->follows_ms = -1;
	world->ttl_s = ttl_s;
	world_set(world, AF_INET, B);
	do {
		world_run(world, MINUTE);
	} while (++minutes < 4000 && record->state == RECORD_VERIFYING);
	assert_int_equal(record->wait, RECORD_WAIT_INVISIBLE);
	assert_int_equal(world->events[RECORD_NOT_VISIBLE], 1);
	assert_non_null(strstr(record->reason, "not visible"));
	for (int i = 0; i < 100; i++) {
		world_run(world, HOUR);
		if (i % 10 == 0) {
			world_restart(world);
			world_set(world, AF_INET, B);
		}
	}
	figure_exactly("F47", figure, (long)world_most(world, DAY), ttl_s < 6 * 3600 ? 2 : 1);
	world_zone(world, AF_INET, B);		/* at last */
	world_run(world, 15 * MINUTE);
	assert_int_equal(world_record(world, 0)->state, RECORD_CURRENT);
	assert_int_equal(world->events[RECORD_PUBLISHED], 1);
	world_free(world);
	return minutes;
}

static void test_never_visible(void **state)
{
	long minutes = never_visible(60, "updates in any 24 hours, TTL 60 s");

	(void)state;
	figure_holds("F47", "\"not visible\" is said between 9 and 11 minutes after, TTL 60 s",
		     minutes >= 9 && minutes <= 11);
}

/* A cache may hold the former address for its whole TTL: twice that is waited for. */
static void test_never_visible_long_ttl(void **state)
{
	long minutes = never_visible(3600, "updates in any 24 hours, TTL 1 h");

	(void)state;
	figure_holds("F47", "\"not visible\" is said between 120 and 122 minutes after, TTL 1 h",
		     minutes >= 120 && minutes <= 122);
}

/* What is waited for longer than repeats are apart is said before the next one goes out. */
static void test_never_visible_day(void **state)
{
	long minutes = never_visible(86400, "updates in any 24 hours, TTL 1 day");

	(void)state;
	figure_holds("F47", "\"not visible\" is said after 48 h, TTL 1 day",
		     minutes >= 2880 && minutes <= 2882);
}

/* A restart in the middle neither forgets how long is waited nor begins anew. */
static void test_restart_long_ttl(void **state)
{
	struct world *world = published();

	(void)state;
	world->follows_ms = -1;
	world->ttl_s = 3600;
	world_set(world, AF_INET, B);
	for (int i = 0; i < 7; i++) {
		world_run(world, 17 * MINUTE);
		assert_int_equal(world_record(world, 0)->state, RECORD_VERIFYING);
		world_restart(world);
		world_set(world, AF_INET, B);
	}
	world_run(world, 5 * MINUTE);
	assert_int_equal(world_record(world, 0)->wait, RECORD_WAIT_INVISIBLE);
	assert_int_equal(world->request_count, 1);
	world_free(world);
}

/*
 * An update under way when the power fails, and the address is another one afterwards: what
 * was sent may land for some minutes. Then DNS is proof, or a state that cannot be written
 * (read-only flash) would cost an update at each start.
 */
static void test_old_doubt(void **state)
{
	(void)state;
	for (int late = 0; late < 2; late++) {
		struct world *world = published();

		world_set(world, AF_INET, B);
		world_run(world, world->provider_ms / 2);
		assert_int_equal(world->request_count, 1);
		world_restart_after(world, late ? HOUR / SECOND : 5);
		world_zone(world, AF_INET, "81.2.69.3");
		world_set(world, AF_INET, "81.2.69.3");
		world_run(world, MINUTE);
		assert_int_equal(world->request_count, late ? 1 : 2);
		assert_publishes(world, "81.2.69.3");
		world_free(world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_zone),
		cmocka_unit_test(test_quick_zone),
		cmocka_unit_test(test_never_visible),
		cmocka_unit_test(test_never_visible_long_ttl),
		cmocka_unit_test(test_never_visible_day),
		cmocka_unit_test(test_restart_long_ttl),
		cmocka_unit_test(test_old_doubt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
