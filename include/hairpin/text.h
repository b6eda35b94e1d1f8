/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: base */
/*
 * Text: a growing string, bounded copies, and making foreign bytes safe to show.
 *
 * A `struct text` starts as TEXT_INIT, grows as needed and is freed by text_done().
 * `bytes` is always NUL-terminated, also when empty. When memory runs out the
 * text keeps what it had, `failed` is set, and every later call does nothing: check
 * once, at the end.
 */
#ifndef HAIRPIN_TEXT_H
#define HAIRPIN_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *bytes;
	size_t length;		/* without the NUL */
	size_t room;
	bool failed;
};

extern char text_empty[1];
#define TEXT_INIT { .bytes = text_empty }

void text_done(struct text *text);	/* usable again afterwards */
void text_clear(struct text *text);	/* empties, keeps the room */
void text_add(struct text *text, const char *string);
void text_add_bytes(struct text *text, const void *bytes, size_t length);
void text_add_char(struct text *text, char c);
void text_addf(struct text *text, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
char *text_take(struct text *text);	/* the caller frees; NULL if it failed */

#define TEXT_CLEANUP __attribute__((cleanup(text_done)))

/*
 * Copies a string into a fixed array. False, and `out` left as "", when it does
 * not fit with its NUL.
 */
bool text_copy(char *out, size_t out_bytes, const char *string);

/*
 * Makes foreign bytes safe for a log line, a terminal, JSON: control characters, C1,
 * DEL, invalid UTF-8, bidirectional controls and invisible characters become \xNN (each
 * byte), a backslash becomes two. At most `out_bytes` with the NUL; cut with "..." at the
 * end, never within a character or an escape. Returns `out`.
 */
const char *text_escape(char *out, size_t out_bytes, const void *bytes, size_t length);

/*
 * "30s", "10m", "6h", "25d", "250ms" to milliseconds. One number, one unit; at most ten
 * years (3650d).
 */
bool text_parse_duration(const char *string, int64_t *ret_ms);

/* The inverse, in the largest unit that divides: 90000 is "90s". Returns `out`. */
const char *text_format_duration(int64_t ms, char out[24]);

/* Decimal digits only, no sign, no space, within [min, max]. */
bool text_parse_number(const char *string, long min, long max, long *ret);

/*
 * The candidate nearest to `word` by edit distance, or NULL when none is near
 * enough to be what was meant. `candidates` ends with NULL.
 */
const char *text_nearest(const char *word, const char *const *candidates);

/*
 * A host name of letters, digits, '-', '_', with at least one dot, labels <= 63,
 * at most 253 bytes; a leading "*." is allowed, a trailing dot is not. No label
 * begins or ends with '-', and the last one is not a number: an address is no name.
 */
bool text_is_hostname(const char *string);

#endif
