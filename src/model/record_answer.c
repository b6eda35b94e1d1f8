/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an answer means for a record: the protocol's duties, and what a look decides. */
#include "record_life.h"

#include <stdlib.h>
#include <string.h>

#include "hairpin/order.h"

/* --- an update's answer --- */

/* The provider may have stored the address all the same. */
static bool leaves_doubt(enum message_verdict verdict)
{
	return verdict == MESSAGE_TRANSIENT || verdict == MESSAGE_UNCONFIRMED;
}

static void note_unchanged(struct record *record, int64_t now_ms)
{
	int64_t since_ms = record_elapsed_ms(now_ms, record->unchanged_ms);
	int64_t period_ms = record->rules->refresh_ms;

	if (since_ms != RECORD_FOREVER && (period_ms == 0 || since_ms < period_ms))
		record->held = true;	/* a second one is no accident */
	record->unchanged_ms = now_ms;
}

static enum record_event announce(struct record *record)
{
	bool news = record->announce && record->state == RECORD_CURRENT;

	if (news) {
		record->announce = false;
		record->dirty = true;
	}
	return news ? RECORD_PUBLISHED : RECORD_NOTHING;
}

static enum record_event confirm(struct record *record, bool unchanged, int64_t now_ms)
{
	if (!addr_equal(&record->published, &record->sent)) {
		record->former = record->published;
		record->published = record->sent;
	}
	if (unchanged && addr_equal(&record->sent, &record->wanted))
		note_unchanged(record, now_ms);
	record->published_ms = now_ms;
	if (record->forced)
		record->forced_ms = now_ms;	/* no two within a minute on the wire */
	record->in_doubt = record->forced = record->must_look = false;
	record->verified = record->verify_over = false;
	record->denied = record->invisible = false;
	record->refusal = 0;
	record->bad_requests = 0;
	record_row_over(record);
	record->retry_ms = RECORD_NEVER;
	record->reason[0] = '\0';
	record->verify_step = 0;
	record->verify_ms = now_ms;
	record->verify_until_ms = now_ms + record_visible_ms(record);
	record->look_ms = now_ms + record->rules->check_every_ms;
	record_settle(record, now_ms);
	return announce(record);
}

/* Counts a failure; what is worth telling of it. */
static enum record_event count_failure(struct record *record,
				       enum message_verdict verdict)
{
	bool telling = !record->told;

	if (verdict == MESSAGE_UNREACHABLE) {
		record->unconnected++;
		telling = telling && record->unconnected >= 3;
	} else {
		record->failures++;
		record->unconnected = 0;
	}
	record->attempts = record->unconnected ? record->unconnected : record->failures;
	record->told = record->told || telling;
	return telling ? RECORD_FAILED : RECORD_RETRYING;
}

/*
 * The address may be stored already: DNS tells, right before the next try. Not where DNS
 * held it before (a refresh, a wish of the user): there a look proves nothing.
 */
static void look_before_retry(struct record *record)
{
	bool held_before = addr_equal(&record->published, &record->sent) &&
			   !record->invisible;

	if (!record->rules->check || held_before || record->forced)
		return;
	record->must_look = true;
	record->look_ms = record->retry_ms;
}

static enum record_event fail(struct record *record, const struct message_result *result,
			      int64_t now_ms, int64_t wall_s, uint32_t random)
{
	enum message_verdict verdict = result->verdict;
	bool asked = verdict == MESSAGE_RATE_LIMITED || verdict == MESSAGE_SERVER_ERROR ||
		     result->retry_after_s > 0;
	enum record_event event = count_failure(record, verdict);
	bool clock = verdict == MESSAGE_TLS_REFUSED && wall_s < RECORD_SANE_WALL_S;

	if (record_never_arrived(verdict))
		record_uncount(record);
	if (!leaves_doubt(verdict))
		record_revert(record);
	record->retry_kind = asked ? RECORD_WAIT_OBEY : RECORD_WAIT_RETRY;
	record->retry_wait_ms = record_backoff_ms(verdict, record->attempts,
						  result->retry_after_s, wall_s, random);
	record->retry_ms = now_ms + record->retry_wait_ms;
	if (leaves_doubt(verdict))
		look_before_retry(record);
	record_say(record, "%s%s%s%s", message_verdict_name(verdict),
		   *result->text ? ": " : "", result->text,
		   clock ? " (the clock is wrong?)" : "");
	record_settle(record, now_ms);
	return event;
}

