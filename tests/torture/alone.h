/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests that let allocations fail by themselves: alone_walk() calls `act` with the
 * first allocation failing, with the second, and so on, until one goes through without;
 * then nothing may be lost.
 */
#ifndef HAIRPIN_TESTS_ALONE_H
#define HAIRPIN_TESTS_ALONE_H

#include "torture/refuse.h"

int __lsan_do_recoverable_leak_check(void);

static struct {
	bool armed, met;
	unsigned long number, wanted;
} alone;

static bool refuse(void)
{
	if (!alone.armed || ++alone.number != alone.wanted)
		return false;
	alone.met = true;
	return true;
}

/* Around what is under test, within `act`. */
static inline void alone_begin(void)
{
	alone.number = 0;
	alone.met = false;
	alone.armed = true;
}

static inline void alone_end(void)
{
	alone.armed = false;
}

/* How many allocations failed, one after the other. */
static inline unsigned long alone_walk(void (*act)(void))
{
	alone.wanted = 0;
	do {
		alone.wanted++;
		act();
		assert_false(alone.armed);
	} while (alone.met);
	assert_int_equal(__lsan_do_recoverable_leak_check(), 0);
	return alone.wanted - 1;
}

#endif
