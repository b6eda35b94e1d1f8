/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_ROUTER_PRIVATE_H
#define KERNEL_ROUTER_PRIVATE_H

#include "hairpin/router.h"
#include "netlink.h"
#include "router_file.h"

/* Each fills its part of an empty router. */
int router_read_links(struct router *router, struct err *ret_err) must_check;
/* `ask` false: not by sock_diag, as where the kernel has none. */
int router_read_sockets(struct router *router, bool ask, struct err *ret_err) must_check;
void router_read_switches(struct router *router);

/* Their programs, as far as we may know them. */
void router_name_sockets(struct router *router);

#endif
