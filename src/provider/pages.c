/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/secret.h"
#include "request.h"

static void set_number(struct pages *pages, long number, struct fill *fill)
{
	char text[24];

	pages->number = number;
	snprintf(text, sizeof(text), "%ld", number);
	fill_set_page(fill, text);
}

void pages_begin(struct pages *pages, const struct catalogue_step *step,
		 struct fill *fill)
{
	pages->count = 1;
	if (step->pages.by == CATALOGUE_COUNTED)
		set_number(pages, step->pages.first, fill);
	else
		fill_set_page(fill, step->pages.by == CATALOGUE_NEXT ? "" : NULL);
}

static enum pages_way turn_counted(struct pages *pages, const struct catalogue_step *step,
				   struct view *view, struct fill *fill)
{
	size_t items = view_count(view, &step->pages.spot, fill);

	if (items == 0 || (step->pages.size > 0 && items < (size_t)step->pages.size))
		return PAGES_END;
	if (pages->count == CATALOGUE_PAGES_MAX)
		return PAGES_REFUSED;
	set_number(pages, pages->number + step->pages.step, fill);
	return PAGES_MORE;
}

/* A list that says its own page is the next one has ended too. */
static enum pages_way turn_next(struct pages *pages, const char *next, struct fill *fill)
{
	if (!*next || strcmp(next, fill_find(fill, "page")) == 0)
		return PAGES_END;
	if (pages->count == CATALOGUE_PAGES_MAX || strlen(next) > FILL_READ_BYTES)
		return PAGES_REFUSED;
	fill_set_page(fill, next);
	return PAGES_MORE;
}

static enum pages_way turn_url(struct pages *pages, const char *next, const char *asked)
{
	char *url;

	if (!*next)
		return PAGES_END;
	url = request_url_beside(asked, next);
	if (!url || pages->count == CATALOGUE_PAGES_MAX || strlen(url) > FILL_READ_BYTES) {
		secret_free(url);
		return PAGES_REFUSED;
	}
	secret_free(pages->url);
	pages->url = url;
	return PAGES_MORE;
}

enum pages_way pages_turn(struct pages *pages, const struct catalogue_step *step,
			  struct view *view, const char *asked, struct fill *fill)
{
	enum pages_way way = PAGES_END;
	char *next;

	if (step->pages.by == CATALOGUE_COUNTED) {
		way = turn_counted(pages, step, view, fill);
	} else if (step->pages.by != CATALOGUE_ONE_PAGE &&
		   view_find(view, &step->pages.spot, fill, &next)) {
		way = step->pages.by == CATALOGUE_NEXT ? turn_next(pages, next, fill) :
							 turn_url(pages, next, asked);
		secret_free(next);
	}
	pages->count++;
	return way;
}

void pages_done(struct pages *pages, struct fill *fill)
{
	secret_free(pages->url);
	memset(pages, 0, sizeof(*pages));
	fill_set_page(fill, NULL);
}
