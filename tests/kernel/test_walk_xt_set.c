/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules that ask ipsets, as blocklists and UniFi's firewall do: the kernel's sets are
 * real.
 */
#include "walks.h"

static const struct set_case {
	const char *match;
	enum walk_miss expected;
} set_cases[] = {
	{ "--match-set nets src", WALK_MATCHES },
	{ "! --match-set nets src", WALK_MISS_SOURCE },
	{ "--match-set nets dst", WALK_MISS_DESTINATION },
	{ "! --match-set nets dst", WALK_MATCHES },
	{ "--match-set ours dst", WALK_MATCHES },
	{ "--match-set ours src", WALK_MISS_SOURCE },
	{ "--match-set except src", WALK_MISS_SOURCE },
	{ "--match-set services dst,dst", WALK_MATCHES },
	{ "--match-set services dst,src", WALK_MISS_DESTINATION },
	{ "--match-set services dst", WALK_MISS_DESTINATION },
	{ "--match-set ports dst", WALK_MATCHES },
	{ "--match-set ports src", WALK_MISS_PORT },
	{ "--match-set lists src", WALK_MISS_UNSURE },
	{ "--match-set nets src --packets-gt 9", WALK_MISS_UNSURE },
	{ "--match-set nets src --return-nomatch", WALK_MISS_UNSURE },
};

enum { SET_CASES = sizeof(set_cases) / sizeof(set_cases[0]) };

static bool make_sets(void)
{
	return lab_try("ipset restore <<'END'\n"
		       "create nets hash:net counters\n"
		       "add nets 198.51.100.0/24\n"
		       "create except hash:net\n"
		       "add except 198.51.100.0/24\n"
		       "add except 198.51.100.7 nomatch\n"
		       "create ours hash:ip\n"
		       "add ours 203.0.113.5\n"
		       "create services hash:ip,port\n"
		       "add services 203.0.113.5,tcp:443\n"
		       "create ports bitmap:port range 0-1024\n"
		       "add ports 443\n"
		       "create lists list:set\n"
		       "add lists nets\n"
		       "create sixes hash:net family inet6\n"
		       "add sixes 2001:db8:7::/48\n"
		       "END\n") == 0;
}

static void sets(void **state)
{
	const struct walk_chain *chain;
	struct walk_packet packet;
	struct walks walks;

	(void)state;
	if (!make_sets()) {
		print_message("no ipsets here\n");
		skip();
	}
	for (size_t i = 0; i < SET_CASES; i++)
		lab_run("iptables-nft -A INPUT -m set %s -j DROP", set_cases[i].match);
	walks_open(&walks);
	packet = walks_packet(&walks, "wan0 tcp 198.51.100.7 > 203.0.113.5#443");
	chain = walk_chain_find(walks.walk, NFPROTO_IPV4, "filter", "INPUT");
	assert_non_null(chain);
	assert_int_equal(chain->rule_count, SET_CASES);
	for (size_t i = 0; i < SET_CASES; i++) {
		enum walk_miss miss = walk_rule_miss(walks.walk, walks.router,
						     &chain->rules[i], &packet);

		if (miss != set_cases[i].expected)
			fail_msg("%s: %d, not %d", set_cases[i].match, miss,
				 set_cases[i].expected);
	}
	walks_close(&walks);
}

static void sets_of_ipv6(void **state)
{
	struct walks walks;

	(void)state;
	if (lab_try("ipset list -n sixes >/dev/null 2>&1") != 0)
		skip();
	lab_run("ip6tables-nft -A INPUT -m set --match-set sixes src -m comment "
		"--comment blocked -j DROP");
	walks_open(&walks);
	assert_string_equal(walks_ask(&walks, "wan0 tcp 2001:db8:7::7 > 2001:db8:1::5#80",
				      NULL, false), "dropped by blocked");
	assert_string_equal(walks_ask(&walks, "wan0 tcp 2001:db8:8::7 > 2001:db8:1::5#80",
				      NULL, false),
			    "local 2001:db8:8::7#40000 > 2001:db8:1::5#80");
	walks_close(&walks);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets),
		cmocka_unit_test(sets_of_ipv6),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, walks_router, NULL);
}
