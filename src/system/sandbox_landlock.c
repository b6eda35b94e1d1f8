/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Landlock by its three system calls. The numbers and layouts are those of the kernel's
 * include/uapi/linux/landlock.h, repeated here because the headers of Debian 12 are older
 * than the kernels we meet.
 */
#include "hairpin/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {	/* the same numbers on every architecture */
	LANDLOCK_CREATE_RULESET = 444,
	LANDLOCK_ADD_RULE = 445,
	LANDLOCK_RESTRICT_SELF = 446,
};

enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1 };

struct ruleset_attributes {
	uint64_t handled_fs;
	uint64_t handled_net;	/* from version 4; the filter of system calls does this */
	uint64_t scoped;	/* from version 6 */
};

struct path_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

enum {
	FS_EXECUTE = 1 << 0, FS_WRITE_FILE = 1 << 1, FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3, FS_REMOVE_DIR = 1 << 4, FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_DIR = 1 << 7, FS_MAKE_REG = 1 << 8, FS_MAKE_SOCK = 1 << 9,
	FS_MAKE_FIFO = 1 << 10, FS_MAKE_SYM = 1 << 12,
	FS_REFER = 1 << 13,	/* from version 2 */
	FS_TRUNCATE = 1 << 14,	/* from version 3 */
	FS_IOCTL_DEV = 1 << 15,	/* from version 5 */
	FS_ALL_VERSION_1 = (1 << 13) - 1,

	ONLY_FILE = FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE,
	TO_READ = FS_READ_FILE | FS_READ_DIR,
	TO_WRITE = FS_WRITE_FILE | FS_REMOVE_FILE | FS_MAKE_REG | FS_TRUNCATE,
	/*
	 * To rename is to remove and to make: whatever lies where a file should be
	 * can be set aside. The filter of system calls lets nobody make one anew.
	 */
	TO_SET_ASIDE = FS_REMOVE_DIR | FS_MAKE_DIR | FS_MAKE_SOCK | FS_MAKE_FIFO |
		       FS_MAKE_SYM,

	SCOPE_ABSTRACT_SOCKET = 1 << 0, SCOPE_SIGNAL = 1 << 1,
};

/* All that this kernel can forbid: what no rule gives back is gone. */
static struct ruleset_attributes attributes_of_version(long version)
{
	struct ruleset_attributes attributes = { .handled_fs = FS_ALL_VERSION_1 };

	if (version >= 2)
		attributes.handled_fs |= FS_REFER;
	if (version >= 3)
		attributes.handled_fs |= FS_TRUNCATE;
	if (version >= 5)
		attributes.handled_fs |= FS_IOCTL_DEV;
	if (version >= 6)
		attributes.scoped = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL;
	return attributes;
}

static int ruleset_new(uint64_t *ret_handled, struct err *ret_err)
{
	struct ruleset_attributes attributes;
	long version, fd;

	version = syscall(LANDLOCK_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);
	if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
		return err_set(ret_err, -EOPNOTSUPP, "this kernel has no Landlock");
	if (version < 0)
		return err_set_errno(ret_err, -errno, "cannot use Landlock");
	attributes = attributes_of_version(version);
	/* Older kernels take the longer struct as long as its tail is zero. */
	fd = syscall(LANDLOCK_CREATE_RULESET, &attributes, sizeof(attributes), 0);
	if (fd < 0)
		return err_set_errno(ret_err, -errno, "cannot use Landlock");
	*ret_handled = attributes.handled_fs;
	return (int)fd;
}

static int ruleset_add(int ruleset, uint64_t handled, const struct sandbox_path *path,
		       struct err *ret_err)
{
	uint64_t allowed = TO_READ;
	struct path_beneath rule;
	struct stat status;
	int fd, rc = 0;

	if (path->writable)
		allowed |= TO_WRITE | TO_SET_ASIDE;
	fd = open(path->path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return 0; /* what is not there or out of reach needs no permission */
	if (fstat(fd, &status) == 0 && !S_ISDIR(status.st_mode))
		allowed &= ONLY_FILE;
	rule = (struct path_beneath){ .allowed = allowed & handled, .parent = fd };
	if (syscall(LANDLOCK_ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0)
		rc = err_set_errno(ret_err, -errno, "cannot allow %s", path->path);
	close(fd);
	return rc;
}

int sandbox_paths(const struct sandbox_path *paths, size_t count, struct err *ret_err)
{
	uint64_t handled = 0;
	int ruleset, rc = 0;
	size_t i;

	ruleset = ruleset_new(&handled, ret_err);
	if (ruleset < 0)
		return ruleset;
	for (i = 0; i < count && rc == 0; i++)
		rc = ruleset_add(ruleset, handled, &paths[i], ret_err);
	if (rc == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		rc = err_set_errno(ret_err, -errno, "cannot refuse new privileges");
	if (rc == 0 && syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0) < 0)
		rc = err_set_errno(ret_err, -errno, "cannot use Landlock");
	close(ruleset);
	return rc;
}
