/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "entry.h"
#include "rights.h"

enum {
	SECOND = 1000,
	TIMEOUT_DEFAULT_MS = 30 * SECOND,
	TIMEOUT_MAX_MS = 300 * SECOND,
	CA_MAX_BYTES = 64 * 1024,
	USER_AGENT_MAX_BYTES = 200,
};
static const int64_t day_ms = 24LL * 3600 * SECOND;

void entry_done(struct config_provider *provider)
{
	for (size_t i = 0; i < provider->setting_count; i++) {
		secret_done(&provider->settings[i].value);
		free(provider->settings[i].env);
	}
	free(provider->settings);
	free(provider->hostnames);
	free(provider->description);
	free(provider->broken);
	free(provider->user_agent);
	free(provider->ca_file);
	free(provider->ca_pem);
}

/* --- members --- */

static void read_type(struct reading *reading, const struct json *value, void *target,
		      const struct schema_field *field)
{
	(void)reading;
	(void)value;
	(void)target;
	(void)field;
}

static void read_wan(struct reading *reading, const struct json *value, void *target,
		     const struct schema_field *field)
{
	const struct config *config = reading->config;
	const char *known[CONFIG_WANS_MAX + 1] = { 0 };
	const char *name = schema_string(reading, value, "a WAN's name in quotes"),
		   *nearest;

	(void)field;
	if (!name)
		return;
	for (size_t i = 0; i < config->wan_count; i++) {
		known[i] = config->wans[i].name;
		if (strcmp(known[i], name) == 0) {
			*(size_t *)target = i;
			return;
		}
	}
	nearest = text_nearest(name, known);
	reading_error(reading, value, "unknown WAN \"%s\"; %s \"%s\"%s", shown(name).text,
		      nearest ? "did you mean" : "the first one is",
		      nearest ? nearest : known[0], nearest ? "?" : "");
}

static void set_string(struct reading *reading, char **place, const char *string)
{
	free(*place);
	*place = strdup(string);
	reading->no_memory |= !*place;
}

static void read_user_agent(struct reading *reading, const struct json *value,
			    void *target, const struct schema_field *field)
{
	const char *string =
		schema_string(reading, value, "\"program/1.0 me@example.org\"");

	(void)field;
	if (!string)
		return;
	if (*string == '\0' || strlen(string) > USER_AGENT_MAX_BYTES ||
	    !schema_is_printable(string, strlen(string)))
		reading_error(reading, value,
			      "\"user_agent\" must be 1 to %d plain characters; "
			      "leave it out for ours",
			      USER_AGENT_MAX_BYTES);
	else
		set_string(reading, target, string);
}

static void take_pem(struct reading *reading, const struct json *value,
		     struct config_provider *provider, const char *pem)
{
	if (strstr(pem, "-----BEGIN CERTIFICATE-----"))
		set_string(reading, &provider->ca_pem, pem);
	else
		reading_error(reading, value,
			      "\"ca_file\" holds no certificate in PEM form; it "
			      "begins with -----BEGIN CERTIFICATE-----");
}

static void read_ca_file(struct reading *reading, const struct json *value, void *target,
			 const struct schema_field *field)
{
	struct config_provider *provider = ((struct entry *)target)->provider;
	char path[CONFIG_PATH_BYTES] = "";
	const struct schema_field bounds = { .key = field->key,
					     .min = 1,
					     .max = sizeof path };
	struct err err = { 0 };
	size_t length;
	bool exposed;
	char *pem;

	schema_path(reading, value, path, &bounds);
	if (!*path)
		return;
	set_string(reading, &provider->ca_file, path);
	if (!reading->load)	/* the effective document: "ca_pem" brings the text */
		return;
	if (rights_read(path, CA_MAX_BYTES, &pem, &length, &exposed, &err) < 0) {
		reading_error(reading, value, "%s", err.text);
		return;
	}
	take_pem(reading, value, provider, pem);
	free(pem);
}

static void read_ca_pem(struct reading *reading, const struct json *value, void *target,
			const struct schema_field *field)
{
	const char *pem = schema_string(reading, value, "PEM text");

	(void)field;
	if (pem)
		take_pem(reading, value, ((struct entry *)target)->provider, pem);
}

/* Offsets are of struct config_provider; those with ENTRY get the entry itself. */
#define AT(member) offsetof(struct config_provider, member)
enum { ENTRY = -1 };

static const struct schema_field entry_fields[] = {
	{ "type", read_type, 0, 0, 0 },
	{ "name", schema_label, AT(name), 0, CONFIG_LABEL_BYTES },
	{ "wan", read_wan, AT(wan), 0, 0 },
	{ "hostnames", hostnames_read, (size_t)ENTRY, 0, 0 },
	{ "families", schema_families, AT(families), 0, 0 },
	{ "refresh", schema_duration, AT(refresh_ms), 0, 3650LL * 24 * 3600 * SECOND },
	{ "min_interval", schema_duration, AT(min_interval_ms), 0,
	  30LL * 24 * 3600 * SECOND },
	{ "private_server", schema_bool, AT(private_server), 0, 0 },
	{ "ca_file", read_ca_file, (size_t)ENTRY, 0, 0 },
	{ "timeout", schema_duration, AT(timeout_ms), SECOND, TIMEOUT_MAX_MS },
	{ "user_agent", read_user_agent, AT(user_agent), 0, 0 },
	{ "allow_private", schema_bool, AT(allow_private), 0, 0 },
	{ "insecure_http", schema_bool, AT(insecure_http), 0, 0 },
	{ "check", schema_bool, AT(check), 0, 0 },
	{ 0 },
};

