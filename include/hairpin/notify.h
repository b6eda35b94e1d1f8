/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: system */
/*
 * sd_notify(3) in a few lines: a datagram to $NOTIFY_SOCKET. Never blocks, never fails
 * loudly.
 */
#ifndef HAIRPIN_NOTIFY_H
#define HAIRPIN_NOTIFY_H

#include <stdint.h>

/*
 * "READY=1\nSTATUS=..." and the like; nothing happens where no service manager listens.
 */
void notify_send(const char *state);

/*
 * How often "WATCHDOG=1" is due: half of $WATCHDOG_USEC; 0: no watchdog (or it is for
 * another pid).
 */
int64_t notify_watchdog_ms(void);

#endif
