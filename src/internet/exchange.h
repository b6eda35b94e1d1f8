/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request on its way; shared by http.c (its life), exchange.c (what libcurl is told),
 * reply.c (what it gives back), outcome.c (what its errors mean), trust.c (whom it believes)
 * and pool.c (the loop).
 */
#ifndef INTERNET_EXCHANGE_H
#define INTERNET_EXCHANGE_H

#include <curl/curl.h>
#include <ev.h>

#include "hairpin/http.h"
#include "hairpin/resolve.h"
#include "hairpin/text.h"
#include "hosts.h"
#include "pool.h"

struct http {
	struct ev_loop *loop;
	struct hosts *hosts;
	struct pool *pools;
	bool has_ca_file;		/* the machine's certificates lie in one file */
	size_t body_bytes;		/* of all replies that are being read */
};

struct http_exchange {
	struct http *http;
	http_fn *fn;
	void *context;
	CURL *easy;
	struct pool *pool;		/* NULL: not yet, or no longer */
	bool connected;			/* a connection came about */
	bool left;			/* the request is on its way */
	bool lost;			/* its connection ended without an answer */
	bool nameless;			/* the other end's certificate names no host */
	struct hosts_waiter *host;	/* while the name is being resolved */
	struct curl_slist *headers, *pins;
	char host_name[256];		/* without brackets */
	char port[6];
	bool private_server, near;
	int family;			/* 0: either */
	char interface[16], interface6[16];
	uint64_t epoch;
	int64_t deadline_ms;		/* clock_now_ms() */
	size_t body_max;
	struct text body, header_lines;
	size_t header_bytes;
	int fd;				/* of its connection; -1: not known */
	uint64_t heard_before;		/* bytes that came by it before; 0: not known */
	bool endless;			/* too much came by its connection that is no answer */
	struct http_reply reply;
	char problem[CURL_ERROR_SIZE];
};

/* On `easy` and `code`; remembers the first failure, so that the caller checks once. */
#define SET(option, value) \
	do { \
		if (code == CURLE_OK) \
			code = curl_easy_setopt(easy, option, value); \
	} while (0)

/* Makes the easy handle ready, all but address and time. */
int exchange_prepare(struct http_exchange *exchange, const struct http_request *request,
		     struct err *ret_err) must_check;

/* Tells the caller and frees it. */
void exchange_end(struct http_exchange *exchange);

/* Frees the handle and what belongs to it; must be in no pool any more. */
void exchange_free(struct http_exchange *exchange);

/* Which certificates are believed. */
CURLcode trust_prepare(CURL *easy, const struct http *http,
		       const struct http_request *request);

/* Does the other end's certificate name its hosts where they are looked for? */
bool trust_has_names(CURL *easy);

/* Bounds what a connection may say within TLS that is no answer. */
CURLcode records_prepare(struct http_exchange *exchange);

/* Prepares it for what comes back. */
CURLcode reply_prepare(struct http_exchange *exchange);

/*
 * Keeps the addresses that may be used and pins the host to them. False: none may;
 * reply.why says why.
 */
bool exchange_pin(struct http_exchange *exchange,
		  const struct resolve_addresses *addresses);

/* Fills exchange->reply from libcurl's last word. */
void exchange_conclude(struct http_exchange *exchange, CURLcode code);

#endif
