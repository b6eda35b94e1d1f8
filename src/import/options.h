/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The settings of one section as they stand in the other program's file: names, values,
 * lines. Who takes one marks it, so that what nobody took can be told.
 */
#ifndef IMPORT_OPTIONS_H
#define IMPORT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct option {
	char *name, *value;
	unsigned line;
	bool taken;
};

struct options {
	struct option *list;
	size_t count, room;
	bool failed;			/* no memory: remembered */
};

enum { OPTIONS_MAX = 256 };

void options_done(struct options *options);
/* The last one of a name wins; more than OPTIONS_MAX are dropped and `failed` is set. */
void options_set(struct options *options, const char *name, const char *value,
		 unsigned line);
/* Those of `under` that are not there yet, as not taken. */
void options_inherit(struct options *options, const struct options *under);

/* NULL: not there, or empty. */
struct option *options_find(const struct options *options, const char *name);
/* The same, and it is taken. */
const char *options_take(const struct options *options, const char *name);
/* Is it there and does it say yes ("yes", "true", "1", "on")? Takes it. */
bool options_take_bool(const struct options *options, const char *name, bool otherwise);

#endif
