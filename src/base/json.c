/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/json.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/secret.h"
#include "hairpin/text.h"
#include "json_scan.h"

/* From 2^53 on a double skips integers. */
static const double exact_end = 9007199254740992.0;

static const cJSON *inner(const struct json *value)
{
	return (const cJSON *)value;
}

static const struct json *outer(const cJSON *item)
{
	return (const struct json *)item;
}

/* --- places ------------------------------------------------------------------------ */

static struct json_place place_of(const char *text, size_t at)
{
	struct json_place place = { 1, 1 };

	for (size_t i = 0; i < at; i++) {
		place.column++;
		if (text[i] == '\n') {
			place.line++;
			place.column = 1;
		}
	}
	return place;
}

/* The indexes that lead from `item` to `wanted`; the number of levels, or -1. */
static int find_path(const cJSON *item, const cJSON *wanted, unsigned *path, int level)
{
	unsigned index = 0;

	if (item == wanted)
		return level;
	if (level == JSON_MAX_DEPTH)
		return -1;
	for (const cJSON *child = item->child; child; child = child->next, index++) {
		int found = find_path(child, wanted, path, level + 1);

		if (found >= 0) {
			path[level] = index;
			return found;
		}
	}
	return -1;
}

bool json_locate(const char *text, size_t length, const struct json *root,
		 const struct json *value, struct json_place *ret_place)
{
	unsigned path[JSON_MAX_DEPTH];
	struct json_scan scan = { .length = length };
	int levels = root && value ? find_path(inner(root), inner(value), path, 0) : -1;
	char *copy;
	bool found;

	if (levels < 0 || length > JSON_MAX_BYTES)
		return false;
	copy = malloc(length + 1);
	if (!copy)
		return false;
	memcpy(copy, text, length);
	scan.text = copy;
	found = json_scan_relax(copy, length, &scan) &&
		json_scan_follow(&scan, path, (unsigned)levels);
	if (found)
		*ret_place = place_of(copy, scan.at);
	secret_wipe(copy, length);
	free(copy);
	return found;
}

/* --- duplicate keys ---------------------------------------------------------------- */

static int compare_keys(const void *a, const void *b)
{
	const cJSON *const *first = a, *const *second = b;

	return strcmp((*first)->string, (*second)->string);
}

/* Sorting may turn two members around, and the later one is to blame. */
static const cJSON *last_of_key(const cJSON *object, const char *key)
{
	const cJSON *last = NULL;

	for (const cJSON *member = object->child; member; member = member->next)
		if (strcmp(member->string, key) == 0)
			last = member;
	return last;
}

/* Sorted and not member against member: 100,000 keys fit into a hostile document. */
static int each_duplicate_here(const cJSON *object, json_duplicate_fn *fn, void *context)
{
	size_t count = (size_t)cJSON_GetArraySize(object), i = 0;
	const cJSON **members;

	if (count < 2)
		return 0;
	members = calloc(count, sizeof(*members));
	if (!members)
		return -ENOMEM;
	for (const cJSON *member = object->child; member; member = member->next)
		members[i++] = member;
	qsort(members, count, sizeof(*members), compare_keys);
	for (i = 1; i < count; i++) {
		bool same = compare_keys(&members[i - 1], &members[i]) == 0;
		bool last = i + 1 == count || compare_keys(&members[i], &members[i + 1]) != 0;

		if (same && last)
			fn(context, outer(last_of_key(object, members[i]->string)));
	}
	free(members);
	return 0;
}

int json_each_duplicate(const struct json *value, json_duplicate_fn *fn, void *context)
{
	const cJSON *item = inner(value);
	int r = cJSON_IsObject(item) ? each_duplicate_here(item, fn, context) : 0;

	for (const cJSON *child = item->child; r == 0 && child; child = child->next)
		r = json_each_duplicate(outer(child), fn, context);
	return r;
}

static void keep_first(void *context, const struct json *member)
{
	const struct json **first = context;

	if (!*first)
		*first = member;
}

/* --- parsing ----------------------------------------------------------------------- */

static void set_error(struct json_error *error, struct json_place place,
		      const char *wrong)
{
	error->place = place;
	error->no_memory = false;
	snprintf(error->text, sizeof(error->text), "%s", wrong);
}

static void set_no_memory(struct json_error *error)
{
	set_error(error, (struct json_place){ 1, 1 }, "no memory to read it");
	error->no_memory = true;
}

static void set_duplicate(struct json_error *error, const char *text, size_t length,
			  const cJSON *root, const struct json *duplicate)
{
	struct json_place place = { 1, 1 };
	const char *key = json_key(duplicate);
	char shown[100];

	json_locate(text, length, outer(root), duplicate, &place);
	error->place = place;
	error->no_memory = false;
	snprintf(error->text, sizeof(error->text), "the key \"%s\" stands here twice",
		 text_escape(shown, sizeof(shown), key, strlen(key)));
}

/* Does a double print as just this? So do whole numbers of 15 digits. */
static bool is_plain_number(const char *digits, size_t length)
{
	size_t sign = length > 0 && digits[0] == '-';

	for (size_t i = sign; i < length; i++)
		if (digits[i] < '0' || digits[i] > '9')
			return false;
	return length - sign <= 15 && !(sign && digits[1] == '0');
}

/*
 * A double loses digits: the record ids of some services have 18. What it would lose is
 * kept where cJSON has the text of strings. Text and tree have their numbers in the same
 * order.
 */
