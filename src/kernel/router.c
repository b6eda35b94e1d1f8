/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole picture, and what is found in it. */
#include "router_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "router_legacy.h"

_Static_assert((int)ROUTER_LEGACY_EMPTY == (int)LEGACY_EMPTY &&
	       (int)ROUTER_LEGACY_RULES == (int)LEGACY_RULES, "said alike");

static int open_netlink(struct router *router, struct err *ret_err)
{
	int r;

	router->netlink = calloc(1, sizeof(*router->netlink));
	if (!router->netlink)
		return err_set_errno(ret_err, -ENOMEM, "rtnetlink");
	r = netlink_open(router->netlink, NETLINK_ROUTE, ret_err);
	if (r < 0) {
		free(router->netlink);
		router->netlink = NULL;
	}
	return r;
}

int router_new(struct router **ret_router, struct err *ret_err)
{
	struct router *router = calloc(1, sizeof(*router));
	int r;

	if (!router)
		return err_set_errno(ret_err, -ENOMEM, "reading the router's state");
	r = open_netlink(router, ret_err);
	if (r == 0)
		r = router_read_links(router, ret_err);
	if (r == 0)
		r = router_read_sockets(router, true, ret_err);
	if (r < 0) {
		router_free(router);
		return r;
	}
	router_name_sockets(router);
	router_read_switches(router);
	router->legacy_nat4 = (enum router_legacy)router_read_legacy(AF_INET);
	router->legacy_nat6 = (enum router_legacy)router_read_legacy(AF_INET6);
	*ret_router = router;
	return 0;
}

void router_free(struct router *router)
{
	if (!router)
		return;
	if (router->netlink)
		netlink_close(router->netlink);
	free(router->netlink);
	free(router->links);
	free(router->addresses);
	free(router->sockets);
	free(router);
}

const struct router_link *router_link_find(const struct router *router, const char *name)
{
	for (size_t i = 0; i < router->link_count; i++) {
		if (strcmp(router->links[i].name, name) == 0)
			return &router->links[i];
	}
	return NULL;
}

const struct router_link *router_link_of(const struct router *router, uint32_t index)
{
	for (size_t i = 0; i < router->link_count; i++) {
		if (router->links[i].index == index)
			return &router->links[i];
	}
	return NULL;
}

const struct router_link *router_owner(const struct router *router,
				       const struct addr *address)
{
	for (size_t i = 0; i < router->address_count; i++) {
		if (addr_equal(&router->addresses[i].address, address))
			return router_link_of(router, router->addresses[i].link);
	}
	return NULL;
}

/* With a peer, the network is the peer's. */
const struct router_address *router_network_of(const struct router *router,
					       const struct addr *address)
{
	const struct router_address *best = NULL;

	for (size_t i = 0; i < router->address_count; i++) {
		const struct router_address *entry = &router->addresses[i];
		const struct addr *network = addr_is_none(&entry->peer) ?
					     &entry->address : &entry->peer;

		if (network->family == address->family &&
		    addr_same_prefix(network, address, entry->bits) &&
		    (!best || entry->bits > best->bits))
			best = entry;
	}
	return best;
}

/* How well a socket fits: 0 not at all; one of that very address goes first. */
static unsigned socket_fit(const struct router *router,
			   const struct router_socket *socket, const struct addr *address)
{
	const struct router_link *link = router_link_of(router, socket->link);

	if (link && link->loopback && router_owner(router, address) != link)
		return 0;
	if (!addr_is_none(&socket->address))
		return addr_equal(&socket->address, address) ? 3 : 0;
	if (socket->family == address->family)
		return 2;
	return socket->family == AF_INET6 && !socket->only6 ? 1 : 0;
}

const struct router_socket *router_listener(const struct router *router,
					    uint8_t protocol, const struct addr *address,
					    uint16_t port)
{
	const struct router_socket *best = NULL;
	unsigned best_fit = 0;

	for (size_t i = 0; i < router->socket_count; i++) {
		const struct router_socket *socket = &router->sockets[i];
		unsigned fit;

		if (socket->protocol != protocol || socket->port != port)
			continue;
		fit = socket_fit(router, socket, address);
		if (fit > best_fit) {
			best = socket;
			best_fit = fit;
		}
	}
	return best;
}
