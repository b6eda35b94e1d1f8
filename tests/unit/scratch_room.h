/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory for each test of a file: setup and teardown. */
#ifndef HAIRPIN_TESTS_SCRATCH_ROOM_H
#define HAIRPIN_TESTS_SCRATCH_ROOM_H

#include "scratch.h"

static struct scratch scratch;

static inline int scratch_begin(void **state)
{
	(void)state;
	return scratch_new(&scratch);
}

static inline int scratch_end(void **state)
{
	(void)state;
	scratch_done(&scratch);
	return 0;
}

#endif
