/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/rtnl.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink.h"
#include "rtnl_private.h"

/* So many datagrams at a time: a storm must not keep the caller's loop. */
enum { READS_MAX = 512, EVENT_BYTES = 16 * 1024, RECEIVE_BYTES = 512 * 1024 };

/* Interfaces tell their statistics in no events of these groups. */
static int events_open(struct netlink *events, struct err *ret_err)
{
	static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
				      RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
				      RTNLGRP_IPV6_ROUTE };
	static const struct rtnl_watch nothing;
	struct sock_filter code[RTNL_FILTER_MAX];
	struct sock_fprog filter = { (unsigned short)rtnl_filter(&nothing, code), code };
	int room = RECEIVE_BYTES, r;

	r = netlink_subscribe(events, NETLINK_ROUTE, groups,
			      sizeof(groups) / sizeof(groups[0]), &filter, ret_err);
	if (r < 0)
		return r;
	setsockopt(events->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	return 0;
}

int rtnl_new(struct rtnl **ret_rtnl, struct err *ret_err)
{
	struct rtnl *rtnl = calloc(1, sizeof(*rtnl));
	int on = 1, r;

	if (!rtnl)
		return err_set_errno(ret_err, -ENOMEM, "rtnetlink");
	r = netlink_open(&rtnl->command, NETLINK_ROUTE, ret_err);
	if (r == 0)
		r = events_open(&rtnl->events, ret_err);
	if (r < 0) {
		rtnl_free(rtnl);
		return r;
	}
	/* Lets dumps be narrowed by the kernel; before Linux 4.20 everything comes. */
	setsockopt(rtnl->command.fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on,
		   sizeof(on));
	*ret_rtnl = rtnl;
	return 0;
}

void rtnl_free(struct rtnl *rtnl)
{
	if (!rtnl)
		return;
	netlink_close(&rtnl->command);
	netlink_close(&rtnl->events);
	free(rtnl);
}

int rtnl_fd(const struct rtnl *rtnl)
{
	return rtnl->events.fd;
}

/*
 * The filter has dropped what does not matter; it looks at the first message of a
 * datagram only, as do we.
 */
int rtnl_read(struct rtnl *rtnl, bool *ret_changed)
{
	_Alignas(struct nlmsghdr) uint8_t buffer[EVENT_BYTES];
	bool changed = false;
	ssize_t got = 0;

	for (int i = 0; i < READS_MAX; i++) {
		ssize_t before = got;

		got = netlink_receive(&rtnl->events, buffer, sizeof(buffer),
				      MSG_DONTWAIT);
		if (got == -EAGAIN)
			break;
		if (netlink_is_deaf(got, before))
			return (int)got;
		rtnl->overruns += got < 0;
		changed = true;
	}
	*ret_changed = changed;
	return 0;
}

unsigned long rtnl_overruns(const struct rtnl *rtnl)
{
	return rtnl->overruns;
}

const struct rtnl_link *rtnl_link_find(const struct rtnl_snapshot *snapshot,
				       const char *name)
{
	for (size_t i = 0; i < snapshot->link_count; i++) {
		if (strcmp(snapshot->links[i].name, name) == 0)
			return &snapshot->links[i];
	}
	return NULL;
}

static bool link_known(const struct rtnl_snapshot *snapshot, uint32_t index)
{
	for (size_t i = 0; i < snapshot->link_count; i++) {
		if (snapshot->links[i].index == index)
			return true;
	}
	return false;
}

uint32_t rtnl_default_link(const struct rtnl_snapshot *snapshot, int family)
{
	const struct rtnl_default *best = NULL;

	for (size_t i = 0; i < snapshot->default_count; i++) {
		const struct rtnl_default *route = &snapshot->defaults[i];

		if (!route->is_main || route->family != family ||
		    !link_known(snapshot, route->link))
			continue;
		if (!best || route->priority < best->priority)
			best = route;
	}
	return best ? best->link : 0;
}

uint32_t rtnl_uplink(const struct rtnl_snapshot *snapshot, const char *name, int family)
{
	const struct rtnl_link *link;
	uint32_t index;

	if (*name) {
		link = rtnl_link_find(snapshot, name);
		return link ? link->index : 0;
	}
	index = rtnl_default_link(snapshot, family);
	if (index)
		return index;
	return rtnl_default_link(snapshot, family == AF_INET ? AF_INET6 : AF_INET);
}

struct wan_candidate *rtnl_addresses_of(const struct rtnl_snapshot *snapshot,
					uint32_t link, size_t *ret_count)
{
	struct wan_candidate *list = calloc(snapshot->address_count + 1, sizeof(*list));

	*ret_count = 0;
	for (size_t i = 0; list && i < snapshot->address_count; i++) {
		if (snapshot->addresses[i].ifindex == link)
			list[(*ret_count)++] = snapshot->addresses[i];
	}
	return list;
}
