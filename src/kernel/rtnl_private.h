/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_RTNL_PRIVATE_H
#define KERNEL_RTNL_PRIVATE_H

#include "hairpin/rtnl.h"
#include "netlink.h"

struct rtnl {
	struct netlink command;
	struct netlink events;
};

#endif
