/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields of fixed size that came from outside: do they end, and may they be shown? Texts
 * have at most FIELD_MAX_BYTES.
 */
#ifndef MODEL_FIELD_H
#define MODEL_FIELD_H

#include <stdbool.h>
#include <stddef.h>

#include "hairpin/addr.h"

enum { FIELD_MAX_BYTES = 4096 };

/*
 * Terminated, and nothing in it that text_escape() would change, but for the backslashes
 * it makes itself.
 */
bool field_is_text(const char *field, size_t bytes);

/* The same; newlines and tabs are allowed too. */
bool field_is_lines(const char *field, size_t bytes);

/* Terminated, and nothing but ' ' to '~'. */
bool field_is_ascii(const char *field, size_t bytes);

/* An address of `family`, or none; its unused bytes are 0. */
bool field_is_address(const struct addr *address, int family);

/* The same, of either family. */
bool field_is_any_address(const struct addr *address);

#endif
