/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks as real files and processes, driven as the supervisor's loop drives them. */
#ifndef HAIRPIN_TESTS_HOOKS_ROOM_H
#define HAIRPIN_TESTS_HOOKS_ROOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "hairpin/clock.h"
#include "hairpin/json.h"
#include "hairpin/hooks.h"
#include "hairpin/log.h"
#include "scratch.h"

static struct scratch scratch;		/* hooks/ and what they write */
static struct hooks hooks;
static int64_t now_ms;			/* of the hooks: it stands still, however slow they are */
static struct message_reply replies[32];
static size_t reply_count;
static struct message_hook_result results[128];
static size_t result_count;
static int log_lines;			/* a pipe: what the log says */
static char log_text[256 * 1024];
static size_t log_length;
static int real_stderr;

static void keep_result(void *context, const struct message_hook_result *result)
{
	assert_ptr_equal(context, &scratch);
	assert_true(message_to_core_ok(result, message_hook_result_bytes(result)));
	assert_true(result_count < sizeof(results) / sizeof(results[0]));
	results[result_count++] = *result;
}

static void count_reply(void *context, const struct message_reply *reply)
{
	assert_ptr_equal(context, &scratch);
	replies[reply_count++] = *reply;
}

static inline int setup(void **state)
{
	int pipes[2];
	char path[128];

	(void)state;
	if (scratch_new(&scratch) < 0 || mkdirat(scratch.fd, "hooks", 0755) < 0 ||
	    pipe2(pipes, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	real_stderr = dup(STDERR_FILENO);
	dup2(pipes[1], STDERR_FILENO);
	close(pipes[1]);
	log_lines = pipes[0];
	log_length = 0;
	log_text[0] = '\0';
	log_open("test", LOG_TO_STDERR, LOG_INFO);
	reply_count = result_count = 0;
	now_ms = clock_now_ms();
	hooks_init(&hooks, keep_result, count_reply, &scratch);
	hooks_set(&hooks, scratch_path(&scratch, "hooks", path), 30000, (uid_t)-1,
		  (gid_t)-1);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	hooks_kill(&hooks);
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(log_lines);
	scratch_done(&scratch);
	return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0
								   : -1; /* no zombie */
}

static void read_log(void)
{
	ssize_t got;

	while ((got = read(log_lines, log_text + log_length,
			   sizeof(log_text) - 1 - log_length)) > 0)
		log_length += (size_t)got;
	log_text[log_length] = '\0';
}

static inline unsigned log_count(const char *word)
{
	unsigned count = 0;

	read_log();
	for (const char *at = log_text; (at = strstr(at, word)); at += strlen(word))
		count++;
	return count;
}

/* As the loop does it, so much later. */
static inline void turn(int64_t ahead_ms)
{
	struct pollfd wait = { .fd = hooks_fd(&hooks), .events = POLLIN };
	siginfo_t info = { .si_pid = 0 };
	int status;

	if (poll(&wait, 1, 5) > 0)
		hooks_readable(&hooks);
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
		bool ours = hooks_ended(&hooks, info.si_pid);

		assert_int_equal(waitpid(info.si_pid, &status, 0), info.si_pid);
		if (ours)
			hooks_reaped(&hooks, status, now_ms + ahead_ms);
	}
	hooks_tick(&hooks, now_ms + ahead_ms);
	read_log();
}

static inline void run_until(size_t count)
{
	int64_t end_ms = clock_now_ms() + scratch_patience_ms();

	while (reply_count < count && clock_now_ms() < end_ms)
		turn(0);
	assert_int_equal(reply_count, count);
}

static struct message_hook event(uint32_t number)
{
	struct message_hook event = {
		.head = { MESSAGE_HOOK_RUN, number }, .event = MESSAGE_EVENT_ADDRESS,
		.rules = 12, .generation = 4, .family = AF_INET,
		.wan = "fibre", .interface = "ppp0", .reason = "new address",
	};

	assert_true(addr_parse("81.2.69.1", &event.old));
	assert_true(addr_parse("81.2.69.7", &event.new));
	return event;
}

static inline void push(uint32_t number)
{
	struct message_hook pushed = event(number);

	assert_int_equal(hooks_push(&hooks, &pushed, now_ms), 0);
}

/* A script that writes where the test finds it. */
static inline void hook(const char *name, const char *body, mode_t mode)
{
	char file[64], text[2048];

	snprintf(file, sizeof(file), "hooks/%s", name);
	snprintf(text, sizeof(text), "#!/bin/sh\nout=%s\n%s\n", scratch.path, body);
	scratch_write(&scratch, file, text, mode);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
