/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: config */
/*
 * Provider descriptions: JSON data, one file per provider, read into plain structs. The
 * language is described in conf/providers/README.md and by conf/provider.schema.json.
 */
#ifndef HAIRPIN_CATALOGUE_H
#define HAIRPIN_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/err.h"

enum {
	CATALOGUE_NAME_BYTES = 32,
	CATALOGUE_MAX_BYTES = 65536,	/* of one description */
	CATALOGUE_SETTINGS_MAX = 16,
	CATALOGUE_STEPS_MAX = 16,
	CATALOGUE_RULES_MAX = 64,
	CATALOGUE_HEADERS_MAX = 8,
};

/* What becomes of the family that an update does not name. */
enum catalogue_other {
	CATALOGUE_OTHER_UNKNOWN, CATALOGUE_OTHER_KEPT, CATALOGUE_OTHER_DELETED,
};

/* What the scheduler needs to know of a provider. */
struct catalogue_facts {
	unsigned families;		/* CONFIG_IPV4 | CONFIG_IPV6 that it takes */
	bool dual;			/* has a request for both families at once */
	enum catalogue_other other_family;
	unsigned batch_hostnames;	/* names per request, 1: no batches */
	unsigned parallel;		/* requests at once, default 1 */
	unsigned per_minute;		/* default 10 */
	int64_t min_interval_ms, refresh_ms;	/* 0: none */
};

/* What a setting's value may be. */
enum catalogue_kind {
	CATALOGUE_TEXT,			/* any bytes without control characters */
	/*
	 * HOST[:PORT], checked, lower case, [..] around an IPv6 address; the
	 * configuration has taken a scheme away. For the place after "https://" of a URL
	 * only, where it is put in as it is: percent-encoding would break it.
	 */
	CATALOGUE_SERVER,
};

struct catalogue_setting {
	char name[CATALOGUE_NAME_BYTES];
	enum catalogue_kind kind;
	bool secret, required;
	char *help;			/* one line */
	char *fallback;			/* default value, NULL: none */
};

enum catalogue_family { CATALOGUE_ANY, CATALOGUE_IPV4, CATALOGUE_IPV6, CATALOGUE_DUAL };

struct catalogue_pair {
	char *name, *value;		/* value: a template */
};

/*
 * One request; {NAME} in url, header values, body and auth are placeholders. NAME is a
 * lower-case letter and then lower-case letters, digits and '_'; a '{' that does not begin
 * one stands for itself. Every NAME was known at load: a setting of the description, or
 *
 *	hostname	the first name of the request
 *	hostnames	all of them, commas between
 *	ip		the address of a step for one family (any, ipv4, ipv6)
 *	ipv4, ipv6	the address of that family; only in steps for it, and in dual ones
 *	rrtype		A or AAAA; not in dual steps
 *
 * In the URL's authority only a CATALOGUE_SERVER may stand, and only as the whole of it.
 * A URL begins with https://, or http:// (then configurations must say "insecure_http").
 * Where a job says insecure_http an https:// URL whose authority is a CATALOGUE_SERVER
 * goes by http://.
 */
struct catalogue_step {
	enum catalogue_family family;
	char method[8];
	char *url;
	struct catalogue_pair headers[CATALOGUE_HEADERS_MAX];
	size_t header_count;
	char *body;			/* NULL: none */
	char body_type[8];		/* "form", "json", "text": how to escape */
};

/* What an answer means. The duties of each: provider.h. */
enum catalogue_verdict {
	CATALOGUE_GOOD, CATALOGUE_UNCHANGED,
	CATALOGUE_BADAUTH, CATALOGUE_NOHOST, CATALOGUE_ABUSE, CATALOGUE_BADAGENT,
	CATALOGUE_FORBIDDEN,
	CATALOGUE_BAD_REQUEST, CATALOGUE_RATE_LIMITED, CATALOGUE_SERVER_ERROR,
	CATALOGUE_TRANSIENT,		/* make nothing of it, try again later */
};

/* One rule of the answer, tried in order; all conditions that are given must hold. */
struct catalogue_rule {
	int http;			/* 0: any status */
	char *token;			/* first token of the body, exact; NULL: any */
	char *prefix, *contains, *line;	/* of the body; a whole line; NULL: any */
	enum catalogue_verdict verdict;
};

struct catalogue {
	char id[CATALOGUE_NAME_BYTES];
	char *name, *website;
	bool shut_down;			/* kept so that its id gives a good error */
	int ended;			/* the year, where shut down; 0: not known */
	char *status;			/* "alive", "shut down", "unknown" */
	char *instead;			/* what to use instead, NULL */
	char *note;			/* what users must know, NULL */
	struct catalogue_setting settings[CATALOGUE_SETTINGS_MAX];
	size_t setting_count;
	char *basic_user, *basic_password;	/* templates; NULL: no Basic auth */
	struct catalogue_step steps[CATALOGUE_STEPS_MAX];
	size_t step_count;
	bool dyndns2;			/* the body speaks it; `rules` come first */
	struct catalogue_rule rules[CATALOGUE_RULES_MAX];
	size_t rule_count;
	struct catalogue_facts facts;
};

/*
 * From JSON text; comments and trailing commas are allowed. -EINVAL: `ret_err` says
 * "LINE:COLUMN: what is wrong".
 */
int catalogue_parse(const char *text, size_t length, struct catalogue **ret_catalogue,
		    struct err *ret_err) must_check;
void catalogue_free(struct catalogue *catalogue);

/*
 * Finds DIRECTORY/ID.json in `directories` (ends with NULL; first wins) and gives its
 * text, which passed catalogue_parse() and whose id is ID, without comments. -ENOENT: no
 * such id (`ret_err` names the nearest); -EINVAL: a mistake in the file. The caller frees.
 *
 * The last directory is the one that came with hairpind. Files of those before it must be
 * root's or ours and written by nobody else, as the configuration: -EPERM.
 */
int catalogue_find(const char *const *directories, const char *id, char **ret_text,
		   struct err *ret_err) must_check;

#endif
