/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcurl's multi handle on the libev loop: connections and TLS sessions that requests of
 * one epoch share, and no others.
 *
 * A connection that was made from an address which is gone hangs until it times out, and
 * a provider that looks at the source would see the old address. libcurl cannot be told
 * which idle connections to close, so each epoch has a handle of its own.
 */
#ifndef INTERNET_POOL_H
#define INTERNET_POOL_H

#include <curl/curl.h>
#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "hairpin/http.h"

enum {
	POOLS_KEPT = 4,			/* idle ones: the links that are used by turns */
	POOL_HOST_CONNECTIONS = 100,	/* at once to one server, */
	POOL_CONNECTIONS = 128,		/* and to all; what waits for one has its time */
};

struct pool {
	struct pool *next;		/* the one used last comes first */
	struct ev_loop *loop;
	CURLM *multi;
	CURLSH *sessions;
	ev_timer timer;			/* libcurl's */
	uint64_t epoch;
	unsigned running;		/* transfers */
	uintptr_t taken;		/* bytes of replies, so far */
	bool endless;			/* in this call too much came that is no answer */
};

/*
 * The pool of this epoch; NULL: no memory. Idle ones beyond POOLS_KEPT are closed, so it
 * must not be called from within libcurl's callbacks or a transfer's end.
 */
struct pool *pool_enter(struct pool **list, struct ev_loop *loop, uint64_t epoch);
void pool_free_all(struct pool **list);		/* no transfer runs */

/* pool_end() follows exactly one pool_start() that gave 0. */
int pool_start(struct pool *pool, CURL *easy) must_check;
void pool_end(struct pool *pool, CURL *easy);

#endif
