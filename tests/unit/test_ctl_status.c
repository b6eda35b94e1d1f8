/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people see: tests/unit/golden/NAME.json as the daemon would say it, NAME.*.txt as
 * it is shown.
 */
#include <time.h>

#include "golden_room.h"

#include "ctl/plain.h"
#include "hairpin/ctl.h"

enum { NOW_S = 1767268800 };	/* 2026-01-01T12:00:00Z */

typedef void show_fn(const struct json *object, const struct ctl_view *view,
		     struct text *out);

static const struct ctl_view wide = { .columns = 80 };
static const struct ctl_view narrow = { .columns = 40 };
static const struct ctl_view relative = { .columns = 80, .relative = true,
					  .now_s = NOW_S };
static const struct ctl_view colour = { .columns = 80, .colour = true, .relative = true,
					.now_s = NOW_S };

static const struct {
	const char *name;
	const struct ctl_view *view;
} views[] = { { "wide", &wide }, { "narrow", &narrow }, { "relative", &relative } };

/* Nothing that moves a cursor, and no line wider than the view. */
static void assert_harmless(const char *shown, const struct ctl_view *view)
{
	const unsigned char *byte = (const unsigned char *)shown;
	size_t column = 0;

	for (; *byte; byte++) {
		if (*byte == '\n') {
			column = 0;
			continue;
		}
		assert_true(*byte >= 0x20 && *byte != 0x7f);
		/* C1 (U+0080 to U+009F) and bidirectional controls (U+202A to U+202E). */
		assert_false(byte[0] == 0xc2 && byte[1] < 0xa0);
		assert_false(byte[0] == 0xe2 && byte[1] == 0x80 && byte[2] >= 0xaa &&
			     byte[2] <= 0xae);
		column += (*byte & 0xc0) != 0x80;
		if (column > view->columns)
			fail_msg("wider than %u:\n%s", view->columns, shown);
	}
}

static void check_golden(const char *name, show_fn *show)
{
	struct json *object = golden_object(name);
	struct text out = TEXT_INIT;
	char path[200];
	size_t i;

	for (i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		snprintf(path, sizeof(path), "tests/unit/golden/%s.%s.txt", name,
			 views[i].name);
		show(object, views[i].view, &out);
		assert_false(out.failed);
		assert_harmless(out.bytes, views[i].view);
		golden_compare(path, out.bytes);
		text_done(&out);
	}
	json_free(object);
}

static void test_status(void **state)
{
	(void)state;
	check_golden("status-well", ctl_status_show);
	check_golden("status-waiting", ctl_status_show);
	check_golden("status-private", ctl_status_show);
	check_golden("status-disabled", ctl_status_show);
	check_golden("status-publisher", ctl_status_show);
	check_golden("status-idle", ctl_status_show);
	check_golden("status-names", ctl_status_show);
	check_golden("status-names-well", ctl_status_show);
	check_golden("status-source", ctl_status_show);
	check_golden("status-paused", ctl_status_show);
	check_golden("status-hooks", ctl_status_show);
	check_golden("status-wans", ctl_status_show);
}

static void test_status_hostile(void **state)
{
	(void)state;
	check_golden("status-hostile", ctl_status_show);
}

static void test_rules(void **state)
{
	(void)state;
	check_golden("rules-some", ctl_rules_show);
	check_golden("rules-two-wans", ctl_rules_show);
	check_golden("rules-none", ctl_rules_show);
	check_golden("rules-hostile", ctl_rules_show);
}

static void test_plan(void **state)
{
	(void)state;
	check_golden("plan-some", ctl_plan_show);
	check_golden("plan-alone", ctl_plan_show);
	check_golden("plan-hostile", ctl_plan_show);
}

static void test_hooks(void **state)
{
	(void)state;
	check_golden("hooks-some", ctl_hooks_show);
	check_golden("hooks-refused", ctl_hooks_show);
	check_golden("hook-test", ctl_hook_test_show);
}

