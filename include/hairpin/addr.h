/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: base */
/*
 * One IP address, or none.
 *
 * The bytes are in network order, as on the wire and as nf_tables compares them.
 * `family` is AF_INET, AF_INET6, or 0 for "no address"; then all bytes are 0, so
 * that two absent addresses compare equal. An IPv4 address uses the first 4 bytes.
 *
 * Not here: ports, names.
 */
#ifndef HAIRPIN_ADDR_H
#define HAIRPIN_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr {
	uint8_t family;		/* AF_INET, AF_INET6, 0: none */
	uint8_t bytes[16];
};

enum {
	ADDR_TEXT_BYTES = 46,	/* INET6_ADDRSTRLEN, the final NUL included */
	ADDR_ALONE_BYTES = 64,
	ADDR_PREFIX_TEXT_BYTES = ADDR_TEXT_BYTES + 4,	/* and "/128" */
};

/* What kind of address it is; only ADDR_GLOBAL may be published (RFC 6890). */
enum addr_class {
	ADDR_NONE,
	ADDR_GLOBAL,
	ADDR_PRIVATE,		/* RFC 1918 */
	ADDR_CGNAT,		/* 100.64.0.0/10, RFC 6598 */
	ADDR_ULA,		/* fc00::/7, RFC 4193 */
	ADDR_LINK_LOCAL,
	ADDR_LOOPBACK,
	ADDR_DOCUMENTATION,	/* RFC 5737, RFC 3849, RFC 9637 */
	ADDR_SPECIAL,		/* multicast, reserved, benchmarking, NAT64, 6to4 of a
				   non-global address, IPv6 outside 2000::/3, ... */
};

/*
 * Text to address. Strict: one address and nothing else; no spaces, no leading
 * zeros, no hex or short IPv4 forms, no zone, and no IPv4-mapped IPv6.
 */
bool addr_parse(const char *text, struct addr *ret_addr);

/*
 * What a service or program that tells addresses gave: one address and nothing else, but
 * for white space around it; at most ADDR_ALONE_BYTES in all.
 */
bool addr_parse_alone(const void *bytes, size_t length, struct addr *ret_addr);

/* As inet_ntop prints it; "" for none. Returns `out`. */
const char *addr_format(const struct addr *addr, char out[ADDR_TEXT_BYTES]);

/* "2001:db8::/64"; without the length where `bits` is 0, "" for none. Returns `out`. */
const char *addr_format_prefix(const struct addr *addr, unsigned bits,
			       char out[ADDR_PREFIX_TEXT_BYTES]);

/* From 4 (AF_INET) or 16 (AF_INET6) bytes in network order. */
struct addr addr_from_bytes(int family, const void *bytes);

bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_is_none(const struct addr *addr);
bool addr_is_unspecified(const struct addr *addr);	/* 0.0.0.0 or :: */
size_t addr_length_bytes(const struct addr *addr);	/* 4, 16, 0 */

/* Whether two addresses of one family agree in their first `bits` bits. */
bool addr_same_prefix(const struct addr *a, const struct addr *b, unsigned bits);

/* The first `bits` bits of `prefix`, then those of `rest`; both of one family. */
struct addr addr_join(const struct addr *prefix, unsigned bits, const struct addr *rest);

enum addr_class addr_classify(const struct addr *addr);
bool addr_is_global(const struct addr *addr);

/* "global", "private", "cgnat", ...: as in the status; a static string. */
const char *addr_class_name(enum addr_class class);

/* "ipv4", "ipv6", "none" for AF_INET, AF_INET6, else. */
const char *addr_family_name(int family);

#endif
