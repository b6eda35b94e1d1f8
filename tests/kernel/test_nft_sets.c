/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses in sets and maps, anonymous ones of rules and named ones: there and back again,
 * and nothing else changes.
 */
#include "sets.h"

static void anonymous_sets_and_maps_follow(void **state)
{
	struct rules rules;

	(void)state;
	rules_open(&rules);
	there_and_back(&rules, "table ip t {\n" BASE
		"counter web { packets 3 bytes 300 }\n"
		"counter ssh { }\n"
		"chain sub { }\n"
		"chain pre {\n"
		"ip daddr { " W ", 203.0.113.9 } tcp dport { 80, 443 } dnat to 10.0.0.2 "
		"comment \"hairpin set\"\n"
		"ip daddr { " W ", 10.0.0.0/8, 192.168.1.5-192.168.1.9 } dnat to 10.0.0.2 "
		"comment \"hairpin intervals\"\n"
		"ip daddr { " W " comment \"one\", 203.0.113.9 comment \"two\" } tcp dport "
		"81 dnat to 10.0.0.2 comment \"hairpin comments\"\n"
		"ip daddr . tcp dport { " W " . 80, " W " . 443, 10.9.9.9 . 1 } dnat to "
		"10.0.0.2 comment \"hairpin concat\"\n"
		"ip daddr . tcp dport { " W " . 80-90, 10.0.0.0/24 . 443 } dnat to "
		"10.0.0.2 comment \"hairpin concat intervals\"\n"
		"dnat to ip daddr . tcp dport map { " W " . 8080 : 10.0.0.2 . 80, " W
		" . 8081 : 10.0.0.3 . 81 } comment \"hairpin map\"\n"
		"dnat to ip daddr map { " W " : 10.0.0.2, 203.0.113.2 : 10.0.0.3, "
		"203.0.113.3-203.0.113.9 : 10.0.0.4 } comment \"hairpin map intervals\"\n"
		"ip daddr vmap { " W " : jump sub, 203.0.113.9 : drop, 10.0.0.0/8 : accept } "
		"comment \"hairpin vmap\"\n"
		"ip daddr . meta l4proto vmap { " W " . tcp : goto sub } comment \"hairpin "
		"concat vmap\"\n"
		"counter name ip daddr map { " W " : \"web\", 203.0.113.9 : \"ssh\" } accept "
		"comment \"hairpin objref\"\n"
		"ct original ip daddr { " W ", 203.0.113.9 } dnat to 10.0.0.2 comment \"hairpin "
		"original\"\n"
		"}\nchain post {\n"
		"snat to ip saddr map { 10.0.0.2 : " W ", 10.0.0.3 : 203.0.113.9 } comment "
		"\"hairpin snat map\"\n"
		"}\n}\n"
		"table inet t {\n" BASE "chain pre {\n"
		"ip6 daddr { " W6 ", 2001:db8::9 } tcp dport 80 dnat ip6 to fd00::2 comment "
		"\"hairpin six\"\n"
		"ip6 daddr . tcp dport vmap { " W6 " . 80 : accept, fd00::/8 . 1-9 : drop } "
		"comment \"hairpin six concat\"\n"
		"ip daddr { " W ", 203.0.113.9 } tcp dport 80 dnat ip to 10.0.0.2 comment "
		"\"hairpin four\"\n"
		"}\n}\n", 15);
	rules_close(&rules);
}

