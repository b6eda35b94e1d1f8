/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The URL of a request: where passwords are sent to must not depend on anything but the
 * user's own word.
 */
#include <string.h>

#include "describe.h"

static bool is_setting(const struct describing *describing,
		       const struct describe_placeholder *placeholder,
		       enum catalogue_kind kind)
{
	const struct catalogue_setting *setting =
		describe_setting(describing->catalogue, placeholder->name);

	return setting && setting->kind == kind && !placeholder->raw &&
	       !placeholder->wrong;
}

static int check_server(struct describing *describing, const struct json *value,
			const char *authority)
{
	struct describe_placeholder placeholder;
	size_t length = strcspn(authority, "/?#");

	if (length == 0 || length > 253)
		return describe_error(describing, value, "the URL names no server");
	if (memchr(authority, '@', length))
		return describe_error(describing, value,
				      "no name or password in the URL's server; use "
				      "\"basic\"");
	if (!memchr(authority, '{', length))
		return 0;
	if (!describe_next(authority, &placeholder) || placeholder.from != authority ||
	    placeholder.to != authority + length ||
	    !is_setting(describing, &placeholder, CATALOGUE_SERVER))
		return describe_error(describing, value,
				      "the URL's server is fixed or one setting of kind "
				      "\"server\" and nothing else");
	return 0;
}

static int check_beginning(struct describing *describing, const struct json *value,
			   const char *url)
{
	struct describe_placeholder placeholder;

	if (strncmp(url, "https://", 8) == 0)
		return check_server(describing, value, url + 8);
	if (strncmp(url, "http://", 7) == 0)
		return check_server(describing, value, url + 7);
	if (*url != '{' || !describe_next(url, &placeholder) || placeholder.from != url ||
	    !is_setting(describing, &placeholder, CATALOGUE_URL))
		return describe_error(describing, value,
				      "a URL begins with https:// or a setting of kind "
				      "\"url\"");
	if (*placeholder.to && !strchr("/?&", *placeholder.to))
		return describe_error(describing, value,
				      "behind the setting {%s} a path or query follows, "
				      "with '/', '?' or '&'", placeholder.name);
	return 0;
}

int describe_url(struct describing *describing, const struct json *value, const char *url)
{
	int result = check_beginning(describing, value, url);

	for (; result == 0 && *url; url++)
		if (*url <= ' ' || *url > '~' || strchr("\"<>\\^`|#", *url))
			return describe_error(describing, value,
					      "the URL holds a character that must be "
					      "percent-encoded");
	return result;
}
