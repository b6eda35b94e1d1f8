/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System calls that fail when a test says so: calls_start(N, ERROR) lets the Nth of those
 * below fail, once; with CALLS_SHORT it does only half. The number of calls is counted, and
 * what the failing one was. Include it once in a test: its functions stand for the C
 * library's.
 */
#ifndef HAIRPIN_TESTS_CALLS_H
#define HAIRPIN_TESTS_CALLS_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CALLS_NONE = 0, CALLS_SHORT = -1 };

static struct {
	bool armed;
	unsigned count, wanted;
	int error;
	const char *failed;		/* NULL: none yet */
} calls;

static void calls_start(unsigned wanted, int error)
{
	calls.count = 0;
	calls.wanted = wanted;
	calls.error = error;
	calls.failed = NULL;
	calls.armed = true;
}

static unsigned calls_stop(void)
{
	calls.armed = false;
	return calls.count;
}

/* 0, an errno, or CALLS_SHORT. */
static int call_fails(const char *name)
{
	if (!calls.armed || ++calls.count != calls.wanted)
		return 0;
	calls.failed = name;
	return calls.error;
}

/* What can be short is; all other calls go through then. */
static size_t call_bytes(int how, size_t bytes)
{
	return how == CALLS_SHORT && bytes > 1 ? bytes / 2 : bytes;
}

#define CALL_FAILS(name) do {			\
	int error_of_it = call_fails(name);	\
	if (error_of_it > 0) {			\
		errno = error_of_it;		\
		return -1;			\
	}					\
} while (0)

int openat(int directory, const char *path, int flags, ...)
{
	va_list more;
	mode_t mode;

	va_start(more, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0;
	va_end(more);
	CALL_FAILS("openat");
	return (int)syscall(SYS_openat, directory, path, flags, mode);
}

ssize_t read(int fd, void *room, size_t bytes)
{
	int how = call_fails("read");

	if (how > 0) {
		errno = how;
		return -1;
	}
	return syscall(SYS_read, fd, room, call_bytes(how, bytes));
}

ssize_t write(int fd, const void *from, size_t bytes)
{
	int how = call_fails("write");

	if (how > 0) {
		errno = how;
		return -1;
	}
	return syscall(SYS_write, fd, from, call_bytes(how, bytes));
}

int fsync(int fd)
{
	CALL_FAILS("fsync");
	return (int)syscall(SYS_fsync, fd);
}

int fchmod(int fd, mode_t mode)
{
	CALL_FAILS("fchmod");
	return (int)syscall(SYS_fchmod, fd, mode);
}

/* Linux closes it whatever it says. */
int close(int fd)
{
	int how = call_fails("close");
	int result = (int)syscall(SYS_close, fd);

	if (how <= 0)
		return result;
	errno = how;
	return -1;
}

int fstat(int fd, struct stat *status)
{
	CALL_FAILS("fstat");
	return fstatat(fd, "", status, AT_EMPTY_PATH);
}

int flock(int fd, int how)
{
	CALL_FAILS("flock");
	return (int)syscall(SYS_flock, fd, how);
}

int renameat(int from, const char *name, int to, const char *other)
{
	CALL_FAILS("renameat");
	return (int)syscall(SYS_renameat2, from, name, to, other, 0);
}

int unlinkat(int directory, const char *name, int flags)
{
	CALL_FAILS("unlinkat");
	return (int)syscall(SYS_unlinkat, directory, name, flags);
}

int socketpair(int family, int kind, int protocol, int ends[2])
{
	CALL_FAILS("socketpair");
	return (int)syscall(SYS_socketpair, family, kind, protocol, ends);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t bytes)
{
	CALL_FAILS("setsockopt");
	return (int)syscall(SYS_setsockopt, fd, level, name, value, bytes);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	CALL_FAILS("sendmsg");
	return syscall(SYS_sendmsg, fd, message, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	CALL_FAILS("recvmsg");
	return syscall(SYS_recvmsg, fd, message, flags);
}

/* How many descriptors are open below 64. */
static inline unsigned calls_descriptors(void)
{
	unsigned count = 0;

	for (int fd = 0; fd < 64; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

#endif
