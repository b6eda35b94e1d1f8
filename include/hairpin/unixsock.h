/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: system */
/*
 * The control socket: a unix stream socket in a directory that only its owner writes.
 */
#ifndef HAIRPIN_UNIXSOCK_H
#define HAIRPIN_UNIXSOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "hairpin/err.h"

enum { UNIXSOCK_GROUPS_MAX = 256 };

/* Who connected, by the kernel's word at that time (SO_PEERCRED, SO_PEERGROUPS). */
struct unixsock_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
	size_t group_count; /* supplementary groups; 0 where there are more than fit */
	gid_t groups[UNIXSOCK_GROUPS_MAX];
};

/*
 * Listens, non-blocking and close-on-exec, mode 0660 with `group` ((gid_t)-1: none,
 * 0600). The missing last directory of the path is made with 0755. A directory that
 * everybody may write and that is not sticky is refused (-EPERM). A stale socket is
 * replaced; a live one, a file, a link is never touched: -EADDRINUSE, -EEXIST with a
 * sentence.
 */
int unixsock_listen(const char *path, gid_t group, int *ret_fd,
		    struct err *ret_err) must_check;

/*
 * Removes the path if the socket there is one that this very process listens on. Clients
 * waiting on `fd` are sent away.
 */
void unixsock_unlink(const char *path, int fd);

/* -EAGAIN: none waiting. The peer's credentials are the kernel's word (SO_PEERCRED). */
int unixsock_accept(int listener, int *ret_fd, struct unixsock_peer *ret_peer) must_check;

/* The client's side, blocking with a time limit on reads and writes. */
int unixsock_connect(const char *path, int timeout_ms, int *ret_fd,
		     struct err *ret_err) must_check;

/*
 * Is the peer in the group, as primary or supplementary group? The user database is not
 * asked: the kernel told.
 */
bool unixsock_peer_in_group(const struct unixsock_peer *peer, gid_t group);

#endif
