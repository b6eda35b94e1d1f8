/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where packets end that were never sent: rulesets of the real kernel, with its routes.
 */
#include "walks.h"

#define PRE "chain pre { type nat hook prerouting priority -100; "
#define POST "chain post { type nat hook postrouting priority 100; "
#define OUT "chain out { type nat hook output priority -100; "
#define FORWARD "chain forth { type filter hook forward priority 0; "
#define NET "wan0 tcp 198.18.0.77#40000 > "
#define LAN "br0 tcp 192.168.1.10#40000 > "
#define FROM_NET "198.18.0.77#40000 > "
#define FROM_LAN "192.168.1.10#40000 > "

static void forms_of_a_destination(void **state)
{
	static const struct walks_case cases[] = {
		{ "table ip t {}", NET "203.0.113.5#80", "local " FROM_NET "203.0.113.5#80" },
		{ NULL, LAN "8.8.8.8#80", "forwarded wan0 " FROM_LAN "8.8.8.8#80" },
		{ "table ip t { " PRE "ip daddr 203.0.113.5 tcp dport 80 dnat to "
		  "192.168.1.2; }; }",
		  NET "203.0.113.5#80", "forwarded br0 " FROM_NET "192.168.1.2#80" },
		{ NULL, NET "203.0.113.5#81", "local " FROM_NET "203.0.113.5#81" },
		{ NULL, NET "203.0.113.6#80", "local " FROM_NET "203.0.113.6#80" },
		{ NULL, "wan0 udp 198.18.0.77#1 > 203.0.113.5#80",
		  "local 198.18.0.77#1 > 203.0.113.5#80" },
		{ "table inet t { " PRE "iifname wan0 tcp dport { 80, 8000-8010 } dnat ip to "
		  "192.168.1.2:8080; }; }",
		  NET "203.0.113.5#8005", "forwarded br0 " FROM_NET "192.168.1.2#8080" },
		{ NULL, LAN "203.0.113.5#80", "local " FROM_LAN "203.0.113.5#80" },
		{ NULL, NET "203.0.113.5#8011", "local " FROM_NET "203.0.113.5#8011" },
		{ "table ip t { set wan { type ipv4_addr; flags interval; elements = { "
		  "203.0.113.4/31 }; }; " PRE "ip daddr @wan dnat to tcp dport map { 80 : "
		  "192.168.1.2, 81 : 192.168.1.3 }; }; }",
		  NET "203.0.113.5#81", "forwarded br0 " FROM_NET "192.168.1.3#81" },
		{ NULL, NET "203.0.113.6#81", "local " FROM_NET "203.0.113.6#81" },
		{ NULL, NET "203.0.113.5#82", "local " FROM_NET "203.0.113.5#82" },
		{ "table ip t { map m { type ipv4_addr . inet_proto . inet_service : "
		  "ipv4_addr . inet_service; elements = { 203.0.113.5 . tcp . 80 : "
		  "192.168.1.2 . 8080 }; }; " PRE "dnat to ip daddr . ip protocol . th dport "
		  "map @m; }; }",
		  NET "203.0.113.5#80", "forwarded br0 " FROM_NET "192.168.1.2#8080" },
		{ NULL, "wan0 udp 198.18.0.77#1 > 203.0.113.5#80",
		  "local 198.18.0.77#1 > 203.0.113.5#80" },
		{ "table ip t { " PRE "ip daddr . tcp dport { 203.0.113.0/24 . 80-90, "
		  "192.168.1.1 . 443 } dnat to 192.168.1.2; }; }",
		  NET "203.0.113.9#85", "forwarded br0 " FROM_NET "192.168.1.2#85" },
		{ NULL, NET "203.0.113.5#91", "local " FROM_NET "203.0.113.5#91" },
		{ NULL, LAN "192.168.1.1#443", "forwarded br0 " FROM_LAN "192.168.1.2#443" },
		{ "table ip t { " PRE "ip daddr != 192.168.1.1 fib daddr type local tcp dport "
		  "80 dnat to 192.168.1.2; }; }",
		  LAN "203.0.113.6#80", "forwarded br0 " FROM_LAN "192.168.1.2#80" },
		{ NULL, LAN "192.168.1.1#80", "local " FROM_LAN "192.168.1.1#80" },
		{ NULL, LAN "192.168.2.1#80", "forwarded br0 " FROM_LAN "192.168.1.2#80" },
		{ NULL, LAN "8.8.8.8#80", "forwarded wan0 " FROM_LAN "8.8.8.8#80" },
		{ "table ip t { " PRE "iifname != wan0 fib daddr type local fib daddr . iif "
		  "type != local dnat to 192.168.1.2; }; }",
		  LAN "203.0.113.5#80", "forwarded br0 " FROM_LAN "192.168.1.2#80" },
		{ NULL, LAN "192.168.1.1#80", "local " FROM_LAN "192.168.1.1#80" },
		{ "table ip t { " PRE "ip daddr & 255.0.0.255 == 203.0.0.5 dnat to "
		  "192.168.1.2; ip daddr >= 203.0.113.6 tcp dport != 22 redirect to :9; }; }",
		  NET "203.0.113.5#80", "forwarded br0 " FROM_NET "192.168.1.2#80" },
		{ NULL, NET "203.0.113.6#80", "local " FROM_NET "203.0.113.5#9" },
		{ NULL, NET "203.0.113.6#22", "local " FROM_NET "203.0.113.6#22" },
		{ "table ip t { " PRE "dnat ip prefix to ip daddr map { 203.0.113.0/24 : "
		  "192.168.1.0/24 }; }; }",
		  NET "203.0.113.77#1", "forwarded br0 " FROM_NET "192.168.1.77#1" },
		{ "table ip6 t { " PRE "ip6 daddr 2001:db8:1::5 tcp dport 80 dnat to "
		  "[fd00:1::2]:8080; }; }",
		  "wan0 tcp 2001:db8:9::9#5 > 2001:db8:1::5#80",
		  "forwarded br0 2001:db8:9::9#5 > fd00:1::2#8080" },
		{ NULL, NET "203.0.113.5#80", "local " FROM_NET "203.0.113.5#80" },
	};

	(void)state;
	walks_check(cases, sizeof(cases) / sizeof(cases[0]));
}

