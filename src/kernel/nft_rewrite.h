/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * This rule, this address: what becomes of it, or why it is left alone. Pure.
 *
 * A rule that gives new destinations (dnat, redirect, a jump out of prerouting or
 * output) is a port forward: the one address it compares is the WAN's, whatever it was.
 * Any other tagged rule may as well name a LAN server: there only addresses count that
 * were the WAN's once.
 *
 * All that a rule demands of one address moves together or stays: a rule that can never
 * match is worse than a stale one.
 */
#ifndef KERNEL_NFT_REWRITE_H
#define KERNEL_NFT_REWRITE_H

#include "hairpin/addr.h"
#include "hairpin/nft.h"
#include "nft_policy.h"
#include "rule.h"

/* What is known of a set that a lookup names. */
struct rewrite_set {
	bool known, anonymous, map;
	bool tagged;			/* a named one, by its own comment */
	uint32_t key_bytes;
	/*
	 * What its elements would become, where it is anonymous; skipped without a
	 * reason: nobody looked.
	 */
	struct policy_change change;
};

struct rewrite_policy {
	int family;			/* NFPROTO_* of the table */
	unsigned hooks;			/* bit n: reached from NF_INET hook n */
	bool add_missing;
	struct policy values;
};

/* Bytes of an address that become those of the new one. */
struct rewrite_patch {
	uint16_t at;			/* in the expressions */
	uint8_t length;
};

struct rewrite_verdict {
	enum nft_result result;
	struct addr old, new;
	const char *reason;
	bool learnt;
	bool waits;			/* more former addresses may change it */
	bool adds;			/* a compare with `new`, at the front */
	uint8_t bits;			/* as in struct nft_item */
	uint8_t moving_bits;		/* so many first bits of `new` go into a patch */
	uint8_t patch_count;
	struct rewrite_patch patches[RULE_SPOTS_MAX];
};

/* Beside the NF_INET hooks: reached from a filter chain. */
enum { REWRITE_HOOK_FILTER = 31 };

/* Whether the rule gives new destinations where it stands. */
bool rewrite_is_dnat(const struct rule_view *view, unsigned hooks);

/* Which address family the rule is about; -1: it does not say. */
int rewrite_side(const struct rule_view *view, int family);

/*
 * `sets`: one per lookup of the view, as far as known; those that rewrite_asks() for
 * are.
 */
void rewrite_decide(const struct rule_view *view, struct span expressions,
		    const struct rewrite_set *sets, const struct rewrite_policy *policy,
		    struct rewrite_verdict *ret_verdict);

/* Whether the decision depends on the set of this lookup. */
bool rewrite_asks(const struct rule_view *view, const struct rule_lookup *lookup,
		  int family);

/* Changes the bytes; what the verdict adds is nft_emit's to write. */
void rewrite_apply(const struct rewrite_verdict *verdict, uint8_t *expressions);

#endif
