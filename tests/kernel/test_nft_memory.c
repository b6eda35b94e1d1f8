/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No memory, at each allocation of a change in turn: the kernel has all rules or none changed. */
#include "rules.h"
#include "torture/alone.h"
#include "unit/figure.h"

static const char ruleset[] =
	"table ip t {\n"
	"set s { type ipv4_addr; comment \"hairpin\"; elements = { " OLD " }; }\n"
	"chain pre { type nat hook prerouting priority -100;\n"
	"ip daddr " OLD " tcp dport 80 dnat to 10.0.0.2 comment \"hairpin a\"\n"
	"ip daddr { " OLD ", 192.0.2.1 } dnat to 10.0.0.3 comment \"hairpin b\"\n"
	"}\n}\n";

static struct rules rules;
static char *before;

static void change(void)
{
	char *after;
	int result;

	rules.count = 0;
	rules.report = (struct nft_report){ 0 };
	alone_begin();
	result = nft_sync(rules.nft, &rules.request, &rules.report, &rules.err);
	alone_end();
	after = lab_listing();
	if (result < 0) {
		assert_true(alone.met);
		assert_string_equal(after, before);
	} else {
		assert_null(strstr(after, OLD));
		assert_non_null(strstr(after, NEW));
		lab_flush();
		lab_nft(ruleset);
		free(before);
		before = lab_listing();
	}
	free(after);
}

static void all_or_none(void **state)
{
	unsigned long count;

	(void)state;
	lab_nft(ruleset);
	rules_open(&rules);
	rules_former(&rules, OLD);
	before = lab_listing();
	count = alone_walk(change);
	free(before);
	rules_close(&rules);
	figure_holds("F62", "rule change: the kernel has all rules or none changed", count > 20);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_or_none, lab_fresh),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
