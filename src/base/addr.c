/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct range {
	uint8_t bytes[16];
	unsigned prefix_length;
	enum addr_class class;
};

/*
 * The IANA registries of special-purpose addresses (RFC 6890 and its updates), as
 * far as they are not globally reachable. 192.0.0.0/24 and 2001::/23 hold a few
 * anycast addresses that are; no WAN has them, so the whole blocks are refused.
 */
static const struct range ranges_ipv4[] = {
	{ { 0 },            8,  ADDR_SPECIAL },		/* "this network" */
	{ { 10 },           8,  ADDR_PRIVATE },
	{ { 100, 64 },      10, ADDR_CGNAT },
	{ { 127 },          8,  ADDR_LOOPBACK },
	{ { 169, 254 },     16, ADDR_LINK_LOCAL },
	{ { 172, 16 },      12, ADDR_PRIVATE },
	{ { 192, 0, 0 },    24, ADDR_SPECIAL },		/* IETF protocols, DS-Lite */
	{ { 192, 0, 2 },    24, ADDR_DOCUMENTATION },
	{ { 192, 88, 99 },  24, ADDR_SPECIAL },		/* 6to4 relays, deprecated */
	{ { 192, 168 },     16, ADDR_PRIVATE },
	{ { 198, 18 },      15, ADDR_SPECIAL },		/* benchmarking */
	{ { 198, 51, 100 }, 24, ADDR_DOCUMENTATION },
	{ { 203, 0, 113 },  24, ADDR_DOCUMENTATION },
	{ { 224 },          4,  ADDR_SPECIAL },		/* multicast */
	{ { 240 },          4,  ADDR_SPECIAL },		/* reserved, broadcast */
};

/* What lies outside 2000::/3 and is not named here is ADDR_SPECIAL as well. */
static const struct range ranges_ipv6[] = {
	{ { [15] = 1 },                  128, ADDR_LOOPBACK },
	{ { 0xfc },                      7,   ADDR_ULA },
	{ { 0xfe, 0x80 },                10,  ADDR_LINK_LOCAL },
	{ { 0x20, 0x01, 0x0d, 0xb8 },    32,  ADDR_DOCUMENTATION },
	{ { 0x3f, 0xff },                20,  ADDR_DOCUMENTATION },
	{ { 0x20, 0x01 },                23,  ADDR_SPECIAL },	/* Teredo, ORCHID, ... */
};

static const struct range global_unicast = { { 0x20 }, 3, ADDR_GLOBAL };
static const struct range six_to_four = { { 0x20, 0x02 }, 16, ADDR_GLOBAL };

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

static bool range_contains(const struct range *range, const struct addr *addr)
{
	unsigned whole = range->prefix_length / 8;
	unsigned rest = range->prefix_length % 8;
	uint8_t mask = (uint8_t)(0xff00u >> rest);

	if (memcmp(range->bytes, addr->bytes, whole) != 0)
		return false;
	return rest == 0 || ((range->bytes[whole] ^ addr->bytes[whole]) & mask) == 0;
}

static enum addr_class classify_in(const struct range *ranges, size_t count,
				   const struct addr *addr, enum addr_class otherwise)
{
	for (size_t i = 0; i < count; i++)
		if (range_contains(&ranges[i], addr))
			return ranges[i].class;
	return otherwise;
}

static enum addr_class classify_ipv4(const struct addr *addr)
{
	return classify_in(ranges_ipv4, sizeof(ranges_ipv4) / sizeof(ranges_ipv4[0]),
			   addr, ADDR_GLOBAL);
}

static enum addr_class classify_ipv6(const struct addr *addr)
{
	enum addr_class otherwise = ADDR_SPECIAL;

	/* A 6to4 address is as reachable as the IPv4 address inside (RFC 3056). */
	if (range_contains(&six_to_four, addr)) {
		struct addr inner = addr_from_bytes(AF_INET, addr->bytes + 2);

		return classify_ipv4(&inner) == ADDR_GLOBAL ? ADDR_GLOBAL : ADDR_SPECIAL;
	}
	if (range_contains(&global_unicast, addr))
		otherwise = ADDR_GLOBAL;
	return classify_in(ranges_ipv6, sizeof(ranges_ipv6) / sizeof(ranges_ipv6[0]),
			   addr, otherwise);
}

enum addr_class addr_classify(const struct addr *addr)
{
	switch (addr->family) {
	case AF_INET:
		return classify_ipv4(addr);
	case AF_INET6:
		return classify_ipv6(addr);
	default:
		return ADDR_NONE;
	}
}

bool addr_is_global(const struct addr *addr)
{
	return addr_classify(addr) == ADDR_GLOBAL;
}

