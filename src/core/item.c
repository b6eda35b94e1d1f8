/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "item.h"

#include <inttypes.h>
#include <string.h>

#include "hairpin/text.h"

enum { ITEM_TEXT_BYTES = 4 * NFT_COMMENT_BYTES };	/* every byte as \xNN */

static const char *shown(const char *foreign, char out[ITEM_TEXT_BYTES])
{
	return text_escape(out, ITEM_TEXT_BYTES, foreign, strlen(foreign));
}

/* An address, or a prefix of so many bits; null: none. */
static void add_value(struct json *object, const char *key, const struct addr *value,
		      unsigned bits)
{
	char text[ADDR_PREFIX_TEXT_BYTES];

	addr_format_prefix(value, bits, text);
	json_add_string(object, key, text[0] ? text : NULL);
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
	add_value(object, "old", &item->old, item->bits);
	add_value(object, "new", &item->new, item->bits);
	json_add_string(object, "reason", item->reason);
	json_add_string(object, "name", item->name ? shown(item->name, text) : NULL);
	return object;
}

static void print_changed(FILE *out, const struct nft_item *item, const char *old,
			  const char *new)
{
	char name[ITEM_TEXT_BYTES];

	if (old[0] && new[0])
		fprintf(out, "%s -> %s", old, new);
	else if (new[0])
		fprintf(out, "added %s", new);
	else if (old[0])
		fprintf(out, "removed %s", old);
	else
		fprintf(out, "holds %s now",
			item->name ? shown(item->name, name) : "other addresses");
}

static void print_unchanged(FILE *out, const struct nft_item *item, const char *old)
{
	char name[ITEM_TEXT_BYTES];

	if (!old[0])
		old = item->name ? shown(item->name, name) : "in step";
	fprintf(out, "%s already", old);
}

void item_print(FILE *out, const struct nft_item *item, bool dry_run)
{
	char table[ITEM_TEXT_BYTES], chain[ITEM_TEXT_BYTES], comment[ITEM_TEXT_BYTES];
	char old[ADDR_PREFIX_TEXT_BYTES], new[ADDR_PREFIX_TEXT_BYTES];

	fprintf(out, "%s %s %s %s %" PRIu64 " \"%s\": ", nft_kind_name(item->kind),
		nft_family_name(item->family), shown(item->table, table),
		shown(item->chain, chain), item->handle, shown(item->comment, comment));
	addr_format_prefix(&item->old, item->bits, old);
	addr_format_prefix(&item->new, item->bits, new);
	if (item->result == NFT_CHANGED)
		print_changed(out, item, old, new);
	else if (item->result == NFT_UNCHANGED)
		print_unchanged(out, item, old);
	else
		fprintf(out, "%s%sleft alone: %s", old, old[0] ? " " : "", item->reason);
	fprintf(out, "%s\n", dry_run && item->result == NFT_CHANGED ? " (dry run)" : "");
}
