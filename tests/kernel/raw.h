/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nf_tables without nft: batches of raw messages, for what the tool cannot say or says
 * too slowly.
 */
#ifndef TESTS_KERNEL_RAW_H
#define TESTS_KERNEL_RAW_H

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "kernel/netlink.h"
#include "lab.h"

static LAB_UNUSED uint16_t raw_type(uint8_t type)
{
	return (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type);
}

static LAB_UNUSED void raw_envelope(struct wire *wire, uint16_t type)
{
	struct nfgenmsg header = { .res_id = htons(NFNL_SUBSYS_NFTABLES) };
	size_t place = wire_message(wire, type, 0, 0, &header, sizeof(header));

	wire_message_end(wire, place);
}

/*
 * Sends what `middle` holds as one batch; the kernel's answer to its last message,
 * which must ask for one.
 */
static LAB_UNUSED int raw_commit(struct netlink *netlink, const struct wire *middle)
{
	struct wire wire WIRE_CLEANUP = { 0 };
	uint8_t buffer[8192];
	int code = -ENOMSG;
	ssize_t got;

	raw_envelope(&wire, NFNL_MSG_BATCH_BEGIN);
	wire_add(&wire, middle->bytes, middle->length);
	raw_envelope(&wire, NFNL_MSG_BATCH_END);
	if (mnl_socket_sendto(netlink->socket, wire.bytes, wire.length) < 0)
		return -errno;
	while ((got = netlink_receive(netlink, buffer, sizeof(buffer), MSG_DONTWAIT)) > 0) {
		const struct nlmsghdr *message = (const void *)buffer;

		if (message->nlmsg_type == NLMSG_ERROR && message->nlmsg_seq != 0)
			memcpy(&code, mnl_nlmsg_get_payload(message), sizeof(code));
	}
	return code;
}

/* One transaction: makes the table "churn" or deletes it. */
static LAB_UNUSED int raw_churn(struct netlink *netlink, bool make)
{
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t place = wire_nf_message(&wire, raw_type(make ? NFT_MSG_NEWTABLE : NFT_MSG_DELTABLE),
				       NLM_F_ACK | (make ? NLM_F_CREATE : 0), ++netlink->seq,
				       NFPROTO_IPV4);

	wire_put_string(&wire, NFTA_TABLE_NAME, "churn");
	wire_message_end(&wire, place);
	return raw_commit(netlink, &wire);
}

static LAB_UNUSED size_t raw_expression(struct wire *wire, const char *name, size_t *ret_data)
{
	size_t nest = wire_nest(wire, NFTA_LIST_ELEM);

	wire_put_string(wire, NFTA_EXPR_NAME, name);
	*ret_data = wire_nest(wire, NFTA_EXPR_DATA);
	return nest;
}

static LAB_UNUSED void raw_compare(struct wire *wire, const uint8_t address[4])
{
	size_t data, nest = raw_expression(wire, "payload", &data), value;

	wire_put_be32(wire, NFTA_PAYLOAD_DREG, NFT_REG_1);
	wire_put_be32(wire, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	wire_put_be32(wire, NFTA_PAYLOAD_OFFSET, 16);
	wire_put_be32(wire, NFTA_PAYLOAD_LEN, 4);
	wire_nest_end(wire, data);
	wire_nest_end(wire, nest);
	nest = raw_expression(wire, "cmp", &data);
	wire_put_be32(wire, NFTA_CMP_SREG, NFT_REG_1);
	wire_put_be32(wire, NFTA_CMP_OP, NFT_CMP_EQ);
	value = wire_nest(wire, NFTA_CMP_DATA);
	wire_put(wire, NFTA_DATA_VALUE, address, 4);
	wire_nest_end(wire, value);
	wire_nest_end(wire, data);
	wire_nest_end(wire, nest);
}

/* `ip daddr ADDRESS redirect` in table ip t, chain pre, with these bytes as userdata. */
static LAB_UNUSED int raw_add_rule(struct netlink *netlink, const uint8_t address[4],
				   const void *userdata, size_t length)
{
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t place, list, data, nest;

	place = wire_nf_message(&wire, raw_type(NFT_MSG_NEWRULE),
				NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK, ++netlink->seq,
				NFPROTO_IPV4);
	wire_put_string(&wire, NFTA_RULE_TABLE, "t");
	wire_put_string(&wire, NFTA_RULE_CHAIN, "pre");
	list = wire_nest(&wire, NFTA_RULE_EXPRESSIONS);
	raw_compare(&wire, address);
	nest = raw_expression(&wire, "redir", &data);
	wire_nest_end(&wire, data);
	wire_nest_end(&wire, nest);
	wire_nest_end(&wire, list);
	if (length)
		wire_put(&wire, NFTA_RULE_USERDATA, userdata, length);
	wire_message_end(&wire, place);
	return raw_commit(netlink, &wire);
}

/*
 * The attributes of all rules of a table as the kernel dumps them, one after the other.
 */
static LAB_UNUSED int raw_take(void *context, const struct nlmsghdr *message)
{
	struct span attributes = attr_of_message(message, sizeof(struct nfgenmsg));

	wire_add(context, attributes.bytes, attributes.length);
	return 0;
}

static LAB_UNUSED void raw_dump(struct netlink *netlink, uint8_t family, const char *table,
				struct wire *ret_wire)
{
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t place = wire_nf_message(&wire, raw_type(NFT_MSG_GETRULE), NLM_F_DUMP,
				       ++netlink->seq, family);

	wire_put_string(&wire, NFTA_RULE_TABLE, table);
	wire_message_end(&wire, place);
	*ret_wire = (struct wire){ 0 };
	assert_int_equal(netlink_ask(netlink, &wire, raw_take, ret_wire), 0);
	assert_false(ret_wire->failed);
}

/* Puts `new` for `old` everywhere; how often. */
static LAB_UNUSED size_t raw_replace(struct wire *wire, const void *old, const void *new,
				     size_t length)
{
	size_t count = 0;
	uint8_t *at = wire->bytes, *end = wire->bytes + wire->length;

	while ((at = memmem(at, (size_t)(end - at), old, length))) {
		memcpy(at, new, length);
		at += length;
		count++;
	}
	return count;
}

#endif
