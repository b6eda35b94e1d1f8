/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft_ruleset.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

enum { THINGS_MAX = 131072 };

int ruleset_dump(struct nft *nft, uint8_t type, const struct ruleset_table *table,
		 uint16_t table_type, uint16_t name_type, const char *name,
		 netlink_message_fn *message, void *context)
{
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t place;
	int r;

	place = wire_nf_message(&wire, nft_type(type), NLM_F_DUMP, ++nft->command.seq,
				(uint8_t)table->family);
	wire_put_string(&wire, table_type, table->name);
	if (name_type)
		wire_put_string(&wire, name_type, name);
	wire_message_end(&wire, place);
	r = netlink_ask(&nft->command, &wire, message, context);
	/* It was there a moment ago: somebody else is at work. */
	return r == -ENOENT ? -EINTR : r;
}

static int select_target(const struct nft_request *request, struct span comment,
			 char text[NFT_COMMENT_BYTES])
{
	const struct tag *tags[NFT_TARGETS_MAX];
	size_t count = request->target_count;

	if (count > NFT_TARGETS_MAX)
		count = NFT_TARGETS_MAX;
	if (comment.length >= NFT_COMMENT_BYTES)
		return TAG_NO_MATCH;
	memcpy(text, comment.bytes, comment.length);
	text[comment.length] = '\0';
	for (size_t i = 0; i < count; i++)
		tags[i] = &request->targets[i].tag;
	return tag_select(tags, count, text);
}

int ruleset_add_thing(struct ruleset *ruleset, const struct nft_request *request,
		      struct span comment, struct ruleset_thing **ret_thing)
{
	size_t max = request->max ? request->max : THINGS_MAX;
	char text[NFT_COMMENT_BYTES];
	int target = select_target(request, comment, text);
	struct ruleset_thing *thing;

	*ret_thing = NULL;
	if (target == TAG_NO_MATCH)
		return 0;
	if (ruleset->thing_count >= max) {
		ruleset->truncated = true;
		return 0;
	}
	if (ruleset_grow((void **)&ruleset->things, ruleset->thing_count,
			 &ruleset->thing_room, sizeof(*ruleset->things)) < 0)
		return -ENOMEM;
	thing = arena_alloc(&ruleset->arena, sizeof(*thing));
	if (!thing)
		return -ENOMEM;
	thing->target = target;
	thing->comment = arena_string(&ruleset->arena, text, comment.length);
	if (!thing->comment)
		return -ENOMEM;
	ruleset->things[ruleset->thing_count++] = thing;
	*ret_thing = thing;
	return 0;
}

struct rules_context {
	struct ruleset *ruleset;
	const struct nft_request *request;
	struct ruleset_chain *chain;
};

static int note_dispatch(const struct rules_context *context, struct span name)
{
	struct ruleset *ruleset = context->ruleset;
	struct ruleset_dispatch *dispatch;

	for (size_t i = 0; i < ruleset->dispatch_count; i++) {
		if (ruleset->dispatches[i].from == context->chain &&
		    attr_is(name, ruleset->dispatches[i].map))
			return 0;
	}
	if (ruleset_grow((void **)&ruleset->dispatches, ruleset->dispatch_count,
			 &ruleset->dispatch_room, sizeof(*ruleset->dispatches)) < 0)
		return -ENOMEM;
	dispatch = &ruleset->dispatches[ruleset->dispatch_count];
	dispatch->from = context->chain;
	dispatch->map = arena_string(&ruleset->arena, (const char *)name.bytes,
				     name.length);
	if (!dispatch->map)
		return -ENOMEM;
	ruleset->dispatch_count++;
	return 0;
}

static int note_use(const struct rules_context *context, struct span name)
{
	struct ruleset_set *set;
	struct ruleset_use *use;

	for (set = context->chain->table->sets; set; set = set->next) {
		if (attr_is(name, set->name))
			break;
	}
	if (!set || (set->uses && set->uses->chain == context->chain))
		return 0;
	use = arena_alloc(&context->ruleset->arena, sizeof(*use));
	if (!use)
		return -ENOMEM;
	*use = (struct ruleset_use){ set->uses, context->chain };
	set->uses = use;
	return 0;
}

static int follow_lookup(const struct rules_context *context, struct span data)
{
	uint32_t reg;
	struct span name;
	int r;

	if (!attr_string(attr_find(data, NFTA_LOOKUP_SET), &name))
		return 0;
	r = note_use(context, name);
	if (r < 0 || !attr_be32(attr_find(data, NFTA_LOOKUP_DREG), &reg) ||
	    reg != NFT_REG_VERDICT)
		return r;
	return note_dispatch(context, name);
}

