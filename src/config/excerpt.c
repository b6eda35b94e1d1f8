/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "excerpt.h"

enum {
	LINE_MAX_BYTES = 120,	/* what is shown of a long line */
	LEAD_BYTES = 60,	/* of it, before the caret */
};

/* Keys of a provider's entry whose values are never secrets, and of a value's place. */
static const char *const harmless_keys[] = {
	"type", "name", "wan", "hostnames", "families", "refresh", "min_interval",
	"private_server", "ca_file", "timeout", "user_agent", "allow_private",
	"insecure_http", "check", "ipv6_suffix", NULL,
};
static const char *const place_keys[] = { "file", "env", "credential", NULL };
static const char *const top_keys[] = {
	"$schema", "wans",    "nat",   "dns",	  "hooks",
	"log",	   "control", "state", "metrics", NULL,
};

static bool is_one_of(const char *key, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(key, *list) == 0)
			return true;
	return false;
}

/* The end of the string that begins at `at`: behind its closing quote. */
static size_t skip_string(const char *text, size_t length, size_t at)
{
	for (at++; at < length && text[at] != '"' && text[at] != '\n'; at++)
		if (text[at] == '\\' && at + 1 < length && text[at + 1] != '\n')
			at++;
	return at < length ? at + 1 : length;
}

/* The end of the comment that begins at `at`; `at` itself where none does. */
static size_t skip_comment(const char *text, size_t length, size_t at)
{
	const char *rest = text + at;
	size_t left = length - at;
	const char *end;

	if (rest[0] == '#' || (left > 1 && rest[0] == '/' && rest[1] == '/')) {
		end = memchr(rest, '\n', left);
		return end ? (size_t)(end - text) : length;
	}
	if (left > 1 && rest[0] == '/' && rest[1] == '*') {
		end = memmem(rest + 2, left - 2, "*/", 2);
		return end ? (size_t)(end - text) + 2 : length;
	}
	return at;
}

static void blank_comments(char *text, size_t length)
{
	size_t at = 0;

	while (at < length) {
		size_t end = skip_comment(text, length, at);

		for (size_t i = at; i < end; i++)
			if (text[i] != '\n')
				text[i] = ' ';
		if (end > at)
			at = end;
		else if (text[at] == '"')
			at = skip_string(text, length, at);
		else
			at++;
	}
}

static size_t skip_space(const char *text, size_t length, size_t at)
{
	while (at < length && isspace((unsigned char)text[at]))
		at++;
	return at;
}

static size_t line_offset(const char *text, size_t length, unsigned line)
{
	size_t at = 0;

	for (; line > 1 && at < length; line--) {
		const char *end = memchr(text + at, '\n', length - at);

		at = end ? (size_t)(end - text) + 1 : length;
	}
	return at;
}

/* Marks the line of a scalar by a NUL, which no JSON text holds. */
static void hide_scalar(struct source *source, const struct json *value)
{
	char *text = source->visible;
	size_t length = source->length;
	struct json_place place;
	size_t at;

	if (!json_locate(source->text, length, source->root, value, &place))
		return;
	at = line_offset(text, length, place.line) + place.column - 1;
	if (json_key(value) && at < length) {
		at = skip_space(text, length, skip_string(text, length, at));
		at = skip_space(text, length, at + 1);	/* the colon */
	}
	if (at < length)
		text[at] = '\0';
}

/* JSON_MAX_DEPTH bounds the recursion. */
static void hide_all(struct source *source, const struct json *value)
{
	const struct json *child = json_child(value);

	if (json_kind(value) != JSON_OBJECT && json_kind(value) != JSON_ARRAY)
		hide_scalar(source, value);
	for (; child; child = json_next(child))
		hide_all(source, child);
}

/* {"file": ...} and its like say where a secret is, not what it is. */
static bool is_place(const struct json *value)
{
	const struct json *member = json_child(value);

	if (json_kind(value) != JSON_OBJECT || !member)
		return false;
	for (; member; member = json_next(member))
		if (!is_one_of(json_key(member), place_keys))
			return false;
	return true;
}

