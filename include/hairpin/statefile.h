/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: system */
/*
 * Files that outlive the process: read with suspicion, replaced atomically.
 * Everything is relative to an opened directory, never through a symbolic link.
 */
#ifndef HAIRPIN_STATEFILE_H
#define HAIRPIN_STATEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "hairpin/err.h"

/*
 * The whole of a regular file, at most `max_bytes`; a NUL follows. The caller frees.
 * -ENOENT; -EINVAL: no regular file, empty or too large. Never blocks (a FIFO).
 */
int statefile_read(int directory, const char *name, size_t max_bytes,
		   char **ret_text, size_t *ret_length, struct err *ret_err) must_check;

/*
 * Temporary file (0600), write, fsync, rename, fsync of the directory. On failure the old
 * one stays and no temporary is left.
 */
int statefile_replace(int directory, const char *name, const void *bytes, size_t length,
		      struct err *ret_err) must_check;

/*
 * The same of a file for others to read (0644), which need not survive a power cut: nobody
 * waits for the disk.
 */
int statefile_show(int directory, const char *name, const void *bytes, size_t length,
		   struct err *ret_err) must_check;

/* Renames NAME to NAME.bad, which replaces an older one. */
int statefile_set_aside(int directory, const char *name) must_check;

/*
 * An exclusive lock on DIRECTORY/lock, held while the descriptor is open. -EWOULDBLOCK:
 * another instance.
 */
int statefile_lock(int directory, int *ret_fd, struct err *ret_err) must_check;

/* Makes the lock another user's. -EPERM: it has another name, too, and may be any file. */
int statefile_give_lock(int directory, int lock, uid_t uid, gid_t gid) must_check;

#endif
