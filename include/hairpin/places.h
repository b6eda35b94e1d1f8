/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: system */
/*
 * Where our own files are: installed, or around the programs in the tree that built them.
 */
#ifndef HAIRPIN_PLACES_H
#define HAIRPIN_PLACES_H

#include <limits.h>

struct places {
	char publisher[PATH_MAX + 32];	/* the program hairpin-publish */
	char source_catalogue[PATH_MAX + 32];
	/* Directories for config_load(), the user's first; it points into this struct. */
	const char *catalogue[4];
};

/*
 * Run from build/ or build/asan/, with the publisher beside the program and
 * conf/providers in the tree around it, everything is taken from there.
 */
void places_find(struct places *places);

#endif
