/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor --probe: a client, what it tries, and what is said of that. */
#ifndef DOCTOR_PROBE_PRIVATE_H
#define DOCTOR_PROBE_PRIVATE_H

#include "hairpin/conntrack.h"
#include "hairpin/guest.h"
#include "hairpin/netns.h"
#include "hairpin/overhear.h"
#include "hairpin/trace.h"

#include "patient.h"

/* --- the client: probe_client.c --- */

struct probe_client {
	const struct patient_network *network;
	struct guest_bridge bridge;
	struct netns netns;
	struct guest *guest;
	struct addr address;
	int ears;		/* overhear_open() */
	int64_t waited_ms;	/* until the bridge let it speak */
};

/*
 * Joins the network with a free address. Every failure means that it is not possible here;
 * `ret_err` says why. -EHOSTUNREACH: the router does not answer the new client.
 */
int probe_client_join(struct probe_client *client, const struct patient *patient,
		      const struct patient_network *network,
		      struct err *ret_err) must_check;
void probe_client_leave(struct probe_client *client);

/* --- one try: probe_try.c --- */

enum probe_end {
	PROBE_ANSWERED,
	PROBE_REFUSED,		/* by a RST, or an ICMP error to UDP */
	PROBE_TOLD,		/* another ICMP error: `told` */
	PROBE_ASTRAY,		/* answered from an address that was not asked: `astray` */
	PROBE_SILENT,
};

enum { PROBE_EVENTS_MAX = 256 };

struct probe_try {
	struct conntrack_flow flow;	/* the client's first packet */
	enum probe_end end;
	int64_t took_us;
	struct overheard astray, told;	/* family 0: nothing of the kind was heard */
	bool entry_known;		/* of conntrack */
	struct conntrack_entry entry;
	bool traced;
	bool events_lost;
	struct trace_event *events;	/* PROBE_EVENTS_MAX */
	size_t event_count;
};

/*
 * Connects, or sends an empty datagram, and waits. `trace`: NULL, or one that sees this.
 */
int probe_try(const struct probe_client *client, const struct conntrack_flow *wanted,
	      struct trace *trace, int64_t limit_ms, struct probe_try *ret_try,
	      struct err *ret_err) must_check;
void probe_try_done(struct probe_try *tried);

/* --- where the packets came: probe_path.c --- */

/* One direction's first packet, by its trace. */
struct probe_way {
	bool seen;
	uint32_t packet;
	uint32_t in;			/* link it came by */
	bool routed;			/* came to the end of prerouting, as this: */
	struct addr destination;
	uint16_t destination_port;
	bool input, taken, forward, passed, sent;
	uint32_t out;			/* link it left by, */
	struct addr source;		/* with this sender */
	const struct trace_event *stop;	/* what dropped it; NULL */
};

struct probe_path {
	struct probe_way question, answer;
};

void probe_path_find(const struct probe_try *tried, struct probe_path *ret_path);
/* The events of the first packets as the report's "trace". */
void probe_path_add(struct json *probe, struct patient *patient,
		    const struct probe_try *tried, const struct probe_path *path);
/* The rule of an event; NULL: a policy, or a rule that came later. */
const struct walk_rule *probe_path_rule(const struct patient *patient,
					const struct trace_event *event);
/* "the policy of ip filter forward", "ip filter forward: tcp dport 80 drop". */
void probe_path_name(struct text *out, struct patient *patient,
		     const struct trace_event *event);

/* --- what the rules mean: probe_expect.c --- */

/* What becomes of a client from the internet that asks for the same. */
struct probe_expected {
	const struct patient_wan *wan;	/* NULL: none has that address */
	const struct walk_rule *rule;	/* that sends it on; NULL: none does */
	struct addr server;
	uint16_t port;
	/* why it does not take a LAN client's packet; a code of hairpind-doctor(7) */
	const char *code;
	const char *because;		/* and in words */
};

struct walk_packet probe_packet(const struct conntrack_flow *flow, uint32_t in);
void probe_expect(const struct patient *patient, const struct conntrack_flow *flow,
		  uint32_t in, struct probe_expected *ret_expected);
/* What the walk says of a LAN client's packet, where none can be sent. */
void probe_walk_add(struct json *probe, struct patient *patient,
		    const struct patient_network *network,
		    const struct doctor_probe *asked, const struct addr *destination);

/* --- the sentence: probe_tell.c --- */

/* "verdict", "code", "text", "server", "seen_from" and evidence of one probe. */
void probe_tell(struct json *probe, struct patient *patient,
		const struct probe_client *client, const struct probe_try *tried);

#endif
