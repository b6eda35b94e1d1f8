/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The channel: jobs in, results out, and when to leave.
 */
#include "hairpin/publisher.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hairpin/channel.h"
#include "hairpin/log.h"
#include "hairpin/secret.h"
#include "hairpin/text.h"
#include "job.h"

enum {
	LIMIT_GRACE_S = 2,	/* requests end by themselves; this is the second wall */
	TEXTS_BEFORE_MEMOS = 3,
};

/* A result that the channel did not take yet. */
struct waiting {
	struct waiting *next;
	struct message_result result;
};

struct jobs {
	struct ev_loop *loop;
	int channel;
	struct resolve *resolve;
	struct http *http;
	struct shelf shelf;
	ev_io readable, writable;
	struct job *list;
	size_t count;
	struct waiting *waiting, **waiting_end;
	/* at the beginning; zeroed where there was none */
	struct stat resolv_conf;
	struct message_job *incoming;	/* room for the largest */
	bool leaving;			/* take no further job */
	int status;
	struct err *err;
};

struct ev_loop *job_loop(const struct job *job)
{
	return job->jobs->loop;
}

struct resolve *job_resolve(const struct job *job)
{
	return job->jobs->resolve;
}

struct http *job_http(const struct job *job)
{
	return job->jobs->http;
}

/* --- leaving --- */

static void leave(struct jobs *jobs, int status)
{
	jobs->status = status;
	ev_break(jobs->loop, EVBREAK_ALL);
}

static void look_at_resolv_conf(struct stat *ret_stat)
{
	memset(ret_stat, 0, sizeof(*ret_stat));
	if (stat("/etc/resolv.conf", ret_stat) < 0)
		memset(ret_stat, 0, sizeof(*ret_stat));
}

static bool resolv_conf_changed(const struct jobs *jobs)
{
	const struct stat *old = &jobs->resolv_conf;
	struct stat new;

	look_at_resolv_conf(&new);
	return new.st_dev != old->st_dev || new.st_ino != old->st_ino ||
	       new.st_size != old->st_size || new.st_mtim.tv_sec != old->st_mtim.tv_sec ||
	       new.st_mtim.tv_nsec != old->st_mtim.tv_nsec;
}

/* What a burst of handshakes took is the system's again: a minute is long. */
static void shrink_heap(void)
{
#ifdef M_TRIM_THRESHOLD
	(void)malloc_trim(0);
#endif
}

/* Leaves if everything is said; else waits for more. */
static void rest(struct jobs *jobs)
{
	if (jobs->count > 0 || jobs->waiting)
		return;
	if (jobs->leaving) {
		leave(jobs, 0);
		return;
	}
	shrink_heap();
}

/* --- results --- */

static void send_waiting(struct jobs *jobs)
{
	while (jobs->waiting) {
		struct waiting *first = jobs->waiting;
		int r = channel_send(jobs->channel, &first->result, sizeof(first->result),
				     -1);

		if (r == -EAGAIN) {
			ev_io_start(jobs->loop, &jobs->writable);
			return;
		}
		if (r < 0) {
			leave(jobs, 0);		/* the core is gone */
			return;
		}
		jobs->waiting = first->next;
		free(first);
	}
	jobs->waiting_end = &jobs->waiting;
	ev_io_stop(jobs->loop, &jobs->writable);
	rest(jobs);
}

static void on_writable(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	send_waiting(io->data);
}

/* The texts are printable: that was checked. */
static void said(const struct message_job *job, const struct message_record *record,
		 const struct message_result *result)
{
	static const char *const kinds[] = {
		[MESSAGE_CHECK] = "check", [MESSAGE_VERIFY] = "verify",
		[MESSAGE_UPDATE_RECORDS] = "update", [MESSAGE_DISCOVER] = "discover",
		[MESSAGE_RESOLVE] = "resolve",
	};
	char address[ADDR_TEXT_BYTES];

	log_debug("publisher: %s %s %s: %s %s %s", kinds[job->kind], record->hostname,
		  addr_family_name(record->family), message_verdict_name(result->verdict),
		  addr_format(&result->addresses[0], address), result->text);
}

