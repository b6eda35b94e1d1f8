/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the record share: record.c (facts and the state that follows),
 * record_need.c (what may be done when), record_answer.c (what answers mean),
 * record_verdict.c (kinds of verdicts, waits after failures), record_saved.c (what
 * outlives the process).
 */
#ifndef MODEL_RECORD_LIFE_H
#define MODEL_RECORD_LIFE_H

#include "hairpin/record.h"

#define RECORD_NEVER INT64_MIN
#define RECORD_FOREVER INT64_MAX

/* How long ago; RECORD_FOREVER for never. */
int64_t record_elapsed_ms(int64_t now_ms, int64_t then_ms);

/* `then` + `wait`, where `then` may be never: then never. */
int64_t record_after_ms(int64_t then_ms, int64_t wait_ms);

/* The reason, cut at a character's end. */
void record_say(struct record *record, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * The state that follows from the facts: refusal, wanted, published, in_doubt, invisible,
 * waits. Called whenever one of them changed.
 */
void record_settle(struct record *record, int64_t now_ms);

/* Verification is configured. */
bool record_verifies(const struct record *record);

/*
 * DNS holds something else than what was last published here for the same address:
 * somebody else changed it.
 */
bool record_is_foreign(const struct record *record);

/* How long DNS may take to follow an accepted update. */
int64_t record_visible_ms(const struct record *record);

/*
 * Takes back what record_start() counted for an update that never reached the provider.
 */
void record_uncount(struct record *record);

/* The row of failures is over: nothing of it counts any more. */
void record_row_over(struct record *record);

/* The update did not take place: what was sent before holds again. */
void record_revert(struct record *record);

#endif
