/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What doctor found, for people. */
#ifndef HAIRPIN_CTL_DOCTOR_SHOW_H
#define HAIRPIN_CTL_DOCTOR_SHOW_H

#include "hairpin/ctl.h"

/* The report of doctor_run(). */
void doctor_show(const struct json *report, const struct ctl_view *view,
		 struct text *out);
/* The report of doctor_probe(). */
void doctor_show_probe(const struct json *report, const struct ctl_view *view,
		       struct text *out);

#endif