static enum record_event refuse(struct record *record,
				const struct message_result *result)
{
	record_revert(record);
	record_refuse(record, result->verdict, result->text);
	return RECORD_REFUSED;
}

/* Said to settings that hold no longer: it neither refuses those of now nor slows them. */
static enum record_event answer_former(struct record *record,
				       const struct message_result *result,
				       int64_t now_ms)
{
	if (result->verdict == MESSAGE_GOOD || result->verdict == MESSAGE_UNCHANGED) {
		record->busy = RECORD_NEED_NOTHING;
		record->last_answer = result->verdict;
		record->dirty = true;
		return confirm(record, false, now_ms);
	}
	if (leaves_doubt(result->verdict))
		record_lost(record, record->job, now_ms);
	else
		record_unsent(record, record->job, now_ms);
	return RECORD_NOTHING;
}

/* It only saves requests: where memory is short there is none. */
static void keep_memo(struct record *record, const char *memo)
{
	if (strcmp(record->memo ? record->memo : "", memo) == 0)
		return;
	free(record->memo);
	record->memo = *memo ? strdup(memo) : NULL;
}

static enum record_event answer_update(struct record *record,
				       const struct message_result *result,
				       int64_t now_ms, int64_t wall_s, uint32_t random)
{
	record->last_answer = result->verdict;
	record->dirty = true;
	keep_memo(record, result->memo);
	switch ((enum message_verdict)result->verdict) {
	case MESSAGE_GOOD:
		return confirm(record, false, now_ms);
	case MESSAGE_UNCHANGED:
		return confirm(record, true, now_ms);
	case MESSAGE_BADAUTH:
	case MESSAGE_NOHOST:
	case MESSAGE_ABUSE:
	case MESSAGE_BADAGENT:
	case MESSAGE_FORBIDDEN:
	case MESSAGE_SPLIT:	/* of a single name: the schedule has split before */
		return refuse(record, result);
	case MESSAGE_BAD_REQUEST:
		if (++record->bad_requests >= 2)
			return refuse(record, result);
		return fail(record, result, now_ms, wall_s, random);
	default:
		record->bad_requests = 0;
		return fail(record, result, now_ms, wall_s, random);
	}
}

/* --- looks at DNS --- */

static bool holds(const struct message_result *result, const struct addr *address)
{
	for (uint32_t i = 0; i < result->address_count; i++)
		if (addr_equal(&result->addresses[i], address))
			return true;
	return false;
}

/* What DNS holds instead: the first address of our family, or none. */
static struct addr other_address(const struct record *record,
				 const struct message_result *result)
{
	for (uint32_t i = 0; i < result->address_count; i++)
		if (result->addresses[i].family == record->family)
			return result->addresses[i];
	return (struct addr){ 0 };
}

/* DNS holds the wanted address. */
static enum record_event see(struct record *record, int64_t now_ms)
{
	bool known = record->verified && !record->in_doubt &&
		     addr_equal(&record->published, &record->wanted);

	record->seen_ms = now_ms;
	record->look_ms = now_ms + record->rules->check_every_ms;
	record->must_look = record->denied = record->invisible = false;
	if (known && record->state == RECORD_CURRENT)
		return RECORD_NOTHING;
	if (!addr_equal(&record->published, &record->wanted)) {
		record->former = record->published;
		record->published = record->wanted;
		record->published_ms = RECORD_NEVER;
	}
	if (record->published_ms == RECORD_NEVER)
		record->published_ms = now_ms;
	record->in_doubt = false;
	/* from now on another answer is somebody else's */
	record->sent = record->published;
	record->verified = true;
	record_row_over(record);
	if (record->retry_kind != RECORD_WAIT_OBEY)
		record->retry_ms = RECORD_NEVER;
	record->dirty = true;
	record_settle(record, now_ms);
	return announce(record);
}

