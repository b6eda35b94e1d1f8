/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * This rule, this address: what becomes of it, or why it is left alone. Pure.
 *
 * A rule that gives new destinations (dnat, redirect, a jump out of prerouting or
 * output) is a port forward: the one address it compares is the WAN's, whatever it was.
 * Any other tagged rule may as well name a LAN server: there only addresses count that
 * were the WAN's once.
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
	uint32_t key_bytes;
	struct policy_change change;	/* of its elements, where it is anonymous */
};

struct rewrite_policy {
	int family;			/* NFPROTO_* of the table */
	unsigned hooks;			/* bit n: reached from NF_INET hook n */
	bool add_missing;
	struct policy values;
};

struct rewrite_verdict {
	enum nft_result result;
	struct addr old, new;
	const char *reason;
	bool learnt;
	size_t patches[RULE_SPOTS_MAX];	/* offsets of addresses to become `new` */
	size_t patch_count;
};

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

void rewrite_apply(const struct rewrite_verdict *verdict, uint8_t *expressions);

#endif
