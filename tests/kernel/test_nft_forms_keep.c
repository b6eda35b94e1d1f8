/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IPv6 where the WAN's delegated prefix moves and the low bits stay; and destinations
 * that a rule lacks.
 */
#include "rules.h"

#define BASE "chain pre { type nat hook prerouting priority -100; }\n" \
	     "chain post { type nat hook postrouting priority 100; }\n"

#define OLD_PREFIX "2001:db8:1:5600:"
#define NEW_PREFIX "2001:db8:2:aa00:"

static void open_keep(struct rules *rules, unsigned bits)
{
	rules_open(rules);
	rules->target.keep_bits = bits;
	rules->target.prefix = rules_addr(NEW_PREFIX ":");
}

static void prefix_moves(struct rules *rules, unsigned changes, const char *from,
			 const char *to)
{
	char *before = lab_listing(), *expected, *after;

	rules->target.prefix = rules_addr(to);
	expected = lab_expect(before, "hairpin do", "2001:db8:1:56", "2001:db8:2:aa");
	rules_sync(rules);
	after = lab_listing();
	assert_string_equal(expected, after);
	assert_int_equal(rules->report.total.changed, changes);
	free(after);
	rules_sync(rules);
	assert_int_equal(rules->report.total.changed, 0);
	assert_int_equal(rules->report.unchanged, changes);
	rules->target.former_count = 0;
	rules_former(rules, to);
	rules->target.prefix = rules_addr(from);
	rules_sync(rules);
	assert_int_equal(rules->report.total.changed, changes);
	after = lab_listing();
	assert_string_equal(before, after);
	free(before);
	free(expected);
	free(after);
}

static void check_bits(const struct rules *rules, const char *comment, const char *old,
		       const char *new, unsigned bits)
{
	rules_changed(rules, comment, old, new);
	assert_int_equal(rules_find(rules, comment)->bits, bits);
}

