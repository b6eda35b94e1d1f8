/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void options_done(struct options *options)
{
	for (size_t i = 0; i < options->count; i++) {
		free(options->list[i].name);
		free(options->list[i].value);
	}
	free(options->list);
	*options = (struct options){ 0 };
}

static struct option *options_seek(const struct options *options, const char *name)
{
	for (size_t i = 0; i < options->count; i++) {
		if (strcmp(options->list[i].name, name) == 0)
			return &options->list[i];
	}
	return NULL;
}

static struct option *options_add(struct options *options, const char *name)
{
	size_t room = options->room ? 2 * options->room : 16;
	struct option *option;

	if (options->count == OPTIONS_MAX)
		return NULL;
	if (options->count == options->room) {
		option = reallocarray(options->list, room, sizeof(*option));
		if (!option)
			return NULL;
		options->list = option;
		options->room = room;
	}
	option = &options->list[options->count];
	*option = (struct option){ .name = strdup(name) };
	if (!option->name)
		return NULL;
	options->count++;
	return option;
}

void options_set(struct options *options, const char *name, const char *value,
		 unsigned line)
{
	struct option *option = options_seek(options, name);
	char *copy = value ? strdup(value) : NULL;	/* there was no memory for it */

	if (!option)
		option = options_add(options, name);
	if (!option || !copy) {
		options->failed = true;
		free(copy);
		return;
	}
	free(option->value);
	option->value = copy;
	option->line = line;
	option->taken = false;
}

void options_inherit(struct options *options, const struct options *under)
{
	for (size_t i = 0; i < under->count; i++) {
		const struct option *option = &under->list[i];

		if (!options_seek(options, option->name))
			options_set(options, option->name, option->value, option->line);
	}
}

struct option *options_find(const struct options *options, const char *name)
{
	struct option *option = options_seek(options, name);

	return option && option->value && *option->value ? option : NULL;
}

const char *options_take(const struct options *options, const char *name)
{
	struct option *option = options_seek(options, name);

	if (!option)
		return NULL;
	option->taken = true;
	return option->value && *option->value ? option->value : NULL;
}

bool options_take_bool(const struct options *options, const char *name, bool otherwise)
{
	static const char *const yes[] = { "yes", "true", "1", "on", "y", "t" };
	const char *value = options_take(options, name);

	if (!value)
		return otherwise;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		if (strcasecmp(value, yes[i]) == 0)
			return true;
	}
	return false;
}
