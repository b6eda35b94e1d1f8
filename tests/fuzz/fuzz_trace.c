/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nftables' trace as a kernel (or nobody sane) could tell it: what is given out belongs to a
 * packet that our own rule marked, and its names end. Input: fuzz/netlink_input.h, of which
 * only what is heard counts.
 */
#include <sys/socket.h>

#include "fake/netlink.h"
#include "kernel/trace_private.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fake_batch(const uint8_t *bytes, size_t length)
{
	(void)bytes;
	(void)length;
	abort();
}

static void fake_question(const struct wire *request)
{
	(void)request;
	abort();
}

static void check(const struct trace *trace, const struct trace_event *event)
{
	bool known = false;

	for (size_t i = 0; i < TRACE_PACKETS_MAX; i++)
		known |= trace->packets[i] == event->packet;
	require(known);
	require(event->ours || strncmp(event->table, TRACE_TABLE, strlen(TRACE_TABLE)));
	require(event->kind != TRACE_RULE || event->handle);
	require(memchr(event->table, '\0', TRACE_NAME_BYTES) &&
		memchr(event->chain, '\0', TRACE_NAME_BYTES) &&
		memchr(event->target, '\0', TRACE_NAME_BYTES));
	require(event->source.family == event->destination.family);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of its own, so that a byte too far is seen. */
	struct trace *trace = calloc(1, sizeof(*trace));
	struct trace_event event;
	int r;

	require(trace != NULL);
	strcpy(trace->table, TRACE_TABLE "00000001");
	memset(&fake, 0, sizeof(fake));
	fake.bytes = data;
	fake.length = size;
	require(netlink_subscribe(&trace->events, 0, NULL, 0, NULL, NULL) == 0);
	do {
		r = trace_next(trace, &event);
		if (r == 0)
			check(trace, &event);
	} while (r != -EAGAIN && fake.questions < 100);
	free(trace);
	return 0;
}
