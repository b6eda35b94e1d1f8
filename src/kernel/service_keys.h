/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which connections the keys of one set or map stand for.
 */
#ifndef KERNEL_SERVICE_KEYS_H
#define KERNEL_SERVICE_KEYS_H

#include "nft_set.h"

struct service_key {
	struct nft_service service;
	struct span chain;		/* that a verdict map sends it to; empty: none */
	bool end;			/* the first one behind an interval */
};

/* Zeroed but for what the caller gives; service_keys_done() in every case. */
struct service_keys {
	const struct nft_request *request;
	struct arena *arena;
	struct service_key *list;
	size_t count, room;
};

/*
 * Keys with an address that no WAN and no name has are left out. What a key says beside
 * address, protocol and port does not count. 1: the set says nothing of these, and was
 * not read; negative: it could not be read, or excludes them.
 */
int service_keys_read(struct nft *nft, const struct ruleset_table *table,
		      const struct rule_lookup *lookup, int side,
		      struct service_keys *keys) must_check;

/*
 * Adds what the keys from `index` on stand for, as far as they lead to the same chain;
 * the index of the first one that does not.
 */
size_t service_keys_group(const struct service_keys *keys, size_t index,
			  struct nft_services *services);
void service_keys_done(struct service_keys *keys);

#endif
