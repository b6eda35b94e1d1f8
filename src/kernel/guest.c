/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "guest_private.h"

/* Names of the two ends; the one in the namespace is alone there. */
#define PORT_NAME "hairpin%06x"
#define END_NAME "lan"
enum { NAMES_MAX = 8 };

static int take_nothing(void *context, const struct nlmsghdr *message)
{
	(void)context;
	(void)message;
	return 0;
}

static int tell(struct netlink *netlink, const struct wire *wire)
{
	return netlink_ask(netlink, wire, take_nothing, NULL);
}

/* --- the pair --- */

static void put_info(struct wire *wire, const char *kind, size_t nests[2])
{
	nests[0] = wire_nest(wire, IFLA_LINKINFO);
	wire_put_string(wire, IFLA_INFO_KIND, kind);
	nests[1] = wire_nest(wire, IFLA_INFO_DATA);
}

static void end_info(struct wire *wire, const size_t nests[2])
{
	wire_nest_end(wire, nests[1]);
	wire_nest_end(wire, nests[0]);
}

/*
 * An attribute that begins with a header of a message of its own. It cannot be up yet:
 * the kernel refuses that while it has no other end.
 */
static void put_peer(struct wire *wire, const struct guest_bridge *bridge, int there)
{
	struct ifinfomsg header = { 0 };
	size_t nest = wire_nest(wire, VETH_INFO_PEER);

	wire_add(wire, &header, sizeof(header));
	wire_put_string(wire, IFLA_IFNAME, END_NAME);
	wire_put_u32(wire, IFLA_NET_NS_FD, (uint32_t)there);
	wire_put_u32(wire, IFLA_MTU, bridge->mtu);
	wire_nest_end(wire, nest);
}

/*
 * All of it by one message, so that at no moment there is a pair that would outlive the
 * namespace. `chance` makes name and address; no vendor has an address that begins so.
 */
static int add_pair(struct guest *guest, int there, uint32_t chance)
{
	struct ifinfomsg header = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	uint8_t mac[6] = { 0xfe, 0xff, 0xff };
	struct wire wire WIRE_CLEANUP = { 0 };
	char name[IFNAMSIZ];
	size_t message, nests[2];
	int r;

	snprintf(name, sizeof(name), PORT_NAME, chance & 0xffffff);
	memcpy(mac + 3, &chance, 3);
	message = wire_message(&wire, RTM_NEWLINK,
			       NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
			       ++guest->here.seq, &header, sizeof(header));
	wire_put_string(&wire, IFLA_IFNAME, name);
	wire_put(&wire, IFLA_ADDRESS, mac, sizeof(mac));
	wire_put_u32(&wire, IFLA_MTU, guest->bridge.mtu);
	wire_put_u32(&wire, IFLA_MASTER, guest->bridge.index);
	put_info(&wire, "veth", nests);
	put_peer(&wire, &guest->bridge, there);
	end_info(&wire, nests);
	wire_message_end(&wire, message);
	r = tell(&guest->here, &wire);
	if (r < 0)
		return r;
	guest->port = if_nametoindex(name);
	return guest->port ? 0 : -errno;
}

/* A bridge that filters lets through what is in the port's VLANs. */
static int join_vlan(struct guest *guest)
{
	const struct guest_bridge *bridge = &guest->bridge;
	struct ifinfomsg header = { .ifi_family = AF_BRIDGE,
				    .ifi_index = (int)guest->port };
	struct bridge_vlan_info vlan = { .vid = bridge->vlan };
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message, nest;

	if (!bridge->vlan) {
		vlan.vid = bridge->own_vlan;
		vlan.flags = BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED;
	}
	if (!bridge->filters || !vlan.vid)
		return 0;
	message = wire_message(&wire, RTM_SETLINK, NLM_F_ACK, ++guest->here.seq, &header,
			       sizeof(header));
	nest = wire_nest(&wire, IFLA_AF_SPEC);
	wire_put(&wire, IFLA_BRIDGE_VLAN_INFO, &vlan, sizeof(vlan));
	wire_nest_end(&wire, nest);
	wire_message_end(&wire, message);
	return tell(&guest->here, &wire);
}

static int add_port(struct guest *guest, int there, struct err *ret_err)
{
	uint32_t chance;
	int r = -EEXIST;

	for (int i = 0; i < NAMES_MAX && r == -EEXIST; i++) {
		if (getrandom(&chance, sizeof(chance), 0) != sizeof(chance))
			return err_set_errno(ret_err, -errno, "random bytes");
		r = add_pair(guest, there, chance);
	}
	if (r == 0)
		r = join_vlan(guest);
	return r < 0 ? err_set_errno(ret_err, r, "adding a port to the bridge %s",
				     guest->bridge.name) : 0;
}

