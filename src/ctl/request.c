/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the user wants, as the line that the daemon reads. */
#include "hairpin/ctl.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/control.h"

static const char *request_name(enum ctl_command command)
{
	static const char *const names[] = {
		[CTL_STATUS] = "status",   [CTL_PLAN] = "plan",
		[CTL_SYNC] = "sync",	   [CTL_UPDATE] = "update",
		[CTL_WATCH] = "watch",	   [CTL_RULES] = "rules",
		[CTL_RELOAD] = "reload",   [CTL_VERSION] = "version",
		[CTL_RESUME] = "resume",   [CTL_METRICS] = "metrics",
	};

	return names[command];
}

/* The form in which the daemon knows names: lower case, no final dot. */
static int request_add_hostname(struct json *names, const char *given,
				struct err *ret_err)
{
	char shown[300];
	char name[256];
	size_t length = strlen(given), i;

	if (length > 0 && given[length - 1] == '.')
		length--;
	if (length >= sizeof(name))
		length = sizeof(name) - 1;
	for (i = 0; i < length; i++)
		name[i] = (char)tolower((unsigned char)given[i]);
	name[length] = '\0';
	if (!text_is_hostname(name))
		return err_set(ret_err, -EINVAL, "\"%s\" is no hostname",
			       text_escape(shown, sizeof(shown), given, strlen(given)));
	json_add(names, NULL, json_new_string(name));
	return 0;
}

static int request_add_hostnames(struct json *request, const char *const *hostnames,
				 struct err *ret_err)
{
	struct json *names = json_add(request, "hostnames", json_new_array());
	size_t count = 0;
	int rc = 0;

	for (; rc == 0 && *hostnames; hostnames++) {
		if (++count > CONTROL_HOSTNAMES_MAX)
			return err_set(ret_err, -E2BIG,
				       "more than %d hostnames: give them in several "
				       "commands, or none for all of them",
				       CONTROL_HOSTNAMES_MAX);
		rc = request_add_hostname(names, *hostnames, ret_err);
	}
	return rc;
}

static int request_add_address(struct json *request, const char *given,
			       struct err *ret_err)
{
	char shown[ADDR_TEXT_BYTES + 50];
	struct addr address;

	if (!addr_parse(given, &address) || addr_is_unspecified(&address))
		return err_set(ret_err, -EINVAL, "\"%s\" is no IPv4 or IPv6 address",
			       text_escape(shown, sizeof(shown), given, strlen(given)));
	json_add_string(request, "address", addr_format(&address, shown));
	return 0;
}

static int request_add(struct json *request, const struct ctl_options *options,
		       struct err *ret_err)
{
	switch (options->command) {
	case CTL_UPDATE:
		json_add_bool(request, "force", options->force);
		if (options->words && *options->words)
			return request_add_hostnames(request, options->words, ret_err);
		return 0;
	case CTL_PLAN:
		if (options->address)
			return request_add_address(request, options->address, ret_err);
		return 0;
	default:
		return 0;
	}
}

int ctl_request(const struct ctl_options *options, char **ret_request,
		struct err *ret_err)
{
	struct json *request = json_new_object();
	char *line;
	int rc;

	json_add_string(request, "command", request_name(options->command));
	rc = request_add(request, options, ret_err);
	line = rc == 0 ? json_print(request, false) : NULL;
	json_free(request);
	if (rc < 0)
		return rc;
	if (!line)
		return err_set(ret_err, -ENOMEM, "out of memory");
	if (strlen(line) + 1 > CONTROL_REQUEST_BYTES) {
		free(line);
		return err_set(ret_err, -E2BIG,
			       "these hostnames are longer than one request: give them "
			       "in several commands, or none for all of them");
	}
	*ret_request = line;
	return 0;
}
