/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which connections a changed forward takes: as exactly as its rule, its sets and the
 * chains that it jumps to say.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "rules.h"

/* One service as a line, such as "tcp 80-81", "any 0-65535 guessed". */
static void format(const struct nft_service *service, char *line)
{
	const char *protocol = "other";

	if (service->protocol == IPPROTO_TCP)
		protocol = "tcp";
	else if (service->protocol == IPPROTO_UDP)
		protocol = "udp";
	else if (service->protocol == 0)
		protocol = "any";
	sprintf(line, "%s %u-%u%s%s", protocol, service->port_first, service->port_last,
		service->guessed ? " guessed" : "", service->source ? " source" : "");
}

static int line_order(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* What the report says, sorted, one after the other. */
static void assert_services(const struct rules *rules, const char *expected)
{
	static char lines[NFT_SERVICES_MAX][64], text[sizeof(lines)];
	const struct nft_services *services = &rules->report.services;
	char *end = text;

	*end = '\0';
	for (size_t i = 0; i < services->count; i++) {
		const struct addr *wanted = services->list[i].address.family == AF_INET
			? &rules->target.ipv4 : &rules->target.ipv6;

		assert_true(addr_equal(&services->list[i].address, wanted));
		format(&services->list[i], lines[i]);
	}
	qsort(lines, services->count, sizeof(lines[0]), line_order);
	for (size_t i = 0; i < services->count; i++)
		end += sprintf(end, "%s%s", i ? ", " : "", lines[i]);
	assert_string_equal(text, expected);
}

/* `text`: what stands in table ip t beside its chain pre, and the rules of that. */
static void expect(const char *beside, const char *rules_text, const char *expected)
{
	static char text[1 << 16];
	struct rules rules;

	lab_flush();
	snprintf(text, sizeof(text), "table ip t {\n%s\nchain pre { type nat hook prerouting "
		 "priority -100;\n%s\n}\n}\n", beside, rules_text);
	lab_nft(text);
	rules_open(&rules);
	rules_former(&rules, OLD);
	rules_sync(&rules);
	assert_true(rules.report.total.changed > 0);
	assert_services(&rules, expected);
	rules_sync(&rules);
	assert_int_equal(rules.report.services.count, 0);
	rules_close(&rules);
}

#define TO "dnat to 10.0.0.2 comment \"hairpin\"\n"

static void compares(void **state)
{
	(void)state;
	expect("", "ip daddr " OLD " tcp dport 80 " TO, "tcp 80-80");
	expect("", "ip daddr " OLD " udp dport 5000-5010 " TO, "udp 5000-5010");
	expect("", "ip daddr " OLD " " TO, "any 0-65535");
	expect("", "ip daddr " OLD " tcp dport != 22 " TO, "tcp 0-65535 guessed");
	expect("", "ip daddr " OLD " tcp dport 80 " TO "ip daddr " OLD " tcp dport 81 " TO
	       "ip daddr " OLD " tcp dport 443 " TO "ip daddr " NEW " tcp dport 99 " TO
	       "ip daddr " OLD " tcp dport 98 dnat to 10.0.0.2\n", "tcp 443-443, tcp 80-81");
	expect("", "ip daddr " OLD " meta l4proto { tcp, udp } th dport 53 " TO,
	       "tcp 53-53, udp 53-53");
	expect("", "ip daddr " OLD " th dport 53 " TO, "any 53-53");
}

static void sets_of_ports(void **state)
{
	(void)state;
	expect("", "ip daddr " OLD " udp dport { 53, 123 } " TO, "udp 123-123, udp 53-53");
	expect("", "ip daddr " OLD " tcp dport { 20-25, 80, 65000-65535 } " TO,
	       "tcp 20-25, tcp 65000-65535, tcp 80-80");
	expect("set ports { type inet_service; elements = { 80, 443 } }",
	       "ip daddr " OLD " tcp dport @ports " TO, "tcp 443-443, tcp 80-80");
	expect("set ports { type inet_service; flags interval; elements = { 80-90, 91-99 } }",
	       "ip daddr " OLD " tcp dport @ports " TO, "tcp 80-99");
	expect("set ports { type inet_service; elements = { 80, 443 } }",
	       "ip daddr " OLD " tcp dport != @ports " TO, "tcp 0-65535 guessed");
	expect("", "ip daddr " OLD " meta l4proto . th dport { tcp . 80, udp . 53 } " TO,
	       "tcp 80-80, udp 53-53");
	expect("", "ip daddr " OLD " ip saddr . tcp dport { 10.0.0.0/24 . 80-81, "
	       "10.1.0.1 . 90 } " TO, "tcp 80-81, tcp 90-90");
	expect("", "ip daddr " OLD " dnat to tcp dport map { 80 : 10.0.0.2, 81 : 10.0.0.3 } "
	       "comment \"hairpin\"", "tcp 80-81");
	expect("", "ip daddr " OLD " ip saddr { 10.0.0.1, 10.0.0.9 } tcp dport 80 " TO,
	       "tcp 80-80");
}

static void jumps(void **state)
{
	(void)state;
	expect("chain ports {\ntcp dport 80 dnat to 10.0.0.2\n"
	       "udp dport { 53, 54 } dnat to 10.0.0.3\n"
	       "tcp dport 22 accept; }\n",
	       "ip daddr " OLD " jump ports comment \"hairpin\"", "tcp 80-80, udp 53-54");
	expect("chain web { dnat to 10.0.0.2; }\n"
	       "chain dns { udp dport 53 dnat to 10.0.0.3; }\n"
	       "chain ports { tcp dport 80-81 jump web\n goto dns; }\n",
	       "ip daddr " OLD " jump ports comment \"hairpin\"", "tcp 80-81, udp 53-53");
	expect("chain web { dnat to 10.0.0.2; }\n"
	       "chain mail { tcp dport != 26 dnat to 10.0.0.3; }\n",
	       "ip daddr " OLD " tcp dport vmap { 80 : jump web, 443 : goto web, 25 : jump mail, "
	       "22 : accept } comment \"hairpin\"", "tcp 25-25 guessed, tcp 443-443, tcp 80-80");
	expect("chain web { dnat to 10.0.0.2; }\nmap m { type inet_service : verdict; flags "
	       "interval; elements = { 80-89 : jump web, 90-99 : accept } }\n",
	       "ip daddr " OLD " tcp dport vmap @m comment \"hairpin\"", "tcp 80-89");
	expect("chain other { ip daddr 10.9.9.9 dnat to 10.0.0.2; ip daddr " NEW " tcp dport 7 "
	       "dnat to 10.0.0.2; }", "ip daddr " OLD " jump other comment \"hairpin\"",
	       "tcp 7-7");
}

/* A changed set has no ports: the rules that ask it have. */
static void sets_of_addresses(void **state)
{
	(void)state;
	expect("set wan { type ipv4_addr; comment \"hairpin\"; elements = { " OLD " } }\n",
	       "ip daddr @wan tcp dport { 80, 443 } dnat to 10.0.0.2\n"
	       "ip daddr @wan udp dport 53 dnat to 10.0.0.2\n"
	       "tcp dport 99 dnat to 10.0.0.2\n", "tcp 443-443, tcp 80-80, udp 53-53");
	expect("map m { type ipv4_addr . inet_service : ipv4_addr; comment \"hairpin\"; "
	       "elements = { " OLD " . 80 : 10.0.0.2, 10.9.9.9 . 81 : 10.0.0.3 } }\n",
	       "dnat to ip daddr . tcp dport map @m\n", "tcp 80-80");
	expect("set wan { type ipv4_addr; elements = { " OLD " comment \"hairpin\", "
	       "10.9.9.9 } }\n", "ip daddr @wan tcp dport 80 dnat to 10.0.0.2\n", "tcp 80-80");
	expect("", "ip daddr { " OLD ", 10.9.9.9 } tcp dport 80 " TO, "tcp 80-80");
	expect("chain web { dnat to 10.0.0.2; }\n",
	       "ip daddr . tcp dport vmap { " OLD " . 80 : jump web, 10.9.9.9 . 81 : jump web, "
	       OLD " . 22 : accept } comment \"hairpin\"\n", "tcp 80-80");
}

static void multiport(void **state)
{
	struct rules rules;

	(void)state;
	if (lab_try("iptables-nft -t nat -L >/dev/null 2>&1") != 0) {
		print_message("# iptables-nft does not work here\n");
		skip();
	}
	lab_run("iptables-nft -t nat -A PREROUTING -d " OLD " -p tcp -m multiport --dports "
		"80,443,8000:8010 -m comment --comment hairpin -j DNAT --to 10.0.0.2");
	lab_run("iptables-nft -t nat -A PREROUTING -d " OLD " -p udp -m multiport --sports 1,2 "
		"-m udp --dport 53 -m comment --comment hairpin -j DNAT --to 10.0.0.2");
	lab_run("iptables-nft -t nat -A PREROUTING -d " OLD " -p udp -m multiport ! --dports 1,2 "
		"-m comment --comment hairpin -j DNAT --to 10.0.0.2");
	rules_open(&rules);
	rules_sync(&rules);
	assert_services(&rules, "tcp 443-443, tcp 80-80, tcp 8000-8010, udp 0-65535 guessed, "
			"udp 53-53");
	rules_close(&rules);
}

static void sources(void **state)
{
	struct rules rules;

	(void)state;
	lab_nft("table ip t {\n chain post { type nat hook postrouting priority 100;\n"
		"ip saddr 10.0.0.0/24 ct original ip daddr " OLD " meta l4proto udp masquerade "
		"comment \"hairpin\"\n"
		"ip daddr 10.0.0.2 masquerade comment \"hairpin lan\"\n"
		"}\n}\n");
	rules_open(&rules);
	rules_former(&rules, OLD);
	rules_sync(&rules);
	assert_services(&rules, "udp 0-65535 source");
	rules_close(&rules);
}

/* More than there is room for: what is guessed covers them all. */
static void too_many_are_a_guess(void **state)
{
	static char text[1 << 15];
	struct rules rules;
	char *end = text;
	bool guessed = false;

	(void)state;
	lab_nft("table ip t {\n chain pre { type nat hook prerouting priority -100; }\n}\n");
	end += sprintf(end, "add rule ip t pre ip daddr " OLD " udp dport { 1");
	for (int i = 1; i <= 300; i++)
		end += sprintf(end, ", %d", 1 + 2 * i);
	sprintf(end, " } " TO);
	lab_nft(text);
	rules_open(&rules);
	rules_sync(&rules);
	for (size_t i = 0; i < rules.report.services.count; i++) {
		const struct nft_service *service = &rules.report.services.list[i];

		guessed |= service->guessed && service->protocol == IPPROTO_UDP &&
			   service->port_first == 0 && service->port_last == UINT16_MAX;
	}
	assert_true(guessed);
	rules_close(&rules);
}

/* Rules that nobody asked about, and rules of a dry run, cost nothing. */
static void only_where_asked_for(void **state)
{
	struct rules rules;

	(void)state;
	lab_nft("table ip t {\n chain pre { type nat hook prerouting priority -100;\n"
		"ip daddr " OLD " tcp dport 80 " TO "}\n}\n");
	rules_open(&rules);
	rules.request.dry_run = true;
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 1);
	assert_int_equal(rules.report.services.count, 0);
	rules.request.dry_run = rules.request.services = false;
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 1);
	assert_int_equal(rules.report.services.count, 0);
	rules_close(&rules);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(compares, lab_fresh),
		cmocka_unit_test_setup(sets_of_ports, lab_fresh),
		cmocka_unit_test_setup(jumps, lab_fresh),
		cmocka_unit_test_setup(sets_of_addresses, lab_fresh),
		cmocka_unit_test_setup(multiport, lab_fresh),
		cmocka_unit_test_setup(sources, lab_fresh),
		cmocka_unit_test_setup(too_many_are_a_guess, lab_fresh),
		cmocka_unit_test_setup(only_where_asked_for, lab_fresh),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
