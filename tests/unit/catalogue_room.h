/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Descriptions of tests: written with ' for ", and with one thing changed.
 */
#ifndef TESTS_CATALOGUE_ROOM_H
#define TESTS_CATALOGUE_ROOM_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hairpin/config.h"

struct mistake {
	const char *old, *new, *words;
};

static inline void room_quote(struct text *text)
{
	for (size_t i = 0; i < text->length; i++)
		if (text->bytes[i] == '\'')
			text->bytes[i] = '"';
}

/* The first `old` becomes `new`. */
static inline void room_edit(struct text *out, const char *base, const char *old,
			     const char *new)
{
	const char *at = strstr(base, old);

	if (!at)
		fail_msg("not in the description: %s", old);
	text_add_bytes(out, base, (size_t)(at - base));
	text_add(out, new);
	text_add(out, at + strlen(old));
	room_quote(out);
}

static inline struct catalogue *room_describe(const char *base, const char *old,
					      const char *new)
{
	TEXT_CLEANUP struct text text = TEXT_INIT;
	struct catalogue *catalogue = NULL;
	struct err err = { 0 };

	room_edit(&text, base, old, new);
	if (catalogue_parse(text.bytes, text.length, &catalogue, &err) < 0)
		fail_msg("%s: %s", new, err.text);
	return catalogue;
}

static inline void room_refuses(const char *base, const struct mistake *mistake)
{
	TEXT_CLEANUP struct text text = TEXT_INIT;
	struct catalogue *catalogue = NULL;
	struct err err = { 0 };

	room_edit(&text, base, mistake->old, mistake->new);
	if (catalogue_parse(text.bytes, text.length, &catalogue, &err) != -EINVAL)
		fail_msg("taken: %s", mistake->new);
	assert_null(catalogue);
	if (!strstr(err.text, mistake->words))
		fail_msg("%s: %s", mistake->new, err.text);
	if (err.text[0] < '1' || err.text[0] > '9')
		fail_msg("no place: %s", err.text);
}

#endif
