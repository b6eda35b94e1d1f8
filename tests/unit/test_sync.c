/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From links to rules: what is looked at when, and what is left alone. */
#include "core_room.h"
#include "figure.h"

static struct room room;

static int begin(void **state)
{
	(void)state;
	room_begin(&room);
	return 0;
}

static int end(void **state)
{
	(void)state;
	room_end(&room);
	return 0;
}

static void first_address(void **state)
{
	(void)state;
	room_ppp("81.2.69.7");
	fake_rule("hairpin a", "81.2.69.1");
	fake_rule("other", "81.2.69.1");
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(kernel.rules[0].address, "81.2.69.7");
	assert_addr(kernel.rules[1].address, "81.2.69.1");
	assert_int_equal(kernel.commits, 1);
	assert_true(room.core.wans[0].up);
	assert_addr(schedule_record(room.core.schedule, 0)->record.wanted, "81.2.69.7");
	/* What the rule held is a former address at once; the engine has seen to it. */
	assert_int_equal(kernel.syncs, 1);
	assert_true(room.core.state.dirty);
	assert_addr(room.core.wans[0].former[0], "81.2.69.1");
}

static void unchanged(void **state)
{
	(void)state;
	room_ppp("81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	kernel.syncs = kernel.snapshots = 0;
	room.core.state.dirty = false;
	for (int i = 0; i < 100; i++)
		room_look(&room);
	assert_int_equal(kernel.snapshots, 100);
	assert_int_equal(kernel.syncs, 0);
	assert_false(room.core.state.dirty);
	sync_turn(&room.core, kernel.now_ms);
	assert_int_equal(kernel.snapshots, 100);
}

static void change(void **state)
{
	(void)state;
	room_ppp("81.2.69.7");
	fake_rule("hairpin a", "81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	room_ppp("81.2.69.8");
	room_look(&room);
	assert_addr(kernel.rules[0].address, "81.2.69.8");
	assert_addr(room.core.wans[0].former[0], "81.2.69.7");
	assert_int_equal(kernel.forgot_old, 1);
	assert_addr(kernel.forgotten, "81.2.69.7");
	assert_int_equal(kernel.forgot_stale, 1);
	assert_int_equal(kernel.commits_at_stale, 1);
	/* And back: what is present is no former address. */
	room_ppp("81.2.69.7");
	room_look(&room);
	assert_int_equal(room.core.wans[0].former_count, 1);
	assert_addr(room.core.wans[0].former[0], "81.2.69.8");
}

static void grace(void **state)
{
	(void)state;
	room_ppp("81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	room_ppp(NULL);
	room_look(&room);
	assert_addr(room.core.wans[0].sides[WAN_IPV4].now.address, "81.2.69.7");
	assert_true(sync_due_ms(&room.core, kernel.now_ms) == kernel.now_ms + 2000);
	room_wait(2000);
	sync_turn(&room.core, kernel.now_ms);
	assert_true(addr_is_none(&room.core.wans[0].sides[WAN_IPV4].now.address));
	assert_true(addr_is_none(&schedule_record(room.core.schedule, 0)->record.wanted));
	/*
	 * Its connections stay until another address takes over: the same one may come
	 * back.
	 */
	assert_int_equal(kernel.forgot_old, 0);
	room_ppp("81.2.69.7");
	room_look(&room);
	assert_int_equal(kernel.forgot_old, 0);
}

static void link_gone_and_back(void **state)
{
	(void)state;
	room_ppp("81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	kernel.link_count = kernel.address_count = kernel.default_count = 0;
	room_look(&room);
	assert_false(room.core.wans[0].up);
	assert_string_equal(room.core.wans[0].interface, "ppp0");
	fake_link(42, "ppp0");
	fake_address(42, "81.2.69.9");
	room_look(&room);
	assert_true(room.core.wans[0].up);
	assert_addr(room.core.wans[0].sides[WAN_IPV4].now.address, "81.2.69.9");
}

static void link_down_keeps_address(void **state)
{
	(void)state;
	room_ppp("81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	kernel.links[1].up = false;
	room_look(&room);
	room_wait(60000);
	room_look(&room);
	assert_false(room.core.wans[0].up);
	assert_addr(room.core.wans[0].sides[WAN_IPV4].now.address, "81.2.69.7");
}

static void follows_default_route(void **state)
{
	struct config *config = room_config(0);

	(void)state;
	room_kernel_clear();
	config->wans[0].interface[0] = '\0';
	room_begin_with(&room, config, -1);
	fake_link(2, "eth0");
	fake_link(3, "wwan0");
	fake_address(2, "81.2.69.7");
	fake_address(3, "90.1.1.1");
	fake_address(3, "2a01:4f8::3");
	fake_default(2, AF_INET);
	fake_default(3, AF_INET6);
	sync_turn(&room.core, kernel.now_ms);
	assert_string_equal(room.core.wans[0].interface, "eth0");
	assert_addr(room.core.wans[0].sides[WAN_IPV4].now.address, "81.2.69.7");
	assert_addr(room.core.wans[0].sides[WAN_IPV6].now.address, "2a01:4f8::3");
	/* The route moves, the address with it. */
	kernel.defaults[0].link = 3;
	room_look(&room);
	assert_string_equal(room.core.wans[0].interface, "wwan0");
	assert_addr(room.core.wans[0].sides[WAN_IPV4].now.address, "90.1.1.1");
	/* No route at all: the last link counts while it is there. */
	kernel.default_count = 0;
	room_look(&room);
	room_wait(60000);
	room_look(&room);
	assert_addr(room.core.wans[0].sides[WAN_IPV4].now.address, "90.1.1.1");
	/* Only IPv6 has one: IPv4 is looked for on that link. */
	fake_default(2, AF_INET6);
	room_look(&room);
	assert_addr(room.core.wans[0].sides[WAN_IPV4].now.address, "81.2.69.7");
}

static void route_gates(void **state)
{
	(void)state;
	room_ppp("81.2.69.7");
	kernel.default_count = 0;
	fake_default(1, AF_INET);	/* by another link */
	sync_turn(&room.core, kernel.now_ms);
	assert_false(room.core.wans[0].has_route);
	fake_default(ROOM_LINK, AF_INET);
	room_look(&room);
	assert_true(room.core.wans[0].has_route);
}

static void foreign_change(void **state)
{
	struct message_hook hook;
	struct room_log log;
	char said[512];

	(void)state;
	room_ppp("81.2.69.7");
	fake_rule("hairpin a", "81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	hook = room_hook(&room);
	assert_int_equal(hook.event, MESSAGE_EVENT_STARTUP);
	room_hook_done(&room, &hook);
	room_wait(1000);
	kernel.rules[0].address = fake_addr("81.2.69.1");
	kernel.foreign = true;
	rules_readable(&room.core);
	assert_true(sync_due_ms(&room.core, kernel.now_ms) <= kernel.now_ms);
	kernel.snapshots = 0;
	log = room_log_begin(LOG_NOTICE);
	sync_turn(&room.core, kernel.now_ms);
	room_log_end(&log, said, sizeof(said));
	assert_non_null(strstr(said, "wan fibre: 1 rule was set to another address"));
	assert_addr(kernel.rules[0].address, "81.2.69.7");
	assert_int_equal(kernel.snapshots, 0);
	hook = room_hook(&room);
	assert_int_equal(hook.event, MESSAGE_EVENT_RULES);
	assert_int_equal(hook.rules, 1);
	assert_string_equal(hook.wan, "fibre");
}

static void foreign_share_and_fight(void **state)
{
	struct foreign foreign = { 0 };
	int64_t now_ms = 1000, first_due_ms = 0;
	unsigned begun = 0;

	(void)state;
	foreign_note(&foreign, now_ms);
	assert_true(foreign_due_ms(&foreign) == now_ms);
	assert_false(foreign_looked(&foreign, now_ms, now_ms, false));
	foreign_note(&foreign, now_ms + 10);
	assert_true(foreign_due_ms(&foreign) == now_ms + 50);
	foreign_note(&foreign, now_ms + 40);
	assert_true(foreign_due_ms(&foreign) == now_ms + 50);
	/* Costly looks are spaced by what they cost. */
	assert_false(foreign_looked(&foreign, now_ms, now_ms + 100, false));
	foreign_note(&foreign, now_ms + 100);
	assert_true(foreign_due_ms(&foreign) == now_ms + 1100);
	/* Somebody flips a value back at once, for ten minutes. */
	foreign = (struct foreign){ 0 };
	for (int flips = 1; now_ms < 600000; flips++) {
		foreign_note(&foreign, now_ms);
		if (flips == 6)
			first_due_ms = foreign_due_ms(&foreign) - now_ms;
		now_ms = foreign_due_ms(&foreign);
		begun += foreign_looked(&foreign, now_ms, now_ms, true);
		assert_true(flips < 100);
	}
	assert_true(first_due_ms <= 50);
	assert_int_equal(begun, 1);
	assert_true(foreign.pause_ms > 10000);
	/* After quiet minutes everything is as it was. */
	now_ms += 10 * FOREIGN_WINDOW_MS;
	foreign_note(&foreign, now_ms);
	assert_false(foreign_looked(&foreign, now_ms, now_ms, true));
	foreign_note(&foreign, now_ms);
	assert_true(foreign_due_ms(&foreign) == now_ms + 50);
}

static void kernel_refuses(void **state)
{
	(void)state;
	room_ppp("81.2.69.7");
	fake_rule("hairpin a", "81.2.69.1");
	kernel.nft_new_fails = -EPERM;
	sync_turn(&room.core, kernel.now_ms);
	assert_non_null(strstr(room.core.sync.error, "no nf_tables"));
	/* DNS goes on. */
	assert_addr(schedule_record(room.core.schedule, 0)->record.wanted, "81.2.69.7");
	assert_true(room.core.sync.retry_ms == kernel.now_ms + 60000);
	for (int i = 0; i < 20; i++) {
		foreign_note(&room.core.sync.foreign, kernel.now_ms);
		room_wait(1000);
		sync_turn(&room.core, kernel.now_ms);
	}
	assert_int_equal(room.core.sync.rules_fault.count, 1);
	kernel.nft_new_fails = 0;
	room_wait(40000);
	sync_turn(&room.core, kernel.now_ms);
	assert_string_equal(room.core.sync.error, "");
	assert_addr(kernel.rules[0].address, "81.2.69.7");
	assert_true(room.core.sync.retry_ms == INT64_MAX);
}

static void ruleset_moves(void **state)
{
	int64_t began_ms;

	(void)state;
	room_ppp("81.2.69.7");
	fake_rule("hairpin a", "81.2.69.1");
	kernel.sync_fails = -EAGAIN;
	sync_turn(&room.core, kernel.now_ms);
	began_ms = kernel.now_ms;
	for (int i = 0; i < 5; i++) {
		assert_true(sync_due_ms(&room.core, kernel.now_ms) - kernel.now_ms <=
			    1000);
		kernel.now_ms = sync_due_ms(&room.core, kernel.now_ms);
		sync_turn(&room.core, kernel.now_ms);
	}
	assert_true(kernel.now_ms - began_ms <= 1000);
	kernel.sync_fails = 0;
	kernel.now_ms = sync_due_ms(&room.core, kernel.now_ms);
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(kernel.rules[0].address, "81.2.69.7");
}

/* An hour in which the kernel refuses, and somebody changes the ruleset every second. */
static void refused_for_an_hour(int code)
{
	static char said[1 << 16];
	struct room_log log;
	long lines = 0;

	room_begin(&room);
	room_ppp("81.2.69.7");
	fake_rule("hairpin a", "81.2.69.1");
	sync_turn(&room.core, kernel.now_ms);
	kernel.sync_fails = code;
	kernel.syncs = 0;
	room_ppp("81.2.69.8");
	log = room_log_begin(LOG_NOTICE);
	room_look(&room);
	assert_addr(schedule_record(room.core.schedule, 0)->record.wanted, "81.2.69.8");
	assert_true(schedule_due_ms(room.core.schedule, kernel.now_ms) <=
		    kernel.now_ms + 2000);
	for (int i = 0; i < 3600; i++) {
		kernel.foreign = true;
		rules_readable(&room.core);
		sync_turn(&room.core, kernel.now_ms);
		room_wait(1000);
	}
	room_log_end(&log, said, sizeof(said));
	for (const char *at = said; (at = strchr(at, '\n')); at++)
		lines++;
	figure_at_most("F66", "tries in an hour in which nft refuses, beside 3600 foreign changes",
		       kernel.syncs, 61);
	figure_holds("F66", "the record of the new address is due all the same", true);
	figure_at_most("P9", "log lines in an hour in which nft refuses", lines, 10);
	kernel.sync_fails = 0;
	room_wait(60000);
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(kernel.rules[0].address, "81.2.69.8");
	room_end(&room);
}

static void kernel_refuses_for_long(void **state)
{
	static const int codes[] = { -EPERM, -EOPNOTSUPP, -EBUSY, -ENOMEM };

	(void)state;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++)
		refused_for_an_hour(codes[i]);
}

static void snapshot_fails(void **state)
{
	(void)state;
	room_ppp("81.2.69.7");
	kernel.snapshot_fails = -EMFILE;
	log_set_level(LOG_EMERG);
	for (int i = 0; i < 5; i++)
		sync_turn(&room.core, kernel.now_ms);
	assert_int_equal(kernel.snapshots, 1);
	assert_true(sync_due_ms(&room.core, kernel.now_ms) == kernel.now_ms + 1000);
	kernel.snapshot_fails = 0;
	room_wait(1000);
	sync_turn(&room.core, kernel.now_ms);
	assert_true(room.core.sync.looked);
	assert_addr(room.core.wans[0].sides[WAN_IPV4].now.address, "81.2.69.7");
}

static void safety_net(void **state)
{
	(void)state;
	room_ppp("81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	assert_true(sync_due_ms(&room.core, kernel.now_ms) ==
		    kernel.now_ms + CORE_SAFETY_MS);
	/* With a watchdog it has no alarm of its own. */
	room.options.watchdog_ms = 30000;
	assert_true(sync_due_ms(&room.core, kernel.now_ms) == INT64_MAX);
	fake_rule("hairpin a", "81.2.69.1");	/* an event was lost */
	room_wait(30000);
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(kernel.rules[0].address, "81.2.69.1");
	room_wait(30000);
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(kernel.rules[0].address, "81.2.69.7");
}

static void former_addresses(void **state)
{
	char text[ADDR_TEXT_BYTES];
	struct addr address;

	(void)state;
	address = fake_addr("2a01:4f8::1");
	assert_true(wan_remember(&room.core.wans[0], &address));
	for (int i = 1; i <= 40; i++) {
		snprintf(text, sizeof(text), "81.2.69.%d", i);
		address = fake_addr(text);
		assert_true(wan_remember(&room.core.wans[0], &address));
	}
	assert_int_equal(room.core.wans[0].former_count, WAN_FORMER_PER_FAMILY + 1);
	assert_addr(room.core.wans[0].former[0], "81.2.69.40");
	assert_addr(room.core.wans[0].former[WAN_FORMER_PER_FAMILY], "2a01:4f8::1");
	assert_false(wan_remember(&room.core.wans[0], &address));
	address = fake_addr("0.0.0.0");
	assert_false(wan_remember(&room.core.wans[0], &address));
}

static void two_wans(void **state)
{
	struct config *config = room_config(0);

	(void)state;
	room_kernel_clear();
	config->wan_count = 2;
	config->wans[1] = config->wans[0];
	strcpy(config->wans[1].name, "lte");
	strcpy(config->wans[1].interface, "wwan0");
	config->wans[1].tag = strdup("second");
	room_begin_with(&room, config, -1);
	room_ppp("81.2.69.7");
	fake_link(9, "wwan0");
	fake_address(9, "90.1.1.1");
	fake_rule("hairpin a", "1.1.1.1");
	fake_rule("second b", "1.1.1.1");
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(kernel.rules[0].address, "81.2.69.7");
	assert_addr(kernel.rules[1].address, "90.1.1.1");
	assert_int_equal(kernel.commits, 1);
	assert_false(room.core.wans[1].has_route);
}

#define ROOM_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROOM_TEST(first_address),
		ROOM_TEST(unchanged),
		ROOM_TEST(change),
		ROOM_TEST(grace),
		ROOM_TEST(link_gone_and_back),
		ROOM_TEST(link_down_keeps_address),
		cmocka_unit_test_teardown(follows_default_route, end),
		ROOM_TEST(route_gates),
		ROOM_TEST(foreign_change),
		cmocka_unit_test(foreign_share_and_fight),
		ROOM_TEST(kernel_refuses),
		ROOM_TEST(ruleset_moves),
		cmocka_unit_test(kernel_refuses_for_long),
		ROOM_TEST(snapshot_fails),
		ROOM_TEST(safety_net),
		ROOM_TEST(former_addresses),
		cmocka_unit_test_teardown(two_wans, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
