/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that sets follow: which are asked for, and when. */
#include "names_room.h"

/* --- which are asked for, and when --- */

static void nothing_wanted(void **state)
{
	(void)state;
	assert_false(ask());
	assert_true(names_due_ms(&names) == INT64_MAX);
	look("");
	assert_true(names_due_ms(&names) == INT64_MAX);
	assert_true(names_are_settled(&names));
}

/* A new name at once, one question per family however many things name it. */
static void new_name(void **state)
{
	(void)state;
	look("web.test web.test 6:web.test nas");
	assert_false(names_are_settled(&names));
	assert_true(ask());
	assert_int_equal(job.count, 3);
	assert_true(names_is_job(job.number));
	assert_string_equal(job.questions[0].name, "web.test");
	assert_int_equal(job.questions[0].family, AF_INET);
	assert_int_equal(job.questions[1].family, AF_INET6);
	assert_string_equal(job.questions[2].name, "nas");
	assert_int_equal(names_in_flight(&names), 3);
	assert_false(ask());
	assert_string_equal(name_state_name(names.list[0]), "waiting");
	assert_int_equal(answer_of(0, MESSAGE_ANSWER, "192.0.2.4", 60), NAME_CHANGED);
	assert_int_equal(answer_of(1, MESSAGE_ANSWER, "2001:db8::4", 60), NAME_CHANGED);
	assert_string_equal(view(), "192.0.2.4 2001:db8::4");
	assert_string_equal(name_state_name(names.list[0]), "current");
	assert_int_equal(ipv4()->things, 2);
	assert_false(names_are_settled(&names));
	assert_int_equal(answer_of(2, MESSAGE_ANSWER, "192.168.1.2", 60), NAME_CHANGED);
	assert_true(names_are_settled(&names));
}

static void no_names(void **state)
{
	(void)state;
	names_look(&names);
	names_want(&names, "192.0.2.1", AF_INET);
	names_want(&names, "", AF_INET);
	names_want(&names, "a b", AF_INET);
	names_want(&names, "web.test", 0);
	assert_false(names_looked(&names, now_ms));
	assert_int_equal(names.count, 0);
}

/* The TTL, within its bounds; the same answer is no event. */
static void ttl(void **state)
{
	static const struct { uint32_t ttl_s; int64_t wait_ms; } cases[] = {
		{ 60, 60 * SECOND }, { 0, 10 * SECOND }, { 9, 10 * SECOND },
		{ 11, 11 * SECOND }, { 86399, 86399 * SECOND }, { 7 * 86400, 24 * HOUR },
	};

	(void)state;
	look("web.test");
	(void)next(MESSAGE_ANSWER, "192.0.2.4", 60);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		now_ms = names_due_ms(&names);
		assert_true(ask());
		assert_int_equal(answer(MESSAGE_ANSWER, "192.0.2.4", cases[i].ttl_s),
				 NAME_NOTHING);
		assert_true(names_due_ms(&names) == now_ms + cases[i].wait_ms);
		now_ms += cases[i].wait_ms - 1;
		assert_false(ask());
	}
}

/* --- failures --- */

