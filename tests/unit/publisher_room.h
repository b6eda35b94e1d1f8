/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A core with a publisher that the test plays. */
#ifndef HAIRPIN_TESTS_PUBLISHER_ROOM_H
#define HAIRPIN_TESTS_PUBLISHER_ROOM_H

#include "core_room.h"

struct publisher_room {
	struct room room;
	int far;			/* the publisher's end; -1: none runs */
	struct message_job job;		/* the last one taken */
};

static struct publisher_room *all;

static inline void turn(void)
{
	publisher_turn(&all->room.core, kernel.now_ms);
}

/* The supervisor's request for a publisher; 0: there is none. */
static inline uint32_t asked(void)
{
	struct message message;

	turn();
	if (!room_hear(&all->room, MESSAGE_PUBLISHER_START, &message, sizeof(message)))
		return 0;
	return message.number;
}

static inline void start(uint32_t number)
{
	struct message_reply reply = { .head = { MESSAGE_PUBLISHER, number } };
	int ends[2];

	assert_int_equal(channel_pair(ends), 0);
	publisher_take(&all->room.core, &reply, ends[0], kernel.now_ms);
	all->far = ends[1];
}

static inline void die(void)
{
	close(all->far);
	all->far = -1;
	publisher_readable(&all->room.core, kernel.now_ms);
}

/* The next job the publisher finds, checked as it does; false: none. */
static inline bool take_job(void)
{
	ssize_t got;

	turn();
	/* of the log's level it may be told first: here silence, which no core asks for */
	do
		got = channel_receive(all->far, &all->job, sizeof(all->job), NULL);
	while (got == sizeof(struct message_level) && all->job.head.type == MESSAGE_LEVEL);
	if (got == 0) {		/* it is sent home */
		close(all->far);
		all->far = -1;
	}
	assert_true(got <= 0 || message_job_ok(&all->job, (size_t)got));
	return got > 0;
}

static inline void answer(enum message_verdict verdict, const char *address)
{
	struct message_result result = {
		.head = { MESSAGE_RESULT, all->job.head.number },
		.record = all->job.records[0].record, .verdict = verdict, .ttl_s = 60,
	};

	if (address) {
		result.addresses[0] = fake_addr(address);
		result.address_count = 1;
	}
	assert_int_equal(channel_send(all->far, &result, sizeof(result), -1), 0);
	publisher_readable(&all->room.core, kernel.now_ms);
}

static inline enum record_state state_now(void)
{
	return schedule_record(all->room.core.schedule, 0)->record.state;
}

static inline int begin(void **state)
{
	(void)state;
	all = calloc(1, sizeof(*all));
	all->far = -1;
	room_begin(&all->room);
	log_set_level(LOG_EMERG);
	room_ppp("81.2.69.7");
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	room_end(&all->room);
	if (all->far >= 0)
		close(all->far);
	free(all);
	return 0;
}

static inline void next_job(enum message_job_kind kind)
{
	for (int i = 0; i < 10000 && !take_job(); i++) {
		room_wait(1000);
		if (all->room.core.publisher.state == PUBLISHER_ASKED)
			start(all->room.core.publisher.number);
	}
	assert_int_equal(all->job.kind, kind);
}

#define PUBLISHER_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
