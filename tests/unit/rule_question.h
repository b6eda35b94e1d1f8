/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One rule, all that may decide about it, and what is expected of the verdict.
 */
#ifndef TESTS_UNIT_RULE_QUESTION_H
#define TESTS_UNIT_RULE_QUESTION_H

#include "rule_draft.h"

/* One question, with all that may decide it. */
struct question {
	struct rewrite_policy policy;
	struct nft_target target;
	struct addr former[2];
	struct rewrite_set sets[RULE_LOOKUPS_MAX];
};

static DRAFT_UNUSED void question_init(struct question *q, int family, unsigned hooks)
{
	memset(q, 0, sizeof(*q));
	assert_true(addr_parse("198.51.100.7", &q->target.ipv4));
	assert_true(addr_parse("2001:db8:ffff::7", &q->target.ipv6));
	q->target.former = q->former;
	q->policy.family = family;
	q->policy.hooks = hooks;
	q->policy.values.target = &q->target;
	for (size_t i = 0; i < RULE_LOOKUPS_MAX; i++)
		q->sets[i].change.result = NFT_SKIPPED;
}

static DRAFT_UNUSED void question_former(struct question *q, const char *text)
{
	assert_true(addr_parse(text, &q->former[q->target.former_count++]));
}

static DRAFT_UNUSED struct rewrite_verdict ask(const struct question *q, const struct draft *draft)
{
	struct rewrite_verdict verdict;
	struct rule_view view;

	rule_read(bytes_of(draft), q->policy.family, &view);
	rewrite_decide(&view, bytes_of(draft), q->sets, &q->policy, &verdict);
	return verdict;
}

/* The new address stands in so many places, and no byte elsewhere has changed. */
static DRAFT_UNUSED void expect_moved(const struct question *q, struct draft *draft,
				      size_t patches)
{
	struct rewrite_verdict verdict = ask(q, draft);
	size_t length = draft->wire.length;
	uint8_t *before = malloc(length);

	assert_non_null(before);
	memcpy(before, draft->wire.bytes, length);
	if (verdict.result != NFT_CHANGED)
		fail_msg("%s", verdict.reason ? verdict.reason : "unchanged");
	assert_null(verdict.reason);
	assert_int_equal(verdict.patch_count, patches);
	rewrite_apply(&verdict, draft->wire.bytes);
	for (size_t i = 0; i < patches; i++) {
		uint8_t *at = draft->wire.bytes + verdict.patches[i].at;

		assert_memory_equal(at, verdict.new.bytes, verdict.patches[i].length);
	}
	assert_int_equal(ask(q, draft).result, NFT_UNCHANGED);
	for (size_t i = 0; i < patches; i++)
		memcpy(draft->wire.bytes + verdict.patches[i].at,
		       before + verdict.patches[i].at, verdict.patches[i].length);
	assert_memory_equal(before, draft->wire.bytes, length);
	free(before);
	wire_done(&draft->wire);
}

static DRAFT_UNUSED void expect_left(const struct question *q, struct draft *draft,
				     const char *reason)
{
	struct rewrite_verdict verdict = ask(q, draft);

	assert_int_equal(verdict.result, NFT_SKIPPED);
	assert_int_equal(verdict.patch_count, 0);
	assert_true(addr_is_none(&verdict.new));
	if (!strstr(verdict.reason, reason))
		fail_msg("\"%s\" is not \"%s\"", verdict.reason, reason);
	wire_done(&draft->wire);
}

#endif
