/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source over many starts of the program and of the machine, in virtual time: who starts
 * anew asks no more than who goes on, and takes what still holds without asking.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "core/source.h"
#include "figure.h"
#include "hairpin/order.h"

enum {
	SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR,
	PLACES = 5, ASKED_MAX = 4000,
};

#define WALL INT64_C(1790000000)
#define X "81.2.69.7"
#define Y "81.2.69.8"
#define INNER "192.168.1.2"

static struct source source;
static struct config_outside outside;
static struct source_saved saved;
static bool has_saved;
static int64_t true_ms;			/* goes on whatever happens */
static int64_t up_ms, wall_s;		/* the clocks of the machine */
static uint32_t last_job;
static int64_t asked_ms[ASKED_MAX];	/* by true_ms */
static size_t asked_place[ASKED_MAX];
static size_t asked;

static int begin(void **state)
{
	(void)state;
	memset(&outside, 0, sizeof(outside));
	outside.place_count = PLACES;
	outside.agree = 2;
	for (size_t i = 0; i < PLACES; i++)
		snprintf(outside.places[i].where, CONFIG_URL_BYTES,
			 "https://%c.example.net/ip", (char)('a' + i));
	has_saved = false;
	true_ms = 0;
	up_ms = 7 * (int64_t)DAY;
	wall_s = WALL;
	asked = last_job = 0;
	return 0;
}

static void pass(int64_t ms)
{
	true_ms += ms;
	up_ms += ms;
	wall_s += ms / 1000;
}

/* The machine was off for so long; we start 20 seconds after it. */
static void boot(int64_t off_ms)
{
	pass(off_ms);
	up_ms = 0;
	pass(20 * SECOND);
}

static void save(void)
{
	source_save(&source, up_ms, wall_s, &saved);
	assert_true(source_saved_ok(&saved, AF_INET));
	has_saved = true;
}

static void start_on(const char *inner, uint32_t link)
{
	struct source_sight sight = { .able = true, .link = link };

	assert_true(addr_parse(inner, &sight.inner));
	source_init(&source, AF_INET, CONFIG_HTTP, &outside);
	if (has_saved)
		source_restore(&source, &saved, up_ms, wall_s);
	source_observe(&source, &sight, up_ms);
}

static void start(void)
{
	start_on(INNER, 7);
}

/* One question, noted as the core does it; -1: none is due. */
static int ask(void)
{
	struct source_question question;

	if (!source_next(&source, up_ms, ++last_job | SOURCE_JOB, &question))
		return -1;
	assert_true(asked < ASKED_MAX);
	asked_place[asked] = question.place;
	asked_ms[asked++] = true_ms;
	save();
	return (int)question.place;
}

static void answer(int place, enum message_verdict verdict, const char *address)
{
	struct message_result result = {
		.head = { MESSAGE_RESULT, source.places[place].job },
		.verdict = verdict,
		.retry_after_s = verdict == MESSAGE_RATE_LIMITED ? 7200 : 0,
	};

	if (address) {
		assert_true(addr_parse(address, &result.addresses[0]));
		result.address_count = 1;
	}
	(void)source_answer(&source, &result, up_ms, 0x80000000);
	save();
}

/* All that is due just now; NULL: nobody says anything of use. How many were asked. */
static size_t look(const char *address)
{
	size_t before = asked;
	int place;

	while ((place = ask()) >= 0)
		answer(place, address ? MESSAGE_ANSWER : MESSAGE_NO_ANSWER, address);
	return asked - before;
}

static const char *held(void)
{
	static char text[ADDR_TEXT_BYTES];

	return addr_format(&source.address, text);
}

static void assert_polite(void)
{
	int64_t last_ms[PLACES];

	for (size_t i = 0; i < PLACES; i++)
		last_ms[i] = -DAY;
	for (size_t i = 0; i < asked; i++) {
		if (i >= 8)
			assert_true(asked_ms[i] - asked_ms[i - 8] >= HOUR - SECOND);
		assert_true(asked_ms[i] - last_ms[asked_place[i]] >= 10 * MINUTE - SECOND);
		last_ms[asked_place[i]] = asked_ms[i];
	}
}

/* --- how often --- */

static void once_every_five_minutes(void **state)
{
	(void)state;
	for (int64_t next_ms = 0; next_ms < DAY; next_ms += 5 * MINUTE) {
		pass(next_ms + next_ms / MINUTE % 7 * SECOND - true_ms);
		start();
		(void)look(X);
		assert_string_equal(held(), X);
		assert_true(source_is_settled(&source));
	}
	/* As a daemon: two at first, then one every ten minutes or a little later. */
	assert_in_range(asked, 96, 146);
	assert_polite();
	assert_int_equal(asked_place[0], 0);
	assert_int_equal(asked_place[2], 2);
	assert_int_equal(asked_place[5], 0);	/* they take turns */
}

