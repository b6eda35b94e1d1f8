/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers to looks of this session: who asks the same again is told from here. Bounded;
 * what does not fit is asked again.
 */
#ifndef PROVIDER_RECALL_H
#define PROVIDER_RECALL_H

#include "hairpin/provider.h"
#include "hash.h"

enum {
	RECALL_ANSWERS_MAX = 2 * MESSAGE_RECORDS_MAX,
	RECALL_BYTES_MAX = 1 << 20,	/* of all bodies and headers */
};

struct recalled {
	struct hash question;
	struct provider_answer answer;	/* owns its strings */
};

struct recall {
	struct recalled answers[RECALL_ANSWERS_MAX];
	size_t count, bytes;
};

/* The digest of all that the request says. False: no memory. */
bool recall_question(const struct provider_request *request, struct hash *ret_question);

/* NULL: not asked yet. */
const struct provider_answer *recall_find(const struct recall *recall,
					  const struct hash *question);
void recall_add(struct recall *recall, const struct hash *question,
		const struct provider_answer *answer);
void recall_done(struct recall *recall);	/* wipes */

#endif
