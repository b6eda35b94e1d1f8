/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portmap.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

enum {
	PCP_VERSION = 2,
	PCP_MAP = 1,
	PCP_ANSWER = 0x80,
	PCP_UNSUPP_VERSION = 1,
	PCP_HEADER_BYTES = 24,
	PROTOCOL_UDP = 17,
	NATPMP_VERSION = 0,
	NATPMP_UNSUPP_VERSION = 1,
	NATPMP_ANSWER = 128,
	NATPMP_ANSWER_BYTES = 12,

	/* offsets within a MAP request and its answer */
	AT_RESULT = 3,
	AT_LIFETIME = 4,
	AT_CLIENT = 8,
	AT_NONCE = 24,
	AT_PROTOCOL = 36,
	AT_PORT = 40,
	AT_EXTERNAL = 44,
};

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static void put_u16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

void pcp_map_write(const struct pcp_map *map, uint8_t out[PCP_MAP_BYTES])
{
	memset(out, 0, PCP_MAP_BYTES);
	out[0] = PCP_VERSION;
	out[1] = PCP_MAP;
	put_u16(out + AT_LIFETIME, map->lifetime_s >> 16);
	put_u16(out + AT_LIFETIME + 2, map->lifetime_s & 0xffff);
	memcpy(out + AT_CLIENT, mapped, sizeof(mapped));
	memcpy(out + AT_CLIENT + sizeof(mapped), map->client.bytes, 4);
	memcpy(out + AT_NONCE, map->nonce, PCP_NONCE_BYTES);
	out[AT_PROTOCOL] = PROTOCOL_UDP;
	put_u16(out + AT_PORT, map->port);
	/* Any external port, any external IPv4 address. */
	memcpy(out + AT_EXTERNAL, mapped, sizeof(mapped));
}

void natpmp_write(uint8_t out[NATPMP_BYTES])
{
	out[0] = NATPMP_VERSION;
	out[1] = 0;			/* public address request */
}

static bool is_ours(const uint8_t *bytes, const struct pcp_map *map)
{
	uint8_t port[2];

	put_u16(port, map->port);
	return memcmp(bytes + AT_NONCE, map->nonce, PCP_NONCE_BYTES) == 0 &&
	       bytes[AT_PROTOCOL] == PROTOCOL_UDP &&
	       memcmp(bytes + AT_PORT, port, sizeof(port)) == 0;
}

enum portmap_said pcp_map_read(const void *packet, size_t length, const struct pcp_map *map,
			       struct addr *ret_address, unsigned *ret_code)
{
	const uint8_t *bytes = packet;

	/* Who knows NAT-PMP only says so in its own form, RFC 6886 section 3.5. */
	if (length >= 4 && bytes[0] == NATPMP_VERSION && bytes[1] >= NATPMP_ANSWER)
		return bytes[2] == 0 && bytes[3] == NATPMP_UNSUPP_VERSION
		       ? PORTMAP_NO_PCP : PORTMAP_OTHER;
	if (length < PCP_HEADER_BYTES || length > PORTMAP_BYTES_MAX || length % 4 != 0 ||
	    bytes[1] != (PCP_ANSWER | PCP_MAP))
		return PORTMAP_OTHER;
	if (bytes[0] != PCP_VERSION)
		return bytes[AT_RESULT] == PCP_UNSUPP_VERSION ? PORTMAP_NO_PCP
							      : PORTMAP_OTHER;
	if (length < PCP_MAP_BYTES || !is_ours(bytes, map))
		return PORTMAP_OTHER;
	if (bytes[AT_RESULT] != 0) {
		*ret_code = bytes[AT_RESULT];
		return PORTMAP_REFUSED;
	}
	if (memcmp(bytes + AT_EXTERNAL, mapped, sizeof(mapped)) != 0)
		return PORTMAP_OTHER;
	*ret_address = addr_from_bytes(AF_INET, bytes + AT_EXTERNAL + sizeof(mapped));
	return PORTMAP_ADDRESS;
}

enum portmap_said natpmp_read(const void *packet, size_t length, struct addr *ret_address,
			      unsigned *ret_code)
{
	const uint8_t *bytes = packet;
	unsigned code;

	if (length < 4 || bytes[0] != NATPMP_VERSION || bytes[1] != NATPMP_ANSWER)
		return PORTMAP_OTHER;
	code = (unsigned)bytes[2] << 8 | bytes[3];
	if (code != 0) {
		*ret_code = code;
		return PORTMAP_REFUSED;
	}
	if (length != NATPMP_ANSWER_BYTES)
		return PORTMAP_OTHER;
	*ret_address = addr_from_bytes(AF_INET, bytes + 8);
	return PORTMAP_ADDRESS;
}
