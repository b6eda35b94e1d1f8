/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line of a mistake, with a caret; but never a line that may hold a secret.
 *
 * May hold one: a line with a value that is not of the harmless keys of a provider's
 * entry, that stands below an unknown key of the document, or that is a URL with a user, a
 * password or a query. Comments are never shown,
 * since old passwords end there. Of a document that is not JSON only lines that hold
 * nothing but brackets, true, false, null and keys are shown.
 */
#ifndef CONFIG_EXCERPT_H
#define CONFIG_EXCERPT_H

#include "problem.h"

/* Is it a URL, or meant for one, in which a password or a token may stand? */
bool excerpt_is_delicate(const char *text);

/* Adds the line and the caret below it, or nothing. */
void excerpt_add(struct text *text, struct source *source,
		 const struct json_place *place);

#endif
