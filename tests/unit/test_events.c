/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The queue of hook events: order, coalescing, what survives a restart. */
#include "core_room.h"
#include "figure.h"

static struct message_hook told(struct room *room)
{
	struct message_hook hook = room_hook(room);

	if (hook.event)
		room_hook_done(room, &hook);
	return hook;
}

/* A core that has told its start; the address is 81.2.69.7. */
static void begin_started(struct room *room)
{
	room_begin(room);
	room_ppp("81.2.69.7");
	sync_turn(&room->core, kernel.now_ms);
	assert_int_equal(told(room).event, MESSAGE_EVENT_STARTUP);
}

static void startup(void **state)
{
	struct message_hook hook;
	struct room room;

	(void)state;
	room_begin(&room);
	room_ppp(NULL);
	sync_turn(&room.core, kernel.now_ms);
	assert_int_equal(room_hook(&room).event, 0);
	room_ppp("81.2.69.7");
	room_look(&room);
	hook = told(&room);
	assert_int_equal(hook.event, MESSAGE_EVENT_STARTUP);
	assert_addr(hook.ipv4, "81.2.69.7");
	assert_true(addr_is_none(&hook.ipv6));
	assert_string_equal(hook.wan, "fibre");
	assert_string_equal(hook.interface, "ppp0");
	assert_int_equal(room_hook(&room).event, 0);
	assert_true(events_are_settled(&room.core));
	/* The other family comes later: that is a change. */
	fake_address(ROOM_LINK, "2a01:4f8::7");
	room_look(&room);
	hook = told(&room);
	assert_int_equal(hook.event, MESSAGE_EVENT_ADDRESS);
	assert_int_equal(hook.family, AF_INET6);
	assert_true(addr_is_none(&hook.old));
	assert_addr(hook.new, "2a01:4f8::7");
	room_end(&room);
}

static void change_and_loss(void **state)
{
	struct message_hook hook;
	struct room room;

	(void)state;
	begin_started(&room);
	fake_rule("hairpin a", "81.2.69.7");
	fake_rule("hairpin b", "81.2.69.7");
	room_ppp("81.2.69.8");
	room_look(&room);
	hook = told(&room);
	assert_int_equal(hook.event, MESSAGE_EVENT_ADDRESS);
	assert_addr(hook.old, "81.2.69.7");
	assert_addr(hook.new, "81.2.69.8");
	assert_int_equal(hook.family, AF_INET);
	assert_int_equal(hook.rules, 2);
	assert_int_equal(hook.generation, 2);
	room_ppp(NULL);
	room_look(&room);
	assert_int_equal(room_hook(&room).event, 0);
	room_wait(2000);
	sync_turn(&room.core, kernel.now_ms);
	hook = told(&room);
	assert_int_equal(hook.event, MESSAGE_EVENT_LOST);
	assert_addr(hook.old, "81.2.69.8");
	assert_true(addr_is_none(&hook.new));
	assert_int_equal(room_hook(&room).event, 0);
	room_end(&room);
}

static void coalesced(void **state)
{
	struct message_hook first, second;
	char text[ADDR_TEXT_BYTES];
	struct room room;

	(void)state;
	begin_started(&room);
	room_ppp("81.2.69.8");
	room_look(&room);
	first = room_hook(&room);
	assert_addr(first.new, "81.2.69.8");
	/* While that one runs, a thousand more. */
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "81.3.%d.%d", i / 200, i % 200 + 1);
		room_ppp(text);
		room_look(&room);
		assert_int_equal(room_hook(&room).event, 0);
	}
	figure_at_most("F59", "events queued after 1,000 changes while a hook runs",
		       (long)room.core.events.count, 2);
	room_hook_done(&room, &first);
	second = told(&room);
	figure_holds("F59", "the last address is told next",
		     addr_equal(&second.new, &(struct addr){ AF_INET, { 81, 3, 4, 200 } }));
	assert_int_equal(second.event, MESSAGE_EVENT_ADDRESS);
	assert_addr(second.old, "81.2.69.8");
	assert_addr(second.new, "81.3.4.200");
	assert_int_equal(room_hook(&room).event, 0);
	room_end(&room);
}

