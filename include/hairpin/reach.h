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
	/* a RST, the host is there and nobody listens; or a firewall's "port unreachable" */
	REACH_REFUSED,
	REACH_SILENT,		/* nothing came within the limit */
	/*
	 * No neighbour, no route, not allowed on the way: an ICMP or our own kernel said so.
	 * A missing neighbour is known after 3 seconds only.
	 */
	REACH_NO_HOST,
	REACH_NOT_TRIED,	/* the local kernel would not: `error` */
};

struct reach {
	struct addr source;		/* none: the kernel chooses; of the same family */
	struct addr destination;
	uint16_t port;
	enum reach_result result;
	int error;			/* errno behind the result; 0 */
};

/*
 * -ENOMEM and the like; what each one came to stands in it. Waits until all have come to
 * something, at most so long.
 */
int reach_all(struct reach *reaches, size_t count, int64_t limit_ms) must_check;

#endif