static void chains_and_verdicts(void **state)
{
	static const struct walks_case cases[] = {
		{ "table ip t { chain a { tcp dport 80 return; tcp dport 81 accept; tcp dport "
		  "82 goto b; tcp dport 83 drop comment \"in a\"; }; chain b { tcp dport 84 "
		  "accept; }; " FORWARD "policy drop; jump a; tcp dport { 80, 82 } accept "
		  "comment \"back\"; }; }",
		  LAN "8.8.8.8#80", "forwarded wan0 " FROM_LAN "8.8.8.8#80" },
		{ NULL, LAN "8.8.8.8#81", "forwarded wan0 " FROM_LAN "8.8.8.8#81" },
		{ NULL, LAN "8.8.8.8#82", "forwarded wan0 " FROM_LAN "8.8.8.8#82" },
		{ NULL, LAN "8.8.8.8#83", "dropped by in a" },
		{ NULL, LAN "8.8.8.8#84", "dropped by policy of forth" },
		/* goto from the base chain: its policy */
		{ "table ip t { chain b { counter; }; " FORWARD "policy drop; goto b; accept; "
		  "}; }", LAN "8.8.8.8#80", "dropped by policy of forth" },
		/* what one base chain accepts another may drop */
		{ "table ip t { " FORWARD "accept; }; }; table inet u { chain late { type "
		  "filter hook forward priority 10; tcp dport 80 reject comment \"late\"; }; "
		  "}", LAN "8.8.8.8#80", "rejected by late" },
		{ "table ip t { chain x { counter; }; map v { type inet_service : verdict; "
		  "elements = { 80 : jump x, 81 : drop, * : accept }; }; " FORWARD
		  "policy drop; tcp dport vmap @v comment \"map\"; }; }",
		  LAN "8.8.8.8#80", "dropped by policy of forth" },
		{ NULL, LAN "8.8.8.8#81", "dropped by map" },
		{ NULL, LAN "8.8.8.8#82", "forwarded wan0 " FROM_LAN "8.8.8.8#82" },
		{ "table ip t { flags dormant; " FORWARD "drop; }; }", LAN "8.8.8.8#80",
		  "forwarded wan0 " FROM_LAN "8.8.8.8#80" },
		/* two NAT chains are one: the first that sets something ends it */
		{ "table ip t { chain late { type nat hook prerouting priority 50; dnat to "
		  "192.168.1.3; }; " PRE "tcp dport 80 dnat to 192.168.1.2; tcp dport 81 "
		  "accept; }; }",
		  NET "203.0.113.5#80", "forwarded br0 " FROM_NET "192.168.1.2#80" },
		{ NULL, NET "203.0.113.5#81", "forwarded br0 " FROM_NET "192.168.1.3#81" },
		/* a mark that is set before and used behind */
		{ "table inet t { chain m { type filter hook prerouting priority mangle; "
		  "iifname \"wan*\" tcp dport 80 meta mark set meta mark | 0x10; tcp dport 80 "
		  "ct mark set 7; }; " PRE "meta mark & 0xf0 == 0x10 dnat ip to 192.168.1.2; "
		  "}; " FORWARD "policy drop; ct mark 7 ct status dnat tcp dport 80 "
		  "ct original ip daddr 203.0.113.5 accept; }; }",
		  NET "203.0.113.5#80", "forwarded br0 " FROM_NET "192.168.1.2#80" },
		{ NULL, LAN "203.0.113.5#80", "local " FROM_LAN "203.0.113.5#80" },
		{ NULL, LAN "8.8.8.8#80", "dropped by policy of forth" },
		{ "table inet t { " FORWARD "policy drop; ct state vmap { established : accept, "
		  "related : accept, invalid : drop }; iifname . oifname { br0 . wan0 } "
		  "accept; ct status dnat accept; }; " PRE "ip daddr 203.0.113.5 dnat ip to "
		  "192.168.1.2; }; }",
		  NET "203.0.113.5#1", "forwarded br0 " FROM_NET "192.168.1.2#1" },
		{ NULL, NET "192.168.1.2#1", "dropped by policy of forth" },
		{ NULL, LAN "8.8.8.8#1", "forwarded wan0 " FROM_LAN "8.8.8.8#1" },
		{ "table ip t { chain raw { type filter hook prerouting priority raw; tcp dport "
		  "80 notrack; ct state invalid meta mark set 1; }; " PRE "dnat to 192.168.1.2; "
		  "}; " FORWARD "meta mark != 1 drop comment \"mark\"; ct state untracked "
		  "accept; }; }",
		  NET "203.0.113.5#80", "local " FROM_NET "203.0.113.5#80" },
		{ NULL, NET "203.0.113.5#81", "forwarded br0 " FROM_NET "192.168.1.2#81" },
	};

	(void)state;
	walks_check(cases, sizeof(cases) / sizeof(cases[0]));
}

