/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where answers end: the connection is established, its NAT is undone, its mark is kept.
 */
#include "walks.h"

#define NAT "table ip n { chain pre { type nat hook prerouting priority -100; ip daddr " \
	"203.0.113.5 tcp dport 80 dnat to 192.168.1.2:8080; }; " \
	"chain post { type nat hook postrouting priority 100; iifname br0 oifname br0 " \
	"masquerade; }; }; table ip f { "
#define FORWARD "chain forth { type filter hook forward priority 0; "
#define NET "wan0 tcp 198.18.0.77#40000 > 203.0.113.5#80"
#define LAN "br0 tcp 192.168.1.10#40000 > 203.0.113.5#80"
#define TO_NET "forwarded wan0 203.0.113.5#80 > 198.18.0.77#40000"
#define TO_LAN "forwarded br0 203.0.113.5#80 > 192.168.1.10#40000"

/* The first packet has to get through; of the answer it is told. */
static const char *ask_back(struct walks *walks, const char *packet)
{
	const struct walk_packet first = walks_packet(walks, packet);
	struct walk_result *result = malloc(sizeof(*result));
	int r;

	assert_non_null(result);
	walks_ask(walks, packet, NULL, false);
	*result = *walks->result;
	r = walk_back(walks->walk, walks->router, &first, result, walks->result,
		      &walks->err);
	free(result);
	if (r < 0)
		fail_msg("%s: %s", packet, walks->err.text);
	return walks_tell(walks);
}

static const struct walks_case cases[] = {
	{ NAT "}", NET, TO_NET },
	{ NULL, LAN, TO_LAN },
	{ NAT FORWARD "policy drop; ct state new accept comment \"first\"; }; }",
	  NET, "dropped by policy of forth" },
	{ NAT FORWARD "policy drop; ct state established,related accept; ct state new ct status "
	  "dnat accept; }; }", NET, TO_NET },
	{ NULL, LAN, TO_LAN },
	{ NAT FORWARD "ct direction reply drop comment \"back\"; }; }",
	  NET, "dropped by back" },
	{ NAT FORWARD "policy drop; ct direction original accept; ct original ip daddr "
	  "203.0.113.5 ct reply ip saddr 192.168.1.2 ct reply ip daddr "
	  "198.18.0.77 accept; }; }", NET, TO_NET },
	{ NULL, LAN, "dropped by policy of forth" },
	{ NAT FORWARD "tcp flags syn / syn,ack accept; tcp flags & (syn|ack) == (syn|ack) drop "
	  "comment \"flags\"; }; }", NET, "dropped by flags" },
	/* What it comes with, before and after its NAT is undone. */
	{ NAT "chain raw { type filter hook prerouting priority -300; ip saddr 192.168.1.2 ip "
	  "daddr 192.168.1.1 drop comment \"raw\"; }; }", LAN, "dropped by raw" },
	{ NAT FORWARD "ip saddr 192.168.1.2 tcp sport 8080 ip daddr 192.168.1.10 drop comment "
	  "\"filter\"; }; }", LAN, "dropped by filter" },
	/* The mark leads it: there is a way back by ppp9 alone. */
	{ NAT "chain ways { type filter hook prerouting priority -150; iifname wan0 ct mark set "
	  "9; iifname br0 meta mark set ct mark; }; }",
	  NET, "forwarded ppp9 203.0.113.5#80 > 198.18.0.77#40000" },
	{ NULL, LAN, TO_LAN },
};

static void answers(void **state)
{
	struct walks walks = { 0 };

	(void)state;
	lab_run("ip route add default dev ppp9 table 9; ip rule add fwmark 9 lookup 9");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *told;

		if (cases[i].rules) {
			walks_close(&walks);
			lab_flush();
			lab_nft(cases[i].rules);
			walks_open(&walks);
		}
		told = ask_back(&walks, cases[i].packet);
		if (strcmp(told, cases[i].expected) != 0)
			fail_msg("case %zu: %s: %s, not %s", i, cases[i].packet, told,
				 cases[i].expected);
	}
	walks_close(&walks);
}

static void without_a_way_back(void **state)
{
	struct walks walks = { 0 };

	(void)state;
	lab_run("ip rule add from 192.168.1.2 iif br0 lookup 77; "
		"ip route add blackhole default table 77");
	lab_flush();
	lab_nft(NAT "}");
	walks_open(&walks);
	assert_string_equal(ask_back(&walks, NET), "no route");
	walks_close(&walks);
	lab_run("ip rule del from 192.168.1.2 iif br0 lookup 77; "
		"sysctl -qw net.ipv4.conf.br0.forwarding=0");
	walks_open(&walks);
	assert_string_equal(ask_back(&walks, NET), "no forwarding");
	walks_close(&walks);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(answers, lab_fresh),
		cmocka_unit_test_setup(without_a_way_back, lab_fresh),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, walks_router, NULL);
}
