/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes through every check of the messages. What passes is then read the way its
 * receiver does; the sanitizers see what a check let through.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Adds up all strings of a job, so that none of the reads is optimised away. */
static size_t read_job(const struct message_job *job)
{
	size_t sum = strlen(job->interface) + strlen(job->interface6);

	for (uint32_t i = 0; i < job->record_count; i++)
		sum += strlen(job->records[i].hostname);
	for (unsigned i = 0; i < job->server_count; i++)
		sum += strlen(job->servers[i]);
	for (const char *text = NULL; (text = message_job_next_text(job, text));)
		sum += strlen(text);
	return sum;
}

static size_t read_result(const struct message_result *result)
{
	char text[ADDR_TEXT_BYTES];
	size_t sum = strlen(result->memo) + strlen(result->text);

	for (uint32_t i = 0; i < result->address_count; i++)
		sum += strlen(addr_format(&result->addresses[i], text));
	return sum + strlen(message_verdict_name(result->verdict));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static volatile size_t sum;
	void *packet = malloc(size ? size : 1);	/* aligned, and of just this size */

	if (!packet)
		return 0;
	memcpy(packet, data, size);
	sum += message_to_supervisor_ok(packet, size);
	sum += message_to_core_ok(packet, size);
	sum += message_level_ok(packet, size);
	if (message_job_ok(packet, size))
		sum += read_job(packet);
	if (message_result_ok(packet, size))
		sum += read_result(packet);
	free(packet);
	return 0;
}
