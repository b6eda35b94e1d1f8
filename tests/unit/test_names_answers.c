/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that sets follow: what answers may do, and what is left of them. */
#include "names_room.h"

/* Round robin changes nothing. */
static void order(void **state)
{
	(void)state;
	look("web.test");
	(void)next(MESSAGE_ANSWER, "192.0.2.9 192.0.2.4 192.0.2.7", 60);
	assert_string_equal(view(), "192.0.2.4 192.0.2.7 192.0.2.9");
	now_ms = names_due_ms(&names);
	assert_true(ask());
	assert_int_equal(answer(MESSAGE_ANSWER, "192.0.2.7 192.0.2.9 192.0.2.4 192.0.2.7", 60),
			 NAME_NOTHING);
	assert_string_equal(view(), "192.0.2.4 192.0.2.7 192.0.2.9");
}

static void change(void **state)
{
	static const char *const steps[][2] = {
		{ "192.0.2.4", "192.0.2.4" },
		{ "192.0.2.7", "192.0.2.7 replaces 192.0.2.4" },
		{ "192.0.2.7 192.0.2.8", "192.0.2.8 added" },
		{ "192.0.2.8", "192.0.2.7 gone" },
		{ "192.0.2.1 192.0.2.2", "192.0.2.1, 192.0.2.2 replace 192.0.2.8" },
		{ "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6",
		  "10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4 and 2 more replace 192.0.2.1, "
		  "192.0.2.2" },
	};

	(void)state;
	look("web.test");
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		assert_true(ask());
		assert_int_equal(answer(MESSAGE_ANSWER, steps[i][0], 7200), NAME_CHANGED);
		assert_string_equal(view(), steps[i][0]);
		assert_string_equal(ipv4()->news, steps[i][1]);
		now_ms = names_due_ms(&names);
	}
}

/* A name that gets other addresses all the time fills no log. */
static void restless(void **state)
{
	unsigned lines = 0;

	(void)state;
	look("web.test");
	for (int i = 0; i < 256; i++) {
		char text[20];

		snprintf(text, sizeof(text), "192.0.2.%d", i);
		(void)next(MESSAGE_ANSWER, text, 10);
		lines += ipv4()->news != NULL;
	}
	assert_int_equal(lines, 9);
	now_ms += 2 * HOUR;
	(void)next(MESSAGE_ANSWER, "192.0.2.1", 10);
	assert_non_null(ipv4()->news);
}

/* --- hostile answers --- */

static void what_no_set_holds(void **state)
{
	static const char *const bad[] = {
		"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.0.1", "169.254.1.1", "224.0.0.1",
		"239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1",
		"febf::1", "ff02::1", "::102:304",
	};
	static const char *const good[] = {
		"192.0.2.1", "10.0.0.1", "192.168.1.2", "100.64.0.1", "1.1.1.1",
		"223.255.255.255", "fd00::1", "2001:db8::1", "2a00::1", "64:ff9b::102:304",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct addr one = address(bad[i]);

		assert_non_null(names_refuse(&one));
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct addr one = address(good[i]);

		assert_null(names_refuse(&one));
	}
	look("web.test");
	(void)next(MESSAGE_ANSWER, "192.0.2.4 127.0.0.1", 60);
	assert_string_equal(view(), "192.0.2.4");
	assert_non_null(strstr(name_reason(names.list[0]), "127.0.0.1 is loopback"));
	now_ms = names_due_ms(&names);
	assert_true(ask());
	assert_int_equal(answer(MESSAGE_ANSWER, "0.0.0.0 224.0.0.1", 60), NAME_FAILED);
	assert_string_equal(view(), "192.0.2.4");
	assert_true(names_due_ms(&names) >= now_ms + MINUTE);
	assert_string_equal(name_state_name(names.list[0]), "stale");
}

static bool may(struct message_result made)
{
	return names_may_answer(&names, &made);
}

