/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: base */
/*
 * How often something may be done that somebody else wishes: so many times at once, and
 * once more for each span of time that has passed since. Pure: the time comes in.
 */
#ifndef HAIRPIN_ALLOWANCE_H
#define HAIRPIN_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

struct allowance {
	int64_t apart_ms;	/* the span after which one more is given; above 0 */
	int64_t at_once;	/* how many there are at most; above 0 */
	int64_t spent_ms;	/* when all will be there again; 0: never used */
};

bool allowance_is_due(const struct allowance *allowance, int64_t now_ms);

/* When it may be done next; not after `now_ms`: now. */
int64_t allowance_due_ms(const struct allowance *allowance, int64_t now_ms);

/* It is done, allowed or not. */
void allowance_spend(struct allowance *allowance, int64_t now_ms);

#endif
