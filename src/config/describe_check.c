/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each step among all of them: its placeholders, its conditions, and what its rules say.
 */
#include <errno.h>
#include <string.h>

#include "describe.h"

/* --- templates --- */

static int check_request(struct describing *describing, const struct json *object,
			 const struct catalogue_step *step)
{
	const struct json *headers = json_get(object, "headers");
	struct describe_scope scope = { step, step->family, USE_URL, NULL };
	int result = describe_url(describing, json_get(object, "url"), step->url);

	if (result == 0)
		result = describe_template(describing, json_get(object, "url"), step->url,
					   &scope);
	scope.use = USE_HEADER;
	for (size_t i = 0; result == 0 && i < step->header_count; i++)
		result = describe_template(describing,
					   json_get(headers, step->headers[i].name),
					   step->headers[i].value, &scope);
	scope.use = USE_BODY;
	if (result == 0)
		result = describe_template(describing, json_get(object, "body"),
					   step->body, &scope);
	scope.use = USE_EACH;
	if (result == 0)
		result = describe_template(describing, json_get(object, "each"),
					   step->each, &scope);
	return result;
}

static int check_parts(struct describing *describing, const struct json *value,
		       const struct catalogue_step *step,
		       const struct catalogue_sign *sign)
{
	const struct describe_scope scope = { step, step->family, USE_SIGN, NULL };
	int result = 0;

	for (size_t i = 0; result == 0 && i < sign->part_count; i++)
		result = describe_template(describing,
					   json_get(value, sign->parts[i].name),
					   sign->parts[i].value, &scope);
	return result;
}

static int check_sign(struct describing *describing, const struct json *object,
		      const struct catalogue_step *step)
{
	const struct catalogue *catalogue = describing->catalogue;
	const struct json *own = json_get(object, "sign");

	if (step->no_sign && !catalogue->sign.by[0])
		return describe_error(describing, own,
				      "\"sign\" of the description is missing; there is "
				      "nothing to leave out");
	if (step->no_sign)
		return 0;
	if (own)
		return check_parts(describing, own, step, &step->sign);
	return check_parts(describing, json_get(describing->root, "sign"), step,
			   &catalogue->sign);
}

static int check_basic(struct describing *describing, const struct json *object,
		       const struct catalogue_step *step)
{
	const struct describe_scope scope = { step, step->family, USE_AUTH, NULL };
	const struct catalogue *catalogue = describing->catalogue;
	const struct json *basic = json_get(describing->root, "basic");
	int result;

	if (step->no_basic && !basic)
		return describe_error(describing, json_get(object, "basic"),
				      "\"basic\" of the description is missing; there is "
				      "nothing to leave out");
	if (step->no_basic || !basic)
		return 0;
	result = describe_template(describing, json_get(basic, "user"),
				   catalogue->basic_user, &scope);
	if (result == 0)
		result = describe_template(describing, json_get(basic, "password"),
					   catalogue->basic_password, &scope);
	return result;
}

static int check_read(struct describing *describing, const struct json *member,
		      const struct catalogue_step *step, const struct catalogue_read *read)
{
	const struct describe_scope scope = { step, step->family, USE_ANSWER, NULL };
	const struct catalogue_setting *setting =
		describe_setting(describing->catalogue, read->name);

	if (describe_value(describing->catalogue, read->name))
		return describe_error(describing, member,
				      "\"%s\" is one of \"values\"; choose another name",
				      read->name);
	if (setting && (setting->required || setting->kind == CATALOGUE_SERVER ||
			setting->kind == CATALOGUE_DOCUMENT))
		return describe_error(describing, member,
				      "\"%s\" is a setting that is always there; choose "
				      "another name", read->name);
	return describe_template(describing, member, read->spot.path, &scope);
}

