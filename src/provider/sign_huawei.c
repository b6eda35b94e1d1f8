/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Huawei Cloud, SDK-HMAC-SHA256: the secret itself is the key; the path ends with a slash
 * in what is signed.
 */
#include <errno.h>
#include <string.h>

#include "moment.h"
#include "sign_parts.h"

enum { KEY, SECRET };

static int request_signature(struct sign_job *job, const char *now, struct text *names,
			     struct hash *ret_hash)
{
	size_t length = strlen(job->url.path);
	const struct sign_line lines[] = {
		{ "content-type", sign_header(job, "Content-Type") },
		{ "host", job->url.host }, { "x-sdk-date", now }, { NULL, NULL } };
	struct sign_key key = { "", job->values[SECRET], "" };
	char body[HASH_HEX_BYTES], hash[HASH_HEX_BYTES];
	struct text path = TEXT_INIT, text = TEXT_INIT;
	int r = sign_sha256_hex(sign_body(job), body);

	text_addf(&path, "%s%s", job->url.path,
		  job->url.path[length - 1] == '/' ? "" : "/");
	if (r == 0)
		r = path.failed ? -ENOMEM : 0;
	if (r == 0)
		r = sign_canonical(job,
				   &(struct sign_canonical){ path.bytes, lines, body },
				   names, hash);
	if (r == 0) {
		text_addf(&text, "SDK-HMAC-SHA256\n%s\n%s", now, hash);
		r = text.failed ? -ENOMEM
				: sign_chain("sha256", &key,
					     (const char *const[]){ text.bytes, NULL },
					     ret_hash);
	}
	sign_wipe_text(&path);
	sign_wipe_text(&text);
	return r;
}

int sign_huawei(struct sign_job *job)
{
	char now[SIGN_TIME_BYTES], hex[HASH_HEX_BYTES];
	struct text value = TEXT_INIT, names = TEXT_INIT;
	struct hash hash;
	int r;

	moment_compact(job->moment, now);
	r = request_signature(job, now, &names, &hash);
	if (r == 0)
		r = sign_add_header(job, "X-Sdk-Date", now);
	else
		err_set(job->err, r, "no memory for a signature");
	if (r == 0) {
		text_addf(&value, "SDK-HMAC-SHA256 Access=%s, SignedHeaders=%s, Signature=%s",
			  job->values[KEY], names.bytes, hash_hex(&hash, hex));
		r = sign_add_header_text(job, "Authorization", &value);
	}
	sign_wipe_text(&names);
	return r;
}