/* A look before the update did not find the wanted address. */
static enum record_event miss_before_update(struct record *record,
					    const struct addr *seen, int64_t now_ms)
{
	bool ours = record->in_doubt && addr_equal(&record->sent, &record->wanted);

	if (ours && record_elapsed_ms(now_ms, record->tried_ms) < RECORD_DOUBT_MS) {
		record->look_ms = now_ms + 2000;
		return RECORD_NOTHING;
	}
	record->must_look = false;
	if (!record->in_doubt) {
		record->dirty = !addr_equal(&record->published, seen) || record->dirty;
		record->published = *seen;
		record->verified = false;
	}
	record_settle(record, now_ms);
	return RECORD_NOTHING;
}

/* Somebody else wrote the record. */
static enum record_event miss_foreign(struct record *record, const struct addr *seen,
				      int64_t now_ms)
{
	record->sent = record->wanted;
	record->published = *seen;
	record->verified = false;
	record->dirty = true;
	record_settle(record, now_ms);
	if (record->state == RECORD_STALE) {
		record->fought = false;
		record_say(record, "DNS holds another address than was published");
		return RECORD_CHANGED_BY_OTHERS;
	}
	if (record->fought)
		return RECORD_NOTHING;
	record->fought = true;
	return RECORD_FOUGHT_OVER;
}

/* Accepted once, but DNS was never seen to hold it. */
static enum record_event miss_unseen(struct record *record, int64_t now_ms)
{
	if (record_elapsed_ms(now_ms, record->published_ms) < record_visible_ms(record) ||
	    record->invisible)
		return RECORD_NOTHING;
	record->invisible = true;
	record->verify_over = false;
	record_settle(record, now_ms);
	return record->state == RECORD_WAITING ? RECORD_NOT_VISIBLE : RECORD_NOTHING;
}

/* DNS does not hold the wanted address. */
static enum record_event miss(struct record *record, const struct addr *seen,
			      int64_t now_ms)
{
	bool settled = !record->in_doubt && !record->forced &&
		       addr_equal(&record->published, &record->wanted);

	record->look_ms = now_ms + record->rules->check_every_ms;
	if (record->must_look && !settled)
		return miss_before_update(record, seen, now_ms);
	record->must_look = false;
	if (record->state == RECORD_CURRENT && record->verified)
		return miss_foreign(record, seen, now_ms);
	if (record->wait == RECORD_WAIT_FOREIGN || record_is_foreign(record))
		return miss_foreign(record, seen, now_ms);
	return settled ? miss_unseen(record, now_ms) : RECORD_NOTHING;
}

static void look_in_vain_before_update(struct record *record, int64_t now_ms)
{
	bool ours = record->in_doubt && addr_equal(&record->sent, &record->wanted);
	int64_t asked_ms = record_elapsed_ms(now_ms, record->first_look_ms);

	if (ours && record_elapsed_ms(now_ms, record->tried_ms) < RECORD_DOUBT_MS) {
		record->look_ms = now_ms + 2000;
	} else if (record->in_doubt || record->remembered || asked_ms >= RECORD_ASK_MS) {
		record->must_look = false;
		record_settle(record, now_ms);
	} else {
		/* one more look, and at the last the update: three in vain, no more */
		record->look_ms = record->first_look_ms + RECORD_ASK_MS;
		if (record->look_step++ == 0)
			record->look_ms = MIN(now_ms + 10000, record->look_ms);
	}
}

static enum record_event no_proof(struct record *record, enum message_verdict verdict,
				  int64_t now_ms)
{
	bool first = verdict == MESSAGE_NO_PROOF && !record->unproven;

	record->unproven = record->unproven || first;
	record->look_ms = now_ms + record->rules->check_every_ms;
	if (record->must_look && record->state != RECORD_CURRENT)
		look_in_vain_before_update(record, now_ms);
	return first ? RECORD_UNPROVEN : RECORD_NOTHING;
}

