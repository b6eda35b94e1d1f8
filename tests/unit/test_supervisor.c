/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The supervisor: its processes, signals, configuration, and its end. */
#include "supervisor_room.h"

#include "figure.h"
#include "supervisor/restart.h"

static void starts_and_stops(void **state)
{
	char path[128];
	int client = -1, status;
	struct err err;

	(void)state;
	start(CORE_DAEMON);
	wait_note("death signal 9 dumpable 0", 1);
	assert_int_equal(noted("mode 0 state 1 control 1"), 1);
	assert_int_equal(noted("first grace=2000 secret=yes"), 1);
	assert_int_equal(noted("first sealed=yes"), 1);
	scratch_path(&scratch, "run/control.sock", path);
	assert_int_equal(unixsock_connect(path, 1000, &client, &err), 0);
	close(client);
	assert_int_equal(kill(supervisor, SIGTERM), 0);
	status = wait_for_end();
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(noted("stop\n"), 1);
	assert_int_equal(access(path, F_OK), -1);
}

static void secret_is_not_shown(void **state)
{
	char path[64], text[65536];
	pid_t pids[2];

	(void)state;
	start(CORE_DAEMON);
	wait_note("death signal", 1);
	pids[0] = supervisor;
	pids[1] = core_pid();
	for (int i = 0; i < 2; i++) {
		ssize_t got;
		int fd;

		snprintf(path, sizeof(path), "/proc/%d/environ", (int)pids[i]);
		fd = open(path, O_RDONLY);
		if (fd < 0)
			continue;	/* not dumpable, and we are not root */
		got = read(fd, text, sizeof(text));
		close(fd);
		assert_true(got > 0);
		assert_null(memmem(text, (size_t)got, "geheim", 6));
	}
	/* And yet it is there when the configuration is read again. */
	kill(supervisor, SIGHUP);
	wait_note("new grace=2000 secret=yes", 1);
	kill(supervisor, SIGHUP);
	wait_note("new grace=2000 secret=yes", 2);
}

static void signals_reach_the_core(void **state)
{
	(void)state;
	start(CORE_DAEMON);
	wait_note("death signal", 1);
	kill(supervisor, SIGUSR1);
	wait_note("look\n", 1);
	kill(supervisor, SIGUSR2);
	wait_note("update\n", 1);
	write_config("7s");
	kill(supervisor, SIGHUP);
	wait_note("config 0 number 0", 1);
	wait_note("new grace=7000", 1);
	scratch_write(&scratch, "config.json", "{ \"wans\": 5, }", 0600);
	kill(supervisor, SIGHUP);
	wait_note("config -22 number 0 with errors", 1);
	write_config("8s");
	order("reload");
	wait_note("config 0 number 42", 1);
	wait_note("new grace=8000", 1);
}

static void what_waits_for_a_start_is_said(void **state)
{
	(void)state;
	start(CORE_DAEMON);
	wait_note("death signal", 1);
	write_config("7s");
	kill(supervisor, SIGHUP);
	wait_note("new grace=7000", 1);
	assert_false(in_log("when hairpind is started again"));
	scratch_write(&scratch, "config.json",
		      "{ \"control\": { \"admin_group\": \"daemon\" } }", 0600);
	kill(supervisor, SIGHUP);
	wait_note("config 0 number 0", 2);
	assert_true(in_log("another control."));
}

static void dead_core_is_replaced(void **state)
{
	int64_t begin_ms, took_ms, quickest_ms = INT64_MAX;
	pid_t first;

	(void)state;
	start(CORE_DAEMON);
	wait_note("death signal", 1);
	write_config("7s");
	kill(supervisor, SIGHUP);
	wait_note("new grace=7000", 1);
	scratch_write(&scratch, "config.json", "broken meanwhile", 0600);
	for (unsigned i = 2; i <= 4; i++) {
		first = core_pid();
		begin_ms = clock_now_ms();
		assert_int_equal(kill(first, SIGKILL), 0);
		wait_note("death signal", i);
		assert_true(core_pid() != first);
		took_ms = clock_now_ms() - begin_ms;
		quickest_ms = took_ms < quickest_ms ? took_ms : quickest_ms;
	}
	assert_true(quickest_ms < 5000);
	/* With what was in force, whatever stands in the file by now. */
	assert_int_equal(noted("first grace=7000 secret=yes"), 3);
	assert_true(in_log("ended by signal 9"));
}

