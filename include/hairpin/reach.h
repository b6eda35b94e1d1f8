/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: system */
/*
 * Real connections, to see whether somebody answers: TCP, from an address of ours, all of
 * them at the same time, within one limit. Nothing is said on them; they are closed at once.
 */
#ifndef HAIRPIN_REACH_H
#define HAIRPIN_REACH_H

#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/err.h"

enum reach_result {
	REACH_OPEN,		/* a connection came about */
	REACH_REFUSED,		/* a RST: the host is there, nobody listens */
	REACH_SILENT,		/* nothing came */
	REACH_NO_HOST,		/* no neighbour, no route: an ICMP or our own kernel said so */
	REACH_NOT_TRIED,	/* the local kernel would not: `error` */
};

struct reach {
	struct addr source;		/* none: the kernel chooses */
	struct addr destination;
	uint16_t port;
	enum reach_result result;
	int error;			/* errno behind the result; 0 */
};

/* -ENOMEM and the like; what each one came to stands in it. */
int reach_all(struct reach *reaches, size_t count, int64_t limit_ms) must_check;

#endif
