/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "item.h"

#include <inttypes.h>
#include <string.h>

#include "status.h"

enum { ITEM_TEXT_BYTES = 4 * NFT_COMMENT_BYTES };	/* every byte as \xNN */

static const char *shown(const char *foreign, char out[ITEM_TEXT_BYTES])
{
	return text_escape(out, ITEM_TEXT_BYTES, foreign, strlen(foreign));
}

struct json *item_format_json(const struct nft_item *item)
{
	struct json *object = json_new_object();
	char text[ITEM_TEXT_BYTES];

	json_add_string(object, "kind", nft_kind_name(item->kind));
	json_add_string(object, "family", nft_family_name(item->family));
	json_add_string(object, "table", shown(item->table, text));
	json_add_string(object, "chain", shown(item->chain, text));
	json_add_integer(object, "handle", (int64_t)item->handle);
	json_add_string(object, "comment", shown(item->comment, text));
	json_add_string(object, "result", nft_result_name(item->result));
	status_add_address(object, "old", &item->old);
	status_add_address(object, "new", &item->new);
	json_add_string(object, "reason", item->reason);
	return object;
}

void item_print(FILE *out, const struct nft_item *item, bool dry_run)
{
	char table[ITEM_TEXT_BYTES], chain[ITEM_TEXT_BYTES], comment[ITEM_TEXT_BYTES];
	char old[ADDR_TEXT_BYTES], new[ADDR_TEXT_BYTES];

	fprintf(out, "%s %s %s %s %" PRIu64 " \"%s\": ", nft_kind_name(item->kind),
		nft_family_name(item->family), shown(item->table, table),
		shown(item->chain, chain), item->handle, shown(item->comment, comment));
	addr_format(&item->old, old);
	addr_format(&item->new, new);
	if (item->result == NFT_CHANGED)
		fprintf(out, "%s -> %s%s\n", old, new, dry_run ? " (dry run)" : "");
	else if (item->result == NFT_UNCHANGED)
		fprintf(out, "%s already\n", old);
	else
		fprintf(out, "%s%sleft alone: %s\n", old, old[0] ? " " : "",
			item->reason);
}
