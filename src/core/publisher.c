/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "publisher.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "hairpin/channel.h"
#include "hairpin/log.h"
#include "hairpin/order.h"
#include "hairpin/passed.h"
#include "hairpin/text.h"

#include "core.h"

enum { PUBLISHER_READS = 64 };	/* results taken in one turn of the loop */

/* --- the schedule's jobs, the questions about names and addresses, as one --- */

static int64_t work_due_ms(const struct core *core, int64_t now_ms)
{
	int64_t records_ms = schedule_due_ms(core->schedule, now_ms);
	int64_t names_ms = names_due_ms(&core->names);

	if (pause_is_on(core))
		return INT64_MAX;
	return MIN(MIN(records_ms, names_ms), discover_job_due_ms(core));
}

static size_t work_in_flight(const struct core *core)
{
	return schedule_in_flight(core->schedule) + names_in_flight(&core->names) +
	       discover_in_flight(core);
}

/* A job is not answered, long after its time. */
static bool work_is_overdue(const struct core *core, int64_t now_ms)
{
	return schedule_is_overdue(core->schedule, now_ms) ||
	       names_are_overdue(&core->names, now_ms) ||
	       core->discover.overdue;
}

static void work_lost(struct core *core, int64_t now_ms)
{
	schedule_publisher_gone(core->schedule, now_ms);
	names_lost(&core->names, now_ms);
	discover_lost(core, 0);
}

static void work_unsent(struct core *core, uint32_t number, int64_t now_ms)
{
	if (names_is_job(number))
		names_unsent(&core->names, number, now_ms);
	else if (source_is_job(number))
		discover_lost(core, number);
	else
		schedule_unsent(core->schedule, number, now_ms);
}

static bool work_may_answer(const struct core *core, const struct message_result *result)
{
	if (names_is_job(result->head.number))
		return names_may_answer(&core->names, result);
	if (source_is_job(result->head.number))
		return discover_may_answer(core, result);
	return schedule_may_answer(core->schedule, result);
}

/* --- beginning and end --- */

void publisher_init(struct publisher *publisher)
{
	*publisher = (struct publisher){
		.channel = -1, .wait_ms = PUBLISHER_WAIT_MS,
		.left_ms = -PUBLISHER_QUIET_MS,
	};
}

static void publisher_close(struct core *core)
{
	struct publisher *publisher = &core->publisher;

	if (publisher->channel < 0)
		return;
	if (core->loop)
		ev_io_stop(core->loop, &publisher->io);
	passed_close(publisher->channel);
	publisher->channel = -1;
	publisher->full = false;
}

void publisher_done(struct core *core)
{
	publisher_close(core);
}

/* Which readiness the loop is to watch for. */
static void publisher_watch(struct core *core)
{
	struct publisher *publisher = &core->publisher;

	if (!core->loop || publisher->channel < 0)
		return;
	ev_io_stop(core->loop, &publisher->io);
	ev_io_set(&publisher->io, publisher->channel,
		  EV_READ | (publisher->full ? EV_WRITE : 0));
	ev_io_start(core->loop, &publisher->io);
}

/* --- its life --- */

/* Whoever does not leave when its channel is closed is killed. */
static void publisher_end(struct core *core)
{
	struct message message = { .type = MESSAGE_PUBLISHER_END };

	if (core->publisher.channel < 0)
		return;
	publisher_close(core);
	if (supervisor_send(core, &message, sizeof(message)) < 0)
		log_debug("publisher: the supervisor cannot be told to end it");
}

static void publisher_fail(struct core *core, int64_t now_ms, const char *why)
{
	struct publisher *publisher = &core->publisher;
	char count[FAULT_TEXT_BYTES];

	publisher_end(core);
	if (now_ms >= publisher->forgiven_ms)
		publisher->wait_ms = PUBLISHER_WAIT_MS;
	publisher->failed_ms = now_ms;
	publisher->forgiven_ms = now_ms + publisher->wait_ms + PUBLISHER_QUIET_MS;
	publisher->ailing = true;
	core->metrics.publisher_restarts++;
	publisher->state = PUBLISHER_FAILED;
	publisher->retry_ms = now_ms + publisher->wait_ms;
	watch_publisher_failed(core, why);
	if (fault_comes(&publisher->fault, now_ms))
		log_warning("publisher: %s; started again in %lld s%s", why,
			    (long long)publisher->wait_ms / 1000,
			    fault_count(&publisher->fault, count));
	publisher->wait_ms = MIN(2 * publisher->wait_ms, PUBLISHER_WAIT_MAX_MS);
	work_lost(core, now_ms);
}

static void publisher_ask(struct core *core, int64_t now_ms)
{
	struct publisher *publisher = &core->publisher;
	struct message message = { MESSAGE_PUBLISHER_START, ++publisher->number };

	publisher->retry_ms = now_ms + PUBLISHER_ASK_MS;
	publisher->state = PUBLISHER_ASKED;
	if (supervisor_send(core, &message, sizeof(message)) < 0)
		publisher->retry_ms = now_ms + PUBLISHER_WAIT_MS;
}

