/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names in the core: from the rules' comments to the publisher and back into the rules, the
 * state file, --once and the status.
 */
#include "core_names_room.h"

static void follows(void **state)
{
	unsigned syncs;

	(void)state;
	assert_true(take_job());
	assert_addr(kernel.rules[0].address, "192.0.2.1");	/* nothing known: it stays */
	assert_int_equal(job.record_count, 1);
	assert_string_equal(job.records[0].hostname, "web.test");
	assert_int_equal(job.records[0].family, AF_INET);
	/* The system's resolver is asked, never by a WAN's link; no secret goes along. */
	assert_string_equal(job.interface, "");
	assert_int_equal(job.server_count + job.text_bytes, 0);
	say(MESSAGE_ANSWER, "192.0.2.4", 60);
	turn();
	assert_addr(kernel.rules[0].address, "192.0.2.4");
	/* The same again: no look at the rules, the file stays as it is. */
	room_wait(1000);
	turn();
	syncs = kernel.syncs;
	assert_false(room.core.state.dirty);
	answer(MESSAGE_ANSWER, "192.0.2.4", 60);
	assert_int_equal(kernel.syncs, syncs);
	assert_false(room.core.state.dirty);
	answer(MESSAGE_ANSWER, "192.0.2.7", 60);
	assert_addr(kernel.rules[0].address, "192.0.2.7");
	assert_int_equal(kernel.syncs, syncs + 1);
	/* An error, an end of the name, and what no set may hold empty nothing. */
	answer(MESSAGE_NO_ANSWER, NULL, 0);
	answer(MESSAGE_ANSWER, NULL, 0);
	answer(MESSAGE_ANSWER, "127.0.0.1", 60);
	assert_addr(kernel.rules[0].address, "192.0.2.7");
	assert_int_equal(kernel.syncs, syncs + 1);
}

/* Between questions nothing wakes the core up but the publisher's end of work. */
static void sleeps(void **state)
{
	int64_t due_ms;

	(void)state;
	answer(MESSAGE_ANSWER, "192.0.2.4", 200);
	room_wait(5000);
	turn();
	room_wait(1000);
	assert_true(turn() == room.core.publisher.worked_ms + PUBLISHER_REST_MS);
	room_wait(PUBLISHER_REST_MS);
	due_ms = turn();
	assert_true(due_ms == names_due_ms(&room.core.names));
	assert_true(due_ms > kernel.now_ms + 130 * 1000);
}

/* The firewall is loaded again with what stands in its file. */
static void reloaded_firewall(void **state)
{
	(void)state;
	answer(MESSAGE_ANSWER, "192.0.2.4", 3600);
	kernel.rules[0].address = fake_addr("192.0.2.1");
	kernel.foreign = true;
	rules_readable(&room.core);
	room_wait(100);
	turn();
	assert_addr(kernel.rules[0].address, "192.0.2.4");
	/* Gone for a moment, and back while nobody answers. */
	kernel.rule_count = 0;
	kernel.foreign = true;
	rules_readable(&room.core);
	room_wait(100);
	turn();
	assert_true(names_due_ms(&room.core.names) == INT64_MAX);
	fake_rule("dns:web.test", "192.0.2.1");
	kernel.foreign = true;
	rules_readable(&room.core);
	room_wait(100);
	turn();
	assert_addr(kernel.rules[0].address, "192.0.2.4");
}

/* A name that changes all the time is no fight with another program. */
static void no_fight(void **state)
{
	(void)state;
	for (int i = 2; i < 40; i++) {
		char address[20];

		snprintf(address, sizeof(address), "192.0.2.%d", i);
		answer(MESSAGE_ANSWER, address, 1);
		assert_addr(kernel.rules[0].address, address);
	}
	assert_true(room.core.sync.foreign.pause_ms == 0);
}

