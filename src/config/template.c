/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may stand in a template. Filling them is the work of provider/.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "describe.h"

/* The length of a placeholder's name at `at`, which is behind a '{'; 0: it is none. */
static size_t name_length(const char *at)
{
	size_t length = 0;

	if (*at < 'a' || *at > 'z')
		return 0;
	while ((at[length] >= 'a' && at[length] <= 'z') || at[length] == '_' ||
	       (at[length] >= '0' && at[length] <= '9'))
		length++;
	return at[length] == '}' ? length : 0;
}

bool describe_uses(const char *template, const char *name)
{
	char placeholder[CATALOGUE_NAME_BYTES + 3];

	snprintf(placeholder, sizeof placeholder, "{%s}", name);
	return template && strstr(template, placeholder);
}

/* In which steps a built-in placeholder has a meaning; 0: it is none of ours. */
static unsigned builtin_families(const char *name)
{
	enum { ANY = 1 << CATALOGUE_ANY, IPV4 = 1 << CATALOGUE_IPV4,
	       IPV6 = 1 << CATALOGUE_IPV6, DUAL = 1 << CATALOGUE_DUAL };
	static const struct {
		const char *name;
		unsigned families;
	} builtins[] = {
		{ "hostname", ANY | IPV4 | IPV6 | DUAL },
		{ "hostnames", ANY | IPV4 | IPV6 | DUAL },
		{ "ip", ANY | IPV4 | IPV6 },
		{ "ipv4", IPV4 | DUAL },
		{ "ipv6", IPV6 | DUAL },
		{ "rrtype", ANY | IPV4 | IPV6 },
	};

	for (size_t i = 0; i < sizeof builtins / sizeof *builtins; i++)
		if (strcmp(builtins[i].name, name) == 0)
			return builtins[i].families;
	return 0;
}

static const struct catalogue_setting *find(const struct catalogue *catalogue,
					    const char *name)
{
	for (size_t i = 0; i < catalogue->setting_count; i++)
		if (strcmp(catalogue->settings[i].name, name) == 0)
			return &catalogue->settings[i];
	return NULL;
}

static int check_placeholder(struct describing *describing, const struct json *value,
			     const char *name, enum catalogue_family family,
			     enum describe_use use)
{
	unsigned families = builtin_families(name);

	if (families == 0 && !find(describing->catalogue, name))
		return describe_error(describing, value,
				      "unknown placeholder {%s}; add it to "
				      "\"settings\"",
				      name);
	/* The same login serves all steps. */
	if (use == USE_AUTH && families && strcmp(name, "hostname") != 0)
		return describe_error(describing, value, "{%s} cannot stand in \"basic\"",
				      name);
	if (use != USE_AUTH && families && !(families & (1u << family)))
		return describe_error(describing, value,
				      "{%s} has no meaning in a request for "
				      "this family",
				      name);
	return 0;
}

static int check_placeholders(struct describing *describing, const struct json *value,
			      const char *template, enum catalogue_family family,
			      enum describe_use use)
{
	const char *at = template;
	int result = 0;

	while (result == 0 && (at = strchr(at, '{'))) {
		size_t length = name_length(++at);
		char name[CATALOGUE_NAME_BYTES];

		if (length == 0)
			continue;
		snprintf(name, sizeof name, "%.*s", (int)length, at);
		if (length >= sizeof name)
			return describe_error(describing, value,
					      "the placeholder {%s... is too "
					      "long",
					      name);
		result = check_placeholder(describing, value, name, family, use);
	}
	return result;
}

/* Where passwords are sent to must not depend on anything but the user's own word. */
static int check_url(struct describing *describing, const struct json *value,
		     const char *url)
{
	const char *authority;
	size_t length;

	if (strncmp(url, "https://", 8) == 0)
		authority = url + 8;
	else if (strncmp(url, "http://", 7) == 0)
		authority = url + 7;
	else
		return describe_error(describing, value, "a URL begins with https://");
	length = strcspn(authority, "/?#");
	if (length == 0 || length > 253)
		return describe_error(describing, value, "the URL names no server");
	if (memchr(authority, '@', length))
		return describe_error(describing, value,
				      "no name or password in the URL's "
				      "server; use \"basic\"");
	if (memchr(authority, '{', length)) {
		char name[CATALOGUE_NAME_BYTES] = "";
		const struct catalogue_setting *setting;

		if (name_length(authority + 1) + 2 == length && length - 2 < sizeof name)
			snprintf(name, sizeof name, "%.*s", (int)length - 2,
				 authority + 1);
		setting = find(describing->catalogue, name);
		if (*authority != '{' || !setting || setting->kind != CATALOGUE_SERVER)
			return describe_error(
				describing, value,
				"the URL's server is fixed or "
				"one setting of kind \"server\" and nothing else");
	}
	for (; *url; url++)
		if (*url <= ' ' || *url > '~' || strchr("\"<>\\^`|", *url))
			return describe_error(describing, value,
					      "the URL holds a character that "
					      "must be percent-encoded");
	return 0;
}

int describe_template(struct describing *describing, const struct json *value,
		      const char *template, enum catalogue_family family,
		      enum describe_use use)
{
	int result = check_placeholders(describing, value, template, family, use);

	if (result == 0 && use == USE_URL)
		result = check_url(describing, value, template);
	return result;
}
