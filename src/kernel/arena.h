/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory for one look at the kernel: given out piece by piece, freed all at once.
 */
#ifndef KERNEL_ARENA_H
#define KERNEL_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks;
};

/* Zeroed, aligned for anything; NULL: no memory. */
void *arena_alloc(struct arena *arena, size_t bytes);
void *arena_copy(struct arena *arena, const void *from, size_t bytes);
/* `length` bytes without NUL become a string. */
char *arena_string(struct arena *arena, const char *from, size_t length);
void arena_done(struct arena *arena);

#endif
