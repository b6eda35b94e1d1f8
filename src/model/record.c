/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a record: what is known, the state that follows from it, and when what may
 * be done.
 */
#include "record_life.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/order.h"

/* --- small things --- */

int64_t record_elapsed_ms(int64_t now_ms, int64_t then_ms)
{
	return then_ms == RECORD_NEVER ? RECORD_FOREVER : now_ms - then_ms;
}

int64_t record_after_ms(int64_t then_ms, int64_t wait_ms)
{
	return then_ms == RECORD_NEVER ? RECORD_NEVER : then_ms + wait_ms;
}

void record_say(struct record *record, const char *format, ...)
{
	char text[2 * MESSAGE_TEXT_BYTES];
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	length = strlen(text);
	if (length >= sizeof(record->reason)) {
		length = sizeof(record->reason) - 1;
		while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;	/* not in the middle of a character */
	}
	memcpy(record->reason, text, length);
	record->reason[length] = '\0';
}

const char *record_state_name(enum record_state state)
{
	switch (state) {
	case RECORD_CURRENT: return "current";
	case RECORD_STALE: return "stale";
	case RECORD_SENDING: return "sending";
	case RECORD_VERIFYING: return "verifying";
	case RECORD_WAITING: return "waiting";
	case RECORD_DISABLED: return "disabled";
	}
	return "unknown";
}

bool record_verifies(const struct record *record)
{
	return record->rules->check && record->rules->verify;
}

int64_t record_taken_ms(const struct record *record)
{
	return MAX(record->published_ms, record->unchanged_ms);
}

int64_t record_seen_ms(const struct record *record)
{
	return record->seen_ms;
}

bool record_may_publish(const struct record *record)
{
	if (addr_is_none(&record->wanted))
		return false;
	return record->rules->allow_private || addr_is_global(&record->wanted);
}

int64_t record_visible_ms(const struct record *record)
{
	return MAX(RECORD_VISIBLE_MS, 2 * (int64_t)record->ttl_s * 1000);
}

bool record_is_foreign(const struct record *record)
{
	return !record->in_doubt && addr_equal(&record->sent, &record->wanted) &&
	       !addr_equal(&record->published, &record->wanted);
}

bool record_is_pass(const struct record *record)
{
	return !record->passed && !record->forced;
}

/* --- the state that follows --- */

static bool needs_update(const struct record *record)
{
	return record->forced || record->in_doubt ||
	       !addr_equal(&record->published, &record->wanted);
}

/* Repairs are an hour apart: when the next may go; never: at once. */
static int64_t repair_gate_ms(const struct record *record)
{
	if (record->forced || !record_is_foreign(record))
		return RECORD_NEVER;
	return record_after_ms(record->repaired_ms, RECORD_REPAIR_MS);
}

static void enter(struct record *record, enum record_state state)
{
	record->state = state;
	record->wait = RECORD_WAIT_NONE;
}

static void enter_wait(struct record *record, enum record_wait wait)
{
	record->state = RECORD_WAITING;
	record->wait = wait;
}

static void wait_for_address(struct record *record)
{
	const char *family = record->family == AF_INET6 ? "IPv6" : "IPv4";
	char text[ADDR_TEXT_BYTES];

	enter_wait(record, RECORD_WAIT_ADDRESS);
	if (addr_is_none(&record->wanted))
		record_say(record, "no %s address to publish", family);
	else
		record_say(record, "%s is not published: it is not a global address (%s)",
			   addr_format(&record->wanted, text),
			   addr_class_name(addr_classify(&record->wanted)));
}

static void settle_update(struct record *record, int64_t now_ms)
{
	bool foreign = record_is_foreign(record) && !record->forced;

	if (foreign && record->held) {
		enter_wait(record, RECORD_WAIT_HELD);
		record_say(record,
			   "the provider says unchanged, but DNS holds another address; "
			   "no more updates until the address changes");
	} else if (foreign && record->rules->check &&
		   repair_gate_ms(record) > now_ms) {
		enter_wait(record, RECORD_WAIT_FOREIGN);
		record_say(record,
			   "somebody else changes this record; repaired %u times, "
			   "at most once an hour",
			   record->repairs);
	} else if (record->retry_ms > now_ms) {
		enter_wait(record, record->retry_kind);
		if (!record->reason[0])
			record_say(record, "waiting after the answer \"%s\"",
				   message_verdict_name(record->last_answer));
	} else {
		enter(record, RECORD_STALE);
	}
}

static void settle_published(struct record *record)
{
	if (record->verified || record->verify_over || !record->invisible) {
		bool over = record->verified || record->verify_over ||
			    !record_verifies(record);

		enter(record, over ? RECORD_CURRENT : RECORD_VERIFYING);
		record->reason[0] = '\0';
	} else if (record->held) {
		enter_wait(record, RECORD_WAIT_HELD);
		record_say(record,
			   "the provider says unchanged, but it is not visible in DNS; "
			   "no more updates until the address changes");
	} else {
		enter_wait(record, RECORD_WAIT_INVISIBLE);
		record_say(record,
			   "not visible: the provider accepted it, but the zone's name "
			   "servers still answer otherwise");
	}
}

