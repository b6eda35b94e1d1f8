/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A provider's description as a whole. The language: hairpind-providers(5).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "problem.h"

static void free_spot(struct catalogue_spot *spot)
{
	free(spot->path);
}

static void free_pairs(struct catalogue_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(pairs[i].name);
		free(pairs[i].value);
	}
}

static void free_rules(struct catalogue_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(rules[i].token);
		free(rules[i].prefix);
		free(rules[i].contains);
		free(rules[i].line);
		free_spot(&rules[i].spot);
		free(rules[i].test_text);
	}
}

static void free_step(struct catalogue_step *step)
{
	free(step->url);
	free(step->body);
	free(step->each);
	free(step->join);
	free_pairs(step->headers, step->header_count);
	free_pairs(step->sign.parts, step->sign.part_count);
	for (size_t i = 0; i < step->read_count; i++)
		free_spot(&step->reads[i].spot);
	free_spot(&step->pages.spot);
	free_rules(step->rules, step->rule_count);
	free(step->rules);
}

static void free_setting(struct catalogue_setting *setting)
{
	free(setting->help);
	free(setting->fallback);
	for (size_t i = 0; setting->choices[i]; i++)
		free(setting->choices[i]);
}

static void free_update(struct catalogue_update *update)
{
	free(update->server);
	free(update->zone);
	free(update->key);
	free(update->secret);
	free(update->algorithm);
	free(update->ttl);
}

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
	for (size_t i = 0; i < catalogue->setting_count; i++)
		free_setting(&catalogue->settings[i]);
	for (size_t i = 0; i < catalogue->value_count; i++) {
		free(catalogue->values[i].templates[0]);
		free(catalogue->values[i].templates[1]);
	}
	free_pairs(catalogue->sign.parts, catalogue->sign.part_count);
	for (size_t i = 0; i < catalogue->step_count; i++)
		free_step(&catalogue->steps[i]);
	free_update(&catalogue->update);
	free_rules(catalogue->rules, catalogue->rule_count);
	for (size_t i = 0; i < catalogue->say_count; i++)
		free(catalogue->says[i]);
	free(catalogue);
}

/* --- the top level --- */

static int read_id(struct describing *describing, const struct json *value, void *target,
		   const struct describe_field *field)
{
	const char *id = json_string(value);

	(void)field;
	if (!id || !describe_is_word(id, '-'))
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
	static const char *const words[] = { "rules", "dyndns2", "rfc2136", NULL };
	struct catalogue *catalogue = target;
	int word = describe_word(describing, value, words);

	(void)field;
	if (word < 0)
		return word;
	catalogue->protocol = (enum catalogue_protocol)word;
	return 0;
}

static int read_address(struct describing *describing, const struct json *value,
			void *target, const struct describe_field *field)
{
	static const char *const words[] = { "parameter", "connection", NULL };
	int word = describe_word(describing, value, words);

	(void)field;
	if (word < 0)
		return word;
	*(bool *)target = word == 1;
	return 0;
}

static int read_wildcard(struct describing *describing, const struct json *value,
			 void *target, const struct describe_field *field)
{
	bool may = false;
	int result = describe_bool(describing, value, &may, field);

	if (result == 0)
		*(enum catalogue_wildcard *)target =
			may ? CATALOGUE_WILDCARD_YES : CATALOGUE_WILDCARD_NO;
	return result;
}

#define AT(member) offsetof(struct catalogue, member)

static const struct describe_field basic_fields[] = {
	{ "user", describe_string, AT(basic_user), 0, 200, NULL },
	{ "password", describe_string, AT(basic_password), 0, 200, NULL },
	{ 0 },
};

/* Its templates: with the steps that use it. */
static int read_basic(struct describing *describing, const struct json *value,
		      void *target, const struct describe_field *field)
{
	const struct catalogue *catalogue = target;
	int result = describe_read(describing, value, basic_fields, "\"basic\"", target);

	(void)field;
	if (result == 0 && (!catalogue->basic_user || !catalogue->basic_password))
		return describe_error(describing, value, "\"basic\" needs \"user\" and "
				      "\"password\"");
	return result;
}

