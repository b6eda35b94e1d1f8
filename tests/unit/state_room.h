/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A core that keeps its state in a directory of its own: setup, with scratch_end(). */
#ifndef HAIRPIN_TESTS_STATE_ROOM_H
#define HAIRPIN_TESTS_STATE_ROOM_H

#include "core_room.h"
#include "scratch_room.h"

static inline int state_begin(void **state)
{
	room_kernel_clear();
	return scratch_begin(state);
}

#endif
