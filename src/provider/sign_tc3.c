/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tencent Cloud, TC3-HMAC-SHA256. The action is signed where a header says it; headers
 * count in lower case.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "moment.h"
#include "sign_parts.h"

enum { SERVICE, KEY, SECRET };

struct when {
	char seconds[SIGN_TIME_BYTES], date[SIGN_TIME_BYTES];
};

/* NULL: none, or no memory. */
static char *lower_header(const struct sign_job *job, const char *name)
{
	const char *value = sign_header(job, name);
	char *lower = value ? strdup(value) : NULL;

	for (char *c = lower; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return lower;
}

static int hash_request(struct sign_job *job, struct text *names,
			char ret_hash[HASH_HEX_BYTES])
{
	char *type = lower_header(job, "Content-Type");
	char *action = lower_header(job, "X-TC-Action");
	const struct sign_line lines[] = {
		{ "content-type", type }, { "host", job->url.host },
		{ "x-tc-action", action }, { NULL, NULL } };
	char body[HASH_HEX_BYTES];
	int r = sign_sha256_hex(sign_body(job), body);

	if (r == 0)
		r = sign_canonical(job,
				   &(struct sign_canonical){ job->url.path, lines, body },
				   names, ret_hash);
	free(type);
	free(action);
	return r;
}

static int request_signature(struct sign_job *job, const struct when *when,
			     const char *hash, struct hash *ret_hash)
{
	struct sign_key key = { "TC3", job->values[SECRET], "" };
	const char *service = job->values[SERVICE];
	struct text text = TEXT_INIT;
	int r;

	text_addf(&text, "TC3-HMAC-SHA256\n%s\n%s/%s/tc3_request\n%s", when->seconds,
		  when->date, service, hash);
	r = text.failed ? -ENOMEM
			: sign_chain("sha256", &key,
				     (const char *const[]){ when->date, service,
							    "tc3_request", text.bytes,
							    NULL },
				     ret_hash);
	sign_wipe_text(&text);
	return r < 0 ? err_set(job->err, r, "no memory for a signature") : 0;
}

int sign_tc3(struct sign_job *job)
{
	struct text names = TEXT_INIT, value = TEXT_INIT;
	char hash_text[HASH_HEX_BYTES], hex[HASH_HEX_BYTES];
	struct hash hash;
	struct when when;
	int r;

	if (!sign_header(job, "Content-Type"))
		return err_set(job->err, -EINVAL,
			       "a request that \"tc3\" signs needs a Content-Type");
	moment_unix(job->moment, when.seconds);
	moment_iso(job->moment, when.date);
	when.date[strcspn(when.date, "T")] = '\0';
	r = hash_request(job, &names, hash_text);
	if (r == 0)
		r = request_signature(job, &when, hash_text, &hash);
	if (r == 0)
		r = sign_add_header(job, "X-TC-Timestamp", when.seconds);
	if (r == 0) {
		text_addf(&value,
			  "TC3-HMAC-SHA256 Credential=%s/%s/%s/tc3_request, "
			  "SignedHeaders=%s, Signature=%s",
			  job->values[KEY], when.date, job->values[SERVICE], names.bytes,
			  hash_hex(&hash, hex));
		r = sign_add_header_text(job, "Authorization", &value);
	}
	sign_wipe_text(&names);
	return r;
}
