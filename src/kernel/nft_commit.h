/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One batch: every changed rule of a ruleset, all or nothing, only if nobody else
 * committed since it was read.
 */
#ifndef KERNEL_NFT_COMMIT_H
#define KERNEL_NFT_COMMIT_H

#include "nft_ruleset.h"

/*
 * Sends the rules whose verdict is "changed", and adds its commit_us to the report. A
 * rule that the kernel refuses becomes "skipped" and the rest is sent again. -EINTR: the
 * ruleset changed meanwhile, or what happened is not known: look again. Nothing to send
 * is success.
 */
int nft_commit(struct nft *nft, struct ruleset *ruleset, struct nft_report *report,
	       struct err *ret_err) must_check;

#endif
