/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "schema.h"

enum { KEYS_MAX = 64 };

const struct schema_field *schema_find(const struct schema_field *fields, const char *key)
{
	for (; fields->key; fields++)
		if (strcmp(fields->key, key) == 0)
			return fields;
	return NULL;
}

/* "a, b, c", as far as there is room. */
static const char *join(char *out, size_t out_bytes, const char *const *words)
{
	size_t length = 0;

	out[0] = '\0';
	for (size_t i = 0; words[i] && length < out_bytes; i++) {
		int more = snprintf(out + length, out_bytes - length, "%s%s",
				    i ? ", " : "", words[i]);

		length += more > 0 ? (size_t)more : out_bytes;
	}
	return out;
}

void schema_unknown(struct reading *reading, const struct json *member,
		    const struct schema_field *fields, const char *const *more,
		    const char *where)
{
	const char *known[KEYS_MAX + 1] = { 0 };
	const char *key = json_key(member), *nearest;
	char list[400];
	size_t count = 0;

	for (; fields->key && count < KEYS_MAX; fields++)
		known[count++] = fields->key;
	for (size_t i = 0; more && more[i] && count < KEYS_MAX; i++)
		known[count++] = more[i];
	nearest = text_nearest(key, known);
	if (nearest)
		reading_error(reading, member,
			      "unknown key \"%s\"%s; did you mean \"%s\"?",
			      shown(key).text, where, nearest);
	else if (more && *more)
		reading_error(reading, member,
			      "unknown key \"%s\"%s; it takes %s, and what "
			      "hairpind.json(5) says of all types",
			      shown(key).text, where, join(list, sizeof list, more));
	else
		reading_error(reading, member, "unknown key \"%s\"%s; known are %s",
			      shown(key).text, where, join(list, sizeof list, known));
}

void schema_read(struct reading *reading, const struct json *object,
		 const struct schema_field *fields, void *target)
{
	const struct json *member = json_child(object);

	for (; member; member = json_next(member)) {
		const struct schema_field *field = schema_find(fields, json_key(member));

		if (field)
			field->read(reading, member, (char *)target + field->offset,
				    field);
		else
			schema_unknown(reading, member, fields, NULL, "");
	}
}

bool schema_expect(struct reading *reading, const struct json *value, enum json_kind kind,
		   const char *example)
{
	char name[72] = "";

	if (json_kind(value) == kind)
		return true;
	if (json_key(value))
		snprintf(name, sizeof name, "\"%.60s\" ", shown(json_key(value)).text);
	reading_error(reading, value, "%smust be %s, not %s; write it as %s", name,
		      json_kind_name(kind), json_kind_name(json_kind(value)), example);
	return false;
}

const char *schema_string(struct reading *reading, const struct json *value,
			  const char *example)
{
	if (!schema_expect(reading, value, JSON_STRING, example))
		return NULL;
	return json_string(value);
}

void schema_bool(struct reading *reading, const struct json *value, void *target,
		 const struct schema_field *field)
{
	(void)field;
	if (schema_expect(reading, value, JSON_BOOL, "true or false"))
		(void)json_bool(value, target);
}

void schema_long(struct reading *reading, const struct json *value, void *target,
		 const struct schema_field *field)
{
	long *number = target;
	int64_t found;

	if (!schema_expect(reading, value, JSON_NUMBER, "digits without quotes"))
		return;
	if (json_integer(value, field->min, field->max, &found))
		*number = (long)found;
	else
		reading_error(reading, value,
			      "\"%s\" is out of range; write a whole number "
			      "from %lld to %lld",
			      field->key, (long long)field->min, (long long)field->max);
}

void schema_duration(struct reading *reading, const struct json *value, void *target,
		     const struct schema_field *field)
{
	const char *string =
		schema_string(reading, value, "\"30s\", \"10m\", \"6h\" or \"25d\"");
	char from[24], to[24];
	int64_t ms;

	if (!string)
		return;
	if (!text_parse_duration(string, &ms))
		reading_error(reading, value,
			      "\"%s\" is no duration; write a number and a unit, "
			      "as \"30s\", \"10m\", \"6h\" or \"25d\"",
			      shown(string).text);
	else if (ms < field->min || ms > field->max)
		reading_error(reading, value, "\"%s\" is out of range; write %s to %s",
			      field->key, text_format_duration(field->min, from),
			      text_format_duration(field->max, to));
	else
		*(int64_t *)target = ms;
}

