/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks as real files and processes, driven as the supervisor's loop drives them. */
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
#include "hairpin/log.h"
#include "supervisor/hooks.h"
#include "scratch.h"

static struct scratch scratch;		/* hooks/ and what they write */
static struct hooks hooks;
static struct message_reply replies[32];
static size_t reply_count;
static int log_lines;			/* a pipe: what the log says */
static char log_text[256 * 1024];
static size_t log_length;
static int real_stderr;

static void count_reply(void *context, const struct message_reply *reply)
{
	assert_ptr_equal(context, &scratch);
	replies[reply_count++] = *reply;
}

static int setup(void **state)
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
	reply_count = 0;
	hooks_init(&hooks, count_reply, &scratch);
	hooks_set(&hooks, scratch_path(&scratch, "hooks", path), 30000, (uid_t)-1,
		  (gid_t)-1);
	return 0;
}

static int teardown(void **state)
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

static unsigned log_count(const char *word)
{
	unsigned count = 0;

	read_log();
	for (const char *at = log_text; (at = strstr(at, word)); at += strlen(word))
		count++;
	return count;
}

/* As the loop does it, but the clock may be pushed ahead. */
static void turn(int64_t ahead_ms)
{
	int64_t now_ms = clock_now_ms() + ahead_ms;
	struct pollfd wait = { .fd = hooks_fd(&hooks), .events = POLLIN };
	siginfo_t info = { .si_pid = 0 };
	int status;

	if (poll(&wait, 1, 5) > 0)
		hooks_readable(&hooks);
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
		bool ours = hooks_ended(&hooks, info.si_pid);

		assert_int_equal(waitpid(info.si_pid, &status, 0), info.si_pid);
		if (ours)
			hooks_reaped(&hooks, status, now_ms);
	}
	hooks_tick(&hooks, now_ms);
	read_log();
}

static void run_until(size_t count)
{
	int64_t end_ms = clock_now_ms() + 20000;

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

static void push(uint32_t number)
{
	struct message_hook pushed = event(number);

	assert_int_equal(hooks_push(&hooks, &pushed, clock_now_ms()), 0);
}

/* A script that writes where the test finds it. */
static void hook(const char *name, const char *body, mode_t mode)
{
	char file[64], text[2048];

	snprintf(file, sizeof(file), "hooks/%s", name);
	snprintf(text, sizeof(text), "#!/bin/sh\nout=%s\n%s\n", scratch.path, body);
	scratch_write(&scratch, file, text, mode);
}

static void in_order_of_names(void **state)
{
	char text[256];

	(void)state;
	hook("20-b", "echo b $1 >> $out/log", 0755);
	hook("10-a", "echo a $1 >> $out/log", 0755);
	hook("30-c.bak", "echo no >> $out/log", 0755);
	hook("40-d~", "echo no >> $out/log", 0755);
	hook("50-plain", "echo no >> $out/log", 0644);
	assert_int_equal(mkdirat(scratch.fd, "hooks/60-dir", 0755), 0);
	push(9);
	run_until(1);
	assert_string_equal(scratch_read(&scratch, "log", text, sizeof(text)),
			    "a address\nb address\n");
	assert_int_equal(replies[0].head.type, MESSAGE_HOOK_DONE);
	assert_int_equal(replies[0].head.number, 9);
	assert_int_equal(replies[0].ran, 2);
	assert_int_equal(replies[0].failed, 0);
	assert_true(message_to_core_ok(&replies[0], sizeof(replies[0])));
	assert_int_equal(log_count("50-plain is not executable"), 1);
}

static void no_directory_no_hooks(void **state)
{
	(void)state;
	hooks_set(&hooks, "", 1000, (uid_t)-1, (gid_t)-1);
	push(1);
	hooks_set(&hooks, "/no/such/directory", 1000, (uid_t)-1, (gid_t)-1);
	push(2);
	assert_int_equal(reply_count, 2);
	assert_int_equal(replies[1].ran + replies[1].failed, 0);
	assert_int_equal(replies[1].status, 0);
}

/* Byte by byte what SPEC allows, whatever else our own environment holds. */
static void environment_is_the_list(void **state)
{
	static const char wanted[] =
		"HAIRPIN_EVENT=address\nHAIRPIN_FAMILY=ipv4\nHAIRPIN_GENERATION=4\n"
		"HAIRPIN_HOSTNAME=\nHAIRPIN_INTERFACE=ppp0\nHAIRPIN_IPV4=\nHAIRPIN_IPV6="
		"\n"
		"HAIRPIN_MESSAGE=\nHAIRPIN_NEW=81.2.69.7\nHAIRPIN_OLD=81.2.69.1\n"
		"HAIRPIN_PROVIDER=\nHAIRPIN_REASON=new address\nHAIRPIN_RULES=12\n"
		"HAIRPIN_WAN=fibre\nLANG=C\nPATH=/usr/bin:/bin\nTZ=UTC\n";
	char text[2048], *old_path = strdup(getenv("PATH"));

	(void)state;
	setenv("DYN_PASSWORD", "secret", 1);
	setenv("PATH", "/usr/bin:/bin", 1);
	setenv("LANG", "C", 1);
	setenv("TZ", "UTC", 1);
	hook("env", "tr '\\0' '\\n' < /proc/$$/environ | LC_ALL=C sort > $out/env", 0755);
	push(1);
	run_until(1);
	setenv("PATH", old_path, 1);
	unsetenv("TZ");
	unsetenv("DYN_PASSWORD");
	free(old_path);
	assert_string_equal(scratch_read(&scratch, "env", text, sizeof(text)), wanted);
}

static void strange_values_are_only_values(void **state)
{
	struct message_hook pushed = event(1);
	struct json_error error;
	char text[4096];
	struct json *root;

	(void)state;
	strcpy(pushed.wan, "$(touch x)`touch y`;\n\x1b[31m\"");
	strcpy(pushed.interface, "-rf\xff%s");
	strcpy(pushed.message, "a\\x0ab\"c");
	hook("values", "cat > $out/json; printf '%s' \"$HAIRPIN_WAN\" > $out/wan; "
	     "printf '%s' \"$HAIRPIN_MESSAGE\" > $out/message", 0755);
	assert_int_equal(hooks_push(&hooks, &pushed, clock_now_ms()), 0);
	run_until(1);
	assert_int_equal(replies[0].failed, 0);
	scratch_read(&scratch, "wan", text, sizeof(text));
	assert_string_equal(text, "$(touch x)`touch y`;\\x0a\\x1b[31m\"");
	assert_string_equal(scratch_read(&scratch, "message", text, sizeof(text)), "a\\x0"
										   "ab\""
										   "c");
	scratch_read(&scratch, "json", text, sizeof(text));
	assert_non_null(strchr(text, '\n'));
	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);	/* one line */
	root = json_parse(text, strlen(text), false, &error);
	assert_non_null(root);
	assert_string_equal(json_string(json_get(root, "message")), "a\\x0ab\"c");
	assert_string_equal(json_string(json_get(root, "interface")), "-rf\\xff%s");
	assert_string_equal(json_string(json_get(root, "new")), "81.2.69.7");
	json_free(root);
	assert_int_equal(access("/x", F_OK), -1);
	assert_int_equal(faccessat(scratch.fd, "x", F_OK, 0), -1);
}

