/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers made to deceive, to overflow, or to keep us busy. */
#include <stdio.h>

#include "dnsmsg_room.h"
#include "figure.h"

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

static void twenty_aliases(void **state)
{
	struct wire *wire = *state;
	struct dnsmsg message;
	struct dnsmsg_found found;
	char owner[32], target[32];

	begin(wire, 0x8400, 21);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(owner, sizeof(owner), i ? "n%u.example.org" : "home.example.org", i);
		snprintf(target, sizeof(target), "n%u.example.org", i + 1);
		add_alias(wire, owner, 10, target);
	}
	add_record(wire, "n20.example.org", DNSMSG_A, 60, address, 4);
	assert_true(dnsmsg_read(wire->bytes, wire->length, &message));
	dnsmsg_follow(&message, "home.example.org", DNSMSG_A, NULL, &found);
	figure_at_most("S18", "CNAMEs followed, of a chain of 20", found.hops, 8);
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
	figure_at_most("S18", "addresses taken, of 1,000 A records",
		       (long)found.address_count, 32);
	assert_int_equal(found.address_count, DNSMSG_ADDRESSES_MAX);
}

/* What TCP can carry at most, each record's owner at the end of a chain of pointers. */
static void chains_of_pointers(void **state)
{
	static const struct {
		unsigned pointers;
		bool taken;
	} cases[] = { { 1, true }, { 100, true }, { 126, true }, { 127, false },
		      { 8000, false } };
	struct wire *wire = *state;
	struct dnsmsg message;
	long longest = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t answers = (sizeof(wire->bytes) - 16500) / 12;

		begin(wire, 0x8400, (unsigned)answers);
		add_name(wire, "");
		add_u16(wire, 16);
		add_u16(wire, 1);
		add_u16(wire, 0);
		add_u16(wire, 60);
		/* The first one's data is the chain: each points at the one before. */
		add_u16(wire, 2 * cases[i].pointers);
		for (unsigned k = 0; k < cases[i].pointers; k++)
			add_u16(wire, 0xc000 | (k ? (unsigned)wire->length - 2 : 12));
		for (size_t k = 1; k < answers; k++) {
			size_t last = 12 + 18 + 4 + 11 + 2 * (cases[i].pointers - 1);

			add_u16(wire, 0xc000 | (unsigned)last);
			add(wire, "\0\x10\0\1\0\0\0\x3c\0\0", 10);
		}
		assert_int_equal(dnsmsg_read(wire->bytes, wire->length, &message),
				 cases[i].taken);
		longest = cases[i].taken ? (long)cases[i].pointers + 1 : longest;
	}
	figure_at_most("S18", "compression pointers followed, of a chain of 8,000", longest,
		       127);
}

/* Behind the answers nothing is looked at: OPT may be anything. */
static void garbage_behind(void **state)
{
	struct wire *wire = *state;
	struct dnsmsg message;
	struct dnsmsg_found found;

	for (unsigned seed = 1; seed < 500; seed++) {
		begin(wire, 0x8400, 1);
		wire->bytes[11] = 1;		/* one additional record */
		add_record(wire, "home.example.org", DNSMSG_A, 60, address, 4);
		add(wire, "\0\0\x29\xff\xff", 5);
		for (unsigned i = 0; i < seed % 40; i++)
			add_u16(wire, seed * 2654435761u >> i % 16 & 0xffff);
		assert_true(dnsmsg_read(wire->bytes, wire->length, &message));
		dnsmsg_follow(&message, "home.example.org", DNSMSG_A, NULL, &found);
		assert_int_equal(found.address_count, 1);
	}
	assert_false(dnsmsg_read("", 0, &message));	/* a datagram of no bytes */
	figure_holds("S18", "OPT of any kind and datagrams of 0 bytes change nothing", true);
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
		if (cases[i].given == 0x80000000u)
			figure_exactly("S18", "seconds that a TTL of 2^31 holds",
				       record.ttl_s, 0);
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
	figure_holds("S18", "a name of 256 bytes and a label of 64 are refused",
		     !owner_is_taken(wire, longest, 256) &&
		     !owner_is_taken(wire, "\x40" "a", 2));
	figure_holds("S18", "a compression loop is refused",
		     !owner_is_taken(wire, "\xc0\x22", 2) &&
		     !owner_is_taken(wire, "\1a\xc0\x22", 4));
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
	long believed = 0;

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
		if (cases[i].taken)
			assert_true(dnsmsg_read(wire->bytes, wire->length, &message));
		else
			believed += dnsmsg_read(wire->bytes, wire->length, &message);
	}
	figure_exactly("S18", "answers believed that lie about a length", believed, 0);
}

/* Each prefix is refused; on a heap block of its own, so that a byte too far is seen. */
static void truncated_at_each_byte(void **state)
{
	struct wire *wire = *state;
	struct dnsmsg message;
	long believed = 0;

	begin(wire, 0x8400, 2);
	add_alias(wire, "home.example.org", 10, "b.example.org");
	add_record(wire, "b.example.org", DNSMSG_A, 60, address, 4);
	assert_true(dnsmsg_read(wire->bytes, wire->length, &message));
	for (size_t length = 0; length < wire->length; length++) {
		uint8_t *copy = malloc(length + (length == 0));

		assert_non_null(copy);
		memcpy(copy, wire->bytes, length);
		believed += dnsmsg_read(copy, length, &message);
		free(copy);
	}
	figure_exactly("S18", "answers believed that were cut at any byte", believed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(circle),
		cmocka_unit_test(twenty_aliases),
		cmocka_unit_test(many_addresses),
		cmocka_unit_test(chains_of_pointers),
		cmocka_unit_test(garbage_behind),
		cmocka_unit_test(times),
		cmocka_unit_test(names),
		cmocka_unit_test(names_that_cannot_be_shown),
		cmocka_unit_test(lies_about_lengths),
		cmocka_unit_test(truncated_at_each_byte),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
