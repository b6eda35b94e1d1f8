/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptions are read once while they are in use, and some longer. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "publisher/shelf.h"

static const char *description(int number)
{
	static char text[400];

	snprintf(text, sizeof(text),
		 "{\"id\": \"shelf\", \"name\": \"Shelf %d\", \"status\": \"alive\", "
		 "\"settings\": {}, \"requests\": [{\"url\": \"https://a.example.org/"
		 "?h={hostname}&i={ip}\"}], \"answers\": [{\"http\": 200, "
		 "\"means\": \"good\"}]}", number);
	return text;
}

static const struct catalogue *get(struct shelf *shelf, int number)
{
	const struct catalogue *catalogue;
	struct err err = { 0 };

	if (shelf_get(shelf, description(number), &catalogue, &err) < 0)
		fail_msg("%s", err.text);
	return catalogue;
}

static void test_shared(void **state)
{
	struct shelf shelf = { 0 };
	const struct catalogue *first = get(&shelf, 1), *other = get(&shelf, 2);

	(void)state;
	assert_ptr_not_equal(first, other);
	assert_ptr_equal(get(&shelf, 1), first);
	shelf_put(&shelf, first);
	shelf_put(&shelf, first);
	assert_ptr_equal(get(&shelf, 1), first);	/* nobody had it meanwhile */
	shelf_put(&shelf, first);
	shelf_put(&shelf, other);
	shelf_done(&shelf);
}

/* However many are let go, what is in use stays, and not many more; ASan sees the rest. */
static void test_bounded(void **state)
{
	const struct catalogue *used;
	struct shelf shelf = { 0 };

	(void)state;
	used = get(&shelf, 0);
	for (int i = 1; i < 100; i++)
		shelf_put(&shelf, get(&shelf, i));
	assert_string_equal(used->name, "Shelf 0");
	assert_ptr_equal(get(&shelf, 0), used);
	shelf_put(&shelf, used);
	shelf_put(&shelf, used);
	shelf_done(&shelf);
}

static void test_refused(void **state)
{
	const struct catalogue *catalogue = NULL;
	struct shelf shelf = { 0 };
	struct err err = { 0 };

	(void)state;
	assert_int_equal(shelf_get(&shelf, "{\"id\": 1}", &catalogue, &err), -EINVAL);
	assert_null(catalogue);
	assert_true(err.text[0]);
	assert_null(shelf.list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
