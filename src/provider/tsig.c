/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tsig.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#include "hairpin/secret.h"

enum {
	CLASS_ANY = 255,
	HEADER_BYTES = 12,
	ADDITIONAL_COUNT_AT = 10,	/* in the header */
	/* of the data, without its three variable parts */
	FIXED_BYTES = 6 + 2 + 2 + 2 + 2 + 2,
};

static const struct {
	const char *name, *wire_name, *digest;
} algorithms[] = {
	{ "hmac-sha256", "hmac-sha256", "sha256" },
	{ "hmac-sha512", "hmac-sha512", "sha512" },
	{ "hmac-sha384", "hmac-sha384", "sha384" },
	{ "hmac-sha224", "hmac-sha224", "sha224" },
	{ "hmac-sha1", "hmac-sha1", "sha1" },
	{ "hmac-md5", "hmac-md5.sig-alg.reg.int", "md5" },
};

/* --- keys --- */

static bool set_algorithm(const char *name, struct tsig_key *key)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
		if (strcasecmp(name, algorithms[i].name) != 0)
			continue;
		key->digest = algorithms[i].digest;
		return dnsname_parse(algorithms[i].wire_name, &key->algorithm);
	}
	return false;
}

/* libcrypto decodes a '=' as zero bits, wherever it stands. */
static bool set_secret(const char *base64, struct tsig_key *key)
{
	size_t length = strlen(base64), digits = strcspn(base64, "=");
	int decoded;

	if (digits < 2 || length - digits > 2 || length % 4 != 0 ||
	    length / 4 * 3 > sizeof(key->secret) ||
	    base64[digits + strspn(base64 + digits, "=")] != '\0')
		return false;
	decoded = EVP_DecodeBlock(key->secret, (const unsigned char *)base64,
				  (int)length);
	if (decoded < 0)
		return false;
	key->secret_length = (size_t)decoded - (length - digits);
	return true;
}

int tsig_key_make(const char *name, const char *secret, const char *algorithm,
		  struct tsig_key *ret_key, struct err *ret_err)
{
	struct tsig_key key = { 0 };
	int r = 0;

	if (!dnsname_parse(name, &key.name))
		r = err_set(ret_err, -EINVAL, "the key's name is no domain name");
	else if (!set_algorithm(algorithm, &key))
		r = err_set(ret_err, -EINVAL, "the algorithm is none of hmac-sha256, "
			    "hmac-sha512, hmac-sha384, hmac-sha224, hmac-sha1, hmac-md5");
	else if (!set_secret(secret, &key))
		r = err_set(ret_err, -EINVAL,
			    "the key's secret is not base64, or longer than 510 bytes");
	else
		*ret_key = key;
	secret_wipe(&key, sizeof(key));
	return r;
}

void tsig_key_done(struct tsig_key *key)
{
	secret_wipe(key, sizeof(*key));
}

/* --- bytes --- */

static void add_number(struct text *out, uint64_t number, int bytes)
{
	while (bytes-- > 0)
		text_add_char(out, (char)(number >> 8 * bytes & 255));
}

static void add_name(struct text *out, const struct dnsname *name)
{
	text_add_bytes(out, name->bytes, name->length);
}

static uint64_t number_at(const uint8_t *bytes, int length)
{
	uint64_t number = 0;

	while (length-- > 0)
		number = number << 8 | *bytes++;
	return number;
}

/* --- the MAC --- */

/* What is signed beside the message itself (RFC 8945, 4.3.3). */
static void add_variables(struct text *out, const struct tsig_key *key,
			  const struct tsig_record *record)
{
	add_name(out, &key->name);
	add_number(out, CLASS_ANY, 2);
	add_number(out, 0, 4);			/* TTL */
	add_name(out, &key->algorithm);
	add_number(out, (uint64_t)record->time_s, 6);
	add_number(out, record->fudge_s, 2);
	add_number(out, record->error, 2);
	add_number(out, record->other_length, 2);
	text_add_bytes(out, record->other, record->other_length);
}

static int make_mac(const struct tsig_key *key, const struct text *signed_bytes,
		    struct hash *ret_mac)
{
	if (signed_bytes->failed)
		return -ENOMEM;
	return hash_hmac(key->digest, key->secret, key->secret_length,
			 signed_bytes->bytes, signed_bytes->length, ret_mac);
}

