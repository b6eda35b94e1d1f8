/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/socket.h>
#include <time.h>

#include "hairpin/spawn.h"
#include "scratch_room.h"

static struct err err;

static char *const environment[] = { (char *)"ONE=1", (char *)"PATH=/usr/bin:/bin",
				     NULL };

/* Runs the script by its descriptor; what it prints comes back, and its wait status. */
static int run_script(const char *text, struct spawn *spawn, char *out, size_t out_bytes)
{
	char *argv[] = { (char *)"script", (char *)"event", NULL };
	int pipes[2], status = -1, rc;
	size_t length = 0;
	ssize_t got;
	pid_t pid = -1;

	scratch_write(&scratch, "script", text, 0755);
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	spawn->executable = openat(scratch.fd, "script", O_RDONLY | O_CLOEXEC);
	spawn->argv = argv;
	spawn->environment = environment;
	spawn->out = spawn->err = pipes[1];
	rc = spawn_start(spawn, &pid, &err);
	close(spawn->executable);
	close(pipes[1]);
	while (rc == 0 &&
	       (got = read(pipes[0], out + length, out_bytes - 1 - length)) > 0)
		length += (size_t)got;
	out[length] = '\0';
	close(pipes[0]);
	if (rc < 0)
		return rc;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static struct spawn nothing(void)
{
	return (struct spawn){ .in = -1, .out = -1, .err = -1, .channel = -1,
			       .uid = (uid_t)-1, .gid = (gid_t)-1, .session = true };
}

static void environment_is_exact(void **state)
{
	struct spawn spawn = nothing();
	char out[1024];

	(void)state;
	setenv("LEAK", "secret", 1);
	assert_int_equal(run_script("#!/usr/bin/env -S /bin/sh\necho \"$1\"; env | grep "
				    "-v ^_= | "
				    "grep -v ^PWD= | sort; pwd; umask\n",
				    &spawn, out, sizeof(out)),
			 0);
	assert_string_equal(out, "event\nONE=1\nPATH=/usr/bin:/bin\n/\n0022\n");
	unsetenv("LEAK");
}

/* Besides 0, 1, 2 only the script's own descriptor, and the one of the listing itself. */
static void no_descriptor_leaks(void **state)
{
	struct spawn spawn = nothing();
	int leak = socket(AF_UNIX, SOCK_STREAM, 0), high = dup2(leak, 300);
	char out[4096];

	(void)state;
	assert_true(leak >= 0 && high == 300);
	assert_int_equal(run_script("#!/bin/sh\nfor f in /proc/$$/fd/*; do readlink $f; "
				    "done; true\n",
				    &spawn, out, sizeof(out)),
			 0);
	assert_null(strstr(out, "socket"));
	for (char *line = strtok(out, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strcmp(line, "/dev/null") == 0 ||
			    strncmp(line, "pipe:", 5) == 0 || strstr(line, "/script") ||
			    strncmp(line, "/proc/", 6) == 0);
	close(leak);
	close(high);
}

/* As posix_spawn() leaves a signal that the C library keeps to itself. */
static void ignore_internal_signal(void)
{
	const struct {
		void (*handler)(int);
		unsigned long flags;
		void *restorer;
		uint64_t mask[2];
	} ignore = { .handler = SIG_IGN };

	(void)syscall(SYS_rt_sigaction, 33, &ignore, NULL, (size_t)(NSIG / 8));
}

static void rights_are_gone(void **state)
{
	struct spawn spawn = nothing();
	char out[4096];

	(void)state;
	assert_int_equal(prctl(PR_SET_PDEATHSIG, 0), 0);
	signal(SIGUSR1, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	ignore_internal_signal();
	assert_int_equal(run_script("#!/bin/sh\nexec cat /proc/self/status\n", &spawn,
				    out, sizeof(out)),
			 0);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	assert_non_null(strstr(out, "CapInh:\t0000000000000000"));
	assert_non_null(strstr(out, "CapPrm:\t0000000000000000"));
	assert_non_null(strstr(out, "CapEff:\t0000000000000000"));
	assert_non_null(strstr(out, "CapAmb:\t0000000000000000"));
	assert_non_null(strstr(out, "NoNewPrivs:\t1"));
	assert_non_null(strstr(out, "SigBlk:\t0000000000000000"));
	assert_non_null(strstr(out, "SigIgn:\t0000000000000000"));
}

static void channel_is_three(void **state)
{
	struct spawn spawn = nothing();
	int pair[2];
	char out[256], got[8] = "";

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	spawn.channel = pair[1];
	assert_int_equal(run_script("#!/bin/sh\necho hello >&3; head -c 1 | wc -c\n",
				    &spawn, out, sizeof(out)),
			 0);
	assert_string_equal(out, "0\n");	/* standard input is empty */
	assert_int_equal(read(pair[0], got, 5), 5);
	assert_string_equal(got, "hello");
	close(pair[0]);
	close(pair[1]);
}

/* The descriptors to be given lie where others are to be placed. */
static void overlapping_descriptors(void **state)
{
	char *argv[] = { (char *)"sh", (char *)"-c",
			 (char *)"cat; echo err >&2; echo ch >&3", NULL };
	int status, pid, parent[4][2], i;
	char got[16];

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pipe2(parent[i], O_CLOEXEC), 0);
	assert_int_equal(write(parent[0][1], "in\n", 3), 3);
	close(parent[0][1]);
	pid = fork();
	if (pid == 0) {
		/* in, out, err, channel become 3, 0, 1, 2. */
		int in = dup(parent[0][0]), out = dup(parent[1][1]),
		    error = dup(parent[2][1]);
		int channel = dup(parent[3][1]);
		struct spawn spawn = nothing();
		pid_t child;

		dup2(out, 0);
		dup2(error, 1);
		dup2(channel, 2);
		dup2(in, 3);
		spawn.executable = -1;
		spawn.path = "/bin/sh";
		spawn.argv = argv;
		spawn.environment = environment;
		spawn.in = 3;
		spawn.out = 0;
		spawn.err = 1;
		spawn.channel = 2;
		if (spawn_start(&spawn, &child, &err) < 0)
			_exit(9);
		waitpid(child, &status, 0);
		_exit(WEXITSTATUS(status));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(parent[1][0], got, sizeof(got)), 3);
	assert_memory_equal(got, "in\n", 3);
	assert_int_equal(read(parent[2][0], got, sizeof(got)), 4);
	assert_memory_equal(got, "err\n", 4);
	assert_int_equal(read(parent[3][0], got, sizeof(got)), 3);
	assert_memory_equal(got, "ch\n", 3);
	for (i = 0; i < 4; i++) {
		close(parent[i][0]);
		if (i)
			close(parent[i][1]);
	}
}

static void failures_are_told(void **state)
{
	char *argv[] = { (char *)"x", NULL };
	struct spawn spawn = nothing();
	char out[64];
	pid_t pid = 77;

	(void)state;
	assert_int_equal(run_script("no interpreter line\n", &spawn, out, sizeof(out)),
			 -ENOEXEC);
	assert_int_equal(run_script("#!/no/such/thing\n", &spawn, out, sizeof(out)),
			 -ENOENT);
	spawn = nothing();
	spawn.executable = -1;
	spawn.path = "/no/such/program";
	spawn.argv = argv;
	spawn.environment = environment;
	assert_int_equal(spawn_start(&spawn, &pid, &err), -ENOENT);
	assert_int_equal(pid, 77);
	assert_non_null(strstr(err.text, "x"));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);	/* no zombie */
	assert_int_equal(errno, ECHILD);
}

static void exit_and_signal_are_seen(void **state)
{
	struct spawn spawn = nothing();
	char out[64];
	int status;

	(void)state;
	status = run_script("#!/bin/sh\nexit 3\n", &spawn, out, sizeof(out));
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	status = run_script("#!/bin/sh\nkill -9 $$\n", &spawn, out, sizeof(out));
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* The parent is killed: what it started does not outlive it. */
static void dies_with_its_parent(void **state)
{
	char *argv[] = { (char *)"sleep", (char *)"1000", NULL };
	int pipes[2];
	pid_t parent, child = -1;

	(void)state;
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	parent = fork();
	if (parent == 0) {
		struct spawn spawn = nothing();

		spawn.executable = -1;
		spawn.path = "/bin/sleep";
		spawn.argv = argv;
		spawn.environment = environment;
		if (spawn_start(&spawn, &child, &err) < 0 ||
		    write(pipes[1], &child, sizeof(child)) < 0)
			_exit(1);
		pause();
	}
	assert_int_equal(read(pipes[0], &child, sizeof(child)), sizeof(child));
	assert_int_equal(kill(child, 0), 0);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(kill(parent, SIGKILL), 0);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	scratch_wait_for(waitpid(child, NULL, WNOHANG) == child);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
	close(pipes[0]);
	close(pipes[1]);
}

static void other_user(void **state)
{
	struct spawn spawn = nothing();
	char out[256];
	int rc;

	(void)state;
	if (geteuid() != 0) {
		print_message("# only root can become somebody else\n");
		skip();
	}
	spawn.uid = spawn.gid = 65534;
	assert_int_equal(fchmod(scratch.fd, 0755), 0);
	rc = run_script("#!/bin/sh\nid -u; id -G\n", &spawn, out, sizeof(out));
	if (rc == -EPERM) {
		print_message("this user namespace has no other user: %s\n", err.text);
		skip();
	}
	assert_int_equal(rc, 0);
	assert_string_equal(out, "65534\n65534\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(environment_is_exact, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(no_descriptor_leaks, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(rights_are_gone, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(channel_is_three, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(overlapping_descriptors,
						scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(failures_are_told, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(exit_and_signal_are_seen, scratch_begin,
						scratch_end),
		cmocka_unit_test_setup_teardown(dies_with_its_parent, scratch_begin, scratch_end),
		cmocka_unit_test_setup_teardown(other_user, scratch_begin, scratch_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
