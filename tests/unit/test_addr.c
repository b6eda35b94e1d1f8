/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "figure.h"
#include "hairpin/addr.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The ranges that must never be published, by first and last address, and their edges. */
static const struct {
	const char *text;
	enum addr_class class;
} classes[] = {
	{ "0.0.0.0", ADDR_SPECIAL }, { "0.255.255.255", ADDR_SPECIAL },
	{ "1.0.0.0", ADDR_GLOBAL },
	{ "9.255.255.255", ADDR_GLOBAL },
	{ "10.0.0.0", ADDR_PRIVATE }, { "10.255.255.255", ADDR_PRIVATE },
	{ "11.0.0.0", ADDR_GLOBAL },
	{ "100.63.255.255", ADDR_GLOBAL },
	{ "100.64.0.0", ADDR_CGNAT }, { "100.127.255.255", ADDR_CGNAT },
	{ "100.128.0.0", ADDR_GLOBAL },
	{ "126.255.255.255", ADDR_GLOBAL },
	{ "127.0.0.0", ADDR_LOOPBACK }, { "127.0.0.1", ADDR_LOOPBACK },
	{ "127.255.255.255", ADDR_LOOPBACK },
	{ "128.0.0.0", ADDR_GLOBAL },
	{ "169.253.255.255", ADDR_GLOBAL },
	{ "169.254.0.0", ADDR_LINK_LOCAL }, { "169.254.255.255", ADDR_LINK_LOCAL },
	{ "169.255.0.0", ADDR_GLOBAL },
	{ "172.15.255.255", ADDR_GLOBAL },
	{ "172.16.0.0", ADDR_PRIVATE }, { "172.31.255.255", ADDR_PRIVATE },
	{ "172.32.0.0", ADDR_GLOBAL },
	{ "191.255.255.255", ADDR_GLOBAL },
	{ "192.0.0.0", ADDR_SPECIAL }, { "192.0.0.255", ADDR_SPECIAL },
	{ "192.0.1.0", ADDR_GLOBAL }, { "192.0.1.255", ADDR_GLOBAL },
	{ "192.0.2.0", ADDR_DOCUMENTATION }, { "192.0.2.255", ADDR_DOCUMENTATION },
	{ "192.0.3.0", ADDR_GLOBAL },
	{ "192.88.98.255", ADDR_GLOBAL },
	{ "192.88.99.0", ADDR_SPECIAL }, { "192.88.99.255", ADDR_SPECIAL },
	{ "192.88.100.0", ADDR_GLOBAL },
	{ "192.167.255.255", ADDR_GLOBAL },
	{ "192.168.0.0", ADDR_PRIVATE }, { "192.168.255.255", ADDR_PRIVATE },
	{ "192.169.0.0", ADDR_GLOBAL },
	{ "198.17.255.255", ADDR_GLOBAL },
	{ "198.18.0.0", ADDR_SPECIAL }, { "198.19.255.255", ADDR_SPECIAL },
	{ "198.20.0.0", ADDR_GLOBAL },
	{ "198.51.99.255", ADDR_GLOBAL },
	{ "198.51.100.0", ADDR_DOCUMENTATION }, { "198.51.100.255", ADDR_DOCUMENTATION },
	{ "198.51.101.0", ADDR_GLOBAL },
	{ "203.0.112.255", ADDR_GLOBAL },
	{ "203.0.113.0", ADDR_DOCUMENTATION }, { "203.0.113.255", ADDR_DOCUMENTATION },
	{ "203.0.114.0", ADDR_GLOBAL },
	{ "223.255.255.255", ADDR_GLOBAL },
	{ "224.0.0.0", ADDR_SPECIAL }, { "239.255.255.255", ADDR_SPECIAL },
	{ "240.0.0.0", ADDR_SPECIAL }, { "255.255.255.255", ADDR_SPECIAL },
	{ "81.2.69.7", ADDR_GLOBAL },

	{ "::", ADDR_SPECIAL }, { "::1", ADDR_LOOPBACK }, { "::2", ADDR_SPECIAL },
	{ "::81.2.69.7", ADDR_SPECIAL },
	{ "64:ff9b::", ADDR_SPECIAL }, { "64:ff9b::5102:4507", ADDR_SPECIAL },
	{ "64:ff9b::ffff:ffff", ADDR_SPECIAL }, { "64:ff9b:1::1", ADDR_SPECIAL },
	{ "100::", ADDR_SPECIAL }, { "1fff:ffff::1", ADDR_SPECIAL },
	{ "2000::", ADDR_GLOBAL }, { "2000:ffff::", ADDR_GLOBAL },
	{ "2001::", ADDR_SPECIAL }, { "2001:2::1", ADDR_SPECIAL },
	{ "2001:1ff:ffff::", ADDR_SPECIAL }, { "2001:200::", ADDR_GLOBAL },
	{ "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", ADDR_GLOBAL },
	{ "2001:db8::", ADDR_DOCUMENTATION },
	{ "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", ADDR_DOCUMENTATION },
	{ "2001:db9::", ADDR_GLOBAL },
	{ "2002:c0a8::1", ADDR_SPECIAL }, { "2002:0a00:1::1", ADDR_SPECIAL },
	{ "2002:6440::1", ADDR_SPECIAL }, { "2002:5102:4507::1", ADDR_GLOBAL },
	{ "2003::1", ADDR_GLOBAL },
	{ "3ffe:ffff::1", ADDR_GLOBAL },
	{ "3fff::", ADDR_DOCUMENTATION }, { "3fff:fff:ffff::1", ADDR_DOCUMENTATION },
	{ "3fff:1000::", ADDR_GLOBAL },
	{ "4000::", ADDR_SPECIAL }, { "5f00::1", ADDR_SPECIAL },
	{ "fbff::1", ADDR_SPECIAL },
	{ "fc00::", ADDR_ULA },
	{ "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ADDR_ULA },
	{ "fe00::1", ADDR_SPECIAL },
	{ "fe80::", ADDR_LINK_LOCAL }, { "febf:ffff::1", ADDR_LINK_LOCAL },
	{ "fec0::1", ADDR_SPECIAL },
	{ "ff00::", ADDR_SPECIAL }, { "ff02::1", ADDR_SPECIAL },
	{ "2a02:8109::1", ADDR_GLOBAL },
};

static void classifies(void **state)
{
	long special = 0, taken = 0, good = 0, refused = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(classes); i++) {
		bool global = classes[i].class == ADDR_GLOBAL;
		struct addr addr;

		assert_true(addr_parse(classes[i].text, &addr));
		special += !global;
		taken += !global && addr_is_global(&addr);
		good += global;
		refused += global && !addr_is_global(&addr);
		if (addr_classify(&addr) != classes[i].class)
			fail_msg("%s is %s", classes[i].text,
				 addr_class_name(addr_classify(&addr)));
	}
	assert_true(special > 40 && good > 30);
	figure_exactly("F8", "ends of special ranges taken for global", taken, 0);
	figure_exactly("F8", "their good neighbours refused", refused, 0);
}

