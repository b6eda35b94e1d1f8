/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links, their addresses, and which of them forward. The kernel tells forwarding and
 * rp_filter of all links in one dump (RTM_GETNETCONF), as /proc/sys would one by one.
 */
#include "router_private.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>

#include "rtnl_private.h"

/* IFF_LOWER_UP of linux/if.h, which bears no net/if.h beside it. */
enum { LOWER_UP = 1 << 16 };

struct reading {
	struct router *router;
	size_t link_room, address_room;
	int family;		/* of the switches that are read */
	int rp_filter_all;
};

/* Names that do not fit are none. */
static void read_name(struct span attributes, uint16_t type, char *out, size_t bytes)
{
	struct span name;

	if (!attr_string(attr_find(attributes, type), &name) || name.length >= bytes)
		return;
	memcpy(out, name.bytes, name.length);
	out[name.length] = '\0';
}

static void read_link(struct span attributes, struct router_link *link)
{
	struct span info = attr_nest(attributes, IFLA_LINKINFO);
	struct span mac = attr_nest(attributes, IFLA_ADDRESS);

	attr_u32(attr_find(attributes, IFLA_MASTER), &link->master);
	attr_u32(attr_find(attributes, IFLA_GROUP), &link->group);
	read_name(info, IFLA_INFO_KIND, link->kind, sizeof(link->kind));
	read_name(info, IFLA_INFO_SLAVE_KIND, link->master_kind,
		  sizeof(link->master_kind));
	if (link->type == ARPHRD_ETHER && mac.length == sizeof(link->mac))
		memcpy(link->mac, mac.bytes, sizeof(link->mac));
}

static int take_link(void *context, const struct nlmsghdr *message)
{
	struct reading *reading = context;
	struct router *router = reading->router;
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	struct router_link *link;
	struct span attributes, name;

	if (message->nlmsg_type != RTM_NEWLINK ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return 0;
	attributes = attr_of_message(message, sizeof(*header));
	if (!attr_string(attr_find(attributes, IFLA_IFNAME), &name) ||
	    name.length == 0 || name.length >= IFNAMSIZ)
		return 0;
	link = rtnl_grow((void **)&router->links, &router->link_count,
			 &reading->link_room, sizeof(*link));
	if (!link)
		return -ENOMEM;
	*link = (struct router_link){
		.index = (uint32_t)header->ifi_index, .type = header->ifi_type,
		.up = (header->ifi_flags & IFF_UP) && (header->ifi_flags & LOWER_UP),
		.point_to_point = header->ifi_flags & IFF_POINTOPOINT,
		.loopback = header->ifi_flags & IFF_LOOPBACK,
		.forwarding4 = ROUTER_ABSENT, .forwarding6 = ROUTER_ABSENT,
	};
	memcpy(link->name, name.bytes, name.length);
	read_link(attributes, link);
	return 0;
}

static struct addr read_addr(struct span attributes, uint16_t type, int family)
{
	struct span bytes = attr_nest(attributes, type);

	if (bytes.length != (family == AF_INET ? 4 : 16))
		return (struct addr){ 0 };
	return addr_from_bytes(family, bytes.bytes);
}

/* On a point-to-point link IFA_ADDRESS is the peer's; IPv6 has IFA_LOCAL only then. */
static bool read_address(struct span attributes, int family, struct router_address *entry)
{
	struct addr own = read_addr(attributes, IFA_LOCAL, family);
	struct addr other = read_addr(attributes, IFA_ADDRESS, family);

	entry->address = addr_is_none(&own) ? other : own;
	if (!addr_is_none(&other) && !addr_equal(&entry->address, &other))
		entry->peer = other;
	return !addr_is_none(&entry->address);
}

static int take_address(void *context, const struct nlmsghdr *message)
{
	struct reading *reading = context;
	struct router *router = reading->router;
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	struct router_address entry = { 0 }, *place;
	struct span attributes;
	uint32_t flags;

	if (message->nlmsg_type != RTM_NEWADDR ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*header) ||
	    (header->ifa_family != AF_INET && header->ifa_family != AF_INET6))
		return 0;
	attributes = attr_of_message(message, sizeof(*header));
	if (!read_address(attributes, header->ifa_family, &entry) ||
	    header->ifa_prefixlen > addr_length_bytes(&entry.address) * 8)
		return 0;
	flags = header->ifa_flags;
	attr_u32(attr_find(attributes, IFA_FLAGS), &flags);
	entry.link = header->ifa_index;
	entry.bits = header->ifa_prefixlen;
	/* Of IPv4 the same bit says that it is a secondary address. */
	entry.temporary = header->ifa_family == AF_INET6 && flags & IFA_F_TEMPORARY;
	entry.deprecated = flags & IFA_F_DEPRECATED;
	entry.tentative = flags & IFA_F_TENTATIVE;
	place = rtnl_grow((void **)&router->addresses, &router->address_count,
			  &reading->address_room, sizeof(*place));
	if (!place)
		return -ENOMEM;
	*place = entry;
	return 0;
}

