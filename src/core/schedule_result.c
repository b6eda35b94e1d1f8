/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What came of the jobs. */
#include <stdlib.h>
#include <string.h>

#include "hairpin/order.h"

#include "schedule_parts.h"

/* The time and the dice of one answer. */
struct moment {
	int64_t now_ms, wall_s;
	uint32_t random;
};

/* --- jobs that end without answers --- */

void schedule_job_drop(struct schedule *schedule, struct job *job,
		       void (*gone)(struct record *, uint32_t, int64_t), int64_t now_ms)
{
	for (size_t i = 0; i < job->count; i++) {
		const struct job_record *which = &job->records[i];

		if (!which->done && !which->passenger && which->index >= 0)
			gone(&schedule->records[which->index].record, job->number,
			     now_ms);
	}
	if (job->circuit >= 0)
		circuit_end(&schedule->circuits[job->circuit]);
	*job = (struct job){ 0 };
}

void schedule_unsent(struct schedule *schedule, uint32_t number, int64_t now_ms)
{
	struct job *job = number ? schedule_job_find(schedule, number) : NULL;

	if (!job)
		return;
	if (job->circuit >= 0)
		circuit_uncount(&schedule->circuits[job->circuit], job->started_ms);
	schedule_job_drop(schedule, job, record_unsent, now_ms);
}

void schedule_publisher_gone(struct schedule *schedule, int64_t now_ms)
{
	schedule->idle_asked_ms = INT64_MIN;	/* with it went what it knew of zones */
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (schedule->jobs[i].number != 0)
			schedule_job_drop(schedule, &schedule->jobs[i], record_lost,
					  now_ms);
}

static bool is_outdated(const struct schedule *schedule, const struct job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		const struct record *record;

		if (job->records[i].index < 0)
			continue;
		record = &schedule->records[job->records[i].index].record;
		if (record->busy == RECORD_NEED_UPDATE && record->job == job->number &&
		    !addr_equal(&record->sent, &record->wanted))
			return true;
	}
	return false;
}

bool schedule_is_outdated(const struct schedule *schedule)
{
	for (size_t i = 0; i < JOBS_MAX; i++)
		if (schedule->jobs[i].number != 0 &&
		    is_outdated(schedule, &schedule->jobs[i]))
			return true;
	return false;
}

/* --- all answers of a job are there --- */

/* The records of a name stand side by side. */
unsigned schedule_count_names(const struct schedule *schedule, const struct job *job)
{
	const char *last = NULL;
	unsigned count = 0;

	for (size_t i = 0; i < job->count; i++) {
		int index = job->records[i].index;
		const char *name = index < 0 ? NULL : schedule->records[index].hostname;

		count += !name || name != last;
		last = name;
	}
	return count;
}

/* "numhost": halves, and if that was still too many, names alone. */
static void split(struct schedule *schedule, const struct job *job)
{
	struct entry *entry = &schedule->entries[job->entry];
	unsigned half = (schedule_count_names(schedule, job) + 1) / 2;

	if (entry->batch > half)
		entry->batch = entry->was_split ? 1 : half;
	entry->was_split = true;
}

/* The missing name is found, and goes no more: the others may go together again. */
static void unsplit(struct schedule *schedule, size_t index)
{
	size_t provider = schedule->records[index].provider;
	struct entry *entry = &schedule->entries[provider];

	entry->batch = schedule_batch_names(&schedule->config->providers[provider]);
	entry->was_split = false;
}

static void finish(struct schedule *schedule, struct job *job,
		   const struct moment *moment)
{
	int circuit = job->circuit;

	if (job->split && job->entry >= 0)
		split(schedule, job);
	if (circuit >= 0 && !job->answered && job->verdict)
		circuit_fail(&schedule->circuits[circuit], job->verdict,
			     job->retry_after_s, job->started_ms, moment->now_ms,
			     moment->wall_s, moment->random);
	else if (circuit >= 0)
		circuit_close(&schedule->circuits[circuit]);
	*job = (struct job){ 0 };
}

/* --- one answer --- */

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Entries of one type at one server, where we go by the same name. */
static bool is_same_agent(const struct schedule *schedule, size_t entry, size_t other)
{
	const struct circuit *a = &schedule->circuits[schedule->entries[entry].circuit];
	const struct circuit *b = &schedule->circuits[schedule->entries[other].circuit];
	const struct config_provider *providers = schedule->config->providers;

	return a->host == b->host &&
	       same_text(providers[entry].user_agent, providers[other].user_agent);
}

/* BADAUTH is for the account, which is an entry; BADAGENT for us, whoever asks. */
static bool is_refused_too(const struct schedule *schedule, size_t entry, size_t other,
			   enum message_verdict verdict)
{
	return entry == other ||
	       (verdict == MESSAGE_BADAGENT && is_same_agent(schedule, entry, other));
}

