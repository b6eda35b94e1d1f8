/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: system */
/*
 * An event loop that does not end the process later: libev does so where it cannot grow one
 * of its lists, so room for as many watchers as a process of ours ever has is made here.
 */
#ifndef HAIRPIN_LOOP_H
#define HAIRPIN_LOOP_H

#include <ev.h>

enum { LOOP_WATCHERS = 256 };	/* descriptors and timers at the same time */

/*
 * NULL: the kernel gives none. Where there is no memory for a loop the process leaves with
 * status 1.
 */
struct ev_loop *loop_new(void);

#endif
