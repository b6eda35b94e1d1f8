/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A provider's description as a whole. The language: conf/providers/README.md.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "problem.h"

void catalogue_free(struct catalogue *catalogue)
{
	if (!catalogue)
		return;
	free(catalogue->name);
	free(catalogue->website);
	free(catalogue->status);
	free(catalogue->instead);
	free(catalogue->note);
	free(catalogue->basic_user);
	free(catalogue->basic_password);
	for (size_t i = 0; i < catalogue->setting_count; i++) {
		free(catalogue->settings[i].help);
		free(catalogue->settings[i].fallback);
	}
	for (size_t i = 0; i < catalogue->step_count; i++) {
		struct catalogue_step *step = &catalogue->steps[i];

		free(step->url);
		free(step->body);
		for (size_t j = 0; j < step->header_count; j++) {
			free(step->headers[j].name);
			free(step->headers[j].value);
		}
	}
	for (size_t i = 0; i < catalogue->rule_count; i++) {
		free(catalogue->rules[i].token);
		free(catalogue->rules[i].prefix);
		free(catalogue->rules[i].contains);
		free(catalogue->rules[i].line);
	}
	free(catalogue);
}

/* Lower-case letters and digits, and `more` behind the first. */
static bool is_word(const char *word, char more)
{
	const char *c = word;

	for (; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= '0' && *c <= '9') &&
		    !(*c == more && c > word))
			return false;
	return c > word && c - word < CATALOGUE_NAME_BYTES;
}

/* --- settings --- */

static int read_kind(struct describing *describing, const struct json *value,
		     void *target, const struct describe_field *field)
{
	static const char *const words[] = { "text", "server", NULL };
	int word = describe_word(describing, value, words);

	(void)field;
	if (word >= 0)
		*(enum catalogue_kind *)target = (enum catalogue_kind)word;
	return word < 0 ? word : 0;
}

/* May be empty: the placeholder then vanishes. */
static int read_default(struct describing *describing, const struct json *value,
			void *target, const struct describe_field *field)
{
	const char *string = json_string(value);

	if (!string || *string)
		return describe_string(describing, value, target, field);
	*(char **)target = strdup("");
	return *(char **)target ? 0 : err_set(describing->err, -ENOMEM, "no memory");
}

#define AT(member) offsetof(struct catalogue_setting, member)

static const struct describe_field setting_fields[] = {
	{ "kind", read_kind, AT(kind), 0, 0 },
	{ "secret", describe_bool, AT(secret), 0, 0 },
	{ "required", describe_bool, AT(required), 0, 0 },
	{ "help", describe_string, AT(help), 0, 200 },
	{ "default", read_default, AT(fallback), 0, 200 },
	{ 0 },
};
#undef AT

/* Keys of every entry, and placeholders that are no settings, now or later. */
static bool is_reserved(const char *name)
{
	static const char *const words[] = {
		"type", "name", "wan", "hostnames", "families", "refresh",
		"min_interval", "private_server", "ca_file", "ca_pem", "timeout",
		"user_agent", "allow_private", "insecure_http", "check", "hostname",
		"ip", "ipv4", "ipv6", "rrtype", "owner", NULL,
	};

	for (size_t i = 0; words[i]; i++)
		if (strcmp(words[i], name) == 0)
			return true;
	return false;
}

static int read_setting(struct describing *describing, const struct json *member,
			struct catalogue *catalogue)
{
	struct catalogue_setting *setting =
		&catalogue->settings[catalogue->setting_count];
	const char *name = json_key(member);
	int result;

	if (catalogue->setting_count == CATALOGUE_SETTINGS_MAX)
		return describe_error(describing, member, "too many settings; at most %d",
				      CATALOGUE_SETTINGS_MAX);
	if (!is_word(name, '_') || *name < 'a')
		return describe_error(describing, member,
				      "\"%s\" is no name of a setting; use "
				      "lower-case letters, digits and '_'",
				      shown(name).text);
	if (is_reserved(name))
		return describe_error(describing, member,
				      "\"%s\" has a meaning of its own; "
				      "choose another name",
				      name);
	catalogue->setting_count++;
	(void)text_copy(setting->name, sizeof setting->name, name);
	result = describe_read(describing, member, setting_fields, "a setting", setting);
	if (result < 0)
		return result;
	if (!setting->help)
		return describe_error(describing, member,
				      "\"help\" is missing: one line for "
				      "people");
	if (setting->required == (setting->fallback != NULL))
		return describe_error(describing, member,
				      "a setting is either \"required\" or "
				      "has a \"default\" (\"\" for none)");
	return 0;
}