void publisher_take(struct core *core, const struct message_reply *reply, int fd,
		    int64_t now_ms)
{
	struct publisher *publisher = &core->publisher;
	char text[200];

	if (publisher->state != PUBLISHER_ASKED ||
	    reply->head.number != publisher->number) {
		if (fd >= 0)
			close(fd);
		return;
	}
	if (reply->status < 0 || fd < 0) {
		text_escape(text, sizeof(text), reply->text, strlen(reply->text));
		if (fd >= 0)
			close(fd);
		publisher_fail(core, now_ms, text[0] ? text : "cannot be started");
		return;
	}
	core->metrics.publisher_starts++;
	publisher->channel = fd;
	publisher->state = PUBLISHER_RUNNING;
	publisher->said_nothing = true;
	publisher->knows_former = false;
	publisher->owed = 0;
	publisher->worked_ms = now_ms;
	core->discover.overdue = false;
	publisher->resolver = core->resolver.generation;
	publisher_watch(core);
	level_tell_publisher(core);
}

/*
 * The other end closed. One that did its work may leave because resolv.conf was replaced,
 * also just when it gets a job: the next one gets that job. One that gave no result died
 * at work, and so did one that left with a job when another had done so a while ago. How,
 * the supervisor says in the log.
 */
static void publisher_ended(struct core *core, int64_t now_ms)
{
	struct publisher *publisher = &core->publisher;
	bool again = now_ms - publisher->left_ms < PUBLISHER_QUIET_MS;

	if (work_in_flight(core) > 0) {
		publisher->left_ms = now_ms;
		if (publisher->said_nothing || again) {
			publisher_fail(core, now_ms, "died at work");
			return;
		}
	}
	publisher_close(core);
	publisher->state = PUBLISHER_IDLE;
	work_lost(core, now_ms);
}

void publisher_hurry(struct core *core, int64_t now_ms)
{
	struct publisher *publisher = &core->publisher;

	if (publisher->state == PUBLISHER_FAILED)
		publisher->retry_ms = MIN(publisher->retry_ms,
					  MAX(now_ms, publisher->failed_ms +
						      PUBLISHER_HURRY_MS));
}

void publisher_address_changed(struct core *core, int64_t now_ms)
{
	publisher_hurry(core, now_ms);
	if (core->publisher.channel < 0 || !schedule_is_outdated(core->schedule))
		return;
	publisher_close(core);
	core->publisher.state = PUBLISHER_IDLE;
	work_lost(core, now_ms);
}

/* --- results --- */

static void publisher_result(struct core *core, const struct message_result *result,
			     int64_t now_ms)
{
	struct publisher *publisher = &core->publisher;

	if (publisher->ailing && fault_goes(&publisher->fault))
		log_notice("publisher: works again");
	publisher->said_nothing = publisher->ailing = false;
	publisher->owed--;
	publisher->worked_ms = now_ms;
	answers_take(core, result, now_ms);
}

void publisher_readable(struct core *core, int64_t now_ms)
{
	struct publisher *publisher = &core->publisher;
	struct message_result result;
	ssize_t got;

	if (publisher->full) {
		publisher->full = false;
		publisher_watch(core);
	}
	for (int i = 0; i < PUBLISHER_READS && publisher->channel >= 0; i++) {
		got = channel_receive(publisher->channel, &result, sizeof(result), NULL);
		if (got == -EAGAIN)
			return;
		if (got > 0 && message_result_ok(&result, (size_t)got) &&
		    publisher->owed > 0 && work_may_answer(core, &result))
			publisher_result(core, &result, now_ms);
		else if (got == 0 || got == -EPIPE)
			publisher_ended(core, now_ms);
		else
			publisher_fail(core, now_ms,
				       "said what it must not; it is ended");
	}
}

/* --- jobs --- */

/* Settings that fit in no packet: the records learn it like any other failure. */
static void publisher_refuse(struct core *core, const struct schedule_job *job,
			     int64_t now_ms)
{
	for (size_t i = 0; i < job->count; i++) {
		struct message_result result = {
			.head = { MESSAGE_RESULT, job->number },
			.record = job->records[i].record,
			.verdict = MESSAGE_TRANSIENT,
			.text = "the provider's settings are too large",
		};

		answers_take(core, &result, now_ms);
	}
}

/*
 * Sends the packet and frees it; `result` is how its making went. False: no more just
 * now.
 */
static bool publisher_send(struct core *core, uint32_t number, struct message_job *packet,
			   int result, int64_t now_ms)
{
	struct publisher *publisher = &core->publisher;
	size_t records = 0;

	if (result == 0) {
		records = packet->record_count;
		result = channel_send(publisher->channel, packet,
				      message_job_bytes(packet), -1);
		job_free(packet);
	}
	if (result == 0) {
		publisher->owed += records;
		return true;
	}
	work_unsent(core, number, now_ms);
	if (result == -EAGAIN) {
		publisher->full = true;
		publisher_watch(core);
	} else {
		publisher_fail(core, now_ms, strerror(-result));
	}
	return false;
}

