/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tagged thing as people and programs read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "core/item.h"

static struct addr address(const char *text)
{
	struct addr addr = { 0 };

	if (text && !addr_parse(text, &addr))
		fail_msg("no address: %s", text);
	return addr;
}

static const struct form {
	struct nft_item item;
	const char *old, *new;
	bool dry_run;
	const char *line, *json;	/* after the comment; some of the members */
} forms[] = {
	{ { .result = NFT_CHANGED }, "81.2.69.1", "81.2.69.7", false,
	  "81.2.69.1 -> 81.2.69.7", "\"old\":\"81.2.69.1\",\"new\":\"81.2.69.7\"" },
	{ { .result = NFT_CHANGED }, "81.2.69.1", "81.2.69.7", true,
	  "81.2.69.1 -> 81.2.69.7 (dry run)", "\"result\":\"changed\"" },
	{ { .result = NFT_CHANGED }, NULL, "81.2.69.7", false,
	  "added 81.2.69.7", "\"old\":null,\"new\":\"81.2.69.7\"" },
	{ { .result = NFT_CHANGED, .bits = 64 }, "2a00:1::", "2a00:2::", false,
	  "2a00:1::/64 -> 2a00:2::/64", "\"old\":\"2a00:1::/64\",\"new\":\"2a00:2::/64\"" },
	{ { .result = NFT_UNCHANGED, .bits = 56 }, "2a00:1::", "2a00:1::", true,
	  "2a00:1::/56 already", "\"new\":\"2a00:1::/56\",\"reason\":null" },
	{ { .result = NFT_SKIPPED, .reason = "is a range" }, "81.2.69.1", NULL, true,
	  "81.2.69.1 left alone: is a range", "\"new\":null,\"reason\":\"is a range\"" },
	{ { .result = NFT_SKIPPED, .reason = "names no address" }, NULL, NULL, false,
	  "left alone: names no address", "\"old\":null,\"new\":null" },
	{ { .result = NFT_CHANGED, .kind = NFT_ELEMENT, .name = "a.example",
	    .target = NFT_OF_NAME }, NULL, NULL, false,
	  "holds a.example now", "\"name\":\"a.example\"" },
	{ { .result = NFT_UNCHANGED, .kind = NFT_SET, .name = "a\x1b.example",
	    .target = NFT_OF_NAME }, NULL, NULL, true,
	  "a\\x1b.example already", "\"name\":\"a\\\\x1b.example\"" },
};

static void every_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct nft_item item = forms[i].item;
		char *line = NULL, *text, wanted[200];
		struct json *json;
		size_t length;
		FILE *out = open_memstream(&line, &length);

		item.family = nft_family_parse("inet");
		item.table = "nat";
		item.chain = "pre";
		item.handle = 4;
		item.comment = "hairpin \"x\"\n";
		item.old = address(forms[i].old);
		item.new = address(forms[i].new);
		item_print(out, &item, forms[i].dry_run);
		fclose(out);
		snprintf(wanted, sizeof(wanted), "%s inet nat pre 4 \"hairpin \"x\"\\x0a\": %s\n",
			 nft_kind_name(item.kind), forms[i].line);
		assert_string_equal(line, wanted);
		json = item_format_json(&item);
		text = json_print(json, false);
		if (!strstr(text, forms[i].json))
			fail_msg("no %s in %s", forms[i].json, text);
		if (!item.name && !strstr(text, "\"name\":null"))
			fail_msg("a name in %s", text);
		json_free(json);
		free(text);
		free(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_form) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
