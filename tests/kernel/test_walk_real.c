/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a walk says against what real packets meet: rulesets that were thought of, and
 * random ones. SEED=n ROUNDS=n.
 */
#include "frames.h"

#define PRE "chain pre { type nat hook prerouting priority -100; "
#define POST "chain post { type nat hook postrouting priority 100; "
#define OUT "chain out { type nat hook output priority -100; "
#define FORWARD "chain forth { type filter hook forward priority 0; "

/* Ports are added: each packet of a round is a connection of its own. */
static const char *const packets[] = {
	"wan0 tcp 198.18.0.77 > 203.0.113.5#80", "wan0 udp 198.18.0.77 > 203.0.113.5#80",
	"wan0 tcp 198.18.0.77 > 203.0.113.6#81", "wan0 tcp 198.18.0.77 > 203.0.113.5#82",
	"wan0 tcp 203.0.113.77 > 192.168.1.2#80", "br0 tcp 192.168.1.10 > 203.0.113.5#80",
	"br0 tcp 192.168.1.10 > 192.168.1.1#80", "br0 udp 192.168.1.10 > 8.8.8.8#53",
	"br0 tcp 192.168.2.5 > 203.0.113.6#81", "br0 tcp 192.168.1.10 > 10.9.0.2#80",
	"ppp9 tcp 10.9.0.2 > 203.0.113.5#80", "own tcp 203.0.113.5 > 8.8.8.8#80",
	"own tcp 203.0.113.5 > 203.0.113.6#81", "own tcp 192.168.1.1 > 192.168.1.2#80",
	"own udp 203.0.113.6 > 203.0.113.5#80",
	"wan0 tcp 2001:db8:9::9 > 2001:db8:1::5#80", "br0 tcp fd00:1::2 > 2001:db8:9::9#80",
	"wan0 tcp 2001:db8:9::9 > fd00:1::2#81",
};

enum { PACKETS = sizeof(packets) / sizeof(packets[0]) };

static uint16_t next_port = 20000;

static void differ(const char *rules, const char *packet, const char *told,
		   const char *real)
{
	fprintf(stderr, "# %s\n", rules);
	fail_msg("%s: told \"%s\", came out \"%s\"", packet, told, real);
}

static void compare(struct frames *frames, const char *rules)
{
	struct walk_packet asked[PACKETS];
	char told[PACKETS][512], real[512];
	struct walks walks;

	memset(frames->seen, 0, sizeof(frames->seen));
	walks_open(&walks);
	for (size_t i = 0; i < PACKETS; i++) {
		struct walk_question question;

		asked[i] = walks_packet(&walks, packets[i]);
		asked[i].source_port = next_port++;
		question = (struct walk_question){ .packet = asked[i] };
		if (walk_run(walks.walk, walks.router, &question, walks.result,
			     &walks.err) < 0)
			fail_msg("%s: %s", packets[i], walks.err.text);
		strcpy(told[i], walks_tell(&walks));
		if (walks.result->unsure)
			strcpy(told[i], "unsure");
		else if (walks.result->end != WALK_LOCAL &&
			 walks.result->end != WALK_FORWARDED)
			strcpy(told[i], "gone");
		frames_send(frames, &walks, &asked[i], (uint16_t)i);
	}
	frames_collect(frames);
	for (size_t i = 0; i < PACKETS; i++) {
		frames_tell(&frames->seen[i], real, sizeof(real));
		if (strcmp(told[i], real) != 0 && strcmp(told[i], "unsure") != 0)
			differ(rules, packets[i], told[i], real);
	}
	walks_close(&walks);
}

