/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "requests" of a description: what each of them says.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "describe.h"
#include "problem.h"
#include "schema.h"

enum { TEMPLATE_BYTES = 4096 };

/* --- name --- */

static int read_step_name(struct describing *describing, const struct json *value,
			  void *target, const struct describe_field *field)
{
	const struct catalogue *catalogue = describing->catalogue;
	const struct catalogue_step *step = target;
	char *name = NULL;
	int result = describe_string(describing, value, &name, field);

	if (result < 0)
		return result;
	for (const struct catalogue_step *earlier = catalogue->steps; earlier < step;
	     earlier++)
		if (strcmp(earlier->name, name) == 0)
			result = describe_error(describing, value,
						"another step has this name");
	(void)text_copy(((struct catalogue_step *)target)->name, CATALOGUE_NAME_BYTES,
			name);
	free(name);
	return result;
}

static int read_method(struct describing *describing, const struct json *value,
		       void *target, const struct describe_field *field)
{
	static const char *const words[] = {
		"GET", "POST", "PUT", "PATCH", "DELETE", NULL,
	};
	struct catalogue_step *step = target;
	int word = describe_word(describing, value, words);

	(void)field;
	if (word >= 0)
		(void)text_copy(step->method, sizeof step->method, words[word]);
	return word < 0 ? word : 0;
}

/* --- headers --- */

static int check_header_name(struct describing *describing, const struct json *member,
			     const struct catalogue_step *step)
{
	/* Their values are the transfer's business. */
	static const char *const ours[] = {
		"Host",	      "Content-Length", "Transfer-Encoding",
		"Connection", "User-Agent",	NULL
	};
	const char *name = json_key(member);

	if (!describe_is_header(name))
		return describe_error(describing, member, "\"%s\" is no name of a header",
				      shown(name).text);
	for (size_t i = 0; ours[i]; i++)
		if (strcasecmp(ours[i], name) == 0)
			return describe_error(describing, member,
					      "the header %s is hairpind's own", ours[i]);
	for (size_t i = 0; i < step->header_count; i++)
		if (strcasecmp(step->headers[i].name, name) == 0)
			return describe_error(describing, member,
					      "the header %s stands here twice", name);
	return 0;
}

static int read_header(struct describing *describing, const struct json *member,
		       void *target)
{
	static const struct describe_field field = { .key = "headers",
						     .max = TEMPLATE_BYTES };
	struct catalogue_step *step = target;
	struct catalogue_pair *pair = &step->headers[step->header_count];
	int result = check_header_name(describing, member, step);

	if (result < 0)
		return result;
	if (step->header_count == CATALOGUE_HEADERS_MAX)
		return describe_error(describing, member, "too many headers; at most %d",
				      CATALOGUE_HEADERS_MAX);
	step->header_count++;
	pair->name = strdup(json_key(member));
	if (!pair->name)
		return describe_no_memory(describing);
	return describe_string(describing, member, &pair->value, &field);
}

static int read_headers(struct describing *describing, const struct json *value,
			void *target, const struct describe_field *field)
{
	return describe_list(describing, value, JSON_OBJECT, field->key, read_header,
			     target);
}

/* --- body --- */

/* A text, several lines too, or JSON as JSON. */
static int read_body(struct describing *describing, const struct json *value,
		     void *target, const struct describe_field *field)
{
	const char *string = json_string(value);
	char *body = NULL;

	if (string)
		body = strdup(string);
	else if (json_kind(value) == JSON_OBJECT || json_kind(value) == JSON_ARRAY)
		body = json_print(value, false);
	else
		return describe_error(describing, value,
				      "\"%s\" is text or a JSON object", field->key);
	if (!body)
		return describe_no_memory(describing);
	*(char **)target = body;
	return 0;
}

static int read_join(struct describing *describing, const struct json *value,
		     void *target, const struct describe_field *field)
{
	const char *string = json_string(value);
	struct describe_placeholder placeholder;

	if (!string || describe_next(string, &placeholder))
		return describe_error(describing, value,
				      "\"join\" is text without placeholders");
	return read_body(describing, value, target, field);
}

