/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/json.h"
#include "hairpin/text.h"
#include "utf8.h"

/*
 * cJSON keeps a value's kind in the lowest 8 bits of `type` and two flags above them.
 * This bit of ours marks an object or array that should hold more than it does, for want
 * of memory.
 */
enum { INCOMPLETE = 1 << 24 };

static const int64_t all_digits_end = INT64_C(1000000000000000);

static cJSON *inner(struct json *value)
{
	return (cJSON *)value;
}

struct json *json_new_object(void)
{
	return (struct json *)cJSON_CreateObject();
}

struct json *json_new_array(void)
{
	return (struct json *)cJSON_CreateArray();
}

static bool is_utf8(const char *string)
{
	const unsigned char *at = (const unsigned char *)string;
	size_t rest = strlen(string), count;
	uint32_t code;

	for (; rest > 0; rest -= count, at += count) {
		count = utf8_decode(at, rest, &code);
		if (count == 0)
			return false;
	}
	return true;
}

/* Each byte that is no UTF-8 becomes U+FFFD. */
static void add_repaired(struct text *repaired, const char *string)
{
	const unsigned char *at = (const unsigned char *)string;
	size_t rest = strlen(string), count;
	uint32_t code;

	for (; rest > 0; rest -= count, at += count) {
		count = utf8_decode(at, rest, &code);
		if (count > 0) {
			text_add_bytes(repaired, at, count);
		} else {
			text_add(repaired, "\xef\xbf\xbd");
			count = 1;
		}
	}
}

struct json *json_new_string(const char *string)
{
	TEXT_CLEANUP struct text repaired = TEXT_INIT;

	if (is_utf8(string))
		return (struct json *)cJSON_CreateString(string);
	add_repaired(&repaired, string);
	if (repaired.failed)
		return NULL;
	return (struct json *)cJSON_CreateString(repaired.bytes);
}

struct json *json_copy(const struct json *value)
{
	cJSON *copy = cJSON_Duplicate((const cJSON *)value, 1);

	/* Its key stays behind: the copy may become an element. */
	if (copy && copy->string) {
		cJSON_free(copy->string);
		copy->string = NULL;
	}
	return (struct json *)copy;
}

struct json *json_add(struct json *object, const char *key, struct json *take)
{
	cJSON_bool added = 0;

	if (object && take) {
		if (key)
			added = cJSON_AddItemToObject(inner(object), key, inner(take));
		else
			added = cJSON_AddItemToArray(inner(object), inner(take));
	}
	if (added)
		return take;
	if (object)
		inner(object)->type |= INCOMPLETE;
	json_free(take);
	return NULL;
}

void json_add_string(struct json *object, const char *key, const char *string)
{
	json_add(object, key,
		 string ? json_new_string(string) : (struct json *)cJSON_CreateNull());
}

void json_add_integer(struct json *object, const char *key, int64_t number)
{
	char digits[24];

	/* Some cJSON print 15 digits of a number, and microseconds since 1970 have 16. */
	if (number > -all_digits_end && number < all_digits_end) {
		json_add(object, key, (struct json *)cJSON_CreateNumber((double)number));
		return;
	}
	snprintf(digits, sizeof(digits), "%" PRId64, number);
	json_add(object, key, (struct json *)cJSON_CreateRaw(digits));
}

void json_add_bool(struct json *object, const char *key, bool value)
{
	json_add(object, key, (struct json *)cJSON_CreateBool(value));
}

void json_add_null(struct json *object, const char *key)
{
	json_add(object, key, (struct json *)cJSON_CreateNull());
}

void json_remove(struct json *object, const char *key)
{
	if (object)
		cJSON_DeleteItemFromObjectCaseSensitive(inner(object), key);
}

static bool is_complete(const cJSON *item)
{
	if (item->type & INCOMPLETE)
		return false;
	for (const cJSON *child = item->child; child; child = child->next)
		if (!is_complete(child))
			return false;
	return true;
}

char *json_print(const struct json *value, bool indented)
{
	const cJSON *item = (const cJSON *)value;

	if (!item || !is_complete(item))
		return NULL;
	return indented ? cJSON_Print(item) : cJSON_PrintUnformatted(item);
}

void json_print_take(struct text *text, struct json *take)
{
	char *printed = json_print(take, false);

	json_free(take);
	if (!printed)
		text->failed = true;
	else
		text_add(text, printed);
	free(printed);
}
