/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: model */
/*
 * The life of one DNS record: one name, one family, at one provider entry.
 *
 * Pure: no I/O, no clock, no dice. Time comes in as `now_ms` (clock_now_ms(), for all
 * waiting) and, where something outlives the process, as `wall_s` (clock_wall_s()).
 * Dice come in as `random`, any 32 bits.
 *
 * The record says what it needs and when (record_need()); core/schedule decides
 * whether the provider may be asked just then, says what was started
 * (record_start()) and hands back what came of it (record_answer(), record_lost()).
 *
 * Not here: spacing and outages of a provider, batches, routes (core/schedule).
 */
#ifndef HAIRPIN_RECORD_H
#define HAIRPIN_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/message.h"

/*
 * The states, as the status names them.
 *
 *            wanted differs, DNS differs, refresh due, forced
 *   current ---------------------------------------------------> stale <----.
 *      ^                                                        |  | ^      |
 *      |  VERIFIED, or         good, unchanged          started |  | | time, event
 *      '-- nobody answers -- verifying <---------- sending <----'  | |      |
 *                                |                  |  |           v |      |
 *          denied until the end  '------> waiting <-'  '--> disabled '------'
 *
 * RECORD_CURRENT    The provider holds the wanted address as far as is known. Looked at
 *                   every check_every. Left: to STALE when the wanted address changes, a
 *                   look at DNS differs or the user forces it; to SENDING when the
 *                   refresh is due; to WAITING when there is no address to publish, or
 *                   when somebody else changes the record again and again. Forbidden:
 *                   any other update.
 * RECORD_STALE      An update is needed and goes as soon as the gates allow (the address
 *                   has stood, burst, minimum interval); before the first one since the
 *                   start, and after one whose outcome is unknown, DNS is looked at
 *                   (not where it held the address before: that would prove nothing).
 *                   Left: to SENDING by record_start(); to CURRENT when the look finds
 *                   the wanted address or the published one is wanted again; to WAITING
 *                   when there is nothing to publish.
 * RECORD_SENDING    An update is in flight; the intent must be on disk before. Left only
 *                   by record_answer(), record_lost() and record_unsent(); a newly
 *                   wanted address is only noted. Forbidden: a second update, a look.
 * RECORD_VERIFYING  The provider said yes; the zone's servers are asked until they say
 *                   so too. Left: to CURRENT; to WAITING as "not visible"; to STALE when
 *                   another address is wanted. Forbidden: an update of the same address.
 * RECORD_WAITING    Nothing can be done just now; `wait` says why and who ends it.
 * RECORD_DISABLED   Refused for good. Left only by record_ask() with force, or by a
 *                   restart or reload with another fingerprint. Or the provider's
 *                   description is broken: left when the rules no longer say so.
 *                   Forbidden: every job.
 */
enum record_state {
	RECORD_CURRENT, RECORD_STALE, RECORD_SENDING, RECORD_VERIFYING, RECORD_WAITING,
	RECORD_DISABLED,
};

/* Why a record is RECORD_WAITING, and who ends it. */
enum record_wait {
	RECORD_WAIT_NONE,
	/* no address, or none that may be published: record_want() */
	RECORD_WAIT_ADDRESS,
	/* failed: time; a new address, the network, the user may shorten it */
	RECORD_WAIT_RETRY,
	RECORD_WAIT_OBEY, /* the provider said for how long (429, 911): time only */
	/* accepted but not in DNS: DNS; repeated every 12 hours */
	RECORD_WAIT_INVISIBLE,
	RECORD_WAIT_FOREIGN, /* somebody else changes it: DNS; repaired once an hour */
	RECORD_WAIT_HELD, /* twice "unchanged" though DNS differs: DNS, address, user */
};

enum record_need {
	RECORD_NEED_NOTHING,
	RECORD_NEED_LOOK,	/* MESSAGE_CHECK that something waits for */
	/* MESSAGE_CHECK of a settled record: may be spread in time */
	RECORD_NEED_IDLE_LOOK,
	RECORD_NEED_VERIFY,	/* MESSAGE_VERIFY */
	RECORD_NEED_UPDATE,	/* MESSAGE_UPDATE_RECORDS */
};

