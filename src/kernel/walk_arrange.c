/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In which order a packet meets the base chains, and which chains are reached from where.
 */
#include "walk_private.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <stdlib.h>

static const char *const type_names[WALK_TYPES] = { "nat", "filter", "route" };

static int type_of(const char *name)
{
	for (int i = 0; i < WALK_TYPES; i++) {
		if (strcmp(type_names[i], name) == 0)
			return i;
	}
	return -1;
}

/* --- order --- */

static bool is_at(const struct walk_chain *chain, int family, unsigned hook)
{
	if (chain->table->family != NFPROTO_INET && chain->table->family != family)
		return false;
	return type_of(chain->type) >= 0 && chain->hook == hook && !chain->table->dormant;
}

/* One turn of a hook: a base chain, or NAT. `age`: the younger the larger. */
struct turn {
	const struct walk_chain *chain;
	int64_t priority;
	size_t age;
};

/* Of equal priority the younger hook comes first: the kernel puts it in front. */
static int turn_order(const void *a, const void *b)
{
	const struct turn *left = a, *right = b;

	if (left->priority != right->priority)
		return left->priority < right->priority ? -1 : 1;
	return left->age > right->age ? -1 : left->age < right->age;
}

static size_t arrange_turns(struct turn *turns, size_t count,
			    const struct walk_chain **chains)
{
	qsort(turns, count, sizeof(*turns), turn_order);
	for (size_t i = 0; i < count; i++)
		chains[i] = turns[i].chain;
	return count;
}

/* NAT's own hook comes with the first chain of its type. */
static size_t age_of_nat(const struct walk *walk, int family)
{
	for (size_t i = 0; i < walk->chain_count; i++) {
		const struct walk_chain *chain = walk->chains[i];

		if ((chain->table->family == family ||
		     chain->table->family == NFPROTO_INET) &&
		    type_of(chain->type) == WALK_NAT)
			return i;
	}
	return walk->chain_count;
}

static int arrange_hook(struct walk *walk, int family, unsigned hook, struct turn *turns,
			struct walk_hook *ret_hook)
{
	size_t room = (walk->chain_count + 1) * sizeof(struct walk_chain *), count = 0;
	const struct walk_chain **nat = arena_alloc(&walk->arena, room);
	const struct walk_chain **others = arena_alloc(&walk->arena, room);

	if (!nat || !others)
		return -ENOMEM;
	ret_hook->nat = nat;
	ret_hook->chains = others;
	for (int round = 0; round < 2; round++, count = 0) {
		for (size_t i = 0; i < walk->chain_count; i++) {
			const struct walk_chain *chain = walk->chains[i];

			if (is_at(chain, family, hook) &&
			    (type_of(chain->type) == WALK_NAT) == (round == 0))
				turns[count++] = (struct turn){
					chain, chain->priority, i };
		}
		if (round == 0) {
			ret_hook->nat_count = arrange_turns(turns, count, nat);
			continue;
		}
		if (hook != NF_INET_FORWARD)
			turns[count++] = (struct turn){
				NULL, walk_hook_is_destination(hook) ? NF_IP_PRI_NAT_DST
								     : NF_IP_PRI_NAT_SRC,
				age_of_nat(walk, family) };
		ret_hook->count = arrange_turns(turns, count, others);
	}
	return 0;
}

static int arrange_hooks(struct walk *walk)
{
	static const int families[WALK_FAMILIES] = { NFPROTO_IPV4, NFPROTO_IPV6 };
	struct turn *turns = calloc(walk->chain_count + 1, sizeof(*turns));
	int r = turns ? 0 : -ENOMEM;

	for (int i = 0; i < WALK_FAMILIES; i++) {
		for (unsigned hook = 0; hook < WALK_HOOKS && r == 0; hook++)
			r = arrange_hook(walk, families[i], hook, turns,
					 &walk->hooks[i][hook]);
	}
	free(turns);
	return r;
}

/* --- reach --- */

static struct walk_chain_inside *inside(const struct walk_chain *chain)
{
	return (struct walk_chain_inside *)(uintptr_t)chain;
}

