/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of one batch, and whose message each sequence number is.
 */
#ifndef KERNEL_NFT_BATCH_H
#define KERNEL_NFT_BATCH_H

#include "nft_ruleset.h"

struct batch {
	struct nft *nft;
	struct ruleset *ruleset;
	struct nft_report *report;
	struct wire wire;
	size_t generation_at;			/* its place in BATCH_BEGIN */
	uint32_t begin_seq, seq;		/* of BATCH_BEGIN, of the last message */
	struct ruleset_thing **owners;		/* of message begin_seq + 1 + n */
	size_t owner_count, owner_room;
	uint32_t sets;				/* twins so far */
	size_t last;				/* message's place; 0: none */
};

/* Builds it from what has changed; batch_done() in every case. */
int batch_build(struct batch *batch) must_check;
void batch_done(struct batch *batch);

/* The ruleset has another generation now: it goes under that. */
void batch_renew(struct batch *batch);

/* NULL: BATCH_BEGIN or BATCH_END, or not of this batch. */
struct ruleset_thing *batch_owner(const struct batch *batch, uint32_t seq);

#endif
