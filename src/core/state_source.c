/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One source in the state file: struct source_saved. */
#include <string.h>

#include "hairpin/json.h"

#include "source.h"
#include "state.h"

/* Numbers beyond this are not exact in JSON. */
#define INTEGER_MAX ((INT64_C(1) << 53) - 1)

/* --- writing --- */

static void add_address(struct json *object, const char *key, const struct addr *address)
{
	char text[ADDR_TEXT_BYTES];

	if (!addr_is_none(address))
		json_add_string(object, key, addr_format(address, text));
}

static void add_list(struct json *object, const char *key, const int64_t *numbers,
		     size_t count)
{
	struct json *array = json_add(object, key, json_new_array());

	for (size_t i = 0; i < count; i++)
		json_add_integer(array, NULL, numbers[i]);
}

struct json *state_format_source(const struct source_saved *saved, uint64_t fingerprint)
{
	struct json *object = json_new_object();

	json_add_integer(object, "wall_s", saved->wall_s);
	json_add_integer(object, "up_ms", saved->up_ms);
	add_address(object, "address", &saved->address);
	add_address(object, "inner", &saved->inner);
	json_add_integer(object, "link", saved->link);
	json_add_integer(object, "found_ms", saved->found_ms);
	json_add_bool(object, "good", saved->good);
	json_add_integer(object, "begun_ms", saved->begun_ms);
	add_list(object, "asked_ms", saved->sent_ms, saved->sent_count);
	add_list(object, "free_ms", saved->free_ms, saved->place_count);
	state_add_fingerprint(object, fingerprint);
	return object;
}

/* --- reading --- */

static bool read_number(const struct json *object, const char *key, int64_t *ret_number)
{
	return json_integer(json_get(object, key), 0, INTEGER_MAX, ret_number);
}

static bool read_list(const struct json *array, int64_t *ret_numbers, size_t max,
		      size_t *ret_count)
{
	const struct json *element = json_child(array);
	size_t count = 0;

	if (!array || json_kind(array) != JSON_ARRAY || json_count(array) > max)
		return false;
	for (; element; element = json_next(element))
		if (!json_integer(element, -INTEGER_MAX, INTEGER_MAX,
				  &ret_numbers[count++]))
			return false;
	*ret_count = count;
	return true;
}

bool state_read_source(const struct json *json, int family,
		       struct source_saved *ret_saved, uint64_t *ret_fingerprint)
{
	struct source_saved saved = { 0 };
	int64_t link;

	if (!read_number(json, "wall_s", &saved.wall_s) ||
	    !read_number(json, "up_ms", &saved.up_ms) ||
	    !state_read_address(json_get(json, "address"), family, &saved.address) ||
	    !state_read_address(json_get(json, "inner"), family, &saved.inner) ||
	    !json_integer(json_get(json, "link"), 0, UINT32_MAX, &link) ||
	    !read_number(json, "found_ms", &saved.found_ms) ||
	    !json_bool(json_get(json, "good"), &saved.good) ||
	    !read_number(json, "begun_ms", &saved.begun_ms) ||
	    !read_list(json_get(json, "asked_ms"), saved.sent_ms, SOURCE_HOUR_MAX,
		       &saved.sent_count) ||
	    !read_list(json_get(json, "free_ms"), saved.free_ms, CONFIG_PLACES_MAX,
		       &saved.place_count) ||
	    !state_read_fingerprint(json, ret_fingerprint))
		return false;
	saved.link = (uint32_t)link;
	if (!source_saved_ok(&saved, family))
		return false;
	*ret_saved = saved;
	return true;
}
