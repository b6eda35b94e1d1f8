/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OVH's API: SHA-1 over the application's secret, the consumer key and the request, at
 * the time that the server told.
 */
#include <errno.h>
#include <string.h>

#include "sign_parts.h"

enum { APP_KEY, APP_SECRET, CONSUMER_KEY, TIME };

int sign_ovh(struct sign_job *job)
{
	const char *consumer = job->values[CONSUMER_KEY], *now = job->values[TIME];
	char value[3 + HASH_HEX_BYTES] = "$1$";
	struct hash hash;
	int r;

	if (now[strspn(now, "0123456789")] != '\0')
		return err_set(job->err, -EINVAL, "\"time\" of the signature is no number");
	r = hash_digest("sha1",
			(const char *const[]){ job->values[APP_SECRET], "+", consumer, "+",
					       job->request->method, "+",
					       job->request->url, "+", sign_body(job), "+",
					       now, NULL },
			&hash);
	if (r < 0)
		return err_set(job->err, r, "the SHA-1 of a signature failed");
	hash_hex(&hash, value + 3);
	r = sign_add_header(job, "X-Ovh-Application", job->values[APP_KEY]);
	if (r == 0)
		r = sign_add_header(job, "X-Ovh-Consumer", consumer);
	if (r == 0)
		r = sign_add_header(job, "X-Ovh-Timestamp", now);
	if (r == 0)
		r = sign_add_header(job, "X-Ovh-Signature", value);
	return r;
}
