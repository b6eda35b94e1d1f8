/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names asked of the system's resolver, as every program of this machine asks: hosts file,
 * NSS, the configured servers. All at the same time, each in a child, since the library
 * call cannot be given a limit.
 */
#ifndef DOCTOR_NAMES_ASK_H
#define DOCTOR_NAMES_ASK_H

#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"

enum { NAMES_ASK_MAX = 32, NAMES_ASK_ANSWERS = 16 };

enum name_answer {
	NAME_ANSWERED,
	NAME_NONE,		/* there is no such name, or no address of it */
	NAME_FAILED,		/* no answer in time, no resolver */
};

struct name_question {
	const char *name;
	enum name_answer result;
	struct addr answers[NAMES_ASK_ANSWERS];
	size_t count;
	/* seconds that the resolver remembers its IPv4 addresses; -1: it did not say */
	int64_t ttl_s;
};

/*
 * The least time to live of the A records in a DNS answer; -1: it has none, or is no
 * answer. Any bytes may come.
 */
int64_t names_ttl(const uint8_t *answer, size_t length);

/* What does not answer within the limit has failed. */
void names_ask(struct name_question *questions, size_t count, int64_t limit_ms);

#endif