static void impossible(void **state)
{
	struct message_result good, made;

	(void)state;
	look("web.test");
	assert_true(ask());
	good = result(0, MESSAGE_ANSWER, "192.0.2.4", 60);
	assert_true(may(good));
	made = good, made.verdict = MESSAGE_GOOD;
	assert_false(may(made));
	made = good, made.verdict = MESSAGE_NO_PROOF;
	assert_false(may(made));
	made = good, made.verdict = MESSAGE_NO_ANSWER;
	assert_false(may(made));
	made = good, made.addresses[0] = address("2001:db8::1");
	assert_false(may(made));
	made = good, made.record = 0;
	assert_false(may(made));
	made = good, made.record = 77;
	assert_false(may(made));
	/* of another job: late at best, and nothing comes of it */
	made = good, made.head.number++;
	assert_true(may(made));
	assert_int_equal(names_answer(&names, &made, now_ms, 0).event, NAME_NOTHING);
	assert_string_equal(view(), "");
	assert_int_equal(names_answer(&names, &good, now_ms, 0).event, NAME_CHANGED);
	assert_false(may(good));	/* twice */
	assert_int_equal(names_answer(&names, &good, now_ms, 0).event, NAME_NOTHING);
}

/* --- the publisher, and what comes late --- */

static void publisher_gone(void **state)
{
	struct message_result late;

	(void)state;
	look("web.test");
	assert_true(ask());
	late = result(0, MESSAGE_ANSWER, "192.0.2.4", 60);
	names_lost(&names, now_ms);
	assert_int_equal(names_in_flight(&names), 0);
	assert_true(names_due_ms(&names) == now_ms);
	assert_true(ask());
	assert_true(may(late));
	assert_int_equal(names_answer(&names, &late, now_ms, 0).event, NAME_NOTHING);
	names_unsent(&names, job.number, now_ms);
	assert_true(ask());
	/* One that never answers is not waited for for ever. */
	assert_true(names_due_ms(&names) > now_ms + NAMES_JOB_MS);
	now_ms = names_due_ms(&names);
	assert_true(ask());
	assert_int_equal(names_in_flight(&names), 1);
	assert_int_equal(answer(MESSAGE_ANSWER, "192.0.2.4", 60), NAME_CHANGED);
}

/* An answer that comes while nothing names it is kept, and no event. */
static void unwanted_answer(void **state)
{
	(void)state;
	look("web.test");
	(void)next(MESSAGE_ANSWER, "192.0.2.4", 60);
	now_ms = names_due_ms(&names);
	assert_true(ask());
	look("");
	look("web.test");
	look("");
	assert_int_equal(answer(MESSAGE_ANSWER, "192.0.2.5", 60), NAME_NOTHING);
	look("web.test");
	assert_string_equal(view(), "192.0.2.5");
	assert_true(names_due_ms(&names) == now_ms + MINUTE);
	/* One that never comes is waited for no longer than others. */
	now_ms += MINUTE;
	assert_true(ask());
	look("");
	now_ms = names_due_ms(&names);
	assert_false(ask());
	assert_int_equal(names_in_flight(&names), 0);
	assert_true(names_due_ms(&names) == INT64_MAX);
}

/* --- the state file's --- */

static void restored(void **state)
{
	struct addr last[] = { address("192.0.2.9"), address("192.0.2.4"),
			       address("127.0.0.1"), address("2001:db8::4"),
			       address("192.0.2.4"), { 0 } };

	(void)state;
	assert_true(names_restore(&names, "web.test", last, 6, now_ms));
	assert_false(names_restore(&names, "web.test", last, 1, now_ms));
	assert_false(names_restore(&names, "a b", last, 1, now_ms));
	/* The first look at the rules has them already. */
	assert_string_equal(view(), "192.0.2.4 192.0.2.9 2001:db8::4");
	assert_false(ask());
	look("web.test");
	assert_string_equal(name_state_name(names.list[0]), "stale");
	assert_true(ask());
	assert_int_equal(answer(MESSAGE_NO_ANSWER, "", 0), NAME_FAILED);
	assert_string_equal(view(), "192.0.2.4 192.0.2.9 2001:db8::4");
	now_ms = names_due_ms(&names);
	assert_true(ask());
	assert_int_equal(answer(MESSAGE_ANSWER, "192.0.2.4 192.0.2.9", 60), NAME_RETURNED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(order),
		NAMES_TEST(change),
		NAMES_TEST(restless),
		NAMES_TEST(what_no_set_holds),
		NAMES_TEST(impossible),
		NAMES_TEST(publisher_gone),
		NAMES_TEST(unwanted_answer),
		NAMES_TEST(restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