static void clean_child(void **state)
{
	char text[4096];

	(void)state;
	hook("child",
	     "cat /proc/self/status > $out/status; ps -o sid= -p $$ | tr -d ' ' > "
	     "$out/sid;"
	     " echo $$ > $out/pid; pwd > $out/cwd; ls -l /proc/$$/fd > $out/fds",
	     0755);
	push(1);
	run_until(1);
	scratch_read(&scratch, "status", text, sizeof(text));
	assert_non_null(strstr(text, "CapPrm:\t0000000000000000"));
	assert_non_null(strstr(text, "SigBlk:\t0000000000000000"));
	assert_string_equal(scratch_read(&scratch, "cwd", text, sizeof(text)), "/\n");
	scratch_read(&scratch, "fds", text, sizeof(text));
	assert_null(strstr(text, "socket"));
	assert_null(strstr(text, "memfd"));
}

/* A filled pipe to the log's reader would hide lines: the flood must not reach it. */
static void flood_is_bounded(void **state)
{
	struct rusage before, after;

	(void)state;
	getrusage(RUSAGE_SELF, &before);
	hook("10-flood", "head -c 100000000 /dev/zero | tr '\\0' x", 0755);
	hook("20-lines", "yes line | head -n 100000 >&2", 0755);
	hook("30-binary", "head -c 3000 /dev/urandom", 0755);
	push(1);
	run_until(1);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(replies[0].ran, 3);
	assert_int_equal(replies[0].failed, 0);
	assert_true(log_count("hook 20-lines: line") <= HOOKS_OUTPUT_LINES);
	assert_true(log_count("hook 20-lines: line") >= 1);
	assert_true(log_count("hook 10-flood:") <= HOOKS_OUTPUT_LINES + 2);
	assert_int_equal(log_count("the rest is dropped"), 2);
	for (size_t i = 0; i < log_length; i++)
		assert_true(log_text[i] == '\n' || (unsigned char)log_text[i] >= 0x20);
	assert_true(after.ru_maxrss - before.ru_maxrss < 4096);
}

