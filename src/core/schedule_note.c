/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the state file is told of the records, and what it knows by now. */
#include "schedule_parts.h"

bool schedule_is_dirty(const struct schedule *schedule)
{
	for (size_t i = 0; i < schedule->count; i++)
		if (schedule->records[i].record.dirty)
			return true;
	return false;
}

/* While the circuit is open only one goes, and that is under way already. */
static bool goes_soon(const struct schedule *schedule, size_t index, int64_t now_ms)
{
	return schedule_is_due(schedule, index, now_ms) &&
	       !circuit_is_open(schedule_circuit(schedule, index));
}

void schedule_save(const struct schedule *schedule, size_t index, int64_t now_ms,
		   int64_t wall_s, struct record_saved *ret_saved)
{
	struct record record = schedule->records[index].record;

	if (goes_soon(schedule, index, now_ms))
		record_intend(&record);
	record_save(&record, now_ms, wall_s, ret_saved);
}

void schedule_set_clean(struct schedule *schedule, int64_t now_ms)
{
	for (size_t i = 0; i < schedule->count; i++) {
		struct schedule_record *slot = &schedule->records[i];
		const struct record *record = &slot->record;

		slot->record.dirty = false;
		if (record->busy == RECORD_NEED_UPDATE)
			slot->noted = record->sent;
		else if (goes_soon(schedule, i, now_ms))
			slot->noted = record->wanted;
		else
			slot->noted = (struct addr){ 0 };
	}
}

bool schedule_is_noted(const struct schedule *schedule, const struct schedule_job *job)
{
	for (size_t i = 0; i < job->count; i++) {
		const struct schedule_record *slot =
			&schedule->records[job->records[i].record];

		if (slot->record.busy == RECORD_NEED_UPDATE &&
		    !addr_equal(&slot->noted, &slot->record.sent))
			return false;
	}
	return true;
}
