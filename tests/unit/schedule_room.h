/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A schedule whose records are published: what is counted then is new.
 */
#ifndef HAIRPIN_TESTS_SCHEDULE_ROOM_H
#define HAIRPIN_TESTS_SCHEDULE_ROOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake/world.h"

#define A "81.2.69.1"
#define B "81.2.69.2"

static inline struct world *with_address(size_t names, unsigned families)
{
	struct world *world = world_new(1, names, families);

	world_start(world);
	world_set(world, AF_INET, A);
	if (families & CONFIG_IPV6)
		world_set(world, AF_INET6, "2a00:1450::a");
	world_run(world, HOUR);
	return world;
}

/* One record, published, verified; what is counted from now on is new. */
static inline struct world *published(void)
{
	struct world *world = with_address(1, CONFIG_IPV4);

	assert_int_equal(world->request_count, 1);
	assert_int_equal(world_record(world, 0)->state, RECORD_CURRENT);
	assert_true(world_record(world, 0)->verified);
	world->request_count = world->look_count = 0;
	memset(world->events, 0, sizeof(world->events));
	return world;
}

static inline void assert_publishes(struct world *world, const char *text)
{
	struct addr wanted = world_address(text);

	assert_int_equal(world_record(world, 0)->state, RECORD_CURRENT);
	assert_true(addr_equal(&world_record(world, 0)->published, &wanted));
	assert_true(addr_equal(world_look(world, 0, world->now_ms), &wanted));
}

#endif
