/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where something stands in an answer: paths into JSON, headers, expressions. Their
 * syntax is checked here once, so that those who follow them need not complain.
 */
#include <ctype.h>
#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"

enum {
	SPOT_BYTES = 256,
	ELEMENT_DIGITS = 4,
	REPEATS_MAX = 1000,	/* of an expression: more cost memory */
	GROUPS_MAX = 16,
};

/* --- JSON paths --- */

/* The length of `at` up to one of `ends`, which placeholders do not contain. */
static size_t span(const char *at, const char *ends)
{
	struct describe_placeholder placeholder;
	const char *from = at;

	while (*at && !strchr(ends, *at)) {
		bool found = *at == '{' && describe_next(at, &placeholder) &&
			     placeholder.from == at;

		at = found ? placeholder.to : at + 1;
	}
	return (size_t)(at - from);
}

static bool is_member(const char *at, size_t length)
{
	struct describe_placeholder placeholder;

	for (size_t i = 0; i < length; i++) {
		if (at[i] == '{' && describe_next(at + i, &placeholder) &&
		    placeholder.from == at + i)
			i += (size_t)(placeholder.to - placeholder.from) - 1;
		else if ((unsigned char)at[i] < ' ' || strchr("[]{}*=~,\"'\\", at[i]))
			return false;
	}
	return length > 0 && length < CATALOGUE_MEMBER_BYTES;
}

/* "name", "attributes.prefix"; empty: the element itself. */
static bool is_field_name(const char *at, size_t length)
{
	if (length > 0 && (at[0] == '.' || at[length - 1] == '.'))
		return false;
	return length == 0 || (is_member(at, length) && !memchr(at, '{', length));
}

/* What stands between the brackets; the length of it, 0: nothing that could. */
static size_t bracket_length(const char *at)
{
	const char *from = at;
	size_t digits = strspn(at, "0123456789");

	if (digits > 0 && at[digits] == ']')
		return digits <= ELEMENT_DIGITS ? digits : 0;
	for (int count = 1; count <= CATALOGUE_PATH_FIELDS_MAX; count++) {
		size_t length = strcspn(at, "=~],");

		if ((at[length] != '=' && at[length] != '~') || !is_field_name(at, length))
			return 0;
		at += length + 1;
		at += span(at, ",]");
		if (*at == ']')
			return (size_t)(at - from);
		if (*at++ != ',')
			return 0;
	}
	return 0;
}

/* How far it is one; all of it where it is. */
static const char *path_end(const char *at)
{
	bool name = *at != '[' && *at != '\0';		/* one is expected here */

	for (int parts = 0; *at || name; parts++) {
		size_t length = name ? span(at, ".[") : bracket_length(at + 1);

		if (parts == CATALOGUE_PATH_PARTS_MAX || length == 0)
			return at;
		if (name && !is_member(at, length) && !(length == 1 && *at == '*'))
			return at;
		at += name ? length : length + 2;
		name = *at == '.';
		if (*at && *at != '.' && *at != '[')
			return at;
		at += name;
		if (name && !*at)
			return at - 1;
	}
	return at;
}

static int check_path(struct describing *describing, const struct json *value,
		      const char *path)
{
	const char *end = path_end(path);

	if (!*end)
		return 0;
	return describe_error(describing, value,
			      "the path is not understood from character %zu on; it is "
			      "as \"result[0].id\" or "
			      "\"records[type={rrtype},name={hostname}].id\"",
			      (size_t)(end - path) + 1);
}

/* --- expressions --- */

/* {2,5} at `at`: its largest number; 0: it is none. */
static long repeats(const char *at)
{
	long most = 0;

	for (at++; isdigit((unsigned char)*at) || *at == ','; at++) {
		long number = strtol(at, NULL, 10);

		most = number > most ? number : most;
	}
	if (*at != '}')
		return 0;
	return most < REPEATS_MAX ? most : REPEATS_MAX;
}