static const char *const rulesets[] = {
	"table ip t { }",
	"table ip t { " PRE "ip daddr 203.0.113.5 tcp dport 80 dnat to 192.168.1.2; }; "
	"}",
	"table ip t { " PRE "ip daddr 203.0.113.5 dnat to 192.168.1.2; }; " POST
	"iifname br0 oifname br0 ct status dnat masquerade; }; }",
	"table ip t { " PRE "ip daddr 203.0.113.5 dnat to 192.168.1.2; }; " POST "ct "
	"status snat drop; ip saddr 192.168.0.0/16 ip daddr 192.168.1.2 snat to "
	"203.0.113.6; }; }",
	"table ip t { " PRE "ip daddr != 192.168.1.1 fib daddr type local meta l4proto "
	"tcp dnat to 192.168.1.3:8080; }; }",
	"table ip t { " PRE "fib daddr . iif type local meta l4proto tcp redirect to "
	":9; fib daddr type != local accept; dnat to 192.168.1.2; }; }",
	"table inet t { " PRE "iifname \"wan*\" meta l4proto { tcp, udp } th dport { "
	"79-81 } dnat ip to 192.168.1.2; iifname ppp9 redirect; }; }",
	"table ip t { " OUT "ip daddr 203.0.113.0/24 dnat to 192.168.1.2; tcp dport 80 "
	"redirect to :8080; }; " POST "masquerade; }; }",
	"table ip t { " OUT "tcp dport 81 dnat to 192.168.1.1; }; chain in { type nat "
	"hook input priority 100; snat to 192.168.1.77; }; }",
	"table ip t { chain one { type nat hook prerouting priority 0; dnat to "
	"192.168.1.3; }; " PRE "tcp dport 80 dnat to 192.168.1.2; tcp dport 81 return; "
	"tcp dport 82 drop; }; }",
	"table ip t { chain one { type nat hook prerouting priority -150; tcp dport 80 "
	"accept; dnat to 192.168.1.2; }; }; table inet u { " PRE "dnat ip to "
	"192.168.1.3; }; }",
	"table ip a { " FORWARD "meta mark set 1; }; }; table inet b { " FORWARD "meta "
	"mark != 1 drop; }; }",
	"table ip a { " FORWARD "meta mark != 1 drop; }; }; table inet b { " FORWARD
	"meta mark set 1; }; }",
	"table inet b { chain p { type filter hook prerouting priority -100; ip daddr "
	"203.0.113.5 meta mark set 1; }; " PRE "dnat ip to 192.168.1.2; }; " FORWARD
	"meta mark 1 drop; }; }",
	"table inet b { " PRE "dnat ip to 192.168.1.2; }; chain p { type filter hook "
	"prerouting priority -100; ip daddr 203.0.113.5 meta mark set 1; }; " FORWARD
	"meta mark 1 drop; }; }",
	"table ip t { chain o { type route hook output priority -150; meta mark set 7; "
	"ip daddr set 192.168.1.9; }; }",
	"table ip t { chain o { type filter hook output priority -150; ip daddr "
	"8.8.8.8 ip daddr set 192.168.1.9; }; }",
	"table ip t { chain p { type filter hook prerouting priority -300; tcp dport "
	"80 notrack; ct state invalid meta mark set 1; }; " PRE "dnat to 192.168.1.2; "
	"}; " FORWARD "meta mark != 1 drop; ct state untracked drop; }; }",
	"table inet t { " FORWARD "policy drop; ct state new iifname . oifname { br0 . "
	"wan0, wan0 . br0 } accept; }; }",
	"table inet t { " FORWARD "policy drop; ct status dnat accept; }; " PRE "ip "
	"daddr 203.0.113.0/24 dnat ip to ip daddr map { 203.0.113.5 : 192.168.1.2, "
	"203.0.113.6 : 192.168.1.3 }; ip6 daddr 2001:db8:1::5 dnat ip6 to fd00:1::2; "
	"}; }",
	"table inet t { " PRE "ip daddr 203.0.113.6 dnat ip to 203.0.113.6; }; " FORWARD
	"ct status dnat drop; }; chain i { type filter hook input priority 0; ct "
	"status dnat drop; }; }",
	"table ip6 t { " POST "oifname wan0 masquerade; }; " PRE "tcp dport 81 "
	"redirect to :80; }; }",
	"table ip t { " PRE "dnat ip prefix to ip daddr map { 203.0.113.0/28 : "
	"192.168.1.0/28 }; }; }",
	"table ip t { " PRE "meta mark set numgen inc mod 1 offset 5; meta mark 5 dnat "
	"to 192.168.1.2; }; }",
	"table ip t { chain s { tcp dport 80 return; tcp dport 81 goto r; drop; }; "
	"chain r { tcp dport 81 return; }; " FORWARD "jump s; tcp dport 80 accept; udp "
	"dport 53 drop; }; }",
	"table ip t { map v { type ipv4_addr . inet_service : verdict; flags interval; "
	"elements = { 192.168.0.0/16 . 80-81 : drop, 8.8.8.0/24 . 0-65535 : accept }; "
	"}; " FORWARD "policy drop; ip daddr . th dport vmap @v; oifname ppp9 accept; "
	"}; }",
	"table ip t { " FORWARD "fib saddr . iif oif missing drop; fib saddr oif br0 "
	"drop; }; chain p { type filter hook prerouting priority -300; fib daddr "
	"oifname wan0 drop; }; }",
	"table ip t { " FORWARD "@nh,96,64 0xc0a8010a08080808 drop; @th,16,16 0x50 "
	"drop; ip saddr & 0.0.0.255 > 9 drop; }; }",
	"table ip t { " FORWARD "meta mark set 5; meta mark set meta mark << 8; meta "
	"mark set meta mark or 0x30; meta mark set meta mark >> 4; meta mark 0x53 tcp "
	"dport 80 drop; }; }",
	"table ip t { " FORWARD "ct original ip daddr 203.0.113.5 ct reply ip saddr "
	"192.168.1.2 drop; tcp dport 99 ct original ip daddr 203.0.113.6 drop; }; " PRE
	"ip daddr 203.0.113.0/24 meta l4proto tcp dnat to 192.168.1.2:99; }; }",
	"table ip t { set s { type ipv4_addr; flags dynamic; size 9; }; " FORWARD "add "
	"@s { ip saddr limit rate over 9/second } drop; update @s { ip daddr } accept; "
	"}; }",
	"table ip t { " PRE "iif wan0 iiftype ether iifgroup 0 pkttype host ether type "
	"ip dnat to 192.168.1.2; }; " POST "iif br0 masquerade; oifgroup 0 oiftype "
	"ether oif wan0 snat to 203.0.113.77; }; }",
	"table ip t { " FORWARD "tcp dport 80 reject with tcp reset; ct count over 3 "
	"drop; quota over 1 mbytes drop; }; }",
	"table inet t { chain i { type filter hook input priority 0; policy drop; "
	"iifname lo accept; meta nfproto ipv6 accept; tcp dport vmap { 80 : accept, 82 "
	": drop }; }; }",
	"table inet t { chain i { type nat hook input priority 100; policy drop; "
	"counter; }; }",
	"table inet t { chain i { type nat hook input priority 100; policy drop; snat "
	"ip to 192.168.1.77; }; }",
};

