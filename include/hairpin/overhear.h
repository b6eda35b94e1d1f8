/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: system */
/*
 * What comes in by a link, seen below the IP stack: also what the stack would throw away,
 * such as an answer from an address that was not asked. And ARP by hand, for an address
 * that is not ours yet.
 *
 * Sockets are made in the network where their link is; they are used from anywhere.
 */
#ifndef HAIRPIN_OVERHEAR_H
#define HAIRPIN_OVERHEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/err.h"

struct overheard {
	struct addr source, destination;
	uint8_t protocol;		/* IPPROTO_TCP, IPPROTO_UDP */
	uint16_t source_port, destination_port;
	uint8_t tcp_flags;
	/*
	 * An ICMP error: `teller` sent it, about a packet of ours to which all above
	 * belongs.
	 */
	bool error;
	struct addr teller;
	uint8_t icmp_type, icmp_code;
};

enum { OVERHEARD_SYN = 0x02, OVERHEARD_RST = 0x04, OVERHEARD_ACK = 0x10 };

/* A descriptor, not blocking. `family`: AF_INET or AF_INET6. */
int overhear_open(uint32_t link, int family, struct err *ret_err) must_check;
/* The next TCP or UDP packet, or error about one. -EAGAIN: none now. */
int overhear_next(int fd, struct overheard *ret_heard) must_check;
/* One IP packet; false: none of these. */
bool overhear_parse(int family, const uint8_t *bytes, size_t length,
		    struct overheard *ret_heard);

/* --- ARP --- */

int arp_open(uint32_t link, struct err *ret_err) must_check;
/*
 * Asks once who has `target`, and waits. 1: somebody has it, or is about to take it; 0:
 * nobody says so in time. `source` none: the probe of RFC 5227, which leaves no trace in
 * anybody's tables.
 */
int arp_ask(int fd, uint32_t link, const uint8_t mac[6], const struct addr *source,
	    const struct addr *target, int64_t limit_ms) must_check;

#endif