/*
 * An update for another address was not answered: it may yet overwrite what DNS holds now.
 * After so long as an answered one is waited for, it has, or never will.
 */
static bool may_yet_land(const struct record *record, int64_t now_ms)
{
	return record->in_doubt && !addr_equal(&record->sent, &record->wanted) &&
	       record_elapsed_ms(now_ms, record->tried_ms) < record_visible_ms(record);
}

static enum record_event answer_look(struct record *record,
				     const struct message_result *result, int64_t now_ms)
{
	struct addr seen = other_address(record, result);

	if (result->verdict != MESSAGE_ANSWER)
		return no_proof(record, result->verdict, now_ms);
	record->unproven = false;
	if (result->ttl_s > 0)
		record->ttl_s = result->ttl_s;
	if (!record_may_publish(record) || record->state == RECORD_DISABLED)
		return RECORD_NOTHING;
	if (holds(result, &record->wanted) && !may_yet_land(record, now_ms))
		return see(record, now_ms);
	return miss(record, &seen, now_ms);
}

/* --- verification --- */

static int64_t verify_wait_ms(struct record *record)
{
	static const int64_t waits_ms[] = { 1000, 1000,	 2000,	4000,
					    7000, 15000, 30000, 60000 };
	size_t count = sizeof(waits_ms) / sizeof(*waits_ms);

	record->verify_step++;	/* MIN() would count it twice */
	return waits_ms[MIN(record->verify_step, count) - 1];
}

static enum record_event verify_in_vain(struct record *record, int64_t now_ms)
{
	bool over = now_ms >= record->verify_until_ms;

	record->verify_ms = now_ms + verify_wait_ms(record);
	if (!record->denied &&
	    record_elapsed_ms(now_ms, record->published_ms) >= RECORD_ASK_MS)
		/* nobody to ask: the provider's word must do */
		record->verify_over = true;
	else if (record->denied && over)
		record->invisible = true;
	else
		return RECORD_NOTHING;
	record->look_ms = now_ms + record->rules->check_every_ms;
	record_settle(record, now_ms);
	if (record->invisible)
		return RECORD_NOT_VISIBLE;
	return announce(record);
}

static enum record_event answer_verify(struct record *record,
				       const struct message_result *result,
				       int64_t now_ms)
{
	bool answered = result->verdict == MESSAGE_ANSWER;

	if (record->state != RECORD_VERIFYING)
		return RECORD_NOTHING;	/* another address is wanted by now */
	if (result->ttl_s > 0)
		record->ttl_s = result->ttl_s;
	if (result->verdict == MESSAGE_VERIFIED ||
	    (answered && holds(result, &record->wanted)))
		return see(record, now_ms);
	if (answered || result->verdict == MESSAGE_NOT_YET)
		record->denied = true;
	record->verify_until_ms = record->published_ms + record_visible_ms(record);
	return verify_in_vain(record, now_ms);
}

enum record_event record_answer(struct record *record,
				const struct message_result *result, int64_t now_ms,
				int64_t wall_s, uint32_t random)
{
	enum record_need need = record->busy;

	if (need == RECORD_NEED_NOTHING || result->head.number != record->job)
		return RECORD_NOTHING;
	if (!record_takes_verdict(need, result->verdict)) {
		record_lost(record, record->job, now_ms);
		return RECORD_NOTHING;
	}
	if (need == RECORD_NEED_UPDATE && record->outlived)
		return answer_former(record, result, now_ms);
	record->busy = RECORD_NEED_NOTHING;
	switch (need) {
	case RECORD_NEED_UPDATE:
		return answer_update(record, result, now_ms, wall_s, random);
	case RECORD_NEED_VERIFY:
		return answer_verify(record, result, now_ms);
	case RECORD_NEED_LOOK:
	case RECORD_NEED_IDLE_LOOK:
		return answer_look(record, result, now_ms);
	case RECORD_NEED_NOTHING:
		break;
	}
	return RECORD_NOTHING;
}
