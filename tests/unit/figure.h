/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Figures that an entry of tests/faults asks for: printed for the table of results
 * (`make results`) and asserted.
 */
#ifndef HAIRPIN_TESTS_FIGURE_H
#define HAIRPIN_TESTS_FIGURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/*
 * The least of up to five measurements; one within the limit is enough. Where something
 * takes too long it does so every time, where the machine stands still it does not.
 */
static inline long figure_least(long (*measure)(void), long limit)
{
	long least = measure();

	for (int i = 1; i < 5 && least > limit; i++) {
		long again = measure();

		least = again < least ? again : least;
	}
	return least;
}

static inline void figure_at_most(const char *entry, const char *what, long got, long limit)
{
	printf("# figure %s | %s | %ld | <= %ld\n", entry, what, got, limit);
	assert_true(got <= limit);
}

static inline void figure_exactly(const char *entry, const char *what, long got, long wanted)
{
	printf("# figure %s | %s | %ld | == %ld\n", entry, what, got, wanted);
	assert_int_equal(got, wanted);
}

static inline void figure_holds(const char *entry, const char *what, bool truth)
{
	assert_true(truth);
	printf("# figure %s | %s | yes | yes\n", entry, what);
}

#endif
