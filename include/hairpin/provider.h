/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: provider */
/*
 * A provider's protocol, pure: settings and addresses in, a request out; an answer in, a
 * verdict for each name out. No socket, no clock: what is read here came from elsewhere.
 */
#ifndef HAIRPIN_PROVIDER_H
#define HAIRPIN_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/catalogue.h"
#include "hairpin/err.h"
#include "hairpin/message.h"

enum {
	/* the description's, Content-Type, and what a signer adds */
	PROVIDER_HEADERS_MAX = CATALOGUE_HEADERS_MAX + 1 + 4,
	PROVIDER_RETRY_MAX_S = 86400,
	PROVIDER_ERROR_RETRY_S = 1800,	/* 911 and dnserr: not before 30 minutes */
};

/* --- a setting of the configuration --- */

struct provider_value {
	const char *name, *value;
};

/* --- template: the request --- */

struct provider_request {
	char method[8];
	char *url;
	char *headers[PROVIDER_HEADERS_MAX];	/* "Name: value" */
	size_t header_count;
	char *body;			/* NULL: none */
	char *user, *password;		/* NULL: no Basic authentication */
	/* "aws:amz:REGION:SERVICE": signed on its way, by user and password */
	char *aws_sigv4;		/* NULL: not */
	int family;			/* AF_INET, AF_INET6: go by it; 0: either */
	bool looks;			/* the answer may be a long list */
};

/*
 * How templates are filled: within the URL and forms a value is percent-encoded (host
 * names and addresses keep ',' and ':' in the URL, where both are allowed), within JSON
 * escaped as a string, within XML as text; in headers and Basic authentication it stands
 * as it is. A control character refuses the request, and so does a placeholder that
 * nothing is known for, or plain HTTP without insecure_http.
 */
void provider_request_done(struct provider_request *request);	/* wipes and frees */

/*
 * Where a redirect may be followed: `location` names the same scheme and authority as
 * `url` (or none, with a path that begins with one '/'), and the scheme is https. The
 * new URL; NULL: it may not, or no memory. The caller wipes and frees.
 */
char *provider_redirect(const char *url, const char *location);

/* --- answer: the verdict --- */

struct provider_answer {
	unsigned http_status;
	const char *body;
	size_t length;
	bool cut;			/* the body was longer than we read */
	bool https;
	const char *retry_after;	/* the header's value, "" for none */
	/* the header lines as they came, "Name: value", each with CR LF; "" for none */
	const char *headers;
	int64_t wall_s;			/* now, for a date in it */
};

struct provider_verdict {
	enum message_verdict verdict;	/* GOOD to TRANSIENT */
	uint32_t retry_after_s;		/* 0: not said */
	/* what the line of a good or unchanged one named */
	struct addr addresses[2];
	size_t address_count;
	const char *note;		/* a remark for people, static; NULL: none */
};

/*
 * A Retry-After header (RFC 9110, 10.2.3), seconds or date: [0, PROVIDER_RETRY_MAX_S];
 * 0 for nonsense.
 */
uint32_t provider_retry_after(const char *value, int64_t wall_s);

/* --- run: the way from records to verdicts --- */

/*
 * A session is one job: its records, divided into runs, each of which goes through the
 * description's steps. It says which request is next, is told what came of it, and has a
 * verdict for each record in the end. Still pure: time and chance come in.
 *
 * A step is left out where its family or `when` does not fit, or where it is a look whose
 * kept values are all known. A look that would ask exactly what was asked before in this
 * session takes that answer. When a run used kept values and is refused as NOHOST,
 * BAD_REQUEST, FORBIDDEN, or TRANSIENT with status 2xx or 404, they are forgotten and it
 * begins once more, without them. A final answer about the account (BADAUTH, BADAGENT) or
 * a call for patience (RATE_LIMITED, SERVER_ERROR) ends all runs that have not been
 * judged, with the same verdict. So does a request that nobody answers, and then no step
 * comes last.
 *
 * A write that went well is the run's verdict only when no later step fails. Where no
 * step wrote: UNCHANGED if a look found the wanted address; else NOHOST, "there is no
 * such record", as where a step needs a value that no look found. A list that goes on
 * behind its twentieth page, or elsewhere, is BAD_REQUEST: what is missing in its
 * beginning may well be there.
 */
struct provider_session;

struct provider_record {
	const char *hostname;
	struct addr address;		/* wanted; its family is the record's */
	const char *memo;		/* "" for none */
};

struct provider_job {
	const struct catalogue *catalogue;
	const struct provider_value *settings;
	size_t setting_count;
	const struct provider_record *records;
	size_t record_count;
	bool insecure_http;
};

/* The moment of a request. */
struct provider_moment {
	int64_t wall_s;
	uint8_t chance[16];		/* from getrandom() */
};

/* `job` is borrowed, with all it points to. -EINVAL, -ENOMEM. */
int provider_session_new(const struct provider_job *job,
			 struct provider_session **ret_session,
			 struct err *ret_err) must_check;
void provider_session_free(struct provider_session *session);	/* wipes; NULL is fine */

/*
 * The next request; true while there is one. What cannot be asked (a template that
 * cannot be filled, a family the description has no step for, plain HTTP without
 * insecure_http) gives its records BAD_REQUEST, and the next run is tried. The caller
 * does provider_request_done(), then answers before asking again.
 */
bool provider_session_next(struct provider_session *session,
			   const struct provider_moment *moment,
			   struct provider_request *ret_request) must_check;

/* What the server said to that request. */
void provider_session_answer(struct provider_session *session,
			     const struct provider_answer *answer);

/*
 * No answer came: `verdict` is UNREACHABLE, TLS_REFUSED, TRANSIENT or, where the request
 * could not be sent at all, BAD_REQUEST; `why` for people.
 */
void provider_session_fail(struct provider_session *session,
			   enum message_verdict verdict, const char *why);

/*
 * NULL: not judged yet. `text` (for people, without secrets) and `memo` (to be kept)
 * live as long as the session.
 */
struct provider_outcome {
	struct provider_verdict verdict;
	unsigned http_status;		/* 0: none */
	const char *text, *memo;
};
const struct provider_outcome *
provider_session_outcome(const struct provider_session *session, size_t record);

#endif
