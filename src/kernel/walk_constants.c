/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What rules compare with: the values that a packet should have to be noticed.
 */
#include "walk_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_multiport.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "nft_rewrite.h"
#include "rule.h"

/*
 * Of each kind. Where packets come from has no bound that would make sense, a country has
 * 100,000 networks: some of them are enough to try the rule.
 */
enum { CONSTANTS_MAX = 4096, SOURCES_MAX = 512 };

/* Gets one value; of intervals the first and the last. */
struct facts {
	void *context;
	void (*port)(void *context, uint8_t protocol, uint16_t first, uint16_t last);
	void (*destination)(void *context, const struct addr *address,
			    const struct walk_set *set);
	void (*source)(void *context, const struct addr *address);
	void (*link)(void *context, uint32_t index, struct span name);
};

/* --- ports and destinations, as the reader of rules finds them --- */

static struct span bytes_at(const struct walk_rule *rule, size_t at, size_t length)
{
	return (struct span){ rule->code->expressions.bytes + at, length };
}

static void tell_spots(const struct facts *facts, const struct walk_rule *rule,
		       const struct rule_view *view, enum rule_side_index index)
{
	int family = index == RULE_IPV4 ? AF_INET : AF_INET6;

	if (view->family && view->family != family)
		return;
	for (size_t i = 0; i < view->side[index].spot_count; i++) {
		const struct rule_spot *spot = &view->side[index].spots[i];
		size_t length = rule_destination[index].length;
		struct addr address;

		if (spot->source == RULE_SNAT || spot->length != length ||
		    spot->bits != length * 8)
			continue;
		address = addr_from_bytes(family, bytes_at(rule, spot->at, length).bytes);
		if (facts->destination)
			facts->destination(facts->context, &address, NULL);
	}
}

static const struct walk_set *set_of(const struct walk_rule *rule, struct span name)
{
	return walk_set_of((const void *)rule->chain->table, name);
}

static uint16_t port_at(const uint8_t *key, int at)
{
	return (uint16_t)(key[at] << 8 | key[at + 1]);
}

static void tell_element(const struct facts *facts, const struct rule_view *view,
			 const struct rule_lookup *lookup, const struct walk_set *set,
			 const struct walk_element *element)
{
	int bytes = (int)set->key_bytes;

	if (facts->port && lookup->port_at >= 0 && lookup->port_at + 2 <= bytes)
		facts->port(facts->context,
			    lookup->protocol_at >= 0 && lookup->protocol_at < bytes
				    ? element->from[lookup->protocol_at] : view->protocol,
			    port_at(element->from, lookup->port_at),
			    port_at(element->to, lookup->port_at));
	for (int side = RULE_IPV4; side < RULE_SIDES; side++) {
		int family = side == RULE_IPV4 ? AF_INET : AF_INET6;
		int length = rule_destination[side].length, at = lookup->key_at[side];
		struct addr address;

		if (!facts->destination || at < 0 || at + length > bytes ||
		    (view->family && view->family != family) ||
		    memcmp(element->from + at, element->to + at, (size_t)length) != 0)
			continue;
		address = addr_from_bytes(family, element->from + at);
		facts->destination(facts->context, &address, set);
	}
}

static void tell_lookups(const struct facts *facts, const struct walk_rule *rule,
			 const struct rule_view *view)
{
	for (size_t i = 0; i < view->lookup_count; i++) {
		const struct rule_lookup *lookup = &view->lookups[i];
		const struct walk_set *set = set_of(rule, lookup->set);

		if (!set || lookup->dynamic)
			continue;
		for (size_t j = 0; j < set->count; j++)
			tell_element(facts, view, lookup, set, &set->elements[j]);
	}
}

static void tell_multiport(const struct facts *facts, const struct rule_view *view)
{
	struct xt_multiport_v1 ports;

	if (view->multiport.length < sizeof(ports))
		return;
	memcpy(&ports, view->multiport.bytes, sizeof(ports));
	if (ports.flags == XT_MULTIPORT_SOURCE)
		return;
	for (size_t i = 0; i < ports.count && i < XT_MULTI_PORTS; i++) {
		bool range = ports.pflags[i] && i + 1 < XT_MULTI_PORTS;

		facts->port(facts->context, view->protocol, ports.ports[i],
			    ports.ports[range ? i + 1 : i]);
		i += range;
	}
}

static void tell_read(const struct facts *facts, const struct walk_rule *rule)
{
	struct rule_view view;

	rule_read(rule->code->expressions, rule->chain->table->family, &view);
	if (facts->port && view.ports == RULE_PORTS_KNOWN)
		facts->port(facts->context, view.protocol, view.port_first,
			    view.port_last);
	if (facts->port && view.multiport.bytes)
		tell_multiport(facts, &view);
	for (int side = RULE_IPV4; side < RULE_SIDES; side++)
		tell_spots(facts, rule, &view, side);
	tell_lookups(facts, rule, &view);
}

/* --- sources and links --- */

enum field { FIELD_NONE, FIELD_SOURCE4, FIELD_SOURCE6, FIELD_LINK, FIELD_NAME };

