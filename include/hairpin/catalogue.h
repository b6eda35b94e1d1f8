/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: config */
/*
 * Provider descriptions: JSON data, one file per provider, read into plain structs. The
 * language is described in hairpind-providers(5) and by conf/provider.schema.json.
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
	CATALOGUE_VALUES_MAX = 8,
	CATALOGUE_STEPS_MAX = 16,
	CATALOGUE_READS_MAX = 8,	/* of one step */
	CATALOGUE_RULES_MAX = 64,	/* of a step, and of the description */
	CATALOGUE_HEADERS_MAX = 8,
	CATALOGUE_SAYS_MAX = 4,
	CATALOGUE_PAGES_MAX = 20,	/* of one list that are asked for */
	CATALOGUE_CHOICES_MAX = 12,
	CATALOGUE_PATH_PARTS_MAX = 16,
	CATALOGUE_PATH_FIELDS_MAX = 4,	/* within one [ ] */
	CATALOGUE_MEMBER_BYTES = 64,	/* of a member's or field's name, with NUL */
	CATALOGUE_SHARED_NAMES = 20,	/* names of one job that share look-ups */
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
	/*
	 * Names that go into one job, default 1: those of one request (`batch`), or those
	 * whose runs share their look-ups (CATALOGUE_SHARED_NAMES).
	 */
	unsigned batch_hostnames;
	/* The names of a job need not have the same address. */
	bool own_addresses;
	unsigned parallel;		/* requests at once, default 1 */
	unsigned per_minute;		/* names a minute, default 10; 0: no limit */
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
	CATALOGUE_NUMBER,		/* digits, at most 10 */
	/*
	 * A whole https:// URL (http:// with "insecure_http"), checked, no fragment, no
	 * user; for the beginning of "url" only, where it stands as it is.
	 */
	CATALOGUE_URL,
	/* Several lines (PEM, a key file's JSON): for "sign" only. */
	CATALOGUE_DOCUMENT,
	CATALOGUE_CHOICE,		/* one of `choices` */
};

struct catalogue_setting {
	char name[CATALOGUE_NAME_BYTES];
	enum catalogue_kind kind;
	bool secret, required;
	char *help;			/* one line */
	char *fallback;			/* default value, NULL: none */
	char *choices[CATALOGUE_CHOICES_MAX + 1];	/* ends with NULL */
};

/*
 * Of which runs a step is part. A run is one record (ANY, IPV4, IPV6), both records of a
 * name (DUAL), or any records of several names (EACH). EVERY: of all of them.
 */
enum catalogue_family {
	CATALOGUE_ANY, CATALOGUE_IPV4, CATALOGUE_IPV6, CATALOGUE_DUAL, CATALOGUE_EACH,
	CATALOGUE_EVERY,
};

struct catalogue_pair {
	char *name, *value;		/* value: a template */
};

/* A value made of others before a request's templates are filled. */
enum catalogue_form {
	CATALOGUE_FIXED,		/* templates[0] */
	CATALOGUE_BY_FAMILY,		/* [0] for IPv4, [1] for IPv6 */
	CATALOGUE_BY_APEX,		/* [0] where the name is the zone itself, else [1] */
	CATALOGUE_FIRST,		/* [0] where it is known and not empty, else [1] */
	CATALOGUE_DIGEST,		/* of templates[0], hexadecimal, lower case */
};
struct catalogue_value {
	char name[CATALOGUE_NAME_BYTES];
	enum catalogue_form form;
	char *templates[2];
	char digest[8];			/* "md5", "sha1", "sha256" */
};

/*
 * Where something stands in an answer.
 *
 * JSON: a path such as `result[type={rrtype},name={hostname}].id`, `[0].records[0]`,
 * `Sites[0].Id`, `*[host={owner}].id`: members by name ('*': any member), elements by
 * number, or the first element (or member of an object) whose fields are these; a field
 * may be a path of members (`attributes.prefix`). `[name~{hostname}]`: the element whose
 * `name` is the longest that equals the name or is a domain above it. An empty path is
 * the whole document. Fields compare as text, ASCII letters in either case, a final dot
 * of names ignored; one that is null or left out is empty. HEADER: a header's name. REGEX:
 * a POSIX extended expression over the body ('^' and '$' at each line), its first group,
 * else the whole match.
 */