static int check_reads(struct describing *describing, const struct json *object,
		       const struct catalogue_step *step)
{
	const struct describe_scope scope = { step, step->family, USE_ANSWER, NULL };
	const struct json *reads = json_get(object, "read");
	int result = 0;

	for (size_t i = 0; result == 0 && i < step->read_count; i++)
		result = check_read(describing, json_get(reads, step->reads[i].name),
				    step, &step->reads[i]);
	if (result == 0)
		result = describe_template(describing, json_get(object, "pages"),
					   step->pages.spot.path, &scope);
	return result;
}

/* --- rules --- */

int describe_check_rule(struct describing *describing, const struct json *object,
			const struct catalogue_step *step,
			const struct catalogue_rule *rule)
{
	const struct describe_scope scope = {
		step, step ? step->family : CATALOGUE_EVERY, USE_ANSWER, NULL,
	};
	const char *const texts[] = {
		rule->token, rule->prefix,    rule->contains,
		rule->line,  rule->spot.path, rule->test_text,
	};
	int result = 0;

	for (size_t i = 0; result == 0 && i < sizeof texts / sizeof *texts; i++)
		result = describe_template(describing, object, texts[i], &scope);
	if (result < 0)
		return result;
	if (rule->verdict == CATALOGUE_SPLIT && describing->catalogue->batch < 2)
		return describe_error(describing, object,
				      "\"split\" is for several names in one request; it "
				      "needs \"batch\"");
	if (step && rule->verdict == CATALOGUE_NEXT_STEP && step->does == CATALOGUE_WRITE)
		return describe_error(describing, object,
				      "\"next\" is for steps that look or clean; one "
				      "that writes is \"good\"");
	if (step && rule->verdict == CATALOGUE_NO_RECORD && step->does != CATALOGUE_LOOK)
		return describe_error(describing, object,
				      "\"no-record\" is for steps that look");
	return 0;
}

static bool says_good(const struct catalogue_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i].verdict == CATALOGUE_GOOD)
			return true;
	return false;
}

static int check_rules(struct describing *describing, const struct json *object,
		       const struct catalogue_step *step)
{
	const struct catalogue *catalogue = describing->catalogue;
	const struct json *item = json_child(json_get(object, "answers"));
	int result = 0;

	for (size_t i = 0; result == 0 && i < step->rule_count; i++) {
		result = describe_check_rule(describing, item, step, &step->rules[i]);
		item = json_next(item);
	}
	if (result < 0 || step->does != CATALOGUE_WRITE ||
	    catalogue->protocol == CATALOGUE_DYNDNS2 ||
	    says_good(step->rules, step->rule_count) ||
	    says_good(catalogue->rules, catalogue->rule_count))
		return result;
	return describe_error(describing, object,
			      "no rule of \"answers\" says when this is \"good\"");
}

/* --- conditions --- */

static int check_known(struct describing *describing, const struct json *when,
		       const struct catalogue_step *step, const char *key,
		       const char *name)
{
	if (!name[0] || describe_setting(describing->catalogue, name) ||
	    describe_is_read(describing->catalogue, step, name))
		return 0;
	return describe_error(describing, json_get(when, key),
			      "no step before reads \"%s\" in all runs that come here, "
			      "nor is it a setting", name);
}

static int check_when(struct describing *describing, const struct json *object,
		      const struct catalogue_step *step)
{
	const struct json *when = json_get(object, "when");
	bool single = step->family == CATALOGUE_ANY || step->family == CATALOGUE_IPV4 ||
		      step->family == CATALOGUE_IPV6 || step->family == CATALOGUE_DUAL;
	int result = check_known(describing, when, step, "missing", step->when.missing);

	if (result == 0)
		result = check_known(describing, when, step, "found", step->when.found);
	if (result == 0)
		result = check_known(describing, when, step, "differs",
				     step->when.differs);
	if (result < 0)
		return result;
	if (step->when.differs[0] && !single)
		return describe_error(describing, when,
				      "\"differs\" needs the address of a run; this "
				      "\"family\" has none");
	if (step->when.apex != CATALOGUE_APEX_EITHER &&
	    !describe_knows_zone(describing->catalogue, step))
		return describe_error(describing, when,
				      "\"apex\": the zone is not known; add a setting "
				      "\"domain\" that is required, or read \"zone\" in a "
				      "step before");
	if (step->when.last && (step->does == CATALOGUE_WRITE ||
				step->family != CATALOGUE_EVERY))
		return describe_error(describing, when,
				      "what comes last belongs to no record; it neither "
				      "writes nor has an address");
	return 0;
}

