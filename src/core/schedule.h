/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which job for which records is due when.
 *
 * Pure, like model/record: it asks each record what it needs and decides what the
 * provider may be asked: requests at once and per minute, one circuit per provider host
 * for outages, a budget a day, batches, both families together, looks at DNS spread in
 * time, no job without a default route. It sends nothing: schedule_next() says what to
 * send.
 *
 * The caller's loop:
 *
 *	while (schedule_next(schedule, now_ms, &job))
 *		save the state unless schedule_is_noted(), pack a message_job, send;
 *	set a timer to schedule_due_ms();
 *
 * after every event and every answer.
 */
#ifndef CORE_SCHEDULE_H
#define CORE_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/config.h"
#include "hairpin/err.h"
#include "hairpin/message.h"
#include "hairpin/record.h"

enum { SCHEDULE_NO_RECORD = -1 };

struct schedule_record {
	struct record record;
	size_t provider, wan;		/* indices into the configuration */
	const char *hostname;		/* the configuration's */
	uint8_t family;			/* AF_INET, AF_INET6 */
	/* goes behind the WAN's prefix; none: the WAN's address is wanted */
	struct addr suffix;
	/* nobody named the family: of no interest while the WAN has no address of it */
	bool optional;
	/* the same name's other family, or SCHEDULE_NO_RECORD */
	int partner;
	/* what the state file says an update may be under way to; none */
	struct addr noted;
	enum record_state told;		/* those who watch */
};

struct schedule;

/* One job to be sent. `records[i].record` is the number for struct message_record. */
struct schedule_job {
	uint32_t number;
	/* MESSAGE_CHECK, MESSAGE_VERIFY, MESSAGE_UPDATE_RECORDS */
	enum message_job_kind kind;
	/* for an update; for looks that of the first record */
	size_t provider;
	size_t wan;
	uint32_t timeout_ms, request_ms;	/* of all; of one request, 0 for looks */
	size_t count;
	struct {
		uint32_t record;	/* index for schedule_record() */
		struct addr address;	/* for an update or verification */
	} records[MESSAGE_RECORDS_MAX];
};

/* What an answer brought about. */
struct schedule_report {
	enum record_event event;
	/* whose; SCHEDULE_NO_RECORD: an answer nobody waits for */
	int record;
	/* further records, by a refusal of the account or of ourselves */
	size_t also_disabled;
};

/*
 * All records of the configuration, which must outlive the schedule. `fingerprints`: one
 * per provider entry, of its settings (state.c makes them). -ENOMEM.
 */
int schedule_new(const struct config *config, const uint64_t *fingerprints,
		 int64_t now_ms, int64_t wall_s,
		 struct schedule **ret_schedule) must_check;
void schedule_free(struct schedule *schedule);	/* NULL is fine */

size_t schedule_count(const struct schedule *schedule);
struct schedule_record *schedule_record(struct schedule *schedule, size_t index);

/* SCHEDULE_NO_RECORD: the configuration has none such. `provider`: the entry's name. */
int schedule_find(const struct schedule *schedule, const char *provider,
		  const char *hostname, int family);

/*
 * What the state file knew; right after schedule_new(), before any event. Where several
 * saved records fit, the last one holds. `saved` has passed record_saved_ok().
 */
void schedule_restore(struct schedule *schedule, size_t index,
		      const struct record_saved *saved, int64_t now_ms, int64_t wall_s);

/*
 * A reload: `schedule` (new, of the new configuration) takes over what `old` knew of
 * records that both have, the jobs in flight, waits and budgets; `old` is freed. WANs are
 * matched by name. Needs no memory, so that nothing is forgotten for want of it.
 */
void schedule_adopt(struct schedule *schedule, struct schedule *old, int64_t now_ms);

/* --- what happens --- */

/*
 * The WAN's address of this family; none: it has none (wan_observe() has waited the
 * grace).
 */
void schedule_address(struct schedule *schedule, size_t wan, int family,
		      const struct addr *address, int64_t now_ms);

/* The same of its prefix, for the names with a suffix. */
void schedule_prefix(struct schedule *schedule, size_t wan, const struct addr *prefix,
		     int64_t now_ms);

/*
 * Is there a default route the WAN's jobs can take? False at the start. True after false
 * is also an event.
 */
