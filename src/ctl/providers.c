/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalogue as one JSON object: what each provider takes, and how to name it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/catalogue.h"
#include "hairpin/config.h"
#include "hairpin/ctl.h"

/* In the order of their enums. */
static const char *const kinds[] = { "text", "server", "number", "url", "document",
				     "choice" };
static const char *const others[] = { "unknown", "kept", "deleted" };
static const char *const wildcards[] = { "unknown", "yes", "no" };
static const char *const protocols[] = { "rules", "dyndns2", "rfc2136" };

static void add_duration(struct json *object, const char *key, int64_t ms)
{
	char text[24];

	json_add_string(object, key, ms > 0 ? text_format_duration(ms, text) : NULL);
}

static void add_setting(struct json *array, const struct catalogue_setting *setting)
{
	struct json *object = json_add(array, NULL, json_new_object()), *choices;

	json_add_string(object, "name", setting->name);
	json_add_string(object, "kind", kinds[setting->kind]);
	json_add_bool(object, "required", setting->required);
	json_add_bool(object, "secret", setting->secret);
	json_add_string(object, "default", setting->fallback);
	json_add_string(object, "help", setting->help);
	if (setting->kind != CATALOGUE_CHOICE)
		return;
	choices = json_add(object, "choices", json_new_array());
	for (size_t i = 0; setting->choices[i]; i++)
		json_add(choices, NULL, json_new_string(setting->choices[i]));
}

static void add_families(struct json *object, const struct catalogue *catalogue)
{
	struct json *array = json_add(object, "families", json_new_array());

	if (catalogue->facts.families & CONFIG_IPV4)
		json_add(array, NULL, json_new_string("ipv4"));
	if (catalogue->facts.families & CONFIG_IPV6)
		json_add(array, NULL, json_new_string("ipv6"));
	json_add_bool(object, "dual", catalogue->facts.dual);
	json_add_string(object, "other_family", others[catalogue->facts.other_family]);
}

/* --- the example --- */

static const char *example_value(const struct catalogue_setting *setting)
{
	static const struct {
		const char *name, *value;
	} known[] = {
		{ "username", "me" }, { "domain", "example.org" },
		{ "zone", "example.org" },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(setting->name, known[i].name) == 0)
			return known[i].value;
	switch (setting->kind) {
	case CATALOGUE_SERVER:
		return "ddns.example.org";
	case CATALOGUE_NUMBER:
		return "1";
	case CATALOGUE_URL:
		return "https://ddns.example.org/update";
	case CATALOGUE_CHOICE:
		return setting->choices[0];
	default:
		return "...";
	}
}

static void add_example_setting(struct json *example, const char *id,
				const struct catalogue_setting *setting)
{
	char path[sizeof(HAIRPIN_SYSCONFDIR) + 2 * CATALOGUE_NAME_BYTES + 4];
	struct json *place;

	if (!setting->secret && setting->kind != CATALOGUE_DOCUMENT) {
		json_add_string(example, setting->name, example_value(setting));
		return;
	}
	snprintf(path, sizeof(path), HAIRPIN_SYSCONFDIR "/%s.%s", id, setting->name);
	place = json_add(example, setting->name, json_new_object());
	json_add_string(place, "file", path);
}

static bool is_plain_http(const struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->step_count; i++)
		if (strncmp(catalogue->steps[i].url, "http://", 7) == 0)
			return true;
	return false;
}

/* An entry of "providers" with all that must be there. */
static void add_example(struct json *object, const struct catalogue *catalogue)
{
	struct json *example = json_add(object, "example", json_new_object()), *names;

	json_add_string(example, "type", catalogue->id);
	for (size_t i = 0; i < catalogue->setting_count; i++)
		if (catalogue->settings[i].required)
			add_example_setting(example, catalogue->id,
					    &catalogue->settings[i]);
	names = json_add(example, "hostnames", json_new_array());
	json_add(names, NULL, json_new_string("home.example.org"));
	if (is_plain_http(catalogue))
		json_add_bool(example, "insecure_http", true);
}

