/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What source.c and source_answer.c know of each other. */
#ifndef CORE_SOURCE_PARTS_H
#define CORE_SOURCE_PARTS_H

#include "source.h"

size_t source_place_count(const struct source *source);
unsigned source_agree(const struct source *source);

/* May another place be asked in this look, just now? */
bool source_can_go_on(const struct source *source, int64_t now_ms);

/* The question reached nobody: it counts for nothing. */
void source_refund(struct source *source, struct source_place *place);

/* Of the look under way: how many places stand so. */
size_t source_count(const struct source *source, enum source_said said);

/* How many say the same, at most; `ret_best` (may be NULL) gets what they say. */
size_t source_votes(const struct source *source, struct addr *ret_best);

/* The look is over, without a word; what is in flight is not waited for. */
void source_give_up(struct source *source);

#endif