static void sources_and_own_packets(void **state)
{
	static const struct walks_case cases[] = {
		{ "table inet t { " PRE "ip daddr 203.0.113.5 dnat ip to 192.168.1.2; }; "
		  POST "iifname br0 oifname br0 ct status dnat masquerade; oifname wan0 "
		  "masquerade; }; }",
		  LAN "203.0.113.5#80", "forwarded br0 192.168.1.1#40000 > 192.168.1.2#80" },
		{ NULL, NET "203.0.113.5#80", "forwarded br0 " FROM_NET "192.168.1.2#80" },
		{ NULL, LAN "8.8.8.8#80", "forwarded wan0 203.0.113.5#40000 > 8.8.8.8#80" },
		{ NULL, "br0 tcp 192.168.2.9#5 > 203.0.113.5#80",
		  "forwarded br0 192.168.1.1#5 > 192.168.1.2#80" },
		{ NULL, LAN "192.168.2.5#80", "forwarded br0 " FROM_LAN "192.168.2.5#80" },
		{ NULL, LAN "10.9.0.2#80", "forwarded ppp9 " FROM_LAN "10.9.0.2#80" },
		{ "table ip t { " POST "masquerade; }; }", LAN "192.168.2.5#80",
		  "forwarded br0 192.168.2.1#40000 > 192.168.2.5#80" },
		{ NULL, LAN "10.9.0.2#80", "forwarded ppp9 10.9.0.1#40000 > 10.9.0.2#80" },
		{ "table ip t { " POST "ip saddr 192.168.1.0/24 meta l4proto tcp snat "
		  "to 203.0.113.6:2000-3000; }; }",
		  LAN "8.8.8.8#80", "forwarded wan0 203.0.113.6#2000 > 8.8.8.8#80" },
		{ "table ip6 t { " POST "masquerade; }; }",
		  "br0 tcp fd00:1::9#5 > 2001:db8:9::9#80",
		  "forwarded wan0 2001:db8:1::5#5 > 2001:db8:9::9#80" },
		{ "table ip t { " OUT "ip daddr 203.0.113.5 tcp dport 80 dnat to 192.168.1.2; "
		  "tcp dport 81 redirect to :8081; }; }",
		  "own tcp - > 203.0.113.5#80",
		  "forwarded br0 203.0.113.5#40000 > 192.168.1.2#80" },
		{ NULL, "own tcp - > 203.0.113.5#82",
		  "local 203.0.113.5#40000 > 203.0.113.5#82" },
		{ NULL, "own tcp - > 8.8.8.8#81", "local 203.0.113.5#40000 > 127.0.0.1#8081" },
		{ NULL, "own tcp - > 8.8.8.8#82",
		  "forwarded wan0 203.0.113.5#40000 > 8.8.8.8#82" },
		{ "table ip t { chain i { type filter hook input priority 0; policy drop; "
		  "iifname lo accept; tcp dport 22 accept; }; }",
		  NET "203.0.113.5#22", "local " FROM_NET "203.0.113.5#22" },
		{ NULL, NET "203.0.113.5#23", "dropped by policy of i" },
		{ NULL, "own tcp - > 203.0.113.5#23",
		  "local 203.0.113.5#40000 > 203.0.113.5#23" },
	};

	(void)state;
	walks_check(cases, sizeof(cases) / sizeof(cases[0]));
}