static void once_without_answers(void **state)
{
	(void)state;
	for (int i = 0; i < 24 * 12; i++, pass(5 * MINUTE)) {
		start();
		(void)look(NULL);
		assert_string_equal(held(), "");
	}
	assert_true(asked >= 100);
	figure_at_most("F40", "requests in a day of silence with 288 starts", asked, 24 * 8);
	assert_polite();
}

static void hundred_restarts(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++, pass(600)) {
		start();
		(void)look(X);
		assert_string_equal(held(), X);
	}
	assert_int_equal(asked, 2);
}

/* It dies of every answer, for a day. */
static void crash_loop(void **state)
{
	(void)state;
	for (int i = 0; i < DAY / (20 * SECOND); i++, pass(20 * SECOND)) {
		start();
		(void)ask();
	}
	assert_in_range(asked, 100, 24 * 8);
	assert_polite();
}

static void crash_loop_of_machines(void **state)
{
	(void)state;
	for (int i = 0; i < DAY / (2 * MINUTE); i++, boot(100 * SECOND)) {
		start();
		(void)look(X);
	}
	assert_in_range(asked, 100, 24 * 8);
	assert_polite();
}

/* --- what holds --- */

static void same_link(void **state)
{
	(void)state;
	start();
	assert_int_equal(look(X), 2);
	assert_false(source.recalled);
	pass(9 * MINUTE);
	start();
	assert_string_equal(held(), X);
	assert_true(source.recalled);
	assert_true(up_ms - source.found_ms == 9 * MINUTE);
	assert_true(source_is_settled(&source));
	assert_true(source_due_ms(&source) == up_ms + MINUTE);
	assert_int_equal(look(Y), 0);
	/* One is asked again when it is due, and --once waits for that. */
	pass(MINUTE);
	start();
	assert_string_equal(held(), X);
	assert_false(source_is_settled(&source));
	assert_int_equal(look(X), 1);
	assert_true(source_is_settled(&source));
	assert_false(source.recalled);
	/* What changed outside meanwhile is followed when two say it. */
	pass(10 * MINUTE);
	start();
	assert_int_equal(look(Y), 2);
	assert_string_equal(held(), Y);
}

static void another_link(void **state)
{
	char inner[20];

	(void)state;
	start();
	assert_int_equal(look(X), 2);
	pass(MINUTE);
	start_on("192.168.1.3", 7);
	assert_string_equal(held(), "");
	assert_false(source_is_settled(&source));
	assert_int_equal(look(Y), 2);
	assert_string_equal(held(), Y);
	start_on("192.168.1.3", 8);
	assert_string_equal(held(), "");
	/* Also who moves all day long has no more than the budget. */
	for (int i = 0; i < 24 * 60; i++, pass(MINUTE)) {
		snprintf(inner, sizeof(inner), "10.0.%d.2", i % 250);
		start_on(inner, 7);
		(void)look(X);
	}
	assert_in_range(asked, 100, 25 * 8);
	assert_polite();
}

/* The link comes up only after the start: it is not known what happened meanwhile. */
static void late_link(void **state)
{
	const struct source_sight none = { 0 };
	struct source_sight sight = { .able = true, .link = 7 };

	(void)state;
	start();
	assert_int_equal(look(X), 2);
	source_init(&source, AF_INET, CONFIG_HTTP, &outside);
	source_restore(&source, &saved, up_ms, wall_s);
	assert_true(source_due_ms(&source) == INT64_MAX);
	/* Saved before the first look it is still there. */
	save();
	assert_false(addr_is_none(&saved.address));
	source_observe(&source, &none, up_ms);
	assert_string_equal(held(), "");
	assert_true(addr_parse(INNER, &sight.inner));
	source_observe(&source, &sight, up_ms);
	assert_string_equal(held(), "");
	pass(SOURCE_NETWORK_MS);
	assert_int_equal(look(Y), 2);
}

/* After an hour nothing is left: two must agree again. */
static void old_memory(void **state)
{
	(void)state;
	start();
	assert_int_equal(look(X), 2);
	pass(HOUR - SECOND);
	start();
	assert_string_equal(held(), X);
	pass(SECOND);
	start();
	assert_string_equal(held(), "");
	assert_int_equal(look(Y), 2);
	assert_string_equal(held(), Y);
}

/* After a power cut the router in front was away too. */
static void machine_started(void **state)
{
	(void)state;
	start();
	assert_int_equal(look(X), 2);
	boot(MINUTE);
	start();
	assert_string_equal(held(), "");
	assert_int_equal(look(Y), 2);
	assert_string_equal(held(), Y);
	assert_polite();
	/* It may be up for longer than it was when that was noted. */
	boot(HOUR / 2);
	pass(MINUTE);
	start();
	assert_string_equal(held(), "");
}

static void told_to_wait(void **state)
{
	(void)state;
	outside.place_count = 1;
	outside.agree = 1;
	start();
	answer(ask(), MESSAGE_RATE_LIMITED, NULL);
	pass(HOUR);
	start();
	assert_int_equal(look(X), 0);
	assert_true(source_due_ms(&source) == up_ms + HOUR);
	pass(HOUR);
	start();
	assert_int_equal(look(X), 1);
}

