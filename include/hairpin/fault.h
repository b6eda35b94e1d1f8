/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: base */
/*
 * Something that goes wrong again and again: said the 1st, 2nd, 4th, 8th ... time, so
 * that what is tried once a minute fills no log.
 */
#ifndef HAIRPIN_FAULT_H
#define HAIRPIN_FAULT_H

#include <stdbool.h>
#include <stdint.h>

enum { FAULT_ROW_MS = 3600 * 1000 };

struct fault {
	unsigned count;		/* in a row; 0: all is well */
	int64_t last_ms;	/* for fault_comes() */
};

/* It went wrong once more. True: worth a line. */
bool fault_again(struct fault *fault);

/* It went well. Tells how often it had gone wrong before. */
unsigned fault_over(struct fault *fault);

/*
 * For what comes and goes, which would fill the log by its going well: what comes back
 * within an hour is the same fault. It is said to be over the first time only.
 */
bool fault_comes(struct fault *fault, int64_t now_ms);
bool fault_goes(const struct fault *fault);

enum { FAULT_TEXT_BYTES = 32 };
/* "" the first time, then " (8 times now)". Returns `out`. */
const char *fault_count(const struct fault *fault, char out[FAULT_TEXT_BYTES]);

#endif
