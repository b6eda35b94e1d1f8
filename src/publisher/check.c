/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CHECK and VERIFY: each record of the job is a question to its zone's servers. The
 * first one goes alone, since what it learns about the zone spares the others half
 * their questions.
 *
 * VERIFIED: at least one server answered with authority, and each that did holds the
 * wanted address, maybe among others: a name may have addresses that are not ours.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "job.h"

enum { QUESTIONS_AT_ONCE = 8 };

struct question {
	struct check *check;
	size_t index;
	struct resolve_record *record;	/* NULL: free */
};

struct check {
	struct job *job;
	size_t next, open;		/* record to ask for, questions under way */
	bool first_done;
	struct question questions[QUESTIONS_AT_ONCE];
	struct resolve_server servers[MESSAGE_SERVERS_MAX];
	size_t server_count;
};

static void pump(struct check *check);

void check_free(struct check *check)
{
	if (!check)
		return;
	for (size_t i = 0; i < QUESTIONS_AT_ONCE; i++)
		resolve_record_stop(check->questions[i].record);
	free(check);
}

static void say_verified(const struct resolve_answer *answer,
			 struct message_result *result)
{
	char other[ADDR_TEXT_BYTES];

	if (answer->servers_holding == answer->servers_answered) {
		result->verdict = MESSAGE_VERIFIED;
		snprintf(result->text, sizeof(result->text), "%u name server%s",
			 answer->servers_holding,
			 answer->servers_holding == 1 ? "" : "s");
		return;
	}
	result->verdict = MESSAGE_NOT_YET;
	snprintf(result->text, sizeof(result->text), "%u of %u name servers; not yet %s",
		 answer->servers_holding, answer->servers_answered,
		 addr_format(&answer->other.address, other));
}

static void judge(const struct check *check, const struct resolve_answer *answer,
		  struct message_result *result)
{
	bool verify = check->job->message->kind == MESSAGE_VERIFY;

	result->ttl_s = answer->ttl_s;
	result->address_count = (uint32_t)answer->count;
	memcpy(result->addresses, answer->addresses, answer->count * sizeof(struct addr));
	switch (answer->outcome) {
	case RESOLVE_AUTHORITATIVE:
		result->verdict = MESSAGE_ANSWER;
		if (verify)
			say_verified(answer, result);
		break;
	case RESOLVE_RECURSIVE:
		result->verdict = MESSAGE_NO_PROOF;
		snprintf(result->text, sizeof(result->text),
			 "no name server of the zone answered, only the resolver");
		break;
	case RESOLVE_SILENT:
		result->verdict = MESSAGE_NO_ANSWER;
		snprintf(result->text, sizeof(result->text), "no name server answered");
		break;
	}
}

static void on_record(void *context, const struct resolve_answer *answer)
{
	struct message_result result = { 0 };
	struct question *question = context;
	struct check *check = question->check;

	question->record = NULL;
	check->open--;
	check->first_done = true;
	judge(check, answer, &result);
	job_answer(check->job, question->index, &result);
	pump(check);
}

static struct question *free_question(struct check *check)
{
	size_t limit = check->first_done ? QUESTIONS_AT_ONCE : 1;

	for (size_t i = 0; i < limit; i++)
		if (!check->questions[i].record)
			return &check->questions[i];
	return NULL;
}

static int ask(struct check *check, struct question *question, size_t index)
{
	const struct message_job *message = check->job->message;
	const struct message_record *record = &message->records[index];
	struct resolve_question what = {
		.name = record->hostname, .family = record->family,
		.interface = message->interface, .interface6 = message->interface6,
		.all = message->kind == MESSAGE_VERIFY,
		.wanted = record->address,
		.trusted = check->servers, .trusted_count = check->server_count,
	};

	*question = (struct question){ .check = check, .index = index };
	return resolve_record_start(job_resolve(check->job), &what, on_record, question,
				    &question->record);
}

/* Asks on as far as there is room; ends the job when all is answered. */
static void pump(struct check *check)
{
	static const struct message_result none = {
		.verdict = MESSAGE_NO_ANSWER, .text = "no memory" };
	struct job *job = check->job;
	struct question *question;

	while (check->next < job->message->record_count &&
	       (question = free_question(check))) {
		size_t index = check->next++;

		if (ask(check, question, index) == 0)
			check->open++;
		else
			job_answer(job, index, &none);
	}
	if (check->open == 0)
		job_done(job);
}

/* Servers the user named; one that makes no sense was refused with the configuration. */
static void read_servers(struct check *check)
{
	const struct message_job *message = check->job->message;

	for (unsigned i = 0; message->trusted_servers && i < message->server_count; i++)
		if (resolve_server_parse(message->servers[i],
					 &check->servers[check->server_count]))
			check->server_count++;
}

int check_start(struct job *job)
{
	struct check *check = calloc(1, sizeof(*check));

	if (!check)
		return -ENOMEM;
	check->job = job;
	job->check = check;
	read_servers(check);
	pump(check);
	return 0;
}
