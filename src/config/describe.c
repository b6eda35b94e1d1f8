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

int describe_no_memory(struct describing *describing)
{
	return err_set(describing->err, -ENOMEM, "no memory");
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
		result = field->read(describing, member, (char *)target + field->offset,
				     field);
	}
	return result;
}

int describe_list(struct describing *describing, const struct json *list,
		  enum json_kind kind, const char *what,
		  int (*read)(struct describing *describing, const struct json *item,
			      void *target),
		  void *target)
{
	const struct json *item = json_child(list);
	int result = 0;

	if (json_kind(list) != kind)
		return describe_error(describing, list, "\"%s\" must be %s, not %s",
				      what, json_kind_name(kind),
				      json_kind_name(json_kind(list)));
	for (; result == 0 && item; item = json_next(item))
		result = read(describing, item, target);
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
		return describe_no_memory(describing);
	free(*(char **)target);
	*(char **)target = copy;
	return 0;
}

int describe_string_or_empty(struct describing *describing, const struct json *value,
			     void *target, const struct describe_field *field)
{
	const char *string = json_string(value);
	char *empty;

	if (!string || *string)
		return describe_string(describing, value, target, field);
	empty = strdup("");
	if (!empty)
		return describe_no_memory(describing);
	free(*(char **)target);
	*(char **)target = empty;
	return 0;
}

int describe_enum(struct describing *describing, const struct json *value, void *target,
		  const struct describe_field *field)
{
	int word = describe_word(describing, value, field->words);

	if (word < 0)
		return word;
	*(unsigned *)target = (unsigned)word;
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

bool describe_is_word(const char *word, char more)
{
	const char *c = word;

	for (; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') &&
		    !(*c == more && c > word))
			return false;
	return c > word && c - word < CATALOGUE_NAME_BYTES;
}

/* Keys of every entry, and placeholders of the language. */
static bool is_reserved(const char *name)
{
	static const char *const words[] = {
		"type", "name", "wan", "hostnames", "families", "refresh", "broken",
		"min_interval", "private_server", "ca_file", "ca_pem", "timeout",
		"user_agent", "allow_private", "insecure_http", "check", "hostname",
		"ip", "ipv4", "ipv6", "rrtype", "owner", "owner_or_empty", "each",
		"page", "unix_time", "iso_time", "http_date", "uuid", "nonce", "jwt",
		NULL,
	};

	for (size_t i = 0; words[i]; i++)
		if (strcmp(words[i], name) == 0)
			return true;
	return false;
}

int describe_name(struct describing *describing, const struct json *member,
		  char ret_name[CATALOGUE_NAME_BYTES])
{
	const char *name = json_key(member);

	if (!describe_is_word(name, '_') || *name < 'a')
		return describe_error(describing, member,
				      "\"%s\" is no name for a placeholder; use at most "
				      "%d lower-case letters, digits and '_'",
				      shown(name).text, CATALOGUE_NAME_BYTES - 1);
	if (is_reserved(name))
		return describe_error(describing, member,
				      "\"%s\" has a meaning of its own; "
				      "choose another name", name);
	(void)text_copy(ret_name, CATALOGUE_NAME_BYTES, name);
	return 0;
}
