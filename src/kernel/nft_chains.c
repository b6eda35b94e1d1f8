/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which chains see NAT: those of type nat, and those reached from one by jumps and
 * verdict maps.
 */
#include "nft_ruleset.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

int ruleset_grow(void **array, size_t count, size_t *room, size_t bytes)
{
	size_t more = *room ? *room * 2 : 32;
	void *larger;

	if (count < *room)
		return 0;
	larger = reallocarray(*array, more, bytes);
	if (!larger)
		return -ENOMEM;
	*array = larger;
	*room = more;
	return 0;
}

static bool table_asked_for(const struct nft_request *request, int family,
			    struct span name)
{
	for (size_t i = 0; i < request->table_count; i++) {
		if (request->tables[i].family == family &&
		    attr_is(name, request->tables[i].name))
			return true;
	}
	return request->table_count == 0;
}

static struct ruleset_table *table_find_or_add(struct ruleset *ruleset, int family,
					       struct span name)
{
	struct ruleset_table **end = &ruleset->tables, *table;

	for (table = *end; table; end = &table->next, table = *end) {
		if (table->family == family && attr_is(name, table->name))
			return table;
	}
	table = arena_alloc(&ruleset->arena, sizeof(*table));
	if (!table)
		return NULL;
	table->family = family;
	table->name = arena_string(&ruleset->arena, (const char *)name.bytes,
				   name.length);
	if (!table->name)
		return NULL;
	return *end = table;
}

static void queue(struct ruleset *ruleset, struct ruleset_chain *chain)
{
	if (chain->queued)
		return;
	chain->queued = true;
	*ruleset->walk_end = chain;
	ruleset->walk_end = &chain->next;
}

struct chains_context {
	struct ruleset *ruleset;
	const struct nft_request *request;
};

/* Base chains have a hook and a type; the rest is reached from them or not at all. */
static void chain_read_type(const struct chains_context *context,
			    struct ruleset_chain *chain, const struct nlattr **table)
{
	struct span hook = attr_span(table[NFTA_CHAIN_HOOK]), type;
	uint32_t number, flags = 0;

	attr_be32(table[NFTA_CHAIN_FLAGS], &flags);
	chain->bound = flags & NFT_CHAIN_BINDING;
	if (!attr_be32(attr_find(hook, NFTA_HOOK_HOOKNUM), &number) ||
	    number >= NF_INET_NUMHOOKS || !attr_string(table[NFTA_CHAIN_TYPE], &type))
		return;
	if (attr_is(type, "nat")) {
		chain->hooks = 1U << number;
		chain->root = true;
	}
	if (context->request->filter && attr_is(type, "filter")) {
		chain->hooks = 1U << REWRITE_HOOK_FILTER;
		chain->root = true;
	}
}

static int take_chain(void *argument, const struct nlmsghdr *message)
{
	const struct chains_context *context = argument;
	struct ruleset *ruleset = context->ruleset;
	const struct nlattr *table[NFTA_CHAIN_FLAGS + 1];
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	struct ruleset_chain *chain;
	struct span table_name, name;

	attr_index(attr_of_message(message, sizeof(*header)), table,
		   NFTA_CHAIN_FLAGS + 1);
	if (!attr_string(table[NFTA_CHAIN_TABLE], &table_name) ||
	    !attr_string(table[NFTA_CHAIN_NAME], &name))
		return 0;
	if ((header->nfgen_family != NFPROTO_IPV4 &&
	     header->nfgen_family != NFPROTO_IPV6 &&
	     header->nfgen_family != NFPROTO_INET) ||
	    !table_asked_for(context->request, header->nfgen_family, table_name))
		return 0;
	if (ruleset_grow((void **)&ruleset->chains, ruleset->chain_count,
			 &ruleset->chain_room, sizeof(struct ruleset_chain *)) < 0)
		return -ENOMEM;
	chain = arena_alloc(&ruleset->arena, sizeof(*chain));
	if (!chain)
		return -ENOMEM;
	chain->table = table_find_or_add(ruleset, header->nfgen_family, table_name);
	chain->name = arena_string(&ruleset->arena, (const char *)name.bytes,
				   name.length);
	if (!chain->table || !chain->name)
		return -ENOMEM;
	chain_read_type(context, chain, table);
	ruleset->chains[ruleset->chain_count++] = chain;
	if (chain->root)
		queue(ruleset, chain);
	return 0;
}

