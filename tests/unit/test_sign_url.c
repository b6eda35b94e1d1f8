/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "provider/sign_parts.h"

static void taken_apart(void **state)
{
	static const struct {
		const char *url, *base, *sent_path, *host, *path, *query;
	} cases[] = {
		{ "https://x.example.org", "https://x.example.org/", "/", "x.example.org",
		  "/", "" },
		{ "https://x.example.org?b=2&a", "https://x.example.org/", "/",
		  "x.example.org", "/", "a=&b=2" },
		{ "https://x.example.org:8443/a/b/", "https://x.example.org:8443/a/b/",
		  "/a/b/", "x.example.org:8443", "/a/b/", "" },
		{ "https://x.example.org:443/", "https://x.example.org:443/", "/",
		  "x.example.org", "/", "" },
		{ "http://x.example.org:443/", "http://x.example.org:443/", "/",
		  "x.example.org:443", "/", "" },
		{ "http://x.example.org:80//a", "http://x.example.org:80//a", "//a",
		  "x.example.org", "//a", "" },
		{ "https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443/", "/",
		  "[2001:db8::1]:8443", "/", "" },
		/* Encoded is what must be, and nothing else, in capitals. */
		{ "https://x.org/%7ea:b/%2f*/%c3%A4?%61=b,c:%2f/?&a-b=%20", /* a < a-b */
		  "https://x.org/%7ea:b/%2f*/%c3%A4", "/%7ea:b/%2f*/%c3%A4", "x.org",
		  "/~a%3Ab/%2F%2A/%C3%A4", "a=b%2Cc%3A%2F%2F%3F&a-b=%20" },
		{ "https://x.org/.../a..?x=..", "https://x.org/.../a..", "/.../a..",
		  "x.org", "/.../a..", "x=.." },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text query = TEXT_INIT;
		struct sign_url url;

		assert_int_equal(sign_url_read(cases[i].url, &url, NULL), 0);
		assert_string_equal(url.base, cases[i].base);
		assert_string_equal(url.sent_path, cases[i].sent_path);
		assert_string_equal(url.host, cases[i].host);
		assert_string_equal(url.path, cases[i].path);
		sign_url_query(&url, &query);
		assert_string_equal(query.bytes, cases[i].query);
		text_done(&query);
		sign_url_done(&url);
	}
}

static void refused(void **state)
{
	static const char *const cases[] = {
		"", "x", "https:/", "https://", "https:///a", "https://?a=b", "ftp://x.org/",
		"HTTPS://x.org/", "https://me@x.org/", "https://me:pw@x.org/",
		"https://x.org\\@y.org/", "https://x.org:/", "https://x.org:123456/",
		"https://x.org:8a/", "https://x.org:1:2/", "https://[::1/", "https://[x]/",
		"https://[::1]x/", "https://[]/", "https://x%2eorg/", "https://x.org/#f",
		"https://x.org/?a#f", "https://x.org#f", "https://x.org/..",
		"https://x.org/a/../b", "https://x.org/./", "https://x.org/%2e%2E/",
		"https://x.org/.%2e?a=b", "https://x.org/a b", "https://x.org/\"",
		"https://x.org/\n", "https://x.org/\xc3\xa4", "https://x.org/%",
		"https://x.org/%4", "https://x.org/%4x", "https://x.org/%%41",
		"https://x.org/%00", "https://x.org/%0a", "https://x.org/?a=%00",
		"https://x.org/?a=%0D%0Ab", "https://x.org/?a=%7f", "https://x.org/?a=b+c",
		"https://x.org/?a+b=c", "https://x.org/?", "https://x.org/?=a",
		"https://x.org/?&a=b", "https://x.org/?a=b&", "https://x.org/?a=b&&c=d",
		"https://x.org/?a=1&a=2", "https://x.org/?a=1&%61=2",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err err = { "" };
		struct sign_url url;

		if (sign_url_read(cases[i], &url, &err) != -EINVAL)
			fail_msg("taken: %s", cases[i]);
		assert_string_equal(err.text,
				    "a request with this URL cannot be signed");
		sign_url_done(&url);
	}
}

static void parameters_are_added(void **state)
{
	struct text query = TEXT_INIT;
	struct sign_url url;
	char name[8] = "p00";

	(void)state;
	assert_int_equal(sign_url_read("https://x.org/?b=1", &url, NULL), 0);
	assert_int_equal(sign_url_add(&url, "a", "x y+&=%"), 0);
	assert_int_equal(sign_url_add(&url, "b", "2"), -EINVAL);
	sign_url_done(&url);
	assert_int_equal(sign_url_read("https://x.org/?b=1", &url, NULL), 0);
	assert_int_equal(sign_url_add(&url, "a", "x y+&=%"), 0);
	assert_int_equal(sign_url_add(&url, "c", "a\nb"), -EINVAL);
	sign_url_query(&url, &query);
	assert_string_equal(query.bytes, "a=x%20y%2B%26%3D%25&b=1");
	text_done(&query);
	for (size_t i = url.query_count; i < SIGN_QUERY_MAX; i++) {
		name[1] = (char)('0' + i / 10);
		name[2] = (char)('0' + i % 10);
		assert_int_equal(sign_url_add(&url, name, ""), 0);
	}
	assert_int_equal(sign_url_add(&url, "more", ""), -EINVAL);
	sign_url_done(&url);
}

/* RFC 4648, section 10, and the two characters that the tables differ in. */
static void base64(void **state)
{
	static const struct {
		const char *bytes, *plain, *url;
	} cases[] = {
		{ "", "", "" }, { "f", "Zg==", "Zg" }, { "fo", "Zm8=", "Zm8" },
		{ "foo", "Zm9v", "Zm9v" }, { "foob", "Zm9vYg==", "Zm9vYg" },
		{ "fooba", "Zm9vYmE=", "Zm9vYmE" }, { "foobar", "Zm9vYmFy", "Zm9vYmFy" },
		{ "\xfb\xff", "+/8=", "-_8" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct text plain = TEXT_INIT, url = TEXT_INIT;
		size_t length = strlen(cases[i].bytes);

		sign_add_base64(&plain, SIGN_BASE64, cases[i].bytes, length);
		sign_add_base64(&url, SIGN_BASE64_URL, cases[i].bytes, length);
		assert_string_equal(plain.bytes, cases[i].plain);
		assert_string_equal(url.bytes, cases[i].url);
		text_done(&plain);
		text_done(&url);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(taken_apart),
		cmocka_unit_test(refused),
		cmocka_unit_test(parameters_are_added),
		cmocka_unit_test(base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