static size_t refuse_others(struct schedule *schedule, size_t index,
			    const struct message_result *result)
{
	size_t count = 0, entry = schedule->records[index].provider;

	for (size_t i = 0; i < schedule->count; i++) {
		struct record *record = &schedule->records[i].record;

		if (i == index || record->refusal ||
		    !is_refused_too(schedule, entry, schedule->records[i].provider,
				    result->verdict))
			continue;
		record_refuse(record, result->verdict, result->text);
		count++;
	}
	return count;
}

static void note_outage(struct job *job, const struct message_result *result)
{
	if (!record_is_outage(result->verdict)) {
		job->answered = true;
		return;
	}
	job->verdict = MAX(job->verdict, result->verdict);
	job->retry_after_s = MAX(job->retry_after_s, result->retry_after_s);
}

static void answer_update(struct schedule *schedule, struct job *job, size_t index,
			  const struct message_result *result,
			  const struct moment *moment, struct schedule_report *report)
{
	struct record *record = &schedule->records[index].record;
	bool outlived = record->outlived;

	if (result->verdict == MESSAGE_SPLIT && schedule_count_names(schedule, job) > 1) {
		/* it says nothing about any of the names */
		job->answered = job->split = true;
		record_unsent(record, job->number, moment->now_ms);
		return;
	}
	report->event = record_answer(record, result, moment->now_ms, moment->wall_s,
				      moment->random);
	if (result->verdict == MESSAGE_NOHOST && !outlived)
		unsplit(schedule, index);
	if (record_is_account_wide(result->verdict) && !outlived)
		report->also_disabled = refuse_others(schedule, index, result);
}

static void answer_passenger(struct schedule *schedule, size_t index,
			     const struct message_result *result,
			     const struct moment *moment)
{
	bool good = result->verdict == MESSAGE_GOOD ||
		    result->verdict == MESSAGE_UNCHANGED;

	if (good)
		record_confirmed(&schedule->records[index].record, moment->now_ms);
}

static const struct job *job_in_flight(const struct schedule *schedule, uint32_t number)
{
	for (size_t i = 0; number && i < JOBS_MAX; i++)
		if (schedule->jobs[i].number == number)
			return &schedule->jobs[i];
	return NULL;
}

/* Its place in the job; -1: it is none of the job's, or has its answer. */
static int find_waiting(const struct job *job, uint32_t wire)
{
	for (size_t i = 0; i < job->count; i++)
		if (job->records[i].wire == wire && !job->records[i].done)
			return (int)i;
	return -1;
}

/* Only an update's answer may speak of both families: the provider's words. */
static bool families_fit(const struct schedule *schedule, const struct job *job,
			 const struct job_record *which,
			 const struct message_result *result)
{
	if (job->need == RECORD_NEED_UPDATE || which->index < 0)
		return true;
	for (uint32_t i = 0; i < result->address_count; i++)
		if (result->addresses[i].family !=
		    schedule->records[which->index].family)
			return false;
	return true;
}

bool schedule_may_answer(const struct schedule *schedule,
			 const struct message_result *result)
{
	const struct job *job = job_in_flight(schedule, result->head.number);

	int at;

	if (!job)
		return true;
	at = find_waiting(job, result->record);
	return at >= 0 && record_takes_verdict(job->need, result->verdict) &&
	       families_fit(schedule, job, &job->records[at], result);
}

struct schedule_report schedule_answer(struct schedule *schedule,
				       const struct message_result *result,
				       int64_t now_ms, int64_t wall_s, uint32_t random)
{
	const struct moment moment = { now_ms, wall_s, random };
	uint32_t number = result->head.number;
	struct job *job = number ? schedule_job_find(schedule, number) : NULL;
	struct schedule_report report = { .record = SCHEDULE_NO_RECORD };
	struct job_record *which;

	if (!job || !schedule_may_answer(schedule, result))
		return report;
	which = &job->records[find_waiting(job, result->record)];
	which->done = true;
	job->left--;
	report.record = which->index;
	if (job->need == RECORD_NEED_UPDATE)
		note_outage(job, result);
	if (which->index >= 0 && which->passenger)
		answer_passenger(schedule, (size_t)which->index, result, &moment);
	else if (which->index >= 0 && job->need == RECORD_NEED_UPDATE)
		answer_update(schedule, job, (size_t)which->index, result, &moment,
			      &report);
	else if (which->index >= 0)
		report.event = record_answer(&schedule->records[which->index].record,
					     result, now_ms, wall_s, random);
	if (job->left == 0)
		finish(schedule, job, &moment);
	return report;
}
