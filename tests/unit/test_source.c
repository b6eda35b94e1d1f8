/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The public address from outside, in virtual time: who is asked, what is believed. */
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

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static struct source source;
static struct config_outside outside;
static int64_t now_ms;
static uint32_t last_job;
static unsigned asked[CONFIG_PLACES_MAX], asked_in_all;
static int64_t asked_ms[CONFIG_PLACES_MAX];	/* last */
static int64_t spacing_ms[CONFIG_PLACES_MAX];	/* the shortest */

static void begin(enum config_source kind, size_t places, unsigned agree)
{
	memset(&outside, 0, sizeof(outside));
	outside.place_count = places;
	outside.agree = agree;
	for (size_t i = 0; i < places; i++)
		snprintf(outside.places[i].where, CONFIG_URL_BYTES,
			 "https://%c.example.net/ip", (char)('a' + i));
	source_init(&source, AF_INET, kind, &outside);
	now_ms = 1000000;
	last_job = asked_in_all = 0;
	memset(asked, 0, sizeof(asked));
	for (size_t i = 0; i < CONFIG_PLACES_MAX; i++)
		spacing_ms[i] = INT64_MAX;
}

static struct source_sight sight_of(const char *inner)
{
	struct source_sight sight = { .link = 7 };

	if (inner)
		assert_true(addr_parse(inner, &sight.inner));
	sight.able = inner && !addr_is_global(&sight.inner);
	return sight;
}

static void see(const char *inner)
{
	struct source_sight sight = sight_of(inner);

	source_observe(&source, &sight, now_ms);
}

/* The place of the next question; -1: none just now. */
static int ask(void)
{
	struct source_question question;
	size_t place;

	if (!source_next(&source, now_ms, ++last_job | SOURCE_JOB, &question))
		return -1;
	place = question.place;
	if (asked[place]++ && now_ms - asked_ms[place] < spacing_ms[place])
		spacing_ms[place] = now_ms - asked_ms[place];
	asked_ms[place] = now_ms;
	asked_in_all++;
	return (int)place;
}

static enum source_event answer(int place, enum message_verdict verdict,
				const char *address)
{
	struct message_result result = {
		.head = { MESSAGE_RESULT, source.places[place].job },
		.verdict = verdict,
	};

	if (address) {
		assert_true(addr_parse(address, &result.addresses[0]));
		result.address_count = 1;
	} else {
		strcpy(result.text, "says nothing of use");
	}
	assert_true(source_may_answer(AF_INET, &result) ||
		    result.addresses[0].family != AF_INET);
	return source_answer(&source, &result, now_ms, 0x80000000);
}

static enum source_event says(int place, const char *address)
{
	return answer(place, MESSAGE_ANSWER, address);
}

static const char *held(void)
{
	static char text[ADDR_TEXT_BYTES];

	return addr_format(&source.address, text);
}

/* Asks until the look is over; every place says `say[place]`, NULL: nothing. */
static enum source_event look(const char *const *say)
{
	enum source_event event = SOURCE_NOTHING, last;
	int place;

	while ((place = ask()) >= 0) {
		last = say[place] ? says(place, say[place])
				  : answer(place, MESSAGE_NO_ANSWER, NULL);
		if (last != SOURCE_NOTHING)
			event = last;
	}
	return event;
}

#define X "81.2.69.7"
#define Y "81.2.69.8"
static const char *const all_x[] = { X, X, X, X, X, X, X, X };
static const char *const all_y[] = { Y, Y, Y, Y, Y, Y, Y, Y };
static const char *const silence[8];

/* Lets time pass as the core would: from one due moment to the next. */
static void live(int64_t ms, const char *const *say)
{
	int64_t end_ms = now_ms + ms, due_ms;

	while ((due_ms = source_due_ms(&source)) <= end_ms) {
		if (due_ms > now_ms)
			now_ms = due_ms;
		(void)look(say);
		assert_true(source_due_ms(&source) > now_ms);
	}
	now_ms = end_ms;
}

/* --- what is believed --- */

