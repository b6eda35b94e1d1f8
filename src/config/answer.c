/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "answers" of a description or a step: what a reply means, where it is not dyndns2's own
 * words.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "describe.h"

enum { TEXT_BYTES = 256 };

/* 404, or "500-599". */
static int read_http(struct describing *describing, const struct json *value,
		     void *target, const struct describe_field *field)
{
	struct catalogue_rule *rule = target;
	const char *range = json_string(value);
	char from[4];
	long first, last;
	unsigned status = 0;
	int result;

	if (json_kind(value) == JSON_ARRAY)
		return describe_error(describing, value,
				      "one status or range a rule, as \"500-599\"; "
				      "write a rule for each");
	if (!range) {
		result = describe_number(describing, value, &status, field);
		rule->http = rule->http_to = (int)status;
		return result;
	}
	if (strlen(range) != 7 || range[3] != '-')
		return describe_error(describing, value,
				      "a range of statuses is as \"500-599\"");
	memcpy(from, range, 3);
	from[3] = '\0';
	if (!text_parse_number(from, field->min, field->max, &first) ||
	    !text_parse_number(range + 4, first, field->max, &last))
		return describe_error(describing, value,
				      "a range of statuses is as \"500-599\", within "
				      "%ld to %ld", field->min, field->max);
	rule->http = (int)first;
	rule->http_to = (int)last;
	return 0;
}

/* --- what stands at a spot --- */

static int read_present(struct describing *describing, const struct json *value,
			void *target, const struct describe_field *field)
{
	struct catalogue_rule *rule = target;
	bool present = false;
	int result = describe_bool(describing, value, &present, field);

	if (result == 0)
		rule->test = present ? CATALOGUE_PRESENT : CATALOGUE_ABSENT;
	return result;
}

/* A text, or a number, true or false as JSON prints them. */
static int read_text(struct describing *describing, const struct json *value,
		     void *target, const struct describe_field *field)
{
	struct catalogue_rule *rule = target;
	bool loose = field->min == CATALOGUE_IS || field->min == CATALOGUE_IS_NOT;

	rule->test = (enum catalogue_test)field->min;
	if (loose && (json_kind(value) == JSON_NUMBER || json_kind(value) == JSON_BOOL)) {
		rule->test_text = json_print(value, false);
		return rule->test_text ? 0 : describe_no_memory(describing);
	}
	return loose ? describe_string_or_empty(describing, value, &rule->test_text, field)
		     : describe_string(describing, value, &rule->test_text, field);
}

static int check_test(struct describing *describing, const struct json *object,
		      const struct catalogue_rule *rule)
{
	static const char *const tests[] = {
		"present", "is", "is_not", "holds", "begins",
	};
	bool spot = rule->spot.path && rule->spot.where != CATALOGUE_REGEX;
	unsigned count = 0;

	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		count += json_get(object, tests[i]) != NULL;
	if (count > 1)
		return describe_error(describing, object,
				      "one of \"present\", \"is\", \"is_not\", \"holds\" "
				      "and \"begins\" at a time");
	if (spot && count == 0)
		return describe_error(describing, object,
				      "what should be there? Add \"present\", \"is\", "
				      "\"is_not\", \"holds\" or \"begins\"");
	if (!spot && count > 0)
		return describe_error(describing, object,
				      "where? \"present\", \"is\", \"is_not\", \"holds\" "
				      "and \"begins\" need \"json\" or \"header\"");
	return 0;
}

/* --- the rule --- */

/* In the order of enum catalogue_verdict. */
static const char *const verdicts[] = {
	"good", "unchanged", "badauth", "nohost", "abuse", "badagent", "forbidden",
	"bad-request", "rate-limited", "server-error", "transient", "split", "next",
	"no-record", NULL,
};

#define AT(member) offsetof(struct catalogue_rule, member)

static const struct describe_field fields[] = {
	{ "http", read_http, 0, 200, 599, NULL },
	{ "token", describe_string, AT(token), 0, TEXT_BYTES, NULL },
	{ "prefix", describe_string, AT(prefix), 0, TEXT_BYTES, NULL },
	{ "contains", describe_string, AT(contains), 0, TEXT_BYTES, NULL },
	{ "line", describe_string, AT(line), 0, TEXT_BYTES, NULL },
	{ "json", describe_skip, 0, 0, 0, NULL },	/* these three: describe_spot() */
	{ "header", describe_skip, 0, 0, 0, NULL },
	{ "regex", describe_skip, 0, 0, 0, NULL },
	{ "present", read_present, 0, 0, 0, NULL },
	{ "is", read_text, 0, CATALOGUE_IS, TEXT_BYTES, NULL },
	{ "is_not", read_text, 0, CATALOGUE_IS_NOT, TEXT_BYTES, NULL },
	{ "holds", read_text, 0, CATALOGUE_HOLDS, TEXT_BYTES, NULL },
	{ "begins", read_text, 0, CATALOGUE_BEGINS, TEXT_BYTES, NULL },
	{ "means", describe_enum, AT(verdict), 0, 0, verdicts },
	{ 0 },
};
#undef AT

int describe_rule(struct describing *describing, const struct json *object,
		  struct catalogue_rule *rule)
{
	int result = describe_read(describing, object, fields, "a rule of an answer", rule);

	if (result == 0)
		result = describe_spot(describing, object, &rule->spot);
	if (result == 0)
		result = check_test(describing, object, rule);
	if (result < 0)
		return result;
	if (!json_get(object, "means"))
		return describe_error(describing, object, "\"means\" is missing");
	if (json_count(object) < 2)
		return describe_error(describing, object,
				      "a rule needs a condition, as \"http\", \"token\", "
				      "\"prefix\", \"contains\", \"line\", \"regex\", "
				      "\"json\" or \"header\"");
	return 0;
}

/* --- their lists --- */

static int check_count(struct describing *describing, const struct json *array)
{
	if (json_count(array) <= CATALOGUE_RULES_MAX)
		return 0;
	return describe_error(describing, array, "too many rules; at most %d",
			      CATALOGUE_RULES_MAX);
}

static int add_step_rule(struct describing *describing, const struct json *item,
			 void *target)
{
	struct catalogue_step *step = target;

	return describe_rule(describing, item, &step->rules[step->rule_count++]);
}

int describe_step_rules(struct describing *describing, const struct json *value,
			void *target, const struct describe_field *field)
{
	struct catalogue_step *step = target;
	size_t count = json_count(value);
	int result = check_count(describing, value);

	if (result < 0)
		return result;
	step->rules = calloc(count > 0 ? count : 1, sizeof *step->rules);
	if (!step->rules)
		return describe_no_memory(describing);
	return describe_list(describing, value, JSON_ARRAY, field->key, add_step_rule,
			     step);
}

static int add_rule(struct describing *describing, const struct json *item, void *target)
{
	struct catalogue *catalogue = target;

	return describe_rule(describing, item, &catalogue->rules[catalogue->rule_count++]);
}

int describe_rules(struct describing *describing, const struct json *value, void *target,
		   const struct describe_field *field)
{
	int result = check_count(describing, value);

	if (result < 0)
		return result;
	return describe_list(describing, value, JSON_ARRAY, field->key, add_rule, target);
}
