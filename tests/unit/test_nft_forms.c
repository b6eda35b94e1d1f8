/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses of snat and of xt extensions: bytes in, verdict and changed bytes out.
 */
#include "rule_question.h"

#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_iprange.h>

static const uint8_t other4[4] = { 203, 0, 113, 9 };

static void map(struct draft *draft, uint32_t source, uint32_t destination)
{
	begin(draft, "lookup");
	wire_put_string(&draft->wire, NFTA_LOOKUP_SET, "__map0");
	wire_put_be32(&draft->wire, NFTA_LOOKUP_SREG, source);
	wire_put_be32(&draft->wire, NFTA_LOOKUP_DREG, destination);
	end(draft);
}

static void xt(struct draft *draft, const char *expression, const char *name,
	       uint32_t revision, const void *info, size_t length)
{
	begin(draft, expression);
	wire_put_string(&draft->wire, NFTA_MATCH_NAME, name);
	wire_put_be32(&draft->wire, NFTA_MATCH_REV, revision);
	wire_put(&draft->wire, NFTA_MATCH_INFO, info, length);
	end(draft);
}

static void snats_registers_are_followed(void **state)
{
	struct draft one = { 0 }, two = { 0 }, range = { 0 }, slots = { 0 };
	struct question q;

	(void)state;
	question_init(&q, NFPROTO_INET, POSTROUTING);
	question_former(&q, "203.0.113.1");
	immediate(&one, NFT_REG_1, old4, 4);
	immediate(&one, NFT_REG_2, old4, 4);		/* nobody reads it */
	nat(&one, NFT_NAT_SNAT, NFT_REG_1, NFT_REG_1, 0);
	expect_moved(&q, &one, 1);

	immediate(&two, NFT_REG_1, old4, 4);
	immediate(&two, NFT_REG_2, old4, 4);
	nat(&two, NFT_NAT_SNAT, NFT_REG_1, NFT_REG_2, 0);
	expect_moved(&q, &two, 2);

	immediate(&range, NFT_REG_1, old4, 4);
	immediate(&range, NFT_REG_2, other4, 4);
	nat(&range, NFT_NAT_SNAT, NFT_REG_1, NFT_REG_2, 0);
	expect_left(&q, &range, "several addresses");

	/* Address and port in one immediate. */
	immediate(&slots, NFT_REG_1, "\xcb\0\x71\x01\0\x50\0\0", 8);
	nat(&slots, NFT_NAT_SNAT, NFT_REG32_00, NFT_REG_1, 0);
	expect_moved(&q, &slots, 1);
}

static void what_is_not_snats_address_stays(void **state)
{
	struct draft lost = { 0 }, half = { 0 }, masked = { 0 }, prefix = { 0 },
		     target = { 0 }, unused = { 0 }, mixed = { 0 };
	struct question q;

	(void)state;
	question_init(&q, NFPROTO_IPV4, POSTROUTING);
	question_former(&q, "203.0.113.1");
	immediate(&lost, NFT_REG_1, old4, 4);
	begin(&lost, "of the future");
	end(&lost);
	nat(&lost, NFT_NAT_SNAT, NFT_REG_1, NFT_REG_1, 0);
	expect_left(&q, &lost, "only in snat to");

	immediate(&half, NFT_REG_1, old4, 2);
	nat(&half, NFT_NAT_SNAT, NFT_REG_1, NFT_REG_1, 0);
	expect_left(&q, &half, "only in snat to");

	immediate(&masked, NFT_REG_1, old4, 4);
	bitwise(&masked, "\xff\xff\xff\x01", 4);
	nat(&masked, NFT_NAT_SNAT, NFT_REG_1, NFT_REG_1, 0);
	expect_left(&q, &masked, "only in snat to");

	immediate(&prefix, NFT_REG_1, old4, 4);
	nat(&prefix, NFT_NAT_SNAT, NFT_REG_1, NFT_REG_1, NF_NAT_RANGE_NETMAP);
	expect_left(&q, &prefix, "several addresses");

	immediate(&target, NFT_REG_1, old4, 4);
	nat(&target, NFT_NAT_DNAT, NFT_REG_1, NFT_REG_1, 0);
	expect_left(&q, &target, "has no destination");

	immediate(&unused, NFT_REG_1, old4, 4);
	expect_left(&q, &unused, "names no destination");

	immediate(&mixed, NFT_REG_1, old4, 4);
	map(&mixed, NFT_REG_1, NFT_REG_2);
	nat(&mixed, NFT_NAT_SNAT, NFT_REG_1, NFT_REG_2, 0);
	expect_left(&q, &mixed, "only in snat to");
}

