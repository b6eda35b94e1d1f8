/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a rule does with a packet.
 */
#include "walk_private.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

/* Whether the registers hold what is known; a register that is not there does. */
static bool read_register(const struct walk_state *state, uint8_t place, size_t length,
			  uint8_t *ret_bytes)
{
	if (place == WALK_NO_REGISTER)
		return true;
	for (size_t i = 0; i < length; i++) {
		if (state->registers[place + i].known != 0xff)
			return false;
		ret_bytes[i] = state->registers[place + i].value;
	}
	return true;
}

static bool read_port(const struct walk_state *state, uint8_t place, uint16_t *ret_port)
{
	uint16_t port = 0;

	if (!read_register(state, place, 2, (uint8_t *)&port))
		return false;
	*ret_port = ntohs(port);
	return true;
}

/* The ports that `nat`, `masq` and `redir` name, and their flags. */
static bool read_ports(const struct walk_state *state, const struct walk_op *op,
		       struct walk_range *range)
{
	range->flags |= op->flags;
	if (op->target != WALK_NO_REGISTER)
		range->flags |= NF_NAT_RANGE_PROTO_SPECIFIED;
	return read_port(state, op->target, &range->port_first) &&
	       read_port(state, op->target2, &range->port_last);
}

static bool read_range(const struct walk_state *state, const struct walk_op *op,
		       struct walk_range *ret_range)
{
	int family = op->length == NFPROTO_IPV4 ? AF_INET : AF_INET6;
	size_t length = family == AF_INET ? 4 : 16;
	struct walk_range range = { 0 };
	uint8_t first[16] = { 0 }, last[16] = { 0 };

	if (!read_ports(state, op, &range) ||
	    !read_register(state, op->source, length, first) ||
	    !read_register(state, op->source2, length, last))
		return false;
	if (op->source != WALK_NO_REGISTER) {
		range.flags |= NF_NAT_RANGE_MAP_IPS;
		range.first = addr_from_bytes(family, first);
		range.last = addr_from_bytes(family, last);
	}
	*ret_range = range;
	return true;
}

static enum walk_answer do_nat(struct walk_state *state, const struct walk_op *op,
			       bool only_look, struct walk_verdict *ret_verdict)
{
	struct walk_range range = { 0 };
	bool destination = op->key == NFT_NAT_DNAT;

	/* `dnat ip to` leaves IPv6 alone and does not end the rules. */
	if ((op->length == NFPROTO_IPV4) != (state->family == AF_INET))
		return WALK_YES;
	if (!read_range(state, op, &range))
		return WALK_MAYBE;
	ret_verdict->code = NF_ACCEPT;
	ret_verdict->name = destination ? "dnat" : "snat";
	if (!only_look)
		ret_verdict->code = walk_nat_apply(state, destination, &range);
	return WALK_YES;
}

static enum walk_answer do_other_nat(struct walk_state *state, const struct walk_op *op,
				     bool only_look, struct walk_verdict *ret_verdict)
{
	struct walk_range range = { 0 };
	bool masquerade = op->kind == WALK_OP_MASQUERADE;

	if (!read_ports(state, op, &range))
		return WALK_MAYBE;
	ret_verdict->code = NF_ACCEPT;
	ret_verdict->name = masquerade ? "masquerade" : "redirect";
	if (!only_look)
		ret_verdict->code = masquerade ? walk_nat_masquerade(state, &range)
					       : walk_nat_redirect(state, &range);
	return WALK_YES;
}

static void do_meta(struct walk_state *state, const struct walk_op *op,
		    struct walk_verdict *ret_verdict)
{
	state->mark_known = read_register(state, op->source, 4, (uint8_t *)&state->mark);
	ret_verdict->name = "mark";
}

static void do_ct(struct walk_state *state, const struct walk_op *op,
		  struct walk_verdict *ret_verdict)
{
	if (op->key == NFT_CT_ZONE) {
		(void)!read_register(state, op->source, 2, (uint8_t *)&state->zone);
		return;
	}
	if (state->tracking != WALK_TRACKED)
		return;
	state->ct_mark_known = read_register(state, op->source, 4,
					     (uint8_t *)&state->ct_mark);
	ret_verdict->name = "ct mark";
}

static enum walk_answer do_vmap(struct walk_state *state, const struct walk_op *op,
				struct walk_verdict *ret_verdict,
				enum walk_miss *ret_about)
{
	const struct walk_element *element = NULL;
	enum walk_answer answer = walk_lookup(op->set, state->registers + op->source,
					      &element, ret_about);

	if (answer != WALK_YES || !element)
		return answer;
	*ret_verdict = element->verdict;
	return WALK_YES;
}

static enum walk_answer do_xt(struct walk_state *state, const struct walk_op *op,
			      bool only_look, struct walk_verdict *ret_verdict)
{
	if (!only_look)
		return walk_xt_target(state, op->value, op->key, op->value2, ret_verdict);
	ret_verdict->code = NF_ACCEPT;
	return WALK_YES;
}

/* The connection is not tracked yet where a rule may say so. */
void walk_untrack(struct walk_state *state, struct walk_verdict *ret_verdict)
{
	/* What is assumed to be translated is tracked. */
	if (state->tracking == WALK_NOT_YET && addr_is_none(&state->question->assumed))
		state->tracking = WALK_UNTRACKED;
	ret_verdict->name = "notrack";
}

enum walk_answer walk_do(struct walk_state *state, const struct walk_op *op,
			 bool only_look, struct walk_verdict *ret_verdict,
			 enum walk_miss *ret_about)
{
	switch (op->kind) {
	case WALK_OP_VERDICT:
		*ret_verdict = op->verdict;
		return WALK_YES;
	case WALK_OP_VMAP:
		return do_vmap(state, op, ret_verdict, ret_about);
	case WALK_OP_NAT:
		return do_nat(state, op, only_look, ret_verdict);
	case WALK_OP_MASQUERADE: case WALK_OP_REDIRECT:
		return do_other_nat(state, op, only_look, ret_verdict);
	case WALK_OP_XT_TARGET:
		return do_xt(state, op, only_look, ret_verdict);
	case WALK_OP_META_SET:
		do_meta(state, op, ret_verdict);
		return WALK_YES;
	case WALK_OP_CT_SET:
		do_ct(state, op, ret_verdict);
		return WALK_YES;
	case WALK_OP_PAYLOAD_SET:
		return walk_set_payload(state, op, ret_verdict);
	case WALK_OP_NOTRACK:
		walk_untrack(state, ret_verdict);
		return WALK_YES;
	default:
		return WALK_MAYBE;
	}
}
