/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions about one rule, about what rules speak of, and about what would be if.
 */
#include "walks.h"

#define NET "wan0 tcp 198.18.0.77#40000 > "
#define LAN "br0 tcp 192.168.1.10#40000 > "

/* The rule with that comment. */
static const struct walk_rule *find(const struct walks *walks, const char *comment)
{
	const struct walk_chain *chain;

	for (size_t i = 0; (chain = walk_chain(walks->walk, i)); i++) {
		for (size_t j = 0; j < chain->rule_count; j++) {
			const struct walk_rule *rule = &chain->rules[j];

			if (strcmp(rule->comment, comment) != 0)
				continue;
			assert_ptr_equal(rule, walk_rule_find(chain, rule->handle));
			return rule;
		}
	}
	fail_msg("no rule %s", comment);
	return NULL;
}

static void a_rule_says_why_it_misses(void **state)
{
	static const struct { const char *comment, *packet; enum walk_miss miss; } cases[] = {
		{ "wan", NET "203.0.113.5#80", WALK_MATCHES },
		{ "wan", LAN "203.0.113.5#80", WALK_MISS_IN },
		{ "wan", NET "203.0.113.6#80", WALK_MISS_DESTINATION },
		{ "wan", NET "203.0.113.5#81", WALK_MISS_PORT },
		{ "wan", "wan0 udp 198.18.0.77#1 > 203.0.113.5#80", WALK_MISS_PROTOCOL },
		{ "wan", "wan0 tcp 2001:db8:9::9#1 > 2001:db8:1::5#80", WALK_MISS_PROTOCOL },
		{ "fib", LAN "8.8.8.8#80", WALK_MISS_FIB },
		{ "fib", LAN "203.0.113.6#80", WALK_MATCHES },
		{ "not", LAN "192.168.1.1#80", WALK_MISS_DESTINATION },
		{ "set", NET "203.0.113.9#80", WALK_MISS_DESTINATION },
		{ "set", NET "203.0.113.5#82", WALK_MISS_PORT },
		{ "set", LAN "203.0.113.5#80", WALK_MISS_IN },
		{ "set", NET "203.0.113.6#81", WALK_MATCHES },
		{ "from", LAN "203.0.113.5#80", WALK_MATCHES },
		{ "from", "br0 tcp 192.168.2.9#1 > 203.0.113.5#80", WALK_MISS_SOURCE },
		{ "map", NET "203.0.113.5#99", WALK_MISS_PORT },
		{ "map", NET "203.0.113.5#81", WALK_MATCHES },
		{ "mark", NET "203.0.113.5#81", WALK_MISS_STATE },
		{ "draw", NET "203.0.113.5#81", WALK_MISS_UNSURE },
		{ "draw", NET "203.0.113.5#82", WALK_MISS_PORT },
		{ "out", LAN "8.8.8.8#80", WALK_MISS_OUT },
		{ "out", LAN "192.168.2.9#80", WALK_MATCHES },
		{ "own", "own tcp - > 203.0.113.5#80", WALK_MATCHES },
		{ "own", "own tcp - > 203.0.113.5#81", WALK_MISS_PORT },
		{ "nowhere", NET "203.0.113.5#80", WALK_MISS_OTHER },
	};
	struct walks walks;

	(void)state;
	lab_nft("table inet t { chain pre { type nat hook prerouting priority -100;\n"
		"iifname wan0 ip daddr 203.0.113.5 tcp dport 80 dnat ip to 192.168.1.2 comment "
		"\"wan\"\n"
		"ip daddr != 192.168.1.1 fib daddr type local redirect comment \"fib\"\n"
		"ip daddr != 192.168.1.1 redirect comment \"not\"\n"
		"iifname . ip daddr . tcp dport { wan0 . 203.0.113.5-203.0.113.6 . 80-81 } "
		"redirect comment \"set\"\n"
		"ip saddr 192.168.1.0/24 redirect comment \"from\"\n"
		"dnat ip to tcp dport map { 81 : 192.168.1.2 } comment \"map\"\n"
		"meta mark 5 redirect comment \"mark\"\n"
		"numgen random mod 3 1 tcp dport 81 redirect comment \"draw\"\n"
		"}; chain post { type nat hook postrouting priority 100;\n"
		"iifname br0 oifname br0 masquerade comment \"out\"\n"
		"}; chain o { type nat hook output priority -100;\n"
		"tcp dport 80 redirect comment \"own\"\n"
		"}; chain lost {\n"
		"tcp dport 80 redirect comment \"nowhere\"\n"
		"}; }");
	walks_open(&walks);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct walk_packet packet = walks_packet(&walks, cases[i].packet);
		enum walk_miss miss = walk_rule_miss(walks.walk, walks.router,
						     find(&walks, cases[i].comment),
						     &packet);

		if (miss != cases[i].miss)
			fail_msg("%s, %s: %d, not %d", cases[i].comment, cases[i].packet,
				 miss, cases[i].miss);
	}
	walks_close(&walks);
}