static void what_was_thought_of(void **state)
{
	struct frames frames = { 0 };

	(void)state;
	frames_open(&frames);
	for (size_t i = 0; i < sizeof(rulesets) / sizeof(rulesets[0]); i++) {
		lab_flush();
		lab_nft(rulesets[i]);
		compare(&frames, rulesets[i]);
	}
	frames_close(&frames);
}

/* --- random ones --- */

/* Some of what is drawn the kernel does not take: fib and reject at some hooks. */
static bool load(const char *rules)
{
	FILE *pipe = popen("nft -f - 2>/dev/null", "w");

	assert_non_null(pipe);
	fputs(rules, pipe);
	return pclose(pipe) == 0;
}

static unsigned seed;

static unsigned draw(unsigned count)
{
	return (unsigned)rand_r(&seed) % count;
}

#define ONE_OF(list) (list)[draw(sizeof(list) / sizeof((list)[0]))]

static const char *match(void)
{
	static const char *const list[] = {
		"", "", "ip daddr 203.0.113.5 ", "ip daddr != 203.0.113.5 ", "tcp dport 80 ",
		"tcp dport { 80, 82 } ", "th dport != 81 ", "iifname \"wan*\" ", "iifname br0 ",
		"meta mark 1 ", "meta mark and 2 == 2 ", "ct mark 1 ", "ct status dnat ",
		"ct state new ", "ct state invalid,untracked ", "fib daddr type local ",
		"ip saddr 192.168.0.0/16 ", "ip daddr 192.168.1.0-192.168.1.9 ",
		"meta l4proto udp ", "ip saddr . tcp dport { 198.18.0.77 . 80 } ",
		"ct original ip daddr 203.0.113.6 ", "ip daddr @s ", "ip saddr != @s ",
		"fib saddr . iif oif exists ", "ip6 daddr 2001:db8:1::/64 ",
	};

	return ONE_OF(list);
}