/* Each of the 2^16 first halves of IPv4 against the bit masks written out once more. */
static void classifies_every_ipv4_half(void **state)
{
	(void)state;
	for (uint32_t half = 0; half <= 0xffff; half++) {
		uint8_t bytes[4] = { (uint8_t)(half >> 8), (uint8_t)half, 77, 1 };
		struct addr addr = addr_from_bytes(AF_INET, bytes);
		uint8_t a = bytes[0], b = bytes[1];
		bool bad = a == 0 || a == 10 || a == 127 || a >= 224 ||
			   (a == 100 && b >= 64 && b <= 127) || (a == 169 && b == 254) ||
			   (a == 172 && b >= 16 && b <= 31) || (a == 192 && b == 168) ||
			   (a == 198 && (b == 18 || b == 19));

		assert_int_equal(addr_is_global(&addr), !bad);
	}
}

static void refuses_all_but_one_address(void **state)
{
	static const char *const bad[] = {
		"", " ", "x", "1", "1.2", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3",
		"081.2.69.1", "81.02.69.1", "00.0.0.0", "81.2.69.1 ", " 81.2.69.1",
		"81.2.69.1\n", "81.2.69.1\r\n", "\xef\xbb\xbf" "81.2.69.1", "81.2.69.1:80",
		"81.2.69.1/32", "81.2.69.256", "81.2.69.-1", "+81.2.69.1", "0x51.2.69.1",
		"0x51024501", "1358054657", "8.1e1.2.3", "81,2,69,1", "81.2.69.1,81.2.69.2",
		"81.2.69.1 81.2.69.2", "81.2.69.1\n81.2.69.2", "<html>81.2.69.1</html>",
		"version 1.2.3.4", "999999999999999999999.1.1.1", "\xd9\xa1.2.3.4",
		"::ffff:81.2.69.1", "::ffff:0:0", "0:0:0:0:0:ffff:5102:4501", "::FFFF:1.2.3.4",
		":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::1",
		"2a02::1%eth0", "fe80::1%1", "[2a02::1]", "2a02::1/64", "2a02::1 ", ":2a02::1",
		"2a02::1:", "::1.2.3", "::01.2.3.4", "2a02:8109:",
	};
	struct addr before = addr_from_bytes(AF_INET, "\1\2\3\4"), addr = before;
	char page[100001];
	long accepted = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		accepted += addr_parse(bad[i], &addr);
		assert_memory_equal(&addr, &before, sizeof(addr));
	}
	memset(page, '1', sizeof(page) - 1);
	page[sizeof(page) - 1] = '\0';
	accepted += addr_parse(page, &addr);
	figure_exactly("F7", "texts that are not one address taken for one", accepted, 0);
}

