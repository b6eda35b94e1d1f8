/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process outside that runs the hooks (`hairpinctl watch --run-hooks`), where one has
 * claimed them over the control socket. It gets a channel of its own and the same messages
 * as the supervisor; while it is there every event goes to it. Where it goes, or says
 * nothing for longer than a hook may run, the event that it had is given again, behind the
 * hooks that have ended: to the next runner or, unless hairpind was started with
 * --outside-hooks, to the supervisor.
 *
 * It is trusted less than the supervisor: what it may say is about the event it has.
 */
#ifndef CORE_RUNNER_H
#define CORE_RUNNER_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "hairpin/fault.h"
#include "hairpin/message.h"

struct core;
struct json;

enum {
	RUNNER_SLACK_MS = 15000,	/* beyond a hook's time limit: TERM, KILL, and the log */
	RUNNER_ABSENT_MS = 30000,	/* events wait for one so long: that is said */
};

struct runner {
	bool there;
	int channel;
	pid_t pid;
	uid_t uid;
	ev_io io;
	int64_t silent_ms;		/* it has an event, and is heard of until then */
	int64_t waited_ms;		/* since when events wait for one; 0: they do not */
	bool absence_said;
	struct fault fault;		/* their going, for the log */
};

/*
 * Another one claims the hooks; `ret_end` is its end of the channel, to be handed over and
 * closed. -EBUSY: one is there.
 */
int runner_claim(struct core *core, pid_t pid, uid_t uid, int *ret_end)
	__attribute__((warn_unused_result));

/* 0, -EAGAIN. Where it fails otherwise the runner is gone. */
int runner_send(struct core *core, const struct message_hook *hook)
	__attribute__((warn_unused_result));

/* Takes in what it said. */
void runner_readable(struct core *core);

/* Hooks are to be run in another way, as the configuration has it now. */
void runner_configured(struct core *core);

/* Nobody runs hooks now, and hairpind itself is not to. */
bool runner_is_missing(const struct core *core);

/* {"pid", "uid"} of the one that is there, or null. */
void runner_format(const struct core *core, struct json *object, const char *key);

/* Why no hook is run at all, a sentence; NULL: no such reason. */
const char *runner_reason(const struct core *core);

void runner_turn(struct core *core, int64_t now_ms);
int64_t runner_due_ms(const struct core *core);
void runner_done(struct core *core);

#endif
