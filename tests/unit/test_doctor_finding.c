/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One fault is told once: with all its subjects, and each line once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "doctor/finding.h"

struct room {
	struct findings findings;
	struct report report;
	struct json *root;		/* after told() */
};

static const struct finding_key return_path = { .verdict = DOCTOR_FINDING,
						.code = "return-path" };

static int begin(void **state)
{
	struct room *room = calloc(1, sizeof(*room));

	report_begin(&room->report);
	*state = room;
	return 0;
}

static int end(void **state)
{
	struct room *room = *state;

	findings_done(&room->findings);
	report_done(&room->report);
	json_free(room->root);
	free(room);
	return 0;
}

static const struct json *told(struct room *room)
{
	findings_tell(&room->findings, &room->report);
	room->root = report_take(&room->report, json_new_array());
	assert_non_null(room->root);
	return json_child(json_get(room->root, "checks"));
}

static void assert_text(const struct json *check, const char *key, const char *wanted)
{
	assert_string_equal(json_string(json_get(check, key)), wanted);
}

static void one_fault_of_many_subjects(void **state)
{
	struct room *room = *state;
	const char *const subjects[] = { "80/tcp to A", "443/tcp to A", "80/tcp to A" };
	const struct json *check;
	struct finding *finding;
	size_t i;

	for (i = 0; i < 3; i++) {
		finding = finding_of(&room->findings, &return_path, "sentence %zu.", i);
		finding_subject(finding, subjects[i]);
		finding_network(finding, i == 1 ? "br1" : "br0");
		finding_evidence(finding, "seen");
		finding_remedy(finding, DOCTOR_HERE, "words %zu", i);
		finding_command(finding, "command %zu", i % 2);
	}
	check = told(room);
	assert_int_equal(json_count(json_get(room->root, "checks")), 1);
	assert_text(check, "subject", "80/tcp to A, 443/tcp to A");
	assert_text(check, "text", "From br0, br1: sentence 0.");
	assert_int_equal(json_count(json_get(check, "evidence")), 1);
	check = json_get(check, "remedy");
	assert_text(check, "text", "words 0");
	check = json_child(json_get(check, "commands"));
	assert_string_equal(json_string(check), "command 0");
	assert_string_equal(json_string(json_next(check)), "command 1");
	assert_null(json_next(json_next(check)));
}

static void what_makes_two_of_them(void **state)
{
	struct room *room = *state;
	struct finding_key keys[] = { return_path, return_path, return_path, return_path };
	size_t i;

	keys[1].cause = room;
	keys[2].verdict = DOCTOR_NOTE;
	keys[3].address.family = 2;
	for (i = 0; i < 4; i++)
		finding_of(&room->findings, &keys[i], "%zu", i);
	for (i = 0; i < 4; i++)
		finding_of(&room->findings, &keys[i], "again");
	(void)told(room);
	assert_int_equal(json_count(json_get(room->root, "checks")), 4);
}

static void findings_before_notes(void **state)
{
	struct finding_key key = return_path;
	struct room *room = *state;
	const struct json *check;

	key.verdict = DOCTOR_NOTE;
	finding_of(&room->findings, &key, "a note");
	finding_of(&room->findings, &return_path, "a finding");
	check = told(room);
	assert_text(check, "text", "a finding");
	assert_text(json_next(check), "text", "a note");
}

static void the_last_command_is_last(void **state)
{
	struct room *room = *state;
	const struct json *command;
	struct finding *finding;
	size_t i;

	for (i = 0; i < 2; i++) {
		finding = finding_of(&room->findings, &return_path, "text");
		finding_remedy(finding, DOCTOR_HERE, "words");
		finding_command(finding, "tag %zu", i);
		finding_last_command(finding, "sync");
	}
	command = json_child(json_get(json_get(told(room), "remedy"), "commands"));
	assert_string_equal(json_string(command), "tag 0");
	assert_string_equal(json_string(json_next(command)), "tag 1");
	assert_string_equal(json_string(json_next(json_next(command))), "sync");
}

static void more_than_are_shown(void **state)
{
	struct room *room = *state;
	struct finding *finding;
	const struct json *check;
	char subject[16];
	unsigned i;

	finding = finding_of(&room->findings, &return_path, "text");
	for (i = 0; i < FINDING_SUBJECTS_SHOWN + 2; i++) {
		snprintf(subject, sizeof(subject), "%u", i);
		finding_subject(finding, subject);
		finding_evidence(finding, "%u", i);
		finding_evidence(finding, "more %u", i);
	}
	check = told(room);
	assert_text(check, "subject", "0, 1, 2, 3, 4, 5 and 2 more");
	assert_int_equal(json_count(json_get(check, "evidence")), FINDING_EVIDENCE_MAX);
}

/* Of more faults than there is room for, none is lost without a trace. */
static void too_many(void **state)
{
	struct finding_key key = return_path;
	struct room *room = *state;
	struct finding *finding = NULL;
	char causes[FINDINGS_MAX + 10];
	size_t i;

	for (i = 0; i < sizeof(causes); i++) {
		key.cause = &causes[i];
		finding = finding_of(&room->findings, &key, "text");
		assert_non_null(finding);
	}
	finding_subject(finding, "the last one");
	(void)told(room);
	assert_int_equal(json_count(json_get(room->root, "checks")), FINDINGS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_fault_of_many_subjects, begin, end),
		cmocka_unit_test_setup_teardown(what_makes_two_of_them, begin, end),
		cmocka_unit_test_setup_teardown(findings_before_notes, begin, end),
		cmocka_unit_test_setup_teardown(the_last_command_is_last, begin, end),
		cmocka_unit_test_setup_teardown(more_than_are_shown, begin, end),
		cmocka_unit_test_setup_teardown(too_many, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
