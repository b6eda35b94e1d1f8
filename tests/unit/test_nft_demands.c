/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a rule demands of the destination: prefixes that move, sets beside a compare, and
 * a demand that is missing.
 */
#include "rule_question.h"

static void load6(struct draft *draft, uint32_t offset, uint32_t length)
{
	payload(draft, NFT_REG_1, NFT_PAYLOAD_NETWORK_HEADER, 24 + offset, length);
}

static void prefixes_move_where_the_suffix_is_kept(void **state)
{
	static const uint8_t host[16] = { 0x20, 1, 0xd, 0xb8, 0, 1, 0x56, 0x12, [15] = 9 };
	static const struct { uint8_t mask[16]; unsigned length, bits; const char *reason; }
	cases[] = {
		{ { 0 }, 8, 64, NULL }, { { 0 }, 7, 56, NULL },
		{ { 0 }, 6, 0, "shorter prefix" }, { { 0 }, 16, 0, NULL },
		{ { 255, 255, 255, 255, 255, 255, 255, 0xf0 }, 16, 60, NULL },
		{ { 255, 255, 255, 255, 255, 255, 255, 0 }, 16, 56, NULL },
		{ { 255, 255, 255, 255, 255, 255, 254, 0 }, 16, 0, "shorter prefix" },
		{ { 255, 255, 255, 255, 255, 255, 255, 255, [15] = 255 }, 16, 64, NULL },
		{ { 255, 255, 255, 255, 255, 0, 255, 255 }, 16, 0, "shorter prefix" },
		{ { [8] = 255, [15] = 255 }, 16, 0, "only the last bits" },
	};
	struct question q;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool masked = cases[i].length == 16 && (cases[i].mask[0] ||
							cases[i].mask[8]);
		unsigned length = cases[i].length;
		struct draft draft = { 0 };
		uint8_t value[16];

		question_init(&q, NFPROTO_IPV6, PREROUTING);
		q.target.keep_bits = 56;
		assert_true(addr_parse("2001:db8:2:aa00::", &q.target.prefix));
		for (size_t k = 0; k < 16; k++)
			value[k] = host[k] & (masked ? cases[i].mask[k] : 0xff);
		load6(&draft, 0, length);
		if (masked)
			bitwise(&draft, cases[i].mask, length);
		compare(&draft, NFT_REG_1, NFT_CMP_EQ, value, length);
		dnat(&draft);
		if (cases[i].reason) {
			expect_left(&q, &draft, cases[i].reason);
			continue;
		}
		assert_int_equal(ask(&q, &draft).bits, cases[i].bits);
		assert_int_equal(ask(&q, &draft).patches[0].length, length);
		assert_int_equal(ask(&q, &draft).learnt, cases[i].bits == 0);
		/* Without a suffix to keep only the whole address moves. */
		q.target.keep_bits = 0;
		assert_int_equal(ask(&q, &draft).result,
				 cases[i].bits ? NFT_SKIPPED : NFT_CHANGED);
		q.target.keep_bits = 56;
		expect_moved(&q, &draft, 1);
	}
}

/* A part that does not begin with the first byte names no prefix. */
static void other_parts_of_an_address_stay(void **state)
{
	static const uint8_t bytes[16];
	struct draft half = { 0 }, inner = { 0 };
	struct question q;

	(void)state;
	question_init(&q, NFPROTO_IPV6, PREROUTING);
	q.target.keep_bits = 56;
	assert_true(addr_parse("2001:db8:2:aa00::", &q.target.prefix));
	load6(&half, 8, 8);
	compare(&half, NFT_REG_1, NFT_CMP_EQ, bytes, 8);
	dnat(&half);
	expect_left(&q, &half, "only the last bits");
	load6(&inner, 1, 15);
	compare(&inner, NFT_REG_1, NFT_CMP_EQ, bytes, 15);
	dnat(&inner);
	expect_left(&q, &inner, "only the last bits");
}

