/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Templates as text: their placeholders, and what of a request depends on an address.
 * Filling them is the work of provider/.
 */
#include <string.h>

#include "describe.h"

static size_t name_length(const char *at)
{
	size_t length = 0;

	if (*at < 'a' || *at > 'z')
		return 0;
	while ((at[length] >= 'a' && at[length] <= 'z') || at[length] == '_' ||
	       (at[length] >= '0' && at[length] <= '9'))
		length++;
	return length;
}

/* Is there one at this '{'? Any other '{' stands for itself. */
static bool parse(const char *at, struct describe_placeholder *ret)
{
	struct describe_placeholder found = { .from = at };
	size_t length = name_length(at + 1);
	const char *behind = at + 1 + length;

	if (length == 0)
		return false;
	if (*behind == ':') {
		size_t word = name_length(behind + 1);

		found.raw = word == 3 && strncmp(behind + 1, "raw", 3) == 0;
		if (word > 0 && !found.raw)
			found.wrong = "behind its name only \":raw\" may stand";
		behind += word > 0 ? 1 + word : 0;
	}
	if (*behind != '}')
		return false;
	found.to = behind + 1;
	if (length >= sizeof found.name) {
		found.wrong = "its name is too long";
		length = sizeof found.name - 1;
	}
	memcpy(found.name, at + 1, length);
	*ret = found;
	return true;
}

bool describe_next(const char *at, struct describe_placeholder *ret)
{
	for (; (at = strchr(at, '{')); at++)
		if (parse(at, ret))
			return true;
	return false;
}

bool describe_uses(const struct catalogue *catalogue, const char *template,
		   const char *name)
{
	struct describe_placeholder placeholder;
	const struct catalogue_value *value;

	for (; template && describe_next(template, &placeholder);
	     template = placeholder.to) {
		if (strcmp(placeholder.name, name) == 0)
			return true;
		/* Values are made of those before them, so this ends. */
		value = describe_value(catalogue, placeholder.name);
		if (value && (describe_uses(catalogue, value->templates[0], name) ||
			      describe_uses(catalogue, value->templates[1], name)))
			return true;
	}
	return false;
}

bool describe_uses_address(const struct catalogue *catalogue, const char *template)
{
	static const char *const names[] = { "ip", "ipv4", "ipv6", "rrtype" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (describe_uses(catalogue, template, names[i]))
			return true;
	for (size_t i = 0; i < catalogue->value_count; i++)
		if (catalogue->values[i].form == CATALOGUE_BY_FAMILY &&
		    describe_uses(catalogue, template, catalogue->values[i].name))
			return true;
	return false;
}

bool describe_request_uses(const struct catalogue *catalogue,
			   const struct catalogue_step *step, const char *name)
{
	bool uses = describe_uses(catalogue, step->url, name) ||
		    describe_uses(catalogue, step->body, name);

	for (size_t i = 0; i < step->header_count; i++)
		uses |= describe_uses(catalogue, step->headers[i].value, name);
	return uses;
}

bool describe_request_says_address(const struct catalogue *catalogue,
				   const struct catalogue_step *step)
{
	static const char *const names[] = { "ip", "ipv4", "ipv6" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (describe_request_uses(catalogue, step, names[i]) ||
		    describe_uses(catalogue, step->each, names[i]))
			return true;
	return false;
}

static bool rule_needs_address(const struct catalogue *catalogue,
			       const struct catalogue_rule *rule)
{
	const char *const texts[] = {
		rule->token, rule->prefix,    rule->contains,
		rule->line,  rule->spot.path, rule->test_text,
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if (describe_uses_address(catalogue, texts[i]))
			return true;
	return false;
}

bool describe_step_needs_address(const struct catalogue *catalogue,
				 const struct catalogue_step *step)
{
	bool needs = describe_uses_address(catalogue, step->url) ||
		     describe_uses_address(catalogue, step->body) ||
		     describe_uses_address(catalogue, step->each) ||
		     step->when.differs[0] ||
		     describe_uses_address(catalogue, step->pages.spot.path);

	for (size_t i = 0; i < step->header_count; i++)
		needs |= describe_uses_address(catalogue, step->headers[i].value);
	for (size_t i = 0; i < step->read_count; i++)
		needs |= describe_uses_address(catalogue, step->reads[i].spot.path);
	for (size_t i = 0; i < step->rule_count; i++)
		needs |= rule_needs_address(catalogue, &step->rules[i]);
	for (size_t i = 0; i < step->sign.part_count; i++)
		needs |= describe_uses_address(catalogue, step->sign.parts[i].value);
	return needs;
}
