/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "path.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hairpin/secret.h"

enum { ELEMENT_DIGITS = 9 };

/* --- parsing ----------------------------------------------------------------------- */

/* A piece of the template, its values put in. NULL: one is not known, or no memory. */
static char *fill_piece(const char *piece, size_t length, const struct fill *fill)
{
	char *template = strndup(piece, length), *filled = NULL;

	if (template && fill_new(fill, template, PLACE_PLAIN, &filled, NULL) < 0)
		filled = NULL;
	free(template);
	return filled;
}

static struct path_part *part_add(struct path *path)
{
	return path->count < CATALOGUE_PATH_PARTS_MAX ? &path->parts[path->count++] :
							NULL;
}

static bool parse_field(const char *at, size_t length, const struct fill *fill,
			struct path_part *part)
{
	size_t name = 0;
	struct path_field *field;

	while (name < length && at[name] != '=' && at[name] != '~')
		name++;
	if (name == length || name >= CATALOGUE_MEMBER_BYTES ||
	    part->field_count == CATALOGUE_PATH_FIELDS_MAX)
		return false;
	field = &part->fields[part->field_count++];
	field->above = at[name] == '~';
	field->name = strndup(at, name);
	field->text = fill_piece(at + name + 1, length - name - 1, fill);
	return field->name && field->text;
}

/* What stands between the brackets. */
static bool parse_bracket(const char *at, size_t length, const struct fill *fill,
			  struct path *path)
{
	struct path_part *part = part_add(path);

	if (!part || length == 0)
		return false;
	if (strspn(at, "0123456789") == length) {
		part->kind = PATH_ELEMENT;
		part->element = length <= ELEMENT_DIGITS ? (size_t)atol(at) : SIZE_MAX;
		return true;
	}
	part->kind = PATH_MATCH;
	for (;;) {
		const char *comma = memchr(at, ',', length);
		size_t field = comma ? (size_t)(comma - at) : length;

		if (!parse_field(at, field, fill, part))
			return false;
		if (!comma)
			return true;
		at += field + 1;
		length -= field + 1;
	}
}

static bool parse_name(const char *at, size_t length, const struct fill *fill,
		       struct path *path)
{
	struct path_part *part = part_add(path);

	if (!part || length == 0)
		return false;
	if (length == 1 && *at == '*') {
		part->kind = PATH_ANY;
		return true;
	}
	part->kind = PATH_MEMBER;
	part->name = fill_piece(at, length, fill);
	return part->name != NULL;
}

static bool parse(const char *at, const struct fill *fill, struct path *path)
{
	bool name = *at != '[';		/* one is expected here */

	while (*at || name) {
		size_t length;

		if (name) {
			length = strcspn(at, ".[]");
			if (!parse_name(at, length, fill, path))
				return false;
			at += length;
		} else if (*at == '[') {
			length = strcspn(at, "]");
			if (at[length] != ']' ||
			    !parse_bracket(at + 1, length - 1, fill, path))
				return false;
			at += length + 1;
		} else if (*at != '.') {
			return false;
		}
		name = *at == '.';
		at += name;
	}
	return true;
}

bool path_parse(const char *template, const struct fill *fill, struct path *ret_path)
{
	struct path path = { 0 };

	if (*template && !parse(template, fill, &path)) {
		path_done(&path);
		return false;
	}
	*ret_path = path;
	return true;
}

void path_done(struct path *path)
{
	for (size_t i = 0; i < path->count; i++) {
		struct path_part *part = &path->parts[i];

		secret_free(part->name);
		for (size_t k = 0; k < part->field_count; k++) {
			free(part->fields[k].name);
			secret_free(part->fields[k].text);
		}
	}
	memset(path, 0, sizeof(*path));
}

/* --- following --------------------------------------------------------------------- */

