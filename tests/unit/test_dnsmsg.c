/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "hairpin/dnsmsg.h"
#include "hairpin/resolve.h"

/* A message in the making; the question is home.example.org, A. */
struct wire {
	uint8_t bytes[65535];
	size_t length;
};

static void add(struct wire *wire, const void *bytes, size_t length)
{
	assert_true(wire->length + length <= sizeof(wire->bytes));
	memcpy(wire->bytes + wire->length, bytes, length);
	wire->length += length;
}

static void add_u16(struct wire *wire, unsigned value)
{
	uint8_t bytes[2] = { (uint8_t)(value >> 8), (uint8_t)value };

	add(wire, bytes, 2);
}

static void add_name(struct wire *wire, const char *name)
{
	while (*name) {
		size_t length = strcspn(name, ".");
		uint8_t byte = (uint8_t)length;

		add(wire, &byte, 1);
		add(wire, name, length);
		name += length + (name[length] == '.');
	}
	add(wire, "", 1);
}

static void begin(struct wire *wire, unsigned flags, unsigned answers)
{
	wire->length = 0;
	add_u16(wire, 0x1234);
	add_u16(wire, flags);
	add_u16(wire, 1);
	add_u16(wire, answers);
	add_u16(wire, 0);
	add_u16(wire, 0);
	add_name(wire, "Home.example.org");
	add_u16(wire, DNSMSG_A);
	add_u16(wire, 1);
}

static void add_record(struct wire *wire, const char *owner, unsigned type,
		       uint32_t ttl_s, const void *rdata, size_t length)
{
	add_name(wire, owner);
	add_u16(wire, type);
	add_u16(wire, 1);
	add_u16(wire, ttl_s >> 16);
	add_u16(wire, ttl_s & 0xffff);
	add_u16(wire, (unsigned)length);
	add(wire, rdata, length);
}

static void add_alias(struct wire *wire, const char *owner, uint32_t ttl_s,
		      const char *target)
{
	struct wire *name = calloc(1, sizeof(*name));

	assert_non_null(name);
	add_name(name, target);
	add_record(wire, owner, DNSMSG_CNAME, ttl_s, name->bytes, name->length);
	free(name);
}

static const uint8_t address[] = { 81, 2, 69, 7 }, other[] = { 81, 2, 69, 8 };

static void an_answer(void **state)
{
	struct wire *wire = *state;
	struct dnsmsg message;
	struct dnsmsg_found found;

	begin(wire, 0x8400, 3);
	add_record(wire, "HOME.example.org", DNSMSG_A, 300, address, 4);
	add_record(wire, "home.example.org", DNSMSG_A, 60, other, 4);
	add_record(wire, "home.example.org", DNSMSG_A, 60, other, 4);
	assert_true(dnsmsg_read(wire->bytes, wire->length, &message));
	assert_true(message.authoritative);
	assert_false(message.truncated);
	assert_int_equal(message.rcode, DNSMSG_NOERROR);
	assert_string_equal(message.name, "home.example.org");
	dnsmsg_follow(&message, "home.example.org", DNSMSG_A, "example.org", &found);
	assert_int_equal(found.address_count, 2);
	assert_int_equal(found.ttl_s, 60);
	assert_int_equal(found.hops, 0);
	dnsmsg_follow(&message, "home.example.org", DNSMSG_AAAA, NULL, &found);
	assert_int_equal(found.address_count, 0);
	dnsmsg_follow(&message, "home.example.org", DNSMSG_A, "ample.org", &found);
	assert_int_equal(found.address_count, 0);
}