static void parses_and_formats(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "81.2.69.7", "81.2.69.7" }, { "0.0.0.0", "0.0.0.0" },
		{ "255.255.255.255", "255.255.255.255" }, { "::", "::" },
		{ "2A02:8109:0:0:0:0:0:1", "2a02:8109::1" },
		{ "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1" },
		{ "64:ff9b::81.2.69.7", "64:ff9b::5102:4507" },
		{ "1111:2222:3333:4444:5555:6666:7777:8888",
		  "1111:2222:3333:4444:5555:6666:7777:8888" },
	};
	char out[ADDR_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct addr addr, copy;

		assert_true(addr_parse(cases[i].in, &addr));
		assert_string_equal(addr_format(&addr, out), cases[i].out);
		copy = addr_from_bytes(addr.family, addr.bytes);
		assert_true(addr_equal(&addr, &copy));
		assert_memory_equal(&addr, &copy, sizeof(addr));
	}
}

/* What a service says: white space may stand around the address, nothing else. */
static void stands_alone(void **state)
{
	static const char *const good[] = { "81.2.69.7", "81.2.69.7\n", " \t81.2.69.7\r\n",
					    "2a02:8109::1\n\n" };
	static const char *const bad[] = {
		"", "\n", "81.2.69.7\n81.2.69.8", "81.2.69.7.", "\"81.2.69.7\"",
		"<p>81.2.69.7</p>", "{\"ip\":\"81.2.69.7\"}", "ip=81.2.69.7", "081.2.69.7",
		"::ffff:81.2.69.7", "81.2.69.7\f", "\v81.2.69.7",
		/* 65 bytes */
		"81.2.69.7                                                        ",
	};
	struct addr addr = { 0 };
	char text[ADDR_TEXT_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(addr_parse_alone(good[i], strlen(good[i]), &addr));
		assert_non_null(strstr(good[i], addr_format(&addr, text)));
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		if (addr_parse_alone(bad[i], strlen(bad[i]), &addr))
			fail_msg("accepted: %s", bad[i]);
	assert_false(addr_parse_alone("81.2.69.7\0", 10, &addr));
	assert_false(addr_parse_alone("81.2.69.7\0x", 11, &addr));
	assert_true(addr_parse_alone(bad[COUNT(bad) - 1], 64, &addr));
	assert_true(addr_parse_alone("81.2.69.78", 9, &addr));
	assert_string_equal(addr_format(&addr, text), "81.2.69.7");
}

static void none_is_none(void **state)
{
	struct addr none = { 0 }, other = addr_from_bytes(AF_UNIX, "abcdefghabcdefgh");
	struct addr zero4 = addr_from_bytes(AF_INET, "\0\0\0\0");
	struct addr zero6 = addr_from_bytes(AF_INET6, (uint8_t[16]){ 0 });
	char out[ADDR_TEXT_BYTES] = "x";

	(void)state;
	assert_true(addr_is_none(&none));
	assert_memory_equal(&none, &other, sizeof(none));
	assert_true(addr_equal(&none, &other));
	assert_false(addr_equal(&none, &zero4));
	assert_false(addr_equal(&zero4, &zero6));
	assert_false(addr_is_unspecified(&none));
	assert_true(addr_is_unspecified(&zero4));
	assert_true(addr_is_unspecified(&zero6));
	assert_string_equal(addr_format(&none, out), "");
	assert_int_equal(addr_length_bytes(&none), 0);
	assert_int_equal(addr_length_bytes(&zero4), 4);
	assert_int_equal(addr_length_bytes(&zero6), 16);
	assert_int_equal(addr_classify(&none), ADDR_NONE);
}

static void has_names(void **state)
{
	(void)state;
	assert_string_equal(addr_class_name(ADDR_NONE), "none");
	assert_string_equal(addr_class_name(ADDR_GLOBAL), "global");
	assert_string_equal(addr_class_name(ADDR_CGNAT), "cgnat");
	assert_string_equal(addr_class_name(ADDR_SPECIAL), "special");
	assert_string_equal(addr_class_name((enum addr_class)99), "none");
	assert_string_equal(addr_family_name(AF_INET), "ipv4");
	assert_string_equal(addr_family_name(AF_INET6), "ipv6");
	assert_string_equal(addr_family_name(0), "none");
}

static void test_format_prefix(void **state)
{
	char text[ADDR_PREFIX_TEXT_BYTES];
	struct addr none = { 0 }, address;

	(void)state;
	assert_true(addr_parse("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", &address));
	assert_string_equal(addr_format_prefix(&address, 128, text),
			    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
	assert_string_equal(addr_format_prefix(&address, 0, text),
			    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_string_equal(addr_format_prefix(&none, 64, text), "");
	assert_true(addr_parse("2001:db8::", &address));
	assert_string_equal(addr_format_prefix(&address, 64, text), "2001:db8::/64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classifies),
		cmocka_unit_test(classifies_every_ipv4_half),
		cmocka_unit_test(refuses_all_but_one_address),
		cmocka_unit_test(parses_and_formats),
		cmocka_unit_test(stands_alone),
		cmocka_unit_test(none_is_none),
		cmocka_unit_test(has_names),
		cmocka_unit_test(test_format_prefix),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