enum catalogue_where { CATALOGUE_JSON, CATALOGUE_HEADER, CATALOGUE_REGEX };
struct catalogue_spot {
	enum catalogue_where where;
	char *path;			/* a template, whose values never act as syntax */
};

struct catalogue_read {
	char name[CATALOGUE_NAME_BYTES];
	struct catalogue_spot spot;
	/* kept with the record; the step is left out while all it keeps is known */
	bool keep;
};

/*
 * When a step is taken: all that is said must hold. A value is missing when it is not
 * known or empty. `differs`: the value is missing, or is not the wanted address (in a
 * dual run: neither list of addresses is the same).
 */
struct catalogue_when {
	char missing[CATALOGUE_NAME_BYTES], found[CATALOGUE_NAME_BYTES];
	char differs[CATALOGUE_NAME_BYTES];	/* "": not said */
	enum { CATALOGUE_APEX_EITHER, CATALOGUE_APEX_ONLY, CATALOGUE_APEX_NOT } apex;
	/*
	 * once after the last run of the job, also after failures, where some step went
	 * before it; its answer changes no verdict
	 */
	bool last;
};

/* A list over several requests; ends when all that the step reads was found. */
enum catalogue_pages_by { CATALOGUE_ONE_PAGE, CATALOGUE_COUNTED, CATALOGUE_NEXT,
			  CATALOGUE_NEXT_URL };
struct catalogue_pages {
	enum catalogue_pages_by by;
	long first, step;		/* COUNTED: {page} is first, first + step, ... */
	long size;			/* COUNTED: fewer items are the last page */
	/* COUNTED: the array of items; NEXT: the next {page} (first ""); NEXT_URL: a URL */
	struct catalogue_spot spot;
};

/* What an answer means. The duties of each: provider.h. */
enum catalogue_verdict {
	/*
	 * The record holds the address; of a look only where its own rule says so. Else of
	 * a step that does not write: as NEXT_STEP.
	 */
	CATALOGUE_GOOD, CATALOGUE_UNCHANGED,
	CATALOGUE_BADAUTH, CATALOGUE_NOHOST, CATALOGUE_ABUSE, CATALOGUE_BADAGENT,
	CATALOGUE_FORBIDDEN,
	CATALOGUE_BAD_REQUEST, CATALOGUE_RATE_LIMITED, CATALOGUE_SERVER_ERROR,
	CATALOGUE_TRANSIENT,		/* make nothing of it, try again later */
	CATALOGUE_SPLIT,		/* too many names: again in halves */
	CATALOGUE_NEXT_STEP,		/* fine, on to the next step */
	CATALOGUE_NO_RECORD,		/* a look: nothing there; on, with nothing read */
};

/*
 * One rule of the answer, tried in order; all conditions that are given must hold. All
 * texts are templates; where a filled text and what is there are both addresses, they
 * are compared as addresses.
 */
struct catalogue_rule {
	int http, http_to;		/* statuses from, to (the same: one); 0: any */
	char *token;			/* first token of the body, exact; NULL: any */
	char *prefix, *contains, *line;	/* of the body; a whole line; NULL: any */
	/* JSON or HEADER; path NULL: not asked. REGEX: must match. */
	struct catalogue_spot spot;
	enum catalogue_test {
		CATALOGUE_PRESENT,	/* there, not null */
		CATALOGUE_ABSENT,	/* not there, or null */
		CATALOGUE_IS, CATALOGUE_IS_NOT,	/* `test_text`; there in both cases */
		CATALOGUE_HOLDS,	/* `test_text` is part of it */
		CATALOGUE_BEGINS,
	} test;
	char *test_text;		/* numbers as JSON prints them, true, false */
	enum catalogue_verdict verdict;
};

/* What a step is for. */
enum catalogue_does {
	CATALOGUE_WRITE,		/* well: the record holds the address */
	CATALOGUE_LOOK,			/* changes nothing; well: on, with what was read */
	CATALOGUE_CLEAN,		/* deletes the old, publishes, ...; well: on */
};

/* A signer of provider/ and what it wants to know; by[0] 0: none. */
struct catalogue_sign {
	char by[CATALOGUE_NAME_BYTES];
	struct catalogue_pair parts[CATALOGUE_HEADERS_MAX];	/* values: templates */
	size_t part_count;
};

