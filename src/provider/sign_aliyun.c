/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alibaba Cloud's signature of RPC requests, version 1.0, and the registrars who took it
 * over: parameters of the query, one of which is an HMAC-SHA1 of the others. What else
 * the service wants to be told (Format, SignatureVersion) stands in the description's
 * URL. The path is "/" in the text that is signed, whatever it is.
 */
#include <errno.h>
#include <string.h>

#include "moment.h"
#include "place.h"
#include "sign_parts.h"

enum { KEY, SECRET, KEY_NAME };

static int add_parameters(struct sign_job *job)
{
	char now[SIGN_TIME_BYTES];
	const char *nonce;
	int r = sign_nonce(job, &nonce);

	if (r < 0)
		return r;
	moment_iso(job->moment, now);
	r = sign_url_add(&job->url, job->values[KEY_NAME], job->values[KEY]);
	if (r == 0)
		r = sign_url_add(&job->url, "SignatureMethod", "HMAC-SHA1");
	if (r == 0)
		r = sign_url_add(&job->url, "SignatureNonce", nonce);
	if (r == 0)
		r = sign_url_add(&job->url, "Timestamp", now);
	if (r < 0)
		return err_set(job->err, r, "the query of a request cannot be signed");
	return 0;
}

static int query_signature(struct sign_job *job, const char *query, struct text *out)
{
	struct sign_key key = { "", job->values[SECRET], "&" };
	struct text text = TEXT_INIT;
	struct hash hash;
	int r = -ENOMEM;

	text_addf(&text, "%s&%%2F&", job->request->method);
	place_add(&text, PLACE_URL, query);
	if (!text.failed)
		r = sign_chain("sha1", &key, (const char *const[]){ text.bytes, NULL },
			       &hash);
	sign_wipe_text(&text);
	if (r < 0)
		return err_set(job->err, r, "the HMAC-SHA1 of a signature failed");
	sign_add_base64(out, SIGN_BASE64, hash.bytes, hash.length);
	return 0;
}

int sign_aliyun(struct sign_job *job)
{
	struct text query = TEXT_INIT, signature = TEXT_INIT;
	int r;

	if (job->request->body)
		return err_set(job->err, -EINVAL,
			       "a request with a body cannot be signed by \"aliyun\"");
	r = add_parameters(job);
	if (r < 0)
		return r;
	sign_url_query(&job->url, &query);
	r = query.failed ? err_set(job->err, -ENOMEM, "no memory for a signature")
			 : query_signature(job, query.bytes, &signature);
	if (r == 0) {
		query.failed |= signature.failed;
		text_add(&query, "&Signature=");
		place_add(&query, PLACE_URL, signature.bytes);
		r = sign_replace_url(job, &query);
	}
	sign_wipe_text(&signature);
	sign_wipe_text(&query);
	return r;
}
