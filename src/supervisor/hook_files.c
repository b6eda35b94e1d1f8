/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which files are hooks, and whether they can be trusted. Only root and the daemon's own
 * user may have a say in what is run: about the file, its directory, and every directory
 * on the way there.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hairpin/log.h"
#include "hooks.h"

enum { OVERFLOW_ID = 65534 }; /* what users outside of a user namespace look like in it */

static void close_descriptor(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define DESCRIPTOR_CLEANUP __attribute__((cleanup(close_descriptor)))

/* The whole range mapped, or no such file: nobody lies outside. */
static bool in_user_namespace(void)
{
	DESCRIPTOR_CLEANUP int fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	unsigned long inside, outside, count;
	char line[128];
	ssize_t got;

	got = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	if (got <= 0)
		return false;
	line[got] = '\0';
	return sscanf(line, "%lu %lu %lu", &inside, &outside, &count) == 3 &&
	       count < UINT_MAX;
}

static bool owner_is_trusted(uid_t owner)
{
	return owner == 0 || owner == geteuid();
}

/*
 * The host's / and /etc belong, seen from inside a user namespace, to nobody: that owner
 * is then accepted for directories, as it cannot be told from root.
 */
static bool directory_is_trusted(const struct stat *status, struct err *ret_err,
				 const char *name)
{
	bool roots = status->st_uid == 0 || status->st_uid == OVERFLOW_ID;
	bool others = status->st_mode & (S_IWGRP | S_IWOTH);

	if (!owner_is_trusted(status->st_uid) &&
	    !(status->st_uid == OVERFLOW_ID && in_user_namespace())) {
		(void)err_set(ret_err, -EPERM, "refused: %s belongs to user %u",
			      name, (unsigned)status->st_uid);
		return false;
	}
	/* In a sticky directory of root's nobody removes or renames what is not his. */
	if (others && !(roots && (status->st_mode & S_ISVTX))) {
		(void)err_set(ret_err, -EPERM,
			      "refused: others may write to %s", name);
		return false;
	}
	return true;
}

static int directory_check(int fd, const char *name, struct err *ret_err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return err_set_errno(ret_err, -errno, "cannot look at %s", name);
	return directory_is_trusted(&status, ret_err, name) ? 0 : -EPERM;
}

/* From / down, each component opened from the one before: no link is followed. */
static int directory_walk(char *real, int *ret_fd, struct err *ret_err)
{
	int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	DESCRIPTOR_CLEANUP int at = open("/", flags);
	char *rest = real, *part;
	int next, rc;

	if (at < 0)
		return err_set_errno(ret_err, -errno, "cannot open /");
	rc = directory_check(at, "/", ret_err);
	while (rc == 0 && (part = strtok_r(rest, "/", &rest))) {
		next = openat(at, part, flags);
		if (next < 0)
			return err_set_errno(ret_err, -errno, "cannot open %s", part);
		close(at);
		at = next;
		rc = directory_check(at, part, ret_err);
	}
	if (rc < 0)
		return rc;
	*ret_fd = at;
	at = -1;
	return 0;
}

static int directory_open(const char *directory, int *ret_fd, struct err *ret_err)
{
	char *real = realpath(directory, NULL);
	int rc;

	if (!real)
		return err_set_errno(ret_err, -errno, "cannot open %s", directory);
	rc = directory_walk(real, ret_fd, ret_err);
	free(real);
	return rc;
}

/* What editors and package managers leave behind, and what somebody switched off. */
static bool name_is_leftover(const char *name)
{
	static const char *const ends[] = {
		".bak", ".old", ".orig", ".rej", ".swp", ".tmp", ".off", ".disabled",
		".rpmnew", ".rpmsave", ".rpmorig", ".pacnew", ".pacsave", ".apk-new",
	};
	const char *end = strrchr(name, '.');

	if (!end)
		return false;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (strcmp(end, ends[i]) == 0)
			return true;
	}
	return strncmp(end, ".dpkg-", 6) == 0 || strncmp(end, ".ucf-", 5) == 0;
}

/* notify.sh is one; no dot in front, and nothing that a backup's name would hold. */
static bool name_is_hook(const char *name)
{
	size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxy"
				     "z"
				     "0123456789_-.");

	return length > 0 && name[length] == '\0' && name[0] != '.' &&
	       !name_is_leftover(name);
}

static int names_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int names_collect(DIR *directory, char **names, struct err *ret_err)
{
	const struct dirent *entry;
	size_t count = 0;

	while ((entry = readdir(directory))) {
		if (!name_is_hook(entry->d_name))
			continue;
		if (count == HOOKS_FILES_MAX) {
			log_warning("more than %d hooks: the others are not run",
				    HOOKS_FILES_MAX);
			break;
		}
		names[count] = strdup(entry->d_name);
		if (!names[count++])
			return err_set_errno(ret_err, -ENOMEM, "cannot list the hooks");
	}
	qsort(names, count, sizeof(*names), names_compare);
	return 0;
}

int hook_files_list(const char *directory, char ***ret_names, struct err *ret_err)
{
	int fd = -1, rc = directory_open(directory, &fd, ret_err);
	char **names;
	DIR *stream;

	if (rc < 0)
		return rc;
	stream = fdopendir(fd);
	if (!stream) {
		close(fd);
		return err_set_errno(ret_err, -ENOMEM, "cannot list the hooks");
	}
	names = calloc(HOOKS_FILES_MAX + 1, sizeof(*names));
	rc = names ? names_collect(stream, names, ret_err)
		   : err_set_errno(ret_err, -ENOMEM, "cannot list the hooks");
	closedir(stream);
	if (rc < 0)
		hook_files_free(names);
	else
		*ret_names = names;
	return rc;
}

void hook_files_free(char **names)
{
	size_t i;

	for (i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

static int file_check(int fd, const char *kind, const char *name, struct err *ret_err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return err_set_errno(ret_err, -EPERM, "%s %s is refused", kind, name);
	if (!S_ISREG(status.st_mode))
		return err_set(ret_err, -ENOENT, "%s %s is no regular file", kind,
			       name);
	if (!(status.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		return err_set(ret_err, -ENOENT, "%s %s is not executable", kind,
			       name);
	if (!owner_is_trusted(status.st_uid))
		return err_set(ret_err, -EPERM,
			       "%s %s is refused: it belongs to user %u", kind, name,
			       (unsigned)status.st_uid);
	if (status.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(ret_err, -EPERM, "%s %s is refused: others may write it",
			       kind, name);
	return 0;
}

int hook_files_open(const char *kind, const char *directory, const char *name,
		    int *ret_fd, struct err *ret_err)
{
	DESCRIPTOR_CLEANUP int at = -1, fd = -1;
	int rc;

	rc = directory_open(directory, &at, ret_err);
	if (rc < 0)
		return rc;
	fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ELOOP)
		return err_set(ret_err, -EPERM,
			       "%s %s is refused: it is a symbolic link", kind, name);
	if (fd < 0)
		return err_set_errno(ret_err, errno == ENOENT ? -ENOENT : -EPERM,
				     "%s %s is refused", kind, name);
	rc = file_check(fd, kind, name, ret_err);
	if (rc < 0)
		return rc;
	*ret_fd = fd;
	fd = -1;
	return 0;
}
