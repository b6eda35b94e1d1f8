/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

static int netns_open(struct err *ret_err)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_set_errno(ret_err, -errno, "/proc/self/ns/net") : fd;
}

/* That there is a way back is tried before the first step away. */
static int netns_make(struct netns *netns, struct err *ret_err)
{
	if (setns(netns->here, CLONE_NEWNET) < 0 || unshare(CLONE_NEWNET) < 0)
		return err_set_errno(ret_err, -errno, "making a network namespace");
	netns->there = netns_open(ret_err);
	netns_leave(netns);
	return netns->there < 0 ? netns->there : 0;
}

int netns_new(struct netns *ret_netns, struct err *ret_err)
{
	struct netns netns = { .here = netns_open(ret_err), .there = -1 };
	int r;

	if (netns.here < 0)
		return netns.here;
	r = netns_make(&netns, ret_err);
	if (r < 0) {
		netns_done(&netns);
		return r;
	}
	*ret_netns = netns;
	return 0;
}

void netns_done(struct netns *netns)
{
	if (netns->there >= 0)
		close(netns->there);
	if (netns->here >= 0)
		close(netns->here);
	*netns = (struct netns){ -1, -1 };
}

int netns_enter(const struct netns *netns, struct err *ret_err)
{
	if (setns(netns->there, CLONE_NEWNET) < 0)
		return err_set_errno(ret_err, -errno, "entering a network namespace");
	return 0;
}

void netns_leave(const struct netns *netns)
{
	if (setns(netns->here, CLONE_NEWNET) < 0)
		abort();
}
