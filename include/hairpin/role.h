/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: model */
/*
 * What the supervisor gives the core at its start. Both are of one floor and do not see
 * each other: hairpind.c hands core_run() over.
 */
#ifndef HAIRPIN_ROLE_H
#define HAIRPIN_ROLE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum core_mode {
	CORE_DAEMON,
	/* everything into step (rules, records, hooks), at most 60 s, then leave */
	CORE_ONCE,
	/* say on stdout what would be done, do nothing, write no state */
	CORE_DRY_RUN,
};

struct core_options {
	enum core_mode mode;
	int supervisor;			/* channel */
	/* sealed memfd: the effective document, config_parse() */
	int config;
	int control;			/* listening socket, -1: none */
	int state_directory;		/* opened directory, -1: none (dry run) */
	const char *state_path;		/* its path, for Landlock */
	/* the text file of metrics: where it goes (O_PATH, -1: none), and its whole path */
	int metrics_directory;
	const char *metrics_path;
	uid_t uid;			/* whom to become; (uid_t)-1: stay */
	gid_t gid;
	/* may read; (gid_t)-1: none. root and our own uid may always do everything */
	gid_t control_group;
	gid_t admin_group;		/* may change; (gid_t)-1: none */
	uid_t hooks_user;		/* may run hooks; (uid_t)-1: none */
	bool hooks_outside;		/* and nobody else does */
	int64_t watchdog_ms;		/* a MESSAGE_NOTICE is due this often; 0: never */
};

#endif
