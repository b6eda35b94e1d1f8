/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people like to write in JSON and JSON does not allow: comments, a last comma. */
#include <stdint.h>
#include <string.h>

#include "json_scan.h"

/* Spaces, but line ends stay: places are counted by them. */
static void blank(char *from, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (from[i] != '\n')
			from[i] = ' ';
}

/* The length of the comment at `at`, 0 if there is none, SIZE_MAX if it has no end. */
static size_t comment_length(const char *at, size_t length)
{
	const char *end;

	if (at[0] == '#' || (length > 1 && at[0] == '/' && at[1] == '/')) {
		end = memchr(at, '\n', length);
		return end ? (size_t)(end - at) : length;
	}
	if (length > 1 && at[0] == '/' && at[1] == '*') {
		end = memmem(at + 2, length - 2, "*/", 2);
		return end ? (size_t)(end - at) + 2 : SIZE_MAX;
	}
	return 0;
}

/* The length of the string at `at`; what is wrong within it is judged later. */
static size_t string_length(const char *at, size_t length)
{
	size_t i = 1;

	while (i < length && at[i] != '"' && at[i] != '\n')
		i += at[i] == '\\' && i + 1 < length && at[i + 1] != '\n' ? 2 : 1;
	return i < length ? i + 1 : length;
}

/* The last two bytes seen that are neither space nor comment. */
struct last_two {
	char *last, *before;
};

static bool is_closing(char c)
{
	return c == '}' || c == ']';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A comma is "trailing" when a value stands before it and a bracket closes after it. */
static void blank_trailing_comma(const struct last_two *seen, char next)
{
	if (is_closing(next) && seen->last && *seen->last == ',' && seen->before &&
	    !strchr("[{,:", *seen->before))
		*seen->last = ' ';
}

bool json_scan_relax(char *text, size_t length, struct json_scan *ret_failed)
{
	struct last_two seen = { NULL, NULL };
	size_t at = 0;

	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		blank(text, 3);		/* the byte order mark of some editors */
	while (at < length) {
		size_t step = comment_length(text + at, length - at);

		if (step == SIZE_MAX) {
			ret_failed->at = at;
			ret_failed->wrong = "the comment that begins here has no end";
			return false;
		}
		if (step > 0) {
			blank(text + at, step);
			at += step;
			continue;
		}
		step = text[at] == '"' ? string_length(text + at, length - at) : 1;
		if (!is_space(text[at])) {
			blank_trailing_comma(&seen, text[at]);
			seen.before = seen.last;
			seen.last = text + at;
		}
		at += step;
	}
	return true;
}
