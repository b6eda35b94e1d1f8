/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: system */
/*
 * Starting a child with nothing it was not given: descriptors, signals, environment, session, rights.
 */
#ifndef HAIRPIN_SPAWN_H
#define HAIRPIN_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "hairpin/err.h"

struct spawn {
	int executable;			/* opened and checked file to run (fexecve), or -1 with `path` */
	const char *path;
	char *const *argv, *const *environment;
	int in, out, err;		/* become 0, 1, 2; -1: /dev/null */
	int channel;			/* becomes 3; -1: none */
	uid_t uid;			/* (uid_t)-1: stay */
	gid_t gid;
	bool session;			/* setsid(), so that the whole group can be ended */
};

/* The child has no capabilities, default signal dispositions, an empty mask, working directory /, and dies with its parent. */
int spawn_start(const struct spawn *spawn, pid_t *ret_pid, struct err *ret_err) must_check;

#endif