/*
 * One request; {NAME} in url, header values, body and auth are placeholders. NAME is a
 * lower-case letter and then lower-case letters, digits and '_'; a '{' that does not begin
 * one stands for itself. {NAME:raw} in JSON: a number, true or false, which loses the
 * quotes if it is the whole of a string. Every NAME was known at load: a setting, a value
 * or what an earlier step reads (which may fill a setting that is empty), or
 *
 *	hostname	the first name of the request
 *	hostnames	all of them, commas between
 *	owner		the name below the setting `domain`, "@" for the domain itself;
 *			below {zone} where an earlier step reads that
 *	owner_or_empty	the same, "" for the domain itself
 *	ip		the address of a step for one family (any, ipv4, ipv6)
 *	ipv4, ipv6	the address of that family; only in steps for it, and in dual ones
 *	rrtype		A or AAAA; not in dual steps
 *	jwt		where the signer `jwt` signs: made by it
 *	each		only in the body of an `each` step: for every record `each`, filled
 *			with its hostname, owner, ip and rrtype, `join` between
 *	page		in a step with pages
 *	unix_time	seconds; iso_time: 2026-11-21T14:00:00Z; http_date: as in Date
 *	uuid, nonce	new for every request (RFC 4122; 16 letters and digits)
 *
 * In the URL's authority only a CATALOGUE_SERVER may stand, and only as the whole of it;
 * a URL may begin with one CATALOGUE_URL instead. Else it begins with https://, or http://
 * (then configurations must say "insecure_http"). Where a job says insecure_http an
 * https:// URL whose authority is a CATALOGUE_SERVER goes by http://.
 */
struct catalogue_step {
	char name[CATALOGUE_NAME_BYTES];	/* "": alternatives, one for each family */
	enum catalogue_does does;
	enum catalogue_family family;
	struct catalogue_when when;
	char method[8];
	char *url;
	struct catalogue_pair headers[CATALOGUE_HEADERS_MAX];
	size_t header_count;
	char *body;			/* NULL: none */
	char body_type[8];	/* "form", "json", "text", "xml": how to escape */
	char *each, *join;		/* NULL: none */
	struct catalogue_read reads[CATALOGUE_READS_MAX];
	size_t read_count;
	struct catalogue_pages pages;
	struct catalogue_rule *rules;	/* of this step, before those of all */
	size_t rule_count;
	struct catalogue_sign sign;
	bool no_sign, no_basic;		/* not as the description says */
};

/* With DYNDNS2 its words tell where no rule does. */
enum catalogue_protocol { CATALOGUE_RULES, CATALOGUE_DYNDNS2, CATALOGUE_RFC2136 };

/* RFC 2136: all templates of settings; no steps then. */
struct catalogue_update {
	char *server, *zone, *key, *secret, *algorithm, *ttl;
};

enum catalogue_wildcard { CATALOGUE_WILDCARD_UNKNOWN, CATALOGUE_WILDCARD_YES,
			  CATALOGUE_WILDCARD_NO };

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
	struct catalogue_value values[CATALOGUE_VALUES_MAX];
	size_t value_count;
	char *basic_user, *basic_password;	/* templates; NULL: no Basic auth */
	struct catalogue_sign sign;	/* of all steps but those with their own */
	struct catalogue_step steps[CATALOGUE_STEPS_MAX];
	size_t step_count;
	enum catalogue_protocol protocol;
	struct catalogue_update update;
	struct catalogue_rule rules[CATALOGUE_RULES_MAX];
	size_t rule_count;
	char *says[CATALOGUE_SAYS_MAX];	/* JSON paths to words for people */
	size_t say_count;
	/* It takes the address of the connection: that must be the WAN's, of this family. */
	bool by_connection;
	enum catalogue_wildcard wildcard;
	bool wants_contact;		/* refuses who does not say whom to write to */
	unsigned batch;			/* names of one request, at least 1 */
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
 * Is what an answer brings under this name a token, key, session ...? Such a value is
 * hidden where people look, and no state file is a place for it.
 */
bool catalogue_sounds_secret(const char *name);

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

/* Is it one of the machine's own, out of the first of several directories? */
bool catalogue_is_own(const char *const *directories, const char *id);

/* All ids there are, each once, sorted; ends with NULL. Their files are not looked into. */
int catalogue_list(const char *const *directories, char ***ret_ids,
		   struct err *ret_err) must_check;
void catalogue_list_free(char **ids);	/* NULL is fine */

#endif
