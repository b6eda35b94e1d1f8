/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What only the whole description shows: whether its requests go together, and the facts
 * that the scheduler wants.
 */
#include <errno.h>
#include <string.h>

#include "describe.h"

/* --- requests among each other --- */

/* Alternatives: one request for each family; "any" stands for both single ones. */
static bool is_same_family(const struct catalogue_step *a, const struct catalogue_step *b)
{
	bool single = a->family != CATALOGUE_DUAL && b->family != CATALOGUE_DUAL;
	bool any = a->family == CATALOGUE_ANY || b->family == CATALOGUE_ANY;

	return a->family == b->family || (single && any);
}

static bool is_family(const struct catalogue *catalogue, enum catalogue_family family)
{
	for (size_t i = 0; i < catalogue->step_count; i++)
		if (catalogue->steps[i].family == family)
			return true;
	return false;
}

static int check_among(struct describing *describing, const struct json *object,
		       const struct catalogue_step *step)
{
	const struct catalogue *catalogue = describing->catalogue;

	if (is_family(catalogue, CATALOGUE_EACH) && step->family != CATALOGUE_EACH &&
	    step->family != CATALOGUE_EVERY)
		return describe_error(describing, object,
				      "beside \"each\" there can only be steps for "
				      "\"every\" family: no others are ever taken");
	if (step->name[0])
		return 0;
	for (const struct catalogue_step *s = catalogue->steps; s < step; s++)
		if (is_same_family(s, step))
			return describe_error(describing, object,
					      "there is another request for this family");
	return 0;
}

static unsigned written_runs(const struct catalogue *catalogue)
{
	unsigned runs = 0;

	for (size_t i = 0; i < catalogue->step_count; i++)
		if (catalogue->steps[i].does == CATALOGUE_WRITE)
			runs |= describe_runs(catalogue, &catalogue->steps[i]);
	return runs;
}

static int check_requests(struct describing *describing)
{
	const struct catalogue *catalogue = describing->catalogue;
	const struct json *requests = json_get(describing->root, "requests");
	const struct json *item = json_child(requests);
	unsigned written = written_runs(catalogue);
	int result = 0;

	for (size_t i = 0; result == 0 && i < catalogue->step_count; i++) {
		result = check_among(describing, item, &catalogue->steps[i]);
		item = json_next(item);
	}
	if (result < 0)
		return result;
	if (written == 0)
		return describe_error(describing, requests, "none of the steps writes");
	if (written == RUN_DUAL)
		return describe_error(describing, requests,
				      "a dual request alone is not enough; add one for a "
				      "single family");
	if (is_family(catalogue, CATALOGUE_DUAL) && !(written & RUN_DUAL))
		return describe_error(describing, requests,
				      "there are \"dual\" steps, but none of them writes");
	if (catalogue->by_connection && (written & (RUN_DUAL | RUN_EACH)))
		return describe_error(describing, requests,
				      "a connection has one address; no \"dual\" and no "
				      "\"each\" with \"address\": \"connection\"");
	return 0;
}

/* --- what belongs to all --- */

static bool any_does(const struct catalogue *catalogue, enum catalogue_does does)
{
	for (size_t i = 0; i < catalogue->step_count; i++)
		if (catalogue->steps[i].does == does)
			return true;
	return false;
}

static int check_answers(struct describing *describing)
{
	const struct catalogue *catalogue = describing->catalogue;
	const struct json *item = json_child(json_get(describing->root, "answers"));
	bool looks = any_does(catalogue, CATALOGUE_LOOK);
	bool cleans = any_does(catalogue, CATALOGUE_CLEAN);

	for (size_t i = 0; i < catalogue->rule_count; i++) {
		const struct catalogue_rule *rule = &catalogue->rules[i];
		int result = describe_check_rule(describing, item, NULL, rule);

		if (result < 0)
			return result;
		if ((rule->verdict == CATALOGUE_NO_RECORD && !looks) ||
		    (rule->verdict == CATALOGUE_NEXT_STEP && !looks && !cleans))
			return describe_error(describing, item,
					      "\"next\" and \"no-record\" are for steps "
					      "that look; there are none");
		item = json_next(item);
	}
	return 0;
}

/* Those that no step uses are looked at too. */
static int check_values(struct describing *describing)
{
	static const struct describe_scope scope = {
		NULL, CATALOGUE_EVERY, USE_ANSWER, NULL,
	};
	const struct catalogue *catalogue = describing->catalogue;
	const struct json *member = json_child(json_get(describing->root, "values"));
	int result = 0;

	for (size_t i = 0; result == 0 && i < catalogue->value_count; i++) {
		const struct catalogue_value *value = &catalogue->values[i];

		if (describe_setting(catalogue, value->name))
			return describe_error(describing, member,
					      "\"%s\" is a setting; choose another name",
					      value->name);
		result = describe_template(describing, member, value->templates[0],
					   &scope);
		if (result == 0)
			result = describe_template(describing, member,
						   value->templates[1], &scope);
		member = json_next(member);
	}
	return result;
}

