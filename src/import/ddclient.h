/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ddclient's settings mean: ddclient_entry.c. */
#ifndef IMPORT_DDCLIENT_H
#define IMPORT_DDCLIENT_H

#include "draft.h"
#include "options.h"

/* One line with hosts; the options are its own and those that hold for all. */
void ddclient_entry(struct draft *draft, const struct options *options, const char *hosts,
		    unsigned line);
/* What only stood for all, and was not taken over. */
void ddclient_globals(struct draft *draft, const struct options *globals);

#endif
