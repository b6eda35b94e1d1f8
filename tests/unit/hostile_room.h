/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A core in virtual time with a publisher that means harm: the WAN "fibre" with a global
 * address, the WAN "cable" whose address two web services are asked for, three records,
 * and the name web.test. What is logged is counted per hour and subject.
 */
#ifndef TESTS_HOSTILE_ROOM_H
#define TESTS_HOSTILE_ROOM_H

#include <dirent.h>

#include "core_room.h"
#include "figure.h"
#include "supervisor/state.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
enum { SUBJECTS_MAX = 32, CABLE_LINK = 8 };

struct subject {
	char name[64];
	unsigned lines;			/* of this hour */
};

static struct hostile_room {
	struct room room;
	struct supervisor supervisor;	/* only what it knows of the publisher's deaths */
	struct room_log log;
	off_t log_read;
	struct subject subjects[SUBJECTS_MAX];
	unsigned lines_most;		/* of one subject in one hour */
	char lines_of[64];
	int far;			/* the publisher's end; -1: none runs */
	unsigned starts, starts_of_hour, starts_most;
	unsigned ends;			/* times the supervisor was told to kill it */
	struct message_job job;		/* the last one taken */
	uint64_t seed;
} *hostile;

static inline uint32_t hostile_dice(uint32_t below)
{
	hostile->seed = hostile->seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(hostile->seed >> 33) % below;
}

static inline struct config *hostile_config(void)
{
	struct config *config = room_config(3);
	struct config_outside *outside = calloc(1, sizeof(*outside));

	outside->place_count = outside->agree = 2;
	strcpy(outside->places[0].where, "https://a.example.net/");
	strcpy(outside->places[1].where, "https://b.example.net/");
	config->wan_count = 2;
	config->wans[1] = (struct config_wan){
		.name = "cable", .interface = "eth1", .tag = strdup("cable"),
		.ipv4 = CONFIG_HTTP, .outside4 = outside, .grace_ms = 2000,
	};
	strcpy(config->nat.names, "dns:");
	config->hooks.directory[0] = '\0';
	return config;
}

static inline void hostile_links(const char *fibre)
{
	room_ppp(fibre);
	fake_link(CABLE_LINK, "eth1");
	fake_default(CABLE_LINK, AF_INET);
	fake_address(CABLE_LINK, "192.168.9.2");
}

static inline int hostile_begin(void **state)
{
	(void)state;
	hostile = calloc(1, sizeof(*hostile));
	hostile->far = -1;
	hostile->seed = 1;
	room_kernel_clear();
	room_begin_with(&hostile->room, hostile_config(), -1);
	hostile_links("81.2.69.7");
	fake_rule("hairpin web", "81.2.69.1");
	fake_rule("cable", "81.2.70.1");
	fake_rule("dns:web.test", "192.0.2.1");
	hostile->log = room_log_begin(LOG_NOTICE);
	return 0;
}

static inline void hostile_leave(void)
{
	if (hostile->far >= 0)
		close(hostile->far);
	hostile->far = -1;
}

static inline int hostile_end(void **state)
{
	char rest[2];

	(void)state;
	room_log_end(&hostile->log, rest, sizeof(rest));
	hostile_leave();
	room_end(&hostile->room);
	free(hostile);
	return 0;
}

/* --- the log --- */

static inline void hostile_count_line(const char *line)
{
	size_t length = strcspn(line, ":"), i = 0;
	struct subject *subject;

	/* "wan fibre: IPv4 ..." and "record home.example.org (IPv4, dyn): ..." */
	while (i < SUBJECTS_MAX - 1 && hostile->subjects[i].name[0] &&
	       (strncmp(hostile->subjects[i].name, line, length) != 0 ||
		hostile->subjects[i].name[length] != '\0'))
		i++;
	subject = &hostile->subjects[i];
	snprintf(subject->name, sizeof(subject->name), "%.*s", (int)length, line);
	if (++subject->lines <= hostile->lines_most)
		return;
	hostile->lines_most = subject->lines;
	strcpy(hostile->lines_of, subject->name);
}

static inline void hostile_read_log(void)
{
	static char text[1 << 16];
	ssize_t got = pread(hostile->log.file, text, sizeof(text) - 1, hostile->log_read);
	char *line, *rest = text;

	assert_true(got >= 0);
	hostile->log_read += got;
	text[got] = '\0';
	while ((line = strtok_r(rest, "\n", &rest)))
		hostile_count_line(line);
}

static inline void hostile_new_hour(void)
{
	for (size_t i = 0; i < SUBJECTS_MAX; i++)
		hostile->subjects[i].lines = 0;
	if (hostile->starts_of_hour > hostile->starts_most)
		hostile->starts_most = hostile->starts_of_hour;
	hostile->starts_of_hour = 0;
}

