/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of rewrite_decide(): one decision while it is made, and its sentences.
 */
#ifndef KERNEL_NFT_DECISION_H
#define KERNEL_NFT_DECISION_H

#include "nft_rewrite.h"

/* What becomes of the demands on one address. */
struct decision_tally {
	bool spots;			/* there are some in the rule itself */
	bool moves, holds;
	bool fixed;			/* an address in the rule stays behind */
	bool stuck;			/* a lookup stays behind */
	bool differ;			/* they name different addresses */
};

struct decision {
	const struct rule_view *view;
	struct span expressions;
	const struct rewrite_set *sets;
	const struct rewrite_policy *policy;
	bool dnat;
	int side;
	const struct rule_side *seen;
	struct decision_tally tally[RULE_SOURCES];
	struct addr first[RULE_SOURCES];	/* that a spot names */
	struct rewrite_verdict *verdict;
};

int decision_family(const struct decision *d);

/* Whether the rule says of which family the header is that it compares. */
bool decision_family_known(const struct decision *d);

/* Whether a value is there that may follow the WAN. */
bool decision_spot_counts(const struct decision *d, const struct rule_spot *spot);

/* Whether this lookup's key or data holds the address, and of what. */
bool decision_lookup_counts(const struct decision *d, size_t index,
			    enum rule_source *ret_source);

/* The ways to name the address that cannot follow: enum rule_form. */
unsigned decision_forms(const struct decision *d, enum rule_source source);

/* Why this lookup's set stays as it is; NULL: it does not. */
const char *decision_lookup_reason(const struct decision *d, size_t index);

/* Why all stays as it is though some could follow; NULL: nothing is against it. */
const char *decision_conflict(const struct decision *d);

/* Why nothing follows. */
const char *decision_reason(const struct decision *d);

/* Why a port forward without a destination does not get one; NULL: it may. */
const char *decision_add_reason(const struct decision *d);

#endif
