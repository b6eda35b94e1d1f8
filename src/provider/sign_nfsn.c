/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NearlyFreeSpeech.NET: SHA-1 over login, time, salt, key, path and the body's SHA-1.
 */
#include <errno.h>

#include "moment.h"
#include "sign_parts.h"

enum { LOGIN, KEY };

int sign_nfsn(struct sign_job *job)
{
	char now[SIGN_TIME_BYTES], body_hex[HASH_HEX_BYTES], hex[HASH_HEX_BYTES];
	const char *login = job->values[LOGIN], *salt;
	struct text value = TEXT_INIT;
	struct hash hash;
	int r;

	if (job->url.query_count > 0)
		return err_set(job->err, -EINVAL,
			       "a request with a query cannot be signed by \"nfsn\"");
	r = sign_nonce(job, &salt);
	if (r < 0)
		return r;
	moment_unix(job->moment, now);
	r = hash_digest("sha1", (const char *const[]){ sign_body(job), NULL }, &hash);
	if (r == 0)
		r = hash_digest("sha1",
				(const char *const[]){ login, ";", now, ";", salt, ";",
						       job->values[KEY], ";",
						       job->url.sent_path, ";",
						       hash_hex(&hash, body_hex), NULL },
				&hash);
	if (r < 0)
		return err_set(job->err, r, "the SHA-1 of a signature failed");
	text_addf(&value, "%s;%s;%s;%s", login, now, salt, hash_hex(&hash, hex));
	return sign_add_header_text(job, "X-NFSN-Authentication", &value);
}
