/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is changed, and that nothing else is: listings before and after.
 */
#include "rules.h"
#include "unit/figure.h"

#define BASE "chain pre { type nat hook prerouting priority -100; }\n" \
	     "chain post { type nat hook postrouting priority 100; }\n"

static void plain_rules_change_and_nothing_else(void **state)
{
	struct rules rules;
	char *before;

	(void)state;
	lab_nft("table ip t {\n" BASE
		"chain pre {\n"
		"ip daddr " OLD " tcp dport 80 counter packets 5 bytes 500 dnat to "
		"10.0.0.2:80 comment \"hairpin web\"\n"
		"ip daddr " OLD " tcp dport 81 dnat to 10.0.0.2 comment \"Hairpin\"\n"
		"ip daddr " OLD " tcp dport 82 dnat to 10.0.0.2 comment \"hair pin\"\n"
		"ip daddr " OLD " tcp dport 83 dnat to 10.0.0.2 comment \"harpin\"\n"
		"ip daddr " OLD " tcp dport 84 dnat to 10.0.0.2\n"
		"iifname \"eth0\" tcp dport 85 ip daddr " OLD " ip saddr 10.0.0.0/8 "
		"quota 5 mbytes limit rate 5/second log prefix \"x \" dnat to 10.0.0.2 "
		"comment \"hairpin order\"\n"
		"ip daddr 0.0.0.0 tcp dport 86 redirect to :8080 comment \"hairpin "
		"zero\"\n"
		"ip daddr " OLD " meta mark set 0x1 ct mark set 0x2 counter comment "
		"\"other\"\n"
		"}\n}\n");
	rules_open(&rules);
	before = lab_listing();
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 3);
	assert_int_equal(rules.report.attempts, 1);
	assert_true(rules.report.commit_us > 0);
	rules_changed(&rules, "hairpin web", OLD, NEW);
	rules_changed(&rules, "hairpin zero", "0.0.0.0", NEW);
	assert_true(rules_find(&rules, "hairpin web")->learnt);
	assert_true(rules_find(&rules, "hairpin web")->in_step);
	assert_false(rules_find(&rules, "hairpin zero")->learnt);
	char *zero = lab_expect(before, "hairpin zero", "0.0.0.0", NEW);
	free(before);
	rules_expect_only(zero, "hairpin ", OLD, NEW);
	figure_holds("F24", "Hairpin, hair pin, harpin, no comment: untouched", true);

	before = lab_listing();
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 0);
	assert_int_equal(rules.report.unchanged, 3);
	assert_int_equal(rules.report.total.in_step, 3);
	assert_int_equal(rules.report.commit_us, 0);
	rules_expect_only(before, "nothing", OLD, NEW);
	rules_close(&rules);
}

static void anonymous_sets_are_made_again(void **state)
{
	struct rules rules;
	char *before;

	(void)state;
	lab_nft("table ip t {\n" BASE
		"set ports { type inet_service; elements = { 53, 123 } }\n"
		"chain sub { }\n"
		"chain pre {\n"
		"ip daddr " OLD " tcp dport { 80, 443 } dnat to 10.0.0.2 comment "
		"\"hairpin set\"\n"
		"ip daddr " OLD " tcp dport { 1000-2000, 3000 } ip saddr { 10.0.0.0/8, "
		"192.168.0.0/16 } dnat to 10.0.0.2 comment \"hairpin intervals\"\n"
		"ip daddr " OLD " udp dport @ports dnat to 10.0.0.2 comment \"hairpin "
		"named\"\n"
		"ip daddr " OLD " dnat to tcp dport map { 8080 : 10.0.0.2, 8081 : "
		"10.0.0.3 } comment \"hairpin map\"\n"
		"ip daddr " OLD " tcp dport vmap { 22 : jump sub, 23 : drop } comment "
		"\"hairpin vmap\"\n"
		"ip daddr " OLD " ip saddr . tcp dport { 10.1.1.1 . 80, 10.1.1.2 . 81 "
		"} dnat to 10.0.0.2 comment \"hairpin concat\"\n"
		"ip daddr " OLD " meta l4proto { tcp, udp } th dport 53 th sport != { "
		"1, 2 } dnat to 10.0.0.9 comment \"hairpin several\"\n"
		"}\n}\n");
	rules_open(&rules);
	before = lab_listing();
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 7);
	assert_int_equal(rules.report.total.skipped, 0);
	rules_expect_only(before, "hairpin ", OLD, NEW);
	rules_close(&rules);
}

