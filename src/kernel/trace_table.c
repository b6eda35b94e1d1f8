/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table that marks the packets of one connection, and sees how far they come. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "trace_private.h"

/* What headers that miss it say: linux/netfilter/nf_tables.h, since Linux 5.12. */
enum { TABLE_OWNED = 2 };

/*
 * The first and the last chain at each hook: "marks" before everything, "answers" as soon
 * as connection tracking knows whose they are (NF_IP_PRI_CONNTRACK is -200), the last
 * ones before a connection is confirmed.
 */
static const struct chain {
	const char *name;
	unsigned hook;
	int32_t priority;
} chains[] = {
	{ "marks", NF_INET_PRE_ROUTING, INT32_MIN },
	{ "answers", NF_INET_PRE_ROUTING, -199 },
	{ "routed", NF_INET_PRE_ROUTING, INT32_MAX - 1 },
	{ "input", NF_INET_LOCAL_IN, INT32_MIN },
	{ "taken", NF_INET_LOCAL_IN, INT32_MAX - 1 },
	{ "forward", NF_INET_FORWARD, INT32_MIN },
	{ "passed", NF_INET_FORWARD, INT32_MAX - 1 },
	{ "sent", NF_INET_POST_ROUTING, INT32_MAX - 1 },
};

enum { CHAIN_COUNT = sizeof(chains) / sizeof(chains[0]) };

unsigned trace_table_hook(struct span chain)
{
	for (size_t i = 0; i < CHAIN_COUNT; i++)
		if (attr_is(chain, chains[i].name))
			return chains[i].hook;
	return NF_INET_NUMHOOKS;
}

/* --- expressions --- */

struct expression {
	struct wire *wire;
	size_t element, data;
};

static struct expression begin(struct wire *wire, const char *name)
{
	struct expression made = { .wire = wire };

	made.element = wire_nest(wire, NFTA_LIST_ELEM);
	wire_put_string(wire, NFTA_EXPR_NAME, name);
	made.data = wire_nest(wire, NFTA_EXPR_DATA);
	return made;
}

static void end(const struct expression *made)
{
	wire_nest_end(made->wire, made->data);
	wire_nest_end(made->wire, made->element);
}

static void put_value(struct wire *wire, uint16_t type, const void *bytes, size_t length)
{
	size_t nest = wire_nest(wire, type);

	wire_put(wire, NFTA_DATA_VALUE, bytes, length);
	wire_nest_end(wire, nest);
}

static void compare(struct wire *wire, const void *bytes, size_t length)
{
	struct expression made = begin(wire, "cmp");

	wire_put_be32(wire, NFTA_CMP_SREG, NFT_REG_1);
	wire_put_be32(wire, NFTA_CMP_OP, NFT_CMP_EQ);
	put_value(wire, NFTA_CMP_DATA, bytes, length);
	end(&made);
}

static void compare_bytes(struct wire *wire, uint32_t base, uint32_t offset,
			  const void *bytes, size_t length)
{
	struct expression made = begin(wire, "payload");

	wire_put_be32(wire, NFTA_PAYLOAD_DREG, NFT_REG_1);
	wire_put_be32(wire, NFTA_PAYLOAD_BASE, base);
	wire_put_be32(wire, NFTA_PAYLOAD_OFFSET, offset);
	wire_put_be32(wire, NFTA_PAYLOAD_LEN, (uint32_t)length);
	end(&made);
	compare(wire, bytes, length);
}

static void compare_protocol(struct wire *wire, uint8_t protocol)
{
	struct expression made = begin(wire, "meta");

	wire_put_be32(wire, NFTA_META_DREG, NFT_REG_1);
	wire_put_be32(wire, NFTA_META_KEY, NFT_META_L4PROTO);
	end(&made);
	compare(wire, &protocol, sizeof(protocol));
}

/* `direction` -1: of the connection, not of one of its tuples. */
static void compare_ct(struct wire *wire, uint32_t key, int direction, const void *bytes,
		       size_t length)
{
	struct expression made = begin(wire, "ct");
	uint8_t of = (uint8_t)direction;

	wire_put_be32(wire, NFTA_CT_DREG, NFT_REG_1);
	wire_put_be32(wire, NFTA_CT_KEY, key);
	if (direction >= 0)
		wire_put(wire, NFTA_CT_DIRECTION, &of, sizeof(of));
	end(&made);
	compare(wire, bytes, length);
}

/* meta nftrace set 1 */
static void set_trace(struct wire *wire)
{
	static const uint8_t on = 1;
	struct expression made = begin(wire, "immediate");

	wire_put_be32(wire, NFTA_IMMEDIATE_DREG, NFT_REG_1);
	put_value(wire, NFTA_IMMEDIATE_DATA, &on, sizeof(on));
	end(&made);
	made = begin(wire, "meta");
	wire_put_be32(wire, NFTA_META_SREG, NFT_REG_1);
	wire_put_be32(wire, NFTA_META_KEY, NFT_META_NFTRACE);
	end(&made);
}

static void put_marks(struct wire *wire, const struct trace_flow *flow)
{
	bool ip4 = flow->client.family == AF_INET;
	size_t length = addr_length_bytes(&flow->client);
	uint16_t port = htons(flow->port);

	compare_bytes(wire, NFT_PAYLOAD_NETWORK_HEADER, ip4 ? 12 : 8, flow->client.bytes,
		      length);
	compare_bytes(wire, NFT_PAYLOAD_NETWORK_HEADER, ip4 ? 16 : 24,
		      flow->destination.bytes, length);
	compare_protocol(wire, flow->protocol);
	compare_bytes(wire, NFT_PAYLOAD_TRANSPORT_HEADER, 2, &port, sizeof(port));
	set_trace(wire);
}