/* Colours are the only escape sequences, each closed, and change no letter. */
static void test_colour(void **state)
{
	static const char *const names[] = { "status-well", "status-disabled",
					     "status-hostile" };
	struct ctl_view plain = colour;
	size_t i;

	(void)state;
	plain.colour = false;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct json *object = golden_object(names[i]);
		struct text with = TEXT_INIT, without = TEXT_INIT, stripped = TEXT_INIT;
		const char *at;
		int open = 0, sequences = 0;

		ctl_status_show(object, &colour, &with);
		ctl_status_show(object, &plain, &without);
		for (at = with.bytes; *at; at++) {
			if (*at != '\033') {
				text_add_char(&stripped, *at);
				continue;
			}
			assert_int_equal(at[1], '[');
			open = strncmp(at, "\033[0m", 4) != 0;
			at = strchr(at, 'm');
			assert_non_null(at);
			sequences++;
		}
		assert_false(open);
		assert_true(sequences >= 2);
		assert_string_equal(stripped.bytes, without.bytes);
		text_done(&with);
		text_done(&without);
		text_done(&stripped);
		json_free(object);
	}
}

/* No shape of an answer is fatal. */
static void test_shapes(void **state)
{
	static const char *const shapes[] = {
		"{}", "[]", "1", "null", "{\"wans\": 1, \"records\": \"x\"}",
		"{\"wans\": [{}], \"records\": [{}]}", "{\"items\": {\"a\": 1}}",
		"{\"items\": [1, {}]}", "{\"wans\": {\"a\": {\"rules\": []}}}",
	};
	static show_fn *const shows[] = { ctl_status_show, ctl_rules_show, ctl_plan_show,
					  ctl_sync_show, ctl_update_show,
					  ctl_pause_show, ctl_resume_show,
					  ctl_log_show, ctl_event_show,
					  ctl_reload_show, ctl_hooks_show,
					  ctl_hook_test_show };
	struct json_error error;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct json *object =
			json_parse(shapes[i], strlen(shapes[i]), JSON_STRICT, &error);

		assert_non_null(object);
		for (j = 0; j < sizeof(shows) / sizeof(shows[0]); j++) {
			struct text out = TEXT_INIT;

			shows[j](object, &narrow, &out);
			assert_false(out.failed);
			assert_harmless(out.bytes, &narrow);
			text_done(&out);
		}
		json_free(object);
	}
}

static void check_answer(show_fn *show, const char *json, const char *expected)
{
	struct text out = TEXT_INIT;
	struct json_error error;
	struct json *object = json_parse(json, strlen(json), JSON_STRICT, &error);

	assert_non_null(object);
	show(object, &wide, &out);
	assert_string_equal(out.bytes, expected);
	text_done(&out);
	json_free(object);
}