static void failures_are_counted(void **state)
{
	(void)state;
	hook("10-exit", "echo oops; exit 3", 0755);
	hook("20-signal", "kill -SEGV $$", 0755);
	scratch_write(&scratch, "hooks/30-text", "echo no interpreter\n", 0755);
	scratch_write(&scratch, "hooks/40-arch", "\x7f" "ELF nonsense", 0755);
	scratch_write(&scratch, "hooks/50-gone", "#!/no/such/interpreter\n", 0755);
	hook("60-fine", "true", 0755);
	push(5);
	run_until(1);
	assert_int_equal(replies[0].ran, 6);
	assert_int_equal(replies[0].failed, 5);
	assert_string_equal(replies[0].text, "hook 10-exit: exit status 3");
	assert_true(message_to_core_ok(&replies[0], sizeof(replies[0])));
	assert_int_equal(log_count("hook 10-exit: oops"), 1);
	assert_int_equal(log_count("hook 20-signal: killed by signal 11"), 1);
	assert_true(log_count("hook 30-text: cannot run") == 1);
}

static void untrusted_files_are_refused(void **state)
{
	char path[128];

	(void)state;
	hook("10-group", "touch $out/ran", 0775);
	hook("20-others", "touch $out/ran", 0757);
	hook("target", "touch $out/ran", 0644);
	assert_int_equal(symlinkat("target", scratch.fd, "hooks/30-link"), 0);
	assert_int_equal(mkfifo(scratch_path(&scratch, "hooks/40-fifo", path), 0755), 0);
	push(1);
	run_until(1);
	assert_int_equal(replies[0].ran, 0);
	assert_int_equal(replies[0].failed, 3);
	assert_int_equal(log_count("others may write it"), 2);
	assert_int_equal(log_count("symbolic link"), 1);
	assert_int_equal(faccessat(scratch.fd, "ran", F_OK, 0), -1);
	if (geteuid() != 0)
		return;
	hook("10-group", "touch $out/ran", 0755);
	assert_int_equal(fchownat(scratch.fd, "hooks/10-group", 12345, -1, 0) == 0 ||
			 errno == EINVAL, 1);
	push(2);
	run_until(2);
	if (log_count("belongs to user 12345") == 0)
		print_message("# no other user in this namespace\n");
}

/* The directory, or one on the way to it: the file alone may be as good as it likes. */
static void untrusted_directories_are_refused(void **state)
{
	mode_t modes[] = { 0777, 0775 };
	size_t i;

	(void)state;
	hook("10-fine", "touch $out/ran", 0755);
	for (i = 0; i < 2; i++) {
		reply_count = 0;
		assert_int_equal(fchmodat(scratch.fd, "hooks", modes[i], 0), 0);
		push(1);
		run_until(1);
		assert_int_equal(replies[0].failed, 1);
		assert_int_equal(fchmodat(scratch.fd, "hooks", 0755, 0), 0);
		assert_int_equal(fchmod(scratch.fd, modes[i]), 0);
		push(2);
		run_until(2);
		assert_int_equal(replies[1].failed, 1);
		assert_int_equal(fchmod(scratch.fd, 0755), 0);
	}
	assert_int_equal(faccessat(scratch.fd, "ran", F_OK, 0), -1);
	push(3);
	run_until(3);
	assert_int_equal(replies[2].ran, 1);
}

/* Ignores TERM, and has a child that does so too: all of it is gone in time. */
static void stubborn_hook_is_killed(void **state)
{
	char text[64];
	pid_t child = 0;
	int64_t ahead_ms = 0;
	int i;

	(void)state;
	hook("10-stubborn",
	     "trap '' TERM; (trap '' TERM; sleep 1000 & echo $! > $out/child; wait) &"
	     " while :; do sleep 1000; done",
	     0755);
	hook("20-next", "touch $out/next", 0755);
	push(1);
	for (i = 0; i < 400 && child == 0; i++) {
		turn(0);
		child = atoi(scratch_read(&scratch, "child", text, sizeof(text)));
	}
	assert_true(child > 0);
	ahead_ms = 29000;
	turn(ahead_ms);
	assert_int_equal(hooks.stage, HOOKS_RUNNING);
	turn(31000);
	assert_int_equal(hooks.stage, HOOKS_TERMINATING);
	for (i = 0; i < 20; i++)
		turn(31000);
	assert_int_equal(hooks.stage, HOOKS_TERMINATING);
	turn(36500);
	run_until(1);
	assert_int_equal(replies[0].ran, 2);
	assert_int_equal(replies[0].failed, 1);
	assert_int_equal(faccessat(scratch.fd, "next", F_OK, 0), 0);
	for (i = 0; i < 200 && kill(child, 0) == 0; i++)
		usleep(10000);
	snprintf(text, sizeof(text), "/proc/%d/stat", (int)child);
	assert_true(kill(child, 0) < 0 || access(text, F_OK) == 0);
	assert_int_equal(log_count("still runs after 30s"), 1);
}

