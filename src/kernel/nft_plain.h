/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In which named sets no element is tagged. Large sets stand beside NAT rules, and their
 * elements would be read again with every change of the address only to find no comment
 * there. So it is remembered, but no longer than the ruleset's generation holds.
 */
#ifndef KERNEL_NFT_PLAIN_H
#define KERNEL_NFT_PLAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/nft.h"
#include "wire.h"

/* Sets in the order in which a look comes to them, which is the same within one generation. */
struct plain {
	struct wire asked;		/* the tags, prefix and tables that were looked for */
	uint32_t generation;
	bool known;			/* of that generation; else nothing is */
	bool trusted;			/* by the look that is going on */
	struct plain_set {
		uint64_t handle;
		bool plain;
	} *sets;
	size_t count, room;
};

void plain_done(struct plain *plain);

/* A look begins, at that generation. */
void plain_begin(struct plain *plain, const struct nft_request *request,
		 uint32_t generation);

/* Whether the look may pass over its set number `index`. */
bool plain_holds(const struct plain *plain, size_t index, uint64_t handle);

/* What it found there. */
void plain_note(struct plain *plain, size_t index, uint64_t handle, bool is_plain);

/* All that was found is so at that generation. Without this nothing is remembered. */
void plain_end(struct plain *plain, uint32_t generation);

#endif
