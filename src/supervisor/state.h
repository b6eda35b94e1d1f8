/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the supervisor knows, and the parts it is made of. One thread, one poll loop;
 * every part gets the time as an argument and says by a deadline when it wants to be
 * asked again.
 */
#ifndef HAIRPIN_SUPERVISOR_STATE_H
#define HAIRPIN_SUPERVISOR_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "hairpin/allowance.h"
#include "hairpin/fault.h"
#include "hairpin/hooks.h"
#include "hairpin/message.h"
#include "hairpin/supervisor.h"
#include "finder.h"
#include "load.h"
#include "restart.h"

enum {
	SUPERVISOR_STOP_MS = 4000,	/* from SIGTERM until the core is killed */
	SUPERVISOR_DONE_MS = 2000,	/* from "done", or the end of its channel, until the
					 * core must have left */
	NEVER = -1,			/* as a point in time */
};

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct process {
	pid_t pid;			/* 0: does not run */
	struct restart restart;
	struct fault fault;		/* its deaths, for the log */
	int64_t due_ms;			/* when to start it, NEVER: not wanted */
	int64_t not_before_ms;		/* it died often: later wishes wait until then */
};

struct supervisor {
	const struct supervisor_options *options;
	struct load_facts facts;	/* of the configuration in force */
	struct load_vault vault;
	int document;			/* the sealed configuration in force */

	struct load load;		/* being read again */
	uint32_t load_number;		/* who asked; 0: a signal */
	bool load_again;		/* once more after this one ... */
	uint32_t load_again_number;	/* ... for this asker */
	struct allowance loads, loads_told;	/* begun, and said in the log */

	struct process core;
	int channel;			/* to the core, -1 while it does not run */
	struct allowance messages;	/* that it sends */
	int64_t core_deadline_ms;	/* it must have left by then; NEVER */
	struct fault deaf;		/* it takes no messages */
	struct fault liar;		/* it says what it must not */
	struct fault unborn;		/* it cannot be started */
	bool ready;			/* READY=1 was said */

	struct process publisher;
	struct allowance publishers;
	pid_t publisher_before;		/* killed and not yet gone; 0: none */
	int publisher_program; /* opened at start, so that both ends are of one build */
	uint32_t publisher_number;	/* the request to be answered */
	bool user_refusal_told;

	struct hooks hooks;
	struct finder finder;		/* of an address source */
	int signals;			/* signalfd */
	int lock, state_directory, control;	/* -1: none */
	int metrics;			/* the directory of the text file; -1: none */
	int64_t watchdog_ms;

	bool stopping;
	int64_t stop_deadline_ms;	/* NEVER unless stopping or done */
	bool over;			/* leave the loop with ... */
	int exit_status;
};

/* --- prepare.c: what is held for the whole life --- */

/* False: cannot go on, said why; `supervisor->exit_status` is set. */
bool prepare_state_directory(struct supervisor *supervisor) must_check;
bool prepare_control(struct supervisor *supervisor) must_check;
void prepare_metrics(struct supervisor *supervisor);
void prepare_undo(struct supervisor *supervisor);

/* --- core_process.c --- */

void core_start(struct supervisor *supervisor, int64_t now_ms);
/* Reads what it sent; a message that does not hold ends it. */
void core_readable(struct supervisor *supervisor, int64_t now_ms);
/* It gave up its channel and did not leave. */
void core_kill(struct supervisor *supervisor);
void core_died(struct supervisor *supervisor, int status, int64_t now_ms);
/* To nobody while it does not run. `fd` -1: none. */
void core_tell(struct supervisor *supervisor, const void *packet, size_t bytes, int fd);
void core_tell_simple(struct supervisor *supervisor, enum message_type type);

/* --- publisher_process.c --- */

void publisher_wanted(struct supervisor *supervisor, uint32_t number, int64_t now_ms);
void publisher_start(struct supervisor *supervisor, int64_t now_ms);
/* One that was killed: the next one waited for its end. */
void publisher_gone(struct supervisor *supervisor, int64_t now_ms);
void publisher_died(struct supervisor *supervisor, int status, int64_t now_ms);
void publisher_kill(struct supervisor *supervisor);

/* --- reload.c --- */

/* At start, waiting for it: 0, or the exit status. */
int reload_first(struct supervisor *supervisor);
void reload_wanted(struct supervisor *supervisor, uint32_t number, int64_t now_ms);
void reload_readable(struct supervisor *supervisor, int64_t now_ms);
/* When there is something to do without news; NEVER. */
int64_t reload_deadline_ms(const struct supervisor *supervisor);

/* --- loop.c --- */

void loop_run(struct supervisor *supervisor);

#endif
