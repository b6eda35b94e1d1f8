/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The prefix of another link: with "keep" IPv6 rules follow it, and the addresses of names with
 * a suffix are made of it. What other names get is the WAN's own address.
 */
#include "core_room.h"
#include "scratch.h"

enum { LAN_LINK = 3 };

static struct config *keep_config(const char *prefix_from, unsigned bits)
{
	struct config *config = room_config(1);

	config->wans[0].keep_bits = bits;
	strcpy(config->wans[0].prefix_from, prefix_from);
	return config;
}

/* ppp0 with both families, and br0 with this address; NULL: br0 is not there. */
static void links(const char *lan)
{
	room_ppp("81.2.69.7");
	fake_address(ROOM_LINK, "2a00:ffff::7");
	if (!lan)
		return;
	fake_link(LAN_LINK, "br0");
	fake_address(LAN_LINK, lan);
}

static void begin(struct room *room, unsigned bits)
{
	room_kernel_clear();
	room_begin_with(room, keep_config("br0", bits), -1);
	links("2a00:1:2:3::1");
	fake_rule("hairpin nas", "2a00:1:2:3::10");
	fake_rule("hairpin four", "81.2.69.7");
}

#define prefix_of(room) ((room)->core.wans[0].prefix.now.address)

/* The event startup, and what follows from it, is heard. */
static void hear_startup(struct room *room)
{
	struct message_hook hook = room_hook(room);

	assert_int_equal(hook.event, MESSAGE_EVENT_STARTUP);
	room_hook_done(room, &hook);
	assert_int_equal(room_hook(room).event, 0);
}

static void rules_follow(void **state)
{
	struct message_hook hook;
	struct room_log log;
	struct room room;
	char said[512];

	(void)state;
	begin(&room, 64);
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(prefix_of(&room), "2a00:1:2:3::");
	assert_int_equal(kernel.commits, 0);
	hear_startup(&room);

	links("2a00:9:8:7::1");
	log = room_log_begin(LOG_NOTICE);
	room_look(&room);
	room_log_end(&log, said, sizeof(said));
	assert_non_null(strstr(said, "wan fibre: IPv6 prefix 2a00:9:8:7::/64 replaces "
				     "2a00:1:2:3::/64; 1 rule rewritten in "));
	assert_null(strstr(said, "not in step"));	/* said once */
	assert_addr(kernel.rules[0].address, "2a00:9:8:7::10");
	assert_addr(kernel.rules[1].address, "81.2.69.7");
	assert_int_equal(kernel.commits, 1);
	/* What is published is another matter. */
	assert_addr(room.core.wans[0].sides[WAN_IPV6].now.address, "2a00:ffff::7");
	hook = room_hook(&room);
	assert_int_equal(hook.event, MESSAGE_EVENT_RULES);
	assert_int_equal(hook.rules, 1);
	assert_string_equal(hook.reason, "new IPv6 prefix");
	room_hook_done(&room, &hook);
	assert_int_equal(room_hook(&room).event, 0);
	/* Connections of prefixes are nobody's address. */
	assert_int_equal(kernel.forgot_old, 0);
	room_end(&room);
}

static void same_prefix(void **state)
{
	struct room room;

	(void)state;
	begin(&room, 64);
	sync_turn(&room.core, kernel.now_ms);
	kernel.syncs = 0;
	room.core.state.dirty = false;
	links("2a00:1:2:3::2");
	room_look(&room);
	/* The WAN's own address is none of the rules' business, but it is published. */
	kernel.addresses[1].address = fake_addr("2a00:ffff::8");
	assert_int_equal(kernel.syncs, 0);
	assert_false(room.core.state.dirty);
	room_look(&room);
	assert_addr(room.core.wans[0].sides[WAN_IPV6].now.address, "2a00:ffff::8");
	assert_addr(kernel.rules[0].address, "2a00:1:2:3::10");
	assert_int_equal(room.core.wans[0].former_count, 0);
	room_end(&room);
}

static void link_vanishes(void **state)
{
	struct room_log log;
	struct room room;
	char said[512];

	(void)state;
	begin(&room, 56);
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(prefix_of(&room), "2a00:1:2::");
	links(NULL);
	room_look(&room);
	assert_addr(prefix_of(&room), "2a00:1:2::");
	assert_true(sync_due_ms(&room.core, kernel.now_ms) == kernel.now_ms + 2000);
	room_wait(2000);
	log = room_log_begin(LOG_NOTICE);
	sync_turn(&room.core, kernel.now_ms);
	room_log_end(&log, said, sizeof(said));
	assert_non_null(strstr(said, "IPv6 prefix 2a00:1:2::/56 lost, no other; rules "
				     "keep it"));
	assert_true(addr_is_none(&room.core.wans[0].prefix.now.address));
	assert_addr(kernel.rules[0].address, "2a00:1:2:3::10");
	/* It comes back with another one: the low 72 bits stay. */
	links("2a00:9:8:700::1");
	room_look(&room);
	assert_addr(kernel.rules[0].address, "2a00:9:8:703::10");
	assert_addr(room.core.wans[0].former[0], "2a00:1:2::");
	assert_int_equal(room.core.wans[0].former_count, 1);
	room_end(&room);
}

