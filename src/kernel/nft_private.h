/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_NFT_PRIVATE_H
#define KERNEL_NFT_PRIVATE_H

#include "hairpin/nft.h"
#include "netlink.h"

struct nft {
	struct netlink command;
	struct netlink monitor;
};

/* The number of the ruleset's generation. -EOPNOTSUPP: no nf_tables in this kernel. */
int nft_generation(struct nft *nft, uint32_t *ret_generation) must_check;

/* The nf_tables message type `type` as nlmsg_type. */
uint16_t nft_type(uint8_t type);

#endif
