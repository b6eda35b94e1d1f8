/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the schedule share: schedule.c (the records and what happens to
 * them), schedule_pick.c (which job next), schedule_batch.c (what goes into it),
 * schedule_note.c (what is saved),
 * schedule_idle.c (looks that nothing waits for), schedule_result.c (answers),
 * schedule_plan.c (what would become of a record).
 */
#ifndef CORE_SCHEDULE_PARTS_H
#define CORE_SCHEDULE_PARTS_H

#include "circuit.h"
#include "schedule.h"

enum {
	JOBS_MAX = 128,			/* in flight */
	LOOKS_MAX = 4,			/* of them looks and verifications */
	LOOK_TIMEOUT_MS = 30 * 1000,
	REQUEST_TIMEOUT_MS = 30 * 1000,		/* where the entry says nothing */
	UPDATE_TIMEOUT_MS = 300 * 1000,		/* of a job of several requests */
	JOB_SLACK_MS = 15 * 1000,	/* a job this late is given up */
	/* how long a name waits for looks at those it could share a job with */
	LOOK_TOGETHER_MS = 2000,
	/* hosts that no entry is at any more, whose budget is not forgotten at once */
	CIRCUITS_FORMER_MAX = 8,
};

/* One provider entry. */
struct entry {
	struct record_rules rules;
	size_t circuit;
	unsigned batch;			/* names in one request; less after "numhost" */
	bool was_split;
};

struct job_record {
	/* its number in the job; stays when the configuration is read again */
	uint32_t wire;
	int index;			/* SCHEDULE_NO_RECORD: gone by a reload */
	/* went along so that it is not deleted; not its own update */
	bool passenger;
	bool done;
};

struct job {
	uint32_t number;		/* 0: free */
	enum record_need need;
	int circuit;			/* -1: a look, or gone by a reload */
	int entry;
	int64_t started_ms, deadline_ms;
	size_t count, left;
	struct job_record records[MESSAGE_RECORDS_MAX];
	bool answered;			/* a word about a record: no outage */
	bool split;
	uint32_t verdict, retry_after_s;	/* of an outage */
};

struct schedule {
	const struct config *config;
	struct schedule_record *records;
	size_t count;
	struct entry *entries;
	struct circuit *circuits;	/* those of entries, then former ones */
	size_t circuit_count;
	bool has_route[CONFIG_WANS_MAX];
	struct job jobs[JOBS_MAX];
	uint32_t last_number;
	/* idle looks: not before; the last; since when zones' servers are known */
	int64_t idle_ms, idle_asked_ms, idle_zones_ms;
};

struct circuit *schedule_circuit(const struct schedule *schedule, size_t index);
struct job *schedule_job_find(struct schedule *schedule, uint32_t number);

/* The record's own address, made of what came from the WAN. */
struct addr schedule_address_of(const struct schedule *schedule,
				const struct schedule_record *slot,
				const struct addr *from);

/* A job from a free slot (there is one), with its number. */
struct job *schedule_job_begin(struct schedule *schedule, enum record_need need,
			       size_t lead, int64_t now_ms,
			       struct schedule_job *ret_job);

/*
 * Of those that want this kind of look by `by_ms`, and of one WAN where `wan` is not -1,
 * who has waited longest.
 */
int schedule_find_look(const struct schedule *schedule, enum record_need need, int wan,
		       int64_t by_ms);

/* A look of settled records, as far as the budget of questions goes. */
bool schedule_pick_idle_look(struct schedule *schedule, int64_t now_ms,
			     struct schedule_job *ret_job);

/* Another record goes into the job; it is marked as in flight. */
void schedule_job_add(struct schedule *schedule, struct job *job,
		      struct schedule_job *out, size_t index, int64_t now_ms);

/* Is its update due, the provider's circuit left aside? */
bool schedule_is_due(const struct schedule *schedule, size_t index, int64_t now_ms);

/*
 * When the record's update may go: INT64_MAX when it needs none, or something in flight
 * must end first.
 */
int64_t schedule_update_ms(const struct schedule *schedule, size_t index, int64_t now_ms);

/* Fills the job with `lead` and what goes along with it. */
void schedule_batch(struct schedule *schedule, size_t lead, int64_t now_ms,
		    struct job *job, struct schedule_job *out);

/*
 * The other family's record of the same name that `index` may not leave out, since the
 * provider deletes what a request does not name; SCHEDULE_NO_RECORD: none.
 */
int schedule_passenger(const struct schedule *schedule, size_t index);

unsigned schedule_count_names(const struct schedule *schedule, const struct job *job);

/* How many names one of its jobs may take, while nothing says that they are too many. */
unsigned schedule_batch_names(const struct config_provider *provider);

/*
 * The job ends without (further) answers; `gone` as record_lost() or record_unsent() has
 * it.
 */
void schedule_job_drop(struct schedule *schedule, struct job *job,
		       void (*gone)(struct record *, uint32_t, int64_t), int64_t now_ms);

#endif
