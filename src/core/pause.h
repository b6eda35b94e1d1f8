/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pause: nothing is written into the kernel, sent to the internet or given to hooks, until
 * its time is over or somebody ends it. What happens meanwhile is watched and remembered; the
 * end is a look at everything, as after a start. It outlives the process. --once does not obey:
 * it was asked for by hand.
 */
#ifndef CORE_PAUSE_H
#define CORE_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "hairpin/text.h"

struct core;
struct json;

struct pause {
	int64_t seconds;	/* how long it was to be; 0: there is none */
	int64_t until_ms;
	int64_t until_wall_s;	/* the same for people, and for the next process */
};

bool pause_is_on(const struct core *core);

/* From now on; a former one is replaced. */
void pause_begin(struct core *core, int64_t seconds, int64_t now_ms);

/* By hand. False: there was none. */
bool pause_end(struct core *core);

void pause_turn(struct core *core, int64_t now_ms);
int64_t pause_due_ms(const struct core *core);	/* INT64_MAX: none */

/* The wall clock was stepped: the end has another name. */
void pause_clock(struct core *core, int64_t now_ms);

/* For the state file: a member with its comma, or nothing. */
void pause_save(const struct core *core, struct text *out);

/* No longer than it was to be, whatever became of the clock. */
void pause_restore(struct core *core, const struct json *document, int64_t now_ms,
		   int64_t wall_s);

#endif
