/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int64_t ms;
} units[] = {		/* the largest first */
	{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 },
};

enum { UNITS = sizeof(units) / sizeof(units[0]) };

static const int64_t longest_ms = 3650 * (int64_t)86400000;

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits at `*at`, which moves behind them. False: none, or more than `max`. */
static bool read_digits(const char **at, int64_t max, int64_t *ret)
{
	const char *c = *at;
	int64_t value = 0;

	if (!is_digit(*c))
		return false;
	for (; is_digit(*c); c++) {
		if (value > (max - (*c - '0')) / 10)
			return false;
		value = value * 10 + (*c - '0');
	}
	*at = c;
	*ret = value;
	return true;
}

bool text_parse_duration(const char *string, int64_t *ret_ms)
{
	int64_t value;

	if (!read_digits(&string, longest_ms, &value))
		return false;
	for (unsigned i = 0; i < UNITS; i++) {
		if (strcmp(string, units[i].name) != 0)
			continue;
		if (value > longest_ms / units[i].ms)
			return false;
		*ret_ms = value * units[i].ms;
		return true;
	}
	return false;
}

const char *text_format_duration(int64_t ms, char out[24])
{
	unsigned i = 0;

	while (ms % units[i].ms != 0)
		i++;
	if (ms == 0)
		text_copy(out, 24, "0s");
	else
		snprintf(out, 24, "%" PRId64 "%s", ms / units[i].ms, units[i].name);
	return out;
}

bool text_parse_number(const char *string, long min, long max, long *ret)
{
	int64_t value;

	if (max < 0 || !read_digits(&string, max, &value))
		return false;
	if (*string != '\0' || value < min)
		return false;
	*ret = (long)value;
	return true;
}

/* --- the nearest word -------------------------------------------------------------- */

enum { WORD_MAX_BYTES = 64 };

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/*
 * Letters to insert, drop, replace or swap with their neighbour, upper and lower case
 * being one. Three rows of the usual table suffice. Both words are shorter than
 * WORD_MAX_BYTES.
 */
static unsigned edit_distance(const char *a, const char *b)
{
	unsigned rows[3][WORD_MAX_BYTES + 1];
	size_t a_length = strlen(a), b_length = strlen(b);

	for (size_t j = 0; j <= b_length; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_length; i++) {
		unsigned *now = rows[i % 3], *before = rows[(i - 1) % 3];
		const unsigned *swapped = rows[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_length; j++) {
			unsigned differ = !same_letter(a[i - 1], b[j - 1]);

			now[j] = smaller(before[j - 1] + differ,
					 smaller(before[j], now[j - 1]) + 1);
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]))
				now[j] = smaller(now[j], swapped[j - 2] + 1);
		}
	}
	return rows[a_length % 3][b_length];
}

const char *text_nearest(const char *word, const char *const *candidates)
{
	const char *nearest = NULL;
	unsigned best = UINT_MAX;
	size_t length = strlen(word);

	if (length > WORD_MAX_BYTES)
		return NULL;
	for (; *candidates; candidates++) {
		size_t other = strlen(*candidates);
		size_t longer = other > length ? other : length;
		unsigned distance;

		if (other > WORD_MAX_BYTES)
			continue;
		distance = edit_distance(word, *candidates);
		/* Two letters in five may be wrong; more is another word. */
		if (distance < best && distance * 5 <= longer * 2) {
			best = distance;
			nearest = *candidates;
		}
	}
	return nearest;
}

/* --- host names -------------------------------------------------------------------- */

static bool is_name_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '_';
}

static bool is_label(const char *label, size_t length)
{
	if (length == 0 || length > 63 || label[0] == '-' || label[length - 1] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!is_name_char(label[i]))
			return false;
	return true;
}

bool text_is_hostname(const char *string)
{
	const char *label = string;
	unsigned labels = 0;

	if (strlen(string) > 253)
		return false;
	if (strncmp(label, "*.", 2) == 0) {
		label += 2;
		labels++;
	}
	for (;;) {
		size_t length = strcspn(label, ".");

		if (!is_label(label, length))
			return false;
		labels++;
		if (label[length] == '\0')
			break;
		label += length + 1;
	}
	/* A last label of digits only would make it look like an IPv4 address. */
	return labels > 1 && label[strspn(label, "0123456789")] != '\0';
}