static void named_sets_and_maps_follow(void **state)
{
	struct rules rules;

	(void)state;
	rules_open(&rules);
	there_and_back(&rules, "table ip t {\n" BASE
		"counter web { packets 3 bytes 300 }\n"
		"set plain { type ipv4_addr; comment \"hairpin a\"\n elements = { " W
		", 10.1.1.1 } }\n"
		"set counted { type ipv4_addr; counter; comment \"hairpin b\"\n elements = { "
		W " counter packets 5 bytes 500 comment \"mine\" } }\n"
		"set ranges { type ipv4_addr; flags interval; comment \"hairpin c\"\n elements "
		"= { 10.0.0.0/8, " W ", 203.0.113.2, 203.0.113.5-203.0.113.9 } }\n"
		"set merged { type ipv4_addr; flags interval; auto-merge; comment \"hairpin "
		"d\"\n elements = { 10.0.0.0/8, " W " } }\n"
		"set pairs { type ipv4_addr . inet_service; comment \"hairpin e\"\n elements = { "
		W " . 80, " W " . 443, 10.1.1.1 . 80 } }\n"
		"set wide { type inet_proto . ipv4_addr . inet_service; flags interval; comment "
		"\"hairpin f\"\n elements = { udp . 10.0.0.0/8 . 53, tcp . " W " . 80-90 } }\n"
		"map forwards { type ipv4_addr . inet_service : ipv4_addr . inet_service; "
		"comment \"hairpin g\"\n elements = { " W " . 80 : 10.0.0.2 . 8080, " W
		" . 443 : 10.0.0.2 . 8443 } }\n"
		"map verdicts { type ipv4_addr : verdict; flags interval; comment \"hairpin h\"\n"
		"elements = { " W " : accept, 203.0.113.2 : drop, 10.0.0.0/8 : return } }\n"
		"map objects { type ipv4_addr : counter; comment \"hairpin i\"\n elements = { "
		W " : \"web\" } }\n"
		"map sources { type ipv4_addr : ipv4_addr; comment \"hairpin j\"\n elements = { "
		"10.0.0.2 : " W ", 10.0.0.3 : 10.0.0.4 } }\n"
		"set other { type ipv4_addr; comment \"nothing\"\n elements = { " OLD " } }\n"
		"chain pre { ip daddr @plain dnat to 10.0.0.2 \n }\n}\n"
		"table inet t {\n" BASE
		"set six { type ipv6_addr; comment \"hairpin k\"\n elements = { " W6 ", fd00::1 "
		"} }\n"
		"set sixes { type ipv6_addr . inet_service; flags interval; comment \"hairpin "
		"l\"\n elements = { fd00::/8 . 1-9, " W6 " . 80 } }\n"
		"}\n", 12);
	rules_close(&rules);
}

static void tagged_elements_follow_whatever_they_were(void **state)
{
	struct rules rules;

	(void)state;
	rules_open(&rules);
	there_and_back(&rules, "table ip t {\n" BASE
		"counter web { packets 3 bytes 300 }\n"
		"set s { type ipv4_addr; elements = { 203.0.113.77, 203.0.113.66 comment \"no\", "
		W " comment \"hairpin 1\" } }\n"
		"set r { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, " W
		" comment \"hairpin 2\" } }\n"
		"map m { type ipv4_addr : counter; elements = { " W " comment \"hairpin 3\" : "
		"\"web\", 10.0.0.9 : \"web\" } }\n"
		"map v { type ipv4_addr . inet_service : verdict; elements = { " W " . 80 comment "
		"\"hairpin 4\" : accept, " W " . 443 comment \"hairpin 5\" : drop, " OLD
		" . 81 : drop } }\n"
		"chain sub { ip saddr { 203.0.113.77, " W " comment \"hairpin 6\" } counter "
		"packets 4 bytes 44 accept\n }\n"
		"chain pre {\n"
		"ip daddr { 203.0.113.77, " W " comment \"hairpin 7\" } tcp dport { 80, 81 } "
		"jump sub comment \"plain\"\n"
		"ip daddr { 203.0.113.77, " W " comment \"hairpin 8\" } drop comment \"hairpin "
		"both\"\n"
		"ip daddr . tcp dport vmap { " W " . 80 comment \"hairpin 9\" : jump sub, " OLD
		" . 81 : drop }\n"
		"counter name ip daddr map { " W " comment \"hairpin 10\" : \"web\", 10.0.0.9 : "
		"\"web\" } accept\n"
		"}\n}\n"
		"table inet t {\n" BASE
		"set six { type ipv6_addr; flags interval; elements = { fd00::/8, " W6
		" comment \"hairpin 11\" } }\n"
		"}\n", 11);
	rules_close(&rules);
}

static const char named[] = "table ip t {\n" BASE
	"counter web { packets 3 bytes 300 }\n"
	"set empty { type ipv4_addr; comment \"dns:me.example.org\"\n }\n"
	"set s { type ipv4_addr; comment \"dns:Me.Example.ORG. hairpin\"\n elements = "
	"{ 10.1.1.1, 81.2.69.2 } }\n"
	"set r { type ipv4_addr; flags interval; comment \"dns:me.example.org 2\"\n "
	"elements = { 10.0.0.0/8, 81.2.69.3 } }\n"
	"set e { type ipv4_addr . inet_service; elements = { 10.1.1.1 . 80 comment "
	"\"dns:me.example.org 3\", 10.1.1.1 . 443 comment \"dns:me.example.org 3\", "
	"10.1.1.2 . 22 } }\n"
	"map m { type ipv4_addr : counter; comment \"dns:me.example.org 4\"\n elements "
	"= { 10.1.1.1 : \"web\" } }\n"
	"set six { type ipv6_addr; comment \"dns:me.example.org 5\"\n elements = { fd00::1 "
	"} }\n"
	"set none { type ipv4_addr; comment \"dns:other.example.org\"\n elements = { "
	"10.1.1.1 } }\n"
	"set bad { type ipv4_addr; comment \"dns:no/name\"\n elements = { 10.1.1.1 } }\n"
	"map bare { type ipv4_addr : counter; comment \"dns:me.example.org 6\"\n }\n"
	"chain pre { ip daddr { 10.1.1.1 comment \"dns:me.example.org 7\", 10.1.1.2 } tcp "
	"dport 80 accept\n }\n}\n";