/* "192.168.1.2#80", or "-errno". */
static void sends(struct walks *walks, const char *comment, const char *packet,
		  const char *expected)
{
	struct walk_packet asked = walks_packet(walks, packet);
	char text[ADDR_TEXT_BYTES + 8], address[ADDR_TEXT_BYTES];
	struct walk_nat nat;
	int r = walk_rule_nat(walks->walk, walks->router, find(walks, comment), &asked,
			      &nat);

	if (r < 0)
		snprintf(text, sizeof(text), "%d", r);
	else
		snprintf(text, sizeof(text), "%s#%u", addr_format(&nat.address, address),
			 nat.port);
	assert_string_equal(text, expected);
	assert_true(r < 0 || nat.rule == find(walks, comment));
}

static void a_rule_says_where_it_would_send(void **state)
{
	struct walks walks;

	(void)state;
	lab_nft("table inet t { chain pre { type nat hook prerouting priority -100;\n"
		"iifname nowhere0 ip daddr 1.2.3.4 dnat ip to 192.168.1.2 comment \"gone\"\n"
		"ip daddr 1.2.3.4 tcp dport 80 redirect to :8080 comment \"redirect\"\n"
		"iifname nowhere0 dnat ip to tcp dport map { 80 : 192.168.1.2 } comment "
		"\"map\"\n"
		"meta mark set numgen random mod 9 dnat ip to numgen random mod 2 map { 0 : "
		"192.168.1.2, 1 : 192.168.1.3 } comment \"draw\"\n"
		"ip6 daddr 2001:db8::7 dnat ip6 to fd00:1::2 comment \"six\"\n"
		"accept comment \"none\"\n"
		"}; }");
	walks_open(&walks);
	sends(&walks, "gone", NET "203.0.113.5#80", "192.168.1.2#80");
	sends(&walks, "gone", LAN "203.0.113.5#80", "192.168.1.2#80");
	sends(&walks, "redirect", LAN "203.0.113.5#1", "192.168.1.1#8080");
	sends(&walks, "map", LAN "203.0.113.5#80", "192.168.1.2#80");
	sends(&walks, "map", LAN "203.0.113.5#81", "-2");
	sends(&walks, "draw", LAN "203.0.113.5#81", "-95");
	sends(&walks, "six", "wan0 tcp 2001:db8:9::9#1 > 2001:db8:1::5#80", "fd00:1::2#80");
	sends(&walks, "none", LAN "203.0.113.5#81", "-2");
	walks_close(&walks);
}

static bool has_port(const struct walk_constants *constants, uint8_t protocol,
		     uint16_t first, uint16_t last)
{
	for (size_t i = 0; i < constants->port_count; i++) {
		const struct walk_port *port = &constants->ports[i];

		if (port->protocol == protocol && port->first == first &&
		    port->last == last)
			return true;
	}
	return false;
}

static bool has_address(const struct addr *list, size_t count, const char *text)
{
	struct addr wanted = walks_addr(text, &(uint16_t){ 0 });

	for (size_t i = 0; i < count; i++) {
		if (addr_equal(&list[i], &wanted))
			return true;
	}
	return false;
}