/* What a rule taught is remembered as a prefix, the WAN's own addresses never are. */
static void former_prefixes(void **state)
{
	const struct core_wan *wan;
	struct room room;

	(void)state;
	begin(&room, 64);
	wan = &room.core.wans[0];
	kernel.rules[0].address = fake_addr("2a00:5:5:5::10");
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(kernel.rules[0].address, "2a00:1:2:3::10");
	assert_int_equal(wan->former_count, 1);
	assert_addr(wan->former[0], "2a00:5:5:5::");
	for (int i = 0; i < 3 * WAN_FORMER_PER_FAMILY; i++) {
		char text[ADDR_TEXT_BYTES];

		snprintf(text, sizeof(text), "2a00:%x::1", i + 1);
		links(text);
		kernel.addresses[1].address = fake_addr(text);
		room_look(&room);
	}
	assert_int_equal(wan->former_count, WAN_FORMER_PER_FAMILY);
	for (size_t i = 0; i < wan->former_count; i++)
		assert_int_equal(wan->former[i].bytes[15], 0);
	assert_addr(wan->former[0], "2a00:2f::");
	room_end(&room);
}

static void own_link(void **state)
{
	struct room room;

	(void)state;
	room_kernel_clear();
	room_begin_with(&room, keep_config("", 64), -1);
	links("2a00:1:2:3::1");
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(prefix_of(&room), "2a00:ffff::");
	room_end(&room);
}

static void restart(void **state)
{
	struct scratch scratch;
	struct room room;

	(void)state;
	assert_int_equal(scratch_new(&scratch), 0);
	room_kernel_clear();
	room_begin_with(&room, keep_config("br0", 64), scratch.fd);
	links("2a00:1:2:3::1");
	sync_turn(&room.core, kernel.now_ms);
	links("2a00:9:8:7::1");
	room_look(&room);
	state_save(&room.core, kernel.now_ms);
	room_end(&room);
	/* While nobody ran there came a third one. */
	room_begin_with(&room, keep_config("br0", 64), scratch.fd);
	assert_addr(room.core.wans[0].prefix.saved, "2a00:9:8:7::");
	links("2a00:4:4:4::1");
	sync_turn(&room.core, kernel.now_ms);
	assert_int_equal(kernel.formers_seen, 2);
	assert_addr(room.core.wans[0].former[0], "2a00:9:8:7::");
	assert_addr(room.core.wans[0].former[1], "2a00:1:2:3::");
	room_end(&room);
	/* Back again before the last one was known: it is since when it was saved. */
	room_wait(5000);
	room_begin_with(&room, keep_config("br0", 64), scratch.fd);
	links("2a00:9:8:7::1");
	sync_turn(&room.core, kernel.now_ms);
	assert_true(room.core.wans[0].prefix.now.since_wall_s == kernel.wall_s - 5);
	room_end(&room);
	scratch_done(&scratch);
}

static void reload(void **state)
{
	struct err err = { "" };
	struct room room;

	(void)state;
	begin(&room, 64);
	sync_turn(&room.core, kernel.now_ms);
	/* Shorter: the same rules, and nothing is former. */
	assert_int_equal(core_configure(&room.core, keep_config("br0", 56), &err), 0);
	room_look(&room);
	assert_addr(prefix_of(&room), "2a00:1:2::");
	assert_int_equal(room.core.wans[0].former_count, 0);
	assert_int_equal(kernel.commits, 0);
	/* Another link: what rules followed until now is a former one. */
	fake_link(4, "br1");
	fake_address(4, "2a00:1:3:300::1");
	assert_int_equal(core_configure(&room.core, keep_config("br1", 56), &err), 0);
	room_look(&room);
	assert_addr(room.core.wans[0].former[0], "2a00:1:2::");
	assert_addr(kernel.rules[0].address, "2a00:1:3:303::10");
	/* As it was: whole addresses. */
	assert_int_equal(core_configure(&room.core, room_config(1), &err), 0);
	room.core.sync.asked = true;
	room_look(&room);
	assert_addr(kernel.rules[0].address, "2a00:ffff::7");
	room_end(&room);
}

