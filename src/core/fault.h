/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Something that goes wrong again and again: said the 1st, 2nd, 4th, 8th ... time, so
 * that what is tried once a minute fills no log.
 */
#ifndef CORE_FAULT_H
#define CORE_FAULT_H

#include <stdbool.h>

struct fault {
	unsigned count;		/* in a row; 0: all is well */
};

/* It went wrong once more. True: worth a line. */
bool fault_again(struct fault *fault);

/* It went well. Tells how often it had gone wrong before. */
unsigned fault_over(struct fault *fault);

enum { FAULT_TEXT_BYTES = 32 };
/* "" the first time, then " (8 times now)". Returns `out`. */
const char *fault_count(const struct fault *fault, char out[FAULT_TEXT_BYTES]);

#endif
