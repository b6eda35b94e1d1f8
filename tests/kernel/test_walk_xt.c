/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of a real iptables-nft, and what a walk makes of them: each match by itself, then
 * the targets, then rulesets as others write them.
 */
#include "walks.h"

#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_multiport.h>

#include "kernel/walk_private.h"

#define NET "wan0 tcp 198.51.100.7 > "
#define LAN "br0 tcp 192.168.1.10 > "
#define FROM_NET "198.51.100.7#40000 > "
#define FROM_LAN "192.168.1.10#40000 > "

static int make_router(void **state)
{
	return walks_router(state) != 0 || lab_try("ip link set wan0 group 9") != 0;
}

static void load(const char *tool, const char *rules)
{
	char command[64];
	FILE *pipe;

	lab_flush();
	snprintf(command, sizeof(command), "%s -w 5", tool);
	pipe = popen(command, "w");
	assert_non_null(pipe);
	fputs(rules, pipe);
	assert_int_equal(pclose(pipe), 0);
}

/* --- matches --- */

enum { TCP_IN, UDP_IN, TCP_LAN, TCP_MAC, PACKETS };

/* One rule each, in mangle's prerouting: what it says of the packet. */
static const struct match_case {
	const char *match;
	int packet;
	enum walk_miss expected;
} match_cases[] = {
	{ "-m comment --comment x", TCP_IN, WALK_MATCHES },
	{ "-p tcp -m tcp --dport 443 --syn", TCP_IN, WALK_MATCHES },
	{ "-p tcp -m tcp ! --syn", TCP_IN, WALK_MISS_OTHER },
	{ "-p tcp -m tcp --dport 1:442", TCP_IN, WALK_MISS_PORT },
	{ "-p tcp -m tcp ! --sport 40000", TCP_IN, WALK_MISS_PORT },
	{ "-p udp -m udp --dport 443", TCP_IN, WALK_MISS_PROTOCOL },
	{ "-p udp -m udp --dport 443", UDP_IN, WALK_MATCHES },
	{ "-p icmp -m icmp --icmp-type 8", TCP_IN, WALK_MISS_PROTOCOL },
	{ "-p tcp -m multiport --dports 80,443", TCP_IN, WALK_MATCHES },
	{ "-p tcp -m multiport --dports 80,400:500,9", TCP_IN, WALK_MATCHES },
	{ "-p tcp -m multiport --dports 443:444,443", UDP_IN, WALK_MISS_PROTOCOL },
	{ "-p tcp -m multiport --dports 80,81", TCP_IN, WALK_MISS_PORT },
	{ "-p tcp -m multiport ! --dports 80,443", TCP_IN, WALK_MISS_PORT },
	{ "-p tcp -m multiport --sports 443,80", TCP_IN, WALK_MISS_PORT },
	{ "-p tcp -m multiport --ports 40000,80", TCP_IN, WALK_MATCHES },
	{ "-m iprange --dst-range 203.0.113.1-203.0.113.5", TCP_IN, WALK_MATCHES },
	{ "-m iprange --dst-range 203.0.113.6-203.0.113.9", TCP_IN,
	  WALK_MISS_DESTINATION },
	{ "-m iprange ! --src-range 198.51.100.0-198.51.100.255", TCP_IN,
	  WALK_MISS_SOURCE },
	{ "-m iprange --src-range 198.51.100.7-198.51.100.7 ! --dst-range "
	  "10.0.0.0-10.0.0.9", TCP_IN, WALK_MATCHES },
	{ "-m addrtype --dst-type LOCAL", TCP_IN, WALK_MATCHES },
	{ "-m addrtype ! --dst-type LOCAL", TCP_IN, WALK_MISS_FIB },
	{ "-m addrtype --dst-type LOCAL --limit-iface-in", TCP_LAN, WALK_MISS_FIB },
	{ "-m addrtype --dst-type LOCAL --limit-iface-in", TCP_IN, WALK_MATCHES },
	{ "-m addrtype --src-type UNICAST", TCP_IN, WALK_MATCHES },
	{ "-m addrtype --src-type LOCAL --dst-type LOCAL", TCP_IN, WALK_MISS_FIB },
	{ "-m conntrack --ctstate NEW", TCP_IN, WALK_MATCHES },
	{ "-m conntrack --ctstate RELATED,ESTABLISHED", TCP_IN, WALK_MISS_STATE },
	{ "-m conntrack ! --ctstate INVALID", TCP_IN, WALK_MATCHES },
	{ "-m conntrack --ctstate UNTRACKED", TCP_IN, WALK_MISS_STATE },
	{ "-m conntrack --ctstate DNAT", TCP_IN, WALK_MISS_STATE },
	{ "-m conntrack --ctstatus ASSURED", TCP_IN, WALK_MISS_STATE },
	{ "-m conntrack --ctstatus NONE", TCP_IN, WALK_MISS_STATE },
	{ "-m conntrack --ctorigdst 203.0.113.5", TCP_IN, WALK_MATCHES },
	{ "-m conntrack --ctorigdst 203.0.113.0/24", TCP_IN, WALK_MATCHES },
	{ "-m conntrack --ctorigdst 203.0.113.6", TCP_IN, WALK_MISS_DESTINATION },
	{ "-m conntrack ! --ctorigsrc 198.51.100.7", TCP_IN, WALK_MISS_SOURCE },
	{ "-m conntrack --ctreplsrc 203.0.113.5", TCP_IN, WALK_MATCHES },
	{ "-m conntrack --ctrepldst 203.0.113.5", TCP_IN, WALK_MISS_SOURCE },
	{ "-m conntrack --ctproto tcp", TCP_IN, WALK_MATCHES },
	{ "-m conntrack --ctproto udp", TCP_IN, WALK_MISS_PROTOCOL },
	{ "-m conntrack --ctorigdstport 443", TCP_IN, WALK_MATCHES },
	{ "-m conntrack --ctorigdstport 400:442", TCP_IN, WALK_MISS_PORT },
	{ "-m conntrack --ctreplsrcport 443", TCP_IN, WALK_MATCHES },
	{ "-m conntrack --ctorigsrcport 1", TCP_IN, WALK_MISS_PORT },
	{ "-m conntrack --ctdir ORIGINAL", TCP_IN, WALK_MATCHES },
	{ "-m conntrack --ctdir REPLY", TCP_IN, WALK_MISS_STATE },
	{ "-m conntrack --ctexpire 1:2", TCP_IN, WALK_MISS_UNSURE },
	{ "-m state --state NEW,ESTABLISHED", TCP_IN, WALK_MATCHES },
	{ "-m state --state ESTABLISHED", TCP_IN, WALK_MISS_STATE },
	{ "-m mark --mark 0x5/0xff", TCP_IN, WALK_MATCHES },
	{ "-m mark ! --mark 0x5/0xff", TCP_IN, WALK_MISS_STATE },
	{ "-m mark --mark 0x6", TCP_IN, WALK_MISS_STATE },
	{ "-m connmark --mark 0x1", TCP_IN, WALK_MISS_STATE },
	{ "-m connmark ! --mark 0x1", TCP_IN, WALK_MATCHES },
	{ "-m length --length 0:39", TCP_IN, WALK_MISS_OTHER },
	{ "-m length --length 40:1500", TCP_IN, WALK_MATCHES },
	{ "-m length --length 40:60", TCP_IN, WALK_MISS_UNSURE },
	{ "-m string --algo bm --string bad", TCP_IN, WALK_MISS_OTHER },
	{ "-m string --algo bm --string bad", UDP_IN, WALK_MISS_UNSURE },
	{ "-m rpfilter", TCP_IN, WALK_MATCHES },
	{ "-m rpfilter --invert", TCP_IN, WALK_MISS_SOURCE },
	{ "-m rpfilter --validmark", TCP_LAN, WALK_MATCHES },
	{ "-m physdev --physdev-is-bridged", TCP_IN, WALK_MISS_IN },
	{ "-m physdev ! --physdev-is-bridged", TCP_IN, WALK_MATCHES },
	{ "-m physdev --physdev-in far1", TCP_LAN, WALK_MISS_IN },
	{ "-m devgroup --src-group 9", TCP_IN, WALK_MATCHES },
	{ "-m devgroup --src-group 9", TCP_LAN, WALK_MISS_IN },
	{ "-m devgroup ! --src-group 9", TCP_IN, WALK_MISS_IN },
	{ "-m mac --mac-source 02:00:00:00:00:07", TCP_IN, WALK_MISS_UNSURE },
	{ "-m mac --mac-source 02:00:00:00:00:07", TCP_MAC, WALK_MATCHES },
	{ "-m mac ! --mac-source 02:00:00:00:00:07", TCP_MAC, WALK_MISS_SOURCE },
	{ "-m pkttype --pkt-type unicast", TCP_IN, WALK_MATCHES },
	{ "-m pkttype --pkt-type broadcast", TCP_IN, WALK_MISS_OTHER },
	{ "-m policy --dir in --pol ipsec", TCP_IN, WALK_MISS_OTHER },
	{ "-m policy --dir in --pol none", TCP_IN, WALK_MATCHES },
	{ "-m helper --helper ftp", TCP_IN, WALK_MISS_STATE },
	{ "-m recent --name x --set", TCP_IN, WALK_MATCHES },
	{ "-m recent --name x --update --seconds 60 --hitcount 4", TCP_IN,
	  WALK_MISS_OTHER },
	{ "-m recent --name x ! --rcheck", TCP_IN, WALK_MATCHES },
	{ "-m limit --limit 3/min", TCP_IN, WALK_MATCHES },
	{ "-m hashlimit --hashlimit-upto 5/min --hashlimit-name y", TCP_IN, WALK_MATCHES },
	{ "-m hashlimit --hashlimit-above 5/min --hashlimit-name z", TCP_IN,
	  WALK_MISS_OTHER },
	{ "-p tcp -m connlimit --connlimit-above 10", TCP_IN, WALK_MISS_OTHER },
	{ "-p tcp -m connlimit --connlimit-upto 10", TCP_IN, WALK_MATCHES },
	{ "-m statistic --mode random --probability 0.5", TCP_IN, WALK_MISS_UNSURE },
	{ "-m u32 --u32 0=0", TCP_IN, WALK_MISS_UNSURE },
};

