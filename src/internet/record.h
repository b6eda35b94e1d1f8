/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of one question about a record; its way is drawn in record.c.
 */
#ifndef INTERNET_RECORD_H
#define INTERNET_RECORD_H

#include <net/if.h>

#include "resolver.h"

enum {
	DNS_PORT = 53,
	/* before the next server is asked beside the first */
	HEAD_START_MS = 1000,
	AUTHORITY_LIMIT_MS = 7000,	/* then the system's resolver gets the rest */
};

enum server_state { SERVER_IDLE, SERVER_ASKED, SERVER_DONE };

struct record_server {
	struct resolve_record *record;
	struct resolve_server where;
	struct ask *ask;
	enum server_state state;
	bool authoritative;		/* it answered, and may */
	struct dnsmsg_found found;
};

/* A server's name on its way to addresses. */
struct record_name {
	struct resolve_record *record;
	struct resolve_host *host;
	size_t index;			/* in zone.servers */
	unsigned families;
};

struct resolve_record {
	struct resolve *resolve;
	resolve_record_fn *fn;
	void *context;
	enum dnsmsg_type type;
	bool all;
	struct addr wanted;
	char interface[IFNAMSIZ], interface6[IFNAMSIZ];
	struct resolve_server trusted[RESOLVE_SERVERS_MAX];
	size_t trusted_count;
	char asked_name[DNSMSG_NAME_BYTES];	/* the record's */
	/* it, or where its CNAMEs have led so far */
	char name[DNSMSG_NAME_BYTES];
	unsigned hops;

	ev_timer limit;
	ev_timer head_start;
	bool last_chance;		/* only the system's resolver is left */
	struct ask_question *recursive;
	struct zone_search *search;
	struct zone zone;
	bool zone_was_kept, distrust_kept;
	unsigned round;
	struct record_name names[ZONE_SERVERS_MAX];
	size_t names_pending;
	struct record_server servers[RESOLVE_SERVERS_MAX];
	size_t server_count;
};

#endif
