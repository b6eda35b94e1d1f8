/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hairpin/passed.h"

/* A job of 160 KiB of text must fit at once: a packet is sent whole or not at all. */
enum { CHANNEL_BUFFER_BYTES = 512 * 1024 };

/*
 * Descriptors that may come with one packet before the kernel drops the rest (its own
 * limit is 253).
 */
enum { CHANNEL_DESCRIPTORS_MAX = 8 };

union channel_control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(CHANNEL_DESCRIPTORS_MAX * sizeof(int))];
};

/*
 * Beyond net.core.wmem_max only where we have the right to; the kernel doubles what it
 * grants, so its usual 208 KiB are enough too, and a refusal shows when a job does not
 * fit.
 */
static void channel_widen(int fd)
{
	int bytes = CHANNEL_BUFFER_BYTES;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

int channel_pair(int ret_ends[2])
{
	int kind = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int ends[2];

	if (socketpair(AF_UNIX, kind, 0, ends) < 0)
		return -errno;
	channel_widen(ends[0]);
	channel_widen(ends[1]);
	ret_ends[0] = ends[0];
	ret_ends[1] = ends[1];
	return 0;
}

static void channel_attach(struct msghdr *message, union channel_control *control, int fd)
{
	struct cmsghdr *header;

	memset(control, 0, sizeof(*control));
	message->msg_control = control->bytes;
	message->msg_controllen = CMSG_SPACE(sizeof(int));
	header = CMSG_FIRSTHDR(message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(int));
}

int channel_send(int channel, const void *packet, size_t bytes, int fd)
{
	struct iovec part = { .iov_base = (void *)packet, .iov_len = bytes };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	union channel_control control;

	if (fd >= 0)
		channel_attach(&message, &control, fd);
	for (;;) {
		if (sendmsg(channel, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno == ECONNRESET || errno == ENOTCONN)
			return -EPIPE;
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	}
}

/* The first descriptor of the packet, -1 for none; every further one is closed. */
static int channel_take_descriptor(struct msghdr *message)
{
	struct cmsghdr *header;
	int kept = -1;

	for (header = CMSG_FIRSTHDR(message); header;
	     header = CMSG_NXTHDR(message, header)) {
		size_t count, i;

		if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
			continue;
		count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
			if (kept < 0)
				kept = fd;
			else
				passed_close(fd);
		}
	}
	return kept;
}

ssize_t channel_receive(int channel, void *packet, size_t room, int *ret_fd)
{
	struct iovec part = { .iov_base = packet, .iov_len = room };
	union channel_control control;
	struct msghdr message;
	ssize_t got;
	int fd;

	do {
		message = (struct msghdr){
			.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof(control.bytes),
		};
		got = passed_receive_message(channel, &message, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0 && errno == ECONNRESET) {	/* gone, with unread packets of ours */
		if (ret_fd)
			*ret_fd = -1;
		return 0;
	}
	if (got < 0)	/* then nothing is in `control`: what stands there is old */
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;

	fd = channel_take_descriptor(&message);
	if (fd >= 0 && (!ret_fd || got == 0 || (message.msg_flags & MSG_TRUNC))) {
		passed_close(fd);
		fd = -1;
	}
	if (message.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	if (ret_fd)
		*ret_fd = fd;
	return got;
}
