/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks at records that are settled: nothing waits for them, so they keep to a budget of
 * DNS questions. Up to 10 records it is 60 an hour, above that 6 a minute in the mean (a
 * job of one question more where a zone is looked for); `check_every` is the wish, which
 * is stretched only where the budget demands it.
 *
 * What a look costs: one question for each name, and three for the zone (which servers it
 * has, asked for the name and for its parent, and the address of one of them) unless the
 * publisher knows them still: it forgets them after five minutes, and with its end, after
 * an idle one. Names with the same parent are taken to be of one zone, others to be of
 * different ones, so that the cost is never put too low. The servers the user names need
 * no zone.
 */
#include <stdlib.h>
#include <string.h>

#include "hairpin/order.h"

#include "late.h"
#include "schedule_parts.h"

enum {
	FEW_RECORDS = 10,
	FEW_PER_HOUR = 60,
	MANY_QUESTIONS = 3,		/* in one job: half of a minute's 6 */
	MANY_QUESTION_MS = 10500,
	ZONE_QUESTIONS = 3,
	PUBLISHER_STAYS_MS = 55 * 1000,	/* after a look, for certain */
	ZONES_KEPT_MS = 300 * 1000,
	SLACK_MAX_MS = 60 * 1000,
	HOUR_MS = 3600 * 1000,
};

/* A record whose family has no address on its link is asked for nothing. */
static bool are_few(const struct schedule *schedule)
{
	size_t count = 0;

	for (size_t i = 0; i < schedule->count; i++) {
		const struct record *record = &schedule->records[i].record;

		count += record->rules->check && !addr_is_none(&record->wanted);
	}
	return count <= FEW_RECORDS;
}

static const char *parent_of(const struct schedule_record *slot)
{
	const char *dot = strchr(slot->hostname, '.');

	return dot ? dot : "";
}

/* The zones' servers are forgotten by now, all of them or the oldest. */
static bool zones_are_over(const struct schedule *schedule, int64_t now_ms)
{
	return schedule->idle_asked_ms == INT64_MIN ||
	       now_ms - schedule->idle_asked_ms >= PUBLISHER_STAYS_MS ||
	       now_ms - schedule->idle_zones_ms >= ZONES_KEPT_MS;
}

static unsigned count_questions(const struct schedule *schedule, size_t index)
{
	const char *parent = parent_of(&schedule->records[index]);

	if (schedule->config->dns.server_count > 0)
		return 1;
	for (size_t i = 0; i < schedule->count; i++) {
		const struct schedule_record *slot = &schedule->records[i];

		if (slot->record.looked_ms >= schedule->idle_zones_ms &&
		    strcmp(parent_of(slot), parent) == 0)
			return 1;
	}
	return 1 + ZONE_QUESTIONS;
}

/* How long the next idle look waits: so many of these an hour are within the budget. */
static int64_t wait_ms(unsigned questions, bool few)
{
	if (!few)
		return (int64_t)questions * MANY_QUESTION_MS;
	return HOUR_MS / (questions < FEW_PER_HOUR ? FEW_PER_HOUR / questions : 1) +
	       LATE_MS;
}

bool schedule_pick_idle_look(struct schedule *schedule, int64_t now_ms,
			     struct schedule_job *ret_job)
{
	int64_t slack_ms = MIN(schedule->config->dns.check_every_ms / 10, SLACK_MAX_MS);
	int lead = SCHEDULE_NO_RECORD, wan;
	bool few = are_few(schedule);
	unsigned questions = 0;
	struct job *job;

	if (now_ms >= schedule->idle_ms)
		lead = schedule_find_look(schedule, RECORD_NEED_IDLE_LOOK, -1, now_ms);
	if (lead < 0)
		return false;
	if (zones_are_over(schedule, now_ms))
		schedule->idle_zones_ms = now_ms;
	wan = (int)schedule->records[lead].wan;
	job = schedule_job_begin(schedule, RECORD_NEED_IDLE_LOOK, (size_t)lead, now_ms,
				 ret_job);
	while (lead >= 0 && (few || questions < MANY_QUESTIONS)) {
		questions += count_questions(schedule, (size_t)lead);
		schedule_job_add(schedule, job, ret_job, (size_t)lead, now_ms);
		lead = schedule_find_look(schedule, RECORD_NEED_IDLE_LOOK, wan,
					  now_ms + slack_ms);
	}
	job->left = job->count;
	schedule->idle_asked_ms = now_ms;
	schedule->idle_ms = now_ms + wait_ms(questions, few);
	return true;
}
