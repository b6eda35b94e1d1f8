/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a record outlives the process. Times are kept by the wall clock, which may be
 * wrong (no RTC, 1970) or have been stepped: a time from the future or from a wrong clock
 * counts as "just now", so that it makes nothing overdue.
 */
#include "record_life.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "field.h"
#include "hairpin/text.h"

#define WALL_MAX_S INT64_C(253402300799)	/* the end of the year 9999 */

enum {
	RETRY_MAX_S = 86400,
	TTL_MAX_S = 7 * 86400,
	COUNT_MAX = 1000000,
	FIRST_HOUR_MS = 3600 * 1000,	/* in it nothing is refreshed */
};

static int64_t from_wall(int64_t saved_s, int64_t now_ms, int64_t wall_s)
{
	if (saved_s == 0)
		return RECORD_NEVER;
	if (saved_s < RECORD_SANE_WALL_S || wall_s < RECORD_SANE_WALL_S ||
	    saved_s > wall_s)
		return now_ms;
	return now_ms - (wall_s - saved_s) * 1000;
}

static int64_t to_wall(int64_t then_ms, int64_t now_ms, int64_t wall_s)
{
	int64_t then_s;

	if (then_ms == RECORD_NEVER)
		return 0;
	then_s = wall_s - (now_ms - then_ms) / 1000;
	return then_s > 0 ? then_s : 1;
}

/* A saved address only where it fits the record: the file may be another host's. */
static struct addr fitting(const struct record *record, const struct addr *saved)
{
	return saved->family == record->family ? *saved : (struct addr){ 0 };
}

static void restore_wait(struct record *record, const struct record_saved *saved,
			 int64_t now_ms, int64_t wall_s)
{
	int64_t left_s = saved->retry_wall_s - wall_s, whole_s = saved->retry_wait_s;
	bool clock_ok = wall_s >= RECORD_SANE_WALL_S &&
			saved->retry_wall_s >= RECORD_SANE_WALL_S;

	if (saved->wait == RECORD_WAIT_NONE)
		return;
	if (!clock_ok || left_s > whole_s)
		left_s = whole_s;
	if (left_s <= 0)
		return;
	record->retry_kind = saved->wait;
	record->retry_wait_ms = whole_s * 1000;
	record->retry_ms = now_ms + left_s * 1000;
}

static void restore_times(struct record *record, const struct record_saved *saved,
			  int64_t now_ms, int64_t wall_s)
{
	record->published_ms = from_wall(saved->published_wall_s, now_ms, wall_s);
	record->unchanged_ms = from_wall(saved->unchanged_wall_s, now_ms, wall_s);
	record->repaired_ms = from_wall(saved->repaired_wall_s, now_ms, wall_s);
	for (size_t i = 0; i < RECORD_BURST; i++)
		record->sent_ms[i] = from_wall(saved->sent_wall_s[i], now_ms, wall_s);
	record->tried_ms = record->sent_ms[RECORD_BURST - 1];
	record->verify_until_ms = record_after_ms(record->published_ms,
						  record_visible_ms(record));
	restore_wait(record, saved, now_ms, wall_s);
}

/* The hook was told at the first failure, or at the third try without connection. */
static void restore_row(struct record *record, const struct record_saved *saved)
{
	record->attempts = saved->attempts;
	if (saved->last_answer == MESSAGE_UNREACHABLE) {
		record->unconnected = saved->attempts;
		record->told = saved->attempts >= 3;
	} else {
		record->failures = saved->attempts;
		record->told = saved->attempts > 0;
	}
}

/* A new version of ours is another agent, and nothing else is forgiven it. */
static uint64_t fingerprint(const struct record_rules *rules, uint32_t refusal)
{
	return refusal == MESSAGE_BADAGENT ? rules->fingerprint ^ rules->program
					   : rules->fingerprint;
}

static void restore(struct record *record, const struct record_saved *saved,
		    int64_t now_ms, int64_t wall_s)
{
	bool same = saved->fingerprint == fingerprint(record->rules, saved->refusal);

	record->published = fitting(record, &saved->published);
	record->former = fitting(record, &saved->former);
	record->sent = fitting(record, &saved->sent);
	record->last_address = addr_is_none(&record->sent) ? record->published
							   : record->sent;
	record->remembered = !addr_is_none(&record->published);
	record->in_doubt = saved->in_doubt && !addr_is_none(&record->sent);
	record->verified = saved->verified && record->remembered;
	record->announce = saved->announce;
	record->passed = record->remembered && !record->in_doubt;
	record->ttl_s = saved->ttl_s;
	record->repairs = saved->repairs;
	record->last_answer = saved->last_answer;
	restore_times(record, saved, now_ms, wall_s);
	if (!same) {	/* what another account answered does not bind this one */
		if (record->retry_kind == RECORD_WAIT_RETRY)
			record->retry_ms = RECORD_NEVER;
		record->unchanged_ms = RECORD_NEVER;
		return;
	}
	record->held = saved->held;
	record->refusal = saved->refusal;
	restore_row(record, saved);
	record->bad_requests = saved->bad_requests;
	record->memo = saved->memo[0] ? strdup(saved->memo) : NULL;
	if (record->refusal || record->retry_ms > now_ms)
		record_say(record, "%s", saved->reason);
}

