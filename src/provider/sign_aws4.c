/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AWS Signature Version 4: libcurl makes it on the way, from user and password. An old one
 * signs the query as it stands, so it is put in order here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sign_parts.h"

enum { REGION, SERVICE, KEY, SECRET };

static bool is_word(const char *text)
{
	return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0';
}

static char *copy_of(const struct sign_job *job, int part)
{
	return strdup(job->values[part]);
}

int sign_aws4(struct sign_job *job)
{
	struct provider_request *request = job->request;
	struct text query = TEXT_INIT;
	int r;

	if (request->user)
		return err_set(job->err, -EINVAL,
			       "a request with \"basic\" cannot be signed by \"aws4\"");
	if (!is_word(job->values[REGION]) || !is_word(job->values[SERVICE]))
		return err_set(job->err, -EINVAL,
			       "region and service of a signature are of lower-case "
			       "letters, digits and \"-\"");
	sign_url_query(&job->url, &query);
	r = sign_replace_url(job, &query);
	sign_wipe_text(&query);
	if (r < 0)
		return r;
	request->user = copy_of(job, KEY);
	request->password = copy_of(job, SECRET);
	if (asprintf(&request->aws_sigv4, "aws:amz:%s:%s", job->values[REGION],
		     job->values[SERVICE]) < 0)
		request->aws_sigv4 = NULL;
	if (!request->user || !request->password || !request->aws_sigv4)
		return err_set(job->err, -ENOMEM, "no memory for a signature");
	return 0;
}