static void an_empty_prefix_teaches_nothing(void **state)
{
	static const uint8_t suffix[16] = { [15] = 0x10 };
	struct draft draft = { 0 };
	struct question q;

	(void)state;
	question_init(&q, NFPROTO_IPV6, PREROUTING);
	q.target.keep_bits = 64;
	assert_true(addr_parse("2001:db8:2:aa00::", &q.target.prefix));
	load6(&draft, 0, 16);
	compare(&draft, NFT_REG_1, NFT_CMP_EQ, suffix, 16);
	dnat(&draft);
	assert_false(ask(&q, &draft).learnt);
	expect_moved(&q, &draft, 1);
}

enum { NONE = -1 };

/* A plain compare, and what becomes of the elements of up to two sets beside it. */
static void all_demands_move_together(void **state)
{
	enum { C = NFT_CHANGED, U = NFT_UNCHANGED, S = NFT_SKIPPED };
	static const struct { const char *spot; int set[2], result; const char *reason; }
	cases[] = {
		{ "old", { C, NONE }, C, NULL }, { "old", { U, NONE }, C, NULL },
		{ "old", { S, NONE }, S, "in a set too" },
		{ "new", { C, NONE }, C, NULL }, { "new", { U, NONE }, U, NULL },
		{ "new", { S, NONE }, S, "in a set too" },
		{ "", { C, NONE }, C, NULL }, { "", { U, NONE }, U, NULL },
		{ "", { S, NONE }, S, "set of its own" },
		{ "", { C, C }, C, NULL }, { "", { C, U }, C, NULL },
		{ "", { U, C }, C, NULL }, { "", { C, S }, S, "second set" },
		{ "", { S, C }, S, "second set" }, { "", { U, U }, U, NULL },
		{ "old", { C, S }, S, "in a set too" }, { "old", { C, C }, C, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		static const uint8_t new4[4] = { 198, 51, 100, 7 };
		struct draft draft = { 0 };
		struct rewrite_verdict verdict;
		struct question q;

		question_init(&q, NFPROTO_IPV4, PREROUTING);
		if (*cases[i].spot)
			daddr(&draft, *cases[i].spot == 'o' ? old4 : new4);
		for (size_t k = 0; k < 2 && cases[i].set[k] != NONE; k++) {
			struct rewrite_set *set = &q.sets[k];

			payload(&draft, NFT_REG_1, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
			lookup(&draft, NFT_REG_1, "__set0");
			set->known = set->anonymous = true;
			set->key_bytes = 4;
			set->change.result = (enum nft_result)cases[i].set[k];
			if (cases[i].set[k] == S)
				continue;
			set->change.old = addr_from_bytes(AF_INET, old4);
			set->change.new = q.target.ipv4;
		}
		dnat(&draft);
		verdict = ask(&q, &draft);
		if ((int)verdict.result != cases[i].result ||
		    !verdict.reason != !cases[i].reason ||
		    (verdict.reason && !strstr(verdict.reason, cases[i].reason)))
			fail_msg("case %zu: %d, %s", i, verdict.result,
				 verdict.reason ? verdict.reason : "no reason");
		assert_int_equal(verdict.patch_count,
				 *cases[i].spot == 'o' && verdict.result == NFT_CHANGED);
		assert_int_equal(verdict.learnt, verdict.patch_count);
		wire_done(&draft.wire);
	}
}

static void no_port_forward_no_move_beside_a_foreign_address(void **state)
{
	struct draft draft = { 0 };
	struct question q;

	(void)state;
	question_init(&q, NFPROTO_IPV4, POSTROUTING);
	q.sets[0] = (struct rewrite_set){ .known = true, .anonymous = true, .key_bytes = 4,
		.change = { .result = NFT_CHANGED, .new = q.target.ipv4 } };
	daddr(&draft, old4);
	payload(&draft, NFT_REG_1, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
	lookup(&draft, NFT_REG_1, "__set0");
	expect_left(&q, &draft, "second way");
}

/* A set may say what becomes of it without an address of old. */
static void a_better_result_is_kept(void **state)
{
	struct draft draft = { 0 };
	struct question q;

	(void)state;
	question_init(&q, NFPROTO_IPV4, PREROUTING);
	for (size_t i = 0; i < 2; i++) {
		q.sets[i] = (struct rewrite_set){ .known = true, .anonymous = true,
			.key_bytes = 4, .change.result = i ? NFT_UNCHANGED : NFT_CHANGED,
			.change.new = q.target.ipv4 };
		payload(&draft, NFT_REG_1, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
		lookup(&draft, NFT_REG_1, "__set0");
	}
	dnat(&draft);
	assert_int_equal(ask(&q, &draft).result, NFT_CHANGED);
	wire_done(&draft.wire);
}

static void lookup_excluding(struct draft *draft, const char *set)
{
	begin(draft, "lookup");
	wire_put_string(&draft->wire, NFTA_LOOKUP_SET, set);
	wire_put_be32(&draft->wire, NFTA_LOOKUP_SREG, NFT_REG_1);
	wire_put_be32(&draft->wire, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
	end(draft);
}

static void inverted_and_named_sets_never_move(void **state)
{
	struct draft draft = { 0 }, named = { 0 };
	struct question q;

	(void)state;
	question_init(&q, NFPROTO_IPV4, PREROUTING);
	q.sets[0] = (struct rewrite_set){ .known = true, .anonymous = true, .key_bytes = 4,
		.change = { .result = NFT_CHANGED, .new = q.target.ipv4 } };
	payload(&draft, NFT_REG_1, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
	lookup_excluding(&draft, "__set0");
	dnat(&draft);
	expect_left(&q, &draft, "excludes destinations");
	q.sets[0].anonymous = false;
	payload(&named, NFT_REG_1, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
	lookup(&named, NFT_REG_1, "wans");
	dnat(&named);
	expect_left(&q, &named, "named set: tag the set");
}

/* `!=` and a set of others beside the address: it is one address all the same. */
static void exclusions_leave_room_for_the_address(void **state)
{
	static const uint8_t other4[4] = { 10, 0, 0, 9 };

	(void)state;
	for (int set = 0; set <= 1; set++) {
		struct draft draft = { 0 };
		struct question q;

		question_init(&q, NFPROTO_IPV4, PREROUTING);
		q.sets[0] = (struct rewrite_set){ .known = true, .anonymous = true,
			.key_bytes = 4, .change.result = NFT_SKIPPED };
		daddr(&draft, old4);
		payload(&draft, NFT_REG_1, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
		if (set)
			lookup_excluding(&draft, "__set0");
		else
			compare(&draft, NFT_REG_1, NFT_CMP_NEQ, other4, 4);
		dnat(&draft);
		assert_true(ask(&q, &draft).learnt);
		expect_moved(&q, &draft, 1);
	}
}

static void what_is_told_is_what_the_reason_is_about(void **state)
{
	static const uint8_t server[4] = { 10, 0, 0, 9 }, router[4] = { 10, 0, 0, 1 };
	struct draft draft = { 0 };
	struct question q;
	struct addr told;

	(void)state;
	question_init(&q, NFPROTO_IPV4, POSTROUTING);
	question_former(&q, "203.0.113.1");
	daddr(&draft, server);
	immediate(&draft, NFT_REG_1, router, 4);
	nat(&draft, NFT_NAT_SNAT, NFT_REG_1, NFT_REG_1, 0);
	told = ask(&q, &draft).old;
	assert_memory_equal(told.bytes, router, 4);
	expect_left(&q, &draft, "would snat to");
}

static void expect_added(const struct question *q, struct draft *draft)
{
	struct rewrite_verdict verdict = ask(q, draft);

	if (verdict.result != NFT_CHANGED)
		fail_msg("%s", verdict.reason ? verdict.reason : "unchanged");
	assert_true(verdict.adds);
	assert_int_equal(verdict.patch_count, 0);
	assert_true(addr_is_none(&verdict.old));
	assert_true(addr_equal(&verdict.new, &q->target.ipv4));
	assert_false(verdict.learnt);
	wire_done(&draft->wire);
}

static void counters(struct draft *draft, size_t count)
{
	while (count-- > 0) {
		begin(draft, "counter");
		end(draft);
	}
}

static void room_for_a_missing_destination(void **state)
{
	struct draft fits = { 0 }, full = { 0 }, inet = { 0 }, crowded = { 0 },
		     foreign = { 0 }, hidden = { 0 }, unwritten = { 0 };
	struct question q;

	(void)state;
	question_init(&q, NFPROTO_IPV4, PREROUTING);
	q.policy.add_missing = true;
	counters(&fits, 125);
	dnat(&fits);
	expect_added(&q, &fits);
	counters(&full, 126);
	dnat(&full);
	expect_left(&q, &full, "no room");
	begin(&foreign, "of the future");
	end(&foreign);
	dnat(&foreign);
	expect_left(&q, &foreign, "not known here");

	/* What stands before it must not be read behind it. */
	compare(&unwritten, NFT_REG_1, NFT_CMP_EQ, old4, 4);
	dnat(&unwritten);
	expect_left(&q, &unwritten, "not known here");

	/* Two more for the family, which here the dnat itself tells. */
	q.policy.family = NFPROTO_INET;
	counters(&inet, 123);
	nat(&inet, NFT_NAT_DNAT, NFT_REG_1, NFT_REG_1, 0);
	expect_added(&q, &inet);
	counters(&crowded, 124);
	nat(&crowded, NFT_NAT_DNAT, NFT_REG_1, NFT_REG_1, 0);
	expect_left(&q, &crowded, "no room");
	/* Asked for in a way that says no family. */
	payload(&hidden, NFT_REG_1, NFT_PAYLOAD_NETWORK_HEADER, 16, 4);
	lookup(&hidden, NFT_REG_1, "x");
	nat(&hidden, NFT_NAT_DNAT, NFT_REG_1, NFT_REG_1, 0);
	expect_left(&q, &hidden, "of which family");
}

static void what_can_become_more_waits(void **state)
{
	struct draft draft = { 0 }, plain = { 0 }, snat = { 0 };
	struct question q;

	(void)state;
	question_init(&q, NFPROTO_IPV4, POSTROUTING);
	daddr(&draft, old4);
	assert_true(ask(&q, &draft).waits);
	daddr(&plain, old4);
	dnat(&plain);
	assert_false(ask(&q, &plain).waits);
	immediate(&snat, NFT_REG_1, "\x51\x02\x45\x07", 4);
	nat(&snat, NFT_NAT_SNAT, NFT_REG_1, NFT_REG_1, 0);
	assert_int_equal(ask(&q, &snat).result, NFT_CHANGED);
	assert_true(ask(&q, &snat).waits);
	wire_done(&draft.wire);
	wire_done(&plain.wire);
	wire_done(&snat.wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_move_where_the_suffix_is_kept),
		cmocka_unit_test(other_parts_of_an_address_stay),
		cmocka_unit_test(an_empty_prefix_teaches_nothing),
		cmocka_unit_test(all_demands_move_together),
		cmocka_unit_test(no_port_forward_no_move_beside_a_foreign_address),
		cmocka_unit_test(a_better_result_is_kept),
		cmocka_unit_test(inverted_and_named_sets_never_move),
		cmocka_unit_test(exclusions_leave_room_for_the_address),
		cmocka_unit_test(what_is_told_is_what_the_reason_is_about),
		cmocka_unit_test(room_for_a_missing_destination),
		cmocka_unit_test(what_can_become_more_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
