/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text from outside: escaping into every size of array (the first byte), durations,
 * numbers, names.
 */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/text.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Escaped text fits, and has nothing left to escape but the backslashes. */
static void check_escape(size_t out_bytes, const uint8_t *data, size_t size)
{
	char *out = malloc(out_bytes), *twice = malloc(2 * out_bytes);

	require(out && twice);
	text_escape(out, out_bytes, data, size);
	require(strlen(out) < out_bytes);
	text_escape(twice, 2 * out_bytes, out, strlen(out));
	for (const char *a = out, *b = twice; *a || *b; a++, b++) {
		if (*a == '\\')
			require(*b++ == '\\');
		require(*a == *b);
	}
	free(twice);
	free(out);
}

static void check_reading(const char *string)
{
	static const char *const keys[] = { "hostnames", "token", "min_interval", NULL };
	int64_t ms, again;
	char out[24];
	long number;

	if (text_parse_duration(string, &ms)) {
		require(ms >= 0 && ms <= INT64_C(315360000000));
		require(text_parse_duration(text_format_duration(ms, out), &again));
		require(ms == again);
	}
	if (text_parse_number(string, 10, 20, &number))
		require(number >= 10 && number <= 20);
	text_parse_number(string, 0, LONG_MAX, &number);
	text_nearest(string, keys);
	if (text_is_hostname(string))
		require(strlen(string) <= 253 && strchr(string, '.'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	TEXT_CLEANUP struct text string = TEXT_INIT;

	if (size == 0)
		return 0;
	check_escape(data[0] + 1u, data + 1, size - 1);
	text_add_bytes(&string, data + 1, size - 1);
	check_reading(string.bytes);
	return 0;
}
