/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a record needs next, and from when on. */
#include "record_life.h"

#include "hairpin/order.h"

/* --- when an update may go --- */

/*
 * Four updates in any ten minutes, then 30 s, 1, 2, 5, 10 minutes apart until the
 * address has been quiet for ten minutes.
 */
static int64_t burst_gate_ms(const struct record *record)
{
	static const int64_t apart_ms[] = { 30000, 60000, 120000, 300000, 600000 };
	int64_t oldest = record->sent_ms[0], last = record->sent_ms[RECORD_BURST - 1];
	int64_t quiet = record_after_ms(record->changed_ms, RECORD_BURST_MS);

	if (record->ladder > 0)
		return MIN(record_after_ms(last, apart_ms[record->ladder]), quiet);
	if (oldest == RECORD_NEVER)
		return RECORD_NEVER;
	return MIN(oldest + RECORD_BURST_MS, last + apart_ms[0]);
}

static int64_t update_gate_ms(const struct record *record)
{
	int64_t last = record->sent_ms[RECORD_BURST - 1];
	int64_t gate = MAX(record->retry_ms, burst_gate_ms(record));

	gate = MAX(gate, record_after_ms(last, record->rules->min_interval_ms));
	return MAX(gate, record->stands_ms);
}

static int64_t refresh_due_ms(const struct record *record)
{
	if (record->rules->refresh_ms == 0 || record->published_ms == RECORD_NEVER)
		return RECORD_FOREVER;
	return MAX(MAX(record->published_ms + record->rules->refresh_ms,
		       record->refresh_floor_ms), update_gate_ms(record));
}

/* --- what is needed --- */

static enum record_need sooner(const struct record *record, int64_t update_ms,
			       int64_t *ret_ms)
{
	bool looks = record->rules->check && record->busy == RECORD_NEED_NOTHING;

	if (looks && record->look_ms < update_ms) {
		*ret_ms = record->look_ms;
		return record->asked ? RECORD_NEED_LOOK : RECORD_NEED_IDLE_LOOK;
	}
	*ret_ms = update_ms;
	return update_ms == RECORD_FOREVER ? RECORD_NEED_NOTHING : RECORD_NEED_UPDATE;
}

static enum record_need need_update(const struct record *record, int64_t *ret_ms)
{
	if (!record->must_look) {
		*ret_ms = update_gate_ms(record);
		return RECORD_NEED_UPDATE;
	}
	if (record->busy != RECORD_NEED_NOTHING)
		return RECORD_NEED_NOTHING;
	*ret_ms = record->look_ms;
	return RECORD_NEED_LOOK;
}

static enum record_need need_waiting(const struct record *record, int64_t *ret_ms)
{
	int64_t repeat_ms;

	switch (record->wait) {
	case RECORD_WAIT_NONE:
	case RECORD_WAIT_ADDRESS:
		return RECORD_NEED_NOTHING;
	case RECORD_WAIT_RETRY:
	case RECORD_WAIT_OBEY:
		return need_update(record, ret_ms);
	case RECORD_WAIT_INVISIBLE:
		/* said at least for as long as it was waited for */
		repeat_ms = record_after_ms(record->published_ms,
					    MAX(RECORD_REPEAT_MS,
						2 * record_visible_ms(record)));
		return sooner(record, MAX(repeat_ms, update_gate_ms(record)), ret_ms);
	case RECORD_WAIT_FOREIGN:
	case RECORD_WAIT_HELD:
		return sooner(record, RECORD_FOREVER, ret_ms);
	}
	return RECORD_NEED_NOTHING;
}

enum record_need record_need(const struct record *record, int64_t *ret_ms)
{
	*ret_ms = RECORD_FOREVER;
	switch (record->state) {
	case RECORD_CURRENT:
		return sooner(record, refresh_due_ms(record), ret_ms);
	case RECORD_STALE:
		return need_update(record, ret_ms);
	case RECORD_VERIFYING:
		if (record->busy != RECORD_NEED_NOTHING)
			return RECORD_NEED_NOTHING;
		*ret_ms = record->verify_ms;
		return RECORD_NEED_VERIFY;
	case RECORD_WAITING:
		return need_waiting(record, ret_ms);
	case RECORD_SENDING:
	case RECORD_DISABLED:
		break;
	}
	return RECORD_NEED_NOTHING;
}

bool record_is_settled(const struct record *record)
{
	if (record->busy != RECORD_NEED_NOTHING)
		return false;
	switch (record->state) {
	case RECORD_CURRENT:
		return !record->rules->check || record->looked_ms != RECORD_NEVER;
	case RECORD_WAITING:
		return record->wait != RECORD_WAIT_RETRY;
	case RECORD_DISABLED:
		return true;
	case RECORD_STALE:
	case RECORD_SENDING:
	case RECORD_VERIFYING:
		break;
	}
	return false;
}
