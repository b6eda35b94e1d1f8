/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Somebody else than hairpind answers at its socket, or a core that was taken over: who runs
 * hooks runs those of its own configuration, at a pace, and still does what it is told to.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "ctl/run.h"
#include "figure.h"
#include "hairpin/channel.h"
#include "hairpin/clock.h"
#include "hairpin/control.h"
#include "hairpin/message.h"
#include "hairpin/unixsock.h"
#include "scratch.h"

static struct scratch scratch;
static pid_t runner;
static int listener;

static int setup(void **state)
{
	char path[128], text[512];
	struct err err;

	(void)state;
	if (scratch_new(&scratch) < 0 || mkdirat(scratch.fd, "hooks", 0755) < 0)
		return -1;
	unsetenv("NOTIFY_SOCKET");
	snprintf(text, sizeof(text), "{\"hooks\":{\"directory\":\"%s/hooks\"}}",
		 scratch.path);
	scratch_write(&scratch, "config.json", text, 0600);
	snprintf(text, sizeof(text), "#!/bin/sh\necho \"$#:$1\" >> %s/ran\n", scratch.path);
	scratch_write(&scratch, "hooks/10", text, 0755);
	runner = 0;
	return unixsock_listen(scratch_path(&scratch, "control.sock", path), (gid_t)-1,
			       &listener, &err);
}

static int runner_status(void)
{
	int status = -1;

	while (waitpid(runner, &status, 0) < 0 && errno == EINTR)
		;
	runner = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int teardown(void **state)
{
	(void)state;
	if (runner) {
		kill(runner, SIGKILL);
		(void)runner_status();
	}
	close(listener);
	scratch_done(&scratch);
	return 0;
}

static int run_it(void)
{
	static const char *const catalogue[] = { "conf/providers", NULL };
	char socket_path[128], config[128], log[128];
	struct ctl_options options = {
		.socket_path = scratch_path(&scratch, "control.sock", socket_path),
		.look = { .config_path = scratch_path(&scratch, "config.json", config),
			  .catalogue = catalogue },
	};

	dup2(open(scratch_path(&scratch, "log", log), O_WRONLY | O_CREAT | O_APPEND, 0600),
	     STDERR_FILENO);
	close(listener);
	return run_hooks(&options);
}

static void start_runner(void)
{
	runner = fork();
	if (runner == 0)
		_exit(run_it());
	assert_true(runner > 0);
}

/* The next claim is answered, and this descriptor handed over as its channel. */
static void hand_over(int channel)
{
	static const char answer[] = "{\"version\":\"" HAIRPIN_VERSION "\"}\n";
	struct pollfd wait = { .fd = listener, .events = POLLIN };
	char request[256];
	int client;

	assert_int_equal(poll(&wait, 1, scratch_patience_ms()), 1);
	client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(client >= 0);
	assert_true(recv(client, request, sizeof(request), 0) > 0);
	assert_int_equal(channel_send(client, answer, sizeof(answer) - 1, channel), 0);
	close(client);
}

/* Our end of a channel whose other end it has. */
static int channel_to_it(void)
{
	int ends[2];

	assert_int_equal(channel_pair(ends), 0);
	hand_over(ends[1]);
	close(ends[1]);
	return ends[0];
}

static struct message_hooks how(const char *directory)
{
	struct message_hooks how = { .head.type = MESSAGE_HOOKS, .timeout_ms = 30000 };

	snprintf(how.directory, sizeof(how.directory), "%s", directory);
	return how;
}

static struct message_hook an_event(const char *only)
{
	struct message_hook event = { .head = { MESSAGE_HOOK_RUN, 1 },
				      .event = MESSAGE_EVENT_ADDRESS, .wan = "wan",
				      .reason = "$(touch /run/x)" };

	strcpy(event.only, only);
	return event;
}

static bool in_log(const char *words)
{
	char text[65536];

	return strstr(scratch_read(&scratch, "log", text, sizeof(text)), words);
}

/* Another directory, and another user where it could become one: it leaves, with a sentence. */
static void other_hooks_are_refused(void **state)
{
	char text[64], path[128];
	struct message_hooks wrong[] = {
		how("/bin"), how("/usr/bin/../bin\033]0;x\a"),
		how(scratch_path(&scratch, "hooks", path)),
	};
	struct message_hook event = an_event("true");
	unsigned refused = 0;

	(void)state;
	strcpy(wrong[2].user, "daemon");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int channel;

		start_runner();
		channel = channel_to_it();
		assert_int_equal(channel_send(channel, &wrong[i], sizeof(wrong[i]), -1), 0);
		if (channel_send(channel, &event, sizeof(event), -1) < 0)
			print_message("# it had left already\n");
		refused += runner_status() == CTL_FAILED;
		close(channel);
	}
	assert_true(in_log("the daemon wants those of /bin run"));
	assert_false(in_log("\033"));
	assert_false(in_log("hook true"));
	assert_string_equal(scratch_read(&scratch, "ran", text, sizeof(text)), "");
	figure_exactly("S37", "directories and users of hooks that only a lying daemon names: "
		       "refused of 3", refused, 3);
}