enum { MATCH_CASES = sizeof(match_cases) / sizeof(match_cases[0]) };

/* An extension that this kernel does not have is passed over, and said. */
static bool is_there(const char *match)
{
	if (lab_try("iptables-nft -t mangle -A PREROUTING %s 2>/dev/null", match) == 0)
		return true;
	print_message("not in this kernel: %s\n", match);
	return false;
}

static void write_cases(char *out, size_t bytes, bool there[MATCH_CASES])
{
	size_t length = (size_t)snprintf(out, bytes, "*mangle\n");

	for (size_t i = 0; i < MATCH_CASES; i++) {
		there[i] = is_there(match_cases[i].match);
		if (there[i])
			length += (size_t)snprintf(out + length, bytes - length,
						   "-A PREROUTING %s -j ACCEPT\n",
						   match_cases[i].match);
		assert_true(length < bytes);
	}
	snprintf(out + length, bytes - length, "COMMIT\n");
}

static void matches(void **state)
{
	struct walk_packet packets[PACKETS];
	const struct walk_chain *chain;
	bool there[MATCH_CASES];
	struct walks walks;
	char rules[16384];
	size_t next = 0;

	(void)state;
	write_cases(rules, sizeof(rules), there);
	load("iptables-nft-restore", rules);
	walks_open(&walks);
	packets[TCP_IN] = walks_packet(&walks, NET "203.0.113.5#443");
	packets[TCP_IN].mark = 0x105;
	packets[UDP_IN] = packets[TCP_IN];
	packets[UDP_IN].protocol = IPPROTO_UDP;
	packets[TCP_LAN] = walks_packet(&walks, LAN "203.0.113.5#443");
	packets[TCP_MAC] = packets[TCP_LAN];
	memcpy(packets[TCP_MAC].mac, "\x02\0\0\0\0\x07", 6);
	chain = walk_chain_find(walks.walk, NFPROTO_IPV4, "mangle", "PREROUTING");
	assert_non_null(chain);
	for (size_t i = 0; i < MATCH_CASES; i++) {
		const struct match_case *each = &match_cases[i];
		enum walk_miss miss;

		if (!there[i])
			continue;
		assert_true(next < chain->rule_count);
		miss = walk_rule_miss(walks.walk, walks.router, &chain->rules[next++],
				      &packets[each->packet]);
		if (miss != each->expected)
			fail_msg("%s: %d, not %d", each->match, miss, each->expected);
	}
	assert_int_equal(next, chain->rule_count);
	walks_close(&walks);
}