static void test_answers(void **state)
{
	(void)state;
	check_answer(ctl_sync_show,
		     "{\"tagged\": 12, \"changed\": 3, \"unchanged\": 8, \"skipped\": 1,"
		     " \"commit_us\": 310}",
		     "12 tagged, 3 changed, 8 in step already, 1 left alone; committed "
		     "in 0.3 ms\n");
	check_answer(ctl_sync_show,
		     "{\"tagged\": 0, \"changed\": 0, \"unchanged\": 0, \"skipped\": 0,"
		     " \"commit_us\": 0}",
		     "0 tagged\n");
	check_answer(ctl_pause_show, "{\"paused_until\": \"2026-01-01T15:00:00Z\"}",
		     "Paused until 15:00:00: rules stay as they are, nothing is published or "
		     "looked\n  up, no hook is run. \"hairpinctl resume\" ends it.\n");
	check_answer(ctl_resume_show, "{\"resumed\": true}",
		     "The pause is over; everything is looked at.\n");
	check_answer(ctl_resume_show, "{\"resumed\": false}", "There was no pause.\n");
	check_answer(ctl_log_show, "{\"level\": \"debug\", \"until\": null}",
		     "The log's level is debug until the configuration is read again.\n");
	check_answer(ctl_log_show,
		     "{\"level\": \"debug\", \"until\": \"2026-01-01T15:00:00Z\"}",
		     "The log's level is debug until 15:00:00.\n");
	check_answer(ctl_update_show, "{\"records\": 0}",
		     "No record to check: none is configured, or it was asked for less than a "
		     "minute\n  ago.\n");
	check_answer(ctl_rules_show,
		     "{\"items\": [{\"kind\": \"rule\", \"family\": \"ip\", \"table\": \"t\","
		     " \"chain\": \"c\", \"handle\": 1, \"comment\": \"hairpin\","
		     " \"old\": \"1.2.3.4\", \"in_step\": true}], \"truncated\": true}",
		     "1 tagged: 1 in step.\n\n"
		     "  RULE      ADDRESS  STATE    COMMENT\n"
		     "  ip t c 1  1.2.3.4  in step  hairpin\n"
		     "There are more; an answer is full.\n");
	check_answer(ctl_update_show, "{\"records\": 1}",
		     "1 record is checked and updated where due; \"hairpinctl\" shows "
		     "how it goes\n");
	check_answer(ctl_reload_show, "{\"reloaded\": true, \"problems\": \"\"}",
		     "The configuration was read again.\n");
	check_answer(ctl_reload_show,
		     "{\"problems\": \"a.json:1:2: error: x\\n  {\\u001b\\n  ^\\n\"}",
		     "a.json:1:2: error: x\n  {\\x1b\n  ^\n");
}

static void check_time(const char *time, enum plain_time how, const char *expected)
{
	struct text out = TEXT_INIT;

	plain_time(&out, &relative, time, how);
	assert_string_equal(out.bytes, expected);
	text_done(&out);
}

static void test_times(void **state)
{
	(void)state;
	check_time("2026-01-01T12:00:00Z", PLAIN_SINCE, "for 0 s");
	check_time("2026-01-01T11:58:01Z", PLAIN_AGO, "119 s ago");
	check_time("2026-01-01T11:58:00Z", PLAIN_AGO, "2 min ago");
	check_time("2026-01-01T10:00:01Z", PLAIN_AGO, "119 min ago");
	check_time("2026-01-01T10:00:00Z", PLAIN_AGO, "2 h ago");
	check_time("2025-12-30T12:00:00Z", PLAIN_AGO, "2 d ago");
	check_time("2026-01-01T12:12:00Z", PLAIN_NEXT, "in 12 min");
	check_time("2026-01-01T11:00:00Z", PLAIN_NEXT, "now");
	/* A clock that was set back is no reason for minus signs. */
	check_time("2026-01-01T13:00:00Z", PLAIN_AGO, "0 s ago");
	check_time("2026-02-31T00:00:00Z", PLAIN_AGO, "2026-02-31T00:00:00Z");
	check_time("2026-01-01T12:00:00+", PLAIN_AGO, "2026-01-01T12:00:00+");
	check_time("+026-01-01T12:00:00Z", PLAIN_AGO, "+026-01-01T12:00:00Z");
	check_time("\033", PLAIN_AGO, "\\x1b");
	check_time(NULL, PLAIN_NEXT, "at ?");
}

static void test_json_harmless(void **state)
{
	static const char json[] = "{\"a\": \"\xc3\xbc \xc2\x9b \xe2\x80\xae "
				   "\xf0\x9f\x98\x80 \x7f \xff\"}\r\n";
	struct text out = TEXT_INIT;

	(void)state;
	ctl_json_show(json, sizeof(json) - 1, &out);
	assert_string_equal(out.bytes, "{\"a\": \"\\u00fc \\u009b \\u202e \\ud83d\\ude00 "
				       "\\u007f \\ufffd\"} \n");
	text_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status),	cmocka_unit_test(test_status_hostile),
		cmocka_unit_test(test_rules),	cmocka_unit_test(test_hooks),
		cmocka_unit_test(test_plan),	cmocka_unit_test(test_colour),
		cmocka_unit_test(test_shapes),	cmocka_unit_test(test_answers),
		cmocka_unit_test(test_times),	cmocka_unit_test(test_json_harmless),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
