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

static void foreign(struct room *room)
{
	room_wait(1000);
	kernel.forgot_old = 0;
	kernel.foreign = true;
	rules_readable(&room->core);
	sync_turn(&room->core, kernel.now_ms);
}

/* A firewall's reload put former addresses back; connections began by them. */
static void corrected(void **state)
{
	struct room room;

	(void)state;
	room_begin(&room);
	room_ppp("81.2.69.7");
	for (int i = 0; i < 3; i++)
		fake_rule("hairpin", "81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	assert_int_equal(kernel.forgot_old, 0);
	kernel.rules[0].address = kernel.rules[2].address = fake_addr("81.2.69.1");
	foreign(&room);
	assert_int_equal(kernel.forgot_old, 1);
	assert_addr(kernel.forgotten, "81.2.69.1");
	assert_int_equal(kernel.commits_at_stale, 1);
	foreign(&room);
	assert_int_equal(kernel.forgot_old, 0);
	/* 0.0.0.0 was nobody's, and what a link has is in use. */
	kernel.rules[0].address = fake_addr("0.0.0.0");
	kernel.rules[1].address = fake_addr("81.2.69.2");
	fake_address(1, "81.2.69.2");
	room_look(&room);
	foreign(&room);
	assert_int_equal(kernel.commits, 2);
	assert_int_equal(kernel.forgot_old, 0);
	room.core.config->nat.conntrack = false;
	kernel.rules[0].address = fake_addr("81.2.69.3");
	foreign(&room);
	assert_int_equal(kernel.commits, 3);
	assert_int_equal(kernel.forgot_old, 0);
	room_end(&room);
}

/* However many there were, and not what just left anyhow. */
static void corrected_is_bounded(void **state)
{
	char address[32];
	struct room room;

	(void)state;
	room_begin(&room);
	room_ppp("81.2.69.7");
	for (int i = 0; i < FAKE_RULES_MAX; i++) {
		snprintf(address, sizeof(address), "81.2.70.%d", i);
		fake_rule("hairpin", address);
	}
	sync_turn(&room.core, kernel.now_ms);
	assert_int_equal(kernel.forgot_old, SYNC_CORRECTED_MAX);
	kernel.forgot_old = 0;
	room_ppp("81.2.69.8");
	room_look(&room);
	assert_int_equal(kernel.forgot_old, 1);
	assert_addr(kernel.forgotten, "81.2.69.7");
	room_end(&room);
}

/* With "keep" a rule's IPv6 address is a LAN host's. */
static void prefixes_are_no_addresses(void **state)
{
	struct config *config = room_config(0);
	struct room room;

	(void)state;
	config->wans[0].keep_bits = 64;
	room_kernel_clear();
	room_begin_with(&room, config, -1);
	room_ppp("81.2.69.7");
	fake_address(ROOM_LINK, "2a00:1::1");
	fake_rule("hairpin", "2a00:5::");
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(kernel.rules[0].address, "2a00:1::");
	assert_addr(room.core.wans[0].former[0], "2a00:5::");
	assert_int_equal(kernel.forgot_old, 0);
	room_end(&room);
}

/* Where some were found there may be answers under way: once more, and no oftener. */
static void looked_for_once_more(void **state)
{
	struct room room;

	(void)state;
	room_begin(&room);
	room_ppp("81.2.69.7");
	fake_rule("hairpin a", "81.2.69.1");
	sync_turn(&room.core, kernel.now_ms);
	assert_int_equal(kernel.forgot_stale, 1);
	assert_true(leftover_due_ms(&room.core) == INT64_MAX);
	kernel.stale = 3;
	room_ppp("81.2.69.8");
	room_look(&room);
	assert_int_equal(kernel.forgot_stale, 2);
	assert_int_equal(leftover_due_ms(&room.core), kernel.now_ms + 100);
	leftover_turn(&room.core, kernel.now_ms + 99);
	assert_int_equal(kernel.forgot_stale, 2);
	leftover_turn(&room.core, kernel.now_ms + 100);
	assert_int_equal(kernel.forgot_stale, 3);
	assert_true(leftover_due_ms(&room.core) == INT64_MAX);
	room_end(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_address_stays),
		cmocka_unit_test(several_old_addresses),
		cmocka_unit_test(looked_for_once_more),
		cmocka_unit_test(corrected),
		cmocka_unit_test(corrected_is_bounded),
		cmocka_unit_test(prefixes_are_no_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
