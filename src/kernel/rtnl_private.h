/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_RTNL_PRIVATE_H
#define KERNEL_RTNL_PRIVATE_H

#include "hairpin/rtnl.h"
#include "netlink.h"

struct rtnl {
	struct netlink command;
	struct netlink events;
	struct rtnl_watch watch;
	unsigned long overruns;
};

/* An interrupted dump is taken again so often. */
enum { RTNL_TRIES_MAX = 32 };

/* Room for one more entry of `bytes` in an array with `count`; NULL: no memory. */
void *rtnl_grow(void **array, size_t *count, size_t *room, size_t bytes);

enum { RTNL_FILTER_MAX = 32 + 2 * RTNL_WATCH_MAX };

/*
 * Which events reach us: everything of links and addresses, but of routes only default
 * ones, since a router may learn and lose a million others, and those that are watched.
 * Returns the program's length.
 */
size_t rtnl_filter(const struct rtnl_watch *watch,
		   struct sock_filter *code);

#endif
