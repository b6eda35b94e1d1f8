/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sections.h"

enum { TAG_BYTES = 200, GRACE_DEFAULT_MS = 2000, GRACE_MAX_MS = 3600 * 1000 };

static void read_interface(struct reading *reading, const struct json *value,
			   void *target, const struct schema_field *field)
{
	const char *name = schema_string(reading, value, "\"ppp0\"");

	(void)field;
	if (!name)
		return;
	/* What the kernel's dev_valid_name() refuses, and what no log should show. */
	if (*name == '\0' || strlen(name) >= IFNAMSIZ || strpbrk(name, "/: \t") ||
	    strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    !schema_is_printable(name, strlen(name)))
		reading_error(
			reading, value,
			"\"%s\" is no interface name; write 1 to %d "
			"characters without '/', ':' and spaces, or leave the key out "
			"for the default route's",
			shown(name).text, IFNAMSIZ - 1);
	else
		(void)text_copy(target, IFNAMSIZ, name);
}

static void read_tag(struct reading *reading, const struct json *value, void *target,
		     const struct schema_field *field)
{
	const char *pattern = schema_string(reading, value, "\"hairpin\"");
	char why[128];
	regex_t expression;
	bool empty;
	int code;

	(void)field;
	if (!pattern)
		return;
	if (strlen(pattern) >= TAG_BYTES ||
	    !schema_is_printable(pattern, strlen(pattern))) {
		reading_error(reading, value,
			      "the tag must be plain text of at most %d bytes",
			      TAG_BYTES - 1);
		return;
	}
	code = regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB);
	if (code != 0) {
		regerror(code, &expression, why, sizeof why);
		reading_error(
			reading, value,
			"\"%s\" is no extended regular expression (%s); "
			"put a backslash before characters that stand for themselves",
			shown(pattern).text, why);
		return;
	}
	empty = regexec(&expression, "", 0, NULL, 0) == 0;
	regfree(&expression);
	if (empty) {
		reading_error(reading, value,
			      "the tag \"%s\" would match every comment; name a "
			      "word that marks your rules",
			      shown(pattern).text);
		return;
	}
	free(*(char **)target);
	*(char **)target = strdup(pattern);
	reading->no_memory |= !*(char **)target;
}

/* {"source": ...}: only the interface itself is a source of this version. */
static bool is_interface_object(struct reading *reading, const struct json *value)
{
	static const char *const later[] = {
		"http", "dns", "command", "pcp", "upnp", NULL
	};
	static const char *const known[] = {
		"interface", "http", "dns", "command", "pcp", "upnp", NULL };
	const struct json *source = json_get(value, "source");
	const char *name =
		source ? schema_string(reading, source, "\"interface\"") : NULL;

	if (!source)
		reading_error(reading, value,
			      "\"source\" is missing; write \"interface\" or "
			      "\"off\" instead of the object");
	if (!name)
		return false;
	for (size_t i = 0; later[i]; i++) {
		if (strcmp(name, later[i]) == 0) {
			reading_error(reading, source,
				      "this version cannot take addresses from "
				      "\"%s\" yet; write \"interface\" or \"off\"",
				      name);
			return false;
		}
	}
	if (strcmp(name, "interface") == 0)
		return true;
	reading_error(reading, source, "unknown source \"%s\"; did you mean \"%s\"?",
		      shown(name).text, text_nearest(name, known) ?: "interface");
	return false;
}

static void read_source_object(struct reading *reading, const struct json *value,
			       enum config_source *source)
{
	static const char *const later[] = { "keep", "prefix_from", "prefix_length",
					     NULL };
	static const struct schema_field fields[] = {
		{ .key = "source" }, { .key = "keep" }, { .key = "prefix_from" },
		{ .key = "prefix_length" }, { 0 },
	};
	const struct json *member;

	if (!is_interface_object(reading, value))
		return;
	for (member = json_child(value); member; member = json_next(member)) {
		bool known = false;

		for (size_t i = 0; later[i]; i++)
			known |= strcmp(json_key(member), later[i]) == 0;
		if (known)
			reading_error(reading, member,
				      "this version cannot do \"%s\" yet; "
				      "leave it out",
				      json_key(member));
		else if (strcmp(json_key(member), "source") != 0)
			schema_unknown(reading, member, fields, NULL, "");
	}
	*source = CONFIG_INTERFACE;
}

static void read_source(struct reading *reading, const struct json *value, void *target,
			const struct schema_field *field)
{
	enum config_source *source = target;
	const char *name;

	if (json_kind(value) == JSON_OBJECT) {
		read_source_object(reading, value, source);
		return;
	}
	name = schema_string(reading, value, "\"interface\" or \"off\"");
	if (!name)
		return;
	if (strcmp(name, "interface") == 0)
		*source = CONFIG_INTERFACE;
	else if (strcmp(name, "off") == 0)
		*source = CONFIG_OFF;
	else
		reading_error(reading, value, "unknown source \"%s\" of \"%s\"; write "
			      "\"interface\" or \"off\"", shown(name).text, field->key);
}

