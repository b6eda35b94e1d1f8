/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "draft.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/secret.h"

static const char *const families[] = { "ipv4", "ipv6" };

void draft_init(struct draft *draft, struct import *import, const char *path)
{
	*draft = (struct draft){ .import = import, .path = path };
	*import = (struct import){ .document = TEXT_INIT, .lost = TEXT_INIT };
}

void draft_done(struct draft *draft)
{
	for (size_t i = 0; i < draft->wan_count; i++) {
		free(draft->wans[i].interface);
		for (size_t side = 0; side < 2; side++) {
			free(draft->wans[i].sides[side].command);
			for (size_t url = 0; url < DRAFT_URLS_MAX; url++)
				free(draft->wans[i].sides[side].urls[url]);
		}
	}
	for (size_t i = 0; i < draft->entry_count; i++)
		json_free(draft->entries[i].object);
}

void draft_lose(struct draft *draft, unsigned line, const char *format, ...)
{
	TEXT_CLEANUP struct text said = TEXT_INIT;
	struct text *lost = &draft->import->lost;
	char sentence[600], shown[1200];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	text_escape(shown, sizeof(shown), draft->path, strlen(draft->path));
	text_addf(&said, "%s:%u: ", shown, line);
	text_add(&said, text_escape(shown, sizeof(shown), sentence, strlen(sentence)));
	text_add_char(&said, '\n');
	/* What holds for all entries is lost once. */
	if (said.failed || strstr(lost->bytes, said.bytes) ||
	    ++draft->import->lost_count > DRAFT_LOST_MAX)
		return;
	text_add(lost, said.bytes);
	draft->failed |= lost->failed;
}

/* --- WANs --- */

static char *draft_copy(struct draft *draft, const char *string)
{
	char *copy = string ? strdup(string) : NULL;

	draft->failed |= string && !copy;
	return copy;
}

static bool draft_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Pages and the interface's own address go together: the daemon asks a page where it must. */
static bool draft_suits(const struct draft_wan *wan, const struct draft_wish *wish)
{
	if (!draft_same(wan->interface, wish->interface))
		return false;
	for (size_t i = 0; i < 2; i++) {
		if (wan->sides[i].on && wish->sides[i].on &&
		    !draft_same(wan->sides[i].command, wish->sides[i].command))
			return false;
	}
	return true;
}

static void draft_add_url(struct draft *draft, char *urls[DRAFT_URLS_MAX], const char *url)
{
	for (size_t i = 0; i < DRAFT_URLS_MAX; i++) {
		if (!urls[i])
			urls[i] = draft_copy(draft, url);
		if (!urls[i] || strcmp(urls[i], url) == 0)
			return;
	}
}

/* The number of the WAN with such addresses, an earlier one where it suits. */
static bool draft_find_wan(struct draft *draft, const struct draft_wish *wish,
			   unsigned line, size_t *ret_wan)
{
	struct draft_wan *wan;
	size_t i = 0;

	while (i < draft->wan_count && !draft_suits(&draft->wans[i], wish))
		i++;
	if (i == DRAFT_WANS_MAX) {
		draft_lose(draft, line, "more than %d WANs", DRAFT_WANS_MAX);
		return false;
	}
	wan = &draft->wans[i];
	if (i == draft->wan_count) {
		draft->wan_count++;
		wan->interface = draft_copy(draft, wish->interface);
	}
	for (size_t side = 0; side < 2; side++) {
		const struct draft_side *from = &wish->sides[side];

		if (!from->on)
			continue;
		wan->sides[side].on = true;
		if (from->url)
			draft_add_url(draft, wan->sides[side].urls, from->url);
		if (from->command && !wan->sides[side].command)
			wan->sides[side].command = draft_copy(draft, from->command);
	}
	*ret_wan = i;
	return true;
}

/* The others gave a command to a shell, and nothing else understands such lines. */
static void draft_print_side(struct json *object, const struct draft_wan *wan, size_t side)
{
	char *const *urls = wan->sides[side].urls;
	const char *command = wan->sides[side].command;
	struct json *source, *list;

	if (!command && !urls[0]) {
		json_add_string(object, families[side],
				wan->sides[side].on ? "interface" : "off");
		return;
	}
	source = json_add(object, families[side], json_new_object());
	json_add_string(source, "source", command ? "command" : "http");
	list = json_add(source, command ? "command" : "urls", json_new_array());
	if (command) {
		json_add(list, NULL, json_new_string("/bin/sh"));
		json_add(list, NULL, json_new_string("-c"));
		json_add(list, NULL, json_new_string(command));
	}
	for (size_t i = 0; !command && i < DRAFT_URLS_MAX && urls[i]; i++)
		json_add(list, NULL, json_new_string(urls[i]));
}

static const char *draft_wan_name(size_t index, char room[16])
{
	snprintf(room, 16, index ? "wan%zu" : "wan", index + 1);
	return room;
}

