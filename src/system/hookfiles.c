/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/hookfiles.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hairpin/json.h"
#include "hairpin/log.h"
#include "hairpin/message.h"
#include "hairpin/text.h"

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

static bool owner_is_trusted(uid_t owner, uid_t self)
{
	return owner == 0 || owner == self;
}

/*
 * The host's / and /etc belong, seen from inside a user namespace, to nobody: that owner
 * is then accepted for directories, as it cannot be told from root.
 */
static bool directory_is_trusted(const struct stat *status, const char *name, uid_t self,
				 struct err *ret_err)
{
	bool roots = status->st_uid == 0 || status->st_uid == OVERFLOW_ID;
	bool others = status->st_mode & (S_IWGRP | S_IWOTH);

	if (!owner_is_trusted(status->st_uid, self) &&
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

static int directory_check(int fd, const char *name, uid_t self, struct err *ret_err)
{
	struct stat status;

	if (fstat(fd, &status) < 0)
		return err_set_errno(ret_err, -errno, "cannot look at %s", name);
	return directory_is_trusted(&status, name, self, ret_err) ? 0 : -EPERM;
}

/* From / down, each component opened from the one before: no link is followed. */
static int directory_walk(char *real, uid_t self, int *ret_fd, struct err *ret_err)
{
	int flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	DESCRIPTOR_CLEANUP int at = open("/", flags);
	char *rest = real, *part;
	int next, rc;

	if (at < 0)
		return err_set_errno(ret_err, -errno, "cannot open /");
	rc = directory_check(at, "/", self, ret_err);
	while (rc == 0 && (part = strtok_r(rest, "/", &rest))) {
		next = openat(at, part, flags);
		if (next < 0)
			return err_set_errno(ret_err, -errno, "cannot open %s", part);
		close(at);
		at = next;
		rc = directory_check(at, part, self, ret_err);
	}
	if (rc < 0)
		return rc;
	next = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (next < 0)
		return err_set_errno(ret_err, -errno, "cannot read the directory");
	*ret_fd = next;
	return 0;
}

static int directory_open(const char *directory, uid_t self, int *ret_fd,
			  struct err *ret_err)
{
	char *real = realpath(directory, NULL);
	int rc;

	if (!real)
		return err_set_errno(ret_err, -errno, "cannot open %s", directory);
	rc = directory_walk(real, self, ret_fd, ret_err);
	free(real);
	return rc;
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
		if (!message_is_hook_name(entry->d_name))
			continue;
		if (count == HOOKFILES_MAX) {
			log_warning("more than %d hooks: the others are not run",
				    HOOKFILES_MAX);
			break;
		}
		names[count] = strdup(entry->d_name);
		if (!names[count++])
			return err_set_errno(ret_err, -ENOMEM, "cannot list the hooks");
	}
	qsort(names, count, sizeof(*names), names_compare);
	return 0;
}

uid_t hookfiles_user(const struct json *runner, const char *control_socket)
{
	struct stat status;
	int64_t uid;

	if (json_integer(json_get(runner, "uid"), 0, UINT32_MAX, &uid))
		return (uid_t)uid;
	return stat(control_socket, &status) == 0 ? status.st_uid : geteuid();
}

int hookfiles_list(const char *directory, uid_t self, char ***ret_names,
		   struct err *ret_err)
{
	int fd = -1, rc = directory_open(directory, self, &fd, ret_err);
	char **names;
	DIR *stream;

