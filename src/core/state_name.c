/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One name in the state file: the addresses of its last good answer. */
#include <string.h>

#include "hairpin/json.h"

#include "core.h"

struct json *state_format_name(const struct name *name)
{
	struct json *object = json_new_object(), *array;
	char text[ADDR_TEXT_BYTES];

	json_add_string(object, "name", name->name);
	array = json_add(object, "addresses", json_new_array());
	for (int which = 0; which < WAN_SIDES; which++) {
		const struct name_side *side = &name->sides[which];

		for (size_t i = 0; i < side->count; i++)
			json_add_string(array, NULL,
					addr_format(&side->addresses[i], text));
	}
	return object;
}

bool state_read_name(const struct json *json, const char **ret_name,
		     struct addr *ret_addresses, size_t *ret_count)
{
	const struct json *addresses = json_get(json, "addresses"), *element;
	const char *name = json_string(json_get(json, "name"));
	size_t count = 0;

	if (!name || !message_is_name(name) || !addresses ||
	    json_kind(addresses) != JSON_ARRAY ||
	    json_count(addresses) > WAN_SIDES * NAMES_ADDRESSES_MAX)
		return false;
	for (element = json_child(addresses); element; element = json_next(element))
		if (!state_read_address(element, 0, &ret_addresses[count]) ||
		    names_refuse(&ret_addresses[count++]))
			return false;
	*ret_name = name;
	*ret_count = count;
	return count > 0;
}
