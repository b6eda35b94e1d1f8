/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Volcengine, HMAC-SHA256: as Signature Version 4 of AWS, with other words.
 */
#include <errno.h>
#include <string.h>

#include "moment.h"
#include "sign_parts.h"

enum { REGION, SERVICE, KEY, SECRET };

struct when {
	char date[SIGN_TIME_BYTES], now[SIGN_TIME_BYTES];
};

static int hash_request(struct sign_job *job, const char *now, const char *body,
			struct text *names, char ret_hash[HASH_HEX_BYTES])
{
	const struct sign_line lines[] = {
		{ "content-type", sign_header(job, "Content-Type") },
		{ "host", job->url.host }, { "x-content-sha256", body },
		{ "x-date", now }, { NULL, NULL } };

	return sign_canonical(job,
			      &(struct sign_canonical){ job->url.path, lines, body },
			      names, ret_hash);
}

static int request_signature(struct sign_job *job, const struct when *when,
			     const char *hash, struct hash *ret_hash)
{
	const char *region = job->values[REGION], *service = job->values[SERVICE];
	struct sign_key key = { "", job->values[SECRET], "" };
	struct text text = TEXT_INIT;
	int r;

	text_addf(&text, "HMAC-SHA256\n%s\n%s/%s/%s/request\n%s", when->now, when->date,
		  region, service, hash);
	r = text.failed ? -ENOMEM
			: sign_chain("sha256", &key,
				     (const char *const[]){ when->date, region, service,
							    "request", text.bytes, NULL },
				     ret_hash);
	sign_wipe_text(&text);
	return r < 0 ? err_set(job->err, r, "no memory for a signature") : 0;
}

static int add_headers(struct sign_job *job, const struct when *when, const char *body,
		       const char *names, const struct hash *hash)
{
	struct text value = TEXT_INIT;
	char hex[HASH_HEX_BYTES];
	int r = sign_add_header(job, "X-Date", when->now);

	if (r == 0)
		r = sign_add_header(job, "X-Content-Sha256", body);
	if (r < 0)
		return r;
	text_addf(&value,
		  "HMAC-SHA256 Credential=%s/%s/%s/%s/request, SignedHeaders=%s, "
		  "Signature=%s",
		  job->values[KEY], when->date, job->values[REGION],
		  job->values[SERVICE], names, hash_hex(hash, hex));
	return sign_add_header_text(job, "Authorization", &value);
}

int sign_volc(struct sign_job *job)
{
	char hash_text[HASH_HEX_BYTES], body[HASH_HEX_BYTES];
	struct text names = TEXT_INIT;
	struct hash hash;
	struct when when;
	int r;

	moment_compact(job->moment, when.now);
	moment_compact(job->moment, when.date);
	when.date[strcspn(when.date, "T")] = '\0';
	r = sign_sha256_hex(sign_body(job), body);
	if (r < 0)
		return err_set(job->err, r, "no memory for a signature");
	r = hash_request(job, when.now, body, &names, hash_text);
	if (r == 0)
		r = request_signature(job, &when, hash_text, &hash);
	if (r == 0)
		r = add_headers(job, &when, body, names.bytes, &hash);
	sign_wipe_text(&names);
	return r;
}
