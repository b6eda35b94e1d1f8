/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of PCP (RFC 6887) and NAT-PMP (RFC 6886), as far as they tell the external
 * address. PCP has no question for it alone: every mapping's answer names it, so a mapping is
 * asked for, and taken back.
 *
 * Written by hand: no packaged library speaks PCP, and NAT-PMP is two bytes more to the
 * same port.
 */
#ifndef INTERNET_PORTMAP_H
#define INTERNET_PORTMAP_H

#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"

enum {
	PORTMAP_PORT = 5351,		/* RFC 6887 section 19.1, RFC 6886 section 1.1 */
	PORTMAP_BYTES_MAX = 1100,	/* RFC 6887 section 7 */
	PCP_MAP_BYTES = 60,		/* header and MAP, sections 7.1 and 11.1 */
	PCP_NONCE_BYTES = 12,
	NATPMP_BYTES = 2,
};

/* A mapping of our UDP port. */
struct pcp_map {
	uint8_t nonce[PCP_NONCE_BYTES];
	struct addr client;		/* IPv4: the address the request comes from */
	uint16_t port;
	uint32_t lifetime_s;		/* 0: taken back */
};

void pcp_map_write(const struct pcp_map *map, uint8_t out[PCP_MAP_BYTES]);
void natpmp_write(uint8_t out[NATPMP_BYTES]);

enum portmap_said {
	PORTMAP_OTHER,			/* no answer to this request: to be ignored */
	PORTMAP_ADDRESS,
	PORTMAP_REFUSED,		/* `ret_code` says why, in the protocol's numbers */
	PORTMAP_NO_PCP,			/* it speaks NAT-PMP, or an older PCP */
};

/* Both leave `ret_address` alone unless they say PORTMAP_ADDRESS; then it is IPv4. */
enum portmap_said pcp_map_read(const void *bytes, size_t length, const struct pcp_map *map,
			       struct addr *ret_address, unsigned *ret_code);
enum portmap_said natpmp_read(const void *bytes, size_t length, struct addr *ret_address,
			      unsigned *ret_code);

#endif
