/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UPDATE_RECORDS: the session says which request is next and is told what came of it; a
 * record's result goes as soon as it is judged.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "hairpin/clock.h"
#include "hairpin/order.h"
#include "hairpin/secret.h"
#include "hairpin/text.h"
#include "job.h"

enum { REDIRECTS_MAX = 2 };

struct publish {
	struct job *job;
	struct provider_session *session;
	bool asking;			/* `request` is under way, or is to be sent */
	struct provider_request request;
	char *redirected;		/* URL, NULL: the request's own */
	unsigned redirects;
	struct http_exchange *exchange;
	ev_timer turn;			/* what follows has a turn of its own */
};

static void request_over(struct publish *publish)
{
	secret_free(publish->redirected);
	publish->redirected = NULL;
	publish->redirects = 0;
	if (publish->asking)
		provider_request_done(&publish->request);
	publish->asking = false;
}

void publish_free(struct publish *publish)
{
	if (!publish)
		return;
	http_stop(publish->exchange);
	ev_timer_stop(job_loop(publish->job), &publish->turn);
	request_over(publish);
	provider_session_free(publish->session);
	free(publish);
}

static void take_turn(struct publish *publish)
{
	ev_timer_set(&publish->turn, 0., 0.);
	ev_timer_start(job_loop(publish->job), &publish->turn);
}

/* --- results --- */

static void answer_record(struct publish *publish, size_t index,
			  const struct provider_outcome *outcome)
{
	struct message_result result = {
		.verdict = outcome->verdict.verdict,
		.retry_after_s = outcome->verdict.retry_after_s,
		.http_status = outcome->http_status,
		.address_count = (uint32_t)outcome->verdict.address_count,
	};

	memcpy(result.addresses, outcome->verdict.addresses,
	       outcome->verdict.address_count * sizeof(struct addr));
	(void)text_copy(result.text, sizeof(result.text), outcome->text);
	(void)text_copy(result.memo, sizeof(result.memo), outcome->memo);
	job_answer(publish->job, index, &result);
}

static void answer_judged(struct publish *publish)
{
	for (size_t i = 0; i < publish->job->message->record_count; i++) {
		const struct provider_outcome *outcome;

		if (publish->job->answered[i])
			continue;
		outcome = provider_session_outcome(publish->session, i);
		if (outcome)
			answer_record(publish, i, outcome);
	}
}

static void go_on(struct publish *publish)
{
	request_over(publish);
	answer_judged(publish);
	take_turn(publish);
}

static void fail(struct publish *publish, enum message_verdict verdict, const char *why)
{
	provider_session_fail(publish->session, verdict, why);
	go_on(publish);
}

/* --- replies --- */

static const char *url_of(const struct publish *publish)
{
	return publish->redirected ? publish->redirected : publish->request.url;
}

/* Again at the place the server names, if that is the same server over HTTPS. */
static bool follow(struct publish *publish, const struct http_reply *reply)
{
	char *target;

	if (reply->status < 300 || reply->status > 399 || !reply->location[0] ||
	    publish->redirects == REDIRECTS_MAX ||
	    strcmp(publish->request.method, "GET") != 0)
		return false;
	target = provider_redirect(url_of(publish), reply->location);
	if (!target)
		return false;
	secret_free(publish->redirected);
	publish->redirected = target;
	publish->redirects++;
	take_turn(publish);
	return true;
}

static void take_reply(struct publish *publish, const struct http_reply *reply)
{
	struct provider_answer answer = {
		.http_status = reply->status,
		.body = reply->body,
		.length = reply->length,
		.cut = reply->cut,
		.https = strncmp(url_of(publish), "https://", 8) == 0,
		.retry_after = reply->retry_after,
		.headers = reply->headers,
		.wall_s = clock_wall_s(),
	};

	provider_session_answer(publish->session, &answer);
	go_on(publish);
}

static void on_reply(void *context, const struct http_reply *reply)
{
	struct publish *publish = context;

	publish->exchange = NULL;
	switch (reply->outcome) {
	case HTTP_REPLY:
		if (!follow(publish, reply))
			take_reply(publish, reply);
		break;
	case HTTP_UNREACHABLE:
		fail(publish, MESSAGE_UNREACHABLE, reply->why);
		break;
	case HTTP_TLS_REFUSED:
		fail(publish, MESSAGE_TLS_REFUSED, reply->why);
		break;
	case HTTP_CUT_OFF:
		fail(publish, MESSAGE_TRANSIENT, reply->why);
		break;
	}
}

/* --- requests --- */

/* What is left of the job's time, at most what one request may take. */
static int64_t time_left_ms(const struct publish *publish)
{
	const struct job *job = publish->job;
	double left_ms = (job->until - ev_now(job_loop(job))) * 1e3;

	if (left_ms < 1)
		return 1;
	return MIN((int64_t)left_ms, (int64_t)job->message->request_ms);
}

static void send_request(struct publish *publish)
{
	const struct message_job *message = publish->job->message;
	const struct provider_request *request = &publish->request;
	const struct order *order = &publish->job->order;
	struct http_request http = {
		.method = request->method, .url = url_of(publish),
		.headers = (const char *const *)request->headers,
		.header_count = request->header_count, .body = request->body,
		.user = request->user, .password = request->password,
		.aws_sigv4 = request->aws_sigv4, .family = request->family,
		.list = request->looks,
		.user_agent = order->user_agent, .ca_pem = order->ca_pem,
		.interface = message->interface, .interface6 = message->interface6,
		.epoch = message->epoch,
		.timeout_ms = time_left_ms(publish),
		.private_server = message->private_server,
		.insecure_http = message->insecure_http,
	};
	struct err err = { 0 };
	int r = http_start(job_http(publish->job), &http, on_reply, publish,
			   &publish->exchange, &err);

	if (r < 0)
		fail(publish, r == -EINVAL ? MESSAGE_BAD_REQUEST : MESSAGE_TRANSIENT,
		     err.text);
}

/* False: nothing is left to be asked. */
static bool next_request(struct publish *publish)
{
	struct provider_moment moment = { .wall_s = clock_wall_s() };

	if (getrandom(moment.chance, sizeof(moment.chance), 0) !=
	    (ssize_t)sizeof(moment.chance))
		return false;
	publish->asking = provider_session_next(publish->session, &moment,
						&publish->request);
	answer_judged(publish);
	return publish->asking;
}

static void on_turn(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct publish *publish = timer->data;

	(void)loop;
	(void)events;
	if (publish->session && (publish->asking || next_request(publish))) {
		send_request(publish);
		return;
	}
	job_answer_rest(publish->job, MESSAGE_TRANSIENT, "nothing was asked");
	job_done(publish->job);
}

/* --- beginning --- */

int publish_start(struct job *job)
{
	struct publish *publish = calloc(1, sizeof(*publish));
	struct err err = { 0 };
	int r;

	if (!publish)
		return -ENOMEM;
	publish->job = job;
	job->publish = publish;
	ev_timer_init(&publish->turn, on_turn, 0., 0.);
	publish->turn.data = publish;
	r = provider_session_new(&job->order.job, &publish->session, &err);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		job_answer_rest(job, MESSAGE_BAD_REQUEST, err.text);
	take_turn(publish);
	return 0;
}
