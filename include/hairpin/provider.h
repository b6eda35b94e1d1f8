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

/* --- what an update says --- */

struct provider_value {
	const char *name, *value;
};

/* One update: the same addresses for every name. Everything is borrowed. */
struct provider_update {
	const struct provider_value *settings;
	size_t setting_count;
	const char *const *hostnames;	/* at least one */
	size_t hostname_count;
	struct addr ipv4, ipv6;		/* none: not of this request */
	bool insecure_http;
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
};

/*
 * The step for these families: both at once, else the family's own, else "any".
 * NULL: the description has none. Asked for both, only a dual step is given.
 */
const struct catalogue_step *provider_step(const struct catalogue *catalogue,
					   bool ipv4, bool ipv6);

/*
 * Fills the step's templates. Within the URL and forms a value is percent-encoded (host
 * names and addresses keep ',' and ':' in the URL, where both are allowed), within JSON
 * escaped as a string; in headers and Basic authentication it stands as it is. A
 * control character refuses it (-EINVAL, also for a placeholder nobody gave a value;
 * `ret_err` says which). A step that goes over plain HTTP without insecure_http is
 * refused likewise.
 */
int provider_request_make(const struct catalogue *catalogue,
			  const struct catalogue_step *step,
			  const struct provider_update *update,
			  struct provider_request *ret_request,
			  struct err *ret_err) must_check;
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
 * One verdict for each of update->hostnames. The description's rules come first, then the
 * HTTP status, then dyndns2's lines where the description says so. A rule without a
 * status calls something good only where the status is 2xx and the body whole: an unclear
 * answer is never a success.
 */
void provider_judge(const struct catalogue *catalogue,
		    const struct provider_answer *answer,
		    const struct provider_update *update,
		    struct provider_verdict *ret_verdicts);

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
 * BAD_REQUEST or FORBIDDEN, they are forgotten and it begins once more, without them. A
 * final answer about the account (BADAUTH, BADAGENT) or a call for patience (RATE_LIMITED,
 * SERVER_ERROR) ends all runs that have not been judged, with the same verdict.
 *
 * Where no step wrote: UNCHANGED if a look found the wanted address; else NOHOST, "there
 * is no such record".
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

/* Does the request that is being asked speak of this record? */
bool provider_session_asks_for(const struct provider_session *session, size_t record);

/*
 * NULL: not judged yet. `text` (for people, masked as provider_describe() has it) and
 * `memo` (to be kept) live as long as the session.
 */
struct provider_outcome {
	struct provider_verdict verdict;
	unsigned http_status;		/* 0: none */
	const char *text, *memo;
};
const struct provider_outcome *
provider_session_outcome(const struct provider_session *session, size_t record);

/* --- mask: what people may see of an answer --- */

/*
 * Foreign bytes for log and status: every occurrence of a secret setting's value (as it
 * is, percent-encoded, in base64 at any offset, beside the user as Basic authentication
 * has it, as JSON; or its first 8 bytes) reads "(hidden)", the rest is escaped, cut to
 * 200 bytes. Returns `out`; what cannot be masked for want of memory is not shown at
 * all.
 */
const char *provider_describe(const struct catalogue *catalogue,
			      const struct provider_update *update, const void *bytes,
			      size_t length, char out[MESSAGE_TEXT_BYTES]);

#endif
