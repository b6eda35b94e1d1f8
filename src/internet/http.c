/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests: their host resolved, their time, their end.
 */
#include "hairpin/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "exchange.h"
#include "hairpin/clock.h"
#include "hairpin/text.h"

int http_global_init(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -ENOMEM;
}

const char *http_ca_file(void)
{
	return curl_version_info(CURLVERSION_NOW)->cainfo;
}

const char *http_ca_directory(void)
{
	return curl_version_info(CURLVERSION_NOW)->capath;
}

static bool has_ca_file(void)
{
	const char *path = http_ca_file();
	struct stat file;

	return path && stat(path, &file) == 0 && S_ISREG(file.st_mode) &&
	       file.st_size > 0;
}

int http_new(struct ev_loop *loop, struct resolve *resolve, struct http **ret_http)
{
	struct http *http = calloc(1, sizeof(*http));
	int r = -ENOMEM;

	if (http)
		r = hosts_new(loop, resolve, &http->hosts);
	if (r < 0) {
		free(http);
		return r;
	}
	http->loop = loop;
	http->has_ca_file = has_ca_file();
	*ret_http = http;
	return 0;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	pool_free_all(&http->pools);
	hosts_free(http->hosts);
	free(http);
}

void exchange_end(struct http_exchange *exchange)
{
	if (exchange->pool)
		pool_end(exchange->pool, exchange->easy);
	exchange->pool = NULL;
	exchange->reply.body = exchange->body.bytes ? exchange->body.bytes : "";
	exchange->reply.length = exchange->body.length;
	exchange->reply.headers = exchange->header_lines.bytes ?
				  exchange->header_lines.bytes : "";
	exchange->fn(exchange->context, &exchange->reply);
	exchange_free(exchange);
}

static void fail(struct http_exchange *exchange, enum http_outcome outcome,
		 const char *why)
{
	exchange->reply.outcome = outcome;
	if (why)
		text_copy(exchange->reply.why, sizeof(exchange->reply.why), why);
	exchange_end(exchange);
}

static void begin_transfer(struct http_exchange *exchange)
{
	int64_t left_ms = exchange->deadline_ms - clock_now_ms();
	long connect_ms = left_ms < HTTP_CONNECT_MS ? (long)left_ms : HTTP_CONNECT_MS;
	struct http *http = exchange->http;
	struct pool *pool;

	if (left_ms <= 0) {
		fail(exchange, HTTP_UNREACHABLE,
		     "no time was left after resolving the host");
		return;
	}
	curl_easy_setopt(exchange->easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
	curl_easy_setopt(exchange->easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
	pool = pool_enter(&http->pools, http->loop, exchange->epoch);
	if (!pool || pool_start(pool, exchange->easy) < 0) {
		fail(exchange, HTTP_UNREACHABLE, "no memory");
		return;
	}
	exchange->pool = pool;
}

static void on_resolved(void *context, const struct resolve_addresses *addresses)
{
	struct http_exchange *exchange = context;

	exchange->host = NULL;
	if (exchange_pin(exchange, addresses))
		begin_transfer(exchange);
	else
		fail(exchange, HTTP_UNREACHABLE, NULL);
}

int http_start(struct http *http, const struct http_request *request, http_fn *fn,
	       void *context, struct http_exchange **ret_exchange, struct err *ret_err)
{
	int64_t timeout_ms = request->timeout_ms > 0 ? request->timeout_ms
						     : HTTP_TIMEOUT_MS;
	struct http_exchange *exchange = calloc(1, sizeof(*exchange));
	int r;

	if (!exchange)
		return err_set(ret_err, -ENOMEM, "no memory for a request");
	exchange->http = http;
	exchange->body = exchange->header_lines = (struct text)TEXT_INIT;
	exchange->fd = -1;
	exchange->fn = fn;
	exchange->context = context;
	exchange->epoch = request->epoch;
	exchange->deadline_ms = clock_now_ms() + timeout_ms;
	r = exchange_prepare(exchange, request, ret_err);
	if (r == 0) {
		r = hosts_ask(http->hosts, exchange->host_name, on_resolved, exchange,
			      &exchange->host);
		if (r < 0)
			err_set(ret_err, r, "the server's name cannot be looked up");
	}
	if (r < 0) {
		exchange_free(exchange);
		return r;
	}
	*ret_exchange = exchange;
	return 0;
}

void http_stop(struct http_exchange *exchange)
{
	if (!exchange)
		return;
	if (exchange->pool)
		pool_end(exchange->pool, exchange->easy);
	hosts_stop(exchange->host);
	exchange_free(exchange);
}
