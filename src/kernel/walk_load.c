/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole ruleset, from the kernel: first what rules refer to (tables, chains, sets and
 * their elements), then chain by chain the rules, each compiled as it comes.
 */
#include "walk_load.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>

#include "rule.h"

enum { LOOKS_MAX = 10, CHAINS_MAX = 50000 };

struct load {
	struct nft *nft;
	struct walk *walk;
	struct walk_table_inside *table;	/* whose sets or rules are read */
	struct walk_set **set_end;
	struct walk_chain *chain;
	struct walk_rule *rules;		/* of that chain */
	size_t rule_count, rule_room;
	bool overfull;
};

static const char *text_of(struct walk *walk, const struct nlattr *attr)
{
	struct span text = { 0 };

	if (!attr_string(attr, &text))
		return NULL;
	return arena_string(&walk->arena, (const char *)text.bytes, text.length);
}

/* Whoever holds it: its netlink port is as a rule the number of its process. */
static const char *owner_name(struct walk *walk, uint32_t port)
{
	char path[32], name[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/comm", port);
	file = fopen(path, "re");
	if (file) {
		if (!fgets(name, sizeof(name), file))
			name[0] = '\0';
		fclose(file);
	}
	name[strcspn(name, "\n")] = '\0';
	if (!name[0])
		snprintf(name, sizeof(name), "%u", port);
	return arena_string(&walk->arena, name, strlen(name));
}

static int take_table(void *context, const struct nlmsghdr *message)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *attrs[NFTA_TABLE_OWNER + 1];
	struct load *load = context;
	struct walk *walk = load->walk;
	struct walk_table_inside *table;
	uint32_t flags = 0, owner = 0;
	int r;

	r = ruleset_grow((void **)&walk->tables, walk->table_count, &walk->table_room,
			 sizeof(struct walk_table_inside *));
	table = arena_alloc(&walk->arena, sizeof(*table));
	if (r < 0 || !table)
		return -ENOMEM;
	attr_index(attr_of_message(message, sizeof(*header)), attrs,
		   NFTA_TABLE_OWNER + 1);
	attr_be32(attrs[NFTA_TABLE_FLAGS], &flags);
	attr_be32(attrs[NFTA_TABLE_OWNER], &owner);
	table->table.family = header->nfgen_family;
	table->table.name = text_of(walk, attrs[NFTA_TABLE_NAME]);
	table->table.dormant = flags & NFT_TABLE_F_DORMANT;
	table->table.owner = owner ? owner_name(walk, owner) : "";
	if (!table->table.name || !table->table.owner)
		return -ENOMEM;
	table->name.family = table->table.family;
	table->name.name = table->table.name;
	walk->tables[walk->table_count++] = table;
	return 0;
}

static struct walk_table_inside *table_of(const struct walk *walk, int family,
					  const struct nlattr *name)
{
	struct span text;

	if (!attr_string(name, &text))
		return NULL;
	for (size_t i = 0; i < walk->table_count; i++) {
		struct walk_table_inside *table = walk->tables[i];

		if (table->table.family == family && attr_is(text, table->table.name))
			return table;
	}
	return NULL;
}

/* NF_INET_INGRESS and the hooks of netdev are numbers of their own. */
static int read_base(struct walk *walk, struct walk_chain *chain,
		     const struct nlattr **attrs)
{
	struct span hook = attr_span(attrs[NFTA_CHAIN_HOOK]);
	uint32_t number, priority, policy = NF_ACCEPT;

	if (!hook.bytes || !attrs[NFTA_CHAIN_TYPE] ||
	    !attr_be32(attr_find(hook, NFTA_HOOK_HOOKNUM), &number) ||
	    !attr_be32(attr_find(hook, NFTA_HOOK_PRIORITY), &priority))
		return 0;
	attr_be32(attrs[NFTA_CHAIN_POLICY], &policy);
	chain->hook = number;
	chain->priority = (int32_t)priority;
	chain->drops = policy == NF_DROP;
	chain->type = text_of(walk, attrs[NFTA_CHAIN_TYPE]);
	return chain->type ? 0 : -ENOMEM;
}

