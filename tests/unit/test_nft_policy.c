/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a WAN wants of a value: whole addresses, prefixes whose low bits stay, and what
 * was the WAN's once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "kernel/nft_policy.h"

static struct addr address(const char *text)
{
	struct addr result = { 0 };

	if (*text)
		assert_true(addr_parse(text, &result));
	return result;
}

static void prefixes_are_joined_bit_by_bit(void **state)
{
	static const struct {
		const char *value, *prefix;
		unsigned bits;
		const char *joined;
		bool same;
	} cases[] = {
		{ "2001:db8:1:2::10", "2001:db8:9:8::", 64, "2001:db8:9:8::10", false },
		{ "2001:db8:1:2::10", "2001:db8:9:8::", 48, "2001:db8:9:2::10", false },
		{ "2001:db8:1:2f::1", "2001:db8:1:40::", 58, "2001:db8:1:6f::1", false },
		{ "2001:db8:1:2f::1", "2001:db8:1:40::", 57, "2001:db8:1:2f::1", true },
		{ "2001:db8::1", "8000::", 1, "a001:db8::1", false },
		{ "2001:db8::1", "ffff::", 1, "a001:db8::1", false },
		{ "2001:db8::1", "2001:db8::2", 127, "2001:db8::3", false },
		{ "2001:db8::1", "2001:db8::2", 128, "2001:db8::2", false },
		{ "203.0.113.1", "198.51.100.7", 32, "198.51.100.7", false },
		{ "203.0.113.1", "198.51.100.7", 0, "203.0.113.1", true },
		{ "203.0.113.1", "203.0.113.129", 25, "203.0.113.129", false },
		{ "203.0.113.1", "203.0.113.129", 24, "203.0.113.1", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr value = address(cases[i].value);
		struct addr prefix = address(cases[i].prefix);
		struct addr joined = addr_join(&prefix, cases[i].bits, &value);
		struct addr wanted = address(cases[i].joined);

		if (!addr_equal(&joined, &wanted))
			fail_msg("%s with %u bits", cases[i].value, cases[i].bits);
		assert_int_equal(addr_same_prefix(&prefix, &value, cases[i].bits),
				 cases[i].same);
		assert_true(addr_same_prefix(&prefix, &joined, cases[i].bits));
	}
}

static void families_are_never_mixed(void **state)
{
	struct addr four = address("203.0.113.1"), six = address("2001:db8::1");

	(void)state;
	assert_false(addr_same_prefix(&four, &six, 0));
}

static void whole_addresses(void **state)
{
	const struct addr former[] = { address("203.0.113.1"), address("203.0.113.2") };
	const struct addr learnt[] = { address("203.0.113.3") };
	struct nft_target target = {
		.ipv4 = address("203.0.113.2"), .former = former, .former_count = 2,
	};
	struct policy policy = { .target = &target };
	struct addr now = address("203.0.113.2"), old = address("203.0.113.1");
	struct addr told = address("203.0.113.3"), six = address("2001:db8::1");
	struct addr none = { 0 }, wanted;

	(void)state;
	assert_true(policy_holds(&policy, &now));
	/* It was the WAN's before and is again. */
	assert_false(policy_is_former(&policy, &now));
	assert_true(policy_is_former(&policy, &old));
	assert_false(policy_is_former(&policy, &told));
	policy.learnt = learnt;
	policy.learnt_count = 1;
	assert_true(policy_is_former(&policy, &told));
	assert_false(policy_is_former(&policy, &none));
	wanted = policy_wanted(&policy, &old);
	assert_true(addr_equal(&wanted, &now));
	assert_true(policy_knows_former(&policy, AF_INET));
	assert_false(policy_knows_former(&policy, AF_INET6));
	assert_true(policy_is_silent(&policy, AF_INET6));
	assert_false(policy_is_silent(&policy, AF_INET));
	wanted = policy_wanted(&policy, &six);
	assert_true(addr_is_none(&wanted));
	assert_false(policy_holds(&policy, &six));
	assert_int_equal(policy_bits(&policy, AF_INET), 32);
	assert_int_equal(policy_bits(&policy, AF_INET6), 128);
}

static void prefixes(void **state)
{
	const struct addr former[] = { address("2001:db8:1:5600::") };
	struct nft_target target = {
		.ipv4 = address("203.0.113.2"), .ipv6 = address("2001:db8:9::9"),
		.keep_bits = 56, .prefix = address("2001:db8:2:aa00::"),
		.former = former, .former_count = 1,
	};
	struct policy policy = { .target = &target };
	struct addr value = address("2001:db8:1:56ff::10"), wanted;
	struct addr other = address("2001:db8:1:5700::10");
	struct addr moved = address("2001:db8:2:aaff::10");

	(void)state;
	assert_int_equal(policy_bits(&policy, AF_INET6), 56);
	assert_int_equal(policy_bits(&policy, AF_INET), 32);
	assert_true(policy_is_former(&policy, &value));
	assert_false(policy_is_former(&policy, &other));
	wanted = policy_wanted(&policy, &value);
	assert_true(addr_equal(&wanted, &moved));
	assert_true(policy_holds(&policy, &moved));
	/* The address on the link does not count. */
	target.prefix = (struct addr){ 0 };
	assert_true(policy_is_silent(&policy, AF_INET6));
	assert_string_equal(policy_silence(&policy, AF_INET6), "no IPv6 prefix is known");
	assert_string_equal(policy_silence(&policy, AF_INET), "no IPv4 address is known");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_are_joined_bit_by_bit),
		cmocka_unit_test(families_are_never_mixed),
		cmocka_unit_test(whole_addresses),
		cmocka_unit_test(prefixes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
