/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The names that comments such as "dns:web.example.org" stand for, and the addresses they
 * had when they were last answered.
 *
 * Which names are wanted, and of which family, every look at the rules tells anew:
 * names_look(), names_want() for each thing, names_looked() when all went well. What an
 * answer brings holds until another one brings addresses: an error, "does not exist" and a
 * name without such an address empty nothing. What no thing names any more is asked for no
 * longer, but kept for a day: a firewall that is loaded anew is without it for a moment.
 *
 * Pure: time and dice are arguments, nothing is sent. All zeroes it is empty.
 */
#ifndef CORE_NAMES_H
#define CORE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/fault.h"
#include "hairpin/message.h"
#include "hairpin/nft.h"

#include "wans.h"

enum {
	NAMES_MAX = 256,		/* wanted ones; of those not wanted as many are kept */
	NAMES_ROOM = 3 * NAMES_MAX,	/* both, and new ones of the look under way */
	NAMES_ADDRESSES_MAX = MESSAGE_ADDRESSES_MAX,	/* of a family */
	NAMES_AT_ONCE = 2 * MESSAGE_RECORDS_MAX,	/* questions under way */

	NAMES_TTL_MIN_MS = 10 * 1000,
	NAMES_TTL_MAX_MS = 24 * 3600 * 1000,
	NAMES_RETRY_MS = 5 * 1000,	/* doubling; jitter as for records */
	NAMES_RETRY_MAX_MS = 600 * 1000,
	/* at least, where the answer was that there is nothing */
	NAMES_RETRY_NONE_MS = 60 * 1000,
	NAMES_NETWORK_MS = 2 * 1000,	/* after an event of the network, between two tries */
	NAMES_JOB_MS = 15 * 1000,	/* the publisher's time for a question; then */
	NAMES_JOB_SLACK_MS = 10 * 1000,	/* so long until it is asked again */
	NAMES_KEPT_MS = 24 * 3600 * 1000,
};

/* The numbers of their jobs; the schedule counts from 1. */
#define NAMES_JOB UINT32_C(0x80000000)

/*
 * One family of one name. Whether a question is under way (`job`) is another matter.
 *
 *              .-------- addresses --------------------------------.
 *              v                                                   |
 *   UNKNOWN -> CURRENT  due again when the TTL is over             |
 *      |         |                                                 |
 *      `---------+-----> ABSENT    due after a minute or more -----+
 *                +-----> UNUSABLE  likewise -----------------------+
 *                `-----> SILENT    due after 5 s, 10 s, ... 10 min-'
 *
 * Between the last three every other answer changes the state; only the first one of a
 * row of the same is worth a line, and not each of those that come and go. Addresses
 * change with answers that bring some, and never else.
 */
enum name_state {
	NAME_UNKNOWN,		/* not answered yet; may have addresses of the last run */
	NAME_CURRENT,		/* the last answer brought addresses */
	NAME_ABSENT,		/* the last answer: no such name, or no such address */
	NAME_UNUSABLE,		/* the last answer brought only what no set may hold */
	NAME_SILENT,		/* the last question was not answered */
};

struct name_side {
	enum name_state state;
	bool wanted;
	unsigned seen, things;	/* that name it: in the look under way, in the last one */
	uint32_t id;		/* for struct message_record; 0: never asked */
	uint32_t job, last_job;	/* in flight, 0: none; and the last one that was */
	int64_t until_ms;	/* when the job in flight counts as lost */
	int64_t due_ms, asked_ms;
	unsigned failures;	/* in a row */
	struct addr addresses[NAMES_ADDRESSES_MAX];	/* ascending */
	size_t count;
	char reason[MESSAGE_TEXT_BYTES];	/* printable; "": nothing to say */
	/* what is to be said of its last change; NULL: nothing */
	char *news;
	struct fault restless;	/* changes that follow each other within the hour */
	struct fault failing;	/* and ways to fail that do */
};