static int take_chain(void *context, const struct nlmsghdr *message)
{
	const struct nfgenmsg *header = mnl_nlmsg_get_payload(message);
	const struct nlattr *attrs[NFTA_CHAIN_FLAGS + 1];
	struct load *load = context;
	struct walk *walk = load->walk;
	struct walk_table_inside *table;
	struct walk_chain *chain;

	attr_index(attr_of_message(message, sizeof(*header)), attrs,
		   NFTA_CHAIN_FLAGS + 1);
	table = table_of(walk, header->nfgen_family, attrs[NFTA_CHAIN_TABLE]);
	if (!table)
		return -EINTR;
	if (walk->chain_count == CHAINS_MAX)
		return -E2BIG;
	if (ruleset_grow((void **)&walk->chains, walk->chain_count, &walk->chain_room,
			 sizeof(struct walk_chain *)) < 0)
		return -ENOMEM;
	chain = arena_alloc(&walk->arena, sizeof(struct walk_chain_inside));
	if (!chain)
		return -ENOMEM;
	chain->table = &table->table;
	chain->type = "";
	chain->name = text_of(walk, attrs[NFTA_CHAIN_NAME]);
	if (!chain->name || read_base(walk, chain, attrs) < 0)
		return -ENOMEM;
	walk->chains[walk->chain_count++] = chain;
	return 0;
}

static int chain_order(const void *a, const void *b)
{
	const struct walk_chain *left = *(struct walk_chain *const *)a;
	const struct walk_chain *right = *(struct walk_chain *const *)b;

	if (left->table != right->table)
		return (uintptr_t)left->table < (uintptr_t)right->table ? -1 : 1;
	return strcmp(left->name, right->name);
}

/* A second list of the chains, to find them by name. */
static int sort_chains(struct walk *walk)
{
	if (!walk->chain_count)
		return 0;
	walk->by_name = arena_copy(&walk->arena, walk->chains,
				   walk->chain_count * sizeof(walk->chains[0]));
	if (!walk->by_name)
		return -ENOMEM;
	qsort(walk->by_name, walk->chain_count, sizeof(walk->by_name[0]), chain_order);
	return 0;
}

struct walk_chain *walk_chain_of(const struct walk *walk, const struct walk_table *table,
				 struct span name)
{
	char text[NFT_NAME_BYTES];
	struct walk_chain wanted = { .table = table, .name = text }, *key = &wanted;
	struct walk_chain **found;

	if (name.length >= sizeof(text) || !walk->by_name)
		return NULL;
	memcpy(text, name.bytes, name.length);
	text[name.length] = '\0';
	found = bsearch(&key, walk->by_name, walk->chain_count, sizeof(walk->by_name[0]),
			chain_order);
	return found ? *found : NULL;
}

static int take_set(void *context, const struct nlmsghdr *message)
{
	struct load *load = context;
	struct span attributes = attr_of_message(message, sizeof(struct nfgenmsg));
	struct walk_set *set = arena_alloc(&load->walk->arena, sizeof(*set));

	if (!set)
		return -ENOMEM;
	set->name = text_of(load->walk, attr_find(attributes, NFTA_SET_NAME));
	set->header.bytes = arena_copy(&load->walk->arena, attributes.bytes,
				       attributes.length);
	set->header.length = attributes.length;
	if (!set->name || !set->header.bytes)
		return -ENOMEM;
	*load->set_end = set;
	load->set_end = &set->next;
	return 0;
}

static int take_rule(void *context, const struct nlmsghdr *message)
{
	const struct nlattr *attrs[NFTA_RULE_USERDATA + 1];
	struct load *load = context;
	struct walk *walk = load->walk;
	struct walk_rule *rule;
	struct span expressions, comment;
	int r;

	if (walk->rule_total == WALK_RULES_MAX)
		return -E2BIG;
	r = ruleset_grow((void **)&load->rules, load->rule_count, &load->rule_room,
			 sizeof(*load->rules));
	if (r < 0)
		return r;
	attr_index(attr_of_message(message, sizeof(struct nfgenmsg)), attrs,
		   NFTA_RULE_USERDATA + 1);
	rule = &load->rules[load->rule_count++];
	walk->rule_total++;
	*rule = (struct walk_rule){ .chain = load->chain, .comment = "" };
	attr_be64(attrs[NFTA_RULE_HANDLE], &rule->handle);
	expressions = attr_span(attrs[NFTA_RULE_EXPRESSIONS]);
	if (rule_comment(attr_span(attrs[NFTA_RULE_USERDATA]), expressions, 0, &comment))
		rule->comment = arena_string(&walk->arena, (const char *)comment.bytes,
					     comment.length);
	if (!rule->comment)
		return -ENOMEM;
	return walk_compile(walk, load->table, expressions, rule);
}

