/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/allowance.h"

#include "hairpin/order.h"

int64_t allowance_due_ms(const struct allowance *allowance, int64_t now_ms)
{
	int64_t due_ms = allowance->spent_ms -
			 (allowance->at_once - 1) * allowance->apart_ms;

	return MAX(due_ms, now_ms);
}

bool allowance_is_due(const struct allowance *allowance, int64_t now_ms)
{
	return allowance_due_ms(allowance, now_ms) <= now_ms;
}

void allowance_spend(struct allowance *allowance, int64_t now_ms)
{
	allowance->spent_ms = MAX(allowance->spent_ms, now_ms) + allowance->apart_ms;
}
