/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/secret.h"

#include <stdlib.h>
#include <string.h>

bool secret_set(struct secret *secret, const char *bytes, size_t length)
{
	char *copy = NULL;

	/* The copy first: `bytes` may be the secret's own. */
	if (length <= SECRET_MAX_BYTES && (length == 0 || !memchr(bytes, '\0', length)))
		copy = malloc(length + 1);
	if (copy) {
		if (length > 0)
			memcpy(copy, bytes, length);
		copy[length] = '\0';
	}
	secret_done(secret);
	if (!copy)
		return false;
	secret->hidden = copy;
	secret->length = length;
	return true;
}

void secret_done(struct secret *secret)
{
	if (secret->hidden)
		secret_wipe(secret->hidden, secret->length);
	free(secret->hidden);
	secret->hidden = NULL;
	secret->length = 0;
}

bool secret_is_set(const struct secret *secret)
{
	return secret->hidden != NULL;
}

const char *secret_reveal(const struct secret *secret)
{
	return secret->hidden ? secret->hidden : "";
}

void secret_wipe(void *memory, size_t bytes)
{
	explicit_bzero(memory, bytes);
}

void secret_free(char *string)
{
	if (string)
		secret_wipe(string, strlen(string));
	free(string);
}

/* --- SipHash-2-4 ------------------------------------------------------------------- */

struct siphash {
	uint64_t v0, v1, v2, v3;
};

static uint64_t rotate_left(uint64_t word, unsigned bits)
{
	return word << bits | word >> (64 - bits);
}

/* Little-endian, as the paper wants it, up to 8 bytes. */
static uint64_t load_word(const uint8_t *bytes, size_t length)
{
	uint64_t word = 0;

	for (size_t i = 0; i < length; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

static void sip_rounds(struct siphash *s, unsigned count)
{
	while (count-- > 0) {
		s->v0 += s->v1;
		s->v2 += s->v3;
		s->v1 = rotate_left(s->v1, 13) ^ s->v0;
		s->v3 = rotate_left(s->v3, 16) ^ s->v2;
		s->v0 = rotate_left(s->v0, 32);
		s->v2 += s->v1;
		s->v0 += s->v3;
		s->v1 = rotate_left(s->v1, 17) ^ s->v2;
		s->v3 = rotate_left(s->v3, 21) ^ s->v0;
		s->v2 = rotate_left(s->v2, 32);
	}
}

static void sip_compress(struct siphash *s, uint64_t word)
{
	s->v3 ^= word;
	sip_rounds(s, 2);
	s->v0 ^= word;
}

uint64_t secret_fingerprint(const uint8_t key[16], const void *bytes, size_t length)
{
	uint64_t k0 = load_word(key, 8), k1 = load_word(key + 8, 8);
	/* "somepseudorandomlygeneratedbytes" in ASCII: the paper's constants. */
	struct siphash s = {
		k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
		k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573,
	};
	const uint8_t *at = bytes;
	size_t rest = length;

	for (; rest >= 8; rest -= 8, at += 8)
		sip_compress(&s, load_word(at, 8));
	sip_compress(&s, load_word(at, rest) | (uint64_t)length << 56);
	s.v2 ^= 0xff;
	sip_rounds(&s, 4);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
