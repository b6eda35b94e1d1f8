/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --once: when it leaves, and with what status. */
#include "core_room.h"

static struct room room;
static struct room_log said;

static int end(void **state)
{
	char text[1024];

	(void)state;
	room_log_end(&said, text, sizeof(text));
	room_end(&room);
	return 0;
}

static void begin(size_t hostnames)
{
	room_kernel_clear();
	room_begin_with(&room, room_config(hostnames), -1);
	room.options.mode = CORE_ONCE;
	room_ppp(NULL);
	strcpy(room.core.config->hooks.directory, "");
	said = room_log_begin(LOG_EMERG);
}

static void turn(void)
{
	sync_turn(&room.core, kernel.now_ms);
	events_turn(&room.core, kernel.now_ms);
	once_turn(&room.core, kernel.now_ms);
}

static void all_in_step(void **state)
{
	(void)state;
	begin(0);
	fake_rule("hairpin a", "81.2.69.1");
	room_ppp("81.2.69.7");
	turn();
	assert_true(room.core.stopping);
	assert_int_equal(room.core.exit_status, 0);
}

/* An address that comes late is in time. */
static void late_address(void **state)
{
	(void)state;
	begin(0);
	fake_rule("hairpin a", "81.2.69.1");
	turn();
	assert_false(room.core.stopping);
	assert_true(once_due_ms(&room.core) == room.core.started_ms + CORE_ONCE_MS);
	room_wait(20000);
	turn();
	assert_false(room.core.stopping);
	room_ppp("81.2.69.7");
	room_look(&room);
	turn();
	assert_addr(kernel.rules[0].address, "81.2.69.7");
	assert_true(room.core.stopping);
	assert_int_equal(room.core.exit_status, 0);
}

static void no_address(void **state)
{
	(void)state;
	begin(1);
	turn();
	assert_false(room.core.stopping);
	room_wait(CORE_ONCE_MS);
	turn();
	assert_true(room.core.stopping);
	assert_int_equal(room.core.exit_status, 1);
}

/* Nothing tagged and no name: nothing to wait for. */
static void no_address_no_work(void **state)
{
	(void)state;
	begin(0);
	turn();
	assert_true(room.core.stopping);
	assert_int_equal(room.core.exit_status, 1);
}

#define ONCE_TEST(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONCE_TEST(all_in_step),
		ONCE_TEST(late_address),
		ONCE_TEST(no_address),
		ONCE_TEST(no_address_no_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