static void flags(void **state)
{
	struct wire *wire = *state;
	struct dnsmsg message;

	begin(wire, 0x8203, 0);
	assert_true(dnsmsg_read(wire->bytes, wire->length, &message));
	assert_false(message.authoritative);
	assert_true(message.truncated);
	assert_int_equal(message.rcode, DNSMSG_NXDOMAIN);
	begin(wire, 0x0400, 0);		/* a query */
	assert_false(dnsmsg_read(wire->bytes, wire->length, &message));
	begin(wire, 0xac00, 0);		/* another opcode */
	assert_false(dnsmsg_read(wire->bytes, wire->length, &message));
	begin(wire, 0x8400, 0);
	wire->bytes[5] = 2;		/* two questions */
	assert_false(dnsmsg_read(wire->bytes, wire->length, &message));
	wire->bytes[5] = 0;
	assert_false(dnsmsg_read(wire->bytes, wire->length, &message));
	begin(wire, 0x8400, 0);
	wire->bytes[wire->length - 1] = 3;	/* class CH */
	assert_false(dnsmsg_read(wire->bytes, wire->length, &message));
}

static void aliases(void **state)
{
	struct wire *wire = *state;
	struct dnsmsg message;
	struct dnsmsg_found found;

	begin(wire, 0x8400, 3);
	add_record(wire, "c.example.org", DNSMSG_A, 30, address, 4);
	add_alias(wire, "b.example.org", 20, "c.example.org");
	add_alias(wire, "home.example.org", 10, "B.example.org");
	assert_true(dnsmsg_read(wire->bytes, wire->length, &message));
	dnsmsg_follow(&message, "home.example.org", DNSMSG_A, "example.org", &found);
	assert_int_equal(found.hops, 2);
	assert_int_equal(found.address_count, 1);
	assert_int_equal(found.ttl_s, 10);
	assert_string_equal(found.name, "c.example.org");
}

/* What lies outside the zone that was asked is not believed: another will be asked. */
static void alias_to_elsewhere(void **state)
{
	struct wire *wire = *state;
	struct dnsmsg message;
	struct dnsmsg_found found;

	begin(wire, 0x8400, 2);
	add_alias(wire, "home.example.org", 10, "there.example.com");
	add_record(wire, "there.example.com", DNSMSG_A, 30, address, 4);
	assert_true(dnsmsg_read(wire->bytes, wire->length, &message));
	dnsmsg_follow(&message, "home.example.org", DNSMSG_A, "example.org", &found);
	assert_int_equal(found.hops, 1);
	assert_int_equal(found.address_count, 0);
	assert_string_equal(found.name, "there.example.com");
	dnsmsg_follow(&message, "home.example.org", DNSMSG_A, NULL, &found);
	assert_int_equal(found.address_count, 1);
}

static void circle(void **state)
{
	struct wire *wire = *state;
	struct dnsmsg message;
	struct dnsmsg_found found;

	begin(wire, 0x8400, 2);
	add_alias(wire, "home.example.org", 10, "b.example.org");
	add_alias(wire, "b.example.org", 10, "home.example.org");
	assert_true(dnsmsg_read(wire->bytes, wire->length, &message));
	dnsmsg_follow(&message, "home.example.org", DNSMSG_A, NULL, &found);
	assert_int_equal(found.hops, DNSMSG_HOPS_MAX);
	assert_int_equal(found.address_count, 0);
}

static void many_addresses(void **state)
{
	struct wire *wire = *state;
	struct dnsmsg message;
	struct dnsmsg_found found;

	begin(wire, 0x8400, 1000);
	for (unsigned i = 0; i < 1000; i++) {
		uint8_t a[4] = { 81, 2, (uint8_t)(i >> 8), (uint8_t)i };

		add_record(wire, "home.example.org", DNSMSG_A, 60, a, 4);
	}
	assert_true(dnsmsg_read(wire->bytes, wire->length, &message));
	dnsmsg_follow(&message, "home.example.org", DNSMSG_A, NULL, &found);
	assert_int_equal(found.address_count, DNSMSG_ADDRESSES_MAX);
}

static void times(void **state)
{
	static const struct {
		uint32_t given, read;
	} cases[] = {
		{ 0, 0 }, { 1, 1 }, { 604800, 604800 }, { 604801, 604800 },
		{ 0x7fffffff, 604800 }, { 0x80000000u, 0 }, { 0xffffffffu, 0 },
	};
	struct wire *wire = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dnsmsg_walk walk = { 0 };
		struct dnsmsg_record record;
		struct dnsmsg message;

		begin(wire, 0x8400, 1);
		add_record(wire, "home.example.org", DNSMSG_A, cases[i].given, address,
			   4);
		assert_true(dnsmsg_read(wire->bytes, wire->length, &message));
		assert_true(dnsmsg_next(&message, &walk, &record));
		assert_int_equal(record.ttl_s, cases[i].read);
		assert_false(dnsmsg_next(&message, &walk, &record));
	}
}

