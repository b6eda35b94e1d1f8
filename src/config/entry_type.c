/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "type" of an entry: its provider's description, or why there is none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"

/* The user's own description is no description: all but its entries goes on. */
static void set_broken(struct reading *reading, const struct json *type,
		       struct config_provider *provider, const char *why)
{
	reading_broken(reading, type, "%s; until that is mended this entry is disabled",
		       why);
	provider->broken = strdup(why);
	reading->no_memory |= !provider->broken;
}

static char *find_description(struct reading *reading, const struct json *type,
			      struct config_provider *provider)
{
	const char *const none[] = { NULL };
	const char *id = json_string(type);
	struct err err = { 0 };
	const char *text;
	char *found = NULL;
	int result;

	if (!reading->load) {
		text = json_string(
			json_get(json_get(reading->source->root, "catalogue"), id));
		if (!text)
			reading_error(reading, type, "no description of \"%s\"",
				      shown(id).text);
		found = text ? strdup(text) : NULL;
		reading->no_memory |= text && !found;
		return found;
	}
	result = catalogue_find(reading->load->catalogue ? reading->load->catalogue : none,
				id, &found, &err);
	if (result == -ENOMEM)
		reading->no_memory = true;
	else if (result == -ENOENT)
		reading_error(reading, type, "%s", err.text);
	else if (result < 0)
		set_broken(reading, type, provider, err.text);
	return found;
}

static void type_shut_down(struct reading *reading, const struct json *type,
			   const struct catalogue *catalogue)
{
	char year[16] = "";

	if (catalogue->ended)
		snprintf(year, sizeof year, " in %d", catalogue->ended);
	reading_error(reading, type, "%s was shut down%s; use %s instead",
		      catalogue->name, year,
		      catalogue->instead ? catalogue->instead : "another provider");
}

struct catalogue *entry_read_type(struct reading *reading, const struct json *object,
				  struct config_provider *provider)
{
	const struct json *type = json_get(object, "type");
	struct catalogue *catalogue;
	struct err err = { 0 };
	int result;

	if (!type) {
		reading_error(reading, object, "\"type\" is missing; name one that "
			      "`hairpinctl providers` lists, as \"duckdns\"");
		return NULL;
	}
	if (!schema_string(reading, type, "a provider's id in quotes"))
		return NULL;
	if (!reading->load && json_get(object, "broken")) {
		(void)text_copy(provider->type, sizeof provider->type, json_string(type));
		return NULL;
	}
	provider->description = find_description(reading, type, provider);
	if (provider->broken)
		(void)text_copy(provider->type, sizeof provider->type, json_string(type));
	if (!provider->description)
		return NULL;
	result = catalogue_parse(provider->description, strlen(provider->description),
				 &catalogue, &err);
	if (result == -ENOMEM)
		reading->no_memory = true;
	else if (result < 0)
		reading_error(reading, type, "%s", err.text);
	if (result < 0)
		return NULL;
	(void)text_copy(provider->type, sizeof provider->type, catalogue->id);
	if (!catalogue->shut_down)
		return catalogue;
	type_shut_down(reading, type, catalogue);
	catalogue_free(catalogue);
	return NULL;
}
