/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "requests" of a description.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"
#include "problem.h"
#include "schema.h"

static int read_family(struct describing *describing, const struct json *value,
		       void *target, const struct describe_field *field)
{
	static const char *const words[] = { "any", "ipv4", "ipv6", "dual", NULL };
	int word = describe_word(describing, value, words);

	(void)field;
	if (word >= 0)
		*(enum catalogue_family *)target = (enum catalogue_family)word;
	return word < 0 ? word : 0;
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

static int read_body_type(struct describing *describing, const struct json *value,
			  void *target, const struct describe_field *field)
{
	static const char *const words[] = { "form", "json", "text", NULL };
	struct catalogue_step *step = target;
	int word;

	(void)field;
	if (json_string(value) && strcmp(json_string(value), "xml") == 0)
		return describe_error(describing, value,
				      "this version cannot send \"xml\" yet; "
				      "it needs a newer hairpind");
	word = describe_word(describing, value, words);
	if (word >= 0)
		(void)text_copy(step->body_type, sizeof step->body_type, words[word]);
	return word < 0 ? word : 0;
}

/* A text, or JSON as JSON. */
static int read_body(struct describing *describing, const struct json *value,
		     void *target, const struct describe_field *field)
{
	struct catalogue_step *step = target;
	const char *string = json_string(value);

	(void)field;
	if (string)
		step->body = strdup(string);
	else if (json_kind(value) == JSON_OBJECT || json_kind(value) == JSON_ARRAY)
		step->body = json_print(value, false);
	else
		return describe_error(describing, value,
				      "a body is text or a JSON object");
	if (!step->body)
		return err_set(describing->err, -ENOMEM, "no memory");
	if (!string && step->body_type[0] == '\0')
		(void)text_copy(step->body_type, sizeof step->body_type, "json");
	return 0;
}

static bool is_token(const char *name)
{
	for (const char *c = name; *c; c++)
		if (*c <= ' ' || *c > '~' || strchr("\"(),/:;<=>?@[\\]{}", *c))
			return false;
	return *name != '\0';
}

static int read_header(struct describing *describing, const struct json *member,
		       struct catalogue_step *step)
{
	static const struct describe_field field = { .key = "headers", .max = 4096 };
	/* Their values are the transfer's business. */
	static const char *const ours[] = {
		"Host",	      "Content-Length", "Transfer-Encoding",
		"Connection", "User-Agent",	NULL
	};
	struct catalogue_pair *pair;

	if (step->header_count == CATALOGUE_HEADERS_MAX)
		return describe_error(describing, member, "too many headers; at most %d",
				      CATALOGUE_HEADERS_MAX);
	if (!is_token(json_key(member)))
		return describe_error(describing, member, "\"%s\" is no name of a header",
				      shown(json_key(member)).text);
	for (size_t i = 0; ours[i]; i++)
		if (strcasecmp(ours[i], json_key(member)) == 0)
			return describe_error(describing, member,
					      "the header %s is hairpind's "
					      "own",
					      ours[i]);
	pair = &step->headers[step->header_count++];
	pair->name = strdup(json_key(member));
	if (!pair->name)
		return err_set(describing->err, -ENOMEM, "no memory");
	return describe_string(describing, member, &pair->value, &field);
}

static int read_headers(struct describing *describing, const struct json *value,
			void *target, const struct describe_field *field)
{
	const struct json *member = json_child(value);
	int result = 0;

	(void)field;
	if (json_kind(value) != JSON_OBJECT)
		return describe_error(describing, value, "\"headers\" must be an object");
	for (; result == 0 && member; member = json_next(member))
		result = read_header(describing, member, target);
	return result;
}

#define AT(member) offsetof(struct catalogue_step, member)

static const struct describe_field fields[] = {
	{ "family", read_family, AT(family), 0, 0 },
	{ "method", read_method, 0, 0, 0 },
	{ "url", describe_string, AT(url), 0, 4096 },
	{ "headers", read_headers, 0, 0, 0 },
	{ "body", read_body, 0, 0, 0 },
	{ "body_type", read_body_type, 0, 0, 0 },
	/* Several steps that hand on what they read: README of conf/providers. */
	{ .key = "step" }, { .key = "when" }, { .key = "read" }, { .key = "answers" },
	{ .key = "pages" }, { .key = "sign" },
	{ 0 },
};

static int check_templates(struct describing *describing, const struct json *object,
			   const struct catalogue_step *step)
{
	const struct json *headers = json_get(object, "headers");
	int result = describe_template(describing, json_get(object, "url"), step->url,
				       step->family, USE_URL);

	for (size_t i = 0; result == 0 && i < step->header_count; i++)
		result = describe_template(
			describing, json_get(headers, step->headers[i].name),
			step->headers[i].value, step->family, USE_HEADER);
	if (result == 0 && step->body)
		result = describe_template(describing, json_get(object, "body"),
					   step->body, step->family, USE_BODY);
	return result;
}

static int check_request(struct describing *describing, const struct json *object,
			 const struct catalogue_step *step)
{
	bool sends =
		strcmp(step->method, "GET") != 0 && strcmp(step->method, "DELETE") != 0;

	if (!step->url)
		return describe_error(describing, object, "\"url\" is missing");
	if (step->body && !sends)
		return describe_error(describing, json_get(object, "body"),
				      "%s takes no body", step->method);
	if (step->body && step->body_type[0] == '\0')
		return describe_error(describing, json_get(object, "body"),
				      "\"body_type\" is "
				      "missing; write \"form\", \"json\" or \"text\"");
	return check_templates(describing, object, step);
}

/* One request for each family; "any" stands for both single ones. */
static int check_families(struct describing *describing, const struct json *object,
			  const struct catalogue_step *step)
{
	const struct catalogue_step *earlier = describing->catalogue->steps;

	for (; earlier < step; earlier++) {
		bool same = earlier->family == step->family;
		bool single = earlier->family != CATALOGUE_DUAL &&
			      step->family != CATALOGUE_DUAL;
		bool any =
			earlier->family == CATALOGUE_ANY || step->family == CATALOGUE_ANY;

		if (same || (single && any))
			return describe_error(describing, object,
					      "there is another request for "
					      "this family");
	}
	return 0;
}

static int read_request(struct describing *describing, const struct json *object)
{
	struct catalogue *catalogue = describing->catalogue;
	struct catalogue_step *step = &catalogue->steps[catalogue->step_count];
	int result;

	if (catalogue->step_count == CATALOGUE_STEPS_MAX)
		return describe_error(describing, object, "too many requests; at most %d",
				      CATALOGUE_STEPS_MAX);
	catalogue->step_count++;
	(void)text_copy(step->method, sizeof step->method, "GET");
	result = describe_read(describing, object, fields, "a request", step);
	if (result == 0)
		result = check_families(describing, object, step);
	if (result == 0)
		result = check_request(describing, object, step);
	return result;
}

int describe_requests(struct describing *describing, const struct json *array)
{
	const struct json *item = json_child(array);
	int result = 0;

	if (json_kind(array) != JSON_ARRAY || !item)
		return describe_error(describing, array,
				      "\"requests\" must be an array of at "
				      "least one request");
	for (; result == 0 && item; item = json_next(item))
		result = read_request(describing, item);
	return result;
}
