/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: internet */
/*
 * From which address do we come? One question to one place: a name server that answers
 * with the asker's address, or the router in front, by PCP (RFC 6887), NAT-PMP (RFC 6886) or
 * UPnP. Web services are asked by http.h.
 *
 * Whoever answers is believed no further than for one address of the family asked for, of
 * whatever class: whether that may be used is not decided here. All questions leave by the
 * link they name.
 */
#ifndef HAIRPIN_OUTSIDE_H
#define HAIRPIN_OUTSIDE_H

#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/err.h"

struct ev_loop;
struct http;
struct resolve;
struct outside;

enum outside_outcome {
	OUTSIDE_ADDRESS,
	OUTSIDE_NONSENSE,		/* an answer, but not one address */
	OUTSIDE_SILENCE,
	OUTSIDE_UNREACHABLE,		/* nobody was asked */
};

struct outside_answer {
	enum outside_outcome outcome;
	struct addr address;
	char why[256];			/* printable; "" with an address */
};

typedef void outside_fn(void *context, const struct outside_answer *answer);

struct outside_question {
	struct ev_loop *loop;
	struct resolve *resolve;
	struct http *http;
	const char *interface;		/* "" or the link to leave by */
	int family;			/* AF_INET, AF_INET6 */
	int64_t timeout_ms;
	/* DNS */
	const char *server;	/* host, ADDRESS, ADDRESS:PORT, [ADDRESS]:PORT */
	const char *name;
	const char *type, *class;	/* "A", "AAAA", "TXT"; "IN", "CH" */
	/* PCP, UPnP: the router; UPnP does without (none) */
	struct addr gateway;
};

/*
 * Strings are copied or no longer needed afterwards. The handle ends with the call of `fn`,
 * from the loop, or with outside_stop(). -EINVAL: it cannot be asked so, -ENOMEM;
 * outside_upnp_start() has -EOPNOTSUPP where it was built without.
 */
int outside_dns_start(const struct outside_question *question, outside_fn *fn,
		      void *context, struct outside **ret_outside) must_check;
int outside_pcp_start(const struct outside_question *question, outside_fn *fn,
		      void *context, struct outside **ret_outside) must_check;
int outside_upnp_start(const struct outside_question *question, outside_fn *fn,
		       void *context, struct outside **ret_outside) must_check;

void outside_stop(struct outside *outside);	/* NULL is fine */

#endif
