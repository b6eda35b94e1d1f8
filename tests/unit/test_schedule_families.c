/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses that are not for everybody, and the two families of a name, each for itself.
 */
#include "figure.h"
#include "schedule_room.h"

static void test_not_global(void **state)
{
	static const char *const bad[] = {
		"192.168.1.2", "10.0.0.1",    "100.64.0.1",
		"169.254.1.1", "203.0.113.7", "127.0.0.1",
	};
	struct world *world = published();

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		world_set(world, AF_INET, bad[i]);
		world_run(world, HOUR);
		assert_int_equal(world_record(world, 0)->wait, RECORD_WAIT_ADDRESS);
		assert_non_null(strstr(world_record(world, 0)->reason, bad[i]));
	}
	assert_int_equal(world->request_count, 0);
	world_set(world, AF_INET, A);
	world_run(world, HOUR);
	assert_int_equal(world->request_count, 0);
	/* What the zone says is no source at all: it is repaired. */
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		world_zone(world, AF_INET, bad[i]);
		world_run(world, DAY);
		assert_publishes(world, A);
	}
	figure_exactly("F8", "special addresses in the zone that were not set right, once each",
		       (long)world->request_count - (long)(sizeof(bad) / sizeof(*bad)), 0);
	world_free(world);
}

static void test_private_where_allowed(void **state)
{
	struct world *world = world_new(1, 1, CONFIG_IPV4);

	(void)state;
	world->providers[0].allow_private = true;
	world_start(world);
	world_set(world, AF_INET, "192.168.1.2");
	world_run(world, HOUR);
	figure_exactly("F8", "updates with a private address where that is allowed",
		       (long)world->request_count, 1);
	assert_publishes(world, "192.168.1.2");
	world_free(world);
}

/* --- two families --- */

#define B6 "2a00:1450::b"

static enum message_verdict answer_4_fails(struct world *world, size_t record)
{
	return schedule_record(world->schedule, record)->family == AF_INET
		       ? MESSAGE_TRANSIENT : MESSAGE_GOOD;
}

static size_t record_of_family(struct world *world, int family)
{
	return schedule_record(world->schedule, 0)->family == family ? 0 : 1;
}

/* IPv4 fails for hours: IPv6 is published, each change once, and is never asked for again. */
static void test_one_family_fails(void **state)
{
	struct world *world = with_address(1, CONFIG_IPV4 | CONFIG_IPV6);
	size_t v4 = record_of_family(world, AF_INET), v6 = 1 - v4;

	(void)state;
	world->provider = answer_4_fails;
	world_set(world, AF_INET, B);
	world_run(world, 6 * HOUR);
	assert_in_range(world->updates_of[v4], 1 + 6, 1 + 8 + 5 * 3);
	world_set(world, AF_INET6, B6);
	world_run(world, 5 * SECOND);
	assert_int_equal(world_record(world, v6)->state, RECORD_CURRENT);
	assert_int_equal(world_record(world, v4)->state, RECORD_WAITING);
	world_run(world, 6 * HOUR);
	figure_exactly("F19", "updates of IPv6 for one change, while IPv4 fails for 12 hours",
		       (long)world->updates_of[v6] - 1, 1);
	world_free(world);
}

/* IPv6 is lost: nothing is sent for either, and IPv4 goes on. */
static void test_one_family_is_lost(void **state)
{
	struct world *world = with_address(1, CONFIG_IPV4 | CONFIG_IPV6);
	size_t v4 = record_of_family(world, AF_INET);
	size_t before = world->request_count;

	(void)state;
	world_set(world, AF_INET6, NULL);
	world_run(world, DAY);
	figure_exactly("F19", "updates after IPv6 was lost, IPv4 stays",
		       (long)(world->request_count - before), 0);
	world_set(world, AF_INET, B);
	world_run(world, HOUR);
	assert_int_equal(world->request_count - before, 1);
	assert_int_equal(world_record(world, v4)->state, RECORD_CURRENT);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_global),
		cmocka_unit_test(test_private_where_allowed),
		cmocka_unit_test(test_one_family_fails),
		cmocka_unit_test(test_one_family_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