static void what_is_not_known_is_unsure(void **state)
{
	static const struct walks_case cases[] = {
		{ "table ip t { " PRE "numgen random mod 2 0 dnat to 192.168.1.9 comment "
		  "\"half\"; numgen inc mod 1 0 tcp dport 80 dnat to 192.168.1.2; }; }",
		  NET "203.0.113.5#80",
		  "forwarded br0 " FROM_NET "192.168.1.2#80 unsure half" },
		/* only a mark hangs on it, and then what asks for the mark */
		{ "table ip t { " PRE "numgen random mod 2 0 meta mark set 7 ct mark set 7; "
		  "tcp dport 80 dnat to 192.168.1.2; meta mark 7 tcp dport 81 dnat to "
		  "192.168.1.9 comment \"marked\"; tcp dport 81 dnat to 192.168.1.2; }; }",
		  NET "203.0.113.5#80", "forwarded br0 " FROM_NET "192.168.1.2#80" },
		{ NULL, NET "203.0.113.5#81",
		  "forwarded br0 " FROM_NET "192.168.1.2#81 unsure marked" },
		/* a later match decides */
		{ "table ip t { " PRE "meta length > 100 tcp dport 99 dnat to 192.168.1.9; tcp "
		  "dport 80 dnat to 192.168.1.2; }; }",
		  NET "203.0.113.5#80", "forwarded br0 " FROM_NET "192.168.1.2#80" },
		/* nothing depends on it */
		{ "table ip t { chain f { type filter hook forward priority 0; ip ttl 7 counter "
		  "log; ip dscp ef counter; limit rate over 5/second drop; limit rate 5/second "
		  "log; tcp flags & (fin|syn|rst|ack) == syn tcp option maxseg size set rt mtu; "
		  "tcp option maxseg size 1-536 drop; "
		  "ct count over 5 drop; quota over 1 mbytes drop; }; }",
		  LAN "8.8.8.8#80", "forwarded wan0 " FROM_LAN "8.8.8.8#80" },
		{ "table ip t { " FORWARD "tcp flags & (fin|syn|rst|ack) != syn drop; ip frag-off "
		  "& 0x1fff != 0 drop; ip dscp ef drop comment \"dscp\"; meta skuid 7 drop; "
		  "}; }",
		  LAN "8.8.8.8#80", "forwarded wan0 " FROM_LAN "8.8.8.8#80 unsure dscp" },
	};

	(void)state;
	walks_check(cases, sizeof(cases) / sizeof(cases[0]));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(forms_of_a_destination, lab_fresh),
		cmocka_unit_test_setup(chains_and_verdicts, lab_fresh),
		cmocka_unit_test_setup(sources_and_own_packets, lab_fresh),
		cmocka_unit_test_setup(what_is_not_known_is_unsure, lab_fresh),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, walks_router, NULL);
}
