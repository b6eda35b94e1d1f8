/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pure half of the NAT engine: rules as bytes, verdicts, and bytes that were
 * damaged on the way.
 */
#include "rule_draft.h"

static const struct rewrite_set no_sets[RULE_LOOKUPS_MAX];

static struct rewrite_verdict judge(const struct draft *draft, int family, unsigned hooks)
{
	struct rewrite_policy policy = policy_of(family, hooks);
	struct rewrite_verdict verdict;
	struct rule_view view;

	rule_read(bytes_of(draft), family, &view);
	rewrite_decide(&view, bytes_of(draft), no_sets, &policy, &verdict);
	return verdict;
}

static void expect_changed(struct draft *draft, int family, size_t patches)
{
	struct rewrite_verdict verdict = judge(draft, family, PREROUTING);

	if (verdict.result != NFT_CHANGED)
		fail_msg("%s", verdict.reason ? verdict.reason : "unchanged");
	assert_int_equal(verdict.patch_count, patches);
	rewrite_apply(&verdict, draft->wire.bytes);
	assert_int_equal(judge(draft, family, PREROUTING).result, NFT_UNCHANGED);
	wire_done(&draft->wire);
}

static void expect_skipped(struct draft *draft, int family, const char *reason)
{
	struct rewrite_verdict verdict = judge(draft, family, PREROUTING);

	assert_int_equal(verdict.result, NFT_SKIPPED);
	if (!strstr(verdict.reason, reason))
		fail_msg("\"%s\" is not \"%s\"", verdict.reason, reason);
	wire_done(&draft->wire);
}

