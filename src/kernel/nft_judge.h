/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of every tagged thing of a ruleset: rules first, since port forwards tell
 * former addresses, then the sets. Nothing is sent.
 */
#ifndef KERNEL_NFT_JUDGE_H
#define KERNEL_NFT_JUDGE_H

#include "nft_ruleset.h"

/* Addresses that dst-nat rules held and that are former ones from now on, by target. */
struct judge_learnt {
	struct addr *addresses[NFT_TARGETS_MAX];
	size_t counts[NFT_TARGETS_MAX], rooms[NFT_TARGETS_MAX];
	bool grew;
};

struct judge {
	struct nft *nft;
	const struct nft_request *request;
	struct ruleset *ruleset;
	struct judge_learnt learnt;
};

/* Fills in the verdicts; anonymous sets are read for it. judge_done() in every case. */
int judge_all(struct judge *judge) must_check;
void judge_done(struct judge *judge);

/* What became of a thing that is no rule. */
void judge_take_change(struct ruleset_thing *thing);

#endif
