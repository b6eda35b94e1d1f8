/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "foreign.h"

#include <string.h>

static int64_t larger(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void foreign_note(struct foreign *foreign, int64_t now_ms)
{
	int64_t gap_ms = larger(FOREIGN_SHARE_MS, foreign->pause_ms);

	if (foreign->pending)
		return;
	gap_ms = larger(gap_ms, foreign->cost_ms * FOREIGN_COST_SHARE);
	foreign->pending = true;
	foreign->due_ms = now_ms;
	if (foreign->has_looked)
		foreign->due_ms = larger(now_ms, foreign->looked_ms + gap_ms);
}

int64_t foreign_due_ms(const struct foreign *foreign)
{
	return foreign->pending ? foreign->due_ms : INT64_MAX;
}

/*
 * Notes a correction. True: with it there were more than FOREIGN_FLIPS_MAX within the
 * window.
 */
static bool flips_add(struct foreign *foreign, int64_t now_ms)
{
	bool many = foreign->flip_count == FOREIGN_FLIPS_MAX &&
		    now_ms - foreign->flips_ms[0] < FOREIGN_WINDOW_MS;

	if (foreign->flip_count < FOREIGN_FLIPS_MAX) {
		foreign->flips_ms[foreign->flip_count++] = now_ms;
		return many;
	}
	memmove(&foreign->flips_ms[0], &foreign->flips_ms[1],
		(FOREIGN_FLIPS_MAX - 1) * sizeof(foreign->flips_ms[0]));
	foreign->flips_ms[FOREIGN_FLIPS_MAX - 1] = now_ms;
	return many;
}

/*
 * By a fifth each time: a script that loads the firewall a dozen times in a row is
 * still answered within 0.1 s, while a program that sets a value back at once is soon
 * looked at once a minute only.
 */
static void pause_grow(struct foreign *foreign)
{
	if (foreign->pause_ms == 0)
		foreign->pause_ms = FOREIGN_SHARE_MS;
	else
		foreign->pause_ms += foreign->pause_ms / 5;
	if (foreign->pause_ms > FOREIGN_PAUSE_MAX_MS)
		foreign->pause_ms = FOREIGN_PAUSE_MAX_MS;
}

/* Is it quiet since so long that the fight is over? */
static bool is_quiet(const struct foreign *foreign, int64_t now_ms)
{
	int64_t last_ms = foreign->flips_ms[foreign->flip_count - 1];

	return now_ms - last_ms > FOREIGN_WINDOW_MS + foreign->pause_ms;
}

bool foreign_looked(struct foreign *foreign, int64_t began_ms, int64_t now_ms,
		    bool corrected)
{
	bool begins;

	foreign->pending = false;
	foreign->has_looked = true;
	foreign->looked_ms = now_ms;
	foreign->cost_ms = now_ms - began_ms;
	if (!corrected)
		return false;
	if (foreign->flip_count > 0 && is_quiet(foreign, now_ms)) {
		foreign->flip_count = 0;
		foreign->pause_ms = 0;
	}
	/*
	 * While the pause is long there are few corrections a minute: the fight goes on
	 * all the same.
	 */
	if (!flips_add(foreign, now_ms) && foreign->pause_ms == 0)
		return false;
	begins = foreign->pause_ms == 0;
	pause_grow(foreign);
	return begins;
}