/* Tries that reached nobody are given back, also in the next run. */
static void outage(void **state)
{
	int place;

	(void)state;
	for (int i = 0; i < 60; i++, pass(MINUTE)) {
		start();
		while ((place = ask()) >= 0)
			answer(place, MESSAGE_UNREACHABLE, NULL);
	}
	start();
	assert_int_equal(look(X), 2);
}

/* --- the wall clock --- */

static void wrong_clock(void **state)
{
	static const int64_t walls[] = { 0, 1000, WALL - 30 * 86400, WALL + 3600 };

	for (size_t i = 0; i < sizeof(walls) / sizeof(walls[0]); i++) {
		begin(state);
		start();
		assert_int_equal(look(X), 2);
		/* The machine runs on: its other clock tells. */
		pass(5 * MINUTE);
		wall_s = MIN(walls[i], wall_s);
		for (int n = 0; n < 12 * 24; n++, pass(5 * MINUTE)) {
			start();
			assert_string_equal(held(), X);
			(void)look(X);
		}
		assert_in_range(asked, 144, 147);
		assert_polite();
	}
}

/* Started since, and the clock tells nothing: it was just now. */
static void wrong_clock_of_a_start(void **state)
{
	static const int64_t walls[] = { 0, 1000, WALL - 30 * 86400 };

	for (size_t i = 0; i < sizeof(walls) / sizeof(walls[0]); i++) {
		begin(state);
		for (int n = 0; n < 100; n++) {
			start();
			if (n < 2)
				assert_string_equal(held(), "");
			(void)look(X);
			boot(10 * SECOND);
			wall_s = walls[i];
		}
		assert_in_range(asked, 4, PLACES);
		/* It comes right by itself. */
		start();
		pass(HOUR);
		assert_true(look(X) > 0);
	}
}

/* One that was wrong when it was noted, and is right now. */
static void clock_set(void **state)
{
	(void)state;
	wall_s = 1000;
	start();
	assert_int_equal(look(X), 2);
	pass(MINUTE);
	wall_s = WALL;
	start();
	assert_string_equal(held(), X);
	assert_int_equal(look(X), 0);
	pass(9 * MINUTE);
	assert_int_equal(look(X), 1);
	/* A leap of a year is believed, once. */
	wall_s += 365 * 86400;
	start();
	assert_string_equal(held(), "");
	assert_int_equal(look(X), 2);
	start();
	assert_int_equal(look(X), 0);
}

/* --- what may be in the file --- */

static void damaged(void **state)
{
	struct source_saved bad;

	(void)state;
	start();
	assert_int_equal(look(X), 2);
#define REFUSED(change) do { \
	bad = saved; \
	change; \
	assert_false(source_saved_ok(&bad, AF_INET)); \
} while (0)
	REFUSED(assert_true(addr_parse("10.0.0.1", &bad.address)));
	REFUSED(assert_true(addr_parse("2a01:4f8::1", &bad.address)));
	REFUSED(assert_true(addr_parse("fd00::1", &bad.inner)));
	REFUSED(bad.wall_s = -1);
	REFUSED(bad.wall_s = INT64_MAX);
	REFUSED(bad.up_ms = -1);
	REFUSED(bad.begun_ms = INT64_MAX);
	REFUSED(bad.found_ms = -1);
	REFUSED(bad.sent_count = SOURCE_HOUR_MAX + 1);
	REFUSED(bad.sent_ms[0] = HOUR + 1);
	REFUSED((bad.sent_ms[0] = 1, bad.sent_ms[1] = 2));
	REFUSED(bad.place_count = CONFIG_PLACES_MAX + 1);
	REFUSED(bad.free_ms[2] = DAY + 1);
	REFUSED(bad.free_ms[2] = -HOUR - 1);
#undef REFUSED
	assert_false(source_saved_ok(&saved, AF_INET6));
	saved.address = (struct addr){ 0 };
	assert_false(source_saved_ok(&saved, AF_INET6));
	saved.inner = (struct addr){ 0 };
	assert_true(source_saved_ok(&saved, AF_INET6));
}

#define SAVED_TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SAVED_TEST(once_every_five_minutes),
		SAVED_TEST(once_without_answers),
		SAVED_TEST(hundred_restarts),
		SAVED_TEST(crash_loop),
		SAVED_TEST(crash_loop_of_machines),
		SAVED_TEST(same_link),
		SAVED_TEST(another_link),
		SAVED_TEST(late_link),
		SAVED_TEST(old_memory),
		SAVED_TEST(machine_started),
		SAVED_TEST(told_to_wait),
		SAVED_TEST(outage),
		SAVED_TEST(wrong_clock),
		SAVED_TEST(wrong_clock_of_a_start),
		SAVED_TEST(clock_set),
		SAVED_TEST(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