/* The first half of one value, the second half of another. */
static void halves_are_no_address(void **state)
{
	static const uint8_t old6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	struct question q;

	(void)state;
	question_init(&q, NFPROTO_IPV6, POSTROUTING);
	question_former(&q, "2001:db8::1");
	for (int pieces = 1; pieces <= 2; pieces++) {
		struct draft draft = { 0 };

		immediate(&draft, NFT_REG_1, old6, 16);
		if (pieces == 2)
			immediate(&draft, NFT_REG_1, old6, 8);
		begin(&draft, "nat");
		wire_put_be32(&draft.wire, NFTA_NAT_TYPE, NFT_NAT_SNAT);
		wire_put_be32(&draft.wire, NFTA_NAT_FAMILY, NFPROTO_IPV6);
		wire_put_be32(&draft.wire, NFTA_NAT_REG_ADDR_MIN, NFT_REG_1);
		end(&draft);
		if (pieces == 1)
			expect_moved(&q, &draft, 1);
		else
			expect_left(&q, &draft, "only in snat to");
	}
}

static void maps_that_snat_reads_are_marked(void **state)
{
	struct draft one = { 0 }, range = { 0 }, covered = { 0 };
	struct rule_view view;
	struct question q;

	(void)state;
	payload(&one, NFT_REG_1, NFT_PAYLOAD_NETWORK_HEADER, 12, 4);
	map(&one, NFT_REG_1, NFT_REG_1);
	nat(&one, NFT_NAT_SNAT, NFT_REG_1, NFT_REG_1, 0);
	rule_read(bytes_of(&one), NFPROTO_IPV4, &view);
	assert_int_equal(view.lookups[0].snat_at, 0);
	assert_int_equal(view.lookups[0].snat_last_at, 0);
	assert_int_equal(view.lookups[0].snat_side, RULE_IPV4);
	assert_true(rewrite_asks(&view, &view.lookups[0], NFPROTO_IPV4));
	assert_true(rewrite_asks(&view, &view.lookups[0], NFPROTO_INET));
	assert_false(rewrite_asks(&view, &view.lookups[0], NFPROTO_IPV6));
	question_init(&q, NFPROTO_INET, POSTROUTING);
	q.sets[0].known = q.sets[0].map = true;
	expect_left(&q, &one, "named map: tag the map");

	map(&range, NFT_REG_1, NFT_REG_1);
	nat(&range, NFT_NAT_SNAT, NFT_REG_1, NFT_REG32_01, 0);
	rule_read(bytes_of(&range), NFPROTO_IPV4, &view);
	assert_int_equal(view.lookups[0].snat_at, 0);
	assert_int_equal(view.lookups[0].snat_last_at, 4);
	q.sets[0].anonymous = true;
	q.sets[0].change.reason = "its own";
	assert_string_equal(ask(&q, &range).reason, "its own");
	q.sets[0].change = (struct policy_change){
		.result = NFT_CHANGED, .old = addr_from_bytes(AF_INET, old4),
		.new = q.target.ipv4,
	};
	assert_int_equal(ask(&q, &range).result, NFT_CHANGED);
	assert_int_equal(ask(&q, &range).patch_count, 0);
	assert_true(addr_equal(&(struct addr){ ask(&q, &range).old.family, { 203, 0, 113,
				 1 } }, &q.sets[0].change.old));
	wire_done(&range.wire);

	map(&covered, NFT_REG_1, NFT_REG_1);
	immediate(&covered, NFT_REG_1, old4, 4);
	nat(&covered, NFT_NAT_SNAT, NFT_REG_1, NFT_REG_1, 0);
	rule_read(bytes_of(&covered), NFPROTO_IPV4, &view);
	assert_int_equal(view.lookups[0].snat_at, -1);
	question_former(&q, "203.0.113.1");
	expect_moved(&q, &covered, 1);
}

static void put4(void *where, const uint8_t address[4])
{
	memcpy(where, address, 4);
}

