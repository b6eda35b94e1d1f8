/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The forms in which a secret might come back in an answer: as it is, percent-encoded, as
 * JSON, as XML, in base64 at any offset.
 */
#ifndef PROVIDER_GUISE_H
#define PROVIDER_GUISE_H

#include <stdbool.h>
#include <stddef.h>

struct guises {
	char **guises;
	size_t count, room;
	bool failed;			/* no memory: some are missing */
};

void guises_add(struct guises *g, const char *secret);
void guises_done(struct guises *g);	/* wipes and frees */

/* How many bytes at `at` are a secret, or the beginning of one that tells too much. */
size_t guises_match(const struct guises *g, const char *at, size_t left);

#endif
