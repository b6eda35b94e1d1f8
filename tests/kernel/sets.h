/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rulesets there and back again: what a change of address makes of them is what nft makes
 * of the same text with the other address.
 */
#ifndef TESTS_KERNEL_SETS_H
#define TESTS_KERNEL_SETS_H

#include <sys/socket.h>

#include "rules.h"

#define BASE "chain pre { type nat hook prerouting priority -100; }\n" \
	     "chain post { type nat hook postrouting priority 100; }\n"

/* What follows the WAN, in rulesets below. */
#define W "@4"
#define W6 "@6"

/* The text with addresses for W and W6, loaded into an empty kernel; its listing. */
static LAB_UNUSED char *load(const char *text, const char *four, const char *six)
{
	char *middle = lab_expect(text, "", W6, six), *whole = lab_expect(middle, "", W, four);
	char *listing;

	lab_flush();
	lab_nft(whole);
	free(middle);
	free(whole);
	/* Handles of tables count on, all others begin anew. */
	listing = lab_output("nft -a list ruleset | sed 's/^\\(table .*\\) # handle.*/\\1/'");
	return listing;
}

static LAB_UNUSED void expect_listing(const char *expected)
{
	char *listing = lab_output("nft -a list ruleset | "
				   "sed 's/^\\(table .*\\) # handle.*/\\1/'");

	size_t same = 0, line = 0;

	for (; expected[same] && expected[same] == listing[same]; same++)
		line = expected[same] == '\n' ? same + 1 : line;
	if (strcmp(expected, listing) != 0)
		fail_msg("expected:\n%.300s\nis:\n%.300s", expected + line, listing + line);
	free(listing);
}

static LAB_UNUSED void sync_changes(struct rules *rules, unsigned changed)
{
	rules_sync(rules);
	for (size_t i = 0; i < rules->count && rules->report.total.changed != changed; i++)
		print_message("# %s: %s\n", rules->items[i].comment,
			      rules->items[i].item.reason
				      ? rules->items[i].item.reason : "-");
	assert_int_equal(rules->report.total.changed, changed);
	assert_int_equal(rules->report.refused, 0);
}

/*
 * From OLD to NEW it becomes what nft makes of the same text with NEW, and back again.
 */
static LAB_UNUSED void there_and_back(struct rules *rules, const char *text, unsigned changed)
{
	char *new = load(text, NEW, NEW6), *old = load(text, OLD, OLD6);

	rules_former(rules, OLD);
	rules_former(rules, OLD6);
	sync_changes(rules, changed);
	expect_listing(new);
	sync_changes(rules, 0);
	assert_int_equal(rules->report.commit_us, 0);

	rules_former(rules, NEW);
	rules_former(rules, NEW6);
	rules->target.ipv4 = rules_addr(OLD);
	rules->target.ipv6 = rules_addr(OLD6);
	sync_changes(rules, changed);
	expect_listing(old);
	free(new);
	free(old);
}

/* Names and what they resolve to. */
static LAB_UNUSED const char *const texts[] = { "81.2.69.1", "81.2.69.2", "2001:db8:5::1" };

static LAB_UNUSED void give_name(struct rules *rules, struct addr *room, struct nft_name *name,
		      const char *text, size_t first, size_t count)
{
	for (size_t i = 0; i < count; i++)
		room[i] = rules_addr(texts[first + i]);
	*name = (struct nft_name){ text, room, count };
	rules->request.names = name;
	rules->request.name_count = 1;
	rules->request.name_prefix = "dns:";
}

#endif
