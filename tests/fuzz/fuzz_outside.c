/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What routers say about their external address: PCP, NAT-PMP, and UPnP's search answer,
 * description and reply. Nothing leads to another host, and nothing but IPv4 comes of PCP
 * and NAT-PMP.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "internet/portmap.h"
#include "internet/upnp_parse.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_portmap(const uint8_t *data, size_t size)
{
	/* The nonce and port that the corpus knows. */
	struct pcp_map map = { .nonce = "0123456789a", .port = 0x3039 };
	struct addr address = { 0 };
	unsigned code = 0;

	if (pcp_map_read(data, size, &map, &address, &code) == PORTMAP_ADDRESS)
		require(address.family == AF_INET && code == 0);
	if (natpmp_read(data, size, &address, &code) == PORTMAP_ADDRESS)
		require(address.family == AF_INET && size == 12);
}

static void check_upnp(const uint8_t *data, size_t size)
{
	static const char base[] = "http://192.168.1.1:5000/root.xml";
	char url[UPNP_URL_BYTES];

	if (upnp_read_location(data, size, "192.168.1.1", url))
		require(strncmp(url, "http://192.168.1.1", 18) == 0 &&
			strchr("/:?#", url[18]));
#ifdef HAIRPIN_UPNP
	struct upnp_service services[UPNP_SERVICES_MAX];
	size_t count = upnp_read_services(data, size, base, services);
	struct addr address;

	require(count <= UPNP_SERVICES_MAX);
	for (size_t i = 0; i < count; i++)
		require(strncmp(services[i].url, "http://192.168.1.1", 18) == 0 &&
			strchr("/:?#", services[i].url[18]) &&
			strncmp(services[i].type, "urn:schemas-upnp-org:", 21) == 0);
	if (upnp_read_address(data, size, &address))
		require(!addr_is_none(&address));
#else
	(void)base;
#endif
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of its own size, so that one byte too many is seen. */
	uint8_t *copy = malloc(size ? size : 1);

	require(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	check_portmap(copy, size);
	check_upnp(copy, size);
	free(copy);
	return 0;
}
