/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hairpin/secret.h"
#include "problem.h"
#include "rights.h"

enum {
	OVERFLOW_UID = 65534,	/* who has no number here, user_namespaces(7) */
	DEPTH_MAX = 64,
};

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define FD_CLEANUP __attribute__((cleanup(close_fd)))

/* Within a user namespace the owner of / may have no number; then it is the outside's. */
static bool outside_is_unmapped(void)
{
	unsigned inside = 0, outside = 0, count = 0;
	FILE *map = fopen("/proc/self/uid_map", "re");
	int fields;

	if (!map)
		return false;
	fields = fscanf(map, "%u %u %u", &inside, &outside, &count);
	fclose(map);
	return fields == 3 && count != 4294967295u;
}

static bool owner_is_ours(uid_t owner)
{
	return owner == 0 || owner == geteuid();
}

static bool directory_is_safe(const struct stat *st)
{
	bool ours = owner_is_ours(st->st_uid) ||
		    (st->st_uid == OVERFLOW_UID && outside_is_unmapped());
	bool group =
		(st->st_mode & S_IWGRP) && st->st_gid != 0 && st->st_gid != getegid();

	if (!ours)
		return false;
	return (st->st_mode & S_ISVTX) || !(group || (st->st_mode & S_IWOTH));
}

static int refuse_directory(int fd, const char *path, struct err *ret_err)
{
	char link[32], name[256];
	ssize_t length;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	length = readlink(link, name, sizeof name - 1);
	name[length > 0 ? length : 0] = '\0';
	return err_set(
		ret_err, -EPERM,
		"%s lies in the directory %s, which others may change; "
		"make it root's or yours and take away their right to write (chmod go-w)",
		shown(path).text, shown(name).text);
}

/* From `directory` up to the root; what is above may be renamed by who writes there. */
static int check_directories(int directory, const char *path, struct err *ret_err)
{
	FD_CLEANUP int here = openat(directory, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st, above;

	for (int depth = 0; here >= 0 && depth < DEPTH_MAX; depth++) {
		int up;

		if (fstat(here, &st) < 0)
			break;
		if (!directory_is_safe(&st))
			return refuse_directory(here, path, ret_err);
		up = openat(here, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(here);
		here = up;
		if (up < 0 || fstat(up, &above) < 0)
			break;
		if (st.st_dev == above.st_dev && st.st_ino == above.st_ino)
			return 0;
	}
	return err_set_errno(ret_err, -errno ? -errno : -ELOOP,
			     "cannot look at the directories above %s", shown(path).text);
}

static int open_directory(const char *path, const char **ret_base, int *ret_fd,
			  struct err *ret_err)
{
	const char *slash = strrchr(path, '/');
	char directory[4096];
	int fd;

	if (strlen(path) >= sizeof directory)
		return err_set(ret_err, -ENAMETOOLONG, "%s: the path is too long",
			       shown(path).text);
	if (!slash)
		strcpy(directory, ".");
	else
		snprintf(directory, sizeof directory, "%.*s",
			 slash == path ? 1 : (int)(slash - path), path);
	fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(ret_err, -errno, "cannot open %s", shown(path).text);
	*ret_base = slash ? slash + 1 : path;
	*ret_fd = fd;
	return 0;
}

/* O_NONBLOCK: a FIFO or a device must not hold us up before it is refused. */
static int open_file(int directory, const char *base, const char *path, int flags,
		     int *ret_fd, struct err *ret_err)
{
	int fd = openat(directory, base,
			O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags);

	if (fd < 0 && errno == ELOOP)
		return err_set(ret_err, -EPERM, "%s is a symbolic link; name the file it "
			       "points to", shown(path).text);
	if (fd < 0)
		return err_set_errno(ret_err, -errno, "cannot open %s", shown(path).text);
	*ret_fd = fd;
	return 0;
}

static int check_regular(const struct stat *st, const char *path, struct err *ret_err)
{
	if (!S_ISREG(st->st_mode))
		return err_set(ret_err, -EPERM, "%s is no regular file; use one",
			       shown(path).text);
	return 0;
}

static int check_file(const struct stat *st, const struct stat *directory,
		      const char *path, struct err *ret_err)
{
	int result = check_regular(st, path, ret_err);

	if (result < 0)
		return result;
	if (!owner_is_ours(st->st_uid))
		return err_set(ret_err, -EPERM,
			       "%s belongs to user %u, who may change it; "
			       "chown it to root",
			       shown(path).text, (unsigned)st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return err_set(ret_err, -EPERM,
			       "%s may be written by others; chmod go-w it",
			       shown(path).text);
	/* Where everybody makes names, this may be a stranger's name for another file. */
	if (st->st_nlink > 1 && (directory->st_mode & S_IWOTH))
		return err_set(ret_err, -EPERM, "%s has another hard link; copy it",
			       shown(path).text);
	return 0;
}

static int read_all(int fd, const char *path, size_t max_bytes, char **ret_text,
		    size_t *ret_length, struct err *ret_err)
{
	char *text = malloc(max_bytes + 2);
	size_t length = 0;
	ssize_t got = 1;

	if (!text)
		return err_set(ret_err, -ENOMEM, "no memory for %s", shown(path).text);
	while (got > 0 && length <= max_bytes) {
		got = read(fd, text + length, max_bytes + 1 - length);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			length += (size_t)got;
	}
	if (got < 0 || length > max_bytes) {
		int result = got < 0 ? err_set_errno(ret_err, -errno, "cannot read %s",
						     shown(path).text)
				     : err_set(ret_err, -EFBIG,
					       "%s is larger than %zu bytes; "
					       "is it the right file?",
					       shown(path).text, max_bytes);
		secret_wipe(text, length);
		free(text);
		return result;
	}
	text[length] = '\0';
	*ret_text = text;
	*ret_length = length;
	return 0;
}

int rights_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_length,
		bool *ret_exposed, struct err *ret_err)
{
	FD_CLEANUP int directory = -1;
	FD_CLEANUP int file = -1;
	struct stat st, above;
	const char *base;
	int result;

	result = open_directory(path, &base, &directory, ret_err);
	if (result == 0)
		/* NOLINTNEXTLINE(*CallAndMessage): an errno is never 0 after a failure */
		result = open_file(directory, base, path, O_NOFOLLOW, &file, ret_err);
	if (result < 0)
		return result;
	if (fstat(file, &st) < 0 || fstat(directory, &above) < 0)
		return err_set_errno(ret_err, -errno, "cannot look at %s",
				     shown(path).text);
	result = check_file(&st, &above, path, ret_err);
	if (result == 0)
		result = check_directories(directory, path, ret_err);
	if (result == 0)
		result = read_all(file, path, max_bytes, ret_text, ret_length, ret_err);
	if (result == 0)
		*ret_exposed = st.st_mode & S_IROTH;
	return result;
}

int rights_read_ours(const char *path, size_t max_bytes, char **ret_text,
		     size_t *ret_length, struct err *ret_err)
{
	FD_CLEANUP int file = -1;
	struct stat st;
	int result = open_file(AT_FDCWD, path, path, 0, &file, ret_err);

	if (result < 0)
		return result;
	if (fstat(file, &st) < 0)
		return err_set_errno(ret_err, -errno, "cannot look at %s",
				     shown(path).text);
	result = check_regular(&st, path, ret_err);
	if (result == 0 && (st.st_mode & S_IWOTH))
		return err_set(ret_err, -EPERM,
			       "%s may be written by others; chmod o-w it",
			       shown(path).text);
	if (result == 0)
		result = read_all(file, path, max_bytes, ret_text, ret_length, ret_err);
	return result;
}