static void put_answers(struct wire *wire, const struct trace_flow *flow)
{
	static const uint8_t answer = IP_CT_DIR_REPLY;
	uint16_t port = htons(flow->port);

	compare_ct(wire, NFT_CT_DIRECTION, -1, &answer, sizeof(answer));
	compare_ct(wire, NFT_CT_PROTOCOL, IP_CT_DIR_ORIGINAL, &flow->protocol,
		   sizeof(flow->protocol));
	compare_ct(wire, NFT_CT_SRC, IP_CT_DIR_ORIGINAL, flow->client.bytes,
		   addr_length_bytes(&flow->client));
	compare_ct(wire, NFT_CT_PROTO_DST, IP_CT_DIR_ORIGINAL, &port, sizeof(port));
	set_trace(wire);
}

/* --- messages: all of one sequence number, so that the first complaint is the answer --- */

struct draft {
	struct wire wire;
	uint8_t family;
	const char *table;
	uint32_t seq;
};

static void put_edge(struct draft *draft, uint16_t type)
{
	struct nfgenmsg header = { .version = NFNETLINK_V0,
				   .res_id = htons(NFNL_SUBSYS_NFTABLES) };
	size_t message = wire_message(&draft->wire, type, 0, draft->seq, &header,
				      sizeof(header));

	wire_message_end(&draft->wire, message);
}

static size_t begin_message(struct draft *draft, uint16_t type, uint16_t flags)
{
	return wire_nf_message(&draft->wire,
			       (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type),
			       NLM_F_CREATE | flags, draft->seq, draft->family);
}

static void put_table(struct draft *draft)
{
	size_t message = begin_message(draft, NFT_MSG_NEWTABLE, NLM_F_EXCL);

	wire_put_string(&draft->wire, NFTA_TABLE_NAME, draft->table);
	wire_put_be32(&draft->wire, NFTA_TABLE_FLAGS, TABLE_OWNED);
	wire_message_end(&draft->wire, message);
}

static void put_chain(struct draft *draft, const struct chain *chain)
{
	struct wire *wire = &draft->wire;
	size_t message = begin_message(draft, NFT_MSG_NEWCHAIN, 0), nest;

	wire_put_string(wire, NFTA_CHAIN_TABLE, draft->table);
	wire_put_string(wire, NFTA_CHAIN_NAME, chain->name);
	nest = wire_nest(wire, NFTA_CHAIN_HOOK);
	wire_put_be32(wire, NFTA_HOOK_HOOKNUM, chain->hook);
	wire_put_be32(wire, NFTA_HOOK_PRIORITY, (uint32_t)chain->priority);
	wire_nest_end(wire, nest);
	wire_put_be32(wire, NFTA_CHAIN_POLICY, NF_ACCEPT);
	wire_put_string(wire, NFTA_CHAIN_TYPE, "filter");
	wire_message_end(wire, message);
}

static void put_rule(struct draft *draft, const char *chain,
		     void (*put)(struct wire *, const struct trace_flow *),
		     const struct trace_flow *flow, uint16_t flags)
{
	struct wire *wire = &draft->wire;
	size_t message = begin_message(draft, NFT_MSG_NEWRULE, NLM_F_APPEND | flags), nest;

	wire_put_string(wire, NFTA_RULE_TABLE, draft->table);
	wire_put_string(wire, NFTA_RULE_CHAIN, chain);
	nest = wire_nest(wire, NFTA_RULE_EXPRESSIONS);
	put(wire, flow);
	wire_nest_end(wire, nest);
	wire_message_end(wire, message);
}

static int take_nothing(void *context, const struct nlmsghdr *message)
{
	(void)context;
	(void)message;
	return 0;
}

static int send_all(struct trace *trace, const struct trace_flow *flow)
{
	struct draft draft = {
		.family = flow->client.family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6,
		.table = trace->table,
		.seq = ++trace->owner.seq,
	};
	int r;

	put_edge(&draft, NFNL_MSG_BATCH_BEGIN);
	put_table(&draft);
	for (size_t i = 0; i < CHAIN_COUNT; i++)
		put_chain(&draft, &chains[i]);
	put_rule(&draft, "answers", put_answers, flow, 0);
	put_rule(&draft, "marks", put_marks, flow, NLM_F_ACK);
	put_edge(&draft, NFNL_MSG_BATCH_END);
	r = netlink_ask(&trace->owner, &draft.wire, take_nothing, NULL);
	wire_done(&draft.wire);
	return r;
}

int trace_table_make(struct trace *trace, const struct trace_flow *flow,
		     struct err *ret_err)
{
	uint32_t chance;
	int r;

	if (getrandom(&chance, sizeof(chance), 0) != sizeof(chance))
		return err_set_errno(ret_err, -errno, "random bytes");
	snprintf(trace->table, sizeof(trace->table), TRACE_TABLE "%08x", chance);
	r = send_all(trace, flow);
	if (r == -EINVAL || r == -EOPNOTSUPP)
		return err_set(ret_err, -EOPNOTSUPP, "this kernel cannot trace by a "
			       "table that goes with its owner (Linux 5.12)");
	return r < 0 ? err_set_errno(ret_err, r, "a table for the trace") : 0;
}
