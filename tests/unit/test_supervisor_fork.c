/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * No more processes for this user (RLIMIT_NPROC, so fork() fails with EAGAIN): neither hook
 * nor loader, publisher or core can be started. Each says why, none is tried in a storm,
 * and all work again when there is room.
 */
#include "supervisor_room.h"

#include <sys/resource.h>

#include "figure.h"

enum {
	NOBODY_ELSE = 54321,	/* root has no such limit: it becomes this user */
	UNSEEN = 77,
};

/* --- the core: asks for all of them when it is told to, and notes the answers --- */

static void ask_all(int channel, unsigned number)
{
	struct message_hook hook = { .head = { MESSAGE_HOOK_RUN, number },
				     .event = MESSAGE_EVENT_STARTUP, .wan = "wan" };

	if (channel_send(channel, &hook, sizeof(hook), -1) < 0)
		note("unsaid\n");
	say(channel, MESSAGE_RELOAD, number);
	say(channel, MESSAGE_PUBLISHER_START, number);
}

static bool note_answer(int channel)
{
	static struct message_reply reply;
	int fd = -1;
	ssize_t got = channel_receive(channel, &reply, sizeof(reply), &fd);
	unsigned number = reply.head.number;

	if (got == -EAGAIN)
		return true;
	if (got <= 0 || reply.head.type == MESSAGE_STOP)
		return false;
	if (fd >= 0)
		close(fd);
	if (reply.head.type == MESSAGE_HOOK_DONE)
		note("hook %u ran %u failed %u\n", number, reply.ran, reply.failed);
	else if (reply.head.type == MESSAGE_CONFIG)
		note("config %u status %d\n", number, reply.status);
	else if (reply.head.type == MESSAGE_PUBLISHER)
		note("publisher %u status %d\n", number, reply.status);
	else if (reply.head.type == MESSAGE_LOOK)
		note("look\n");
	return true;
}

static int asking_core(const struct core_options *options)
{
	struct pollfd wait = { .fd = options->supervisor, .events = POLLIN };
	int64_t end_ms = clock_now_ms() + A_LIFE_MS;
	unsigned asked = 0, number;
	char word[64];

	note("core %d\n", (int)getpid());
	while (clock_now_ms() < end_ms) {
		if (poll(&wait, 1, 20) > 0 && !note_answer(options->supervisor))
			return 0;
		scratch_read(&scratch, "orders", word, sizeof(word));
		if (sscanf(word, "ask-%u", &number) == 1 && number != asked)
			ask_all(options->supervisor, asked = number);
	}
	return 8;
}

/* --- the test's side --- */

/* Whoever is root gives up being it: files first. False: then our sources are out of sight. */
static bool become_limited(void)
{
	static const char *const names[] = { ".", "hooks", "hooks/10", "config.json", "publisher",
					     "notes", "log", "orders" };

	if (geteuid() != 0)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (fchownat(scratch.fd, names[i], NOBODY_ELSE, NOBODY_ELSE, 0) < 0)
			return errno == EINVAL;	/* alone in a user namespace: limited */
	return setresgid(NOBODY_ELSE, NOBODY_ELSE, NOBODY_ELSE) == 0 &&
	       setresuid(NOBODY_ELSE, NOBODY_ELSE, NOBODY_ELSE) == 0 &&
	       access("conf/providers", R_OK) == 0;
}

static void start_limited(void)
{
	scratch_write(&scratch, "hooks/10", "#!/bin/sh\nexit 0\n", 0755);
	scratch_write(&scratch, "orders", "", 0600);
	scratch_write(&scratch, "notes", "", 0600);
	scratch_write(&scratch, "log", "", 0600);
	the_core = asking_core;
	supervisor = fork();
	if (supervisor == 0)
		_exit(become_limited() ? run_supervisor(CORE_DAEMON) : UNSEEN);
	assert_true(supervisor > 0);
}

/* By the same user: not every root may do it. */
static void limit_processes(bool on)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		struct rlimit limit;

		if (!become_limited() ||
		    prlimit(supervisor, RLIMIT_NPROC, NULL, &limit) < 0)
			_exit(1);
		limit.rlim_cur = on ? 1 : limit.rlim_max;
		_exit(prlimit(supervisor, RLIMIT_NPROC, &limit, NULL) < 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static long count_log(const char *words)
{
	char path[128], line[4096];
	long count = 0;
	FILE *file = fopen(scratch_path(&scratch, "log", path), "re");

	while (file && fgets(line, sizeof(line), file))
		count += strstr(line, words) != NULL;
	if (file)
		fclose(file);
	return count;
}

static void orders_rename(const char *word)
{
	order(word);
	if (geteuid() == 0)
		(void)fchownat(scratch.fd, "orders", NOBODY_ELSE, NOBODY_ELSE, 0);
}

static void no_process_can_be_made(void **state)
{
	static const char again[] = "Resource temporarily unavailable";
	int status = -1;
	long tries;

	(void)state;
	start_limited();
	scratch_wait_for(noted("core ") > 0 || waitpid(supervisor, &status, WNOHANG) != 0);
	if (status != -1) {
		supervisor = 0;
		assert_int_equal(WEXITSTATUS(status), UNSEEN);
		print_message("# another user does not see our sources\n");
		skip();
	}
	limit_processes(true);
	orders_rename("ask-1");
	wait_note("hook 1 ran 1 failed 1", 1);
	wait_note("config 1 status -5", 1);
	wait_note("publisher 1 status -11", 1);
	figure_exactly("F58", "EAGAIN from fork: hook and loader say why, a line each",
		       count_log(again), 2);
	kill(supervisor, SIGUSR1);
	wait_note("look\n", 1);
	figure_holds("F58", "EAGAIN from fork: the core goes on", noted("core ") == 1);
	/* The core itself, three times and more. */
	kill(core_pid(), SIGKILL);
	scratch_wait_for(count_log("core: cannot be started") >= 2);
	sleep(1);
	tries = count_log("core: cannot be started");
	figure_at_most("F58", "EAGAIN from fork: lines about a core that cannot be started",
		       tries, 4);
	assert_int_equal(tries, count_log("core: cannot be started: Resource temp"));
	limit_processes(false);
	wait_note("core ", 2);
	orders_rename("ask-2");
	wait_note("hook 2 ran 1 failed 0", 1);
	wait_note("config 2 status 0", 1);
	wait_note("publisher 2 status 0", 1);
	figure_holds("F58", "EAGAIN from fork: core, hook, loader and publisher work again "
		     "afterwards", noted("ran 1 failed 1") == 1);
	figure_exactly("F58", "EAGAIN from fork: lines about hook and loader in all",
		       count_log(again) - count_log("core: cannot be started"), 2);
	kill(supervisor, SIGTERM);
	assert_int_equal(wait_for_end(), 0);
}

int main(void)
{
	setenv("HAIRPIN_TEST_SECRET", "geheim", 1);

	const struct CMUnitTest tests[] = { TEST(no_process_can_be_made) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