/* False: no more just now. */
static bool publisher_give(struct core *core, const struct schedule_job *job,
			   int64_t now_ms)
{
	struct message_job *packet;
	int result = job_pack(core, job, &packet);

	if (result == -E2BIG) {
		publisher_refuse(core, job, now_ms);
		return true;
	}
	return publisher_send(core, job->number, packet, result, now_ms);
}

static bool publisher_give_names(struct core *core, const struct names_job *job,
				 int64_t now_ms)
{
	struct message_job *packet;
	int result = job_pack_names(job, &packet);

	return publisher_send(core, job->number, packet, result, now_ms);
}

static void publisher_feed_names(struct core *core, int64_t now_ms)
{
	struct names_job job;

	while (!core->publisher.full && core->publisher.channel >= 0 &&
	       names_next(&core->names, now_ms, &job))
		if (!publisher_give_names(core, &job, now_ms))
			return;
}

static void publisher_feed_discover(struct core *core, int64_t now_ms)
{
	struct message_job *packet;
	struct discover_job job;

	while (!core->publisher.full && core->publisher.channel >= 0 &&
	       discover_next(core, now_ms, &job)) {
		int result = job_pack_discover(core, &job, &packet);

		if (!publisher_send(core, job.number, packet, result, now_ms))
			return;
	}
}

static void publisher_feed(struct core *core, int64_t now_ms)
{
	struct schedule_job job;

	while (!core->publisher.full && core->publisher.channel >= 0 &&
	       schedule_next(core->schedule, now_ms, &job)) {
		if (core->dry_run && !dry_run_lets_pass(core, &job, now_ms))
			continue;
		/* The intent is on disk before the request is out. */
		if (job.kind == MESSAGE_UPDATE_RECORDS &&
		    !schedule_is_noted(core->schedule, &job))
			state_save(core, now_ms);
		if (!publisher_give(core, &job, now_ms))
			return;
	}
}

void publisher_settings_gone(struct core *core)
{
	core->publisher.knows_former = true;
}

/*
 * It began with another resolv.conf, which it cannot read again, or with other settings:
 * it gets no more jobs, and is let go when those in flight are answered.
 */
static bool publisher_is_outdated(const struct core *core)
{
	return core->publisher.state == PUBLISHER_RUNNING &&
	       (core->publisher.knows_former ||
		core->publisher.resolver != core->resolver.generation);
}

static int64_t publisher_rests_ms(const struct core *core)
{
	if (work_in_flight(core) > 0)
		return INT64_MAX;
	return core->publisher.worked_ms + PUBLISHER_REST_MS;
}

void publisher_turn(struct core *core, int64_t now_ms)
{
	struct publisher *publisher = &core->publisher;
	bool has_work = work_due_ms(core, now_ms) <= now_ms;

	if (publisher->state == PUBLISHER_RUNNING && work_is_overdue(core, now_ms))
		publisher_fail(core, now_ms, "does not answer; it is ended");
	if (has_work && publisher->state == PUBLISHER_RUNNING)
		resolver_look(core, now_ms);
	if (publisher_is_outdated(core)) {
		if (work_in_flight(core) > 0)
			return;
		publisher_close(core);
		publisher->state = PUBLISHER_IDLE;
	}
	if (publisher->state == PUBLISHER_RUNNING && !has_work &&
	    now_ms >= publisher_rests_ms(core)) {
		publisher_close(core);
		publisher->state = PUBLISHER_IDLE;
	}
	if (publisher->state == PUBLISHER_RUNNING && !pause_is_on(core)) {
		publisher_feed_discover(core, now_ms);
		publisher_feed(core, now_ms);
		publisher_feed_names(core, now_ms);
		return;
	}
	if (publisher->state == PUBLISHER_ASKED && now_ms >= publisher->retry_ms)
		publisher_fail(core, now_ms, "does not start");
	if (publisher->state == PUBLISHER_FAILED && now_ms >= publisher->retry_ms)
		publisher->state = PUBLISHER_IDLE;
	if (publisher->state == PUBLISHER_IDLE && has_work)
		publisher_ask(core, now_ms);
}

int64_t publisher_due_ms(const struct core *core, int64_t now_ms)
{
	const struct publisher *publisher = &core->publisher;
	int64_t work_ms = work_due_ms(core, now_ms);

	switch (publisher->state) {
	case PUBLISHER_ASKED:
		return publisher->retry_ms;
	case PUBLISHER_FAILED:
		return work_ms > publisher->retry_ms ? work_ms : publisher->retry_ms;
	case PUBLISHER_RUNNING:
		if (publisher_is_outdated(core) &&
		    work_in_flight(core) > 0)
			return INT64_MAX;
		return publisher->full ? INT64_MAX :
					 MIN(work_ms, publisher_rests_ms(core));
	case PUBLISHER_IDLE:
		break;
	}
	return work_ms;
}

const char *publisher_state_name(const struct publisher *publisher)
{
	if (publisher->state == PUBLISHER_FAILED)
		return "failed";
	return publisher->state == PUBLISHER_RUNNING ? "running" : "idle";
}
