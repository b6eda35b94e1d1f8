/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transaction signatures (RFC 8945): a MAC over a message, a key's name and a time, as the
 * last record of the message.
 *
 * libcrypto makes the MAC, not ldns: that one takes the time from the machine instead of
 * an argument, does not know SHA-224 and misspells SHA-384, leaves key bytes behind in
 * freed memory, and believes an answer whatever its time, key name and error say.
 */
#ifndef PROVIDER_TSIG_H
#define PROVIDER_TSIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/err.h"
#include "hairpin/text.h"
#include "dnsname.h"
#include "hash.h"

enum {
	TSIG_TYPE = 250,
	TSIG_FUDGE_S = 300,		/* RFC 8945, section 10 */
	TSIG_SECRET_BYTES = 510,
};

/* In the record's error field (RFC 8945, section 3); others are a message's RCODE. */
enum tsig_error {
	TSIG_BADSIG = 16, TSIG_BADKEY = 17, TSIG_BADTIME = 18, TSIG_BADTRUNC = 22,
};

struct tsig_key {
	struct dnsname name, algorithm;
	const char *digest;		/* as hash.h has it */
	uint8_t secret[TSIG_SECRET_BYTES];
	size_t secret_length;
};

/*
 * `algorithm`: "hmac-md5", "hmac-sha1", -sha224, -sha256, -sha384, -sha512, in any case.
 * -EINVAL: `ret_err` says which of the three makes no sense, never the secret.
 */
int tsig_key_make(const char *name, const char *secret, const char *algorithm,
		  struct tsig_key *ret_key, struct err *ret_err) must_check;
void tsig_key_done(struct tsig_key *key);	/* wipes */

/*
 * Adds the record to a whole message. `ret_mac` is needed to check the answer. -ENOMEM;
 * -EINVAL: this machine's libcrypto may not use the algorithm.
 */
int tsig_sign(const struct tsig_key *key, int64_t wall_s, struct text *message,
	      struct hash *ret_mac) must_check;

/* What an answer's record says. */
struct tsig_record {
	struct dnsname key, algorithm;
	int64_t time_s;			/* when it was signed */
	uint16_t fudge_s;
	const uint8_t *mac;		/* within the message */
	size_t mac_length;
	uint16_t original_id;
	uint16_t error;			/* enum tsig_error, 0 */
	const uint8_t *other;
	size_t other_length;
	int64_t server_time_s;		/* BADTIME: the server's clock; else 0 */
};

/* Reads the data of a record, which lies from `at` to `end`. False: malformed. */
bool tsig_read(const uint8_t *bytes, size_t at, size_t end,
	       struct tsig_record *ret_record);

/*
 * Does the MAC prove that the holder of our key answered just this request? The record
 * begins at `at` and is the last of the message. Times are not looked at.
 */
bool tsig_holds(const struct tsig_key *key, const struct hash *request_mac,
		const uint8_t *bytes, size_t at, const struct tsig_record *record);

#endif
