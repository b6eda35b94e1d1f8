/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Running hooks: order, time, output, failures. */
#include "hooks_room.h"
#include "figure.h"

static void in_order_of_names(void **state)
{
	char text[256];

	(void)state;
	hook("20-b", "echo b $1 >> $out/log", 0755);
	hook("10-a", "echo a $1 >> $out/log", 0755);
	hook("25-c.sh", "echo c $1 >> $out/log", 0755);
	hook("30-c.bak", "echo no >> $out/log", 0755);
	hook("30-c.dpkg-old", "echo no >> $out/log", 0755);
	hook(".30-c", "echo no >> $out/log", 0755);
	hook("40-d~", "echo no >> $out/log", 0755);
	hook("50-plain", "echo no >> $out/log", 0644);
	assert_int_equal(mkdirat(scratch.fd, "hooks/60-dir", 0755), 0);
	push(9);
	run_until(1);
	assert_string_equal(scratch_read(&scratch, "log", text, sizeof(text)),
			    "a address\nb address\nc address\n");
	assert_int_equal(replies[0].head.type, MESSAGE_HOOK_DONE);
	assert_int_equal(replies[0].head.number, 9);
	assert_int_equal(replies[0].ran, 3);
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

/* So many bytes without end of line, lines, and bytes of any kind. */
static void flood(long bytes, long lines, long any)
{
	char body[128];

	snprintf(body, sizeof(body), "head -c %ld /dev/zero | tr '\\0' x", bytes);
	hook("10-flood", body, 0755);
	snprintf(body, sizeof(body), "yes line | head -n %ld >&2", lines);
	hook("20-lines", body, 0755);
	snprintf(body, sizeof(body), "head -c %ld /dev/urandom", any);
	hook("30-binary", body, 0755);
}

/* A filled pipe to the log's reader would hide lines: the flood must not reach it. */
static void flood_is_bounded(void **state)
{
	struct rusage before, after;

	(void)state;
	flood(10000, 100, 1000);	/* what hooks cost at all is paid before */
	push(1);
	run_until(1);
	log_length = reply_count = result_count = 0;
	getrusage(RUSAGE_SELF, &before);
	flood(100000000, 100000, 1000);
	push(2);
	run_until(1);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(replies[0].ran, 3);
	assert_int_equal(replies[0].failed, 0);
	figure_at_most("F56", "log lines of a hook that prints 100,000",
		       (long)log_count("hook 20-lines:"), 20);
	assert_true(log_count("hook 20-lines: line") >= 1);
	assert_true(log_count("hook 10-flood:") <= HOOKS_OUTPUT_LINES + 2);
	assert_int_equal(log_count("hook 10-flood: says more"), 1);
	assert_int_equal(log_count("hook 20-lines: says more"), 1);
	for (size_t i = 0; i < log_length; i++)
		assert_true(log_text[i] == '\n' || (unsigned char)log_text[i] >= 0x20);
	figure_at_most("F56", "bytes kept of it", (long)strlen(results[1].text), 4096);
	figure_at_most("F56", "KiB of memory for 100 MB, 100,000 lines, 1,000 random bytes",
		       after.ru_maxrss - before.ru_maxrss, 4096);
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
	figure_exactly("F58", "hooks that fail in 5 ways: told, and the next one is run",
		       replies[0].failed, 5);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	figure_holds("F58", "no zombie is left of them", errno == ECHILD);
	assert_string_equal(replies[0].text, "hook 10-exit: exit status 3");
	assert_true(message_to_core_ok(&replies[0], sizeof(replies[0])));
	assert_int_equal(log_count("hook 10-exit: oops"), 1);
	assert_int_equal(log_count("hook 20-signal: killed by signal 11"), 1);
	assert_true(log_count("hook 30-text: cannot run") == 1);
	assert_int_equal(result_count, 6);
	assert_string_equal(results[0].name, "10-exit");
	assert_int_equal(results[0].outcome, MESSAGE_HOOK_EXIT);
	assert_int_equal(results[0].code, 3);
	assert_string_equal(results[0].text, "oops\n");
	assert_int_equal(results[1].outcome, MESSAGE_HOOK_SIGNAL);
	assert_int_equal(results[1].code, SIGSEGV);
	assert_int_equal(results[2].outcome, MESSAGE_HOOK_REFUSED);
	assert_non_null(strstr(results[2].text, "cannot run"));
	assert_int_equal(results[5].outcome, MESSAGE_HOOK_OK);
}

/* One is asked for: the others are not run, and why it was not is told. */
static void one_of_them(void **state)
{
	static const char *const names[] = { "20-b", "30-plain", "40-none", "50-open" };
	static const enum message_outcome outcomes[] = {
		MESSAGE_HOOK_OK, MESSAGE_HOOK_IGNORED, MESSAGE_HOOK_IGNORED,
		MESSAGE_HOOK_REFUSED,
	};
	char text[64];

	(void)state;
	hook("10-a", "touch $out/a", 0755);
	hook("20-b", "printf 'b\\033[0m %s\\n\\nlast' $HAIRPIN_REASON", 0755);
	hook("30-plain", "touch $out/a", 0644);
	hook("50-open", "touch $out/a", 0777);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct message_hook asked = event((uint32_t)i + 1);

		strcpy(asked.only, names[i]);
		strcpy(asked.reason, "test");
		assert_true(message_to_supervisor_ok(&asked, sizeof(asked)));
		assert_int_equal(hooks_push(&hooks, &asked, now_ms), 0);
		run_until(i + 1);
		assert_int_equal(result_count, i + 1);
		assert_string_equal(results[i].name, names[i]);
		assert_int_equal(results[i].outcome, outcomes[i]);
		assert_int_equal(results[i].head.number, i + 1);
	}
	assert_string_equal(results[0].text, "b\\x1b[0m test\nlast\n");
	assert_non_null(strstr(results[1].text, "not executable"));
	assert_non_null(strstr(results[3].text, "others may write it"));
	assert_string_equal(scratch_read(&scratch, "a", text, sizeof(text)), "");
}