/* What a call brought about, for log and hooks; the words are in record->reason. */
enum record_event {
	RECORD_NOTHING,
	RECORD_PUBLISHED,	/* hook `record`: former, published */
	RECORD_REFUSED,		/* hook `failed`: disabled now */
	/* hook `failed`: first failure of a row (without connection: the third) */
	RECORD_FAILED,
	RECORD_RETRYING,	/* failed once more */
	/* hook `failed`: accepted, but DNS did not follow in time */
	RECORD_NOT_VISIBLE,
	RECORD_CHANGED_BY_OTHERS,	/* a look differed; will be repaired */
	/* changed by others again within the hour; first of a row */
	RECORD_FOUGHT_OVER,
	RECORD_UNPROVEN,	/* looks at DNS prove nothing; first of a row */
};

enum {
	/* updates in RECORD_BURST_MS before they are spaced */
	RECORD_BURST = 4,
	RECORD_BURST_MS = 600 * 1000,
	RECORD_QUIET_MS = 60 * 1000,	/* a change after this much quiet goes at once, */
	RECORD_STAND_MS = 2000,		/* else when the address has stood this long */
	RECORD_BACKOFF_MS = 30 * 1000,
	RECORD_BACKOFF_MAX_MS = 1800 * 1000,
	RECORD_SERVER_ERROR_MS = 1800 * 1000,	/* 911, dnserr: not earlier */
	RECORD_CLOCK_RETRY_MS = 60 * 1000,	/* TLS refused while the clock is wrong */
	RECORD_RECONNECT_MS = 2000,	/* without connection: not more often by events */
	RECORD_ANSWERED_MS = 60 * 1000,	/* after an HTTP answer: not sooner by events */
	/* the user's wishes: one with force a minute (after its answer), one without */
	RECORD_FORCE_MS = 60 * 1000,
	/* an update of unknown outcome may show this late */
	RECORD_DOUBT_MS = 10 * 1000,
	/* without a state file: DNS silent so long, then update */
	RECORD_ASK_MS = 60 * 1000,
	RECORD_VISIBLE_MS = 600 * 1000,	/* or 2 * TTL: until "not visible" */
	RECORD_REPEAT_MS = 12 * 3600 * 1000,	/* of an update that is not visible */
	RECORD_REPAIR_MS = 3600 * 1000,	/* between repairs: 24 a day */
};

/*
 * Before this (2025-01-01) the wall clock is wrong: no RTC, no time from the network yet.
 */
#define RECORD_SANE_WALL_S INT64_C(1735689600)

/*
 * What holds for all records of one provider entry. Owned by the caller, outlives them.
 */
struct record_rules {
	bool check;			/* compare with DNS */
	bool verify;			/* wait until DNS follows (needs check) */
	bool allow_private;
	int64_t check_every_ms;
	const char *broken;		/* why nothing is ever sent; NULL: it may be */
	int64_t refresh_ms;		/* 0: never */
	int64_t min_interval_ms;	/* 0: none */
	uint64_t fingerprint;		/* of what a final refusal depends on */
	uint64_t program;		/* of our version, on which BADAGENT depends too */
};

/*
 * What outlives the process. Times are wall seconds, 0: never. All zero is a record that
 * nothing is known of. `in_doubt`: an update to `sent` was begun and its outcome is not
 * known.
 */
struct record_saved {
	struct addr published, former, sent;
	bool verified, in_doubt, announce, held;
	/* enum message_verdict of a final refusal, 0: none */
	uint32_t refusal;
	uint32_t last_answer;		/* enum message_verdict, 0: none yet */
	uint32_t attempts, bad_requests, repairs, ttl_s;
	/* RECORD_WAIT_RETRY or _OBEY with retry_*, else 0 */
	uint32_t wait;
	uint32_t retry_wait_s;		/* the whole of that wait */
	int64_t retry_wall_s;		/* when it is over */
	int64_t published_wall_s, unchanged_wall_s, repaired_wall_s;
	int64_t sent_wall_s[RECORD_BURST];	/* newest last */
	uint64_t fingerprint;
	char reason[MESSAGE_TEXT_BYTES];	/* of the refusal or wait; printable */
	char memo[MESSAGE_MEMO_BYTES];
};

