/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets at the edges: what the kernel refuses, what is there already, prefixes, times that
 * run, two WANs, and sets that take more than one message.
 */
#include "sets.h"

static char *listing(void)
{
	return lab_output("nft list ruleset");
}

static void expect_within(const char *text, bool there)
{
	char *all = listing();

	if ((strstr(all, text) != NULL) != there)
		fail_msg("%s \"%s\":\n%s", there ? "no" : "still", text, all);
	free(all);
}

static void the_new_address_may_be_there_already(void **state)
{
	struct rules rules;

	(void)state;
	lab_nft("table ip t {\n" BASE
		"set s { type ipv4_addr; comment \"hairpin s\"\n elements = { " OLD ", " NEW
		" } }\n"
		"set r { type ipv4_addr; flags interval; comment \"hairpin r\"\n elements = { "
		OLD ", 198.51.100.0/24 } }\n"
		"map m { type ipv4_addr : verdict; comment \"hairpin m\"\n elements = { " OLD
		" : accept, " NEW " : drop } }\n"
		"set e { type ipv4_addr; elements = { " OLD " comment \"hairpin e\", " NEW
		" } }\n"
		"chain pre { ip daddr { " OLD ", " NEW ", 10.0.0.1 } dnat to 10.0.0.2 comment "
		"\"hairpin rule\"\n }\n}\n");
	rules_open(&rules);
	rules_former(&rules, OLD);
	sync_changes(&rules, 3);
	rules_changed(&rules, "hairpin s", OLD, NEW);
	rules_changed(&rules, "hairpin r", OLD, NEW);
	rules_changed(&rules, "hairpin rule", OLD, NEW);
	rules_skipped(&rules, "hairpin m", "with other data");
	rules_skipped(&rules, "hairpin e", "another element");
	expect_within("elements = { " NEW " }", true);
	expect_within("elements = { 198.51.100.0/24 }", true);
	expect_within("ip daddr { 10.0.0.1, " NEW " }", true);
	expect_within(NEW " : drop", true);
	rules_close(&rules);
}

/* One set that the kernel will not change keeps no other back. */
static void what_the_kernel_refuses_is_told(void **state)
{
	struct addr room[3];
	struct nft_name name;
	struct rules rules;

	(void)state;
	lab_nft("table ip t {\n" BASE
		"set fixed { type ipv4_addr; flags constant; comment \"hairpin fixed\"\n "
		"elements = { " OLD " } }\n"
		"set small { type ipv4_addr; size 1; comment \"dns:me.example.org\"\n "
		"elements = { 10.1.1.1 } }\n"
		"set free { type ipv4_addr; comment \"hairpin free\"\n elements = { " OLD
		" } }\n"
		"chain pre { ip daddr @fixed dnat to 10.0.0.2\n"
		"ip daddr " OLD " dnat to 10.0.0.3 comment \"hairpin rule\"\n }\n}\n");
	rules_open(&rules);
	give_name(&rules, room, &name, "me.example.org", 0, 2);
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 2);
	assert_int_equal(rules.report.refused, 2);
	rules_skipped(&rules, "hairpin fixed", "constant");
	rules_skipped(&rules, "dns:me.example.org", "is full");
	rules_changed(&rules, "hairpin free", OLD, NEW);
	rules_changed(&rules, "hairpin rule", OLD, NEW);
	expect_within("elements = { 10.1.1.1 }", true);
	rules_close(&rules);
}

/* What expires goes on expiring, and what is for all others stays. */
static void times_and_catch_all_elements_stay(void **state)
{
	struct rules rules;

	(void)state;
	lab_nft("table ip t {\n" BASE
		"set s { type ipv4_addr; flags timeout; timeout 1d; comment \"hairpin s\"\n "
		"elements = { " OLD " timeout 2h expires 90m, 10.1.1.1 } }\n"
		"set d { type ipv4_addr; flags dynamic,timeout; comment \"hairpin d\"\n "
		"elements = { " OLD " timeout 3h expires 45m } }\n"
		"map m { type ipv4_addr : verdict; flags interval; comment \"hairpin m\"\n "
		"elements = { " OLD " : accept, * : drop } }\n"
		"chain pre { ip daddr vmap { " OLD " : accept, * : return } comment \"hairpin "
		"v\"\n }\n}\n");
	rules_open(&rules);
	rules_former(&rules, OLD);
	sync_changes(&rules, 4);
	/* For ten minutes it is 1h20m to 1h29m, and 40 to 44 minutes for five. */
	expect_within(NEW " timeout 2h expires 1h2", true);
	expect_within(NEW " timeout 3h expires 4", true);
	expect_within(NEW " : accept, * : drop", true);
	expect_within(NEW " : accept, * : return", true);
	expect_within(OLD, false);
	rules_close(&rules);
}

