/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UPDATE_RECORDS: the plan's requests one after the other; each answer is judged and
 * gives its records their results.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/clock.h"
#include "hairpin/order.h"
#include "hairpin/secret.h"
#include "hairpin/text.h"
#include "job.h"
#include "plan.h"

enum { REDIRECTS_MAX = 2 };

struct publish {
	struct job *job;
	struct plan plan;
	size_t current;			/* request */
	struct http_exchange *exchange;
	char *redirected;		/* URL, NULL: the template's own */
	unsigned redirects;
	bool https;
	ev_timer turn;			/* the next request begins in a turn of its own */
};

static void wipe_free(char *string)
{
	if (string)
		secret_wipe(string, strlen(string));
	free(string);
}

void publish_free(struct publish *publish)
{
	if (!publish)
		return;
	http_stop(publish->exchange);
	ev_timer_stop(job_loop(publish->job), &publish->turn);
	wipe_free(publish->redirected);
	plan_done(&publish->plan);
	free(publish);
}

static const struct plan_request *current(const struct publish *publish)
{
	return &publish->plan.requests[publish->current];
}

static struct provider_update update_of(const struct publish *publish)
{
	const struct plan_request *request = current(publish);

	return (struct provider_update){
		.settings = publish->plan.values,
		.setting_count = publish->plan.value_count,
		.hostnames = request->hostnames,
		.hostname_count = request->hostname_count,
		.ipv4 = request->ipv4,
		.ipv6 = request->ipv6,
		.insecure_http = publish->job->message->insecure_http,
	};
}

/* --- results --- */

/* The memo goes back as it came: no step of today's makes another. */
static void start_result(const struct publish *publish, size_t index,
			 struct message_result *result)
{
	memset(result, 0, sizeof(*result));
	text_copy(result->memo, sizeof(result->memo), publish->plan.memos[index]);
}

static void take_turn(struct publish *publish)
{
	ev_timer_set(&publish->turn, 0., 0.);
	ev_timer_start(job_loop(publish->job), &publish->turn);
}

static void next_request(struct publish *publish)
{
	wipe_free(publish->redirected);
	publish->redirected = NULL;
	publish->redirects = 0;
	publish->current++;
	take_turn(publish);
}

/* The same verdict for every record of the current request, and on to the next. */
static void answer_request(struct publish *publish, enum message_verdict verdict,
			   const char *why)
{
	struct provider_update update = update_of(publish);
	struct job *job = publish->job;
	struct message_result result;
	char text[MESSAGE_TEXT_BYTES];
	size_t index;

	provider_describe(publish->plan.catalogue, &update, why, strlen(why), text);
	for (size_t i = 0; i < job->message->record_count; i++) {
		if (!plan_find(current(publish), &job->message->records[i], &index))
			continue;
		start_result(publish, i, &result);
		result.verdict = verdict;
		text_copy(result.text, sizeof(result.text), text);
		job_answer(job, i, &result);
	}
	next_request(publish);
}

static bool names_other(const struct provider_verdict *verdict,
			const struct addr *address)
{
	bool of_family = false;

	for (size_t i = 0; i < verdict->address_count; i++) {
		if (addr_equal(&verdict->addresses[i], address))
			return false;
		of_family = of_family || verdict->addresses[i].family == address->family;
	}
	return of_family;
}

static void describe(const struct publish *publish, const struct http_reply *reply,
		     char out[MESSAGE_TEXT_BYTES])
{
	struct provider_update update = update_of(publish);
	char body[MESSAGE_TEXT_BYTES];

	provider_describe(publish->plan.catalogue, &update, reply->body, reply->length,
			  body);
	if (reply->status == 200 && body[0])
		text_copy(out, MESSAGE_TEXT_BYTES, body);
	else
		snprintf(out, MESSAGE_TEXT_BYTES, "HTTP %u%s%.200s", reply->status,
			 body[0] ? ": " : ", an empty answer", body);
}

static void answer_judged(struct publish *publish, const struct http_reply *reply,
			  const struct provider_verdict *verdicts)
{
	struct job *job = publish->job;
	struct message_result result;
	size_t index;

	for (size_t i = 0; i < job->message->record_count; i++) {
		const struct message_record *record = &job->message->records[i];

		if (!plan_find(current(publish), record, &index))
			continue;
		start_result(publish, i, &result);
		result.verdict = verdicts[index].verdict;
		result.retry_after_s = verdicts[index].retry_after_s;
		result.http_status = reply->status;
		result.address_count = (uint32_t)verdicts[index].address_count;
		memcpy(result.addresses, verdicts[index].addresses,
		       verdicts[index].address_count * sizeof(struct addr));
		describe(publish, reply, result.text);
		if (names_other(&verdicts[index], &record->address))
			strncat(result.text, " (not what was sent)",
				sizeof(result.text) - strlen(result.text) - 1);
		job_answer(job, i, &result);
	}
	next_request(publish);
}