/*
 * Read what you like; write through the functions. All *_ms are on clock_now_ms()'s
 * scale.
 */
struct record {
	const struct record_rules *rules;
	enum record_state state;
	enum record_wait wait;
	int family;
	/* what the WAN has, publishable or not; none: nothing */
	struct addr wanted;
	/* what the provider holds as far as we know; none: unknown */
	struct addr published;
	struct addr former;		/* published before that, for the hook */
	struct addr sent;		/* of the last update */
	bool verified;
	/* what record_save() gives has changed; the caller clears it */
	bool dirty;
	uint32_t last_answer;		/* enum message_verdict of the last update, 0 */
	uint32_t refusal;		/* enum message_verdict, 0 */
	/*
	 * failures in a row: those after an answer, or, since the last of them, the tries
	 * that got no connection
	 */
	unsigned attempts;
	unsigned repairs;
	uint32_t ttl_s;
	char *memo;			/* NULL: none */
	char reason[MESSAGE_TEXT_BYTES];	/* "" when there is nothing to say */

	/* private: how it goes on */
	enum record_need busy;		/* job in flight */
	uint32_t job;			/* its number */
	bool outlived;			/* an update of settings that hold no longer */
	bool must_look;			/* before the next update */
	bool remembered;		/* a state file knew what was published */
	/* outcome of the update to `sent` unknown; likewise before it */
	bool in_doubt, was_in_doubt;
	struct addr sent_before;
	bool announce;			/* an update that the hook has not heard of */
	int64_t seen_ms;		/* DNS held the wanted address */
	bool held;			/* twice "unchanged": no repairs, no repeats */
	bool invisible;			/* accepted, but DNS did not follow in time */
	bool verify_over;		/* nobody answered: believed without proof */
	/* while verifying some server held something else */
	bool denied;
	bool forced, asked;		/* the user's wishes */
	bool passed;			/* an update for this address has gone */
	bool refreshing, unproven, fought;
	enum record_wait retry_kind;
	/* what the back-off counts: a try without connection is none of the failures */
	unsigned failures, unconnected;
	bool told;			/* the hook knows of this row */
	unsigned bad_requests, look_step, verify_step;
	/* step of the spacing while changes follow each other */
	unsigned ladder, ladder_before;
	/* newest last; INT64_MIN: never */
	int64_t sent_ms[RECORD_BURST], sent_dropped_ms;
	/* the last one wanted, through times without any */
	struct addr last_address;
	bool wanted_before;		/* since the start */
	int64_t changed_ms, stands_ms;	/* when that came; from when on it may go */
	int64_t look_ms, first_look_ms, looked_ms;
	int64_t verify_ms, verify_until_ms;
	int64_t tried_ms, retry_ms, retry_wait_ms;
	int64_t published_ms, unchanged_ms, repaired_ms, repaired_before_ms;
	int64_t refresh_floor_ms;	/* a restart is no reason to refresh */
	int64_t asked_ms, forced_ms;	/* the user's last; with force: or its answer */
};

/* `saved` NULL: nothing is known of it (no state file). */
void record_init(struct record *record, int family, const struct record_rules *rules,
		 const struct record_saved *saved, int64_t now_ms, int64_t wall_s);
void record_done(struct record *record);

/*
 * After a reload: other rules. When the fingerprint differs, a final refusal ends and
 * the memo is forgotten; of an update in flight only a success counts, for what was
 * published stays known.
 */
void record_set_rules(struct record *record, const struct record_rules *rules,
		      int64_t now_ms);

/*
 * The WAN's address of this family now; none: it has none. The same again changes
 * nothing.
 */
void record_want(struct record *record, const struct addr *wanted, int64_t now_ms);

/*
 * When the provider last took the address or said that it has it, and when the name
 * servers were last seen to hold it, by this process; INT64_MIN: never.
 */
int64_t record_taken_ms(const struct record *record);
int64_t record_seen_ms(const struct record *record);

/* May the wanted address be published? False also for none. */
bool record_may_publish(const struct record *record);

/*
 * What is to be done next, and from when on: `ret_ms`, INT64_MAX with
 * RECORD_NEED_NOTHING. While a look is in flight an update may still be asked for; the
 * look's answer is then ignored.
 */
