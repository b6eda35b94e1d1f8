/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft_plain.h"

#include <stdlib.h>
#include <string.h>

#include "nft_ruleset.h"

void plain_done(struct plain *plain)
{
	wire_done(&plain->asked);
	free(plain->sets);
	*plain = (struct plain){ 0 };
}

static void write_asked(struct wire *wire, const struct nft_request *request)
{
	wire_put_u32(wire, 0, request->filter);
	wire_put_string(wire, 1, request->name_prefix ? request->name_prefix : "");
	for (size_t i = 0; i < request->target_count; i++)
		wire_put_string(wire, 2, request->targets[i].tag.pattern);
	for (size_t i = 0; i < request->table_count; i++) {
		wire_put_u32(wire, 3, (uint32_t)request->tables[i].family);
		wire_put_string(wire, 4, request->tables[i].name);
	}
}

void plain_begin(struct plain *plain, const struct nft_request *request,
		 uint32_t generation)
{
	struct wire asked = { 0 };
	bool same;

	write_asked(&asked, request);
	same = !asked.failed && asked.length == plain->asked.length &&
	       memcmp(asked.bytes, plain->asked.bytes, asked.length) == 0;
	plain->trusted = plain->known && same && generation == plain->generation;
	plain->known = false;
	if (!plain->trusted)
		plain->count = 0;
	wire_done(&plain->asked);
	plain->asked = asked;
}

bool plain_holds(const struct plain *plain, size_t index, uint64_t handle)
{
	return plain->trusted && index < plain->count &&
	       plain->sets[index].handle == handle && plain->sets[index].plain;
}

void plain_note(struct plain *plain, size_t index, uint64_t handle, bool is_plain)
{
	/* Without memory for more, these sets are read again next time. */
	if (index > plain->count ||
	    ruleset_grow((void **)&plain->sets, index, &plain->room,
			 sizeof(*plain->sets)) < 0)
		return;
	plain->sets[index] = (struct plain_set){ handle, is_plain };
	if (index == plain->count)
		plain->count++;
}

void plain_end(struct plain *plain, uint32_t generation)
{
	plain->known = !plain->asked.failed;
	plain->generation = generation;
}
