/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON reader: whatever comes, it answers; and what it accepts, it accepts again
 * after printing, and finds every value's place.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/json.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_places(const char *text, size_t length, const struct json *root,
			 const struct json *value)
{
	struct json_place place = { 0, 0 };

	require(json_locate(text, length, root, value, &place));
	require(place.line >= 1 && place.column >= 1 && place.line <= length);
	for (const struct json *child = json_child(value); child; child = json_next(child))
		check_places(text, length, root, child);
}

static void check_printing(const char *text, size_t length, const struct json *root)
{
	char *printed = json_print(root, false), *again;
	struct json_error error;
	struct json *second;

	require(printed != NULL);
	/* Numbers with exponents may be rounded beyond the largest: not ours to mend. */
	if (!memchr(text, 'e', length) && !memchr(text, 'E', length)) {
		second = json_parse(printed, strlen(printed), JSON_STRICT, &error);
		require(second != NULL);
		again = json_print(second, false);
		require(again && strcmp(printed, again) == 0);
		free(again);
		json_wipe_free(second);
	}
	free(printed);
}

static void check(const char *text, size_t length, bool relaxed)
{
	struct json_error error = { .text = "" };
	struct json *root = json_parse(text, length, relaxed ? JSON_RELAXED : JSON_STRICT, &error);

	if (!root) {
		require(error.place.line >= 1 && error.place.column >= 1);
		require(error.text[0] != '\0' && strlen(error.text) < sizeof(error.text));
		return;
	}
	require(error.text[0] == '\0');
	if (length < 512)
		check_places(text, length, root, root);
	check_printing(text, length, root);
	json_free(root);
	if (!relaxed)
		check(text, length, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check((const char *)data, size, false);
	check((const char *)data, size, true);
	return 0;
}