/* --- the supervisor's part --- */

static inline void hostile_start(uint32_t number)
{
	struct message_reply reply = { .head = { MESSAGE_PUBLISHER, number } };
	int ends[2];

	hostile_leave();
	assert_int_equal(channel_pair(ends), 0);
	publisher_take(&hostile->room.core, &reply, ends[0], kernel.now_ms);
	hostile->far = ends[1];
	hostile->starts++;
	hostile->starts_of_hour++;
}

static inline void hostile_supervise(void)
{
	union {
		struct message head;
		struct message_hook hook;
		struct message_notice notice;
	} said;
	ssize_t got;

	while ((got = channel_receive(hostile->room.far, &said, sizeof(said), NULL)) > 0) {
		assert_true(message_to_supervisor_ok(&said, (size_t)got));
		if (said.head.type == MESSAGE_PUBLISHER_START)
			hostile_start(said.head.number);
		hostile->ends += said.head.type == MESSAGE_PUBLISHER_END;
	}
}

/* It dies: by that signal, or with that status where it is 256 times that. */
static inline void hostile_die(int status)
{
	hostile_leave();
	publisher_readable(&hostile->room.core, kernel.now_ms);
	publisher_died(&hostile->supervisor, status, kernel.now_ms);
}

/* --- the publisher's part --- */

static inline void hostile_say(const struct message_result *result, size_t bytes)
{
	(void)!send(hostile->far, result, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* An answer as it should be. */
static inline struct message_result hostile_honest(uint32_t index)
{
	const struct message_job *job = &hostile->job;
	struct message_result result = {
		.head = { MESSAGE_RESULT, job->head.number },
		.record = job->records[index].record, .verdict = MESSAGE_ANSWER,
		.ttl_s = 60, .address_count = 1,
		.addresses[0] = fake_addr("45.11.1.4"),
	};

	if (job->kind == MESSAGE_RESOLVE || job->kind == MESSAGE_DISCOVER)
		return result;
	result.addresses[0] = job->records[index].address;
	if (job->kind == MESSAGE_VERIFY || job->kind == MESSAGE_UPDATE_RECORDS) {
		result.verdict = job->kind == MESSAGE_VERIFY ? MESSAGE_VERIFIED : MESSAGE_GOOD;
		return result;
	}
	result.addresses[0] = fake_addr("81.2.69.7");
	return result;
}

static inline void hostile_answer(void)
{
	for (uint32_t i = 0; i < hostile->job.record_count; i++) {
		struct message_result result = hostile_honest(i);

		hostile_say(&result, sizeof(result));
	}
}

static inline bool hostile_take_job(void)
{
	ssize_t got;

	do {
		got = hostile->far < 0 ? -1
				       : channel_receive(hostile->far, &hostile->job,
							 sizeof(hostile->job), NULL);
	} while (got > 0 && message_level_ok(&hostile->job, (size_t)got));
	assert_true(got <= 0 || message_job_ok(&hostile->job, (size_t)got));
	return got > 0;
}

/* --- both --- */

static inline void hostile_rules_hold(void)
{
	assert_addr(kernel.rules[0].address, "81.2.69.7");
	assert_true(addr_is_global(&kernel.rules[1].address));
	assert_null(names_refuse(&kernel.rules[2].address));
}

/* So much time, with a publisher that acts like this on each job, and every second. */
static inline void hostile_live(int64_t hours, void (*on_job)(void), void (*on_second)(void))
{
	int64_t began_ms = kernel.now_ms, hour = 0;

	while (kernel.now_ms < began_ms + hours * HOUR) {
		int64_t due_ms = core_turn(&hostile->room.core, kernel.now_ms);
		int64_t wait_ms = due_ms - kernel.now_ms;

		hostile_supervise();
		if (hostile_take_job()) {
			on_job();
			publisher_readable(&hostile->room.core, kernel.now_ms);
			wait_ms = 1;
		} else if (on_second && hostile->far >= 0) {
			on_second();
			publisher_readable(&hostile->room.core, kernel.now_ms);
			wait_ms = wait_ms < SECOND ? wait_ms : SECOND;
		}
		hostile_rules_hold();
		hostile_read_log();
		room_wait(wait_ms < 1 ? 1 : wait_ms > MINUTE ? MINUTE : wait_ms);
		if ((kernel.now_ms - began_ms) / HOUR > hour) {
			hour = (kernel.now_ms - began_ms) / HOUR;
			hostile_new_hour();
		}
	}
}

static inline long hostile_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	long count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

#endif
