/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The core's end of the publisher: asks the supervisor for one when there is work,
 * gives it the schedule's jobs and the questions about names, takes its results. When it
 * dies its jobs are given again to the next.
 */
#ifndef CORE_PUBLISHER_H
#define CORE_PUBLISHER_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/fault.h"

struct core;
struct names_job;
struct schedule_job;
struct message_job;
struct message_reply;

enum {
	/* after the first death, then twice as long each time, */
	PUBLISHER_WAIT_MS = 1000,
	PUBLISHER_WAIT_MAX_MS = 600 * 1000,	/* at most this, */
	/* or this after an address has changed or somebody wishes an update */
	PUBLISHER_HURRY_MS = 2 * 1000,
	/* of work without a death, and it is forgiven */
	PUBLISHER_QUIET_MS = 600 * 1000,
	PUBLISHER_ASK_MS = 10 * 1000,	/* the supervisor's answer is due within */
	PUBLISHER_REST_MS = 60 * 1000,	/* without work, and it is sent home */
};

enum publisher_state {
	PUBLISHER_IDLE,		/* none; there is no work. To ASKED when there is */
	/* the supervisor starts one. To RUNNING or FAILED by its answer */
	PUBLISHER_ASKED,
	/*
	 * has a channel. To FAILED when it says what it must not, answers nothing in time,
	 * ends at work without a result, or for the second time with one; else to IDLE.
	 * Only we know whether a job is about to come, so we send it home
	 */
	PUBLISHER_RUNNING,
	PUBLISHER_FAILED,	/* waits until `retry_ms`. To ASKED then */
};

struct publisher {
	enum publisher_state state;
	int channel;		/* -1 */
	ev_io io;
	uint32_t number;	/* of the last request for one */
	int64_t retry_ms, wait_ms;
	bool full;		/* the channel takes no more just now */
	unsigned resolver;	/* generation of resolv.conf that it began with */
	bool knows_former;	/* secrets that are no longer in force */
	bool said_nothing;	/* this one has given no result yet */
	bool ailing;		/* it failed, and has given none since */
	size_t owed;		/* results that this one may still give */
	int64_t failed_ms;	/* its last death */
	int64_t forgiven_ms;	/* from when on the next one counts as the first */
	int64_t left_ms;	/* when one last left at work */
	int64_t worked_ms;	/* when this one was last seen at work */
	struct fault fault;
};

void publisher_init(struct publisher *publisher);
void publisher_done(struct core *core);

/* The supervisor's MESSAGE_PUBLISHER; `fd` becomes ours. */
void publisher_take(struct core *core, const struct message_reply *reply, int fd,
		    int64_t now_ms);

/* Its channel can be read or has ended. */
void publisher_readable(struct core *core, int64_t now_ms);

/*
 * An address changed: a publisher whose update is for the former one is ended. There is no
 * other way to take a job back; a new one is started in a millisecond, and looks at DNS first.
 */
void publisher_address_changed(struct core *core, int64_t now_ms);

/*
 * Settings of a provider are no longer in force: with the publisher that knows them they
 * leave the memory. It is let go when the jobs in flight are answered.
 */
void publisher_settings_gone(struct core *core);

/* One that failed need not wait its whole time: there is work that somebody waits for. */
void publisher_hurry(struct core *core, int64_t now_ms);

void publisher_turn(struct core *core, int64_t now_ms);
int64_t publisher_due_ms(const struct core *core, int64_t now_ms);
const char *publisher_state_name(const struct publisher *publisher);

/* --- job.c --- */

/*
 * The packet for a job, to be freed by job_free(), which wipes it. -E2BIG: the settings
 * do not fit.
 */
int job_pack(const struct core *core, const struct schedule_job *job,
	     struct message_job **ret_packet) __attribute__((warn_unused_result));
int job_pack_names(const struct names_job *job, struct message_job **ret_packet)
	__attribute__((warn_unused_result));
void job_free(struct message_job *packet);

/* --- answers.c: what a result means for log and hooks --- */
struct message_result;
void answers_take(struct core *core, const struct message_result *result, int64_t now_ms);

#endif
