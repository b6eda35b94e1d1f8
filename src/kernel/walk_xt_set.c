/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The match "set": the kernel itself is asked whether an ipset has the address. Its test
 * says the same of what is not in a set and of a question that the set does not
 * understand, so only sets of a known type are asked.
 */
#include "walk_xt.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_set.h>

#include "netlink.h"

/* What a set's elements have beside the address, or in its place. */
enum key { KEY_NONE, KEY_ADDRESS, KEY_PORT, KEY_ADDRESS_PORT };

struct ipset {
	struct netlink netlink;
	char name[IPSET_MAXNAMELEN];
	enum key key;
	uint8_t family;			/* NFPROTO_* */
};

static size_t begin(struct ipset *set, struct wire *wire, enum ipset_cmd command)
{
	uint8_t version = IPSET_PROTOCOL;
	size_t place;

	place = wire_nf_message(wire, NFNL_SUBSYS_IPSET << 8 | command, NLM_F_ACK,
				++set->netlink.seq, NFPROTO_UNSPEC);
	wire_put(wire, IPSET_ATTR_PROTOCOL, &version, sizeof(version));
	return place;
}

static int take_name(void *context, const struct nlmsghdr *message)
{
	struct ipset *set = context;
	struct span name;

	if (!attr_string(attr_find(attr_of_message(message, sizeof(struct nfgenmsg)),
				   IPSET_ATTR_SETNAME), &name) ||
	    name.length >= sizeof(set->name))
		return -EBADMSG;
	memcpy(set->name, name.bytes, name.length);
	set->name[name.length] = '\0';
	return 0;
}

static int find_name(struct ipset *set, uint16_t index)
{
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t place = begin(set, &wire, IPSET_CMD_GET_BYINDEX);
	uint16_t big = htobe16(index);

	wire_put(&wire, IPSET_ATTR_INDEX | NLA_F_NET_BYTEORDER, &big, sizeof(big));
	wire_message_end(&wire, place);
	return netlink_ask(&set->netlink, &wire, take_name, set);
}

static enum key key_of(struct span type)
{
	static const struct { const char *type; enum key key; } keys[] = {
		{ "hash:ip", KEY_ADDRESS }, { "hash:net", KEY_ADDRESS },
		{ "bitmap:ip", KEY_ADDRESS }, { "bitmap:port", KEY_PORT },
		{ "hash:ip,port", KEY_ADDRESS_PORT }, { "hash:net,port", KEY_ADDRESS_PORT },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (attr_is(type, keys[i].type))
			return keys[i].key;
	}
	return KEY_NONE;
}

static int take_type(void *context, const struct nlmsghdr *message)
{
	struct span attributes = attr_of_message(message, sizeof(struct nfgenmsg)), type;
	struct ipset *set = context;

	if (!attr_string(attr_find(attributes, IPSET_ATTR_TYPENAME), &type) ||
	    !attr_u8(attr_find(attributes, IPSET_ATTR_FAMILY), &set->family))
		return -EBADMSG;
	set->key = key_of(type);
	return 0;
}

static int find_type(struct ipset *set)
{
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t place = begin(set, &wire, IPSET_CMD_HEADER);

	wire_put_string(&wire, IPSET_ATTR_SETNAME, set->name);
	wire_message_end(&wire, place);
	return netlink_ask(&set->netlink, &wire, take_type, set);
}

static int take_nothing(void *context, const struct nlmsghdr *message)
{
	(void)context;
	(void)message;
	return 0;
}

static void put_address(struct wire *wire, const struct addr *address)
{
	uint16_t type = address->family == AF_INET ? IPSET_ATTR_IPADDR_IPV4
						   : IPSET_ATTR_IPADDR_IPV6;
	size_t nest = wire_nest(wire, IPSET_ATTR_IP);

	wire_put(wire, type | NLA_F_NET_BYTEORDER, address->bytes,
		 addr_length_bytes(address));
	wire_nest_end(wire, nest);
}

