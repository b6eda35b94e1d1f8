/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "problem.h"
#include "schema.h"

enum { KEYS_MAX = 32, DURATION_MAX_DAYS = 400 };

int describe_error(struct describing *describing, const struct json *value,
		   const char *format, ...)
{
	struct json_place place = { .line = 1, .column = 1 };
	char sentence[400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	(void)json_locate(describing->text, describing->length, describing->root, value,
			  &place);
	return err_set(describing->err, -EINVAL, "%u:%u: %s", place.line, place.column,
		       sentence);
}

static int unknown_key(struct describing *describing, const struct json *member,
		       const struct describe_field *fields, const char *where)
{
	const char *known[KEYS_MAX + 1] = { 0 };
	const char *nearest;

	for (size_t i = 0; i < KEYS_MAX && fields[i].key; i++)
		known[i] = fields[i].key;
	nearest = text_nearest(json_key(member), known);
	if (nearest)
		return describe_error(describing, member,
				      "unknown key \"%s\" in %s; did you mean "
				      "\"%s\"?",
				      shown(json_key(member)).text, where, nearest);
	return describe_error(describing, member, "unknown key \"%s\" in %s",
			      shown(json_key(member)).text, where);
}

static int expect(struct describing *describing, const struct json *value,
		  enum json_kind kind)
{
	if (json_kind(value) == kind)
		return 0;
	return describe_error(describing, value, "must be %s, not %s",
			      json_kind_name(kind), json_kind_name(json_kind(value)));
}

int describe_read(struct describing *describing, const struct json *object,
		  const struct describe_field *fields, const char *where, void *target)
{
	const struct json *member = json_child(object);
	int result = expect(describing, object, JSON_OBJECT);

	for (; result == 0 && member; member = json_next(member)) {
		const struct describe_field *field = fields;

		while (field->key && strcmp(field->key, json_key(member)) != 0)
			field++;
		if (!field->key)
			return unknown_key(describing, member, fields, where);
		if (!field->read)
			return describe_error(describing, member,
					      "this version cannot run \"%s\" "
					      "yet; it needs a newer hairpind",
					      field->key);
		result = field->read(describing, member, (char *)target + field->offset,
				     field);
	}
	return result;
}

int describe_bool(struct describing *describing, const struct json *value, void *target,
		  const struct describe_field *field)
{
	(void)field;
	if (json_bool(value, target))
		return 0;
	return expect(describing, value, JSON_BOOL);
}

int describe_number(struct describing *describing, const struct json *value, void *target,
		    const struct describe_field *field)
{
	int64_t number;

	if (!json_integer(value, field->min, field->max, &number))
		return describe_error(describing, value,
				      "\"%s\" must be a whole number from %ld "
				      "to %ld",
				      field->key, field->min, field->max);
	*(unsigned *)target = (unsigned)number;
	return 0;
}

int describe_duration(struct describing *describing, const struct json *value,
		      void *target, const struct describe_field *field)
{
	const int64_t most_ms = DURATION_MAX_DAYS * 24LL * 3600 * 1000;
	const char *string = json_string(value);
	int64_t ms;

	if (!string || !text_parse_duration(string, &ms) || ms > most_ms)
		return describe_error(describing, value,
				      "\"%s\" must be a duration of at most "
				      "%d days, as \"60s\" or \"25d\"",
				      field->key, DURATION_MAX_DAYS);
	*(int64_t *)target = ms;
	return 0;
}

int describe_string(struct describing *describing, const struct json *value, void *target,
		    const struct describe_field *field)
{
	const char *string = json_string(value);
	char *copy;

	if (!string)
		return expect(describing, value, JSON_STRING);
	if (*string == '\0')
		return describe_error(describing, value, "\"%s\" is empty", field->key);
	if (!schema_is_printable(string, strlen(string)))
		return describe_error(describing, value,
				      "\"%s\" holds a control character", field->key);
	if (field->max && strlen(string) >= (size_t)field->max)
		return describe_error(describing, value,
				      "\"%s\" is longer than %ld bytes", field->key,
				      field->max - 1);
	copy = strdup(string);
	if (!copy)
		return err_set(describing->err, -ENOMEM, "no memory");
	free(*(char **)target);
	*(char **)target = copy;
	return 0;
}

int describe_skip(struct describing *describing, const struct json *value, void *target,
		  const struct describe_field *field)
{
	(void)describing;
	(void)value;
	(void)target;
	(void)field;
	return 0;
}

int describe_word(struct describing *describing, const struct json *value,
		  const char *const *words)
{
	const char *string = json_string(value), *nearest;

	if (!string)
		return expect(describing, value, JSON_STRING);
	for (int i = 0; words[i]; i++)
		if (strcmp(words[i], string) == 0)
			return i;
	nearest = text_nearest(string, words);
	return describe_error(describing, value, "unknown word \"%s\"; %s \"%s\"%s",
			      shown(string).text, nearest ? "did you mean" : "one is",
			      nearest ? nearest : words[0], nearest ? "?" : "");
}
