/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The address of one family of one WAN as others see it, where another router in front
 * holds it: whom to ask, when, and what to believe.
 *
 * A look asks some of the places, each at most once. The address holds that `agree` of them
 * say; where one is held already and the first place says it too, that is enough. Whatever
 * else comes (silence, nonsense, a private address, disagreement) changes nothing: the last
 * good address stays, and the look is made again later.
 *
 * Nobody is asked while the interface itself has a global address, and no more often than
 * `struct source_policy` says, whatever happens: each place has its spacing, all together
 * have a budget per hour. A try that reached nobody counts for neither.
 *
 * All this outlives the process (source_save(), source_restore()): who starts anew asks no
 * more than who goes on. An address that the last run found is taken without asking where
 * it is not an hour old, the machine was not started since, and the link is as it was then.
 *
 * Pure: time and dice are arguments, nothing is sent.
 */
#ifndef CORE_SOURCE_H
#define CORE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/config.h"
#include "hairpin/message.h"

enum {
	SOURCE_HOUR_MAX = 40,		/* the greatest budget */
	SOURCE_RETRY_MS = 30 * 1000,	/* doubling; jitter as for records */
	SOURCE_RETRY_MAX_MS = 30 * 60 * 1000,
	SOURCE_NETWORK_MS = 2 * 1000,	/* after events of the network, between two looks */
	SOURCE_LOSSES_MAX = 2,		/* more count against spacing and budget */
	SOURCE_JOB_SLACK_MS = 10 * 1000,	/* beyond its time a question counts as lost */
	SOURCE_MEMORY_MS = 3600 * 1000,	/* of the budget; and of an address, over a start */
	SOURCE_WAIT_MAX_MS = 86400 * 1000,	/* the longest that a place may ask for */
};

/* The numbers of their jobs: below those of names, above those of the schedule. */
#define SOURCE_JOB UINT32_C(0x40000000)

struct source_policy {
	int64_t interval_ms;		/* from one good look to the next */
	int64_t spacing_ms;		/* from one question to a place to the next to it */
	unsigned per_hour;		/* questions, of all places together */
	uint32_t job_ms;		/* for one question */
};

enum source_said {
	SOURCE_UNASKED,
	SOURCE_ASKED,			/* `job` is in flight */
	SOURCE_SAID,			/* `address`, a global one */
	SOURCE_FAILED,
};

/* One place; all but `free_ms` is of the look under way, or of the last one. */
struct source_place {
	enum source_said said;
	uint32_t job;
	int64_t asked_ms;
	int64_t until_ms;		/* when the question counts as lost */
	int64_t free_ms;		/* not asked again before */
	struct addr address;
};

/* What the kernel's links say. */
struct source_sight {
	/* the link is up, has a route and an address, but none that is global */
	bool able;
	uint32_t link;
	struct addr inner;		/* the interface's own address */
};

/*
 *            begins: due, able, a place is free
 *   RESTING ------------------------------------> LOOKING
 *      ^                                             |
 *      +-- good: due after the interval <------------+
 *      `-- bad: due after 30 s, 1 min, ... 30 min <--'
 *
 * An event of the network makes a look due at once. After source_restore() the first look
 * at the links is none if it shows what the last run saw; else that run's address is
 * forgotten.
 */
struct source {
	enum config_source kind;	/* CONFIG_OFF: nothing is to be found */
	const struct config_outside *outside;
	int family;
	struct source_sight sight;
	struct addr address;		/* last good one; none: never any */
	int64_t found_ms;		/* when it was last agreed on */
	bool expects;			/* `sight` is of the last run, and not compared yet */
	bool recalled;			/* `address` is of the last run */
	bool good;			/* the last look was */
	bool looking;
	struct source_place places[CONFIG_PLACES_MAX];
	int64_t sent_ms[SOURCE_HOUR_MAX];	/* of the last hour, oldest first */
	size_t sent_count;
	int64_t due_ms;			/* the next look */
	int64_t begun_ms;		/* the last one */
	bool again;			/* something happened while it was made */
	unsigned failures;		/* looks in a row */
	unsigned losses;		/* questions lost with a publisher, in a row */
	char reason[MESSAGE_TEXT_BYTES];	/* printable; "": all is well */
};

