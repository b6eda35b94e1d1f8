/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was looked up and is kept with a record between jobs: `name=value&...`,
 * percent-encoded. It lies in the state file meanwhile: what comes back is a stranger's.
 */
#ifndef PROVIDER_MEMO_H
#define PROVIDER_MEMO_H

#include "fill.h"
#include "hairpin/message.h"

/* Does the description keep what it reads by that name? */
bool memo_keeps(const struct catalogue *catalogue, const char *name);

/* Values that the description keeps; all else is ignored. False: there was none. */
bool memo_read(const char *memo, struct fill *fill);

/* What does not fit is not kept. */
void memo_write(const struct fill *fill, char out[MESSAGE_MEMO_BYTES]);

#endif
