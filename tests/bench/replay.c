/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/clock.h"

ssize_t __real_mnl_socket_sendto(const struct mnl_socket *, const void *, size_t);
ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *, const void *, size_t);

static struct replay *recorder;		/* the linker's wrap takes no argument of ours */

static void die(const char *what)
{
	fprintf(stderr, "replay: %s\n", what);
	exit(1);
}

static void keep(struct replay *replay, const void *bytes, size_t length)
{
	struct replay_message *message;

	if (replay->count == replay->room) {
		replay->room = replay->room ? replay->room * 2 : 64;
		replay->messages = reallocarray(replay->messages, replay->room,
						sizeof(*replay->messages));
		if (!replay->messages)
			die("no memory");
	}
	message = &replay->messages[replay->count++];
	message->bytes = malloc(length);
	message->length = length;
	if (!message->bytes)
		die("no memory");
	memcpy(message->bytes, bytes, length);
}

static bool is_batch(const void *bytes)
{
	const struct nlmsghdr *first = bytes;

	return first->nlmsg_type == NFNL_MSG_BATCH_BEGIN;
}

/* One without content is a question: is somebody at work? Nobody answers "no". */
static bool is_empty(const void *bytes)
{
	const struct nlmsghdr *first = bytes, *second;

	second = (const void *)((const uint8_t *)bytes + NLMSG_ALIGN(first->nlmsg_len));
	return second->nlmsg_type == NFNL_MSG_BATCH_END;
}

ssize_t __wrap_mnl_socket_sendto(const struct mnl_socket *socket, const void *bytes,
				 size_t length)
{
	if (!recorder)
		return __real_mnl_socket_sendto(socket, bytes, length);
	keep(recorder, bytes, length);
	if (!is_batch(bytes) || is_empty(bytes))
		return __real_mnl_socket_sendto(socket, bytes, length);
	errno = EPERM;
	return -1;
}

void replay_record(struct replay *replay)
{
	recorder = replay;
}

void replay_record_end(void)
{
	recorder = NULL;
}

void replay_done(struct replay *replay)
{
	for (size_t i = 0; i < replay->count; i++)
		free(replay->messages[i].bytes);
	free(replay->messages);
	*replay = (struct replay){ 0 };
}

/* An answer ends with an error (which may be "none"), or with DONE behind the rest. */
static bool is_end(const uint8_t *bytes, size_t length)
{
	struct nlmsghdr first, last;
	size_t end = sizeof(last) + sizeof(int);

	if (length < end)
		return false;
	memcpy(&first, bytes, sizeof(first));
	memcpy(&last, bytes + length - end, sizeof(last));
	return first.nlmsg_type == NLMSG_ERROR ||
	       (last.nlmsg_type == NLMSG_DONE && last.nlmsg_len == end);
}

static void check(const uint8_t *bytes)
{
	struct nlmsghdr first;
	int code;

	memcpy(&first, bytes, sizeof(first));
	memcpy(&code, bytes + sizeof(first), sizeof(code));
	if (first.nlmsg_type == NLMSG_ERROR && code != 0)
		die(strerror(-code));
}

static void ask(const struct nft *nft, uint8_t *buffer)
{
	ssize_t got;

	do {
		got = netlink_receive(&nft->command, buffer, NETLINK_BUFFER_BYTES, 0);
		if (got < 0)
			die("an answer did not come");
	} while (!is_end(buffer, (size_t)got));
	check(buffer);
}

static void commit(const struct nft *nft, uint8_t *buffer, bool empty)
{
	bool answered = empty;
	ssize_t got;

	while ((got = netlink_receive(&nft->command, buffer, NETLINK_BUFFER_BYTES,
				      MSG_DONTWAIT)) >= 0) {
		answered = true;
		check(buffer);
	}
	if (got != -EAGAIN || !answered)
		die("the batch was not answered");
}

int64_t replay_run(const struct replay *replay, struct nft *nft)
{
	static uint8_t buffer[NETLINK_BUFFER_BYTES];
	uint32_t generation;
	int64_t time;

	if (nft_generation(nft, &generation) < 0)
		die("no generation");
	nft_listen_not(nft);
	time = clock_now_us();
	for (size_t i = 0; i < replay->count; i++) {
		const struct replay_message *message = &replay->messages[i];

		if (__real_mnl_socket_sendto(nft->command.socket, message->bytes,
					     message->length) < 0)
			die(strerror(errno));
		if (is_batch(message->bytes))
			commit(nft, buffer, is_empty(message->bytes));
		else
			ask(nft, buffer);
	}
	time = clock_now_us() - time;
	nft_listen_again(nft, generation + 1);
	return time;
}
