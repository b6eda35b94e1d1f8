/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DISCOVER: one place is asked from which address we come. What it says is told as it is,
 * if it is one address of the family asked for; whether it may be used the core decides.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/clock.h"
#include "hairpin/outside.h"
#include "hairpin/provider.h"
#include "hairpin/text.h"

#include "job.h"

enum { TEXTS_MAX = 5 };

struct discover {
	struct job *job;
	struct http_exchange *exchange;	/* one of the two */
	struct outside *outside;
	ev_timer turn;		/* what cannot be asked is answered in a turn of its own */
	char why[MESSAGE_TEXT_BYTES];
};

void discover_free(struct discover *discover)
{
	if (!discover)
		return;
	http_stop(discover->exchange);
	outside_stop(discover->outside);
	ev_timer_stop(job_loop(discover->job), &discover->turn);
	free(discover);
}

static int family_of(const struct discover *discover)
{
	return discover->job->message->records[0].family;
}

/* --- the answer --- */

static void answer(struct discover *discover, enum message_verdict verdict,
		   const struct addr *address, const char *why)
{
	struct message_result result = { .verdict = verdict };
	struct job *job = discover->job;

	if (address) {
		result.addresses[0] = *address;
		result.address_count = 1;
	}
	text_escape(result.text, sizeof(result.text), why, strlen(why));
	job_answer(job, 0, &result);
	job_done(job);
}

static void on_turn(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct discover *discover = timer->data;

	(void)loop;
	(void)events;
	answer(discover, MESSAGE_UNREACHABLE, NULL, discover->why);
}

static int refuse(struct discover *discover, const char *why)
{
	(void)text_copy(discover->why, sizeof(discover->why), why);
	ev_timer_start(job_loop(discover->job), &discover->turn);
	return 0;
}

/* --- web services --- */

static void answer_status(struct discover *discover, const struct http_reply *reply)
{
	struct message_result result = {
		.verdict = reply->status == 429 ? MESSAGE_RATE_LIMITED : MESSAGE_TRANSIENT,
		.http_status = reply->status,
		.retry_after_s = provider_retry_after(reply->retry_after, clock_wall_s()),
	};
	struct job *job = discover->job;

	snprintf(result.text, sizeof(result.text), "answers with HTTP %u", reply->status);
	job_answer(job, 0, &result);
	job_done(job);
}

static void read_body(struct discover *discover, const struct http_reply *reply)
{
	char why[MESSAGE_TEXT_BYTES], start[80];
	struct addr address;

	if (reply->cut || !addr_parse_alone(reply->body, reply->length, &address)) {
		text_escape(start, sizeof(start), reply->body,
			    reply->length < 60 ? reply->length : 60);
		snprintf(why, sizeof(why), "says something else than one address: %s",
			 start);
		answer(discover, MESSAGE_TRANSIENT, NULL, why);
	} else if (address.family != family_of(discover)) {
		answer(discover, MESSAGE_TRANSIENT, NULL,
		       "says an address of the other family");
	} else {
		answer(discover, MESSAGE_ANSWER, &address, "");
	}
}

static void on_reply(void *context, const struct http_reply *reply)
{
	struct discover *discover = context;

	discover->exchange = NULL;
	switch (reply->outcome) {
	case HTTP_REPLY:
		if (reply->status == 200)
			read_body(discover, reply);
		else
			answer_status(discover, reply);
		return;
	case HTTP_UNREACHABLE:
		answer(discover, MESSAGE_UNREACHABLE, NULL, reply->why);
		return;
	case HTTP_TLS_REFUSED:
		answer(discover, MESSAGE_TLS_REFUSED, NULL, reply->why);
		return;
	case HTTP_CUT_OFF:
		answer(discover, MESSAGE_TRANSIENT, NULL, reply->why);
		return;
	}
}

/* A connection of the other family must not be used for this one. */
static uint64_t epoch_of(const struct discover *discover)
{
	return discover->job->message->epoch ^ ((uint64_t)family_of(discover) << 56);
}

static int ask_web(struct discover *discover, const char *url)
{
	static const char *const headers[] = { "Accept: text/plain" };
	const struct message_job *message = discover->job->message;
	struct http_request request = {
		.method = "GET", .url = url, .headers = headers, .header_count = 1,
		.family = family_of(discover), .interface = message->interface,
		.epoch = epoch_of(discover), .timeout_ms = message->timeout_ms,
	};
	struct err err = { "" };
	int r = http_start(job_http(discover->job), &request, on_reply, discover,
			   &discover->exchange, &err);

	return r == -EINVAL ? refuse(discover, err.text) : r;
}

/* --- name servers and routers --- */

static void on_outside(void *context, const struct outside_answer *found)
{
	struct discover *discover = context;

	discover->outside = NULL;
	switch (found->outcome) {
	case OUTSIDE_ADDRESS:
		answer(discover, MESSAGE_ANSWER, &found->address, "");
		return;
	case OUTSIDE_NONSENSE:
		answer(discover, MESSAGE_TRANSIENT, NULL, found->why);
		return;
	case OUTSIDE_SILENCE:
		answer(discover, MESSAGE_NO_ANSWER, NULL, found->why);
		return;
	case OUTSIDE_UNREACHABLE:
		answer(discover, MESSAGE_UNREACHABLE, NULL, found->why);
		return;
	}
}

static int ask_outside(struct discover *discover, const char *const *texts, size_t count)
{
	const struct message_job *message = discover->job->message;
	struct outside_question question = {
		.loop = job_loop(discover->job), .resolve = job_resolve(discover->job),
		.http = job_http(discover->job), .interface = message->interface,
		.family = family_of(discover), .timeout_ms = message->timeout_ms,
	};
	bool has_gateway = count > 1 && addr_parse(texts[1], &question.gateway);

	if (strcmp(texts[0], "dns") == 0 && count == TEXTS_MAX) {
		question.server = texts[1];
		question.name = texts[2];
		question.type = texts[3];
		question.class = texts[4];
		return outside_dns_start(&question, on_outside, discover,
					 &discover->outside);
	}
	if (strcmp(texts[0], "pcp") == 0 && has_gateway)
		return outside_pcp_start(&question, on_outside, discover,
					 &discover->outside);
	if (strcmp(texts[0], "pcp") == 0)
		return refuse(discover, "finds no router: the route has no gateway");
	if (strcmp(texts[0], "upnp") == 0)
		return outside_upnp_start(&question, on_outside, discover,
					  &discover->outside);
	return -EINVAL;
}

int discover_start(struct job *job)
{
	struct discover *discover = calloc(1, sizeof(*discover));
	const char *texts[TEXTS_MAX], *text = NULL;
	size_t count = 0;
	int r;

	if (!discover)
		return -ENOMEM;
	discover->job = job;
	job->discover = discover;
	ev_timer_init(&discover->turn, on_turn, 0., 0.);
	discover->turn.data = discover;
	while (count < TEXTS_MAX && (text = message_job_next_text(job->message, text)))
		texts[count++] = text;
	if (count > 1 && strcmp(texts[0], "http") == 0)
		r = ask_web(discover, texts[1]);
	else
		r = count > 0 ? ask_outside(discover, texts, count) : -EINVAL;
	if (r == -ENOMEM || r == 0)
		return r;
	return refuse(discover, r == -EOPNOTSUPP ? "is not built in"
						 : "cannot be asked by this link");
}
