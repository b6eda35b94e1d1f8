/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which line of the firewall's files makes a rule, however it is written there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/files_private.h"
#include "scratch.h"

static bool alike(const char *line, const char *listed)
{
	struct rule_words a, b;
	bool equal;

	assert_true(rule_words_split(line, &a));
	assert_true(rule_words_split(listed, &b));
	equal = rule_words_equal(&a, &b);
	rule_words_done(&a);
	rule_words_done(&b);
	return equal;
}

#define LISTED "ip daddr 203.0.113.5 tcp dport { 80, 443 } dnat ip to 192.168.1.2 " \
	       "comment \"hairpin web\""

static void test_the_same_rule_in_other_words(void **state)
{
	(void)state;
	assert_true(alike(LISTED, LISTED));
	assert_true(alike("tcp dport {https,http} ip daddr 81.2.69.7 counter dnat to 192.168.1.2;",
			  LISTED));
	assert_true(alike("add rule inet home pre ip daddr { 81.2.69.7, 81.2.69.8 } "
			  "tcp dport { 443, 80 } counter packets 5 bytes 400 dnat 192.168.1.2",
			  LISTED));
	assert_true(alike("add rule home pre ip daddr 81.2.69.7 tcp dport { 80, 443 } dnat to "
			  "192.168.1.2 comment \"; flush\"", LISTED));
	assert_true(alike("iifname br0 oifname br0 ct status dnat masquerade",
			  "iifname \"br0\" oifname \"br0\" ct status dnat masquerade"));
	/* Whatever ends a word is passed over: it once was not, and words had no end. */
	assert_true(alike("iifname br0\voifname\fbr0 ct\r status dnat\v\fmasquerade\v",
			  "iifname \"br0\" oifname \"br0\" ct status dnat masquerade"));
	assert_true(alike("\v\f", ""));
	assert_true(alike("meta iifname wan0 tcp dport ssh dnat to 192.168.1.2:22",
			  "iifname \"wan0\" tcp dport 22 dnat to 192.168.1.2:22"));
}

static void test_another_rule(void **state)
{
	(void)state;
	assert_false(alike("ip daddr 203.0.113.5 tcp dport 80 dnat ip to 192.168.1.2", LISTED));
	assert_false(alike("ip daddr 203.0.113.5 tcp dport { 80, 443 } dnat to 192.168.1.3",
			   LISTED));
	assert_false(alike("ip daddr != 203.0.113.5 tcp dport { 80, 443 } dnat to 192.168.1.2",
			   LISTED));
	assert_false(alike("ip saddr 203.0.113.5 tcp dport { 80, 443 } dnat to 192.168.1.2",
			   LISTED));
	assert_false(alike("", LISTED));
	assert_false(alike("comment", LISTED));
	assert_false(alike("ip daddr {", LISTED));
	assert_false(alike("add rule", LISTED));
}

/* Words that are looked at before they are taken need no room of their own. */
static void test_lines_with_more_to_look_at_than_to_take(void **state)
{
	static const char *const lines[] = {
		"add{", "{", "insert}{", "counter{", "add counter{", "daddr !={",
		"counter counter counter counter", "add daddr{},daddr.{", "rule", "add rule{{{",
	};
	struct rule_words words;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_true(rule_words_split(lines[i], &words));
		rule_words_done(&words);
	}
	assert_true(alike("counter dnat to 192.168.1.2", "dnat to 192.168.1.2"));
}

/* --- a forward, in a tree of files --- */

struct place_fixture {
	struct scratch scratch;
	struct doctor_options options;
	struct patient patient;
	struct walk_table table;
	struct walk_chain chain;
	struct walk_rule rule;
	struct patient_forward forward;
};

static int set_up(void **state)
{
	struct place_fixture *fixture = calloc(1, sizeof(*fixture));
	char path[128];

	*state = fixture;
	assert_int_equal(scratch_new(&fixture->scratch), 0);
	assert_int_equal(mkdir(scratch_path(&fixture->scratch, "etc", path), 0755), 0);
	assert_int_equal(mkdir(scratch_path(&fixture->scratch, "etc/iptables", path), 0755), 0);
	assert_int_equal(mkdir(scratch_path(&fixture->scratch, "etc/my", path), 0755), 0);
	fixture->options.root = fixture->scratch.path;
	fixture->patient.options = &fixture->options;
	/* A name that nft is not asked for. */
	fixture->table = (struct walk_table){ .name = "no table", .family = 2 };
	fixture->chain = (struct walk_chain){ .table = &fixture->table, .name = "pre",
					      .rules = &fixture->rule, .rule_count = 1 };
	fixture->rule = (struct walk_rule){ .chain = &fixture->chain, .handle = 7,
					    .comment = "hairpin web" };
	fixture->forward = (struct patient_forward){
		.rule = &fixture->rule, .protocol = IPPROTO_TCP, .port = 443,
		.port_last = 443, .server_port = 8443,
	};
	assert_true(addr_parse("192.168.1.2", &fixture->forward.server));
	fixture->patient.forwards = &fixture->forward;
	fixture->patient.forward_count = 1;
	return 0;
}