static void stopped_hook_is_ended(void **state)
{
	(void)state;
	hook("10-stops", "kill -STOP $$", 0755);
	push(1);
	for (int i = 0; i < 50; i++)
		turn(0);
	assert_int_equal(reply_count, 0);
	turn(30500);
	run_until(1);
	assert_int_equal(replies[0].failed, 1);
}

/* A heir that keeps the output open does not keep the queue waiting. */
static void heirs_end_with_the_hook(void **state)
{
	char text[32];
	pid_t heir;

	(void)state;
	hook("10-heir", "sleep 1000 & echo $! > $out/heir; exit 0", 0755);
	push(1);
	run_until(1);
	assert_int_equal(replies[0].failed, 0);
	heir = atoi(scratch_read(&scratch, "heir", text, sizeof(text)));
	assert_true(heir > 0);
	for (int i = 0; i < 300; i++) {
		if (kill(heir, 0) < 0 && errno == ESRCH)
			return;
		(void)waitpid(heir, NULL, WNOHANG);
		usleep(10000);
	}
	snprintf(text, sizeof(text), "/proc/%d/stat", (int)heir);
	{
		char line[512];
		int fd = open(text, O_RDONLY);
		ssize_t got = fd < 0 ? 0 : read(fd, line, sizeof(line) - 1);

		if (fd >= 0)
			close(fd);
		line[got > 0 ? got : 0] = '\0';
		/* Where nobody reaps orphans it stays, dead. */
		assert_true(got <= 0 || strstr(line, ") Z "));
	}
}

static void queue_is_bounded_and_in_order(void **state)
{
	struct message_hook sixth = event(6);
	char text[64];

	(void)state;
	hook("10", "sleep 0.1; echo $HAIRPIN_GENERATION >> $out/log", 0755);
	for (uint32_t i = 1; i <= HOOKS_QUEUE_MAX; i++) {
		struct message_hook pushed = event(i);

		pushed.generation = i;
		assert_int_equal(hooks_push(&hooks, &pushed, clock_now_ms()), 0);
	}
	assert_int_equal(hooks_push(&hooks, &sixth, clock_now_ms()), -EBUSY);
	run_until(HOOKS_QUEUE_MAX);
	for (uint32_t i = 0; i < HOOKS_QUEUE_MAX; i++)
		assert_int_equal(replies[i].head.number, i + 1);
	assert_string_equal(scratch_read(&scratch, "log", text, sizeof(text)), "1\n2\n3\n"
									       "4\n");
}

static void forgotten_events_are_not_reported(void **state)
{
	char text[64];

	(void)state;
	hook("10", "sleep 0.1; echo $HAIRPIN_EVENT >> $out/log", 0755);
	push(1);
	push(2);
	hooks_forget(&hooks);
	for (int i = 0; i < 400 && hooks_busy(&hooks); i++)
		turn(0);
	assert_int_equal(reply_count, 0);
	assert_string_equal(scratch_read(&scratch, "log", text, sizeof(text)), "address"
									       "\n");
	push(3);
	run_until(1);
	assert_int_equal(replies[0].head.number, 3);
}

static void no_descriptor_is_lost(void **state)
{
	int before = dup(0), after;

	(void)state;
	close(before);
	hook("10", "echo x", 0755);
	scratch_write(&scratch, "hooks/20-bad", "text", 0755);
	for (uint32_t i = 1; i <= 20; i++) {
		push(i);
		run_until(i);
	}
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(in_order_of_names),
		TEST(no_directory_no_hooks),
		TEST(environment_is_the_list),
		TEST(strange_values_are_only_values),
		TEST(clean_child),
		TEST(flood_is_bounded),
		TEST(failures_are_counted),
		TEST(untrusted_files_are_refused),
		TEST(untrusted_directories_are_refused),
		TEST(stubborn_hook_is_killed),
		TEST(stopped_hook_is_ended),
		TEST(heirs_end_with_the_hook),
		TEST(queue_is_bounded_and_in_order),
		TEST(forgotten_events_are_not_reported),
		TEST(no_descriptor_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