static int read_settings(struct describing *describing, const struct json *value,
			 void *target, const struct describe_field *field)
{
	const struct json *member = json_child(value);
	int result = 0;

	(void)field;
	if (json_kind(value) != JSON_OBJECT)
		return describe_error(describing, value,
				      "\"settings\" must be an object");
	for (; result == 0 && member; member = json_next(member))
		result = read_setting(describing, member, target);
	return result;
}

/* --- the top level --- */

static int read_id(struct describing *describing, const struct json *value, void *target,
		   const struct describe_field *field)
{
	const char *id = json_string(value);

	(void)field;
	if (!id || !is_word(id, '-'))
		return describe_error(describing, value,
				      "\"id\" must be lower-case letters, "
				      "digits and '-', at most %d",
				      CATALOGUE_NAME_BYTES - 1);
	(void)text_copy(target, CATALOGUE_NAME_BYTES, id);
	return 0;
}

static int read_status(struct describing *describing, const struct json *value,
		       void *target, const struct describe_field *field)
{
	static const char *const words[] = { "alive", "unknown", "shut down", NULL };
	struct catalogue *catalogue = target;
	int word = describe_word(describing, value, words);

	(void)field;
	if (word < 0)
		return word;
	catalogue->shut_down = word == 2;
	catalogue->status = strdup(words[word]);
	return catalogue->status ? 0 : err_set(describing->err, -ENOMEM, "no memory");
}

static int read_ended(struct describing *describing, const struct json *value,
		      void *target, const struct describe_field *field)
{
	unsigned year = 0;
	int result = describe_number(describing, value, &year, field);

	*(int *)target = (int)year;
	return result;
}

static int read_protocol(struct describing *describing, const struct json *value,
			 void *target, const struct describe_field *field)
{
	static const char *const words[] = { "rules", "dyndns2", NULL };
	int word;

	(void)field;
	if (json_string(value) && strcmp(json_string(value), "rfc2136") == 0)
		return describe_error(describing, value,
				      "this version cannot speak \"rfc2136\" "
				      "yet; it needs a newer hairpind");
	word = describe_word(describing, value, words);
	*(bool *)target = word == 1;
	return word < 0 ? word : 0;
}

static int read_other(struct describing *describing, const struct json *value,
		      void *target, const struct describe_field *field)
{
	static const char *const words[] = { "unknown", "kept", "deleted", NULL };
	int word = describe_word(describing, value, words);

	(void)field;
	if (word >= 0)
		*(enum catalogue_other *)target = (enum catalogue_other)word;
	return word < 0 ? word : 0;
}

#define AT(member) offsetof(struct catalogue, member)

static const struct describe_field basic_fields[] = {
	{ "user", describe_string, AT(basic_user), 0, 200 },
	{ "password", describe_string, AT(basic_password), 0, 200 },
	{ 0 },
};

static int read_basic(struct describing *describing, const struct json *value,
		      void *target, const struct describe_field *field)
{
	(void)field;
	return describe_read(describing, value, basic_fields, "\"basic\"", target);
}

static const struct describe_field fields[] = {
	{ "$schema", describe_skip, 0, 0, 0 },
	{ "id", read_id, AT(id), 0, 0 },
	{ "name", describe_string, AT(name), 0, 100 },
	{ "website", describe_string, AT(website), 0, 200 },
	{ "status", read_status, 0, 0, 0 },
	{ "ended", read_ended, AT(ended), 1998, 2100 },
	{ "instead", describe_string, AT(instead), 0, 200 },
	{ "note", describe_string, AT(note), 0, 1000 },
	{ "settings", read_settings, 0, 0, 0 },
	{ "basic", read_basic, 0, 0, 0 },
	{ "protocol", read_protocol, AT(dyndns2), 0, 0 },
	{ "requests", describe_skip, 0, 0, 0 },	/* these two after the settings */
	{ "answers", describe_skip, 0, 0, 0 },
	{ "other_family", read_other, AT(facts.other_family), 0, 0 },
	{ "batch", describe_number, AT(facts.batch_hostnames), 1, 20 },
	{ "parallel", describe_number, AT(facts.parallel), 1, 100 },
	{ "per_minute", describe_number, AT(facts.per_minute), 0, 600 },
	{ "min_interval", describe_duration, AT(facts.min_interval_ms), 0, 0 },
	{ "refresh", describe_duration, AT(facts.refresh_ms), 0, 0 },
	{ .key = "sign" }, { .key = "read" }, { .key = "when" },
	{ 0 },
};
#undef AT

