/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One netlink socket: questions and answers, or a subscription.
 *
 * What does not come from the kernel (another process may send us netlink messages) is
 * dropped unread.
 */
#ifndef KERNEL_NETLINK_H
#define KERNEL_NETLINK_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/filter.h>

#include "hairpin/err.h"
#include "wire.h"

/* The kernel fills at most 32 KiB of a dump at once; twice that is room enough. */
enum { NETLINK_BUFFER_BYTES = 64 * 1024 };

struct netlink {
	struct mnl_socket *socket;
	uint8_t *buffer;	/* for answers; NULL for subscriptions */
	int fd;
	uint32_t port;
	uint32_t seq;		/* of the last message sent */
	bool patient;		/* dumps that others interrupted are for the caller to judge */
	uint32_t friend_port;	/* one of ours that may send to this one; 0: none */
};

/*
 * For questions. Answers that do not come within seconds end the wait: the kernel
 * answers at once.
 */
int netlink_open(struct netlink *netlink, int bus, struct err *ret_err) must_check;

/* For subscriptions: `filter` (may be NULL) is in force before the first message. */
int netlink_subscribe(struct netlink *netlink, int bus, const int *groups, size_t count,
		      const struct sock_fprog *filter, struct err *ret_err) must_check;
void netlink_close(struct netlink *netlink);

/* Leaves a multicast group, or joins it (again). */
int netlink_leave(const struct netlink *netlink, int group) must_check;
int netlink_join(const struct netlink *netlink, int group) must_check;

/*
 * One datagram of the kernel's. -EAGAIN: none; -ENOBUFS: some were lost; -EMSGSIZE: it
 * was larger than the buffer.
 */
ssize_t netlink_receive(const struct netlink *netlink, void *buffer, size_t bytes,
			int flags) must_check;

/*
 * Of events, after what was received `before`: the socket cannot be read. An overrun is
 * told once, and what there was room for comes after it; one after the other is none.
 */
static inline bool netlink_is_deaf(ssize_t got, ssize_t before)
{
	if (got == -ENOBUFS)
		return before == -ENOBUFS;
	return got < 0 && got != -EMSGSIZE;
}

/*
 * Gets each message of an answer; a negative result is given back by netlink_ask() when
 * the answer is over.
 */
typedef int netlink_message_fn(void *context, const struct nlmsghdr *message);

/*
 * Sends one finished request (of wire.h, with NLM_F_ACK or NLM_F_DUMP, seq
 * `netlink->seq`) and reads the answer to its end, whatever happens. -EINTR: the dump
 * was interrupted and is torn; else the kernel's errno.
 */
int netlink_ask(struct netlink *netlink, const struct wire *request,
		netlink_message_fn *message, void *context) must_check;

#endif
