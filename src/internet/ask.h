/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions to DNS servers: one c-ares channel on the libev loop. Random ids and ports,
 * retries, the next server and TCP after truncation are c-ares's; what an answer means
 * is not looked at here.
 *
 * Answers are delivered from the loop, never from within a call into this module:
 * whoever gets one may free the asker and everything else.
 */
#ifndef INTERNET_ASK_H
#define INTERNET_ASK_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/err.h"

struct ask;
struct ask_question;

struct ask_server {
	struct addr address;
	uint16_t port;
	bool recurse;			/* RD=1 */
	/* "": any; else SO_BINDTODEVICE, or no question is sent */
	const char *interface;
};

/* `server` NULL: those of /etc/resolv.conf, with RD=1. */
int ask_new(struct ev_loop *loop, const struct ask_server *server,
	    struct ask **ret_ask) must_check;
/* NULL is fine. Questions that are open end without a call. */
void ask_free(struct ask *ask);

/* `bytes` NULL: nobody answered. They are gone after the call. */
typedef void ask_fn(void *context, const void *bytes, size_t length);

/*
 * Asks for an absolute name: no search list, no aliases. The handle ends with the call of
 * `fn` or with ask_forget(). NULL: no memory, nothing will be called.
 */
struct ask_question *ask_start(struct ask *ask, const char *name, int type, ask_fn *fn,
			       void *context);
/* The same of another class than IN. */
struct ask_question *ask_start_class(struct ask *ask, const char *name, int class, int type,
				     ask_fn *fn, void *context);
void ask_forget(struct ask_question *question);	/* NULL is fine */

#endif
