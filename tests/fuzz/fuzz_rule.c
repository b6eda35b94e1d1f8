/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rule's bytes as a kernel (or nobody sane) could dump them: read, decide, change,
 * write again.
 *
 * Input: family, hooks and what is asked for, length of the userdata, userdata,
 * expressions.
 */
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/nft_emit.h"
#include "kernel/nft_rewrite.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct rewrite_set sets[RULE_LOOKUPS_MAX];
static const struct addr former[] = {
	{ AF_INET, { 203, 0, 113, 1 } }, { AF_INET6, { 0x20, 1, 0xd, 0xb8 } },
};

static void decide(const struct rewrite_policy *policy, struct span expressions,
		   struct rule_view *view, struct rewrite_verdict *verdict)
{
	rule_read(expressions, policy->family, view);
	rewrite_decide(view, expressions, sets, policy, verdict);
	require((verdict->result == NFT_SKIPPED) == (verdict->reason != NULL));
	require((verdict->result == NFT_CHANGED) == (verdict->patch_count || verdict->adds));
}

/* What is written reads as what was read. */
static void check_emit(const struct rewrite_policy *policy, struct span expressions,
		       struct span userdata, const struct rule_view *view,
		       const struct rewrite_verdict *verdict)
{
	struct wire wire WIRE_CLEANUP = { 0 };
	struct emit_rule rule = {
		.family = (uint8_t)policy->family, .table = "t", .chain = "c", .handle = 1,
		.expressions = expressions, .userdata = userdata, .view = view,
	};
	struct rewrite_verdict again;
	struct rule_view second;
	struct span written;

	emit_expressions(&wire, &rule);
	if (wire.failed)
		return;
	written = attr_span((const struct nlattr *)(const void *)wire.bytes);
	require(attr_well_formed(written));
	decide(policy, written, &second, &again);
	require(again.result == verdict->result && again.patch_count == verdict->patch_count);
	emit_rule(&wire, &rule);
	if (!verdict->adds)
		return;
	/* With what was missing it is a plain rule. */
	rule.missing = verdict->new;
	wire.length = 0;
	emit_expressions(&wire, &rule);
	if (wire.failed)
		return;
	written = attr_span((const struct nlattr *)(const void *)wire.bytes);
	decide(policy, written, &second, &again);
	require(again.result == NFT_UNCHANGED);
}

/* After the change nothing is left to do, and only the patched bytes differ. */
static void check_change(const struct rewrite_policy *policy, struct span expressions,
			 const struct rewrite_verdict *verdict)
{
	uint8_t *changed = malloc(expressions.length);
	struct rewrite_verdict again;
	struct rule_view view;

	require(changed != NULL);
	memcpy(changed, expressions.bytes, expressions.length);
	rewrite_apply(verdict, changed);
	decide(policy, (struct span){ changed, expressions.length }, &view, &again);
	require(again.result == NFT_UNCHANGED);
	for (size_t i = 0; i < verdict->patch_count; i++)
		memcpy(changed + verdict->patches[i].at,
		       expressions.bytes + verdict->patches[i].at,
		       verdict->patches[i].length);
	require(memcmp(changed, expressions.bytes, expressions.length) == 0);
	free(changed);
}

static void check_comments(struct span userdata, struct span expressions)
{
	struct span text;

	for (size_t i = 0; i < 8 && rule_comment(userdata, expressions, i, &text); i++)
		require(memchr(text.bytes, '\0', text.length) == NULL && text.length <= 256);
	(void)rule_userdata_comment(userdata, SET_USERDATA_COMMENT, &text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int families[] = { NFPROTO_IPV4, NFPROTO_IPV6, NFPROTO_INET };
	struct nft_target target = { .former = former, .former_count = 2 };
	struct rewrite_policy policy = { .values = { .target = &target } };
	struct rewrite_verdict verdict;
	struct rule_view view;
	uint8_t *userdata, *expressions;
	struct span user, body;
	size_t length;

	if (size < 3 || size - 3 < data[2])
		return 0;
	policy.family = families[data[0] % 3];
	policy.hooks = data[1] & 0x1f;
	policy.add_missing = data[1] & 0x20;
	target.keep_bits = data[1] & 0x40 ? 57 : 0;
	require(addr_parse("198.51.100.7", &target.ipv4));
	require(addr_parse("2001:db8:ffff::7", &target.ipv6));
	target.prefix = target.ipv6;
	/* Copies of their own, so that a byte too far is seen. */
	length = size - 3 - data[2];
	userdata = malloc(data[2] + 1U);
	expressions = malloc(length + 1);
	require(userdata && expressions);
	memcpy(userdata, data + 3, data[2]);
	memcpy(expressions, data + 3 + data[2], length);
	userdata = realloc(userdata, data[2] ? data[2] : 1U);
	expressions = realloc(expressions, length ? length : 1);
	user = (struct span){ userdata, data[2] };
	body = (struct span){ expressions, length };

	check_comments(user, body);
	decide(&policy, body, &view, &verdict);
	if (!view.broken)
		check_emit(&policy, body, user, &view, &verdict);
	if (verdict.result == NFT_CHANGED && !verdict.adds)
		check_change(&policy, body, &verdict);
	free(userdata);
	free(expressions);
	return 0;
}
