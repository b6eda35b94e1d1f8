/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sections.h"

enum {
	TAG_BYTES = 200,
	GRACE_DEFAULT_MS = 2000,
	GRACE_MAX_MS = 3600 * 1000,
};

const struct config_wan config_assumed_wan = {
	.name = "wan",
	.tag = (char *)"hairpin",
	.ipv4 = CONFIG_INTERFACE,
	.ipv6 = CONFIG_INTERFACE,
};

void wans_read_interface(struct reading *reading, const struct json *value, void *target,
			 const struct schema_field *field)
{
	const char *name = schema_string(reading, value, "\"ppp0\"");

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
			"for %s",
			shown(name).text, IFNAMSIZ - 1,
			strcmp(field->key, "interface") == 0 ? "the default route's"
							     : "the WAN's own");
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

#define AT(member) offsetof(struct config_wan, member)

static const struct schema_field wan_fields[] = {
	{ "name", schema_label, AT(name), 0, CONFIG_LABEL_BYTES },
	{ "interface", wans_read_interface, AT(interface), 0, 0 },
	{ "tag", read_tag, AT(tag), 0, 0 },
	{ "ipv4", sources_read, 0, 0, 0 },
	{ "ipv6", sources_read, 0, 0, 0 },
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
	wan->prefix_bits = PREFIX_LENGTH_DEFAULT;
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

/* What says which prefix, though nobody follows one. */
static void check_prefix(struct reading *reading, const struct json *ipv6)
{
	static const char *const keys[] = { "prefix_from", "prefix_length" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct json *member = json_get(ipv6, keys[i]);

		if (member)
			reading_warning(reading, member,
					"\"%s\" has no effect: rules need \"keep\": "
					"\"suffix\" beside it, and no host name has an "
					"\"ipv6_suffix\"",
					keys[i]);
	}
}

void wans_check(struct reading *reading, const struct json *array, size_t *index)
{
	const struct config *config = reading->config;
	const struct json *item;

	for (item = json_child(array); item && *index < config->wan_count;
	     item = json_next(item)) {
		const struct config_wan *wan;

		if (json_kind(item) != JSON_OBJECT)
			continue;
		wan = &config->wans[(*index)++];
		if (!wan->keep_bits && !wan->has_hosts)
			check_prefix(reading, json_get(item, "ipv6"));
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
