/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hash.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "hairpin/secret.h"

_Static_assert(HASH_MAX_BYTES == EVP_MAX_MD_SIZE, "room for every digest");

static bool digest(const EVP_MD *method, const char *const *pieces, struct hash *hash)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	unsigned length = 0;
	bool fine = context && EVP_DigestInit_ex2(context, method, NULL) == 1;

	for (; fine && *pieces; pieces++)
		fine = EVP_DigestUpdate(context, *pieces, strlen(*pieces)) == 1;
	fine = fine && EVP_DigestFinal_ex(context, hash->bytes, &length) == 1;
	hash->length = length;
	EVP_MD_CTX_free(context);
	return fine;
}

int hash_digest(const char *algorithm, const char *const *pieces, struct hash *ret_hash)
{
	EVP_MD *method = EVP_MD_fetch(NULL, algorithm, NULL);
	struct hash hash;
	bool fine;

	if (!method)
		return -EINVAL;
	fine = digest(method, pieces, &hash);
	EVP_MD_free(method);
	if (!fine)
		return -ENOMEM;
	*ret_hash = hash;
	return 0;
}

int hash_hmac(const char *algorithm, const void *key, size_t key_length,
	      const void *message, size_t length, struct hash *ret_hash)
{
	struct hash hash;
	bool fine;

	fine = EVP_Q_mac(NULL, "HMAC", NULL, algorithm, NULL, key, key_length, message,
			 length, hash.bytes, sizeof(hash.bytes), &hash.length) != NULL;
	if (fine)
		*ret_hash = hash;
	secret_wipe(&hash, sizeof(hash));
	return fine ? 0 : -EINVAL;
}

const char *hash_hex(const struct hash *hash, char out[HASH_HEX_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < hash->length; i++) {
		out[2 * i] = digits[hash->bytes[i] >> 4];
		out[2 * i + 1] = digits[hash->bytes[i] & 15];
	}
	out[2 * hash->length] = '\0';
	return out;
}
