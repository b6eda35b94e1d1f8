/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptions that were read: each job brings its own, and they are the same a hundred
 * times.
 */
#ifndef PUBLISHER_SHELF_H
#define PUBLISHER_SHELF_H

#include "hairpin/catalogue.h"

enum { SHELF_KEPT = 8 };	/* beside those in use */

struct shelf_entry;

struct shelf {			/* begins as {0} */
	struct shelf_entry *list;
};

/* As catalogue_parse(); the catalogue stays the shelf's, until shelf_put() at least. */
int shelf_get(struct shelf *shelf, const char *description,
	      const struct catalogue **ret_catalogue, struct err *ret_err) must_check;
void shelf_put(struct shelf *shelf, const struct catalogue *catalogue);

/* All were put back. */
void shelf_done(struct shelf *shelf);

#endif
