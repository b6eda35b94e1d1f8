/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What inadyn's settings mean: inadyn_entry.c. */
#ifndef IMPORT_INADYN_H
#define IMPORT_INADYN_H

#include "draft.h"
#include "options.h"

/* One section; the options are its own and those that hold for all. */
void inadyn_entry(struct draft *draft, const char *name, bool custom,
		  struct options *options, unsigned line);
void inadyn_globals(struct draft *draft, const struct options *globals);

#endif