static const char *verdict(bool nat, const char *hook)
{
	static const char *const plain[] = {
		"accept", "drop", "return", "jump a", "goto b", "meta mark set 1",
		"meta mark set meta mark or 2", "ct mark set 1", "counter", "reject",
		"tcp dport vmap { 80 : accept, 81 : jump b, 82 : return }", "jump b",
	};
	static const char *const to[] = {
		"meta l4proto tcp dnat ip to 192.168.1.2", "dnat ip to 192.168.1.3",
		"meta l4proto tcp redirect to :99", "redirect",
		"meta l4proto tcp dnat ip to 192.168.1.9:8000",
		"dnat ip to ip daddr map { 203.0.113.5 : 192.168.1.2 }", "accept", "return",
	};
	static const char *const from[] = {
		"masquerade", "snat ip to 203.0.113.77", "snat ip to 192.168.1.77", "accept",
	};

	if (!nat || draw(4) == 0)
		return ONE_OF(plain);
	if (strcmp(hook, "prerouting") == 0 || strcmp(hook, "output") == 0)
		return ONE_OF(to);
	return strcmp(hook, "input") == 0 ? "snat ip to 192.168.1.77" : ONE_OF(from);
}

static char *write_rules(char *end, size_t count, bool nat, const char *hook)
{
	for (size_t i = 0; i < count; i++) {
		end = stpcpy(end, match());
		if (draw(2))
			end = stpcpy(end, match());
		end = stpcpy(stpcpy(end, verdict(nat, hook)), "; ");
	}
	return end;
}

static char *write_base(char *end, unsigned number)
{
	static const char *const hooks[] = {
		"prerouting", "forward", "postrouting", "input", "output" };
	static const int priorities[] = { -300, -150, -100, -100, 0, 0, 100, 100, 150 };
	const char *hook = ONE_OF(hooks);
	bool nat = draw(2) && strcmp(hook, "forward") != 0;
	bool way = !nat && strcmp(hook, "output") == 0 && draw(2);
	int priority = ONE_OF(priorities);

	if (nat && priority <= -200)
		priority = -100;
	end += sprintf(end, "chain c%u { type %s hook %s priority %d; policy %s; ", number,
		       nat ? "nat" : way ? "route" : "filter", hook, priority,
		       draw(8) ? "accept" : "drop");
	end = write_rules(end, 1 + draw(3), nat, hook);
	return stpcpy(end, "}; ");
}

/* Verdicts that only some chains may have are not drawn in `a` and `b`. */
static char *write_table(char *end, unsigned number)
{
	end += sprintf(end, "table inet t%u { set s { type ipv4_addr; flags interval; elements "
		       "= { 192.168.1.0/29, 203.0.113.6 }; }; chain b { %s %s; }; chain a { "
		       "%s goto b; %s accept; }; ", number, match(),
		       draw(2) ? "meta mark set 1" : "drop", match(), match());
	for (unsigned i = 1 + draw(4); i > 0; i--)
		end = write_base(end, i);
	return stpcpy(end, "}; ");
}

static void random_ones(void **state)
{
	const char *rounds = getenv("ROUNDS"), *given = getenv("SEED");
	unsigned count = rounds ? (unsigned)atoi(rounds) : 40;
	struct frames frames = { 0 };
	char text[16384];

	(void)state;
	seed = given ? (unsigned)atoi(given) : (unsigned)getpid();
	print_message("# SEED=%u\n", seed);
	frames_open(&frames);
	for (unsigned i = 0, tries = 0; i < count; tries++) {
		char *end = write_table(text, 1);

		for (unsigned j = draw(3); j > 0; j--)
			end = write_table(end, 1 + j);
		assert_true(end < text + sizeof(text));
		assert_true(tries < 20 * count);
		lab_flush();
		if (!load(text))
			continue;
		compare(&frames, text);
		i++;
	}
	frames_close(&frames);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_was_thought_of, lab_fresh),
		cmocka_unit_test_setup(random_ones, lab_fresh),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, walks_router, NULL);
}
