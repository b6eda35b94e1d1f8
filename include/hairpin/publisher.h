/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: publisher */
/*
 * The internet side: takes jobs from the core's channel, does several of them at once
 * on one libev loop, and answers each record of each job with one result. It keeps
 * nothing: what is not answered when it ends is given again to the next publisher.
 *
 * It leaves when the core closes the channel, which is how it is sent home after an idle
 * minute; by itself only when /etc/resolv.conf is no longer the file it began with (a
 * sandbox may hide the new one): then it takes no further job and ends when those in
 * flight are answered.
 */
#ifndef HAIRPIN_PUBLISHER_H
#define HAIRPIN_PUBLISHER_H

#include "hairpin/err.h"

enum {
	PUBLISHER_JOBS_MAX = 128,		/* at once; further ones wait in the channel */
};

struct ev_loop;

/*
 * Serves `channel` (struct message_job in, struct message_result out) until the core is
 * gone or resolv.conf is another: 0. -EPROTO: the core sent what is no job; -ENOMEM.
 */
int jobs_serve(struct ev_loop *loop, int channel, struct err *ret_err) must_check;

#endif