static bool has_link(const struct walk_constants *constants, const char *name)
{
	for (size_t i = 0; i < constants->link_count; i++) {
		if (strcmp(constants->links[i].name, name) == 0)
			return true;
	}
	return false;
}

static void what_rules_speak_of(void **state)
{
	struct walk_constants constants;
	struct walks walks;

	(void)state;
	lab_nft("table inet t { set s { type ipv4_addr; elements = { 203.0.113.6, "
		"203.0.113.7 }; }; chain sub { udp dport 53 redirect; }; chain other { tcp "
		"dport 7777 accept; }; chain pre { type nat hook prerouting priority -100;\n"
		"iifname \"ppp*\" ip daddr 203.0.113.5 tcp dport 80 dnat ip to 192.168.1.2 "
		"comment \"plain\"\n"
		"ip saddr 192.168.1.0/24 ip daddr @s tcp dport { 443, 8000-8010 } redirect "
		"comment \"named\"\n"
		"ip6 daddr 2001:db8:1::5 ip6 saddr != fd00:1::9 redirect comment \"six\"\n"
		"ip daddr . tcp dport { 203.0.113.8 . 99 } redirect comment \"concat\"\n"
		"ip daddr 203.0.113.0/24 iifname { br0, wan0 } jump sub\n"
		"iif lo fib daddr type local redirect comment \"fib\"\n"
		"}; }");
	lab_run("iptables-nft -t nat -A PREROUTING -d 203.0.113.9 -i eth7 -s 10.7.0.0/16 -p tcp "
		"-m multiport --dports 25,110:120 -m comment --comment xt -j DNAT "
		"--to-destination 192.168.1.2");
	walks_open(&walks);
	assert_int_equal(walk_constants(walks.walk, "nat", NF_INET_PRE_ROUTING,
					&constants), 0);
	assert_true(has_port(&constants, IPPROTO_TCP, 80, 80));
	assert_true(has_port(&constants, IPPROTO_TCP, 443, 443));
	assert_true(has_port(&constants, IPPROTO_TCP, 8000, 8010));
	assert_true(has_port(&constants, IPPROTO_UDP, 53, 53));
	assert_true(has_port(&constants, IPPROTO_TCP, 99, 99));
	assert_true(has_port(&constants, IPPROTO_TCP, 110, 120));
	assert_false(has_port(&constants, IPPROTO_TCP, 7777, 7777));
	for (int i = 5; i < 10; i++) {
		char text[24];

		snprintf(text, sizeof(text), "203.0.113.%d", i);
		assert_true(has_address(constants.destinations,
					constants.destination_count, text));
	}
	assert_true(has_address(constants.destinations, constants.destination_count,
				"2001:db8:1::5"));
	assert_true(has_address(constants.sources, constants.source_count, "192.168.1.0"));
	assert_true(has_address(constants.sources, constants.source_count, "10.7.0.0"));
	assert_true(has_address(constants.sources, constants.source_count, "fd00:1::9"));
	assert_int_equal(constants.source_count, 3);
	assert_true(has_link(&constants, "ppp"));
	assert_true(has_link(&constants, "br0"));
	assert_true(has_link(&constants, "eth7"));
	assert_false(constants.overfull);
	walk_constants_done(&constants);
	assert_int_equal(walk_constants(walks.walk, "filter", NF_INET_FORWARD,
					&constants), 0);
	assert_int_equal(constants.port_count + constants.destination_count +
			 constants.source_count + constants.link_count, 0);
	walk_constants_done(&constants);
	walks_close(&walks);
}

