/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The delegated prefix where no address shows it: a route by the link does. */
#include "core_room.h"

enum { LAN_LINK = 3 };

static struct config *keep_config(const char *prefix_from)
{
	struct config *config = room_config(1);

	config->wans[0].keep_bits = 64;
	strcpy(config->wans[0].prefix_from, prefix_from);
	return config;
}

/* Rules keep their low bits; br0 has an address. */
static void begin(struct room *room)
{
	room_kernel_clear();
	room_begin_with(room, keep_config("br0"), -1);
	room_ppp("81.2.69.7");
	fake_address(ROOM_LINK, "2a00:ffff::7");
	fake_link(LAN_LINK, "br0");
	fake_address(LAN_LINK, "2a00:1:2:3::1");
	fake_rule("hairpin nas", "2a00:1:2:3::10");
	fake_rule("hairpin four", "81.2.69.7");
}

#define prefix_of(room) ((room)->core.wans[0].prefix.now.address)

/* br0 without an address, and with this route; NULL: without. */
static void routed(const char *to, uint8_t prefix_length)
{
	room_ppp("81.2.69.7");
	fake_address(ROOM_LINK, "2a00:ffff::7");
	fake_link(LAN_LINK, "br0");
	kernel.route_count = 0;
	if (to)
		fake_route(LAN_LINK, to, prefix_length);
}

static void route_where_no_address_is(void **state)
{
	struct room room;

	(void)state;
	begin(&room);
	routed("2a00:9:8:700::", 56);
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(prefix_of(&room), "2a00:9:8:700::");
	assert_addr(kernel.rules[0].address, "2a00:9:8:700::10");
	assert_int_equal(kernel.watch.count, 1);
	assert_int_equal(kernel.watch.links[0], LAN_LINK);
	assert_int_equal(kernel.watch.bits, 64);
	routed("2a00:4:4:4::", 64);
	room_look(&room);
	assert_addr(kernel.rules[0].address, "2a00:4:4:4::10");
	/* It goes, and comes back within the grace: nothing happened. */
	routed(NULL, 0);
	room_look(&room);
	assert_addr(prefix_of(&room), "2a00:4:4:4::");
	assert_true(sync_due_ms(&room.core, kernel.now_ms) == kernel.now_ms + 2000);
	room_wait(1000);
	kernel.commits = 0;
	routed("2a00:4:4:4::", 64);
	room_look(&room);
	assert_int_equal(kernel.commits, 0);
	assert_false(room.core.wans[0].prefix.now.missing);
	/* It goes for good: nobody knows a prefix, and rules keep theirs. */
	routed(NULL, 0);
	room_look(&room);
	room_wait(2000);
	sync_turn(&room.core, kernel.now_ms);
	assert_true(addr_is_none(&prefix_of(&room)));
	assert_addr(kernel.rules[0].address, "2a00:4:4:4::10");
	room_end(&room);
}

static void address_wins_over_route(void **state)
{
	struct room room;

	(void)state;
	begin(&room);
	fake_route(LAN_LINK, "2a00:9:8:7::", 64);
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(prefix_of(&room), "2a00:1:2:3::");
	/* Nobody needs it: its events would be for nothing. */
	assert_int_equal(kernel.watch.count, 0);
	/* The address has its grace, with the route there. */
	routed("2a00:9:8:7::", 64);
	room_look(&room);
	assert_addr(prefix_of(&room), "2a00:1:2:3::");
	assert_true(sync_due_ms(&room.core, kernel.now_ms) == kernel.now_ms + 2000);
	room_wait(1999);
	room_look(&room);
	assert_addr(kernel.rules[0].address, "2a00:1:2:3::10");
	room_wait(1);
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(prefix_of(&room), "2a00:9:8:7::");
	assert_addr(kernel.rules[0].address, "2a00:9:8:7::10");
	/* A route replaces a route at once, and an address a route. */
	routed("2a00:9:8:8::", 64);
	room_look(&room);
	assert_addr(kernel.rules[0].address, "2a00:9:8:8::10");
	fake_address(LAN_LINK, "2a00:1:2:3::1");
	room_look(&room);
	assert_addr(kernel.rules[0].address, "2a00:1:2:3::10");
	assert_int_equal(kernel.watch.count, 0);
	room_end(&room);
}

/* What is not known is no loss. */
static void routes_that_cannot_be_read(void **state)
{
	struct room room;

	(void)state;
	begin(&room);
	routed("2a00:4:4:4::", 64);
	sync_turn(&room.core, kernel.now_ms);
	log_set_level(LOG_EMERG);
	kernel.routes_fail = -ENOBUFS;
	room_ppp("81.2.69.9");
	fake_link(LAN_LINK, "br0");
	room_look(&room);
	assert_false(room.core.wans[0].prefix.now.missing);
	assert_addr(kernel.rules[1].address, "81.2.69.7");
	/* The next look finds all that changed meanwhile. */
	kernel.routes_fail = 0;
	room_wait(1000);
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(prefix_of(&room), "2a00:4:4:4::");
	assert_addr(kernel.rules[1].address, "81.2.69.9");
	room_end(&room);
}

/* A WAN that nobody wants the prefix of asks for no routes. */
static void own_link_has_a_route(void **state)
{
	struct room room;

	(void)state;
	room_kernel_clear();
	room_begin_with(&room, keep_config(""), -1);
	room_ppp("81.2.69.7");
	fake_route(ROOM_LINK, "2a00:4:4:4::", 64);
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(prefix_of(&room), "2a00:4:4:4::");
	room_end(&room);
	room_kernel_clear();
	room_begin_with(&room, room_config(1), -1);
	routed("2a00:4:4:4::", 64);
	sync_turn(&room.core, kernel.now_ms);
	assert_true(addr_is_none(&prefix_of(&room)));
	assert_int_equal(kernel.watch.count, 0);
	room_end(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(route_where_no_address_is),
		cmocka_unit_test(address_wins_over_route),
		cmocka_unit_test(routes_that_cannot_be_read),
		cmocka_unit_test(own_link_has_a_route),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