int guest_new(const struct guest_bridge *bridge, int there, struct guest **ret_guest,
	      struct err *ret_err)
{
	struct guest *guest = calloc(1, sizeof(*guest));
	int r;

	if (!guest)
		return err_set_errno(ret_err, -ENOMEM, "a port of a bridge");
	guest->bridge = *bridge;
	guest->there.fd = -1;
	r = netlink_open(&guest->here, NETLINK_ROUTE, ret_err);
	if (r == 0)
		r = add_port(guest, there, ret_err);
	if (r < 0) {
		guest_free(guest);
		return r;
	}
	*ret_guest = guest;
	return 0;
}

void guest_free(struct guest *guest)
{
	struct ifinfomsg header = { 0 };
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message;

	if (!guest)
		return;
	if (guest->port) {
		header.ifi_index = (int)guest->port;
		message = wire_message(&wire, RTM_DELLINK, NLM_F_ACK, ++guest->here.seq,
				       &header, sizeof(header));
		wire_message_end(&wire, message);
		(void)tell(&guest->here, &wire);	/* else with the namespace */
	}
	netlink_close(&guest->there);
	netlink_close(&guest->here);
	free(guest);
}

/* --- inside --- */

static int take_mac(void *context, const struct nlmsghdr *message)
{
	struct guest *guest = context;
	struct span mac = attr_nest(attr_of_message(message, sizeof(struct ifinfomsg)),
				    IFLA_ADDRESS);

	if (mac.length == sizeof(guest->mac))
		memcpy(guest->mac, mac.bytes, mac.length);
	return 0;
}

static int set_up(struct guest *guest)
{
	struct ifinfomsg header = { .ifi_index = (int)guest->end, .ifi_flags = IFF_UP,
				    .ifi_change = IFF_UP };
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message = wire_message(&wire, RTM_NEWLINK, NLM_F_ACK, ++guest->there.seq,
				      &header, sizeof(header));

	wire_message_end(&wire, message);
	return tell(&guest->there, &wire);
}

static int add_vlan(struct guest *guest)
{
	struct ifinfomsg header = { .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message, nests[2];
	int r;

	message = wire_message(&wire, RTM_NEWLINK, NLM_F_ACK | NLM_F_CREATE,
			       ++guest->there.seq, &header, sizeof(header));
	wire_put_string(&wire, IFLA_IFNAME, END_NAME "-vlan");
	wire_put_u32(&wire, IFLA_LINK, guest->end);
	put_info(&wire, "vlan", nests);
	wire_put(&wire, IFLA_VLAN_ID, &guest->bridge.vlan, sizeof(guest->bridge.vlan));
	end_info(&wire, nests);
	wire_message_end(&wire, message);
	r = tell(&guest->there, &wire);
	guest->link = r == 0 ? if_nametoindex(END_NAME "-vlan") : 0;
	return r;
}

int guest_enter(struct guest *guest, struct err *ret_err)
{
	struct ifinfomsg header = { 0 };
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message;
	int r = netlink_open(&guest->there, NETLINK_ROUTE, ret_err);

	if (r < 0)
		return r;
	guest->end = guest->link = if_nametoindex(END_NAME);
	if (!guest->end)
		return err_set_errno(ret_err, -errno, "the port's other end");
	header.ifi_index = (int)guest->end;
	message = wire_message(&wire, RTM_GETLINK, NLM_F_ACK, ++guest->there.seq, &header,
			       sizeof(header));
	wire_message_end(&wire, message);
	r = netlink_ask(&guest->there, &wire, take_mac, guest);
	if (r == 0)
		r = set_up(guest);
	if (r == 0 && guest->bridge.vlan)
		r = add_vlan(guest);
	return r < 0 ? err_set_errno(ret_err, r, "setting up a client's link") : 0;
}

uint32_t guest_link(const struct guest *guest)
{
	return guest->link;
}

const uint8_t *guest_mac(const struct guest *guest)
{
	return guest->mac;
}

static int change_address(struct guest *guest, uint16_t type, uint16_t flags,
			  const struct addr *address, uint8_t bits)
{
	struct ifaddrmsg header = { .ifa_family = address->family,
				    .ifa_prefixlen = bits, .ifa_index = guest->link };
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message = wire_message(&wire, type, NLM_F_ACK | flags, ++guest->there.seq,
				      &header, sizeof(header));

	wire_put(&wire, IFA_LOCAL, address->bytes, addr_length_bytes(address));
	wire_put(&wire, IFA_ADDRESS, address->bytes, addr_length_bytes(address));
	wire_message_end(&wire, message);
	return tell(&guest->there, &wire);
}

int guest_take_address(struct guest *guest, const struct addr *address, uint8_t bits,
		       struct err *ret_err)
{
	int r = change_address(guest, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, address,
			       bits);

	return r < 0 ? err_set_errno(ret_err, r, "giving a client its address") : 0;
}

int guest_drop_address(struct guest *guest, const struct addr *address, uint8_t bits)
{
	return change_address(guest, RTM_DELADDR, 0, address, bits);
}

/* Of one address: 1, 0 or -EADDRINUSE, see guest_may_use(). */
struct state {
	const struct addr *address;
	int found;
};

static int take_state(void *context, const struct nlmsghdr *message)
{
	struct state *state = context;
	const struct ifaddrmsg *header = mnl_nlmsg_get_payload(message);
	struct span attributes, address;
	uint32_t flags;

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*header))
		return 0;
	attributes = attr_of_message(message, sizeof(*header));
	address = attr_nest(attributes, IFA_ADDRESS);
	if (header->ifa_family != state->address->family ||
	    address.length != addr_length_bytes(state->address) ||
	    memcmp(address.bytes, state->address->bytes, address.length) != 0)
		return 0;
	flags = header->ifa_flags;
	attr_u32(attr_find(attributes, IFA_FLAGS), &flags);
	state->found = flags & IFA_F_DADFAILED ? -EADDRINUSE
					       : !(flags & IFA_F_TENTATIVE);
	return 0;
}