static bool jumps(struct span immediate, struct span *ret_chain)
{
	struct span value = attr_nest(immediate, NFTA_IMMEDIATE_DATA);

	return rule_verdict_chain(attr_nest(value, NFTA_DATA_VERDICT), ret_chain);
}

/* Where the rule leads, and which sets it asks. */
static int follow(const struct rules_context *context, struct span expressions)
{
	const struct nlattr *element;
	struct span name, data, chain;
	int r = 0;

	attr_for_each(element, expressions) {
		if (!rule_expression(element, &name, &data))
			continue;
		if (attr_is(name, "lookup"))
			r = follow_lookup(context, data);
		else if (attr_is(name, "immediate") && jumps(data, &chain))
			r = ruleset_add_jump(context->ruleset, context->chain, chain);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A rule that opens a block in braces jumps into a chain that is bound to it. */
static bool opens_block(const struct ruleset *ruleset, size_t first_edge)
{
	for (size_t i = first_edge; i < ruleset->edge_count; i++) {
		if (ruleset->edges[i].to->bound)
			return true;
	}
	return false;
}

static int keep_rule(const struct rules_context *context, struct ruleset_thing *thing,
		     struct span expressions, struct span userdata)
{
	struct arena *arena = &context->ruleset->arena;

	thing->kind = NFT_RULE;
	thing->chain = context->chain;
	thing->table = context->chain->table;
	thing->place = context->chain->name;
	thing->expressions = arena_copy(arena, expressions.bytes, expressions.length);
	thing->expressions_bytes = expressions.length;
	thing->userdata.bytes = arena_copy(arena, userdata.bytes, userdata.length);
	thing->userdata.length = userdata.length;
	return thing->expressions && thing->userdata.bytes ? 0 : -ENOMEM;
}

static int take_rule(void *argument, const struct nlmsghdr *message)
{
	const struct rules_context *context = argument;
	const struct nlattr *table[NFTA_RULE_USERDATA + 1];
	struct span expressions, userdata, chain, comment;
	struct ruleset_thing *thing = NULL;
	size_t first_edge = context->ruleset->edge_count;
	uint64_t handle;
	int r;

	attr_index(attr_of_message(message, sizeof(struct nfgenmsg)), table,
		   NFTA_RULE_USERDATA + 1);
	if (!attr_string(table[NFTA_RULE_CHAIN], &chain) ||
	    !attr_is(chain, context->chain->name) ||
	    !attr_be64(table[NFTA_RULE_HANDLE], &handle))
		return 0;
	expressions = attr_span(table[NFTA_RULE_EXPRESSIONS]);
	userdata = attr_span(table[NFTA_RULE_USERDATA]);
	r = follow(context, expressions);
	for (size_t i = 0; r == 0 && !thing &&
	     rule_comment(userdata, expressions, i, &comment); i++)
		r = ruleset_add_thing(context->ruleset, context->request, comment,
				      &thing);
	if (r < 0 || !thing)
		return r;
	thing->handle = handle;
	thing->bound = context->chain->bound ||
		       opens_block(context->ruleset, first_edge);
	return keep_rule(context, thing, expressions, userdata);
}

int ruleset_read_rules(struct nft *nft, const struct nft_request *request,
		       struct ruleset *ruleset)
{
	for (struct ruleset_chain *chain = ruleset->walk; chain; chain = chain->next) {
		struct rules_context context = { ruleset, request, chain };
		size_t first = ruleset->dispatch_count;
		int r;

		r = ruleset_dump(nft, NFT_MSG_GETRULE, chain->table, NFTA_RULE_TABLE,
				 NFTA_RULE_CHAIN, chain->name, take_rule, &context);
		if (r == 0)
			r = ruleset_follow_dispatches(nft, ruleset, first);
		if (r < 0)
			return r;
	}
	return 0;
}

int ruleset_read(struct nft *nft, const struct nft_request *request,
		 struct ruleset *ruleset)
{
	int r;

	ruleset->walk_end = &ruleset->walk;
	r = nft_generation(nft, &ruleset->generation);
	if (r == 0)
		r = ruleset_read_chains(nft, request, ruleset);
	if (r == 0)
		r = ruleset_read_sets(nft, request, ruleset);
	if (r == 0)
		r = ruleset_read_rules(nft, request, ruleset);
	if (r == 0)
		r = ruleset_read_elements(nft, request, ruleset);
	if (r == 0)
		ruleset_spread_hooks(ruleset);
	return r;
}

void ruleset_done(struct ruleset *ruleset)
{
	free(ruleset->chains);
	free(ruleset->edges);
	free(ruleset->dispatches);
	free(ruleset->things);
	arena_done(&ruleset->arena);
	*ruleset = (struct ruleset){ 0 };
}
