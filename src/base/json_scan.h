/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON as text (RFC 8259): strict checking, and finding values again. Private to base.
 *
 * cJSON is lenient and knows no places. So the text is walked here first, and only
 * what this walk accepts is given to cJSON.
 */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct json_scan {
	const char *text;
	size_t length;
	size_t at;		/* where the walk is; after a failure: what is wrong there */
	unsigned depth, values;
	const char *wrong;	/* a static sentence after a failure */
};

/* One value with nothing but white space around it. */
bool json_scan_document(struct json_scan *scan);

/*
 * Turns comments and trailing commas into spaces, in place, so that every other byte
 * keeps its place. Text that is strict JSON stays as it is. False, with `wrong` and
 * `at` set: a comment that does not end.
 */
bool json_scan_relax(char *text, size_t length, struct json_scan *ret_failed);

/*
 * The next number of a document that passed json_scan_document(), from where the walk is;
 * `at` is then behind it. False: there is none.
 */
bool json_scan_number(struct json_scan *scan, size_t *ret_start);

/*
 * Walks to the value reached from the document by `path`: the index of a member or
 * element per level. `at` is then at the value, or at its key if it has one. False where
 * the text does not lead there.
 */
bool json_scan_follow(struct json_scan *scan, const unsigned *path, unsigned levels);

#endif
