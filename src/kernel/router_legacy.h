/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Apart from router.h: the headers of the old iptables do not bear net/if.h beside them
 * everywhere.
 */
#ifndef KERNEL_ROUTER_LEGACY_H
#define KERNEL_ROUTER_LEGACY_H

/* As enum router_legacy. */
enum { LEGACY_NONE, LEGACY_EMPTY, LEGACY_RULES };

int router_read_legacy(int family);

#endif
