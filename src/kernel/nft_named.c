/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Named sets and maps of the NAT tables, and their elements, whose comments are tagged.
 */
#include "nft_ruleset.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

/* nft's numbers for the types of keys, kept by the kernel as they are. */
enum { KEY_TYPE_IPV4 = 7, KEY_TYPE_IPV6 = 8 };

struct named_context {
	struct ruleset *ruleset;
	const struct nft_request *request;
	struct ruleset_table *table;
	const struct ruleset_set *set;		/* whose elements are dumped */
};

static void fill_thing(const struct named_context *context, struct ruleset_thing *thing,
		       enum nft_kind kind, const struct ruleset_set *set)
{
	thing->kind = kind;
	thing->table = context->table;
	thing->place = set->name;
	thing->handle = set->handle;
	thing->verdict.result = NFT_SKIPPED;
	thing->verdict.reason = set->map ? "elements of named maps are not changed"
					 : "elements of named sets are not changed";
}

static int keep_set(const struct named_context *context, const struct ruleset_set *set,
		    struct span userdata)
{
	struct ruleset_thing *thing = NULL;
	struct span comment;
	int r;

	if (!userdata.bytes ||
	    !rule_userdata_comment(userdata, SET_USERDATA_COMMENT, &comment))
		return 0;
	r = ruleset_add_thing(context->ruleset, context->request, comment, &thing);
	if (r < 0 || !thing)
		return r;
	fill_thing(context, thing, set->map ? NFT_MAP : NFT_SET, set);
	return 0;
}

static int take_set(void *argument, const struct nlmsghdr *message)
{
	const struct named_context *context = argument;
	const struct nlattr *table[NFTA_SET_HANDLE + 1];
	struct ruleset_set *set;
	uint32_t flags = 0;
	struct span name;

	attr_index(attr_of_message(message, sizeof(struct nfgenmsg)), table,
		   NFTA_SET_HANDLE + 1);
	attr_be32(table[NFTA_SET_FLAGS], &flags);
	if (flags & NFT_SET_ANONYMOUS || !attr_string(table[NFTA_SET_NAME], &name))
		return 0;
	set = arena_alloc(&context->ruleset->arena, sizeof(*set));
	if (!set)
		return -ENOMEM;
	set->name = arena_string(&context->ruleset->arena, (const char *)name.bytes,
				 name.length);
	if (!set->name)
		return -ENOMEM;
	attr_be64(table[NFTA_SET_HANDLE], &set->handle);
	attr_be32(table[NFTA_SET_KEY_TYPE], &set->key_type);
	set->map = flags & (NFT_SET_MAP | NFT_SET_OBJECT);
	set->next = context->table->sets;
	context->table->sets = set;
	return keep_set(context, set, attr_span(table[NFTA_SET_USERDATA]));
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
		struct named_context context = { ruleset, request, table, NULL };
		int r;

		if (!table_walked(ruleset, table))
			continue;
		r = ruleset_dump(nft, NFT_MSG_GETSET, table, NFTA_SET_TABLE, 0, NULL,
				 take_set, &context);
		if (r < 0)
			return r;
	}
	return 0;
}

static struct addr element_address(const struct ruleset_set *set, struct span element)
{
	struct span key = attr_nest(attr_nest(element, NFTA_SET_ELEM_KEY),
				    NFTA_DATA_VALUE);

	if (set->key_type == KEY_TYPE_IPV4 && key.length == 4)
		return addr_from_bytes(AF_INET, key.bytes);
	if (set->key_type == KEY_TYPE_IPV6 && key.length == 16)
		return addr_from_bytes(AF_INET6, key.bytes);
	return (struct addr){ 0 };
}

static int take_elements(void *argument, const struct nlmsghdr *message)
{
	const struct named_context *context = argument;
	const struct nlattr *attr;
	struct span list, comment;

	list = attr_nest(attr_of_message(message, sizeof(struct nfgenmsg)),
			 NFTA_SET_ELEM_LIST_ELEMENTS);
	attr_for_each(attr, list) {
		struct span element = attr_span(attr);
		struct span userdata = attr_nest(element, NFTA_SET_ELEM_USERDATA);
		struct ruleset_thing *thing = NULL;
		int r;

		if (!userdata.bytes ||
		    !rule_userdata_comment(userdata, RULE_USERDATA_COMMENT, &comment))
			continue;
		r = ruleset_add_thing(context->ruleset, context->request, comment,
				      &thing);
		if (r < 0)
			return r;
		if (!thing)
			continue;
		fill_thing(context, thing, NFT_ELEMENT, context->set);
		thing->verdict.old = element_address(context->set, element);
	}
	return 0;
}

int ruleset_read_elements(struct nft *nft, const struct nft_request *request,
			  struct ruleset *ruleset)
{
	for (struct ruleset_table *table = ruleset->tables; table; table = table->next) {
		struct named_context context = { ruleset, request, table, NULL };

		for (context.set = table->sets; context.set;
		     context.set = context.set->next) {
			int r = 0;

			if (context.set->uses)
				r = ruleset_dump(nft, NFT_MSG_GETSETELEM, table,
						 NFTA_SET_ELEM_LIST_TABLE,
						 NFTA_SET_ELEM_LIST_SET,
						 context.set->name, take_elements,
						 &context);
			if (r < 0)
				return r;
		}
	}
	return 0;
}