static void there_and_back(void **state)
{
	struct message_hook first;
	struct room room;

	(void)state;
	begin_started(&room);
	room_ppp("81.2.69.8");
	room_look(&room);
	first = room_hook(&room);
	room_ppp("81.2.69.9");
	room_look(&room);
	room_ppp("81.2.69.8");
	room_look(&room);
	room_hook_done(&room, &first);
	assert_int_equal(room_hook(&room).event, 0);
	assert_true(events_are_settled(&room.core));
	room_end(&room);
}

static void an_answer_of_another(void **state)
{
	struct message_hook hook, other;
	struct room room;

	(void)state;
	begin_started(&room);
	room_ppp("81.2.69.8");
	room_look(&room);
	hook = room_hook(&room);
	other = hook;
	other.head.number += 5;
	room_hook_done(&room, &other);
	assert_false(events_are_settled(&room.core));
	assert_addr(room.core.wans[0].sides[WAN_IPV4].told, "81.2.69.7");
	room_hook_done(&room, &hook);
	assert_addr(room.core.wans[0].sides[WAN_IPV4].told, "81.2.69.8");
	room_hook_done(&room, &hook);
	room_end(&room);
}

static void records(void **state)
{
	struct addr old = fake_addr("81.2.69.7"), new = fake_addr("81.2.69.8");
	struct addr newer = fake_addr("81.2.69.9");
	struct message_hook hook;
	struct room room;

	(void)state;
	begin_started(&room);
	events_record(&room.core, 0, MESSAGE_EVENT_FAILED, &old, &new,
		      "said\n\x1b[31m no");
	events_record(&room.core, 0, MESSAGE_EVENT_RECORD, &new, &newer, "");
	hook = told(&room);
	assert_int_equal(hook.event, MESSAGE_EVENT_RECORD);
	assert_string_equal(hook.hostname, "home.example.org");
	assert_string_equal(hook.provider, "dyn");
	assert_addr(hook.old, "81.2.69.7");
	assert_addr(hook.new, "81.2.69.9");
	assert_int_equal(room_hook(&room).event, 0);
	events_record(&room.core, 0, MESSAGE_EVENT_FAILED, &old, &new,
		      "said\n\x1b[31m no");
	hook = told(&room);
	assert_string_equal(hook.message, "said\\x0a\\x1b[31m no");
	room_end(&room);
}

static void bounded(void **state)
{
	struct addr none = { 0 };
	struct room room;

	(void)state;
	room_kernel_clear();
	room_begin_with(&room, room_config(EVENTS_MAX + 50), -1);
	for (size_t i = 0; i < EVENTS_MAX + 50; i++)
		events_record(&room.core, i, MESSAGE_EVENT_RECORD, &none, &none, "");
	assert_int_equal(room.core.events.count, EVENTS_MAX);
	room_end(&room);
}

static void channel_is_full(void **state)
{
	struct message_notice notice = { .head.type = MESSAGE_NOTICE };
	struct message_hook hook;
	struct room room;

	(void)state;
	begin_started(&room);
	while (supervisor_send(&room.core, &notice, sizeof(notice)) == 0)
		;
	room_ppp("81.2.69.8");
	room_look(&room);
	events_turn(&room.core, kernel.now_ms);
	assert_true(events_due_ms(&room.core) == kernel.now_ms + EVENTS_RETRY_MS);
	assert_int_equal(room_hook(&room).event, 0);	/* takes the notices */
	room_wait(EVENTS_RETRY_MS);
	hook = told(&room);
	assert_int_equal(hook.event, MESSAGE_EVENT_ADDRESS);
	room_end(&room);
}

