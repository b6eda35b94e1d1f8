/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lines.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void trim(struct line *line)
{
	while (line->length > 0 && is_blank(line->text[0])) {
		line->text++;
		line->length--;
	}
	while (line->length > 0 && is_blank(line->text[line->length - 1]))
		line->length--;
	line->token_length = 0;
	while (line->token_length < line->length &&
	       !is_blank(line->text[line->token_length]))
		line->token_length++;
}

bool line_next(const char **body, size_t *length, struct line *ret_line)
{
	while (*length > 0) {
		const char *end = memchr(*body, '\n', *length);
		size_t bytes = end ? (size_t)(end - *body) : *length;
		struct line line = { .text = *body, .length = bytes };

		*body += bytes + (end ? 1 : 0);
		*length -= bytes + (end ? 1 : 0);
		trim(&line);
		if (line.length > 0) {
			*ret_line = line;
			return true;
		}
	}
	return false;
}

bool span_is(const char *text, size_t length, const char *wanted)
{
	return length == strlen(wanted) && memcmp(text, wanted, length) == 0;
}