/* --- what only the whole shows --- */

static void find_families(struct catalogue *catalogue)
{
	static const unsigned of[] = {
		[CATALOGUE_ANY] = CONFIG_IPV4 | CONFIG_IPV6,
		[CATALOGUE_IPV4] = CONFIG_IPV4,
		[CATALOGUE_IPV6] = CONFIG_IPV6,
	};

	for (size_t i = 0; i < catalogue->step_count; i++) {
		if (catalogue->steps[i].family == CATALOGUE_DUAL)
			catalogue->facts.dual = true;
		else
			catalogue->facts.families |= of[catalogue->steps[i].family];
	}
}

static int check_basic(struct describing *describing)
{
	const struct catalogue *catalogue = describing->catalogue;
	const struct json *basic = json_get(describing->root, "basic");
	int result;

	if (!basic)
		return 0;
	if (!catalogue->basic_user || !catalogue->basic_password)
		return describe_error(describing, basic, "\"basic\" needs \"user\" and "
				      "\"password\"");
	result = describe_template(describing, json_get(basic, "user"),
				   catalogue->basic_user, CATALOGUE_ANY, USE_AUTH);
	if (result == 0)
		result = describe_template(describing, json_get(basic, "password"),
					   catalogue->basic_password, CATALOGUE_ANY,
					   USE_AUTH);
	return result;
}

/* Names sent together must all be sent. */
static int check_batch(struct describing *describing)
{
	const struct catalogue *catalogue = describing->catalogue;

	if (catalogue->facts.batch_hostnames == 1)
		return 0;
	for (size_t i = 0; i < catalogue->step_count; i++)
		if (!describe_uses(catalogue->steps[i].url, "hostnames") &&
		    !describe_uses(catalogue->steps[i].body, "hostnames"))
			return describe_error(
				describing, json_get(describing->root, "batch"),
				"\"batch\" needs {hostnames} in every request");
	return 0;
}

static int check_whole(struct describing *describing)
{
	struct catalogue *catalogue = describing->catalogue;

	find_families(catalogue);
	if (catalogue->facts.families == 0)
		return describe_error(
			describing, json_get(describing->root, "requests"),
			"a dual request alone is not enough; add one for a single "
			"family");
	if (!catalogue->dyndns2 && catalogue->rule_count == 0)
		return describe_error(describing, describing->root,
				      "\"answers\" is missing: "
				      "what a reply means");
	return check_batch(describing);
}

static int read_all(struct describing *describing)
{
	struct catalogue *catalogue = describing->catalogue;
	const struct json *requests = json_get(describing->root, "requests");
	const struct json *answers = json_get(describing->root, "answers");
	int result = describe_read(describing, describing->root, fields, "a description",
				   catalogue);

	if (result < 0)
		return result;
	if (!catalogue->id[0] || !catalogue->name || !catalogue->status)
		return describe_error(describing, describing->root,
				      "\"id\", \"name\" and "
				      "\"status\" must be there");
	if (catalogue->shut_down && !requests)
		return 0;
	if (!requests)
		return describe_error(describing, describing->root,
				      "\"requests\" is missing");
	result = check_basic(describing);
	if (result == 0)
		result = describe_requests(describing, requests);
	if (result == 0 && answers)
		result = describe_answers(describing, answers);
	return result == 0 ? check_whole(describing) : result;
}

int catalogue_parse(const char *text, size_t length, struct catalogue **ret_catalogue,
		    struct err *ret_err)
{
	struct describing describing = { .text = text, .length = length, .err = ret_err };
	struct json_error error;
	int result;

	if (length > CATALOGUE_MAX_BYTES)
		return err_set(ret_err, -EINVAL, "1:1: larger than %d bytes",
			       CATALOGUE_MAX_BYTES);
	describing.root = json_parse(text, length, JSON_RELAXED, &error);
	if (!describing.root)
		return err_set(ret_err, -EINVAL, "%u:%u: %s", error.place.line,
			       error.place.column, error.text);
	describing.catalogue = calloc(1, sizeof *describing.catalogue);
	if (!describing.catalogue) {
		json_free(describing.root);
		return err_set(ret_err, -ENOMEM, "no memory");
	}
	describing.catalogue->facts.batch_hostnames = 1;
	describing.catalogue->facts.parallel = 1;
	describing.catalogue->facts.per_minute = 10;
	result = read_all(&describing);
	json_free(describing.root);
	if (result == 0)
		*ret_catalogue = describing.catalogue;
	else
		catalogue_free(describing.catalogue);
	return result;
}