void record_settle(struct record *record, int64_t now_ms)
{
	enum record_wait before = record->wait;

	if (record->busy == RECORD_NEED_UPDATE) {
		enter(record, RECORD_SENDING);
		return;
	}
	if (record->rules->broken) {
		record_say(record, "%s", record->rules->broken);
		enter(record, RECORD_DISABLED);
		return;
	}
	if (record->refusal) {
		enter(record, RECORD_DISABLED);
		return;
	}
	if (before == RECORD_WAIT_ADDRESS)
		record->reason[0] = '\0';
	if (!record_may_publish(record))
		wait_for_address(record);
	else if (needs_update(record))
		settle_update(record, now_ms);
	else
		settle_published(record);
}

/* --- a job begins, or never took place --- */

static void climb(struct record *record, int64_t now_ms)
{
	int64_t quiet_ms = record_elapsed_ms(now_ms, record->changed_ms);
	int64_t burst_ms = record_elapsed_ms(now_ms, record->sent_ms[0]);
	bool limited = record->ladder > 0 ? quiet_ms < RECORD_BURST_MS
					  : burst_ms < RECORD_BURST_MS;

	record->ladder_before = record->ladder;
	record->ladder = limited ? MIN(record->ladder + 1, 4) : 0;
}

static void count_update(struct record *record, int64_t now_ms)
{
	climb(record, now_ms);
	record->sent_dropped_ms = record->sent_ms[0];
	memmove(record->sent_ms, record->sent_ms + 1,
		(RECORD_BURST - 1) * sizeof(record->sent_ms[0]));
	record->sent_ms[RECORD_BURST - 1] = now_ms;
	record->repaired_before_ms = record->repaired_ms;
	if (!record_is_foreign(record) || record->forced)
		return;
	if (record_elapsed_ms(now_ms, record->repaired_ms) >
	    INT64_C(24) * RECORD_REPAIR_MS)
		record->repairs = 0;
	record->repaired_ms = now_ms;
	record->repairs++;
}

void record_uncount(struct record *record)
{
	memmove(record->sent_ms + 1, record->sent_ms,
		(RECORD_BURST - 1) * sizeof(record->sent_ms[0]));
	record->sent_ms[0] = record->sent_dropped_ms;
	record->ladder = record->ladder_before;
	if (record->repaired_ms != record->repaired_before_ms)
		record->repairs--;
	record->repaired_ms = record->repaired_before_ms;
	record->passed = false;
}

void record_row_over(struct record *record)
{
	record->attempts = record->failures = record->unconnected = 0;
	record->told = false;
}

void record_revert(struct record *record)
{
	record->in_doubt = record->was_in_doubt;
	record->sent = record->sent_before;
}

void record_intend(struct record *record)
{
	record->announce = record->announce || record->state != RECORD_CURRENT;
	record->in_doubt = true;
	record->sent = record->wanted;
}

void record_start(struct record *record, enum record_need need, uint32_t number,
		  int64_t now_ms)
{
	record->busy = need;
	record->job = number;
	if (need != RECORD_NEED_UPDATE) {
		record->asked = false;
		record->looked_ms = now_ms;
		if (record->first_look_ms == RECORD_NEVER)
			record->first_look_ms = now_ms;
		return;
	}
	record->refreshing = record->state == RECORD_CURRENT;
	record->outlived = false;
	count_update(record, now_ms);
	record->was_in_doubt = record->in_doubt;
	record->sent_before = record->sent;
	record_intend(record);
	record->passed = true;
	record->tried_ms = now_ms;
	record->dirty = true;
	record_settle(record, now_ms);
}

void record_unsent(struct record *record, uint32_t number, int64_t now_ms)
{
	enum record_need need = record->busy;

	if (need == RECORD_NEED_NOTHING || record->job != number)
		return;
	record->busy = RECORD_NEED_NOTHING;
	if (need == RECORD_NEED_UPDATE) {
		record_uncount(record);
		record_revert(record);
		record->dirty = true;
	}
	record_settle(record, now_ms);
}

void record_lost(struct record *record, uint32_t number, int64_t now_ms)
{
	enum record_need need = record->busy;

	if (need == RECORD_NEED_NOTHING || record->job != number)
		return;
	record->busy = RECORD_NEED_NOTHING;
	record->look_ms = record->verify_ms = now_ms + 1000;
	if (need == RECORD_NEED_UPDATE) {
		record->must_look = record->rules->check;
		record->look_ms = now_ms;
	}
	record_settle(record, now_ms);
}

/* --- what happens --- */

static int64_t reconnect_floor_ms(const struct record *record)
{
	bool connected = record->last_answer != MESSAGE_UNREACHABLE &&
			 record->last_answer != MESSAGE_TLS_REFUSED;

	return record_after_ms(record->tried_ms,
			       connected ? RECORD_ANSWERED_MS : RECORD_RECONNECT_MS);
}