/* --- replies --- */

/* Again at the place the server names, if that is the same server over HTTPS. */
static bool follow(struct publish *publish, const struct http_reply *reply,
		   const char *url)
{
	const struct catalogue_step *step = current(publish)->step;
	char *target;

	if (reply->status < 300 || reply->status > 399 || !reply->location[0] ||
	    publish->redirects == REDIRECTS_MAX || strcmp(step->method, "GET") != 0)
		return false;
	target = provider_redirect(url, reply->location);
	if (!target)
		return false;
	wipe_free(publish->redirected);
	publish->redirected = target;
	publish->redirects++;
	take_turn(publish);
	return true;
}

static void judge(struct publish *publish, const struct http_reply *reply)
{
	struct provider_verdict verdicts[MESSAGE_RECORDS_MAX];
	struct provider_update update = update_of(publish);
	struct provider_answer answer = {
		.http_status = reply->status,
		.body = reply->body,
		.length = reply->length,
		.cut = reply->cut,
		.https = publish->https,
		.retry_after = reply->retry_after,
		.wall_s = clock_wall_s(),
	};

	provider_judge(publish->plan.catalogue, &answer, &update, verdicts);
	answer_judged(publish, reply, verdicts);
}

static bool make_request(struct publish *publish, struct provider_request *ret_request)
{
	struct provider_update update = update_of(publish);
	struct err err = { 0 };

	if (!current(publish)->step) {
		answer_request(publish, MESSAGE_BAD_REQUEST,
			       "this provider has no request for this family");
		return false;
	}
	if (provider_request_make(publish->plan.catalogue, current(publish)->step,
				  &update, ret_request, &err) < 0) {
		answer_request(publish, MESSAGE_BAD_REQUEST, err.text);
		return false;
	}
	return true;
}

/*
 * The URL that a relative redirect is to be understood from is made anew: it is not
 * kept.
 */
static bool redirect(struct publish *publish, const struct http_reply *reply)
{
	struct provider_update update = update_of(publish);
	struct provider_request request;
	bool followed;

	if (publish->redirected)
		return follow(publish, reply, publish->redirected);
	if (provider_request_make(publish->plan.catalogue, current(publish)->step,
				  &update, &request, NULL) < 0)
		return false;
	followed = follow(publish, reply, request.url);
	provider_request_done(&request);
	return followed;
}

static void on_reply(void *context, const struct http_reply *reply)
{
	struct publish *publish = context;

	publish->exchange = NULL;
	switch (reply->outcome) {
	case HTTP_REPLY:
		if (!redirect(publish, reply))
			judge(publish, reply);
		break;
	case HTTP_UNREACHABLE:
		answer_request(publish, MESSAGE_UNREACHABLE, reply->why);
		break;
	case HTTP_TLS_REFUSED:
		answer_request(publish, MESSAGE_TLS_REFUSED, reply->why);
		break;
	case HTTP_CUT_OFF:
		answer_request(publish, MESSAGE_TRANSIENT, reply->why);
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

static void send_request(struct publish *publish, const struct provider_request *request)
{
	const struct message_job *message = publish->job->message;
	struct http_request http = {
		.method = request->method,
		.url = publish->redirected ? publish->redirected : request->url,
		.headers = (const char *const *)request->headers,
		.header_count = request->header_count, .body = request->body,
		.user = request->user, .password = request->password,
		.user_agent = publish->plan.user_agent, .ca_pem = publish->plan.ca_pem,
		.interface = message->interface, .epoch = message->epoch,
		.timeout_ms = time_left_ms(publish),
		.private_server = message->private_server,
		.insecure_http = message->insecure_http,
	};
	struct err err = { 0 };

	publish->https = strncmp(http.url, "https://", 8) == 0;
	if (http_start(job_http(publish->job), &http, on_reply, publish,
		       &publish->exchange, &err) < 0)
		answer_request(publish, MESSAGE_BAD_REQUEST, err.text);
}

static void on_turn(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct publish *publish = timer->data;
	struct provider_request request;

	(void)loop;
	(void)events;
	if (publish->current == publish->plan.request_count) {
		job_answer_rest(publish->job, MESSAGE_BAD_REQUEST,
				"no request covers this");
		job_done(publish->job);
		return;
	}
	if (!make_request(publish, &request))
		return;
	send_request(publish, &request);
	provider_request_done(&request);
}

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
	r = plan_make(job->message, &publish->plan, &err);
	if (r == -ENOMEM)
		return r;
	if (r == 0 && publish->plan.catalogue->protocol == CATALOGUE_RFC2136)
		return dns_update_start(job, &publish->plan);
	if (r < 0)
		job_answer_rest(job, MESSAGE_BAD_REQUEST, err.text);
	take_turn(publish);
	return 0;
}
