/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes into one job: names of one provider entry, where a request takes several that
 * get the same data, or where each has its own and they share look-ups; both families,
 * where they share either and both are due, or where the provider deletes what is not
 * named.
 */
#include <stdlib.h>

#include "schedule_parts.h"

/* What the other family of a name adds to its request. */
enum companion {
	COMPANION_NONE,
	COMPANION_DUE,		/* it needs an update too */
	COMPANION_PASSENGER,	/* it needs none, but must not be deleted */
};

static const struct catalogue_facts *facts_of(const struct schedule *schedule,
					      size_t index)
{
	return &schedule->config->providers[schedule->records[index].provider].facts;
}

/* Do the records of both families go into one job? */
static bool takes_both(const struct catalogue_facts *facts)
{
	return facts->dual || facts->own_addresses;
}

int schedule_passenger(const struct schedule *schedule, size_t index)
{
	const struct catalogue_facts *facts = facts_of(schedule, index);
	int partner = schedule->records[index].partner;
	const struct record *other;

	if (!takes_both(facts) || facts->other_family != CATALOGUE_OTHER_DELETED ||
	    partner < 0)
		return SCHEDULE_NO_RECORD;
	other = &schedule->records[partner].record;
	if (addr_is_none(&other->published) && other->state != RECORD_SENDING)
		return SCHEDULE_NO_RECORD;
	return partner;
}

static enum companion companion_of(const struct schedule *schedule, size_t index,
				   int64_t now_ms, struct addr *ret_address)
{
	int partner = schedule->records[index].partner;

	*ret_address = (struct addr){ 0 };
	if (partner < 0 || !takes_both(facts_of(schedule, index)))
		return COMPANION_NONE;
	if (schedule_is_due(schedule, (size_t)partner, now_ms)) {
		*ret_address = schedule->records[partner].record.wanted;
		return COMPANION_DUE;
	}
	if (schedule_passenger(schedule, index) < 0)
		return COMPANION_NONE;
	*ret_address = schedule->records[partner].record.published;
	return COMPANION_PASSENGER;
}

static void add_passenger(struct job *job, struct schedule_job *out, size_t index,
			  const struct addr *address)
{
	job->records[job->count++] = (struct job_record){
		.wire = (uint32_t)index, .index = (int)index, .passenger = true,
	};
	out->records[out->count].record = (uint32_t)index;
	out->records[out->count++].address = *address;
}

/* One name: the record and what its other family adds. */
static void add_name(struct schedule *schedule, struct job *job, struct schedule_job *out,
		     size_t index, int64_t now_ms)
{
	size_t partner = (size_t)schedule->records[index].partner;
	struct addr address;
	enum companion companion = companion_of(schedule, index, now_ms, &address);

	schedule_job_add(schedule, job, out, index, now_ms);
	if (companion == COMPANION_DUE)
		schedule_job_add(schedule, job, out, partner, now_ms);
	else if (companion == COMPANION_PASSENGER)
		add_passenger(job, out, partner, &address);
}

static bool has_data(const struct schedule *schedule, size_t index, size_t lead,
		     int64_t now_ms, const struct addr *address,
		     const struct addr *companion)
{
	const struct schedule_record *slot = &schedule->records[index];
	struct addr other;

	companion_of(schedule, index, now_ms, &other);
	return slot->family == schedule->records[lead].family &&
	       addr_equal(&slot->record.wanted, address) && addr_equal(&other, companion);
}

/* May this name share a job with `lead`, whose data are given? */
static bool fits(const struct schedule *schedule, size_t index, size_t lead,
		 int64_t now_ms, const struct addr *address, const struct addr *companion)
{
	int passenger;

	if (schedule->records[index].provider != schedule->records[lead].provider ||
	    !schedule_is_due(schedule, index, now_ms))
		return false;
	passenger = schedule_passenger(schedule, index);
	if (passenger >= 0 && schedule->records[passenger].record.state == RECORD_SENDING)
		return false;
	return facts_of(schedule, lead)->own_addresses ||
	       has_data(schedule, index, lead, now_ms, address, companion);
}

void schedule_batch(struct schedule *schedule, size_t lead, int64_t now_ms,
		    struct job *job, struct schedule_job *out)
{
	unsigned limit = schedule->entries[schedule->records[lead].provider].batch,
		 names = 1;
	struct addr address = schedule->records[lead].record.wanted, companion;

	companion_of(schedule, lead, now_ms, &companion);
	add_name(schedule, job, out, lead, now_ms);
	for (size_t i = 0; i < schedule->count && names < limit; i++) {
		if (job->count + 2 > MESSAGE_RECORDS_MAX)
			break;
		if (!fits(schedule, i, lead, now_ms, &address, &companion))
			continue;
		add_name(schedule, job, out, i, now_ms);
		names++;
	}
}
