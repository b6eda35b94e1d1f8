/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The time to live in an answer of any bytes; the resolver of this machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/names_ask.h"

#define HEAD "\x12\x34\x81\x80\0\1\0\3\0\0\0\0"
#define QUESTION "\1a\7example\3org\0\0\1\0\1"
#define ALIAS "\xc0\x0c\0\5\0\1\0\0\0\5\0\4\1b\xc0\x0e"
#define ADDRESS "\xc0\x2b\0\1\0\1\0\0\x01\x2c\0\4\x51\2\x45\7"
#define OTHER "\xc0\x2b\0\1\0\1\0\1\0\0\0\4\x51\2\x45\x08"

static const char whole[] = HEAD QUESTION ALIAS ADDRESS OTHER;

static int64_t ttl(const char *bytes, size_t length)
{
	/* A copy of just this length, so that one byte more is seen. */
	uint8_t *exact = malloc(length ? length : 1);
	int64_t ttl_s;

	memcpy(exact, bytes, length);
	ttl_s = names_ttl(exact, length);
	free(exact);
	return ttl_s;
}

static void test_ttl(void **state)
{
	(void)state;
	assert_int_equal(ttl(whole, sizeof(whole) - 1), 300);
	assert_int_equal(ttl(HEAD, 12), -1);
	assert_int_equal(ttl("", 0), -1);
}

/* Each cut and each changed byte: some number, and nothing beyond its end. */
static void test_any_bytes(void **state)
{
	char changed[sizeof(whole)];
	size_t i, value;

	(void)state;
	for (i = 0; i < sizeof(whole); i++)
		assert_true(ttl(whole, i) >= -1);
	for (i = 0; i < sizeof(whole) - 1; i++) {
		for (value = 0; value < 256; value += 5) {
			memcpy(changed, whole, sizeof(whole));
			changed[i] = (char)value;
			assert_true(ttl(changed, sizeof(whole) - 1) >= -1);
		}
	}
}

/* Through children, all at once; who has no resolver at all knows this name still. */
static void test_names_of_this_machine(void **state)
{
	struct name_question questions[NAMES_ASK_MAX] = { { .name = "localhost" } };
	size_t i;

	(void)state;
	setenv("RES_OPTIONS", "timeout:1 attempts:1", 1);
	for (i = 0; i < NAMES_ASK_MAX; i++)
		questions[i].name = i % 2 ? "127.0.0.1" : "::1";
	questions[0].name = "localhost";
	names_ask(questions, NAMES_ASK_MAX, 20000);
	assert_int_equal(questions[0].result, NAME_ANSWERED);
	for (i = 1; i < NAMES_ASK_MAX; i++) {
		assert_int_equal(questions[i].result, NAME_ANSWERED);
		assert_int_equal(questions[i].count, 1);
	}
	names_ask(questions, 0, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ttl),
		cmocka_unit_test(test_any_bytes),
		cmocka_unit_test(test_names_of_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
