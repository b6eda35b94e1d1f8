/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules as they go back to the kernel: byte for byte, but for what it would refuse.
 */
#include "rule_draft.h"

#include "kernel/nft_emit.h"

static void emitted(const struct draft *draft, const struct emit_twin *twins, size_t count,
		    struct wire *ret_wire)
{
	struct rule_view view;
	struct emit_rule rule = {
		.family = NFPROTO_IPV4, .table = "t", .chain = "c", .handle = 5,
		.expressions = bytes_of(draft), .view = &view,
		.twins = twins, .twin_count = count,
	};

	rule_read(rule.expressions, NFPROTO_IPV4, &view);
	*ret_wire = (struct wire){ 0 };
	emit_rule(ret_wire, &rule);
	assert_false(ret_wire->failed);
}

static void expressions_travel_as_they_are(void **state)
{
	struct draft draft = { 0 };
	struct wire wire;
	struct span list;

	(void)state;
	daddr(&draft, old4);
	begin(&draft, "inner");
	wire_put(&draft.wire, 200, "any bytes", 9);
	end(&draft);
	lookup(&draft, NFT_REG_1, "named");
	dnat(&draft);
	emitted(&draft, NULL, 0, &wire);
	list = attr_nest((struct span){ wire.bytes, wire.length }, NFTA_RULE_EXPRESSIONS);
	assert_int_equal(list.length, draft.wire.length);
	assert_memory_equal(list.bytes, draft.wire.bytes, list.length);
	assert_null(attr_find((struct span){ wire.bytes, wire.length }, NFTA_RULE_COMPAT));
	wire_done(&wire);
	wire_done(&draft.wire);
}

static void twins_get_name_and_number(void **state)
{
	const struct emit_twin twin = { { (const uint8_t *)"__set7", 6 }, "__set%d", 3 };
	struct draft draft = { 0 };
	struct span list, name, data, set;
	uint32_t id = 0;
	struct wire wire;

	(void)state;
	lookup(&draft, NFT_REG_1, "__set7");
	lookup(&draft, NFT_REG_1, "__set77");
	emitted(&draft, &twin, 1, &wire);
	list = attr_nest((struct span){ wire.bytes, wire.length }, NFTA_RULE_EXPRESSIONS);
	assert_true(rule_expression((const void *)list.bytes, &name, &data));
	assert_true(attr_string(attr_find(data, NFTA_LOOKUP_SET), &set));
	assert_true(attr_is(set, "__set%d"));
	assert_true(attr_be32(attr_find(data, NFTA_LOOKUP_SET_ID), &id));
	assert_int_equal(id, 3);
	assert_true(rule_expression(mnl_attr_next((const void *)list.bytes), &name, &data));
	assert_true(attr_string(attr_find(data, NFTA_LOOKUP_SET), &set));
	assert_true(attr_is(set, "__set77"));
	wire_done(&wire);
	wire_done(&draft.wire);
}

static void corrections(void **state)
{
	struct draft draft = { 0 };
	struct span whole, list, name, data;
	uint32_t number;
	struct wire wire;

	(void)state;
	meta(&draft, NFT_META_L4PROTO, "\x06", 1);
	begin(&draft, "exthdr");
	wire_put_be32(&draft.wire, NFTA_EXTHDR_SREG, NFT_REG_1);
	wire_put_be32(&draft.wire, NFTA_EXTHDR_FLAGS, 0);
	wire_put_be32(&draft.wire, NFTA_EXTHDR_OFFSET, 2);
	end(&draft);
	begin(&draft, "target");
	wire_put_string(&draft.wire, NFTA_TARGET_NAME, "TCPMSS");
	end(&draft);
	emitted(&draft, NULL, 0, &wire);
	whole = (struct span){ wire.bytes, wire.length };
	list = attr_nest(whole, NFTA_RULE_EXPRESSIONS);
	const struct nlattr *third = mnl_attr_next(mnl_attr_next((const void *)list.bytes));
	assert_true(rule_expression(third, &name, &data));
	assert_true(attr_is(name, "exthdr"));
	assert_null(attr_find(data, NFTA_EXTHDR_FLAGS));
	assert_non_null(attr_find(data, NFTA_EXTHDR_OFFSET));
	assert_true(attr_be32(attr_find(attr_nest(whole, NFTA_RULE_COMPAT),
					NFTA_RULE_COMPAT_PROTO), &number));
	assert_int_equal(number, 6);
	wire_done(&wire);
	wire_done(&draft.wire);
}

static const struct nlattr *next(const struct nlattr *element)
{
	return mnl_attr_next(element);
}

static void check_expression(const struct nlattr *element, const char *wanted,
			     struct span *ret_data)
{
	struct span name;

	assert_true(rule_expression(element, &name, ret_data));
	assert_true(attr_is(name, wanted));
}

/* What was missing stands at the front, the rest behind it as it was. */
static void a_destination_goes_to_the_front(void **state)
{
	struct emit_rule rule = { .family = NFPROTO_INET, .table = "t", .chain = "c" };
	struct draft draft = { 0 };
	const struct nlattr *element;
	struct wire wire = { 0 };
	struct span list, data;
	struct rule_view view;
	size_t added;

	(void)state;
	dnat(&draft);
	rule.expressions = bytes_of(&draft);
	rule_read(rule.expressions, NFPROTO_IPV4, &view);
	rule.view = &view;
	assert_true(addr_parse("2001:db8::7", &rule.missing));
	emit_expressions(&wire, &rule);
	assert_false(wire.failed);
	list = attr_span((const void *)wire.bytes);
	element = (const void *)list.bytes;
	check_expression(element, "meta", &data);
	check_expression(element = next(element), "cmp", &data);
	assert_memory_equal(attr_nest(attr_nest(data, NFTA_CMP_DATA),
				      NFTA_DATA_VALUE).bytes, "\x0a", 1);
	check_expression(element = next(element), "payload", &data);
	check_expression(element = next(element), "cmp", &data);
	assert_memory_equal(attr_nest(attr_nest(data, NFTA_CMP_DATA),
				      NFTA_DATA_VALUE).bytes, rule.missing.bytes, 16);
	added = (size_t)((const uint8_t *)next(element) - list.bytes);
	assert_int_equal(list.length - added, draft.wire.length);
	assert_memory_equal(list.bytes + added, draft.wire.bytes, draft.wire.length);
	rule_read(list, NFPROTO_IPV4, &view);
	assert_int_equal(view.family, AF_INET6);
	assert_int_equal(view.side[RULE_IPV6].spot_count, 1);
	assert_int_equal(view.expression_count, 5);

	/* Where the table says the family, its compare is not needed. */
	rule.family = NFPROTO_IPV6;
	wire.length = 0;
	emit_expressions(&wire, &rule);
	list = attr_span((const void *)wire.bytes);
	check_expression((const void *)list.bytes, "payload", &data);
	wire_done(&wire);
	wire_done(&draft.wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expressions_travel_as_they_are),
		cmocka_unit_test(twins_get_name_and_number),
		cmocka_unit_test(corrections),
		cmocka_unit_test(a_destination_goes_to_the_front),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
