/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/unixsock.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "hairpin/passed.h"

enum { UNIXSOCK_BACKLOG = 16 };

static void close_descriptor(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
#define DESCRIPTOR_CLEANUP __attribute__((cleanup(close_descriptor)))

static int unixsock_address(const char *path, struct sockaddr_un *ret,
			    struct err *ret_err)
{
	size_t length = strlen(path);

	if (length == 0 || path[0] != '/')
		return err_set(ret_err, -EINVAL,
			       "the control socket needs an absolute path");
	if (length >= sizeof(ret->sun_path))
		return err_set(ret_err, -ENAMETOOLONG,
			       "the path of the control socket has %zu bytes; "
			       "the kernel takes at most %zu",
			       length, sizeof(ret->sun_path) - 1);
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(ret->sun_path, path, length);
	return 0;
}

static int unixsock_try_connect(const struct sockaddr_un *address, int *ret_fd)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	*ret_fd = fd;
	return 0;
}

/*
 * The missing last directory; and nobody else may be able to put his own socket into our
 * place.
 */
static int unixsock_prepare_directory(const char *path, struct err *ret_err)
{
	char directory[sizeof(((struct sockaddr_un *)0)->sun_path)];
	size_t length = (size_t)(strrchr(path, '/') - path);
	struct stat status;
	mode_t mask;
	int rc;

	snprintf(directory, sizeof(directory), "%.*s", length ? (int)length : 1, path);
	mask = umask(0022);
	rc = mkdir(directory, 0755) < 0 && errno != EEXIST ? -errno : 0;
	umask(mask);
	if (stat(directory, &status) < 0)
		return err_set_errno(ret_err, rc < 0 ? rc : -errno,
				     "cannot make the control socket's directory %s",
				     directory);
	if ((status.st_mode & S_IWOTH) && !(status.st_mode & S_ISVTX))
		return err_set(ret_err, -EPERM,
			       "%s may be written by everybody: no place for the "
			       "control socket",
			       directory);
	return 0;
}

/*
 * A socket that nobody listens on is a leftover of a killed process: only that is ever
 * removed.
 */
static int unixsock_clear_path(const struct sockaddr_un *address, struct err *ret_err)
{
	const char *path = address->sun_path;
	struct stat status;
	int fd = -1, rc;

	if (lstat(path, &status) < 0)
		return errno == ENOENT ? 0 : err_set_errno(ret_err, -errno,
							   "cannot look at %s", path);
	if (!S_ISSOCK(status.st_mode))
		return err_set(ret_err, -EEXIST,
			       "%s is there and is no socket; it is left alone", path);
	rc = unixsock_try_connect(address, &fd);
	if (rc == 0)
		close(fd);
	if (rc != -ECONNREFUSED)
		return err_set(ret_err, -EADDRINUSE, "another process listens on %s",
			       path);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set_errno(ret_err, -errno, "cannot remove the old socket %s",
				     path);
	return 0;
}

/* Our own group is not given again: the shipped unit's filter knows no chown(). */
static int unixsock_widen(const char *path, gid_t group, struct err *ret_err)
{
	struct stat status;

	if (lstat(path, &status) == 0 &&
	    (status.st_gid == group || lchown(path, (uid_t)-1, group) == 0) &&
	    chmod(path, 0660) == 0)
		return 0;
	return err_set_errno(ret_err, -errno, "cannot give %s to its group", path);
}

/*
 * The socket comes into being with 0600 and is widened before anybody can connect
 * (listen() comes last), so there is no moment with more rights than meant.
 */