void schedule_route(struct schedule *schedule, size_t wan, bool has_route,
		    int64_t now_ms);

/*
 * Another sign that the network changed for this WAN (route or address came, resolv.conf
 * replaced).
 */
void schedule_network(struct schedule *schedule, size_t wan, int64_t now_ms);

/* The wall clock was stepped. */
void schedule_clock(struct schedule *schedule, int64_t now_ms);

/*
 * The user's `update`: of these names (count 0: all). Returns how many records will be
 * looked at or updated; those asked for less than a minute ago are passed over.
 */
size_t schedule_update(struct schedule *schedule, const char *const *hostnames,
		       size_t count, bool force, int64_t now_ms);

/* --- jobs --- */

/* A job that is due now; its records are marked as in flight. False: none just now. */
bool schedule_next(struct schedule *schedule, int64_t now_ms,
		   struct schedule_job *ret_job);

/* When to call schedule_next() again; INT64_MAX: not by time. */
int64_t schedule_due_ms(const struct schedule *schedule, int64_t now_ms);

/*
 * May the publisher give this result (message_result_ok() holds)? No: the record is none
 * of the job's, or was answered before; the verdict is none of the job's kind; a look
 * brings an address of another family. Whoever says so is ended. A result of a job that
 * is over is only late, and may be given.
 */
bool schedule_may_answer(const struct schedule *schedule,
			 const struct message_result *result);

/* One result of the publisher; one that it may not give changes nothing. */
struct schedule_report schedule_answer(struct schedule *schedule,
				       const struct message_result *result,
				       int64_t now_ms, int64_t wall_s, uint32_t random);

/* The job could not be handed over at all. It will be given again. */
void schedule_unsent(struct schedule *schedule, uint32_t number, int64_t now_ms);

/*
 * An update is in flight for an address that is not wanted any more. Its connection was made
 * from that address, as a rule, and would hang until its time is over.
 */
bool schedule_is_outdated(const struct schedule *schedule);

/* A job's time is over, and that to answer it too. */
bool schedule_is_overdue(const struct schedule *schedule, int64_t now_ms);

/* The publisher died: all jobs in flight are given again, as far as is safe. */
void schedule_publisher_gone(struct schedule *schedule, int64_t now_ms);

/*
 * Jobs in flight. Where one outlives its time by far, schedule_next() gives it up by
 * itself.
 */
size_t schedule_in_flight(const struct schedule *schedule);

/* --- for the state file and the status --- */

bool schedule_is_dirty(const struct schedule *schedule);	/* a save is due */

/*
 * What is to be saved of a record. One whose update is due is saved as if it were under
 * way: the intents of a whole burst are in one file, instead of one after the other.
 */
void schedule_save(const struct schedule *schedule, size_t index, int64_t now_ms,
		   int64_t wall_s, struct record_saved *ret_saved);

/* What schedule_save() gave just now is in the file. */
void schedule_set_clean(struct schedule *schedule, int64_t now_ms);

/* Does the file know of all updates of this job? Else save before it is sent. */
bool schedule_is_noted(const struct schedule *schedule, const struct schedule_job *job);

/*
 * When the record's next update may go, the provider's circuit and spacing included;
 * INT64_MAX: none is planned.
 */
int64_t schedule_next_try_ms(const struct schedule *schedule, size_t index,
			     int64_t now_ms);

/*
 * Why the record is not current: its own reason, or the schedule's ("no default route by
 * ..."); "" for none.
 */
const char *schedule_reason(const struct schedule *schedule, size_t index);

enum schedule_action {
	SCHEDULE_NONE,		/* it holds what it should */
	SCHEDULE_UPDATE,	/* an update is due, or under way */
	SCHEDULE_BLOCKED,	/* it does not, and no update may go */
};

struct schedule_forecast {
	struct addr wanted;
	enum schedule_action action;
	char reason[MESSAGE_TEXT_BYTES];	/* "" for none */
};

/*
 * What an update would do to the record now, or if its WAN had this address (or prefix,
 * where it has a suffix). NULL: those it has.
 */
void schedule_plan(const struct schedule *schedule, size_t index,
		   const struct addr *address, int64_t now_ms,
		   struct schedule_forecast *ret_forecast);

/* No record has anything to do soon, and none is in flight: --once may leave. */
bool schedule_is_settled(const struct schedule *schedule);

#endif
