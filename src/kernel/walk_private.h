/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of a walk: the loaded ruleset, the packet on its way, and the registers.
 *
 * Not everything of a packet that does not exist is known, so each byte of a register
 * says which of its bits are, and what it speaks of. Matches answer yes, no or maybe;
 * a rule with a maybe that reaches a consequence is unsure.
 */
#ifndef KERNEL_WALK_PRIVATE_H
#define KERNEL_WALK_PRIVATE_H

#include "arena.h"
#include "attr.h"
#include "hairpin/walk.h"
#include "nft_element.h"
#include "nft_ruleset.h"

enum {
	WALK_RULES_MAX = 50000,
	WALK_ELEMENTS_MAX = 200000,
	WALK_REGISTER_BYTES = 64,
	WALK_DEPTH_MAX = 16,		/* NFT_JUMP_STACK_SIZE */
	WALK_TURNS_MAX = 1000000,	/* rules that one packet sees */
};

/* --- the ruleset --- */

struct walk_verdict {
	int32_t code;			/* NF_ACCEPT, NFT_CONTINUE, NFT_JUMP, ... */
	const struct walk_chain *to;	/* of jumps */
	const char *name;		/* static, for steps; NULL: nothing came of it */
	bool rejected;			/* a drop that the sender is told of */
};

struct walk_element {
	const uint8_t *from, *to;	/* NULL: of the catch-all one */
	struct span data;		/* of maps */
	struct walk_verdict verdict;	/* of verdict maps */
};

struct walk_set {
	struct walk_set *next;		/* of the same table */
	const char *name;
	struct span header;		/* as dumped */
	uint32_t flags;			/* enum nft_set_flags */
	uint32_t key_bytes;
	uint8_t field_bytes[ELEMENT_FIELDS_MAX];	/* of keys with ranges */
	size_t field_count;
	struct element_fields keys;	/* where addresses stand */
	struct walk_element *elements;	/* in the order of their first keys */
	size_t count;
	const struct walk_element *catch_all;	/* NULL: none */
	bool unsure;			/* not read, or not understood */
};

/* The kinds of base chains that a chain is reached from: bit n of each, from hook n. */
enum { WALK_NAT, WALK_FILTER, WALK_ROUTE, WALK_TYPES };

struct walk_chain_inside {
	struct walk_chain chain;	/* first: verdicts point at it */
	unsigned reached[WALK_TYPES];
};

struct walk_table_inside {
	struct walk_table table;	/* first: chains point at it */
	struct ruleset_table name;	/* for dumps */
	struct walk_set *sets;
};

/* What an expression does, read once. */
enum walk_op_kind {
	WALK_OP_PASS,			/* nothing that a packet's way depends on */
	WALK_OP_UNSURE,			/* a match that is not known */
	WALK_OP_UNSURE_DEED,		/* a consequence that is not known */
	WALK_OP_NEVER,			/* a match that a first packet does not meet */
	WALK_OP_UNKNOWN,		/* writes a register with what is not known */
	WALK_OP_ZERO, WALK_OP_NUMBER,	/* writes 0, or a number */
	WALK_OP_PAYLOAD, WALK_OP_PAYLOAD_SET,
	WALK_OP_META, WALK_OP_META_SET,
	WALK_OP_CT, WALK_OP_CT_SET,
	WALK_OP_FIB,
	WALK_OP_CMP, WALK_OP_RANGE,
	WALK_OP_BITWISE, WALK_OP_BYTEORDER,
	WALK_OP_LOOKUP, WALK_OP_VMAP,
	WALK_OP_IMMEDIATE, WALK_OP_VERDICT,
	WALK_OP_NAT, WALK_OP_MASQUERADE, WALK_OP_REDIRECT,
	WALK_OP_NOTRACK,
	WALK_OP_XT_MATCH, WALK_OP_XT_TARGET,
};

enum { WALK_NO_REGISTER = 0xff };

/* nft_bitwise_ops of newer kernels */
enum { WALK_AND = 3, WALK_OR, WALK_XOR };

struct walk_op {
	enum walk_op_kind kind;
	uint8_t source, source2;	/* where in the registers; WALK_NO_REGISTER: none */
	uint8_t target, target2;	/* of nat: the ports' registers */
	uint32_t length;
	uint32_t key;			/* or base, operation, type, revision */
	uint32_t flags;
	uint32_t offset;		/* or a shift, or a number */
	uint8_t direction;		/* of ct; 0xff: not said */
	bool inverted;
	bool tracks;			/* the kernel tracks connections for it */
	struct span value, value2;	/* or name and info of xt */
	const struct walk_set *set;	/* NULL: not found */
	struct walk_verdict verdict;
};