/* The record itself, behind the message. */
static void add_record(struct text *message, const struct tsig_key *key,
		       const struct tsig_record *record, const struct hash *mac)
{
	add_name(message, &key->name);
	add_number(message, TSIG_TYPE, 2);
	add_number(message, CLASS_ANY, 2);
	add_number(message, 0, 4);
	add_number(message, key->algorithm.length + FIXED_BYTES + mac->length, 2);
	add_name(message, &key->algorithm);
	add_number(message, (uint64_t)record->time_s, 6);
	add_number(message, record->fudge_s, 2);
	add_number(message, mac->length, 2);
	text_add_bytes(message, mac->bytes, mac->length);
	add_number(message, record->original_id, 2);
	add_number(message, 0, 2);		/* error */
	add_number(message, 0, 2);		/* other data: none */
}

static void count_one_more(struct text *message)
{
	uint8_t *count = (uint8_t *)message->bytes + ADDITIONAL_COUNT_AT;
	uint64_t number = number_at(count, 2) + 1;

	count[0] = (uint8_t)(number >> 8);
	count[1] = (uint8_t)number;
}

int tsig_sign(const struct tsig_key *key, int64_t wall_s, struct text *message,
	      struct hash *ret_mac)
{
	struct text what TEXT_CLEANUP = TEXT_INIT;
	struct tsig_record record = { .time_s = wall_s, .fudge_s = TSIG_FUDGE_S };
	struct hash mac;
	int r;

	if (message->failed || message->length < HEADER_BYTES)
		return -ENOMEM;
	record.original_id = (uint16_t)number_at((const uint8_t *)message->bytes, 2);
	text_add_bytes(&what, message->bytes, message->length);
	add_variables(&what, key, &record);
	r = make_mac(key, &what, &mac);
	if (r < 0)
		return r;
	add_record(message, key, &record, &mac);
	if (message->failed)
		return -ENOMEM;
	count_one_more(message);
	*ret_mac = mac;
	return 0;
}

/* --- an answer's --- */

/* A length and as many bytes. */
static bool read_bytes(const uint8_t *bytes, size_t end, size_t *at,
		       const uint8_t **ret_bytes, size_t *ret_length)
{
	size_t length;

	if (end - *at < 2)
		return false;
	length = (size_t)number_at(bytes + *at, 2);
	if (end - *at - 2 < length)
		return false;
	*ret_bytes = bytes + *at + 2;
	*ret_length = length;
	*at += 2 + length;
	return true;
}

bool tsig_read(const uint8_t *bytes, size_t at, size_t end,
	       struct tsig_record *ret_record)
{
	struct tsig_record record = { 0 };

	if (!dnsname_read(bytes, end, &at, &record.algorithm) || at > end ||
	    end - at < 8)
		return false;
	record.time_s = (int64_t)number_at(bytes + at, 6);
	record.fudge_s = (uint16_t)number_at(bytes + at + 6, 2);
	at += 8;
	if (!read_bytes(bytes, end, &at, &record.mac, &record.mac_length) || end - at < 4)
		return false;
	record.original_id = (uint16_t)number_at(bytes + at, 2);
	record.error = (uint16_t)number_at(bytes + at + 2, 2);
	at += 4;
	if (!read_bytes(bytes, end, &at, &record.other, &record.other_length) ||
	    at != end)
		return false;
	if (record.error == TSIG_BADTIME && record.other_length == 6)
		record.server_time_s = (int64_t)number_at(record.other, 6);
	*ret_record = record;
	return true;
}

/* The request's MAC, the message as it was before it was signed, the variables. */
bool tsig_holds(const struct tsig_key *key, const struct hash *request_mac,
		const uint8_t *bytes, size_t at, const struct tsig_record *record)
{
	struct text what TEXT_CLEANUP = TEXT_INIT;
	uint64_t additional = number_at(bytes + ADDITIONAL_COUNT_AT, 2);
	struct hash mac;

	if (additional == 0 || !dnsname_equal(&record->key, &key->name) ||
	    !dnsname_equal(&record->algorithm, &key->algorithm))
		return false;
	add_number(&what, request_mac->length, 2);
	text_add_bytes(&what, request_mac->bytes, request_mac->length);
	add_number(&what, record->original_id, 2);
	text_add_bytes(&what, bytes + 2, ADDITIONAL_COUNT_AT - 2);
	add_number(&what, additional - 1, 2);
	text_add_bytes(&what, bytes + HEADER_BYTES, at - HEADER_BYTES);
	add_variables(&what, key, record);
	return make_mac(key, &what, &mac) == 0 && record->mac_length == mac.length &&
	       CRYPTO_memcmp(record->mac, mac.bytes, mac.length) == 0;
}