/* Of a country's networks some are enough; they are no ports that were left out. */
static void a_set_of_many_sources(void **state)
{
	enum { SOURCES = 4300, BYTES = SOURCES * 20 };
	struct walk_constants constants;
	struct walks walks;
	char *rules = malloc(BYTES + 400);
	int at;

	(void)state;
	assert_non_null(rules);
	at = sprintf(rules, "table ip t { set geo { type ipv4_addr; elements = { 81.0.0.1");
	for (int i = 1; i < SOURCES; i++)
		at += sprintf(rules + at, ", 81.%d.%d.1", i / 256, i % 256);
	sprintf(rules + at, " }; }; chain pre { type nat hook prerouting priority -100;\n"
		"ip saddr @geo tcp dport 80 dnat to 192.168.1.2\n}; }");
	lab_nft(rules);
	free(rules);
	walks_open(&walks);
	assert_int_equal(walk_constants(walks.walk, "nat", NF_INET_PRE_ROUTING,
					&constants), 0);
	assert_true(has_port(&constants, IPPROTO_TCP, 80, 80));
	assert_true(has_address(constants.sources, constants.source_count, "81.0.0.1"));
	assert_true(constants.source_count < SOURCES);
	assert_false(constants.overfull);
	walk_constants_done(&constants);
	walks_close(&walks);
}

static void what_a_rule_itself_speaks_of(void **state)
{
	const struct walk_rule *named;
	struct addr addresses[4], of_set;
	struct walks walks;

	(void)state;
	lab_nft("table ip t { set s { type ipv4_addr; elements = { 203.0.113.6, 203.0.113.7 "
		"}; }; chain sub { masquerade comment \"masquerade\"; }; chain post { type nat "
		"hook postrouting priority 100; jump sub; }; chain pre { type nat hook "
		"prerouting priority -100;\n"
		"ip daddr { 203.0.113.5, 203.0.113.8 } dnat to 192.168.1.2 comment \"spelled\"\n"
		"ip daddr @s redirect comment \"named\"\n"
		"iif lo fib daddr type local accept comment \"fib\"\n"
		"}; }");
	lab_run("iptables-nft -t nat -A PREROUTING -m addrtype --dst-type LOCAL -m comment "
		"--comment xt -j REDIRECT");
	walks_open(&walks);
	named = find(&walks, "named");
	assert_int_equal(walk_rule_destinations(walks.walk, find(&walks, "spelled"),
						addresses, 4), 2);
	assert_true(has_address(addresses, 2, "203.0.113.8"));
	assert_int_equal(walk_rule_destinations(walks.walk, named, addresses, 1), 2);
	of_set = walks_addr("203.0.113.7", &(uint16_t){ 0 });
	assert_string_equal(walk_rule_named(walks.walk, named, &of_set), "s");
	of_set = walks_addr("203.0.113.8", &(uint16_t){ 0 });
	assert_null(walk_rule_named(walks.walk, named, &of_set));
	assert_null(walk_rule_named(walks.walk, find(&walks, "spelled"), &of_set));
	assert_true(find(&walks, "spelled")->nat_destination);
	assert_true(named->nat_destination && !named->nat_source && !named->xt);
	assert_false(find(&walks, "fib")->nat_destination);
	assert_true(find(&walks, "masquerade")->nat_source);
	assert_true(find(&walks, "xt")->xt && find(&walks, "xt")->nat_destination);
	assert_true(walk_rule_is_at(walks.walk, find(&walks, "masquerade"), "nat",
				    NF_INET_POST_ROUTING));
	assert_false(walk_rule_is_at(walks.walk, find(&walks, "masquerade"), "nat",
				     NF_INET_PRE_ROUTING));
	assert_ptr_equal(walk_chain_find(walks.walk, NFPROTO_IPV4, "t", "pre"),
			 named->chain);
	assert_null(walk_chain_find(walks.walk, NFPROTO_INET, "t", "pre"));
	walks_close(&walks);
}

static void asks(struct walks *walks, const char *packet, const char *assumed,
		 bool regardless, const char *expected)
{
	assert_string_equal(walks_ask(walks, packet, assumed, regardless), expected);
}

