/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log's level at run time, for all three processes. It holds until its time is over, the
 * configuration is read again or the core is started again.
 */
#ifndef CORE_LEVEL_H
#define CORE_LEVEL_H

#include <stdbool.h>
#include <stdint.h>

#include "hairpin/allowance.h"

struct core;

struct level {
	bool is_set;		/* it is not the configured one */
	int64_t until_ms;	/* INT64_MAX: no end by time */
	int64_t until_wall_s;	/* the same for people; 0 */
	int wanted, told;	/* the last that the supervisor was to hear, and heard */
	struct allowance tells;	/* it hears only so many messages, of all kinds */
};

/* The configured level holds, and all know it. */
void level_begin(struct core *core);

/* `seconds` 0: no end by time. */
void level_set(struct core *core, int level, int64_t seconds, int64_t now_ms);

/* As configured again. */
void level_reset(struct core *core, int64_t now_ms);

/* A new publisher has to be told. */
void level_tell_publisher(struct core *core);

/* The wall clock was stepped: the end has another name. */
void level_clock(struct core *core, int64_t now_ms);

void level_turn(struct core *core, int64_t now_ms);
int64_t level_due_ms(const struct core *core);

#endif