/* --- revisions that this iptables does not write --- */

static struct addr address(const char *text)
{
	struct addr parsed;

	assert_true(addr_parse(text, &parsed));
	return parsed;
}

static enum walk_answer ask_old(const char *name, uint32_t revision, const void *info,
				size_t bytes)
{
	struct walk_question question = { .assumed_port = 0 };
	struct walk_state state = {
		.question = &question, .family = AF_INET, .protocol = IPPROTO_TCP,
		.tracking = WALK_TRACKED, .source = address("198.51.100.7"),
		.destination = address("192.168.1.2"), .source_port = 40000,
		.destination_port = 443, .original_destination_port = 444,
		.original_destination = address("203.0.113.5"),
	};
	struct span text = { (const uint8_t *)name, strlen(name) };
	struct span payload = { info, bytes };
	enum walk_miss about;

	return walk_xt_match(&state, text, revision, payload, &about);
}

static void old_revisions(void **state)
{
	struct xt_conntrack_mtinfo1 first = {
		.match_flags = XT_CONNTRACK_STATE, .state_mask = 8, .status_mask = 0 };
	struct xt_conntrack_mtinfo2 second = {
		.match_flags = XT_CONNTRACK_ORIGDST_PORT | XT_CONNTRACK_STATE,
		.origdst_port = htons(444), .state_mask = 8 };
	struct xt_multiport ports = { XT_MULTIPORT_DESTINATION, 2, { 80, 443 } };
	struct xt_multiport_v1 too_many = { .count = 200 };

	(void)state;
	assert_int_equal(ask_old("conntrack", 1, &first, sizeof(first)), WALK_YES);
	first.state_mask = 2;
	first.status_mask = 8;
	assert_int_equal(ask_old("conntrack", 1, &first, sizeof(first)), WALK_NO);
	assert_int_equal(ask_old("conntrack", 2, &second, sizeof(second)), WALK_YES);
	second.origdst_port = htons(443);
	assert_int_equal(ask_old("conntrack", 2, &second, sizeof(second)), WALK_NO);
	assert_int_equal(ask_old("conntrack", 3, &second, sizeof(second)), WALK_MAYBE);
	assert_int_equal(ask_old("conntrack", 4, &second, sizeof(second)), WALK_MAYBE);
	assert_int_equal(ask_old("multiport", 0, &ports, sizeof(ports)), WALK_YES);
	ports.ports[1] = 444;
	assert_int_equal(ask_old("multiport", 0, &ports, sizeof(ports)), WALK_NO);
	assert_int_equal(ask_old("multiport", 1, &too_many, sizeof(too_many)), WALK_MAYBE);
	assert_int_equal(ask_old("multiport", 1, &too_many, 7), WALK_MAYBE);
	assert_int_equal(ask_old("mac", 0, NULL, 0), WALK_MAYBE);
}