/* What every byte of a register is: the so-manieth byte of which field. */
struct trace {
	struct trace_byte { uint8_t field, index; } bytes[WALK_REGISTER_BYTES];
};

static void trace_fill(struct trace *trace, size_t place, size_t length,
		       enum field field, int first)
{
	for (size_t i = 0; i < length && place + i < WALK_REGISTER_BYTES; i++)
		trace->bytes[place + i] = (struct trace_byte){
			first + (int)i < 0 ? FIELD_NONE : (uint8_t)field,
			(uint8_t)(first + (int)i) };
}

static bool has_protocol(const struct walk_rule *rule, int family)
{
	int table = rule->chain->table->family;
	struct rule_view view;

	if (table != NFPROTO_INET)
		return table == (family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
	rule_read(rule->code->expressions, table, &view);
	return view.family == family;
}

static void trace_payload(struct trace *trace, const struct walk_rule *rule,
			  const struct walk_op *op)
{
	int offset = (int)op->offset;

	trace_fill(trace, op->target, op->length, FIELD_NONE, 0);
	if (op->key != NFT_PAYLOAD_NETWORK_HEADER)
		return;
	if (offset < 16 && offset + (int)op->length > 12 && has_protocol(rule, AF_INET))
		trace_fill(trace, op->target, op->length, FIELD_SOURCE4, offset - 12);
	else if (offset < 24 && has_protocol(rule, AF_INET6))
		trace_fill(trace, op->target, op->length, FIELD_SOURCE6, offset - 8);
}

static void trace_op(struct trace *trace, const struct walk_rule *rule,
		     const struct walk_op *op)
{
	switch (op->kind) {
	case WALK_OP_PAYLOAD:
		trace_payload(trace, rule, op);
		break;
	case WALK_OP_META:
		if (op->key == NFT_META_IIF)
			trace_fill(trace, op->target, 4, FIELD_LINK, 0);
		else if (op->key == NFT_META_IIFNAME)
			trace_fill(trace, op->target, IFNAMSIZ, FIELD_NAME, 0);
		else
			trace_fill(trace, op->target, 4, FIELD_NONE, 0);
		break;
	case WALK_OP_BITWISE:
		memmove(trace->bytes + op->target, trace->bytes + op->source,
			op->length * sizeof(trace->bytes[0]));
		break;
	case WALK_OP_CT: case WALK_OP_FIB: case WALK_OP_IMMEDIATE: case WALK_OP_UNKNOWN:
		trace_fill(trace, op->target, op->kind == WALK_OP_IMMEDIATE
						? op->value.length : 4, FIELD_NONE, 0);
		break;
	default:
		break;
	}
}

/* `length` bytes of a value that is compared with the register at `place`. */
static void tell_value(const struct facts *facts, const struct trace *trace,
		       size_t place, struct span value)
{
	static const uint8_t sizes[] = {
		[FIELD_SOURCE4] = 4, [FIELD_SOURCE6] = 16, [FIELD_LINK] = 4,
		[FIELD_NAME] = IFNAMSIZ,
	};

	for (size_t i = 0; i < value.length && place + i < WALK_REGISTER_BYTES; i++) {
		struct trace_byte byte = trace->bytes[place + i];
		struct span rest = { value.bytes + i, value.length - i };
		uint8_t whole[16] = { 0 };
		struct addr address;
		uint32_t index;

		if (byte.field == FIELD_NONE || byte.index != 0)
			continue;
		if (rest.length > sizes[byte.field])
			rest.length = sizes[byte.field];
		memcpy(whole, rest.bytes, rest.length);
		memcpy(&index, whole, sizeof(index));
		if (byte.field == FIELD_LINK || byte.field == FIELD_NAME) {
			facts->link(facts->context, byte.field == FIELD_LINK ? index : 0,
				    byte.field == FIELD_NAME ? rest : (struct span){ 0 });
			continue;
		}
		address = addr_from_bytes(byte.field == FIELD_SOURCE4 ? AF_INET : AF_INET6,
					  whole);
		facts->source(facts->context, &address);
	}
}

static void tell_traced(const struct facts *facts, const struct walk_rule *rule)
{
	struct trace trace = { 0 };

	for (size_t i = 0; i < rule->code->count; i++) {
		const struct walk_op *op = &rule->code->ops[i];

		if (op->kind == WALK_OP_CMP || op->kind == WALK_OP_RANGE)
			tell_value(facts, &trace, op->source, op->value);
		if (op->kind == WALK_OP_LOOKUP || op->kind == WALK_OP_VMAP) {
			for (size_t j = 0; j < op->set->count; j++)
				tell_value(facts, &trace, op->source, (struct span){
					op->set->elements[j].from, op->set->key_bytes });
		}
		trace_op(&trace, rule, op);
	}
}

/* --- lists --- */

struct lists {
	struct walk_constants *constants;
	size_t port_room, destination_room, source_room, link_room;
	bool failed;
};

/* False: no room for one more. */
static bool grow(struct lists *lists, void **list, size_t count, size_t *room,
		 size_t bytes)
{
	if (count == CONSTANTS_MAX) {
		lists->constants->overfull = true;
		return false;
	}
	lists->failed |= ruleset_grow(list, count, room, bytes) < 0;
	return !lists->failed;
}

static void add_port(void *context, uint8_t protocol, uint16_t first, uint16_t last)
{
	struct lists *lists = context;
	struct walk_constants *constants = lists->constants;

	for (size_t i = 0; i < constants->port_count; i++) {
		const struct walk_port *port = &constants->ports[i];

		if (port->protocol == protocol && port->first == first &&
		    port->last == last)
			return;
	}
	if (last < first || !grow(lists, (void **)&constants->ports, constants->port_count,
				  &lists->port_room, sizeof(*constants->ports)))
		return;
	constants->ports[constants->port_count++] = (struct walk_port){
		protocol, first, last };
}

static bool has_address(const struct addr *list, size_t count, const struct addr *address)
{
	for (size_t i = 0; i < count; i++) {
		if (addr_equal(&list[i], address))
			return true;
	}
	return false;
}

static void add_destination(void *context, const struct addr *address,
			    const struct walk_set *set)
{
	struct lists *lists = context;
	struct walk_constants *constants = lists->constants;

	(void)set;
	/* Full, it is not searched once more for each element of a large set. */
	if (constants->overfull && constants->destination_count == CONSTANTS_MAX)
		return;
	if (!has_address(constants->destinations, constants->destination_count, address) &&
	    grow(lists, (void **)&constants->destinations, constants->destination_count,
		 &lists->destination_room, sizeof(*constants->destinations)))
		constants->destinations[constants->destination_count++] = *address;
}

static void add_source(void *context, const struct addr *address)
{
	struct lists *lists = context;
	struct walk_constants *constants = lists->constants;

	if (constants->source_count < SOURCES_MAX &&
	    !has_address(constants->sources, constants->source_count, address) &&
	    grow(lists, (void **)&constants->sources, constants->source_count,
		 &lists->source_room, sizeof(*constants->sources)))
		constants->sources[constants->source_count++] = *address;
}

static void add_link(void *context, uint32_t index, struct span name)
{
	struct lists *lists = context;
	struct walk_constants *constants = lists->constants;
	struct walk_link link = { .index = index };

	if (name.length)
		memcpy(link.name, name.bytes, name.length < IFNAMSIZ ? name.length
								     : IFNAMSIZ - 1);
	for (size_t i = 0; i < constants->link_count; i++) {
		if (constants->links[i].index == index &&
		    strcmp(constants->links[i].name, link.name) == 0)
			return;
	}
	if (grow(lists, (void **)&constants->links, constants->link_count,
		 &lists->link_room, sizeof(*constants->links)))
		constants->links[constants->link_count++] = link;
}

int walk_constants(const struct walk *walk, const char *type, unsigned hook,
		   struct walk_constants *ret_constants)
{
	struct walk_constants constants = { 0 };
	struct lists lists = { .constants = &constants };
	const struct facts facts = {
		.context = &lists, .port = add_port, .destination = add_destination,
		.source = add_source, .link = add_link,
	};

	for (size_t i = 0; i < walk->chain_count; i++) {
		const struct walk_chain *chain = walk->chains[i];

		for (size_t j = 0; j < chain->rule_count && !lists.failed; j++) {
			if (!walk_rule_is_at(walk, &chain->rules[j], type, hook))
				break;
			tell_read(&facts, &chain->rules[j]);
			tell_traced(&facts, &chain->rules[j]);
		}
	}
	if (lists.failed) {
		walk_constants_done(&constants);
		return -ENOMEM;
	}
	*ret_constants = constants;
	return 0;
}

void walk_constants_done(struct walk_constants *constants)
{
	free(constants->ports);
	free(constants->destinations);
	free(constants->sources);
	free(constants->links);
	*constants = (struct walk_constants){ 0 };
}

/* --- one rule's destinations --- */

struct search {
	struct addr *addresses;
	size_t room, count;
	const struct addr *wanted;	/* NULL: all */
	const char *set;		/* named, in which the wanted one is */
	bool spelled;			/* by the rule itself */
};

static void search_destination(void *context, const struct addr *address,
			       const struct walk_set *set)
{
	struct search *search = context;

	if (search->wanted) {
		if (!addr_equal(search->wanted, address))
			return;
		if (set && !(set->flags & NFT_SET_ANONYMOUS))
			search->set = set->name;
		else
			search->spelled = true;
		return;
	}
	if (search->count < search->room)
		search->addresses[search->count] = *address;
	search->count++;
}

size_t walk_rule_destinations(const struct walk *walk, const struct walk_rule *rule,
			      struct addr *addresses, size_t room)
{
	struct search search = { .addresses = addresses, .room = room };
	const struct facts facts = {
		.context = &search, .destination = search_destination };

	(void)walk;
	tell_read(&facts, rule);
	return search.count;
}

const char *walk_rule_named(const struct walk *walk, const struct walk_rule *rule,
			    const struct addr *address)
{
	struct search search = { .wanted = address };
	const struct facts facts = {
		.context = &search, .destination = search_destination };

	(void)walk;
	tell_read(&facts, rule);
	return search.spelled ? NULL : search.set;
}
