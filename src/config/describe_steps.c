/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What makes a request a step: "when" it is taken, what it reads and keeps, its pages.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "problem.h"

/* --- when --- */

/* Whether something sets that name is asked when all steps are known. */
static int read_name(struct describing *describing, const struct json *value,
		     void *target, const struct describe_field *field)
{
	const char *name = json_string(value);

	if (!name || !describe_is_word(name, '_'))
		return describe_error(describing, value,
				      "\"%s\" must be the name of what a step before "
				      "reads, or of a setting", field->key);
	(void)text_copy(target, CATALOGUE_NAME_BYTES, name);
	return 0;
}

static int read_apex(struct describing *describing, const struct json *value,
		     void *target, const struct describe_field *field)
{
	struct catalogue_when *when = target;
	bool only = false;
	int result = describe_bool(describing, value, &only, field);

	if (result == 0)
		when->apex = only ? CATALOGUE_APEX_ONLY : CATALOGUE_APEX_NOT;
	return result;
}

#define AT(member) offsetof(struct catalogue_when, member)

static const struct describe_field when_fields[] = {
	{ "missing", read_name, AT(missing), 0, 0, NULL },
	{ "found", read_name, AT(found), 0, 0, NULL },
	{ "differs", read_name, AT(differs), 0, 0, NULL },
	{ "apex", read_apex, 0, 0, 0, NULL },
	{ 0 },
};
#undef AT

int describe_when(struct describing *describing, const struct json *value, void *target,
		  const struct describe_field *field)
{
	static const char *const words[] = { "last", NULL };
	struct catalogue_when *when = target;
	int result;

	(void)field;
	if (json_kind(value) == JSON_STRING) {
		result = describe_word(describing, value, words);
		when->last = result == 0;
		return result;
	}
	if (json_kind(value) == JSON_OBJECT && json_count(value) == 0)
		return describe_error(describing, value,
				      "\"when\" is empty; leave it out for always");
	return describe_read(describing, value, when_fields, "\"when\"", when);
}

/* --- read, keep --- */

static const struct describe_field spot_fields[] = {
	{ "json", describe_skip, 0, 0, 0, NULL },
	{ "header", describe_skip, 0, 0, 0, NULL },
	{ "regex", describe_skip, 0, 0, 0, NULL },
	{ 0 },
};

static int read_read(struct describing *describing, const struct json *member,
		     void *target)
{
	struct catalogue_step *step = target;
	struct catalogue_read *read = &step->reads[step->read_count];
	int result;

	if (step->read_count == CATALOGUE_READS_MAX)
		return describe_error(describing, member,
				      "too many values of one step; at most %d",
				      CATALOGUE_READS_MAX);
	step->read_count++;
	result = describe_name(describing, member, read->name);
	if (result == 0)
		result = describe_read(describing, member, spot_fields,
				       "what a step reads", read);
	if (result == 0)
		result = describe_spot(describing, member, &read->spot);
	if (result == 0 && !read->spot.path)
		return describe_error(describing, member,
				      "where does it stand? Write {\"json\": PATH}, "
				      "{\"header\": NAME} or {\"regex\": EXPRESSION}");
	return result;
}

int describe_reads(struct describing *describing, const struct json *value, void *target,
		   const struct describe_field *field)
{
	return describe_list(describing, value, JSON_OBJECT, field->key, read_read,
			     target);
}

bool catalogue_sounds_secret(const char *name)
{
	static const char *const words[] = { "token", "session", "key", "secret", "passw",
					     "cookie", "auth", "jwt" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(name, words[i]))
			return true;
	return false;
}

static int read_kept(struct describing *describing, const struct json *item, void *target)
{
	struct catalogue_step *step = target;
	const char *name = json_string(item);

	for (size_t i = 0; name && i < step->read_count; i++) {
		if (strcmp(step->reads[i].name, name) != 0)
			continue;
		if (catalogue_sounds_secret(name))
			return describe_error(describing, item,
					      "\"%s\" sounds like a secret, which is not "
					      "kept in a file; read it each time", name);
		step->reads[i].keep = true;
		return 0;
	}
	return describe_error(describing, item,
			      "\"keep\" names what this step reads; \"%s\" is not there",
			      shown(name ? name : "").text);
}

int describe_keep(struct describing *describing, const struct json *step_object,
		  struct catalogue_step *step)
{
	const struct json *keep = json_get(step_object, "keep");

	if (!keep)
		return 0;
	return describe_list(describing, keep, JSON_ARRAY, "keep", read_kept, step);
}

/* --- pages --- */

static int read_number(struct describing *describing, const struct json *value,
		       void *target, const struct describe_field *field)
{
	unsigned number = 0;
	int result = describe_number(describing, value, &number, field);

	if (result == 0)
		*(long *)target = (long)number;
	return result;
}

/* field->min is the enum catalogue_pages_by. */
static int read_pages_path(struct describing *describing, const struct json *value,
			   void *target, const struct describe_field *field)
{
	struct catalogue_pages *pages = target;

	if (pages->by != CATALOGUE_ONE_PAGE)
		return describe_error(describing, value,
				      "one of \"items\", \"next\" and \"next_url\" at a "
				      "time");
	pages->by = (enum catalogue_pages_by)field->min;
	return describe_path(describing, value, &pages->spot);
}

#define AT(member) offsetof(struct catalogue_pages, member)

static const struct describe_field pages_fields[] = {
	{ "items", read_pages_path, 0, CATALOGUE_COUNTED, 0, NULL },
	{ "next", read_pages_path, 0, CATALOGUE_NEXT, 0, NULL },
	{ "next_url", read_pages_path, 0, CATALOGUE_NEXT_URL, 0, NULL },
	{ "size", read_number, AT(size), 1, 10000, NULL },
	{ "first", read_number, AT(first), 0, 10000, NULL },
	{ "by", read_number, AT(step), 1, 10000, NULL },
	{ 0 },
};
#undef AT

int describe_pages(struct describing *describing, const struct json *value, void *target,
		   const struct describe_field *field)
{
	struct catalogue_pages *pages = target;
	int result = describe_read(describing, value, pages_fields, "\"pages\"", pages);
	bool numbers = pages->size || json_get(value, "first") || pages->step;

	(void)field;
	if (result < 0)
		return result;
	if (pages->by == CATALOGUE_ONE_PAGE)
		return describe_error(describing, value,
				      "\"pages\" needs \"items\", \"next\" or "
				      "\"next_url\"");
	if (pages->by != CATALOGUE_COUNTED && numbers)
		return describe_error(describing, value,
				      "\"size\", \"first\" and \"by\" belong to "
				      "\"items\"");
	if (pages->by != CATALOGUE_COUNTED)
		return 0;
	if (pages->size == 0)
		return describe_error(describing, value,
				      "\"size\" is missing: how many items a full page "
				      "has");
	if (!json_get(value, "first"))
		pages->first = 1;
	if (pages->step == 0)
		pages->step = 1;
	return 0;
}
