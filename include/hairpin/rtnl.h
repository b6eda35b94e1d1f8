/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: kernel */
/*
 * rtnetlink: links, addresses and default routes, by events and by dump; further routes of
 * the links somebody asks for.
 *
 * An event only means "look again": rtnl_read() drains them and tells that something
 * changed; rtnl_snapshot() asks the kernel. Subscription and dump use different
 * sockets, both open for the object's life. Overrun (ENOBUFS) counts as an event; an
 * interrupted dump (NLM_F_DUMP_INTR) is repeated, with bounds. Messages whose sender is
 * not the kernel (nl_pid != 0) are dropped.
 */
#ifndef HAIRPIN_RTNL_H
#define HAIRPIN_RTNL_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/err.h"
#include "hairpin/wan.h"

struct rtnl;

int rtnl_new(struct rtnl **ret_rtnl, struct err *ret_err) must_check;
void rtnl_free(struct rtnl *rtnl);
int rtnl_fd(const struct rtnl *rtnl);	/* readable: call rtnl_read() */

/*
 * Reads until nothing is left, bounded per call. `ret_changed`: links, addresses or
 * default routes, or those that are watched, may have changed (also after an overrun).
 */
int rtnl_read(struct rtnl *rtnl, bool *ret_changed) must_check;

/* How often events were lost, or cut. */
unsigned long rtnl_overruns(const struct rtnl *rtnl);

struct rtnl_link {
	uint32_t index;
	char name[IFNAMSIZ];
	bool up;		/* IFF_UP and lower up */
};

struct rtnl_default {		/* one default route */
	int family;
	uint32_t link;		/* ifindex; of a multipath route one entry per hop */
	uint32_t priority;	/* metric, lower wins */
	/* of the main table: what goes by no link of its own may take it */
	bool is_main;
	struct addr gateway;	/* none: point-to-point, or of another family */
};

/* The kernel's answer at one moment. Arrays in dump order; owned by the snapshot. */
struct rtnl_snapshot {
	struct rtnl_link *links;
	size_t link_count;
	struct wan_candidate *addresses;
	size_t address_count;
	struct rtnl_default *defaults;
	size_t default_count;
	size_t link_room, address_room, default_room;	/* allocated entries; private */
};

/*
 * Fills the snapshot, which must be all zero or have been filled before (its room is
 * used again).
 */
int rtnl_snapshot(struct rtnl *rtnl, struct rtnl_snapshot *snapshot,
		  struct err *ret_err) must_check;
void rtnl_snapshot_done(struct rtnl_snapshot *snapshot);

enum { RTNL_WATCH_MAX = 16 };

/* Whose routes count, and how long their destinations may be. */
struct rtnl_watch {
	uint32_t links[RTNL_WATCH_MAX];
	size_t count;
	unsigned bits;
};

struct rtnl_routes {
	struct wan_route *list;		/* in dump order */
	size_t count;
	size_t room;			/* allocated entries; private */
};

/*
 * The IPv6 unicast routes of the main table by the links of `watch`, WAN_ROUTE_BITS_MIN to
 * `bits` long, but those that the kernel made itself, for addresses. From now on their
 * changes are events, until the next call; of all other routes only default ones are, so
 * a busy table wakes nobody up. Without links the kernel is not asked. `routes` is all
 * zero or was filled before.
 */
int rtnl_routes(struct rtnl *rtnl, const struct rtnl_watch *watch,
		struct rtnl_routes *routes, struct err *ret_err) must_check;
void rtnl_routes_done(struct rtnl_routes *routes);

const struct rtnl_link *rtnl_link_find(const struct rtnl_snapshot *snapshot,
				       const char *name);

/*
 * The link of the main table's default route of `family` with the lowest priority; 0:
 * none. Links whose index is in no `links` entry are passed over.
 */
uint32_t rtnl_default_link(const struct rtnl_snapshot *snapshot, int family);

/*
 * The link of a WAN: that of its name, or, where the name is "", that of the family's
 * default route, else of the other family's. 0: there is none.
 */
uint32_t rtnl_uplink(const struct rtnl_snapshot *snapshot, const char *name, int family);

/* The addresses of one link, in dump order: the caller frees. NULL: no memory. */
struct wan_candidate *rtnl_addresses_of(const struct rtnl_snapshot *snapshot,
					uint32_t link, size_t *ret_count);

#endif
