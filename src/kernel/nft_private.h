/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_NFT_PRIVATE_H
#define KERNEL_NFT_PRIVATE_H

#include "hairpin/nft.h"
#include "netlink.h"
#include "nft_plain.h"

struct nft {
	struct netlink command;
	struct netlink monitor;
	struct netlink journal;		/* nft_journal.h; opened when first needed */
	bool journal_on;
	bool journal_touched;		/* by the transaction that is being heard of */
	struct plain plain;
	unsigned long overruns;		/* of the monitor */
};

/* The number of the ruleset's generation. -EOPNOTSUPP: no nf_tables in this kernel. */
int nft_generation(struct nft *nft, uint32_t *ret_generation) must_check;

/*
 * The same, and nobody's transaction is half done: the kernel counts a generation on
 * before it takes out what a transaction deleted, and who dumps meanwhile misses rules.
 * -EINTR: it was counted on again.
 */
int nft_settled_generation(struct nft *nft, uint32_t *ret_generation) must_check;

/*
 * While somebody listens the kernel describes every rule of a batch twice, a third of its
 * cost; so we stop listening while our own is on its way. nft_listen_again() makes the
 * monitor readable, as if by a foreign transaction, when the ruleset has not the
 * `expected` generation: somebody committed in between.
 */
void nft_listen_not(struct nft *nft);
void nft_listen_again(struct nft *nft, uint32_t expected);

/* The nf_tables message type `type` as nlmsg_type. */
uint16_t nft_type(uint8_t type);

#endif
