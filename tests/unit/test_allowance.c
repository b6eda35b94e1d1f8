/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hairpin/allowance.h"

static void allowance_counts(void **state)
{
	struct allowance allowance = { .apart_ms = 100, .at_once = 20 };
	long done = 0;

	(void)state;
	for (int64_t now_ms = 5000; now_ms <= 65000; now_ms++) {
		for (int i = 0; i < 5; i++) {
			if (allowance_due_ms(&allowance, now_ms) > now_ms)
				break;
			allowance_spend(&allowance, now_ms);
			done++;
		}
	}
	assert_int_equal(done, 20 + 600);
	assert_int_equal(allowance_due_ms(&allowance, 65000), 65100);
	/* After a rest all are there again, and not more. */
	for (done = 0; allowance_due_ms(&allowance, 99000) == 99000; done++)
		allowance_spend(&allowance, 99000);
	assert_int_equal(done, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(allowance_counts) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