int guest_may_use(struct guest *guest, const struct addr *address)
{
	struct ifaddrmsg header = { .ifa_family = address->family };
	struct state state = { address, 0 };
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message = wire_message(&wire, RTM_GETADDR, NLM_F_DUMP, ++guest->there.seq,
				      &header, sizeof(header));
	int r;

	wire_message_end(&wire, message);
	r = netlink_ask(&guest->there, &wire, take_state, &state);
	return r < 0 && r != -EINTR ? r : state.found;
}

int guest_route(struct guest *guest, const struct addr *gateway, struct err *ret_err)
{
	struct rtmsg header = { .rtm_family = gateway->family, .rtm_table = RT_TABLE_MAIN,
				.rtm_protocol = RTPROT_STATIC, .rtm_type = RTN_UNICAST };
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message = wire_message(&wire, RTM_NEWROUTE,
				      NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE,
				      ++guest->there.seq, &header, sizeof(header));
	int r;

	wire_put(&wire, RTA_GATEWAY, gateway->bytes, addr_length_bytes(gateway));
	wire_put_u32(&wire, RTA_OIF, guest->link);
	wire_message_end(&wire, message);
	r = tell(&guest->there, &wire);
	return r < 0 ? err_set_errno(ret_err, r, "giving a client its route") : 0;
}

/* --- outside --- */

static int take_port_state(void *context, const struct nlmsghdr *message)
{
	struct span info = attr_nest(attr_of_message(message, sizeof(struct ifinfomsg)),
				     IFLA_LINKINFO);
	uint8_t state = BR_STATE_DISABLED;

	attr_u8(attr_find(attr_nest(info, IFLA_INFO_SLAVE_DATA), IFLA_BRPORT_STATE),
		&state);
	*(bool *)context = state == BR_STATE_FORWARDING;
	return 0;
}

int guest_is_heard(struct guest *guest)
{
	struct ifinfomsg header = { .ifi_index = (int)guest->port };
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message = wire_message(&wire, RTM_GETLINK, NLM_F_ACK, ++guest->here.seq,
				      &header, sizeof(header));
	bool forwards = false;
	int r;

	wire_message_end(&wire, message);
	r = netlink_ask(&guest->here, &wire, take_port_state, &forwards);
	return r < 0 ? r : forwards;
}

bool guest_is_neighbour(struct guest *guest, uint32_t link, const struct addr *address)
{
	struct ndmsg header = { .ndm_family = address->family,
				.ndm_ifindex = (int)link };
	struct wire wire WIRE_CLEANUP = { 0 };
	size_t message = wire_message(&wire, RTM_GETNEIGH, NLM_F_ACK, ++guest->here.seq,
				      &header, sizeof(header));

	wire_put(&wire, NDA_DST, address->bytes, addr_length_bytes(address));
	wire_message_end(&wire, message);
	return tell(&guest->here, &wire) == 0;
}
