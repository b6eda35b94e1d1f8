/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The object of `hairpinctl --json status`, and the line for the service manager. */
#include "core_room.h"

static struct room room;
static char *text;
static struct json *root;

/* Prints and parses again: what comes out is always JSON. */
static const struct json *status(void)
{
	struct json_error error;

	json_free(root);
	free(text);
	root = NULL;
	text = status_print(&room.core, kernel.now_ms);
	assert_non_null(text);
	root = json_parse(text, strlen(text), JSON_STRICT, &error);
	if (!root)
		fail_msg("no JSON: %s: %s", error.text, text);
	return root;
}

static int end(void **state)
{
	(void)state;
	json_free(root);
	free(text);
	root = NULL;
	text = NULL;
	room_end(&room);
	return 0;
}

static void expect_keys(const struct json *object, const char *const *keys)
{
	size_t count = 0;

	for (; *keys; keys++, count++)
		if (!json_get(object, *keys))
			fail_msg("no \"%s\"", *keys);
	assert_int_equal(json_count(object), count);
}

static const char *string_of(const struct json *object, const char *key)
{
	const char *string = json_string(json_get(object, key));

	return string ? string : "(none)";
}

static void all_members(void **state)
{
	static const char *const top[] = { "schema", "version", "pid",   "uptime_s",
					   "publisher", "wans", "records", "names",
					   "hooks", "hooks_reason", "hooks_runner",
					   "paused_until", "log", NULL };
	static const char *const wan[] = { "name", "interface", "up", "ipv4",
					   "ipv6", "ipv6_prefix", "outside", "former",
					   "rules", NULL };
	static const char *const side[] = { "address", "class", "since", "source", NULL };
	static const char *const rules[] = { "tagged", "in_step", "skipped", "last_sync",
					     "last_commit_us", "error", "left_alone", NULL };
	static const char *const record[] = { "hostname",  "family",   "provider",
					      "wan",       "state",    "wanted",
					      "published", "verified", "last_answer",
					      "attempts",  "next_try", "reason",
					      NULL };
	const struct json *first;

	(void)state;
	room_begin(&room);
	room_ppp("81.2.69.7");
	fake_rule("hairpin a", "81.2.69.1");
	sync_turn(&room.core, kernel.now_ms);
	expect_keys(status(), top);
	first = json_child(json_get(root, "wans"));
	expect_keys(first, wan);
	expect_keys(json_get(first, "ipv4"), side);
	expect_keys(json_get(first, "rules"), rules);
	assert_int_equal(json_kind(json_get(first, "ipv6")), JSON_NULL);
	assert_int_equal(json_kind(json_get(first, "ipv6_prefix")), JSON_NULL);
	assert_string_equal(string_of(first, "interface"), "ppp0");
	assert_int_equal(json_count(json_get(first, "former")), 1);
	assert_string_equal(json_string(json_child(json_get(first, "former"))),
			    "81.2.69.1");
	assert_string_equal(string_of(json_get(first, "ipv4"), "class"), "global");
	assert_string_equal(string_of(json_get(first, "ipv4"), "source"), "interface");
	first = json_child(json_get(root, "records"));
	expect_keys(first, record);
	assert_string_equal(string_of(first, "wanted"), "81.2.69.7");
	assert_string_equal(string_of(first, "state"), "stale");
	assert_string_equal(string_of(first, "wan"), "fibre");
	assert_int_equal(json_kind(json_get(first, "published")), JSON_NULL);
}

static void not_yet_looked(void **state)
{
	const struct json *wan;

	(void)state;
	room_begin(&room);
	wan = json_child(json_get(status(), "wans"));
	assert_string_equal(string_of(wan, "interface"), "ppp0");
	assert_int_equal(json_kind(json_get(json_get(wan, "rules"), "last_sync")),
			 JSON_NULL);
	assert_int_equal(json_kind(json_get(wan, "ipv4")), JSON_NULL);
}

static void private_address(void **state)
{
	const struct json *wan;

	(void)state;
	room_begin(&room);
	room_ppp("100.64.3.4");
	sync_turn(&room.core, kernel.now_ms);
	wan = json_child(json_get(status(), "wans"));
	assert_string_equal(string_of(json_get(wan, "ipv4"), "class"), "cgnat");
	assert_string_equal(string_of(json_child(json_get(root, "records")), "state"),
			    "waiting");
	assert_true(string_of(json_child(json_get(root, "records")), "reason")[0] != '(');
}

static void rules_error(void **state)
{
	const struct json *rules;

	(void)state;
	room_begin(&room);
	room_ppp("81.2.69.7");
	kernel.sync_fails = -EPERM;
	sync_turn(&room.core, kernel.now_ms);
	rules = json_get(json_child(json_get(status(), "wans")), "rules");
	assert_string_equal(string_of(rules, "error"), "the kernel says no");
}

