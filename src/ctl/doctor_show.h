/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor found, for people. */
#ifndef HAIRPIN_CTL_DOCTOR_SHOW_H
#define HAIRPIN_CTL_DOCTOR_SHOW_H

#include "plain.h"

/*
 * The report of doctor_run(): a verdict, who reaches which forward, findings with the
 * commands that mend them, notes. Commands are never wrapped, so that they can be pasted.
 */
void doctor_show(const struct json *report, const struct ctl_view *view,
		 struct text *out);
/* The report of doctor_probe(). */
void doctor_show_probe(const struct json *report, const struct ctl_view *view,
		       struct text *out);

/* --- parts --- */

/* Who reaches each forward: doctor_table.c. */
void doctor_show_forwards(const struct json *forwards, const struct ctl_view *view,
			  struct text *out);
/* Sentences, each with a dash in front. */
void doctor_show_list(const struct json *list, const struct ctl_view *view,
		      struct text *out);
/* One line for a root shell, whole: made harmless for a terminal where it is not. */
void doctor_show_command(const char *command, const struct ctl_view *view,
			 struct text *out);
/* Are all of them reached by the internet, and by whom else? Counts forwards and links. */
struct doctor_sums {
	unsigned forwards, well;	/* well: by the internet and by each network */
	unsigned networks;		/* that reach every forward */
	bool internet;			/* reaches every forward */
};
struct doctor_sums doctor_sum(const struct json *forwards);

#endif
