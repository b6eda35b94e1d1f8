/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "answers" of a description: what a reply means, where it is not dyndns2's own words.
 */
#include <errno.h>
#include <string.h>

#include "describe.h"

static int read_means(struct describing *describing, const struct json *value,
		      void *target, const struct describe_field *field)
{
	/* In the order of enum catalogue_verdict. */
	static const char *const words[] = {
		"good", "unchanged", "badauth", "nohost", "abuse", "badagent",
		"forbidden", "bad-request", "rate-limited", "server-error",
		"transient", NULL,
	};
	int word = describe_word(describing, value, words);

	(void)field;
	if (word >= 0)
		*(enum catalogue_verdict *)target = (enum catalogue_verdict)word;
	return word < 0 ? word : 0;
}

static int read_http(struct describing *describing, const struct json *value,
		     void *target, const struct describe_field *field)
{
	unsigned status = 0;
	int result;

	if (json_kind(value) == JSON_ARRAY)
		return describe_error(describing, value,
				      "one status a rule; write a rule for "
				      "each");
	result = describe_number(describing, value, &status, field);
	*(int *)target = (int)status;
	return result;
}

#define AT(member) offsetof(struct catalogue_rule, member)

static const struct describe_field fields[] = {
	{ "http", read_http, AT(http), 200, 599 },
	{ "token", describe_string, AT(token), 0, 128 },
	{ "prefix", describe_string, AT(prefix), 0, 128 },
	{ "contains", describe_string, AT(contains), 0, 128 },
	{ "line", describe_string, AT(line), 0, 128 },
	{ "means", read_means, AT(verdict), 0, 0 },
	{ .key = "json" }, { .key = "is" }, { .key = "present" }, { .key = "header" },
	{ .key = "regex" }, { .key = "rcode" },
	{ 0 },
};

static int read_rule(struct describing *describing, const struct json *object)
{
	struct catalogue *catalogue = describing->catalogue;
	struct catalogue_rule *rule = &catalogue->rules[catalogue->rule_count];
	int result;

	if (catalogue->rule_count == CATALOGUE_RULES_MAX)
		return describe_error(describing, object, "too many rules; at most %d",
				      CATALOGUE_RULES_MAX);
	catalogue->rule_count++;
	result = describe_read(describing, object, fields, "a rule of an answer", rule);
	if (result < 0)
		return result;
	if (!json_get(object, "means"))
		return describe_error(describing, object, "\"means\" is missing");
	if (json_count(object) < 2)
		return describe_error(
			describing, object,
			"a rule needs a condition, as "
			"\"http\", \"token\", \"prefix\", \"contains\" or \"line\"");
	return 0;
}

int describe_answers(struct describing *describing, const struct json *array)
{
	const struct json *item = json_child(array);
	int result = 0;

	if (json_kind(array) != JSON_ARRAY)
		return describe_error(describing, array,
				      "\"answers\" must be an array of rules");
	for (; result == 0 && item; item = json_next(item))
		result = read_rule(describing, item);
	return result;
}
