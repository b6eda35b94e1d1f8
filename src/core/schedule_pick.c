/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which job is next, and when. */
#include <stdlib.h>

#include "hairpin/order.h"

#include "schedule_parts.h"

/* --- jobs in flight --- */

struct job *schedule_job_find(struct schedule *schedule, uint32_t number)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (schedule->jobs[i].number == number)
			return &schedule->jobs[i];
	return NULL;
}

size_t schedule_in_flight(const struct schedule *schedule)
{
	size_t count = 0;

	for (size_t i = 0; i < JOBS_MAX; i++)
		count += schedule->jobs[i].number != 0;
	return count;
}

static size_t looks_in_flight(const struct schedule *schedule)
{
	size_t count = 0;

	for (size_t i = 0; i < JOBS_MAX; i++)
		count += schedule->jobs[i].number != 0 &&
			 schedule->jobs[i].need != RECORD_NEED_UPDATE;
	return count;
}

static void set_time(struct job *job, struct schedule_job *out, int64_t job_ms)
{
	job->deadline_ms = job->started_ms + job_ms + JOB_SLACK_MS;
	out->timeout_ms = (uint32_t)job_ms;
}

/* Each record may be a request, after looks that they share; one that hangs ends all. */
static void set_update_time(struct job *job, struct schedule_job *out)
{
	int64_t request_ms = out->request_ms;

	set_time(job, out, MAX(request_ms, MIN((3 + (int64_t)job->count) * request_ms,
					       UPDATE_TIMEOUT_MS)));
}

struct job *schedule_job_begin(struct schedule *schedule, enum record_need need,
			       size_t lead, int64_t now_ms,
			       struct schedule_job *ret_job)
{
	const struct schedule_record *slot = &schedule->records[lead];
	const struct config_provider *provider =
		&schedule->config->providers[slot->provider];
	int64_t request_ms = provider->timeout_ms > 0 ? provider->timeout_ms
						      : REQUEST_TIMEOUT_MS;
	struct job *job = schedule_job_find(schedule, 0);

	if (++schedule->last_number == 0)
		schedule->last_number = 1;
	*job = (struct job){
		.number = schedule->last_number, .need = need, .circuit = -1,
		.entry = (int)slot->provider, .started_ms = now_ms,
	};
	*ret_job = (struct schedule_job){
		.number = job->number, .provider = slot->provider, .wan = slot->wan,
		.request_ms = need == RECORD_NEED_UPDATE ? (uint32_t)request_ms : 0,
		.kind = need == RECORD_NEED_UPDATE ? MESSAGE_UPDATE_RECORDS :
			need == RECORD_NEED_VERIFY ? MESSAGE_VERIFY : MESSAGE_CHECK,
	};
	set_time(job, ret_job, LOOK_TIMEOUT_MS);
	return job;
}

void schedule_job_add(struct schedule *schedule, struct job *job,
		      struct schedule_job *out, size_t index, int64_t now_ms)
{
	struct record *record = &schedule->records[index].record;

	record_start(record, job->need, job->number, now_ms);
	job->records[job->count++] = (struct job_record){
		.wire = (uint32_t)index, .index = (int)index,
	};
	out->records[out->count].record = (uint32_t)index;
	out->records[out->count++].address = record->wanted;
}

/* --- updates --- */

bool schedule_is_due(const struct schedule *schedule, size_t index, int64_t now_ms)
{
	const struct schedule_record *slot = &schedule->records[index];
	int64_t at;

	return schedule->has_route[slot->wan] &&
	       record_need(&slot->record, &at) == RECORD_NEED_UPDATE && at <= now_ms;
}

/* When the looks are over for whose answers a job of several names had better wait. */
static int64_t together_ms(const struct schedule *schedule, size_t index)
{
	size_t provider = schedule->records[index].provider;
	int64_t at = INT64_MIN;

	if (schedule->entries[provider].batch <= 1)
		return at;
	for (size_t i = 0; i < JOBS_MAX; i++) {
		const struct job *job = &schedule->jobs[i];

		if (job->number == 0 || job->need != RECORD_NEED_LOOK)
			continue;
		for (size_t k = 0; k < job->count; k++)
			if (!job->records[k].done && job->records[k].index >= 0 &&
			    schedule->records[job->records[k].index].provider == provider)
				at = MAX(at, job->started_ms + LOOK_TOGETHER_MS);
	}
	return at;
}

int64_t schedule_update_ms(const struct schedule *schedule, size_t index, int64_t now_ms)
{
	const struct schedule_record *slot = &schedule->records[index];
	int64_t at, gate;
	int passenger;

	if (record_need(&slot->record, &at) != RECORD_NEED_UPDATE || at == INT64_MAX ||
	    !schedule->has_route[slot->wan])
		return INT64_MAX;
	passenger = schedule_passenger(schedule, index);
	if (passenger >= 0 && schedule->records[passenger].record.state == RECORD_SENDING)
		return INT64_MAX;
	gate = circuit_gate_ms(schedule_circuit(schedule, index),
			       record_is_pass(&slot->record), now_ms);
	return MAX(MAX(at, gate), together_ms(schedule, index));
}

/*
 * The due record that has failed least: one that always fails must not hold up the
 * others.
 */