static void two_agree(void **state)
{
	(void)state;
	begin(CONFIG_HTTP, 5, 2);
	see("192.168.1.2");
	assert_int_equal(ask(), 0);	/* both at once */
	assert_int_equal(ask(), 1);
	assert_int_equal(ask(), -1);
	assert_int_equal(says(0, X), SOURCE_NOTHING);
	assert_string_equal(held(), "");
	assert_false(source_is_settled(&source));
	assert_int_equal(says(1, X), SOURCE_FOUND);
	assert_true(source_is_settled(&source));
	assert_int_equal(ask(), -1);
	/* The next look asks one other, which is enough. */
	now_ms += 10 * MINUTE;
	assert_int_equal(ask(), 2);
	assert_int_equal(ask(), -1);
	assert_int_equal(says(2, X), SOURCE_NOTHING);
	/* One that says another address is not believed alone. */
	now_ms += 10 * MINUTE;
	assert_int_equal(ask(), 3);
	assert_int_equal(says(3, Y), SOURCE_NOTHING);
	assert_string_equal(held(), X);
	assert_int_equal(ask(), 4);
	assert_int_equal(says(4, Y), SOURCE_FOUND);
	assert_string_equal(held(), Y);
}

/* A says x and B says y; a third one decides. */
static void disagreement(void **state)
{
	static const char *const apart[] = { X, Y };
	static const char *const third[] = { X, Y, Y };

	(void)state;
	begin(CONFIG_HTTP, 2, 2);
	see("192.168.1.2");
	assert_int_equal(look(apart), SOURCE_BROKEN);
	assert_non_null(strstr(source.reason, "a.example.net says " X ", b.example"));
	live(DAY, apart);
	assert_string_equal(held(), "");
	begin(CONFIG_HTTP, 3, 2);
	see("192.168.1.2");
	assert_int_equal(look(third), SOURCE_FOUND);
	assert_string_equal(held(), Y);
	assert_string_equal(source.reason, "");
}

/* A known address is given up for another that is agreed on, and for nothing else. */
static void holds(void **state)
{
	static const char *const apart[] = { "81.2.69.1", "81.2.69.2", "81.2.69.3", Y, X };

	(void)state;
	begin(CONFIG_HTTP, 5, 2);
	see("192.168.1.2");
	assert_int_equal(look(all_x), SOURCE_FOUND);
	now_ms += 10 * MINUTE;
	assert_int_equal(look(silence), SOURCE_BROKEN);
	live(HOUR, apart);
	assert_string_equal(held(), X);
	live(DAY, silence);
	assert_string_equal(held(), X);
	assert_true(source.failures > 3);
	see("192.168.1.3");
	now_ms += HOUR;
	assert_int_equal(look(all_x), SOURCE_NOTHING);
	now_ms += DAY;
	assert_int_equal(look(silence), SOURCE_BROKEN);
	now_ms += HOUR;
	assert_int_equal(look(all_x), SOURCE_RETURNED);
	live(DAY, all_y);
	assert_string_equal(held(), Y);
}

static void never_private(void **state)
{
	static const char *const bad[16] = {
		"10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "0.0.0.0",
		"169.254.1.1", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.51.100.1",
		"203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1" };
	long held_ones = 0;

	(void)state;
	for (size_t i = 0; i < 16 * (CONFIG_UPNP - CONFIG_HTTP + 1); i++) {
		const char *ip = bad[i % 16], *const say[] = { ip, ip, ip, ip, ip };

		begin(CONFIG_HTTP + i / 16, i < 16 ? 5 : 1, i < 16 ? 2 : 1);
		see("192.168.1.2");
		assert_int_equal(look(say), SOURCE_BROKEN);
		live(DAY, say);
		held_ones += *held() != '\0';
		assert_non_null(strstr(source.reason, "which is not public"));
		now_ms += DAY;
		assert_int_equal(look(all_x), SOURCE_FOUND);
		live(DAY, say);
		assert_string_equal(held(), X);
	}
	figure_exactly("F8", "special addresses believed of any source", held_ones, 0);
}

/* What the interface knows nobody is asked for. */
static void interface_first(void **state)
{
	(void)state;
	begin(CONFIG_HTTP, 5, 2);
	see("81.2.69.9");
	live(7 * (int64_t)DAY, all_x);
	see(NULL);
	live(DAY, all_x);
	figure_exactly("F40", "requests in 7 days with an address", asked_in_all, 0);
	assert_true(source_is_settled(&source));
	see("100.64.3.4");
	live(MINUTE, all_x);
	assert_int_equal(asked_in_all, 2);
	/* While it is asked, the interface gets one of its own. */
	now_ms += HOUR;
	assert_true(ask() >= 0);
	see("81.2.69.9");
	assert_int_equal(source_in_flight(&source), 0);
	assert_true(source_due_ms(&source) == INT64_MAX);
}

/* --- how often --- */

