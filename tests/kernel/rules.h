/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One nft_sync() with everything it told, kept for the test's questions.
 */
#ifndef TESTS_KERNEL_RULES_H
#define TESTS_KERNEL_RULES_H

#include "hairpin/clock.h"
#include "hairpin/nft.h"
#include "lab.h"

#define OLD "203.0.113.1"
#define NEW "198.51.100.7"
#define OLD6 "2001:db8::1"
#define NEW6 "2001:db8:ffff::7"

enum { RULES_ITEMS_MAX = 2048 };

struct rules_item {
	struct nft_item item;
	char table[NFT_NAME_BYTES], chain[NFT_NAME_BYTES], comment[NFT_COMMENT_BYTES];
	char name[NFT_NAME_BYTES];
};

struct rules {
	struct nft *nft;
	struct nft_target target;
	struct nft_request request;
	struct nft_report report;
	struct err err;
	struct addr former[4];
	struct rules_item *items;
	size_t count;
	int result;
};

static LAB_UNUSED void rules_take(void *context, const struct nft_item *item)
{
	struct rules *rules = context;
	struct rules_item *kept = &rules->items[rules->count];

	assert_true(rules->count < RULES_ITEMS_MAX);
	rules->count++;
	kept->item = *item;
	strcpy(kept->table, item->table);
	strcpy(kept->chain, item->chain);
	strcpy(kept->comment, item->comment);
	strcpy(kept->name, item->name ? item->name : "");
	kept->item.name = item->name ? kept->name : NULL;
}

static LAB_UNUSED struct addr rules_addr(const char *text)
{
	struct addr address;

	assert_true(addr_parse(text, &address));
	return address;
}

static LAB_UNUSED void rules_open(struct rules *rules)
{
	memset(rules, 0, sizeof(*rules));
	assert_int_equal(nft_new(&rules->nft, &rules->err), 0);
	assert_int_equal(tag_init(&rules->target.tag, "hairpin", NULL), 0);
	rules->target.ipv4 = rules_addr(NEW);
	rules->target.ipv6 = rules_addr(NEW6);
	rules->target.former = rules->former;
	rules->request.targets = &rules->target;
	rules->request.target_count = 1;
	rules->request.services = true;
	rules->request.item = rules_take;
	rules->request.context = rules;
	rules->items = calloc(RULES_ITEMS_MAX, sizeof(*rules->items));
	assert_non_null(rules->items);
}

static LAB_UNUSED void rules_close(struct rules *rules)
{
	nft_free(rules->nft);
	tag_done(&rules->target.tag);
	free(rules->items);
}

static LAB_UNUSED void rules_former(struct rules *rules, const char *address)
{
	rules->former[rules->target.former_count++] = rules_addr(address);
}

static LAB_UNUSED void rules_sync(struct rules *rules)
{
	rules->count = 0;
	rules->result = nft_sync(rules->nft, &rules->request, &rules->report, &rules->err);
	if (rules->result < 0)
		print_message("# %s\n", rules->err.text);
	assert_int_equal(rules->result, 0);
	assert_int_equal(rules->report.total.tagged, rules->count);
}

/* The item with this comment; there must be exactly one. */
static LAB_UNUSED const struct nft_item *rules_find(const struct rules *rules,
						    const char *comment)
{
	const struct nft_item *found = NULL;

	for (size_t i = 0; i < rules->count; i++) {
		if (strcmp(rules->items[i].comment, comment) != 0)
			continue;
		assert_null(found);
		found = &rules->items[i].item;
	}
	if (!found)
		fail_msg("nothing is told about \"%s\"", comment);
	return found;
}

static LAB_UNUSED void rules_skipped(const struct rules *rules, const char *comment,
				     const char *reason)
{
	const struct nft_item *item = rules_find(rules, comment);

	assert_int_equal(item->result, NFT_SKIPPED);
	assert_non_null(item->reason);
	if (!strstr(item->reason, reason))
		fail_msg("\"%s\": \"%s\" is not \"%s\"", comment, item->reason, reason);
	assert_false(item->in_step);
	assert_true(addr_is_none(&item->new));
}

static LAB_UNUSED void rules_changed(const struct rules *rules, const char *comment,
				     const char *old, const char *new)
{
	const struct nft_item *item = rules_find(rules, comment);
	struct addr from = rules_addr(old), to = rules_addr(new);

	if (item->result != NFT_CHANGED)
		fail_msg("\"%s\": "
			"%s", comment, item->reason ? item->reason : "unchanged");
	assert_true(addr_equal(&item->old, &from));
	assert_true(addr_equal(&item->new, &to));
	assert_null(item->reason);
}

/* A table that belongs to the program behind this pipe, with a rule "hairpin own" in it. */
static LAB_UNUSED FILE *rules_of_another_program(void)
{
	int64_t until_ms = clock_now_ms() + LAB_PATIENCE_MS;
	FILE *owner = popen("nft -i >/dev/null 2>&1", "w");

	assert_non_null(owner);
	fputs("add table ip own { flags owner; }\n"
	      "add chain ip own pre { type nat hook prerouting priority -90; }\n"
	      "add rule ip own pre ip daddr " OLD " tcp dport 1 dnat to 10.0.0.2 comment "
	      "\"hairpin own\"\n", owner);
	fflush(owner);
	while (lab_try("nft list ruleset | grep -q 'hairpin own'") != 0) {
		assert_true(clock_now_ms() < until_ms);
		usleep(10000);
	}
	return owner;
}

/*
 * The whole ruleset is as before but for `old` to `new` on lines with `mark`. Frees
 * `before`.
 */
static LAB_UNUSED void rules_expect_only(char *before, const char *mark, const char *old,
					 const char *new)
{
	char *expected = lab_expect(before, mark, old, new), *after = lab_listing();

	assert_string_equal(expected, after);
	free(before);
	free(expected);
	free(after);
}

#endif
