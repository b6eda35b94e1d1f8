/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes by a netlink socket, from whomever: an answer to a question of ours is read to
 * its end; nothing of it was sent by another process, belongs to another question, or
 * reaches behind its datagram. Input: datagrams, each a byte for the sender (0: the kernel),
 * one for what recvmsg() says, two of length, and it.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

ssize_t played_recvmsg(int fd, struct msghdr *datagram, int flags);
ssize_t played_sendto(const struct mnl_socket *socket, const void *bytes, size_t length);

/* The socket is played; the rest of the module is the real one. */
#define recvmsg played_recvmsg
#define mnl_socket_sendto played_sendto
/* NOLINTNEXTLINE: the point of it */
#include "kernel/netlink.c"
#undef recvmsg
#undef mnl_socket_sendto

#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PORT = 1, SEQ = 1, FRIEND = 9 };

static const uint8_t *at, *end;
static bool by_kernel;

ssize_t played_recvmsg(int fd, struct msghdr *datagram, int flags)
{
	struct sockaddr_nl *sender = datagram->msg_name;
	size_t length, room = datagram->msg_iov->iov_len;
	uint8_t what;

	(void)fd;
	(void)flags;
	if (end - at < 4) {
		errno = EAGAIN;
		return -1;
	}
	memset(sender, 0, sizeof(*sender));
	sender->nl_family = AF_NETLINK;
	sender->nl_pid = at[0];
	what = at[1];
	length = at[2] | (size_t)at[3] << 8;
	at += 4;
	if (length > (size_t)(end - at))
		length = (size_t)(end - at);
	datagram->msg_namelen = what == 1 ? 0 : sizeof(*sender);
	datagram->msg_flags = what == 2 ? MSG_TRUNC : 0;
	if (what >= 0xf0) {
		errno = what == 0xff ? EINTR : ENOBUFS;
		return -1;
	}
	by_kernel = sender->nl_pid == 0 && what != 1;
	memcpy(datagram->msg_iov->iov_base, at, length < room ? length : room);
	at += length;
	return (ssize_t)(length < room ? length : room);
}

ssize_t played_sendto(const struct mnl_socket *socket, const void *bytes, size_t length)
{
	(void)socket;
	(void)bytes;
	return (ssize_t)length;
}

static int take(void *context, const struct nlmsghdr *message)
{
	const struct netlink *netlink = context;
	const uint8_t *begin = (const void *)message;

	require(by_kernel || netlink->friend_port);
	require(message->nlmsg_seq == SEQ && message->nlmsg_pid == PORT);
	require(message->nlmsg_type >= NLMSG_MIN_TYPE);
	require(message->nlmsg_len >= NLMSG_HDRLEN && begin >= netlink->buffer);
	require(message->nlmsg_len <=
		NETLINK_BUFFER_BYTES - (size_t)(begin - netlink->buffer));
	return message->nlmsg_len == 77 ? -EBADMSG : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire request = { .bytes = NULL };
	struct netlink netlink = { .fd = -1, .port = PORT, .seq = SEQ };
	int r;

	if (size == 0)
		return 0;
	netlink.buffer = malloc(NETLINK_BUFFER_BYTES);
	require(netlink.buffer != NULL);
	netlink.patient = data[0] & 1;
	netlink.friend_port = data[0] & 2 ? FRIEND : 0;
	at = data + 1;
	end = data + size;
	r = netlink_ask(&netlink, &request, take, &netlink);
	require(r <= 0);
	free(netlink.buffer);
	return 0;
}
