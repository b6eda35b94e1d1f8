/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections of addresses that were replaced: when they are forgotten. */
#include "core_room.h"

static void old_address_stays(void **state)
{
	struct room room;

	(void)state;
	room_begin(&room);
	room_ppp("81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	room_ppp("81.2.69.8");
	fake_link(9, "dummy0");
	fake_address(9, "81.2.69.7");
	room_look(&room);
	assert_int_equal(kernel.forgot_old, 0);
	room_ppp("81.2.69.8");
	room_look(&room);
	assert_int_equal(kernel.forgot_old, 1);
	room_look(&room);
	assert_int_equal(kernel.forgot_old, 1);
	room_end(&room);
}

/* Two replaced ones on the link at a time: each is forgotten when it goes. */
static void several_old_addresses(void **state)
{
	char address[32];
	struct room room;

	(void)state;
	room_begin(&room);
	room_ppp("81.2.69.1");
	sync_turn(&room.core, kernel.now_ms);
	for (int i = 2; i < 12; i++) {
		snprintf(address, sizeof(address), "81.2.69.%d", i);
		room_ppp(address);
		fake_link(9, "dummy0");
		for (int old = 1; old < i; old++) {
			snprintf(address, sizeof(address), "81.2.69.%d", old);
			fake_address(9, address);
		}
		room_look(&room);
		assert_int_equal(kernel.forgot_old, 0);
	}
	/* 10 goes, then 9 with the others that are still known of; 11 never went. */
	kernel.address_count--;
	room_look(&room);
	assert_int_equal(kernel.forgot_old, 1);
	assert_addr(kernel.forgotten, "81.2.69.10");
	room_ppp("81.2.69.11");
	room_look(&room);
	assert_int_equal(kernel.forgot_old, WAN_LEAVING_MAX);
	assert_addr(kernel.forgotten, "81.2.69.9");
	room_look(&room);
	assert_int_equal(kernel.forgot_old, WAN_LEAVING_MAX);
	room_end(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_address_stays),
		cmocka_unit_test(several_old_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
