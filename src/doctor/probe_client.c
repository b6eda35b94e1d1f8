/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hairpin/clock.h"

enum {
	LOOK_EVERY_MS = 20,
	PORT_MS = 3000,		/* until a port of a bridge without a tree forwards */
	TREE_MS = 65000,	/* with one; twice the longest delay there is, 30 s */
	ARP_MS = 300,		/* for one answer of a host of the LAN */
	GATEWAY_ASKED = 4,	/* times: the first question may be too early */
	DAD_MS = 4000,		/* RFC 4862: up to 1 s before it, 1 s for it */
	CANDIDATES_MAX = 64,	/* addresses looked at, */
	ASKED_MAX = 8,		/* and asked for */
	BITS6_MAX = 120,	/* smaller networks of IPv6 have hosts by hand only */
};

static void rest_a_while(void)
{
	(void)poll(NULL, 0, LOOK_EVERY_MS);
}

/* --- the port --- */

static int wait_for_port(struct probe_client *client, struct err *ret_err)
{
	int64_t begin_ms = clock_now_ms();
	int64_t limit_ms = client->bridge.spanning ? TREE_MS : PORT_MS;
	int r;

	for (;;) {
		r = guest_is_heard(client->guest);
		client->waited_ms = clock_now_ms() - begin_ms;
		if (r != 0 || client->waited_ms > limit_ms)
			break;
		rest_a_while();
	}
	if (r < 0)
		return err_set_errno(ret_err, r, "looking at the new port");
	if (r == 0)
		return err_set(ret_err, -ETIMEDOUT, "the bridge %s keeps a new port "
			       "blocked%s", client->bridge.name,
			       client->bridge.spanning ? " by its spanning tree" : "");
	return 0;
}

/* --- an address of IPv4 --- */

/* Nobody the router knows of; and neither a network's nor a broadcast address. */
static bool may_be_free(const struct probe_client *client, const struct patient *patient,
			const struct addr *candidate)
{
	return !router_owner(patient->router, candidate) &&
	       !guest_is_neighbour(client->guest, client->network->link->index,
				   candidate);
}

static struct addr host_of(const struct patient_network *network, uint32_t number)
{
	uint32_t wire = htonl(number);
	struct addr host = addr_from_bytes(AF_INET, &wire);

	return addr_join(&network->router, network->bits, &host);
}

/* The hosts of a network in an order of chance, each once. */
struct shuffle {
	uint64_t hosts, start, stride;
};

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Two of us that ask for the same address at once must not go on in step. */
static int shuffle_begin(struct shuffle *shuffle, uint64_t hosts)
{
	uint32_t chance[2];

	if (getrandom(chance, sizeof(chance), 0) != sizeof(chance))
		return -EIO;
	*shuffle = (struct shuffle){ hosts, chance[0] % hosts, 1 + chance[1] % hosts };
	while (common_divisor(hosts, shuffle->stride) != 1)
		shuffle->stride++;
	return 0;
}

static uint32_t shuffle_host(const struct shuffle *shuffle, unsigned number)
{
	return (uint32_t)(1 + (shuffle->start + number * shuffle->stride) %
				      shuffle->hosts);
}

static int find_free4(const struct probe_client *client, const struct patient *patient,
		      int arp, struct addr *ret_address, struct err *ret_err)
{
	const struct patient_network *network = client->network;
	uint32_t link = guest_link(client->guest);
	const struct addr nobody = { 0 };
	struct shuffle order;
	unsigned asked = 0;
	int r;

	if (network->bits > 30)
		return err_set(ret_err, -EADDRNOTAVAIL, "%s has no room for one more "
			       "client", network->text);
	r = shuffle_begin(&order, (UINT64_C(1) << (32 - network->bits)) - 2);
	if (r < 0)
		return err_set_errno(ret_err, r, "random bytes");
	for (unsigned i = 0; i < order.hosts && i < CANDIDATES_MAX && asked < ASKED_MAX;
	     i++) {
		struct addr candidate = host_of(network, shuffle_host(&order, i));

		if (!may_be_free(client, patient, &candidate))
			continue;
		asked++;
		r = arp_ask(arp, link, guest_mac(client->guest), &nobody, &candidate,
			    ARP_MS);
		if (r < 0)
			return err_set_errno(ret_err, r, "asking for a free address");
		if (r == 0) {
			*ret_address = candidate;
			return 0;
		}
	}
	return err_set(ret_err, -EADDRNOTAVAIL, "no free address was found in %s",
		       network->text);
}