static void lines(void **state)
{
	struct room_log log = room_log_begin(LOG_INFO);
	char text[4096];

	(void)state;
	fake_rule("dns:web.test", "192.0.2.2");
	answer(MESSAGE_ANSWER, "192.0.2.4", 60);
	answer(MESSAGE_ANSWER, "192.0.2.4", 60);
	answer(MESSAGE_ANSWER, "192.0.2.7", 60);
	for (int i = 0; i < 3; i++)
		answer(MESSAGE_ANSWER, NULL, 0);
	answer(MESSAGE_ANSWER, "192.0.2.7", 60);
	room_log_end(&log, text, sizeof(text));
	assert_non_null(strstr(text, "name web.test: 192.0.2.4; 2 sets\n"));
	assert_non_null(strstr(text, "name web.test: 192.0.2.7 replaces 192.0.2.4; 2 sets"));
	assert_non_null(strstr(text, "name web.test: has no such address; its 1 address "
				     "stays, next try in 1m\n"));
	assert_non_null(strstr(text, "name web.test: answered again, with the same 1 "
				     "address\n"));
	assert_null(strstr(strstr(text, "has no") + 1, "has no"));
	assert_null(strstr(text, "not in step"));
}

/* Who is not allowed to say something is ended; his job is given again. */
static void hostile_publisher(void **state)
{
	(void)state;
	assert_true(take_job());
	say(MESSAGE_GOOD, "192.0.2.4", 60);
	assert_int_equal(room.core.publisher.state, PUBLISHER_FAILED);
	close(far);
	far = -1;
	turn();
	assert_addr(kernel.rules[0].address, "192.0.2.1");
	room_wait(2000);
	answer(MESSAGE_ANSWER, "192.0.2.4", 60);
	assert_addr(kernel.rules[0].address, "192.0.2.4");
}

static void dies_at_work(void **state)
{
	(void)state;
	assert_true(take_job());
	close(far);
	far = -1;
	publisher_readable(&room.core, kernel.now_ms);
	assert_int_equal(room.core.publisher.state, PUBLISHER_FAILED);
	/* The next one gets the job. */
	room_wait(2000);
	assert_true(take_job());
	say(MESSAGE_ANSWER, "192.0.2.4", 60);
	turn();
	/* One that leaves when it was idle is no matter. */
	close(far);
	far = -1;
	publisher_readable(&room.core, kernel.now_ms);
	assert_int_equal(room.core.publisher.state, PUBLISHER_IDLE);
	answer(MESSAGE_ANSWER, "192.0.2.5", 60);
	assert_addr(kernel.rules[0].address, "192.0.2.5");
}

/* The kernel refuses: looked at again with the next try, and said then. */
static void kernel_refuses(void **state)
{
	(void)state;
	answer(MESSAGE_ANSWER, "192.0.2.4", 3600);
	kernel.sync_fails = -EPERM;
	kernel.foreign = true;
	rules_readable(&room.core);
	room_wait(100);
	turn();
	room.core.names.list[0]->sides[WAN_IPV4].due_ms = kernel.now_ms;
	kernel.syncs = 0;
	answer(MESSAGE_ANSWER, "192.0.2.5", 3600);
	assert_int_equal(kernel.syncs, 0);
	kernel.sync_fails = 0;
	room_wait(60 * 1000);
	turn();
	assert_addr(kernel.rules[0].address, "192.0.2.5");
}

/* --- off --- */

static void no_prefix(void **state)
{
	struct message message;

	(void)state;
	strcpy(room.core.config->nat.names, "");
	turn();
	turn();
	assert_false(publisher_is_asked_for(&message));
	assert_true(names_due_ms(&room.core.names) == INT64_MAX);
}

static struct config *config_with(const char *names, bool enabled)
{
	struct config *config = room_config(0);

	strcpy(config->nat.names, names);
	config->nat.enabled = enabled;
	return config;
}

static void reload(struct config *config)
{
	struct err err = { "" };

	assert_int_equal(core_configure(&room.core, config, &err), 0);
	room.core.sync.asked = true;
	turn();
}

