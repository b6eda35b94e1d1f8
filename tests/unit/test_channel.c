/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hairpin/channel.h"
#include "hairpin/message.h"

static void packet_arrives_whole(void **state)
{
	int ends[2], fd = 7;
	char packet[64];

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(channel_receive(ends[1], packet, sizeof(packet), &fd), -EAGAIN);
	assert_int_equal(fd, 7);
	assert_int_equal(channel_send(ends[0], "hello", 5, -1), 0);
	assert_int_equal(channel_send(ends[0], "you", 3, -1), 0);
	assert_int_equal(channel_receive(ends[1], packet, sizeof(packet), &fd), 5);
	assert_memory_equal(packet, "hello", 5);
	assert_int_equal(fd, -1);
	assert_int_equal(channel_receive(ends[1], packet, sizeof(packet), NULL), 3);
	close(ends[0]);
	close(ends[1]);
}

static void flags_are_set(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	for (int i = 0; i < 2; i++) {
		assert_true(fcntl(ends[i], F_GETFD) & FD_CLOEXEC);
		assert_true(fcntl(ends[i], F_GETFL) & O_NONBLOCK);
		close(ends[i]);
	}
}

static void descriptor_travels(void **state)
{
	int ends[2], pipes[2], fd = -1;
	char packet[8];

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(channel_send(ends[0], "x", 1, pipes[1]), 0);
	assert_int_equal(channel_receive(ends[1], packet, sizeof(packet), &fd), 1);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(pipes[1]);
	assert_int_equal(write(fd, "!", 1), 1);
	assert_int_equal(read(pipes[0], packet, 1), 1);
	assert_int_equal(packet[0], '!');
	close(fd);
	close(pipes[0]);
	close(ends[0]);
	close(ends[1]);
}

/* The write end is closed everywhere when the reader sees the end of the pipe. */
static void assert_all_closed(int reader)
{
	char byte;

	assert_int_equal(fcntl(reader, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(read(reader, &byte, 1), 0);
}

static void unwanted_descriptors_are_closed(void **state)
{
	int ends[2], pipes[2], fd = -1;
	char packet[8];

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(channel_send(ends[0], "x", 1, pipes[1]), 0);
	assert_int_equal(channel_receive(ends[1], packet, sizeof(packet), NULL), 1);
	assert_int_equal(channel_send(ends[0], "too long", 9, pipes[1]), 0);
	assert_int_equal(channel_receive(ends[1], packet, 4, &fd), -EMSGSIZE);
	assert_int_equal(fd, -1);
	close(pipes[1]);
	assert_all_closed(pipes[0]);
	close(pipes[0]);
	close(ends[0]);
	close(ends[1]);
}

/* 253 at once is the most the kernel takes. */
static void many_descriptors_leave_one(void **state)
{
	enum { MANY = 253 };
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(MANY * sizeof(int))];
	} control = { .bytes = { 0 } };
	char byte = 0;
	struct iovec part = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1,
				  .msg_control = control.bytes,
				  .msg_controllen = sizeof(control.bytes) };
	int ends[2], pipes[2], fd = -1, i;
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	char packet[8];

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(pipe(pipes), 0);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(MANY * sizeof(int));
	for (i = 0; i < MANY; i++)
		memcpy(CMSG_DATA(header) + i * sizeof(int), &pipes[1], sizeof(int));
	assert_int_equal(sendmsg(ends[0], &message, 0), 1);
	close(pipes[1]);
	assert_int_equal(channel_receive(ends[1], packet, sizeof(packet), &fd), 1);
	assert_true(fd >= 0);
	close(fd);
	assert_all_closed(pipes[0]);
	close(pipes[0]);
	close(ends[0]);
	close(ends[1]);
}

static void end_is_seen(void **state)
{
	int ends[2];
	char packet[8];

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(channel_send(ends[1], "unread", 6, -1), 0);
	close(ends[0]);
	assert_int_equal(channel_send(ends[1], "x", 1, -1), -EPIPE);
	assert_int_equal(channel_receive(ends[1], packet, sizeof(packet), NULL), 0);
	close(ends[1]);
}

/*
 * Who ends with our packets unread ends by an error, and the kernel writes nothing then: an
 * older packet's descriptor, still on the stack, is not taken for one of this. (So many,
 * because the sanitizer gives each call a stack of its own.)
 */
static void unread_end_brings_no_descriptor(void **state)
{
	int ends[2], null = open("/dev/null", O_RDONLY | O_CLOEXEC), fd = -1, kept = -1;
	char packet[8];

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	for (int i = 0; i < 4096; i++) {
		if (kept >= 0)
			close(kept);
		assert_int_equal(channel_send(ends[0], "x", 1, null), 0);
		assert_int_equal(channel_receive(ends[1], packet, sizeof(packet), &kept), 1);
		assert_true(kept >= 0);
	}
	assert_int_equal(channel_send(ends[1], "y", 1, -1), 0);
	close(ends[0]);
	assert_int_equal(channel_receive(ends[1], packet, sizeof(packet), &fd), 0);
	assert_int_equal(fd, -1);
	assert_true(fcntl(kept, F_GETFD) >= 0);
	close(kept);
	close(null);
	close(ends[1]);
}

static void largest_job_fits(void **state)
{
	struct message_job *job = calloc(1, sizeof(*job)),
			   *copy = calloc(1, sizeof(*job));
	int ends[2], sent = 0;

	(void)state;
	assert_non_null(job);
	assert_non_null(copy);
	memset(job->text, 'x', sizeof(job->text));
	assert_int_equal(channel_pair(ends), 0);
	assert_int_equal(channel_send(ends[0], job, sizeof(*job), -1), 0);
	assert_int_equal(channel_receive(ends[1], copy, sizeof(*copy), NULL),
			 sizeof(*job));
	assert_memory_equal(job, copy, sizeof(*job));
	/* A reader that never reads: full, not blocked. */
	while (channel_send(ends[0], job, sizeof(*job), -1) == 0)
		assert_true(++sent < 1000);
	assert_int_equal(channel_send(ends[0], job, sizeof(*job), -1), -EAGAIN);
	assert_true(sent >= 1);
	free(job);
	free(copy);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packet_arrives_whole),
		cmocka_unit_test(flags_are_set),
		cmocka_unit_test(descriptor_travels),
		cmocka_unit_test(unwanted_descriptors_are_closed),
		cmocka_unit_test(many_descriptors_leave_one),
		cmocka_unit_test(end_is_seen),
		cmocka_unit_test(unread_end_brings_no_descriptor),
		cmocka_unit_test(largest_job_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