static unsigned in_a_day(enum config_source kind, size_t places, unsigned agree,
			 const char *const *say)
{
	begin(kind, places, agree);
	see("192.168.1.2");
	live(DAY, say);
	return asked_in_all;
}

static void requests_of_a_good_day(void **state)
{
	(void)state;
	/* Every ten minutes one service; five take turns. */
	assert_in_range(in_a_day(CONFIG_HTTP, 5, 2, all_x), 144, 147);
	for (size_t i = 0; i < 5; i++)
		assert_true(spacing_ms[i] >= 40 * MINUTE);
	assert_in_range(in_a_day(CONFIG_HTTP, 1, 1, all_x), 144, 146);
	assert_true(spacing_ms[0] >= 10 * MINUTE);
	assert_in_range(in_a_day(CONFIG_DNS, 4, 2, all_x), 288, 291);
	assert_in_range(in_a_day(CONFIG_PCP, 0, 0, all_x), 720, 722);
	assert_in_range(in_a_day(CONFIG_COMMAND, 0, 0, all_x), 288, 290);
}

/* Services that answer with nonsense, or with two addresses, have no more to bear. */
static void requests_of_a_bad_day(void **state)
{
	static const char *const apart[] = { "81.2.69.1", "81.2.69.2", "81.2.69.3",
					     "81.2.69.4", "81.2.69.5" };

	(void)state;
	figure_at_most("F40", "requests in a day in which nobody answers well, 5 services",
		       in_a_day(CONFIG_HTTP, 5, 2, silence), 24 * 8);
	assert_in_range(in_a_day(CONFIG_HTTP, 5, 2, apart), 50, 24 * 8);
	for (size_t i = 0; i < 5; i++)
		assert_true(spacing_ms[i] >= 10 * MINUTE);
	assert_in_range(in_a_day(CONFIG_HTTP, 1, 1, silence), 30, 60);
	assert_in_range(in_a_day(CONFIG_PCP, 0, 0, silence), 40, 60);
}

/* No hour has more than its budget, though the network never rests. */
static void requests_of_a_restless_day(void **state)
{
	int64_t times[2000];
	char inner[20];

	(void)state;
	begin(CONFIG_HTTP, 8, 2);
	for (unsigned i = 0; i < 24 * 60; i++) {
		unsigned before = asked_in_all;

		snprintf(inner, sizeof(inner), "10.0.%u.2", i % 250);
		see(inner);
		(void)look(i % 3 ? all_x : all_y);
		for (; before < asked_in_all; before++)
			times[before] = now_ms;
		now_ms += MINUTE;
	}
	assert_in_range(asked_in_all, 100, 24 * 8);
	for (unsigned i = 8; i < asked_in_all; i++)
		assert_true(times[i] - times[i - 8] > HOUR);
	for (size_t i = 0; i < 8; i++)
		assert_true(spacing_ms[i] >= 10 * MINUTE);
}

/* Nobody is reached; how many tries that were. */
static unsigned outage_of(int64_t ms)
{
	unsigned tries = 0;
	int place;

	for (int64_t end_ms = now_ms + ms; source_due_ms(&source) < end_ms;) {
		now_ms = source_due_ms(&source) > now_ms ? source_due_ms(&source) : now_ms;
		while ((place = ask()) >= 0) {
			(void)answer(place, MESSAGE_UNREACHABLE, NULL);
			tries++;
		}
	}
	return tries;
}

/* A day without the internet costs nobody anything; its end is seen at once. */
static void outage(void **state)
{
	static const int64_t lengths[] = { 5 * MINUTE, DAY };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(CONFIG_HTTP, 5, 2);
		see("192.168.1.2");
		assert_in_range(outage_of(lengths[i]), 9, 200);
		/* A route comes: the budget is untouched, and every place is free. */
		source_network(&source, now_ms);
		assert_true(source_due_ms(&source) <= now_ms + SOURCE_NETWORK_MS);
		now_ms += SOURCE_NETWORK_MS;
		assert_int_equal(look(all_x), SOURCE_FOUND);
	}
}

/* Who is told to wait is not asked before. */
static void told_to_wait(void **state)
{
	struct message_result result = { .verdict = MESSAGE_RATE_LIMITED,
					 .retry_after_s = 7200 };

	(void)state;
	begin(CONFIG_HTTP, 1, 1);
	see("192.168.1.2");
	assert_int_equal(ask(), 0);
	result.head.number = source.places[0].job;
	assert_int_equal(source_answer(&source, &result, now_ms, 0), SOURCE_BROKEN);
	source_network(&source, now_ms);
	assert_true(source_due_ms(&source) == now_ms + 2 * HOUR);
}

