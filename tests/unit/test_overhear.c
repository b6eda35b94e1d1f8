/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/socket.h>

#include "hairpin/overhear.h"

/* 192.168.1.2:80 to 192.168.1.10:40000, SYN and ACK. */
static const uint8_t answer4[] = {
	0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 168, 1, 2, 192, 168, 1, 10,
	0, 80, 0x9c, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x12, 0, 0, 0, 0, 0, 0,
};

/* The router 192.168.1.1 says: no host, about 192.168.1.10:40000 to 81.2.69.7:80. */
static const uint8_t error4[] = {
	0x46, 0, 0, 60, 0, 0, 0, 0, 64, 1, 0, 0, 192, 168, 1, 1, 192, 168, 1, 10,
	0x94, 4, 0, 0,				/* an option: router alert */
	3, 1, 0, 0, 0, 0, 0, 0,
	0x45, 0, 0, 40, 0, 0, 0x40, 0, 63, 6, 0, 0, 192, 168, 1, 10, 81, 2, 69, 7,
	0x9c, 0x40, 0, 80, 0, 0, 0, 0,
};

/* fd00::2 port 53 to fd00::a port 256, UDP. */
static const uint8_t answer6[] = {
	0x60, 0, 0, 0, 0, 8, 17, 64, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
	0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 53, 1, 0, 0, 8, 0, 0,
};

/* Bytes of exactly this length, so that reading on is seen. */
static bool parse(int family, const uint8_t *bytes, size_t length,
		  struct overheard *ret_heard)
{
	uint8_t *copy = malloc(length ? length : 1);
	bool fine;

	assert_non_null(copy);
	memcpy(copy, bytes, length);
	fine = overhear_parse(family, copy, length, ret_heard);
	free(copy);
	return fine;
}

static void assert_address(const struct addr *address, const char *text)
{
	char shown[ADDR_TEXT_BYTES];

	assert_string_equal(addr_format(address, shown), text);
}

static void takes_answers(void **state)
{
	struct overheard heard;

	(void)state;
	assert_true(parse(AF_INET, answer4, sizeof(answer4), &heard));
	assert_false(heard.error);
	assert_address(&heard.source, "192.168.1.2");
	assert_address(&heard.destination, "192.168.1.10");
	assert_int_equal(heard.source_port, 80);
	assert_int_equal(heard.destination_port, 40000);
	assert_int_equal(heard.tcp_flags, OVERHEARD_SYN | OVERHEARD_ACK);
	assert_true(parse(AF_INET6, answer6, sizeof(answer6), &heard));
	assert_address(&heard.source, "fd00::2");
	assert_int_equal(heard.source_port, 53);
	assert_int_equal(heard.destination_port, 256);
}

static void takes_what_an_error_quotes(void **state)
{
	struct overheard heard;

	(void)state;
	assert_true(parse(AF_INET, error4, sizeof(error4), &heard));
	assert_true(heard.error);
	assert_address(&heard.teller, "192.168.1.1");
	assert_int_equal(heard.icmp_type, 3);
	assert_int_equal(heard.icmp_code, 1);
	assert_address(&heard.source, "192.168.1.10");
	assert_address(&heard.destination, "81.2.69.7");
	assert_int_equal(heard.source_port, 40000);
	assert_int_equal(heard.destination_port, 80);
}

static void leaves_the_rest(void **state)
{
	uint8_t bytes[sizeof(error4)];
	struct overheard heard;

	(void)state;
	for (size_t length = 0; length < 24; length++)
		assert_false(parse(AF_INET, answer4, length, &heard));
	for (size_t length = 0; length < sizeof(error4) - 4; length++)
		assert_false(parse(AF_INET, error4, length, &heard));
	for (size_t length = 0; length < sizeof(answer6) - 4; length++)
		assert_false(parse(AF_INET6, answer6, length, &heard));
	assert_false(parse(AF_INET6, answer4, sizeof(answer4), &heard));
	assert_false(parse(AF_INET, answer6, sizeof(answer6), &heard));
	memcpy(bytes, answer4, sizeof(answer4));
	bytes[7] = 1;				/* a later fragment has no ports */
	assert_false(parse(AF_INET, bytes, sizeof(answer4), &heard));
	memcpy(bytes, answer4, sizeof(answer4));
	bytes[0] = 0x44;			/* a header shorter than one */
	assert_false(parse(AF_INET, bytes, sizeof(answer4), &heard));
	memcpy(bytes, error4, sizeof(error4));
	bytes[24] = 8;				/* an echo request */
	assert_false(parse(AF_INET, bytes, sizeof(error4), &heard));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_answers),
		cmocka_unit_test(takes_what_an_error_quotes),
		cmocka_unit_test(leaves_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
