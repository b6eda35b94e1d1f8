/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links, addresses, routes, sockets and bridges as a kernel (or nobody sane) could tell
 * them: what is chosen of them is one of them, and of the link that was asked for. Input:
 * fuzz/netlink_input.h; the first option byte is the WAN's prefix length.
 */
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "fake/netlink.h"
#include "hairpin/wan.h"
#include "kernel/guest_private.h"
#include "kernel/router_private.h"
#include "kernel/rtnl_private.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WAN = 12, LAN = 3 };

static void fake_batch(const uint8_t *bytes, size_t length)
{
	(void)bytes;
	(void)length;
	abort();
}

/* Nothing but questions goes out. */
static void fake_question(const struct wire *request)
{
	uint8_t kind = input_kind(request);

	require(kind == RTM_GETLINK || kind == RTM_GETADDR || kind == RTM_GETROUTE ||
		kind == RTM_GETNETCONF || kind == 20 /* SOCK_DIAG_BY_FAMILY */);
}

static bool is_usable(const struct wan_candidate *candidate, int family)
{
	static const uint32_t never = IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED;

	return candidate->address.family == family &&
	       candidate->scope == RT_SCOPE_UNIVERSE && !(candidate->flags & never);
}

static void check_choice(int family, const struct wan_candidate *candidates, size_t count,
			 const struct addr *current)
{
	struct addr chosen = wan_choose(family, candidates, count, current), again;
	bool found = addr_is_none(&chosen);

	for (size_t i = 0; i < count && !found; i++)
		found = is_usable(&candidates[i], family) &&
			addr_equal(&candidates[i].address, &chosen);
	require(found);
	/* What was chosen stays, whatever order they come in. */
	again = wan_choose(family, candidates, count, &chosen);
	require(addr_equal(&again, &chosen));
}

static void check_prefix(const struct addr *prefix, unsigned bits)
{
	static const struct addr zero = { .family = AF_INET6 };
	struct addr low;

	if (addr_is_none(prefix))
		return;
	require(prefix->family == AF_INET6);
	low = addr_join(&zero, bits, prefix);
	require(addr_is_unspecified(&low));
}

static void check_link(const struct rtnl_snapshot *snapshot,
		       const struct rtnl_routes *routes, uint32_t link, unsigned bits)
{
	struct addr none = { 0 }, prefix;
	struct wan_candidate *candidates;
	size_t count;

	candidates = rtnl_addresses_of(snapshot, link, &count);
	require(candidates != NULL && count <= snapshot->address_count);
	for (size_t i = 0; i < count; i++)
		require(candidates[i].ifindex == link);
	check_choice(AF_INET, candidates, count, &none);
	check_choice(AF_INET6, candidates, count,
		     count ? &candidates[count - 1].address : &none);
	prefix = wan_choose_prefix(bits, candidates, count, &none);
	check_prefix(&prefix, bits);
	prefix = wan_choose_route(bits, routes->list, routes->count, link, candidates,
				  count, &prefix);
	check_prefix(&prefix, bits);
	free(candidates);
}

static void check_links(const struct rtnl_snapshot *snapshot,
			const struct rtnl_routes *routes, unsigned bits)
{
	for (size_t i = 0; i < snapshot->link_count; i++) {
		const struct rtnl_link *link = &snapshot->links[i];

		require(link->name[0] && memchr(link->name, '\0', IFNAMSIZ));
		require(rtnl_link_find(snapshot, link->name) != NULL);
		if (i < 8)
			check_link(snapshot, routes, link->index, bits);
	}
	for (int family = AF_INET; family <= AF_INET6; family += AF_INET6 - AF_INET) {
		uint32_t link = rtnl_uplink(snapshot, "", family);
		bool known = !link;

		for (size_t i = 0; i < snapshot->link_count && !known; i++)
			known = snapshot->links[i].index == link;
		require(known);
	}
}

static void check_rtnl(unsigned bits)
{
	static const struct rtnl_watch links = { .links = { 1, WAN, LAN }, .count = 3 };
	struct rtnl rtnl = { .watch = links };
	struct rtnl_snapshot snapshot = { 0 };
	struct rtnl_routes routes = { 0 };
	struct rtnl_watch watch = links;

	rtnl.watch.bits = watch.bits = bits;	/* so no filter need be set */
	if (rtnl_snapshot(&rtnl, &snapshot, NULL) == 0 &&
	    rtnl_routes(&rtnl, &watch, &routes, NULL) == 0) {
		for (size_t i = 0; i < routes.count; i++)
			require(routes.list[i].to.family == AF_INET6 &&
				routes.list[i].prefix_length >= WAN_ROUTE_BITS_MIN &&
				routes.list[i].prefix_length <= bits);
		check_links(&snapshot, &routes, bits);
	}
	rtnl_snapshot_done(&snapshot);
	rtnl_routes_done(&routes);
}

static void check_router(struct router *router)
{
	struct addr address = input_addr("203.0.113.1");
	struct router_question question = { .destination = address, .in = LAN };
	struct router_answer answer;

	for (size_t i = 0; i < router->link_count; i++) {
		const struct router_link *link = &router->links[i];

		require(link->name[0] && memchr(link->name, '\0', IFNAMSIZ));
		require(memchr(link->kind, '\0', sizeof(link->kind)) &&
			memchr(link->master_kind, '\0', sizeof(link->master_kind)));
		(void)router_link_of(router, link->master);
	}
	for (size_t i = 0; i < router->address_count; i++) {
		require(router->addresses[i].bits <=
			8 * addr_length_bytes(&router->addresses[i].address));
		(void)router_network_of(router, &router->addresses[i].address);
		(void)router_owner(router, &router->addresses[i].address);
	}
	for (size_t i = 0; i < router->socket_count; i++)
		require(router->sockets[i].port > 0);
	(void)router_listener(router, 6, &address, 443);
	question.source = input_addr("198.51.100.9");
	if (router_route(router, &question, &answer, NULL) == 0)
		require(!answer.type || !answer.error);
}

static void read_router(void)
{
	struct netlink netlink;
	struct router router = { .netlink = &netlink };

	require(netlink_open(&netlink, NETLINK_ROUTE, NULL) == 0);
	if (router_read_links(&router, NULL) == 0 &&
	    router_read_sockets(&router, true, NULL) == 0)
		check_router(&router);
	netlink_close(&netlink);
	free(router.links);
	free(router.addresses);
	free(router.sockets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guest_bridge bridge;

	if (size < INPUT_OPTIONS)
		return 0;
	memset(&fake, 0, sizeof(fake));
	fake.bytes = data + INPUT_OPTIONS;
	fake.length = size - INPUT_OPTIONS;
	check_rtnl(1 + data[0] % 128);
	read_router();
	if (guest_find_bridge(LAN, &bridge, NULL) == 0)
		require(bridge.ports > 0 && memchr(bridge.name, '\0', IFNAMSIZ));
	return 0;
}
