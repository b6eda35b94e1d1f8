/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the user wants, as the line that the daemon reads. */
#include "hairpin/ctl.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/control.h"
#include "hairpin/log.h"
#include "hairpin/message.h"

static bool request_tests(const struct ctl_options *options)
{
	return options->command == CTL_HOOK && strcmp(options->words[0], "test") == 0;
}

static const char *request_name(const struct ctl_options *options)
{
	static const char *const names[] = {
		[CTL_STATUS] = "status",   [CTL_PLAN] = "plan",
		[CTL_SYNC] = "sync",	   [CTL_UPDATE] = "update",
		[CTL_WATCH] = "watch",	   [CTL_RULES] = "rules",
		[CTL_RELOAD] = "reload",   [CTL_VERSION] = "version",
		[CTL_RESUME] = "resume",   [CTL_METRICS] = "metrics",
		[CTL_HOOK] = "hooks",	   [CTL_PAUSE] = "pause",
		[CTL_LOG] = "log",
	};

	return request_tests(options) ? "hook" : names[options->command];
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

/* NAME [EVENT] */
static int request_add_test(struct json *request, const char *const *words,
			    struct err *ret_err)
{
	enum message_event event;
	char shown[300];

	if (!message_is_hook_name(words[0]))
		return err_set(ret_err, -EINVAL, "\"%s\" is no name of a hook",
			       text_escape(shown, sizeof(shown), words[0],
					   strlen(words[0])));
	if (words[1] && !message_event_find(words[1], &event))
		return err_set(ret_err, -EINVAL,
			       "\"%s\" is no event; there are startup, address, lost, "
			       "record, failed and rules",
			       text_escape(shown, sizeof(shown), words[1],
					   strlen(words[1])));
	json_add_string(request, "name", words[0]);
	if (words[1])
		json_add_string(request, "event", words[1]);
	return 0;
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

/* "10m" as seconds. */
static int request_add_time(struct json *request, const char *given, struct err *ret_err)
{
	char shown[100];
	int64_t ms;

	if (!text_parse_duration(given, &ms) || ms < 1000 ||
	    ms > INT64_C(1000) * CONTROL_PAUSE_S)
		return err_set(ret_err, -EINVAL,
			       "\"%s\" is no time from 1s to 7d, such as 90s, 10m or 2h",
			       text_escape(shown, sizeof(shown), given, strlen(given)));
	json_add_integer(request, "seconds", ms / 1000);
	return 0;
}

/* LEVEL [TIME] */
static int request_add_level(struct json *request, const char *const *words,
			     struct err *ret_err)
{
	char shown[100];
	int level;

	if (!log_parse_level(words[0], &level))
		return err_set(ret_err, -EINVAL,
			       "\"%s\" is no level; there are err, warning, notice, info "
			       "and debug",
			       text_escape(shown, sizeof(shown), words[0],
					   strlen(words[0])));
	json_add_string(request, "level", words[0]);
	return words[1] ? request_add_time(request, words[1], ret_err) : 0;
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
	case CTL_HOOK:
		if (request_tests(options))
			return request_add_test(request, options->words + 1, ret_err);
		return 0;
	case CTL_PAUSE:
		return request_add_time(request, options->words[0], ret_err);
	case CTL_LOG:
		return request_add_level(request, options->words, ret_err);
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

	json_add_string(request, "command", request_name(options));
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
