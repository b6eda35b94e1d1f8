/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every form in which a rule's own expressions name the WAN's address: changed, and
 * changed back, and nothing else.
 */
#include "rules.h"

#define BASE "chain pre { type nat hook prerouting priority -100; }\n" \
	     "chain post { type nat hook postrouting priority 100; }\n"

static void reverse(struct rules *rules)
{
	struct addr ipv4 = rules->target.ipv4, ipv6 = rules->target.ipv6;

	rules->target.ipv4 = rules->former[0];
	rules->target.ipv6 = rules->former[1];
	rules->former[0] = ipv4;
	rules->former[1] = ipv6;
}

/*
 * On lines with "hairpin do" the old addresses become the new ones and then the old ones
 * again, byte for byte.
 */
static void there_and_back(struct rules *rules, unsigned changes, char *listing(void))
{
	char *before = listing(), *four = lab_expect(before, "hairpin do", OLD, NEW);
	char *expected = lab_expect(four, "hairpin do", OLD6, NEW6), *after;

	rules_sync(rules);
	after = listing();
	assert_string_equal(expected, after);
	assert_int_equal(rules->report.total.changed, changes);
	free(after);
	rules_sync(rules);
	assert_int_equal(rules->report.total.changed, 0);
	assert_int_equal(rules->report.unchanged, changes);
	reverse(rules);
	rules_sync(rules);
	assert_int_equal(rules->report.total.changed, changes);
	after = listing();
	assert_string_equal(before, after);
	reverse(rules);
	free(before);
	free(four);
	free(expected);
	free(after);
}

static void open_with_former(struct rules *rules)
{
	rules_open(rules);
	rules_former(rules, OLD);
	rules_former(rules, OLD6);
}

static void snat_to(void **state)
{
	struct rules rules;

	(void)state;
	lab_nft("table ip t {\n" BASE "chain post {\n"
		"oifname \"wan0\" counter packets 7 bytes 700 snat to " OLD " comment "
		"\"hairpin do a\"\n"
		"meta l4proto tcp snat to " OLD ":1024-2048 random,persistent comment "
		"\"hairpin do ports\"\n"
		"ip saddr 10.0.0.0/8 ip daddr " OLD " snat to " OLD " comment \"hairpin "
		"do both\"\n"
		"ip saddr 10.0.0.0/8 ip daddr 10.0.0.2 snat to " OLD " comment \"hairpin "
		"do one\"\n"
		"ip saddr 10.0.0.0/8 ip daddr 10.0.0.2 snat to 10.0.0.1 comment "
		"\"hairpin lan\"\n"
		"ip saddr 10.0.0.0/8 snat to 203.0.113.77 comment \"hairpin other\"\n"
		"snat to " OLD "-203.0.113.9 comment \"hairpin range\"\n"
		"snat prefix to ip saddr map { 10.1.1.0/24 : 203.0.113.0/24 } comment "
		"\"hairpin prefix\"\n"
		"}\nchain pre {\n"
		"ip daddr 10.9.9.9 dnat to " OLD " comment \"other dnat\"\n"
		"}\n}\n"
		"table ip6 t {\n" BASE "chain post {\n"
		"oifname \"wan0\" snat to " OLD6 " comment \"hairpin do 6\"\n"
		"meta l4proto udp snat to [" OLD6 "]:5000 comment \"hairpin do 6 "
		"port\"\n}\n}\n"
		"table inet t {\n" BASE "chain post {\n"
		"oifname \"wan0\" snat ip to " OLD " comment \"hairpin do inet\"\n"
		"oifname \"wan0\" snat ip6 to " OLD6 " comment \"hairpin do inet 6\"\n"
		"}\n}\n");
	open_with_former(&rules);
	there_and_back(&rules, 8, lab_listing);
	rules_sync(&rules);
	rules_changed(&rules, "hairpin do one", OLD, NEW);
	assert_false(rules_find(&rules, "hairpin do one")->learnt);
	rules_skipped(&rules, "hairpin lan", "never was the WAN's");
	rules_skipped(&rules, "hairpin other", "never was the WAN's");
	rules_skipped(&rules, "hairpin range", "several addresses");
	rules_skipped(&rules, "hairpin prefix", "several addresses");
	rules_close(&rules);
}

