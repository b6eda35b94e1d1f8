/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: core */
/*
 * The core: keeps the kernel right, decides when a record is due, owns state file and
 * control socket.
 */
#ifndef HAIRPIN_CORE_H
#define HAIRPIN_CORE_H

#include <stdbool.h>

#include "hairpin/role.h"

/*
 * Runs until told to stop, or until once or dry run are done; gives the exit status of
 * hairpind. Runs in a child of the supervisor's.
 */
int core_run(const struct core_options *options);

/* hairpind --rewrite: no configuration, no daemon, no state. */
struct core_rewrite {
	const char *address;
	const char *const *former;	/* --from, ends with NULL */
	const char *tag;		/* NULL: "hairpin" */
	const char *const *tables;	/* --table FAMILY:NAME, ends with NULL */
	bool add_missing, dry_run, json, conntrack;
};
/* Prints to stdout; gives the exit status (0, 1, 2). */
int core_rewrite_run(const struct core_rewrite *rewrite);

#endif