static bool spread_to(const struct walk_chain *from, const struct walk_verdict *verdict)
{
	bool more = false;

	for (int i = 0; verdict->to && i < WALK_TYPES; i++) {
		unsigned *to = &inside(verdict->to)->reached[i];
		unsigned hooks = *to | inside(from)->reached[i];

		more |= hooks != *to;
		*to = hooks;
	}
	return more;
}

static bool spread(const struct walk_chain *chain)
{
	bool more = false;

	for (size_t i = 0; i < chain->rule_count; i++) {
		const struct walk_code *code = chain->rules[i].code;

		for (size_t j = 0; j < code->count; j++) {
			const struct walk_op *op = &code->ops[j];

			more |= spread_to(chain, &op->verdict);
			if (op->kind != WALK_OP_VMAP)
				continue;
			for (size_t k = 0; k < op->set->count; k++)
				more |= spread_to(chain, &op->set->elements[k].verdict);
			if (op->set->catch_all)
				more |= spread_to(chain, &op->set->catch_all->verdict);
		}
	}
	return more;
}

/* Jumps nest at most WALK_DEPTH_MAX deep, so this ends soon. */
static void spread_all(struct walk *walk)
{
	bool more = true;

	for (size_t i = 0; i < walk->chain_count; i++) {
		struct walk_chain *chain = walk->chains[i];
		int type = type_of(chain->type);

		if (type >= 0 && chain->hook < WALK_HOOKS)
			inside(chain)->reached[type] = 1U << chain->hook;
	}
	for (int round = 0; round <= WALK_DEPTH_MAX && more; round++) {
		more = false;
		for (size_t i = 0; i < walk->chain_count; i++)
			more |= spread(walk->chains[i]);
	}
}

/* Which address an xt NETMAP translates its hook says. */
static void mark_netmaps(struct walk_chain_inside *chain)
{
	for (size_t i = 0; i < chain->chain.rule_count; i++) {
		const struct walk_rule *seen = &chain->chain.rules[i];
		struct walk_rule *rule = (struct walk_rule *)(uintptr_t)seen;

		for (size_t j = 0; j < rule->code->count; j++) {
			const struct walk_op *op = &rule->code->ops[j];
			unsigned hooks = chain->reached[WALK_NAT];

			if (op->kind != WALK_OP_XT_TARGET || !attr_is(op->value, "NETMAP"))
				continue;
			rule->nat_destination = hooks & (1U << NF_INET_PRE_ROUTING |
							 1U << NF_INET_LOCAL_OUT);
			rule->nat_source = hooks & (1U << NF_INET_POST_ROUTING |
						    1U << NF_INET_LOCAL_IN);
		}
	}
}

int walk_arrange(struct walk *walk)
{
	spread_all(walk);
	for (size_t i = 0; i < walk->chain_count; i++)
		mark_netmaps(inside(walk->chains[i]));
	return arrange_hooks(walk);
}

bool walk_rule_is_at(const struct walk *walk, const struct walk_rule *rule,
		     const char *type, unsigned hook)
{
	int index = type_of(type);

	(void)walk;
	return index >= 0 && hook < WALK_HOOKS &&
	       inside(rule->chain)->reached[index] >> hook & 1;
}

/* --- finding --- */

const struct walk_table *walk_table(const struct walk *walk, size_t index)
{
	return index < walk->table_count ? &walk->tables[index]->table : NULL;
}

const struct walk_chain *walk_chain(const struct walk *walk, size_t index)
{
	return index < walk->chain_count ? walk->chains[index] : NULL;
}

const struct walk_chain *walk_chain_find(const struct walk *walk, int family,
					 const char *table, const char *chain)
{
	for (size_t i = 0; i < walk->table_count; i++) {
		const struct walk_table *found = &walk->tables[i]->table;

		if (found->family == family && strcmp(found->name, table) == 0)
			return walk_chain_of(walk, found, (struct span){
				(const uint8_t *)chain, strlen(chain) });
	}
	return NULL;
}

const struct walk_rule *walk_rule_find(const struct walk_chain *chain, uint64_t handle)
{
	for (size_t i = 0; i < chain->rule_count; i++) {
		if (chain->rules[i].handle == handle)
			return &chain->rules[i];
	}
	return NULL;
}