bool schema_is_printable(const char *string, size_t length)
{
	char escaped[8];

	/* text_escape() changes what is not printable, and backslashes. */
	while (length > 0) {
		size_t bytes = 1;

		while (bytes < length && ((unsigned char)string[bytes] & 0xc0) == 0x80)
			bytes++;
		if (bytes > 4)
			return false;
		text_escape(escaped, sizeof escaped, string, bytes);
		if (*string != '\\' &&
		    (strlen(escaped) != bytes || memcmp(escaped, string, bytes) != 0))
			return false;
		string += bytes;
		length -= bytes;
	}
	return true;
}

bool schema_join(char *out, size_t out_bytes, const char *directory, const char *relative)
{
	int length;

	if (relative[0] == '/' || !directory)
		return text_copy(out, out_bytes, relative);
	length = snprintf(out, out_bytes, "%s/%s",
			  strcmp(directory, "/") == 0 ? "" : directory, relative);
	return length > 0 && (size_t)length < out_bytes;
}

void schema_path(struct reading *reading, const struct json *value, void *target,
		 const struct schema_field *field)
{
	const char *string = schema_string(reading, value, "a path in quotes");
	char path[CONFIG_PATH_BYTES];

	if (!string)
		return;
	if (!schema_is_printable(string, strlen(string)))
		reading_error(reading, value,
			      "\"%s\" holds a control character; write a plain "
			      "path",
			      field->key);
	else if (*string == '\0' && field->min > 0)
		reading_error(reading, value,
			      "\"%s\" is empty; write a path or leave the key out",
			      field->key);
	else if (*string == '\0')
		*(char *)target = '\0';
	else if (!schema_join(path, sizeof path, reading->source->directory, string) ||
		 !text_copy(target, (size_t)field->max, path))
		reading_error(reading, value, "the path is too long; at most %lld bytes",
			      (long long)field->max - 1);
}

static bool is_label(const char *string)
{
	for (; *string; string++)
		if (!(*string >= 'a' && *string <= 'z') &&
		    !(*string >= 'A' && *string <= 'Z') &&
		    !(*string >= '0' && *string <= '9') && !strchr("._-", *string))
			return false;
	return true;
}

void schema_label(struct reading *reading, const struct json *value, void *target,
		  const struct schema_field *field)
{
	const char *string = schema_string(reading, value, "text in quotes");

	if (!string)
		return;
	if (*string == '\0' || !is_label(string) || *string == '-')
		reading_error(reading, value,
			      "\"%s\" is no name; use letters, digits, '.', '_' "
			      "and '-'",
			      shown(string).text);
	else if (!text_copy(target, (size_t)field->max, string))
		reading_error(reading, value, "the name is too long; at most %lld bytes",
			      (long long)field->max - 1);
}

void schema_user(struct reading *reading, const struct json *value, void *target,
		 const struct schema_field *field)
{
	const char *string = schema_string(reading, value, "a name in quotes");

	if (string && *string == '\0')
		*(char *)target = '\0';
	else if (string)
		schema_label(reading, value, target, field);
}

void schema_families(struct reading *reading, const struct json *value, void *target,
		     const struct schema_field *field)
{
	const struct json *item = json_child(value);
	unsigned families = 0;

	(void)field;
	if (!schema_expect(reading, value, JSON_ARRAY, "[\"ipv4\", \"ipv6\"]"))
		return;
	if (!item)
		reading_error(reading, value,
			      "\"families\" is empty; name one or leave it out");
	for (; item; item = json_next(item)) {
		const char *name = schema_string(reading, item, "\"ipv4\" or \"ipv6\"");
		unsigned family = 0;

		if (!name)
			return;
		if (strcmp(name, "ipv4") == 0)
			family = CONFIG_IPV4;
		else if (strcmp(name, "ipv6") == 0)
			family = CONFIG_IPV6;
		else
			reading_error(reading, item,
				      "unknown family \"%s\"; write \"ipv4\" or "
				      "\"ipv6\"",
				      shown(name).text);
		if (families & family)
			reading_error(reading, item,
				      "\"%s\" stands here twice; once is enough", name);
		families |= family;
	}
	*(unsigned *)target = families;
}
