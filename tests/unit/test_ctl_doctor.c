/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What people see of doctor: tests/unit/golden/NAME.json as doctor_run() makes it, or
 * doctor_probe(), NAME.VIEW.txt as it is shown.
 */
#include "golden_room.h"

#include "ctl/doctor_show.h"

typedef void show_fn(const struct json *object, const struct ctl_view *view,
		     struct text *out);

static const struct ctl_view wide = { .columns = 80 };
static const struct ctl_view narrow = { .columns = 40 };
static const struct ctl_view colour = { .columns = 80, .colour = true };

static const struct {
	const char *name;
	const struct ctl_view *view;
} views[] = { { "wide", &wide }, { "narrow", &narrow }, { "colour", &colour } };

/*
 * Nothing that moves a cursor; colours alone begin with an escape. No line wider than the
 * view but commands, which stand 4 columns in and are pasted whole.
 */
static void assert_harmless(const char *shown, const struct ctl_view *view)
{
	const char *line, *end, *at;
	size_t columns;

	for (line = shown; *line; line = end + 1) {
		end = strchrnul(line, '\n');
		columns = 0;
		for (at = line; at < end; at++) {
			if (*at == '\033' && view->colour) {
				at = strchr(at, 'm');
				continue;
			}
			assert_true((unsigned char)*at >= 0x20 && *at != 0x7f);
			assert_false(memcmp(at, "\xc2\x9b", 2) == 0);
			assert_false(strncmp(at, "\xe2\x80\xae", 3) == 0);
			columns += (*at & 0xc0) != 0x80;
		}
		if (columns > view->columns && strncmp(line, "    ", 4) != 0)
			fail_msg("wider than %u:\n%.*s", view->columns, (int)(end - line),
				 line);
		if (!*end)
			break;
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

static void test_reports(void **state)
{
	(void)state;
	check_golden("doctor-findings", doctor_show);
	check_golden("doctor-healthy", doctor_show);
	check_golden("doctor-many", doctor_show);
	check_golden("doctor-rights", doctor_show);
	check_golden("doctor-twice", doctor_show);
	check_golden("doctor-hostile", doctor_show);
}

static void test_probes(void **state)
{
	(void)state;
	check_golden("probe-failed", doctor_show_probe);
	check_golden("probe-answered", doctor_show_probe);
}

/* A command is pasted as it was given, however long. */
static void test_commands_are_whole(void **state)
{
	struct text out = TEXT_INIT;
	char command[3000] = "nft add rule ip nat pre comment \"\\\\ ";
	size_t length = strlen(command);

	(void)state;
	memset(command + length, 'x', sizeof(command) - length - 1);
	doctor_show_command(command, &narrow, &out);
	assert_int_equal(strncmp(out.bytes, "    ", 4), 0);
	assert_int_equal(strncmp(out.bytes + 4, command, strlen(command)), 0);
	assert_string_equal(out.bytes + 4 + strlen(command), "\n");
	text_done(&out);
}

/* No shape of a report is fatal. */
static void test_shapes(void **state)
{
	static const char *const shapes[] = {
		"{}", "[]", "null", "{\"checks\": 1, \"forwards\": \"x\", \"probes\": 1}",
		"{\"checks\": [1, {}, {\"verdict\": \"ok\"}, {\"verdict\": \"ok\"}, "
		"{\"verdict\": \"finding\", \"remedy\": {\"text\": \"\", \"commands\": [1]}}]}",
		"{\"forwards\": [1, {}, {\"networks\": [1, {}, {\"interface\": \"a\"}]}]}",
		"{\"findings\": -1, \"unknown\": 1e300}", "{\"probes\": [1, {\"trace\": [{}]}]}",
	};
	struct json_error error;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct json *object =
			json_parse(shapes[i], strlen(shapes[i]), JSON_STRICT, &error);
		struct text out = TEXT_INIT;

		assert_non_null(object);
		doctor_show(object, &narrow, &out);
		doctor_show_probe(object, &narrow, &out);
		assert_false(out.failed);
		assert_harmless(out.bytes, &narrow);
		text_done(&out);
		json_free(object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reports),
		cmocka_unit_test(test_probes),
		cmocka_unit_test(test_commands_are_whole),
		cmocka_unit_test(test_shapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
