/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One look at the kernel's NAT tables: what is tagged, where it stands, with the raw
 * bytes of tagged rules.
 *
 * Dumps are streamed, chain by chain (an unfiltered dump of all rules costs the square
 * of their number); what is not tagged is forgotten at once. Everything lives in the
 * ruleset's arena.
 */
#ifndef KERNEL_NFT_RULESET_H
#define KERNEL_NFT_RULESET_H

#include "arena.h"
#include "nft_private.h"
#include "nft_rewrite.h"

struct ruleset_table {
	struct ruleset_table *next;
	int family;
	const char *name;
	struct ruleset_set *sets;	/* the named ones */
};

/* A chain with a rule that asks the set. */
struct ruleset_use {
	struct ruleset_use *next;
	struct ruleset_chain *chain;
};

struct ruleset_set {
	struct ruleset_set *next;
	const char *name;
	uint64_t handle;
	uint32_t key_type;
	bool map;
	struct ruleset_use *uses;	/* by walked chains */
};

struct ruleset_chain {
	struct ruleset_chain *next;	/* to be walked after this one */
	struct ruleset_table *table;
	const char *name;
	/* Bit n: reached from hook n of a NAT chain, or from a filter chain. */
	unsigned hooks;
	bool root;
	bool queued;
	bool bound;			/* a block in braces: cannot be edited */
};

struct ruleset_edge {
	struct ruleset_chain *from, *to;
};

/* A verdict map, and a chain that asks it. */
struct ruleset_dispatch {
	struct ruleset_chain *from;
	const char *map;
};

/* One tagged thing. */
struct ruleset_thing {
	enum nft_kind kind;
	int target;			/* index or TAG_AMBIGUOUS */
	const struct ruleset_table *table;
	const struct ruleset_chain *chain;	/* NULL but for rules */
	const char *place;		/* the chain's or set's name */
	const char *comment;
	uint64_t handle;
	uint8_t *expressions;		/* of rules: our own copy, changed in place */
	size_t expressions_bytes;
	struct span userdata;
	bool dnat;
	bool bound;			/* in a block in braces, or jumps into one */
	bool refused;			/* by the kernel */
	struct rewrite_verdict verdict;
};

struct ruleset {
	struct arena arena;
	uint32_t generation;
	struct ruleset_table *tables;
	struct ruleset_chain **chains;	/* in the order of ruleset_chain_find() */
	size_t chain_count, chain_room;
	struct ruleset_chain *walk, **walk_end;
	struct ruleset_edge *edges;
	size_t edge_count, edge_room;
	struct ruleset_dispatch *dispatches;
	size_t dispatch_count, dispatch_room;
	struct ruleset_thing **things;
	size_t thing_count, thing_room;
	bool truncated;
};

/*
 * Fills a ruleset, which is all zero. -EINTR: it changed meanwhile, look again;
 * -EOPNOTSUPP: no nf_tables here. ruleset_done() in every case.
 */
int ruleset_read(struct nft *nft, const struct nft_request *request,
		 struct ruleset *ruleset) must_check;
void ruleset_done(struct ruleset *ruleset);

/* The parts of ruleset_read(). */
int ruleset_read_chains(struct nft *nft, const struct nft_request *request,
			struct ruleset *ruleset) must_check;
int ruleset_read_sets(struct nft *nft, const struct nft_request *request,
		      struct ruleset *ruleset) must_check;
int ruleset_read_rules(struct nft *nft, const struct nft_request *request,
		       struct ruleset *ruleset) must_check;
int ruleset_read_elements(struct nft *nft, const struct nft_request *request,
			  struct ruleset *ruleset) must_check;
int ruleset_follow_dispatches(struct nft *nft, struct ruleset *ruleset,
			      size_t first) must_check;

/* `from` jumps to the chain of that name: it will be walked. */
int ruleset_add_jump(struct ruleset *ruleset, struct ruleset_chain *from,
		     struct span name) must_check;
void ruleset_spread_hooks(struct ruleset *ruleset);

/*
 * The thing of that comment, appended, if the comment is some target's; `ret_thing` is
 * NULL if not, or if there are too many.
 */
int ruleset_add_thing(struct ruleset *ruleset, const struct nft_request *request,
		      struct span comment, struct ruleset_thing **ret_thing) must_check;

/* Makes room for one more entry in a growing array. */
int ruleset_grow(void **array, size_t count, size_t *room, size_t bytes) must_check;

/*
 * Sends `type` about one table, or one set or chain of it, as a dump; `name_type` 0:
 * the whole table.
 */
int ruleset_dump(struct nft *nft, uint8_t type, const struct ruleset_table *table,
		 uint16_t table_type, uint16_t name_type, const char *name,
		 netlink_message_fn *message, void *context) must_check;

#endif
