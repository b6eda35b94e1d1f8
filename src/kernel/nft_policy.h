/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a WAN wants of the values that are tagged for it, whether they stand in a rule or
 * in an element of a set. Pure.
 */
#ifndef KERNEL_NFT_POLICY_H
#define KERNEL_NFT_POLICY_H

#include "hairpin/addr.h"
#include "hairpin/nft.h"

struct policy {
	const struct nft_target *target;
	const struct addr *learnt;	/* former addresses that the rules told of just now */
	size_t learnt_count;
};

/* What becomes of one value, of a rule or of an element. */
struct policy_change {
	enum nft_result result;
	struct addr old, new;		/* as in struct nft_item */
	uint8_t bits;
	const char *reason;		/* static, when skipped */
};

/* So many leading bits of a value of that family follow the WAN. */
unsigned policy_bits(const struct policy *policy, int family);

/* Whether no address, or no prefix, is known for that family. */
bool policy_is_silent(const struct policy *policy, int family);

/* The sentence for a thing that is left alone because policy_is_silent(). */
const char *policy_silence(const struct policy *policy, int family);

/* Was it (or its prefix) the WAN's once? What the WAN has now is no former one. */
bool policy_is_former(const struct policy *policy, const struct addr *value);

/* Whether any former address of that family is known. */
bool policy_knows_former(const struct policy *policy, int family);

/* What the value becomes; none where policy_is_silent(). */
struct addr policy_wanted(const struct policy *policy, const struct addr *value);

/* Whether it is so already. */
bool policy_holds(const struct policy *policy, const struct addr *value);

#endif
