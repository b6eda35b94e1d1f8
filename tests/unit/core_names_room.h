/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A core whose rules are one set named "dns:web.test", of one element, with the publisher's
 * end of its channel in the test's hand.
 */
#ifndef TESTS_CORE_NAMES_ROOM_H
#define TESTS_CORE_NAMES_ROOM_H

#include "core_room.h"
#include "scratch.h"

static struct room room;
static struct scratch scratch;
static int far = -1;			/* the publisher's end */
static struct message_job job;		/* the last one taken */

static inline void room_new(int state_directory)
{
	room_kernel_clear();
	room_begin_with(&room, room_config(0), state_directory);
	strcpy(room.core.config->nat.names, "dns:");
	strcpy(room.core.config->hooks.directory, "");
	log_set_level(LOG_EMERG);
	room_ppp("81.2.69.7");
	fake_rule("dns:web.test", "192.0.2.1");
}

static inline int begin(void **state)
{
	(void)state;
	assert_int_equal(scratch_new(&scratch), 0);
	room_new(scratch.fd);
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	room_end(&room);
	if (far >= 0)
		close(far);
	far = -1;
	scratch_done(&scratch);
	return 0;
}

static inline int64_t turn(void)
{
	return core_turn(&room.core, kernel.now_ms);
}

static inline bool publisher_is_asked_for(struct message *message)
{
	return room_hear(&room, MESSAGE_PUBLISHER_START, message, sizeof(struct message));
}

static inline void start_publisher(void)
{
	struct message_reply reply = { .head = { MESSAGE_PUBLISHER, 0 } };
	struct message message;
	int ends[2];

	assert_true(publisher_is_asked_for(&message));
	reply.head.number = message.number;
	assert_int_equal(channel_pair(ends), 0);
	publisher_take(&room.core, &reply, ends[0], kernel.now_ms);
	far = ends[1];
}

static inline bool take_job(void)
{
	ssize_t got;

	turn();
	if (room.core.publisher.state == PUBLISHER_ASKED) {
		start_publisher();
		turn();
	}
	/* of the log's level it may be told first: here silence, which no core asks for */
	do
		got = far < 0 ? -EAGAIN : channel_receive(far, &job, sizeof(job), NULL);
	while (got == sizeof(struct message_level) && job.head.type == MESSAGE_LEVEL);
	if (got < 0)
		return false;
	assert_true(message_job_ok(&job, (size_t)got));
	assert_int_equal(job.kind, MESSAGE_RESOLVE);
	return true;
}

static inline void say(enum message_verdict verdict, const char *address, uint32_t ttl_s)
{
	struct message_result result = {
		.head = { MESSAGE_RESULT, job.head.number },
		.record = job.records[0].record, .verdict = verdict, .ttl_s = ttl_s,
	};

	if (address) {
		result.addresses[0] = fake_addr(address);
		result.address_count = 1;
	}
	assert_int_equal(channel_send(far, &result, sizeof(result), -1), 0);
	publisher_readable(&room.core, kernel.now_ms);
}

/* The next question and its answer, and what the core makes of it. */
static inline void answer(enum message_verdict verdict, const char *address, uint32_t ttl_s)
{
	int64_t due_ms = names_due_ms(&room.core.names);

	if (due_ms != INT64_MAX && due_ms > kernel.now_ms)
		room_wait(due_ms - kernel.now_ms);
	assert_true(take_job());
	say(verdict, address, ttl_s);
	turn();
}

#define NAMES_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
