/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pool.h"

#include <errno.h>
#include <stdlib.h>

#include "exchange.h"

struct socket_watch {
	ev_io io;
	struct pool *pool;
};

/* --- what libcurl wants to know of the loop --- */

/* A callback may start and stop requests, so the list is asked for anew each time. */
static void collect(struct pool *pool)
{
	struct CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(pool->multi, &left))) {
		struct http_exchange *exchange = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
				  (char **)&exchange);
		exchange->endless |= pool->endless;
		exchange_conclude(exchange, code);
		exchange_end(exchange);
	}
}

static void act(struct pool *pool, curl_socket_t socket, int what)
{
	int running;

	pool->endless = false;
	curl_multi_socket_action(pool->multi, socket, what, &running);
	collect(pool);
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
	act(watch->pool, io->fd, what);		/* the watch may be gone after this */
}

/*
 * libcurl does not tell, in every version, how far a handshake came; the socket does. Nor
 * does it tell how much came by it that is no answer.
 */
static void note_connection(CURL *easy, curl_socket_t fd, int what)
{
	struct http_exchange *exchange = NULL;
	struct sockaddr_storage peer;
	socklen_t bytes = sizeof(peer);

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&exchange);
	if (!exchange)
		return;
	if (what != CURL_POLL_REMOVE)
		exchange->fd = fd;
	else if (exchange->fd == fd)
		exchange->fd = -1;
	if (!exchange->connected &&
	    getpeername(fd, (struct sockaddr *)&peer, &bytes) == 0)
		exchange->connected = true;
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *context,
			void *private)
{
	struct socket_watch *watch = private;
	struct pool *pool = context;
	int events = (what & CURL_POLL_IN ? EV_READ : 0) |
		     (what & CURL_POLL_OUT ? EV_WRITE : 0);

	note_connection(easy, fd, what);
	if (what == CURL_POLL_REMOVE) {
		if (watch)
			ev_io_stop(pool->loop, &watch->io);
		free(watch);
		return 0;
	}
	if (!watch) {
		watch = calloc(1, sizeof(*watch));
		if (!watch)
			return -1;
		watch->pool = pool;
		ev_io_init(&watch->io, on_socket, fd, 0);
		watch->io.data = watch;
		curl_multi_assign(pool->multi, fd, watch);
	}
	ev_io_stop(pool->loop, &watch->io);
	ev_io_set(&watch->io, fd, events);
	ev_io_start(pool->loop, &watch->io);
	return 0;
}

static int watch_time(CURLM *multi, long timeout_ms, void *context)
{
	struct pool *pool = context;

	(void)multi;
	ev_timer_stop(pool->loop, &pool->timer);
	if (timeout_ms < 0)
		return 0;
	ev_now_update(pool->loop);
	ev_timer_set(&pool->timer, (double)timeout_ms / 1e3, 0.);
	ev_timer_start(pool->loop, &pool->timer);
	return 0;
}

/* --- beginning and end --- */

static void pool_free(struct pool *pool)
{
	if (pool->multi)
		curl_multi_cleanup(pool->multi);
	if (pool->sessions)
		curl_share_cleanup(pool->sessions);
	ev_timer_stop(pool->loop, &pool->timer);
	free(pool);
}

/* As many idle connections are kept as one server may have: the next turn needs them. */
static void set_rules(struct pool *pool)
{
	CURLM *multi = pool->multi;

	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, pool);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, watch_time);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, pool);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)POOL_CONNECTIONS);
	curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)POOL_CONNECTIONS);
	curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS,
			  (long)POOL_HOST_CONNECTIONS);
	curl_multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	curl_share_setopt(pool->sessions, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
}

static struct pool *pool_new(struct ev_loop *loop, uint64_t epoch)
{
	struct pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return NULL;
	pool->loop = loop;
	pool->epoch = epoch;
	ev_timer_init(&pool->timer, on_timer, 0., 0.);
	pool->timer.data = pool;
	pool->multi = curl_multi_init();
	pool->sessions = curl_share_init();
	if (!pool->multi || !pool->sessions) {
		pool_free(pool);
		return NULL;
	}
	set_rules(pool);
	return pool;
}

static void shrink(struct pool **list)
{
	unsigned idle = 0;

	while (*list) {
		struct pool *pool = *list;

		if (pool->running > 0 || ++idle <= POOLS_KEPT) {
			list = &pool->next;
			continue;
		}
		*list = pool->next;
		pool_free(pool);
	}
}

struct pool *pool_enter(struct pool **list, struct ev_loop *loop, uint64_t epoch)
{
	struct pool **at = list, *pool;

	while (*at && (*at)->epoch != epoch)
		at = &(*at)->next;
	pool = *at;
	if (pool)
		*at = pool->next;
	else
		pool = pool_new(loop, epoch);
	if (!pool)
		return NULL;
	pool->next = *list;
	*list = pool;
	shrink(&pool->next);
	return pool;
}

void pool_free_all(struct pool **list)
{
	while (*list) {
		struct pool *pool = *list;

		*list = pool->next;
		pool_free(pool);
	}
}

/* --- transfers --- */

int pool_start(struct pool *pool, CURL *easy)
{
	if (curl_easy_setopt(easy, CURLOPT_SHARE, pool->sessions) != CURLE_OK ||
	    curl_multi_add_handle(pool->multi, easy) != CURLM_OK)
		return -ENOMEM;
	pool->running++;
	return 0;
}

void pool_end(struct pool *pool, CURL *easy)
{
	curl_multi_remove_handle(pool->multi, easy);
	curl_easy_setopt(easy, CURLOPT_SHARE, NULL);	/* the pool may end before it */
	pool->running--;
}
