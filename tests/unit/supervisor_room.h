/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The supervisor as a process of its own, with a core and a publisher that only write
 * down what they are told and obey a word the test leaves in a file.
 */
#ifndef HAIRPIN_TESTS_SUPERVISOR_ROOM_H
#define HAIRPIN_TESTS_SUPERVISOR_ROOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "hairpin/channel.h"
#include "hairpin/clock.h"
#include "hairpin/config.h"
#include "hairpin/message.h"
#include "hairpin/supervisor.h"
#include "hairpin/unixsock.h"
#include "scratch.h"

enum { A_LIFE_MS = 600 * 1000 };	/* of a core: no test takes as long */

static struct scratch scratch;
static pid_t supervisor;
static int (*the_core)(const struct core_options *options); /* NULL: fake_core */
static bool outside;		/* as with --outside-hooks */

/* --- the fake core --- */

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline void note(const char *format, ...)
{
	int fd = openat(scratch.fd, "notes", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			0600);
	va_list arguments;
	char line[512];
	int length;

	va_start(arguments, format);
	length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (write(fd, line, (size_t)length) < 0)
		abort();
	close(fd);
}

static inline bool told(const char *word)
{
	char text[64];

	return strcmp(scratch_read(&scratch, "orders", text, sizeof(text)), word) == 0;
}

static inline void say(int channel, enum message_type type, uint32_t number)
{
	struct message message = { type, number };

	if (channel_send(channel, &message, sizeof(message), -1) < 0)
		note("unsaid\n");
}

static inline void say_notice(int channel, bool done, int exit_status)
{
	struct message_notice notice = { .head = { MESSAGE_NOTICE, 0 },
					 .ready = 1,
					 .done = done,
					 .exit_status = (uint8_t)exit_status,
					 .status = "all well" };

	if (channel_send(channel, &notice, sizeof(notice), -1) < 0)
		note("unsaid\n");
}

static inline void say_hook(int channel)
{
	struct message_hook hook = { .head = { MESSAGE_HOOK_RUN, 7 },
				     .event = MESSAGE_EVENT_STARTUP, .wan = "wan" };

	if (channel_send(channel, &hook, sizeof(hook), -1) < 0)
		note("unsaid\n");
}

static inline void note_document(int fd, const char *what)
{
	struct config *config = NULL;
	char text[65536];
	ssize_t got = read(fd, text, sizeof(text));
	struct err err;

	if (got <= 0 || config_parse(text, (size_t)got, &config, &err) < 0) {
		note("%s unreadable\n", what);
		return;
	}
	note("%s grace=%d secret=%s\n", what, (int)config->wans[0].grace_ms,
	     strstr(text, "geheim") ? "yes" : "no");
	note("%s sealed=%s\n", what, write(fd, "x", 1) < 0 ? "yes" : "no");
	config_free(config);
}

static inline void play_with_publisher(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char text[64] = "";

	(void)poll(&wait, 1, scratch_patience_ms());
	if (channel_receive(fd, text, sizeof(text) - 1, NULL) > 0)
		note("publisher says %s\n", text);
	close(fd);
}

static inline bool core_hears(int channel)
{
	static struct message_reply reply;
	int fd = -1;
	ssize_t got = channel_receive(channel, &reply, sizeof(reply), &fd);

	if (got == -EAGAIN)
		return true;
	if (got <= 0 || !message_to_core_ok(&reply, (size_t)got)) {
		note("core: bad or no supervisor\n");
		return false;
	}
	switch (reply.head.type) {
	case MESSAGE_CONFIG:
		note("config %d number %u %s\n", reply.status, reply.head.number,
		     strstr(reply.text, "error") ? "with errors" : "");
		if (fd >= 0)
			note_document(fd, "new");
		break;
	case MESSAGE_PUBLISHER:
		note("publisher %d number %u\n", reply.status, reply.head.number);
		if (fd >= 0)
			play_with_publisher(fd);
		fd = -1;
		break;
	case MESSAGE_HOOK_DONE:
		note("hook done %u ran %u\n", reply.head.number, reply.ran);
		break;
	case MESSAGE_LOOK:
		note("look\n");
		break;
	case MESSAGE_UPDATE:
		note("update\n");
		break;
	case MESSAGE_STOP:
		note("stop\n");
		return told("deaf");
	}
	if (fd >= 0)
		close(fd);
	return true;
}

static inline void core_begins(const struct core_options *options)
{
	int signals_pending = 0;

	note("core %d mode %d state %d control %d\n", (int)getpid(), (int)options->mode,
	     options->state_directory >= 0, options->control >= 0);
	note_document(options->config, "first");
	if (prctl(PR_GET_PDEATHSIG, &signals_pending) == 0)
		note("death signal %d dumpable %d\n", signals_pending,
		     prctl(PR_GET_DUMPABLE));
}