#define AT(member) offsetof(struct config_wan, member)

static const struct schema_field wan_fields[] = {
	{ "name", schema_label, AT(name), 0, CONFIG_LABEL_BYTES },
	{ "interface", read_interface, AT(interface), 0, 0 },
	{ "tag", read_tag, AT(tag), 0, 0 },
	{ "ipv4", read_source, AT(ipv4), 0, 0 },
	{ "ipv6", read_source, AT(ipv6), 0, 0 },
	{ "grace", schema_duration, AT(grace_ms), 0, GRACE_MAX_MS },
	{ "bind", schema_bool, AT(bind), 0, 0 },
	{ 0 },
};

/* By their place in the list: "wan", "wan2"; "hairpin", "hairpin:wan2". */
static void wan_fill(struct reading *reading, struct config_wan *wan, size_t index)
{
	if (wan->name[0] == '\0' && index == 0)
		(void)text_copy(wan->name, sizeof wan->name, "wan");
	else if (wan->name[0] == '\0')
		snprintf(wan->name, sizeof wan->name, "wan%zu", index + 1);
	if (wan->tag)
		return;
	if (index == 0)
		wan->tag = strdup("hairpin");
	else if (asprintf(&wan->tag, "hairpin:%s", wan->name) < 0)
		wan->tag = NULL;
	reading->no_memory |= !wan->tag;
}

/* Where to point: at the key, if the user wrote it, else at the entry. */
static const struct json *member_or(const struct json *object, const char *key)
{
	const struct json *member = json_get(object, key);

	return member ? member : object;
}

static void wan_compare(struct reading *reading, const struct json *object, size_t index)
{
	const struct config_wan *wans = reading->config->wans, *wan = &wans[index];

	for (size_t i = 0; i < index; i++) {
		if (strcmp(wans[i].name, wan->name) == 0)
			reading_error(reading, member_or(object, "name"),
				      "there is another WAN "
				      "\"%s\"; give each its own name",
				      wan->name);
		if (wans[i].tag && wan->tag && strcmp(wans[i].tag, wan->tag) == 0)
			reading_error(reading, member_or(object, "tag"),
				      "the WAN \"%s\" has the "
				      "tag \"%s\" too; give each its own",
				      wans[i].name, shown(wan->tag).text);
		if (wan->interface[0] && strcmp(wans[i].interface, wan->interface) == 0)
			reading_warning(reading, member_or(object, "interface"),
					"the WAN \"%s\" "
					"is on the same interface; is that meant?",
					wans[i].name);
	}
}

static struct config_wan *wan_add(struct reading *reading)
{
	struct config *config = reading->config;
	struct config_wan *wan = reading_grow(reading, (void **)&config->wans,
					      config->wan_count, sizeof *wan);

	if (!wan)
		return NULL;
	config->wan_count++;
	wan->ipv4 = CONFIG_INTERFACE;
	wan->ipv6 = CONFIG_INTERFACE;
	wan->grace_ms = GRACE_DEFAULT_MS;
	wan->bind = true;
	return wan;
}

static void wan_read(struct reading *reading, const struct json *object)
{
	struct config_wan *wan = wan_add(reading);
	size_t index = reading->config->wan_count - 1;

	if (!wan)
		return;
	schema_read(reading, object, wan_fields, wan);
	wan_fill(reading, wan, index);
	wan_compare(reading, object, index);
	if (wan->ipv4 == CONFIG_OFF && wan->ipv6 == CONFIG_OFF)
		reading_warning(reading, object,
				"both families of the WAN \"%s\" are off; it "
				"does nothing",
				wan->name);
}

void wans_read(struct reading *reading, const struct json *array)
{
	const struct json *item;

	if (!schema_expect(reading, array, JSON_ARRAY, "[ { ... } ]"))
		return;
	for (item = json_child(array); item && !reading->no_memory;
	     item = json_next(item)) {
		if (reading->config->wan_count == CONFIG_WANS_MAX) {
			reading_error(reading, item, "too many WANs; at most %d",
				      CONFIG_WANS_MAX);
			return;
		}
		if (schema_expect(reading, item, JSON_OBJECT,
				  "{ \"interface\": \"ppp0\" }"))
			wan_read(reading, item);
	}
}

void wans_default(struct reading *reading)
{
	struct config_wan *wan;

	if (reading->config->wan_count > 0)
		return;
	wan = wan_add(reading);
	if (wan)
		wan_fill(reading, wan, 0);
}
