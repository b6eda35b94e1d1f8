/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hairpin/sandbox.h"

/*
 * Descriptors are first moved up here, so that none is overwritten before it is placed.
 */
enum { SPAWN_ABOVE = 10, SPAWN_CHANNEL = 3 };

enum {
	CLOSE_RANGE_ON_EXEC = 1 << 2,	/* linux/close_range.h: CLOSE_RANGE_CLOEXEC */
	SPAWN_LONG_WAY = 1024,		/* the usual limit of open files */
};

struct spawn_failure {
	int code;		/* negative errno */
	struct err err;
};

/* A copy beyond the places to be filled; `fd` -1: /dev/null. */
static int spawn_move_up(int fd)
{
	int null, moved;

	if (fd >= 0)
		return fcntl(fd, F_DUPFD_CLOEXEC, SPAWN_ABOVE);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return -1;
	moved = fcntl(null, F_DUPFD_CLOEXEC, SPAWN_ABOVE);
	close(null);
	return moved;
}

/* Also what was left to us at our own start. Kernels before 5.11 go the long way. */
static void spawn_close_on_exec(int first)
{
	int fd;

#ifdef SYS_close_range
	if (syscall(SYS_close_range, (unsigned)first, ~0u, CLOSE_RANGE_ON_EXEC) == 0)
		return;
#endif
	for (fd = first; fd < SPAWN_LONG_WAY; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* 0, 1, 2 and perhaps 3 are set, everything else ends with the exec. */
static int spawn_place_descriptors(const struct spawn *spawn)
{
	int from[] = { spawn->in, spawn->out, spawn->err, spawn->channel };
	int count = spawn->channel >= 0 ? SPAWN_CHANNEL + 1 : SPAWN_CHANNEL;
	int i;

	for (i = 0; i < count; i++) {
		from[i] = spawn_move_up(from[i]);
		if (from[i] < 0)
			return -errno;
	}
	for (i = 0; i < count; i++) {
		if (dup2(from[i], i) < 0)
			return -errno;
	}
	spawn_close_on_exec(count);
	return 0;
}

/*
 * The C library keeps two signals to itself and refuses them here, but a parent that used
 * posix_spawn(), as GNU make does, hands them on ignored. The kernel takes them; its
 * struct is all zero for SIG_DFL on every architecture.
 */
static void spawn_reset_signals(void)
{
	static const uint64_t kernel_default[8];
	struct sigaction action = { .sa_handler = SIG_DFL };
	sigset_t none;
	int number;

	for (number = 1; number < NSIG; number++)
		if (sigaction(number, &action, NULL) < 0)
			(void)syscall(SYS_rt_sigaction, number, kernel_default, NULL,
				      (size_t)(NSIG / 8));
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* An interpreter opens its script by name; the descriptor must then live on. */
static bool spawn_is_script(int executable)
{
	char head[2];

	return pread(executable, head, sizeof(head), 0) == sizeof(head) &&
	       head[0] == '#' && head[1] == '!';
}

/*
 * A script gets its own descriptor and no other, since the kernel passes it to the
 * interpreter as a path. By /proc, because not every small system has /dev/fd.
 */
static int spawn_execute(const struct spawn *spawn, int executable)
{
	char path[32];

	if (executable < 0) {
		execve(spawn->path, spawn->argv, spawn->environment);
	} else if (spawn_is_script(executable)) {
		if (fcntl(executable, F_SETFD, 0) < 0)
			return -errno;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", executable);
		execve(path, spawn->argv, spawn->environment);
	} else {
		fexecve(executable, spawn->argv, spawn->environment);
	}
	return -errno;
}

/* In the child. Returns only when something failed. */
static int spawn_become(const struct spawn *spawn, pid_t parent, struct err *ret_err)
{
	int executable = spawn->executable;
	int rc;

	if (spawn->session && setsid() < 0)
		return err_set_errno(ret_err, -errno, "cannot start a session");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_set_errno(ret_err, -errno,
				     "cannot ask to die with the parent");
	if (executable >= 0) {
		executable = fcntl(executable, F_DUPFD_CLOEXEC, SPAWN_ABOVE);
		if (executable < 0)
			return err_set_errno(ret_err, -errno, "cannot keep the program");
	}
	rc = spawn_place_descriptors(spawn);
	if (rc < 0)
		return err_set_errno(ret_err, rc, "cannot place descriptors");
	if (chdir("/") < 0)
		return err_set_errno(ret_err, -errno, "cannot go to /");
	umask(0022);
	rc = sandbox_drop(spawn->uid, spawn->gid, SANDBOX_NO_CAPS, ret_err);
	if (rc < 0)
		return rc;
	if (getppid() != parent)	/* it died before the wish was in force */
		return err_set(ret_err, -ESRCH, "the parent is gone");
	spawn_reset_signals();
	rc = spawn_execute(spawn, executable);
	return err_set_errno(ret_err, rc, "cannot run %s", spawn->argv[0]);
}

static void spawn_child(const struct spawn *spawn, pid_t parent, int report)
		__attribute__((noreturn));
static void spawn_child(const struct spawn *spawn, pid_t parent, int report)
{
	struct spawn_failure failure = { 0 };
	int moved = fcntl(report, F_DUPFD_CLOEXEC, SPAWN_ABOVE);

	failure.code = moved < 0 ? -errno
				 : spawn_become(spawn, parent, &failure.err);
	if (moved >= 0 && write(moved, &failure, sizeof(failure)) < 0)
		_exit(126);
	_exit(127);
}

/*
 * End of file: the program runs (the pipe closed itself); else what the child failed at.
 */
static int spawn_await(int report, pid_t pid, struct err *ret_err)
{
	struct spawn_failure failure;
	ssize_t got;

	do
		got = read(report, &failure, sizeof(failure));
	while (got < 0 && errno == EINTR);
	if (got == 0)
		return 0;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (got != (ssize_t)sizeof(failure))
		return err_set(ret_err, -EIO, "the child ended before it began");
	return err_set(ret_err, failure.code, "%s", failure.err.text);
}

int spawn_start(const struct spawn *spawn, pid_t *ret_pid, struct err *ret_err)
{
	pid_t parent = getpid(), pid;
	int report[2];
	int rc;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_set_errno(ret_err, -errno, "cannot make a pipe");
	pid = fork();
	if (pid == 0)
		spawn_child(spawn, parent, report[1]);
	rc = pid < 0 ? err_set_errno(ret_err, -errno, "cannot fork") : 0;
	close(report[1]);
	if (rc == 0)
		rc = spawn_await(report[0], pid, ret_err);
	close(report[0]);
	if (rc == 0)
		*ret_pid = pid;
	return rc;
}