/* An inner address that changes makes the next look come at once, by others. */
static void event(void **state)
{
	(void)state;
	begin(CONFIG_HTTP, 5, 2);
	see("192.168.1.2");
	assert_int_equal(look(all_x), SOURCE_FOUND);
	now_ms += MINUTE;
	see("192.168.1.2");
	assert_int_equal(ask(), -1);
	see("192.168.1.3");
	assert_int_equal(ask(), 2);
	/* Another event meanwhile: what is in flight is of the past. */
	see("192.168.1.4");
	now_ms += SOURCE_NETWORK_MS;
	assert_int_equal(ask(), 3);
	assert_int_equal(says(3, X), SOURCE_NOTHING);
	assert_true(source.good);
	/* Something else happens while a look is made: once more after it. */
	now_ms += HOUR;
	assert_true(ask() >= 0);
	source_network(&source, now_ms);
	for (int i = 0; i < 5; i++)
		if (source.places[i].said == SOURCE_ASKED)
			assert_int_equal(says(i, X), SOURCE_NOTHING);
	assert_true(source_due_ms(&source) == now_ms + SOURCE_NETWORK_MS);
}

static void no_word(void **state)
{
	enum source_event event;
	int place;

	(void)state;
	begin(CONFIG_HTTP, 2, 1);
	see("192.168.1.2");
	place = ask();
	assert_int_equal(ask(), -1);
	assert_true(source_due_ms(&source) == INT64_MAX);
	now_ms = source_expiry_ms(&source);
	assert_true(now_ms < 1000000 + MINUTE);
	event = source_expire(&source, now_ms, 0);
	assert_int_equal(event, SOURCE_NOTHING);	/* the other one is asked */
	assert_int_equal(says(place, X), SOURCE_NOTHING);	/* too late */
	assert_string_equal(held(), "");
	place = ask();
	assert_int_equal(says(place, X), SOURCE_FOUND);
}

/* A publisher that leaves was not asked; one that dies of every answer is not fed for ever. */
static void publisher_dies(void **state)
{
	unsigned times = 0;

	(void)state;
	begin(CONFIG_HTTP, 5, 2);
	see("192.168.1.2");
	assert_int_equal(ask(), 0);
	source_lost(&source, source.places[0].job);
	assert_int_equal(source_in_flight(&source), 0);
	assert_true(ask() >= 0);
	for (; times < 1000; times++) {
		source_lost(&source, 0);
		if (source_due_ms(&source) > now_ms)
			break;
		assert_true(ask() >= 0);
		now_ms += 1000;
	}
	assert_in_range(times, 3, 12);
	assert_true(source_due_ms(&source) < now_ms + 11 * MINUTE);
}

/* A reload: the same source goes on, another one begins, with what was known. */
static void reload(void **state)
{
	struct config_outside same, other;

	(void)state;
	begin(CONFIG_HTTP, 5, 2);
	see("192.168.1.2");
	assert_int_equal(look(all_x), SOURCE_FOUND);
	same = other = outside;
	strcpy(other.places[0].where, "https://z.example.net/");
	source_set(&source, CONFIG_HTTP, &same);
	see("192.168.1.2");
	assert_int_equal(ask(), -1);
	source_set(&source, CONFIG_DNS, &same);
	assert_false(source.good);
	source_set(&source, CONFIG_HTTP, &other);
	assert_string_equal(held(), X);
	assert_int_equal(ask(), -1);	/* the links are looked at first */
	see("192.168.1.2");
	assert_int_equal(ask(), 0);
	source_set(&source, CONFIG_INTERFACE, NULL);
	assert_string_equal(held(), "");
	assert_true(source_due_ms(&source) == INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_agree),
		cmocka_unit_test(disagreement),
		cmocka_unit_test(holds),
		cmocka_unit_test(never_private),
		cmocka_unit_test(interface_first),
		cmocka_unit_test(requests_of_a_good_day),
		cmocka_unit_test(requests_of_a_bad_day),
		cmocka_unit_test(requests_of_a_restless_day),
		cmocka_unit_test(outage),
		cmocka_unit_test(told_to_wait),
		cmocka_unit_test(event),
		cmocka_unit_test(no_word),
		cmocka_unit_test(publisher_dies),
		cmocka_unit_test(reload),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
