/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bridge that calls iptables (Docker switches that on): what is sent back into it goes
 * the bridge's own way, and postrouting has no link by which it came. Measured with
 * packets; here is what a walk makes of it.
 */
#include "walks.h"

#define CLIENT "lan0 tcp 192.168.7.9 > 203.0.113.5#80"
#define ROUTED "forwarded lan0 192.168.7.1#40000 > 192.168.7.2#80"
#define BRIDGED "forwarded lan0 192.168.7.9#40000 > 192.168.7.2#80"

static int make_router(void **state)
{
	return walks_router(state) != 0 ||
	       lab_try("ip link add lan0 type bridge; ip link set lan0 up; "
		       "ip addr add 192.168.7.1/24 dev lan0") != 0;
}

static const char *ask(struct walks *walks, bool calls)
{
	lab_run("sysctl -qw net.bridge.bridge-nf-call-iptables=%d", calls);
	if (walks->walk)
		walks_close(walks);
	walks_open(walks);
	return walks_ask(walks, CLIENT, NULL, false);
}

static void back_into_the_bridge(void **state)
{
	struct walks walks = { 0 };

	(void)state;
	if (access("/proc/sys/net/bridge/bridge-nf-call-iptables", F_OK) != 0) {
		print_message("no bridge that calls iptables here\n");
		skip();
	}
	lab_nft("table ip t { chain pre { type nat hook prerouting priority -100; "
		"ip daddr 203.0.113.5 tcp dport 80 dnat to 192.168.7.2; }; "
		"chain forth { type filter hook forward priority 0; policy drop; "
		"iifname lan0 oifname lan0 accept; }; "
		"chain post { type nat hook postrouting priority 100; "
		"iifname lan0 oifname lan0 masquerade; }; }\n");
	assert_string_equal(ask(&walks, false), ROUTED);
	assert_string_equal(ask(&walks, true), BRIDGED);
	lab_run("nft add rule ip t post ip saddr 192.168.7.0/24 masquerade");
	assert_string_equal(ask(&walks, true), ROUTED);
	walks_close(&walks);
}

/* Which ports it goes by, or whether at all, is not known. */
static void ports_of_the_bridge(void **state)
{
	struct walks walks = { 0 };

	(void)state;
	if (access("/proc/sys/net/bridge/bridge-nf-call-iptables", F_OK) != 0 ||
	    lab_try("iptables-nft -A FORWARD -m physdev ! --physdev-is-bridged "
		    "-m comment --comment way -j DROP") != 0) {
		print_message("no bridge that calls iptables here\n");
		skip();
	}
	assert_string_equal(ask(&walks, false), "dropped by way");
	assert_string_equal(ask(&walks, true), ROUTED " unsure way");
	walks_close(&walks);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(back_into_the_bridge),
		cmocka_unit_test(ports_of_the_bridge),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, make_router, NULL);
}