static void a_large_anonymous_set_travels_whole(void **state)
{
	static char text[1 << 20];
	struct rules rules;
	char *before, *end = text;

	(void)state;
	end += sprintf(end, "table ip t {\n" BASE "chain pre { ip daddr " OLD " ip "
		"saddr . tcp dport { ");
	for (int i = 0; i < 5000; i++)
		end += sprintf(end, "%s10.%d.%d.%d . "
			"%d", i ? ", " : "", i % 200, i / 200, i % 7, 1 + i);
	sprintf(end, " } dnat to 10.0.0.2 comment \"hairpin large\"\n}\n}\n");
	lab_nft(text);
	rules_open(&rules);
	before = lab_output("nft list ruleset | tr -d ' \\t\\n' | tr ',' '\\n' | grep "
		"-c '\\.[0-9]*$'");
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 1);
	char *after = lab_output("nft list ruleset | tr -d ' \\t\\n' | tr ',' '\\n' | "
		"grep -c '\\.[0-9]*$'");
	assert_string_equal(before, after);
	assert_true(atoi(after) > 4900);
	free(before);
	free(after);
	rules_close(&rules);
}

static void each_other_form_is_left_alone_with_its_reason(void **state)
{
	static const struct { const char *comment, *reason; } cases[] = {
		{ "hairpin prefix", "prefix" }, { "hairpin neq", "!=" },
		{ "hairpin range", "range" }, { "hairpin mask", "only some bits" },
		{ "hairpin named set", "tagged itself" },
		{ "hairpin named map", "tagged itself" },
		{ "hairpin anon map", "no former address" },
		{ "hairpin nodst", "has no destination" },
		{ "hairpin two", "two addresses" }, { "hairpin lone", "two addresses" },
		{ "hairpin both", "second way" },
		{ "hairpin not in", "excludes destinations by a set" },
		{ "hairpin masq", "never was the WAN's" }, { "hairpin snat", "snat to" },
		{ "hairpin plain masq", "names no destination" },
		{ "hairpin fib", "by itself" },
		{ "hairpin in braces", "block in braces" },
		{ "hairpin of set", "no former" }, { "hairpin of map", "of their own" },
		{ "hairpin element", "a prefix" },
	};
	struct rules rules;
	char *before;

	(void)state;
	lab_nft("table ip t {\n" BASE
		"set s { type ipv4_addr; comment \"hairpin of set\"; elements = "
		"{ " OLD ", 203.0.113.2 } }\n"
		"map m { type ipv4_addr : ipv4_addr; flags interval; comment \"hairpin of "
		"map\"; elements = { 203.0.113.0/24 comment \"hairpin element\" : 10.0.0.1 } "
		"}\n"
		"chain pre {\n"
		"ip daddr " OLD " dnat to ip daddr . tcp dport map { 203.0.113.9 . 80 : "
		"10.0.0.2 . 80 } comment \"hairpin lone\"\n"
		"ip daddr 203.0.113.0/24 dnat to 10.0.0.2 comment \"hairpin prefix\"\n"
		"ip daddr != " OLD " dnat to 10.0.0.2 comment \"hairpin neq\"\n"
		"ip daddr " OLD "-203.0.113.9 dnat to 10.0.0.2 comment \"hairpin "
		"range\"\n"
		"ip daddr & 255.255.255.3 == " OLD " dnat to 10.0.0.2 comment "
		"\"hairpin mask\"\n"
		"ip daddr @s dnat to 10.0.0.2 comment \"hairpin named set\"\n"
		"dnat to ip daddr map @m comment \"hairpin named map\"\n"
		"dnat to ip daddr . tcp dport map { " OLD " . 80 : 10.0.0.1, 203.0.113.2 . 80 "
		": 10.0.0.1 } comment \"hairpin anon map\"\n"
		"tcp dport 8080 dnat to 10.0.0.2 comment \"hairpin nodst\"\n"
		"ip daddr " OLD " ip daddr 203.0.113.2 dnat to 10.0.0.2 comment "
		"\"hairpin two\"\n"
		"ip daddr " OLD " ip daddr 203.0.113.0/24 dnat to 10.0.0.2 comment "
		"\"hairpin both\"\n"
		"ip daddr != { " OLD ", 203.0.113.2 } dnat to 10.0.0.2 comment "
		"\"hairpin not in\"\n"
		"fib daddr type local tcp dport 81 dnat to 10.0.0.2 comment \"hairpin "
		"fib\"\n"
		"ip daddr " OLD " jump { tcp dport 80 accept; } comment \"hairpin in "
		"braces\"\n"
		"}\nchain post {\n"
		"ip saddr 10.0.0.0/8 ip daddr 10.0.0.2 masquerade comment \"hairpin "
		"masq\"\n"
		"oifname \"wan0\" snat to " OLD " comment \"hairpin snat\"\n"
		"oifname \"wan0\" masquerade comment \"hairpin plain masq\"\n"
		"}\n}\n");
	rules_open(&rules);
	before = lab_listing();
	rules_sync(&rules);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		rules_skipped(&rules, cases[i].comment, cases[i].reason);
	assert_int_equal(rules.report.total.skipped, rules.count);
	assert_int_equal(rules.report.commit_us, 0);
	assert_int_equal(rules_find(&rules, "hairpin of set")->kind, NFT_SET);
	assert_int_equal(rules_find(&rules, "hairpin of map")->kind, NFT_MAP);
	assert_int_equal(rules_find(&rules, "hairpin element")->kind, NFT_ELEMENT);
	rules_expect_only(before, "nothing", OLD, NEW);
	figure_exactly("F24", "of 20 unknown shapes left alone with the reason", rules.count, 20);
	rules_close(&rules);
}

