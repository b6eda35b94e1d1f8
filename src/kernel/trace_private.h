/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_TRACE_PRIVATE_H
#define KERNEL_TRACE_PRIVATE_H

#include "hairpin/trace.h"

#include "netlink.h"

/* How our tables are called, by whomever. */
#define TRACE_TABLE "hairpin-probe-"

/* Packets under way at a time: the client sends a handful. */
enum { TRACE_PACKETS_MAX = 32 };

struct trace {
	struct netlink owner;		/* the table lives as long as this socket */
	struct netlink events;
	char table[32];
	uint32_t packets[TRACE_PACKETS_MAX];	/* those marked last, in a ring */
	size_t packet_count;
	/* one datagram of events, and how much of it was given out */
	_Alignas(struct nlmsghdr) uint8_t datagram[8192];
	size_t length, place;
};

/* trace_table.c: makes it, with chains and rules, as one transaction. */
int trace_table_make(struct trace *trace, const struct trace_flow *flow,
		     struct err *ret_err) must_check;

/* The hook of one of our chains. */
unsigned trace_table_hook(struct span chain);

#endif