static int read_body_type(struct describing *describing, const struct json *value,
			  void *target, const struct describe_field *field)
{
	static const char *const words[] = { "form", "json", "text", "xml", NULL };
	struct catalogue_step *step = target;
	int word = describe_word(describing, value, words);

	(void)field;
	if (word >= 0)
		(void)text_copy(step->body_type, sizeof step->body_type, words[word]);
	return word < 0 ? word : 0;
}

static bool is_json(const struct json *value)
{
	return json_kind(value) == JSON_OBJECT || json_kind(value) == JSON_ARRAY;
}

static int check_body(struct describing *describing, const struct json *object,
		      struct catalogue_step *step)
{
	const struct json *body = json_get(object, "body");
	const struct json *each = json_get(object, "each");
	bool json = is_json(body) || is_json(each);

	if (step->body && strcmp(step->method, "GET") == 0)
		return describe_error(describing, body, "GET takes no body; leave it out, "
				      "or add \"method\"");
	if (step->body_type[0] && !step->body)
		return describe_error(describing, json_get(object, "body_type"),
				      "\"body_type\" without a \"body\"");
	if (step->body && step->body_type[0] == '\0' && json)
		strcpy(step->body_type, "json");
	if (step->body && step->body_type[0] == '\0')
		return describe_error(describing, body,
				      "\"body_type\" is missing; write \"form\", "
				      "\"json\", \"xml\" or \"text\"");
	if (json && strcmp(step->body_type, "json") != 0)
		return describe_error(describing, json_get(object, "body_type"),
				      "a body that is JSON has the \"body_type\" "
				      "\"json\"");
	return 0;
}

/* "each" and the family of that name belong together. */
static int check_each(struct describing *describing, const struct json *object,
		      struct catalogue_step *step)
{
	const struct json *family = json_get(object, "family");

	if (step->each && !family)
		step->family = CATALOGUE_EACH;
	if (step->each && step->family != CATALOGUE_EACH)
		return describe_error(describing, family,
				      "\"each\" is for \"family\": \"each\"");
	if (!step->each && step->family == CATALOGUE_EACH)
		return describe_error(describing, family,
				      "\"family\": \"each\" needs \"each\": the template "
				      "of one record");
	if (step->join && !step->each)
		return describe_error(describing, json_get(object, "join"),
				      "\"join\" needs \"each\"");
	if (!step->each)
		return 0;
	if (!describe_uses(describing->catalogue, step->body, "each"))
		return describe_error(describing, json_get(object, "each"),
				      "\"each\" needs a \"body\" with {each} in it");
	if (!step->join)
		step->join = strdup(strcmp(step->body_type, "json") == 0 ? "," : "");
	return step->join ? 0 : describe_no_memory(describing);
}

/* --- the request --- */

static int read_sign(struct describing *describing, const struct json *value,
		     void *target, const struct describe_field *field)
{
	struct catalogue_step *step = target;
	bool sign;

	if (!json_bool(value, &sign))
		return describe_sign(describing, value, &step->sign, field);
	step->no_sign = !sign;
	if (sign)
		return describe_error(describing, value,
				      "\"sign\" is false, or an object with \"by\"");
	return 0;
}

static int read_basic(struct describing *describing, const struct json *value,
		      void *target, const struct describe_field *field)
{
	struct catalogue_step *step = target;
	bool basic;

	(void)field;
	if (!json_bool(value, &basic) || basic)
		return describe_error(describing, value,
				      "\"basic\" of a request is false: without "
				      "authentication");
	step->no_basic = true;
	return 0;
}

/* In the orders of their enums. */
static const char *const families[] = {
	"any", "ipv4", "ipv6", "dual", "each", "every", NULL,
};
static const char *const purposes[] = { "write", "look", "clean", NULL };

#define AT(member) offsetof(struct catalogue_step, member)