static bool has_run(void)
{
	char text[64];

	return strchr(scratch_read(&scratch, "ran", text, sizeof(text)), '\n');
}

/*
 * For two seconds, and until a hook was run, as much as is taken, reading nothing; how much
 * is beyond 50 a second.
 */
static long flood(int channel, const struct message_hooks *right)
{
	struct message_hook events[] = { an_event(""), an_event("10"), an_event("sh") };
	int64_t begin_ms = clock_now_ms();
	int few = 1;
	long said = 0;

	(void)setsockopt(channel, SOL_SOCKET, SO_SNDBUF, &few, sizeof(few));
	while (clock_now_ms() - begin_ms < 2000 || !has_run()) {
		int rc = said % 4 == 3
				 ? channel_send(channel, right, sizeof(*right), -1)
				 : channel_send(channel, &events[said % 4], sizeof(*events),
						STDERR_FILENO);

		if (rc == 0)
			said++;
		else
			usleep(1000);
		assert_true(clock_now_ms() - begin_ms < scratch_patience_ms());
	}
	return said - (long)(clock_now_ms() - begin_ms) / 20;
}

static long flooded_beyond;

static long leave_flooded(void)
{
	char path[128];
	struct message_hooks right = how(scratch_path(&scratch, "hooks", path));
	int64_t begin_ms;
	int channel;

	start_runner();
	channel = channel_to_it();
	/* The smallest buffer is smaller than how hooks are run. */
	assert_int_equal(channel_send(channel, &right, sizeof(right), -1), 0);
	flooded_beyond = flood(channel, &right);
	begin_ms = clock_now_ms();
	kill(runner, SIGTERM);
	assert_int_equal(runner_status(), CTL_DONE);
	close(channel);
	return (long)(clock_now_ms() - begin_ms);
}

static void flood_is_bounded(void **state)
{
	char text[65536], *at;
	long wrong = 0;

	(void)state;
	figure_at_most("S37", "milliseconds until who runs hooks has left, flooded with "
		       "events", figure_least(leave_flooded, 5000), 5000);
	figure_at_most("S37", "messages that it takes of a flood, beyond 50 a second",
		       flooded_beyond, 500 + 20);
	scratch_read(&scratch, "ran", text, sizeof(text));
	assert_true(strstr(text, "1:address\n"));
	for (at = text; *at; at += strcspn(at, "\n") + 1)
		wrong += strncmp(at, "1:address\n", 10) != 0;
	figure_exactly("S37", "hooks run with something else than the event's name, or not "
		       "configured", wrong + in_log("hook sh:"), 0);
}

/* What it is handed is no channel: it asks again, and leaves when it is told to. */
static void strange_channels(void **state)
{
	int pair[2], pipes[2], zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	char bytes[512] = "";

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	start_runner();
	hand_over(zero);
	assert_int_equal(write(pipes[1], bytes, sizeof(bytes)), sizeof(bytes));
	hand_over(pipes[0]);
	assert_int_equal(write(pair[1], bytes, sizeof(bytes)), sizeof(bytes));
	hand_over(pair[0]);
	close(channel_to_it());
	figure_holds("S37", "who runs hooks claims them again, handed /dev/zero, a pipe, a "
		     "stream for a channel", waitpid(runner, NULL, WNOHANG) == 0);
	close(channel_to_it());
	kill(runner, SIGTERM);
	assert_int_equal(runner_status(), CTL_DONE);
	close(pair[0]);
	close(pair[1]);
	close(pipes[0]);
	close(pipes[1]);
	close(zero);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(other_hooks_are_refused),
		TEST(flood_is_bounded),
		TEST(strange_channels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