/* Neither back-references nor repeats of repeats: they take ages, or all memory. */
static const char *costly(const char *expression)
{
	long total = 1;
	int groups = 0;

	for (const char *c = expression; *c; c++) {
		if (*c == '\\' && c[1]) {
			if (isdigit((unsigned char)*++c))
				return "it must not refer back to a group";
			continue;
		}
		if (*c == '{' && repeats(c) > 0)
			total = total * (repeats(c) + 1);
		groups += *c == '(';
		if (total > REPEATS_MAX || groups > GROUPS_MAX)
			return "it repeats too often, or has too many groups";
	}
	return NULL;
}

/* The expression with a letter for every placeholder. */
static char *sample(const char *expression)
{
	struct describe_placeholder placeholder;
	struct text text = TEXT_INIT;

	while (describe_next(expression, &placeholder)) {
		text_add_bytes(&text, expression,
			       (size_t)(placeholder.from - expression));
		text_add_char(&text, 'x');
		expression = placeholder.to;
	}
	text_add(&text, expression);
	return text_take(&text);
}

static int check_regex(struct describing *describing, const struct json *value,
		       const char *expression)
{
	char *filled = sample(expression);
	const char *why = filled ? costly(filled) : NULL;
	char reason[100];
	regex_t regex;
	int result;

	if (!filled)
		return describe_no_memory(describing);
	if (why) {
		free(filled);
		return describe_error(describing, value, "the expression: %s", why);
	}
	result = regcomp(&regex, filled, REG_EXTENDED | REG_NEWLINE);
	free(filled);
	if (result == 0) {
		regfree(&regex);
		return 0;
	}
	regerror(result, NULL, reason, sizeof reason);
	return describe_error(describing, value, "no POSIX extended expression: %s",
			      reason);
}

/* --- spots --- */

bool describe_is_header(const char *name)
{
	for (const char *c = name; *c; c++)
		if (*c <= ' ' || *c > '~' || strchr("\"(),/:;<=>?@[\\]{}", *c))
			return false;
	return *name != '\0';
}

int describe_path(struct describing *describing, const struct json *value,
		  struct catalogue_spot *spot)
{
	static const struct describe_field field = { .key = "path", .max = SPOT_BYTES };
	int result;

	spot->where = CATALOGUE_JSON;
	result = describe_string_or_empty(describing, value, &spot->path, &field);
	return result == 0 ? check_path(describing, value, spot->path) : result;
}

static int read_header(struct describing *describing, const struct json *value,
		       struct catalogue_spot *spot)
{
	static const struct describe_field field = { .key = "header", .max = 64 };
	int result;

	spot->where = CATALOGUE_HEADER;
	result = describe_string(describing, value, &spot->path, &field);
	if (result == 0 && !describe_is_header(spot->path))
		return describe_error(describing, value, "this is no name of a header");
	return result;
}

static int read_regex(struct describing *describing, const struct json *value,
		      struct catalogue_spot *spot)
{
	static const struct describe_field field = { .key = "regex", .max = SPOT_BYTES };
	int result;

	spot->where = CATALOGUE_REGEX;
	result = describe_string(describing, value, &spot->path, &field);
	return result == 0 ? check_regex(describing, value, spot->path) : result;
}

int describe_spot(struct describing *describing, const struct json *object,
		  struct catalogue_spot *spot)
{
	const struct json *json = json_get(object, "json");
	const struct json *header = json_get(object, "header");
	const struct json *regex = json_get(object, "regex");

	if ((json != NULL) + (header != NULL) + (regex != NULL) > 1)
		return describe_error(describing, object,
				      "one of \"json\", \"header\" and \"regex\" at a "
				      "time");
	if (json)
		return describe_path(describing, json, spot);
	if (header)
		return read_header(describing, header, spot);
	return regex ? read_regex(describing, regex, spot) : 0;
}
