/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft_ruleset.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/order.h"
#include "nft_set.h"

enum { THINGS_MAX = 131072, NAME_BYTES = 253 };	/* RFC 1035, as text */

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
	/* Within one table the dump is whole, if nobody was at work there. */
	nft->command.patient = nft->journal_on;
	r = netlink_ask(&nft->command, &wire, message, context);
	nft->command.patient = false;
	/* It was there a moment ago: somebody else is at work. */
	return r == -ENOENT ? -EINTR : r;
}

bool ruleset_names(const struct nft_request *request, struct span comment)
{
	size_t length = request->name_prefix ? strlen(request->name_prefix) : 0;

	return length && comment.length >= length &&
	       memcmp(comment.bytes, request->name_prefix, length) == 0;
}

static int select_target(const struct nft_request *request, enum nft_kind kind,
			 struct span comment, char text[NFT_COMMENT_BYTES])
{
	const struct tag *tags[NFT_TARGETS_MAX];
	size_t count = MIN(request->target_count, (size_t)NFT_TARGETS_MAX);

	if (comment.length >= NFT_COMMENT_BYTES)
		return TAG_NO_MATCH;
	memcpy(text, comment.bytes, comment.length);
	text[comment.length] = '\0';
	if (kind != NFT_RULE && ruleset_names(request, comment))
		return NFT_OF_NAME;
	for (size_t i = 0; i < count; i++)
		tags[i] = &request->targets[i].tag;
	return tag_select(tags, count, text);
}

bool ruleset_asks_for(const struct nft_request *request, enum nft_kind kind,
		      struct span comment)
{
	char text[NFT_COMMENT_BYTES];

	return select_target(request, kind, comment, text) != TAG_NO_MATCH;
}

/*
 * What stands behind the prefix, to its end or to the first space; NULL: no DNS name.
 * RFC 1035's letters, digits and '-', and the '_' of service names.
 */
static const char *read_name(struct arena *arena, const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t length = strcspn(text, " ");
	char *name = arena_string(arena, text, length);

	for (size_t i = 0; name && i < length; i++) {
		if (name[i] >= 'A' && name[i] <= 'Z')
			name[i] = (char)(name[i] - 'A' + 'a');
	}
	if (name && length && name[length - 1] == '.')
		name[--length] = '\0';
	if (!name || !length || length > NAME_BYTES || strspn(name, allowed) != length)
		return NULL;
	return name;
}

static int add_thing(struct ruleset *ruleset, size_t max,
		     struct ruleset_thing **ret_thing)
{
	struct ruleset_thing *thing;

	*ret_thing = NULL;
	if (ruleset->thing_count >= (max ? max : THINGS_MAX)) {
		ruleset->truncated = true;
		return 0;
	}
	if (ruleset_grow((void **)&ruleset->things, ruleset->thing_count,
			 &ruleset->thing_room, sizeof(*ruleset->things)) < 0)
		return -ENOMEM;
	thing = arena_alloc(&ruleset->arena, sizeof(*thing));
	if (!thing)
		return -ENOMEM;
	thing->verdict.result = thing->claim.change.result = NFT_SKIPPED;
	ruleset->things[ruleset->thing_count++] = thing;
	*ret_thing = thing;
	return 0;
}

int ruleset_add_thing(struct ruleset *ruleset, const struct nft_request *request,
		      enum nft_kind kind, struct span comment,
		      struct ruleset_thing **ret_thing)
{
	char text[NFT_COMMENT_BYTES];
	int target = select_target(request, kind, comment, text), r;
	struct ruleset_thing *thing;

	*ret_thing = NULL;
	if (target == TAG_NO_MATCH)
		return 0;
	r = add_thing(ruleset, request->max, &thing);
	if (r < 0 || !thing)
		return r;
	thing->kind = kind;
	thing->target = thing->claim.target = target;
	thing->comment = arena_string(&ruleset->arena, text, comment.length);
	if (!thing->comment)
		return -ENOMEM;
	if (target == NFT_OF_NAME)
		thing->name = read_name(&ruleset->arena,
					text + strlen(request->name_prefix));
	*ret_thing = thing;
	return 0;
}

