/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets and maps of the NAT tables that are tagged by their own comment, and elements that
 * are by theirs, in named sets and in the anonymous ones of rules.
 *
 * Only what turns out to have something tagged is kept.
 */
#include "nft_ruleset.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "nft_set.h"

struct sets_context {
	struct ruleset *ruleset;
	const struct nft_request *request;
	struct ruleset_table *table;
};

static int keep_set(const struct sets_context *context, struct ruleset_set *set,
		    struct span userdata)
{
	struct ruleset_thing *thing = NULL;
	struct span comment;
	int r;

	if (!userdata.bytes ||
	    !rule_userdata_comment(userdata, SET_USERDATA_COMMENT, &comment))
		return 0;
	r = ruleset_add_thing(context->ruleset, context->request,
			      set->map ? NFT_MAP : NFT_SET, comment, &thing);
	if (r < 0 || !thing)
		return r;
	thing->table = context->table;
	thing->place = set->name;
	thing->handle = set->handle;
	set->thing = thing;
	return 0;
}

/* Anonymous sets are many; those whose keys hold no address have no place here. */
static bool may_matter(const struct nlattr **table, uint32_t flags, uint32_t *ret_bytes)
{
	struct element_fields fields;
	uint32_t type = 0;

	attr_be32(table[NFTA_SET_KEY_LEN], ret_bytes);
	attr_be32(table[NFTA_SET_KEY_TYPE], &type);
	return !(flags & NFT_SET_ANONYMOUS) ||
	       (element_fields_read(type, *ret_bytes, &fields) && fields.count);
}

static int take_set(void *argument, const struct nlmsghdr *message)
{
	const struct sets_context *context = argument;
	struct ruleset_table *into = context->table;
	const struct nlattr *table[NFTA_SET_HANDLE + 1];
	uint32_t flags = 0, key_bytes = 0;
	struct ruleset_set *set;
	struct span name;

	attr_index(attr_of_message(message, sizeof(struct nfgenmsg)), table,
		   NFTA_SET_HANDLE + 1);
	attr_be32(table[NFTA_SET_FLAGS], &flags);
	if (!attr_string(table[NFTA_SET_NAME], &name) ||
	    !may_matter(table, flags, &key_bytes))
		return 0;
	if (ruleset_grow((void **)&into->sets, into->set_count, &into->set_room,
			 sizeof(*into->sets)) < 0)
		return -ENOMEM;
	set = arena_alloc(&context->ruleset->arena, sizeof(*set));
	if (!set)
		return -ENOMEM;
	set->name = arena_string(&context->ruleset->arena, (const char *)name.bytes,
				 name.length);
	if (!set->name)
		return -ENOMEM;
	attr_be64(table[NFTA_SET_HANDLE], &set->handle);
	set->key_bytes = key_bytes;
	set->anonymous = flags & NFT_SET_ANONYMOUS;
	set->map = flags & (NFT_SET_MAP | NFT_SET_OBJECT);
	into->sets[into->set_count++] = set;
	if (set->anonymous)
		return 0;
	return keep_set(context, set, attr_span(table[NFTA_SET_USERDATA]));
}

static int set_order(const void *a, const void *b)
{
	const struct ruleset_set *left = *(struct ruleset_set *const *)a;
	const struct ruleset_set *right = *(struct ruleset_set *const *)b;

	return strcmp(left->name, right->name);
}

struct ruleset_set *ruleset_set_find(const struct ruleset_table *table, struct span name)
{
	char text[NFT_NAME_BYTES];
	struct ruleset_set wanted = { .name = text }, *key = &wanted, **found;

	if (!table->set_count || name.length >= sizeof(text))
		return NULL;
	memcpy(text, name.bytes, name.length);
	text[name.length] = '\0';
	found = bsearch(&key, table->sets, table->set_count,
			sizeof(struct ruleset_set *), set_order);
	return found ? *found : NULL;
}

/* Only tables that have a chain to walk. */
static bool table_walked(const struct ruleset *ruleset, const struct ruleset_table *table)
{
	const struct ruleset_chain *chain;

	for (chain = ruleset->walk; chain; chain = chain->next) {
		if (chain->table == table)
			return true;
	}
	return false;
}