static void status_shows_it(void **state)
{
	struct json_error error;
	const struct json *wan;
	struct json *root;
	struct room room;
	char *text;

	(void)state;
	begin(&room, 64);
	sync_turn(&room.core, kernel.now_ms);
	text = status_print(&room.core, kernel.now_ms);
	root = json_parse(text, strlen(text), JSON_STRICT, &error);
	wan = json_child(json_get(root, "wans"));
	assert_string_equal(json_string(json_get(json_get(wan, "ipv6_prefix"), "prefix")),
			    "2a00:1:2:3::/64");
	assert_non_null(json_string(json_get(json_get(wan, "ipv6_prefix"), "since")));
	assert_string_equal(json_string(json_get(json_get(wan, "ipv6"), "address")),
			    "2a00:ffff::7");
	json_free(root);
	free(text);
	room_end(&room);
}

/* home, with the WAN's own addresses, and the host nas behind br0. */
static struct config *suffix_config(unsigned bits)
{
	struct config *config = room_config(2);
	struct config_provider *provider = &config->providers[0];

	provider->families = 0;
	strcpy(config->wans[0].prefix_from, "br0");
	config->wans[0].prefix_bits = bits;
	config->wans[0].has_hosts = true;
	strcpy(provider->hostnames[1].name, "nas.example.org");
	assert_true(addr_parse("::211:22ff:fe33:4455",
			       &provider->hostnames[1].ipv6_suffix));
	return config;
}

static const struct schedule_record *record_of(struct room *room, const char *hostname,
					       int family)
{
	int index = schedule_find(room->core.schedule, "dyn", hostname, family);

	assert_true(index >= 0);
	return schedule_record(room->core.schedule, (size_t)index);
}

#define wanted(room, hostname, family) (record_of(room, hostname, family)->record.wanted)

static void names_with_a_suffix(void **state)
{
	struct room_log log;
	struct room room;
	char said[1024];

	(void)state;
	room_kernel_clear();
	room_begin_with(&room, suffix_config(64), -1);
	links("2a00:1:2:3::1");
	fake_rule("hairpin nas", "2a00:ffff::7");
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(wanted(&room, "nas.example.org", AF_INET6),
		    "2a00:1:2:3:211:22ff:fe33:4455");
	assert_addr(wanted(&room, "nas.example.org", AF_INET), "81.2.69.7");
	assert_addr(wanted(&room, "home.example.org", AF_INET6), "2a00:ffff::7");

	links("2a00:9:8:7::1");
	log = room_log_begin(LOG_NOTICE);
	room_look(&room);
	room_log_end(&log, said, sizeof(said));
	assert_non_null(strstr(said, "wan fibre: IPv6 prefix 2a00:9:8:7::/64 replaces "
				     "2a00:1:2:3::/64; 1 record to update"));
	assert_addr(wanted(&room, "nas.example.org", AF_INET6),
		    "2a00:9:8:7:211:22ff:fe33:4455");
	assert_addr(wanted(&room, "home.example.org", AF_INET6), "2a00:ffff::7");
	/* Rules without "keep" have nothing to do with it. */
	assert_int_equal(kernel.commits, 0);
	assert_addr(kernel.rules[0].address, "2a00:ffff::7");
	assert_int_equal(room.core.wans[0].former_count, 0);
	room_end(&room);
}

static void names_lose_their_prefix(void **state)
{
	struct err err = { "" };
	struct room room;

	(void)state;
	room_kernel_clear();
	room_begin_with(&room, suffix_config(56), -1);
	links("2a00:1:2:3a5::1");
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(wanted(&room, "nas.example.org", AF_INET6),
		    "2a00:1:2:300:211:22ff:fe33:4455");
	/* Another length, by a reload. */
	assert_int_equal(core_configure(&room.core, suffix_config(64), &err), 0);
	room_look(&room);
	assert_addr(wanted(&room, "nas.example.org", AF_INET6),
		    "2a00:1:2:3a5:211:22ff:fe33:4455");
	/* Unique-local addresses are nobody's delegated prefix. */
	links("fd00:1:2:3::1");
	room_look(&room);
	room_wait(2000);
	sync_turn(&room.core, kernel.now_ms);
	assert_true(addr_is_none(&wanted(&room, "nas.example.org", AF_INET6)));
	assert_addr(wanted(&room, "home.example.org", AF_INET6), "2a00:ffff::7");
	assert_int_equal(record_of(&room, "nas.example.org", AF_INET6)->record.state,
			 RECORD_WAITING);
	assert_string_equal(schedule_reason(room.core.schedule, (size_t)schedule_find(
				    room.core.schedule, "dyn", "nas.example.org", AF_INET6)),
			    "no delegated IPv6 prefix for the host's address");
	room_end(&room);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_follow),
		cmocka_unit_test(same_prefix),
		cmocka_unit_test(link_vanishes),
		cmocka_unit_test(former_prefixes),
		cmocka_unit_test(own_link),
		cmocka_unit_test(restart),
		cmocka_unit_test(reload),
		cmocka_unit_test(status_shows_it),
		cmocka_unit_test(names_with_a_suffix),
		cmocka_unit_test(names_lose_their_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
