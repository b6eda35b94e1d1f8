/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: base */
/*
 * A password, token or key. A type of its own, so that no formatter accepts it.
 *
 * The bytes are wiped when it is set again and by secret_done(). At most
 * SECRET_MAX_BYTES; they may hold any byte but NUL, and one NUL follows them.
 */
#ifndef HAIRPIN_SECRET_H
#define HAIRPIN_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECRET_MAX_BYTES = 4096 };

struct secret {
	char *hidden;		/* NULL: not set */
	size_t length;
};

/* Copies. False: too long, a NUL inside, or no memory; the secret is then unset. */
bool secret_set(struct secret *secret, const char *bytes, size_t length);
void secret_done(struct secret *secret);	/* wipes and frees; unset afterwards */
bool secret_is_set(const struct secret *secret);

/* The bytes themselves, "" when not set. Every caller of this is a place to review. */
const char *secret_reveal(const struct secret *secret);

/* explicit_bzero for any memory that held one. */
void secret_wipe(void *memory, size_t bytes);

/* Wipes and frees a string that held one; NULL is fine. */
void secret_free(char *string);

/*
 * SipHash-2-4 with a 16-byte key: tells whether something changed without
 * keeping it. (Aumasson and Bernstein, 2012.)
 */
uint64_t secret_fingerprint(const uint8_t key[16], const void *bytes, size_t length);

#endif