int ruleset_read_sets(struct nft *nft, const struct nft_request *request,
		      struct ruleset *ruleset)
{
	for (struct ruleset_table *table = ruleset->tables; table; table = table->next) {
		struct sets_context context = { ruleset, request, table };
		int r;

		if (!table_walked(ruleset, table))
			continue;
		r = ruleset_dump(nft, NFT_MSG_GETSET, table, NFTA_SET_TABLE, 0, NULL,
				 take_set, &context);
		if (r < 0)
			return r;
		if (table->set_count)
			qsort(table->sets, table->set_count, sizeof(*table->sets),
			      set_order);
	}
	return 0;
}

struct search {
	const struct nft_request *request;
	bool found;
};

static int search_elements(void *argument, const struct nlmsghdr *message)
{
	struct search *search = argument;
	const struct nlattr *element;
	struct span list, comment;

	list = attr_nest(attr_of_message(message, sizeof(struct nfgenmsg)),
			 NFTA_SET_ELEM_LIST_ELEMENTS);
	attr_for_each(element, list) {
		if (!search->found && element_comment(element, &comment))
			search->found = ruleset_asks_for(search->request, NFT_ELEMENT,
							 comment);
	}
	return 0;
}

/* Whether some element is tagged; nothing is kept of what was read. */
static int search_set(struct nft *nft, const struct nft_request *request,
		      const struct ruleset_table *table, const struct ruleset_set *set,
		      bool *ret_found)
{
	struct search search = { .request = request };
	int r = ruleset_dump(nft, NFT_MSG_GETSETELEM, table, NFTA_SET_ELEM_LIST_TABLE,
			     NFTA_SET_ELEM_LIST_SET, set->name, search_elements, &search);

	*ret_found = search.found;
	return r;
}

/* Where the things of a set's elements come from. */
struct claims {
	struct ruleset *ruleset;
	const struct nft_request *request;
	const struct ruleset_set *of;
	struct set *set;
	struct ruleset_thing *rule;	/* NULL: a named set */
	size_t first;			/* things of this set from here on */
};

/* All elements of one DNS name that say the same are one thing. */
static struct ruleset_thing *same_name(const struct claims *claims, struct span comment)
{
	for (size_t i = claims->first; i < claims->ruleset->thing_count; i++) {
		struct ruleset_thing *thing = claims->ruleset->things[i];

		if (thing->target == NFT_OF_NAME && attr_is(comment, thing->comment))
			return thing;
	}
	return NULL;
}

static int claim_element(const struct claims *claims, struct element_member *member)
{
	struct ruleset_thing *thing;
	struct span comment;
	int r;

	if (!element_comment(member->element, &comment))
		return 0;
	thing = ruleset_names(claims->request, comment) ? same_name(claims, comment) : NULL;
	if (thing) {
		member->claim = &thing->claim;
		return 0;
	}
	r = ruleset_add_thing(claims->ruleset, claims->request, NFT_ELEMENT, comment,
			      &thing);
	if (r < 0 || !thing)
		return r;
	thing->table = claims->set->table;
	thing->place = claims->rule ? claims->rule->place : claims->of->name;
	thing->handle = claims->rule ? claims->rule->handle : claims->of->handle;
	thing->set = claims->set;
	thing->rule = claims->rule;
	thing->claim.change.reason = "is the catch-all element";
	member->claim = &thing->claim;
	if (thing->target >= 0)
		claims->set->image.targets |= 1U << thing->target;
	return 0;
}