static void draft_print_wans(const struct draft *draft, struct json *root)
{
	struct json *list = json_add(root, "wans", json_new_array()), *object;
	char name[16];

	for (size_t i = 0; i < draft->wan_count; i++) {
		object = json_add(list, NULL, json_new_object());
		json_add_string(object, "name", draft_wan_name(i, name));
		if (draft->wans[i].interface)
			json_add_string(object, "interface", draft->wans[i].interface);
		draft_print_side(object, &draft->wans[i], 0);
		draft_print_side(object, &draft->wans[i], 1);
	}
}

/* --- entries --- */

struct json *draft_entry(struct draft *draft, const char *type,
			 const struct draft_wish *wish, unsigned line)
{
	struct draft_entry *entry;
	size_t wan;

	if (!draft_find_wan(draft, wish, line, &wan))
		return NULL;
	if (draft->entry_count == DRAFT_ENTRIES_MAX) {
		draft_lose(draft, line, "more than %d entries", DRAFT_ENTRIES_MAX);
		return NULL;
	}
	entry = &draft->entries[draft->entry_count++];
	*entry = (struct draft_entry){
		.object = json_new_object(), .wan = wan,
		.families = { wish->sides[0].on, wish->sides[1].on },
	};
	json_add_string(entry->object, "type", type);
	return entry->object;
}

int64_t draft_seconds(const char *value)
{
	char *end;
	long number = value ? strtol(value, &end, 10) : 0;

	if (number <= 0 || number > 3650L * 86400)
		return 0;
	switch (*end) {
	case 'w':
		return number * 604800;
	case 'd':
		return number * 86400;
	case 'h':
		return number * 3600;
	case 'm':
		return number * 60;
	}
	return number;
}

void draft_add_seconds(struct json *entry, const char *key, int64_t seconds)
{
	char text[24];

	if (seconds > 0)
		json_add_string(entry, key, text_format_duration(seconds * 1000, text));
}

static bool draft_are_equal(const struct json *a, const struct json *b)
{
	char *text[2] = { json_print(a, false), json_print(b, false) };
	bool equal = text[0] && text[1] && strcmp(text[0], text[1]) == 0;

	for (size_t i = 0; i < 2; i++) {
		if (text[i])
			secret_wipe(text[i], strlen(text[i]));
		free(text[i]);
	}
	return equal;
}

/*
 * The same names at the same provider, once a family: here that is one entry, of the
 * first one's WAN.
 */
static bool draft_join(struct draft *draft, const struct draft_entry *entry)
{
	struct draft_entry *other = draft->entries;

	while (other < entry &&
	       (!other->object || !draft_are_equal(other->object, entry->object)))
		other++;
	if (other == entry)
		return false;
	for (size_t i = 0; i < 2; i++) {
		other->families[i] |= entry->families[i];
		draft->wans[other->wan].sides[i].on |= entry->families[i];
	}
	return true;
}

static void draft_print_entry(struct draft *draft, struct draft_entry *entry,
			      struct json *providers)
{
	struct json *object = entry->object, *list;
	char name[16];

	json_add_string(object, "wan", draft_wan_name(entry->wan, name));
	/* With both it is left to what WAN and provider have. */
	if (!entry->families[0] || !entry->families[1]) {
		list = json_add(object, "families", json_new_array());
		json_add(list, NULL, json_new_string(families[entry->families[1]]));
	}
	entry->object = NULL;
	json_add(providers, NULL, object);
	draft->failed |= !object;
}

static char *draft_print(struct draft *draft)
{
	struct json *root = json_new_object(), *providers;
	char *text;

	for (size_t i = 0; i < draft->entry_count; i++) {
		if (draft_join(draft, &draft->entries[i])) {
			json_free(draft->entries[i].object);
			draft->entries[i].object = NULL;
		}
	}
	draft_print_wans(draft, root);
	providers = json_add(root, "providers", json_new_array());
	for (size_t i = 0; i < draft->entry_count; i++) {
		if (draft->entries[i].object)
			draft_print_entry(draft, &draft->entries[i], providers);
	}
	text = json_print(root, true);
	json_free(root);
	return text;
}

int draft_finish(struct draft *draft, const char *program)
{
	struct text *document = &draft->import->document;
	char *text = draft_print(draft);

	text_addf(document,
		  "// From %s's configuration. Passwords stand in here: keep this file from "
		  "others\n// (chmod 640, root:hairpind), or move each into a file of its own: "
		  "{\"file\": PATH}.\n", program);
	text_add(document, text ? text : "");
	text_add_char(document, '\n');
	if (text)
		secret_wipe(text, strlen(text));
	else
		draft->failed = true;
	free(text);
	return draft->failed || document->failed ? -ENOMEM : 0;
}

void import_done(struct import *import)
{
	if (import->document.length)
		secret_wipe(import->document.bytes, import->document.length);
	text_done(&import->document);
	text_done(&import->lost);
}
