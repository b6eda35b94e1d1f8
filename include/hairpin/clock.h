/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: base */
/*
 * The time. Decisions never call these: they get the time as an argument.
 */
#ifndef HAIRPIN_CLOCK_H
#define HAIRPIN_CLOCK_H

#include <stdint.h>

int64_t clock_now_ms(void);	/* CLOCK_BOOTTIME: never steps, counts sleep */
int64_t clock_now_us(void);	/* the same in microseconds, for measuring */
int64_t clock_wall_s(void);	/* CLOCK_REALTIME: seconds since 1970, may step */

enum { CLOCK_TEXT_BYTES = 21 };	/* "2026-01-01T00:00:00Z" and NUL */

/* RFC 3339 in UTC. Returns `out`. */
const char *clock_format(int64_t wall_s, char out[CLOCK_TEXT_BYTES]);

#endif
