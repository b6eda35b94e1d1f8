/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: internet */
/*
 * Names to addresses, in three ways.
 *
 * A *host* is something we connect to: /etc/hosts, then the system's resolver. A *name*
 * is looked up in the same places for its own sake: one family, how long it holds, and
 * why there is nothing. A *record* is something we published: the name servers of its
 * own zone are asked directly, past every cache, and only what they say with authority
 * counts.
 *
 * All names are absolute: neither search list nor HOSTALIASES. Everything runs on the
 * libev loop; answers come from the loop, never from within a call. /etc/resolv.conf is
 * read by resolve_new() and not again: when it changes, make a new resolver.
 */
#ifndef HAIRPIN_RESOLVE_H
#define HAIRPIN_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/err.h"

enum {
	RESOLVE_ADDRESSES_MAX = 32,
	RESOLVE_LIMIT_MS = 10000,	/* of one host, name or record, whatever happens */
	RESOLVE_SERVERS_MAX = 16,
	RESOLVE_FILE_TTL_S = 300,	/* how long a line of /etc/hosts holds */
};

enum { RESOLVE_IPV4 = 1, RESOLVE_IPV6 = 2 };	/* bits of a set of families */

struct ev_loop;
struct resolve;

int resolve_new(struct ev_loop *loop, struct resolve **ret_resolve) must_check;
/* NULL is fine. Every question must have ended or been stopped before. */
void resolve_free(struct resolve *resolve);

/* --- hosts --- */

struct resolve_host;

struct resolve_addresses {
	struct addr addresses[RESOLVE_ADDRESSES_MAX];	/* IPv6 first */
	size_t count;			/* 0: not known, or nobody answered */
	bool answered;			/* some resolver said something, be it "none" */
	/* how long all of it holds; 0: not known, or a family has not answered */
	uint32_t ttl_s;
};

typedef void resolve_host_fn(void *context, const struct resolve_addresses *addresses);

/*
 * `host` may be an address. Once one family has addresses the other has another second.
 * The handle ends with the call of `fn` or with resolve_host_stop().
 */
int resolve_host_start(struct resolve *resolve, const char *host, unsigned families,
		       resolve_host_fn *fn, void *context,
		       struct resolve_host **ret_host) must_check;
void resolve_host_stop(struct resolve_host *host);	/* NULL is fine */

/* --- names --- */

struct resolve_name;

enum resolve_said {
	RESOLVE_NOTHING,		/* nobody answered, or with an error */
	RESOLVE_ADDRESSES,
	RESOLVE_NO_NAME,		/* it does not exist */
	RESOLVE_NO_ADDRESS,		/* it exists, with no address of this family */
};

struct resolve_named {
	enum resolve_said said;
	/*
	 * Ascending, each once. Of more than there is room for the smallest: a resolver
	 * that turns the order round changes nothing.
	 */
	struct addr addresses[RESOLVE_ADDRESSES_MAX];
	size_t count;
	bool more;			/* there were more */
	uint32_t ttl_s;			/* the smallest, CNAMEs included; at most a week */
};

typedef void resolve_name_fn(void *context, const struct resolve_named *named);

/*
 * `family`: AF_INET, AF_INET6. CNAMEs are followed to a depth of 8, also where the
 * resolver leaves that to us. The handle ends with the call of `fn` or with
 * resolve_name_stop().
 */
int resolve_name_start(struct resolve *resolve, const char *name, int family,
		       resolve_name_fn *fn, void *context,
		       struct resolve_name **ret_name) must_check;
void resolve_name_stop(struct resolve_name *name);	/* NULL is fine */

/* --- records --- */

struct resolve_server {
	struct addr address;
	uint16_t port;
};

/*
 * ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT; an IPv6 address with a port needs the
 * brackets.
 */
bool resolve_server_parse(const char *text, struct resolve_server *ret_server);

struct resolve_question {
	const char *name;		/* lower case, no final dot */
	int family;			/* AF_INET, AF_INET6 */
	/* "" or the link questions to the zone's servers leave by */
	const char *interface;
	const char *interface6;		/* over IPv6; NULL or "": by the same */
	/*
	 * false: the first answer with authority ends it. true: all the zone's servers
	 * are asked at once, and waited for.
	 */
	bool all;
	struct addr wanted;		/* with `all`: what every server ought to hold */
	/* Asked instead of the zone's own: RD=1, authority not required, never bound. */
	const struct resolve_server *trusted;
	size_t trusted_count;
};

enum resolve_outcome {
	RESOLVE_AUTHORITATIVE,		/* the zone's servers (or trusted ones) said so */
	/* only the system's resolver answered: no proof */
	RESOLVE_RECURSIVE,
	RESOLVE_SILENT,			/* nobody answered */
};

struct resolve_answer {
	enum resolve_outcome outcome;
	/* of all servers that answered; each once */
	struct addr addresses[RESOLVE_ADDRESSES_MAX];
	size_t count;			/* 0 with authority: there is no such record */
	uint32_t ttl_s;			/* the smallest; at most a week */
	unsigned servers_answered;	/* with authority */
	unsigned servers_holding;	/* of these: hold `wanted`, maybe among others */
	/* one that answered without holding it; none if all do */
	struct resolve_server other;
};

struct resolve_record;
typedef void resolve_record_fn(void *context, const struct resolve_answer *answer);

/*
 * The question is copied. CNAMEs are followed to a depth of 8, each target at the
 * servers of its own zone. Addresses that are not global are never asked through
 * `interface`. The handle ends with the call of `fn` or with resolve_record_stop().
 */
int resolve_record_start(struct resolve *resolve, const struct resolve_question *question,
			 resolve_record_fn *fn, void *context,
			 struct resolve_record **ret_record) must_check;
void resolve_record_stop(struct resolve_record *record);	/* NULL is fine */

#endif
