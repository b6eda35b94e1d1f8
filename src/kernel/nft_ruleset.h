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
#include "nft_element.h"
#include "nft_private.h"
#include "nft_rewrite.h"

struct set;

struct ruleset_table {
	struct ruleset_table *next;
	int family;
	const char *name;
	struct ruleset_set **sets;	/* by name */
	size_t set_count, set_room;
};

/* A chain with a rule that asks the set. */
struct ruleset_use {
	struct ruleset_use *next;
	struct ruleset_chain *chain;
};

/* A named set, or an anonymous one whose key holds an address. */
struct ruleset_set {
	const char *name;
	uint64_t handle;
	bool anonymous, map;
	uint32_t key_bytes;
	struct ruleset_thing *thing;	/* it is tagged by its own comment */
	struct ruleset_use *uses;	/* of a named one, by walked chains */
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

/* A rule and an anonymous set of its own, one of whose elements may be tagged. */
struct ruleset_private {
	const struct ruleset_set *set;
	uint64_t handle;		/* of the rule */
	struct ruleset_thing *thing;	/* NULL: the rule is not tagged */
	bool bound;			/* the rule is, as in struct ruleset_thing */
};

/* Instead of a target: a rule that is sent again for an element of its set. */
enum { RULESET_CARRIER = -4 };

/* One tagged thing. */
struct ruleset_thing {
	enum nft_kind kind;
	int target;			/* index, TAG_AMBIGUOUS, NFT_OF_NAME or a carrier */
	const char *name;		/* the DNS name; NULL: none that is one */
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

	struct set *sets;		/* of rules: the anonymous ones that were loaded */
	bool resend;			/* an element of them changes */
	struct set *set;		/* of the others: the one they are in */
	struct ruleset_thing *rule;	/* of elements: whose anonymous set it is */
	struct element_claim claim;
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
	struct ruleset_private *privates;	/* of the chain that is being walked */
	size_t private_count, private_room;
	struct set *named;		/* those that were loaded */
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

/* The anonymous sets that rules of the chain use, and their tagged elements. */
int ruleset_read_privates(struct nft *nft, const struct nft_request *request,
			  struct ruleset *ruleset, struct ruleset_chain *chain) must_check;

/* NULL: none of that name, or an anonymous one without addresses. */
struct ruleset_set *ruleset_set_find(const struct ruleset_table *table, struct span name);

/*
 * The thing of that comment, appended, if the comment is some target's; `ret_thing` is
 * NULL if not, or if there are too many.
 */
int ruleset_add_thing(struct ruleset *ruleset, const struct nft_request *request,
		      enum nft_kind kind, struct span comment,
		      struct ruleset_thing **ret_thing) must_check;

/* Whether a thing of that kind with that comment would be some target's. */
bool ruleset_asks_for(const struct nft_request *request, enum nft_kind kind,
		      struct span comment);

/* Whether the comment, of a set or an element, is about a DNS name. */
bool ruleset_names(const struct nft_request *request, struct span comment);

/* The same for a rule without a tag. */
int ruleset_add_carrier(struct ruleset *ruleset, struct ruleset_thing **ret_thing)
	must_check;

/* Fills in a rule: its own copy of what the message says. */
int ruleset_keep_rule(struct ruleset *ruleset, struct ruleset_chain *chain,
		      struct ruleset_thing *thing, struct span expressions,
		      struct span userdata) must_check;

/* It stays as it is after all, and so does what depends on it. */
void ruleset_leave(struct ruleset *ruleset, struct ruleset_thing *thing,
		   const char *reason, bool refused);

struct ruleset_thing *ruleset_thing_of(struct element_claim *claim);

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
