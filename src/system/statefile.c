/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "lock"

enum { STATEFILE_NAME_BYTES = 256 };	/* NAME_MAX and NUL */

static void close_descriptor(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define DESCRIPTOR_CLEANUP __attribute__((cleanup(close_descriptor)))

/* O_NONBLOCK: opening a FIFO must not wait for its writer. */
static int statefile_open(int directory, const char *name, size_t max_bytes, int *ret_fd,
			  size_t *ret_bytes, struct err *ret_err)
{
	DESCRIPTOR_CLEANUP int fd = -1;
	struct stat status;

	fd = openat(directory, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP)
		return err_set(ret_err, -EINVAL, "%s is a symbolic link", name);
	if (fd < 0)
		return err_set_errno(ret_err, -errno, "cannot open %s", name);
	if (fstat(fd, &status) < 0)
		return err_set_errno(ret_err, -errno, "cannot look at %s", name);
	if (!S_ISREG(status.st_mode))
		return err_set(ret_err, -EINVAL, "%s is no regular file", name);
	if (status.st_size == 0)
		return err_set(ret_err, -EINVAL, "%s is empty", name);
	if ((unsigned long long)status.st_size > max_bytes)
		return err_set(ret_err, -EINVAL, "%s has %lld bytes, more than %zu", name,
			       (long long)status.st_size, max_bytes);
	*ret_bytes = (size_t)status.st_size;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

/* Up to `bytes`; fewer when the file became shorter meanwhile. */
static ssize_t statefile_fill(int fd, char *text, size_t bytes)
{
	size_t length = 0;

	while (length < bytes) {
		ssize_t got = read(fd, text + length, bytes - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		length += (size_t)got;
	}
	return (ssize_t)length;
}

int statefile_read(int directory, const char *name, size_t max_bytes,
		   char **ret_text, size_t *ret_length, struct err *ret_err)
{
	DESCRIPTOR_CLEANUP int fd = -1;
	size_t bytes = 0;
	ssize_t got;
	char *text;
	int rc;

	rc = statefile_open(directory, name, max_bytes, &fd, &bytes, ret_err);
	if (rc < 0)
		return rc;
	text = malloc(bytes + 1);
	if (!text)
		return err_set_errno(ret_err, -ENOMEM, "cannot read %s", name);
	got = statefile_fill(fd, text, bytes);
	if (got <= 0) {
		free(text);
		return got < 0 ? err_set_errno(ret_err, (int)got, "cannot read %s", name)
			       : err_set(ret_err, -EINVAL, "%s is empty", name);
	}
	text[got] = '\0';
	*ret_text = text;
	*ret_length = (size_t)got;
	return 0;
}

static int statefile_write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t put = write(fd, bytes, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		bytes += put;
		length -= (size_t)put;
	}
	return 0;
}

/*
 * O_EXCL: whatever somebody planted under this name is never opened. What a killed
 * process left is removed before; only one process writes here (statefile_lock).
 */
static int statefile_open_temporary(int directory, const char *name)
{
	int fd;

	if (unlinkat(directory, name, 0) < 0 && errno == EISDIR)
		(void)unlinkat(directory, name, AT_REMOVEDIR);
	fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	return fd < 0 ? -errno : fd;
}

static int statefile_sync(int fd)
{
	while (fsync(fd) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* What others may read need not survive a power cut. */
static int statefile_settle(int fd, bool for_others)
{
	if (for_others)
		return fchmod(fd, 0644) < 0 ? -errno : 0;
	return statefile_sync(fd);
}

static int statefile_write_temporary(int directory, const char *name, const void *bytes,
				     size_t length, bool for_others)
{
	int fd = statefile_open_temporary(directory, name);
	int rc;

	if (fd < 0)
		return fd;
	rc = statefile_write_all(fd, bytes, length);
	if (rc == 0)
		rc = statefile_settle(fd, for_others);
	if (close(fd) < 0 && rc == 0)	/* NFS tells of a full disk only here */
		rc = -errno;
	return rc;
}

/*
 * Some file systems cannot sync a directory and say so by EINVAL: nothing more can be
 * done there.
 */
static int statefile_sync_directory(int directory)
{
	DESCRIPTOR_CLEANUP int fd = -1;
	int rc;

	/* Opened again: `directory` may be O_PATH. */
	fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = statefile_sync(fd);
	return rc == -EINVAL || rc == -EROFS ? 0 : rc;
}

static int statefile_put(int directory, const char *name, const void *bytes, size_t length,
			 bool for_others, struct err *ret_err)
{
	char temporary[STATEFILE_NAME_BYTES];
	int rc;

	if ((size_t)snprintf(temporary, sizeof(temporary), ".%s.new", name) >=
	    sizeof(temporary))
		return err_set(ret_err, -ENAMETOOLONG, "the name of %s is too long",
			       name);
	rc = statefile_write_temporary(directory, temporary, bytes, length, for_others);
	if (rc == 0 && renameat(directory, temporary, directory, name) < 0)
		rc = -errno;
	if (rc < 0) {
		(void)unlinkat(directory, temporary, 0);
		return err_set_errno(ret_err, rc, "cannot save %s", name);
	}
	return 0;
}

int statefile_replace(int directory, const char *name, const void *bytes, size_t length,
		      struct err *ret_err)
{
	int rc = statefile_put(directory, name, bytes, length, false, ret_err);

	if (rc < 0)
		return rc;
	rc = statefile_sync_directory(directory);
	if (rc < 0)
		return err_set_errno(ret_err, rc, "%s is saved, but perhaps not for good",
				     name);
	return 0;
}

int statefile_show(int directory, const char *name, const void *bytes, size_t length,
		   struct err *ret_err)
{
	return statefile_put(directory, name, bytes, length, true, ret_err);
}

int statefile_set_aside(int directory, const char *name)
{
	char aside[STATEFILE_NAME_BYTES];

	if ((size_t)snprintf(aside, sizeof(aside), "%s.bad", name) >= sizeof(aside))
		return -ENAMETOOLONG;
	if (renameat(directory, name, directory, aside) == 0)
		return 0;
	/* A directory does not give way to a file, nor a file to a directory. */
	if (errno != EISDIR && errno != ENOTDIR && errno != ENOTEMPTY && errno != EEXIST)
		return -errno;
	if (unlinkat(directory, aside, 0) < 0 &&
	    unlinkat(directory, aside, AT_REMOVEDIR) < 0)
		return -errno;
	return renameat(directory, name, directory, aside) < 0 ? -errno : 0;
}

/*
 * Where no lock file can be made (read-only or full medium) and none is there, the
 * directory itself is locked.
 */
static int statefile_open_lock(int directory)
{
	int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd;

	fd = openat(directory, LOCK_NAME, O_RDWR | O_CREAT | flags, 0600);
	if (fd >= 0)
		return fd;
	if (errno != EROFS && errno != ENOSPC && errno != EDQUOT)
		return -errno;
	fd = openat(directory, LOCK_NAME, O_RDONLY | flags);
	if (fd < 0 && errno == ENOENT)
		fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * Who may write here may have put a second name of any file in the lock's place: then the
 * two names are seen in the same look.
 */
int statefile_give_lock(int directory, int lock, uid_t uid, gid_t gid)
{
	struct stat held, named;

	if (fstat(lock, &held) < 0 ||
	    fstatat(directory, LOCK_NAME, &named, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (named.st_ino != held.st_ino || named.st_dev != held.st_dev ||
	    named.st_nlink != 1)
		return -EPERM;
	return fchown(lock, uid, gid) < 0 ? -errno : 0;
}

int statefile_lock(int directory, int *ret_fd, struct err *ret_err)
{
	DESCRIPTOR_CLEANUP int fd = -1;
	struct stat status;

	fd = statefile_open_lock(directory);
	if (fd < 0)
		return err_set_errno(ret_err, fd,
				     "cannot open the lock of the state directory");
	if (fstat(fd, &status) < 0)
		return err_set_errno(ret_err, -errno,
				     "cannot look at the lock of the state directory");
	if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
		return err_set(ret_err, -EINVAL,
			       "the lock of the state directory is no regular file");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return err_set_errno(ret_err, errno == EAGAIN ? -EWOULDBLOCK : -errno,
				     "cannot lock the state directory");
	*ret_fd = fd;
	fd = -1;
	return 0;
}