static int chain_order(const void *a, const void *b)
{
	const struct ruleset_chain *left = *(struct ruleset_chain *const *)a;
	const struct ruleset_chain *right = *(struct ruleset_chain *const *)b;

	if (left->table != right->table)
		return (uintptr_t)left->table < (uintptr_t)right->table ? -1 : 1;
	return strcmp(left->name, right->name);
}

static struct ruleset_chain *chain_find(const struct ruleset *ruleset,
					struct ruleset_table *table, const char *name)
{
	struct ruleset_chain wanted = { .table = table, .name = name }, *key = &wanted;
	struct ruleset_chain **found;

	if (!ruleset->chain_count)
		return NULL;
	found = bsearch(&key, ruleset->chains, ruleset->chain_count,
			sizeof(ruleset->chains[0]), chain_order);
	return found ? *found : NULL;
}

int ruleset_read_chains(struct nft *nft, const struct nft_request *request,
			struct ruleset *ruleset)
{
	struct chains_context context = { ruleset, request };
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message;
	int r;

	message = wire_nf_message(&wire, nft_type(NFT_MSG_GETCHAIN), NLM_F_DUMP,
				  ++nft->command.seq, NFPROTO_UNSPEC);
	wire_message_end(&wire, message);
	r = netlink_ask(&nft->command, &wire, take_chain, &context);
	if (r < 0)
		return r;
	if (ruleset->chain_count)
		qsort(ruleset->chains, ruleset->chain_count, sizeof(ruleset->chains[0]),
		      chain_order);
	return 0;
}

int ruleset_add_jump(struct ruleset *ruleset, struct ruleset_chain *from,
		     struct span name)
{
	char text[NFT_NAME_BYTES];
	struct ruleset_chain *to;

	if (name.length >= sizeof(text))
		return 0;
	memcpy(text, name.bytes, name.length);
	text[name.length] = '\0';
	to = chain_find(ruleset, from->table, text);
	if (!to)
		return 0;
	queue(ruleset, to);
	if (ruleset->edge_count && ruleset->edges[ruleset->edge_count - 1].from == from &&
	    ruleset->edges[ruleset->edge_count - 1].to == to)
		return 0;
	if (ruleset_grow((void **)&ruleset->edges, ruleset->edge_count,
			 &ruleset->edge_room, sizeof(*ruleset->edges)) < 0)
		return -ENOMEM;
	ruleset->edges[ruleset->edge_count++] = (struct ruleset_edge){ from, to };
	return 0;
}

/* Jumps nest at most 16 deep (NFT_JUMP_STACK_SIZE), so this ends soon. */
void ruleset_spread_hooks(struct ruleset *ruleset)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < ruleset->edge_count; i++) {
			const struct ruleset_edge *edge = &ruleset->edges[i];
			unsigned hooks = edge->to->hooks | edge->from->hooks;

			more |= hooks != edge->to->hooks;
			edge->to->hooks = hooks;
		}
	}
}

struct dispatch_context {
	struct ruleset *ruleset;
	struct ruleset_chain *from;
};

static int take_verdicts(void *argument, const struct nlmsghdr *message)
{
	const struct dispatch_context *context = argument;
	struct span list, chain;
	const struct nlattr *element;

	list = attr_nest(attr_of_message(message, sizeof(struct nfgenmsg)),
			 NFTA_SET_ELEM_LIST_ELEMENTS);
	attr_for_each(element, list) {
		struct span data = attr_nest(attr_span(element), NFTA_SET_ELEM_DATA);
		int r;

		if (!rule_verdict_chain(attr_nest(data, NFTA_DATA_VERDICT), &chain))
			continue;
		r = ruleset_add_jump(context->ruleset, context->from, chain);
		if (r < 0)
			return r;
	}
	return 0;
}

int ruleset_follow_dispatches(struct nft *nft, struct ruleset *ruleset, size_t first)
{
	for (size_t i = first; i < ruleset->dispatch_count; i++) {
		struct ruleset_dispatch dispatch = ruleset->dispatches[i];
		struct dispatch_context context = { ruleset, dispatch.from };
		int r;

		r = ruleset_dump(nft, NFT_MSG_GETSETELEM, dispatch.from->table,
				 NFTA_SET_ELEM_LIST_TABLE, NFTA_SET_ELEM_LIST_SET,
				 dispatch.map, take_verdicts, &context);
		if (r < 0)
			return r;
	}
	return 0;
}