static void the_suffix_is_kept(void **state)
{
	struct rules rules;

	(void)state;
	lab_nft("table ip6 t {\n" BASE "chain pre {\n"
		"ip6 daddr " OLD_PREFIX ":10 tcp dport 80 counter packets 4 bytes 400 dnat "
		"to fd00::2 comment \"hairpin do host\"\n"
		"ip6 daddr " OLD_PREFIX ":/64 tcp dport 81 dnat to fd00::2 comment "
		"\"hairpin do 64\"\n"
		"ip6 daddr " OLD_PREFIX ":/56 redirect comment \"hairpin do 56\"\n"
		"ip6 daddr 2001:db8:1:5630::/60 redirect comment \"hairpin do 60\"\n"
		"ip6 daddr & ffff:ffff:ffff:ffff::ff == " OLD_PREFIX ":7 redirect comment "
		"\"hairpin do mask\"\n"
		"ip6 daddr 2001:db8:1::/48 redirect comment \"hairpin 48\"\n"
		"ip6 daddr 2001:db8:1:5400::/54 redirect comment \"hairpin 54\"\n"
		"ip6 daddr & ::ffff:ffff:ffff:ffff == ::10 redirect comment \"hairpin "
		"suffix\"\n"
		"ip6 daddr != " OLD_PREFIX ":/64 redirect comment \"hairpin neq\"\n"
		"ip6 daddr " OLD_PREFIX ":1-" OLD_PREFIX ":9 redirect comment \"hairpin "
		"range\"\n"
		"}\nchain post {\n"
		"ct original ip6 daddr " OLD_PREFIX ":10 masquerade comment \"hairpin do "
		"ct\"\n"
		"ip6 daddr " OLD_PREFIX ":/64 masquerade comment \"hairpin do post\"\n"
		"ip6 daddr 2001:db8:9::/64 masquerade comment \"hairpin foreign\"\n"
		"ip6 saddr fd00::/8 snat to " OLD_PREFIX ":1 comment \"hairpin do snat\"\n"
		"ip6 saddr " OLD_PREFIX ":/64 masquerade comment \"hairpin source\"\n"
		"}\n}\n"
		"table inet t {\n" BASE "chain pre {\n"
		"ip6 daddr " OLD_PREFIX ":/64 tcp dport 82 dnat ip6 to fd00::2 comment "
		"\"hairpin do inet\"\n"
		"ip daddr 203.0.113.0/24 redirect comment \"hairpin 4\"\n"
		"ip daddr " OLD " redirect comment \"hairpin plain 4\"\n}\n"
		"chain forw { type filter hook forward priority 0;\n"
		"ip6 daddr " OLD_PREFIX ":99 tcp dport 22 accept comment \"hairpin do "
		"forward\"\n"
		"ip6 daddr 2001:db8:1:5601::/64 accept comment \"hairpin do forward 64\"\n"
		"ip6 daddr & ::ff == ::10 accept comment \"hairpin last\"\n}\n}\n");
	open_keep(&rules, 56);
	rules.target.ipv4 = (struct addr){ 0 };
	rules.request.filter = true;
	prefix_moves(&rules, 11, OLD_PREFIX ":", NEW_PREFIX ":");
	rules.target.former_count = 0;
	rules_former(&rules, OLD_PREFIX ":");
	rules.target.prefix = rules_addr(NEW_PREFIX ":");
	rules_sync(&rules);
	check_bits(&rules, "hairpin do host", OLD_PREFIX ":10", NEW_PREFIX ":10", 0);
	check_bits(&rules, "hairpin do 64", OLD_PREFIX ":", NEW_PREFIX ":", 64);
	check_bits(&rules, "hairpin do 60", "2001:db8:1:5630::", "2001:db8:2:aa30::", 60);
	check_bits(&rules, "hairpin do mask", OLD_PREFIX ":7", NEW_PREFIX ":7", 64);
	assert_true(rules_find(&rules, "hairpin do host")->learnt);
	assert_false(rules_find(&rules, "hairpin do 64")->learnt);
	rules_skipped(&rules, "hairpin 48", "shorter prefix");
	rules_skipped(&rules, "hairpin 54", "shorter prefix");
	rules_skipped(&rules, "hairpin suffix", "last bits");
	rules_skipped(&rules, "hairpin last", "last bits");
	rules_skipped(&rules, "hairpin neq", "!=");
	rules_skipped(&rules, "hairpin range", "range");
	rules_skipped(&rules, "hairpin foreign", "never was");
	rules_skipped(&rules, "hairpin source", "names no destination");
	rules_skipped(&rules, "hairpin 4", "with a prefix");
	rules_skipped(&rules, "hairpin plain 4", "no IPv4 address");
	rules_close(&rules);
}

/* The last bit of the eighth byte stays. */
static void bits_that_are_no_bytes(void **state)
{
	struct rules rules;
	char *after;

	(void)state;
	lab_nft("table ip6 t {\n" BASE "chain pre {\n"
		"ip6 daddr 2001:db8:1:57::10 redirect comment \"hairpin odd\"\n"
		"ip6 daddr 2001:db8:1:56::10 redirect comment \"hairpin even\"\n"
		"ip6 daddr 2001:db8:1:57::/64 redirect comment \"hairpin prefix\"\n}\n}\n");
	open_keep(&rules, 63);
	rules.target.prefix = rules_addr("2001:db8:2:ab::");
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 3);
	after = lab_listing();
	assert_non_null(strstr(after, "ip6 daddr 2001:db8:2:ab::10 redirect comment "
				      "\"hairpin odd\""));
	assert_non_null(strstr(after, "ip6 daddr 2001:db8:2:aa::10 redirect comment "
				      "\"hairpin even\""));
	assert_non_null(strstr(after, "ip6 daddr 2001:db8:2:ab::/64 redirect"));
	free(after);

	rules.target.prefix = (struct addr){ 0 };
	rules_sync(&rules);
	rules_skipped(&rules, "hairpin odd", "no IPv6 prefix is known");
	rules_skipped(&rules, "hairpin prefix", "no IPv6 prefix is known");
	/* Whole addresses: prefixes stay what they are. */
	rules.target.keep_bits = 0;
	rules_sync(&rules);
	rules_changed(&rules, "hairpin odd", "2001:db8:2:ab::10", NEW6);
	rules_skipped(&rules, "hairpin prefix", "with a prefix");
	rules_close(&rules);
}

