/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts of walk_new().
 */
#ifndef KERNEL_WALK_LOAD_H
#define KERNEL_WALK_LOAD_H

#include "walk_private.h"

/*
 * Reads the elements of a set whose name and header are there. A set that cannot be
 * understood, or too many elements, makes it unsure.
 */
int walk_load_set(struct nft *nft, struct walk *walk,
		  const struct walk_table_inside *table, struct walk_set *set) must_check;

#endif
