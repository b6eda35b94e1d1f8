/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dnsmsg_room.h"
#include "hairpin/resolve.h"

static const uint8_t other[] = { 81, 2, 69, 8 };

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer),
		cmocka_unit_test(flags),
		cmocka_unit_test(aliases),
		cmocka_unit_test(alias_to_elsewhere),
		cmocka_unit_test(other_classes),
		cmocka_unit_test(under),
		cmocka_unit_test(servers),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
