/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bridge that a LAN's link is or lies on, and what a new port has to keep to. */
#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "guest_private.h"

/* USER_HZ: in what the kernel tells times of bridges. */
enum { TICKS_PER_S = 100 };

/* One link's answer, looked at for what concerns bridges. */
struct look {
	struct guest_bridge bridge;
	uint32_t lower;			/* IFLA_LINK: what a VLAN lies on */
	bool is_bridge, is_vlan;
};

static void take_bridge(struct look *look, struct span data)
{
	struct guest_bridge *bridge = &look->bridge;
	uint32_t stp = 0, ticks = 0;
	uint8_t filters = 0;

	look->is_bridge = true;
	attr_u32(attr_find(data, IFLA_BR_STP_STATE), &stp);
	attr_u32(attr_find(data, IFLA_BR_FORWARD_DELAY), &ticks);
	attr_u8(attr_find(data, IFLA_BR_VLAN_FILTERING), &filters);
	bridge->spanning = stp != 0;
	bridge->forward_delay_ms = ticks / TICKS_PER_S * 1000;
	bridge->filters = filters != 0;
}

static void take_vlan(struct look *look, struct span attributes, struct span data)
{
	struct span number = attr_nest(data, IFLA_VLAN_ID);

	if (number.length != sizeof(look->bridge.vlan))
		return;
	memcpy(&look->bridge.vlan, number.bytes, number.length);
	look->is_vlan = attr_u32(attr_find(attributes, IFLA_LINK), &look->lower);
}

static int take_link(void *context, const struct nlmsghdr *message)
{
	struct look *look = context;
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	struct span attributes, info, name, kind;

	if (message->nlmsg_type != RTM_NEWLINK ||
	    mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return 0;
	attributes = attr_of_message(message, sizeof(*header));
	info = attr_nest(attributes, IFLA_LINKINFO);
	/* Of a VLAN, which is looked at first, the name may be longer. */
	memset(look->bridge.name, 0, sizeof(look->bridge.name));
	if (attr_string(attr_find(attributes, IFLA_IFNAME), &name) &&
	    name.length < sizeof(look->bridge.name))
		memcpy(look->bridge.name, name.bytes, name.length);
	attr_u32(attr_find(attributes, IFLA_MTU), &look->bridge.mtu);
	look->bridge.index = (uint32_t)header->ifi_index;
	if (!attr_string(attr_find(info, IFLA_INFO_KIND), &kind))
		return 0;
	if (attr_is(kind, "bridge"))
		take_bridge(look, attr_nest(info, IFLA_INFO_DATA));
	else if (attr_is(kind, "vlan"))
		take_vlan(look, attributes, attr_nest(info, IFLA_INFO_DATA));
	return 0;
}

static int ask_link(struct netlink *netlink, uint32_t index, struct look *look)
{
	struct ifinfomsg header = { .ifi_index = (int)index };
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message = wire_message(&wire, RTM_GETLINK, NLM_F_ACK, ++netlink->seq,
				      &header, sizeof(header));

	wire_message_end(&wire, message);
	return netlink_ask(netlink, &wire, take_link, look);
}

/* --- its ports, and the VLAN it is itself in --- */

/*
 * Every port of a bridge, and the bridge itself, is a message of this family. PVID: the
 * VLAN of frames that bear no tag.
 */
static int take_port(void *context, const struct nlmsghdr *message)
{
	struct look *look = context;
	const struct ifinfomsg *header = mnl_nlmsg_get_payload(message);
	struct bridge_vlan_info vlan;
	const struct nlattr *attr;
	struct span attributes;
	uint32_t master = 0;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return 0;
	attributes = attr_of_message(message, sizeof(*header));
	attr_u32(attr_find(attributes, IFLA_MASTER), &master);
	if ((uint32_t)header->ifi_index != look->bridge.index) {
		look->bridge.ports += master == look->bridge.index;
		return 0;
	}
	attr_for_each(attr, attr_nest(attributes, IFLA_AF_SPEC)) {
		struct span value = attr_span(attr);

		if (attr_type(attr) != IFLA_BRIDGE_VLAN_INFO ||
		    value.length != sizeof(vlan))
			continue;
		memcpy(&vlan, value.bytes, sizeof(vlan));
		if (vlan.flags & BRIDGE_VLAN_INFO_PVID)
			look->bridge.own_vlan = vlan.vid;
	}
	return 0;
}

static int ask_ports(struct netlink *netlink, struct look *look)
{
	struct ifinfomsg header = { .ifi_family = AF_BRIDGE };
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message = wire_message(&wire, RTM_GETLINK, NLM_F_DUMP, ++netlink->seq,
				      &header, sizeof(header));
	int r;

	wire_put_u32(&wire, IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN);
	wire_message_end(&wire, message);
	r = netlink_ask(netlink, &wire, take_port, look);
	return r == -EINTR ? 0 : r;	/* torn: another link came or went */
}

static int find_bridge(struct netlink *netlink, uint32_t link, struct look *look,
		       struct err *ret_err)
{
	uint16_t vlan;
	int r = ask_link(netlink, link, look);

	if (r == 0 && look->is_vlan) {
		vlan = look->bridge.vlan;
		r = ask_link(netlink, look->lower, look);
		look->bridge.vlan = vlan;
	}
	if (r < 0)
		return err_set_errno(ret_err, r, "looking at a LAN's link");
	if (!look->is_bridge)
		return err_set(ret_err, -EMEDIUMTYPE, "%s is no bridge",
			       look->bridge.name);
	r = ask_ports(netlink, look);
	if (r < 0)
		return err_set_errno(ret_err, r, "looking at the ports of %s",
				     look->bridge.name);
	if (look->bridge.ports == 0)
		return err_set(ret_err, -ENODEV, "the bridge %s has no port, so nobody "
			       "is there", look->bridge.name);
	return 0;
}

int guest_find_bridge(uint32_t link, struct guest_bridge *ret_bridge,
		      struct err *ret_err)
{
	struct look look = { 0 };
	struct netlink netlink;
	int r = netlink_open(&netlink, NETLINK_ROUTE, ret_err);

	if (r < 0)
		return r;
	r = find_bridge(&netlink, link, &look, ret_err);
	netlink_close(&netlink);
	if (r == 0)
		*ret_bridge = look.bridge;
	return r;
}