static void read_broken(struct reading *reading, const struct json *value, void *target,
			const struct schema_field *field)
{
	const char *why = schema_string(reading, value, "a sentence");

	(void)field;
	if (why)
		set_string(reading, target, why);
}

static const struct schema_field effective_fields[] = {
	{ "broken", read_broken, AT(broken), 0, 0 },
	{ "ca_pem", read_ca_pem, (size_t)ENTRY, 0, 0 },
	{ 0 },
};

static const struct catalogue_setting *find_setting(const struct catalogue *catalogue,
						    const char *name)
{
	for (size_t i = 0; i < catalogue->setting_count; i++)
		if (strcmp(catalogue->settings[i].name, name) == 0)
			return &catalogue->settings[i];
	return NULL;
}

static void unknown_member(struct reading *reading, const struct entry *entry,
			   const struct json *member)
{
	const char *names[CATALOGUE_SETTINGS_MAX + 1] = { 0 };
	char where[CONFIG_LABEL_BYTES + 16];

	for (size_t i = 0; i < entry->catalogue->setting_count; i++)
		names[i] = entry->catalogue->settings[i].name;
	snprintf(where, sizeof where, " for type \"%s\"", entry->catalogue->id);
	schema_unknown(reading, member, entry_fields, names, where);
}

static void read_member(struct reading *reading, struct entry *entry,
			const struct json *member)
{
	const struct schema_field *field = schema_find(entry_fields, json_key(member));
	const struct catalogue_setting *setting = NULL;

	if (!field && !reading->load)
		field = schema_find(effective_fields, json_key(member));
	if (!field && entry->catalogue)
		setting = find_setting(entry->catalogue, json_key(member));
	if (field && field->offset == (size_t)ENTRY)
		field->read(reading, member, entry, field);
	else if (field)
		field->read(reading, member, (char *)entry->provider + field->offset,
			    field);
	else if (setting)
		setting_read(reading, member, setting, entry->provider);
	else if (entry->catalogue)	/* of an unknown type nothing can be said */
		unknown_member(reading, entry, member);
}

/* --- the whole entry --- */

static bool name_is_taken(const struct config *config,
			  const struct config_provider *provider)
{
	for (const struct config_provider *p = config->providers; p < provider; p++)
		if (strcmp(p->name, provider->name) == 0)
			return true;
	return false;
}

static void check_name(struct reading *reading, const struct entry *entry)
{
	struct config_provider *provider = entry->provider;

	if (provider->name[0]) {
		if (name_is_taken(reading->config, provider))
			reading_error(reading, json_get(entry->object, "name"),
				      "there is another "
				      "provider \"%s\"; give each its own name",
				      provider->name);
		return;
	}
	(void)text_copy(provider->name, sizeof provider->name, provider->type);
	for (int i = 2; name_is_taken(reading->config, provider); i++)
		snprintf(provider->name, sizeof provider->name, "%.50s-%d",
			 provider->type, i);
}

/* Settings that are missing: the description's default, or a mistake. */
static void fill_settings(struct reading *reading, const struct entry *entry)
{
	for (size_t i = 0; i < entry->catalogue->setting_count; i++) {
		const struct catalogue_setting *wanted = &entry->catalogue->settings[i];
		struct config_setting *setting;

		if (json_get(entry->object, wanted->name))
			continue;
		if (wanted->required)
			reading_error(reading, entry->object,
				      "\"%s\" is missing: %s; add it", wanted->name,
				      wanted->help);
		if (!wanted->fallback || !*wanted->fallback)
			continue;
		setting = reading_grow(reading, (void **)&entry->provider->settings,
				       entry->provider->setting_count, sizeof *setting);
		if (!setting)
			return;
		entry->provider->setting_count++;
		setting->is_secret = wanted->secret;
		(void)text_copy(setting->name, sizeof setting->name, wanted->name);
		reading->no_memory |= !secret_set(&setting->value, wanted->fallback,
						  strlen(wanted->fallback));
	}
}

/* Does the user name where requests go, so that "insecure_http" may matter? */
static bool check_servers(struct reading *reading, const struct entry *entry)
{
	struct config_provider *provider = entry->provider;
	bool any = false;

	for (size_t i = 0; i < provider->setting_count; i++) {
		struct config_setting *setting = &provider->settings[i];
		const struct json *member = json_get(entry->object, setting->name);
		enum catalogue_kind kind =
			find_setting(entry->catalogue, setting->name)->kind;

		if (kind == CATALOGUE_URL)	/* always required, so it is there */
			any |= setting_check_url(reading, member, provider,
						 &setting->value);
		if (kind != CATALOGUE_SERVER)
			continue;
		any = true;
		setting_read_server(reading, member ? member : entry->object, provider,
				    &setting->value);
	}
	return any;
}

