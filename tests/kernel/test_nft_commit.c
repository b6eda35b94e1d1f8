/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The batch: large ones, refused rules, a ruleset that will not stand still, odd
 * comments, and bytes kept.
 */
#include <signal.h>
#include <time.h>

#include "raw.h"
#include "rules.h"
#include "unit/figure.h"

static const uint8_t old_bytes[4] = { 203, 0, 113, 1 }, new_bytes[4] = { 198, 51, 100, 7 };

/* `count` tagged rules beside as many untagged. */
static void load_many(int count)
{
	static char text[1 << 20];

	lab_nft("table ip t {\n chain pre { type nat hook prerouting priority -100; "
		"}\n}\n");
	for (int i = 0; i < count;) {
		char *end = text;

		for (int n = 0; n < 100 && i < count; n++, i++)
			end += sprintf(end,
				"add rule ip t pre ip daddr " OLD " tcp dport %d "
				"counter packets %d bytes 9 dnat to 10.0.0.2:80 "
				"comment \"hairpin %d\"\n"
				"add rule ip t pre ip daddr " OLD " udp dport %d dnat "
				"to 10.0.0.3 comment \"other %d\"\n",
				i + 1, i, i, i + 1, i);
		lab_nft(text);
	}
}

static void five_hundred_rules_in_one_batch(void **state)
{
	struct rules rules;
	char *before;

	(void)state;
	load_many(500);
	rules_open(&rules);
	before = lab_listing();
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 500);
	assert_int_equal(rules.report.services.count, 1);
	assert_int_equal(rules.report.services.list[0].port_first, 1);
	assert_int_equal(rules.report.services.list[0].port_last, 500);
	rules_expect_only(before, "hairpin ", OLD, NEW);
	rules_close(&rules);
}

static void bytes_and_handles_stay(void **state)
{
	static const struct { uint8_t family; const char *table; } tables[] = {
		{ NFPROTO_IPV4, "t" }, { NFPROTO_INET, "u" },
	};
	struct wire before[2], after[2];
	struct netlink netlink;
	struct rules rules;

	(void)state;
	lab_nft("table ip t {\n chain pre { type nat hook prerouting priority -100;\n"
		"ip daddr " OLD " tcp dport 80 counter packets 7 bytes 700 quota over "
		"1 mbytes used 5 bytes dnat to 10.0.0.2:80-90 persistent comment "
		"\"hairpin 1\"\n"
		"ip daddr " OLD " ct state new limit rate over 5/second burst 7 "
		"packets log prefix \"p\" group 3 dnat to 10.0.0.2 comment \"hairpin "
		"2\"\n"
		"ip daddr " OLD " tcp option maxseg size 1-500 tcp dport 1 redirect to "
		":81 comment \"hairpin 3\"\n"
		"ip daddr " OLD " meta length 5 dnat to 10.0.0.2 comment \"other\"\n"
		"}\n}\n"
		"table inet u {\n chain pre { type nat hook prerouting priority -100;\n"
		"ip daddr " OLD " meta mark set ct mark socket mark 3 dnat ip to "
		"10.0.0.2 comment \"hairpin 4\"\n"
		"}\n}\n");
	assert_int_equal(netlink_open(&netlink, NETLINK_NETFILTER, NULL), 0);
	for (int i = 0; i < 2; i++)
		raw_dump(&netlink, tables[i].family, tables[i].table, &before[i]);
	rules_open(&rules);
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 4);
	figure_exactly("F24", "tagged rules with counter, quota, limit, log, marks: changed",
		       rules.report.total.changed, 4);
	for (int i = 0; i < 2; i++) {
		raw_dump(&netlink, tables[i].family, tables[i].table, &after[i]);
		assert_int_equal(raw_replace(&after[i], new_bytes, old_bytes, 4), i ? 1 : 3);
		assert_int_equal(before[i].length, after[i].length);
		assert_memory_equal(before[i].bytes, after[i].bytes, before[i].length);
		wire_done(&before[i]);
		wire_done(&after[i]);
	}
	figure_holds("F24", "every byte but the address, handle and position are as before", true);
	rules_close(&rules);
	netlink_close(&netlink);
}

static void churn_for_ever(int pause_us)
{
	struct netlink netlink;

	if (netlink_open(&netlink, NETLINK_NETFILTER, NULL) < 0)
		_exit(1);
	for (bool make = true;; make = !make) {
		if (raw_churn(&netlink, make) != 0)
			_exit(1);
		usleep((useconds_t)pause_us);
	}
}

