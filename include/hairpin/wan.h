/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: model */
/*
 * Which of a link's addresses, or which prefix of its addresses or routes, is the WAN's.
 * Pure: no I/O, the time is an argument.
 */
#ifndef HAIRPIN_WAN_H
#define HAIRPIN_WAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"

/* One address of a link, in the order of the kernel's dump. */
struct wan_candidate {
	/* the own one: IFA_LOCAL where present (on PPP IFA_ADDRESS is the peer) */
	struct addr address;
	uint32_t ifindex;
	uint32_t flags;		/* IFA_F_*, linux/if_addr.h */
	uint8_t scope;		/* RT_SCOPE_*, linux/rtnetlink.h */
	uint8_t prefix_length;
	/* point-to-point: masqueraded flows outlive the address */
	bool has_peer;
};

/* One IPv6 route of the main table that leads by a link, with or without a gateway. */
struct wan_route {
	struct addr to;
	uint8_t prefix_length;
	uint32_t ifindex;
	uint32_t priority;	/* metric, lower wins */
};

/* A shorter route leads to a part of the internet: no network is delegated so much. */
enum { WAN_ROUTE_BITS_MIN = 32 };

/*
 * The WAN's address of `family` among `count` candidates, all of the WAN's link.
 *
 * Usable: scope global, not tentative, dadfailed or deprecated; IPv6 also neither
 * temporary nor unique-local (fc00::/7) nor link-local. The current one is kept while it
 * is usable (make before break). Else the first usable that is not secondary, else the
 * first usable, in dump order. None: family 0.
 */
struct addr wan_choose(int family, const struct wan_candidate *candidates, size_t count,
		       const struct addr *current);

/*
 * The first `bits` bits of the IPv6 address that is chosen so, the others 0. The current
 * prefix is kept while any usable address has it.
 */
struct addr wan_choose_prefix(unsigned bits, const struct wan_candidate *candidates,
			      size_t count, const struct addr *current);

/*
 * Where no address shows one: the prefix of `bits` bits that the routes of `link` show.
 * Of those to global addresses, WAN_ROUTE_BITS_MIN to `bits` long: the longest, of equals
 * that with the lowest metric, of equals the current one, else the first in dump order. A
 * route where the link has an address (of `candidates`, all its own) is passed over: that
 * address does not count, being deprecated or the like. None: family 0.
 */
struct addr wan_choose_route(unsigned bits, const struct wan_route *routes,
			     size_t route_count, uint32_t link,
			     const struct wan_candidate *candidates, size_t count,
			     const struct addr *current);

/* One family of one WAN, or its prefix, as it is believed to be. All zero at start. */
struct wan_side {
	struct addr address;	/* none: not known, or lost and the grace is over */
	/* the interface has none just now; `address` still counts */
	bool missing;
	int64_t missing_since_ms;
	int64_t since_wall_s;	/* when `address` came */
	uint64_t generation;	/* + 1 with every change of `address` */
};

enum wan_event {
	WAN_SAME,		/* nothing to do, not even a log line */
	WAN_CHANGED,		/* another address */
	WAN_MISSING,		/* just vanished: look again when the grace is over */
	WAN_LOST,		/* the grace is over: none any more */
};

/*
 * Compares what the interface has now with what is believed, and updates `side`. `seen`
 * none: no usable address. A vanished address counts as lost only `grace_ms` after it
 * went; when the same one comes back before, nothing happened. `ret_former` gets the
 * address before a change or loss.
 */
enum wan_event wan_observe(struct wan_side *side, const struct addr *seen,
			   int64_t grace_ms, int64_t now_ms, int64_t wall_s,
			   struct addr *ret_former);

/* When wan_observe() wants to be called again; INT64_MAX: not by time. */
int64_t wan_due_ms(const struct wan_side *side, int64_t grace_ms);

#endif