/* In the order of enum catalogue_other. */
static const char *const others[] = { "unknown", "kept", "deleted", NULL };

static const struct describe_field fields[] = {
	{ "$schema", describe_skip, 0, 0, 0, NULL },
	{ "id", read_id, AT(id), 0, 0, NULL },
	{ "name", describe_string, AT(name), 0, 100, NULL },
	{ "website", describe_string, AT(website), 0, 200, NULL },
	{ "status", read_status, 0, 0, 0, NULL },
	{ "ended", read_ended, AT(ended), 1998, 2100, NULL },
	{ "instead", describe_string, AT(instead), 0, 200, NULL },
	{ "note", describe_string, AT(note), 0, 1000, NULL },
	{ "settings", describe_settings, 0, 0, 0, NULL },
	{ "values", describe_values, 0, 0, 0, NULL },
	{ "basic", read_basic, 0, 0, 0, NULL },
	{ "sign", describe_sign, AT(sign), 0, 0, NULL },
	{ "requests", describe_skip, 0, 0, 0, NULL },	/* after the settings and values */
	{ "protocol", read_protocol, 0, 0, 0, NULL },
	{ "update", describe_update, AT(update), 0, 0, NULL },
	{ "answers", describe_rules, 0, 0, 0, NULL },
	{ "says", describe_says, 0, 0, 0, NULL },
	{ "other_family", describe_enum, AT(facts.other_family), 0, 0, others },
	{ "batch", describe_number, AT(batch), 1, CATALOGUE_SHARED_NAMES, NULL },
	{ "parallel", describe_number, AT(facts.parallel), 1, 100, NULL },
	{ "per_minute", describe_number, AT(facts.per_minute), 0, 600, NULL },
	{ "min_interval", describe_duration, AT(facts.min_interval_ms), 0, 0, NULL },
	{ "refresh", describe_duration, AT(facts.refresh_ms), 0, 0, NULL },
	{ "address", read_address, AT(by_connection), 0, 0, NULL },
	{ "wildcard", read_wildcard, AT(wildcard), 0, 0, NULL },
	{ "contact", describe_bool, AT(wants_contact), 0, 0, NULL },
	{ 0 },
};
#undef AT

static int read_all(struct describing *describing)
{
	struct catalogue *catalogue = describing->catalogue;
	const struct json *requests = json_get(describing->root, "requests");
	int result = describe_read(describing, describing->root, fields, "a description",
				   catalogue);

	if (result < 0)
		return result;
	if (!catalogue->id[0] || !catalogue->name || !catalogue->status)
		return describe_error(describing, describing->root,
				      "\"id\", \"name\" and "
				      "\"status\" must be there");
	if (!catalogue->shut_down &&
	    (json_get(describing->root, "ended") || catalogue->instead))
		return describe_error(describing, describing->root,
				      "\"ended\" and \"instead\" are for the \"status\" "
				      "\"shut down\"");
	if (catalogue->shut_down && !requests)
		return 0;
	if (!requests && catalogue->protocol != CATALOGUE_RFC2136)
		return describe_error(describing, describing->root,
				      "\"requests\" is missing");
	if (requests)
		result = describe_requests(describing, requests);
	return result == 0 ? describe_check_whole(describing) : result;
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
		return err_set(ret_err, error.no_memory ? -ENOMEM : -EINVAL,
			       "%u:%u: %s", error.place.line, error.place.column,
			       error.text);
	describing.catalogue = calloc(1, sizeof *describing.catalogue);
	if (!describing.catalogue) {
		json_free(describing.root);
		return err_set(ret_err, -ENOMEM, "no memory");
	}
	describing.catalogue->batch = describing.catalogue->facts.batch_hostnames = 1;
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