static void hostile_core_is_ended(void **state)
{
	(void)state;
	start(CORE_DAEMON);
	wait_note("death signal", 1);
	order("nonsense");
	wait_note("death signal", 2);
	figure_holds("S37", "a core that says what it must not is ended and replaced",
		     in_log("says what it must not"));
}

/* The first two at once, then one after each pause, of those that are over. */
static unsigned most_starts(int64_t took_ms)
{
	unsigned starts = 2;

	for (int64_t pause_ms = RESTART_FIRST_MS; took_ms >= pause_ms; starts++) {
		took_ms -= pause_ms;
		if (pause_ms < RESTART_MAX_MS)
			pause_ms *= 2;
	}
	return starts;
}

static void dying_core_is_spaced(void **state)
{
	int64_t begin_ms = clock_now_ms();
	unsigned starts;

	(void)state;
	order("die");
	start(CORE_DAEMON);
	wait_note("core ", 3);
	sleep(2);
	starts = noted("core ");
	assert_in_range(starts, 3, most_starts(clock_now_ms() - begin_ms));
	kill(supervisor, SIGTERM);
	assert_true(WIFEXITED(wait_for_end()));
}

static void publisher_is_started(void **state)
{
	(void)state;
	start(CORE_DAEMON);
	wait_note("death signal", 1);
	order("publish");
	wait_note("publisher 0 number 41", 1);
	wait_note("publisher says hello", 1);
}

static void missing_publisher_is_told(void **state)
{
	(void)state;
	assert_int_equal(unlinkat(scratch.fd, "publisher", 0), 0);
	start(CORE_DAEMON);
	wait_note("death signal", 1);
	order("publish");
	wait_note("publisher -2 number 41", 1);
}

static void hook_is_run(void **state)
{
	char text[64];

	(void)state;
	snprintf(text, sizeof(text), "#!/bin/sh\nenv | grep -c geheim\nexit 0\n");
	scratch_write(&scratch, "hooks/10", text, 0755);
	start(CORE_DAEMON);
	wait_note("death signal", 1);
	order("hook");
	wait_note("hook done 7 ran 1", 1);
	assert_true(in_log("hook 10: 0"));
}

/* Where they are for somebody else a core that was taken over has none run here. */
static void hook_is_not_run_with_outside_hooks(void **state)
{
	(void)state;
	scratch_write(&scratch, "hooks/10", "#!/bin/sh\necho ran\n", 0755);
	outside = true;
	start(CORE_DAEMON);
	outside = false;
	wait_note("death signal", 1);
	order("hook");
	wait_note("hook done 7 ran ", 1);
	assert_int_equal(noted("hook done 7 ran 0"), 1);
	assert_false(in_log("hook 10"));
}

static void nothing_survives_the_supervisor(void **state)
{
	pid_t core;
	char path[128], text[256];

	(void)state;
	snprintf(text, sizeof(text), "#!/bin/sh\n: > %s\nexec sleep 1000\n",
		 scratch_path(&scratch, "hook", path));
	scratch_write(&scratch, "hooks/10", text, 0755);
	start(CORE_DAEMON);
	wait_note("death signal", 1);
	core = core_pid();
	order("hook");
	scratch_wait_for(faccessat(scratch.fd, "hook", F_OK, 0) == 0);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	kill(supervisor, SIGKILL);
	wait_for_end();
	scratch_wait_for(waitpid(core, NULL, WNOHANG) == core);
	/* What was left behind does not stop the next one. */
	start(CORE_DAEMON);
	wait_note("death signal", 2);
	assert_int_equal(noted("mode 0 state 1 control 1"), 2);
	figure_holds("F54", "kill -9 leaves nothing that stops the next one", true);
	kill(supervisor, SIGTERM);
	assert_int_equal(wait_for_end(), 0);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
}

/* The lock is the kernel's: what stands in files proves nothing. */
static void a_stale_pid_is_no_lock(void **state)
{
	char pid[16];

	(void)state;
	snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	assert_int_equal(mkdirat(scratch.fd, "state", 0700), 0);
	assert_int_equal(mkdirat(scratch.fd, "run", 0755), 0);
	scratch_write(&scratch, "state/lock", pid, 0600);
	scratch_write(&scratch, "state/hairpind.pid", pid, 0600);
	scratch_write(&scratch, "run/hairpind.pid", pid, 0600);
	start(CORE_DAEMON);
	wait_note("mode 0 state 1 control 1", 1);
	figure_holds("F54", "the pid of a living process in lock and pid files stops nobody",
		     !in_log("another hairpind"));
}

