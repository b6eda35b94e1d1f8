/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One job of the core and what serves it.
 */
#ifndef PUBLISHER_JOB_H
#define PUBLISHER_JOB_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>

#include "hairpin/err.h"
#include "hairpin/http.h"
#include "hairpin/message.h"
#include "hairpin/resolve.h"
#include "order.h"

struct jobs;
struct check;
struct discover;
struct lookup;
struct publish;
struct dns_update;

struct job {
	struct jobs *jobs;
	struct job *next;
	struct message_job *message;	/* only message_job_bytes() of it exist */
	bool answered[MESSAGE_RECORDS_MAX];
	/* the job's own; whoever serves it is stopped then */
	ev_timer limit;
	double until;			/* ev_now() at which that is */
	struct order order;		/* of an update */
	struct check *check;
	struct discover *discover;
	struct lookup *lookup;
	struct publish *publish;
	struct dns_update *dns_update;	/* one of the five */
};

struct ev_loop *job_loop(const struct job *job);
struct resolve *job_resolve(const struct job *job);
struct http *job_http(const struct job *job);

/*
 * Sends the result for records[index]; head and record are filled in here. What breaks
 * a rule of message_result_ok() would end us: it becomes MESSAGE_TRANSIENT or
 * MESSAGE_NO_ANSWER. The second answer for a record is dropped.
 */
void job_answer(struct job *job, size_t index, const struct message_result *result);

/* Answers what is not answered yet. */
void job_answer_rest(struct job *job, enum message_verdict verdict, const char *text);

/* Ends the job; must be the last thing done with it. */
void job_done(struct job *job);

/* --- kinds: they end the job when all is answered, maybe within the call; -ENOMEM --- */

int check_start(struct job *job) must_check;	/* CHECK, VERIFY */
void check_free(struct check *check);		/* NULL is fine */

int discover_start(struct job *job) must_check;	/* DISCOVER */
void discover_free(struct discover *discover);	/* NULL is fine */

int lookup_start(struct job *job) must_check;	/* RESOLVE */
void lookup_free(struct lookup *lookup);	/* NULL is fine */

/* UPDATE_RECORDS; job->order is read */
int publish_start(struct job *job) must_check;
void publish_free(struct publish *publish);	/* NULL is fine; wipes */

/* The same where the provider speaks DNS UPDATE */
int dns_update_start(struct job *job) must_check;
void dns_update_free(struct dns_update *dns);	/* NULL is fine; wipes */

#endif
