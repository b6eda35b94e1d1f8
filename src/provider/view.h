/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An answer as descriptions look at it: paths into its JSON, headers, expressions.
 * Everything here is a stranger's.
 *
 * JSON is what base/json takes strictly (a byte order mark in front is passed over): an
 * answer that is cut, or has a key twice in an object, bytes that are no UTF-8, too many
 * levels, has nothing at any path. It could be read in two ways, and what is unclear is
 * no success. Paths: path.h.
 *
 * Headers: the name in any case; of several the last one.
 *
 * Expressions see the first 64 KiB (less where lines are very long: 16 KiB of a body that
 * is one line), with lines that end with LF alone and 1 for each NUL.
 */
#ifndef PROVIDER_VIEW_H
#define PROVIDER_VIEW_H

#include <stdbool.h>
#include <stddef.h>

#include "hairpin/json.h"
#include "hairpin/provider.h"
#include "fill.h"

struct view {
	const struct provider_answer *answer;
	struct json *json;		/* parsed when first asked for; NULL: it is none */
	bool parsed;
};

void view_init(struct view *view, const struct provider_answer *answer);
void view_done(struct view *view);

/* A whole answer in JSON? Where it is none, what is missing in it says nothing. */
bool view_is_json(struct view *view);

/*
 * What stands at the spot, as text: a string as it is, numbers with all their digits and
 * booleans as JSON has them; of an expression its first group where it has one. False:
 * nothing (absent, null, an object or array; a value of the spot's own template is not
 * known), or no memory. The caller frees.
 */
bool view_find(struct view *view, const struct catalogue_spot *spot,
	       const struct fill *fill, char **ret_text);

/* Is there anything but null at the spot, be it an object or array? */
bool view_has(struct view *view, const struct catalogue_spot *spot,
	      const struct fill *fill);

/* How many elements or members the array or object at the JSON spot has; 0: none. */
size_t view_count(struct view *view, const struct catalogue_spot *spot,
		  const struct fill *fill);

#endif