static void former_addresses_decide_elsewhere(void **state)
{
	struct rules rules;

	(void)state;
	lab_nft("table ip t {\n" BASE
		"chain sub { ip daddr " OLD " tcp dport 1 accept comment \"hairpin sub "
		"accept\"\n }\n"
		"chain lost { ip daddr " OLD " accept comment \"hairpin unreached\"\n }\n"
		"chain pre { ip daddr " OLD " jump sub comment \"hairpin jump\"\n }\n"
		"chain post {\n"
		"ct original ip daddr " OLD " ip daddr 10.0.0.2 masquerade comment "
		"\"hairpin ct\"\n"
		"ip daddr 203.0.113.99 masquerade comment \"hairpin older\"\n"
		"ip daddr 10.0.0.2 jump sub comment \"hairpin post jump\"\n"
		"}\n}\n");
	rules_open(&rules);
	/* Nothing is known, but the jump teaches that OLD was the WAN's. */
	rules_sync(&rules);
	rules_changed(&rules, "hairpin jump", OLD, NEW);
	rules_changed(&rules, "hairpin ct", OLD, NEW);
	rules_changed(&rules, "hairpin sub accept", OLD, NEW);
	rules_skipped(&rules, "hairpin older", "never was");
	rules_skipped(&rules, "hairpin post jump", "never was");
	assert_int_equal(rules.count, 5);
	assert_false(rules_find(&rules, "hairpin ct")->learnt);
	rules_former(&rules, "203.0.113.99");
	rules_sync(&rules);
	rules_changed(&rules, "hairpin older", "203.0.113.99", NEW);
	assert_int_equal(rules.report.total.changed, 1);
	rules_close(&rules);
}