/* Whether the router hears a client there at all. */
static int meet_router(const struct probe_client *client, int arp, struct err *ret_err)
{
	const struct patient_network *network = client->network;
	int r = 0;

	for (int i = 0; i < GATEWAY_ASKED && r == 0; i++)
		r = arp_ask(arp, guest_link(client->guest), guest_mac(client->guest),
			    &client->address, &network->router, ARP_MS);
	if (r < 0)
		return err_set_errno(ret_err, r, "asking for the router");
	if (r == 0)
		return err_set(ret_err, -EHOSTUNREACH, "the router does not answer a new "
			       "port of %s: a bridge filter, or VLANs of its ports, "
			       "keep it apart", client->bridge.name);
	return 0;
}

static int settle4(struct probe_client *client, const struct patient *patient, int arp,
		   struct err *ret_err)
{
	int r = find_free4(client, patient, arp, &client->address, ret_err);

	if (r == 0)
		r = guest_take_address(client->guest, &client->address,
				       client->network->bits, ret_err);
	return r < 0 ? r : meet_router(client, arp, ret_err);
}

/* --- an address of IPv6 --- */

static int wait_for_address(struct probe_client *client, struct err *ret_err)
{
	int64_t end_ms = clock_now_ms() + DAD_MS;
	int r;

	while ((r = guest_may_use(client->guest, &client->address)) == 0 &&
	       clock_now_ms() < end_ms)
		rest_a_while();
	if (r == 1 || r == -EADDRINUSE)
		return r;
	if (r == 0)
		r = -ETIMEDOUT;
	return err_set_errno(ret_err, r, "waiting for an IPv6 address");
}

static int settle6(struct probe_client *client, struct err *ret_err)
{
	const struct patient_network *network = client->network;
	struct addr host = { .family = AF_INET6 };
	int r;

	if (network->bits > BITS6_MAX)
		return err_set(ret_err, -EADDRNOTAVAIL, "%s has no room for one more "
			       "client", network->text);
	for (int i = 0; i < ASKED_MAX; i++) {
		if (getrandom(host.bytes, sizeof(host.bytes), 0) != sizeof(host.bytes))
			return err_set_errno(ret_err, -errno, "random bytes");
		client->address = addr_join(&network->router, network->bits, &host);
		r = guest_take_address(client->guest, &client->address, network->bits,
				       ret_err);
		if (r == 0)
			r = wait_for_address(client, ret_err);
		if (r == 1)
			return 0;
		if (r != -EADDRINUSE)
			return r;
		r = guest_drop_address(client->guest, &client->address, network->bits);
		if (r < 0)
			break;
	}
	return err_set(ret_err, -EADDRNOTAVAIL, "no free address was found in %s",
		       network->text);
}

/* --- all of it --- */

/* What has to be made inside; `ret_arp` only for IPv4. */
static int open_inside(struct probe_client *client, int *ret_arp, struct err *ret_err)
{
	int family = client->network->router.family;
	int r = netns_enter(&client->netns, ret_err);

	if (r < 0)
		return r;
	r = guest_enter(client->guest, ret_err);
	if (r == 0)
		r = client->ears = overhear_open(guest_link(client->guest), family,
						 ret_err);
	if (r >= 0 && family == AF_INET)
		r = *ret_arp = arp_open(guest_link(client->guest), ret_err);
	netns_leave(&client->netns);
	return r < 0 ? r : 0;
}

static int settle(struct probe_client *client, const struct patient *patient,
		  struct err *ret_err)
{
	int arp = -1, r;

	r = open_inside(client, &arp, ret_err);
	if (r == 0)
		r = wait_for_port(client, ret_err);
	if (r == 0)
		r = arp >= 0 ? settle4(client, patient, arp, ret_err)
			     : settle6(client, ret_err);
	if (arp >= 0)
		close(arp);
	if (r < 0)
		return r;
	return guest_route(client->guest, &client->network->router, ret_err);
}

int probe_client_join(struct probe_client *client, const struct patient *patient,
		      const struct patient_network *network, struct err *ret_err)
{
	int r;

	*client = (struct probe_client){ .network = network, .ears = -1,
					 .netns = { -1, -1 } };
	r = guest_find_bridge(network->link->index, &client->bridge, ret_err);
	if (r == 0)
		r = netns_new(&client->netns, ret_err);
	if (r == 0)
		r = guest_new(&client->bridge, client->netns.there, &client->guest,
			      ret_err);
	return r < 0 ? r : settle(client, patient, ret_err);
}

void probe_client_leave(struct probe_client *client)
{
	if (client->ears >= 0)
		close(client->ears);
	guest_free(client->guest);
	netns_done(&client->netns);
}
