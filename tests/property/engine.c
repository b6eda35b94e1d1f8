/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * engine ADDRESS KEEP_BITS FILTER DRY_RUN [FORMER...]: one nft_sync() with what --rewrite
 * has no option for; told as --rewrite --json tells it. KEEP_BITS 0: whole addresses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "core/item.h"
#include "hairpin/json.h"
#include "hairpin/nft.h"

enum { FORMER_MAX = 8, ARGUMENTS = 5 };

static void take_item(void *context, const struct nft_item *item)
{
	json_add(context, NULL, item_format_json(item));
}

static void print(struct json *items, const struct nft_report *report)
{
	struct json *root = json_new_object();
	char *text;

	json_add_integer(root, "changed", report->total.changed);
	json_add_integer(root, "unchanged", report->unchanged);
	json_add_integer(root, "skipped", report->total.skipped);
	json_add(root, "items", items);
	text = json_print(root, false);
	if (text)
		puts(text);
	free(text);
	json_free(root);
}

static bool read_target(struct nft_target *target, struct addr *former, int argc, char **argv)
{
	struct addr address;

	if (argc < ARGUMENTS || argc > ARGUMENTS + FORMER_MAX ||
	    !addr_parse(argv[1], &address) || tag_init(&target->tag, "hairpin", NULL) < 0)
		return false;
	target->keep_bits = (unsigned)atoi(argv[2]);
	if (address.family == AF_INET)
		target->ipv4 = address;
	else
		target->ipv6 = target->prefix = address;
	for (int i = ARGUMENTS; i < argc; i++) {
		if (!addr_parse(argv[i], &former[target->former_count++]))
			return false;
	}
	target->former = former;
	return true;
}

int main(int argc, char **argv)
{
	struct addr former[FORMER_MAX];
	struct nft_target target = { 0 };
	struct nft_request request = { .targets = &target, .target_count = 1,
				       .item = take_item };
	struct nft_report report;
	struct err err = { "" };
	struct nft *nft;

	if (!read_target(&target, former, argc, argv))
		return 2;
	request.filter = atoi(argv[3]);
	request.dry_run = atoi(argv[4]);
	request.context = json_new_array();
	if (nft_new(&nft, &err) < 0 || nft_sync(nft, &request, &report, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	nft_free(nft);
	print(request.context, &report);
	tag_done(&target.tag);
	return report.refused != 0;
}
