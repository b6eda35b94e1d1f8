/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What hosts, zones and records share: the system's resolver and the zones learnt so far.
 */
#ifndef INTERNET_RESOLVER_H
#define INTERNET_RESOLVER_H

#include <ev.h>

#include "ask.h"
#include "hairpin/dnsmsg.h"
#include "hairpin/resolve.h"

enum {
	ZONE_SERVERS_MAX = 8,		/* names of servers that are looked at */
	ZONES_KEPT = 16,
	ZONE_KEPT_S = 300,
};

/* A zone and the names of its servers. */
struct zone {
	char name[DNSMSG_NAME_BYTES];
	char servers[ZONE_SERVERS_MAX][DNSMSG_NAME_BYTES];
	size_t server_count;		/* 0: unused */
	double until;			/* ev_now() after which it is asked for again */
	/*
	 * Their addresses, as far as they were needed; learnt with the zone, gone with
	 * it.
	 */
	struct resolve_addresses known[ZONE_SERVERS_MAX];
	unsigned known_families[ZONE_SERVERS_MAX];
};

struct resolve {
	struct ev_loop *loop;
	struct ask *system;
	struct zone zones[ZONES_KEPT];
	size_t next_zone;		/* the one that is replaced next */
};

/* The kept zone that lies nearest above `name`; NULL: none. */
struct zone *resolve_zone_find(struct resolve *resolve, const char *name);
void resolve_zone_keep(struct resolve *resolve, const struct zone *zone);
void resolve_zone_forget(struct resolve *resolve, const char *name);

/* Adds what is not yet there, as long as there is room. */
void resolve_addresses_add(struct addr *addresses, size_t *count, const struct addr *more,
			   size_t more_count);

/* --- finding the zone of a name --- */

struct zone_search;
/* NULL: nobody said. The zone is gone after the call. */
typedef void zone_search_fn(void *context, const struct zone *zone);

/* Asks the system's resolver for NS records of the name, its parent, and so on. */
int zone_search_start(struct resolve *resolve, const char *name, zone_search_fn *fn,
		      void *context, struct zone_search **ret_search) must_check;
void zone_search_stop(struct zone_search *search);	/* NULL is fine */

#endif
