/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Baidu AI Cloud, bce-auth-v1: HMAC-SHA256 under a key that holds for half an hour; of
 * the headers only Host is signed, as the third part of the header says.
 */
#include <errno.h>
#include <string.h>

#include "moment.h"
#include "place.h"
#include "hairpin/secret.h"
#include "sign_parts.h"

enum { KEY, SECRET };

static int request_signature(struct sign_job *job, const char *prefix,
			     struct text *canonical, struct hash *ret_hash)
{
	struct sign_key key = { "", job->values[SECRET], "" };
	char hex[HASH_HEX_BYTES];
	struct hash hash;
	int r;

	text_addf(canonical, "%s\n%s\n", job->request->method, job->url.path);
	sign_url_query(&job->url, canonical);
	text_add(canonical, "\nhost:");
	place_add(canonical, PLACE_URL, job->url.host);
	if (canonical->failed)
		return -ENOMEM;
	r = sign_chain("sha256", &key, (const char *const[]){ prefix, NULL }, &hash);
	if (r < 0)
		return r;
	/* The key of the second step is the first one's result as text. */
	key.secret = hash_hex(&hash, hex);
	r = sign_chain("sha256", &key, (const char *const[]){ canonical->bytes, NULL },
		       ret_hash);
	secret_wipe(hex, sizeof(hex));
	secret_wipe(&hash, sizeof(hash));
	return r;
}

int sign_bce(struct sign_job *job)
{
	struct text value = TEXT_INIT, canonical = TEXT_INIT;
	char now[SIGN_TIME_BYTES], hex[HASH_HEX_BYTES];
	struct hash hash;
	int r;

	moment_iso(job->moment, now);
	text_addf(&value, "bce-auth-v1/%s/%s/1800", job->values[KEY], now);
	r = value.failed ? -ENOMEM
			 : request_signature(job, value.bytes, &canonical, &hash);
	sign_wipe_text(&canonical);
	if (r < 0) {
		sign_wipe_text(&value);
		return err_set(job->err, r, "no memory for a signature");
	}
	text_addf(&value, "/host/%s", hash_hex(&hash, hex));
	return sign_add_header_text(job, "Authorization", &value);
}
