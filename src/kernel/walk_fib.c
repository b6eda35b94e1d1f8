/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions of rules, and of the walk itself, that the kernel's routing answers.
 */
#include "walk_private.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>

static bool is_multicast(const struct addr *address)
{
	if (address->family == AF_INET)
		return address->bytes[0] >> 4 == 0xe;
	return address->bytes[0] == 0xff;
}

/* 0.0.0.0/8 and 255.255.255.255 */
static bool is_broadcast(const struct addr *address)
{
	static const uint8_t all[4] = { 255, 255, 255, 255 };

	return address->family == AF_INET &&
	       (address->bytes[0] == 0 || memcmp(address->bytes, all, 4) == 0);
}

static bool link_has(const struct router *router, const struct router_link *link,
		     const struct addr *address)
{
	for (size_t i = 0; i < router->address_count; i++) {
		if (router->addresses[i].link == link->index &&
		    addr_equal(&router->addresses[i].address, address))
			return true;
	}
	return link->loopback && address->family == AF_INET && address->bytes[0] == 127;
}

/* IPv6 has no kind for what leads nowhere but its error. */
static uint8_t type_of_error(int family, int error)
{
	if (family == AF_INET)
		return RTN_UNICAST;	/* only the local table is asked */
	switch (error) {
	case -EINVAL: return RTN_BLACKHOLE;
	case -EACCES: return RTN_PROHIBIT;
	case -EAGAIN: return RTN_THROW;
	default: return RTN_UNREACHABLE;
	}
}

uint8_t walk_address_type(const struct walk_state *state, const struct addr *address,
			  const struct router_link *link)
{
	struct router_question question = { .destination = *address };
	struct router_answer answer;
	struct err err;

	if (is_multicast(address))
		return RTN_MULTICAST;
	if (is_broadcast(address))
		return RTN_BROADCAST;
	if (router_route(state->router, &question, &answer, &err) < 0)
		return 0;
	if (answer.type == RTN_LOCAL && link)
		return link_has(state->router, link, address) ? RTN_LOCAL : RTN_UNICAST;
	if (answer.type == RTN_LOCAL || answer.type == RTN_ANYCAST)
		return answer.type;
	if (answer.type == RTN_BROADCAST)
		return !link || answer.out == link->index ? RTN_BROADCAST : RTN_UNICAST;
	if (address->family == AF_INET)
		return RTN_UNICAST;
	return answer.type && !answer.error ? answer.type
					    : type_of_error(address->family, answer.error);
}

static const struct router_link *asked_link(const struct walk_state *state,
					    const struct walk_op *op)
{
	if (op->flags & NFTA_FIB_F_OIF)
		return state->out;
	return op->flags & NFTA_FIB_F_IIF ? state->in : NULL;
}

static void store_link(struct walk_state *state, const struct walk_op *op,
		       const struct router_link *link, enum walk_miss about)
{
	char name[IFNAMSIZ] = "";
	uint32_t index = link ? link->index : 0;
	uint8_t present = link != NULL;

	if (op->flags & NFTA_FIB_F_PRESENT) {
		walk_store(state, op->target, &present, sizeof(present), about);
	} else if (op->key == NFT_FIB_RESULT_OIFNAME) {
		if (link)
			memcpy(name, link->name, sizeof(name));
		walk_store(state, op->target, name, sizeof(name), about);
	} else {
		walk_store(state, op->target, &index, sizeof(index), about);
	}
}

/* The link by which the address is reached: that of unicast routes only. */
static bool find_link(struct walk_state *state, const struct walk_op *op,
		      const struct addr *address, const struct router_link **ret_link)
{
	const struct router_link *asked = asked_link(state, op);
	struct router_question question = {
		.destination = *address, .out = asked ? asked->index : 0,
		.mark = op->flags & NFTA_FIB_F_MARK ? state->mark : 0,
	};
	struct router_answer answer;
	struct err err;

	*ret_link = NULL;
	if (is_multicast(address) || is_broadcast(address))
		return true;
	/* Whether there is a route at all, whatever link it takes. */
	question.out = 0;
	if (router_route(state->router, &question, &answer, &err) < 0)
		return false;
	if (answer.error || answer.type != RTN_UNICAST)
		return true;
	if (!asked || answer.out == asked->index)
		*ret_link = router_link_of(state->router, answer.out);
	return true;
}

enum walk_answer walk_load_fib(struct walk_state *state, const struct walk_op *op,
			       enum walk_miss *ret_about)
{
	bool of_source = op->flags & NFTA_FIB_F_SADDR;
	const struct addr *address = of_source ? &state->source : &state->destination;
	const struct router_link *link;
	uint32_t type;

	*ret_about = WALK_MISS_FIB;
	if (op->key == NFT_FIB_RESULT_ADDRTYPE) {
		type = walk_address_type(state, address, asked_link(state, op));
		if (type)
			walk_store(state, op->target, &type, sizeof(type), WALK_MISS_FIB);
		else
			walk_store_unknown(state, op->target, 4, WALK_MISS_FIB);
		return WALK_YES;
	}
	/* A packet of our own that comes back by the loopback link (Linux 6.16 on). */
	if ((state->hook == NF_INET_PRE_ROUTING || state->hook == NF_INET_LOCAL_IN) &&
	    state->in && state->in->loopback)
		link = state->in;
	else if (!find_link(state, op, address, &link)) {
		walk_store_unknown(state, op->target, NFT_REG_SIZE, WALK_MISS_FIB);
		return WALK_YES;
	}
	store_link(state, op, link, WALK_MISS_FIB);
	return WALK_YES;
}

bool walk_came_by_bridge(const struct walk_state *state)
{
	enum router_switch calls = state->family == AF_INET
		? state->router->bridge_calls_ip : state->router->bridge_calls_ip6;

	return calls == ROUTER_ON && state->in && strcmp(state->in->kind, "bridge") == 0;
}
