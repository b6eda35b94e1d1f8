/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links, addresses and default routes as the kernel has them at one moment.
 */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "rtnl_private.h"

/* IFF_LOWER_UP of linux/if.h, which bears no net/if.h beside it. */
enum { LOWER_UP = 1 << 16 };

void *rtnl_grow(void **array, size_t *count, size_t *room, size_t bytes)
{
	size_t more = *room ? *room * 2 : 8;
	void *larger;

	if (*count == *room) {
		larger = reallocarray(*array, more, bytes);
		if (!larger)
			return NULL;
		*array = larger;
		*room = more;
	}
	return (char *)*array + bytes * (*count)++;
}

static int take_link(void *context, const struct nlmsghdr *message)
{
	struct rtnl_snapshot *snapshot = context;
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	struct rtnl_link *link;
	struct span name;

	if (message->nlmsg_type != RTM_NEWLINK ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*header) ||
	    !attr_string(attr_find(attr_of_message(message, sizeof(*header)),
				   IFLA_IFNAME), &name) ||
	    name.length == 0 || name.length >= IFNAMSIZ)
		return 0;
	link = rtnl_grow((void **)&snapshot->links, &snapshot->link_count,
		    &snapshot->link_room, sizeof(*link));
	if (!link)
		return -ENOMEM;
	memset(link, 0, sizeof(*link));
	link->index = (uint32_t)header->ifi_index;
	memcpy(link->name, name.bytes, name.length);
	link->up = (header->ifi_flags & IFF_UP) && (header->ifi_flags & LOWER_UP);
	return 0;
}

/* On a point-to-point link IFA_ADDRESS is the peer's; IPv6 has IFA_LOCAL only then. */
static bool read_address(struct span attributes, int family, struct wan_candidate *ret)
{
	struct span own = attr_nest(attributes, IFA_LOCAL);
	struct span other = attr_nest(attributes, IFA_ADDRESS);
	size_t length = family == AF_INET ? 4 : 16;

	ret->has_peer = own.length == length && other.length == length &&
			memcmp(own.bytes, other.bytes, length) != 0;
	if (!own.bytes)
		own = other;
	if (own.length != length)
		return false;
	ret->address = addr_from_bytes(family, own.bytes);
	return true;
}

static int take_address(void *context, const struct nlmsghdr *message)
{
	struct rtnl_snapshot *snapshot = context;
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	struct wan_candidate candidate = { 0 }, *entry;
	struct span attributes;

	if (message->nlmsg_type != RTM_NEWADDR ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*header) ||
	    (header->ifa_family != AF_INET && header->ifa_family != AF_INET6))
		return 0;
	attributes = attr_of_message(message, sizeof(*header));
	if (!read_address(attributes, header->ifa_family, &candidate))
		return 0;
	candidate.ifindex = header->ifa_index;
	candidate.flags = header->ifa_flags;
	attr_u32(attr_find(attributes, IFA_FLAGS), &candidate.flags);
	candidate.scope = header->ifa_scope;
	candidate.prefix_length = header->ifa_prefixlen;
	entry = rtnl_grow((void **)&snapshot->addresses, &snapshot->address_count,
		     &snapshot->address_room, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	*entry = candidate;
	return 0;
}

static struct addr gateway_of(int family, struct span attributes)
{
	struct span gateway = attr_nest(attributes, RTA_GATEWAY);
	size_t length = family == AF_INET ? 4 : 16;

	if (!gateway.bytes || gateway.length != length)
		return (struct addr){ 0 };
	return addr_from_bytes(family, gateway.bytes);
}

