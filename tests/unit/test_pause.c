/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pause: nothing is done while it lasts, everything when it ends. And the log's level. */
#include <stdlib.h>
#include <sys/socket.h>

#include "core_room.h"
#include "scratch.h"

static struct room room;
static struct scratch scratch;

static int begin(void **state)
{
	(void)state;
	scratch_new(&scratch);
	room_kernel_clear();
	room_begin_with(&room, room_config(1), scratch.fd);
	room_ppp("81.2.69.7");
	fake_rule("hairpin a", "81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	assert_int_equal(control_new(&room.core, &room.core.control), 0);
	return 0;
}

static int end(void **state)
{
	(void)state;
	room_end(&room);
	scratch_done(&scratch);
	return 0;
}

/* What is answered to this request of root's. */
static struct json *ask(const char *request)
{
	struct client client = { .control = room.core.control, .may_change = true,
				 .out = TEXT_INIT };
	struct json_error error;
	struct json *root;

	command_run(&client, request, strlen(request), kernel.now_ms);
	root = json_parse(client.out.bytes, client.out.length, JSON_STRICT, &error);
	assert_non_null(root);
	text_done(&client.out);
	return root;
}

static void assert_refused(const char *request, const char *part)
{
	struct json *root = ask(request);
	const char *error = json_string(json_get(root, "error"));

	if (!error || !strstr(error, part))
		fail_msg("%s is answered: %s", request, error ? error : "no error");
	json_free(root);
}

static void assert_done(const char *request)
{
	struct json *root = ask(request);

	assert_null(json_get(root, "error"));
	json_free(root);
}

static void nothing_is_done(void **state)
{
	struct message_hook hook = room_hook(&room);
	unsigned commits;
	struct message message;

	(void)state;
	room_hook_done(&room, &hook);
	assert_done("{\"command\": \"pause\", \"seconds\": 600}");
	commits = kernel.commits;
	while (room_hear(&room, MESSAGE_PUBLISHER_START, &message, sizeof(message)))
		;
	room_ppp("81.2.69.8");
	room_look(&room);
	/* The address is known, and nothing follows from it. */
	assert_addr(room.core.wans[0].sides[WAN_IPV4].now.address, "81.2.69.8");
	assert_int_equal(kernel.commits, commits);
	assert_int_equal(room_hook(&room).event, 0);
	publisher_turn(&room.core, kernel.now_ms);
	assert_false(room_hear(&room, MESSAGE_PUBLISHER_START, &message,
			       sizeof(message)));
	kernel.foreign = true;
	rules_readable(&room.core);
	sync_turn(&room.core, kernel.now_ms);
	assert_int_equal(kernel.commits, commits);
	assert_refused("{\"command\": \"sync\"}", "paused until 2026-");
	assert_refused("{\"command\": \"update\"}", "hairpinctl resume");
	assert_done("{\"command\": \"plan\"}");
	assert_done("{\"command\": \"rules\"}");
	/* Nobody wakes up for what rests. */
	assert_int_equal(publisher_due_ms(&room.core, kernel.now_ms), INT64_MAX);
	assert_int_equal(events_due_ms(&room.core), INT64_MAX);
	assert_true(sync_due_ms(&room.core, kernel.now_ms) > kernel.now_ms);
	assert_int_equal(pause_due_ms(&room.core), kernel.now_ms + 600000);
	/* At its end all of it is. */
	room_wait(599999);
	pause_turn(&room.core, kernel.now_ms);
	assert_true(pause_is_on(&room.core));
	room_wait(1);
	pause_turn(&room.core, kernel.now_ms);
	assert_false(pause_is_on(&room.core));
	sync_turn(&room.core, kernel.now_ms);
	assert_addr(kernel.rules[0].address, "81.2.69.8");
	assert_int_equal(room_hook(&room).event, MESSAGE_EVENT_ADDRESS);
	publisher_turn(&room.core, kernel.now_ms);
	assert_true(room_hear(&room, MESSAGE_PUBLISHER_START, &message,
			      sizeof(message)));
}

static void failing_rules_rest(void **state)
{
	(void)state;
	kernel.sync_fails = -EPERM;
	room.core.sync.asked = true;
	sync_turn(&room.core, kernel.now_ms);
	assert_done("{\"command\": \"pause\", \"seconds\": 600}");
	kernel.syncs = 0;
	room_wait(120000);
	sync_turn(&room.core, kernel.now_ms);
	assert_int_equal(kernel.syncs, 0);
	assert_true(sync_due_ms(&room.core, kernel.now_ms) > kernel.now_ms);
	kernel.sync_fails = 0;
	assert_done("{\"command\": \"resume\"}");
	sync_turn(&room.core, kernel.now_ms);
	assert_string_equal(room.core.sync.error, "");
	assert_int_equal(kernel.syncs, 1);
}

static void test_of_a_hook(void **state)
{
	struct message_hook hook;

	(void)state;
	hook = room_hook(&room);
	room_hook_done(&room, &hook);
	assert_done("{\"command\": \"pause\", \"seconds\": 600}");
	events_rules(&room.core, 0, 1, "ruleset changed");
	assert_int_equal(events_test(&room.core, "10-note", MESSAGE_EVENT_ADDRESS), 0);
	assert_true(events_due_ms(&room.core) <= kernel.now_ms);
	hook = room_hook(&room);
	assert_string_equal(hook.only, "10-note");
	room_hook_done(&room, &hook);
	assert_int_equal(room_hook(&room).event, 0);
	assert_done("{\"command\": \"resume\"}");
	assert_int_equal(room_hook(&room).event, MESSAGE_EVENT_RULES);
}

/* Between a test's result and its end another one may be asked for: it has its own. */
static void two_tests_of_hooks(void **state)
{
	struct message_hook_result result = {
		.head = { MESSAGE_HOOK_RESULT, 0 }, .event = MESSAGE_EVENT_ADDRESS,
		.outcome = MESSAGE_HOOK_EXIT };
	struct message_hook first, second;

	(void)state;
	first = room_hook(&room);
	room_hook_done(&room, &first);
	assert_int_equal(events_test(&room.core, "10-note", MESSAGE_EVENT_ADDRESS), 0);
	first = room_hook(&room);
	assert_int_equal(events_test(&room.core, "20-note", MESSAGE_EVENT_LOST), -EBUSY);
	result.head.number = first.head.number;
	strcpy(result.name, "10-note");
	events_ran(&room.core, &result);
	assert_int_equal(events_test(&room.core, "20-note", MESSAGE_EVENT_LOST), 0);
	room_hook_done(&room, &first);
	assert_true(room.core.events.test.waits);
	second = room_hook(&room);
	assert_string_equal(second.only, "20-note");
	/* Without a result its end is the answer. */
	room_hook_done(&room, &second);
	assert_false(room.core.events.test.waits);
}

static void bounds(void **state)
{
	(void)state;
	assert_refused("{\"command\": \"pause\"}", "seconds");
	assert_refused("{\"command\": \"pause\", \"seconds\": 0}", "seconds");
	assert_refused("{\"command\": \"pause\", \"seconds\": 604801}", "seconds");
	assert_refused("{\"command\": \"pause\", \"seconds\": 1.5}", "seconds");
	assert_refused("{\"command\": \"pause\", \"seconds\": \"10m\"}", "seconds");
	assert_refused("{\"command\": \"log\", \"level\": \"loud\"}", "level");
	assert_refused("{\"command\": \"log\", \"level\": 7}", "level");
	assert_refused("{\"command\": \"log\", \"level\": \"debug\", \"seconds\": 0}",
		       "seconds");
	assert_false(pause_is_on(&room.core));
}

/* The last document saved, as the next process gets it. */
static struct json *saved(void)
{
	struct json *document = NULL;
	struct state state;
	struct err err;

	assert_int_equal(state_load(&state, room.options.state_directory, &document, &err),
			 0);
	return document;
}

static void is_shown(void **state)
{
	char line[MESSAGE_TEXT_BYTES], *text;

	(void)state;
	text = status_print(&room.core, kernel.now_ms);
	assert_non_null(strstr(text, "\"paused_until\":null,\"log\":null"));
	free(text);
	assert_done("{\"command\": \"pause\", \"seconds\": 600}");
	text = status_print(&room.core, kernel.now_ms);
	assert_non_null(strstr(text, "\"paused_until\":\"2026-01-01T00:00:00Z\""));
	free(text);
	notice_line(&room.core, line);
	assert_non_null(strstr(line, "; paused until 2026-"));
}

/* What the next process makes of it, with the clock `wall_s`: how long it still lasts. */
static int64_t left_s(int64_t wall_s)
{
	struct json *document = saved();
	struct pause before = room.core.pause, after;

	room.core.pause = (struct pause){ .seconds = 0 };
	pause_restore(&room.core, document, kernel.now_ms, wall_s);
	after = room.core.pause;
	room.core.pause = before;
	json_free(document);
	if (!after.seconds)
		return 0;
	assert_int_equal(after.until_wall_s - wall_s,
			 (after.until_ms - kernel.now_ms) / 1000);
	return (after.until_ms - kernel.now_ms) / 1000;
}

static void outlives_the_process(void **state)
{
	int64_t now_s = kernel.wall_s;

	(void)state;
	assert_done("{\"command\": \"pause\", \"seconds\": 600}");
	assert_int_equal(left_s(now_s), 600);
	assert_int_equal(left_s(now_s + 100), 500);
	assert_int_equal(left_s(now_s + 600), 0);
	assert_int_equal(left_s(now_s + 1000000), 0);
	/* A clock that jumped back, or was never set, makes it no longer. */
	assert_int_equal(left_s(now_s - 1000000), 600);
	assert_int_equal(left_s(0), 600);
	/* A step of it while we run is told the next one. */
	room_wait(100000);
	kernel.wall_s += 5000;
	pause_clock(&room.core, kernel.now_ms);
	state_save(&room.core, kernel.now_ms);
	assert_int_equal(left_s(kernel.wall_s), 500);
	assert_done("{\"command\": \"resume\"}");
	assert_int_equal(left_s(kernel.wall_s), 0);
}

static void damaged_ones_are_none(void **state)
{
	static const char *const damaged[] = {
		"{}", "{\"pause\": 1}", "{\"pause\": {\"until\": 9e15}}",
		"{\"pause\": {\"until\": 1e30, \"seconds\": 600}}",
		"{\"pause\": {\"until\": -1, \"seconds\": 600}}",
		"{\"pause\": {\"until\": 1790000100, \"seconds\": 604801}}",
		"{\"pause\": {\"until\": 1790000100, \"seconds\": -1}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
		struct json_error error;
		struct json *document = json_parse(damaged[i], strlen(damaged[i]),
						   JSON_STRICT, &error);

		pause_restore(&room.core, document, kernel.now_ms, kernel.wall_s);
		assert_false(pause_is_on(&room.core));
		json_free(document);
	}
}

static void once_does_not_obey(void **state)
{
	(void)state;
	assert_done("{\"command\": \"pause\", \"seconds\": 600}");
	room.options.mode = CORE_ONCE;
	assert_false(pause_is_on(&room.core));
	room.core.state.dirty = true;
	state_save(&room.core, kernel.now_ms);
	room.options.mode = CORE_DAEMON;
	assert_int_equal(left_s(kernel.wall_s), 600);
}

static int heard_level(void)
{
	struct message_level message;

	return room_hear(&room, MESSAGE_LEVEL, &message, sizeof(message)) ? message.level
									  : -1;
}

static void level_of_the_log(void **state)
{
	char *text;

	(void)state;
	assert_done("{\"command\": \"log\", \"level\": \"warning\", \"seconds\": 60}");
	assert_int_equal(log_level(), LOG_WARNING);
	assert_int_equal(heard_level(), LOG_WARNING);
	text = status_print(&room.core, kernel.now_ms);
	assert_non_null(strstr(text, "\"log\":{\"level\":\"warning\",\"until\":\"2026-"));
	free(text);
	/* A step of the clock is no later end: it is told by the new clock. */
	kernel.wall_s += 5000;
	level_clock(&room.core, kernel.now_ms);
	assert_int_equal(room.core.level.until_wall_s, kernel.wall_s + 60);
	room_wait(59999);
	level_turn(&room.core, kernel.now_ms);
	assert_int_equal(log_level(), LOG_WARNING);
	room_wait(1);
	level_turn(&room.core, kernel.now_ms);
	assert_int_equal(log_level(), LOG_ERR);
	assert_int_equal(heard_level(), LOG_ERR);
	assert_int_equal(level_due_ms(&room.core), INT64_MAX);
	/* Without a time it holds until a reload. */
	assert_done("{\"command\": \"log\", \"level\": \"warning\"}");
	assert_int_equal(level_due_ms(&room.core), INT64_MAX);
	level_reset(&room.core, kernel.now_ms);
	assert_int_equal(log_level(), LOG_ERR);
	/* The configured one by hand is no other one. */
	assert_done("{\"command\": \"log\", \"level\": \"err\", \"seconds\": 60}");
	text = status_print(&room.core, kernel.now_ms);
	assert_non_null(strstr(text, "\"log\":null"));
	free(text);
}

/* The supervisor hears few messages in a second: many levels must not keep it from others. */
static void many_levels_are_few_messages(void **state)
{
	unsigned told = 0;
	int last = -1, heard;

	(void)state;
	level_begin(&room.core);
	for (int i = 0; i < 1000; i++) {
		assert_done(i % 2 ? "{\"command\": \"log\", \"level\": \"warning\"}"
				  : "{\"command\": \"log\", \"level\": \"notice\"}");
		assert_done("{\"command\": \"log\", \"level\": \"warning\"}");
	}
	while ((heard = heard_level()) >= 0) {
		told++;
		last = heard;
	}
	assert_in_range(told, 1, 20);
	/* What was held back comes when there is room, and is the last that was asked for. */
	while (last != LOG_WARNING) {
		assert_true(level_due_ms(&room.core) < INT64_MAX);
		room_wait(level_due_ms(&room.core) - kernel.now_ms);
		level_turn(&room.core, kernel.now_ms);
		last = heard_level();
		assert_true(last >= 0);
	}
	assert_int_equal(level_due_ms(&room.core), INT64_MAX);
	assert_int_equal(log_level(), LOG_WARNING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_done, begin, end),
		cmocka_unit_test_setup_teardown(failing_rules_rest, begin, end),
		cmocka_unit_test_setup_teardown(test_of_a_hook, begin, end),
		cmocka_unit_test_setup_teardown(two_tests_of_hooks, begin, end),
		cmocka_unit_test_setup_teardown(bounds, begin, end),
		cmocka_unit_test_setup_teardown(is_shown, begin, end),
		cmocka_unit_test_setup_teardown(outlives_the_process, begin, end),
		cmocka_unit_test_setup_teardown(damaged_ones_are_none, begin, end),
		cmocka_unit_test_setup_teardown(once_does_not_obey, begin, end),
		cmocka_unit_test_setup_teardown(level_of_the_log, begin, end),
		cmocka_unit_test_setup_teardown(many_levels_are_few_messages, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
