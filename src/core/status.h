/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces of JSON that more than one answer is made of. */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H

#include <stdbool.h>

#include "hairpin/addr.h"
#include "hairpin/json.h"
#include "hairpin/nft.h"
#include "hairpin/text.h"

struct core;

/* Where a list of an answer ends: a further piece and the rest fit into what clients read. */
enum { STATUS_TEXT_MAX = JSON_MAX_BYTES - 8192 };

void status_add_address(struct json *object, const char *key, const struct addr *address);
/* Escaped. */
void status_add_foreign(struct json *object, const char *key, const char *string);

/* A tagged thing with its WAN's name, as of the command "rules". */
struct json *status_format_item(const struct core *core, const struct nft_item *item);

/* Not the family that nobody named and the WAN has no address of, if it has of the other. */
bool status_is_of_interest(const struct core *core, size_t index);

#endif