static void a_missing_destination_is_added(void **state)
{
	struct rules rules;
	char *before, *after, *expected;

	(void)state;
	lab_nft("table ip t {\n" BASE "chain sub { }\nchain pre {\n"
		"tcp dport 80 counter packets 5 bytes 500 dnat to 10.0.0.2 comment "
		"\"hairpin a\"\n"
		"tcp dport { 443, 8443 } redirect comment \"hairpin b\"\n"
		"jump sub comment \"hairpin c\"\n"
		"ip saddr 10.0.0.0/8 dnat to tcp dport map { 1 : 10.0.0.2 } comment "
		"\"hairpin d\"\n"
		"tcp dport 80 dnat to 10.0.0.2 comment \"other\"\n"
		"}\nchain post {\n"
		"masquerade comment \"hairpin masq\"\n"
		"snat to 10.0.0.1 comment \"hairpin snat\"\n"
		"}\n}\n");
	rules_open(&rules);
	rules.request.add_missing = true;
	before = lab_listing();
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 4);
	for (char comment[] = "hairpin a"; comment[8] <= 'd'; comment[8]++) {
		const struct nft_item *item = rules_find(&rules, comment);

		assert_int_equal(item->result, NFT_CHANGED);
		assert_true(addr_is_none(&item->old));
		assert_true(addr_equal(&item->new, &rules.target.ipv4));
		assert_false(item->learnt);
	}
	rules_skipped(&rules, "hairpin masq", "names no destination");
	after = lab_listing();
	expected = lab_expect(after, "hairpin", "ip daddr " NEW " ", "");
	assert_string_equal(before, expected);
	assert_non_null(strstr(after, "\t\tip daddr " NEW " tcp dport 80 counter packets "
				      "5 bytes 500 dnat to 10.0.0.2 comment \"hairpin "
				      "a\""));
	free(expected);
	free(before);

	/* From now on they are plain rules. */
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 0);
	assert_int_equal(rules.report.unchanged, 4);
	rules.target.ipv4 = rules_addr(OLD);
	rules_sync(&rules);
	rules_changed(&rules, "hairpin a", NEW, OLD);
	free(after);
	rules_close(&rules);
}

static void only_where_nothing_is_asked_of_it(void **state)
{
	static const struct { const char *comment, *reason; } cases[] = {
		{ "hairpin prefix", "with a prefix" }, { "hairpin neq", "!=" },
		{ "hairpin range", "range" }, { "hairpin set", "named set" },
		{ "hairpin fib", "by itself" },
		{ "hairpin ct", "excludes a destination" },
		{ "hairpin braces", "block in braces" },
		{ "hairpin open", "no family" },
		{ "hairpin suffix", "no IPv6 address" },
		{ "hairpin nameless", "of which family" },
	};
	struct rules rules;
	char *before;

	(void)state;
	lab_nft("table ip t {\n" BASE "set s { type ipv4_addr; }\nchain pre {\n"
		"ip daddr 203.0.113.0/24 redirect comment \"hairpin prefix\"\n"
		"ip daddr != " OLD " redirect comment \"hairpin neq\"\n"
		"ip daddr " OLD "-203.0.113.7 redirect comment \"hairpin range\"\n"
		"ip daddr @s redirect comment \"hairpin set\"\n"
		"fib daddr type local redirect comment \"hairpin fib\"\n"
		"ct original ip daddr != " OLD " redirect comment \"hairpin ct\"\n"
		"jump { tcp dport 80 accept; } comment \"hairpin braces\"\n"
		"}\n}\n"
		"table inet t {\n" BASE "chain pre {\n"
		"tcp dport 80 redirect comment \"hairpin open\"\n"
		"@nh,128,32 0xcb007101 redirect comment \"hairpin nameless\"\n"
		"}\n}\n"
		"table ip6 t {\n" BASE "chain pre {\n"
		"tcp dport 80 redirect comment \"hairpin suffix\"\n}\n}\n");
	rules_open(&rules);
	rules.target.ipv6 = (struct addr){ 0 };
	rules.request.add_missing = true;
	before = lab_listing();
	rules_sync(&rules);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		rules_skipped(&rules, cases[i].comment, cases[i].reason);
	assert_int_equal(rules.count, sizeof(cases) / sizeof(cases[0]));
	rules.target.keep_bits = 64;
	rules.target.prefix = rules_addr(NEW_PREFIX ":");
	rules_sync(&rules);
	rules_skipped(&rules, "hairpin suffix", "last bits could stay");
	rules_expect_only(before, "nothing", OLD, NEW);
	rules_close(&rules);
}

