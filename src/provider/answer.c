/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hairpin/provider.h"
#include "lines.h"

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

struct provider_verdict verdict_from_rule(const struct catalogue_rule *rule)
{
	struct provider_verdict verdict = { .verdict = verdict_of_rule(rule->verdict) };

	if (verdict.verdict == MESSAGE_SERVER_ERROR)
		verdict.retry_after_s = PROVIDER_ERROR_RETRY_S;
	return verdict;
}

static bool is_success(unsigned status)
{
	return status >= 200 && status <= 299;
}

static bool body_has_line(const char *body, size_t length, const char *wanted)
{
	struct line line;

	while (line_next(&body, &length, &line))
		if (span_is(line.text, line.length, wanted))
			return true;
	return false;
}

/* Does the body say what the rule asks for? */
static bool rule_fits_body(const struct catalogue_rule *rule, const char *body,
			   size_t length)
{
	const char *rest = body;
	size_t left = length;
	struct line first;

	if (rule->prefix && (length < strlen(rule->prefix) ||
			     memcmp(body, rule->prefix, strlen(rule->prefix)) != 0))
		return false;
	if (rule->contains &&
	    !memmem(body, length, rule->contains, strlen(rule->contains)))
		return false;
	if (rule->line && !body_has_line(body, length, rule->line))
		return false;
	if (!rule->token)
		return true;
	return line_next(&rest, &left, &first) &&
	       span_is(first.text, first.token_length, rule->token);
}

/* In a body of lines a rule that asks for a token only is one more code for each line. */
static bool rule_is_code(const struct catalogue *catalogue,
			 const struct catalogue_rule *rule)
{
	return catalogue->dyndns2 && rule->token && !rule->http && !rule->prefix &&
	       !rule->contains && !rule->line;
}

static const struct catalogue_rule *rule_find(const struct catalogue *catalogue,
					      const struct provider_answer *answer)
{
	bool clear = is_success(answer->http_status) && !answer->cut;

	for (size_t i = 0; i < catalogue->rule_count; i++) {
		const struct catalogue_rule *rule = &catalogue->rules[i];
		bool good = rule->verdict == CATALOGUE_GOOD ||
			    rule->verdict == CATALOGUE_UNCHANGED;

		if (rule->http && (unsigned)rule->http != answer->http_status)
			continue;
		if (good && (answer->cut || (!rule->http && !clear)))
			continue;
		if (!rule_is_code(catalogue, rule) &&
		    rule_fits_body(rule, answer->body, answer->length))
			return rule;
	}
	return NULL;
}

/* What a status outside 2xx means by itself. */
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

static void set_all(struct provider_verdict *verdicts, size_t count,
		    struct provider_verdict verdict)
{
	for (size_t i = 0; i < count; i++)
		verdicts[i] = verdict;
}

/*
 * Statuses whose body may know better: 403 with any code of the protocol, 5xx only with
 * those that ask for patience. Neither may bring success.
 */
static bool lines_overrule_status(unsigned status,
				  const struct provider_verdict *verdicts, size_t count)
{
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

static void judge_status(const struct catalogue *catalogue,
			 const struct provider_answer *answer,
			 const struct provider_update *update,
			 struct provider_verdict *ret_verdicts)
{
	size_t count = update->hostname_count;

	if (catalogue->dyndns2 && !answer->cut) {
		provider_judge_lines(catalogue, answer->body, answer->length, update,
				     ret_verdicts);
		if (is_success(answer->http_status) ||
		    lines_overrule_status(answer->http_status, ret_verdicts, count))
			return;
	}
	set_all(ret_verdicts, count,
		(struct provider_verdict){ .verdict = verdict_of_status(answer) });
}

/* A wait that the header asks for is only meant by those who want us to come again. */
static void apply_retry_after(const struct provider_answer *answer,
			      struct provider_verdict *verdicts, size_t count)
{
	uint32_t wait_s = provider_retry_after(answer->retry_after, answer->wall_s);

	for (size_t i = 0; i < count; i++) {
		enum message_verdict v = verdicts[i].verdict;
		bool again = v == MESSAGE_RATE_LIMITED || v == MESSAGE_SERVER_ERROR ||
			     v == MESSAGE_TRANSIENT || v == MESSAGE_UNCONFIRMED;

		if (again && wait_s > verdicts[i].retry_after_s)
			verdicts[i].retry_after_s = wait_s;
	}
}

void provider_judge(const struct catalogue *catalogue,
		    const struct provider_answer *answer,
		    const struct provider_update *update,
		    struct provider_verdict *ret_verdicts)
{
	const struct catalogue_rule *rule = rule_find(catalogue, answer);

	if (rule)
		set_all(ret_verdicts, update->hostname_count, verdict_from_rule(rule));
	else
		judge_status(catalogue, answer, update, ret_verdicts);
	apply_retry_after(answer, ret_verdicts, update->hostname_count);
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
