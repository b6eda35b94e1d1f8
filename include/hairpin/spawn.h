/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: system */
/*
 * Starting a child with nothing it was not given: descriptors, signals, environment,
 * session, rights.
 */
#ifndef HAIRPIN_SPAWN_H
#define HAIRPIN_SPAWN_H

#include <stdbool.h>
#include <sys/types.h>

#include "hairpin/err.h"

struct spawn {
	/* opened (to read) and checked file to run, or -1: `path` */
	int executable;
	const char *path;	/* used where there is no `executable` */
	char *const *argv, *const *environment;
	int in, out, err;		/* become 0, 1, 2; -1: /dev/null */
	int channel;			/* becomes 3; -1: none */
	uid_t uid;			/* (uid_t)-1: stay */
	gid_t gid;
	bool session;		/* setsid(), so that the whole group can be ended */
};

/*
 * The child has no capabilities, no new privileges, default signal dispositions, an empty
 * mask, umask 022, working directory /, and dies with its parent. Of descriptors it has
 * what is named above; a script ("#!") also that of itself, beyond 9. Waits until the
 * program runs, so that every failure is told: -EPERM where changing users is impossible,
 * -ENOEXEC, -EACCES, -EAGAIN, ...
 */
int spawn_start(const struct spawn *spawn, pid_t *ret_pid, struct err *ret_err)
		must_check;

#endif
