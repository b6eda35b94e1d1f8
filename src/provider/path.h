/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths into JSON: `result[type={rrtype},name={hostname}].id`, as catalogue.h has them at
 * struct catalogue_spot. The parts are told apart before values are put in, so that no
 * value acts as syntax.
 *
 *	path	empty: the whole document; else parts, the first of which is a name or [ ]
 *	.name	the member of that name, letter for letter; `*`: any member or element
 *	[7]	that element of an array, from 0
 *	[a=X,b.c=Y]	the first element, or member of an object, whose fields are these
 *	[a~X]	the one whose `a` is the longest that is X or a domain above it
 *
 * A field that is not there, or null, is the empty text. Where `*` comes right before
 * [a=X], the members at hand are looked at first, then theirs.
 */
#ifndef PROVIDER_PATH_H
#define PROVIDER_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "hairpin/json.h"
#include "fill.h"

struct path_field {
	char *name;		/* "a" or "a.b"; "": the element itself */
	char *text;
	bool above;		/* '~' */
};

struct path_part {
	enum { PATH_MEMBER, PATH_ANY, PATH_ELEMENT, PATH_MATCH } kind;
	char *name;
	size_t element;
	struct path_field fields[CATALOGUE_PATH_FIELDS_MAX];
	size_t field_count;
};

struct path {
	struct path_part parts[CATALOGUE_PATH_PARTS_MAX];
	size_t count;
};

/* False: it is none, a value is not known, or there is no memory. */
bool path_parse(const char *template, const struct fill *fill, struct path *ret_path);
void path_done(struct path *path);

/* What stands there; NULL: nothing, or null. */
const struct json *path_find(const struct path *path, const struct json *root);

enum { PATH_ROOM_BYTES = JSON_NUMBER_BYTES };

/* A string, number, true or false as text; NULL: another kind. */
const char *path_text(const struct json *value, char room[PATH_ROOM_BYTES]);

#endif