static void other_prefix(void **state)
{
	(void)state;
	answer(MESSAGE_ANSWER, "192.0.2.4", 60);
	fake_rule("host=nas.test", "192.0.2.1");
	reload(config_with("host=", true));
	assert_true(take_job());
	assert_int_equal(job.record_count, 1);
	assert_string_equal(job.records[0].hostname, "nas.test");
	say(MESSAGE_ANSWER, "192.168.1.2", 60);
	turn();
	assert_addr(kernel.rules[1].address, "192.168.1.2");
	reload(config_with("", true));
	assert_true(names_due_ms(&room.core.names) == INT64_MAX);
	reload(config_with("dns:", true));
	assert_true(names_due_ms(&room.core.names) < INT64_MAX);
	reload(config_with("dns:", false));
	assert_true(names_due_ms(&room.core.names) == INT64_MAX);
}

static void dry_run(void **state)
{
	struct message message;

	(void)state;
	room.core.dry_run = dry_run_new(0);
	room.options.mode = CORE_DRY_RUN;
	sync_turn(&room.core, kernel.now_ms);
	publisher_turn(&room.core, kernel.now_ms);
	assert_false(publisher_is_asked_for(&message));
	dry_run_free(room.core.dry_run);
	room.core.dry_run = NULL;
}

/* --- the state file --- */

/* Restarted while DNS is down, and the firewall was loaded anew meanwhile. */
static void last_good_answer(void **state)
{
	(void)state;
	answer(MESSAGE_ANSWER, "192.0.2.4", 60);
	state_save(&room.core, kernel.now_ms);
	room_end(&room);
	close(far);
	far = -1;
	room_new(scratch.fd);
	turn();
	assert_addr(kernel.rules[0].address, "192.0.2.4");
	answer(MESSAGE_NO_ANSWER, NULL, 0);
	assert_addr(kernel.rules[0].address, "192.0.2.4");
}

static void written(const char *names)
{
	TEXT_CLEANUP struct text text = TEXT_INIT;

	text_addf(&text, "{\"version\":1,\"key\":\"00112233445566778899aabbccddeeff\","
		  "\"wans\":[],\"records\":[]%s}", names);
	scratch_write(&scratch, STATE_NAME, text.bytes, 0600);
	room_end(&room);
	room_new(scratch.fd);
}

static bool is_aside(void)
{
	return unlinkat(scratch.fd, STATE_NAME ".bad", 0) == 0;
}

/* Nothing in the file is believed that an answer could not have brought. */
static void strange_files(void **state)
{
	static const char *const entries[] = {
		"7", "{}", "{\"name\":\"web.test\"}", "{\"name\":\"web.test\",\"addresses\":[]}",
		"{\"name\":\"web.test\",\"addresses\":[\"127.0.0.1\"]}",
		"{\"name\":\"web.test\",\"addresses\":[null]}",
		"{\"name\":\"web.test\",\"addresses\":[\"192.0.2.4\",\"ff02::1\"]}",
		"{\"name\":\"a b\",\"addresses\":[\"192.0.2.4\"]}",
	};

	(void)state;
	written("");			/* an older one */
	assert_false(is_aside());
	assert_int_equal(room.core.names.count, 0);
	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++) {
		char text[300];

		snprintf(text, sizeof(text), ",\"names\":[%s,{\"name\":\"nas.test\","
			 "\"addresses\":[\"192.168.1.2\"]}]", entries[i]);
		written(text);
		assert_true(is_aside());
		assert_int_equal(room.core.names.count, 1);
	}
	written(",\"names\":7");
	assert_true(is_aside());
}

