/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Providers that fail for months: the schedule holds no byte more than after the first days. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake/world.h"
#include "unit/figure.h"

/* Of the address sanitizer; its header is not packaged with every compiler. */
extern size_t __sanitizer_get_current_allocated_bytes(void);

enum { PROVIDERS = WORLD_PROVIDERS, FIRST = 1000, FAILURES = 100000 };

/* In turn, each of those that are tried again. */
static enum message_verdict world_failing(struct world *world, size_t record)
{
	static const enum message_verdict verdicts[] = {
		MESSAGE_UNREACHABLE, MESSAGE_TLS_REFUSED,  MESSAGE_RATE_LIMITED,
		MESSAGE_TRANSIENT,   MESSAGE_SERVER_ERROR, MESSAGE_UNCONFIRMED,
	};

	return verdicts[(world->request_count + record) % 6];
}

static long fail_until(struct world *world, long *failures, long wanted)
{
	while (*failures < wanted) {
		world->request_count = 0;
		world_run(world, HOUR);
		*failures += (long)world->request_count;
	}
	return (long)__sanitizer_get_current_allocated_bytes();
}

static void test_months_of_failures(void **state)
{
	struct world *world = world_new(PROVIDERS, 1, CONFIG_IPV4);
	long failures = 0, before, after;

	(void)state;
	world->provider = world_failing;
	world_start(world);
	world_set(world, AF_INET, "81.2.69.1");
	before = fail_until(world, &failures, FIRST);
	after = fail_until(world, &failures, FAILURES);
	figure_at_most("F61",
		       "schedule: bytes more after 100,000 failures than after 1,000",
		       after - before, 0);
	world_free(world);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_months_of_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
