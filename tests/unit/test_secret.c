/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "hairpin/secret.h"

/* Appendix of the SipHash paper: key 00..0f, messages 00, 0001, ... by their length. */
static void matches_reference_vectors(void **state)
{
	static const struct {
		size_t length;
		uint64_t hash;
	} vectors[] = {
		{ 0, 0x726fdb47dd0e0e31 }, { 1, 0x74f839c593dc67fd },
		{ 2, 0x0d6c8009d9a94f5a }, { 3, 0x85676696d7fb7e2d },
		{ 4, 0xcf2794e0277187b7 }, { 5, 0x18765564cd99a68d },
		{ 6, 0xcbc9466e58fee3ce }, { 7, 0xab0200f58b01d137 },
		{ 8, 0x93f5f5799a932462 }, { 9, 0x9e0082df0ba9e4b0 },
		{ 15, 0xa129ca6149be45e5 }, { 63, 0x958a324ceb064572 },
	};
	uint8_t key[16], message[64];

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		message[i] = (uint8_t)i;
	memcpy(key, message, sizeof(key));
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		assert_true(secret_fingerprint(key, message, vectors[i].length) ==
			    vectors[i].hash);
}

static void fingerprint_takes_any_place(void **state)
{
	uint8_t key[16] = { 1 }, other[16] = { 2 };
	char room[32] = "xhunter2";

	(void)state;
	assert_true(secret_fingerprint(key, room + 1, 7) ==
		    secret_fingerprint(key, "hunter2", 7));
	assert_true(secret_fingerprint(key, "hunter2", 7) !=
		    secret_fingerprint(other, "hunter2", 7));
	assert_true(secret_fingerprint(key, "hunter2", 7) !=
		    secret_fingerprint(key, "hunter2\0", 8));
}

static void sets_and_forgets(void **state)
{
	struct secret secret = { 0 };

	(void)state;
	assert_false(secret_is_set(&secret));
	assert_string_equal(secret_reveal(&secret), "");
	assert_true(secret_set(&secret, "hunter2 and more", 7));
	assert_true(secret_is_set(&secret));
	assert_int_equal(secret.length, 7);
	assert_string_equal(secret_reveal(&secret), "hunter2");
	/* From its own bytes. */
	assert_true(secret_set(&secret, secret_reveal(&secret) + 3, 4));
	assert_string_equal(secret_reveal(&secret), "ter2");
	assert_true(secret_set(&secret, "", 0));
	assert_true(secret_is_set(&secret));
	assert_string_equal(secret_reveal(&secret), "");
	secret_done(&secret);
	assert_false(secret_is_set(&secret));
	secret_done(&secret);
}

static void refuses(void **state)
{
	struct secret secret = { 0 };
	char long_one[SECRET_MAX_BYTES + 1];

	(void)state;
	memset(long_one, 'x', sizeof(long_one));
	assert_true(secret_set(&secret, long_one, SECRET_MAX_BYTES));
	assert_int_equal(strlen(secret_reveal(&secret)), SECRET_MAX_BYTES);
	assert_false(secret_set(&secret, long_one, SECRET_MAX_BYTES + 1));
	assert_false(secret_is_set(&secret));
	assert_true(secret_set(&secret, "a", 1));
	assert_false(secret_set(&secret, "a\0b", 3));
	assert_false(secret_is_set(&secret));
	assert_false(secret_set(&secret, "a\0", 2));
	assert_false(secret_is_set(&secret));
}

static void wipes(void **state)
{
	char room[32];
	static const char zero[32];

	(void)state;
	memset(room, 'x', sizeof(room));
	secret_wipe(room, sizeof(room));
	assert_memory_equal(room, zero, sizeof(room));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(matches_reference_vectors),
		cmocka_unit_test(fingerprint_takes_any_place),
		cmocka_unit_test(sets_and_forgets),
		cmocka_unit_test(refuses),
		cmocka_unit_test(wipes),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