enum record_need record_need(const struct record *record, int64_t *ret_ms);

/*
 * The update that record_need() asks for is the first for this address: one pass over all
 * records after a change is not held up by requests per minute.
 */
bool record_is_pass(const struct record *record);

/*
 * Job `number` for `need` is about to be sent. For an update: save what record_save()
 * says before.
 */
void record_start(struct record *record, enum record_need need, uint32_t number,
		  int64_t now_ms);

/*
 * As if an update to the wanted address were under way: what the state file is told of
 * one that will go any moment.
 */
void record_intend(struct record *record);

/*
 * Is it a verdict that a job for `need` can have? Anything else is no answer: nothing of
 * it may be believed or kept.
 */
bool record_takes_verdict(enum record_need need, uint32_t verdict);

/*
 * The job's answer. Answers of other jobs than the last started one are ignored; one
 * whose verdict record_takes_verdict() refuses leaves the job lost, as record_lost() has
 * it.
 */
enum record_event record_answer(struct record *record,
				const struct message_result *result, int64_t now_ms,
				int64_t wall_s, uint32_t random);

/*
 * The job `number` ended without an answer (the publisher died). No failure; an update's
 * outcome is unknown, so that DNS is looked at before another.
 */
void record_lost(struct record *record, uint32_t number, int64_t now_ms);

/*
 * The job was never sent, or (MESSAGE_SPLIT) is to be sent in parts: as if it had not
 * been started.
 */
void record_unsent(struct record *record, uint32_t number, int64_t now_ms);

/*
 * Went along in another record's request: the provider confirmed what it holds already.
 */
void record_confirmed(struct record *record, int64_t now_ms);

/* A final refusal of the whole account by another record's answer. */
void record_refuse(struct record *record, enum message_verdict verdict, const char *text);

/*
 * The network changed (route, address, resolver): waits that it may have ended are
 * shortened.
 */
void record_network(struct record *record, int64_t now_ms);

/* Somebody could not be asked, or did not answer: the network may be to blame. */
static inline bool record_lacks_network(const struct record *record)
{
	return record->unconnected > 0 || (record->must_look && record->look_step > 0);
}

/* The wall clock was put right: a certificate that did not hold may hold now. */
void record_clock(struct record *record, int64_t now_ms);

/*
 * The user: look now (and try again now), or with `force` update in any case and enable
 * again what was refused. False, and nothing done: forced, or that answered, less than a minute
 * ago, asked without force less than a minute ago (which holds up no first force),
 * nothing to publish, or nothing to look at.
 */
bool record_ask(struct record *record, bool force, int64_t now_ms);

/* Nothing is being done for it and nothing will be soon: for --once. */
bool record_is_settled(const struct record *record);

void record_save(const struct record *record, int64_t now_ms, int64_t wall_s,
		 struct record_saved *ret_saved);

/*
 * Is it a struct that record_save() may have made? For what was read from a file: enums,
 * families, terminators, printable texts, no negative time. A record is never restored
 * from what fails.
 */
bool record_saved_ok(const struct record_saved *saved);

const char *record_state_name(enum record_state state);	/* "current", ... */

/*
 * How long to wait after the `failures`th failure in a row (from 1) with this verdict,
 * jitter included; the same for a record and for a provider's circuit. Tries without
 * connection (MESSAGE_UNREACHABLE) are a row of their own: they count for nothing where
 * other failures are counted. `wall_s` tells whether a refused certificate
 * may be the clock's fault.
 */
int64_t record_backoff_ms(enum message_verdict verdict, unsigned failures,
			  uint32_t retry_after_s, int64_t wall_s, uint32_t random);

/* 80 % to 120 % of it. */
int64_t record_jitter_ms(int64_t wait_ms, uint32_t random);

/*
 * Is it a failure of the server or of the way to it, rather than a word about this
 * record?
 */
bool record_is_outage(enum message_verdict verdict);

/*
 * Nothing was said to the provider: the try leaves no doubt and takes no part of a budget.
 */
bool record_never_arrived(enum message_verdict verdict);

/* The refusals that hold for the whole provider entry. */
bool record_is_account_wide(enum message_verdict verdict);

#endif
