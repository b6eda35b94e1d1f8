/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json_scan.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/json.h"
#include "utf8.h"

/* cJSON reads numbers by way of a buffer of 64 bytes. */
enum { NUMBER_MAX_BYTES = JSON_NUMBER_BYTES - 1 };

static bool scan_value(struct json_scan *scan);

static bool fail(struct json_scan *scan, const char *wrong)
{
	scan->wrong = wrong;
	return false;
}

/* The byte under the walk, or -1 at the end. */
static int peek(const struct json_scan *scan)
{
	return scan->at < scan->length ? (unsigned char)scan->text[scan->at] : -1;
}

static bool skip(struct json_scan *scan, char c)
{
	if (peek(scan) != c)
		return false;
	scan->at++;
	return true;
}

static bool is_space(int c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static void skip_space(struct json_scan *scan)
{
	while (is_space(peek(scan)))
		scan->at++;
}

/* --- strings ----------------------------------------------------------------------- */

/* "uXXXX" behind a backslash: moves behind it. */
static bool scan_code_unit(struct json_scan *scan, unsigned *ret_unit)
{
	unsigned unit = 0;

	if (!skip(scan, 'u'))
		return false;
	for (unsigned i = 0; i < 4; i++) {
		int c = peek(scan);

		if (is_digit(c))
			unit = unit << 4 | (unsigned)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			unit = unit << 4 | (unsigned)((c | 32) - 'a' + 10);
		else
			return false;
		scan->at++;
	}
	*ret_unit = unit;
	return true;
}

/* At the 'u' of \uXXXX; both halves of a pair of surrogates (U+10000 and beyond). */
static bool scan_unicode_escape(struct json_scan *scan)
{
	size_t start = scan->at - 1;
	unsigned unit, second = 0;

	if (!scan_code_unit(scan, &unit))
		return fail(scan, "four hexadecimal digits must follow \\u");
	if (unit >= 0xd800 && unit < 0xdc00 && skip(scan, '\\') &&
	    scan_code_unit(scan, &second) && second >= 0xdc00 && second < 0xe000)
		return true;
	if (unit != 0 && (unit < 0xd800 || unit >= 0xe000))
		return true;
	scan->at = start;
	return fail(scan, unit == 0 ? "\\u0000 is not allowed in a string"
				    : "half a surrogate pair is no character");
}

static bool scan_escape(struct json_scan *scan)
{
	int c = peek(scan);

	if (c == 'u')
		return scan_unicode_escape(scan);
	if (c <= 0 || !strchr("\"\\/bfnrt", c))
		return fail(scan, "there is no such escape; a backslash is written \\\\");
	scan->at++;
	return true;
}

static bool scan_string(struct json_scan *scan)
{
	size_t start = scan->at;

	scan->at++;
	for (;;) {
		uint32_t code;
		size_t count;
		int c = peek(scan);

		if (c < 0) {
			scan->at = start;
			return fail(scan, "the string that begins here has no end");
		}
		if (skip(scan, '"'))
			return true;
		if (skip(scan, '\\')) {
			if (!scan_escape(scan))
				return false;
			continue;
		}
		if (c == '\n' || c == '\r')
			return fail(scan, "the string does not end on its line");
		if (c < 0x20)
			return fail(scan, "a control character in a string");
		count = utf8_decode((const unsigned char *)scan->text + scan->at,
				    scan->length - scan->at, &code);
		if (count == 0)
			return fail(scan, "a byte that is not UTF-8");
		scan->at += count;
	}
}

/* --- the other values -------------------------------------------------------------- */

static bool scan_digits(struct json_scan *scan)
{
	if (!is_digit(peek(scan)))
		return fail(scan, "a digit is missing in the number");
	while (is_digit(peek(scan)))
		scan->at++;
	return true;
}

static bool number_is_finite(const struct json_scan *scan, size_t start)
{
	char digits[NUMBER_MAX_BYTES + 1];
	size_t length = scan->at - start;

	if (length > NUMBER_MAX_BYTES)
		return false;
	memcpy(digits, scan->text + start, length);
	digits[length] = '\0';
	return isfinite(strtod(digits, NULL));
}

static bool scan_number(struct json_scan *scan)
{
	size_t start = scan->at;

	skip(scan, '-');
	if (skip(scan, '0')) {
		if (is_digit(peek(scan)))
			return fail(scan, "a number does not begin with zeros");
	} else if (!scan_digits(scan)) {
		return false;
	}
	if (skip(scan, '.') && !scan_digits(scan))
		return false;
	if (skip(scan, 'e') || skip(scan, 'E')) {
		if (!skip(scan, '+'))
			skip(scan, '-');
		if (!scan_digits(scan))
			return false;
	}
	if (!number_is_finite(scan, start)) {
		scan->at = start;
		return fail(scan, "the number is too large");
	}
	return true;
}

static bool scan_word(struct json_scan *scan)
{
	static const char *const words[] = { "true", "false", "null" };

	for (unsigned i = 0; i < 3; i++) {
		size_t length = strlen(words[i]);

		if (scan->length - scan->at >= length &&
		    memcmp(scan->text + scan->at, words[i], length) == 0) {
			scan->at += length;
			return true;
		}
	}
	return fail(scan, peek(scan) < 0 ? "the text ends where a value is expected"
					 : "a value is expected here");
}

/* A key and its colon. */
static bool scan_key(struct json_scan *scan)
{
	skip_space(scan);
	if (peek(scan) != '"')
		return fail(scan, "a key in double quotes is expected here");
	if (!scan_string(scan))
		return false;
	skip_space(scan);
	if (!skip(scan, ':'))
		return fail(scan, "a colon is expected between key and value");
	return true;
}

/* The members of an object or the elements of an array, from behind the bracket. */
static bool scan_members(struct json_scan *scan, char open)
{
	char close = open == '{' ? '}' : ']';
	size_t start = scan->at - 1;

	skip_space(scan);
	if (skip(scan, close))
		return true;
	for (;;) {
		if (open == '{' && !scan_key(scan))
			return false;
		if (!scan_value(scan))
			return false;
		skip_space(scan);
		if (skip(scan, close))
			return true;
		if (skip(scan, ','))
			continue;
		if (peek(scan) < 0) {
			scan->at = start;
			return fail(scan, "the bracket that opens here is never closed");
		}
		return fail(scan, open == '{' ? "a comma or '}' is expected here"
					      : "a comma or ']' is expected here");
	}
}

static bool scan_value(struct json_scan *scan)
{
	int c;
	bool fine;

	skip_space(scan);
	if (++scan->values > JSON_MAX_VALUES)
		return fail(scan, "too many values (131,072 are allowed)");
	c = peek(scan);
	if (c == '"')
		return scan_string(scan);
	if (c == '-' || is_digit(c))
		return scan_number(scan);
	if (c != '{' && c != '[')
		return scan_word(scan);
	if (scan->depth == JSON_MAX_DEPTH)
		return fail(scan, "too many brackets within each other (32 are allowed)");
	scan->at++;
	scan->depth++;
	fine = scan_members(scan, (char)c);
	scan->depth--;
	return fine;
}

bool json_scan_document(struct json_scan *scan)
{
	skip_space(scan);
	if (peek(scan) < 0)
		return fail(scan, "there is nothing in it");
	if (!scan_value(scan))
		return false;
	skip_space(scan);
	if (peek(scan) >= 0)
		return fail(scan, "nothing may follow the end of the document");
	return true;
}

bool json_scan_number(struct json_scan *scan, size_t *ret_start)
{
	for (;;) {
		int c = peek(scan);

		if (c < 0)
			return false;
		if (c == '"' && !scan_string(scan))
			return false;
		if (c == '-' || is_digit(c))
			break;
		scan->at += c != '"';
	}
	*ret_start = scan->at;
	return scan_number(scan);
}

bool json_scan_follow(struct json_scan *scan, const unsigned *path, unsigned levels)
{
	skip_space(scan);
	for (unsigned level = 0; level < levels; level++) {
		bool object = skip(scan, '{');

		if (!object && !skip(scan, '['))
			return false;
		for (unsigned i = 0; i < path[level]; i++) {
			if ((object && !scan_key(scan)) || !scan_value(scan))
				return false;
			skip_space(scan);
			if (!skip(scan, ','))
				return false;
		}
		skip_space(scan);
		if (level + 1 == levels)
			break;
		if (object && !scan_key(scan))
			return false;
		skip_space(scan);
	}
	return true;
}
