/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Anonymous sets. A rule that uses one cannot be sent back as it was: the set belongs
 * to the old rule. So the batch makes a twin of the set, with all its elements, before
 * the new rule.
 */
#ifndef KERNEL_NFT_SET_H
#define KERNEL_NFT_SET_H

#include "nft_private.h"
#include "nft_ruleset.h"

struct set_header {
	struct span attributes;		/* as dumped, in the caller's arena */
	uint32_t flags;			/* enum nft_set_flags */
	uint32_t key_bytes;
};

/* -EINTR: it is gone, so somebody else is at work. */
int set_read_header(struct nft *nft, struct arena *arena,
		    const struct ruleset_table *table, struct span name,
		    struct set_header *ret_header) must_check;

/* The name under which the twin of a set is made: the kernel puts a free number in. */
const char *set_twin_name(const struct set_header *header);

/*
 * Writes NEWSET and NEWSETELEM for the twin, `id` its number within the batch. Message
 * sequence numbers count on from `*seq`, which is that of the last message before.
 */
int set_write_twin(struct nft *nft, struct wire *wire, const struct ruleset_table *table,
		   const char *name, const struct set_header *header, uint32_t id,
		   uint32_t *seq) must_check;

#endif