static void snat_where_nothing_is_known(void **state)
{
	struct rules rules;

	(void)state;
	lab_nft("table ip t {\n" BASE "chain post {\n"
		"oifname \"wan0\" snat to 81.2.69.7 comment \"hairpin global\"\n"
		"oifname \"br0\" snat to 10.0.0.1 comment \"hairpin private\"\n"
		"oifname \"br0\" snat to 100.64.0.9 comment \"hairpin cgnat\"\n"
		"}\n}\n");
	rules_open(&rules);
	rules_sync(&rules);
	rules_changed(&rules, "hairpin global", "81.2.69.7", NEW);
	rules_skipped(&rules, "hairpin private", "not global");
	rules_skipped(&rules, "hairpin cgnat", "not global");
	/* Former addresses of the other family say nothing. */
	rules.target.ipv4 = rules_addr("198.51.100.8");
	rules_former(&rules, OLD6);
	lab_run("nft replace rule ip t post handle $(nft -a list chain ip t post | "
		"sed -n 's/.*global.*handle //p') snat to 81.2.69.7 comment '\"hairpin "
		"global\"'");
	rules_sync(&rules);
	rules_changed(&rules, "hairpin global", "81.2.69.7", "198.51.100.8");
	/* A port forward teaches: now there is one, and this one is another's. */
	lab_nft("table ip t {\n chain post { snat to 81.2.69.9 comment \"hairpin "
		"second\"\n }\nchain pre { ip daddr " OLD " dnat to 10.0.0.2 comment "
		"\"hairpin teach\"\n }\n}\n");
	rules_sync(&rules);
	rules_changed(&rules, "hairpin teach", OLD, "198.51.100.8");
	rules_skipped(&rules, "hairpin second", "never was the WAN's");
	rules_close(&rules);
}

static void the_target_of_dnat_stays(void **state)
{
	struct rules rules;
	char *after;

	(void)state;
	lab_nft("table ip t {\n" BASE "chain pre {\n"
		"ip daddr " OLD " tcp dport 80 dnat to " OLD ":8080 comment \"hairpin "
		"same\"\n"
		"ip daddr 10.0.0.77 tcp dport 81 dnat to " OLD " comment \"hairpin "
		"target\"\n}\n}\n");
	rules_open(&rules);
	rules_sync(&rules);
	rules_changed(&rules, "hairpin same", OLD, NEW);
	rules_changed(&rules, "hairpin target", "10.0.0.77", NEW);
	after = lab_listing();
	assert_non_null(strstr(after, "ip daddr " NEW " tcp dport 80 dnat to " OLD
				      ":8080"));
	assert_non_null(strstr(after, "ip daddr " NEW " tcp dport 81 dnat to " OLD " "));
	free(after);
	rules_close(&rules);
}

static char *xt_listing(void)
{
	return lab_output("for f in iptables ip6tables; do $f-nft-save -c -t nat; "
			  "$f-nft-save -c -t filter; done 2>/dev/null | grep -v '^#'; "
			  "nft -a list ruleset 2>/dev/null | grep -o '# handle.*'");
}