struct walk_code {
	struct walk_op *ops;
	size_t count;
	bool deed;			/* has a consequence for a packet's way */
	struct span expressions;	/* raw */
};

/* The chains of a hook in the order in which a packet meets them. */
struct walk_hook {
	const struct walk_chain **chains;	/* NULL in it: now it is NAT's turn */
	size_t count;
	const struct walk_chain **nat;		/* whatever their priority, at its turn */
	size_t nat_count;
};

enum { WALK_FAMILIES = 2, WALK_HOOKS = 5 };	/* IPv4 first; NF_INET_NUMHOOKS */

struct walk {
	struct arena arena;
	struct walk_table_inside **tables;
	size_t table_count, table_room;
	struct walk_chain **chains;	/* in the kernel's order */
	struct walk_chain **by_name;	/* the same, to be found */
	size_t chain_count, chain_room;
	size_t rule_total, element_total;
	/* Connections of IPv4, of IPv6 are tracked: only where some rule needs it. */
	bool tracks[WALK_FAMILIES];
	struct walk_hook hooks[WALK_FAMILIES][WALK_HOOKS];
};

/* What follows from the loaded ruleset: the hooks' order, what is reached from where. */
int walk_arrange(struct walk *walk) must_check;

/* Reads the expressions of a rule whose table's chains and sets are loaded. */
int walk_compile(struct walk *walk, const struct walk_table_inside *table,
		 struct span expressions, struct walk_rule *rule) must_check;

/* NULL: none of that name. */
struct walk_chain *walk_chain_of(const struct walk *walk, const struct walk_table *table,
				 struct span name);
const struct walk_set *walk_set_of(const struct walk_table_inside *table,
				   struct span name);

/* NFTA_DATA_VERDICT as a verdict; false: none that is known. */
bool walk_read_verdict(const struct walk *walk, const struct walk_table *table,
		       struct span verdict, struct walk_verdict *ret_verdict);

/* --- the packet on its way --- */

enum walk_answer { WALK_NO, WALK_YES, WALK_MAYBE };

enum walk_tracking { WALK_NOT_YET, WALK_TRACKED, WALK_UNTRACKED };

/* One byte of a register. */
struct walk_byte {
	uint8_t value;
	uint8_t known;			/* these bits of it */
	uint8_t about;			/* enum walk_miss */
};

struct walk_state {
	const struct walk *walk;
	const struct router *router;
	const struct walk_question *question;
	struct walk_result *result;
	/* What became of the first packet, if this is the answer; NULL: it is the first. */
	const struct walk_result *first;

	/* where it is */
	int family;			/* AF_* */
	unsigned hook;			/* NF_INET_* */
	bool own;			/* made by the router itself */
	const struct router_link *in, *out;	/* NULL: none */
	const struct walk_rule *rule;	/* that is looked at */

	/* the packet as it is now */
	uint8_t protocol;
	struct addr source, destination;
	uint16_t source_port, destination_port;
	uint32_t mark;
	bool mark_known;

	/* its connection: the first packet's addresses, before any NAT */
	enum walk_tracking tracking;
	uint32_t status;		/* IPS_* */
	uint32_t ct_mark;
	bool ct_mark_known;
	uint16_t zone;
	struct addr original_source, original_destination;
	uint16_t original_source_port, original_destination_port;

	struct walk_byte registers[WALK_REGISTER_BYTES];
	size_t turns;
};

/* The registers' and the packet's bytes; `about` as walk_rule_miss() is to tell it. */
void walk_store(struct walk_state *state, size_t place, const void *bytes, size_t length,
		enum walk_miss about);
void walk_store_unknown(struct walk_state *state, size_t place, size_t length,
			enum walk_miss about);

/* What is no consequence. `ret_about` is set with WALK_NO. */
enum walk_answer walk_match(struct walk_state *state, const struct walk_op *op,
			    enum walk_miss *ret_about);
/* Whether a packet's way may depend on what it does, not only on whether it matches. */
bool walk_op_is_deed(const struct walk_op *op);

/*
 * A consequence. WALK_NO: like a match that failed (the rule ends); WALK_MAYBE: it is not
 * known what it does. `only_look`: nothing is changed.
 */