static const struct describe_field fields[] = {
	{ "step", read_step_name, 0, 0, CATALOGUE_NAME_BYTES, NULL },
	{ "does", describe_enum, AT(does), 0, 0, purposes },
	{ "family", describe_enum, AT(family), 0, 0, families },
	{ "when", describe_when, AT(when), 0, 0, NULL },
	{ "method", read_method, 0, 0, 0, NULL },
	{ "url", describe_string, AT(url), 0, TEMPLATE_BYTES, NULL },
	{ "headers", read_headers, 0, 0, 0, NULL },
	{ "body", read_body, AT(body), 0, 0, NULL },
	{ "body_type", read_body_type, 0, 0, 0, NULL },
	{ "each", read_body, AT(each), 0, 0, NULL },
	{ "join", read_join, AT(join), 0, 0, NULL },
	{ "read", describe_reads, 0, 0, 0, NULL },
	{ "keep", describe_skip, 0, 0, 0, NULL },	/* when all that is read is known */
	{ "pages", describe_pages, AT(pages), 0, 0, NULL },
	{ "answers", describe_step_rules, 0, 0, 0, NULL },
	{ "sign", read_sign, 0, 0, 0, NULL },
	{ "basic", read_basic, 0, 0, 0, NULL },
	{ 0 },
};
#undef AT

/* Steps follow each other; alternatives know nothing of others. */
static int check_kind(struct describing *describing, const struct json *object,
		      const struct catalogue_step *step)
{
	static const char *const of_steps[] = {
		"does", "when", "read", "keep", "pages", NULL,
	};
	bool steps = describing->catalogue->steps[0].name[0] != '\0';

	if (steps != (step->name[0] != '\0'))
		return describe_error(describing, object,
				      "either all requests have a \"step\", or none");
	for (size_t i = 0; !steps && of_steps[i]; i++)
		if (json_get(object, of_steps[i]))
			return describe_error(describing, json_get(object, of_steps[i]),
					      "\"%s\" is for steps; give the request a "
					      "\"step\"", of_steps[i]);
	if (!steps && step->family == CATALOGUE_EVERY)
		return describe_error(describing, json_get(object, "family"),
				      "\"every\" is for steps; leave \"family\" out");
	return 0;
}

/* What was not said. */
static void set_defaults(const struct catalogue *catalogue, const struct json *object,
			 struct catalogue_step *step)
{
	if (step->name[0] == '\0')
		return;
	if (!json_get(object, "does") && step->when.last)
		step->does = CATALOGUE_CLEAN;
	else if (!json_get(object, "does") && strcmp(step->method, "GET") == 0)
		step->does = CATALOGUE_LOOK;
	if (!json_get(object, "family") && step->family == CATALOGUE_ANY &&
	    !describe_step_needs_address(catalogue, step))
		step->family = CATALOGUE_EVERY;
}

static int read_request(struct describing *describing, const struct json *object,
			void *target)
{
	struct catalogue *catalogue = target;
	struct catalogue_step *step = &catalogue->steps[catalogue->step_count];
	int result;

	if (catalogue->step_count == CATALOGUE_STEPS_MAX)
		return describe_error(describing, object, "too many requests; at most %d",
				      CATALOGUE_STEPS_MAX);
	catalogue->step_count++;
	strcpy(step->method, "GET");
	result = describe_read(describing, object, fields, "a request", step);
	if (result == 0 && !step->url)
		return describe_error(describing, object, "\"url\" is missing");
	if (result == 0)
		result = check_kind(describing, object, step);
	if (result == 0)
		result = describe_keep(describing, object, step);
	if (result == 0)
		result = check_body(describing, object, step);
	if (result == 0)
		result = check_each(describing, object, step);
	if (result == 0)
		set_defaults(catalogue, object, step);
	return result;
}

int describe_requests(struct describing *describing, const struct json *array)
{
	if (json_kind(array) == JSON_ARRAY && json_count(array) == 0)
		return describe_error(describing, array,
				      "\"requests\" must have at least one request");
	return describe_list(describing, array, JSON_ARRAY, "requests", read_request,
			     describing->catalogue);
}
