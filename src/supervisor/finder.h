/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Running the command of an address source: as a hook is run (rights of the file, user,
 * environment, time limit, TERM and then KILL), but what it prints is for the core, at most
 * ADDR_ALONE_BYTES of it. Which command that is stands in the configuration; the core only
 * names WAN and family. One runs at a time, and who wishes too many waits: -EBUSY.
 */
#ifndef HAIRPIN_SUPERVISOR_FINDER_H
#define HAIRPIN_SUPERVISOR_FINDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hairpin/addr.h"
#include "hairpin/allowance.h"
#include "hairpin/hooks.h"
#include "hairpin/message.h"

#include "load.h"

struct finder {
	const struct load_facts *facts;		/* of the configuration in force */
	hooks_done *done;
	void *context;

	struct allowance allowance;
	enum hooks_stage stage;
	pid_t pid;
	int64_t deadline_ms;
	struct message_reply reply;		/* being made */
	char name[CONFIG_LABEL_BYTES + 16];	/* for the log */
	int fd;					/* what it prints; -1: none */
	char printed[ADDR_ALONE_BYTES + 1];	/* one more, to see that it is too much */
	size_t bytes;
	struct hooks_output errors;		/* standard error, for the log */
};

void finder_init(struct finder *finder, const struct load_facts *facts,
		  hooks_done *done, void *context);
void finder_kill(struct finder *finder);	/* nothing is reported */

/* `done` is called once, maybe within the call. */
void finder_run(struct finder *finder, const struct message_command *wanted,
		 int64_t now_ms);

/* As those of hooks.h. */
bool finder_busy(const struct finder *finder);
int64_t finder_deadline_ms(const struct finder *finder);
void finder_readable(struct finder *finder);
void finder_tick(struct finder *finder, int64_t now_ms);
bool finder_ended(struct finder *finder, pid_t pid);
void finder_reaped(struct finder *finder, int status);
void finder_stop(struct finder *finder, int64_t now_ms);

#endif