int ruleset_add_carrier(struct ruleset *ruleset, struct ruleset_thing **ret_thing)
{
	/* Not told, so not counted against what the request allows. */
	int r = add_thing(ruleset, SIZE_MAX, ret_thing);

	if (r == 0)
		/* NOLINTNEXTLINE(*NullDereference): without a limit there is one */
		(*ret_thing)->target = RULESET_CARRIER;
	return r;
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

static int note_chain(const struct rules_context *context, struct ruleset_set *set)
{
	struct ruleset_use *use;

	if (set->uses && set->uses->chain == context->chain)
		return 0;
	use = arena_alloc(&context->ruleset->arena, sizeof(*use));
	if (!use)
		return -ENOMEM;
	*use = (struct ruleset_use){ set->uses, context->chain };
	set->uses = use;
	return 0;
}

/* One of its elements may be tagged: that is seen when the chain has been read. */
static int note_private(const struct rules_context *context,
			const struct ruleset_set *set, uint64_t handle)
{
	struct ruleset *ruleset = context->ruleset;

	if (ruleset_grow((void **)&ruleset->privates, ruleset->private_count,
			 &ruleset->private_room, sizeof(*ruleset->privates)) < 0)
		return -ENOMEM;
	ruleset->privates[ruleset->private_count++] =
		(struct ruleset_private){ .set = set, .handle = handle };
	return 0;
}

static int note_use(const struct rules_context *context, struct span name,
		    uint64_t handle)
{
	struct ruleset_set *set = ruleset_set_find(context->chain->table, name);

	if (!set)
		return 0;
	return set->anonymous ? note_private(context, set, handle)
			      : note_chain(context, set);
}

static int follow_lookup(const struct rules_context *context, struct span data,
			 uint64_t handle)
{
	uint32_t reg;
	struct span name;
	int r;

	if (!attr_string(attr_find(data, NFTA_LOOKUP_SET), &name))
		return 0;
	r = note_use(context, name, handle);
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
static int follow(const struct rules_context *context, struct span expressions,
		  uint64_t handle)
{
	const struct nlattr *element;
	struct span name, data, chain, set;
	int r = 0;

	attr_for_each(element, expressions) {
		if (!rule_expression(element, &name, &data))
			continue;
		if (attr_is(name, "lookup"))
			r = follow_lookup(context, data, handle);
		else if (attr_is(name, "objref") &&
			 attr_string(attr_find(data, NFTA_OBJREF_SET_NAME), &set))
			r = note_use(context, set, handle);
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

int ruleset_keep_rule(struct ruleset *ruleset, struct ruleset_chain *chain,
		      struct ruleset_thing *thing, struct span expressions,
		      struct span userdata)
{
	struct arena *arena = &ruleset->arena;

	thing->kind = NFT_RULE;
	thing->chain = chain;
	thing->table = chain->table;
	thing->place = chain->name;
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
	struct ruleset *ruleset = context->ruleset;
	size_t first_edge = ruleset->edge_count, first_private = ruleset->private_count;
	uint64_t handle;
	bool bound;
	int r;

	attr_index(attr_of_message(message, sizeof(struct nfgenmsg)), table,
		   NFTA_RULE_USERDATA + 1);
	if (!attr_string(table[NFTA_RULE_CHAIN], &chain) ||
	    !attr_is(chain, context->chain->name) ||
	    !attr_be64(table[NFTA_RULE_HANDLE], &handle))
		return 0;
	expressions = attr_span(table[NFTA_RULE_EXPRESSIONS]);
	userdata = attr_span(table[NFTA_RULE_USERDATA]);
	r = follow(context, expressions, handle);
	for (size_t i = 0; r == 0 && !thing &&
	     rule_comment(userdata, expressions, i, &comment); i++)
		r = ruleset_add_thing(ruleset, context->request, NFT_RULE, comment,
				      &thing);
	if (r < 0)
		return r;
	bound = context->chain->bound || opens_block(ruleset, first_edge);
	for (size_t i = first_private; i < ruleset->private_count; i++) {
		ruleset->privates[i].thing = thing;
		ruleset->privates[i].bound = bound;
	}
	if (!thing)
		return 0;
	thing->handle = handle;
	thing->bound = bound;
	return ruleset_keep_rule(ruleset, context->chain, thing, expressions, userdata);
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
		if (r == 0)
			r = ruleset_read_privates(nft, request, ruleset, chain);
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
	r = nft_settled_generation(nft, &ruleset->generation);
	if (r < 0)
		return r;
	r = ruleset_read_chains(nft, request, ruleset);
	if (r == 0)
		r = ruleset_read_sets(nft, request, ruleset);
	if (r == 0)
		r = ruleset_read_rules(nft, request, ruleset);
	if (r == 0)
		r = ruleset_read_elements(nft, request, ruleset);
	if (r == 0)
		ruleset_spread_hooks(ruleset);
	/* A kernel that has told its generation has nf_tables, whatever it says now. */
	return r == -EOPNOTSUPP ? -EIO : r;
}

struct ruleset_thing *ruleset_thing_of(struct element_claim *claim)
{
	return (void *)((char *)claim - offsetof(struct ruleset_thing, claim));
}

void ruleset_leave(struct ruleset *ruleset, struct ruleset_thing *thing,
		   const char *reason, bool refused)
{
	thing->verdict.result = NFT_SKIPPED;
	thing->verdict.reason = reason;
	thing->verdict.learnt = false;
	thing->verdict.new = (struct addr){ 0 };
	thing->refused = refused;
	thing->resend = false;
	for (struct set *set = thing->sets; set; set = set->next)
		element_undo(&set->image, NULL);
	for (size_t i = 0; thing->sets && i < ruleset->thing_count; i++) {
		struct ruleset_thing *other = ruleset->things[i];

		if (other->rule == thing && other->verdict.result == NFT_CHANGED)
			ruleset_leave(ruleset, other, reason, refused);
	}
	if (!thing->set || thing->rule)
		return;
	element_undo(&thing->set->image, &thing->claim);
	/* The set's decision counted on what its elements become. */
	if (thing->set->thing && thing->set->thing->verdict.result == NFT_CHANGED)
		ruleset_leave(ruleset, thing->set->thing, reason, refused);
}

void ruleset_done(struct ruleset *ruleset)
{
	for (struct ruleset_table *table = ruleset->tables; table; table = table->next)
		free(table->sets);
	free(ruleset->chains);
	free(ruleset->edges);
	free(ruleset->dispatches);
	free(ruleset->things);
	free(ruleset->privates);
	arena_done(&ruleset->arena);
	*ruleset = (struct ruleset){ 0 };
}