void job_answer(struct job *job, size_t index, const struct message_result *result)
{
	struct jobs *jobs = job->jobs;
	struct waiting *waiting;

	if (job->answered[index])
		return;
	job->answered[index] = true;
	waiting = calloc(1, sizeof(*waiting));
	if (!waiting) {
		leave(jobs, -ENOMEM);	/* unanswered: the job is given again */
		return;
	}
	waiting->result = *result;
	waiting->result.head = (struct message){ MESSAGE_RESULT,
						 job->message->head.number };
	waiting->result.record = job->message->records[index].record;
	if (!message_result_ok(&waiting->result, sizeof(waiting->result))) {
		bool update = job->message->kind == MESSAGE_UPDATE_RECORDS;

		waiting->result = (struct message_result){
			.head = waiting->result.head, .record = waiting->result.record,
			.verdict = update ? MESSAGE_TRANSIENT : MESSAGE_NO_ANSWER };
	}
	said(job->message, &job->message->records[index], &waiting->result);
	*jobs->waiting_end = waiting;
	jobs->waiting_end = &waiting->next;
	send_waiting(jobs);
}

void job_answer_rest(struct job *job, enum message_verdict verdict, const char *text)
{
	bool update = job->message->kind == MESSAGE_UPDATE_RECORDS;
	struct message_result result = { .verdict = verdict };
	const char *memo = NULL;

	text_escape(result.text, sizeof(result.text), text, strlen(text));
	for (int i = 0; update && i < TEXTS_BEFORE_MEMOS; i++)
		memo = message_job_next_text(job->message, memo);
	for (size_t i = 0; i < job->message->record_count; i++) {
		/* Nothing was learnt: what was known stays known. */
		if (update) {
			memo = message_job_next_text(job->message, memo);
			(void)text_copy(result.memo, sizeof(result.memo), memo);
		}
		job_answer(job, i, &result);
	}
}

/* --- jobs --- */

static void job_free(struct job *job)
{
	check_free(job->check);
	discover_free(job->discover);
	lookup_free(job->lookup);
	publish_free(job->publish);
	dns_update_free(job->dns_update);
	order_done(&job->order, &job->jobs->shelf);
	ev_timer_stop(job->jobs->loop, &job->limit);
	if (job->message) {
		secret_wipe(job->message, message_job_bytes(job->message));
		free(job->message);
	}
	free(job);
}

void job_done(struct job *job)
{
	struct jobs *jobs = job->jobs;
	struct job **at = &jobs->list;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	jobs->count--;
	job_free(job);
	ev_io_start(jobs->loop, &jobs->readable);
	rest(jobs);
}

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct job *job = timer->data;
	bool update = job->message->kind == MESSAGE_UPDATE_RECORDS;

	(void)loop;
	(void)events;
	job_answer_rest(job, update ? MESSAGE_TRANSIENT : MESSAGE_NO_ANSWER,
			"not done within the job's time");
	job_done(job);
}

static struct job *job_new(struct jobs *jobs, size_t bytes)
{
	struct job *job = calloc(1, sizeof(*job));
	double limit_s = jobs->incoming->timeout_ms / 1e3;

	if (!job)
		return NULL;
	job->jobs = jobs;
	ev_timer_init(&job->limit, on_limit, limit_s + LIMIT_GRACE_S, 0.);
	job->limit.data = job;
	job->message = malloc(bytes);
	if (!job->message) {
		job_free(job);
		return NULL;
	}
	memcpy(job->message, jobs->incoming, bytes);
	ev_now_update(jobs->loop);
	job->until = ev_now(jobs->loop) + limit_s;
	ev_timer_start(jobs->loop, &job->limit);
	job->next = jobs->list;
	jobs->list = job;
	jobs->count++;
	return job;
}

static int begin_update(struct job *job)
{
	struct err err = { 0 };
	int r = order_read(job->message, &job->jobs->shelf, &job->order, &err);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		job_answer_rest(job, MESSAGE_BAD_REQUEST, err.text);
		job_done(job);
		return 0;
	}
	if (job->order.job.catalogue->protocol == CATALOGUE_RFC2136)
		return dns_update_start(job);
	return publish_start(job);
}

