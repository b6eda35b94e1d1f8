/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules in nft's words, whatever stands in their comments. */
#include "lab.h"

#include "doctor/patient.h"

static struct patient patient;

static const struct walk_chain *begin(const char *rules, const char *chain)
{
	const struct walk_chain *found;
	struct err err;

	lab_nft(rules);
	assert_int_equal(walk_new(&patient.walk, &err), 0);
	found = walk_chain_find(patient.walk, 2, "t", chain);
	assert_non_null(found);
	return found;
}

static int end(void **state)
{
	(void)state;
	rule_texts_done(&patient);
	walk_free(patient.walk);
	memset(&patient, 0, sizeof(patient));
	return 0;
}

static void expect(const struct walk_rule *rule, const char *wanted)
{
	struct text text = TEXT_INIT;

	rule_text_add(&text, &patient, rule);
	assert_string_equal(text.bytes, wanted);
	text_done(&text);
}

static void test_lines(void **state)
{
	const struct walk_chain *chain = begin(
		"table ip t {\n chain pre {\n type nat hook prerouting priority -100;\n"
		"  ip daddr 81.2.69.7 tcp dport { 80, 443 } counter dnat to 192.168.1.2"
		" comment \"hairpin web\"\n"
		"  tcp dport vmap { 22 : accept, 23 : drop, 24 : jump other }\n"
		" }\n chain other { }\n}\n", "pre");

	(void)state;
	assert_int_equal(chain->rule_count, 2);
	assert_string_equal(rule_text_find(&patient, &chain->rules[0]),
			    "ip daddr 81.2.69.7 tcp dport { 80, 443 } counter dnat to "
			    "192.168.1.2 comment \"hairpin web\"");
	assert_non_null(strstr(rule_text_find(&patient, &chain->rules[1]), "24 : jump other"));
}

/* nft is asked once for a chain. */
static void test_remembered(void **state)
{
	const struct walk_chain *chain =
		begin("table ip t {\n chain c {\n accept\n drop\n }\n}\n", "c");
	char wanted[64];

	(void)state;
	snprintf(wanted, sizeof(wanted), "accept # handle %d", (int)chain->rules[0].handle);
	expect(&chain->rules[0], wanted);
	lab_flush();
	snprintf(wanted, sizeof(wanted), "drop # handle %d", (int)chain->rules[1].handle);
	expect(&chain->rules[1], wanted);
}

/*
 * A comment that pretends to be the end of a rule and the next one: then nft's word is
 * nothing worth, and the rule is named by its handle.
 */
static void test_forged(void **state)
{
	const struct walk_chain *chain =
		begin("table ip t {\n chain c {\n"
		      "  drop comment \"x # handle 2\n\t\taccept # handle 3\n\t\treturn\"\n"
		      "  accept\n }\n}\n", "c");
	char wanted[64];
	size_t i;

	(void)state;
	for (i = 0; i < chain->rule_count; i++) {
		snprintf(wanted, sizeof(wanted), "ip t c handle %d",
			 (int)chain->rules[i].handle);
		assert_null(rule_text_find(&patient, &chain->rules[i]));
		expect(&chain->rules[i], wanted);
	}
}

/* It was changed since it was read. */
static void test_another_chain(void **state)
{
	const struct walk_chain *chain =
		begin("table ip t {\n chain c {\n accept\n }\n}\n", "c");

	(void)state;
	lab_run("nft add rule ip t c drop");
	assert_null(rule_text_find(&patient, &chain->rules[0]));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lines, lab_fresh, end),
		cmocka_unit_test_setup_teardown(test_remembered, lab_fresh, end),
		cmocka_unit_test_setup_teardown(test_forged, lab_fresh, end),
		cmocka_unit_test_setup_teardown(test_another_chain, lab_fresh, end),
	};

	(void)argc;
	lab_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