static int unixsock_bind(int fd, const struct sockaddr_un *address, gid_t group,
			 struct err *ret_err)
{
	const char *path = address->sun_path;
	mode_t mask = umask(0177);
	int rc = 0;

	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		rc = -errno;
	umask(mask);
	if (rc < 0)
		return err_set_errno(ret_err, rc, "cannot make the control socket %s",
				     path);
	if (group != (gid_t)-1)
		rc = unixsock_widen(path, group, ret_err);
	if (rc == 0 && listen(fd, UNIXSOCK_BACKLOG) < 0)
		rc = err_set_errno(ret_err, -errno, "cannot listen on %s", path);
	if (rc < 0)
		unlink(path);
	return rc;
}

int unixsock_listen(const char *path, gid_t group, int *ret_fd, struct err *ret_err)
{
	DESCRIPTOR_CLEANUP int fd = -1;
	struct sockaddr_un address;
	int rc;

	rc = unixsock_address(path, &address, ret_err);
	if (rc == 0)
		rc = unixsock_prepare_directory(path, ret_err);
	if (rc == 0)
		rc = unixsock_clear_path(&address, ret_err);
	if (rc < 0)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set_errno(ret_err, -errno, "cannot make the control socket");
	rc = unixsock_bind(fd, &address, group, ret_err);
	if (rc < 0)
		return rc;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

/* Whoever waits in the queue would make our own connect() fail with EAGAIN. */
static void unixsock_drain(int listener)
{
	int i, fd;

	for (i = 0; i < 4 * UNIXSOCK_BACKLOG; i++) {
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return;
		passed_close(fd);
	}
}

/*
 * The kernel tells no unprivileged process which file a socket is bound to, but a client
 * learns who called listen(): us, or somebody who took the path over.
 */
void unixsock_unlink(const char *path, int fd)
{
	DESCRIPTOR_CLEANUP int probe = -1;
	struct sockaddr_un address;
	struct ucred listener;
	socklen_t bytes = sizeof(listener);

	if (unixsock_address(path, &address, NULL) < 0)
		return;
	unixsock_drain(fd);
	if (unixsock_try_connect(&address, &probe) < 0)
		return;
	if (getsockopt(probe, SOL_SOCKET, SO_PEERCRED, &listener, &bytes) < 0)
		return;
	if (listener.pid == getpid())
		unlink(path);
}

static int unixsock_read_peer(int fd, struct unixsock_peer *ret_peer)
{
	socklen_t groups_bytes = sizeof(ret_peer->groups);
	struct ucred who;
	socklen_t bytes = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &bytes) < 0)
		return -errno;
	ret_peer->pid = who.pid;
	ret_peer->uid = who.uid;
	ret_peer->gid = who.gid;
	ret_peer->group_count = 0;
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, ret_peer->groups, &groups_bytes))
		ret_peer->group_count = groups_bytes / sizeof(gid_t);
	return 0;
}

int unixsock_accept(int listener, int *ret_fd, struct unixsock_peer *ret_peer)
{
	DESCRIPTOR_CLEANUP int fd = -1;
	int rc;

	do
		fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (fd < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	rc = unixsock_read_peer(fd, ret_peer);
	if (rc < 0)
		return rc;
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int unixsock_connect(const char *path, int timeout_ms, int *ret_fd, struct err *ret_err)
{
	struct timeval limit = { .tv_sec = timeout_ms / 1000,
				 .tv_usec = timeout_ms % 1000 * 1000 };
	DESCRIPTOR_CLEANUP int fd = -1;
	struct sockaddr_un address;
	int rc;

	rc = unixsock_address(path, &address, ret_err);
	if (rc < 0)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set_errno(ret_err, -errno, "cannot make a socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return err_set_errno(ret_err, -errno, "cannot limit the socket's time");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return err_set_errno(ret_err, -errno, "cannot connect to %s", path);
	*ret_fd = fd;
	fd = -1;
	return 0;
}

bool unixsock_peer_in_group(const struct unixsock_peer *peer, gid_t group)
{
	size_t i;

	if (group == (gid_t)-1)
		return false;
	for (i = 0; i < peer->group_count; i++) {
		if (peer->groups[i] == group)
			return true;
	}
	return peer->gid == group;
}