/* Plain HTTP: only where the user says so, and only said where it matters. */
static void check_http(struct reading *reading, const struct entry *entry, bool server)
{
	struct config_provider *provider = entry->provider;
	bool plain = false;

	for (size_t i = 0; i < entry->catalogue->step_count; i++)
		plain |= strncmp(entry->catalogue->steps[i].url, "http://", 7) == 0;
	if (plain && !provider->insecure_http)
		reading_error(reading, entry->object,
			      "%s is reached by plain HTTP, which shows "
			      "the password to everybody on the way; say "
			      "\"insecure_http\": true "
			      "if you accept that",
			      provider->type);
	if (plain || server || !provider->insecure_http)
		return;
	provider->insecure_http = false;
	reading_warning(reading, json_get(entry->object, "insecure_http"),
			"\"insecure_http\" has no effect: %s is always reached by HTTPS; "
			"remove it", provider->type);
}

static void check_times(struct reading *reading, const struct entry *entry)
{
	const struct config_provider *provider = entry->provider;
	const struct json *refresh = json_get(entry->object, "refresh");
	const struct json *interval = json_get(entry->object, "min_interval");
	char least[24];

	if (!reading->load)
		return;
	if (refresh && provider->refresh_ms > 0 && provider->refresh_ms < day_ms)
		reading_warning(reading, refresh,
				"providers block who updates without need; "
				"\"refresh\" is for names that expire, as \"25d\"");
	if (interval && provider->min_interval_ms < provider->facts.min_interval_ms)
		reading_warning(
			reading, interval, "%s asks for at least %s between updates",
			provider->type,
			text_format_duration(provider->facts.min_interval_ms, least));
}

static void check_contact(struct reading *reading, const struct entry *entry)
{
#ifdef HAIRPIN_CONTACT
	bool known = true;
#else
	bool known = reading->config->contact;
#endif
	if (entry->catalogue->wants_contact && !known && !entry->provider->user_agent)
		reading_warning(reading, entry->object,
				"%s wants to know whom to write to, and may refuse "
				"updates that do not say it; write your e-mail address as "
				"\"contact\" at the top level",
				entry->provider->type);
}

static void check_entry(struct reading *reading, const struct entry *entry)
{
	if (!json_get(entry->object, "hostnames"))
		reading_error(reading, entry->object,
			      "\"hostnames\" is missing; name the hosts "
			      "to update, as [\"home.example.org\"]");
	if (!entry->catalogue && !entry->provider->broken)
		return;
	check_name(reading, entry);
	if (entry->catalogue) {
		fill_settings(reading, entry);
		check_http(reading, entry, check_servers(reading, entry));
		check_times(reading, entry);
		check_contact(reading, entry);
	}
	hostnames_check(reading, entry);
}

static void entry_read(struct reading *reading, const struct json *object)
{
	struct config *config = reading->config;
	struct entry entry = { .object = object };
	const struct json *member;

	entry.provider = reading_grow(reading, (void **)&config->providers,
				      config->provider_count, sizeof *entry.provider);
	if (!entry.provider)
		return;
	config->provider_count++;
	entry.provider->timeout_ms = TIMEOUT_DEFAULT_MS;
	entry.provider->check = true;
	entry.catalogue = entry_read_type(reading, object, entry.provider);
	/* until the file is mended it may be of either family */
	entry.provider->facts = (struct catalogue_facts){
		.families = CONFIG_IPV4 | CONFIG_IPV6, .batch_hostnames = 1, .parallel = 1,
		.per_minute = 10,
	};
	if (entry.catalogue) {
		entry.provider->facts = entry.catalogue->facts;
		entry.provider->refresh_ms = entry.catalogue->facts.refresh_ms;
		entry.provider->min_interval_ms = entry.catalogue->facts.min_interval_ms;
	}
	for (member = json_child(object); member; member = json_next(member))
		read_member(reading, &entry, member);
	check_entry(reading, &entry);
	catalogue_free(entry.catalogue);
}

void entries_read(struct reading *reading, const struct json *array)
{
	const struct json *item;

	if (!schema_expect(reading, array, JSON_ARRAY, "[ { \"type\": ... } ]"))
		return;
	for (item = json_child(array); item && !reading->no_memory;
	     item = json_next(item)) {
		if (reading->config->provider_count == CONFIG_PROVIDERS_MAX) {
			reading_error(reading, item, "too many providers; at most %d",
				      CONFIG_PROVIDERS_MAX);
			return;
		}
		if (schema_expect(reading, item, JSON_OBJECT, "{ \"type\": ... }"))
			entry_read(reading, item);
	}
}
