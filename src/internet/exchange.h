/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request on its way; shared by http.c (the loop), exchange.c (what libcurl is told
 * and what it gives back) and outcome.c (what its errors mean).
 */
#ifndef INTERNET_EXCHANGE_H
#define INTERNET_EXCHANGE_H

#include <curl/curl.h>
#include <ev.h>

#include "hairpin/http.h"
#include "hairpin/resolve.h"

struct http {
	struct ev_loop *loop;
	struct resolve *resolve;
	CURLM *multi;
	ev_timer timer;			/* libcurl's */
	uint64_t epoch;			/* of the connections that are kept; 0: of none */
	unsigned running;		/* transfers */
};

struct http_exchange {
	struct http *http;
	http_fn *fn;
	void *context;
	CURL *easy;
	bool added;			/* to the multi handle */
	bool connected;			/* a connection came about */
	struct resolve_host *host;	/* while the name is being resolved */
	struct curl_slist *headers, *pins;
	char host_name[256];		/* without brackets */
	char port[6];
	bool private_server, fresh;
	char interface[16];
	uint64_t epoch;
	int64_t deadline_ms;		/* clock_now_ms() */
	char *body;
	size_t body_length, header_bytes;
	struct http_reply reply;
	char problem[CURL_ERROR_SIZE];
};

/* Makes the easy handle ready, all but address and time. */
int exchange_prepare(struct http_exchange *exchange, const struct http_request *request,
		     struct err *ret_err) must_check;

/* Frees the handle and what belongs to it; must not be in the multi handle any more. */
void exchange_free(struct http_exchange *exchange);

/*
 * Keeps the addresses that may be used and pins the host to them. False: none may;
 * reply.why says why.
 */
bool exchange_pin(struct http_exchange *exchange,
		  const struct resolve_addresses *addresses);

/* Fills exchange->reply from libcurl's last word. */
void exchange_conclude(struct http_exchange *exchange, CURLcode code);

#endif
