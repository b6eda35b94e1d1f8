/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "settings", "values", "sign" and "update" of a description: what requests are made of.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "problem.h"
#include "sections.h"

enum { TEMPLATE_BYTES = 4096 };

const struct catalogue_setting *describe_setting(const struct catalogue *catalogue,
						 const char *name)
{
	for (size_t i = 0; i < catalogue->setting_count; i++)
		if (strcmp(catalogue->settings[i].name, name) == 0)
			return &catalogue->settings[i];
	return NULL;
}

const struct catalogue_value *describe_value(const struct catalogue *catalogue,
					     const char *name)
{
	for (size_t i = 0; i < catalogue->value_count; i++)
		if (strcmp(catalogue->values[i].name, name) == 0)
			return &catalogue->values[i];
	return NULL;
}

/* --- settings --- */

static int read_choice(struct describing *describing, const struct json *item,
		       void *target)
{
	static const struct describe_field field = { .key = "choices", .max = 100 };
	struct catalogue_setting *setting = target;
	size_t count = 0;

	for (; setting->choices[count]; count++)
		if (json_string(item) &&
		    strcmp(setting->choices[count], json_string(item)) == 0)
			return describe_error(describing, item,
					      "this choice stands here twice");
	if (count == CATALOGUE_CHOICES_MAX)
		return describe_error(describing, item, "too many choices; at most %d",
				      CATALOGUE_CHOICES_MAX);
	return describe_string(describing, item, &setting->choices[count], &field);
}

static int read_choices(struct describing *describing, const struct json *value,
			void *target, const struct describe_field *field)
{
	return describe_list(describing, value, JSON_ARRAY, field->key, read_choice,
			     target);
}

#define AT(member) offsetof(struct catalogue_setting, member)

static const char *const kinds[] = {
	"text", "server", "number", "url", "document", "choice", NULL,
};

static const struct describe_field setting_fields[] = {
	{ "kind", describe_enum, AT(kind), 0, 0, kinds },
	{ "secret", describe_bool, AT(secret), 0, 0, NULL },
	{ "required", describe_bool, AT(required), 0, 0, NULL },
	{ "help", describe_string, AT(help), 0, 200, NULL },
	{ "default", describe_string_or_empty, AT(fallback), 0, 200, NULL },
	{ "choices", read_choices, 0, 0, 0, NULL },
	{ 0 },
};
#undef AT

static bool is_choice(const struct catalogue_setting *setting, const char *word)
{
	for (size_t i = 0; setting->choices[i]; i++)
		if (strcmp(setting->choices[i], word) == 0)
			return true;
	return false;
}

static int check_kind(struct describing *describing, const struct json *member,
		      const struct catalogue_setting *setting)
{
	const char *fallback = setting->fallback ? setting->fallback : "";
	bool choice = setting->kind == CATALOGUE_CHOICE;

	if (choice != (setting->choices[0] != NULL))
		return describe_error(describing, member,
				      choice ? "\"choices\" is missing: the words that "
					       "may be said"
					     : "\"choices\" needs \"kind\": \"choice\"");
	if (setting->kind == CATALOGUE_URL && !setting->required)
		return describe_error(describing, member,
				      "a \"url\" begins the request's URL; say "
				      "\"required\": true");
	if (*fallback && setting->secret)
		return describe_error(describing, member,
				      "a secret that everybody knows is none; leave "
				      "\"default\" empty");
	if (*fallback && setting->kind == CATALOGUE_DOCUMENT)
		return describe_error(describing, member,
				      "a \"document\" has no default but \"\"");
	if (*fallback && setting->kind == CATALOGUE_NUMBER && !setting_is_number(fallback))
		return describe_error(describing, member,
				      "the default must be digits, as the kind says");
	if (*fallback && choice && !is_choice(setting, fallback))
		return describe_error(describing, member,
				      "the default is none of the \"choices\"");
	return 0;
}

static int read_setting(struct describing *describing, const struct json *member,
			void *target)
{
	struct catalogue *catalogue = target;
	struct catalogue_setting *setting = &catalogue->settings[catalogue->setting_count];
	int result;

	if (catalogue->setting_count == CATALOGUE_SETTINGS_MAX)
		return describe_error(describing, member, "too many settings; at most %d",
				      CATALOGUE_SETTINGS_MAX);
	catalogue->setting_count++;
	result = describe_name(describing, member, setting->name);
	if (result == 0)
		result = describe_read(describing, member, setting_fields, "a setting",
				       setting);
	if (result < 0)
		return result;
	if (!setting->help)
		return describe_error(describing, member,
				      "\"help\" is missing: one line for people");
	if (setting->required == (setting->fallback != NULL))
		return describe_error(describing, member,
				      "a setting is either \"required\" or "
				      "has a \"default\" (\"\" for none)");
	return check_kind(describing, member, setting);
}