static void prefixes_take_over_their_first_bits(void **state)
{
	struct rules rules;

	(void)state;
	lab_nft("table ip6 t {\n" BASE
		"set s { type ipv6_addr; flags interval; comment \"hairpin s\"\n elements = { "
		"2001:db8:1:1::/64, 2001:db8:1:2:a::/80, 2001:db8:1:3::7, fd00::/8 } }\n"
		"set w { type ipv6_addr; flags interval; elements = { 2001:db8:1::/48 comment "
		"\"hairpin w\" } }\n"
		"chain pre {\n"
		"ip6 daddr { 2001:db8:1:5::/64, 2001:db8:1:6::9 } dnat to fd00::2 comment "
		"\"hairpin a\"\n"
		"ip6 daddr . tcp dport { 2001:db8:1:7::/64 . 80, 2001:db8:1:7::1 . 90-99 } dnat to "
		"fd00::2 comment \"hairpin c\"\n"
		"}\n}\n");
	rules_open(&rules);
	rules.target.keep_bits = 56;
	rules.target.prefix = rules_addr("2001:db8:ff00::");
	rules_former(&rules, "2001:db8:1::");
	sync_changes(&rules, 3);
	rules_skipped(&rules, "hairpin w", "a range or a prefix");
	assert_int_equal(rules_find(&rules, "hairpin a")->bits, 64);
	expect_within("2001:db8:ff00:1::/64", true);
	expect_within("2001:db8:ff00:2:a::/80", true);
	expect_within("2001:db8:ff00:3::7", true);
	expect_within("2001:db8:ff00:5::/64, 2001:db8:ff00:6::9", true);
	expect_within("2001:db8:ff00:7::/64 . 80, 2001:db8:ff00:7::1 . 90-99", true);
	expect_within("2001:db8:1::/48 comment", true);
	sync_changes(&rules, 0);
	rules_close(&rules);
}

/* A port forward teaches; sets and untagged rules with tagged elements hear of it. */
static void what_rules_teach_sets_learn(void **state)
{
	struct rules rules;

	(void)state;
	lab_nft("table ip t {\n" BASE
		"set s { type ipv4_addr; comment \"hairpin s\"\n elements = { " OLD
		", 10.1.1.1 } }\n"
		"chain pre {\n"
		"ip daddr { " OLD ", 10.1.1.1 } tcp dport 81 dnat to 10.0.0.2 comment \"hairpin "
		"first\"\n"
		"ip daddr " OLD " tcp dport 80 dnat to 10.0.0.2 comment \"hairpin teacher\"\n"
		"ip daddr . ip saddr { " OLD " . 10.9.9.9 comment \"hairpin element\", 10.1.1.1 "
		". 10.9.9.8 } accept\n"
		"}\n}\n");
	rules_open(&rules);
	rules.request.dry_run = true;
	char *before = lab_listing();
	sync_changes(&rules, 4);
	assert_false(rules_find(&rules, "hairpin s")->in_step);
	rules_expect_only(before, "nothing", OLD, NEW);
	rules.request.dry_run = false;
	sync_changes(&rules, 4);
	assert_false(rules_find(&rules, "hairpin s")->learnt);
	expect_within(OLD, false);
	rules_close(&rules);
}

/* What one WAN had is what the other has now, whichever is asked about first. */
static void two_wans_share_a_set(void **state)
{
	struct nft_target targets[2];
	struct rules rules;

	(void)state;
	rules_open(&rules);
	rules_former(&rules, OLD);
	memset(targets, 0, sizeof(targets));
	rules.request.targets = targets;
	rules.request.target_count = 2;
	for (int first = 0; first < 2; first++) {
		struct nft_target *lte = &targets[!first];

		lab_flush();
		lab_nft("table ip t {\n" BASE
			"set s { type ipv4_addr; comment \"hairpin s\"\n elements = { " OLD
			", 203.0.113.99 comment \"hairpin:lte e\" } }\n"
			"chain pre {\n"
			"ip daddr { " OLD " comment \"hairpin r\", 203.0.113.99 comment "
			"\"hairpin:lte r\" } dnat to 10.0.0.2\n"
			"}\n}\n");
		targets[first] = rules.target;
		*lte = (struct nft_target){ .ipv4 = rules_addr(OLD) };
		assert_int_equal(tag_init(&lte->tag, "hairpin:lte", NULL), 0);
		rules_sync(&rules);
		expect_within(OLD " comment \"hairpin:lte r\"", true);
		expect_within(NEW " comment \"hairpin r\"", true);
		rules_changed(&rules, "hairpin r", OLD, NEW);
		rules_changed(&rules, "hairpin:lte r", "203.0.113.99", OLD);
		tag_done(&lte->tag);
	}
	rules_close(&rules);
}