/* Forty changes, and as many more as it takes until somebody was in the way. */
static void gets_through_while_others_commit(void **state)
{
	int64_t until_ms = clock_now_ms() + LAB_PATIENCE_MS, took_us[40];
	unsigned tries = 0, failed = 0, rounds = 0;
	struct rules rules;
	pid_t child;
	int status;

	(void)state;
	load_many(300);
	rules_open(&rules);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		churn_for_ever(20 * 1000);
	for (; rounds < 40 || (tries == rounds && clock_now_ms() < until_ms); rounds++) {
		rules.target.ipv4 = rules_addr(rounds % 2 ? OLD : NEW);
		rules.count = 0;
		failed += nft_sync(rules.nft, &rules.request, &rules.report, &rules.err) < 0 ||
			  rules.report.total.changed != 300;
		tries += rules.report.attempts;
		took_us[rounds % 40] = rules.report.total_us;
	}
	kill(child, SIGKILL);
	assert_int_equal(failed, 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));	/* it committed to the end */
	print_message("# %u changes of 300 rules took %u tries\n", rounds, tries);
	assert_true(tries > rounds);
	assert_true(lab_median(took_us, 40) <= 1000 * 1000);
	rules_close(&rules);
}

/*
 * A rule with a meter, which nobody can clone. False: this nft makes a named set of it, so
 * that nothing is in the way (1.1 and later).
 */
static bool load_meter(void)
{
	lab_nft("table ip m {\n chain pre { type nat hook prerouting priority -80;\n"
		"ip daddr " OLD " meter m { ip saddr limit rate 5/second } dnat to "
		"10.0.0.2 comment \"hairpin meter\"\n"
		"}\n}\n");
	if (lab_try("nft list table ip m | grep -q ' meter m '") == 0)
		return true;
	lab_nft("delete table ip m");
	return false;
}

static void a_refused_rule_does_not_stop_the_others(void **state)
{
	struct rules rules;
	FILE *owner;
	char *before;
	bool meter;

	(void)state;
	owner = rules_of_another_program();
	lab_nft("table ip t {\n chain pre { type nat hook prerouting priority -100;\n"
		"ip daddr " OLD " tcp dport 1 dnat to 10.0.0.2 comment \"hairpin free\"\n"
		"}\n}\n");
	meter = load_meter();
	rules_open(&rules);
	before = lab_listing();
	rules.request.dry_run = true;
	rules_sync(&rules);
	if (meter)
		rules_skipped(&rules, "hairpin meter", "meter");
	rules.request.dry_run = false;
	rules_sync(&rules);
	rules_changed(&rules, "hairpin free", OLD, NEW);
	rules_skipped(&rules, "hairpin own", "belongs to another program");
	if (meter) {
		rules_skipped(&rules, "hairpin meter", "meter");
		assert_false(rules_find(&rules, "hairpin meter")->refused);
	}
	assert_true(rules_find(&rules, "hairpin own")->refused);
	assert_false(rules_find(&rules, "hairpin own")->learnt);
	assert_int_equal(rules.report.refused, 1);
	rules_expect_only(before, "hairpin free", OLD, NEW);
	/* Nothing but the refused one is left: still success, still told. */
	rules_sync(&rules);
	assert_int_equal(rules.report.refused, 1);
	assert_int_equal(rules.report.total.changed, 0);
	assert_int_equal(rules.report.total.in_step, 1);
	pclose(owner);
	rules_close(&rules);
}

static void dormant_tables_change_too(void **state)
{
	struct rules rules;
	char *before;

	(void)state;
	lab_nft("table ip t {\n flags dormant\n chain pre { type nat hook prerouting "
		"priority -100;\n"
		"ip daddr " OLD " tcp dport 1 dnat to 10.0.0.2 comment \"hairpin "
		"sleeps\"\n}\n}\n");
	rules_open(&rules);
	before = lab_listing();
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 1);
	rules_expect_only(before, "hairpin ", OLD, NEW);
	rules_close(&rules);
}