static void second_instance_leaves(void **state)
{
	pid_t first;
	int status;

	(void)state;
	start(CORE_DAEMON);
	wait_note("death signal", 1);
	first = supervisor;
	start(CORE_ONCE);
	status = wait_for_end();
	supervisor = first;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_true(in_log("hairpinctl sync"));
	assert_int_equal(noted("core "), 1);
	figure_exactly("F54", "exit status of a second instance", WEXITSTATUS(status), 1);
}

static void once_gives_its_status(void **state)
{
	int status;

	(void)state;
	start(CORE_ONCE);
	status = wait_for_end();
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_int_equal(noted("mode 1 state 1 control 0"), 1);
}

static int bad_status;

static long bad_start(void)
{
	int64_t begin_ms = clock_now_ms();

	start(CORE_DAEMON);
	bad_status = wait_for_end();
	return (long)(clock_now_ms() - begin_ms);
}

static void bad_configuration_is_usage(void **state)
{
	(void)state;
	scratch_write(&scratch, "config.json", "{ \"wanz\": [], }", 0600);
	assert_true(figure_least(bad_start, 4999) < 5000);
	assert_true(WIFEXITED(bad_status));
	figure_exactly("F51", "exit status at a bad start", WEXITSTATUS(bad_status), 2);
	figure_holds("F51", "the line is named", in_log("config.json:1:"));
	assert_int_equal(noted("core "), 0);
}

/* Starts one whose core hears nothing. */
static void start_deaf(void)
{
	unsigned before = noted("death signal");

	order("deaf");
	start(CORE_DAEMON);
	wait_note("death signal", before + 1);
}

static long stop_twice(void)
{
	unsigned before = noted("stop\n");
	int64_t begin_ms;

	start_deaf();
	begin_ms = clock_now_ms();
	kill(supervisor, SIGTERM);
	wait_note("stop\n", before + 1);
	kill(supervisor, SIGTERM);	/* the second one: at once */
	(void)wait_for_end();
	return (long)(clock_now_ms() - begin_ms);
}

static long stop_once(void)
{
	int64_t begin_ms;

	start_deaf();
	begin_ms = clock_now_ms();
	kill(supervisor, SIGTERM);
	(void)wait_for_end();
	return (long)(clock_now_ms() - begin_ms);
}

static void deaf_core_is_killed(void **state)
{
	(void)state;
	figure_at_most("F53", "milliseconds to leave after the second SIGTERM, the core "
		       "being deaf", figure_least(stop_twice, 2000), 2000);
	figure_at_most("F53", "milliseconds to stop a deaf core",
		       figure_least(stop_once, 6000), 6000);
}

static void delays_grow_and_are_forgiven(void **state)
{
	struct restart restart = { 0 };
	const int64_t expected[] = { 0, 250, 500, 1000, 2000, 4000, 4000, 4000 };
	int64_t now_ms = 1000;

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		restart_started(&restart, now_ms);
		now_ms += 100;
		assert_int_equal(restart_delay_ms(&restart, now_ms), expected[i]);
		now_ms += expected[i];
	}
	restart_started(&restart, now_ms);
	assert_int_equal(restart_delay_ms(&restart, now_ms + RESTART_HEALTHY_MS), 0);
}

/* What setenv() adds lies on the heap, where /proc/PID/environ does not look. */
static void begin_with_the_secret(char **argv)
{
	if (getenv("HAIRPIN_TEST_SECRET"))
		return;
	setenv("HAIRPIN_TEST_SECRET", "geheim", 1);
	execv("/proc/self/exe", argv);
	abort();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(starts_and_stops),
		TEST(secret_is_not_shown),
		TEST(signals_reach_the_core),
		TEST(what_waits_for_a_start_is_said),
		TEST(dead_core_is_replaced),
		TEST(hostile_core_is_ended),
		TEST(dying_core_is_spaced),
		TEST(publisher_is_started),
		TEST(missing_publisher_is_told),
		TEST(hook_is_run),
		TEST(hook_is_not_run_with_outside_hooks),
		TEST(nothing_survives_the_supervisor),
		TEST(a_stale_pid_is_no_lock),
		TEST(second_instance_leaves),
		TEST(once_gives_its_status),
		TEST(bad_configuration_is_usage),
		TEST(deaf_core_is_killed),
		cmocka_unit_test(delays_grow_and_are_forgiven),
	};

	(void)argc;
	begin_with_the_secret(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
