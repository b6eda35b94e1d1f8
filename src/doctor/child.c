/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hairpin/clock.h"

enum { CHILD_LIMIT_MS = 5000, CHILD_OUTPUT_BYTES = 8 << 20 };

#define CHILD_PATH "/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"

/* Not by the caller's PATH: we may be root, and he may be anybody's sudo. */
static bool child_find(const char *name, char path[PATH_MAX])
{
	static const char *const places[] = {
		"/usr/sbin", "/sbin", "/usr/bin", "/bin", "/usr/local/sbin",
		"/usr/local/bin", "/run/current-system/sw/bin",
	};
	size_t i;

	for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, PATH_MAX, "%s/%s", places[i], name);
		if (access(path, X_OK) == 0)
			return true;
	}
	return false;
}

/* A handler or a mask of ours is none of its business. */
static int child_spawn(const char *path, const char *const *words, int out,
		       pid_t *ret_pid)
{
	static const char *const environment[] = { "PATH=" CHILD_PATH, "LC_ALL=C", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int error;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY,
					 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY,
					 0);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes,
				 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	error = posix_spawn(ret_pid, path, &actions, &attributes, (char *const *)words,
			    (char *const *)environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -error;
}

/* Until it closes its output, or there is too much of it or of time. */
static int child_collect(int fd, struct text *output)
{
	int64_t deadline_ms = clock_now_ms() + CHILD_LIMIT_MS;
	struct pollfd one = { .fd = fd, .events = POLLIN };
	char chunk[16384];
	int64_t left_ms;
	ssize_t got;

	for (;;) {
		left_ms = deadline_ms - clock_now_ms();
		if (left_ms <= 0)
			return -ETIMEDOUT;
		if (poll(&one, 1, (int)left_ms) <= 0)
			continue;
		got = read(fd, chunk, sizeof(chunk));
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return output->failed ? -ENOMEM : 0;
		if (output->length + (size_t)got > CHILD_OUTPUT_BYTES)
			return -EMSGSIZE;
		text_add_bytes(output, chunk, (size_t)got);
	}
}

/* What closed its output ends of itself; the others are ended. */
static int child_end(pid_t pid, int rc)
{
	int status;

	if (rc < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (rc < 0)
		return rc;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int child_read(const char *const *words, struct text *ret_output)
{
	struct text output = TEXT_INIT;
	char path[PATH_MAX];
	int ends[2], rc;
	pid_t pid;

	if (!child_find(words[0], path))
		return -ENOENT;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	rc = child_spawn(path, words, ends[1], &pid);
	close(ends[1]);
	if (rc == 0) {
		rc = child_collect(ends[0], &output);
		close(ends[0]);
		rc = child_end(pid, rc);
	} else {
		close(ends[0]);
	}
	if (rc < 0)
		text_done(&output);
	else
		*ret_output = output;
	return rc;
}
