/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: internet */
/*
 * One request in, one reply out.
 *
 * Over HTTPS with the peer and its name (no CN) verified, TLS 1.2 or later; no proxy, no
 * redirect (a 3xx is handed up), no cookies, no netrc, no compression. The host is
 * resolved by resolve.h and pinned, so libcurl never resolves. The reply comes from the
 * libev loop, never from within a call. Connections and TLS sessions are kept for the next
 * request of the same `epoch`; where the server speaks HTTP/2, requests under way share
 * one. A host is resolved once for all that ask within its TTL, at most half a minute.
 */
#ifndef HAIRPIN_HTTP_H
#define HAIRPIN_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/err.h"

enum {
	HTTP_BODY_MAX = 64 * 1024 - 1,	/* with its NUL: a power of two */
	HTTP_LIST_MAX = 1024 * 1024,	/* a page of a long list of records */
	HTTP_BODIES_MAX = 8 * 1024 * 1024,	/* of all requests under way, but for */
	HTTP_BODY_SMALL = 16 * 1024,	/* what each may say whatever the others do */
	HTTP_FRAMES_MAX = 16,	/* times what replies take, with all that frames them */
	HTTP_AROUND_MAX = 128 * 1024,	/* and this, by one connection */
	HTTP_HEADERS_MAX = 16 * 1024,	/* all of them, of interim answers too */
	HTTP_TIMEOUT_MS = 30000,	/* where a request says 0 */
	HTTP_CONNECT_MS = 10000,
};

struct ev_loop;
struct resolve;
struct http;

/* Once per process, before other threads and before the sandbox: opens what TLS needs. */
int http_global_init(void) must_check;
/* Where this machine's certificates lie, for the sandbox; NULL: not known. */
const char *http_ca_file(void);
const char *http_ca_directory(void);

int http_new(struct ev_loop *loop, struct resolve *resolve,
	     struct http **ret_http) must_check;
/* NULL is fine. Every request must have ended or been stopped before. */
void http_free(struct http *http);

/* All strings are copied or no longer needed after http_start(). */
struct http_request {
	const char *method, *url;
	const char *const *headers;	/* "Name: value" */
	size_t header_count;
	const char *body;		/* NULL: none */
	const char *user, *password;	/* NULL: no Basic authentication */
	/*
	 * "aws:amz:REGION:SERVICE": signed so (AWS Signature Version 4) with user and
	 * password instead of Basic authentication; NULL: not.
	 */
	const char *aws_sigv4;
	int family;			/* AF_INET, AF_INET6: only by it; 0: either */
	const char *user_agent;		/* NULL: ours */
	const char *ca_pem;		/* NULL: the system's certificates */
	/* "" or the link to leave by: to the internet, and with `near` to what is on it */
	const char *interface;
	const char *interface6;		/* over IPv6; NULL or "": by the same */
	bool near;
	bool list;			/* the body may have HTTP_LIST_MAX bytes */
	/* connections made under another one are not used */
	uint64_t epoch;
	int64_t timeout_ms;		/* of all, resolving included */
	/* the host may have addresses that are not global */
	bool private_server;
	bool insecure_http;		/* "http:" is allowed */
};

enum http_outcome {
	HTTP_REPLY,			/* a status came */
	HTTP_UNREACHABLE,		/* no connection came about */
	/* the other end could not prove who it is; nothing was sent */
	HTTP_TLS_REFUSED,
	HTTP_CUT_OFF,			/* connected, but no whole reply in time */
};

struct http_reply {
	enum http_outcome outcome;
	unsigned status;		/* 0: none came */
	/* what came of it, with a NUL behind; may hold any byte */
	const char *body;
	size_t length;
	bool cut;			/* longer than it may be */
	/* the header lines as they came, "Name: value", each with CR LF; "" for none */
	const char *headers;
	char retry_after[64];		/* header values; "" for none or too long */
	char location[1024];
	char why[256];			/* for people, escaped; "" for a whole reply */
};

struct http_exchange;
typedef void http_fn(void *context, const struct http_reply *reply);

/*
 * The handle ends with the call of `fn` or with http_stop(). -EINVAL: no URL that may
 * be used (`ret_err` says why, without the URL), -ENOMEM.
 */
int http_start(struct http *http, const struct http_request *request, http_fn *fn,
	       void *context, struct http_exchange **ret_exchange,
	       struct err *ret_err) must_check;
void http_stop(struct http_exchange *exchange);	/* NULL is fine */

#endif
