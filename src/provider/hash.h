/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Digests and HMAC, by libcrypto. Algorithms go by its names: "md5", "sha1", "sha256",
 * "sha512". -EINVAL: it has no such one (some it may be configured to do without);
 * -ENOMEM.
 */
#ifndef PROVIDER_HASH_H
#define PROVIDER_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "hairpin/err.h"

enum { HASH_MAX_BYTES = 64, HASH_HEX_BYTES = 2 * HASH_MAX_BYTES + 1 };

struct hash {
	uint8_t bytes[HASH_MAX_BYTES];
	size_t length;
};

/*
 * Of the strings one behind the other, up to the NULL: what is secret among them is not
 * copied.
 */
int hash_digest(const char *algorithm, const char *const *pieces,
		struct hash *ret_hash) must_check;

/* `ret_hash` may be where `key` lies. */
int hash_hmac(const char *algorithm, const void *key, size_t key_length,
	      const void *message, size_t length, struct hash *ret_hash) must_check;

/* Lower case. Returns `out`. */
const char *hash_hex(const struct hash *hash, char out[HASH_HEX_BYTES]);

#endif
