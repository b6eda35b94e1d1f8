/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: system */
/*
 * Giving up rights, in stages. Each stage says what it could not do, so that a container
 * or a user namespace without a feature still runs, and the log tells what is missing.
 */
#ifndef HAIRPIN_SANDBOX_H
#define HAIRPIN_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "hairpin/err.h"

/*
 * First thing of every program: no core dumps, dumpable 0, ambient and inheritable
 * capabilities cleared, umask 0077, SIGPIPE ignored.
 */
int sandbox_begin(struct err *ret_err) must_check;

/*
 * For a process that starts others with fewer rights: of the capabilities it has it keeps
 * those to read and give away files, to become other users, to end their processes, and to
 * pass CAP_NET_ADMIN on. None to mount, trace, load modules, make devices, boot or reach
 * the hardware; and no_new_privs, which its children get anyway. No filter of system calls:
 * hooks would inherit it, and what a hook may do is its user's matter.
 */
int sandbox_supervise(struct err *ret_err) must_check;

enum sandbox_caps { SANDBOX_NO_CAPS, SANDBOX_NET_ADMIN };

/*
 * Changes to uid and gid without supplementary groups ((uid_t)-1: stay), keeps only
 * `caps` in permitted and effective, empties inheritable, ambient and (where allowed) all
 * other of the bounding set, and sets no_new_privs. -EPERM when changing users was asked
 * for and is impossible.
 */
int sandbox_drop(uid_t uid, gid_t gid, enum sandbox_caps caps,
		 struct err *ret_err) must_check;

struct sandbox_path {
	const char *path;	/* missing ones are passed over */
	bool writable;		/* files beneath may be made, written, renamed, removed; what
				 * else lies there may be renamed and removed */
};

/*
 * Landlock: the file system shrinks to these (count 0: nothing). -EOPNOTSUPP: this kernel
 * has none; that is to be said, not fatal.
 */
int sandbox_paths(const struct sandbox_path *paths, size_t count,
		  struct err *ret_err) must_check;

enum sandbox_role { SANDBOX_CORE, SANDBOX_PUBLISHER };

/*
 * seccomp: what the role needs is allowed, everything else fails with EPERM. With
 * $HAIRPIND_SECCOMP=trap (tests only, plain build) it raises SIGSYS instead. The core: no
 * fork, no exec, connects to nobody, only netlink sockets for routes and netfilter. The
 * publisher: no fork, no exec, only inet sockets and netlink ones for routes (with musl also
 * unix datagram ones).
 */
int sandbox_syscalls(enum sandbox_role role, struct err *ret_err) must_check;

#endif
