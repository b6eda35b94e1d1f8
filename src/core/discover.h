/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sources of all WANs: their questions go to the publisher, or to the supervisor where
 * a command answers, and a new address is looked at like one of the interface.
 */
#ifndef CORE_DISCOVER_H
#define CORE_DISCOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core;
struct core_side;
struct message_job;
struct message_reply;
struct message_result;

enum { DISCOVER_BUSY_MS = 2000 };	/* until a command is asked for again */

struct discover {
	uint32_t last_number;
	/* the command under way, its WAN and side; 0: none */
	uint32_t command;
	int64_t retry_ms;		/* no command before */
	bool overdue;			/* the publisher owes an answer */
};

/* A question for the publisher. */
struct discover_job {
	uint32_t number;
	size_t wan;
	int side;
	size_t place;
};

bool discover_next(struct core *core, int64_t now_ms, struct discover_job *ret_job);
/* When the publisher gets the next one. */
int64_t discover_job_due_ms(const struct core *core);
size_t discover_in_flight(const struct core *core);
/* 0: the publisher is gone. */
void discover_lost(struct core *core, uint32_t number);

bool discover_may_answer(const struct core *core, const struct message_result *result);
void discover_answer(struct core *core, const struct message_result *result,
		     int64_t now_ms, uint32_t random);

/* The supervisor's MESSAGE_COMMAND_DONE. */
void discover_command_done(struct core *core, const struct message_reply *reply,
			   int64_t now_ms);

/* An event of the network that links do not show, or somebody wants to know it now. */
void discover_network(struct core *core, int64_t now_ms);

/* Commands, and questions that nobody answered in time. */
void discover_turn(struct core *core, int64_t now_ms);
int64_t discover_due_ms(const struct core *core);

/* Every family that is on has what it can get: for --once and --dry-run. */
bool discover_is_settled(const struct core *core);

/* Does the address come from outside just now? */
bool discover_is_used(const struct core_side *side);

/* --- job.c --- */
int job_pack_discover(const struct core *core, const struct discover_job *job,
		      struct message_job **ret_packet)
	__attribute__((warn_unused_result));

#endif