static int job_begin(struct job *job)
{
	switch (job->message->kind) {
	case MESSAGE_CHECK:
	case MESSAGE_VERIFY:
		return check_start(job);
	case MESSAGE_RESOLVE:
		return lookup_start(job);
	case MESSAGE_UPDATE_RECORDS:
		return begin_update(job);
	case MESSAGE_DISCOVER:
		return discover_start(job);
	default:
		job_answer_rest(job, MESSAGE_NO_ANSWER,
				"this publisher cannot do that yet");
		job_done(job);
		return 0;
	}
}

static void take_job(struct jobs *jobs, size_t bytes)
{
	const struct message_level *level = (const void *)jobs->incoming;
	struct job *job;
	int r = -ENOMEM;

	if (message_level_ok(level, bytes)) {
		log_set_level(level->level);
		return;
	}
	if (!message_job_ok(jobs->incoming, bytes)) {
		leave(jobs, err_set(jobs->err, -EPROTO, "the core sent what is no job"));
		return;
	}
	job = job_new(jobs, bytes);
	secret_wipe(jobs->incoming, bytes);
	if (job)
		r = job_begin(job);
	if (r < 0)
		leave(jobs, err_set(jobs->err, r, "no memory for a job"));
	if (jobs->count >= PUBLISHER_JOBS_MAX)
		ev_io_stop(jobs->loop, &jobs->readable);
}

/*
 * One job a turn. The look at resolv.conf comes before the job is taken, so that the core
 * knows nobody began it.
 */
static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
	struct jobs *jobs = io->data;
	ssize_t bytes;

	(void)events;
	if (resolv_conf_changed(jobs)) {
		jobs->leaving = true;
		ev_io_stop(loop, &jobs->readable);
		rest(jobs);
		return;
	}
	bytes = channel_receive(jobs->channel, jobs->incoming, sizeof(*jobs->incoming),
				NULL);
	if (bytes == -EAGAIN)
		return;
	if (bytes > 0)
		take_job(jobs, (size_t)bytes);
	else
		leave(jobs, bytes == -EMSGSIZE ? -EPROTO : 0);
}

/* --- beginning and end --- */

static void jobs_done(struct jobs *jobs)
{
	while (jobs->list) {
		struct job *job = jobs->list;

		jobs->list = job->next;
		job_free(job);
	}
	while (jobs->waiting) {
		struct waiting *first = jobs->waiting;

		jobs->waiting = first->next;
		free(first);
	}
	ev_io_stop(jobs->loop, &jobs->readable);
	ev_io_stop(jobs->loop, &jobs->writable);
	http_free(jobs->http);
	resolve_free(jobs->resolve);
	shelf_done(&jobs->shelf);
	free(jobs->incoming);
}

static int jobs_init(struct jobs *jobs)
{
	int r;

	jobs->waiting_end = &jobs->waiting;
	ev_io_init(&jobs->readable, on_readable, jobs->channel, EV_READ);
	ev_io_init(&jobs->writable, on_writable, jobs->channel, EV_WRITE);
	jobs->readable.data = jobs->writable.data = jobs;
	look_at_resolv_conf(&jobs->resolv_conf);
	jobs->incoming = malloc(sizeof(*jobs->incoming));
	if (!jobs->incoming)
		return -ENOMEM;
	r = resolve_new(jobs->loop, &jobs->resolve);
	if (r < 0)
		return r;
	return http_new(jobs->loop, jobs->resolve, &jobs->http);
}

int jobs_serve(struct ev_loop *loop, int channel, struct err *ret_err)
{
	struct jobs jobs = { .loop = loop, .channel = channel, .err = ret_err };
	int r = jobs_init(&jobs);

	if (r < 0) {
		jobs_done(&jobs);
		return err_set(ret_err, r, "no memory to begin");
	}
	ev_io_start(loop, &jobs.readable);
	ev_run(loop, 0);
	jobs_done(&jobs);
	return jobs.status;
}
