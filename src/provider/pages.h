/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list over several requests: which page is asked for, and whether there is another.
 */
#ifndef PROVIDER_PAGES_H
#define PROVIDER_PAGES_H

#include "view.h"

struct pages {
	unsigned count;		/* pages asked for; 0: the step has not begun */
	long number;		/* COUNTED: this page's */
	char *url;		/* NEXT_URL: this page's; NULL: the step's own */
};

enum pages_way {
	PAGES_END,
	PAGES_MORE,		/* `fill` has the next {page} */
	PAGES_REFUSED,		/* it goes on where nobody may follow */
};

void pages_begin(struct pages *pages, const struct catalogue_step *step,
		 struct fill *fill);
/* `asked` is the URL that brought this answer. */
enum pages_way pages_turn(struct pages *pages, const struct catalogue_step *step,
			  struct view *view, const char *asked, struct fill *fill);
void pages_done(struct pages *pages, struct fill *fill);	/* wipes; may begin again */

#endif
