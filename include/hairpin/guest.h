/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: kernel */
/*
 * One more client on a LAN for a moment: a pair of virtual Ethernet links, one end a port
 * of the LAN's bridge, the other one in a network namespace of the caller's, where it gets
 * an address and a default route. Everything of it goes with that namespace.
 *
 * A bridge takes the lowest hardware address and the lowest MTU of its ports for its own.
 * So that the router does not change for its clients the port has a high address and the
 * bridge's MTU, and a bridge without any port is refused.
 */
#ifndef HAIRPIN_GUEST_H
#define HAIRPIN_GUEST_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/err.h"

struct guest;

/*
 * The bridge that a LAN's link is, or lies on as its VLAN. -EMEDIUMTYPE: neither; -ENODEV:
 * there is no such link, or the bridge has no port.
 */
struct guest_bridge {
	uint32_t index;
	char name[IFNAMSIZ];
	uint32_t mtu;
	uint16_t vlan;			/* frames are tagged so; 0: not tagged */
	uint16_t own_vlan;		/* where it filters: of what is not tagged */
	bool filters;			/* VLANs of its ports */
	bool spanning;			/* takes part in the spanning tree */
	uint32_t forward_delay_ms;	/* then a new port is silent for twice so long */
	unsigned ports;
};
int guest_find_bridge(uint32_t link, struct guest_bridge *ret_bridge,
		      struct err *ret_err) must_check;

/*
 * The port, and its other end in the namespace `there` (a descriptor). To be called in the
 * router's own namespace. -EPERM; -EOPNOTSUPP: a kernel without such links.
 */
int guest_new(const struct guest_bridge *bridge, int there, struct guest **ret_guest,
	      struct err *ret_err) must_check;
/* Takes the port away, at once. */
void guest_free(struct guest *guest);

/*
 * To be called in that namespace; what follows may be called anywhere. Brings the other end
 * up; the client's link is that, or a VLAN of it where the bridge's frames are tagged.
 */
int guest_enter(struct guest *guest, struct err *ret_err) must_check;
uint32_t guest_link(const struct guest *guest);
const uint8_t *guest_mac(const struct guest *guest);	/* 6 bytes */
/* IPv6: begins duplicate address detection. */
int guest_take_address(struct guest *guest, const struct addr *address, uint8_t bits,
		       struct err *ret_err) must_check;
/* 1: the address may be used. 0: not yet. -EADDRINUSE: somebody else has it. */
int guest_may_use(struct guest *guest, const struct addr *address) must_check;
int guest_drop_address(struct guest *guest, const struct addr *address,
		       uint8_t bits) must_check;
int guest_route(struct guest *guest, const struct addr *gateway,
		struct err *ret_err) must_check;

/* 1: the bridge forwards what the port sends. 0: not yet. */
int guest_is_heard(struct guest *guest) must_check;
/* Has the router a neighbour of that address on the link, even a former one? */
bool guest_is_neighbour(struct guest *guest, uint32_t link, const struct addr *address);

#endif
