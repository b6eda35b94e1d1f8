/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { ANSWER_WAIT_S = 5 };

static int socket_open(struct netlink *netlink, int bus, struct err *ret_err)
{
	int on = 1;

	netlink->socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	if (!netlink->socket)
		return err_set_errno(ret_err, -errno, "netlink socket");
	netlink->fd = mnl_socket_get_fd(netlink->socket);
	/*
	 * Short errors that name the refused attribute; older kernels lack the options.
	 */
	setsockopt(netlink->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(netlink->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	return 0;
}

static int socket_bind(struct netlink *netlink, struct err *ret_err)
{
	if (mnl_socket_bind(netlink->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return err_set_errno(ret_err, -errno, "binding a netlink socket");
	netlink->port = mnl_socket_get_portid(netlink->socket);
	return 0;
}

/*
 * From now on the kernel lets no other process send to it. Its words would be passed over
 * anyway, but between two questions nobody reads them, and where they fill the socket no
 * answer gets in.
 */
static int socket_connect(const struct netlink *netlink, struct err *ret_err)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	if (connect(netlink->fd, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return err_set_errno(ret_err, -errno, "connecting a netlink socket");
	return 0;
}

int netlink_open(struct netlink *netlink, int bus, struct err *ret_err)
{
	struct timeval wait = { .tv_sec = ANSWER_WAIT_S };
	struct netlink fresh = { .fd = -1 };
	int r;

	r = socket_open(&fresh, bus, ret_err);
	if (r < 0)
		return r;
	r = socket_bind(&fresh, ret_err);
	if (r == 0)
		r = socket_connect(&fresh, ret_err);
	fresh.buffer = malloc(NETLINK_BUFFER_BYTES);
	if (r == 0 && !fresh.buffer)
		r = err_set_errno(ret_err, -ENOMEM, "netlink socket");
	if (r < 0) {
		netlink_close(&fresh);
		return r;
	}
	setsockopt(fresh.fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	*netlink = fresh;
	return 0;
}

int netlink_leave(const struct netlink *netlink, int group)
{
	return mnl_socket_setsockopt(netlink->socket, NETLINK_DROP_MEMBERSHIP, &group,
				     sizeof(group)) < 0 ? -errno : 0;
}

int netlink_join(const struct netlink *netlink, int group)
{
	return mnl_socket_setsockopt(netlink->socket, NETLINK_ADD_MEMBERSHIP, &group,
				     sizeof(group)) < 0 ? -errno : 0;
}

static int join_all(struct netlink *netlink, const int *groups, size_t count,
		    struct err *ret_err)
{
	for (size_t i = 0; i < count; i++) {
		int r = netlink_join(netlink, groups[i]);

		if (r == -EPERM)
			return err_set(ret_err, r, "the kernel refuses: be root or have "
						   "CAP_NET_ADMIN in this network "
						   "namespace");
		if (r < 0)
			return err_set_errno(ret_err, r, "joining netlink group %d",
					     groups[i]);
	}
	return 0;
}

int netlink_subscribe(struct netlink *netlink, int bus, const int *groups, size_t count,
		      const struct sock_fprog *filter, struct err *ret_err)
{
	struct netlink fresh = { .fd = -1 };
	int r;

	r = socket_open(&fresh, bus, ret_err);
	if (r < 0)
		return r;
	if (filter && setsockopt(fresh.fd, SOL_SOCKET, SO_ATTACH_FILTER, filter,
				 sizeof(*filter)) < 0) {
		r = err_set_errno(ret_err, -errno, "netlink filter");
		goto fail;
	}
	r = socket_bind(&fresh, ret_err);
	if (r < 0)
		goto fail;
	r = join_all(&fresh, groups, count, ret_err);
	if (r < 0)
		goto fail;
	*netlink = fresh;
	return 0;
fail:
	netlink_close(&fresh);
	return r;
}

void netlink_close(struct netlink *netlink)
{
	if (netlink->socket)
		mnl_socket_close(netlink->socket);
	free(netlink->buffer);
	*netlink = (struct netlink){ .fd = -1 };
}

ssize_t netlink_receive(const struct netlink *netlink, void *buffer, size_t bytes,
			int flags)
{
	struct iovec piece = { .iov_base = buffer, .iov_len = bytes };
	struct sockaddr_nl sender;
	struct msghdr datagram = { .msg_iov = &piece, .msg_iovlen = 1 };
	ssize_t got;

	for (;;) {
		datagram.msg_name = &sender;
		datagram.msg_namelen = sizeof(sender);
		got = recvmsg(netlink->fd, &datagram, flags);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (datagram.msg_namelen != sizeof(sender) ||
		    (sender.nl_pid != 0 && sender.nl_pid != netlink->friend_port))
			continue;
		return datagram.msg_flags & MSG_TRUNC ? -EMSGSIZE : got;
	}
}

/* An answer while it is read. `status`: the first thing that went wrong. */
struct answer {
	struct netlink *netlink;
	netlink_message_fn *message;
	void *context;
	int status;
	bool over;
};

static void fail_once(struct answer *answer, int code)
{
	if (!answer->status && code < 0)
		answer->status = code;
}

/* NLMSG_ERROR and NLMSG_DONE begin with an errno; a DONE of old kernels may lack it. */
static void take_end(struct answer *answer, const struct nlmsghdr *message)
{
	int code = 0;

	if (mnl_nlmsg_get_payload_len(message) >= sizeof(code))
		memcpy(&code, mnl_nlmsg_get_payload(message), sizeof(code));
	fail_once(answer, code);
	answer->over = true;
}

static void take_message(struct answer *answer, const struct nlmsghdr *message)
{
	if (message->nlmsg_seq != answer->netlink->seq ||
	    message->nlmsg_pid != answer->netlink->port)
		return;
	if (message->nlmsg_flags & NLM_F_DUMP_INTR && !answer->netlink->patient)
		fail_once(answer, -EINTR);
	if (message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR)
		take_end(answer, message);
	else if (message->nlmsg_type >= NLMSG_MIN_TYPE && !answer->status)
		fail_once(answer, answer->message(answer->context, message));
}

static int read_answer(struct answer *answer)
{
	const uint8_t *buffer = answer->netlink->buffer;

	while (!answer->over) {
		ssize_t got = netlink_receive(answer->netlink,
					      answer->netlink->buffer,
					      NETLINK_BUFFER_BYTES, 0);
		int left = (int)got;

		if (got == -EMSGSIZE) {		/* the rest still has to be read */
			fail_once(answer, -EMSGSIZE);
			continue;
		}
		if (got < 0)
			return got == -EAGAIN ? -ETIMEDOUT : (int)got;
		for (const struct nlmsghdr *message = (const void *)buffer;
		     attr_message_ok(message, left);
		     message = mnl_nlmsg_next(message, &left))
			take_message(answer, message);
	}
	return answer->status;
}

int netlink_ask(struct netlink *netlink, const struct wire *request,
		netlink_message_fn *message, void *context)
{
	struct answer answer = { netlink, message, context, 0, false };

	if (request->failed)
		return -ENOMEM;
	if (mnl_socket_sendto(netlink->socket, request->bytes, request->length) < 0)
		return -errno;
	return read_answer(&answer);
}
