/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A netlink socket whose other end is the bytes of a fuzz input: stands in for
 * kernel/netlink.c and for libmnl's sending, which are then not linked. One per program.
 *
 * A question gets the next answer of its kind that was recorded for it, else any of its
 * kind. A batch is shown to fake_batch(), and acknowledged but for the messages that the
 * input says are refused; a question to fake_question(). The program brings both.
 */
#ifndef FAKE_NETLINK_H
#define FAKE_NETLINK_H

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "fuzz/netlink_input.h"
#include "kernel/netlink.h"

/* After so many questions the kernel is gone: a hostile one could ask for ever. */
enum { FAKE_QUESTIONS_MAX = 2000, FAKE_REPLY_BYTES = 8192, FAKE_PORT = 1 };

static struct {
	const uint8_t *bytes;		/* the answers */
	size_t length;
	size_t cursor[256];		/* by kind: where the search goes on */
	unsigned questions, batches;
	uint8_t reply[FAKE_REPLY_BYTES];	/* to the batch, not yet received */
	size_t reply_length;
} fake;

/* A whole batch as it would go to the kernel. */
static void fake_batch(const uint8_t *bytes, size_t length);
/* What it is asked, or told without a batch. */
static void fake_question(const struct wire *request);

static bool fake_answer_at(size_t at, struct input_answer *ret_answer)
{
	if (at > fake.length || fake.length - at < sizeof(*ret_answer))
		return false;
	memcpy(ret_answer, fake.bytes + at, sizeof(*ret_answer));
	return ret_answer->length <= fake.length - at - sizeof(*ret_answer);
}

static size_t fake_next(size_t at, const struct input_answer *answer)
{
	return at + sizeof(*answer) + MNL_ALIGN(answer->length);
}

/* The place of an answer from `at` on; `key` 0: any of its kind. */
static bool fake_find(size_t at, uint8_t kind, uint32_t key, size_t *ret_at)
{
	struct input_answer answer;

	for (; fake_answer_at(at, &answer); at = fake_next(at, &answer)) {
		if (answer.kind == kind && (!key || answer.key == key)) {
			*ret_at = at;
			return true;
		}
	}
	return false;
}

static bool fake_take(uint8_t kind, uint32_t key, struct input_answer *ret_answer,
		      const uint8_t **ret_bytes)
{
	size_t at, from = fake.cursor[kind];

	if (!fake_find(from, kind, key, &at) && !fake_find(0, kind, key, &at) &&
	    !fake_find(from, kind, 0, &at) && !fake_find(0, kind, 0, &at))
		return false;
	if (!fake_answer_at(at, ret_answer))
		return false;
	*ret_bytes = fake.bytes + at + sizeof(*ret_answer);
	fake.cursor[kind] = fake_next(at, ret_answer);
	return true;
}

/* Each message alone in memory of its size, so that a byte too far is seen. */
static int fake_give(netlink_message_fn *message, void *context, const uint8_t *bytes,
		     size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);
	int left = (int)length, status = 0;

	if (!copy)
		abort();
	memcpy(copy, bytes, length);
	for (const struct nlmsghdr *each = (const void *)copy;
	     status == 0 && attr_message_ok(each, left);
	     each = mnl_nlmsg_next(each, &left)) {
		uint8_t *one = malloc(each->nlmsg_len);

		if (!one)
			abort();
		memcpy(one, each, each->nlmsg_len);
		if (each->nlmsg_flags & NLM_F_DUMP_INTR)
			status = -EINTR;
		else if (each->nlmsg_type >= NLMSG_MIN_TYPE)
			status = message(context, (const struct nlmsghdr *)(void *)one);
		free(one);
	}
	free(copy);
	return status > 0 ? 0 : status;
}

int netlink_ask(struct netlink *netlink, const struct wire *request,
		netlink_message_fn *message, void *context)
{
	struct input_answer answer;
	const uint8_t *bytes;
	int status;

	(void)netlink;
	if (request->failed)
		return -ENOMEM;
	if (++fake.questions > FAKE_QUESTIONS_MAX)
		return -EPERM;
	fake_question(request);
	if (!fake_take(input_kind(request), input_key(request), &answer, &bytes))
		return 0;
	status = fake_give(message, context, bytes, answer.length);
	return status < 0 ? status : answer.status > 0 ? 0 : answer.status;
}