/* 0: the set has it; -IPSET_ERR_EXIST: not. The n-th bit: the n-th part is a source. */
static int test(struct ipset *set, const struct walk_state *state, uint8_t flags)
{
	uint8_t port_bit = set->key == KEY_PORT ? IPSET_DIM_ONE_SRC : IPSET_DIM_TWO_SRC;
	uint16_t port = htobe16(flags & port_bit ? state->source_port
						 : state->destination_port);
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t place = begin(set, &wire, IPSET_CMD_TEST), nest;

	wire_put_string(&wire, IPSET_ATTR_SETNAME, set->name);
	nest = wire_nest(&wire, IPSET_ATTR_DATA);
	if (set->key != KEY_PORT)
		put_address(&wire, flags & IPSET_DIM_ONE_SRC ? &state->source
							     : &state->destination);
	if (set->key != KEY_ADDRESS)
		wire_put(&wire, IPSET_ATTR_PORT | NLA_F_NET_BYTEORDER, &port, sizeof(port));
	if (set->key == KEY_ADDRESS_PORT)
		wire_put(&wire, IPSET_ATTR_PROTO, &state->protocol, 1);
	wire_nest_end(&wire, nest);
	wire_message_end(&wire, place);
	return netlink_ask(&set->netlink, &wire, take_nothing, NULL);
}

/* A set of the other family, or one of more parts than the rule names, has nothing. */
static bool fits(const struct ipset *set, const struct walk_state *state, uint8_t parts)
{
	uint8_t family = state->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	return (set->family == family || set->family == NFPROTO_UNSPEC) &&
	       parts >= (set->key == KEY_ADDRESS_PORT ? 2 : 1);
}

static enum walk_answer ask(struct ipset *set, const struct walk_state *state,
			    const struct xt_set_info *wanted)
{
	bool inverted = wanted->flags & IPSET_INV_MATCH;
	int r = find_name(set, wanted->index);

	if (r == 0)
		r = find_type(set);
	if (r < 0 || set->key == KEY_NONE)
		return WALK_MAYBE;
	if (!fits(set, state, wanted->dim))
		return walk_xt_decide(false, inverted);
	r = test(set, state, wanted->flags);
	if (r != 0 && r != -IPSET_ERR_EXIST)
		return WALK_MAYBE;
	return walk_xt_decide(r == 0, inverted);
}

/* Whether the rule asks for an element's counters, or takes its exceptions for elements. */
static bool asks_more(const struct xt_question *question)
{
	struct xt_set_info_match_v3 third;
	struct xt_set_info_match_v4 fourth;

	walk_xt_read(question->info, &third, sizeof(third));
	walk_xt_read(question->info, &fourth, sizeof(fourth));
	if (question->revision < 3)
		return third.match_set.flags & IPSET_RETURN_NOMATCH;
	if (question->revision == 3)
		return third.packets.op || third.bytes.op ||
		       third.flags & IPSET_FLAG_RETURN_NOMATCH;
	return fourth.packets.op || fourth.bytes.op ||
	       fourth.flags & IPSET_FLAG_RETURN_NOMATCH;
}

enum walk_answer walk_xt_set(const struct xt_question *question,
			     enum walk_miss *ret_about)
{
	enum walk_answer answer;
	struct ipset set = { .key = KEY_NONE };
	struct xt_set_info wanted;

	walk_xt_read(question->info, &wanted, sizeof(wanted));
	if (asks_more(question) ||
	    netlink_open(&set.netlink, NETLINK_NETFILTER, NULL) < 0)
		return WALK_MAYBE;
	answer = ask(&set, question->state, &wanted);
	netlink_close(&set.netlink);
	if (set.key == KEY_PORT)
		*ret_about = WALK_MISS_PORT;
	else
		*ret_about = wanted.flags & IPSET_DIM_ONE_SRC ? WALK_MISS_SOURCE
							      : WALK_MISS_DESTINATION;
	return answer;
}
