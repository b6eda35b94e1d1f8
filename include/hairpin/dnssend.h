/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: internet */
/*
 * One ready-made DNS message to one server, and what it answers.
 *
 * Not by c-ares: that one puts other bytes into a message (cookies, EDNS), which would
 * break its signature, and knows questions only.
 *
 * Over UDP in three tries, 1, 2 and 4 seconds apart, each from a port of its own and to
 * the next of the server's addresses; then over TCP. Messages longer than UDP takes
 * without EDNS (RFC 1035, 4.2.1) begin there. The same bytes are sent each time: what
 * they ask for must be the same when it is done twice. Sockets are connected, so the
 * kernel lets through only what comes from the address that was asked.
 *
 * Everything runs on the libev loop; answers come from the loop, never from within a call.
 */
#ifndef HAIRPIN_DNSSEND_H
#define HAIRPIN_DNSSEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/err.h"

enum {
	DNSSEND_UDP_MAX = 512,
	DNSSEND_ADDRESSES_MAX = 8,
};

struct ev_loop;
struct dnssend;

/* What the asker makes of some bytes. */
enum dnssend_look {
	DNSSEND_TAKEN,			/* the answer: it is over */
	DNSSEND_IGNORED,		/* not the answer: wait on */
	DNSSEND_OVER_TCP,		/* ask the same address over TCP */
};
typedef enum dnssend_look dnssend_look_fn(void *context, const void *bytes, size_t length,
					  bool tcp);

enum dnssend_outcome {
	DNSSEND_ANSWERED,
	/* no connection came about, nor any answer over UDP */
	DNSSEND_UNREACHABLE,
	DNSSEND_CUT_OFF,		/* connected, but no answer was taken */
};
typedef void dnssend_fn(void *context, enum dnssend_outcome outcome);

/* Copied, but for the functions' context. */
struct dnssend_request {
	const void *bytes;
	size_t length;
	/* Tried in turn; at least one, what is beyond DNSSEND_ADDRESSES_MAX is not. */
	const struct addr *addresses;
	size_t address_count;
	uint16_t port;
	/* "" or the link by which global addresses are asked, strictly */
	const char *interface;
	const char *interface6;		/* over IPv6; NULL or "": by the same */
	int64_t timeout_ms;		/* of all */
	dnssend_look_fn *look;		/* must not end the handle */
	dnssend_fn *fn;
	void *context;
};

/* The handle ends with the call of `fn` or with dnssend_stop(). -EINVAL, -ENOMEM. */
int dnssend_start(struct ev_loop *loop, const struct dnssend_request *request,
		  struct dnssend **ret_send) must_check;
void dnssend_stop(struct dnssend *send);	/* NULL is fine */

#endif