static void xt_layouts(void **state)
{
	static const size_t lengths[] = {
		sizeof(struct xt_conntrack_mtinfo1), sizeof(struct xt_conntrack_mtinfo2),
		sizeof(struct xt_conntrack_mtinfo3),
	};
	struct xt_conntrack_mtinfo3 ct = { .match_flags = XT_CONNTRACK_ORIGDST };
	struct xt_iprange_mtinfo range = { .flags = IPRANGE_DST };
	struct nf_nat_ipv4_multi_range_compat snat = {
		.rangesize = 1, .range[0].flags = NF_NAT_RANGE_MAP_IPS };
	struct nf_nat_range2 wide = { .flags = NF_NAT_RANGE_MAP_IPS };
	struct draft draft;
	struct question q;

	(void)state;
	question_init(&q, NFPROTO_IPV4, PREROUTING);
	question_former(&q, "203.0.113.1");
	put4(&ct.origdst_addr, old4);
	memset(&ct.origdst_mask, 0xff, 4);
	for (uint32_t i = 0; i < 3; i++) {
		draft = (struct draft){ 0 };
		xt(&draft, "match", "conntrack", i + 1, &ct, lengths[i]);
		expect_moved(&q, &draft, 1);
	}
	draft = (struct draft){ 0 };
	xt(&draft, "match", "conntrack", 1, &ct, lengths[0] - 1);
	expect_left(&q, &draft, "names no destination");

	put4(&range.dst_min, old4);
	put4(&range.dst_max, old4);
	draft = (struct draft){ 0 };
	xt(&draft, "match", "iprange", 1, &range, sizeof(range));
	expect_moved(&q, &draft, 2);
	draft = (struct draft){ 0 };
	xt(&draft, "match", "iprange", 1, &range, sizeof(range) - 1);
	expect_left(&q, &draft, "names no destination");

	put4(&snat.range[0].min_ip, old4);
	put4(&snat.range[0].max_ip, old4);
	draft = (struct draft){ 0 };
	xt(&draft, "target", "SNAT", 0, &snat, sizeof(snat));
	expect_moved(&q, &draft, 2);
	snat.rangesize = 2;
	draft = (struct draft){ 0 };
	xt(&draft, "target", "SNAT", 0, &snat, sizeof(snat));
	expect_left(&q, &draft, "only in snat to");

	put4(&wide.min_addr, old4);
	put4(&wide.max_addr, old4);
	for (uint32_t revision = 1; revision <= 2; revision++) {
		draft = (struct draft){ 0 };
		xt(&draft, "target", "SNAT", revision, &wide, revision == 1 ?
		   sizeof(struct nf_nat_range) : sizeof(wide));
		expect_moved(&q, &draft, 2);
	}
	/* Ports alone; the bytes beside them are no address. */
	wide.flags = NF_NAT_RANGE_PROTO_SPECIFIED;
	draft = (struct draft){ 0 };
	xt(&draft, "target", "SNAT", 2, &wide, sizeof(wide));
	expect_left(&q, &draft, "only in snat to");
	/* The same bytes are somebody else's in a DNAT. */
	wide.flags = NF_NAT_RANGE_MAP_IPS;
	draft = (struct draft){ 0 };
	xt(&draft, "target", "DNAT", 2, &wide, sizeof(wide));
	expect_left(&q, &draft, "has no destination");
	/* In an inet table nothing says which address it is. */
	q.policy.family = NFPROTO_INET;
	draft = (struct draft){ 0 };
	xt(&draft, "match", "conntrack", 3, &ct, sizeof(ct));
	expect_left(&q, &draft, "of which family");
}

/* What the rule itself demands tells its xt matches what the WAN's address was. */
static void one_demand_tells_the_other(void **state)
{
	struct xt_iprange_mtinfo range = { .flags = IPRANGE_DST };
	struct draft both = { 0 }, apart = { 0 };
	struct question q;

	(void)state;
	question_init(&q, NFPROTO_IPV4, PREROUTING);
	put4(&range.dst_min, old4);
	put4(&range.dst_max, old4);
	xt(&both, "match", "iprange", 1, &range, sizeof(range));
	daddr(&both, old4);
	dnat(&both);
	expect_moved(&q, &both, 3);
	xt(&apart, "match", "iprange", 1, &range, sizeof(range));
	daddr(&apart, other4);
	dnat(&apart);
	expect_left(&q, &apart, "two addresses");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(snats_registers_are_followed),
		cmocka_unit_test(what_is_not_snats_address_stays),
		cmocka_unit_test(halves_are_no_address),
		cmocka_unit_test(maps_that_snat_reads_are_marked),
		cmocka_unit_test(xt_layouts),
		cmocka_unit_test(one_demand_tells_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
