/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a provider is asked in a day, whatever happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake/world.h"
#include "figure.h"

#define BOTH (CONFIG_IPV4 | CONFIG_IPV6)

static enum message_verdict world_dice(struct world *world, size_t record)
{
	static const enum message_verdict some[] = {
		MESSAGE_GOOD,	   MESSAGE_GOOD,	MESSAGE_GOOD, MESSAGE_UNCHANGED,
		MESSAGE_TRANSIENT, MESSAGE_UNCONFIRMED, MESSAGE_GOOD, MESSAGE_TRANSIENT,
	};

	(void)record;
	return some[world_roll(world) >> 29];
}

/* A minute of a storm. */
static void storm(struct world *world, bool force)
{
	char text[32];

	snprintf(text, sizeof(text), "81.2.69.%u", world_roll(world) >> 25);
	world_set(world, AF_INET, text);
	if (force)
		schedule_update(world->schedule, NULL, 0, true, world->now_ms);
	schedule_network(world->schedule, 0, world->now_ms);
	world_run(world, MINUTE);
}

static void test_budget(void **state)
{
	struct world *world = world_new(1, 3, BOTH);	/* there is no IPv6 */

	(void)state;
	world_start(world);
	world->provider = world_dice;
	for (int i = 0; i < 3 * 1440; i++)
		storm(world, i % 3 == 0);
	assert_true(world_most(world, DAY) >= 60);
	figure_at_most("P6", "requests in any 24 hours of a storm, 3 records",
		       (long)world_most(world, DAY), 100 + 4 * 3);
	world_free(world);
}

/* Read again without any entry, and again with all. */
static void leave_and_return(struct world *world)
{
	const size_t providers = world->config.provider_count;

	for (int back = 0; back < 2; back++) {
		struct schedule *old = world->schedule;

		world->config.provider_count = back ? providers : 0;
		assert_int_equal(schedule_new(&world->config, world->fingerprints,
					      world->now_ms, world_wall_s(world),
					      &world->schedule), 0);
		schedule_adopt(world->schedule, old, world->now_ms);
	}
}

static void test_budget_of_who_was_away(void **state)
{
	struct world *world = world_new(1, 3, CONFIG_IPV4);

	(void)state;
	world_start(world);
	world->provider = world_dice;
	for (int i = 0; i < 2 * 1440; i++) {
		if (i % 30 == 0)
			leave_and_return(world);
		storm(world, i % 3 == 0);
	}
	assert_true(world_most(world, DAY) >= 60);
	figure_at_most("P6", "the same, its entry taken out and brought back each half hour",
		       (long)world_most(world, DAY), 100 + 4 * 3);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_budget),
		cmocka_unit_test(test_budget_of_who_was_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
