/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules with more packets than anybody waits for: what was not looked at is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "doctor/forwards.h"
#include "hairpin/clock.h"

static void test_packets_too_late(void **state)
{
	static struct patient patient;
	static struct forwards all;
	const struct walk_question question = { .regardless = true };
	struct walk_result result;
	const struct json *checks;

	(void)state;
	report_begin(&patient.report);
	all = (struct forwards){ .patient = &patient, .deadline_ms = clock_now_ms() - 1 };
	forwards_give_up(&all);
	assert_int_equal(json_count(patient.report.checks), 0);
	assert_false(forwards_run(&all, &question, &result));
	assert_false(forwards_run_back(&all, &question.packet, &result, &result));
	assert_int_equal(all.error, -ETIME);
	forwards_give_up(&all);
	forwards_give_up(&all);		/* finding and judging say it once */
	checks = patient.report.checks;
	assert_int_equal(json_count(checks), 1);
	assert_string_equal(json_string(json_get(json_child(checks), "code")), "rules-unread");
	assert_string_equal(json_string(json_get(json_child(checks), "verdict")), "unknown");
	assert_non_null(strstr(json_string(json_get(json_child(checks), "text")), "so many"));
	report_done(&patient.report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packets_too_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
