/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each answer of a provider costs in requests: the figures we promise, hours and
 * days in virtual time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake/world.h"
#include "figure.h"

#define A "81.2.69.1"
#define B "81.2.69.2"

static enum message_verdict answer;	/* what world_same() says */

static enum message_verdict world_same(struct world *world, size_t record)
{
	(void)world;
	(void)record;
	return answer;
}

/*
 * The table of what other programs do: an address unchanged after the start, two hours.
 */
static void test_two_hours(void **state)
{
	static const struct {
		enum message_verdict verdict;
		uint32_t retry_after_s;
		size_t least, most;
		enum record_state state;
		const char *entry;	/* of tests/faults: who promises this */
	} rows[] = {
		{ MESSAGE_GOOD, 0, 1, 1, RECORD_CURRENT, "P6" },
		{ MESSAGE_UNCHANGED, 0, 1, 1, RECORD_CURRENT, "P6" },
		{ MESSAGE_ABUSE, 0, 1, 1, RECORD_DISABLED, "P6" },
		{ MESSAGE_BADAUTH, 0, 1, 1, RECORD_DISABLED, "P6" },
		{ MESSAGE_NOHOST, 0, 1, 1, RECORD_DISABLED, "P6" },
		{ MESSAGE_BADAGENT, 0, 1, 1, RECORD_DISABLED, "P6" },
		{ MESSAGE_FORBIDDEN, 0, 1, 1, RECORD_DISABLED, "P6" },
		{ MESSAGE_SPLIT, 0, 1, 1, RECORD_DISABLED, "P6" },
		{ MESSAGE_BAD_REQUEST, 0, 2, 2, RECORD_DISABLED, "P6" },
		{ MESSAGE_SERVER_ERROR, 0, 3, 4, RECORD_WAITING, "F45" },
		{ MESSAGE_RATE_LIMITED, 3600, 2, 2, RECORD_WAITING, "F44" },
		{ MESSAGE_RATE_LIMITED, 86400, 1, 1, RECORD_WAITING, "F44" },
		{ MESSAGE_RATE_LIMITED, 0, 8, 11, RECORD_WAITING, "F44" },
		{ MESSAGE_TRANSIENT, 0, 8, 11, RECORD_WAITING, "F2" },
		{ MESSAGE_UNCONFIRMED, 0, 8, 11, RECORD_WAITING, "F2" },
		{ MESSAGE_UNREACHABLE, 0, 8, 11, RECORD_WAITING, "F2" },
		{ MESSAGE_TLS_REFUSED, 0, 8, 11, RECORD_WAITING, "F2" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct world *world = world_new(1, 1, CONFIG_IPV4);
		char what[80];

		world_start(world);
		world->provider = world_same;
		answer = rows[i].verdict;
		world->retry_after_s = rows[i].retry_after_s;
		world_set(world, AF_INET, A);
		world_run(world, 2 * HOUR);
		assert_true(world->request_count >= rows[i].least);
		snprintf(what, sizeof(what), "requests in two hours of \"%s\", wait %u s",
			 message_verdict_name(answer), rows[i].retry_after_s);
		figure_at_most(rows[i].entry, what, (long)world->request_count,
			       (long)rows[i].most);
		assert_int_equal(world_record(world, 0)->state, rows[i].state);
		if (rows[i].state == RECORD_DISABLED) {
			assert_int_equal(world->events[RECORD_REFUSED], 1);
			world_run(world, 30 * DAY);	/* and for ever */
			assert_in_range(world->request_count, rows[i].least,
					rows[i].most);
		}
		world_free(world);
	}
}

/* The most requests of all outages tried. */
struct outages {
	size_t first_hour, later_hour, day, surplus;
};

static void keep_most(size_t *most, size_t requests)
{
	if (requests > *most)
		*most = requests;
}

/* 24 hours in which nothing works, for few and many records, for every kind of outage. */
static void outage(enum message_verdict verdict, size_t names, uint32_t dice,
		   struct outages *most)
{
	struct world *world = world_new(1, names, CONFIG_IPV4);
	size_t before;

	world->dice = dice;
	world_start(world);
	world->provider = world_same;
	answer = verdict;
	world_set(world, AF_INET, A);
	world_run(world, DAY);
	assert_true(world_requests(world, 0, HOUR) >= 5);
	keep_most(&most->first_hour, world_requests(world, 0, HOUR));
	for (int64_t at_ms = HOUR; at_ms <= 23 * HOUR; at_ms += HOUR) {
		assert_true(world_requests(world, at_ms, at_ms + HOUR) >= 1);
		keep_most(&most->later_hour, world_requests(world, at_ms, at_ms + HOUR));
	}
	assert_true(world->request_count >= 40);
	keep_most(&most->day, world->request_count);
	before = world->request_count;
	/* back: one update a record within the back-off */
	world->provider = world_good;
	world_run(world, 45 * MINUTE);
	assert_true(world->request_count >= before + names);
	keep_most(&most->surplus, world->request_count - before - names);
	for (size_t i = 0; i < names; i++)
		assert_int_equal(world_record(world, i)->state, RECORD_CURRENT);
	world_free(world);
}

/* Two entries, accounts for instance, at one host: it is asked no more often for that. */
static void test_outage_of_a_host(void **state)
{
	struct world *world = world_new(2, 10, CONFIG_IPV4);

	(void)state;
	strcpy(world->providers[1].type, world->providers[0].type);
	world_start(world);
	world->provider = world_same;
	answer = MESSAGE_UNREACHABLE;
	world_set(world, AF_INET, A);
	world_run(world, DAY);
	assert_true(world->request_count >= 40);
	figure_at_most("F2", "requests in the first hour, two entries at one host",
		       (long)world_requests(world, 0, HOUR), 8);
	figure_at_most("F2", "requests in 24 hours, two entries at one host",
		       (long)world->request_count, 60);
	world_free(world);
}

static void test_outage(void **state)
{
	static const enum message_verdict verdicts[] = {
		MESSAGE_TRANSIENT,
		MESSAGE_UNREACHABLE,
		MESSAGE_TLS_REFUSED,
		MESSAGE_UNCONFIRMED,
	};
	struct outages most = { 0 };

	(void)state;
	for (uint32_t dice = 1; dice <= 20; dice++) {
		for (size_t i = 0; i < 3; i++) {
			outage(verdicts[i], 1, dice * 77, &most);
			outage(verdicts[i], 20, dice * 77, &most);
		}
		outage(verdicts[3], 1, dice * 77, &most);
	}
	figure_at_most("F2", "requests in the first hour, most of 140 outages",
		       (long)most.first_hour, 8);
	figure_at_most("F2", "requests in a later hour, most of 140 outages",
		       (long)most.later_hour, 3);
	figure_at_most("F2", "requests in 24 hours, most of 140 outages", (long)most.day, 60);
	figure_exactly("F2", "after it, within the back-off: updates beyond one a record",
		       (long)most.surplus, 0);
}

static void test_server_error_per_hour(void **state)
{
	(void)state;
	for (size_t names = 1; names <= 20; names += 19) {
		struct world *world = world_new(1, names, CONFIG_IPV4);

		world_start(world);
		world->provider = world_same;
		answer = MESSAGE_SERVER_ERROR;
		world_set(world, AF_INET, A);
		for (int i = 0; i < 48; i++) {	/* whatever happens meanwhile */
			world_run(world, 30 * MINUTE);
			schedule_network(world->schedule, 0, world->now_ms);
			schedule_update(world->schedule, NULL, 0, i % 2, world->now_ms);
			world_set(world, AF_INET, i % 2 ? A : B);
		}
		assert_true(world_most(world, HOUR) >= 1);
		figure_at_most("F45", names == 1 ? "requests in any hour, 1 record"
						 : "requests in any hour, 20 records",
			       (long)world_most(world, HOUR), 2);
		world_free(world);
	}
}

/* Retry-After is waited out, whatever happens; no longer than a day. */
static void test_retry_after(void **state)
{
	struct world *world = world_new(1, 3, CONFIG_IPV4);

	(void)state;
	world_start(world);
	world->provider = world_same;
	answer = MESSAGE_RATE_LIMITED;
	world->retry_after_s = 7200;
	world_set(world, AF_INET, A);
	world_run(world, 10 * SECOND);
	assert_int_equal(world->request_count, 1);
	for (int i = 0; i < 7100; i += 100) {
		world_set(world, AF_INET, i % 200 ? A : B);
		schedule_network(world->schedule, 0, world->now_ms);
		schedule_update(world->schedule, NULL, 0, true, world->now_ms);
		if (i == 3000)
			world_restart(world);	/* it outlives a restart */
		world_run(world, 100 * SECOND);
	}
	figure_exactly("F44", "requests before Retry-After, whatever is wished meanwhile",
		       (long)world->request_count - 1, 0);
	world->provider = world_good;
	world_run(world, 20 * MINUTE);
	assert_int_equal(world->request_count, 4);
	world_free(world);
}

/*
 * A failure after an answer is not hurried below a minute, one without connection not
 * below 2 s.
 */
static void test_network_events(void **state)
{
	static const struct {
		enum message_verdict verdict;
		int64_t apart_ms;	/* by events */
		/* the first wait of its own, where that is shorter */
		int64_t least_ms;
	} rows[] = {
		{ MESSAGE_TRANSIENT, MINUTE, 24 * SECOND },
		{ MESSAGE_UNREACHABLE, 2 * SECOND, 2 * SECOND },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct world *world = world_new(1, 1, CONFIG_IPV4);
		size_t most = (size_t)(600 * SECOND / rows[i].apart_ms);

		world_start(world);
		world->provider = world_same;
		answer = rows[i].verdict;
		world_set(world, AF_INET, A);
		for (int k = 0; k < 6000; k++) {
			world_run(world, 100);
			schedule_network(world->schedule, 0, world->now_ms);
		}
		assert_in_range(world->request_count, most * 3 / 5, most + 1);
		for (size_t r = 1; r < world->request_count; r++)
			assert_true(world->requests[r].ms - world->requests[r - 1].ms >=
				    rows[i].least_ms);
		world_free(world);
	}
}

/* The provider is back, and something of the network happens: at once. */
static void test_recovery_by_event(void **state)
{
	struct world *world = world_new(1, 20, CONFIG_IPV4);
	size_t before;

	(void)state;
	world_start(world);
	world->provider = world_same;
	answer = MESSAGE_UNREACHABLE;
	world_set(world, AF_INET, A);
	world_run(world, 6 * HOUR);
	before = world->request_count;
	world->provider = world_good;
	schedule_network(world->schedule, 0, world->now_ms);
	world_run(world, 2 * SECOND);
	figure_holds("P10", "a network event after an outage: asked again within 2 s",
		     world->request_count > before);
	world_run(world, 3 * MINUTE);
	assert_int_equal(world->request_count, before + 20);
	world_free(world);
}

static enum message_verdict answer_first_fails(struct world *world, size_t record)
{
	(void)world;
	return record == 0 ? MESSAGE_TRANSIENT : MESSAGE_GOOD;
}

/* One record that always fails does not hold up the others. */
static void test_one_bad_record(void **state)
{
	struct world *world = world_new(1, 10, CONFIG_IPV4);

	(void)state;
	world_start(world);
	world->provider = answer_first_fails;
	world_set(world, AF_INET, A);
	world_run(world, 2 * MINUTE);
	for (size_t i = 1; i < 10; i++)
		assert_int_equal(world_record(world, i)->state, RECORD_CURRENT);
	world_run(world, DAY);
	assert_in_range(world->request_count, 9 + 40, 9 + 62);
	world_free(world);
}

/* The account is refused: every record of the entry, and no other entry's. */
static enum message_verdict answer_entry_0_badauth(struct world *world, size_t record)
{
	return schedule_record(world->schedule, record)->provider == 0 ? MESSAGE_BADAUTH
								       : MESSAGE_GOOD;
}

static void test_badauth_is_for_the_account(void **state)
{
	struct world *world = world_new(2, 5, CONFIG_IPV4);

	(void)state;
	world_start(world);
	world->provider = answer_entry_0_badauth;
	world_set(world, AF_INET, A);
	world_run(world, HOUR);
	assert_int_equal(world->request_count, 1 + 5);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(world_record(world, i)->state,
				 i < 5 ? RECORD_DISABLED : RECORD_CURRENT);
	for (int i = 0; i < 100; i++) {		/* in force over restarts and changes */
		world_restart(world);
		world_set(world, AF_INET, i % 2 ? A : B);
		world_run(world, MINUTE);
	}
	for (size_t i = 1; i < 5; i++)
		assert_int_equal(world->updates_of[i], 0);
	assert_int_equal(world->updates_of[0], 1);

	world->fingerprints[0]++;		/* another password */
	world->provider = world_good;
	world_restart(world);
	world_set(world, AF_INET, B);
	world_run(world, MINUTE);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(world_record(world, i)->state, RECORD_CURRENT);
	world_free(world);
}

static enum message_verdict answer_badagent(struct world *world, size_t record)
{
	(void)world;
	(void)record;
	return MESSAGE_BADAGENT;
}

/*
 * A refusal of ourselves: for all entries of that provider, but where another name is
 * given; an other provider may think otherwise.
 */
static void test_badagent_is_for_the_provider(void **state)
{
	struct world *world = world_new(4, 2, CONFIG_IPV4);

	(void)state;
	strcpy(world->providers[1].type, world->providers[0].type);
	strcpy(world->providers[2].type, world->providers[0].type);
	world->providers[2].user_agent = (char *)"other/1";
	world_start(world);
	world->provider = answer_badagent;
	world_set(world, AF_INET, A);
	world_run(world, 14 * DAY);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(world_record(world, i)->state, RECORD_DISABLED);
	assert_int_equal(world->request_count, 3);
	world_free(world);
}

/*
 * The clock is wrong, so certificates do not hold: a slow minute, and at once when it is
 * put right.
 */
static void test_wrong_clock(void **state)
{
	struct world *world = world_new(1, 1, CONFIG_IPV4);

	(void)state;
	world->wall_s = 1000;
	world_start(world);
	world->provider = world_same;
	answer = MESSAGE_TLS_REFUSED;
	world_set(world, AF_INET, A);
	world_run(world, 5 * MINUTE);
	assert_in_range(world->request_count, 4, 6);
	assert_non_null(strstr(world_record(world, 0)->reason, "clock"));
	world->wall_s = WORLD_WALL_S;
	world->provider = world_good;
	schedule_clock(world->schedule, world->now_ms);
	world_run(world, SECOND);
	figure_holds("F30", "the clock is put right: published within 1 s",
		     world_record(world, 0)->state == RECORD_CURRENT);
	world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_hours),
		cmocka_unit_test(test_outage),
		cmocka_unit_test(test_outage_of_a_host),
		cmocka_unit_test(test_server_error_per_hour),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_network_events),
		cmocka_unit_test(test_recovery_by_event),
		cmocka_unit_test(test_one_bad_record),
		cmocka_unit_test(test_badauth_is_for_the_account),
		cmocka_unit_test(test_badagent_is_for_the_provider),
		cmocka_unit_test(test_wrong_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
