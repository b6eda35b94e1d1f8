/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: kernel */
/*
 * The router as the kernel tells it at one moment: links, addresses, switches, who
 * listens; and what it would do with a packet. Only reads, and needs no rights but to
 * know whose a socket is.
 *
 * What this does not do: watch. That is rtnl's.
 */
#ifndef HAIRPIN_ROUTER_H
#define HAIRPIN_ROUTER_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/err.h"

/* A switch of /proc/sys that may not be there. */
enum router_switch { ROUTER_ABSENT = -1, ROUTER_OFF = 0, ROUTER_ON = 1 };

/* The nat table of the old iptables, beside nf_tables. */
enum router_legacy {
	ROUTER_LEGACY_NONE,	/* not loaded, or not root: who else may not know */
	ROUTER_LEGACY_EMPTY,	/* loaded, and translates nothing */
	ROUTER_LEGACY_RULES,	/* it has rules that translate */
};

struct router_link {
	uint32_t index;
	uint32_t master;		/* bridge, bond or VRF it is a port of; 0: none */
	uint32_t group;
	uint16_t type;			/* ARPHRD_* */
	char name[IFNAMSIZ];		/* raw, as names of others: escape before showing */
	char kind[16];			/* IFLA_INFO_KIND: "bridge", "vlan", "veth"; "" */
	char master_kind[16];		/* IFLA_INFO_SLAVE_KIND; "" */
	bool up;			/* IFF_UP and lower up */
	bool point_to_point, loopback;
	uint8_t mac[6];			/* of Ethernet links */
	/*
	 * Of conf/LINK. IPv6 packets are forwarded by conf/all alone. rp_filter is the larger
	 * one of the link's and conf/all, as the kernel does.
	 */
	enum router_switch forwarding4, forwarding6;
	int rp_filter;			/* 0 off, 1 strict, 2 loose */
};

struct router_address {
	uint32_t link;
	struct addr address;		/* IFA_LOCAL: ours */
	struct addr peer;		/* none but on point-to-point links */
	uint8_t bits;			/* of its network */
	bool temporary, deprecated, tentative;
};

/* Somebody on this machine takes what comes to that port. */
struct router_socket {
	uint8_t protocol;		/* IPPROTO_TCP (listening), IPPROTO_UDP (bound) */
	uint16_t port;
	uint32_t link;			/* bound to a device; 0: none */
	struct addr address;		/* none: any of `family` */
	uint8_t family;			/* AF_INET6 also takes IPv4 unless `only6` */
	bool only6;
	uint32_t inode;			/* 0: not known */
	char program[32];		/* its comm, escaped; "" where it is not known */
};

struct router {
	struct router_link *links;
	size_t link_count;
	struct router_address *addresses;
	size_t address_count;
	struct router_socket *sockets;
	size_t socket_count;
	enum router_switch forwarding4, forwarding6;	/* net.ipv4.ip_forward, conf/all */
	enum router_switch bridge_calls_ip, bridge_calls_ip6;	/* bridge-nf-call-* */
	enum router_switch route_localnet;		/* conf/all */
	enum router_legacy legacy_nat4, legacy_nat6;
	struct netlink *netlink;	/* for router_route(); private */
};

int router_new(struct router **ret_router, struct err *ret_err) must_check;
void router_free(struct router *router);

const struct router_link *router_link_find(const struct router *router, const char *name);
const struct router_link *router_link_of(const struct router *router, uint32_t index);
/* The link that has the address as its own; NULL: none. */
const struct router_link *router_owner(const struct router *router,
				       const struct addr *address);
/* The address entry whose network holds it on-link (longest first); NULL: none. */
const struct router_address *router_network_of(const struct router *router,
					       const struct addr *address);
/*
 * Who here would take a packet to that address and port; NULL: nobody. Sockets bound to a
 * link count whatever link it is, but for the loopback's.
 */
const struct router_socket *router_listener(const struct router *router,
					    uint8_t protocol, const struct addr *address,
					    uint16_t port);

/* RTM_GETROUTE: what the kernel would do with a packet. */
struct router_question {
	struct addr destination;
	struct addr source;		/* none: the kernel chooses */
	uint32_t in;			/* came by that link; 0: made here */
	uint32_t out;			/* must leave by that link; 0: any */
	uint32_t mark;
	uint8_t protocol;		/* for rules that ask for it; 0: none */
	/* host order */
	uint16_t source_port, destination_port;
};

struct router_answer {
	/* RTN_UNICAST, RTN_LOCAL, RTN_BROADCAST, ...; 0: the kernel gave an error */
	uint8_t type;
	/*
	 * -EXDEV: source refused by rp_filter; -ENETUNREACH: no route; -EHOSTUNREACH: an
	 * unreachable route, or IPv4 that came by a link which does not forward; -EACCES:
	 * a prohibit route; -EINVAL: a blackhole, or an impossible source
	 */
	int error;
	uint32_t out;
	struct addr gateway;		/* none: on-link */
	struct addr source;		/* the kernel's choice */
};

int router_route(const struct router *router, const struct router_question *question,
		 struct router_answer *ret_answer, struct err *ret_err) must_check;

#endif
