/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In place of hairpin-publish, started by the real supervisor: the publisher after it was
 * taken over. What it does stands in the file ACT of the folder $HAIRPIND_HOSTILE, one
 * word; each time it does it, it says so in the file "acted" there. "honest" is the real
 * one, which lies there as "honest-publish".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hairpin/message.h"

enum { CHANNEL = 3, FLOOD = 1000000, LINGER_S = 30 };

static struct message_job job;

/* --- what it is to do --- */

static const char *folder_file(const char *name)
{
	static char path[256];
	const char *folder = getenv("HAIRPIND_HOSTILE");

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "", name);
	return path;
}

static void read_act(char act[64])
{
	FILE *file = fopen(folder_file("act"), "r");

	if (!file || fscanf(file, "%63s", act) != 1)
		strcpy(act, "silent");
	if (file)
		fclose(file);
}

static void note(const char *act)
{
	int fd = open(folder_file("acted"), O_WRONLY | O_APPEND | O_CLOEXEC);

	if (fd < 0)
		return;
	dprintf(fd, "%s\n", act);
	close(fd);
}

/* --- what it says --- */

/* Blocking: what is not taken now is taken later. False: nobody listens any more. */
static int say(const void *packet, size_t bytes)
{
	while (send(CHANNEL, packet, bytes, MSG_NOSIGNAL) < 0) {
		struct pollfd wait = { .fd = CHANNEL, .events = POLLOUT };

		if (errno != EAGAIN && errno != EINTR)
			return 0;
		(void)poll(&wait, 1, 1000);
	}
	return 1;
}

static struct message_result answer(uint32_t index)
{
	struct message_result result = {
		.head = { MESSAGE_RESULT, job.head.number },
		.record = job.records[index].record, .verdict = MESSAGE_ANSWER,
		.address_count = 1, .ttl_s = 1,
	};

	(void)addr_parse(job.records[index].family == AF_INET6 ? "2606::6" : "6.6.6.6",
			 &result.addresses[0]);
	if (job.kind == MESSAGE_UPDATE_RECORDS)
		result.verdict = MESSAGE_GOOD;
	if (job.kind == MESSAGE_VERIFY)
		result.verdict = MESSAGE_VERIFIED;
	return result;
}

static void lie(void)
{
	for (uint32_t i = 0; i < job.record_count; i++) {
		struct message_result result = answer(i);

		(void)say(&result, sizeof(result));
	}
}

static void say_wrong(const char *act)
{
	struct message_result result = answer(0);
	char large[4 * sizeof(result)] = "";

	memcpy(large, &result, sizeof(result));
	if (strcmp(act, "half") == 0)
		(void)say(&result, sizeof(result) / 2);
	else if (strcmp(act, "large") == 0)
		(void)say(large, sizeof(large));
	else if (strcmp(act, "empty") == 0)
		(void)say(&result, 0);
	else if (strcmp(act, "type") == 0)
		(void)say(&job, offsetof(struct message_job, text));
	else if (strcmp(act, "garbage") == 0)
		(void)say(&job.records, sizeof(result));
}

static void flood(void)
{
	struct message_result result = answer(0);

	for (int i = 0; i < FLOOD; i++) {
		result.head.number = (uint32_t)i;
		if (!say(&result, sizeof(result)))
			return;
	}
}

/* --- what it passes along --- */

static void pass(const int *fds, size_t count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(253 * sizeof(int))];
	} control = { .bytes = "" };
	struct message_result result = answer(0);
	struct iovec part = { &result, sizeof(result) };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	(void)!sendmsg(CHANNEL, &message, MSG_NOSIGNAL);
}

static void pass_many(void)
{
	int fds[253];

	for (size_t i = 0; i < 253; i++)
		fds[i] = STDERR_FILENO;
	for (int i = 0; i < 50; i++)
		pass(fds, 253);
}

/* A connection that is to linger, full of what nobody reads; the peer stays open. */
static void pass_lingering(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger linger = { .l_onoff = 1, .l_linger = LINGER_S };
	socklen_t bytes = sizeof(address);
	static const char stuff[65536];
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (bind(listener, (struct sockaddr *)&address, bytes) < 0 ||
	    listen(listener, 1) < 0 ||
	    getsockname(listener, (struct sockaddr *)&address, &bytes) < 0 ||
	    connect(fd, (struct sockaddr *)&address, bytes) < 0)
		return;
	while (send(fd, stuff, sizeof(stuff), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	pass(&fd, 1);
	close(fd);
}

/* --- its life --- */

static void do_act(const char *act)
{
	int number;

	if (sscanf(act, "signal-%d", &number) == 1) {
		(void)signal(number, SIG_DFL);
		(void)raise(number);
	} else if (sscanf(act, "exit-%d", &number) == 1)
		_exit(number);
	else if (strcmp(act, "lie") == 0)
		lie();
	else if (strcmp(act, "one") == 0) {
		struct message_result result = answer(0);

		(void)say(&result, sizeof(result));
		_exit(0);
	} else if (strcmp(act, "flood") == 0)
		flood();
	else if (strcmp(act, "fds") == 0)
		pass_many();
	else if (strcmp(act, "linger") == 0)
		pass_lingering();
	else
		say_wrong(act);
}

int main(void)
{
	struct pollfd wait = { .fd = CHANNEL, .events = POLLIN };
	char act[64];

	read_act(act);
	if (strcmp(act, "honest") == 0) {
		execl(folder_file("honest-publish"), "hairpin-publish", NULL);
		return 1;
	}
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_IGN);
	for (;;) {
		ssize_t got;

		(void)poll(&wait, 1, -1);
		got = recv(CHANNEL, &job, sizeof(job), MSG_DONTWAIT);
		if (got == 0)
			(void)pause();	/* closed: a good one leaves */
		if (got <= 0 || job.head.type != MESSAGE_JOB)
			continue;
		read_act(act);
		if (strcmp(act, "honest") == 0)
			return 0;	/* the next one is */
		note(act);
		do_act(act);
	}
}