static void registers_are_followed(void **state)
{
	static const uint8_t merged[12] = { 6, 0, 0, 10, 0, 0, 1, 203, 0, 113, 1, 0 };
	static const uint8_t pair[8] = { 203, 0, 113, 1, 0, 80, 0, 0 };
	struct draft plain = { 0 }, later = { 0 }, middle = { 0 }, both = { 0 }, small = { 0 };
	struct draft cleared = { 0 };

	(void)state;
	daddr(&plain, old4);
	dnat(&plain);
	expect_changed(&plain, NFPROTO_IPV4, 1);

	/* Loaded first, another load between, compared last. */
	payload(&later, NFT_REG32_00, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
	payload(&later, NFT_REG32_01, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	compare(&later, NFT_REG32_01, NFT_CMP_EQ, "\0\x50", 2);
	compare(&later, NFT_REG_1, NFT_CMP_EQ, old4, 4);	/* the same memory */
	dnat(&later);
	expect_changed(&later, NFPROTO_IPV4, 1);

	/* From the middle of a load of twelve bytes. */
	payload(&middle, NFT_REG_2, NFT_PAYLOAD_NETWORK_HEADER, 9, 12);
	compare(&middle, NFT_REG_2, NFT_CMP_EQ, merged, 12);
	dnat(&middle);
	expect_changed(&middle, NFPROTO_IPV4, 1);

	/* Address and port side by side, compared at once. */
	payload(&both, NFT_REG32_04, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
	payload(&both, NFT_REG32_05, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2);
	compare(&both, NFT_REG_2, NFT_CMP_EQ, pair, 6);
	dnat(&both);
	expect_changed(&both, NFPROTO_IPV4, 1);

	/* A short load clears the rest of its four bytes. */
	payload(&cleared, NFT_REG_1, NFT_PAYLOAD_NETWORK_HEADER, 14, 4);
	payload(&cleared, NFT_REG_1, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 1);
	compare(&cleared, NFT_REG_1, NFT_CMP_EQ, old4, 4);
	dnat(&cleared);
	expect_skipped(&cleared, NFPROTO_IPV4, "has no destination");

	/* Written over before the compare. */
	payload(&small, NFT_REG_1, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
	payload(&small, NFT_REG_1, NFT_PAYLOAD_NETWORK_HEADER, 12, 4);
	compare(&small, NFT_REG_1, NFT_CMP_EQ, old4, 4);
	dnat(&small);
	expect_skipped(&small, NFPROTO_IPV4, "has no destination");
}

static void unknown_expressions_end_what_is_known(void **state)
{
	struct draft between = { 0 }, before = { 0 };

	(void)state;
	payload(&between, NFT_REG_1, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
	begin(&between, "of the future");
	end(&between);
	compare(&between, NFT_REG_1, NFT_CMP_EQ, old4, 4);
	dnat(&between);
	expect_skipped(&between, NFPROTO_IPV4, "has no destination");

	begin(&before, "of the future");
	wire_put_be32(&before.wire, 77, 1);
	end(&before);
	daddr(&before, old4);
	dnat(&before);
	expect_changed(&before, NFPROTO_IPV4, 1);
}

static void families(void **state)
{
	static const uint8_t v4 = NFPROTO_IPV4, v6 = NFPROTO_IPV6;
	uint8_t wide[16] = { 0x20, 1, 0xd, 0xb8, 203, 0, 113, 1 };
	struct draft four = { 0 }, six = { 0 }, none = { 0 }, wrong = { 0 }, late = { 0 };

	(void)state;
	meta(&four, NFT_META_NFPROTO, &v4, 1);
	daddr(&four, old4);
	dnat(&four);
	expect_changed(&four, NFPROTO_INET, 1);

	meta(&six, NFT_META_PROTOCOL, "\x86\xdd", 2);
	payload(&six, NFT_REG_1, NFT_PAYLOAD_NETWORK_HEADER, 24, 16);
	compare(&six, NFT_REG_1, NFT_CMP_EQ, wide, 16);
	dnat(&six);
	expect_changed(&six, NFPROTO_INET, 1);

	daddr(&none, old4);
	dnat(&none);
	expect_skipped(&none, NFPROTO_INET, "without saying of which family");

	/* Bytes 16 to 19 of an IPv6 header belong to the source. */
	meta(&wrong, NFT_META_NFPROTO, &v6, 1);
	daddr(&wrong, old4);
	dnat(&wrong);
	expect_skipped(&wrong, NFPROTO_INET, "has no destination");

	daddr(&late, old4);
	meta(&late, NFT_META_NFPROTO, &v4, 1);
	dnat(&late);
	expect_changed(&late, NFPROTO_INET, 1);
}

static void what_is_not_dnat_needs_a_former_address(void **state)
{
	struct rewrite_policy policy = policy_of(NFPROTO_IPV4, POSTROUTING);
	struct addr former = addr_from_bytes(AF_INET, old4);
	const struct nft_target silent = { 0 };
	struct rewrite_verdict verdict;
	struct draft draft = { 0 };
	struct rule_view view;

	(void)state;
	daddr(&draft, old4);
	begin(&draft, "masq");
	end(&draft);
	rule_read(bytes_of(&draft), NFPROTO_IPV4, &view);
	rewrite_decide(&view, bytes_of(&draft), no_sets, &policy, &verdict);
	assert_int_equal(verdict.result, NFT_SKIPPED);
	assert_true(addr_equal(&verdict.old, &former));
	policy.values.learnt = &former;
	policy.values.learnt_count = 1;
	rewrite_decide(&view, bytes_of(&draft), no_sets, &policy, &verdict);
	assert_int_equal(verdict.result, NFT_CHANGED);
	assert_false(verdict.learnt);
	policy.values.target = &silent;
	rewrite_decide(&view, bytes_of(&draft), no_sets, &policy, &verdict);
	assert_int_equal(verdict.result, NFT_SKIPPED);
	assert_int_equal(verdict.patch_count, 0);
	assert_string_equal(verdict.reason, "no IPv4 address is known");
	wire_done(&draft.wire);
}

/* Whatever comes is read without a step aside; what is read as whole is a verdict. */
static void try_bytes(const uint8_t *bytes, size_t length)
{
	struct rewrite_policy policy = policy_of(NFPROTO_IPV4, PREROUTING);
	uint8_t *copy = malloc(length ? length : 1);
	struct span span = { copy, length }, text;
	struct rewrite_verdict verdict;
	struct rule_view view;

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	rule_read(span, NFPROTO_IPV4, &view);
	rewrite_decide(&view, span, no_sets, &policy, &verdict);
	for (size_t i = 0; i < verdict.patch_count; i++)
		assert_true(verdict.patches[i].at + verdict.patches[i].length <= length);
	if (verdict.result == NFT_CHANGED)
		rewrite_apply(&verdict, copy);
	for (size_t i = 0; i < 4 && rule_comment(span, span, i, &text); i++)
		assert_true(text.length <= 256);
	free(copy);
}

static void damaged_bytes_do_no_harm(void **state)
{
	static const uint8_t values[] = { 0, 1, 2, 4, 8, 16, 0x7f, 0x80, 0xff };
	struct draft draft = { 0 };
	uint8_t *bytes;

	(void)state;
	meta(&draft, NFT_META_NFPROTO, "\x02", 1);
	payload(&draft, NFT_REG_1, NFT_PAYLOAD_NETWORK_HEADER, 12, 8);
	compare(&draft, NFT_REG_1, NFT_CMP_EQ, "\x0a\0\0\x01\xcb\0\x71\x01", 8);
	lookup(&draft, NFT_REG_1, "__set0");
	begin(&draft, "match");
	wire_put_string(&draft.wire, NFTA_MATCH_NAME, "tcp");
	wire_put(&draft.wire, NFTA_MATCH_INFO, "\0\0\xff\xff\x50\0\x50\0\0\0\0\0", 12);
	end(&draft);
	dnat(&draft);
	bytes = draft.wire.bytes;
	for (size_t length = 0; length <= draft.wire.length; length++)
		try_bytes(bytes, length);
	for (size_t at = 0; at < draft.wire.length; at++) {
		uint8_t kept = bytes[at];

		for (size_t i = 0; i < sizeof(values); i++) {
			bytes[at] = values[i];
			try_bytes(bytes, draft.wire.length);
		}
		bytes[at] = kept;
	}
	wire_done(&draft.wire);
}

static void too_much_of_anything_is_left_alone(void **state)
{
	struct draft spots = { 0 }, lookups = { 0 }, expressions = { 0 };

	(void)state;
	for (int i = 0; i <= RULE_SPOTS_MAX; i++)
		daddr(&spots, old4);
	dnat(&spots);
	expect_skipped(&spots, NFPROTO_IPV4, "could not be read");
	for (int i = 0; i <= RULE_LOOKUPS_MAX; i++)
		lookup(&lookups, NFT_REG_1, "x");
	expect_skipped(&lookups, NFPROTO_IPV4, "could not be read");
	for (int i = 0; i <= RULE_EXPRESSIONS_MAX; i++)
		dnat(&expressions);
	expect_skipped(&expressions, NFPROTO_IPV4, "could not be read");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_are_followed),
		cmocka_unit_test(unknown_expressions_end_what_is_known),
		cmocka_unit_test(families),
		cmocka_unit_test(what_is_not_dnat_needs_a_former_address),
		cmocka_unit_test(damaged_bytes_do_no_harm),
		cmocka_unit_test(too_much_of_anything_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