int describe_settings(struct describing *describing, const struct json *value,
		      void *target, const struct describe_field *field)
{
	return describe_list(describing, value, JSON_OBJECT, field->key, read_setting,
			     target);
}

/* --- values --- */

#define AT(index) offsetof(struct catalogue_value, templates[index])

/* The forms a value may have: the keys that must all be there, and nothing else. */
static const struct {
	enum catalogue_form form;
	const char *digest;
	struct describe_field fields[3];
} forms[] = {
	{ CATALOGUE_BY_FAMILY, "", {
		{ "ipv4", describe_string_or_empty, AT(0), 0, TEMPLATE_BYTES, NULL },
		{ "ipv6", describe_string_or_empty, AT(1), 0, TEMPLATE_BYTES, NULL } } },
	{ CATALOGUE_BY_APEX, "", {
		{ "apex", describe_string_or_empty, AT(0), 0, TEMPLATE_BYTES, NULL },
		{ "below", describe_string_or_empty, AT(1), 0, TEMPLATE_BYTES, NULL } } },
	{ CATALOGUE_FIRST, "", {
		{ "first", describe_string, AT(0), 0, TEMPLATE_BYTES, NULL },
		{ "else", describe_string_or_empty, AT(1), 0, TEMPLATE_BYTES, NULL } } },
	{ CATALOGUE_DIGEST, "md5", {
		{ "md5", describe_string, AT(0), 0, TEMPLATE_BYTES, NULL } } },
	{ CATALOGUE_DIGEST, "sha1", {
		{ "sha1", describe_string, AT(0), 0, TEMPLATE_BYTES, NULL } } },
	{ CATALOGUE_DIGEST, "sha256", {
		{ "sha256", describe_string, AT(0), 0, TEMPLATE_BYTES, NULL } } },
};
#undef AT

static bool has_all(const struct json *object, const struct describe_field *fields)
{
	for (; fields->key; fields++)
		if (!json_get(object, fields->key))
			return false;
	return true;
}

static int read_form(struct describing *describing, const struct json *member,
		     struct catalogue_value *value)
{
	static const struct describe_field fixed = { .key = "value",
						     .max = TEMPLATE_BYTES };

	if (json_kind(member) == JSON_STRING)
		return describe_string(describing, member, &value->templates[0], &fixed);
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		if (!has_all(member, forms[i].fields))
			continue;
		value->form = forms[i].form;
		(void)text_copy(value->digest, sizeof value->digest, forms[i].digest);
		return describe_read(describing, member, forms[i].fields, "this value",
				     value);
	}
	return describe_error(describing, member,
			      "a value is a text, {\"ipv4\": ..., \"ipv6\": ...}, "
			      "{\"apex\": ..., \"below\": ...}, {\"first\": ..., "
			      "\"else\": ...}, or {\"md5\": ...}, \"sha1\" or "
			      "\"sha256\"");
}

/* So that following values to what they are made of comes to an end. */
static int check_order(struct describing *describing, const struct json *member,
		       const struct catalogue *catalogue,
		       const struct catalogue_value *last)
{
	for (const struct catalogue_value *value = catalogue->values; value <= last; value++)
		if (describe_uses(catalogue, value->templates[0], last->name) ||
		    describe_uses(catalogue, value->templates[1], last->name))
			return describe_error(describing, member,
					      "the value \"%s\" is made of \"%s\", which "
					      "must stand before it", value->name,
					      last->name);
	return 0;
}

static int read_value(struct describing *describing, const struct json *member,
		      void *target)
{
	struct catalogue *catalogue = target;
	struct catalogue_value *value = &catalogue->values[catalogue->value_count];
	int result;

	if (catalogue->value_count == CATALOGUE_VALUES_MAX)
		return describe_error(describing, member, "too many values; at most %d",
				      CATALOGUE_VALUES_MAX);
	catalogue->value_count++;
	result = describe_name(describing, member, value->name);
	if (result == 0)
		result = read_form(describing, member, value);
	return result == 0 ? check_order(describing, member, catalogue, value) : result;
}

int describe_values(struct describing *describing, const struct json *value, void *target,
		    const struct describe_field *field)
{
	return describe_list(describing, value, JSON_OBJECT, field->key, read_value,
			     target);
}

/* --- sign --- */

