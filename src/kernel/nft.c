/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two sockets: one for questions and batches, one that hears of everybody's
 * transactions.
 */
#include "nft_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

/* So many datagrams at a time: a flood must not keep the caller's loop. */
enum { MONITOR_READS_MAX = 256, MONITOR_BYTES = 8192 };

uint16_t nft_type(uint8_t type)
{
	return (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
}

/*
 * A reload of a large ruleset makes megabytes of messages. Each transaction ends with
 * one NEWGEN in a datagram of its own: the filter lets only that one in, so that the
 * receive buffer lasts.
 */
static int monitor_open(struct netlink *monitor, struct err *ret_err)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			 htons(nft_type(NFT_MSG_NEWGEN)), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog filter = { sizeof(code) / sizeof(code[0]), code };
	int group = NFNLGRP_NFTABLES;

	return netlink_subscribe(monitor, NETLINK_NETFILTER, &group, 1, &filter, ret_err);
}

int nft_new(struct nft **ret_nft, struct err *ret_err)
{
	struct nft *nft = calloc(1, sizeof(*nft));
	int r;

	if (!nft)
		return err_set_errno(ret_err, -ENOMEM, "nf_tables");
	r = netlink_open(&nft->command, NETLINK_NETFILTER, ret_err);
	if (r == 0)
		r = monitor_open(&nft->monitor, ret_err);
	if (r < 0) {
		nft_free(nft);
		return r;
	}
	nft->monitor.friend_port = nft->command.port;
	*ret_nft = nft;
	return 0;
}

void nft_free(struct nft *nft)
{
	if (!nft)
		return;
	netlink_close(&nft->command);
	netlink_close(&nft->monitor);
	netlink_close(&nft->journal);
	plain_done(&nft->plain);
	free(nft);
}

int nft_monitor_fd(const struct nft *nft)
{
	return nft->monitor.fd;
}

/* The port of a notification is that of the socket which committed. */
static bool is_foreign(const struct nft *nft, const uint8_t *bytes, size_t length)
{
	int left = (int)length;

	for (const struct nlmsghdr *message = (const void *)bytes;
	     attr_message_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (message->nlmsg_type == nft_type(NFT_MSG_NEWGEN) &&
		    message->nlmsg_pid != nft->command.port)
			return true;
	}
	return false;
}

int nft_monitor_read(struct nft *nft, bool *ret_foreign)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[MONITOR_BYTES];
	bool foreign = false;
	ssize_t got = 0;

	for (int i = 0; i < MONITOR_READS_MAX; i++) {
		ssize_t before = got;

		got = netlink_receive(&nft->monitor, buffer, sizeof(buffer),
				      MSG_DONTWAIT);
		if (got == -EAGAIN)
			break;
		if (netlink_is_deaf(got, before))
			return (int)got;
		nft->overruns += got < 0;
		foreign |= got < 0 || is_foreign(nft, buffer, (size_t)got);
	}
	*ret_foreign = foreign;
	return 0;
}

unsigned long nft_overruns(const struct nft *nft)
{
	return nft->overruns;
}

/* Whatever it refuses: nothing else was asked. */
static bool is_refusal(const uint8_t *bytes, size_t length)
{
	const struct nlmsghdr *message = (const void *)bytes;
	int left = (int)length, code = 0;

	if (!mnl_nlmsg_ok(message, left) || message->nlmsg_type != NLMSG_ERROR ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(code))
		return false;
	memcpy(&code, mnl_nlmsg_get_payload(message), sizeof(code));
	return code != 0;
}

static int take_generation(void *context, const struct nlmsghdr *message)
{
	struct span attributes = attr_of_message(message, sizeof(struct nfgenmsg));

	if (!attr_be32(attr_find(attributes, NFTA_GEN_ID), context))
		return -EBADMSG;
	return 0;
}

int nft_generation(struct nft *nft, uint32_t *ret_generation)
{
	struct wire wire WIRE_CLEANUP = { 0 };
	uint32_t generation = 0;
	size_t message;
	int r;

	message = wire_nf_message(&wire, nft_type(NFT_MSG_GETGEN), NLM_F_ACK,
				  ++nft->command.seq, AF_UNSPEC);
	wire_message_end(&wire, message);
	r = netlink_ask(&nft->command, &wire, take_generation, &generation);
	if (r == 0)
		*ret_generation = generation;
	return r == -EINVAL ? -EOPNOTSUPP : r;	/* no such subsystem of nfnetlink */
}

static void put_envelope(struct wire *wire, struct nft *nft, uint16_t type,
			 uint32_t generation)
{
	struct nfgenmsg header = { .res_id = htons(NFNL_SUBSYS_NFTABLES) };
	size_t message = wire_message(wire, type, 0, ++nft->command.seq, &header,
				      sizeof(header));

	if (generation)
		wire_put_be32(wire, NFNL_BATCH_GENID, generation);
	wire_message_end(wire, message);
}

/*
 * A batch without content changes nothing, but the kernel takes it only when nobody
 * else's is at work, and refuses it when the generation has passed.
 */
int nft_settled_generation(struct nft *nft, uint32_t *ret_generation)
{
	struct wire wire WIRE_CLEANUP = { 0 };
	_Alignas(struct nlmsghdr) uint8_t reply[MONITOR_BYTES];
	uint32_t generation = 0;
	bool refused = false;
	ssize_t got;
	int r;

	r = nft_generation(nft, &generation);
	if (r < 0)
		return r;
	put_envelope(&wire, nft, NFNL_MSG_BATCH_BEGIN, generation);
	put_envelope(&wire, nft, NFNL_MSG_BATCH_END, 0);
	if (wire.failed)
		return -ENOMEM;
	if (mnl_socket_sendto(nft->command.socket, wire.bytes, wire.length) < 0)
		return -errno;
	while ((got = netlink_receive(&nft->command, reply, sizeof(reply),
				      MSG_DONTWAIT)) >= 0)
		refused |= is_refusal(reply, (size_t)got);
	if (got != -EAGAIN)
		return got == -ENOBUFS ? -EINTR : (int)got;
	if (!refused)
		*ret_generation = generation;
	return refused ? -EINTR : 0;
}

void nft_listen_not(struct nft *nft)
{
	/* Failing, it only costs time. */
	(void)!netlink_leave(&nft->monitor, NFNLGRP_NFTABLES);
}

/*
 * To our own monitor: a generation that nobody of us made. Where it is full it is
 * readable already; waiting for room would be waiting for ourselves.
 */
static void remind(struct nft *nft)
{
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_pid = nft->monitor.port };
	struct wire wire WIRE_CLEANUP = { 0 };

	wire_message_end(&wire, wire_nf_message(&wire, nft_type(NFT_MSG_NEWGEN), 0, 0,
						AF_UNSPEC));
	if (!wire.failed)
		(void)!sendto(nft->command.fd, wire.bytes, wire.length, MSG_DONTWAIT,
			      (const struct sockaddr *)&to, sizeof(to));
}

void nft_listen_again(struct nft *nft, uint32_t expected)
{
	uint32_t generation = 0;

	(void)!netlink_join(&nft->monitor, NFNLGRP_NFTABLES);
	if (nft_generation(nft, &generation) < 0 || generation != expected)
		remind(nft);
}