static int claim_elements(struct claims *claims)
{
	struct element_image *image = &claims->set->image;

	claims->first = claims->ruleset->thing_count;
	for (size_t i = 0; i < image->count && !image->broken; i++) {
		int r = claim_element(claims, &image->members[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

static struct span span_of(const char *text)
{
	return (struct span){ (const uint8_t *)text, strlen(text) };
}

static int read_named(struct nft *nft, const struct nft_request *request,
		      struct ruleset *ruleset, struct ruleset_table *table,
		      struct ruleset_set *of, size_t index)
{
	struct claims claims = { .ruleset = ruleset, .request = request, .of = of };
	bool found = of->thing != NULL;
	int r = 0;

	if (!found && plain_holds(&nft->plain, index, of->handle))
		return 0;
	if (!found)
		r = search_set(nft, request, table, of, &found);
	if (r == 0)
		plain_note(&nft->plain, index, of->handle, !found);
	if (r < 0 || !found)
		return r;
	r = set_load(nft, &ruleset->arena, table, span_of(of->name), &claims.set);
	if (r < 0)
		return r;
	claims.set->next = ruleset->named;
	ruleset->named = claims.set;
	claims.set->thing = of->thing;
	if (of->thing)
		of->thing->set = claims.set;
	return claim_elements(&claims);
}

int ruleset_read_elements(struct nft *nft, const struct nft_request *request,
			  struct ruleset *ruleset)
{
	size_t index = 0;

	plain_begin(&nft->plain, request, ruleset->generation);
	for (struct ruleset_table *table = ruleset->tables; table; table = table->next) {
		for (size_t i = 0; i < table->set_count; i++) {
			int r = 0;

			if (!table->sets[i]->anonymous)
				r = read_named(nft, request, ruleset, table,
					       table->sets[i], index++);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

struct carrier_context {
	struct ruleset *ruleset;
	struct ruleset_chain *chain;
	struct ruleset_thing *thing;
};

static int take_carrier(void *argument, const struct nlmsghdr *message)
{
	const struct carrier_context *context = argument;
	struct span attributes = attr_of_message(message, sizeof(struct nfgenmsg));

	return ruleset_keep_rule(context->ruleset, context->chain, context->thing,
				 attr_nest(attributes, NFTA_RULE_EXPRESSIONS),
				 attr_nest(attributes, NFTA_RULE_USERDATA));
}

/* Reads a rule once more: it is not tagged, but an element of its set is. */
static int read_carrier(struct nft *nft, struct ruleset *ruleset,
			struct ruleset_chain *chain, struct ruleset_private *private)
{
	struct carrier_context context = { ruleset, chain, NULL };
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t place;
	int r = ruleset_add_carrier(ruleset, &context.thing);

	if (r < 0)
		return r;
	place = wire_nf_message(&wire, nft_type(NFT_MSG_GETRULE), NLM_F_ACK,
				++nft->command.seq, (uint8_t)chain->table->family);
	wire_put_string(&wire, NFTA_RULE_TABLE, chain->table->name);
	wire_put_string(&wire, NFTA_RULE_CHAIN, chain->name);
	wire_put_be64(&wire, NFTA_RULE_HANDLE, private->handle);
	wire_message_end(&wire, place);
	r = netlink_ask(&nft->command, &wire, take_carrier, &context);
	if (r == -ENOENT || (r == 0 && !context.thing->expressions))
		return -EINTR;
	context.thing->handle = private->handle;
	context.thing->bound = private->bound;
	private->thing = context.thing;
	return r;
}

/* Several sets of one untagged rule have one carrier. */
static void share_carrier(struct ruleset *ruleset, const struct ruleset_private *private)
{
	for (size_t i = 0; i < ruleset->private_count; i++) {
		if (ruleset->privates[i].handle == private->handle)
			ruleset->privates[i].thing = private->thing;
	}
}

static int read_private(struct nft *nft, const struct nft_request *request,
		    struct ruleset *ruleset, struct ruleset_chain *chain,
		    struct ruleset_private *private)
{
	struct claims claims = { .ruleset = ruleset, .request = request, .of = private->set };
	bool found;
	int r = search_set(nft, request, chain->table, private->set, &found);

	if (r < 0 || !found || (private->thing && set_find(private->thing->sets,
						       span_of(private->set->name))))
		return r;
	if (!private->thing) {
		r = read_carrier(nft, ruleset, chain, private);
		if (r < 0)
			return r;
		share_carrier(ruleset, private);
	}
	r = set_load(nft, &ruleset->arena, chain->table, span_of(private->set->name),
		     &claims.set);
	if (r < 0)
		return r;
	claims.set->next = private->thing->sets;
	private->thing->sets = claims.set;
	claims.rule = private->thing;
	return claim_elements(&claims);
}

int ruleset_read_privates(struct nft *nft, const struct nft_request *request,
			  struct ruleset *ruleset, struct ruleset_chain *chain)
{
	int r = 0;

	for (size_t i = 0; i < ruleset->private_count && r == 0; i++)
		r = read_private(nft, request, ruleset, chain, &ruleset->privates[i]);
	ruleset->private_count = 0;
	return r;
}
