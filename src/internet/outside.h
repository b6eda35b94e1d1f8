/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the questions of hairpin/outside.h share: who is told, and the time limit. Each kind
 * embeds it as its first member.
 */
#ifndef INTERNET_OUTSIDE_H
#define INTERNET_OUTSIDE_H

#include <ev.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "hairpin/outside.h"

struct outside {
	struct ev_loop *loop;
	int family;
	char interface[IFNAMSIZ];
	outside_fn *fn;
	void *context;
	ev_timer limit;
	bool asked;			/* a packet left */
	/* frees the whole; the limit is stopped by then */
	void (*free)(struct outside *outside);
};

/* -EINVAL: no such interface name. Arms the limit. */
int outside_init(struct outside *outside, const struct outside_question *question,
		 outside_fn *fn, void *context,
		 void (*free_fn)(struct outside *outside)) must_check;

/* The end: everything is freed, then `fn` is called. */
void outside_found(struct outside *outside, const struct addr *address);
void outside_failed(struct outside *outside, enum outside_outcome outcome,
		    const char *why);

/* A datagram socket that leaves by the link; a negative errno. */
int outside_socket(const struct outside *outside) must_check;

#endif