static int dump_all(struct load *load, uint8_t type, netlink_message_fn *take)
{
	struct netlink *command = &load->nft->command;
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message;

	message = wire_nf_message(&wire, nft_type(type), NLM_F_DUMP, ++command->seq,
				  NFPROTO_UNSPEC);
	wire_message_end(&wire, message);
	return netlink_ask(command, &wire, take, load);
}

/* bridge, arp and netdev are only counted. */
static bool is_ours(const struct walk_table *table)
{
	return table->family == NFPROTO_IPV4 || table->family == NFPROTO_IPV6 ||
	       table->family == NFPROTO_INET;
}

static int load_sets(struct load *load, struct walk_table_inside *table)
{
	int r;

	load->set_end = &table->sets;
	r = ruleset_dump(load->nft, NFT_MSG_GETSET, &table->name, NFTA_SET_TABLE, 0, NULL,
			 take_set, load);
	for (struct walk_set *set = table->sets; set && r == 0; set = set->next)
		r = walk_load_set(load->nft, load->walk, table, set);
	return r;
}

static int load_rules(struct load *load, struct walk_chain *chain)
{
	struct walk_rule *rules;
	int r;

	load->chain = chain;
	load->rule_count = 0;
	/* A table's public part is its first member. */
	load->table = (struct walk_table_inside *)(uintptr_t)chain->table;
	r = ruleset_dump(load->nft, NFT_MSG_GETRULE, &load->table->name, NFTA_RULE_TABLE,
			 NFTA_RULE_CHAIN, chain->name, take_rule, load);
	if (r < 0 || !load->rule_count)
		return r;
	rules = arena_copy(&load->walk->arena, load->rules,
			   load->rule_count * sizeof(*rules));
	if (!rules)
		return -ENOMEM;
	chain->rules = rules;
	chain->rule_count = load->rule_count;
	return 0;
}

static int load_all(struct load *load)
{
	struct walk *walk = load->walk;
	int r;

	r = dump_all(load, NFT_MSG_GETTABLE, take_table);
	if (r == 0)
		r = dump_all(load, NFT_MSG_GETCHAIN, take_chain);
	if (r == 0)
		r = sort_chains(walk);
	for (size_t i = 0; i < walk->table_count && r == 0; i++) {
		if (is_ours(&walk->tables[i]->table))
			r = load_sets(load, walk->tables[i]);
	}
	for (size_t i = 0; i < walk->chain_count && r == 0; i++) {
		if (is_ours(walk->chains[i]->table))
			r = load_rules(load, walk->chains[i]);
	}
	return r == 0 ? walk_arrange(walk) : r;
}

static void empty(struct walk *walk)
{
	arena_done(&walk->arena);
	free(walk->tables);
	free(walk->chains);
	*walk = (struct walk){ 0 };
}

static int look(struct nft *nft, struct walk *walk)
{
	struct load load = { .nft = nft, .walk = walk };
	uint32_t before = 0, after = 0;
	int r;

	r = nft_settled_generation(nft, &before);
	if (r < 0)
		return r;
	r = load_all(&load);
	free(load.rules);
	if (r == 0)
		r = nft_generation(nft, &after);
	/* A kernel that has told its generation has nf_tables: as in ruleset_read(). */
	if (r == -EOPNOTSUPP)
		return -EIO;
	return r == 0 && before != after ? -EINTR : r;
}

static int look_until_whole(struct nft *nft, struct walk *walk, struct err *ret_err)
{
	int r = -EINTR;

	for (int i = 0; i < LOOKS_MAX && r == -EINTR; i++) {
		empty(walk);
		r = look(nft, walk);
	}
	if (r == -EOPNOTSUPP) {
		empty(walk);
		return 0;
	}
	if (r == -EINTR)
		return err_set(ret_err, r, "somebody changes the ruleset all the time");
	if (r == -E2BIG)
		return err_set(ret_err, r, "the ruleset is too large to be walked through");
	return r < 0 ? err_set_errno(ret_err, r, "reading the ruleset") : 0;
}

int walk_new(struct walk **ret_walk, struct err *ret_err)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	struct nft *nft = NULL;
	int r;

	if (!walk)
		return err_set_errno(ret_err, -ENOMEM, "ruleset");
	r = nft_new(&nft, ret_err);
	if (r == 0)
		r = look_until_whole(nft, walk, ret_err);
	nft_free(nft);
	if (r < 0) {
		walk_free(walk);
		return r;
	}
	*ret_walk = walk;
	return 0;
}

void walk_free(struct walk *walk)
{
	if (!walk)
		return;
	empty(walk);
	free(walk);
}
