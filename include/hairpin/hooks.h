/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: hooks */
/*
 * Running hooks: one event at a time, its files in the order of their names, one process
 * at a time. Whoever runs them (the supervisor, or hairpinctl as a service) has a loop that
 * asks for descriptor and deadline and tells what happened.
 *
 *   IDLE -> (event) -> RUNNING -> exit -> next file, or the event is done
 *                      RUNNING -> time limit -> TERMINATING (TERM sent to the group)
 *                      TERMINATING -> 5 s -> KILLING (KILL sent) -> exit
 *
 * What a hook leaves behind in its process group ends with it. Whoever gives the events
 * may have been taken over: HOOKS_AT_ONCE are run without a rest, then one each
 * HOOKS_APART_MS; what comes sooner waits in the queue.
 */
#ifndef HAIRPIN_HOOKS_H
#define HAIRPIN_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "hairpin/allowance.h"
#include "hairpin/err.h"
#include "hairpin/message.h"

enum {
	HOOKS_QUEUE_MAX = 4,
	HOOKS_AT_ONCE = 1000,
	HOOKS_APART_MS = 100,
	HOOKS_TERM_MS = 4000,		/* from TERM to KILL */
	HOOKS_OUTPUT_BYTES = 4096,	/* of one hook's output, in at most ... */
	HOOKS_OUTPUT_LINES = 18,	/* with how it ended, and that there was more: 20 */
	HOOKS_LINE_BYTES = 512,
};

enum hooks_stage { HOOKS_IDLE, HOOKS_RUNNING, HOOKS_TERMINATING, HOOKS_KILLING };

/* What a hook writes: lines go to the log up to the bounds, the rest to nowhere. */
struct hooks_output {
	int fd;				/* -1: none */
	size_t bytes;			/* seen so far */
	unsigned lines;
	bool told;			/* that the rest is dropped */
	char line[HOOKS_LINE_BYTES];
	size_t line_bytes;
	char said[MESSAGE_PROBLEMS_BYTES];	/* the lines as they went to the log */
	size_t said_bytes;
};

/* Of each file of an event, in their order; then of the event. */
typedef void hooks_ran(void *context, const struct message_hook_result *result);
typedef void hooks_done(void *context, const struct message_reply *reply);

struct hooks {
	char directory[4096];
	int64_t timeout_ms;
	uid_t uid;
	gid_t gid;
	hooks_ran *ran;
	hooks_done *done;
	void *context;

	struct message_hook queue[HOOKS_QUEUE_MAX];	/* the first one is being run */
	size_t queued;
	struct allowance allowance;	/* of events */
	char **names; /* of the event being run; owned, ends with NULL */
	size_t next;			/* in names */
	struct message_reply reply;	/* being counted */
	bool begun;			/* queue[0]: its files are listed */
	bool orphaned;			/* queue[0]: who asked is gone, nobody is told */
	bool stopped;			/* nothing more is begun */
	enum hooks_stage stage;
	pid_t pid;
	int64_t deadline_ms;
	struct hooks_output output;
};

void hooks_init(struct hooks *hooks, hooks_ran *ran, hooks_done *done, void *context);

/* Kills what runs, forgets the rest; nothing is reported. */
void hooks_kill(struct hooks *hooks);

/* From the configuration; holds from the next file on. */
void hooks_set(struct hooks *hooks, const char *directory, int64_t timeout_ms, uid_t uid,
	       gid_t gid);

/* -EBUSY: the queue is full. `done` is called once for each that was taken. */
int hooks_push(struct hooks *hooks, const struct message_hook *event,
	       int64_t now_ms) must_check;

/* Who asked is gone: what is begun comes to its end, unreported; the rest is forgotten. */
void hooks_forget(struct hooks *hooks);

bool hooks_busy(const struct hooks *hooks);	/* a process runs */

/* What the loop has to watch; -1 and -1 for nothing. */
int hooks_fd(const struct hooks *hooks);
int64_t hooks_deadline_ms(const struct hooks *hooks);

void hooks_readable(struct hooks *hooks);
void hooks_tick(struct hooks *hooks, int64_t now_ms);

/* Before the process is reaped: its group still is its own. True: it was ours. */
bool hooks_ended(struct hooks *hooks, pid_t pid);
/* After it was reaped, with its wait status. */
void hooks_reaped(struct hooks *hooks, int status, int64_t now_ms);

/* TERM now instead of at the time limit; nothing more is begun. */
void hooks_stop(struct hooks *hooks, int64_t now_ms);

/* --- facts.c --- */

/* "PATH=...", ..., "HAIRPIN_...=..." ends with NULL; NULL: no memory. */
char **hook_facts_environment(const struct message_hook *event);
void hook_facts_environment_free(char **environment);

/* One line of JSON, with its newline; NULL: no memory. */
char *hook_facts_json(const struct message_hook *event);

/* --- output.c --- */

void hook_output_init(struct hooks_output *output, int fd);
/* Reads what is there, a bounded amount; false at the end of it. */
bool hook_output_read(struct hooks_output *output, const char *name);
/* The last line without its newline, and the descriptor. */
void hook_output_done(struct hooks_output *output, const char *name);

#endif