static int check_pages(struct describing *describing, const struct json *object,
		       const struct catalogue_step *step)
{
	const struct json *pages = json_get(object, "pages");
	bool page = describe_request_uses(describing->catalogue, step, "page");

	if (!pages)
		return 0;
	if (step->does != CATALOGUE_LOOK || step->read_count == 0)
		return describe_error(describing, pages,
				      "\"pages\" are for a step that looks and reads "
				      "something");
	if (!page && step->pages.by != CATALOGUE_NEXT_URL)
		return describe_error(describing, pages, "{page} is not in the request");
	return 0;
}

/* --- what a request says of whom --- */

static int check_address(struct describing *describing, const struct json *object,
			 const struct catalogue_step *step)
{
	const struct catalogue *catalogue = describing->catalogue;

	if (step->does != CATALOGUE_WRITE || catalogue->by_connection)
		return 0;
	if (!describe_request_says_address(catalogue, step))
		return describe_error(describing, object,
				      "the request holds no address: %s",
				      step->name[0]
					      ? "say what it \"does\", \"look\" or "
						"\"clean\"; or \"address\": "
						"\"connection\" of the description"
					      : "if the server takes that of the "
						"connection, say \"address\": "
						"\"connection\"");
	if (step->family == CATALOGUE_DUAL &&
	    !(describe_request_uses(catalogue, step, "ipv4") &&
	      describe_request_uses(catalogue, step, "ipv6")))
		return describe_error(describing, object,
				      "a \"dual\" request holds {ipv4} and {ipv6}");
	return 0;
}

static bool reads_by(const struct catalogue *catalogue, const struct catalogue_step *step,
		     const char *name)
{
	for (size_t i = 0; i < step->read_count; i++)
		if (describe_uses(catalogue, step->reads[i].spot.path, name))
			return true;
	return false;
}

/* Names sent together must all be sent, and none may stand for the others. */
static int check_batch(struct describing *describing, const struct json *object,
		       const struct catalogue_step *step)
{
	static const char *const first[] = { "hostname", "owner", "owner_or_empty" };
	const struct catalogue *catalogue = describing->catalogue;

	if (catalogue->batch < 2)
		return 0;
	for (size_t i = 0; i < sizeof first / sizeof *first; i++)
		if (describe_request_uses(catalogue, step, first[i]) ||
		    reads_by(catalogue, step, first[i]))
			return describe_error(describing, object,
					      "with \"batch\" {%s} is that of the first name "
					      "alone; use {hostnames}, {each} or a "
					      "setting", first[i]);
	if (step->does == CATALOGUE_WRITE && !step->each &&
	    !describe_request_uses(catalogue, step, "hostnames"))
		return describe_error(describing, object,
				      "\"batch\" needs {hostnames} or {each} in every "
				      "request that writes");
	return 0;
}

static int check_step(struct describing *describing, const struct json *object,
		      const struct catalogue_step *step)
{
	static int (*const checks[])(struct describing *describing,
				     const struct json *object,
				     const struct catalogue_step *step) = {
		check_request, check_sign,  check_basic,   check_reads, check_rules,
		check_when,    check_pages, check_address, check_batch,
	};
	int result = 0;

	for (size_t i = 0; result == 0 && i < sizeof checks / sizeof *checks; i++)
		result = checks[i](describing, object, step);
	return result;
}

int describe_check_steps(struct describing *describing)
{
	const struct catalogue *catalogue = describing->catalogue;
	const struct json *item = json_child(json_get(describing->root, "requests"));
	int result = 0;

	for (size_t i = 0; result == 0 && i < catalogue->step_count; i++) {
		result = check_step(describing, item, &catalogue->steps[i]);
		item = json_next(item);
	}
	return result;
}
