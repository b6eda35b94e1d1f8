/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of each hook: how its last run ended, how many there were. Pure. As many
 * are remembered as one directory may hold, and whom an event passed by is forgotten with
 * it: the file is gone.
 */
#ifndef CORE_HOOKBOOK_H
#define CORE_HOOKBOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/json.h"
#include "hairpin/message.h"
#include "hairpin/text.h"

enum { HOOKBOOK_MAX = 64, HOOKBOOK_OUTCOMES = MESSAGE_HOOK_REFUSED + 1 };

struct hook_note {
	char name[MESSAGE_HOOK_BYTES];
	int64_t last_run_wall_s;
	enum message_event event;
	enum message_outcome outcome;
	unsigned code;
	char reason[MESSAGE_TEXT_BYTES];	/* why it was refused; "" */
	uint32_t number;		/* of the event that it was run for */
	uint64_t runs[HOOKBOOK_OUTCOMES];	/* by enum message_outcome */
};

struct hookbook {
	struct hook_note *list;		/* sorted by name */
	size_t count;
	char reason[MESSAGE_TEXT_BYTES];	/* why no hook is run at all; "" */
};

void hookbook_done(struct hookbook *book);	/* and it is as new */

void hookbook_note(struct hookbook *book, const struct message_hook_result *result,
		   int64_t wall_s);
/* An event for all hooks was done. */
void hookbook_settle(struct hookbook *book, const struct message_reply *reply);

/* Failed and refused ones too. */
uint64_t hook_note_runs(const struct hook_note *note);

/* "ok", "exit 3", "signal 11", "timed out", "refused", "ignored" */
void hookbook_result(enum message_outcome outcome, unsigned code, struct text *out);

/* [{"name", "last_run", "event", "result", "reason", "runs", "failures"}] */
struct json *hookbook_format(const struct hookbook *book);

#endif
