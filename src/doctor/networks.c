/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The networks of the LAN, and in each a client to send packets from, in thought. */
#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "patient.h"

enum {
	NETWORK_TRIES = 4096,
	NETWORK_HOST = 200,		/* the first tried: where DHCP often gives from */
	NETWORK_HOST6 = 0xc11e,
};

/* A bridge that Docker makes for a network: "br-" and 12 digits of its id. */
static bool network_is_dockers(const char *name)
{
	size_t i;

	if (strncmp(name, "br-", 3) != 0 || strlen(name) != 15)
		return false;
	for (i = 3; i < 15; i++) {
		if (!isxdigit((unsigned char)name[i]))
			return false;
	}
	return true;
}

/* Names by which programs that keep containers and guests call what they make. */
static bool network_is_containers(const struct router_link *link)
{
	static const char *const names[] = {
		"docker", "virbr", "lxcbr", "lxdbr", "incusbr", "podman",
		"cni", "flannel", "cali", "nerdctl", "vboxnet", "vmnet",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strncmp(link->name, names[i], strlen(names[i])) == 0)
			return true;
	}
	return network_is_dockers(link->name);
}

/* A port is no network: what its master has is. */
static bool network_is_port(const struct router_link *link)
{
	return link->master && strcmp(link->master_kind, "vrf") != 0;
}

static bool network_is_wan(const struct patient *patient, const struct router_link *link,
			   const uint32_t *links, size_t count)
{
	size_t i;

	for (i = 0; i < patient->wan_count; i++) {
		if (patient->wans[i].link == link)
			return true;
	}
	for (i = 0; i < count; i++) {
		if (links[i] == link->index)
			return true;
	}
	return false;
}

static bool network_has_hosts(const struct router_address *address)
{
	switch (addr_classify(&address->address)) {
	case ADDR_NONE:
	case ADDR_LINK_LOCAL:
	case ADDR_LOOPBACK:
		return false;
	default:
		break;
	}
	if (address->temporary || address->deprecated || address->tentative)
		return false;
	if (address->address.family == AF_INET)
		return address->bits >= 8 && address->bits <= 30;
	return address->bits >= 16 && address->bits <= 112;
}

static struct addr network_host(const struct patient_network *network, uint32_t number)
{
	struct addr rest = { .family = network->router.family };
	uint32_t word = htonl(number);
	size_t length = addr_length_bytes(&rest);

	memcpy(rest.bytes + length - sizeof(word), &word, sizeof(word));
	return addr_join(&network->router, network->bits, &rest);
}

static bool network_is_known(const struct patient *patient, const struct addr *host)
{
	size_t i;

	if (router_owner(patient->router, host))
		return true;
	for (i = 0; i < patient->forward_count; i++) {
		if (addr_equal(&patient->forwards[i].server, host))
			return true;
	}
	return false;
}

/* False: every address of it is somebody's. */
static bool network_choose_client(const struct patient *patient,
				  struct patient_network *network)
{
	uint32_t hosts, number, tries;
	struct addr host;

	if (network->router.family == AF_INET) {
		hosts = (UINT32_C(1) << (32 - network->bits)) - 2;
		number = hosts < NETWORK_HOST ? hosts : NETWORK_HOST;
	} else {
		number = NETWORK_HOST6;
	}
	for (tries = 0; number && tries < NETWORK_TRIES; number--, tries++) {
		host = network_host(network, number);
		if (!network_is_known(patient, &host)) {
			network->client = host;
			return true;
		}
	}
	return false;
}

static void network_add(struct patient *patient, const struct router_link *link,
			const struct router_address *address)
{
	struct patient_network network = { .link = link, .router = address->address,
					   .bits = address->bits };
	struct addr base;
	char text[ADDR_PREFIX_TEXT_BYTES];

	if (patient->network_count == PATIENT_NETWORKS_MAX ||
	    !network_choose_client(patient, &network))
		return;
	network.containers = network_is_containers(link);
	base = network_host(&network, 0);
	snprintf(network.text, sizeof(network.text), "%s on %s",
		 addr_format_prefix(&base, network.bits, text), link->name);
	patient->networks[patient->network_count++] = network;
}

/* One for a prefix, be there several addresses of it. */
static bool network_is_there(const struct patient *patient,
			     const struct router_address *address)
{
	const struct patient_network *network;
	size_t i;

	for (i = 0; i < patient->network_count; i++) {
		network = &patient->networks[i];
		if (network->link->index == address->link &&
		    network->bits == address->bits &&
		    network->router.family == address->address.family &&
		    addr_same_prefix(&network->router, &address->address, address->bits))
			return true;
	}
	return false;
}

static void network_find(struct patient *patient, int family, const uint32_t *links,
			 size_t count)
{
	const struct router *router = patient->router;
	const struct router_address *address;
	const struct router_link *link;
	size_t i;

	for (i = 0; i < router->address_count; i++) {
		address = &router->addresses[i];
		link = router_link_of(router, address->link);
		if (address->address.family != family || !link || !link->up ||
		    link->loopback || network_is_port(link))
			continue;
		if (!network_has_hosts(address) || network_is_there(patient, address) ||
		    network_is_wan(patient, link, links, count))
			continue;
		network_add(patient, link, address);
	}
}

void patient_find_networks(struct patient *patient, const uint32_t *links, size_t count)
{
	network_find(patient, AF_INET, links, count);
	network_find(patient, AF_INET6, links, count);
}

void patient_choose_clients(struct patient *patient)
{
	size_t i;

	/* Where a server is the only host its client stays what it was. */
	for (i = 0; i < patient->network_count; i++)
		(void)network_choose_client(patient, &patient->networks[i]);
}
