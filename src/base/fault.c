/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/fault.h"

#include <limits.h>
#include <stdio.h>

bool fault_again(struct fault *fault)
{
	if (fault->count < UINT_MAX)
		fault->count++;
	return (fault->count & (fault->count - 1)) == 0;
}

unsigned fault_over(struct fault *fault)
{
	unsigned count = fault->count;

	fault->count = 0;
	return count;
}

bool fault_comes(struct fault *fault, int64_t now_ms)
{
	if (now_ms - fault->last_ms > FAULT_ROW_MS)
		fault->count = 0;
	fault->last_ms = now_ms;
	return fault_again(fault);
}

bool fault_goes(const struct fault *fault)
{
	return fault->count == 1;
}

const char *fault_count(const struct fault *fault, char out[FAULT_TEXT_BYTES])
{
	out[0] = '\0';
	if (fault->count > 1)
		snprintf(out, FAULT_TEXT_BYTES, " (%u times now)", fault->count);
	return out;
}
