/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What would become of a record, and why it is not what it should be. */
#include "schedule_parts.h"

#include "hairpin/text.h"

static const char *reason_of(const struct schedule *schedule, size_t index,
			     const struct schedule_record *slot)
{
	const struct record *record = &slot->record;

	if (!addr_is_none(&slot->suffix) && addr_is_none(&record->wanted))
		return "no delegated IPv6 prefix for the host's address";
	if (record->reason[0])
		return record->reason;
	if (record->state != RECORD_STALE && record->state != RECORD_VERIFYING)
		return "";
	if (!schedule->has_route[slot->wan])
		return "no default route by the WAN's link";
	if (circuit_is_open(schedule_circuit(schedule, index)))
		return "the provider's server failed; it is tried again later";
	return record->must_look ? "DNS is looked at first" : "";
}

const char *schedule_reason(const struct schedule *schedule, size_t index)
{
	return reason_of(schedule, index, &schedule->records[index]);
}

static enum schedule_action action_of(const struct schedule *schedule,
				      const struct schedule_record *slot)
{
	const struct record *record = &slot->record;

	switch (record->state) {
	case RECORD_CURRENT:
	case RECORD_VERIFYING:
		return SCHEDULE_NONE;
	case RECORD_SENDING:
		return SCHEDULE_UPDATE;
	case RECORD_DISABLED:
		return SCHEDULE_BLOCKED;
	case RECORD_STALE:
	case RECORD_WAITING:
		break;
	}
	/* A wait after a failure is cut short when the user asks; others are not. */
	if (record->state == RECORD_WAITING && record->wait != RECORD_WAIT_RETRY)
		return SCHEDULE_BLOCKED;
	return schedule->has_route[slot->wan] ? SCHEDULE_UPDATE : SCHEDULE_BLOCKED;
}

void schedule_plan(const struct schedule *schedule, size_t index,
		   const struct addr *address, int64_t now_ms,
		   struct schedule_forecast *ret_forecast)
{
	/* A copy is free to change: what it points to is not touched. */
	struct schedule_record slot = schedule->records[index];
	struct addr wanted;

	if (address) {
		wanted = schedule_address_of(schedule, &slot, address);
		record_want(&slot.record, &wanted, now_ms);
	}
	ret_forecast->wanted = slot.record.wanted;
	ret_forecast->action = action_of(schedule, &slot);
	(void)text_copy(ret_forecast->reason, sizeof(ret_forecast->reason),
			reason_of(schedule, index, &slot));
}