static inline int fake_core(const struct core_options *options)
{
	static const char *const orders[] = { "publish", "hook", "reload", "nonsense" };
	int64_t end_ms = clock_now_ms() + A_LIFE_MS;
	bool obeyed[4] = { false };

	core_begins(options);
	if (told("die"))
		return 9;
	say_notice(options->supervisor, false, 0);
	while (clock_now_ms() < end_ms) {
		struct pollfd wait = { .fd = options->supervisor, .events = POLLIN };

		if (poll(&wait, 1, 20) > 0 && !core_hears(options->supervisor))
			return 0;
		if (options->mode == CORE_ONCE) {
			say_notice(options->supervisor, true, 1);
			return 1;
		}
		for (int i = 0; i < 4; i++) {
			if (obeyed[i] || !told(orders[i]))
				continue;
			obeyed[i] = true;
			if (i == 0)
				say(options->supervisor, MESSAGE_PUBLISHER_START, 41);
			else if (i == 1)
				say_hook(options->supervisor);
			else if (i == 2)
				say(options->supervisor, MESSAGE_RELOAD, 42);
			else
				say(options->supervisor, (enum message_type)99, 0);
		}
	}
	return 8;
}

/* --- the test's side --- */

static inline void write_config(const char *grace)
{
	char text[2048];

	snprintf(text, sizeof(text),
		 "{\"wans\":[{\"interface\":\"lo\",\"grace\":\"%s\"}],"
		 "\"providers\":[{\"type\":\"dyndns2\",\"server\":\"dyn.example.org\","
		 "\"username\":\"me\",\"password\":{\"env\":\"HAIRPIN_TEST_SECRET\"},"
		 "\"hostnames\":[\"me.example.org\"]}],"
		 "\"hooks\":{\"directory\":\"%s/hooks\"},"
		 "\"control\":{\"socket\":\"%s/run/control.sock\",\"group\":\"\"},"
		 "\"state\":{\"directory\":\"%s/state\"}}",
		 grace, scratch.path, scratch.path, scratch.path);
	scratch_write(&scratch, "config.json", text, 0600);
}

static inline int run_supervisor(enum core_mode mode)
{
	const char *const catalogue[] = { "conf/providers", NULL };
	char config[128], publisher[128], log[128];
	struct supervisor_options options = {
		.mode = mode,
		.config_path = scratch_path(&scratch, "config.json", config),
		.catalogue = catalogue,
		.publisher_path = scratch_path(&scratch, "publisher", publisher),
		.hooks_outside = outside,
		.log_level = -1,
		.run_core = the_core ? the_core : fake_core,
	};

	dup2(open(scratch_path(&scratch, "log", log), O_WRONLY | O_CREAT | O_APPEND,
		  0600),
	     2);
	return supervisor_run(&options);
}

static inline void start(enum core_mode mode)
{
	supervisor = fork();
	if (supervisor == 0)
		_exit(run_supervisor(mode));
	assert_true(supervisor > 0);
}

static inline int setup(void **state)
{
	(void)state;
	if (scratch_new(&scratch) < 0 || mkdirat(scratch.fd, "hooks", 0755) < 0)
		return -1;
	unsetenv("NOTIFY_SOCKET");
	write_config("2s");
	scratch_write(&scratch, "publisher", "#!/bin/sh\nprintf hello >&3\n", 0755);
	supervisor = 0;
	return 0;
}

static inline int wait_for_end(void)
{
	int status = -1;

	while (waitpid(supervisor, &status, 0) < 0 && errno == EINTR)
		;
	supervisor = 0;
	return status;
}

static inline int teardown(void **state)
{
	(void)state;
	if (supervisor) {
		kill(supervisor, SIGKILL);
		wait_for_end();
	}
	scratch_done(&scratch);
	return 0;
}

/* How often the notes hold the words. */
static inline unsigned noted(const char *words)
{
	static char text[65536];
	unsigned count = 0;

	scratch_read(&scratch, "notes", text, sizeof(text));
	for (const char *at = text; (at = strstr(at, words)); at += strlen(words))
		count++;
	return count;
}

static inline void wait_note(const char *words, unsigned count)
{
	int64_t end_ms = clock_now_ms() + scratch_patience_ms();

	while (noted(words) < count && clock_now_ms() < end_ms)
		usleep(10000);
	if (noted(words) < count) {
		char text[8192];

		print_message("notes: %s\n",
			      scratch_read(&scratch, "notes", text, sizeof(text)));
		print_message("log: %s\n",
			      scratch_read(&scratch, "log", text, sizeof(text)));
		fail_msg("never noted: %s", words);
	}
}

static inline pid_t core_pid(void)
{
	char text[65536], *at, *last = NULL;

	scratch_read(&scratch, "notes", text, sizeof(text));
	for (at = text; (at = strstr(at, "core ")); at++)
		last = at;
	return last ? atoi(last + 5) : 0;
}

static inline bool in_log(const char *words)
{
	char text[65536];

	return strstr(scratch_read(&scratch, "log", text, sizeof(text)), words);
}

static inline void order(const char *word)
{
	scratch_write(&scratch, "orders.new", word, 0600);
	assert_int_equal(renameat(scratch.fd, "orders.new", scratch.fd, "orders"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