void record_init(struct record *record, int family, const struct record_rules *rules,
		 const struct record_saved *saved, int64_t now_ms, int64_t wall_s)
{
	*record = (struct record){ .family = family, .rules = rules };
	record->retry_kind = RECORD_WAIT_RETRY;
	record->must_look = rules->check;
	record->look_ms = record->verify_ms = now_ms;
	record->refresh_floor_ms = now_ms + FIRST_HOUR_MS;
	record->changed_ms = record->stands_ms = record->first_look_ms =
		record->looked_ms = record->verify_until_ms = record->tried_ms =
			record->retry_ms = record->published_ms = record->unchanged_ms =
				record->repaired_ms = record->repaired_before_ms =
					record->asked_ms = record->forced_ms =
						record->sent_dropped_ms =
							record->seen_ms =
								RECORD_NEVER;
	for (size_t i = 0; i < RECORD_BURST; i++)
		record->sent_ms[i] = RECORD_NEVER;
	if (saved)
		restore(record, saved, now_ms, wall_s);
	record_settle(record, now_ms);
}

void record_save(const struct record *record, int64_t now_ms, int64_t wall_s,
		 struct record_saved *ret_saved)
{
	bool waits = record->retry_ms > now_ms;

	*ret_saved = (struct record_saved){
		.published = record->published,
		.former = record->former,
		.sent = record->sent,
		.verified = record->verified,
		.in_doubt = record->in_doubt,
		.announce = record->announce,
		.held = record->held,
		.refusal = record->refusal,
		.last_answer = record->last_answer,
		.attempts = record->attempts < COUNT_MAX ? record->attempts : COUNT_MAX,
		.bad_requests = record->bad_requests,
		.repairs = record->repairs < COUNT_MAX ? record->repairs : COUNT_MAX,
		.ttl_s = record->ttl_s,
		.published_wall_s = to_wall(record->published_ms, now_ms, wall_s),
		.unchanged_wall_s = to_wall(record->unchanged_ms, now_ms, wall_s),
		.repaired_wall_s = to_wall(record->repaired_ms, now_ms, wall_s),
		.fingerprint = fingerprint(record->rules, record->refusal),
	};
	for (size_t i = 0; i < RECORD_BURST; i++)
		ret_saved->sent_wall_s[i] = to_wall(record->sent_ms[i], now_ms, wall_s);
	if (waits) {
		ret_saved->wait = record->retry_kind;
		ret_saved->retry_wait_s = (uint32_t)(record->retry_wait_ms / 1000);
		ret_saved->retry_wall_s = wall_s + (record->retry_ms - now_ms) / 1000;
	}
	if (waits || record->refusal)
		memcpy(ret_saved->reason, record->reason, sizeof(ret_saved->reason));
	if (record->memo &&
	    !text_copy(ret_saved->memo, sizeof(ret_saved->memo), record->memo))
		ret_saved->memo[0] = '\0';
}

static bool is_final(uint32_t verdict)
{
	switch ((enum message_verdict)verdict) {
	case MESSAGE_BADAUTH:
	case MESSAGE_NOHOST:
	case MESSAGE_ABUSE:
	case MESSAGE_BADAGENT:
	case MESSAGE_FORBIDDEN:
	case MESSAGE_BAD_REQUEST:
	case MESSAGE_SPLIT:
		return true;
	default:
		return verdict == 0;
	}
}

static bool saved_wait_ok(const struct record_saved *saved)
{
	return (saved->wait == RECORD_WAIT_NONE || saved->wait == RECORD_WAIT_RETRY ||
		saved->wait == RECORD_WAIT_OBEY) && saved->retry_wait_s <= RETRY_MAX_S;
}

static bool saved_times_ok(const struct record_saved *saved)
{
	const int64_t times_s[] = {
		saved->retry_wall_s, saved->published_wall_s, saved->unchanged_wall_s,
		saved->repaired_wall_s, saved->sent_wall_s[0], saved->sent_wall_s[1],
		saved->sent_wall_s[2], saved->sent_wall_s[3],
	};

	for (size_t i = 0; i < sizeof(times_s) / sizeof(*times_s); i++)
		if (times_s[i] < 0 || times_s[i] > WALL_MAX_S)
			return false;
	return true;
}

bool record_saved_ok(const struct record_saved *saved)
{
	bool answer_ok = saved->last_answer == 0 ||
			 (saved->last_answer >= MESSAGE_GOOD &&
			  saved->last_answer <= MESSAGE_TLS_REFUSED);

	return field_is_any_address(&saved->published) &&
	       field_is_any_address(&saved->former) &&
	       field_is_any_address(&saved->sent) && is_final(saved->refusal) &&
	       answer_ok && saved->attempts <= COUNT_MAX &&
	       saved->bad_requests <= COUNT_MAX && saved->repairs <= COUNT_MAX &&
	       saved->ttl_s <= TTL_MAX_S && saved_wait_ok(saved) &&
	       saved_times_ok(saved) &&
	       field_is_text(saved->reason, sizeof(saved->reason)) &&
	       field_is_ascii(saved->memo, sizeof(saved->memo));
}
