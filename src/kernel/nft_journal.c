/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft_journal.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { JOURNAL_BYTES = 4 * 1024 * 1024 };

static int journal_open(struct nft *nft)
{
	int group = NFNLGRP_NFTABLES, bytes = JOURNAL_BYTES, r;

	if (nft->journal.socket)
		return netlink_join(&nft->journal, group);
	r = netlink_subscribe(&nft->journal, NETLINK_NETFILTER, &group, 1, NULL, NULL);
	if (r < 0)
		return r;
	/* As much as we get: an overrun only costs another look. */
	if (setsockopt(nft->journal.fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
		       sizeof(bytes)) < 0)
		setsockopt(nft->journal.fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	return 0;
}

void nft_journal_begin(struct nft *nft)
{
	uint8_t byte;
	ssize_t got;

	if (nft->journal_on || journal_open(nft) < 0)
		return;
	do					/* what is left of the last time */
		got = netlink_receive(&nft->journal, &byte, sizeof(byte), MSG_DONTWAIT);
	while (got >= 0 || got == -EMSGSIZE || got == -ENOBUFS);
	nft->journal_on = got == -EAGAIN;
	nft->journal_touched = false;
}

void nft_journal_end(struct nft *nft)
{
	if (nft->journal_on)
		(void)!netlink_leave(&nft->journal, NFNLGRP_NFTABLES);
	nft->journal_on = false;
}

/* In all messages of nf_tables attribute 1 names the table. */
static bool touches(const struct ruleset *ruleset, const struct nlmsghdr *message)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	struct span attributes = attr_of_message(message, sizeof(*header)), name;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*header) ||
	    !attr_string(attr_find(attributes, NFTA_TABLE_NAME), &name))
		return true;
	for (const struct ruleset_chain *chain = ruleset->walk; chain; chain = chain->next) {
		if (chain->table->family == header->nfgen_family &&
		    attr_is(name, chain->table->name))
			return true;
	}
	return false;
}

/* A transaction is over. False: it, or one before, makes the look worthless. */
static bool end_transaction(struct nft *nft, struct ruleset *ruleset,
			    const struct nlmsghdr *message)
{
	struct span attributes = attr_of_message(message, sizeof(struct nfgenmsg));
	bool touched = nft->journal_touched;
	uint32_t generation;

	nft->journal_touched = false;
	if (!attr_be32(attr_find(attributes, NFTA_GEN_ID), &generation))
		return false;
	/* It was there when we began to look. */
	if ((int32_t)(generation - ruleset->generation) <= 0)
		return true;
	ruleset->generation = generation;
	return !touched;
}

static bool take_datagram(struct nft *nft, struct ruleset *ruleset, const uint8_t *bytes,
			  size_t length)
{
	int left = (int)length;

	for (const struct nlmsghdr *message = (const void *)bytes;
	     attr_message_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (message->nlmsg_type != nft_type(NFT_MSG_NEWGEN))
			nft->journal_touched |= touches(ruleset, message);
		else if (!end_transaction(nft, ruleset, message))
			return false;
	}
	return true;
}

int nft_journal_catch_up(struct nft *nft, struct ruleset *ruleset)
{
	uint8_t *buffer;
	ssize_t got;
	bool good = true;

	if (!nft->journal_on)
		return -EINTR;
	buffer = malloc(NETLINK_BUFFER_BYTES);
	if (!buffer)
		return -ENOMEM;
	do {
		got = netlink_receive(&nft->journal, buffer, NETLINK_BUFFER_BYTES,
				      MSG_DONTWAIT);
		if (got >= 0)
			good = take_datagram(nft, ruleset, buffer, (size_t)got);
	} while (got >= 0 && good);
	free(buffer);
	return good && got == -EAGAIN ? 0 : -EINTR;
}