static void elements_of_what_cannot_be_edited(void **state)
{
	struct rules rules;
	char *before;

	(void)state;
	lab_nft("table ip t {\n" BASE
		"set r { type ipv4_addr; flags interval; elements = { 10.0.0.0/8 comment "
		"\"hairpin range\" } }\n"
		"set p { type inet_service; elements = { 80 comment \"hairpin port\" } }\n"
		"set two { type ipv4_addr . ipv4_addr; elements = { " OLD " . 10.1.1.1 comment "
		"\"hairpin two\" } }\n"
		"chain pre {\n"
		"tcp dport 80 jump { ip daddr { " OLD " comment \"hairpin block\", 10.1.1.1 } "
		"accept\n }\n"
		"ip daddr { " OLD " comment \"hairpin opens\", 10.1.1.1 } jump { accept\n }\n"
		"ip daddr { " OLD " comment \"hairpin meter\", 10.1.1.1 } meter m { ip saddr "
		"limit rate 5/second } accept\n"
		"}\n}\n");
	rules_open(&rules);
	before = lab_listing();
	sync_changes(&rules, 0);
	rules_skipped(&rules, "hairpin range", "a range or a prefix");
	rules_skipped(&rules, "hairpin port", "no address");
	rules_skipped(&rules, "hairpin two", "no former");
	rules_skipped(&rules, "hairpin block", "block in braces");
	rules_skipped(&rules, "hairpin opens", "block in braces");
	rules_skipped(&rules, "hairpin meter", "meter");
	assert_int_equal(rules.count, 6);
	rules_expect_only(before, "nothing", OLD, NEW);
	rules_close(&rules);
}

/* So many change that one message cannot hold them. */
static void a_large_named_set_changes_in_pieces(void **state)
{
	enum { PIECES = 5, PIECE = 4000 };
	static char text[1 << 20];
	char *before, *expected, *after;
	struct rules rules;

	(void)state;
	lab_nft("table ip t {\n" BASE
		"set s { type ipv4_addr . inet_service; comment \"hairpin\"\n }\n}\n");
	for (int piece = 0; piece < PIECES; piece++) {
		char *end = text;

		end += sprintf(end, "add element ip t s { ");
		for (int i = 1; i <= PIECE; i++)
			end += sprintf(end, "%s%s . %d", i > 1 ? ", " : "",
				       piece ? "10.1.1.1" : OLD, piece * PIECE + i);
		sprintf(end, " }\n");
		lab_nft(text);
	}
	rules_open(&rules);
	rules_former(&rules, OLD);
	before = lab_output("nft list set ip t s | tr -s ' ,{}\\t' '\\n' | sort | uniq -c");
	sync_changes(&rules, 1);
	expected = lab_expect(before, "", OLD, NEW);
	after = lab_output("nft list set ip t s | sed 's/" NEW "/" OLD "/' | "
			   "tr -s ' ,{}\\t' '\\n' | sort | uniq -c");
	assert_string_equal(before, after);
	assert_string_not_equal(before, expected);
	expect_within(OLD, false);
	expect_within(NEW " . 4000", true);
	free(before);
	free(expected);
	free(after);
	rules_close(&rules);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_new_address_may_be_there_already, lab_fresh),
		cmocka_unit_test_setup(what_the_kernel_refuses_is_told, lab_fresh),
		cmocka_unit_test_setup(times_and_catch_all_elements_stay, lab_fresh),
		cmocka_unit_test_setup(prefixes_take_over_their_first_bits, lab_fresh),
		cmocka_unit_test_setup(what_rules_teach_sets_learn, lab_fresh),
		cmocka_unit_test_setup(two_wans_share_a_set, lab_fresh),
		cmocka_unit_test_setup(elements_of_what_cannot_be_edited, lab_fresh),
		cmocka_unit_test_setup(a_large_named_set_changes_in_pieces, lab_fresh),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
