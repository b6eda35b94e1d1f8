/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "condition.h"

#include <string.h>

static bool is_wanted(const struct fill *fill, const struct addr *address)
{
	for (size_t i = 0; i < fill->name_count; i++)
		if (addr_equal(address, &fill->names[i].ipv4) ||
		    addr_equal(address, &fill->names[i].ipv6))
			return true;
	return false;
}

/* The next word of a list; false: there is none. No address: `ret_addr` is none. */
static bool next_address(const char **list, struct addr *ret_addr)
{
	char word[ADDR_TEXT_BYTES];
	size_t length;

	*list += strspn(*list, " ,;");
	length = strcspn(*list, " ,;");
	memset(ret_addr, 0, sizeof(*ret_addr));
	if (length > 0 && length < sizeof(word)) {
		memcpy(word, *list, length);
		word[length] = '\0';
		if (!addr_parse(word, ret_addr))
			memset(ret_addr, 0, sizeof(*ret_addr));
	}
	*list += length;
	return length > 0;
}

static bool is_listed(const char *list, const struct addr *address)
{
	struct addr listed;

	while (next_address(&list, &listed))
		if (addr_equal(&listed, address))
			return true;
	return false;
}

static bool all_are_wanted(const struct fill *fill, const char *list)
{
	struct addr listed;

	while (next_address(&list, &listed))
		if (addr_is_none(&listed) || !is_wanted(fill, &listed))
			return false;
	return true;
}

bool condition_is_wanted(const struct fill *fill, const char *value)
{
	for (size_t i = 0; i < fill->name_count; i++) {
		const struct fill_name *name = &fill->names[i];

		if (!addr_is_none(&name->ipv4) && !is_listed(value, &name->ipv4))
			return false;
		if (!addr_is_none(&name->ipv6) && !is_listed(value, &name->ipv6))
			return false;
	}
	return fill->name_count > 0 && all_are_wanted(fill, value);
}

bool condition_holds(const struct fill *fill, const struct catalogue_when *when)
{
	bool apex = fill_is_apex(fill);

	if (when->missing[0] && fill_knows(fill, when->missing))
		return false;
	if (when->found[0] && !fill_knows(fill, when->found))
		return false;
	if (when->differs[0] && fill_knows(fill, when->differs) &&
	    condition_is_wanted(fill, fill_find(fill, when->differs)))
		return false;
	return when->apex == CATALOGUE_APEX_EITHER ||
	       apex == (when->apex == CATALOGUE_APEX_ONLY);
}

bool condition_is_known(const struct fill *fill, const struct catalogue_step *step)
{
	bool keeps = false;

	if (step->does != CATALOGUE_LOOK)
		return false;
	for (size_t i = 0; i < step->read_count; i++) {
		if (!step->reads[i].keep)
			continue;
		keeps = true;
		if (!fill_knows(fill, step->reads[i].name))
			return false;
	}
	return keeps;
}
