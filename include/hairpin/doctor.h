/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: doctor */
/*
 * Why does my hairpin not work? Looks at the router and its ruleset, sends packets in
 * thought (walk.h) for each forward from the internet and from each LAN network, and says
 * what is wrong, by what it sees that, and the line that mends it.
 *
 * Reads only, but for TCP connections to the servers behind forwards (reach.h), which show
 * whether they listen and have a route back. Prints nothing.
 *
 * Every finding has a stable code; hairpind-doctor(7) explains each. A *finding* is
 * something to mend. What may be intended, or will matter one day, is a *note*.
 */
#ifndef HAIRPIN_DOCTOR_H
#define HAIRPIN_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "hairpin/config.h"
#include "hairpin/err.h"
#include "hairpin/json.h"

enum doctor_verdict {
	DOCTOR_OK,
	DOCTOR_NOTE,
	DOCTOR_UNKNOWN,		/* could not be looked at, and why */
	DOCTOR_FINDING,
};

/* Where a remedy's commands are to be given. */
enum doctor_place { DOCTOR_HERE, DOCTOR_SERVER, DOCTOR_ELSEWHERE };

struct doctor_options {
	const struct config *config;	/* NULL: none; one WAN by the default route then */
	const char *config_note;	/* why there is none; NULL */
	/* the daemon's status; NULL: it does not run, or we may not ask */
	const struct json *status;
	const char *status_note;
	bool passive;			/* no connections to servers */
	const char *root;		/* of the firewall's files and /proc; "" for "/" */
};

/*
 * {"schema": 1, "verdict": "healthy" | "findings", "findings": N, "unknown": N,
 *  "checks": [{"code", "verdict": "ok" | "note" | "unknown" | "finding",
 *              "subject": "443/tcp to 192.168.1.2" or null, "text": "one sentence",
 *              "evidence": ["..."],
 *              "remedy": null or {"text", "place": "router" | "server" | "elsewhere",
 *                                 "commands": ["..."]}}],
 *  "forwards": [{"protocol", "port", "port_last", "to", "to_port", "wan", "rule": {
 *                "family", "table", "chain", "handle", "comment", "text"},
 *                "internet": REACH,
 *                "networks": [{"network", "interface", "reach": REACH}]}]}
 * with REACH one of "yes", "no", "elsewhere" (somebody else answers), "router" (the router
 * itself does), "unknown". Commands are lines for a root shell, in this order. Texts are
 * raw: escape before showing.
 */
int doctor_run(const struct doctor_options *options, struct json **ret_report,
	       struct err *ret_err) must_check;

/* --- doctor --probe: probe.c --- */

struct doctor_probe {
	uint8_t protocol;		/* IPPROTO_TCP, IPPROTO_UDP */
	uint16_t port;
	const char *address;		/* to connect to; NULL: the WAN's public one */
	const char *interface;		/* LAN to join; NULL: each that is a bridge */
	const struct doctor_options *options;
};

/*
 * One more client for a moment: a network namespace joined to the LAN's bridge. Connects,
 * and where that fails does so again while nftables traces the packet. Nothing of it
 * stays, also when we are killed.
 *
 * {"schema": 1, "verdict": VERDICT, "address", "port", "protocol",
 *  "probes": [{"interface", "network", "address", "client", "verdict": VERDICT,
 *              "code": what doctor_run() calls such a fault, or null, "text",
 *              "server", "server_port", "seen_from": who answered and whom he saw,
 *              "took_us", "evidence": ["..."],
 *              "trace": [{"packet": "question" | "answer", "family", "table", "chain",
 *                         "handle", "rule", "verdict"}]}]}
 * with VERDICT one of "answered", "failed", "unproven" (UDP that came to the server and got
 * no answer), "impossible" (no client can join; "text" says why). The whole's is the worst
 * of them, but for an impossible one beside others. What is not known may be missing.
 *
 * -EINVAL: there is no such LAN, the address is none or not known.
 */
int doctor_probe(const struct doctor_probe *probe, struct json **ret_report,
		 struct err *ret_err) must_check;

#endif