enum walk_answer walk_do(struct walk_state *state, const struct walk_op *op,
			 bool only_look, struct walk_verdict *ret_verdict,
			 enum walk_miss *ret_about);

void walk_untrack(struct walk_state *state, struct walk_verdict *ret_verdict);

/* One rule. WALK_MAYBE: no consequence was done after what is not known. */
enum walk_answer walk_rule_try(struct walk_state *state, const struct walk_rule *rule,
			       bool only_look, struct walk_verdict *ret_verdict,
			       enum walk_miss *ret_about);

/* The set's key is known to fit behind `key`. */
enum walk_answer walk_lookup(const struct walk_set *set, const struct walk_byte *key,
			     const struct walk_element **ret_element,
			     enum walk_miss *ret_about);
enum walk_answer walk_load_payload(struct walk_state *state, const struct walk_op *op,
				   enum walk_miss *ret_about);
enum walk_answer walk_set_payload(struct walk_state *state, const struct walk_op *op,
				  struct walk_verdict *ret_verdict);
enum walk_answer walk_load_meta(struct walk_state *state, const struct walk_op *op,
				enum walk_miss *ret_about);
enum walk_answer walk_load_ct(struct walk_state *state, const struct walk_op *op,
			      enum walk_miss *ret_about);
enum walk_answer walk_load_fib(struct walk_state *state, const struct walk_op *op,
			       enum walk_miss *ret_about);

/*
 * What kind of address it is, as `fib type` and addrtype have it (RTN_*); `link`: asked of
 * that link only, NULL: of all. 0: not known.
 */
uint8_t walk_address_type(const struct walk_state *state, const struct addr *address,
			  const struct router_link *link);

/* Whom the answer comes from, and whom it goes to, before its NAT is undone. */
struct walk_host {
	struct addr address;
	uint16_t port;
};
struct walk_host walk_answering(const struct walk_state *state);
struct walk_host walk_answered(const struct walk_state *state);

/* From a base chain to its policy. -ELOOP: they lead in circles. */
int walk_run_chain(struct walk_state *state, const struct walk_chain *base,
		   uint32_t *ret_verdict);
void walk_note(struct walk_state *state, enum walk_step_kind kind,
	       const struct walk_chain *chain, const struct walk_rule *rule,
	       const char *verdict);

/* A packet before its first hook. */
void walk_begin(struct walk_state *state, const struct walk *walk,
		const struct router *router, const struct walk_question *question,
		struct walk_result *result);

/* Whether it came by a bridge that calls iptables (bridge-nf-call-iptables). */
bool walk_came_by_bridge(const struct walk_state *state);

/* --- NAT --- */

/* Ports in host order; `flags`: NF_NAT_RANGE_*, which say what of the rest counts. */
struct walk_range {
	unsigned flags;
	struct addr first, last;
	uint16_t port_first, port_last, port_base;
};

/* Whether NAT at this hook is about the destination (prerouting, output). */
bool walk_hook_is_destination(unsigned hook);

/*
 * What nf_nat does with the first packet: changes it, notes in the result that
 * `state->rule` did. Gives the verdict: NF_ACCEPT, or NF_DROP where it cannot.
 */
int32_t walk_nat_apply(struct walk_state *state, bool destination,
		       const struct walk_range *range);
int32_t walk_nat_masquerade(struct walk_state *state, const struct walk_range *range);
int32_t walk_nat_redirect(struct walk_state *state, const struct walk_range *range);

/* --- xt extensions of iptables-nft (walk_xt.c) --- */

/*
 * One match extension, `info` as the kernel dumps it (may be shorter or longer than its
 * struct: check). WALK_NO: it does not match, and `ret_about` says what it looked at.
 */
enum walk_answer walk_xt_match(const struct walk_state *state, struct span name,
			       uint32_t revision, struct span info,
			       enum walk_miss *ret_about);

/*
 * One target extension. WALK_YES: it is done, `ret_verdict` says what comes of it
 * (`code` is preset to NFT_CONTINUE, `name` to NULL: nothing that the packet's way depends
 * on); WALK_MAYBE: not known, and nothing was changed.
 */
enum walk_answer walk_xt_target(struct walk_state *state, struct span name,
				uint32_t revision, struct span info,
				struct walk_verdict *ret_verdict);

/* Whether the packet's way may depend on it: not LOG, TCPMSS, CHECKSUM and the like. */
bool walk_xt_target_is_deed(struct span name);

#endif