	if (rc < 0)
		return rc;
	stream = fdopendir(fd);
	if (!stream) {
		close(fd);
		return err_set_errno(ret_err, -ENOMEM, "cannot list the hooks");
	}
	names = calloc(HOOKFILES_MAX + 1, sizeof(*names));
	rc = names ? names_collect(stream, names, ret_err)
		   : err_set_errno(ret_err, -ENOMEM, "cannot list the hooks");
	closedir(stream);
	if (rc < 0)
		hookfiles_free(names);
	else
		*ret_names = names;
	return rc;
}

void hookfiles_free(char **names)
{
	size_t i;

	for (i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

static int file_check(const struct stat *status, const char *kind, const char *name,
		      uid_t self, struct err *ret_err)
{
	if (S_ISLNK(status->st_mode))
		return err_set(ret_err, -EPERM,
			       "%s %s is refused: it is a symbolic link", kind, name);
	if (!S_ISREG(status->st_mode))
		return err_set(ret_err, -ENOENT, "%s %s is no regular file", kind,
			       name);
	if (!(status->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)))
		return err_set(ret_err, -ENOENT, "%s %s is not executable", kind,
			       name);
	if (!owner_is_trusted(status->st_uid, self))
		return err_set(ret_err, -EPERM,
			       "%s %s is refused: it belongs to user %u", kind, name,
			       (unsigned)status->st_uid);
	if (status->st_mode & (S_IWGRP | S_IWOTH))
		return err_set(ret_err, -EPERM, "%s %s is refused: others may write it",
			       kind, name);
	return 0;
}

static int file_open(int at, const char *kind, const char *name, uid_t self, int *ret_fd,
		     struct err *ret_err)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	DESCRIPTOR_CLEANUP int fd = openat(at, name, flags);
	struct stat status;
	int rc;

	if (fd < 0 && errno == ELOOP)
		return err_set(ret_err, -EPERM,
			       "%s %s is refused: it is a symbolic link", kind, name);
	if (fd < 0)
		return err_set_errno(ret_err, errno == ENOENT ? -ENOENT : -EPERM,
				     "%s %s is refused", kind, name);
	if (fstat(fd, &status) < 0)
		return err_set_errno(ret_err, -EPERM, "%s %s is refused", kind, name);
	rc = file_check(&status, kind, name, self, ret_err);
	if (rc < 0)
		return rc;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int hookfiles_open(const char *kind, const char *directory, const char *name, uid_t self,
		   int *ret_fd, struct err *ret_err)
{
	DESCRIPTOR_CLEANUP int at = -1;
	int rc = directory_open(directory, self, &at, ret_err);

	return rc < 0 ? rc : file_open(at, kind, name, self, ret_fd, ret_err);
}

/* --- told, not run --- */

static void file_judge(int at, const char *name, uid_t self, struct hookfile *file)
{
	char shown[sizeof(file->name)];
	struct stat status;
	int rc;

	*file = (struct hookfile){ .state = HOOKFILE_IGNORED };
	(void)snprintf(file->name, sizeof(file->name), "%s", name);
	text_escape(shown, sizeof(shown), name, strlen(name));
	if (!message_is_hook_name(name)) {
		(void)err_set(&file->why, 0, "%s is no name of a hook", shown);
		return;
	}
	if (fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		rc = err_set_errno(&file->why, -ENOENT, "cannot look at %s", shown);
	else
		rc = file_check(&status, "hook", shown, self, &file->why);
	if (rc != -ENOENT)
		file->state = rc < 0 ? HOOKFILE_REFUSED : HOOKFILE_READY;
}

static int files_compare(const void *a, const void *b)
{
	const struct hookfile *first = a, *second = b;

	return strcmp(first->name, second->name);
}

/* As hookfiles_list() does it, so many are taken before they are sorted. */
static void files_drop_surplus(struct hookfile *files, size_t count)
{
	size_t hooks = 0;

	for (size_t i = 0; i < count; i++) {
		if (!message_is_hook_name(files[i].name) || ++hooks <= HOOKFILES_MAX)
			continue;
		files[i].state = HOOKFILE_IGNORED;
		(void)err_set(&files[i].why, 0, "there are more than %d hooks",
			      HOOKFILES_MAX);
	}
}

int hookfiles_look(const char *directory, uid_t self, struct hookfile **ret_files,
		   size_t *ret_count, struct err *ret_err)
{
	int fd = -1, rc = directory_open(directory, self, &fd, ret_err);
	const struct dirent *entry;
	struct hookfile *files;
	size_t count = 0;
	DIR *stream;

	if (rc < 0)
		return rc;
	files = calloc(HOOKFILES_LOOK_MAX, sizeof(*files));
	stream = files ? fdopendir(fd) : NULL;
	if (!stream) {
		free(files);
		close(fd);
		return err_set_errno(ret_err, -ENOMEM, "cannot list the hooks");
	}
	while (count < HOOKFILES_LOOK_MAX && (entry = readdir(stream)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			file_judge(dirfd(stream), entry->d_name, self, &files[count++]);
	closedir(stream);
	files_drop_surplus(files, count);
	qsort(files, count, sizeof(*files), files_compare);
	*ret_files = files;
	*ret_count = count;
	return 0;
}