static const struct signer {
	const char *by, *parts[5];
} signers[] = {
	{ "aws4", { "region", "service", "key", "secret" } },
	{ "volc", { "region", "service", "key", "secret" } },
	{ "tc3", { "service", "key", "secret" } },
	{ "huawei", { "key", "secret" } },
	{ "bce", { "key", "secret" } },
	{ "aliyun", { "key", "secret", "key_name" } },
	{ "ovh", { "app_key", "app_secret", "consumer_key", "time" } },
	{ "nfsn", { "login", "key" } },
	{ "transip", { "private_key" } },
	{ "jwt", { "key_file", "scope" } },
};
enum { SIGNERS = sizeof signers / sizeof *signers };

static int find_signer(struct describing *describing, const struct json *object)
{
	const char *words[SIGNERS + 1] = { 0 };

	for (size_t i = 0; i < SIGNERS; i++)
		words[i] = signers[i].by;
	if (!json_get(object, "by"))
		return describe_error(describing, object,
				      "a signature is an object with \"by\", as "
				      "{\"by\": \"aws4\", ...}");
	return describe_word(describing, json_get(object, "by"), words);
}

static int read_part(struct describing *describing, const struct json *object,
		     const char *name, struct catalogue_sign *sign)
{
	const struct describe_field field = { .key = name, .max = TEMPLATE_BYTES };
	struct catalogue_pair *part = &sign->parts[sign->part_count];

	if (!json_get(object, name))
		return describe_error(describing, object, "\"%s\" is missing for \"%s\"",
				      name, sign->by);
	sign->part_count++;
	part->name = strdup(name);
	if (!part->name)
		return describe_no_memory(describing);
	return describe_string(describing, json_get(object, name), &part->value, &field);
}

/* The parts in the order of the table. */
int describe_sign(struct describing *describing, const struct json *value, void *target,
		  const struct describe_field *field)
{
	struct describe_field known[7] = { { .key = "by", .read = describe_skip } };
	struct catalogue_sign *sign = target;
	int index = find_signer(describing, value), result;

	(void)field;
	if (index < 0)
		return index;
	(void)text_copy(sign->by, sizeof sign->by, signers[index].by);
	for (size_t i = 0; signers[index].parts[i]; i++)
		known[i + 1] = (struct describe_field){ .key = signers[index].parts[i],
							.read = describe_skip };
	result = describe_read(describing, value, known, "\"sign\"", sign);
	for (size_t i = 0; result == 0 && signers[index].parts[i]; i++)
		result = read_part(describing, value, signers[index].parts[i], sign);
	return result;
}

/* --- update, says --- */

#define AT(member) offsetof(struct catalogue_update, member)

static const struct describe_field update_fields[] = {
	{ "server", describe_string, AT(server), 0, 300, NULL },
	{ "zone", describe_string, AT(zone), 0, 300, NULL },
	{ "key", describe_string, AT(key), 0, 300, NULL },
	{ "secret", describe_string, AT(secret), 0, 300, NULL },
	{ "algorithm", describe_string, AT(algorithm), 0, 300, NULL },
	{ "ttl", describe_string, AT(ttl), 0, 300, NULL },
	{ 0 },
};
#undef AT

int describe_update(struct describing *describing, const struct json *value, void *target,
		    const struct describe_field *field)
{
	int result = describe_read(describing, value, update_fields, "\"update\"", target);

	(void)field;
	for (size_t i = 0; result == 0 && update_fields[i].key; i++)
		if (!json_get(value, update_fields[i].key))
			result = describe_error(describing, value,
						"\"%s\" is missing in \"update\"",
						update_fields[i].key);
	return result;
}

static int read_say(struct describing *describing, const struct json *item, void *target)
{
	struct catalogue *catalogue = target;
	struct catalogue_spot spot = { 0 };
	int result;

	if (catalogue->say_count == CATALOGUE_SAYS_MAX)
		return describe_error(describing, item, "too many paths; at most %d",
				      CATALOGUE_SAYS_MAX);
	result = describe_path(describing, item, &spot);
	if (spot.path)
		catalogue->says[catalogue->say_count++] = spot.path;
	/* NOLINTNEXTLINE(*NonNullParamChecker): 0 means it was read */
	if (result == 0 && strchr(spot.path, '{'))
		return describe_error(describing, item,
				      "a path of \"says\" takes no placeholders");
	return result;
}

int describe_says(struct describing *describing, const struct json *value, void *target,
		  const struct describe_field *field)
{
	return describe_list(describing, value, JSON_ARRAY, field->key, read_say, target);
}