/* No answer: 5 s, doubling to 10 minutes, and the addresses stay. */
static void silence(void **state)
{
	static const int64_t waits_s[] = { 5, 10, 20, 40, 80, 160, 320, 600, 600, 600 };

	(void)state;
	look("web.test");
	(void)next(MESSAGE_ANSWER, "192.0.2.4", 60);
	now_ms = names_due_ms(&names);
	assert_true(ask());
	assert_int_equal(answer(MESSAGE_NO_ANSWER, "", 0), NAME_FAILED);
	assert_string_equal(name_state_name(names.list[0]), "stale");
	for (size_t i = 0; i < sizeof(waits_s) / sizeof(*waits_s); i++) {
		int64_t due_ms = names_due_ms(&names);

		assert_in_range(due_ms - now_ms, waits_s[i] * 999, waits_s[i] * 1000);
		assert_string_equal(view(), "192.0.2.4");
		now_ms = due_ms;
		assert_true(ask());
		/* once is enough */
		assert_int_equal(answer(MESSAGE_NO_ANSWER, "", 0), NAME_NOTHING);
	}
	now_ms = names_due_ms(&names);
	assert_true(ask());
	assert_int_equal(answer(MESSAGE_ANSWER, "192.0.2.4", 60), NAME_RETURNED);
	assert_true(names_due_ms(&names) == now_ms + MINUTE);
	assert_string_equal(name_state_name(names.list[0]), "current");
	assert_string_equal(name_reason(names.list[0]), "");
	/* The next failure is a first one. */
	(void)next(MESSAGE_NO_ANSWER, "", 0);
	assert_in_range(names_due_ms(&names) - now_ms, 4999, 5000);
}

static void jitter(void **state)
{
	(void)state;
	for (uint64_t dice = 0; dice <= UINT32_MAX; dice += UINT32_MAX / 8) {
		struct message_result made;

		begin(NULL);
		look("web.test");
		assert_true(ask());
		made = result(0, MESSAGE_NO_ANSWER, "", 0);
		(void)names_answer(&names, &made, now_ms, (uint32_t)dice);
		assert_in_range(names_due_ms(&names) - now_ms, 4000, 6000);
		names_done(&names);
	}
}

/* There is nothing: a minute at least, the addresses stay. */
static void absent(void **state)
{
	static const int64_t waits_s[] = { 60, 60, 60, 60, 80, 160, 320, 600, 600 };

	(void)state;
	look("web.test");
	(void)next(MESSAGE_ANSWER, "192.0.2.4", 60);
	now_ms = names_due_ms(&names);
	assert_true(ask());
	assert_int_equal(answer(MESSAGE_ANSWER, "", 0), NAME_FAILED);
	assert_true(names_are_settled(&names));
	for (size_t i = 0; i < sizeof(waits_s) / sizeof(*waits_s); i++) {
		assert_string_equal(view(), "192.0.2.4");
		assert_in_range(next(MESSAGE_ANSWER, "", 0), waits_s[i] * 999,
				waits_s[i] * 1000);
	}
	/* silent now, and absent again: changes of mind, of which some are told */
	now_ms = names_due_ms(&names);
	assert_true(ask());
	assert_int_equal(answer(MESSAGE_NO_ANSWER, "", 0), NAME_FAILED);
	assert_false(names_are_settled(&names));
	now_ms = names_due_ms(&names);
	assert_true(ask());
	assert_int_equal(answer(MESSAGE_ANSWER, "", 0), NAME_NOTHING);
	now_ms = names_due_ms(&names);
	assert_true(ask());
	assert_int_equal(answer(MESSAGE_NO_ANSWER, "", 0), NAME_FAILED);
	now_ms = names_due_ms(&names);
	assert_true(ask());
	assert_int_equal(answer(MESSAGE_ANSWER, "192.0.2.5", 60), NAME_CHANGED);
	assert_string_equal(view(), "192.0.2.5");
}

/* No IPv6 is no fault of a name that has IPv4. */
static void one_sided(void **state)
{
	(void)state;
	look("web.test 6:web.test");
	assert_true(ask());
	(void)answer_of(0, MESSAGE_ANSWER, "192.0.2.4", 60);
	(void)answer_of(1, MESSAGE_ANSWER, "", 0);
	assert_string_equal(name_state_name(names.list[0]), "current");
	look("6:web.test");
	assert_string_equal(name_state_name(names.list[0]), "waiting");
}

