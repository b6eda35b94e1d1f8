/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where others commit so often that no look and batch fit in between: what they change
 * is read along. As long as it is none of the tables that were looked at, what was seen
 * is still true, and the batch goes under the new generation.
 *
 * Begun only when it is needed: while somebody reads, the kernel describes all that
 * changes.
 */
#ifndef KERNEL_NFT_JOURNAL_H
#define KERNEL_NFT_JOURNAL_H

#include "nft_ruleset.h"

/* Before a look; from then on ruleset_dump() minds no interruption. */
void nft_journal_begin(struct nft *nft);
void nft_journal_end(struct nft *nft);

/*
 * What the ruleset was read from is so still, and its generation is now the newest that
 * was heard of. -EINTR: it is not, or nobody knows: look again.
 */
int nft_journal_catch_up(struct nft *nft, struct ruleset *ruleset) must_check;

#endif