/*
 * A wait after a failure ends at `floor`, if it would end later; what the provider asked
 * for stays.
 */
static void shorten(struct record *record, int64_t floor_ms, int64_t now_ms)
{
	if (record->retry_kind == RECORD_WAIT_RETRY)
		record->retry_ms = MIN(record->retry_ms, MAX(now_ms, floor_ms));
	if (record->must_look && record->retry_ms != RECORD_NEVER)
		record->look_ms = MIN(record->look_ms, MAX(now_ms, record->retry_ms));
	record_settle(record, now_ms);
}

static void note_change(struct record *record, int64_t now_ms)
{
	int64_t quiet_ms = record_elapsed_ms(now_ms, record->changed_ms);

	if (record->wanted_before)
		/* a real change: DNS cannot know it yet */
		record->must_look = false;
	else
		record->look_ms = now_ms;
	if (quiet_ms >= RECORD_BURST_MS)
		record->ladder = 0;
	record->stands_ms = quiet_ms >= RECORD_QUIET_MS ? now_ms
							: now_ms + RECORD_STAND_MS;
	record->changed_ms = now_ms;
	record->last_address = record->wanted;
	record->unchanged_ms = RECORD_NEVER;
	record->held = record->invisible = record->passed = record->fought = false;
}

void record_want(struct record *record, const struct addr *wanted, int64_t now_ms)
{
	if (addr_equal(wanted, &record->wanted))
		return;
	record->wanted = *wanted;
	if (addr_is_none(wanted) || addr_equal(wanted, &record->last_address)) {
		record->wanted_before = record->wanted_before || !addr_is_none(wanted);
		record_settle(record, now_ms);
		return;
	}
	note_change(record, now_ms);
	record->wanted_before = true;
	shorten(record, reconnect_floor_ms(record), now_ms);
}

void record_network(struct record *record, int64_t now_ms)
{
	int64_t look_ms = MAX(now_ms,
			      record_after_ms(record->looked_ms, RECORD_RECONNECT_MS));

	if (record->must_look)
		record->look_ms = MIN(record->look_ms, look_ms);
	if (record->state == RECORD_VERIFYING)
		record->verify_ms = MIN(record->verify_ms, look_ms);
	shorten(record, reconnect_floor_ms(record), now_ms);
}

void record_clock(struct record *record, int64_t now_ms)
{
	if (record->last_answer == MESSAGE_TLS_REFUSED)
		shorten(record, now_ms, now_ms);
}

static void enable(struct record *record, int64_t now_ms)
{
	record->refusal = 0;
	record->bad_requests = 0;
	record_row_over(record);
	record->reason[0] = '\0';
	record->dirty = true;
	shorten(record, now_ms, now_ms);
}

void record_refuse(struct record *record, enum message_verdict verdict, const char *text)
{
	record->refusal = verdict;
	record->forced = false;
	record->dirty = true;
	record_say(record, "%s%s%s", message_verdict_name(verdict), *text ? ": " : "",
		   text);
	record_settle(record, 0);
}

/* May the user wish this just now, and would it do anything? */
static bool grants(const struct record *record, bool force, int64_t now_ms)
{
	int64_t since_ms = record_elapsed_ms(now_ms, record->forced_ms);

	if (record->busy == RECORD_NEED_UPDATE || since_ms < RECORD_FORCE_MS)
		return false;
	if (record->refusal)
		return force;
	if (!record_may_publish(record))
		return false;
	if (force)
		return true;
	return record_elapsed_ms(now_ms, record->asked_ms) >= RECORD_FORCE_MS &&
	       (record->rules->check || record->state != RECORD_CURRENT);
}

bool record_ask(struct record *record, bool force, int64_t now_ms)
{
	if (!grants(record, force, now_ms))
		return false;
	if (record->refusal)
		enable(record, now_ms);
	record->asked_ms = now_ms;
	record->look_ms = record->verify_ms = now_ms;
	record->asked = true;
	if (force) {
		record->forced_ms = now_ms;
		record->forced = true;
		record->held = record->must_look = false;
	}
	shorten(record, record_after_ms(record->tried_ms, RECORD_RECONNECT_MS), now_ms);
	return true;
}

void record_confirmed(struct record *record, int64_t now_ms)
{
	record->published_ms = now_ms;
	record->dirty = true;
}

void record_set_rules(struct record *record, const struct record_rules *rules,
		      int64_t now_ms)
{
	bool changed = record->rules->fingerprint != rules->fingerprint;

	record->rules = rules;
	if (!rules->check)
		record->must_look = false;
	/* another account: what was looked up there says nothing here */
	if (changed) {
		record->outlived = record->busy == RECORD_NEED_UPDATE;
		free(record->memo);
		record->memo = NULL;
		record->held = false;
		record->unchanged_ms = RECORD_NEVER;
		enable(record, now_ms);
	}
	record_settle(record, now_ms);
}

void record_done(struct record *record)
{
	free(record->memo);
	record->memo = NULL;
}
