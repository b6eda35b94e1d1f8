/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft_emit.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <sys/socket.h>

/* Attributes of one expression that must not go back: bit n for attribute n. */
static uint32_t unwanted(struct span name, struct span data)
{
	const struct nlattr *timeout = attr_find(data, NFTA_DYNSET_TIMEOUT);
	const struct nlattr *flags = attr_find(data, NFTA_OSF_FLAGS);
	uint64_t long_zero;
	uint32_t zero;

	/* An exthdr that writes or removes is told with more than it takes. */
	if (attr_is(name, "exthdr") && !attr_find(data, NFTA_EXTHDR_DREG)) {
		if (attr_find(data, NFTA_EXTHDR_SREG))
			return 1 << NFTA_EXTHDR_FLAGS;
		return 1 << NFTA_EXTHDR_FLAGS | 1 << NFTA_EXTHDR_OFFSET |
		       1 << NFTA_EXTHDR_LEN;
	}
	if (attr_is(name, "dynset") && attr_be64(timeout, &long_zero) && long_zero == 0)
		return 1 << NFTA_DYNSET_TIMEOUT;
	if (attr_is(name, "osf") && attr_be32(flags, &zero) && zero == 0)
		return 1 << NFTA_OSF_FLAGS;
	return 0;
}

/* Which attributes name a set, and which the set's number in the batch. */
static bool set_attributes(struct span name, uint16_t *ret_name, uint16_t *ret_id)
{
	if (attr_is(name, "lookup")) {
		*ret_name = NFTA_LOOKUP_SET;
		*ret_id = NFTA_LOOKUP_SET_ID;
		return true;
	}
	if (attr_is(name, "objref")) {
		*ret_name = NFTA_OBJREF_SET_NAME;
		*ret_id = NFTA_OBJREF_SET_ID;
		return true;
	}
	return false;
}

static const struct emit_twin *twin_find(const struct emit_rule *rule, struct span set)
{
	for (size_t i = 0; i < rule->twin_count; i++) {
		const struct emit_twin *twin = &rule->twins[i];

		if (twin->set.length == set.length &&
		    memcmp(twin->set.bytes, set.bytes, set.length) == 0)
			return twin;
	}
	return NULL;
}

static void begin_expression(struct wire *wire, struct span inside, size_t places[2])
{
	places[0] = wire_nest(wire, NFTA_LIST_ELEM);
	wire_copy(wire, attr_find(inside, NFTA_EXPR_NAME));
	places[1] = wire_nest(wire, NFTA_EXPR_DATA);
}

static void end_expression(struct wire *wire, const size_t places[2])
{
	wire_nest_end(wire, places[1]);
	wire_nest_end(wire, places[0]);
}

static void emit_without(struct wire *wire, struct span inside, struct span data,
			 uint32_t without)
{
	const struct nlattr *attr;
	size_t places[2];

	begin_expression(wire, inside, places);
	attr_for_each(attr, data) {
		uint16_t type = attr_type(attr);

		if (type > 31 || !(without >> type & 1))
			wire_copy(wire, attr);
	}
	end_expression(wire, places);
}

static void emit_with_twin(struct wire *wire, struct span inside, struct span data,
			   const struct emit_twin *twin, uint16_t name_type,
			   uint16_t id_type)
{
	const struct nlattr *attr;
	size_t places[2];

	begin_expression(wire, inside, places);
	attr_for_each(attr, data) {
		uint16_t type = attr_type(attr);

		if (type == name_type)
			wire_put_string(wire, type, twin->name);
		else if (type != id_type)
			wire_copy(wire, attr);
	}
	wire_put_be32(wire, id_type, twin->id);
	end_expression(wire, places);
}

static void emit_expression(struct wire *wire, const struct emit_rule *rule,
			    const struct nlattr *element)
{
	const struct emit_twin *twin = NULL;
	uint16_t name_type = 0, id_type = 0;
	struct span name, data, set;
	uint32_t without;

	if (!rule_expression(element, &name, &data)) {
		wire_copy(wire, element);
		return;
	}
	if (rule->twin_count && set_attributes(name, &name_type, &id_type) &&
	    attr_string(attr_find(data, name_type), &set))
		twin = twin_find(rule, set);
	without = unwanted(name, data);
	if (twin)
		emit_with_twin(wire, attr_span(element), data, twin, name_type, id_type);
	else if (without)
		emit_without(wire, attr_span(element), data, without);
	else
		wire_copy(wire, element);
}

