/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "provider/hash.h"

/* RFC 1321, appendix A.5; FIPS 180-4's examples as NIST publishes them. */
static void digests(void **state)
{
	static const struct {
		const char *algorithm, *pieces[4], *hex;
	} cases[] = {
		{ "md5", { NULL }, "d41d8cd98f00b204e9800998ecf8427e" },
		{ "md5", { "message", " ", "digest", NULL },
		  "f96b697d7cb7938d525a2f31aaf161d0" },
		{ "sha1", { "abc", NULL }, "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ "sha1", { "a", "", "bc", NULL },
		  "a9993e364706816aba3e25717850c26c9cd0d89d" },
		{ "sha256", { "abc", NULL },
		  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "sha512", { "abc", NULL },
		  "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f" },
	};
	char hex[HASH_HEX_BYTES];
	struct hash hash;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			hash_digest(cases[i].algorithm, cases[i].pieces, &hash), 0);
		assert_string_equal(hash_hex(&hash, hex), cases[i].hex);
	}
	assert_int_equal(hash_digest("sha257", cases[0].pieces, &hash), -EINVAL);
}

/* RFC 2202 (SHA-1) and RFC 4231, test cases 2 and 6. */
static void macs(void **state)
{
	static const char question[] = "what do ya want for nothing?";
	static const char long_key[] = "Test Using Larger Than Block-Size Key - "
				       "Hash Key First";
	uint8_t key[131];
	char hex[HASH_HEX_BYTES];
	struct hash hash;

	(void)state;
	assert_int_equal(hash_hmac("sha1", "Jefe", 4, question, 28, &hash), 0);
	assert_string_equal(hash_hex(&hash, hex),
			    "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
	memset(key, 0xaa, sizeof(key));
	assert_int_equal(hash_hmac("sha256", key, sizeof(key), long_key, 54, &hash), 0);
	assert_string_equal(
		hash_hex(&hash, hex),
		"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	assert_int_equal(hash_hmac("sha1024", "k", 1, "m", 1, &hash), -EINVAL);
}

/* A chain of keys: the result of one is the key of the next. */
static void in_place(void **state)
{
	struct hash first, second, chained;

	(void)state;
	assert_int_equal(hash_hmac("sha256", "key", 3, "one", 3, &first), 0);
	chained = first;
	assert_int_equal(hash_hmac("sha256", first.bytes, first.length, "two", 3,
				   &second), 0);
	assert_int_equal(hash_hmac("sha256", chained.bytes, chained.length, "two", 3,
				   &chained), 0);
	assert_memory_equal(chained.bytes, second.bytes, 32);
	assert_memory_not_equal(first.bytes, second.bytes, 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests),
		cmocka_unit_test(macs),
		cmocka_unit_test(in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
