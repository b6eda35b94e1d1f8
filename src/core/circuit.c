/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "circuit.h"

#include <string.h>

#include "hairpin/order.h"
#include "hairpin/record.h"

#include "late.h"

#define NEVER INT64_MIN

enum {
	MINUTE_MS = 60 * 1000,
	HOUR_MS = 3600 * 1000,
};

void circuit_init(struct circuit *circuit)
{
	circuit->parallel = MAX(circuit->parallel, 1);
	circuit->next_ms = circuit->tried_ms = NEVER;
	circuit->failed_ms = circuit->released_ms = NEVER;
	for (size_t i = 0; i < CIRCUIT_MINUTE_SLOTS; i++)
		circuit->minute[i].at_ms = NEVER;
}

bool circuit_is_open(const struct circuit *circuit)
{
	return circuit->failures > 0 || circuit->unconnected > 0;
}

void circuit_adopt(struct circuit *to, const struct circuit *from)
{
	struct circuit kept = *to;

	*to = *from;
	to->parallel = kept.parallel;
	to->per_minute = kept.per_minute;
	to->records = kept.records;
}

/* --- the budget of a day --- */

static unsigned used_today(const struct circuit *circuit, int64_t now_ms)
{
	int64_t hour = now_ms / HOUR_MS;
	unsigned used = 0;

	for (size_t i = 0; i < CIRCUIT_HOURS; i++)
		if (circuit->hours[i].hour > hour - CIRCUIT_HOURS)
			used += circuit->hours[i].count;
	return used;
}

bool circuit_is_remembered(const struct circuit *circuit, int64_t now_ms)
{
	return circuit->in_flight > 0 || circuit->next_ms > now_ms ||
	       used_today(circuit, now_ms) > 0;
}

/* Plenty left: never held up; little: an hour apart; none: not before the next hour. */
static int64_t budget_gate_ms(const struct circuit *circuit, int64_t now_ms)
{
	size_t budget = CIRCUIT_DAY_BASE + CIRCUIT_DAY_PER_RECORD * circuit->records;
	unsigned used = used_today(circuit, now_ms);

	if (used + CIRCUIT_RESERVE < budget || circuit->tried_ms == NEVER)
		return NEVER;
	if (used < budget)
		return circuit->tried_ms + HOUR_MS;
	return (now_ms / HOUR_MS + 1) * HOUR_MS;
}

static void count_hour(struct circuit *circuit, int64_t now_ms)
{
	int64_t hour = now_ms / HOUR_MS;
	size_t at = (size_t)(hour % CIRCUIT_HOURS);

	if (circuit->hours[at].hour != hour) {
		circuit->hours[at].hour = hour;
		circuit->hours[at].count = 0;
	}
	circuit->hours[at].count++;
}

/* --- requests --- */

/* When fewer than the allowed names will have gone in the last minute. */
static int64_t minute_gate_ms(const struct circuit *circuit)
{
	unsigned names = 0;

	for (unsigned i = 1; circuit->per_minute && i <= CIRCUIT_MINUTE_SLOTS; i++) {
		unsigned at = (circuit->minute_at + CIRCUIT_MINUTE_SLOTS - i) %
			      CIRCUIT_MINUTE_SLOTS;

		if (circuit->minute[at].at_ms == NEVER)
			break;
		names += circuit->minute[at].names;
		if (names >= circuit->per_minute)
			return circuit->minute[at].at_ms + MINUTE_MS + LATE_MS;
	}
	return NEVER;
}

/* Where more may go than there are slots, those of one second share one. */
static void count_minute(struct circuit *circuit, unsigned names, int64_t now_ms)
{
	unsigned last = (circuit->minute_at + CIRCUIT_MINUTE_SLOTS - 1) %
			CIRCUIT_MINUTE_SLOTS;

	if (circuit->per_minute > CIRCUIT_MINUTE_SLOTS &&
	    circuit->minute[last].at_ms != NEVER &&
	    now_ms - circuit->minute[last].at_ms < 1000) {
		circuit->minute[last].names += names;
		return;
	}
	circuit->minute[circuit->minute_at].at_ms = now_ms;
	circuit->minute[circuit->minute_at].names = names;
	circuit->minute_at = (circuit->minute_at + 1) % CIRCUIT_MINUTE_SLOTS;
}

