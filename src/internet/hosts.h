/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The addresses of the servers requests go to: requests at the same time share a
 * question, and those that follow soon its answer.
 */
#ifndef INTERNET_HOSTS_H
#define INTERNET_HOSTS_H

#include <ev.h>

#include "hairpin/dnsmsg.h"
#include "hairpin/resolve.h"

enum {
	HOSTS_KEPT = 16,
	HOSTS_FRESH_S = 30,	/* an answer's own time, at most this */
};

struct hosts;
struct hosts_waiter;

int hosts_new(struct ev_loop *loop, struct resolve *resolve,
	      struct hosts **ret_hosts) must_check;
/* NULL is fine. Every question must have ended or been stopped before. */
void hosts_free(struct hosts *hosts);

/*
 * As resolve_host_start() of both families. The handle ends with the call of `fn`, which
 * comes from the loop, or with hosts_stop().
 */
int hosts_ask(struct hosts *hosts, const char *name, resolve_host_fn *fn, void *context,
	      struct hosts_waiter **ret_waiter) must_check;
void hosts_stop(struct hosts_waiter *waiter);	/* NULL is fine */

#endif
