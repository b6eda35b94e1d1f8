/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that are pasted into a root shell: no name may end their quotes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/remedy.h"
#include "kernel/walk_private.h"

/* Fifteen bytes without a space, a slash or a colon: the kernel takes all these. */
static const char *const hostile[] = {
	"$(reboot)", "`reboot`", ";reboot;", "a'&reboot&'b", "x\"reboot\"", "w\\n", "w$IFS", "w*",
	"\xc3\xa9';id;'", "\x1b[2J", "#", "!", "(", "~root", "",
};

enum kind { OTHER_PORTS_FROM_LAN, ONE_PORT_BEHIND_A_ROUTER };

/* How many commands there are. All of a router that has this WAN. */
static size_t count_commands(const char *link_name, enum kind kind, bool iptables)
{
	static struct patient patient;
	static struct forwards all;
	struct walk_table table = { .family = NFPROTO_IPV4, .name = "nat", .owner = "" };
	struct walk_chain chain = { .table = &table, .name = "prerouting", .type = "nat",
				    .hook = NF_INET_PRE_ROUTING }, *chains[] = { &chain };
	struct walk_rule rule = { .chain = &chain, .comment = "", .xt = iptables };
	struct walk walk = { .chains = chains, .chain_count = 1 };
	struct router_link link = { .index = 1 };
	struct patient_forward forward = {
		.rule = &rule, .wan = &patient.wans[0], .protocol = IPPROTO_TCP,
		.server_port = 443, .port_last = UINT16_MAX,
	};
	const struct finding_key key = { .verdict = DOCTOR_FINDING, .code = "test" };
	struct finding *finding;
	struct err err;
	size_t count;

	chain.rules = &rule;
	chain.rule_count = 1;
	snprintf(link.name, sizeof(link.name), "%s", link_name);
	assert_true(addr_parse("192.168.1.2", &forward.server));
	patient = (struct patient){ .walk = &walk, .wan_count = 1 };
	patient.wans[0] = (struct patient_wan){ .link = &link };
	assert_int_equal(tag_init(&patient.wans[0].tag, "hairpin", &err), 0);
	assert_true(addr_parse("81.2.69.7", &patient.wans[0].own));
	patient.wans[0].outer = patient.wans[0].own;
	all = (struct forwards){ .patient = &patient };
	if (kind == ONE_PORT_BEHIND_A_ROUTER) {
		forward.port = forward.port_last = forward.tried = 443;
		assert_true(addr_parse("192.168.100.2", &patient.wans[0].own));
	}
	finding = finding_of(&all.findings, &key, "a forward is missing");
	remedy_add_forward(&all, finding, &forward, kind == OTHER_PORTS_FROM_LAN
						    ? REMEDY_LAN : REMEDY_INTERNET);
	count = json_count(finding->commands);
	findings_done(&all.findings);
	tag_done(&patient.wans[0].tag);
	return count;
}

static void test_a_link_that_would_break_out(void **state)
{
	static const enum kind kinds[] = { OTHER_PORTS_FROM_LAN, ONE_PORT_BEHIND_A_ROUTER };
	size_t i, turn;

	(void)state;
	for (turn = 0; turn < 4; turn++) {
		assert_int_equal(count_commands("wan0", kinds[turn / 2], turn % 2), 1);
		assert_int_equal(count_commands("wan0.7", kinds[turn / 2], turn % 2), 1);
		for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
			assert_int_equal(count_commands(hostile[i], kinds[turn / 2],
							turn % 2), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_link_that_would_break_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
