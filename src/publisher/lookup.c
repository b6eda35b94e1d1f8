/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RESOLVE: each record of the job is a name and a family, asked for at once. What is
 * answered is told as it is; which addresses may be used is for the core to decide.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "job.h"

struct lookup_question {
	struct lookup *lookup;
	size_t index;
	struct resolve_name *name;	/* NULL: answered */
};

struct lookup {
	struct job *job;
	size_t open;			/* questions under way */
	struct lookup_question questions[MESSAGE_RECORDS_MAX];
};

void lookup_free(struct lookup *lookup)
{
	if (!lookup)
		return;
	for (size_t i = 0; i < MESSAGE_RECORDS_MAX; i++)
		resolve_name_stop(lookup->questions[i].name);
	free(lookup);
}

static void judge(const struct resolve_named *named, int family,
		  struct message_result *result)
{
	const char *kind = family == AF_INET6 ? "IPv6" : "IPv4";

	result->verdict = MESSAGE_ANSWER;
	switch (named->said) {
	case RESOLVE_ADDRESSES:
		result->ttl_s = named->ttl_s;
		result->address_count = (uint32_t)named->count;
		memcpy(result->addresses, named->addresses,
		       named->count * sizeof(struct addr));
		if (named->more)
			snprintf(result->text, sizeof(result->text),
				 "more than %d %s addresses, the first are taken",
				 RESOLVE_ADDRESSES_MAX, kind);
		return;
	case RESOLVE_NO_NAME:
		snprintf(result->text, sizeof(result->text), "does not exist");
		return;
	case RESOLVE_NO_ADDRESS:
		snprintf(result->text, sizeof(result->text), "has no %s address", kind);
		return;
	case RESOLVE_NOTHING:
		break;
	}
	result->verdict = MESSAGE_NO_ANSWER;
	snprintf(result->text, sizeof(result->text), "the resolver gave no answer");
}

static void on_name(void *context, const struct resolve_named *named)
{
	struct lookup_question *question = context;
	struct lookup *lookup = question->lookup;
	struct job *job = lookup->job;
	struct message_result result = { 0 };

	question->name = NULL;
	judge(named, job->message->records[question->index].family, &result);
	job_answer(job, question->index, &result);
	if (--lookup->open == 0)
		job_done(job);
}

static void ask(struct lookup *lookup, size_t index)
{
	static const struct message_result none = {
		.verdict = MESSAGE_NO_ANSWER, .text = "no memory" };
	struct lookup_question *question = &lookup->questions[index];
	struct job *job = lookup->job;
	const struct message_record *record = &job->message->records[index];

	*question = (struct lookup_question){ .lookup = lookup, .index = index };
	if (resolve_name_start(job_resolve(job), record->hostname, record->family,
			       on_name, question, &question->name) == 0)
		lookup->open++;
	else
		job_answer(job, index, &none);
}

int lookup_start(struct job *job)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));

	if (!lookup)
		return -ENOMEM;
	lookup->job = job;
	job->lookup = lookup;
	for (size_t i = 0; i < job->message->record_count; i++)
		ask(lookup, i);
	if (lookup->open == 0)
		job_done(job);
	return 0;
}
