/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16 * 1024 };

struct arena_block {
	struct arena_block *next;
	size_t used, room;
	max_align_t bytes[];
};

static struct arena_block *block_new(struct arena *arena, size_t bytes)
{
	size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
	struct arena_block *block = malloc(sizeof(*block) + room);

	if (!block)
		return NULL;
	block->used = 0;
	block->room = room;
	block->next = arena->blocks;
	arena->blocks = block;
	return block;
}

void *arena_alloc(struct arena *arena, size_t bytes)
{
	struct arena_block *block = arena->blocks;
	size_t whole;
	void *piece;

	if (bytes > SIZE_MAX / 2)
		return NULL;
	whole = (bytes + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (!block || block->room - block->used < whole)
		block = block_new(arena, whole);
	if (!block)
		return NULL;
	piece = (char *)block->bytes + block->used;
	block->used += whole;
	return memset(piece, 0, whole);
}

void *arena_copy(struct arena *arena, const void *from, size_t bytes)
{
	void *piece = arena_alloc(arena, bytes ? bytes : 1);

	if (piece && bytes)
		memcpy(piece, from, bytes);
	return piece;
}

char *arena_string(struct arena *arena, const char *from, size_t length)
{
	char *string = arena_alloc(arena, length + 1);

	if (string)
		memcpy(string, from, length);
	return string;
}

void arena_done(struct arena *arena)
{
	struct arena_block *next;

	for (struct arena_block *block = arena->blocks; block; block = next) {
		next = block->next;
		free(block);
	}
	arena->blocks = NULL;
}
