/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets without tagged elements are read once in a generation, and again when anybody may
 * have changed them.
 */
#include "kernel/nft_private.h"
#include "rules.h"

#define SETS "table ip t {\n" \
	     "set blocked { type ipv4_addr; elements = { 192.0.2.1, 192.0.2.2 }; }\n" \
	     "set mixed { type ipv4_addr; elements = { " OLD " comment \"hairpin el\", " \
	     "9.9.9.9 }; }\n" \
	     "chain pre { type nat hook prerouting priority -100;\n" \
	     "ip daddr " OLD " redirect comment \"hairpin web\"\n" \
	     "}\n}\n"

/* Questions of one look. */
static unsigned look(struct rules *rules)
{
	uint32_t before = rules->nft->command.seq;

	rules_sync(rules);
	return rules->nft->command.seq - before;
}

static void nothing_is_read_twice_in_a_generation(void **state)
{
	struct rules rules;
	unsigned first, second;

	(void)state;
	lab_nft(SETS);
	rules_open(&rules);
	rules.request.dry_run = true;
	first = look(&rules);
	second = look(&rules);
	assert_int_equal(second, first - 1);
	rules_changed(&rules, "hairpin el", OLD, NEW);
	/* Our own commit changes nothing of it. */
	rules.request.dry_run = false;
	rules_sync(&rules);
	assert_int_equal(rules.report.total.changed, 2);
	rules.request.dry_run = true;
	assert_int_equal(look(&rules), second);
	assert_int_equal(rules.report.unchanged, 2);
	rules_close(&rules);
}

static void what_others_tag_is_seen(void **state)
{
	struct rules rules;

	(void)state;
	lab_nft(SETS);
	rules_open(&rules);
	rules_sync(&rules);
	assert_int_equal(rules.count, 2);
	lab_run("nft 'add element ip t blocked { " OLD " comment \"hairpin late\" }'");
	rules_sync(&rules);
	rules_changed(&rules, "hairpin late", OLD, NEW);
	lab_run("nft 'add set ip t another { type ipv4_addr; }; add element ip t another { " OLD
		" comment \"hairpin new\" }; delete table ip t; add table ip t' && "
		"nft -f - <<'END'\n" SETS "END\n");
	rules_sync(&rules);
	assert_int_equal(rules.count, 2);
	rules_changed(&rules, "hairpin el", OLD, NEW);
	rules_close(&rules);
}

static void another_tag_looks_again(void **state)
{
	struct rules rules;

	(void)state;
	lab_nft(SETS);
	lab_run("nft 'add element ip t blocked { " OLD " comment \"office\" }'");
	rules_open(&rules);
	rules.request.dry_run = true;
	rules_sync(&rules);
	tag_done(&rules.target.tag);
	assert_int_equal(tag_init(&rules.target.tag, "office", NULL), 0);
	rules_sync(&rules);
	rules_changed(&rules, "office", OLD, NEW);
	rules.request.name_prefix = "off";
	rules_sync(&rules);
	assert_int_equal(rules_find(&rules, "office")->target, NFT_OF_NAME);
	rules_close(&rules);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_is_read_twice_in_a_generation, lab_fresh),
		cmocka_unit_test_setup(what_others_tag_is_seen, lab_fresh),
		cmocka_unit_test_setup(another_tag_looks_again, lab_fresh),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