static int find_update(const struct schedule *schedule, int64_t now_ms)
{
	int best = SCHEDULE_NO_RECORD;

	for (size_t i = 0; i < schedule->count; i++) {
		if (best >= 0 && schedule->records[i].record.attempts >=
				 schedule->records[best].record.attempts)
			continue;
		if (schedule_update_ms(schedule, i, now_ms) <= now_ms)
			best = (int)i;
	}
	return best;
}

static bool pick_update(struct schedule *schedule, int64_t now_ms,
			struct schedule_job *ret_job)
{
	int lead = find_update(schedule, now_ms);
	struct job *job;

	if (lead < 0)
		return false;
	job = schedule_job_begin(schedule, RECORD_NEED_UPDATE, (size_t)lead, now_ms,
				 ret_job);
	job->circuit = (int)schedule->entries[job->entry].circuit;
	schedule_batch(schedule, (size_t)lead, now_ms, job, ret_job);
	circuit_start(&schedule->circuits[job->circuit],
		      schedule_count_names(schedule, job), now_ms);
	set_update_time(job, ret_job);
	job->left = job->count;
	return true;
}

/* --- looks at DNS and verifications --- */

/* When the record wants this kind of look; INT64_MAX: not at all. */
static int64_t look_ms(const struct schedule *schedule, size_t index,
		       enum record_need need)
{
	const struct schedule_record *slot = &schedule->records[index];
	int64_t at;

	if (record_need(&slot->record, &at) != need || !schedule->has_route[slot->wan])
		return INT64_MAX;
	return at;
}

int schedule_find_look(const struct schedule *schedule, enum record_need need, int wan,
		       int64_t by_ms)
{
	int first = SCHEDULE_NO_RECORD;
	int64_t first_ms = by_ms;

	for (size_t i = 0; i < schedule->count; i++) {
		int64_t at = look_ms(schedule, i, need);

		if (at > by_ms || (first >= 0 && at >= first_ms))
			continue;
		if (wan >= 0 && schedule->records[i].wan != (size_t)wan)
			continue;
		first = (int)i;
		first_ms = at;
	}
	return first;
}

/* One job for the records of one WAN that are due. */
static bool pick_look(struct schedule *schedule, enum record_need need, int64_t now_ms,
		      struct schedule_job *ret_job)
{
	int lead = schedule_find_look(schedule, need, -1, now_ms), wan;
	struct job *job;

	if (lead < 0)
		return false;
	wan = (int)schedule->records[lead].wan;
	job = schedule_job_begin(schedule, need, (size_t)lead, now_ms, ret_job);
	while (lead >= 0 && job->count < MESSAGE_RECORDS_MAX) {
		schedule_job_add(schedule, job, ret_job, (size_t)lead, now_ms);
		lead = schedule_find_look(schedule, need, wan, now_ms);
	}
	job->left = job->count;
	return true;
}

/* --- next --- */

static void expire(struct schedule *schedule, int64_t now_ms)
{
	for (size_t i = 0; i < JOBS_MAX; i++) {
		struct job *job = &schedule->jobs[i];

		if (job->number != 0 && job->deadline_ms <= now_ms)
			schedule_job_drop(schedule, job, record_lost, now_ms);
	}
}

bool schedule_is_overdue(const struct schedule *schedule, int64_t now_ms)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (schedule->jobs[i].number != 0 &&
		    schedule->jobs[i].deadline_ms <= now_ms)
			return true;
	return false;
}

bool schedule_next(struct schedule *schedule, int64_t now_ms,
		   struct schedule_job *ret_job)
{
	expire(schedule, now_ms);
	if (schedule_in_flight(schedule) == JOBS_MAX)
		return false;
	if (pick_update(schedule, now_ms, ret_job))
		return true;
	if (looks_in_flight(schedule) >= LOOKS_MAX)
		return false;
	return pick_look(schedule, RECORD_NEED_LOOK, now_ms, ret_job) ||
	       pick_look(schedule, RECORD_NEED_VERIFY, now_ms, ret_job) ||
	       schedule_pick_idle_look(schedule, now_ms, ret_job);
}

static int64_t record_due_ms(const struct schedule *schedule, size_t index, bool looks,
			     int64_t now_ms)
{
	const struct schedule_record *slot = &schedule->records[index];
	int64_t at;
	enum record_need need = record_need(&slot->record, &at);

	if (need == RECORD_NEED_UPDATE)
		return schedule_update_ms(schedule, index, now_ms);
	if (need == RECORD_NEED_NOTHING || !looks || !schedule->has_route[slot->wan])
		return INT64_MAX;
	return need == RECORD_NEED_IDLE_LOOK ? MAX(at, schedule->idle_ms) : at;
}

int64_t schedule_due_ms(const struct schedule *schedule, int64_t now_ms)
{
	bool looks = looks_in_flight(schedule) < LOOKS_MAX;
	int64_t due_ms = INT64_MAX;

	for (size_t i = 0; i < JOBS_MAX; i++)
		if (schedule->jobs[i].number != 0)
			due_ms = MIN(due_ms, schedule->jobs[i].deadline_ms);
	if (schedule_in_flight(schedule) == JOBS_MAX)
		return due_ms;
	for (size_t i = 0; i < schedule->count; i++)
		due_ms = MIN(due_ms, record_due_ms(schedule, i, looks, now_ms));
	return due_ms;
}