/* --- targets --- */

static void check(const char *tool, const char *rules, const char *const (*cases)[2],
		  size_t count)
{
	struct walks walks;

	load(tool, rules);
	walks_open(&walks);
	for (size_t i = 0; i < count; i++) {
		const char *told = walks_ask(&walks, cases[i][0], NULL, false);

		if (strcmp(told, cases[i][1]) != 0)
			fail_msg("%s: %s, not %s", cases[i][0], told, cases[i][1]);
	}
	walks_close(&walks);
}

#define CHECK(tool, rules, cases) \
	check(tool, rules, cases, sizeof(cases) / sizeof((cases)[0]))

static const char nat_rules[] =
	"*raw\n"
	"-A PREROUTING -p tcp --dport 85 -j CT --notrack\n"
	"-A PREROUTING -p tcp --dport 80 -j CT --zone 3\n"
	"COMMIT\n"
	"*mangle\n"
	"-A PREROUTING -p tcp --dport 80 -j MARK --set-xmark 0x12/0xff\n"
	"-A PREROUTING -p tcp --dport 80 -j CONNMARK --save-mark\n"
	"-A PREROUTING -p tcp --dport 80 -j MARK --set-mark 0\n"
	"-A PREROUTING -p tcp --dport 80 -j CONNMARK --restore-mark\n"
	"-A FORWARD -p tcp -j TCPMSS --clamp-mss-to-pmtu --tcp-flags SYN,RST SYN\n"
	"COMMIT\n"
	"*nat\n"
	"-A PREROUTING -d 203.0.113.5 -p tcp --dport 80 -m mark --mark 0x12 "
	"-j DNAT --to-destination 192.168.1.2:8080\n"
	"-A PREROUTING -d 203.0.113.5 -p tcp --dport 81 -j DNAT --to 192.168.1.3\n"
	"-A PREROUTING -p tcp --dport 1000:1010 -j DNAT --to 192.168.1.2:2000-2010/1000\n"
	"-A PREROUTING -p tcp --dport 82 -j REDIRECT --to-ports 8082\n"
	"-A PREROUTING -d 203.0.113.64/28 -j NETMAP --to 192.168.1.64/28\n"
	"-A PREROUTING -p tcp --dport 83:88 -j DNAT --to 192.168.1.2\n"
	"-A POSTROUTING -s 192.168.1.0/24 -o br0 -m conntrack --ctstate DNAT -j MASQUERADE\n"
	"-A POSTROUTING -p udp -o wan0 -j SNAT --to 203.0.113.5:1024-2000\n"
	"COMMIT\n"
	"*filter\n"
	":mine -\n"
	"-A FORWARD -j LOG --log-prefix fwd\n"
	"-A FORWARD -j NFLOG\n"
	"-A FORWARD -p tcp --dport 83 -m comment --comment told -j REJECT\n"
	"-A FORWARD -p tcp --dport 84 -j mine\n"
	"-A FORWARD -p tcp --dport 84 -m comment --comment back -j DROP\n"
	"-A FORWARD -p tcp --dport 86 -g mine\n"
	"-A FORWARD -p tcp --dport 86 -j DROP\n"
	"-A FORWARD -p tcp --dport 87 -m comment --comment asks -j NFQUEUE "
	"--queue-num 1\n"
	"-A mine -m conntrack --ctstate DNAT -j RETURN\n"
	"-A mine -j DROP\n"
	"COMMIT\n";