static void expect_left_alone(const char *wanted)
{
	const struct json *wan = json_child(json_get(status(), "wans"));
	char *shown = json_print(json_get(json_get(wan, "rules"), "left_alone"), false);

	assert_string_equal(shown, wanted);
	free(shown);
}

/* Each reason with its number, four of them; a look that failed takes nothing away. */
static void left_alone(void **state)
{
	static const char *const reasons[] = { "a", "b", "a", "c", "d", "e", "f", "a" };
	const size_t count = sizeof(reasons) / sizeof(reasons[0]);
	static const char all[] = "[{\"reason\":\"a\",\"count\":3},"
				  "{\"reason\":\"b\",\"count\":1},"
				  "{\"reason\":\"c\",\"count\":1},"
				  "{\"reason\":\"d\",\"count\":1},"
				  "{\"reason\":null,\"count\":2}]";

	(void)state;
	room_begin(&room);
	room_ppp("81.2.69.7");
	for (size_t i = 0; i < count; i++) {
		fake_rule("hairpin", "81.2.69.1");
		kernel.rules[i].left_alone = reasons[i];
	}
	sync_turn(&room.core, kernel.now_ms);
	expect_left_alone(all);
	kernel.sync_fails = -EPERM;
	room.core.sync.asked = true;
	sync_turn(&room.core, kernel.now_ms);
	expect_left_alone(all);
	kernel.sync_fails = 0;
	kernel.rule_count = 0;
	room.core.sync.asked = true;
	sync_turn(&room.core, kernel.now_ms);
	expect_left_alone("[]");
}