/* Where nobody reaps orphans it stays, dead. */
static bool is_over(pid_t pid)
{
	char path[64], line[512] = "", *state;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return kill(pid, 0) < 0;
	if (read(fd, line, sizeof(line) - 1) < 0)
		line[0] = '\0';
	close(fd);
	state = strrchr(line, ')');
	return !state || state[2] == 'Z' || state[2] == 'X';
}

/* Ignores TERM, and has a child that does so too: all of it is gone in time. */
static void stubborn_hook_is_killed(void **state)
{
	char text[64];
	pid_t child;
	int i;

	(void)state;
	hook("10-stubborn",
	     "trap '' TERM; (trap '' TERM; sleep 1000 & echo $! > $out/child; wait) &"
	     " while :; do sleep 1000; done",
	     0755);
	hook("20-next", "touch $out/next", 0755);
	push(1);
	scratch_wait_for((child = atoi(scratch_read(&scratch, "child", text, sizeof(text)))))
		turn(0);
	turn(29999);
	assert_int_equal(hooks.stage, HOOKS_RUNNING);
	turn(30000);
	assert_int_equal(hooks.stage, HOOKS_TERMINATING);
	for (i = 0; i < 20; i++)
		turn(30000 + HOOKS_TERM_MS - 1);
	assert_int_equal(hooks.stage, HOOKS_TERMINATING);
	turn(35000);
	figure_holds("F55", "one that ignores TERM is killed with its children within 35 s",
		     hooks.stage != HOOKS_TERMINATING);
	run_until(1);
	assert_int_equal(replies[0].ran, 2);
	assert_int_equal(replies[0].failed, 1);
	assert_int_equal(faccessat(scratch.fd, "next", F_OK, 0), 0);
	scratch_wait_for(is_over(child));
	assert_int_equal(log_count("still runs after 30s"), 1);
}