/* In an inet table the compare needs the family's before it. */
static void inet_gets_the_family_too(void **state)
{
	struct rules rules;
	char *after;

	(void)state;
	lab_nft("table inet t {\n" BASE "chain pre {\n"
		"tcp dport 80 dnat ip to 10.0.0.2 comment \"hairpin nat 4\"\n"
		"tcp dport 80 dnat ip6 to fd00::2 comment \"hairpin nat 6\"\n"
		"meta nfproto ipv4 udp dport 53 redirect comment \"hairpin said 4\"\n"
		"meta protocol ip6 udp dport 53 redirect comment \"hairpin said 6\"\n"
		"ip saddr 10.0.0.0/8 udp dport 54 redirect comment \"hairpin saddr\"\n"
		"}\n}\n");
	rules_open(&rules);
	rules.request.add_missing = true;
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 5);
	after = lab_listing();
	assert_non_null(strstr(after, "\t\tip daddr " NEW " tcp dport 80 dnat ip to "
				      "10.0.0.2 comment \"hairpin nat 4\""));
	assert_non_null(strstr(after, "\t\tip6 daddr " NEW6 " tcp dport 80 dnat ip6 to "
				      "fd00::2 comment \"hairpin nat 6\""));
	assert_non_null(strstr(after, "\t\tip daddr " NEW " "));
	assert_non_null(strstr(after, "ip saddr 10.0.0.0/8 udp dport 54 redirect comment "
				      "\"hairpin saddr\""));
	assert_null(strstr(after, "@nh"));
	free(after);
	rules_sync(&rules);
	assert_int_equal(rules.report.unchanged, 5);
	rules_close(&rules);
}

static void iptables_rules_get_one_too(void **state)
{
	struct rules rules;
	char *after;

	(void)state;
	if (lab_try("iptables-nft -t nat -L >/dev/null 2>&1") != 0) {
		print_message("# iptables-nft does not work here\n");
		skip();
	}
	lab_run("iptables-nft -t nat -A PREROUTING -p tcp -m multiport --dports 80,443 -m "
		"comment --comment 'hairpin a' -j DNAT --to-destination 10.0.0.2");
	lab_run("iptables-nft -t nat -A PREROUTING -m iprange --dst-range " OLD
		"-203.0.113.9 -m comment --comment 'hairpin range' -j REDIRECT");
	lab_run("ip6tables-nft -t nat -A PREROUTING -p udp --dport 53 -m comment "
		"--comment 'hairpin six' -j REDIRECT --to-ports 5353");
	rules_open(&rules);
	rules.request.add_missing = true;
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 2);
	rules_skipped(&rules, "hairpin range", "--dst-range");
	after = lab_output("iptables-nft-save -t nat 2>/dev/null; ip6tables-nft-save -t nat "
		"2>/dev/null");
	assert_non_null(strstr(after, "-A PREROUTING -d " NEW "/32 -p tcp -m multiport "
				      "--dports 80,443 -m comment --comment \"hairpin a\" "
				      "-j DNAT --to-destination 10.0.0.2"));
	assert_non_null(strstr(after, "-A PREROUTING -d " NEW6 "/128 -p udp -m udp --dport "
				      "53 -m comment --comment \"hairpin six\" -j REDIRECT "
				      "--to-ports 5353"));
	free(after);
	rules_close(&rules);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_suffix_is_kept, lab_fresh),
		cmocka_unit_test_setup(bits_that_are_no_bytes, lab_fresh),
		cmocka_unit_test_setup(a_missing_destination_is_added, lab_fresh),
		cmocka_unit_test_setup(only_where_nothing_is_asked_of_it, lab_fresh),
		cmocka_unit_test_setup(inet_gets_the_family_too, lab_fresh),
		cmocka_unit_test_setup(iptables_rules_get_one_too, lab_fresh),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