static bool keep_digits(cJSON *item, struct json_scan *scan)
{
	size_t start, length;

	for (cJSON *child = item->child; child; child = child->next)
		if (!keep_digits(child, scan))
			return false;
	if (!cJSON_IsNumber(item))
		return true;
	if (!json_scan_number(scan, &start))
		return false;
	length = scan->at - start;
	if (is_plain_number(scan->text + start, length))
		return true;
	item->valuestring = cJSON_malloc(length + 1);
	if (!item->valuestring)
		return false;
	memcpy(item->valuestring, scan->text + start, length);
	item->valuestring[length] = '\0';
	return true;
}

/* What the walk over the text has accepted becomes a tree. */
static cJSON *build(const char *text, size_t length, enum json_form form,
		    struct json_error *ret_error)
{
	struct json_scan numbers = { .text = text, .length = length };
	const struct json *duplicate = NULL;
	cJSON *root = cJSON_ParseWithLengthOpts(text, length, NULL, 0);

	if (!root || !keep_digits(root, &numbers) || (form != JSON_TOLERANT &&
		      json_each_duplicate(outer(root), keep_first, &duplicate) < 0))
		set_no_memory(ret_error);
	else if (duplicate)
		set_duplicate(ret_error, text, length, root, duplicate);
	else
		return root;
	json_wipe_free((struct json *)root);
	return NULL;
}

static cJSON *parse_strict(const char *text, size_t length, enum json_form form,
			   struct json_error *ret_error)
{
	struct json_scan scan = { .text = text, .length = length };

	if (!json_scan_document(&scan)) {
		set_error(ret_error, place_of(text, scan.at), scan.wrong);
		return NULL;
	}
	return build(text, length, form, ret_error);
}

static cJSON *parse_relaxed(const char *text, size_t length, enum json_form form,
			    struct json_error *ret_error)
{
	struct json_scan scan = { .length = length };
	char *copy = malloc(length + 1);
	cJSON *root = NULL;

	if (!copy) {
		set_no_memory(ret_error);
		return NULL;
	}
	if (length > 0)
		memcpy(copy, text, length);
	if (json_scan_relax(copy, length, &scan))
		root = parse_strict(copy, length, form, ret_error);
	else
		set_error(ret_error, place_of(copy, scan.at), scan.wrong);
	secret_wipe(copy, length);
	free(copy);
	return root;
}

struct json *json_parse(const char *text, size_t length, enum json_form form,
			struct json_error *ret_error)
{
	if (length > JSON_MAX_BYTES) {
		set_error(ret_error, (struct json_place){ 1, 1 }, "longer than 1 MiB");
		return NULL;
	}
	if (form == JSON_STRICT)
		return (struct json *)parse_strict(text, length, form, ret_error);
	return (struct json *)parse_relaxed(text, length, form, ret_error);
}

void json_free(struct json *root)
{
	cJSON_Delete((cJSON *)root);
}

static void wipe_strings(cJSON *item)
{
	for (; item; item = item->next) {
		if (item->valuestring)
			secret_wipe(item->valuestring, strlen(item->valuestring));
		wipe_strings(item->child);
	}
}

void json_wipe_free(struct json *root)
{
	wipe_strings((cJSON *)root);
	json_free(root);
}

/* --- reading ----------------------------------------------------------------------- */

enum json_kind json_kind(const struct json *value)
{
	const cJSON *item = inner(value);

	if (cJSON_IsBool(item))
		return JSON_BOOL;
	if (cJSON_IsNumber(item))
		return JSON_NUMBER;
	if (cJSON_IsString(item))
		return JSON_STRING;
	if (cJSON_IsArray(item))
		return JSON_ARRAY;
	return cJSON_IsObject(item) ? JSON_OBJECT : JSON_NULL;
}

const char *json_kind_name(enum json_kind kind)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",
		[JSON_BOOL] = "true or false",
		[JSON_NUMBER] = "a number",
		[JSON_STRING] = "a string",
		[JSON_ARRAY] = "an array",
		[JSON_OBJECT] = "an object",
	};

	return names[kind];
}

const struct json *json_get(const struct json *object, const char *key)
{
	if (!cJSON_IsObject(inner(object)))
		return NULL;
	return outer(cJSON_GetObjectItemCaseSensitive(inner(object), key));
}

const struct json *json_child(const struct json *value)
{
	return value ? outer(inner(value)->child) : NULL;
}

const struct json *json_next(const struct json *value)
{
	return value ? outer(inner(value)->next) : NULL;
}

const char *json_key(const struct json *member)
{
	return member ? inner(member)->string : NULL;
}

size_t json_count(const struct json *value)
{
	return value ? (size_t)cJSON_GetArraySize(inner(value)) : 0;
}

const char *json_string(const struct json *value)
{
	return cJSON_IsString(inner(value)) ? inner(value)->valuestring : NULL;
}

bool json_integer(const struct json *value, int64_t min, int64_t max, int64_t *ret)
{
	double number;
	int64_t integer;

	if (!cJSON_IsNumber(inner(value)))
		return false;
	number = inner(value)->valuedouble;
	if (number <= -exact_end || number >= exact_end)
		return false;
	integer = (int64_t)number;
	if ((double)integer != number || integer < min || integer > max)
		return false;
	*ret = integer;
	return true;
}

const char *json_number(const struct json *value, char room[JSON_NUMBER_BYTES])
{
	const cJSON *item = inner(value);

	if (!cJSON_IsNumber(item))
		return NULL;
	if (item->valuestring)
		return item->valuestring;
	snprintf(room, JSON_NUMBER_BYTES, "%.0f", item->valuedouble);
	return room;
}

bool json_bool(const struct json *value, bool *ret)
{
	if (!cJSON_IsBool(inner(value)))
		return false;
	*ret = cJSON_IsTrue(inner(value));
	return true;
}