static void note_switches(struct reading *reading, int32_t index, uint32_t forwarding,
			  uint32_t rp_filter)
{
	enum router_switch on = forwarding ? ROUTER_ON : ROUTER_OFF;
	struct router *router = reading->router;
	bool ipv4 = reading->family == AF_INET;

	if (index == NETCONFA_IFINDEX_ALL) {
		*(ipv4 ? &router->forwarding4 : &router->forwarding6) = on;
		if (ipv4)
			reading->rp_filter_all = (int)rp_filter;
		return;
	}
	for (size_t i = 0; i < router->link_count; i++) {
		struct router_link *link = &router->links[i];

		if (link->index != (uint32_t)index)
			continue;
		*(ipv4 ? &link->forwarding4 : &link->forwarding6) = on;
		if (ipv4)
			link->rp_filter = (int)rp_filter;
	}
}

static int take_switches(void *context, const struct nlmsghdr *message)
{
	struct reading *reading = context;
	const struct netconfmsg *header = mnl_nlmsg_get_payload(message);
	uint32_t index, forwarding, rp_filter = 0;
	struct span attributes;

	if (message->nlmsg_type != RTM_NEWNETCONF ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*header) ||
	    header->ncm_family != reading->family)
		return 0;
	attributes = attr_of_message(message, NLMSG_ALIGN(sizeof(*header)));
	attr_u32(attr_find(attributes, NETCONFA_RP_FILTER), &rp_filter);
	if (attr_u32(attr_find(attributes, NETCONFA_IFINDEX), &index) &&
	    attr_u32(attr_find(attributes, NETCONFA_FORWARDING), &forwarding))
		note_switches(reading, (int32_t)index, forwarding, rp_filter);
	return 0;
}

static int dump(struct reading *reading, uint16_t type, const void *header,
		size_t header_bytes, netlink_message_fn *message)
{
	struct netlink *netlink = reading->router->netlink;
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t place;

	place = wire_message(&wire, type, NLM_F_DUMP, ++netlink->seq, header,
			     header_bytes);
	if (type == RTM_GETLINK)
		wire_put_u32(&wire, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	wire_message_end(&wire, place);
	return netlink_ask(netlink, &wire, message, reading);
}

static int dump_switches(struct reading *reading, int family)
{
	struct netconfmsg header = { .ncm_family = (uint8_t)family };
	int r;

	reading->family = family;
	r = dump(reading, RTM_GETNETCONF, &header, sizeof(header), take_switches);
	/* A kernel may lack IPv6. */
	return r == -ENOENT || r == -EOPNOTSUPP || r == -EAFNOSUPPORT ? 0 : r;
}

static int dump_all(struct reading *reading)
{
	struct ifinfomsg link = { .ifi_family = AF_UNSPEC };
	struct ifaddrmsg address = { .ifa_family = AF_UNSPEC };
	int r;

	reading->router->link_count = reading->router->address_count = 0;
	r = dump(reading, RTM_GETLINK, &link, sizeof(link), take_link);
	if (r == 0)
		r = dump(reading, RTM_GETADDR, &address, sizeof(address), take_address);
	if (r == 0)
		r = dump_switches(reading, AF_INET);
	if (r == 0)
		r = dump_switches(reading, AF_INET6);
	return r;
}

int router_read_links(struct router *router, struct err *ret_err)
{
	struct reading reading = { .router = router };
	int r = -EINTR;

	router->forwarding4 = router->forwarding6 = ROUTER_ABSENT;
	for (int i = 0; i < RTNL_TRIES_MAX && r == -EINTR; i++)
		r = dump_all(&reading);
	if (r == -EINTR)
		return err_set(ret_err, -EAGAIN, "links and addresses would not stand "
			       "still while they were read");
	if (r < 0)
		return err_set_errno(ret_err, r, "reading links and addresses");
	for (size_t i = 0; i < router->link_count; i++) {
		if (router->links[i].rp_filter < reading.rp_filter_all)
			router->links[i].rp_filter = reading.rp_filter_all;
	}
	return 0;
}
