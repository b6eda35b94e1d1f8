/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: supervisor */
/*
 * The supervisor: starts the core and the publisher and starts them again, runs hooks,
 * reads the configuration with the rights it was started with, and speaks to the service
 * manager. It opens no network socket.
 *
 * The core may have been taken over, so what it may cause has bounds. It is read at most 500
 * times at once and then 50 times a second; what is left lies in its own channel. It gets one
 * publisher at a time, 20 at once and then one a second; one reading of the configuration
 * at a time, 100 at once and then ten a second, and 60 of them with what came of it in the
 * log and then one a minute; one command of an address source at a time,
 * 50 at once and then one in 5 s; hooks as hooks.h says. It can end the daemon only after it
 * was told to stop, and who gives up its channel is killed 2 s later.
 */
#ifndef HAIRPIN_SUPERVISOR_H
#define HAIRPIN_SUPERVISOR_H

#include <stdbool.h>

#include "hairpin/role.h"

struct supervisor_options {
	enum core_mode mode;
	const char *config_path;		/* NULL: the default */
	const char *const *catalogue;		/* directories of provider descriptions */
	const char *publisher_path;		/* the program hairpin-publish */
	bool hooks_outside;			/* hairpinctl watch --run-hooks runs them */
	const char *state_directory;		/* NULL: as configured */
	const char *socket;			/* NULL: as configured */
	int log_level;				/* -1: as configured */
	int (*run_core)(const struct core_options
				*options); /* core_run; floors do not see each other */
};

/* The exit status of hairpind: 0, 1, 2. */
int supervisor_run(const struct supervisor_options *options);

#endif
