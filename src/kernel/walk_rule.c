/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One rule and one packet, without what stands before it.
 */
#include "walk_private.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>

/* The first hook that a rule is reached from, for such a packet; false: none. */
static bool find_hook(const struct walk_rule *rule, bool own, unsigned *ret_hook)
{
	const struct walk_chain_inside *chain = (const void *)rule->chain;
	static const unsigned in[] = {
		NF_INET_PRE_ROUTING, NF_INET_FORWARD, NF_INET_LOCAL_IN,
		NF_INET_POST_ROUTING, NF_INET_LOCAL_OUT,
	}, out[] = {
		NF_INET_LOCAL_OUT, NF_INET_POST_ROUTING, NF_INET_PRE_ROUTING,
		NF_INET_FORWARD, NF_INET_LOCAL_IN,
	};
	const unsigned *order = own ? out : in;
	unsigned reached = 0;

	for (int i = 0; i < WALK_TYPES; i++)
		reached |= chain->reached[i];
	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
		*ret_hook = order[i];
		if (reached >> order[i] & 1)
			return true;
	}
	return false;
}

static bool has_in(unsigned hook)
{
	return hook != NF_INET_LOCAL_OUT;
}

static bool has_out(unsigned hook)
{
	return hook != NF_INET_PRE_ROUTING && hook != NF_INET_LOCAL_IN;
}

/* As if the packet came to that hook unchanged. */
static void place_at(struct walk_state *state, unsigned hook)
{
	struct router_question question = {
		.destination = state->destination, .source = state->source,
		.in = state->in ? state->in->index : 0, .mark = state->mark,
		.protocol = state->protocol, .source_port = state->source_port,
		.destination_port = state->destination_port,
	};
	struct err err;

	state->hook = hook;
	state->tracking = WALK_TRACKED;
	state->original_source = state->source;
	state->original_destination = state->destination;
	state->original_source_port = state->source_port;
	state->original_destination_port = state->destination_port;
	if (has_out(hook) &&
	    router_route(state->router, &question, &state->result->route, &err) == 0 &&
	    !state->result->route.error)
		state->out = router_link_of(state->router, state->result->route.out);
	if (!has_in(hook))
		state->in = NULL;
}

static bool family_fits(const struct walk_rule *rule, int family)
{
	int table = rule->chain->table->family;

	return table == NFPROTO_INET ||
	       table == (family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
}

enum walk_miss walk_rule_miss(const struct walk *walk, const struct router *router,
			      const struct walk_rule *rule,
			      const struct walk_packet *packet)
{
	struct walk_question question = { .packet = *packet };
	struct walk_result result = { 0 };
	enum walk_miss about = WALK_MISS_OTHER;
	struct walk_verdict verdict;
	struct walk_state state;
	unsigned hook;

	if (!family_fits(rule, packet->destination.family))
		return WALK_MISS_PROTOCOL;
	if (!find_hook(rule, packet->in == 0, &hook))
		return WALK_MISS_OTHER;
	walk_begin(&state, walk, router, &question, &result);
	place_at(&state, hook);
	switch (walk_rule_try(&state, rule, true, &verdict, &about)) {
	case WALK_YES: return WALK_MATCHES;
	case WALK_NO: return about;
	default: return WALK_MISS_UNSURE;
	}
}

static bool is_destination_nat(const struct walk_op *op)
{
	if (op->kind == WALK_OP_NAT)
		return op->key == NFT_NAT_DNAT;
	if (op->kind == WALK_OP_XT_TARGET)
		return attr_is(op->value, "DNAT") || attr_is(op->value, "REDIRECT") ||
		       attr_is(op->value, "NETMAP");
	return op->kind == WALK_OP_REDIRECT;
}

/* Matches are passed over; what they would have loaded is there all the same. */
static int run_up_to_nat(struct walk_state *state, const struct walk_rule *rule)
{
	struct walk_verdict verdict = { .code = NFT_CONTINUE };
	enum walk_miss about;
	enum walk_answer answer;

	for (size_t i = 0; i < rule->code->count; i++) {
		const struct walk_op *op = &rule->code->ops[i];
		bool map = op->kind == WALK_OP_LOOKUP && op->target != WALK_NO_REGISTER;

		if (is_destination_nat(op)) {
			answer = walk_do(state, op, false, &verdict, &about);
			return answer == WALK_YES ? 0 : -EOPNOTSUPP;
		}
		if (walk_op_is_deed(op))
			continue;
		answer = walk_match(state, op, &about);
		if (map && answer != WALK_YES)
			return answer == WALK_NO ? -ENOENT : -EOPNOTSUPP;
	}
	return -ENOENT;
}

int walk_rule_nat(const struct walk *walk, const struct router *router,
		  const struct walk_rule *rule, const struct walk_packet *packet,
		  struct walk_nat *ret_nat)
{
	struct walk_question question = { .packet = *packet };
	struct walk_result result = { 0 };
	struct walk_state state;
	int r;

	if (!rule->nat_destination || !family_fits(rule, packet->destination.family))
		return -ENOENT;
	walk_begin(&state, walk, router, &question, &result);
	place_at(&state, packet->in ? NF_INET_PRE_ROUTING : NF_INET_LOCAL_OUT);
	state.rule = rule;
	r = run_up_to_nat(&state, rule);
	if (r < 0)
		return r;
	if (!(state.status & IPS_DST_NAT_DONE))
		return -EOPNOTSUPP;
	*ret_nat = result.destination_nat;
	return 0;
}