static int tear_down(void **state)
{
	struct place_fixture *fixture = *state;

	files_done(&fixture->patient);
	rule_texts_done(&fixture->patient);
	scratch_done(&fixture->scratch);
	free(fixture);
	return 0;
}

/* Where it is found, "PATH:LINE" below the root, with a "!" where the comment is gone. */
static const char *place(struct place_fixture *fixture)
{
	static char text[400];
	struct file_place found;

	files_done(&fixture->patient);
	if (!file_place_find(&fixture->patient, &fixture->rule, &found))
		return "nowhere";
	snprintf(text, sizeof(text), "%s:%u%s", found.path + strlen(fixture->scratch.path),
		 found.line, found.has_comment ? "" : "!");
	return text;
}

static void test_nowhere(void **state)
{
	struct place_fixture *fixture = *state;

	assert_string_equal(place(fixture), "nowhere");
	assert_false(files_are_there(&fixture->patient));
	scratch_write(&fixture->scratch, "etc/nftables.conf",
		      "#!/usr/sbin/nft -f\nflush ruleset\n", 0644);
	assert_string_equal(place(fixture), "nowhere");
	assert_true(files_are_there(&fixture->patient));
}

static void test_the_file_has_it(void **state)
{
	struct place_fixture *fixture = *state;

	scratch_write(&fixture->scratch, "etc/nftables.conf",
		      "define SERVER = 192.168.1.2\n"
		      "table inet home {\n"
		      "\tchain pre {\n"
		      "\t\t# tcp dport 443 dnat to 192.168.1.2:8443 comment \"hairpin web\"\n"
		      "\t\ttcp dport 443 dnat to 192.168.1.3 comment \"hairpin web\"\n"
		      "\t\tip daddr 192.0.2.1 tcp dport {\n\t\t\t443 } \\\n"
		      "\t\t\tdnat to $SERVER:8443 comment \"hairpin web\"\n"
		      "\t}\n}\n", 0644);
	assert_string_equal(place(fixture), "/etc/nftables.conf:6");
}

static void test_the_file_lost_the_comment(void **state)
{
	struct place_fixture *fixture = *state;

	scratch_write(&fixture->scratch, "etc/nftables.conf",
		      "include \"/etc/my/*.nft\"\n", 0644);
	scratch_write(&fixture->scratch, "etc/my/1.nft",
		      "include \"my/*.nft\"\ninclude \"/etc/nftables.conf\"\n", 0644);
	scratch_write(&fixture->scratch, "etc/my/2.nft",
		      "\nadd rule inet home pre tcp dport 443 dnat to 192.168.1.2:8443\n", 0644);
	assert_string_equal(place(fixture), "/etc/my/2.nft:2!");
}

/* Eight stars in a row, and every directory of the machine would be looked through. */
static void test_a_pattern_without_measure(void **state)
{
	struct place_fixture *fixture = *state;

	scratch_write(&fixture->scratch, "etc/my/2.nft",
		      "tcp dport 443 dnat to 192.168.1.2:8443\n", 0644);
	scratch_write(&fixture->scratch, "etc/nftables.conf",
		      "include \"/*/../e*/m*/*.nft\"\n", 0644);
	assert_string_equal(place(fixture), "nowhere");
	scratch_write(&fixture->scratch, "etc/nftables.conf",
		      "include \"/e*/m*/*.nft\"\n", 0644);
	assert_string_equal(place(fixture), "/etc/my/2.nft:1!");
}

static void test_iptables_save(void **state)
{
	struct place_fixture *fixture = *state;

	scratch_write(&fixture->scratch, "etc/iptables/rules.v4",
		      "*nat\n"
		      "-A PREROUTING -d 192.0.2.1/32 -p udp -m udp --dport 443 -j DNAT "
		      "--to-destination 192.168.1.2:8443\n"
		      "-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 443 -j DNAT "
		      "--to-destination 192.168.1.2:8443\n", 0644);
	assert_string_equal(place(fixture), "/etc/iptables/rules.v4:3!");
	scratch_write(&fixture->scratch, "etc/iptables/rules.v4",
		      "-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 443 -m comment "
		      "--comment \"hairpin web\" -j DNAT --to-destination 192.168.1.2:8443\n",
		      0644);
	assert_string_equal(place(fixture), "/etc/iptables/rules.v4:1");
}

/* A forward that somebody edited is still the one that its comment names. */
static void test_only_the_comment(void **state)
{
	struct place_fixture *fixture = *state;

	scratch_write(&fixture->scratch, "etc/nftables.conf",
		      "tcp dport 444 dnat to 192.168.1.2 comment \"hairpin\"\n"
		      "tcp dport 444 dnat to 192.168.1.2 comment \"hairpin web\"\n", 0644);
	assert_string_equal(place(fixture), "/etc/nftables.conf:2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_same_rule_in_other_words),
		cmocka_unit_test(test_another_rule),
		cmocka_unit_test(test_lines_with_more_to_look_at_than_to_take),
		cmocka_unit_test_setup_teardown(test_nowhere, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_pattern_without_measure, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_file_has_it, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_file_lost_the_comment, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_iptables_save, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_only_the_comment, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
