/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What NAT makes of the first packet of a connection.
 */
#include "walk_private.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>

bool walk_hook_is_destination(unsigned hook)
{
	return hook == NF_INET_PRE_ROUTING || hook == NF_INET_LOCAL_OUT;
}

/* The range's network, the address's host. */
static struct addr map_network(const struct addr *address, const struct walk_range *range)
{
	struct addr mapped = range->first;

	for (size_t i = 0; i < addr_length_bytes(&mapped); i++) {
		uint8_t host = range->first.bytes[i] ^ range->last.bytes[i];

		mapped.bytes[i] = (uint8_t)((range->first.bytes[i] & ~host) |
					    (address->bytes[i] & host));
	}
	return mapped;
}

static bool holds(const struct walk_range *range, const struct addr *address)
{
	size_t length = addr_length_bytes(address);

	return memcmp(address->bytes, range->first.bytes, length) >= 0 &&
	       memcmp(address->bytes, range->last.bytes, length) <= 0;
}

/* Of several the kernel takes one by a hash; the first stands for them. */
static struct addr choose_address(const struct addr *address,
				  const struct walk_range *range)
{
	if (!(range->flags & NF_NAT_RANGE_MAP_IPS))
		return *address;
	if (range->flags & NF_NAT_RANGE_NETMAP)
		return map_network(address, range);
	return range->first;
}

/* A port within the range stays. */
static uint16_t choose_port(uint16_t port, const struct walk_range *range)
{
	uint32_t size = (uint32_t)range->port_last - range->port_first + 1;

	if (!(range->flags & NF_NAT_RANGE_PROTO_SPECIFIED) ||
	    range->port_last < range->port_first)
		return port;
	if (range->flags & NF_NAT_RANGE_PROTO_OFFSET)
		return (uint16_t)(range->port_first +
				  (uint16_t)(port - range->port_base) % size);
	if (port >= range->port_first && port <= range->port_last)
		return port;
	return range->port_first;
}

/* The source stays where it is one of the range already. */
static struct addr choose(const struct walk_state *state, bool destination,
			  const struct walk_range *range)
{
	if (!destination && range->flags & NF_NAT_RANGE_MAP_IPS &&
	    !(range->flags & NF_NAT_RANGE_NETMAP) && holds(range, &state->source))
		return state->source;
	return choose_address(destination ? &state->destination : &state->source, range);
}

int32_t walk_nat_apply(struct walk_state *state, bool destination,
		       const struct walk_range *range)
{
	struct addr *address = destination ? &state->destination : &state->source;
	uint16_t *port = destination ? &state->destination_port : &state->source_port;
	struct walk_nat *nat = destination ? &state->result->destination_nat
					   : &state->result->source_nat;
	struct addr new = choose(state, destination, range);
	uint16_t new_port = choose_port(*port, range);

	if (range->flags & NF_NAT_RANGE_MAP_IPS && range->first.family != state->family)
		return NF_DROP;
	if (!addr_equal(&new, address) || new_port != *port)
		state->status |= destination ? IPS_DST_NAT : IPS_SRC_NAT;
	state->status |= destination ? IPS_DST_NAT_DONE : IPS_SRC_NAT_DONE;
	*address = new;
	*port = new_port;
	*nat = (struct walk_nat){ .rule = state->rule, .address = new, .port = new_port };
	return NF_ACCEPT;
}

static bool is_usable(const struct walk_state *state, const struct router_address *entry)
{
	enum addr_class class = addr_classify(&entry->address);

	return entry->address.family == state->family && !entry->tentative &&
	       class != ADDR_LINK_LOCAL && class != ADDR_LOOPBACK;
}

/*
 * A source for what goes `towards` somebody by a link: the link's address in whose network
 * that is, else its first one, else the first one of any link (the loopback has none).
 */
static bool select_address(const struct walk_state *state, const struct addr *towards,
			   struct addr *ret_address)
{
	const struct router *router = state->router;
	const struct router_address *found = NULL;

	for (size_t i = 0; i < router->address_count; i++) {
		const struct router_address *entry = &router->addresses[i];
		const struct addr *network = addr_is_none(&entry->peer) ? &entry->address
									: &entry->peer;

		if (entry->link != state->out->index || !is_usable(state, entry))
			continue;
		if (!found)
			found = entry;
		if (addr_same_prefix(network, towards, entry->bits)) {
			found = entry;
			break;
		}
	}
	for (size_t i = 0; i < router->address_count && !found; i++) {
		if (is_usable(state, &router->addresses[i]))
			found = &router->addresses[i];
	}
	if (found)
		*ret_address = found->address;
	return found;
}

/* What redirect sends to: the first address of the link it came by, of that scope. */
static bool first_address(const struct walk_state *state, struct addr *ret_address)
{
	bool local = addr_classify(&state->destination) == ADDR_LINK_LOCAL;

	for (size_t i = 0; i < state->router->address_count; i++) {
		const struct router_address *entry = &state->router->addresses[i];

		if (!state->in || entry->link != state->in->index || entry->tentative ||
		    entry->address.family != state->family)
			continue;
		if (state->family == AF_INET6 &&
		    (addr_classify(&entry->address) == ADDR_LINK_LOCAL) != local)
			continue;
		*ret_address = entry->address;
		return true;
	}
	return false;
}

/* The kernel's own choice of a source, by that link. */
static bool chosen_source(const struct walk_state *state, struct addr *ret_address)
{
	struct router_question question = {
		.destination = state->destination, .out = state->out->index,
		.mark = state->mark,
	};
	struct router_answer answer;
	struct err err;

	if (router_route(state->router, &question, &answer, &err) < 0 ||
	    answer.error || addr_is_none(&answer.source))
		return false;
	*ret_address = answer.source;
	return true;
}

/*
 * IPv4: the link's address in whose network the next hop is, or its first one, whatever
 * source the route prefers. IPv6: as for a packet of the router's own.
 */
static bool masquerade_address(const struct walk_state *state, struct addr *ret_address)
{
	const struct addr *gateway = &state->result->route.gateway;

	if (!state->out)
		return false;
	if (state->family == AF_INET6 && chosen_source(state, ret_address))
		return true;
	return select_address(state, addr_is_none(gateway) ||
					     gateway->family != state->family
					     ? &state->destination : gateway, ret_address);
}

int32_t walk_nat_masquerade(struct walk_state *state, const struct walk_range *range)
{
	struct walk_range whole = *range;
	int32_t code;

	if (state->hook != NF_INET_POST_ROUTING ||
	    !masquerade_address(state, &whole.first))
		return NF_DROP;
	whole.last = whole.first;
	whole.flags |= NF_NAT_RANGE_MAP_IPS;
	code = walk_nat_apply(state, false, &whole);
	state->result->source_nat.masquerade = code == NF_ACCEPT;
	return code;
}

int32_t walk_nat_redirect(struct walk_state *state, const struct walk_range *range)
{
	static const uint8_t self4[4] = { 127, 0, 0, 1 };
	static const uint8_t self6[16] = { [15] = 1 };
	struct walk_range whole = *range;
	int32_t code;

	if (state->hook == NF_INET_LOCAL_OUT)
		whole.first = addr_from_bytes(state->family, state->family == AF_INET
						? self4 : self6);
	else if (!first_address(state, &whole.first))
		return NF_DROP;
	whole.last = whole.first;
	whole.flags |= NF_NAT_RANGE_MAP_IPS;
	code = walk_nat_apply(state, true, &whole);
	state->result->destination_nat.redirect = code == NF_ACCEPT;
	return code;
}
