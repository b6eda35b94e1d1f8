/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: system */
/*
 * A second network for this process, empty and without a name.
 *
 * A socket belongs to the network in which it was made, wherever its owner is afterwards.
 * So nobody has to live there: who needs a socket enters, makes it and leaves. The network
 * is held by descriptors alone and ends with them, whatever ends this process.
 *
 * Only for processes of one thread.
 */
#ifndef HAIRPIN_NETNS_H
#define HAIRPIN_NETNS_H

#include "hairpin/err.h"

struct netns {
	int here, there;	/* descriptors: /proc/self/ns/net of both; -1 */
};

/* -EPERM, -ENOSYS and the like with a sentence why it cannot be. */
int netns_new(struct netns *ret_netns, struct err *ret_err) must_check;
void netns_done(struct netns *netns);

int netns_enter(const struct netns *netns, struct err *ret_err) must_check;
/*
 * Cannot fail where netns_new() did not: to go on in the wrong network would be worse
 * than to end, so it ends the process.
 */
void netns_leave(const struct netns *netns);

#endif