static void inet_needs_the_family(void **state)
{
	struct rules rules;
	char *before;

	(void)state;
	lab_nft("table inet t {\n" BASE
		"chain pre {\n"
		"ip daddr " OLD " tcp dport 80 dnat ip to 10.0.0.2 comment \"hairpin "
		"v4\"\n"
		"ip6 daddr " OLD6 " tcp dport 80 dnat ip6 to fd00::2 comment \"hairpin "
		"v6\"\n"
		"meta protocol ip @nh,128,32 0xcb007101 dnat ip to 10.0.0.2 comment "
		"\"hairpin raw\"\n"
		"ether saddr 02:00:00:00:00:01 ip daddr " OLD " dnat ip to 10.0.0.2 "
		"comment \"hairpin ether\"\n"
		"@nh,128,32 0xcb007101 accept comment \"hairpin nameless\"\n"
		"meta nfproto ipv6 @nh,128,32 0xcb007101 accept comment \"hairpin "
		"saddr6\"\n"
		"}\n}\n"
		"table ip6 t {\n" BASE
		"chain pre { ip6 daddr " OLD6 " tcp dport { 80, 81 } dnat to fd00::2 "
		"comment \"hairpin ip6\"\n}\n}\n"
		"table ip t {\n" BASE
		"chain pre { @nh,96,64 0x0a000001cb007101 dnat to 10.0.0.2 comment "
		"\"hairpin merged\"\n}\n}\n"
		"table bridge t { chain pre { type filter hook prerouting priority 0; "
		"ip daddr " OLD " accept comment \"hairpin bridge\"\n}\n}\n");
	rules_open(&rules);
	before = lab_listing();
	rules_sync(&rules);
	rules_changed(&rules, "hairpin v4", OLD, NEW);
	rules_changed(&rules, "hairpin v6", OLD6, NEW6);
	rules_changed(&rules, "hairpin ip6", OLD6, NEW6);
	rules_changed(&rules, "hairpin raw", OLD, NEW);
	rules_changed(&rules, "hairpin ether", OLD, NEW);
	rules_changed(&rules, "hairpin merged", OLD, NEW);
	rules_skipped(&rules, "hairpin nameless", "without saying of which family");
	rules_skipped(&rules, "hairpin saddr6", "names no destination");
	assert_int_equal(rules.count, 8);
	free(before);
	before = lab_listing();
	assert_non_null(strstr(before, "ip saddr 10.0.0.1 ip daddr " NEW));

	/* Without an address of that family its rules are told of, never changed. */
	rules.target.ipv6 = (struct addr){ 0 };
	rules.target.ipv4 = rules_addr(OLD);
	rules_sync(&rules);
	rules_skipped(&rules, "hairpin v6", "no IPv6 address");
	rules_changed(&rules, "hairpin v4", NEW, OLD);
	free(before);
	rules_close(&rules);
}

static void several_targets_each_have_their_own(void **state)
{
	struct nft_target targets[2];
	struct rules rules;

	(void)state;
	lab_nft("table ip t {\n" BASE "chain pre {\n"
		"ip daddr " OLD " tcp dport 1 dnat to 10.0.0.2 comment \"hairpin a\"\n"
		"ip daddr " OLD " tcp dport 2 dnat to 10.0.0.2 comment \"hairpin:lte "
		"b\"\n"
		"}\n}\n");
	rules_open(&rules);
	memset(targets, 0, sizeof(targets));
	targets[0] = rules.target;
	targets[1].ipv4 = rules_addr("192.0.2.77");
	assert_int_equal(tag_init(&targets[1].tag, "hairpin:lte", NULL), 0);
	rules.request.targets = targets;
	rules.request.target_count = 2;
	rules_sync(&rules);
	rules_changed(&rules, "hairpin a", OLD, NEW);
	rules_changed(&rules, "hairpin:lte b", OLD, "192.0.2.77");
	assert_int_equal(rules.report.of[0].changed, 1);
	assert_int_equal(rules.report.of[1].changed, 1);
	tag_done(&targets[1].tag);
	assert_int_equal(tag_init(&targets[1].tag, "h[a]irpin", NULL), 0);
	rules_sync(&rules);
	rules_skipped(&rules, "hairpin a", "two tags");
	assert_int_equal(rules_find(&rules, "hairpin a")->target, TAG_AMBIGUOUS);
	tag_done(&targets[1].tag);
	rules_close(&rules);
}