/* --- one provider --- */

static void add_facts(struct json *object, const struct catalogue *catalogue)
{
	add_families(object, catalogue);
	json_add_string(object, "protocol", protocols[catalogue->protocol]);
	json_add_integer(object, "requests", (int64_t)catalogue->step_count);
	json_add_bool(object, "steps",
		      catalogue->step_count > 0 && catalogue->steps[0].name[0]);
	json_add_integer(object, "batch", catalogue->batch);
	json_add_integer(object, "parallel", catalogue->facts.parallel);
	json_add_integer(object, "per_minute", catalogue->facts.per_minute);
	add_duration(object, "min_interval", catalogue->facts.min_interval_ms);
	add_duration(object, "refresh", catalogue->facts.refresh_ms);
	json_add_string(object, "address",
			catalogue->by_connection ? "connection" : "parameter");
	json_add_string(object, "wildcard", wildcards[catalogue->wildcard]);
	json_add_string(object, "sign", catalogue->sign.by[0] ? catalogue->sign.by : NULL);
	json_add_bool(object, "contact", catalogue->wants_contact);
}

static void fill(struct json *object, const struct catalogue *catalogue)
{
	struct json *settings;

	json_add_string(object, "name", catalogue->name);
	json_add_string(object, "status", catalogue->status);
	json_add_string(object, "website", catalogue->website);
	json_add_string(object, "note", catalogue->note);
	settings = json_add(object, "settings", json_new_array());
	for (size_t i = 0; i < catalogue->setting_count; i++)
		add_setting(settings, &catalogue->settings[i]);
	if (catalogue->shut_down) {
		if (catalogue->ended)
			json_add_integer(object, "ended", catalogue->ended);
		else
			json_add_null(object, "ended");
		json_add_string(object, "instead", catalogue->instead);
		return;
	}
	add_facts(object, catalogue);
	add_example(object, catalogue);
}

/* One that cannot be read is listed too, with its mistake. */
static int add_provider(struct json *array, const char *const *directories,
			const char *id, struct err *ret_err)
{
	struct catalogue *catalogue = NULL;
	struct json *object;
	char *text = NULL;
	int rc = catalogue_find(directories, id, &text, ret_err);

	if (rc == -ENOENT || rc == -ENOMEM)
		return rc;
	if (rc == 0)
		rc = catalogue_parse(text, strlen(text), &catalogue, ret_err);
	free(text);
	object = json_add(array, NULL, json_new_object());
	json_add_string(object, "id", id);
	json_add_bool(object, "own", catalogue_is_own(directories, id));
	if (rc == 0) {
		fill(object, catalogue);
	} else {
		json_add_string(object, "name", id);
		json_add_string(object, "status", "broken");
		json_add_string(object, "error", ret_err->text);
		json_add(object, "settings", json_new_array());
	}
	catalogue_free(catalogue);
	return 0;
}

static int add_all(struct json *array, const char *const *directories,
		   struct err *ret_err)
{
	char **ids;
	int rc = catalogue_list(directories, &ids, ret_err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && ids[i]; i++) {
		rc = add_provider(array, directories, ids[i], ret_err);
		if (rc == -ENOENT)	/* removed just now, or no id */
			rc = 0;
	}
	catalogue_list_free(ids);
	return rc;
}

int ctl_providers(const char *const *directories, const char *id,
		  struct json **ret_providers, struct err *ret_err)
{
	struct json *root = json_new_object();
	struct json *array = json_add(root, "providers", json_new_array());
	int rc = id ? add_provider(array, directories, id, ret_err)
		    : add_all(array, directories, ret_err);

	if (rc < 0) {
		json_free(root);
		return rc;
	}
	*ret_providers = root;
	return 0;
}