const char *path_text(const struct json *value, char room[PATH_ROOM_BYTES])
{
	bool yes;

	if (!value)
		return NULL;
	if (json_bool(value, &yes))
		return yes ? "true" : "false";
	if (json_kind(value) == JSON_NUMBER)
		return json_number(value, room);
	return json_string(value);
}

/* The length without the final dot that a name may have. */
static size_t name_length(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && name[length - 1] == '.' ? length - 1 : length;
}

static bool same_name(const char *a, const char *b)
{
	size_t length = name_length(a);

	return length == name_length(b) && strncasecmp(a, b, length) == 0;
}

/* Is `domain` the name, or above it? */
static bool is_above(const char *domain, const char *name)
{
	size_t bytes = name_length(domain), of_name = name_length(name);

	if (bytes == 0 || bytes > of_name ||
	    strncasecmp(name + of_name - bytes, domain, bytes) != 0)
		return false;
	return bytes == of_name || name[of_name - bytes - 1] == '.';
}

static const struct json *field_find(const struct json *value, const char *field)
{
	while (value && *field) {
		char name[CATALOGUE_MEMBER_BYTES];
		size_t length = strcspn(field, ".");

		memcpy(name, field, length);
		name[length] = '\0';
		value = json_get(value, name);
		field += length + (field[length] == '.');
	}
	return value;
}

/* Some leave out what is empty, as the host of the domain itself: that is null to us. */
static const char *field_text(const struct json *value, const char *field,
			      char room[PATH_ROOM_BYTES])
{
	const struct json *at = field_find(value, field);

	if (at ? json_kind(at) == JSON_NULL : json_kind(value) == JSON_OBJECT)
		return "";
	return path_text(at, room);
}

/* How well the fields fit: 0 not at all, else more the longer a '~' field is. */
static size_t match(const struct json *value, const struct path_part *part)
{
	size_t score = 1;

	for (size_t i = 0; i < part->field_count; i++) {
		const struct path_field *field = &part->fields[i];
		char room[PATH_ROOM_BYTES];
		const char *text = field_text(value, field->name, room);

		if (!text)
			return 0;
		if (field->above ? !is_above(text, field->text)
				 : !same_name(text, field->text))
			return 0;
		score += field->above ? name_length(text) : 0;
	}
	return score;
}

static const struct json *match_find(const struct json *value,
				     const struct path_part *part)
{
	const struct json *best = NULL;
	size_t most = 0;

	for (value = json_child(value); value; value = json_next(value)) {
		size_t score = match(value, part);

		if (score > most) {
			most = score;
			best = value;
		}
	}
	return best;
}

static const struct json *element_find(const struct json *value, size_t index)
{
	if (json_kind(value) != JSON_ARRAY)
		return NULL;
	for (value = json_child(value); value && index > 0; index--)
		value = json_next(value);
	return value;
}

static const struct json *follow(const struct json *value, const struct path_part *part,
				 size_t left);

/* Each member is tried until one leads on. */
static const struct json *follow_any(const struct json *value,
				     const struct path_part *part, size_t left)
{
	const struct json *found = NULL;

	if (left > 0 && part->kind == PATH_MATCH)
		found = follow(value, part, left);
	for (value = json_child(value); !found && value; value = json_next(value))
		found = follow(value, part, left);
	return found;
}

static const struct json *follow(const struct json *value, const struct path_part *part,
				 size_t left)
{
	for (; value && left > 0; part++, left--) {
		switch (part->kind) {
		case PATH_MEMBER:
			value = json_get(value, part->name);
			break;
		case PATH_ELEMENT:
			value = element_find(value, part->element);
			break;
		case PATH_MATCH:
			value = match_find(value, part);
			break;
		case PATH_ANY:
			return follow_any(value, part + 1, left - 1);
		}
	}
	return value && json_kind(value) != JSON_NULL ? value : NULL;
}

const struct json *path_find(const struct path *path, const struct json *root)
{
	return follow(root, path->parts, path->count);
}