static void tables_filter_max_and_dry_run(void **state)
{
	struct nft_table table;
	struct rules rules;
	char *before;

	(void)state;
	lab_nft("table ip a {\n" BASE "chain pre { ip daddr " OLD " tcp dport 1 dnat "
		"to 10.0.0.2 comment \"hairpin a\"\n }\n}\n"
		"table ip b {\n" BASE "chain pre { ip daddr " OLD " tcp dport 1 dnat "
		"to 10.0.0.2 comment \"hairpin b\"\n }\n"
		"chain forw { type filter hook forward priority 0; ip daddr " OLD " "
		"accept comment \"hairpin fwd\"\n }\n}\n");
	rules_open(&rules);
	rules.request.dry_run = true;
	before = lab_listing();
	rules_sync(&rules);
	rules_changed(&rules, "hairpin a", OLD, NEW);
	assert_false(rules_find(&rules, "hairpin a")->in_step);
	assert_int_equal(rules.count, 2);
	rules_expect_only(before, "nothing", OLD, NEW);

	rules.request.dry_run = false;
	rules.request.max = 1;
	rules_sync(&rules);
	assert_true(rules.report.truncated);
	assert_int_equal(rules.count, 1);
	rules.request.max = 0;
	assert_true(nft_table_parse("ip:b", &table));
	rules.request.tables = &table;
	rules.request.table_count = 1;
	rules.request.filter = true;
	rules_sync(&rules);
	rules_changed(&rules, "hairpin b", OLD, NEW);
	rules_changed(&rules, "hairpin fwd", OLD, NEW);
	assert_int_equal(rules.count, 2);
	rules_close(&rules);
}

static void an_empty_kernel_is_success(void **state)
{
	struct rules rules;

	(void)state;
	rules_open(&rules);
	rules_sync(&rules);
	assert_int_equal(rules.count, 0);
	lab_nft("table ip t { chain c { type filter hook input priority 0; ip "
		"daddr " OLD " accept comment \"hairpin\"\n }\n}\n");
	rules_sync(&rules);
	assert_int_equal(rules.count, 0);
	rules_close(&rules);
}

/* More different addresses than a WAN ever had: all follow, not all are remembered. */
static void many_addresses_are_not_all_learnt(void **state)
{
	char *text = NULL;
	struct rules rules;
	size_t length, learnt = 0;
	FILE *file = open_memstream(&text, &length);

	(void)state;
	fputs("table ip t {\n" BASE "chain pre {\n", file);
	for (int i = 0; i < 300; i++)
		fprintf(file, "ip daddr 192.0.%d.%d dnat to 10.0.0.2 comment \"hairpin\"\n",
			i / 100, i % 100 + 1);
	fputs("}\n}\n", file);
	fclose(file);
	lab_nft(text);
	rules_open(&rules);
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 300);
	for (size_t i = 0; i < rules.count; i++)
		learnt += rules.items[i].item.learnt;
	assert_int_equal(learnt, 256);
	rules_close(&rules);
	free(text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(plain_rules_change_and_nothing_else, lab_fresh),
		cmocka_unit_test_setup(anonymous_sets_are_made_again, lab_fresh),
		cmocka_unit_test_setup(a_large_anonymous_set_travels_whole, lab_fresh),
		cmocka_unit_test_setup(each_other_form_is_left_alone_with_its_reason, lab_fresh),
		cmocka_unit_test_setup(former_addresses_decide_elsewhere, lab_fresh),
		cmocka_unit_test_setup(inet_needs_the_family, lab_fresh),
		cmocka_unit_test_setup(several_targets_each_have_their_own, lab_fresh),
		cmocka_unit_test_setup(tables_filter_max_and_dry_run, lab_fresh),
		cmocka_unit_test_setup(an_empty_kernel_is_success, lab_fresh),
		cmocka_unit_test_setup(many_addresses_are_not_all_learnt, lab_fresh),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
