/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: kernel */
/*
 * Connections that would stay wrong after a change of address, and their removal.
 *
 * Two kinds: those of the old address (original or reply destination is the old one:
 * they never work again), and those to the new address that began before the rules
 * followed, and so passed without the NAT they need. Others are never touched.
 */
#ifndef HAIRPIN_CONNTRACK_H
#define HAIRPIN_CONNTRACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/err.h"
#include "hairpin/nft.h"

struct conntrack;

int conntrack_new(struct conntrack **ret_conntrack, struct err *ret_err) must_check;
void conntrack_free(struct conntrack *conntrack);

/*
 * Entries whose original or reply destination is `old`. Only when `old` has left the
 * interface.
 */
int conntrack_forget_old(struct conntrack *conntrack, const struct addr *old,
			 unsigned *ret_removed, struct err *ret_err) must_check;

/*
 * Entries of the services, and what the router itself sends from there, that began while
 * their rules were stale: without DNAT, or, where a rule gives new sources, with DNAT but
 * neither SNAT nor any answer. Of guessed services only UDP and other connectionless
 * protocols: the router's own would suffer. After the rules' commit, never before.
 */
int conntrack_forget_stale(struct conntrack *conntrack,
			   const struct nft_services *services, unsigned *ret_removed,
			   struct err *ret_err) must_check;

/* --- one connection --- */

struct conntrack_flow {
	uint8_t protocol;
	struct addr source, destination;
	uint16_t source_port, destination_port;
};

struct conntrack_entry {
	/*
	 * What an answer says before it is translated back: its source is who is asked in
	 * truth, its destination whom he sees.
	 */
	struct conntrack_flow answer;
	bool destination_nat, source_nat;
	bool answered;
};

/*
 * The one that began with such a packet. -ENOENT: there is none, or it ended. Other
 * errors: no connection tracking, no rights.
 */
int conntrack_find(const struct conntrack_flow *flow, struct conntrack_entry *ret_entry,
		   struct err *ret_err) must_check;

#endif