static void hide_in_providers(struct source *source, const struct json *value)
{
	const struct json *child = json_child(value);

	for (; child; child = json_next(child)) {
		const char *key = json_key(child);

		if (!key || is_one_of(key, harmless_keys))
			hide_in_providers(source, child);
		else if (!is_place(child))
			hide_all(source, child);
	}
}

bool excerpt_is_delicate(const char *text)
{
	return strchr(text, '@') || (strstr(text, "://") && strchr(text, '?'));
}

/* Of services that are asked for an address. */
static void hide_in_wans(struct source *source, const struct json *value)
{
	const struct json *child = json_child(value);

	for (; child; child = json_next(child)) {
		const char *text = json_string(child);

		if (text && excerpt_is_delicate(text))
			hide_scalar(source, child);
		hide_in_wans(source, child);
	}
}

static void hide_secrets(struct source *source)
{
	const struct json *member = json_child(source->root);

	for (; member; member = json_next(member)) {
		const char *key = json_key(member);

		if (!key)
			hide_all(source, member);
		else if (strcmp(key, "providers") == 0)
			hide_in_providers(source, member);
		else if (strcmp(key, "wans") == 0)
			hide_in_wans(source, member);
		else if (!is_one_of(key, top_keys))
			hide_all(source, member);
	}
}

/* Of a text that is no JSON: does the line hold brackets, words and keys only? */
static bool is_bare(const char *line, size_t length)
{
	size_t at = 0;

	while ((at = skip_space(line, length, at)) < length) {
		if (line[at] == '"') {
			at = skip_space(line, length, skip_string(line, length, at));
			if (at >= length || line[at++] != ':')
				return false;
		} else if (strchr("{}[],", line[at])) {
			at++;
		} else if (strncmp(line + at, "true", 4) == 0 ||
			   strncmp(line + at, "null", 4) == 0) {
			at += 4;
		} else if (strncmp(line + at, "false", 5) == 0) {
			at += 5;
		} else {
			return false;
		}
	}
	return true;
}

static bool make_visible(struct source *source)
{
	if (source->visible)
		return true;
	source->visible = malloc(source->length + 1);
	if (!source->visible)
		return false;
	memcpy(source->visible, source->text, source->length);
	source->visible[source->length] = '\0';
	blank_comments(source->visible, source->length);
	if (source->root)
		hide_secrets(source);
	return true;
}

/* How many columns the bytes take: those that continue a UTF-8 sequence take none. */
static unsigned columns(const char *bytes)
{
	unsigned count = 0;

	for (; *bytes; bytes++)
		if (((unsigned char)*bytes & 0xc0) != 0x80)
			count++;
	return count;
}

static void add_line(struct text *text, char *line, size_t length, size_t caret)
{
	char before[LINE_MAX_BYTES * 4 + 1], whole[LINE_MAX_BYTES * 4 + 1];
	size_t skip = caret > LEAD_BYTES ? caret - LEAD_BYTES : 0;

	for (size_t i = 0; i < length; i++)
		if (line[i] == '\t')
			line[i] = ' ';
	while (skip > 0 && ((unsigned char)line[skip] & 0xc0) == 0x80)
		skip--;
	if (length - skip > LINE_MAX_BYTES)
		length = skip + LINE_MAX_BYTES;
	text_escape(before, sizeof before, line + skip, caret - skip);
	text_escape(whole, sizeof whole, line + skip, length - skip);
	text_addf(text, "    %s\n    %*s^\n", whole, (int)columns(before), "");
}

void excerpt_add(struct text *text, struct source *source, const struct json_place *place)
{
	size_t start, length, caret = place->column - 1;
	char *line, *end;

	if (!source->text || !make_visible(source))
		return;
	start = line_offset(source->visible, source->length, place->line);
	line = source->visible + start;
	end = memchr(line, '\n', source->length - start);
	length = end ? (size_t)(end - line) : source->length - start;
	while (length > 0 && isspace((unsigned char)line[length - 1]))
		length--;
	if (length == 0 || caret >= length || memchr(line, '\0', length))
		return;
	if (source->root || is_bare(line, length))
		add_line(text, line, length, caret);
}