/*
 * Behind the question one record whose owner is these bytes, and type, class, TTL,
 * length 0.
 */
static bool owner_is_taken(struct wire *wire, const char *owner, size_t length)
{
	struct dnsmsg message;

	begin(wire, 0x8400, 1);
	add(wire, owner, length);
	add(wire, "\0\x10\0\1\0\0\0\x3c\0\0", 10);
	return dnsmsg_read(wire->bytes, wire->length, &message);
}

static void names(void **state)
{
	struct wire *wire = *state;
	char longest[300];

	assert_true(owner_is_taken(wire, "\xc0\x0c", 2));
	assert_true(owner_is_taken(wire, "\1a\xc0\x11", 4));
	assert_true(owner_is_taken(wire, "\0", 1));
	assert_false(owner_is_taken(wire, "\xc0\x22", 2));	/* itself */
	assert_false(owner_is_taken(wire, "\xc0\x23", 2));	/* its own second byte */
	assert_false(owner_is_taken(wire, "\xff\xff", 2));	/* behind the end */
	/* back to its own start */
	assert_false(owner_is_taken(wire, "\1a\xc0\x22", 4));
	/* reserved kinds of label */
	assert_false(owner_is_taken(wire, "\x40" "a", 2));
	assert_false(owner_is_taken(wire, "\x80" "a", 2));
	memset(longest, 'a', sizeof(longest));
	for (int i = 0; i < 256; i += 64)
		longest[i] = 63;
	longest[192] = 61;
	longest[254] = '\0';
	assert_true(owner_is_taken(wire, longest, 255));
	longest[192] = 62;
	longest[255] = '\0';
	assert_false(owner_is_taken(wire, longest, 256));
}

static void names_that_cannot_be_shown(void **state)
{
	static const struct {
		const char *wire;
		size_t length;
	} cases[] = {
		{ "\4ho.e\0", 6 },
		{ "\4ho\\e\0", 6 },
		{ "\4ho\0e\0", 6 },
		{ "\4ho\ne\0", 6 },
		{ "\4ho e\0", 6 },
		{ "\4ho\xff"
		  "e\0",
		  6 },
	};
	struct wire *wire = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dnsmsg_walk walk = { 0 };
		struct dnsmsg_record record;
		struct dnsmsg message;

		assert_true(owner_is_taken(wire, cases[i].wire, cases[i].length));
		assert_true(dnsmsg_read(wire->bytes, wire->length, &message));
		assert_true(dnsmsg_next(&message, &walk, &record));
		assert_string_equal(record.owner, "?");
	}
}

static void lies_about_lengths(void **state)
{
	static const struct {
		unsigned type, length;
		const char *rdata;
		size_t bytes;
		bool taken;
	} cases[] = {
		{ DNSMSG_A, 4, "abcd", 4, true },
		{ DNSMSG_A, 5, "abcde", 5, false },
		{ DNSMSG_A, 3, "abc", 3, false },
		{ DNSMSG_A, 0xffff, "abcd", 4, false },
		{ DNSMSG_AAAA, 4, "abcd", 4, false },
		{ 16, 0xffff, "abcd", 4, false },
		{ DNSMSG_CNAME, 2, "\xc0\x0c", 2, true },
		{ DNSMSG_CNAME, 3, "\xc0\x0cx", 3, false },
		{ DNSMSG_CNAME, 1, "\xc0\x0c", 2, false },
		{ DNSMSG_CNAME, 0, "", 0, false },
		{ DNSMSG_NS, 3, "\1a\0", 3, true },
		{ DNSMSG_NS, 2, "\1a\0", 3, false },
	};
	struct wire *wire = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dnsmsg message;

		begin(wire, 0x8400, 1);
		add(wire, "\xc0\x0c", 2);
		add_u16(wire, cases[i].type);
		add_u16(wire, 1);
		add_u16(wire, 0);
		add_u16(wire, 60);
		add_u16(wire, cases[i].length);
		add(wire, cases[i].rdata, cases[i].bytes);
		assert_int_equal(dnsmsg_read(wire->bytes, wire->length, &message),
				 cases[i].taken);
	}
}

