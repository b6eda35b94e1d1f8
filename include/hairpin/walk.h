/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: kernel */
/*
 * A packet's walk through the ruleset, without a packet: the whole ruleset as the kernel
 * has it, and a machine that does what nf_tables does with the first packet of a
 * connection, from prerouting (or output) over the kernel's own routing to postrouting
 * (or input), and with the answer to it.
 *
 * It reads the kernel's expressions, not nft's text, so rules of iptables-nft, fw4 or
 * Docker are as plain as one's own. What it does not know (an xt extension, a quota, a
 * random number) makes a rule *unsure*: the walk goes on as if it did not match, and says
 * which rule that was. Nothing is sent and nothing is changed.
 *
 * What this does not do: fragments, what follows on the first answer, flowtables, tc, the old
 * ip_tables (see router.h), bridge and netdev families beyond saying that there are such
 * chains.
 */
#ifndef HAIRPIN_WALK_H
#define HAIRPIN_WALK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/err.h"
#include "hairpin/router.h"

/* --- the ruleset --- */

struct walk;

struct walk_table {
	int family;			/* NFPROTO_* */
	const char *name;
	bool dormant;
	const char *owner;		/* "": nobody holds it (NFT_TABLE_F_OWNER) */
};

struct walk_chain {
	const struct walk_table *table;
	const char *name;
	const char *type;		/* "nat", "filter", "route"; "": no base chain */
	unsigned hook;			/* NF_INET_*, of base chains */
	int32_t priority;
	bool drops;			/* policy of a base chain */
	const struct walk_rule *rules;	/* in order */
	size_t rule_count;
};

struct walk_rule {
	const struct walk_chain *chain;
	uint64_t handle;
	const char *comment;		/* raw: escape before showing; "": none */
	bool nat_destination;		/* dnat or redirect, native or xt */
	bool nat_source;		/* snat or masquerade, native or xt */
	bool xt;			/* made by iptables-nft */
	const struct walk_code *code;	/* private */
};

/*
 * Reads everything, bounded. -EPERM: only root may. -EINTR: somebody changes it all the
 * time. Where there are no nf_tables it is empty.
 */
int walk_new(struct walk **ret_walk, struct err *ret_err) must_check;
void walk_free(struct walk *walk);

/* Tables and chains in the kernel's order; NULL past the end. */
const struct walk_table *walk_table(const struct walk *walk, size_t index);
const struct walk_chain *walk_chain(const struct walk *walk, size_t index);
const struct walk_chain *walk_chain_find(const struct walk *walk, int family,
					 const char *table, const char *chain);
const struct walk_rule *walk_rule_find(const struct walk_chain *chain, uint64_t handle);

/* --- one packet --- */

struct walk_packet {
	uint8_t protocol;		/* IPPROTO_TCP, IPPROTO_UDP */
	struct addr source, destination;
	uint16_t source_port, destination_port;
	uint32_t in;			/* link it comes by; 0: made by the router itself */
	uint32_t mark;
	uint8_t mac[6];			/* of the sender; all zero: not known */
};

/* What a NAT rule, or the lack of one, did. */
struct walk_nat {
	const struct walk_rule *rule;	/* NULL: nothing was done */
	bool masquerade, redirect;
	struct addr address;		/* the new one */
	uint16_t port;			/* the new one, host order */
};

enum walk_end {
	WALK_LOCAL,		/* the router itself takes it: input passed */
	WALK_FORWARDED,		/* leaves by `out` */
	WALK_DROPPED,		/* by `at`, or by the policy of `chain` */
	WALK_REJECTED,		/* the same, and the sender is told */
	WALK_NO_ROUTE,		/* route.error says why */
	WALK_NO_FORWARDING,	/* forwarding is off on the way */
};

enum walk_step_kind {
	WALK_CHAIN,		/* `chain` is entered, by `rule` or as a base chain */
	WALK_MATCHED,		/* all of `rule` matched and something came of it */
	WALK_UNSURE,		/* not known whether `rule` matches */
	WALK_POLICY,		/* end of a base chain */
	WALK_ROUTED,		/* where to: `route` of the result */
};

struct walk_step {
	enum walk_step_kind kind;
	const struct walk_chain *chain;
	const struct walk_rule *rule;	/* NULL: none */
	/*
	 * Static: "accept", "drop", "jump", "dnat", ...; of an unsure rule what it would come
	 * to, "unsure" where that hangs on the packet too.
	 */
	const char *verdict;
};

enum { WALK_STEPS_MAX = 256 };

