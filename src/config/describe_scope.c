/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which placeholders have a meaning where: all that is unknown or out of place is refused
 * here, so that a request never leaves with a hole in it.
 */
#include <errno.h>
#include <string.h>

#include "describe.h"

/* --- what is known --- */

unsigned describe_runs(const struct catalogue *catalogue,
		       const struct catalogue_step *step)
{
	static const unsigned runs[] = {
		[CATALOGUE_ANY] = RUN_IPV4 | RUN_IPV6, [CATALOGUE_IPV4] = RUN_IPV4,
		[CATALOGUE_IPV6] = RUN_IPV6, [CATALOGUE_DUAL] = RUN_DUAL,
		[CATALOGUE_EACH] = RUN_EACH, [CATALOGUE_EVERY] = 0,
	};
	unsigned all = 0;

	if (step && step->family != CATALOGUE_EVERY)
		return runs[step->family];
	for (size_t i = 0; i < catalogue->step_count; i++)
		all |= runs[catalogue->steps[i].family];
	return all ? all : RUN_IPV4 | RUN_IPV6;
}

static bool reads(const struct catalogue_step *step, const char *name)
{
	for (size_t i = 0; i < step->read_count; i++)
		if (strcmp(step->reads[i].name, name) == 0)
			return true;
	return false;
}

/* In every run that comes here some step before has been asked for it. */
bool describe_is_read(const struct catalogue *catalogue,
		      const struct catalogue_step *step, const char *name)
{
	const struct catalogue_step *end =
		step ? step : catalogue->steps + catalogue->step_count;
	unsigned known = 0;

	for (const struct catalogue_step *s = catalogue->steps; s < end; s++)
		if (reads(s, name))
			known |= describe_runs(catalogue, s);
	return step ? known && !(describe_runs(catalogue, step) & ~known) : known != 0;
}

bool describe_knows_zone(const struct catalogue *catalogue,
			 const struct catalogue_step *step)
{
	const struct catalogue_setting *domain = describe_setting(catalogue, "domain");

	if (domain && (domain->required || *domain->fallback))
		return true;
	return describe_is_read(catalogue, step, "zone");
}

/* --- built in --- */

enum {
	ANY = 1 << CATALOGUE_ANY, IPV4 = 1 << CATALOGUE_IPV4, IPV6 = 1 << CATALOGUE_IPV6,
	DUAL = 1 << CATALOGUE_DUAL, EACH = 1 << CATALOGUE_EACH,
	EVERY = 1 << CATALOGUE_EVERY,
	SINGLE = ANY | IPV4 | IPV6,
	ALL = SINGLE | DUAL | EACH | EVERY,
	RECORD = 1 << 8,		/* within "each" */
	LOGIN = 1 << 9,			/* in "basic" */
};

static const struct built_in {
	const char *name;
	unsigned where;
} built_ins[] = {
	{ "hostname", ALL | RECORD | LOGIN },
	{ "hostnames", ALL },
	{ "owner", ALL | RECORD | LOGIN },
	{ "owner_or_empty", ALL | RECORD | LOGIN },
	{ "ip", SINGLE | RECORD },
	{ "ipv4", IPV4 | DUAL },
	{ "ipv6", IPV6 | DUAL },
	{ "rrtype", SINGLE | RECORD },
	{ "each", EACH },
	{ "page", ALL },
	{ "unix_time", ALL | RECORD | LOGIN },
	{ "iso_time", ALL | RECORD | LOGIN },
	{ "http_date", ALL | RECORD | LOGIN },
	{ "uuid", ALL | RECORD | LOGIN },
	{ "nonce", ALL | RECORD | LOGIN },
	{ "jwt", ALL },
};

static const struct built_in *find_built_in(const char *name)
{
	for (size_t i = 0; i < sizeof built_ins / sizeof *built_ins; i++)
		if (strcmp(built_ins[i].name, name) == 0)
			return &built_ins[i];
	return NULL;
}

/* One placeholder of a template, with all that is needed to judge it. */
struct judged {
	struct describing *describing;
	const struct json *value;
	const struct describe_scope *scope;
	const struct describe_placeholder *placeholder;
};

