/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The queue of hook events: one at a time is given to who runs hooks, in order: the
 * supervisor, or a runner outside (runner.h).
 *
 * About a WAN's address the queue only remembers that something is to be told. What, is
 * the difference between what hooks were told last (core_side.told, in the state file)
 * and what is now, taken when its turn comes. So a newer change replaces a waiting one
 * and keeps its first old address, and what was not told before a crash is told after
 * it.
 *
 * A record's or the ruleset's event carries its facts; a newer one of the same subject
 * replaces a waiting one.
 */
#ifndef CORE_EVENTS_H
#define CORE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/message.h"

#include "hookbook.h"

struct core;
struct config;
struct schedule;

enum {
	/* waiting; later ones are dropped, and that is said */
	EVENTS_MAX = 1024,
	EVENTS_RETRY_MS = 1000,
};

enum event_subject {
	EVENT_OF_START,			/* index: the WAN */
	EVENT_OF_SIDE,			/* index: the WAN, and side */
	EVENT_OF_RULES,			/* index: the WAN */
	EVENT_OF_RECORD,		/* index: the record */
	EVENT_OF_TEST,			/* events.test says which */
};

struct event {
	struct event *next;
	enum event_subject subject;
	size_t index;
	int side;
	enum message_event kind;	/* of a record: RECORD, FAILED */
	struct addr old, new;
	unsigned rules;
	const char *reason;		/* of rules; static */
	char message[MESSAGE_TEXT_BYTES];
	bool answered;			/* of a test: who asked knows the result */
};

/* `hairpinctl hook test`: one at a time. */
struct event_test {
	char name[MESSAGE_HOOK_BYTES];
	enum message_event event;
	bool waits;			/* for its result */
};

struct events {
	struct event *first;		/* waiting, oldest first */
	size_t count;
	struct event *sent;		/* the supervisor has it, or the runner */
	bool outside;			/* the runner */
	struct addr told[2];		/* and these are the addresses it told, by side */
	uint32_t number;
	char after[MESSAGE_HOOK_BYTES];	/* the last hook of it that has ended */
	struct event *again;		/* waits after it was `sent`; NULL */
	int64_t retry_ms;		/* the channel was full */
	bool dropped_said;
	struct event_test test;
	struct hookbook book;
};

void events_done(struct events *events);

/* The first address of the WAN since the start. */
void events_started(struct core *core, size_t wan);
/* The address of this side is perhaps not what hooks were told. */
void events_changed(struct core *core, size_t wan, int side);
/* Rules of the WAN were put in step for another cause than its address; static text. */
void events_rules(struct core *core, size_t wan, unsigned rules, const char *reason);
/* MESSAGE_EVENT_RECORD or MESSAGE_EVENT_FAILED. */
void events_record(struct core *core, size_t record, enum message_event kind,
		   const struct addr *old, const struct addr *new, const char *message);

/*
 * One hook is to be run, with the facts as they are then; control_tested() tells of it.
 * -EOPNOTSUPP: no hooks are configured; -EBUSY: another test is not done yet, or the queue is
 * full; -ENOTCONN: nobody is there to run it.
 */
int events_test(struct core *core, const char *name,
		enum message_event kind) __attribute__((warn_unused_result));

/* MESSAGE_HOOK_RESULT, MESSAGE_HOOK_DONE of the supervisor or the runner. */
void events_ran(struct core *core, const struct message_hook_result *result);
void events_finished(struct core *core, const struct message_reply *reply);

/* Who had the event is gone: it is given again, behind the hooks that have ended. */
void events_return(struct core *core);

/* Some wait that somebody has to run hooks for. */
bool events_wait(const struct core *core);

/* Gives the next event to the runner or the supervisor when none is under way. */
void events_turn(struct core *core, int64_t now_ms);
int64_t events_due_ms(const struct core *core);
bool events_are_settled(const struct core *core);

/*
 * A reload: records and WANs get their new numbers; events of those that are no more
 * go. The core still has the old configuration.
 */
void events_renumber(struct core *core, const struct config *config,
		     const struct schedule *schedule);

/* --- event_facts.c --- */

/* The facts as of now; false: there is nothing to tell any more. */
bool event_facts(struct message_hook *hook, const struct core *core,
		 const struct event *event);

#endif
