/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/golden: what is given there, and the texts that people see of it. With
 * GOLDEN=write the texts are written anew; read the diff.
 */
#ifndef GOLDEN_ROOM_H
#define GOLDEN_ROOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hairpin/json.h"

static inline char *golden_read(const char *path, size_t *ret_length)
{
	FILE *file = fopen(path, "rb");
	char *bytes = malloc(1 << 16);

	if (!file || !bytes)
		fail_msg("cannot read %s (the tests run from the top of the tree)", path);
	*ret_length = fread(bytes, 1, (1 << 16) - 1, file);
	bytes[*ret_length] = '\0';
	fclose(file);
	return bytes;
}

static inline struct json *golden_object(const char *name)
{
	struct json_error error;
	struct json *root;
	char path[200];
	size_t length;
	char *bytes;

	snprintf(path, sizeof(path), "tests/unit/golden/%s.json", name);
	bytes = golden_read(path, &length);
	root = json_parse(bytes, length, JSON_STRICT, &error);
	if (!root)
		fail_msg("%s: %s", path, error.text);
	free(bytes);
	return root;
}

static inline void golden_compare(const char *path, const char *shown)
{
	const char *write = getenv("GOLDEN");
	char *golden;
	size_t length;
	FILE *file;

	if (write && strcmp(write, "write") == 0) {
		file = fopen(path, "wb");
		assert_non_null(file);
		fputs(shown, file);
		fclose(file);
	}
	golden = golden_read(path, &length);
	if (strcmp(golden, shown) != 0)
		print_error("%s differs; what is shown now:\n%s---\n", path, shown);
	assert_string_equal(shown, golden);
	free(golden);
}

#endif
