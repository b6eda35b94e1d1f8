/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_GUEST_PRIVATE_H
#define KERNEL_GUEST_PRIVATE_H

#include "hairpin/guest.h"

#include "netlink.h"

struct guest {
	struct guest_bridge bridge;
	struct netlink here, there;
	uint32_t port;			/* 0: not there yet */
	uint32_t end;			/* the pair's other end, in the namespace */
	uint32_t link;			/* `end`, or its VLAN */
	uint8_t mac[6];
};

#endif