static int refuse(const struct judged *j, const char *why)
{
	const char *via = j->scope->via;

	return describe_error(j->describing, j->value, "{%s}%s%s%s: %s",
			      j->placeholder->name, via ? " of the value \"" : "",
			      via ? via : "", via ? "\"" : "", why);
}

static const struct catalogue_sign *signature(const struct catalogue *catalogue,
					      const struct catalogue_step *step)
{
	if (step->no_sign)
		return NULL;
	if (step->sign.by[0])
		return &step->sign;
	return catalogue->sign.by[0] ? &catalogue->sign : NULL;
}

static int check_jwt(const struct judged *j)
{
	const struct catalogue_step *step = j->scope->step;
	const struct catalogue_sign *sign =
		step ? signature(j->describing->catalogue, step) : NULL;

	if (sign && strcmp(sign->by, "jwt") == 0 && j->scope->use != USE_SIGN)
		return 0;
	return refuse(j, "it is made where {\"by\": \"jwt\"} signs");
}

static int check_page(const struct judged *j)
{
	const struct catalogue_step *step = j->scope->step;
	enum describe_use use = j->scope->use;

	if (step &&
	    (step->pages.by == CATALOGUE_COUNTED || step->pages.by == CATALOGUE_NEXT) &&
	    (use == USE_URL || use == USE_BODY || use == USE_HEADER))
		return 0;
	return refuse(j, "it stands in the request of a step that has \"pages\" with "
			 "\"items\" or \"next\"");
}

static int check_built_in(const struct judged *j, const struct built_in *built_in)
{
	const struct describe_scope *scope = j->scope;
	const char *name = built_in->name;
	unsigned here = 1u << scope->family;

	if (strcmp(name, "jwt") == 0)
		return check_jwt(j);
	if (strcmp(name, "page") == 0)
		return check_page(j);
	if (strcmp(name, "each") == 0 && scope->use != USE_BODY)
		return refuse(j, "it stands in the \"body\" beside \"each\"");
	if (scope->use == USE_UPDATE)
		return refuse(j, "\"update\" is made of settings alone");
	if (scope->use == USE_AUTH && !(built_in->where & LOGIN))
		return refuse(j, "it cannot stand in \"basic\"");
	if (scope->use == USE_EACH && scope->family == CATALOGUE_EACH)
		here = RECORD;
	if (scope->use != USE_AUTH && scope->step && !(built_in->where & here))
		return refuse(j, "it has no meaning in a request for this \"family\"");
	if (strncmp(name, "owner", 5) == 0 &&
	    !describe_knows_zone(j->describing->catalogue, scope->step))
		return refuse(j, "the zone is not known; add a setting \"domain\" that "
				 "is required, or read \"zone\" in a step before");
	return 0;
}

/* --- settings and values --- */

static int check_setting(const struct judged *j, const struct catalogue_setting *setting)
{
	if (setting->kind == CATALOGUE_SERVER && j->scope->use != USE_UPDATE)
		return refuse(j, "a \"server\" stands behind https:// and nowhere else");
	if (setting->kind == CATALOGUE_URL)
		return refuse(j, "a \"url\" stands at the beginning of \"url\" and "
				 "nowhere else");
	if (setting->kind == CATALOGUE_DOCUMENT && j->scope->use != USE_SIGN)
		return refuse(j, "a \"document\" stands in \"sign\" and nowhere else");
	return 0;
}

static int check_of_family(const struct judged *j, const struct catalogue_value *value,
			   struct describe_scope inner)
{
	bool record = j->scope->use == USE_EACH || !j->scope->step;
	enum catalogue_family family = inner.family;
	int result = 0;

	if (!record && !((1u << family) & SINGLE))
		return refuse(j, "it has no meaning in a request for this \"family\"");
	inner.family = CATALOGUE_IPV4;
	if (record || family != CATALOGUE_IPV6)
		result = describe_template(j->describing, j->value, value->templates[0],
					   &inner);
	inner.family = CATALOGUE_IPV6;
	if (result == 0 && (record || family != CATALOGUE_IPV4))
		result = describe_template(j->describing, j->value, value->templates[1],
					   &inner);
	return result;
}

