/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection: what became of it. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/conntrack.h"
#include "netlink.h"

static void put_tuple(struct wire *wire, const struct conntrack_flow *flow)
{
	bool ip4 = flow->source.family == AF_INET;
	size_t length = addr_length_bytes(&flow->source), tuple, nest;
	uint16_t port;

	tuple = wire_nest(wire, CTA_TUPLE_ORIG);
	nest = wire_nest(wire, CTA_TUPLE_IP);
	wire_put(wire, ip4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, flow->source.bytes, length);
	wire_put(wire, ip4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, flow->destination.bytes,
		 length);
	wire_nest_end(wire, nest);
	nest = wire_nest(wire, CTA_TUPLE_PROTO);
	wire_put(wire, CTA_PROTO_NUM, &flow->protocol, sizeof(flow->protocol));
	port = htons(flow->source_port);
	wire_put(wire, CTA_PROTO_SRC_PORT, &port, sizeof(port));
	port = htons(flow->destination_port);
	wire_put(wire, CTA_PROTO_DST_PORT, &port, sizeof(port));
	wire_nest_end(wire, nest);
	wire_nest_end(wire, tuple);
}

static bool take_address(struct span ip, int family, uint16_t type, struct addr *ret)
{
	struct span bytes = attr_nest(ip, type);

	if (bytes.length != (family == AF_INET ? 4u : 16u))
		return false;
	*ret = addr_from_bytes(family, bytes.bytes);
	return true;
}

static bool take_tuple(struct span tuple, int family, struct conntrack_flow *ret_flow)
{
	struct span ip = attr_nest(tuple, CTA_TUPLE_IP);
	struct span protocol = attr_nest(tuple, CTA_TUPLE_PROTO);
	bool ip4 = family == AF_INET;

	return take_address(ip, family, ip4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC,
			    &ret_flow->source) &&
	       take_address(ip, family, ip4 ? CTA_IP_V4_DST : CTA_IP_V6_DST,
			    &ret_flow->destination) &&
	       attr_u8(attr_find(protocol, CTA_PROTO_NUM), &ret_flow->protocol) &&
	       attr_be16(attr_find(protocol, CTA_PROTO_SRC_PORT),
			 &ret_flow->source_port) &&
	       attr_be16(attr_find(protocol, CTA_PROTO_DST_PORT),
			 &ret_flow->destination_port);
}

struct look {
	int family;
	struct conntrack_entry entry;
	bool found;
};

static int take_entry(void *context, const struct nlmsghdr *message)
{
	struct look *look = context;
	struct span attributes = attr_of_message(message, sizeof(struct nfgenmsg));
	uint32_t status = 0;

	look->found = take_tuple(attr_nest(attributes, CTA_TUPLE_REPLY), look->family,
				 &look->entry.answer);
	attr_be32(attr_find(attributes, CTA_STATUS), &status);
	look->entry.destination_nat = status & IPS_DST_NAT;
	look->entry.source_nat = status & IPS_SRC_NAT;
	look->entry.answered = status & IPS_SEEN_REPLY;
	return 0;
}

int conntrack_find(const struct conntrack_flow *flow, struct conntrack_entry *ret_entry,
		   struct err *ret_err)
{
	struct look look = { .family = flow->source.family };
	struct wire wire WIRE_CLEANUP = { 0 };
	struct netlink netlink;
	size_t message;
	int r = netlink_open(&netlink, NETLINK_NETFILTER, ret_err);

	if (r < 0)
		return r;
	message = wire_nf_message(&wire,
				  NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
				  NLM_F_ACK, ++netlink.seq, flow->source.family);
	put_tuple(&wire, flow);
	wire_message_end(&wire, message);
	r = netlink_ask(&netlink, &wire, take_entry, &look);
	netlink_close(&netlink);
	if (r == 0 && !look.found)
		r = -ENOENT;
	if (r < 0)
		return err_set_errno(ret_err, r, "looking for a connection");
	*ret_entry = look.entry;
	return 0;
}
