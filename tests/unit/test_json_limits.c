/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hairpin/json.h"

/* As many elements as may be, and one more. */
static void limits_values(void **state)
{
	char *text = malloc(2 * JSON_MAX_VALUES + 2);
	struct json_error error;
	struct json *root;

	(void)state;
	assert_non_null(text);
	memcpy(text, "[1", 2);		/* the array is a value, too */
	for (size_t i = 1; i < JSON_MAX_VALUES; i++)
		memcpy(text + 2 * i, ",1", 2);
	text[2 * (JSON_MAX_VALUES - 1)] = ']';
	root = json_parse(text, 2 * JSON_MAX_VALUES - 1, JSON_STRICT, &error);
	assert_non_null(root);
	assert_int_equal(json_count(root), JSON_MAX_VALUES - 1);
	json_free(root);
	memcpy(text + 2 * (JSON_MAX_VALUES - 1), ",1]", 3);
	assert_null(json_parse(text, 2 * JSON_MAX_VALUES + 1, JSON_STRICT, &error));
	assert_string_equal(error.text, "too many values (131,072 are allowed)");
	free(text);
}

/* What a double cannot hold is there all the same, in text and in copies. */
static void digits(void **state)
{
	static const char text[] = "[123456789012345678, {\"a\": -0.10}, \"7\", 15, 1E2]";
	char room[JSON_NUMBER_BYTES];
	const struct json *at;
	struct json_error error;
	struct json *root = json_parse(text, sizeof(text) - 1, JSON_STRICT, &error), *copy;

	(void)state;
	assert_non_null(root);
	copy = json_copy(root);
	json_free(root);
	at = json_child(copy);
	assert_string_equal(json_number(at, room), "123456789012345678");
	at = json_next(at);
	assert_null(json_number(at, room));
	assert_string_equal(json_number(json_get(at, "a"), room), "-0.10");
	at = json_next(at);
	assert_null(json_number(at, room));
	at = json_next(at);
	assert_string_equal(json_number(at, room), "15");
	assert_string_equal(json_number(json_next(at), room), "1E2");
	assert_null(json_number(NULL, room));
	json_free(copy);
}

/* Comments are blanked before: numbers within them count for nothing. */
static void digits_between_comments(void **state)
{
	static const char text[] = "[/* 1.5 */ 2.50, // 7.0\n 3.25,]";
	char room[JSON_NUMBER_BYTES];
	struct json_error error;
	struct json *root = json_parse(text, sizeof(text) - 1, JSON_RELAXED, &error);

	(void)state;
	assert_non_null(root);
	assert_string_equal(json_number(json_child(root), room), "2.50");
	assert_string_equal(json_number(json_next(json_child(root)), room), "3.25");
	json_free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_values),
		cmocka_unit_test(digits),
		cmocka_unit_test(digits_between_comments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