static void targets(void **state)
{
	static const char *const cases[][2] = {
		{ NET "203.0.113.5#80", "forwarded br0 " FROM_NET "192.168.1.2#8080" },
		{ LAN "203.0.113.5#81",
		  "forwarded br0 192.168.1.1#40000 > 192.168.1.3#81" },
		{ NET "203.0.113.5#1003", "forwarded br0 " FROM_NET "192.168.1.2#2003" },
		{ LAN "203.0.113.5#82", "local " FROM_LAN "192.168.1.1#8082" },
		{ NET "203.0.113.70#22", "forwarded br0 " FROM_NET "192.168.1.70#22" },
		{ "br0 udp 192.168.1.9 > 8.8.8.8#53",
		  "forwarded wan0 203.0.113.5#1024 > 8.8.8.8#53" },
		/* verdicts */
		{ NET "203.0.113.5#83", "rejected by told" },
		{ NET "203.0.113.5#84", "dropped by back" },
		{ NET "203.0.113.5#86", "forwarded br0 " FROM_NET "192.168.1.2#86" },
		{ NET "203.0.113.5#85", "local " FROM_NET "203.0.113.5#85" },
		{ NET "203.0.113.5#87",
		  "forwarded br0 " FROM_NET "192.168.1.2#87 unsure asks" },
	};

	(void)state;
	CHECK("iptables-nft-restore", nat_rules, cases);
}

static void marks(void **state)
{
	struct walks walks;

	(void)state;
	load("iptables-nft-restore", nat_rules);
	walks_open(&walks);
	walks_ask(&walks, NET "203.0.113.5#80", NULL, false);
	assert_int_equal(walks.result->mark, 0x12);
	assert_true(walks.result->destination_nat.rule->nat_destination);
	walks_ask(&walks, LAN "203.0.113.5#81", NULL, false);
	assert_true(walks.result->source_nat.masquerade);
	walks_ask(&walks, LAN "203.0.113.5#82", NULL, false);
	assert_true(walks.result->destination_nat.redirect);
	walks_close(&walks);
}

static void ipv6(void **state)
{
	static const char rules[] =
		"*nat\n"
		"-A PREROUTING -d 2001:db8:1::5 -p tcp --dport 80 -j DNAT "
		"--to [fd00:1::2]:8080\n"
		"-A PREROUTING -p tcp --dport 82 -m addrtype --dst-type LOCAL "
		"-j REDIRECT --to-ports 8082\n"
		"-A PREROUTING -d 2001:db8:e::/64 -j NETMAP --to fd00:1::/64\n"
		"-A POSTROUTING -s fd00:1::/64 -o br0 -m conntrack --ctstate DNAT "
		"-j MASQUERADE\n"
		"COMMIT\n";
	static const char *const cases[][2] = {
		{ "br0 tcp fd00:1::10 > 2001:db8:1::5#80",
		  "forwarded br0 fd00:1::1#40000 > fd00:1::2#8080" },
		{ "wan0 tcp 2001:db8:7::7 > 2001:db8:1::5#82",
		  "local 2001:db8:7::7#40000 > 2001:db8:1::5#8082" },
		{ "wan0 tcp 2001:db8:7::7 > 2001:db8:e::77#22",
		  "forwarded br0 2001:db8:7::7#40000 > fd00:1::77#22" },
	};

	(void)state;
	CHECK("ip6tables-nft-restore", rules, cases);
}

