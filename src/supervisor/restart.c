/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "restart.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

void restart_started(struct restart *restart, int64_t now_ms)
{
	restart->started_ms = now_ms;
}

int64_t restart_delay_ms(struct restart *restart, int64_t now_ms)
{
	int64_t delay_ms = RESTART_FIRST_MS;
	unsigned i;

	if (now_ms - restart->started_ms >= RESTART_HEALTHY_MS)
		restart->quick_deaths = 0;
	if (restart->quick_deaths++ == 0)
		return 0;
	for (i = 2; i < restart->quick_deaths && delay_ms < RESTART_MAX_MS; i++)
		delay_ms *= 2;
	return delay_ms < RESTART_MAX_MS ? delay_ms : RESTART_MAX_MS;
}

const char *restart_death(int status, char out[RESTART_DEATH_BYTES])
{
	if (WIFSIGNALED(status))
		snprintf(out, RESTART_DEATH_BYTES, "ended by signal %d (%s)",
			 WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(out, RESTART_DEATH_BYTES, "left with status %d",
			 WEXITSTATUS(status));
	return out;
}
