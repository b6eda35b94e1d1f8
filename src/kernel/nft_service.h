/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which connections the changed rules take, and those that ask a changed set: read after
 * the commit, when nobody waits any more, and only where a rule does not say it by
 * itself: sets, and the chains that it jumps to.
 */
#ifndef KERNEL_NFT_SERVICE_H
#define KERNEL_NFT_SERVICE_H

#include "nft_ruleset.h"

/* What cannot be read is guessed: never an error. */
void service_collect(struct nft *nft, const struct nft_request *request,
		     struct ruleset *ruleset, struct nft_services *services);

#endif
