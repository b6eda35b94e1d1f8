/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first line of the status: is it all right, and if not, what is not.
 */
#ifndef HAIRPIN_CTL_VERDICT_H
#define HAIRPIN_CTL_VERDICT_H

#include "plain.h"

/* Ordered: the worst one speaks. */
enum verdict_level {
	VERDICT_WELL,
	VERDICT_WAITING,	/* hairpind goes on by itself */
	VERDICT_ATTENTION,	/* somebody has to do something */
};

/* How a record's state is judged. A state that we do not know is VERDICT_ATTENTION. */
enum verdict_level verdict_of_state(const char *state);
enum plain_colour verdict_colour(enum verdict_level level);

/* An address that exists but is of no use to the internet: "private", "cgnat", ... */
bool verdict_is_inner(const struct json *side);

/* --- status_wan.c --- */

void status_show_wan(const struct json *wan, const struct ctl_view *view,
		     struct text *out);

/* --- hook_show.c --- */

/* Was its last run a success? */
bool hook_is_well(const struct json *hook);
void status_show_hooks(const struct json *status, const struct ctl_view *view,
		       struct text *out);

void verdict_show(const struct json *status, const struct ctl_view *view,
		  struct text *out);

#endif