struct name {
	char name[MESSAGE_HOSTNAME_BYTES];
	struct name_side sides[WAN_SIDES];
	struct addr addresses[WAN_SIDES * NAMES_ADDRESSES_MAX];	/* both, for nft_sync() */
	int64_t unwanted_ms;	/* since when no thing names it */
};

struct names {
	struct name *list[NAMES_ROOM];	/* in the order in which they were met */
	size_t count;
	size_t seen;			/* of the look under way */
	size_t last;			/* the one met last */
	struct nft_name views[NAMES_ROOM];
	uint32_t last_id, last_job;
	bool too_many, too_many_said;
};

void names_done(struct names *names);

/* --- which are wanted --- */

void names_look(struct names *names);
/* `name` as in struct nft_item; what cannot be asked for is not taken. */
void names_want(struct names *names, const char *name, int family);
/* True: there were more than NAMES_MAX, and that is to be said. */
bool names_looked(struct names *names, int64_t now_ms);
/* Nothing is wanted any more. */
void names_drop(struct names *names, int64_t now_ms);

/* For nft_sync(): those that have addresses; good until an answer or look changes them. */
size_t names_view(struct names *names, const struct nft_name **ret_views);

/*
 * The last good answer of an earlier run. What could be no answer is not taken; false then,
 * or when there is no room.
 */
bool names_restore(struct names *names, const char *name, const struct addr *addresses,
		   size_t count, int64_t now_ms);

/* --- questions --- */

struct names_job {
	uint32_t number;
	size_t count;
	struct {
		uint32_t id;
		int family;
		const char *name;
	} questions[MESSAGE_RECORDS_MAX];
};

/* What is due now, as one job; it is in flight then. False: nothing. */
bool names_next(struct names *names, int64_t now_ms, struct names_job *ret_job);
/* When to call names_next() again; INT64_MAX: not by time. */
int64_t names_due_ms(const struct names *names);
size_t names_in_flight(const struct names *names);
/* A question is not answered, long after its time. */
bool names_are_overdue(const struct names *names, int64_t now_ms);

/* The publisher is gone: what was in flight is asked for again. */
void names_lost(struct names *names, int64_t now_ms);
/* The job could not be handed over. */
void names_unsent(struct names *names, uint32_t number, int64_t now_ms);

/* Something changed for the better: failed ones are tried soon. */
void names_network(struct names *names, int64_t now_ms);
/* Questions were asked lately, and none was answered. */
bool names_lack_resolver(const struct names *names);

/* --- answers --- */

static inline bool names_is_job(uint32_t number)
{
	return (number & NAMES_JOB) != 0;
}

/*
 * May the publisher give this result, message_result_ok() being true? As
 * schedule_may_answer().
 */
bool names_may_answer(const struct names *names, const struct message_result *result);

enum name_event {
	NAME_NOTHING,		/* as before */
	NAME_CHANGED,		/* other addresses: the rules are to be brought into step */
	NAME_FAILED,		/* in another way than before */
	NAME_RETURNED,		/* it had failed; the addresses are as before */
};

struct name_report {
	enum name_event event;
	const struct name *name;
	int side;		/* WAN_IPV4, WAN_IPV6 */
};

struct name_report names_answer(struct names *names, const struct message_result *result,
				int64_t now_ms, uint32_t random);

/* --- how it stands --- */

bool name_is_wanted(const struct name *name);

/* "current"; "stale": the last good addresses hold; "waiting": some things have none yet */
const char *name_state_name(const struct name *name);

/* The first reason of its families, "" for none. */
const char *name_reason(const struct name *name);

/* When it is asked for next; it may be over already. */
int64_t name_due_ms(const struct name *name);

/* All that are wanted were answered, and no other answer will come soon: for --once. */
bool names_are_settled(const struct names *names);

/* Puts it into its place, where it is not there already; what is too much is left out. */
void names_insert(struct addr list[NAMES_ADDRESSES_MAX], size_t *count,
		  const struct addr *address);

/* May a set hold it? NULL, or the kind of address that no host of a network has. */
const char *names_refuse(const struct addr *address);

#endif