/* A family that nobody asked for and the WAN has not is no news. */
static void optional_family(void **state)
{
	struct config *config = room_config(1);

	(void)state;
	room_kernel_clear();
	config->providers[0].families = 0;
	room_begin_with(&room, config, -1);
	room_ppp("81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	assert_int_equal(schedule_count(room.core.schedule), 2);
	assert_int_equal(json_count(json_get(status(), "records")), 1);
	fake_address(ROOM_LINK, "2a01:4f8::7");
	room_look(&room);
	assert_int_equal(json_count(json_get(status(), "records")), 2);
}

static void many_records(void **state)
{
	(void)state;
	room_kernel_clear();
	room_begin_with(&room, room_config(500), -1);
	room_ppp("81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	assert_int_equal(json_count(json_get(status(), "records")), 500);
}

/* More than a client reads is cut, and it says so. */
static void greatest_answer(void **state)
{
	const struct json *answer;
	bool truncated = false;

	(void)state;
	room_kernel_clear();
	room_begin_with(&room, room_config_greatest(), -1);
	room_ppp("81.2.69.7");
	fake_address(ROOM_LINK, "2a01:4f8:1111:2222:3333:4444:5555:6666");
	sync_turn(&room.core, kernel.now_ms);
	answer = status();
	assert_true(json_bool(json_get(answer, "truncated"), &truncated) && truncated);
	assert_true(json_count(json_get(answer, "records")) > CONFIG_HOSTNAMES_MAX);
}

/* --- the line --- */

static const char *line(void)
{
	static char out[MESSAGE_TEXT_BYTES];

	notice_line(&room.core, out);
	return out;
}

static void lines(void **state)
{
	(void)state;
	room_begin(&room);
	room_ppp(NULL);
	sync_turn(&room.core, kernel.now_ms);
	assert_string_equal(line(), "waiting for an address on ppp0; 0 rules, 0 of 1 "
				    "name up to date");
	room_ppp("81.2.69.7");
	fake_rule("hairpin a", "81.2.69.1");
	room_look(&room);
	assert_string_equal(line(), "81.2.69.7 on ppp0; 1 rule, 0 of 1 name up to date");
	schedule_record(room.core.schedule, 0)->record.state = RECORD_CURRENT;
	assert_string_equal(line(), "81.2.69.7 on ppp0; 1 rule, 1 name up to date");
	kernel.sync_fails = -EPERM;
	room.core.sync.asked = true;
	sync_turn(&room.core, kernel.now_ms);
	assert_string_equal(line(), "81.2.69.7 on ppp0; rules not in step; 1 name up to "
				    "date");
	fake_address(ROOM_LINK, "2a01:4f8::7");
	room_look(&room);
	assert_non_null(strstr(line(), "81.2.69.7 2a01:4f8::7 on ppp0"));
}

static void long_line(void **state)
{
	struct config *config = room_config(0);

	(void)state;
	room_kernel_clear();
	config->wans = realloc(config->wans, CONFIG_WANS_MAX * sizeof(*config->wans));
	for (size_t i = 1; i < CONFIG_WANS_MAX; i++) {
		config->wans[i] = config->wans[0];
		config->wans[i].tag = strdup("x");
		snprintf(config->wans[i].interface, IFNAMSIZ,
			 "\xc3\xa4\xc3\xa4\xc3\xa4%zu", i);
	}
	config->wan_count = CONFIG_WANS_MAX;
	room_begin_with(&room, config, -1);
	sync_turn(&room.core, kernel.now_ms);
	assert_true(strlen(line()) > 200);
	notice_turn(&room.core, kernel.now_ms);
	{
		struct message_notice notice;

		/* It passes the supervisor's check, however it was cut. */
		assert_true(room_hear(&room, MESSAGE_NOTICE, &notice, sizeof(notice)));
	}
}

/*
 * Sixteen WANs on links of this name; the first one's length moves the place where the
 * line is cut.
 */
static void expect_taken(const char *name, size_t first)
{
	struct config *config = room_config(1);
	struct message_notice notice;
	struct message_hook hook;

	room_kernel_clear();
	config->wans = reallocarray(config->wans, CONFIG_WANS_MAX, sizeof(*config->wans));
	for (size_t i = 0; i < CONFIG_WANS_MAX; i++) {
		if (i > 0) {
			config->wans[i] = config->wans[0];
			config->wans[i].tag = strdup("x");
		}
		snprintf(config->wans[i].interface, IFNAMSIZ, "%s", name);
	}
	memset(config->wans[0].interface, 'x', first);
	config->wan_count = CONFIG_WANS_MAX;
	room_begin_with(&room, config, -1);
	fake_link(3, name);
	fake_address(3, "81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	hook = room_hook(&room);
	assert_int_equal(hook.event, MESSAGE_EVENT_STARTUP);
	notice_turn(&room.core, kernel.now_ms);
	assert_true(room_hear(&room, MESSAGE_NOTICE, &notice, sizeof(notice)));
	assert_true(strlen(notice.status) > 200);
	room_end(&room);
}

/* Whatever the kernel lets a link be called, the supervisor takes what is said of it. */
static void any_interface_name(void **state)
{
	static const char *const names[] = {
		"%s%n%x", "-w", "$(id)", "\\\\\\\\", "ppp\xe2\x80", "a\x01\x1b[31mb",
		"\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\x84\xc3\x96\xc3\x9cx",
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
		"\xe2\x80\xae" "0ppp", "\xf0\x9f\x92\xa9\xf0\x9f\x92\xa9",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		for (size_t first = 1; first < IFNAMSIZ; first++)
			expect_taken(names[i], first);
	room_begin(&room);
}

static void notices(void **state)
{
	struct message_notice notice;

	(void)state;
	room_begin(&room);
	room.options.watchdog_ms = 30000;
	notice_turn(&room.core, kernel.now_ms);
	assert_false(room_hear(&room, MESSAGE_NOTICE, &notice, sizeof(notice)));
	room_ppp("81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	notice_turn(&room.core, kernel.now_ms);
	assert_true(room_hear(&room, MESSAGE_NOTICE, &notice, sizeof(notice)));
	assert_true(notice.ready && !notice.done);
	assert_string_equal(notice.status, line());
	/* Nothing new: silence, but for the sign of life. */
	notice_turn(&room.core, kernel.now_ms + 29999);
	assert_false(room_hear(&room, MESSAGE_NOTICE, &notice, sizeof(notice)));
	assert_true(notice_due_ms(&room.core) == kernel.now_ms + 30000);
	room_wait(30000);
	notice_turn(&room.core, kernel.now_ms);
	assert_true(room_hear(&room, MESSAGE_NOTICE, &notice, sizeof(notice)));
	assert_string_equal(notice.status, "");
	/* A restless address is no flood of notices. */
	room_ppp("81.2.69.8");
	room_look(&room);
	notice_turn(&room.core, kernel.now_ms);
	assert_true(room_hear(&room, MESSAGE_NOTICE, &notice, sizeof(notice)));
	room_ppp("81.2.69.9");
	room_look(&room);
	notice_turn(&room.core, kernel.now_ms);
	assert_false(room_hear(&room, MESSAGE_NOTICE, &notice, sizeof(notice)));
	assert_true(notice_due_ms(&room.core) == kernel.now_ms + 1000);
	room.core.exit_status = 1;
	notice_end(&room.core);
	assert_true(room_hear(&room, MESSAGE_NOTICE, &notice, sizeof(notice)));
	assert_true(notice.done && notice.exit_status == 1);
}

#define STATUS_TEST(name) cmocka_unit_test_teardown(name, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STATUS_TEST(all_members),
		STATUS_TEST(not_yet_looked),
		STATUS_TEST(private_address),
		STATUS_TEST(rules_error),
		STATUS_TEST(left_alone),
		STATUS_TEST(optional_family),
		STATUS_TEST(many_records),
		STATUS_TEST(greatest_answer),
		STATUS_TEST(lines),
		STATUS_TEST(long_line),
		STATUS_TEST(any_interface_name),
		STATUS_TEST(notices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
