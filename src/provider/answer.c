/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { PAGE_BYTES = 1024 };	/* within which a page shows that it is one */

static enum message_verdict verdict_of_rule(enum catalogue_verdict verdict)
{
	switch (verdict) {
	case CATALOGUE_GOOD: return MESSAGE_GOOD;
	case CATALOGUE_UNCHANGED: return MESSAGE_UNCHANGED;
	case CATALOGUE_BADAUTH: return MESSAGE_BADAUTH;
	case CATALOGUE_NOHOST: return MESSAGE_NOHOST;
	case CATALOGUE_ABUSE: return MESSAGE_ABUSE;
	case CATALOGUE_BADAGENT: return MESSAGE_BADAGENT;
	case CATALOGUE_FORBIDDEN: return MESSAGE_FORBIDDEN;
	case CATALOGUE_BAD_REQUEST: return MESSAGE_BAD_REQUEST;
	case CATALOGUE_RATE_LIMITED: return MESSAGE_RATE_LIMITED;
	case CATALOGUE_SERVER_ERROR: return MESSAGE_SERVER_ERROR;
	case CATALOGUE_SPLIT: return MESSAGE_SPLIT;
	case CATALOGUE_NEXT_STEP:
	case CATALOGUE_NO_RECORD:
	case CATALOGUE_TRANSIENT: break;
	}
	return MESSAGE_TRANSIENT;
}

struct provider_verdict answer_of_rule(const struct catalogue_rule *rule)
{
	struct provider_verdict verdict = { .verdict = verdict_of_rule(rule->verdict) };

	if (verdict.verdict == MESSAGE_SERVER_ERROR)
		verdict.retry_after_s = PROVIDER_ERROR_RETRY_S;
	return verdict;
}

/* --- the status -------------------------------------------------------------------- */

bool answer_is_2xx(const struct provider_answer *answer)
{
	return answer->http_status >= 200 && answer->http_status <= 299;
}

static enum message_verdict verdict_of_status(const struct provider_answer *answer)
{
	switch (answer->http_status) {
	case 401:
	case 403:
		return MESSAGE_BADAUTH;
	case 408:			/* request timeout, misdirected, too early: */
	case 421:			/* nothing about the request itself */
	case 425:
		return MESSAGE_TRANSIENT;
	case 429:
		return MESSAGE_RATE_LIMITED;
	}
	if (answer->http_status >= 400 && answer->http_status <= 499)
		return MESSAGE_BAD_REQUEST;
	/* Over plain HTTP a portal may have answered: no reason to give the record up. */
	if (answer->http_status >= 300 && answer->http_status <= 399 && answer->https)
		return MESSAGE_BAD_REQUEST;
	return MESSAGE_TRANSIENT;
}

struct provider_verdict answer_of_status(const struct provider_answer *answer)
{
	return (struct provider_verdict){ .verdict = verdict_of_status(answer) };
}

bool answer_is_page(const struct provider_answer *answer)
{
	size_t length = answer->length < PAGE_BYTES ? answer->length : PAGE_BYTES;

	if (answer->https)
		return false;
	for (size_t i = 0; i + 5 <= length; i++)
		if (strncasecmp(answer->body + i, "<html", 5) == 0)
			return true;
	return false;
}

bool answer_overrules_status(const struct provider_answer *answer,
			     const struct provider_verdict *verdicts, size_t count)
{
	unsigned status = answer->http_status;

	for (size_t i = 0; i < count; i++) {
		enum message_verdict v = verdicts[i].verdict;
		bool patience = v == MESSAGE_SERVER_ERROR ||
				verdicts[i].retry_after_s > 0;

		if (v == MESSAGE_GOOD || v == MESSAGE_UNCHANGED ||
		    v == MESSAGE_UNCONFIRMED)
			return false;
		if (v == MESSAGE_TRANSIENT && !patience)
			return false;
		if (status != 403 && !patience)
			return false;
	}
	return status == 403 || (status >= 500 && status <= 599);
}

/* --- Retry-After ------------------------------------------------------------------- */

void answer_set_wait(const struct provider_answer *answer,
		     struct provider_verdict *verdicts, size_t count)
{
	uint32_t wait_s = answer->retry_after ?
			  provider_retry_after(answer->retry_after, answer->wall_s) : 0;

	for (size_t i = 0; i < count; i++) {
		enum message_verdict v = verdicts[i].verdict;
		bool again = v == MESSAGE_RATE_LIMITED || v == MESSAGE_SERVER_ERROR ||
			     v == MESSAGE_TRANSIENT || v == MESSAGE_UNCONFIRMED;

		if (again && wait_s > verdicts[i].retry_after_s)
			verdicts[i].retry_after_s = wait_s;
	}
}

static uint32_t clamp_wait(int64_t wait_s)
{
	if (wait_s < 0)
		return 0;
	return wait_s < PROVIDER_RETRY_MAX_S ? (uint32_t)wait_s : PROVIDER_RETRY_MAX_S;
}

uint32_t provider_retry_after(const char *value, int64_t wall_s)
{
	size_t digits = strspn(value, "0123456789");
	struct tm date = { 0 };
	const char *end;

	if (digits > 0) {
		if (value[digits] != '\0')
			return 0;
		return digits > 9 ? PROVIDER_RETRY_MAX_S : clamp_wait(atol(value));
	}
	end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &date);
	if (!end || *end != '\0')
		return 0;
	return clamp_wait((int64_t)timegm(&date) - wall_s);
}
