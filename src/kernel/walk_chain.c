/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A base chain: its rules one after the other, and where they jump to.
 */
#include "walk_private.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

void walk_note(struct walk_state *state, enum walk_step_kind kind,
	       const struct walk_chain *chain, const struct walk_rule *rule,
	       const char *verdict)
{
	struct walk_result *result = state->result;

	if (kind == WALK_UNSURE && !result->unsure)
		result->unsure = rule;
	if (result->step_count == WALK_STEPS_MAX)
		return;
	result->steps[result->step_count++] = (struct walk_step){
		kind, chain, rule, verdict };
}

struct stack {
	struct place {
		const struct walk_chain *chain;
		size_t next;
	} places[WALK_DEPTH_MAX + 1];
	size_t depth;
};

/* Where a jump or goto leads. False: deeper than the kernel lets anybody go. */
static bool descend(struct walk_state *state, struct stack *stack,
		    const struct walk_verdict *verdict)
{
	if (verdict->code == NFT_JUMP && ++stack->depth > WALK_DEPTH_MAX)
		return false;
	stack->places[stack->depth] = (struct place){ verdict->to, 0 };
	walk_note(state, WALK_CHAIN, verdict->to, state->rule, verdict->name);
	return true;
}

/* A verdict that ends the chain: what netfilter is told. */
static uint32_t settle(struct walk_state *state, const struct walk_verdict *verdict)
{
	struct walk_result *result = state->result;

	/* Some program decides, and most let through what they look at. */
	if (verdict->code == NF_QUEUE)
		walk_note(state, WALK_UNSURE, state->rule->chain, state->rule, verdict->name);
	if (verdict->code != NF_DROP)
		return NF_ACCEPT;
	result->chain = state->rule->chain;
	result->at = state->rule;
	result->end = verdict->rejected ? WALK_REJECTED : WALK_DROPPED;
	return NF_DROP;
}

static uint32_t end_by_policy(struct walk_state *state, const struct walk_chain *base)
{
	walk_note(state, WALK_POLICY, base, NULL, base->drops ? "drop" : "accept");
	if (!base->drops)
		return NF_ACCEPT;
	state->result->chain = base;
	state->result->at = NULL;
	state->result->end = WALK_DROPPED;
	return NF_DROP;
}

/* What an unsure rule would come to, if that can be told without looking at a packet. */
static const char *consequence_of(const struct walk_rule *rule)
{
	for (size_t i = 0; i < rule->code->count; i++) {
		const struct walk_op *op = &rule->code->ops[i];

		if (op->kind == WALK_OP_VERDICT && op->verdict.name)
			return op->verdict.name;
	}
	return "unsure";
}

/* Does that consequence only set marks? Then these are what is not known. */
static bool op_only_marks(const struct walk_op *op, bool *packet, bool *connection)
{
	bool both;

	switch (op->kind) {
	case WALK_OP_META_SET:
		*packet = true;
		return true;
	case WALK_OP_CT_SET:
		*connection = true;
		return op->key == NFT_CT_MARK;
	case WALK_OP_XT_TARGET:
		both = attr_is(op->value, "CONNMARK");
		*packet = true;
		*connection |= both;
		return both || attr_is(op->value, "MARK");
	default:
		return false;
	}
}

/* A rule that matches by chance, to spread connections over uplinks, is no riddle. */
static bool forget_marks(struct walk_state *state, const struct walk_rule *rule)
{
	bool packet = false, connection = false;

	for (size_t i = 0; i < rule->code->count; i++) {
		const struct walk_op *op = &rule->code->ops[i];

		if (walk_op_is_deed(op) && !op_only_marks(op, &packet, &connection))
			return false;
	}
	state->mark_known &= !packet;
	state->ct_mark_known &= !connection;
	return true;
}

static enum walk_answer try_rule(struct walk_state *state, const struct walk_rule *rule,
				 struct walk_verdict *ret_verdict)
{
	enum walk_miss about;
	enum walk_answer answer = walk_rule_try(state, rule, false, ret_verdict, &about);

	if (answer == WALK_MAYBE && !forget_marks(state, rule))
		walk_note(state, WALK_UNSURE, rule->chain, rule, consequence_of(rule));
	else if (answer == WALK_YES && ret_verdict->name && !ret_verdict->to)
		walk_note(state, WALK_MATCHED, rule->chain, rule, ret_verdict->name);
	return answer;
}

int walk_run_chain(struct walk_state *state, const struct walk_chain *base,
		   uint32_t *ret_verdict)
{
	struct stack stack = { .places = { { base, 0 } } };
	struct walk_verdict verdict;

	walk_note(state, WALK_CHAIN, base, NULL, base->type);
	for (;;) {
		struct place *here = &stack.places[stack.depth];
		bool over = here->next == here->chain->rule_count;

		if (!over) {
			const struct walk_rule *rule = &here->chain->rules[here->next++];

			if (++state->turns > WALK_TURNS_MAX)
				return -ELOOP;
			if (try_rule(state, rule, &verdict) != WALK_YES ||
			    verdict.code == NFT_CONTINUE || verdict.code == NFT_BREAK)
				continue;
			if (verdict.to) {
				if (!descend(state, &stack, &verdict))
					return -ELOOP;
				continue;
			}
			if (verdict.code != NFT_RETURN) {
				*ret_verdict = settle(state, &verdict);
				return 0;
			}
		}
		if (stack.depth-- == 0)
			break;
	}
	*ret_verdict = end_by_policy(state, base);
	return 0;
}