static void open_expression(struct wire *wire, const char *name, size_t places[2])
{
	places[0] = wire_nest(wire, NFTA_LIST_ELEM);
	wire_put_string(wire, NFTA_EXPR_NAME, name);
	places[1] = wire_nest(wire, NFTA_EXPR_DATA);
}

static void emit_compare(struct wire *wire, const void *bytes, size_t length)
{
	size_t places[2], value;

	open_expression(wire, "cmp", places);
	wire_put_be32(wire, NFTA_CMP_SREG, NFT_REG_1);
	wire_put_be32(wire, NFTA_CMP_OP, NFT_CMP_EQ);
	value = wire_nest(wire, NFTA_CMP_DATA);
	wire_put(wire, NFTA_DATA_VALUE, bytes, length);
	wire_nest_end(wire, value);
	end_expression(wire, places);
}

static void emit_family(struct wire *wire, const struct addr *address)
{
	uint8_t family = address->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
	size_t places[2];

	open_expression(wire, "meta", places);
	wire_put_be32(wire, NFTA_META_DREG, NFT_REG_1);
	wire_put_be32(wire, NFTA_META_KEY, NFT_META_NFPROTO);
	end_expression(wire, places);
	emit_compare(wire, &family, sizeof(family));
}

/* As nft and iptables write `ip daddr`; at the front no register is in use yet. */
static void emit_missing(struct wire *wire, const struct emit_rule *rule)
{
	const struct addr *address = &rule->missing;
	int side = address->family == AF_INET ? RULE_IPV4 : RULE_IPV6;
	const struct rule_field *field = &rule_destination[side];
	size_t places[2];

	if (rule->family == NFPROTO_INET)
		emit_family(wire, address);
	open_expression(wire, "payload", places);
	wire_put_be32(wire, NFTA_PAYLOAD_DREG, NFT_REG_1);
	wire_put_be32(wire, NFTA_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER);
	wire_put_be32(wire, NFTA_PAYLOAD_OFFSET, field->offset);
	wire_put_be32(wire, NFTA_PAYLOAD_LEN, field->length);
	end_expression(wire, places);
	emit_compare(wire, address->bytes, field->length);
}

void emit_expressions(struct wire *wire, const struct emit_rule *rule)
{
	size_t nest = wire_nest(wire, NFTA_RULE_EXPRESSIONS);
	const struct nlattr *element;

	if (!addr_is_none(&rule->missing))
		emit_missing(wire, rule);
	attr_for_each(element, rule->expressions)
		emit_expression(wire, rule, element);
	wire_nest_end(wire, nest);
}

/*
 * Tells xt extensions which protocol they were bound to; the kernel never says so
 * itself.
 */
static void emit_compat(struct wire *wire, const struct rule_view *view)
{
	size_t nest = wire_nest(wire, NFTA_RULE_COMPAT);

	wire_put_be32(wire, NFTA_RULE_COMPAT_PROTO, view->compat_protocol);
	wire_put_be32(wire, NFTA_RULE_COMPAT_FLAGS,
		      view->compat_inverted ? NFT_RULE_COMPAT_F_INV : 0);
	wire_nest_end(wire, nest);
}

void emit_rule(struct wire *wire, const struct emit_rule *rule)
{
	wire_put_string(wire, NFTA_RULE_TABLE, rule->table);
	wire_put_string(wire, NFTA_RULE_CHAIN, rule->chain);
	wire_put_be64(wire, NFTA_RULE_HANDLE, rule->handle);
	emit_expressions(wire, rule);
	if (rule->userdata.length)
		wire_put(wire, NFTA_RULE_USERDATA, rule->userdata.bytes,
			 rule->userdata.length);
	if (rule->view->xt)
		emit_compat(wire, rule->view);
}
