/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets and maps on their way from the kernel and back.
 *
 * A rule that uses an anonymous set cannot be sent back as it was: the set belongs to the
 * old rule. So the batch makes a twin of the set, with all its elements, before the new
 * rule. Of named sets only the elements that change travel.
 */
#ifndef KERNEL_NFT_SET_H
#define KERNEL_NFT_SET_H

#include "nft_element.h"
#include "nft_private.h"
#include "nft_ruleset.h"

struct set_header {
	struct span attributes;		/* as dumped, in the caller's arena */
	uint32_t flags;			/* enum nft_set_flags */
	uint32_t key_bytes;
};

/* A set read whole. */
struct set {
	struct set *next;		/* of the same owner */
	const struct ruleset_table *table;
	const char *name;
	struct ruleset_thing *thing;	/* of the set itself; NULL: it is not tagged */
	struct set_header header;
	struct element_image image;
};

/* -EINTR: it is gone, so somebody else is at work. */
int set_read_header(struct nft *nft, struct arena *arena,
		    const struct ruleset_table *table, struct span name,
		    struct set_header *ret_header) must_check;

int set_load(struct nft *nft, struct arena *arena, const struct ruleset_table *table,
	     struct span name, struct set **ret_set) must_check;

/* Of the sets that one owner has; NULL: not loaded. */
struct set *set_find(struct set *first, struct span name);

/* The name under which the twin of a set is made: the kernel puts a free number in. */
const char *set_twin_name(const struct set_header *header);

/*
 * Writes NEWSET and NEWSETELEM for the twin, `id` its number within the batch: from what
 * was loaded, with its edits, or (`loaded` NULL) as the kernel tells it now. Message
 * sequence numbers count on from `*seq`, which is that of the last message before.
 */
int set_write_twin(struct nft *nft, struct wire *wire, const struct ruleset_table *table,
		   const char *name, const struct set_header *header,
		   const struct set *loaded, uint32_t id, uint32_t *seq) must_check;

/*
 * Writes one claim's edits of a named set, the elements that go or (`comes`) those that
 * come: those of `*edit` and its neighbours, and steps over them. Gives the place of the
 * last message, `last` where there is none.
 */
size_t set_write_edits(struct wire *wire, const struct set *set, bool comes,
		       const struct element_edit **edit, uint32_t *seq, size_t last);

#endif
