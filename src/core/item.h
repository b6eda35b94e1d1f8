/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One tagged thing as JSON and as a line, the same for every command that shows some. */
#ifndef CORE_ITEM_H
#define CORE_ITEM_H

#include <stdbool.h>
#include <stdio.h>

#include "hairpin/json.h"
#include "hairpin/nft.h"

struct json *item_format_json(const struct nft_item *item);
void item_print(FILE *out, const struct nft_item *item, bool dry_run);

#endif
