/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long to wait before a process that died is started again. Pure: the time comes in.
 *
 * The first death is answered at once. Who dies again soon after its start is waited for
 * ever longer, up to RESTART_MAX_MS; who lived RESTART_HEALTHY_MS is forgiven.
 */
#ifndef HAIRPIN_SUPERVISOR_RESTART_H
#define HAIRPIN_SUPERVISOR_RESTART_H

#include <stdint.h>

enum { RESTART_FIRST_MS = 250, RESTART_MAX_MS = 4000, RESTART_HEALTHY_MS = 30000 };

struct restart {			/* zero: never started */
	unsigned quick_deaths;
	int64_t started_ms;
};

void restart_started(struct restart *restart, int64_t now_ms);

/* It died: milliseconds until it may be started again. */
int64_t restart_delay_ms(struct restart *restart, int64_t now_ms);

enum { RESTART_DEATH_BYTES = 80 };
/* "ended by signal 9 (Killed)", "left with status 1", by its wait status. Returns `out`. */
const char *restart_death(int status, char out[RESTART_DEATH_BYTES]);

#endif