struct walk_result {
	enum walk_end end;
	const struct walk_chain *chain;	/* where it was dropped */
	const struct walk_rule *at;	/* NULL: by the policy */
	struct walk_nat destination_nat;
	struct walk_nat source_nat;
	struct router_answer route;	/* after destination NAT */
	/* as it leaves, or reaches the router itself */
	struct addr source, destination;
	uint16_t source_port, destination_port;
	uint32_t out;			/* link it leaves by */
	uint32_t mark, connection_mark;
	bool connection_mark_known;
	/* The first rule on the way of which it is not known whether it matches. */
	const struct walk_rule *unsure;
	struct walk_step steps[WALK_STEPS_MAX];
	size_t step_count;		/* no more than fit are kept */
};

struct walk_question {
	struct walk_packet packet;
	/*
	 * "If a rule sent it to ADDRESS:PORT": done where no rule of prerouting sends it
	 * there, in place of what one of them does. None: as it is.
	 */
	struct addr assumed;
	uint16_t assumed_port;
	/*
	 * Where filter chains drop or reject it, or forwarding is off, it goes on as if not:
	 * for what would become of it once that is mended.
	 */
	bool regardless;
};

int walk_run(const struct walk *walk, const struct router *router,
	     const struct walk_question *question, struct walk_result *ret_result,
	     struct err *ret_err) must_check;

/*
 * The answer to a packet that was WALK_FORWARDED: from the host that it reached, by the
 * link by which it left. The connection is established then, and its NAT is undone.
 */
int walk_back(const struct walk *walk, const struct router *router,
	      const struct walk_packet *packet, const struct walk_result *first,
	      struct walk_result *ret_result, struct err *ret_err) must_check;

/* --- one rule --- */

/* Why a rule does not match a packet: what the first compare that fails looks at. */
enum walk_miss {
	WALK_MATCHES,
	WALK_MISS_IN,		/* iif, iifname, iifgroup, physdev */
	WALK_MISS_OUT,
	WALK_MISS_DESTINATION,	/* daddr, in the header or the connection's original one */
	WALK_MISS_SOURCE,
	WALK_MISS_PORT,
	WALK_MISS_PROTOCOL,	/* family too */
	WALK_MISS_FIB,		/* what kind of address it is */
	WALK_MISS_STATE,	/* ct state, ct status, mark */
	WALK_MISS_OTHER,
	WALK_MISS_UNSURE,	/* not known */
};

/*
 * The rule by itself, at the hook its chain is reached from, whatever rules stand before
 * it.
 */
enum walk_miss walk_rule_miss(const struct walk *walk, const struct router *router,
			      const struct walk_rule *rule,
			      const struct walk_packet *packet);

/*
 * Where a rule of prerouting or output would send the packet, its other matches taken as
 * met: for rules that no packet of ours reaches. -ENOENT: it is no dnat or redirect, or its
 * map has nothing for this packet; -EOPNOTSUPP: it cannot be known.
 */
int walk_rule_nat(const struct walk *walk, const struct router *router,
		  const struct walk_rule *rule, const struct walk_packet *packet,
		  struct walk_nat *ret_nat) must_check;

/* --- what rules speak of --- */

/*
 * The constants that rules compare with, so that somebody who wants to try packets knows
 * which: of all rules that a packet can reach from base chains of that hook and type.
 */
struct walk_constants {
	struct walk_port {
		uint8_t protocol;	/* 0: not said, try both */
		uint16_t first, last;
	} *ports;
	size_t port_count;
	struct addr *destinations;	/* single addresses */
	size_t destination_count;
	struct addr *sources;		/* single ones, and the first ones of networks */
	size_t source_count;
	/* By which links rules ask that packets came, also those that are not there. */
	struct walk_link {
		uint32_t index;		/* 0: asked for by name */
		char name[IFNAMSIZ];	/* of a "ppp*" only "ppp" */
	} *links;
	size_t link_count;
	bool overfull;			/* there were more, not counting sources */
};

int walk_constants(const struct walk *walk, const char *type, unsigned hook,
		   struct walk_constants *ret_constants) must_check;
void walk_constants_done(struct walk_constants *constants);

/*
 * The single destination addresses that this rule itself, its anonymous and its named sets
 * and maps compare with: what would go stale. Returns how many there are; writes at most
 * `room`.
 */
size_t walk_rule_destinations(const struct walk *walk, const struct walk_rule *rule,
			      struct addr *addresses, size_t room);

/*
 * The name of the set or map of the rule's table in which it looks that address up; NULL:
 * the rule or its anonymous set spells it, or it does not speak of it.
 */
const char *walk_rule_named(const struct walk *walk, const struct walk_rule *rule,
			    const struct addr *address);

/* Is the rule reached from a base chain of that type and hook? */
bool walk_rule_is_at(const struct walk *walk, const struct walk_rule *rule,
		     const char *type, unsigned hook);

#endif
