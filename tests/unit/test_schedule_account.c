/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A reload with another account: what the former one said and kept is nothing to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake/world.h"

#define A "81.2.69.1"
#define B "81.2.69.2"

static enum message_verdict verdict;

static enum message_verdict says(struct world *world, size_t record)
{
	(void)world;
	(void)record;
	return verdict;
}

static void reload(struct world *world, bool another)
{
	struct schedule *old = world->schedule;

	world->fingerprints[0] += another;
	assert_int_equal(schedule_new(&world->config, world->fingerprints, world->now_ms,
				      world_wall_s(world), &world->schedule), 0);
	schedule_route(world->schedule, 0, true, world->now_ms);
	schedule_adopt(world->schedule, old, world->now_ms);
}

/* A is published and kept with "zone=1"; an update to B, which takes a second, goes. */
static struct world *in_flight(void)
{
	struct world *world = world_new(1, 2, CONFIG_IPV4);

	world->memo = "zone=1";
	world_start(world);
	world_set(world, AF_INET, A);
	world_run(world, 2 * MINUTE);
	assert_string_equal(world_record(world, 0)->memo, "zone=1");
	world->provider = says;
	world->provider_ms = SECOND;
	world_set(world, AF_INET, B);
	world_run(world, 500);
	assert_int_equal(world_record(world, 0)->state, RECORD_SENDING);
	world->provider = world_good;
	world->memo = "zone=2";
	return world;
}

static void test_memo(void **state)
{
	(void)state;
	verdict = MESSAGE_GOOD;
	for (int another = 0; another < 2; another++) {
		struct world *world = in_flight();
		struct record *record;

		reload(world, another);
		record = world_record(world, 0);
		if (another)
			assert_null(record->memo);
		else
			assert_string_equal(record->memo, "zone=1");
		world_run(world, 600);		/* the answer of the former account */
		if (another)
			assert_null(record->memo);
		else
			assert_string_equal(record->memo, "zone=1");
		world_run(world, HOUR);
		assert_int_equal(record->state, RECORD_CURRENT);
		assert_int_equal(world->updates_of[0], 2);	/* the good one counts */
		world_free(world);
	}
}

/* The former account's refusal disables neither this name nor the others. */
static void test_refusals(void **state)
{
	static const enum message_verdict verdicts[] = {
		MESSAGE_BADAUTH, MESSAGE_NOHOST, MESSAGE_ABUSE, MESSAGE_FORBIDDEN,
		MESSAGE_BAD_REQUEST, MESSAGE_TRANSIENT,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(*verdicts); i++) {
		struct world *world;

		verdict = verdicts[i];
		world = in_flight();
		reload(world, true);
		world_run(world, HOUR);
		for (size_t r = 0; r < 2; r++) {
			const struct record *record = world_record(world, r);

			assert_int_equal(record->refusal, 0);
			assert_int_equal(record->state, RECORD_CURRENT);
			assert_string_equal(record->memo, "zone=2");
		}
		assert_int_equal(world->updates_of[0], 3);
		world_free(world);
	}
}

/* A second reload, back to the first account, makes the answer no better. */
static void test_twice(void **state)
{
	struct world *world;

	(void)state;
	verdict = MESSAGE_BADAUTH;
	world = in_flight();
	reload(world, true);
	reload(world, false);
	world_run(world, HOUR);
	assert_int_equal(world_record(world, 0)->state, RECORD_CURRENT);
	world_free(world);
}

/* The next update is the new account's own: its refusal holds. */
static void test_own_refusal(void **state)
{
	struct world *world;

	(void)state;
	verdict = MESSAGE_BADAUTH;
	world = in_flight();
	world->provider = says;
	reload(world, true);
	world_run(world, HOUR);
	for (size_t r = 0; r < 2; r++)
		assert_int_equal(world_record(world, r)->refusal, MESSAGE_BADAUTH);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memo),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_twice),
		cmocka_unit_test(test_own_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