static bool has_stopped(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == pid;
}

static void stopped_hook_is_ended(void **state)
{
	(void)state;
	hook("10-stops", "kill -STOP $$", 0755);
	push(1);
	scratch_wait_for(has_stopped(hooks.pid));
	turn(29999);
	assert_int_equal(reply_count, 0);
	turn(30000);
	run_until(1);
	assert_int_equal(replies[0].failed, 1);
	figure_holds("F55", "one that stops itself is ended after 30 s", true);
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
	scratch_wait_for(is_over(heir));
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
		assert_int_equal(hooks_push(&hooks, &pushed, now_ms), 0);
	}
	assert_int_equal(hooks_push(&hooks, &sixth, now_ms), -EBUSY);
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
	scratch_wait_for(!hooks_busy(&hooks))
		turn(0);
	assert_int_equal(reply_count, 0);
	assert_string_equal(scratch_read(&scratch, "log", text, sizeof(text)), "address"
									       "\n");
	push(3);
	run_until(1);
	assert_int_equal(replies[0].head.number, 3);
}

/*
 * Events without end, in virtual time: the directory holds none, so that each is over at
 * once, and nothing but the pace is left.
 */
static void events_without_end_are_paced(void **state)
{
	struct message_hook asked = event(1);
	long run = 0;

	(void)state;
	for (int64_t end_ms = now_ms + 60000; now_ms <= end_ms; now_ms += 50) {
		reply_count = 0;
		hooks_tick(&hooks, now_ms);
		while (hooks_push(&hooks, &asked, now_ms) == 0) {
			run += (long)reply_count;
			reply_count = 0;
		}
		run += (long)reply_count;
	}
	figure_at_most("S37", "events for which hooks are run in a minute, of a flood", run,
		       HOOKS_AT_ONCE + 60 * 1000 / HOOKS_APART_MS);
	assert_true(run >= HOOKS_AT_ONCE);
	assert_true(hooks_deadline_ms(&hooks) > now_ms - 50 - HOOKS_APART_MS);
	assert_true(hooks_deadline_ms(&hooks) <= now_ms + HOOKS_APART_MS);
	assert_false(hooks_busy(&hooks));
	/* Who asked is gone: what was not begun is not run. */
	reply_count = 0;
	hooks_forget(&hooks);
	hooks_tick(&hooks, now_ms + HOOKS_APART_MS);
	assert_int_equal(hooks_deadline_ms(&hooks), -1);
	assert_int_equal(reply_count, 0);
	/* And after a rest all is as ever. */
	assert_int_equal(hooks_push(&hooks, &asked, now_ms + 1000), 0);
	assert_int_equal(reply_count, 1);
}

/* An event that waits for its turn does not wait for the time limit of the last hook. */
static void pace_after_a_hook(void **state)
{
	(void)state;
	hook("10", "exit 0", 0755);
	push(1);
	run_until(1);
	hooks.allowance.spent_ms = now_ms + HOOKS_AT_ONCE * HOOKS_APART_MS;
	push(2);
	assert_false(hooks_busy(&hooks));
	hooks_tick(&hooks, hooks_deadline_ms(&hooks));
	assert_true(hooks_busy(&hooks));
	run_until(2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(in_order_of_names),
		TEST(no_directory_no_hooks),
		TEST(flood_is_bounded),
		TEST(failures_are_counted),
		TEST(one_of_them),
		TEST(stubborn_hook_is_killed),
		TEST(stopped_hook_is_ended),
		TEST(heirs_end_with_the_hook),
		TEST(queue_is_bounded_and_in_order),
		TEST(forgotten_events_are_not_reported),
		TEST(events_without_end_are_paced),
		TEST(pace_after_a_hook),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
