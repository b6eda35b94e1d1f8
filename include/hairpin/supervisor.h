/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: supervisor */
/*
 * The supervisor: starts the core and the publisher and starts them again, runs hooks,
 * reads the configuration with the rights it was started with, and speaks to the service
 * manager. It opens no network socket.
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
