/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TransIP's log-in: RSA with SHA-512 over the body.
 */
#include "sign_parts.h"

enum { PRIVATE_KEY };

int sign_transip(struct sign_job *job)
{
	struct sign_rsa key = { job->values[PRIVATE_KEY], job->document_from, "SHA512" };
	struct text value = TEXT_INIT;
	int r = sign_rsa(&key, sign_body(job), SIGN_BASE64, &value, job->err);

	if (r == 0)
		return sign_add_header_text(job, "Signature", &value);
	sign_wipe_text(&value);
	return r;
}
