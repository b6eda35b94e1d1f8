/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcurl's multi handle on the libev loop.
 */
#include "hairpin/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "exchange.h"
#include "hairpin/clock.h"
#include "hairpin/text.h"

/* What libcurl keeps open at most when idle. */
enum { CONNECTIONS_KEPT = 8 };

struct socket_watch {
	ev_io io;
	struct http *http;
};

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

static void end_exchange(struct http_exchange *exchange)
{
	struct http *http = exchange->http;
	http_fn *fn = exchange->fn;
	void *context = exchange->context;

	if (exchange->added) {
		curl_multi_remove_handle(http->multi, exchange->easy);
		http->running--;
	}
	exchange->added = false;
	exchange->reply.body = exchange->body ? exchange->body : "";
	exchange->reply.length = exchange->body_length;
	fn(context, &exchange->reply);
	exchange_free(exchange);
}

/* A callback may start and stop requests, so the list is asked for anew each time. */
static void collect(struct http *http)
{
	struct CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		struct http_exchange *exchange = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
				  (char **)&exchange);
		exchange_conclude(exchange, code);
		end_exchange(exchange);
	}
}

static void act(struct http *http, curl_socket_t socket, int what)
{
	int running;

	curl_multi_socket_action(http->multi, socket, what, &running);
	collect(http);
}

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket(struct ev_loop *loop, ev_io *io, int events)
{
	struct socket_watch *watch = io->data;
	int what = (events & EV_READ ? CURL_CSELECT_IN : 0) |
		   (events & EV_WRITE ? CURL_CSELECT_OUT : 0);

	(void)loop;
	act(watch->http, io->fd, what);		/* the watch may be gone after this */
}

/* libcurl does not tell, in every version, how far a handshake came; the socket does. */
static void note_connection(CURL *easy, curl_socket_t fd)
{
	struct http_exchange *exchange = NULL;
	struct sockaddr_storage peer;
	socklen_t bytes = sizeof(peer);

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&exchange);
	if (exchange && getpeername(fd, (struct sockaddr *)&peer, &bytes) == 0)
		exchange->connected = true;
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *context,
			void *private)
{
	struct socket_watch *watch = private;
	struct http *http = context;
	int events = (what & CURL_POLL_IN ? EV_READ : 0) |
		     (what & CURL_POLL_OUT ? EV_WRITE : 0);

	note_connection(easy, fd);
	if (what == CURL_POLL_REMOVE) {
		if (watch)
			ev_io_stop(http->loop, &watch->io);
		free(watch);
		return 0;
	}
	if (!watch) {
		watch = calloc(1, sizeof(*watch));
		if (!watch)
			return -1;
		watch->http = http;
		ev_io_init(&watch->io, on_socket, fd, 0);
		watch->io.data = watch;
		curl_multi_assign(http->multi, fd, watch);
	}
	ev_io_stop(http->loop, &watch->io);
	ev_io_set(&watch->io, fd, events);
	ev_io_start(http->loop, &watch->io);
	return 0;
}

static int watch_time(CURLM *multi, long timeout_ms, void *context)
{
	struct http *http = context;

	(void)multi;
	ev_timer_stop(http->loop, &http->timer);
	if (timeout_ms < 0)
		return 0;
	ev_now_update(http->loop);
	ev_timer_set(&http->timer, (double)timeout_ms / 1e3, 0.);
	ev_timer_start(http->loop, &http->timer);
	return 0;
}

static int open_multi(struct http *http)
{
	http->multi = curl_multi_init();
	if (!http->multi)
		return -ENOMEM;
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, watch_time);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	return 0;
}

int http_new(struct ev_loop *loop, struct resolve *resolve, struct http **ret_http)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return -ENOMEM;
	http->loop = loop;
	http->resolve = resolve;
	ev_timer_init(&http->timer, on_timer, 0., 0.);
	http->timer.data = http;
	if (open_multi(http) < 0) {
		free(http);
		return -ENOMEM;
	}
	*ret_http = http;
	return 0;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	if (http->multi)
		curl_multi_cleanup(http->multi);
	ev_timer_stop(http->loop, &http->timer);
	free(http);
}

/*
 * A connection that was made from an address which is gone hangs until it times out,
 * and a provider that looks at the source would see the old address. libcurl cannot be
 * told to close idle connections, so the pool is replaced while nobody uses it; as long
 * as somebody does, requests of another epoch make connections that are not kept.
 */
static bool enter_epoch(struct http *http, uint64_t epoch, bool *ret_fresh)
{
	*ret_fresh = false;
	if (epoch == http->epoch)
		return true;
	if (http->running > 0) {
		http->epoch = 0;
		*ret_fresh = true;
		return true;
	}
	curl_multi_cleanup(http->multi);
	ev_timer_stop(http->loop, &http->timer);
	http->epoch = epoch;
	return open_multi(http) == 0;
}

static void fail(struct http_exchange *exchange, enum http_outcome outcome,
		 const char *why)
{
	exchange->reply.outcome = outcome;
	if (why)
		text_copy(exchange->reply.why, sizeof(exchange->reply.why), why);
	end_exchange(exchange);
}

static void begin_transfer(struct http_exchange *exchange)
{
	int64_t left_ms = exchange->deadline_ms - clock_now_ms();
	struct http *http = exchange->http;
	long connect_ms = left_ms < HTTP_CONNECT_MS ? (long)left_ms : HTTP_CONNECT_MS;
	bool fresh;

	if (left_ms <= 0) {
		fail(exchange, HTTP_UNREACHABLE,
		     "no time was left after resolving the host");
		return;
	}
	if (!enter_epoch(http, exchange->epoch, &fresh)) {
		fail(exchange, HTTP_UNREACHABLE, "no memory");
		return;
	}
	curl_easy_setopt(exchange->easy, CURLOPT_FRESH_CONNECT, (long)fresh);
	curl_easy_setopt(exchange->easy, CURLOPT_FORBID_REUSE, (long)fresh);
	curl_easy_setopt(exchange->easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
	curl_easy_setopt(exchange->easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
	if (curl_multi_add_handle(http->multi, exchange->easy) != CURLM_OK) {
		fail(exchange, HTTP_UNREACHABLE, "no memory");
		return;
	}
	exchange->added = true;
	http->running++;
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
	exchange->fn = fn;
	exchange->context = context;
	exchange->epoch = request->epoch;
	exchange->deadline_ms = clock_now_ms() + timeout_ms;
	r = exchange_prepare(exchange, request, ret_err);
	if (r == 0) {
		r = resolve_host_start(http->resolve, exchange->host_name,
				       RESOLVE_IPV4 | RESOLVE_IPV6, on_resolved, exchange,
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
	if (exchange->added) {
		curl_multi_remove_handle(exchange->http->multi, exchange->easy);
		exchange->http->running--;
	}
	resolve_host_stop(exchange->host);
	exchange_free(exchange);
}