bool addr_parse(const char *text, struct addr *ret_addr)
{
	struct addr addr = { 0 };

	/* inet_pton() of glibc and of musl is as strict as we promise, but for mapped. */
	if (inet_pton(AF_INET, text, addr.bytes) == 1) {
		addr.family = AF_INET;
	} else if (inet_pton(AF_INET6, text, addr.bytes) == 1) {
		if (memcmp(addr.bytes, mapped_prefix, sizeof(mapped_prefix)) == 0)
			return false;
		addr.family = AF_INET6;
	} else {
		return false;
	}
	*ret_addr = addr;
	return true;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool addr_parse_alone(const void *bytes, size_t length, struct addr *ret_addr)
{
	char text[ADDR_ALONE_BYTES + 1];
	const char *from = bytes;

	if (length > ADDR_ALONE_BYTES)
		return false;
	while (length > 0 && is_space(*from)) {
		from++;
		length--;
	}
	while (length > 0 && is_space(from[length - 1]))
		length--;
	if (length == 0 || memchr(from, '\0', length))
		return false;
	memcpy(text, from, length);
	text[length] = '\0';
	return addr_parse(text, ret_addr);
}

const char *addr_format(const struct addr *addr, char out[ADDR_TEXT_BYTES])
{
	if (addr_is_none(addr) ||
	    !inet_ntop(addr->family, addr->bytes, out, ADDR_TEXT_BYTES))
		out[0] = '\0';
	return out;
}

const char *addr_format_prefix(const struct addr *addr, unsigned bits,
			       char out[ADDR_PREFIX_TEXT_BYTES])
{
	char text[ADDR_TEXT_BYTES];

	addr_format(addr, text);
	if (addr_is_none(addr) || bits == 0 || bits > 128)
		snprintf(out, ADDR_PREFIX_TEXT_BYTES, "%s", text);
	else
		snprintf(out, ADDR_PREFIX_TEXT_BYTES, "%s/%u", text, bits);
	return out;
}

struct addr addr_from_bytes(int family, const void *bytes)
{
	struct addr addr = { 0 };

	if (family != AF_INET && family != AF_INET6)
		return addr;
	addr.family = (uint8_t)family;
	memcpy(addr.bytes, bytes, addr_length_bytes(&addr));
	return addr;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, addr_length_bytes(a)) == 0;
}

bool addr_is_none(const struct addr *addr)
{
	return addr->family != AF_INET && addr->family != AF_INET6;
}

bool addr_is_unspecified(const struct addr *addr)
{
	static const uint8_t zero[16];

	return !addr_is_none(addr) &&
	       memcmp(addr->bytes, zero, addr_length_bytes(addr)) == 0;
}

size_t addr_length_bytes(const struct addr *addr)
{
	switch (addr->family) {
	case AF_INET:
		return 4;
	case AF_INET6:
		return 16;
	default:
		return 0;
	}
}

/* The bits of byte `index` that belong to a prefix of `bits` bits. */
static uint8_t prefix_mask(unsigned bits, size_t index)
{
	if (bits >= 8 * (index + 1))
		return 0xff;
	if (bits <= 8 * index)
		return 0;
	return (uint8_t)(0xff << (8 - bits % 8));
}

bool addr_same_prefix(const struct addr *a, const struct addr *b, unsigned bits)
{
	if (a->family != b->family)
		return false;
	for (size_t i = 0; i < addr_length_bytes(a); i++) {
		if ((a->bytes[i] ^ b->bytes[i]) & prefix_mask(bits, i))
			return false;
	}
	return true;
}

struct addr addr_join(const struct addr *prefix, unsigned bits, const struct addr *rest)
{
	struct addr joined = *rest;

	for (size_t i = 0; i < addr_length_bytes(rest); i++) {
		uint8_t mask = prefix_mask(bits, i);

		joined.bytes[i] = (uint8_t)((prefix->bytes[i] & mask) |
					    (rest->bytes[i] & ~mask));
	}
	return joined;
}

const char *addr_class_name(enum addr_class class)
{
	static const char *const names[] = {
		[ADDR_NONE] = "none",
		[ADDR_GLOBAL] = "global",
		[ADDR_PRIVATE] = "private",
		[ADDR_CGNAT] = "cgnat",
		[ADDR_ULA] = "ula",
		[ADDR_LINK_LOCAL] = "link-local",
		[ADDR_LOOPBACK] = "loopback",
		[ADDR_DOCUMENTATION] = "documentation",
		[ADDR_SPECIAL] = "special",
	};

	if ((size_t)class >= sizeof(names) / sizeof(names[0]))
		return "none";
	return names[class];
}

const char *addr_family_name(int family)
{
	switch (family) {
	case AF_INET:
		return "ipv4";
	case AF_INET6:
		return "ipv6";
	default:
		return "none";
	}
}