/* As many names as there may be, with as many addresses: the file can be read again. */
static void greatest_file(void **state)
{
	struct addr addresses[WAN_SIDES * NAMES_ADDRESSES_MAX];
	char name[MESSAGE_HOSTNAME_BYTES];
	size_t count = 0;

	(void)state;
	for (int i = 0; i < NAMES_ADDRESSES_MAX; i++) {
		char text[ADDR_TEXT_BYTES];

		snprintf(text, sizeof(text), "111.112.113.%d", 100 + i);
		addresses[count++] = fake_addr(text);
		snprintf(text, sizeof(text), "2a01:4f8:1111:2222:3333:4444:5555:66%02x", i);
		addresses[count++] = fake_addr(text);
	}
	room_end(&room);
	room_kernel_clear();
	room_begin_with(&room, room_config_greatest(), scratch.fd);
	for (int i = 0; i < NAMES_MAX; i++) {
		memset(name, 'n', sizeof(name) - 1);
		name[sizeof(name) - 1] = '\0';
		name[63] = name[127] = name[191] = '.';
		memcpy(name + snprintf(name, 10, "n%d", i), "n", 1);
		assert_true(names_restore(&room.core.names, name, addresses, count,
					  kernel.now_ms));
	}
	state_save(&room.core, kernel.now_ms);
	assert_false(room.core.state.dirty);
	room_end(&room);
	room_begin_with(&room, room_config_greatest(), scratch.fd);
	assert_false(is_aside());
	assert_in_range(room.core.names.count, 1, NAMES_MAX);
	assert_int_equal(room.core.names.list[0]->sides[WAN_IPV6].count, NAMES_ADDRESSES_MAX);
}

/* --- --once, status --- */

static void once(void **state)
{
	(void)state;
	room.options.mode = CORE_ONCE;
	turn();
	assert_false(room.core.stopping);
	answer(MESSAGE_NO_ANSWER, NULL, 0);
	assert_false(room.core.stopping);
	answer(MESSAGE_ANSWER, "192.0.2.4", 60);
	assert_addr(kernel.rules[0].address, "192.0.2.4");
	assert_true(room.core.stopping);
	assert_int_equal(room.core.exit_status, 0);
}

static void once_in_vain(void **state)
{
	struct room_log log = room_log_begin(LOG_EMERG);
	char text[1024];

	(void)state;
	room.options.mode = CORE_ONCE;
	turn();
	answer(MESSAGE_ANSWER, NULL, 0);
	room_log_end(&log, text, sizeof(text));
	assert_true(room.core.stopping);
	assert_int_equal(room.core.exit_status, 1);
	assert_string_equal(text, "hairpind: web.test: waiting: has no such address\n");
}

static void in_status(void **state)
{
	const struct json *names, *name;
	struct json_error error;
	struct json *root;
	char *text;

	(void)state;
	fake_rule("dns:web.test", "2001:db8::1");
	turn();
	assert_true(take_job());
	say(MESSAGE_ANSWER, "192.0.2.4", 60);
	turn();
	text = status_print(&room.core, kernel.now_ms);
	root = json_parse(text, strlen(text), JSON_STRICT, &error);
	names = json_get(root, "names");
	assert_int_equal(json_count(names), 1);
	name = json_child(names);
	assert_string_equal(json_string(json_get(name, "name")), "web.test");
	assert_string_equal(json_string(json_child(json_get(name, "ipv4"))), "192.0.2.4");
	assert_int_equal(json_count(json_get(name, "ipv6")), 0);
	assert_string_equal(json_string(json_get(name, "state")), "waiting");
	assert_non_null(json_string(json_get(name, "next_try")));
	assert_non_null(json_get(name, "reason"));
	json_free(root);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(follows),
		NAMES_TEST(sleeps),
		NAMES_TEST(reloaded_firewall),
		NAMES_TEST(no_fight),
		NAMES_TEST(lines),
		NAMES_TEST(hostile_publisher),
		NAMES_TEST(dies_at_work),
		NAMES_TEST(kernel_refuses),
		NAMES_TEST(no_prefix),
		NAMES_TEST(other_prefix),
		NAMES_TEST(dry_run),
		NAMES_TEST(last_good_answer),
		NAMES_TEST(strange_files),
		NAMES_TEST(greatest_file),
		NAMES_TEST(once),
		NAMES_TEST(once_in_vain),
		NAMES_TEST(in_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
