/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For tests with real files and processes: a directory that is removed again, children
 * that answer by their exit status, and patience with them.
 */
#ifndef HAIRPIN_TESTS_SCRATCH_H
#define HAIRPIN_TESTS_SCRATCH_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hairpin/clock.h"

/*
 * Nothing that comes at all takes as long, on however slow a machine; where tests/torture lets
 * an allocation fail much never comes.
 */
static inline int scratch_patience_ms(void)
{
	return getenv("TORTURE_FAILS") ? 15000 : 120000;
}

static inline bool scratch_patience(int64_t until_ms)
{
	assert_true(clock_now_ms() < until_ms);
	return true;
}

/* Waits for what other processes bring about; a statement behind it is done meanwhile. */
#define scratch_wait_for(truth) \
	for (int64_t until_ms = clock_now_ms() + scratch_patience_ms(); \
	     !(truth) && scratch_patience(until_ms); usleep(10000))

struct scratch {
	char path[64];
	int fd;
};

static inline int scratch_new(struct scratch *scratch)
{
	umask(0022);
	snprintf(scratch->path, sizeof(scratch->path), "/tmp/hairpin-test-XXXXXX");
	if (!mkdtemp(scratch->path))
		return -1;
	scratch->fd = open(scratch->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return scratch->fd < 0 ? -1 : 0;
}

static inline int scratch_remove_one(const char *path, const struct stat *status,
				     int type, struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	(void)remove(path);
	return 0;
}

static inline void scratch_done(struct scratch *scratch)
{
	close(scratch->fd);
	(void)nftw(scratch->path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline const char *scratch_path(const struct scratch *scratch, const char *name,
				       char out[128])
{
	snprintf(out, 128, "%s/%s", scratch->path, name);
	return out;
}

/* Replaces the file. */
static inline void scratch_write_bytes(const struct scratch *scratch, const char *name,
				       const void *bytes, size_t length, mode_t mode)
{
	int fd;

	(void)unlinkat(scratch->fd, name, 0);
	fd = openat(scratch->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, bytes, length) != (ssize_t)length || fchmod(fd, mode) < 0)
		abort();
	close(fd);
}

static inline void scratch_write(const struct scratch *scratch, const char *name,
				 const char *text, mode_t mode)
{
	scratch_write_bytes(scratch, name, text, strlen(text), mode);
}

/* Its content, or "" when it is not there. */
static inline const char *scratch_read(const struct scratch *scratch, const char *name,
				       char *out, size_t out_bytes)
{
	int fd = openat(scratch->fd, name, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, out, out_bytes - 1);

	if (fd >= 0)
		close(fd);
	out[got > 0 ? got : 0] = '\0';
	return out;
}

/* The wait status of a child that ran `act`. */
static inline int scratch_fork(int (*act)(void *), void *argument)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		_exit(act(argument));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

#endif