const struct source_policy *source_policy(enum config_source kind);

/* `outside` must outlive it, or be replaced by source_set(). */
void source_init(struct source *source, int family, enum config_source kind,
		 const struct config_outside *outside);

/* Another configuration: what is asked in the same way goes on, the address stays. */
void source_set(struct source *source, enum config_source kind,
		const struct config_outside *outside);

static inline bool source_is_on(const struct source *source)
{
	return config_is_outside(source->kind);
}

/* A look at the links. Another link, address or route is an event. */
void source_observe(struct source *source, const struct source_sight *sight,
		    int64_t now_ms);

/* Another event of the network, or somebody wants to know it now. */
void source_network(struct source *source, int64_t now_ms);

/* --- questions --- */

struct source_question {
	uint32_t number;
	size_t place;			/* of outside->places; 0 where there are none */
};

/* One that is due now; it is in flight then, as `number`. False: none. */
bool source_next(struct source *source, int64_t now_ms, uint32_t number,
		 struct source_question *ret_question);
/* When to call source_next() again; INT64_MAX: not by time, or an answer is waited for. */
int64_t source_due_ms(const struct source *source);
/* When source_expire() has something to say. */
int64_t source_expiry_ms(const struct source *source);
size_t source_in_flight(const struct source *source);
bool source_is_asked(const struct source *source, uint32_t number);

/* Who was asked is gone (0: all of them), or the question could not be handed over. */
void source_lost(struct source *source, uint32_t number);

/* --- answers --- */

static inline bool source_is_job(uint32_t number)
{
	return (number & (SOURCE_JOB | SOURCE_JOB << 1)) == SOURCE_JOB;
}

/* May the publisher give this result to a question of this family? */
bool source_may_answer(int family, const struct message_result *result);

enum source_event {
	SOURCE_NOTHING,
	SOURCE_FOUND,			/* another address */
	SOURCE_BROKEN,			/* a look failed; `failures` and `reason` say more */
	SOURCE_RETURNED,		/* looks had failed; the address is as before */
};

/* The result of a question in flight. */
enum source_event source_answer(struct source *source,
				const struct message_result *result, int64_t now_ms,
				uint32_t random);

/* Questions that nobody answered in time. */
enum source_event source_expire(struct source *source, int64_t now_ms, uint32_t random);

/* Nothing is to be found, or it was: for --once. */
bool source_is_settled(const struct source *source);

/* --- source_saved.c: what outlives the process --- */

/* Times are ages when it was saved; of `free_ms`, how long the place must wait yet. */
struct source_saved {
	int64_t wall_s, up_ms;		/* when that was, by both clocks */
	struct addr address;		/* none: not known, and the next three mean nothing */
	struct addr inner;
	uint32_t link;
	int64_t found_ms;
	bool good;
	int64_t begun_ms;
	int64_t sent_ms[SOURCE_HOUR_MAX];	/* oldest first */
	size_t sent_count;
	int64_t free_ms[CONFIG_PLACES_MAX];
	size_t place_count;
};

/*
 * Is it worth a write? The router in front is the user's own, and may be asked at every
 * start.
 */
static inline bool source_is_saved(const struct source *source)
{
	return source->kind == CONFIG_HTTP || source->kind == CONFIG_DNS ||
	       source->kind == CONFIG_COMMAND;
}

void source_save(const struct source *source, int64_t now_ms, int64_t wall_s,
		 struct source_saved *ret_saved);

/* Does it keep the rules of source_save(), for an address of this family? */
bool source_saved_ok(const struct source_saved *saved, int family);

/*
 * Right after source_init(), with what was saved of the same source. Time since then goes
 * by the clock that does not step, unless the machine was started since; and by the wall
 * clock where that is right and says more. Where neither can tell it was just now.
 */
void source_restore(struct source *source, const struct source_saved *saved,
		    int64_t now_ms, int64_t wall_s);

#endif
