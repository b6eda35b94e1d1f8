/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An answer as descriptions look at it: paths into its JSON, headers, expressions.
 * Everything here is a stranger's: an answer that is no JSON has nothing at any path.
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

/*
 * What stands at the spot, as text: a string as it is, numbers and booleans as JSON has
 * them. False: nothing (absent, null, an object or array), or no memory. The caller
 * frees.
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