/* --- rulesets as others write them --- */

static void docker(void **state)
{
	static const char rules[] =
		"*raw\n"
		"-A PREROUTING -d 172.17.0.2 ! -i docker0 -p tcp --dport 80 -m comment "
		"--comment direct -j DROP\n"
		"COMMIT\n*nat\n:DOCKER -\n"
		"-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER\n"
		"-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE\n"
		"-A DOCKER ! -i docker0 -p tcp --dport 8080 -j DNAT --to 172.17.0.2:80\n"
		"COMMIT\n*filter\n:FORWARD DROP\n:DOCKER -\n:DOCKER-USER -\n"
		"-A FORWARD -j DOCKER-USER\n"
		"-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED "
		"-j ACCEPT\n"
		"-A FORWARD -o docker0 -j DOCKER\n"
		"-A FORWARD -i docker0 -j ACCEPT\n"
		"-A DOCKER -d 172.17.0.2 ! -i docker0 -o docker0 -p tcp --dport 80 "
		"-j ACCEPT\n"
		"-A DOCKER ! -i docker0 -o docker0 -j DROP\n"
		"-A DOCKER-USER -j RETURN\n"
		"COMMIT\n";
	static const char *const cases[][2] = {
		{ LAN "203.0.113.5#8080", "forwarded docker0 " FROM_LAN "172.17.0.2#80" },
		{ LAN "172.17.0.2#80", "dropped by direct" },
		{ LAN "8.8.8.8#80", "dropped by policy of FORWARD" },
		{ "docker0 tcp 172.17.0.2 > 203.0.113.5#8080",
		  "local 172.17.0.2#40000 > 203.0.113.5#8080" },
		{ "docker0 tcp 172.17.0.2 > 8.8.8.8#80",
		  "forwarded wan0 203.0.113.5#40000 > 8.8.8.8#80" },
	};

	(void)state;
	lab_run("ip link add docker0 type bridge; ip link set docker0 up; "
		"ip addr add 172.17.0.1/16 dev docker0");
	CHECK("iptables-nft-restore", rules, cases);
	lab_run("ip link del docker0");
}

static void nixos(void **state)
{
	static const char rules[] =
		"*mangle\n:rpfilter -\n"
		"-A PREROUTING -j rpfilter\n"
		"-A rpfilter -m rpfilter --validmark -j RETURN\n"
		"-A rpfilter -m comment --comment spoofed -j DROP\n"
		"COMMIT\n*nat\n"
		"-A PREROUTING -i br0 -j MARK --set-xmark 0x1/0xffffffff\n"
		"-A PREROUTING -d 203.0.113.5 -p tcp --dport 443 -j DNAT "
		"--to 192.168.1.2:443\n"
		"-A POSTROUTING -o wan0 -m mark --mark 0x1 -j MASQUERADE\n"
		"-A POSTROUTING -d 192.168.1.2 -p tcp --dport 443 -j SNAT "
		"--to 203.0.113.5\n"
		"COMMIT\n*filter\n:refuse -\n"
		"-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
		"-A INPUT -p tcp --dport 22 -j ACCEPT\n"
		"-A INPUT -p tcp --syn -j LOG\n"
		"-A INPUT -m pkttype ! --pkt-type unicast -j refuse\n"
		"-A INPUT -j refuse\n"
		"-A refuse -m comment --comment refused -j DROP\n"
		"COMMIT\n";
	static const char *const cases[][2] = {
		{ LAN "203.0.113.5#443",
		  "forwarded br0 203.0.113.5#40000 > 192.168.1.2#443" },
		{ LAN "8.8.8.8#443", "forwarded wan0 203.0.113.5#40000 > 8.8.8.8#443" },
		{ NET "203.0.113.5#22", "local " FROM_NET "203.0.113.5#22" },
		{ NET "203.0.113.5#23", "dropped by refused" },
		{ "wan0 tcp 192.168.1.9 > 203.0.113.5#22", "dropped by spoofed" },
	};

	(void)state;
	if (!is_there("-m rpfilter"))
		skip();
	CHECK("iptables-nft-restore", rules, cases);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches),
		cmocka_unit_test(old_revisions),
		cmocka_unit_test(targets),
		cmocka_unit_test(marks),
		cmocka_unit_test(ipv6),
		cmocka_unit_test(docker),
		cmocka_unit_test(nixos),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, make_router, NULL);
}
