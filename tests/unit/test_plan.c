/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `hairpinctl plan`: what would change is told, and nothing is changed. */
#include <sys/socket.h>

#include "core_room.h"

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

static struct json *plan(const char *address)
{
	struct addr supposed = fake_addr(address);
	struct json_error error;
	struct err err = { "" };
	struct json *root;
	char *text;

	if (plan_print(&room.core, address ? &supposed : NULL, kernel.now_ms, &text,
		       &err) < 0)
		fail_msg("no plan: %s", err.text);
	/* What was supposed is forgotten with the answer. */
	assert_ptr_equal(room.core.targets[0].former, room.core.wans[0].former);
	root = json_parse(text, strlen(text), JSON_STRICT, &error);
	if (!root)
		fail_msg("no JSON: %s: %s", error.text, text);
	free(text);
	return root;
}

static int64_t number(const struct json *root, const char *key)
{
	int64_t value = -1;

	(void)json_integer(json_get(root, key), 0, INT32_MAX, &value);
	return value;
}

static void assert_member(const struct json *object, const char *key, const char *value)
{
	const char *is = json_string(json_get(object, key));

	if (!value)
		assert_int_equal(json_kind(json_get(object, key)), JSON_NULL);
	else
		assert_string_equal(is ? is : "(none)", value);
}

/* Since the start everything is as it should be, and the provider holds the address. */
static void settle(void)
{
	struct schedule_record *of;
	struct addr now = fake_addr("81.2.69.7");

	room_ppp("81.2.69.7");
	fake_rule("hairpin a", "81.2.69.7");
	fake_rule("hairpin six", "2a01:4f8::1");
	sync_turn(&room.core, kernel.now_ms);
	of = schedule_record(room.core.schedule, 0);
	of->record.published = now;
	of->record.verified = true;
	of->record.must_look = false;
	schedule_address(room.core.schedule, 0, AF_INET, &(struct addr){ 0 },
			 kernel.now_ms);
	schedule_address(room.core.schedule, 0, AF_INET, &now, kernel.now_ms);
	assert_int_equal(of->record.state, RECORD_CURRENT);
}

static void nothing_is_pending(void **state)
{
	const struct json *record;
	struct json *root;

	(void)state;
	settle();
	root = plan(NULL);
	assert_int_equal(number(root, "schema"), 1);
	assert_member(root, "address", NULL);
	assert_int_equal(number(root, "pending"), 0);
	assert_int_equal(number(root, "in_step"), 1);
	/* The one of IPv6, left alone, says why. */
	assert_int_equal(json_count(json_get(root, "rules")), 1);
	assert_member(json_child(json_get(root, "rules")), "result", "skipped");
	record = json_child(json_get(root, "records"));
	assert_member(record, "hostname", "home.example.org");
	assert_member(record, "action", "none");
	json_free(root);
}

static void pending_is_told(void **state)
{
	unsigned commits;
	const struct json *rule;
	struct json *root;

	(void)state;
	settle();
	commits = kernel.commits;
	kernel.rules[0].address = fake_addr("9.9.9.9");
	schedule_record(room.core.schedule, 0)->record.published = fake_addr("9.9.9.9");
	room_ppp("81.2.69.8");
	schedule_address(room.core.schedule, 0, AF_INET,
			 &(struct addr){ .family = AF_INET, .bytes = { 81, 2, 69, 8 } },
			 kernel.now_ms);
	root = plan(NULL);
	assert_int_equal(number(root, "pending"), 2);
	rule = json_child(json_get(root, "rules"));
	assert_member(rule, "result", "changed");
	assert_member(rule, "wan", "fibre");
	assert_member(rule, "old", "9.9.9.9");
	assert_member(rule, "new", "81.2.69.7");
	assert_member(json_child(json_get(root, "records")), "action", "update");
	json_free(root);
	assert_int_equal(kernel.commits, commits);
	assert_addr(kernel.rules[0].address, "9.9.9.9");
	assert_int_equal(room.core.wans[0].former_count, 0);
}

static void address_is_supposed(void **state)
{
	struct record before;
	struct json *root;

	(void)state;
	settle();
	before = schedule_record(room.core.schedule, 0)->record;
	root = plan("81.2.69.9");
	assert_member(root, "address", "81.2.69.9");
	assert_int_equal(number(root, "pending"), 2);
	assert_member(json_child(json_get(root, "rules")), "old", "81.2.69.7");
	assert_member(json_child(json_get(root, "rules")), "new", "81.2.69.9");
	assert_member(json_child(json_get(root, "records")), "published", "81.2.69.7");
	assert_member(json_child(json_get(root, "records")), "wanted", "81.2.69.9");
	assert_member(json_child(json_get(root, "records")), "action", "update");
	json_free(root);
	/* What the WAN has now counts as a former one. */
	assert_int_equal(kernel.formers_seen, 1);
	assert_memory_equal(&before, &schedule_record(room.core.schedule, 0)->record,
			    sizeof(before));
	/* It is forgotten again. */
	root = plan(NULL);
	assert_int_equal(number(root, "pending"), 0);
	json_free(root);
}

static void other_family_is_supposed(void **state)
{
	struct json *root;

	(void)state;
	settle();
	root = plan("2a01:4f8::9");
	assert_int_equal(number(root, "pending"), 1);
	assert_member(json_child(json_get(root, "rules")), "new", "2a01:4f8::9");
	assert_member(json_child(json_get(root, "records")), "action", "none");
	json_free(root);
}

static void refusal_is_no_plan(void **state)
{
	struct addr six = fake_addr("2a01:4f8::9");
	struct err err = { "" };
	char *text = NULL;

	(void)state;
	settle();
	room.core.config->wans[0].ipv6 = CONFIG_OFF;
	assert_int_equal(plan_print(&room.core, &six, kernel.now_ms, &text, &err),
			 -EAFNOSUPPORT);
	assert_string_equal(err.text, "IPv6 is off for every WAN");
	kernel.sync_fails = -EPERM;
	assert_int_equal(plan_print(&room.core, NULL, kernel.now_ms, &text, &err),
			 -EPERM);
	assert_null(text);
}

static void blocked_is_not_pending(void **state)
{
	const struct json *record;
	struct json *root;

	(void)state;
	settle();
	/* An address that is not global is published nowhere. */
	root = plan("192.168.1.7");
	assert_int_equal(number(root, "pending"), 1);
	record = json_child(json_get(root, "records"));
	assert_member(record, "action", "blocked");
	assert_non_null(strstr(json_string(json_get(record, "reason")), "not global") ?:
			strstr(json_string(json_get(record, "reason")), "not a global"));
	json_free(root);
	record_refuse(&schedule_record(room.core.schedule, 0)->record, MESSAGE_BADAUTH,
		      "wrong password");
	root = plan("81.2.69.9");
	assert_int_equal(number(root, "pending"), 1);
	assert_member(json_child(json_get(root, "records")), "action", "blocked");
	assert_member(json_child(json_get(root, "records")), "reason",
		      "badauth: wrong password");
	json_free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_pending, begin, end),
		cmocka_unit_test_setup_teardown(pending_is_told, begin, end),
		cmocka_unit_test_setup_teardown(address_is_supposed, begin, end),
		cmocka_unit_test_setup_teardown(other_family_is_supposed, begin, end),
		cmocka_unit_test_setup_teardown(refusal_is_no_plan, begin, end),
		cmocka_unit_test_setup_teardown(blocked_is_not_pending, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
