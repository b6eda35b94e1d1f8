/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft_commit.h"

#include <errno.h>
#include <sys/socket.h>

#include "hairpin/clock.h"
#include "nft_batch.h"
#include "nft_journal.h"

#ifndef ERESTART
#define ERESTART 85		/* the kernel's own; Linux gives it to user space here */
#endif

enum { SENDINGS_MAX = 1000 };

/* What the kernel said to one batch. */
struct reply {
	const struct batch *batch;
	unsigned refused;
	bool acknowledged;
	int status;		/* of the batch as a whole */
};

static const char *refusal(enum nft_kind kind, int code)
{
	switch (code) {
	case EPERM:
		return "the kernel refused: the table belongs to another program";
	case EBUSY:
		return kind == NFT_RULE
			? "the kernel refused: something of it cannot be made again"
			: "the kernel refused: the set is constant, or in use";
	case EOPNOTSUPP:
		return "the kernel refused: this rule cannot be replaced";
	case ENOENT:
		return "the kernel refused: something it names is missing";
	case EEXIST:
	case ENOTEMPTY:
		return "the kernel refused: it overlaps another element";
	case EINVAL:
		return "the kernel refused it as invalid";
	case ENOMEM:
		return "the kernel refused: no memory";
	case EMFILE:
	case ENFILE:
	case ENOSPC:
		return kind == NFT_RULE ? "the kernel refused: too many of something"
					: "the kernel refused: the set is full";
	}
	return "the kernel refused it";
}

static void take_error(struct reply *reply, uint32_t seq, int code)
{
	struct ruleset_thing *thing = batch_owner(reply->batch, seq);

	if (code == 0) {
		reply->acknowledged |= thing != NULL;
		return;
	}
	if (!thing) {
		reply->status = code;
		return;
	}
	/* One of its sets may have been refused before. */
	if (thing->verdict.result != NFT_CHANGED && !thing->resend)
		return;
	/* An element's time may have run out since we looked: look again, once. */
	if (thing->kind != NFT_RULE && code == -ENOENT &&
	    reply->batch->report->attempts == 1) {
		reply->status = -EINTR;
		return;
	}
	reply->refused++;
	ruleset_leave(reply->batch->ruleset, thing, refusal(thing->kind, -code), true);
}

static void take_datagram(struct reply *reply, const uint8_t *bytes, size_t length)
{
	const struct batch *batch = reply->batch;
	int left = (int)length, code;

	for (const struct nlmsghdr *message = (const void *)bytes;
	     attr_message_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (message->nlmsg_type != NLMSG_ERROR ||
		    message->nlmsg_seq - batch->begin_seq >
			    batch->seq - batch->begin_seq ||
		    mnl_nlmsg_get_payload_len(message) < sizeof(code))
			continue;
		memcpy(&code, mnl_nlmsg_get_payload(message), sizeof(code));
		take_error(reply, message->nlmsg_seq, code);
	}
}

/* The kernel has worked when send() returns: what it had to say is there. */
static int read_reply(struct nft *nft, struct reply *reply)
{
	uint8_t *buffer = nft->command.buffer;
	bool overrun = false;
	ssize_t got;

	for (;;) {
		got = netlink_receive(&nft->command, buffer, NETLINK_BUFFER_BYTES,
				      MSG_DONTWAIT);
		if (got >= 0)
			take_datagram(reply, buffer, (size_t)got);
		else if (got == -ENOBUFS)
			overrun = true;
		else if (got != -EMSGSIZE)
			break;
	}
	if (got != -EAGAIN)
		return (int)got;
	if (reply->status || reply->refused)
		return reply->status;
	/* Neither yes nor no: the next look tells. */
	return overrun || !reply->acknowledged ? -EINTR : 0;
}

/* The whole batch has to be one datagram. */
static void make_room(struct nft *nft, size_t bytes)
{
	int have = 0, want = bytes > INT32_MAX / 4 ? INT32_MAX / 4 : (int)bytes + 4096;
	socklen_t length = sizeof(have);

	if (getsockopt(nft->command.fd, SOL_SOCKET, SO_SNDBUF, &have, &length) == 0 &&
	    (size_t)have > bytes + 64)
		return;
	if (setsockopt(nft->command.fd, SOL_SOCKET, SO_SNDBUFFORCE, &want,
		       sizeof(want)) < 0)
		setsockopt(nft->command.fd, SOL_SOCKET, SO_SNDBUF, &want, sizeof(want));
}

static int send_batch(struct nft *nft, const struct batch *batch, struct err *ret_err)
{
	make_room(nft, batch->wire.length);
	if (mnl_socket_sendto(nft->command.socket, batch->wire.bytes,
			      batch->wire.length) >= 0)
		return 0;
	if (errno == EMSGSIZE)
		return err_set(ret_err, -EMSGSIZE, "the change of all rules at once has "
			       "%zu bytes, more than net.core.wmem_max lets us send",
			       batch->wire.length);
	return err_set_errno(ret_err, -errno, "sending rules to the kernel");
}

/* Others who commit elsewhere only cost another try, as long as they are read along. */
static int send_until_taken(struct nft *nft, struct batch *batch, struct reply *reply,
			    struct err *ret_err)
{
	int r;

	for (int i = 0; i < SENDINGS_MAX; i++) {
		*reply = (struct reply){ .batch = batch };
		r = send_batch(nft, batch, ret_err);
		if (r < 0)
			return r;
		r = read_reply(nft, reply);
		if (r < 0 && r != -EINTR && r != -ERESTART)
			return err_set_errno(ret_err, r, "changing rules");
		if (r != -ERESTART)
			return r;
		r = nft_journal_catch_up(nft, batch->ruleset);
		if (r < 0)
			break;
		batch_renew(batch);
	}
	return -EINTR;
}

/* Positive: so many rules were refused, the rest is worth another try. */
static int commit_once(struct nft *nft, struct batch *batch, struct err *ret_err)
{
	uint32_t generation = batch->ruleset->generation;
	struct reply reply;
	bool committed;
	int64_t begin;
	int r;

	r = batch_build(batch);
	if (r < 0)
		return r == -EINTR
			? r : err_set_errno(ret_err, r, "building a batch of rules");
	if (!batch->last)
		return 0;
	nft_listen_not(nft);
	begin = clock_now_us();
	r = send_until_taken(nft, batch, &reply, ret_err);
	begin = clock_now_us() - begin;
	committed = r == 0 && !reply.refused;
	nft_listen_again(nft, generation + committed);
	if (r < 0)
		return r;
	if (committed)
		batch->report->commit_us = begin;
	return (int)reply.refused;
}

int nft_commit(struct nft *nft, struct ruleset *ruleset, struct nft_report *report,
	       struct err *ret_err)
{
	int r;

	do {
		struct batch batch = { .nft = nft, .ruleset = ruleset, .report = report };

		r = commit_once(nft, &batch, ret_err);
		batch_done(&batch);
	} while (r > 0);	/* each time at least one rule fewer */
	return r;
}