/* A value may stand where all that it is made of may. */
static int check_value(const struct judged *j, const struct catalogue_value *value)
{
	struct describe_scope inner = *j->scope;
	int result;

	inner.via = value->name;
	if (inner.use == USE_UPDATE)
		return refuse(j, "\"update\" is made of settings alone");
	if (value->form == CATALOGUE_BY_FAMILY)
		return check_of_family(j, value, inner);
	if (value->form == CATALOGUE_BY_APEX &&
	    !describe_knows_zone(j->describing->catalogue, inner.step))
		return refuse(j, "the zone is not known; add a setting \"domain\" that "
				 "is required, or read \"zone\" in a step before");
	result = describe_template(j->describing, j->value, value->templates[0], &inner);
	return result == 0 ? describe_template(j->describing, j->value,
					       value->templates[1], &inner)
			   : result;
}

/* --- raw, each: whole strings of JSON --- */

static bool is_whole_string(const char *template,
			    const struct describe_placeholder *placeholder)
{
	const char *from = placeholder->from, *to = placeholder->to;

	if (from == template || from[-1] != '"' || *to != '"')
		return false;
	if (from - 1 > template && from[-2] == '\\')
		return false;
	to += 1 + strspn(to + 1, " \t\r\n");
	return *to != ':';		/* the name of a member */
}

static int check_form(const struct judged *j, const char *template)
{
	const struct describe_scope *scope = j->scope;
	bool body = scope->use == USE_BODY || scope->use == USE_EACH;
	bool json = body && strcmp(scope->step->body_type, "json") == 0 && !scope->via;
	bool each = strcmp(j->placeholder->name, "each") == 0;

	if (j->placeholder->raw && (!json || each))
		return refuse(j, "\":raw\" is for a value in a JSON body");
	if ((j->placeholder->raw || (each && json)) &&
	    !is_whole_string(template, j->placeholder))
		return refuse(j, each ? "in JSON it is a whole string, \"{each}\""
				      : "\":raw\" makes a number, true or false out of "
					"a whole string, as \"{ttl:raw}\"");
	return 0;
}

/* --- templates --- */

static int check_placeholder(const struct judged *j, const char *template)
{
	const struct catalogue *catalogue = j->describing->catalogue;
	const char *name = j->placeholder->name;
	const struct built_in *built_in = find_built_in(name);
	const struct catalogue_setting *setting = describe_setting(catalogue, name);
	const struct catalogue_value *value = describe_value(catalogue, name);
	int result = check_form(j, template);

	if (j->placeholder->wrong)
		return refuse(j, j->placeholder->wrong);
	if (result < 0)
		return result;
	if (built_in)
		return check_built_in(j, built_in);
	if (setting)
		return check_setting(j, setting);
	if (value)
		return check_value(j, value);
	if (describe_is_read(catalogue, j->scope->step, name))
		return 0;
	if (describe_is_read(catalogue, NULL, name))
		return refuse(j, "no step before reads it in all runs that come here");
	return describe_error(j->describing, j->value,
			      "unknown placeholder {%s}; add it to \"settings\" or "
			      "\"values\", or \"read\" it in a step before", name);
}

/* A setting that is the URL's beginning or its server has been checked as such. */
static const char *behind_server(const struct describing *describing, const char *url)
{
	const struct catalogue_setting *setting;
	struct describe_placeholder placeholder;

	if (!describe_next(url, &placeholder))
		return url;
	setting = describe_setting(describing->catalogue, placeholder.name);
	if (!setting || (setting->kind != CATALOGUE_URL &&
			 setting->kind != CATALOGUE_SERVER))
		return url;
	return placeholder.from == url || strncmp(placeholder.from - 3, "://", 3) == 0
		       ? placeholder.to : url;
}

int describe_template(struct describing *describing, const struct json *value,
		      const char *template, const struct describe_scope *scope)
{
	struct describe_placeholder placeholder;
	const char *at = template;
	int result = 0;

	if (template && scope->use == USE_URL && !scope->via)
		at = behind_server(describing, template);
	for (; result == 0 && at && describe_next(at, &placeholder); at = placeholder.to) {
		const struct judged judged = { describing, value, scope, &placeholder };

		result = check_placeholder(&judged, template);
	}
	return result;
}
