/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "hairpin/clock.h"

static void formats(void **state)
{
	static const struct {
		int64_t wall_s;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 1767225600, "2026-01-01T00:00:00Z" },
		{ 1709209845, "2024-02-29T12:30:45Z" },
		{ 2147483648, "2038-01-19T03:14:08Z" },
		{ 4107542399, "2100-02-28T23:59:59Z" },
		{ -1, "1969-12-31T23:59:59Z" },
		{ 253402300799, "9999-12-31T23:59:59Z" },
		{ 253402300800, "9999-12-31T23:59:59Z" },
		{ INT64_MAX, "9999-12-31T23:59:59Z" },
		{ -62135596800, "0001-01-01T00:00:00Z" },
		{ INT64_MIN, "0001-01-01T00:00:00Z" },
	};
	char out[CLOCK_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(clock_format(cases[i].wall_s, out), cases[i].text);
}

static void runs_forward(void **state)
{
	int64_t us = clock_now_us(), ms = clock_now_ms(), after_us = clock_now_us();

	(void)state;
	assert_true(us > 0);
	assert_true(ms >= us / 1000 && ms <= after_us / 1000);
	for (int i = 0; i < 1000; i++) {
		int64_t next = clock_now_us();

		assert_true(next >= us);
		us = next;
	}
}

static void is_the_machines(void **state)
{
	int64_t before = time(NULL), now = clock_wall_s();

	(void)state;
	assert_true(now >= before - 1 && now <= before + 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats),
		cmocka_unit_test(runs_forward),
		cmocka_unit_test(is_the_machines),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
