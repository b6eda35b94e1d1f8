/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What libcurl's errors mean to us: no connection, no trust, or cut off.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "exchange.h"
#include "hairpin/clock.h"
#include "hairpin/text.h"

/* This program is younger: a clock that says less was never set. */
static const int64_t first_day_s = 1767225600;	/* 2026-01-01 */

static bool was_connected(const struct http_exchange *exchange)
{
	long sent = 0;

	curl_easy_getinfo(exchange->easy, CURLINFO_REQUEST_SIZE, &sent);
	return exchange->connected || sent > 0;
}

/* A handshake that fails because the connection broke says nothing about trust. */
static bool handshake_broke(const struct http_exchange *exchange)
{
	long os_error = 0;

	curl_easy_getinfo(exchange->easy, CURLINFO_OS_ERRNO, &os_error);
	return os_error != 0 || strstr(exchange->problem, "SYSCALL") ||
	       strstr(exchange->problem, "reset") ||
	       strstr(exchange->problem, "unexpected eof");
}

static enum http_outcome outcome_of(const struct http_exchange *exchange, CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_CONNECT:
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_INTERFACE_FAILED:
		return HTTP_UNREACHABLE;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_USE_SSL_FAILED:
		return HTTP_TLS_REFUSED;
	case CURLE_SSL_CONNECT_ERROR:
		return handshake_broke(exchange) ? HTTP_CUT_OFF : HTTP_TLS_REFUSED;
	default:
		return was_connected(exchange) ? HTTP_CUT_OFF : HTTP_UNREACHABLE;
	}
}

static bool is_too_early(const struct http_exchange *exchange)
{
	return strstr(exchange->problem, "not yet valid") ||
	       strstr(exchange->problem, "not yet activated");
}

static const char *problem_of(const struct http_exchange *exchange, CURLcode code)
{
	if (exchange->header_bytes > HTTP_HEADERS_MAX)
		return "more than 16 KiB of headers";
	if (exchange->nameless)
		return "the certificate has no subjectAltName, and a name as CN alone "
		       "proves nothing";
	if (exchange->lost)
		return "the connection ended without an answer";
	if (exchange->endless)
		return "more is said around the answer than in it";
	if (code == CURLE_OUT_OF_MEMORY && exchange->reply.outcome == HTTP_CUT_OFF)
		return "a header without end, or no memory";
	return exchange->problem[0] ? exchange->problem : curl_easy_strerror(code);
}

/* Where the family of the connection is no matter of taste. */
static const char *family_of(const struct http_exchange *exchange)
{
	if (exchange->reply.outcome != HTTP_UNREACHABLE || exchange->family == 0)
		return "";
	return exchange->family == AF_INET6 ? "over IPv6: " : "over IPv4: ";
}

static void explain(struct http_exchange *exchange, CURLcode code)
{
	struct http_reply *reply = &exchange->reply;
	const char *problem = problem_of(exchange, code);
	bool clock = reply->outcome == HTTP_TLS_REFUSED &&
		     (is_too_early(exchange) || clock_wall_s() < first_day_s);
	char escaped[160], now[CLOCK_TEXT_BYTES];

	text_escape(escaped, sizeof(escaped), problem, strlen(problem));
	if (clock)
		snprintf(reply->why, sizeof(reply->why),
			 "%s; this machine's clock says %s: is that right?", escaped,
			 clock_format(clock_wall_s(), now));
	else
		snprintf(reply->why, sizeof(reply->why), "%s%s", family_of(exchange),
			 escaped);
}

void exchange_conclude(struct http_exchange *exchange, CURLcode code)
{
	struct http_reply *reply = &exchange->reply;
	long status = 0;

	curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
	/* libcurl 7.88 takes "HTTP/21026" for a 1026 of HTTP/2 */
	if (code == CURLE_OK && status > 999)
		code = CURLE_WEIRD_SERVER_REPLY;
	/* The status line came whole, and a body that is too long is an answer too. */
	if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && reply->cut)) {
		reply->outcome = HTTP_REPLY;
		reply->status = status > 0 ? (unsigned)status : 0;
		return;
	}
	reply->outcome = exchange->nameless ? HTTP_TLS_REFUSED
					    : outcome_of(exchange, code);
	reply->status = 0;
	explain(exchange, code);
}