static void network(void **state)
{
	(void)state;
	look("web.test other.test");
	assert_true(ask());
	(void)answer_of(0, MESSAGE_NO_ANSWER, "", 0);
	assert_true(names_lack_resolver(&names));
	(void)answer_of(1, MESSAGE_ANSWER, "192.0.2.4", 3600);
	assert_false(names_lack_resolver(&names));
	for (int i = 0; i < 8; i++)
		(void)next(MESSAGE_NO_ANSWER, "", 0);
	/* at once, but not more often than every two seconds */
	names_network(&names, now_ms);
	assert_true(names_due_ms(&names) == now_ms + 2 * SECOND);
	now_ms += 30 * SECOND;
	names_network(&names, now_ms);
	assert_true(names_due_ms(&names) <= now_ms);
	assert_true(ask());
	assert_int_equal(job.count, 1);		/* not the one that is well */
	(void)answer(MESSAGE_NO_ANSWER, "", 0);
	assert_in_range(names_due_ms(&names) - now_ms, 4999, 5000);
}

/* --- many, and none any more --- */

static void answer_all(void)
{
	for (size_t i = 0; i < job.count; i++)
		(void)answer_of(i, MESSAGE_ANSWER, "192.0.2.4", 60);
}

static void want_many(int count)
{
	char name[40];

	names_look(&names);
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "n%d.test", i);
		names_want(&names, name, AF_INET);
	}
}

static void many(void **state)
{
	size_t asked = 0;

	(void)state;
	want_many(300);
	assert_true(names_looked(&names, now_ms));
	assert_int_equal(names.count, NAMES_MAX);
	assert_string_equal(names.list[NAMES_MAX - 1]->name, "n255.test");
	/* Only so many questions at once, all the same. */
	while (names_in_flight(&names) < NAMES_AT_ONCE) {
		assert_true(ask());
		assert_int_equal(job.count, MESSAGE_RECORDS_MAX);
		asked += job.count;
	}
	assert_false(ask());
	assert_true(names_due_ms(&names) > now_ms);
	while (asked < NAMES_MAX) {
		answer_all();
		assert_true(ask());
		asked += job.count;
	}
	assert_int_equal(asked, NAMES_MAX);
	/* said once, and again after it was over */
	want_many(300);
	assert_false(names_looked(&names, now_ms));
	want_many(NAMES_MAX);
	assert_false(names_looked(&names, now_ms));
	want_many(NAMES_MAX + 1);
	assert_true(names_looked(&names, now_ms));
}

static void forgotten(void **state)
{
	(void)state;
	look("web.test never.test");
	assert_true(ask());
	(void)answer_of(0, MESSAGE_ANSWER, "192.0.2.4", 60);
	/* The firewall is loaded anew: there is nothing for a moment. */
	look("");
	assert_int_equal(names.count, 1);
	assert_true(names_due_ms(&names) == INT64_MAX);
	assert_false(name_is_wanted(names.list[0]));
	assert_string_equal(view(), "192.0.2.4");
	look("web.test");
	assert_true(names_due_ms(&names) == now_ms + MINUTE);
	look("");
	now_ms += 23 * HOUR;
	look("");
	assert_string_equal(view(), "192.0.2.4");
	now_ms += HOUR;
	look("");
	assert_int_equal(names.count, 0);
}

/* New names never push out wanted ones, and kept ones are bounded. */
static void churn(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		names_look(&names);
		for (int i = 0; i < NAMES_MAX; i++) {
			char name[40];

			snprintf(name, sizeof(name), "n%d-%d.test", round, i);
			names_want(&names, name, AF_INET);
		}
		assert_false(names_looked(&names, now_ms));
		assert_true(names.count <= 2 * NAMES_MAX);
		while (ask())
			answer_all();
		assert_true(names_are_settled(&names));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAMES_TEST(nothing_wanted),
		NAMES_TEST(new_name),
		NAMES_TEST(no_names),
		NAMES_TEST(ttl),
		NAMES_TEST(silence),
		NAMES_TEST(jitter),
		NAMES_TEST(absent),
		NAMES_TEST(one_sided),
		NAMES_TEST(network),
		NAMES_TEST(many),
		NAMES_TEST(forgotten),
		NAMES_TEST(churn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
