/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a step is taken.
 */
#ifndef PROVIDER_CONDITION_H
#define PROVIDER_CONDITION_H

#include "fill.h"

/* Does `value` name the addresses that the names of `fill` are to have, and no other? */
bool condition_is_wanted(const struct fill *fill, const char *value);

/* Does the step's `when` hold? */
bool condition_holds(const struct fill *fill, const struct catalogue_when *when);

/* A look that keeps what it reads, all of which is known. */
bool condition_is_known(const struct fill *fill, const struct catalogue_step *step);

#endif