int64_t circuit_gate_ms(const struct circuit *circuit, bool pass, int64_t now_ms)
{
	unsigned limit = circuit_is_open(circuit) ? 1 : circuit->parallel;
	int64_t gate = circuit->next_ms;

	if (circuit->in_flight >= limit)
		return INT64_MAX;
	if (!pass)
		gate = MAX(gate, minute_gate_ms(circuit));
	return MAX(gate, budget_gate_ms(circuit, now_ms));
}

void circuit_start(struct circuit *circuit, unsigned names, int64_t now_ms)
{
	circuit->in_flight++;
	circuit->tried_ms = now_ms;
	count_minute(circuit, names, now_ms);
	count_hour(circuit, now_ms);
}

void circuit_end(struct circuit *circuit)
{
	if (circuit->in_flight > 0)
		circuit->in_flight--;
}

void circuit_uncount(struct circuit *circuit, int64_t now_ms)
{
	size_t at = (size_t)(now_ms / HOUR_MS % CIRCUIT_HOURS);

	if (circuit->hours[at].hour == now_ms / HOUR_MS && circuit->hours[at].count > 0)
		circuit->hours[at].count--;
}

void circuit_close(struct circuit *circuit)
{
	circuit_end(circuit);
	circuit->failures = circuit->unconnected = 0;
	circuit->obeys = false;
	circuit->verdict = 0;
	circuit->next_ms = NEVER;
}

/* Failures of one outage that were in flight together are one; the row's length. */
static unsigned count_failure(struct circuit *circuit, enum message_verdict verdict,
			      bool same_outage)
{
	if (verdict == MESSAGE_UNREACHABLE) {
		if (!same_outage)
			circuit->unconnected++;
		return MAX(circuit->unconnected, 1);
	}
	if (!same_outage || circuit->failures == 0)
		circuit->failures++;
	circuit->unconnected = 0;
	return circuit->failures;
}

void circuit_fail(struct circuit *circuit, enum message_verdict verdict,
		  uint32_t retry_after_s, int64_t started_ms, int64_t now_ms,
		  int64_t wall_s, uint32_t random)
{
	bool same_outage = circuit_is_open(circuit) && started_ms <= circuit->failed_ms;
	bool obeys = verdict == MESSAGE_RATE_LIMITED || verdict == MESSAGE_SERVER_ERROR ||
		     retry_after_s > 0;
	unsigned row = count_failure(circuit, verdict, same_outage);
	int64_t until_ms = now_ms + record_backoff_ms(verdict, row, retry_after_s, wall_s,
						      random);

	circuit_end(circuit);
	if (record_never_arrived(verdict))
		circuit_uncount(circuit, started_ms);
	circuit->next_ms = same_outage ? MAX(circuit->next_ms, until_ms) : until_ms;
	circuit->obeys = obeys || (same_outage && circuit->obeys);
	circuit->verdict = verdict;
	circuit->failed_ms = now_ms;
}

void circuit_wait(struct circuit *circuit, uint32_t verdict, unsigned failures,
		  bool obeys, int64_t until_ms)
{
	if (until_ms <= circuit->next_ms)
		return;
	circuit->next_ms = until_ms;
	circuit->verdict = verdict;
	if (verdict == MESSAGE_UNREACHABLE)
		circuit->unconnected = MAX(failures, 1);
	else
		circuit->failures = MAX(failures, 1);
	circuit->obeys = obeys;
}

/* --- what shortens a wait; never what the provider asked for --- */

static void shorten(struct circuit *circuit, int64_t floor_ms, int64_t now_ms)
{
	if (!circuit->obeys)
		circuit->next_ms = MIN(circuit->next_ms, MAX(floor_ms, now_ms));
}

void circuit_network(struct circuit *circuit, int64_t now_ms)
{
	int64_t wait_ms = record_never_arrived(circuit->verdict) ? RECORD_RECONNECT_MS
							  : RECORD_ANSWERED_MS;

	shorten(circuit,
		circuit->tried_ms == NEVER ? now_ms : circuit->tried_ms + wait_ms,
		now_ms);
}

void circuit_clock(struct circuit *circuit, int64_t now_ms)
{
	if (circuit->verdict == MESSAGE_TLS_REFUSED)
		shorten(circuit, now_ms, now_ms);
}

void circuit_ask(struct circuit *circuit, int64_t now_ms)
{
	if (circuit->released_ms != NEVER &&
	    now_ms - circuit->released_ms < RECORD_FORCE_MS)
		return;
	circuit->released_ms = now_ms;
	shorten(circuit, now_ms, now_ms);
}