static void what_would_be_if(void **state)
{
	struct walks walks;

	(void)state;
	lab_nft("table ip t { chain pre { type nat hook prerouting priority -100; tcp dport 80 "
		"dnat to 192.168.1.2; }; chain f { type filter hook forward priority 0; policy "
		"drop; tcp dport 81 reject comment \"no\"; }; chain post { type nat hook "
		"postrouting priority 100; iifname br0 ct status dnat masquerade; }; }");
	walks_open(&walks);
	asks(&walks, LAN "203.0.113.5#82", NULL, false,
	     "local 192.168.1.10#40000 > 203.0.113.5#82");
	asks(&walks, LAN "203.0.113.5#82", "192.168.1.3#99", false, "dropped by policy of f");
	asks(&walks, LAN "203.0.113.5#82", "192.168.1.3#81", false, "rejected by no");
	asks(&walks, LAN "203.0.113.5#82", "192.168.1.3#81", true,
	     "forwarded br0 192.168.1.1#40000 > 192.168.1.3#81");
	/* what is assumed goes before what a rule says, but it may be the same */
	asks(&walks, LAN "203.0.113.5#80", "192.168.1.3", true,
	     "forwarded br0 192.168.1.1#40000 > 192.168.1.3#80");
	assert_null(walks.result->destination_nat.rule);
	asks(&walks, LAN "203.0.113.5#80", "192.168.1.2", true,
	     "forwarded br0 192.168.1.1#40000 > 192.168.1.2#80");
	assert_non_null(walks.result->destination_nat.rule);
	asks(&walks, NET "203.0.113.5#82", "192.168.1.3", true,
	     "forwarded br0 198.18.0.77#40000 > 192.168.1.3#82");
	walks_close(&walks);
	lab_run("sysctl -qw net.ipv4.conf.wan0.forwarding=0 net.ipv6.conf.all.forwarding=0");
	lab_flush();
	walks_open(&walks);
	asks(&walks, NET "192.168.1.2#80", NULL, false, "no forwarding");
	asks(&walks, NET "192.168.1.2#80", NULL, true,
	     "forwarded br0 198.18.0.77#40000 > 192.168.1.2#80");
	asks(&walks, NET "203.0.113.5#80", NULL, false,
	     "local 198.18.0.77#40000 > 203.0.113.5#80");
	asks(&walks, LAN "8.8.8.8#80", NULL, false,
	     "forwarded wan0 192.168.1.10#40000 > 8.8.8.8#80");
	asks(&walks, "wan0 tcp 2001:db8:9::9#1 > fd00:1::2#80", NULL, false, "no forwarding");
	walks_close(&walks);
	lab_run("sysctl -qw net.ipv4.conf.wan0.forwarding=1 net.ipv6.conf.all.forwarding=1; "
		"ip route add unreachable 10.66.0.0/16");
	walks_open(&walks);
	asks(&walks, LAN "10.66.0.1#80", NULL, false, "no route");
	walks_close(&walks);
}

static void large_sets_are_searched(void **state)
{
	struct walks walks;

	(void)state;
	lab_nft("table ip t { set s { type ipv4_addr; flags interval; }; chain f { type filter "
		"hook forward priority 0; ip daddr @s drop comment \"set\"; }; }");
	lab_run("for i in $(seq 1 5); do { echo 'add element ip t s {'; for j in $(seq 0 2 198); "
		"do echo 10.$i.$j.0/24,; done; echo '}'; } | nft -f -; done");
	walks_open(&walks);
	asks(&walks, LAN "10.5.198.7#80", NULL, false, "dropped by set");
	asks(&walks, LAN "10.5.197.7#80", NULL, false,
	     "forwarded wan0 192.168.1.10#40000 > 10.5.197.7#80");
	walks_close(&walks);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_rule_says_why_it_misses, lab_fresh),
		cmocka_unit_test_setup(a_rule_says_where_it_would_send, lab_fresh),
		cmocka_unit_test_setup(what_rules_speak_of, lab_fresh),
		cmocka_unit_test_setup(a_set_of_many_sources, lab_fresh),
		cmocka_unit_test_setup(what_a_rule_itself_speaks_of, lab_fresh),
		cmocka_unit_test_setup(what_would_be_if, lab_fresh),
		cmocka_unit_test_setup(large_sets_are_searched, lab_fresh),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, walks_router, NULL);
}