static void fake_say(uint32_t seq, int code)
{
	struct nlmsgerr error = { .error = code };
	struct nlmsghdr message = {
		.nlmsg_len = NLMSG_LENGTH(sizeof(error)), .nlmsg_type = NLMSG_ERROR,
		.nlmsg_seq = seq,
	};

	if (fake.reply_length + message.nlmsg_len > sizeof(fake.reply))
		return;
	memcpy(fake.reply + fake.reply_length, &message, sizeof(message));
	memcpy(fake.reply + fake.reply_length + NLMSG_HDRLEN, &error, sizeof(error));
	fake.reply_length += message.nlmsg_len;
}

/* A batch without content, which waits for those of others. */
static bool is_empty(const struct nlmsghdr *begin, int left)
{
	const struct nlmsghdr *second;

	if (!mnl_nlmsg_ok(begin, left))
		return false;
	second = mnl_nlmsg_next(begin, &left);
	return mnl_nlmsg_ok(second, left) && second->nlmsg_type == NFNL_MSG_BATCH_END;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *socket, const void *bytes,
			  size_t length)
{
	const struct nlmsghdr *first = bytes, *each;
	struct input_answer refusals = { 0 };
	const uint8_t *refused = NULL;
	int left = (int)length;

	(void)socket;
	if (is_empty(first, left))
		return (ssize_t)length;
	fake_batch(bytes, length);
	fake.batches++;
	fake.reply_length = 0;
	if (fake_take(INPUT_BATCH, 0, &refusals, &refused)) {
		for (size_t i = 0; i + 2 <= refusals.length; i += 2)
			fake_say(first->nlmsg_seq + refused[i], -(int)refused[i + 1]);
	}
	if (refusals.status) {
		errno = refusals.status < 0 ? -refusals.status : refusals.status;
		return -1;
	}
	for (each = first; attr_message_ok(each, left); each = mnl_nlmsg_next(each, &left)) {
		if (each->nlmsg_flags & NLM_F_ACK)
			fake_say(each->nlmsg_seq, 0);
	}
	return (ssize_t)length;
}

/* What the kernel tells without having been asked. */
static ssize_t fake_hear(void *buffer, size_t bytes)
{
	struct input_answer answer;
	const uint8_t *heard;

	if (++fake.questions > FAKE_QUESTIONS_MAX ||
	    !fake_take(INPUT_HEARD, 0, &answer, &heard))
		return -EAGAIN;
	if (answer.status)
		return answer.status < 0 ? answer.status : -EAGAIN;
	if (answer.length > bytes)
		return -EMSGSIZE;
	memcpy(buffer, heard, answer.length);
	return answer.length;
}

ssize_t netlink_receive(const struct netlink *netlink, void *buffer, size_t bytes,
			int flags)
{
	size_t length = fake.reply_length;

	(void)flags;
	if (netlink->port != FAKE_PORT)
		return fake_hear(buffer, bytes);
	if (!length || length > bytes)
		return -EAGAIN;
	memcpy(buffer, fake.reply, length);
	fake.reply_length = 0;
	return (ssize_t)length;
}

int netlink_open(struct netlink *netlink, int bus, struct err *ret_err)
{
	(void)bus;
	(void)ret_err;
	*netlink = (struct netlink){ .fd = -1, .port = 1,
				     .buffer = malloc(NETLINK_BUFFER_BYTES) };
	if (!netlink->buffer)
		abort();
	return 0;
}

int netlink_subscribe(struct netlink *netlink, int bus, const int *groups, size_t count,
		      const struct sock_fprog *filter, struct err *ret_err)
{
	(void)groups;
	(void)count;
	(void)filter;
	(void)bus;
	(void)ret_err;
	*netlink = (struct netlink){ .fd = -1, .port = FAKE_PORT + 1 };
	return 0;
}

void netlink_close(struct netlink *netlink)
{
	free(netlink->buffer);
	*netlink = (struct netlink){ .fd = -1 };
}

int netlink_leave(const struct netlink *netlink, int group)
{
	(void)netlink;
	(void)group;
	return 0;
}

int netlink_join(const struct netlink *netlink, int group)
{
	(void)netlink;
	(void)group;
	return 0;
}

#endif
