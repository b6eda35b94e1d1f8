/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel would do with a packet. */
#include "router_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

static void put_addr(struct wire *wire, uint16_t type, const struct addr *address)
{
	if (!addr_is_none(address))
		wire_put(wire, type, address->bytes, addr_length_bytes(address));
}

static void put_number(struct wire *wire, uint16_t type, uint32_t number)
{
	if (number)
		wire_put_u32(wire, type, number);
}

static void put_port(struct wire *wire, uint16_t type, uint16_t port)
{
	uint16_t big = htons(port);

	if (port)
		wire_put(wire, type, &big, sizeof(big));
}

static uint8_t whole(const struct addr *address)
{
	return (uint8_t)(addr_length_bytes(address) * 8);
}

static void write_question(struct wire *wire, uint32_t seq,
			   const struct router_question *question)
{
	struct rtmsg header = {
		.rtm_family = question->destination.family,
		.rtm_dst_len = whole(&question->destination),
		.rtm_src_len = whole(&question->source),
	};
	size_t place = wire_message(wire, RTM_GETROUTE, NLM_F_ACK, seq, &header,
				    sizeof(header));

	put_addr(wire, RTA_DST, &question->destination);
	put_addr(wire, RTA_SRC, &question->source);
	put_number(wire, RTA_IIF, question->in);
	put_number(wire, RTA_OIF, question->out);
	put_number(wire, RTA_MARK, question->mark);
	if (question->protocol) {
		wire_put(wire, RTA_IP_PROTO, &question->protocol, 1);
		put_port(wire, RTA_SPORT, question->source_port);
		put_port(wire, RTA_DPORT, question->destination_port);
	}
	wire_message_end(wire, place);
}

static struct addr read_addr(struct span bytes, int family)
{
	if (bytes.length != (family == AF_INET ? 4 : 16))
		return (struct addr){ 0 };
	return addr_from_bytes(family, bytes.bytes);
}

/* RTA_VIA: a gateway of another family, struct rtvia. */
static struct addr read_gateway(struct span attributes, int family)
{
	struct span via = attr_nest(attributes, RTA_VIA);
	sa_family_t via_family;

	if (via.length <= sizeof(via_family))
		return read_addr(attr_nest(attributes, RTA_GATEWAY), family);
	memcpy(&via_family, via.bytes, sizeof(via_family));
	via.bytes += sizeof(via_family);
	via.length -= sizeof(via_family);
	return read_addr(via, via_family == AF_INET ? AF_INET : AF_INET6);
}

static int take_answer(void *context, const struct nlmsghdr *message)
{
	struct router_answer *answer = context;
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct span attributes;

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return 0;
	attributes = attr_of_message(message, sizeof(*header));
	answer->type = header->rtm_type;
	attr_u32(attr_find(attributes, RTA_OIF), &answer->out);
	answer->gateway = read_gateway(attributes, header->rtm_family);
	answer->source = read_addr(attr_nest(attributes, RTA_PREFSRC), header->rtm_family);
	return 0;
}

/* What says that the question was not asked, and not that it was answered badly. */
static bool is_ours(int code)
{
	return code == -ENOMEM || code == -ETIMEDOUT || code == -ENOBUFS ||
	       code == -EBADF || code == -EMSGSIZE;
}

static int ask(const struct router *router, const struct router_question *question,
	       struct router_answer *ret_answer)
{
	struct netlink *netlink = router->netlink;
	struct router_answer answer = { 0 };
	struct wire wire WIRE_CLEANUP = { 0 };
	int r;

	write_question(&wire, ++netlink->seq, question);
	r = netlink_ask(netlink, &wire, take_answer, &answer);
	if (is_ours(r))
		return r;
	if (r < 0)
		answer = (struct router_answer){ .error = r };
	if (r == 0 && addr_is_none(&answer.source))
		answer.source = question->source;
	*ret_answer = answer;
	return 0;
}

/*
 * From Linux 6.13 on the kernel says -EINVAL for all sources that it refuses. So its
 * question is asked here: by which link would one answer?
 */
static int ask_back(const struct router *router, const struct router_question *question,
		    bool *ret_refused)
{
	const struct router_link *link = router_link_of(router, question->in);
	struct router_question back = { .destination = question->source };
	struct router_answer answer;
	int r;

	if (!link || link->rp_filter == 0 || question->source.family != AF_INET)
		return 0;
	r = ask(router, &back, &answer);
	if (r < 0)
		return r;
	if (answer.error)
		*ret_refused = true;
	else
		*ret_refused = answer.type == RTN_UNICAST && link->rp_filter == 1 &&
			       answer.out != question->in;
	return 0;
}

int router_route(const struct router *router, const struct router_question *question,
		 struct router_answer *ret_answer, struct err *ret_err)
{
	struct router_answer answer;
	bool refused = false;
	int r;

	if (addr_is_none(&question->destination) ||
	    (!addr_is_none(&question->source) &&
	     question->source.family != question->destination.family))
		return err_set(ret_err, -EINVAL, "a packet's addresses are of one family");
	r = ask(router, question, &answer);
	if (r == 0 && answer.error == -EINVAL && question->in)
		r = ask_back(router, question, &refused);
	if (r < 0)
		return err_set_errno(ret_err, r, "asking the kernel for a route");
	if (refused)
		answer.error = -EXDEV;
	*ret_answer = answer;
	return 0;
}