static void without_hooks(void **state)
{
	struct config *config = room_config(1);
	struct addr none = { 0 };
	struct room room;

	(void)state;
	room_kernel_clear();
	config->hooks.directory[0] = '\0';
	room_begin_with(&room, config, -1);
	room_ppp("81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	events_record(&room.core, 0, MESSAGE_EVENT_RECORD, &none, &none, "");
	assert_int_equal(room_hook(&room).event, 0);
	assert_true(events_are_settled(&room.core));
	assert_addr(room.core.wans[0].sides[WAN_IPV4].told, "81.2.69.7");
	room_end(&room);
}

/* --- restarts: `before` is what hooks were told last --- */

static void begin_again(struct room *room, const char *before, const char *now)
{
	struct core_side *side;

	room_begin(room);
	side = &room->core.wans[0].sides[WAN_IPV4];
	side->told_known = room->core.wans[0].sides[WAN_IPV6].told_known = true;
	side->told = fake_addr(before);
	room_ppp(now);
	sync_turn(&room->core, kernel.now_ms);
}

static void again_the_same(void **state)
{
	struct room room;

	(void)state;
	begin_again(&room, "81.2.69.7", "81.2.69.7");
	assert_int_equal(told(&room).event, MESSAGE_EVENT_STARTUP);
	assert_int_equal(room_hook(&room).event, 0);
	room_end(&room);
}

static void again_another(void **state)
{
	struct message_hook hook;
	struct room room;

	(void)state;
	begin_again(&room, "81.2.69.1", "81.2.69.7");
	assert_int_equal(told(&room).event, MESSAGE_EVENT_STARTUP);
	hook = told(&room);
	assert_int_equal(hook.event, MESSAGE_EVENT_ADDRESS);
	assert_addr(hook.old, "81.2.69.1");
	assert_addr(hook.new, "81.2.69.7");
	assert_int_equal(room_hook(&room).event, 0);
	room_end(&room);
}

static void again_without_address(void **state)
{
	struct message_hook hook;
	struct room room;

	(void)state;
	begin_again(&room, "81.2.69.1", NULL);
	assert_int_equal(room_hook(&room).event, 0);
	assert_true(sync_due_ms(&room.core, kernel.now_ms) ==
		    kernel.now_ms + CORE_SILENCE_MS);
	room_wait(CORE_SILENCE_MS);
	sync_turn(&room.core, kernel.now_ms);
	hook = told(&room);
	assert_int_equal(hook.event, MESSAGE_EVENT_LOST);
	assert_addr(hook.old, "81.2.69.1");
	room_ppp("81.2.69.7");
	room_look(&room);
	assert_int_equal(told(&room).event, MESSAGE_EVENT_STARTUP);
	assert_int_equal(told(&room).event, MESSAGE_EVENT_ADDRESS);
	assert_int_equal(room_hook(&room).event, 0);
	room_end(&room);
}

static void reload_renumbers(void **state)
{
	struct config *config = room_config(3);
	struct addr old = fake_addr("81.2.69.7"), new = fake_addr("81.2.69.8");
	struct message_hook hook;
	struct err err = { "" };
	struct room room;

	(void)state;
	room_kernel_clear();
	room_begin_with(&room, room_config(3), -1);
	events_record(&room.core, 1, MESSAGE_EVENT_RECORD, &old, &new, "");
	events_record(&room.core, 2, MESSAGE_EVENT_RECORD, &old, &new, "");
	/* n1 goes, n2 becomes the first. */
	strcpy(config->providers[0].hostnames[0].name, "n2.example.org");
	config->providers[0].hostname_count = 1;
	assert_int_equal(core_configure(&room.core, config, &err), 0);
	assert_int_equal(room.core.events.count, 1);
	hook = told(&room);
	assert_string_equal(hook.hostname, "n2.example.org");
	room_end(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(startup),
		cmocka_unit_test(change_and_loss),
		cmocka_unit_test(coalesced),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(an_answer_of_another),
		cmocka_unit_test(records),
		cmocka_unit_test(bounded),
		cmocka_unit_test(channel_is_full),
		cmocka_unit_test(without_hooks),
		cmocka_unit_test(again_the_same),
		cmocka_unit_test(again_another),
		cmocka_unit_test(again_without_address),
		cmocka_unit_test(reload_renumbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
