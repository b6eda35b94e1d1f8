/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An answer's body as lines: trimmed of spaces, tabs and carriage returns; empty ones are
 * passed over. Shared by the rules and by dyndns2.
 */
#ifndef PROVIDER_LINES_H
#define PROVIDER_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct line {
	const char *text;	/* not terminated */
	size_t length;
	size_t token_length;	/* up to the first space or tab */
};

/* Takes the next line off the front of the body; false: none is left. */
bool line_next(const char **body, size_t *length, struct line *ret_line);

bool span_is(const char *text, size_t length, const char *wanted);

#endif