static int add_default(struct rtnl_snapshot *snapshot, const struct rtnl_default *route)
{
	struct rtnl_default *entry;

	entry = rtnl_grow((void **)&snapshot->defaults, &snapshot->default_count,
		     &snapshot->default_room, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	*entry = *route;
	return 0;
}

/* `route`: what is the same for all of them. */
static int add_hops(struct rtnl_snapshot *snapshot, struct span hops,
		    struct rtnl_default *route)
{
	struct rtnexthop hop;
	size_t step;
	int r = 0;

	while (r == 0 && hops.length >= sizeof(hop)) {
		memcpy(&hop, hops.bytes, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > hops.length)
			break;
		route->link = (uint32_t)hop.rtnh_ifindex;
		route->gateway =
			gateway_of(route->family,
				   (struct span){ hops.bytes + sizeof(hop),
						  hop.rtnh_len - sizeof(hop) });
		if (!(hop.rtnh_flags & RTNH_F_DEAD))
			r = add_default(snapshot, route);
		step = MNL_ALIGN((size_t)hop.rtnh_len);
		if (step >= hops.length)
			break;
		hops.bytes += step;
		hops.length -= step;
	}
	return r;
}

/*
 * Of all tables: with several ways to the internet the main one often has the default route of
 * one of them, and rules lead to the tables of the others.
 */
static int take_route(void *context, const struct nlmsghdr *message)
{
	struct rtnl_snapshot *snapshot = context;
	const struct rtmsg *header = mnl_nlmsg_get_payload(message);
	struct rtnl_default route = { .family = 0 };
	struct span attributes, hops;
	uint32_t table;

	if (message->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*header) ||
	    header->rtm_dst_len != 0 || header->rtm_type != RTN_UNICAST ||
	    header->rtm_flags & (RTNH_F_DEAD | RTM_F_CLONED))
		return 0;
	attributes = attr_of_message(message, sizeof(*header));
	table = header->rtm_table;
	attr_u32(attr_find(attributes, RTA_TABLE), &table);
	route.family = header->rtm_family;
	route.is_main = table == RT_TABLE_MAIN;
	attr_u32(attr_find(attributes, RTA_PRIORITY), &route.priority);
	hops = attr_nest(attributes, RTA_MULTIPATH);
	if (hops.bytes)
		return add_hops(snapshot, hops, &route);
	if (!attr_u32(attr_find(attributes, RTA_OIF), &route.link))
		return 0;
	route.gateway = gateway_of(route.family, attributes);
	return add_default(snapshot, &route);
}

static int dump(struct rtnl *rtnl, uint16_t type, const void *header, size_t header_bytes,
		uint16_t attribute, uint32_t value, netlink_message_fn *message,
		struct rtnl_snapshot *snapshot)
{
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t place;

	place = wire_message(&wire, type, NLM_F_DUMP, ++rtnl->command.seq, header,
			     header_bytes);
	if (attribute)
		wire_put_u32(&wire, attribute, value);
	wire_message_end(&wire, place);
	return netlink_ask(&rtnl->command, &wire, message, snapshot);
}

static int dump_routes(struct rtnl *rtnl, int family, struct rtnl_snapshot *snapshot)
{
	struct rtmsg header = { .rtm_family = (uint8_t)family };
	int r;

	r = dump(rtnl, RTM_GETROUTE, &header, sizeof(header), 0, 0, take_route, snapshot);
	/* A kernel may lack IPv6. */
	return r == -ENOENT || r == -EOPNOTSUPP || r == -EAFNOSUPPORT ? 0 : r;
}

static int dump_all(struct rtnl *rtnl, struct rtnl_snapshot *snapshot)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct ifaddrmsg address = { .ifa_family = AF_UNSPEC };
	int r;

	snapshot->link_count = snapshot->address_count = snapshot->default_count = 0;
	r = dump(rtnl, RTM_GETLINK, &link, sizeof(link), IFLA_EXT_MASK,
		 RTEXT_FILTER_SKIP_STATS, take_link, snapshot);
	if (r == 0)
		r = dump(rtnl, RTM_GETADDR, &address, sizeof(address), 0, 0,
			 take_address, snapshot);
	if (r == 0)
		r = dump_routes(rtnl, AF_INET, snapshot);
	if (r == 0)
		r = dump_routes(rtnl, AF_INET6, snapshot);
	return r;
}

int rtnl_snapshot(struct rtnl *rtnl, struct rtnl_snapshot *snapshot, struct err *ret_err)
{
	int r = -EINTR;

	for (int i = 0; i < RTNL_TRIES_MAX && r == -EINTR; i++)
		r = dump_all(rtnl, snapshot);
	if (r == -EINTR)
		return err_set(ret_err, -EAGAIN, "links and addresses would not stand "
			       "still while they were read");
	if (r < 0)
		return err_set_errno(ret_err, r, "reading links, addresses and routes");
	return 0;
}

void rtnl_snapshot_done(struct rtnl_snapshot *snapshot)
{
	free(snapshot->links);
	free(snapshot->addresses);
	free(snapshot->defaults);
	*snapshot = (struct rtnl_snapshot){ 0 };
}
