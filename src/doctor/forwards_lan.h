/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One forward, tried by a client of one LAN network. */
#ifndef DOCTOR_FORWARDS_LAN_H
#define DOCTOR_FORWARDS_LAN_H

#include "forwards.h"

struct lan {
	struct forwards *all;
	struct patient_forward *forward;
	const struct patient_network *network;
	struct addr own, seen;		/* `seen`: that a client connects to */
	bool unknown;			/* nobody knows it: `seen` is a stranger's */
	bool silent;			/* nothing is told: only how it is */
	bool only;			/* no network's clients are sent to the server */
	bool beside;			/* the server is in the same network */
	size_t ports;			/* of the bridge that both are at, see lan_count_ports() */
	struct walk_packet packet;
	struct walk_result result;	/* of `packet` */
	struct walk_result open;	/* as if no filter stopped it, before NAT or behind */
	struct walk_result behind;	/* as if a rule had sent it to the server */
	struct walk_result last;	/* and as if no filter stopped it */
};

bool lan_needs_return_path(const struct lan *it);

/* forwards_lan_missed.c: no rule sends it to the server. True: the return path is told. */
bool lan_tell_missed(struct lan *it);

#endif