static const char named_after[] = "table ip t {\n" BASE
	"counter web { packets 3 bytes 300 }\n"
	"set empty { type ipv4_addr; comment \"dns:me.example.org\"\n elements = { "
	"81.2.69.1, 81.2.69.2 } }\n"
	"set s { type ipv4_addr; comment \"dns:Me.Example.ORG. hairpin\"\n elements = "
	"{ 81.2.69.1, 81.2.69.2 } }\n"
	"set r { type ipv4_addr; flags interval; comment \"dns:me.example.org 2\"\n "
	"elements = { 81.2.69.1, 81.2.69.2 } }\n"
	"set e { type ipv4_addr . inet_service; elements = { 81.2.69.1 . 80 comment "
	"\"dns:me.example.org 3\", 81.2.69.2 . 443 comment \"dns:me.example.org 3\", "
	"81.2.69.2 . 80 comment \"dns:me.example.org 3\", 81.2.69.1 . 443 comment "
	"\"dns:me.example.org 3\", 10.1.1.2 . 22 } }\n"
	"map m { type ipv4_addr : counter; comment \"dns:me.example.org 4\"\n elements "
	"= { 81.2.69.1 : \"web\", 81.2.69.2 : \"web\" } }\n"
	"set six { type ipv6_addr; comment \"dns:me.example.org 5\"\n elements = { "
	"2001:db8:5::1 } }\n"
	"set none { type ipv4_addr; comment \"dns:other.example.org\"\n elements = { "
	"10.1.1.1 } }\n"
	"set bad { type ipv4_addr; comment \"dns:no/name\"\n elements = { 10.1.1.1 } }\n"
	"map bare { type ipv4_addr : counter; comment \"dns:me.example.org 6\"\n }\n"
	"chain pre { ip daddr { 81.2.69.1 comment \"dns:me.example.org 7\", 81.2.69.2 "
	"comment \"dns:me.example.org 7\", 10.1.1.2 } tcp dport 80 accept\n }\n}\n";

static void names_are_held(void **state)
{
	char *expected = load(named_after, "", ""), *one;
	struct addr room[3];
	struct nft_name name;
	struct rules rules;

	(void)state;
	rules_open(&rules);
	free(load(named, "", ""));
	give_name(&rules, room, &name, "me.example.org", 0, 3);
	sync_changes(&rules, 7);
	expect_listing(expected);
	rules_skipped(&rules, "dns:other.example.org", "not known");
	rules_skipped(&rules, "dns:no/name", "no DNS name");
	rules_skipped(&rules, "dns:me.example.org 6", "is empty");
	assert_int_equal(rules.report.of_names.tagged, 10);
	assert_int_equal(rules_find(&rules, "dns:me.example.org 5")->name_family, AF_INET6);
	assert_string_equal(rules_find(&rules, "dns:me.example.org")->name, "me.example.org");
	assert_int_equal(rules_find(&rules, "dns:me.example.org 3")->kind, NFT_ELEMENT);
	assert_int_equal(rules_find(&rules, "dns:me.example.org 3")->target, NFT_OF_NAME);
	sync_changes(&rules, 0);
	assert_int_equal(rules.report.unchanged, 7);

	/* One address fewer, none of IPv6: that one stays as it was. */
	give_name(&rules, room, &name, "me.example.org", 1, 1);
	sync_changes(&rules, 6);
	rules_skipped(&rules, "dns:me.example.org 5", "no IPv6 address");
	one = lab_listing();
	assert_null(strstr(one, "81.2.69.1"));
	assert_non_null(strstr(one, "2001:db8:5::1"));
	free(one);
	give_name(&rules, room, &name, "me.example.org", 0, 0);
	sync_changes(&rules, 0);
	give_name(&rules, room, &name, "me.example.org", 0, 3);
	sync_changes(&rules, 6);
	expect_listing(expected);
	free(expected);
	rules_close(&rules);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(anonymous_sets_and_maps_follow, lab_fresh),
		cmocka_unit_test_setup(named_sets_and_maps_follow, lab_fresh),
		cmocka_unit_test_setup(tagged_elements_follow_whatever_they_were, lab_fresh),
		cmocka_unit_test_setup(names_are_held, lab_fresh),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