static void xt_extensions(void **state)
{
	static const char *const four[] = {
		"PREROUTING -m conntrack --ctorigdst " OLD " -j DNAT --to 10.0.0.2",
		"PREROUTING -d " OLD " -m iprange --dst-range " OLD "-" OLD " -p tcp "
		"--dport 80 -j DNAT --to 10.0.0.2:80",
		"POSTROUTING -o wan0 -j SNAT --to-source " OLD,
		"POSTROUTING -p tcp -j SNAT --to-source " OLD ":1024-2048 --random",
		"POSTROUTING -m conntrack --ctstate DNAT --ctorigdst " OLD " --ctorigsrc "
		"10.0.0.0/8 --ctproto tcp -j MASQUERADE",
		"POSTROUTING -m iprange --src-range 10.0.0.1-10.0.0.9 --dst-range " OLD
		"-" OLD " -j MASQUERADE",
	};
	static const char *const six[] = {
		"PREROUTING -m conntrack --ctorigdst " OLD6 " -j DNAT --to fd00::2",
		"POSTROUTING -o wan0 -j SNAT --to-source " OLD6,
		"POSTROUTING -p udp -j SNAT --to-source [" OLD6 "]:5000-6000",
		"POSTROUTING -m iprange --dst-range " OLD6 "-" OLD6 " -j MASQUERADE",
		"PREROUTING -s 2001:db8::9 -d " OLD6 " -p udp -m multiport --sports "
		"53,123 -j DNAT --to fd00::2",
	};
	static const struct { const char *rule, *reason; } others[] = {
		{ "POSTROUTING -m conntrack --ctorigdst 203.0.113.0/24 -j MASQUERADE",
		  "--ctorigdst" },
		{ "POSTROUTING -m conntrack ! --ctorigdst " OLD " -j MASQUERADE",
		  "excludes" },
		{ "POSTROUTING -m conntrack --ctorigdst 10.0.0.9 -j MASQUERADE",
		  "never was" },
		{ "POSTROUTING -m conntrack --ctrepldst " OLD " -j MASQUERADE",
		  "names no destination" },
		{ "POSTROUTING -m iprange --dst-range " OLD "-203.0.113.9 -j MASQUERADE",
		  "--dst-range" },
		{ "POSTROUTING -m iprange ! --dst-range " OLD "-" OLD " -j MASQUERADE",
		  "excludes" },
		{ "POSTROUTING -m iprange --src-range " OLD "-" OLD " -j MASQUERADE",
		  "names no destination" },
		{ "POSTROUTING -j SNAT --to-source " OLD "-203.0.113.9",
		  "several addresses" },
		{ "PREROUTING -p tcp -j DNAT --to-destination " OLD, "has no destination" },
		{ "PREROUTING -d 203.0.113.0/24 -j NETMAP --to 203.0.113.0/24", "prefix" },
		{ "PREROUTING -m addrtype --dst-type LOCAL -p tcp -j REDIRECT",
		  "by itself" },
	};
	struct rules rules;
	char comment[64];

	(void)state;
	if (lab_try("iptables-nft -t nat -L >/dev/null 2>&1") != 0) {
		print_message("# iptables-nft does not work here\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(four) / sizeof(four[0]); i++)
		lab_run("iptables-nft -t nat -A %s -m comment --comment 'hairpin do "
			"%zu'", four[i], i);
	for (size_t i = 0; i < sizeof(six) / sizeof(six[0]); i++)
		lab_run("ip6tables-nft -t nat -A %s -m comment --comment 'hairpin do 6 "
			"%zu'", six[i], i);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		lab_run("iptables-nft -t nat -A %s -m comment --comment 'hairpin not "
			"%zu'", others[i].rule, i);
	open_with_former(&rules);
	there_and_back(&rules, 11, xt_listing);
	rules_sync(&rules);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		sprintf(comment, "hairpin not %zu", i);
		rules_skipped(&rules, comment, others[i].reason);
	}
	rules_close(&rules);
}

static void xt_extensions_only_where_former(void **state)
{
	struct rules rules;

	(void)state;
	if (lab_try("iptables-nft -t nat -L >/dev/null 2>&1") != 0) {
		print_message("# iptables-nft does not work here\n");
		skip();
	}
	lab_run("iptables-nft -t nat -A PREROUTING -m conntrack --ctorigdst " OLD " -m "
		"comment --comment 'hairpin ct' -j DNAT --to 10.0.0.2");
	lab_run("iptables-nft -t nat -A PREROUTING -d 203.0.113.8 -m iprange --dst-range "
		"203.0.113.9-203.0.113.9 -m comment --comment 'hairpin two' -j DNAT --to "
		"10.0.0.2");
	rules_open(&rules);
	rules_sync(&rules);
	rules_skipped(&rules, "hairpin ct", "never was");
	rules_skipped(&rules, "hairpin two", "two addresses");
	/* What is told in the same ruleset counts, wherever it stands. */
	lab_run("iptables-nft -t nat -A PREROUTING -d " OLD " -m comment --comment "
		"'hairpin tells' -j DNAT --to 10.0.0.2");
	rules_sync(&rules);
	rules_changed(&rules, "hairpin tells", OLD, NEW);
	rules_changed(&rules, "hairpin ct", OLD, NEW);
	rules_close(&rules);
}

static void the_connections_first_destination(void **state)
{
	struct rules rules;

	(void)state;
	lab_nft("table ip t {\n" BASE "chain post {\n"
		"ct original ip daddr " OLD " masquerade comment \"hairpin do post\"\n}\n"
		"chain forw { type filter hook forward priority 0;\n"
		"ct original ip daddr " OLD " ct status dnat accept comment \"hairpin do "
		"forward\"\n"
		"ct original ip daddr != " OLD " accept comment \"hairpin not\"\n"
		"ct reply ip daddr " OLD " accept comment \"hairpin reply\"\n}\n}\n"
		"table inet t {\n" BASE "chain post {\n"
		"ct original ip daddr " OLD " masquerade comment \"hairpin do inet\"\n"
		"ct original ip6 daddr " OLD6 " masquerade comment \"hairpin do inet "
		"6\"\n}\n"
		"chain forw { type filter hook forward priority 0;\n"
		"ct original ip6 daddr " OLD6 " accept comment \"hairpin do inet forward"
		"\"\n}\n}\n"
		"table ip6 t {\n" BASE "chain post {\n"
		"ct original ip6 daddr " OLD6 " masquerade comment \"hairpin do 6\"\n"
		"}\n}\n");
	open_with_former(&rules);
	rules.request.filter = true;
	there_and_back(&rules, 6, lab_listing);
	rules_sync(&rules);
	rules_skipped(&rules, "hairpin not", "!=");
	rules_skipped(&rules, "hairpin reply", "names no destination");
	rules_close(&rules);
}

static void filter_chains(void **state)
{
	struct rules rules;

	(void)state;
	lab_nft("table ip t {\n" BASE
		"chain shared { ip daddr " OLD " tcp dport 9 accept comment \"hairpin do "
		"shared\"\nip daddr 203.0.113.8 jump leaf comment \"hairpin shared "
		"jump\"\n}\n"
		"chain leaf { }\n"
		"chain pre { ip daddr 203.0.113.9 jump shared comment \"other\"\n }\n"
		"chain forw { type filter hook forward priority 0;\n"
		"jump shared\n"
		"ip daddr " OLD " tcp dport 80 counter packets 3 bytes 30 accept comment "
		"\"hairpin do accept\"\n"
		"ip daddr 203.0.113.9 jump leaf comment \"hairpin jump\"\n}\n"
		"chain raw { type filter hook prerouting priority -300;\n"
		"ip daddr " OLD " jump leaf comment \"hairpin do jump\"\n"
		"ip daddr 203.0.113.9 jump leaf comment \"hairpin raw jump\"\n}\n}\n"
		"table inet t {\nchain in { type filter hook input priority 0;\n"
		"ip daddr " OLD " tcp dport 22 accept comment \"hairpin do inet\"\n"
		"ip6 daddr " OLD6 " drop comment \"hairpin do inet 6\"\n}\n}\n"
		"table ip6 t {\nchain out { type filter hook output priority 0;\n"
		"ip6 daddr " OLD6 " tcp dport { 22, 23 } accept comment \"hairpin do "
		"6\"\n}\n}\n");
	open_with_former(&rules);
	rules.request.filter = true;
	there_and_back(&rules, 6, lab_listing);
	rules_sync(&rules);
	rules_skipped(&rules, "hairpin jump", "never was");
	rules_skipped(&rules, "hairpin raw jump", "never was");
	/* Reached from a NAT chain and from a filter chain: no port forward. */
	rules_skipped(&rules, "hairpin shared jump", "never was");
	rules.request.filter = false;
	reverse(&rules);
	rules_sync(&rules);
	rules_changed(&rules, "hairpin do shared", NEW, OLD);
	assert_int_equal(rules.count, 2);
	rules_close(&rules);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(snat_to, lab_fresh),
		cmocka_unit_test_setup(snat_where_nothing_is_known, lab_fresh),
		cmocka_unit_test_setup(the_target_of_dnat_stays, lab_fresh),
		cmocka_unit_test_setup(xt_extensions, lab_fresh),
		cmocka_unit_test_setup(xt_extensions_only_where_former, lab_fresh),
		cmocka_unit_test_setup(the_connections_first_destination, lab_fresh),
		cmocka_unit_test_setup(filter_chains, lab_fresh),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