static int check_login(struct describing *describing)
{
	const struct catalogue *catalogue = describing->catalogue;
	const struct json *basic = json_get(describing->root, "basic");
	const struct json *sign = json_get(describing->root, "sign");
	bool signs = false, logs_in = false;

	for (size_t i = 0; i < catalogue->step_count; i++) {
		const struct catalogue_step *step = &catalogue->steps[i];

		signs |= !step->no_sign && !step->sign.by[0];
		logs_in |= !step->no_basic;
	}
	if (sign && !signs)
		return describe_error(describing, sign, "no request is signed by this");
	if (basic && !logs_in)
		return describe_error(describing, basic, "no request uses \"basic\"");
	if (basic && catalogue->batch > 1 &&
	    (describe_uses(catalogue, catalogue->basic_user, "hostname") ||
	     describe_uses(catalogue, catalogue->basic_password, "hostname")))
		return describe_error(describing, basic,
				      "with \"batch\" {hostname} is the first name alone; "
				      "use a setting");
	return 0;
}

/* --- rfc2136 --- */

static int check_update_server(struct describing *describing, const struct json *value,
			       const char *server)
{
	const struct catalogue_setting *setting;
	struct describe_placeholder placeholder;

	if (!strchr(server, '{'))
		return 0;
	if (describe_next(server, &placeholder) && placeholder.from == server &&
	    *placeholder.to == '\0' && !placeholder.raw && !placeholder.wrong) {
		setting = describe_setting(describing->catalogue, placeholder.name);
		if (setting && setting->kind == CATALOGUE_SERVER)
			return 0;
	}
	return describe_error(describing, value,
			      "the server is fixed or one setting of kind \"server\" and "
			      "nothing else");
}

static int check_update(struct describing *describing)
{
	static const char *const foreign[] = {
		"requests", "answers", "basic", "sign", "values", "says", "address",
		"batch", NULL,
	};
	static const struct describe_scope scope = {
		NULL, CATALOGUE_EVERY, USE_UPDATE, NULL,
	};
	const struct catalogue_update *update = &describing->catalogue->update;
	const struct {
		const char *key, *template;
	} rest[] = {
		{ "zone", update->zone }, { "key", update->key },
		{ "secret", update->secret }, { "algorithm", update->algorithm },
		{ "ttl", update->ttl },
	};
	const struct json *object = json_get(describing->root, "update");
	int result;

	if (!object)
		return describe_error(describing, describing->root,
				      "\"update\" is missing: whom to tell");
	for (size_t i = 0; foreign[i]; i++)
		if (json_get(describing->root, foreign[i]))
			return describe_error(describing,
					      json_get(describing->root, foreign[i]),
					      "\"%s\" has no meaning with \"rfc2136\"",
					      foreign[i]);
	result = check_update_server(describing, json_get(object, "server"),
				     update->server);
	for (size_t i = 0; result == 0 && i < sizeof rest / sizeof *rest; i++) {
		const struct json *value = json_get(object, rest[i].key);

		if (strstr(rest[i].template, "{server}"))
			return describe_error(describing, value,
					      "a \"server\" stands in \"server\" only");
		result = describe_template(describing, value, rest[i].template, &scope);
	}
	return result;
}

/* --- facts --- */

static void find_facts(struct catalogue *catalogue)
{
	struct catalogue_facts *facts = &catalogue->facts;
	unsigned written = written_runs(catalogue);
	bool steps = catalogue->steps[0].name[0] != '\0';

	if (catalogue->protocol == CATALOGUE_RFC2136)
		written = RUN_EACH;
	if (written & (RUN_IPV4 | RUN_EACH))
		facts->families |= CONFIG_IPV4;
	if (written & (RUN_IPV6 | RUN_EACH))
		facts->families |= CONFIG_IPV6;
	facts->dual = (written & (RUN_DUAL | RUN_EACH)) != 0;
	facts->own_addresses = steps || (written & RUN_EACH);
	facts->batch_hostnames = catalogue->batch;
	if (catalogue->batch == 1 &&
	    (steps || catalogue->protocol == CATALOGUE_RFC2136))
		facts->batch_hostnames = CATALOGUE_SHARED_NAMES;
}

int describe_check_whole(struct describing *describing)
{
	struct catalogue *catalogue = describing->catalogue;
	int result;

	if (catalogue->protocol == CATALOGUE_RFC2136) {
		result = check_update(describing);
		find_facts(catalogue);
		return result;
	}
	if (json_get(describing->root, "update"))
		return describe_error(describing, json_get(describing->root, "update"),
				      "\"update\" needs \"protocol\": \"rfc2136\"");
	result = check_values(describing);
	if (result == 0)
		result = check_requests(describing);
	if (result == 0)
		result = describe_check_steps(describing);
	if (result == 0)
		result = check_answers(describing);
	if (result == 0)
		result = check_login(describing);
	find_facts(catalogue);
	return result;
}