/* Each prefix is refused; on a heap block of its own, so that a byte too far is seen. */
static void truncated_at_each_byte(void **state)
{
	struct wire *wire = *state;
	struct dnsmsg message;

	begin(wire, 0x8400, 2);
	add_alias(wire, "home.example.org", 10, "b.example.org");
	add_record(wire, "b.example.org", DNSMSG_A, 60, address, 4);
	assert_true(dnsmsg_read(wire->bytes, wire->length, &message));
	for (size_t length = 0; length < wire->length; length++) {
		uint8_t *copy = malloc(length + (length == 0));

		assert_non_null(copy);
		memcpy(copy, wire->bytes, length);
		assert_false(dnsmsg_read(copy, length, &message));
		free(copy);
	}
}

static void other_classes(void **state)
{
	struct wire *wire = *state;
	struct dnsmsg_found found;
	struct dnsmsg message;

	begin(wire, 0x8400, 1);
	add_record(wire, "home.example.org", DNSMSG_A, 60, address, 4);
	wire->bytes[wire->length - 11] = 3;
	assert_true(dnsmsg_read(wire->bytes, wire->length, &message));
	dnsmsg_follow(&message, "home.example.org", DNSMSG_A, NULL, &found);
	assert_int_equal(found.address_count, 0);
}

static void under(void **state)
{
	(void)state;
	assert_true(dnsmsg_name_is_under("a.example.org", "example.org"));
	assert_true(dnsmsg_name_is_under("example.org", "example.org"));
	assert_true(dnsmsg_name_is_under("example.org", ""));
	assert_false(dnsmsg_name_is_under("bexample.org", "example.org"));
	assert_false(dnsmsg_name_is_under("org", "example.org"));
	assert_false(dnsmsg_name_is_under("example.org.evil", "example.org"));
}

static void servers(void **state)
{
	static const struct {
		const char *text;
		int family;
		unsigned port;
	} cases[] = {
		{ "45.11.1.53", AF_INET, 53 },
		{ "45.11.1.53:5353", AF_INET, 5353 },
		{ "2a01::53", AF_INET6, 53 },
		{ "[2a01::53]:5353", AF_INET6, 5353 },
		{ "[2a01::53]", AF_INET6, 53 },
		{ "45.11.1.53:0", 0, 0 },
		{ "45.11.1.53:65536", 0, 0 },
		{ "45.11.1.53:", 0, 0 },
		{ "[45.11.1.53]:53", 0, 0 },
		{ "[2a01::53", 0, 0 },
		{ "[2a01::53]x", 0, 0 },
		{ "[]:53", 0, 0 },
		{ "", 0, 0 },
		{ "ns.example.org", 0, 0 },
		{ "ns.example.org:53", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct resolve_server server;

		assert_int_equal(resolve_server_parse(cases[i].text, &server),
				 cases[i].family != 0);
		if (cases[i].family == 0)
			continue;
		assert_int_equal(server.address.family, cases[i].family);
		assert_int_equal(server.port, cases[i].port);
	}
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct wire));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer),
		cmocka_unit_test(flags),
		cmocka_unit_test(aliases),
		cmocka_unit_test(alias_to_elsewhere),
		cmocka_unit_test(circle),
		cmocka_unit_test(many_addresses),
		cmocka_unit_test(times),
		cmocka_unit_test(names),
		cmocka_unit_test(names_that_cannot_be_shown),
		cmocka_unit_test(lies_about_lengths),
		cmocka_unit_test(truncated_at_each_byte),
		cmocka_unit_test(other_classes),
		cmocka_unit_test(under),
		cmocka_unit_test(servers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