static void comments_may_hold_any_bytes(void **state)
{
	static const struct { const char *bytes; size_t length; bool tagged; } cases[] = {
		{ "\0\x08hairpin\0", 10, true },
		{ "\0\x0d\x01\xff\n\x1b[hairpin\0", 15, true },
		{ "\1\4\0\0\0\0\0\x08hairpin\0", 16, true },	/* another type before it */
		{ "\0\x07hairpin", 9, false },			/* no NUL */
		{ "\0\x09hairpin\0", 10, false },		/* claims one byte too many */
		{ "\0\x08hairpin\0x", 11, false },		/* bytes behind it */
		{ "\0\x0ahairpin\0x\0", 12, false },		/* a NUL inside */
		{ "\0\0", 2, false },
		{ "\0", 1, false },
		{ "hairpin", 7, false },			/* no TLV at all */
		{ "hairpin hairpin hairpin", 23, false },
		{ "\7\x08hairpin\0", 10, false },		/* a set's type */
	};
	size_t tagged = 0, count = sizeof(cases) / sizeof(cases[0]);
	struct wire before, after;
	struct netlink netlink;
	struct rules rules;

	(void)state;
	lab_nft("table ip t {\n chain pre { type nat hook prerouting priority -100; "
		"}\n}\n");
	assert_int_equal(netlink_open(&netlink, NETLINK_NETFILTER, NULL), 0);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(raw_add_rule(&netlink, old_bytes, cases[i].bytes,
					      cases[i].length), 0);
		tagged += cases[i].tagged;
	}
	raw_dump(&netlink, NFPROTO_IPV4, "t", &before);
	rules_open(&rules);
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, tagged);
	assert_int_equal(rules.count, tagged);
	assert_string_equal(rules.items[1].comment, "\x01\xff\n\x1b[hairpin");
	raw_dump(&netlink, NFPROTO_IPV4, "t", &after);
	assert_int_equal(raw_replace(&after, new_bytes, old_bytes, 4), tagged);
	assert_int_equal(before.length, after.length);
	assert_memory_equal(before.bytes, after.bytes, before.length);
	wire_done(&before);
	wire_done(&after);
	rules_close(&rules);
	netlink_close(&netlink);
}

static void iptables_rules_change_too(void **state)
{
	static const char *const rules_text[] = {
		"PREROUTING -d " OLD " -p tcp --dport 80 -m comment --comment 'hairpin "
		"a' -j DNAT --to 10.0.0.2:80",
		"PREROUTING -d " OLD " -p tcp -m multiport --dports 80,443 -m comment "
		"--comment 'hairpin b' -j DNAT --to 10.0.0.2",
		"PREROUTING -d " OLD " -m comment --comment one -m comment --comment "
		"'two hairpin' -j REDIRECT -p udp --to-ports 53",
		"PREROUTING -d " OLD " -p tcp -m tcp --tcp-flags SYN,ACK SYN -m "
		"comment --comment 'hairpin c' -j DNAT --to 10.0.0.2",
		"PREROUTING -d " OLD " ! -p icmp -m comment --comment 'hairpin d' -j "
		"DNAT --to 10.0.0.2",
		"PREROUTING -d " OLD " -p icmp --icmp-type 8 -m comment --comment "
		"'hairpin e' -j DNAT --to 10.0.0.2",
		"PREROUTING -d " OLD " -p tcp --dport 81 -m comment --comment 'other' "
		"-j DNAT --to 10.0.0.2",
		"PREROUTING -m iprange --dst-range " OLD "-203.0.113.2 -p tcp -m comment "
		"--comment 'hairpin range' -j DNAT --to 10.0.0.2",
		"POSTROUTING -s 10.0.0.0/24 -d 10.0.0.2 -m comment --comment 'hairpin "
		"masq' -j MASQUERADE",
	};
	struct rules rules;
	char *before, *after, *expected;

	(void)state;
	if (lab_try("iptables-nft -t nat -L >/dev/null 2>&1") != 0) {
		print_message("# iptables-nft does not work here\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(rules_text) / sizeof(rules_text[0]); i++)
		lab_run("iptables-nft -t nat -A %s", rules_text[i]);
	rules_open(&rules);
	before = lab_output("iptables-nft-save -c -t nat 2>/dev/null | grep -v '^#'");
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 6);
	rules_changed(&rules, "two hairpin", OLD, NEW);
	rules_skipped(&rules, "hairpin range", "--dst-range");
	rules_skipped(&rules, "hairpin masq", "never was");
	expected = lab_expect(before, "-d " OLD "/32 -p tcp -m tcp --dport "
		"81 ", OLD, "KEEP");
	free(before);
	before = lab_expect(expected, "hairpin", "-d " OLD, "-d " NEW);
	free(expected);
	expected = lab_expect(before, "KEEP", "KEEP", OLD);
	after = lab_output("iptables-nft-save -c -t nat 2>/dev/null | grep -v '^#'");
	assert_string_equal(expected, after);
	free(before);
	free(expected);
	free(after);
	rules_close(&rules);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(five_hundred_rules_in_one_batch, lab_fresh),
		cmocka_unit_test_setup(bytes_and_handles_stay, lab_fresh),
		cmocka_unit_test_setup(gets_through_while_others_commit, lab_fresh),
		cmocka_unit_test_setup(a_refused_rule_does_not_stop_the_others, lab_fresh),
		cmocka_unit_test_setup(dormant_tables_change_too, lab_fresh),
		cmocka_unit_test_setup(comments_may_hold_any_bytes, lab_fresh),
		cmocka_unit_test_setup(iptables_rules_change_too, lab_fresh),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
