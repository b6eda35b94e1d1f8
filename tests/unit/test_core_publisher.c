/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The core's end of the publisher: when it is asked for, what it gets, and its deaths. */
#include "publisher_room.h"

static void no_work_no_publisher(void **state)
{
	(void)state;
	room_ppp(NULL);
	sync_turn(&all->room.core, kernel.now_ms);
	assert_int_equal(asked(), 0);
	assert_string_equal(publisher_state_name(&all->room.core.publisher), "idle");
}

/* Look, update, verify: the life of one change, with what the packets hold. */
static void main_job(void **state)
{
	const char *text;

	(void)state;
	sync_turn(&all->room.core, kernel.now_ms);
	start(asked());
	assert_string_equal(publisher_state_name(&all->room.core.publisher), "running");
	assert_true(take_job());
	assert_int_equal(all->job.kind, MESSAGE_CHECK);
	assert_string_equal(all->job.interface, "ppp0");
	assert_string_equal(all->job.records[0].hostname, "home.example.org");
	assert_int_equal(all->job.text_bytes, 0);	/* no secret where none is needed */
	answer(MESSAGE_ANSWER, "81.2.69.1");
	schedule_record(all->room.core.schedule, 0)->record.memo = strdup("zone=1");
	room_wait(3000);
	assert_true(take_job());
	assert_int_equal(all->job.kind, MESSAGE_UPDATE_RECORDS);
	assert_addr(all->job.records[0].address, "81.2.69.7");
	text = message_job_next_text(&all->job, NULL);
	assert_string_equal(text, "{}");
	for (int i = 0; i < 3; i++)
		text = message_job_next_text(&all->job, text);
	assert_string_equal(text, "zone=1");	/* the record's memo */
	text = message_job_next_text(&all->job, text);
	assert_string_equal(text, "password");
	assert_string_equal(message_job_next_text(&all->job, text), "geheim");
	assert_int_equal(state_now(), RECORD_SENDING);
	answer(MESSAGE_GOOD, NULL);
	assert_int_equal(state_now(), RECORD_VERIFYING);
	while (!take_job())
		room_wait(1000);
	assert_int_equal(all->job.kind, MESSAGE_VERIFY);
	answer(MESSAGE_VERIFIED, "81.2.69.7");
	assert_int_equal(state_now(), RECORD_CURRENT);
	/* It ends when it has nothing to do: nobody misses it. */
	die();
	assert_string_equal(publisher_state_name(&all->room.core.publisher), "idle");
	assert_int_equal(asked(), 0);
}

/* The WAN names no link, and IPv6 comes by a tunnel: the publisher is told both. */
static void a_link_for_each_family(void **state)
{
	struct config *config = room_config(1);
	struct err err = { "" };

	(void)state;
	config->wans[0].interface[0] = '\0';
	config->providers[0].families = CONFIG_IPV4 | CONFIG_IPV6;
	config->providers[0].facts.dual = true;
	assert_int_equal(core_configure(&all->room.core, config, &err), 0);
	fake_link(ROOM_LINK + 1, "he6");
	fake_default(ROOM_LINK + 1, AF_INET6);
	fake_address(ROOM_LINK + 1, "2a00:1::7");
	room_look(&all->room);
	start(asked());
	assert_true(take_job());
	assert_string_equal(all->job.interface, "ppp0");
	assert_string_equal(all->job.interface6, "he6");
	/* One link for both, and a family that is off: no other one. */
	config = room_config(1);
	config->wans[0].interface[0] = '\0';
	config->wans[0].ipv6 = CONFIG_OFF;
	assert_int_equal(core_configure(&all->room.core, config, &err), 0);
	room_look(&all->room);
	answer(MESSAGE_ANSWER, "81.2.69.1");
	while (!take_job())
		room_wait(1000);
	assert_string_equal(all->job.interface6, "");
}

static void published_event(void **state)
{
	struct message_hook hook = { 0 };

	main_job(state);
	/* The first is `startup`, given before there was a publisher. */
	hook.head.number = all->room.core.events.number;
	room_hook_done(&all->room, &hook);
	hook = room_hook(&all->room);
	assert_int_equal(hook.event, MESSAGE_EVENT_RECORD);
	assert_addr(hook.new, "81.2.69.7");
}

static void dies_at_work(void **state)
{
	int64_t before_ms = 0;
	uint32_t number;

	(void)state;
	sync_turn(&all->room.core, kernel.now_ms);
	number = asked();
	for (int deaths = 0; deaths < 10; deaths++) {
		start(number);
		while (!take_job())
			room_wait(1000);
		before_ms = kernel.now_ms;
		die();
		assert_string_equal(publisher_state_name(&all->room.core.publisher), "failed");
		while (!(number = asked())) {
			room_wait(1000);
			assert_true(kernel.now_ms - before_ms <= 601000);
		}
	}
	/* By then it is not started more than every ten minutes, or nearly so. */
	assert_true(kernel.now_ms - before_ms >= 500000);
	start(number);
	while (!take_job())
		room_wait(1000);
	assert_int_equal(all->job.kind, MESSAGE_CHECK);
}

/* One that has worked may leave just when a job comes: the next gets it, at once. */
static void leaves_with_a_job(void **state)
{
	(void)state;
	sync_turn(&all->room.core, kernel.now_ms);
	start(asked());
	assert_true(take_job());
	answer(MESSAGE_ANSWER, "81.2.69.1");
	room_wait(3000);
	turn();
	assert_int_equal(schedule_in_flight(all->room.core.schedule), 1);
	die();
	assert_string_equal(publisher_state_name(&all->room.core.publisher), "idle");
	assert_int_equal(schedule_in_flight(all->room.core.schedule), 0);
	start(asked());
	assert_true(take_job());
	/* Whether the update went out is not known: DNS is asked first. */
	assert_int_equal(all->job.kind, MESSAGE_CHECK);
}

static bool sent_home(void)
{
	char byte;

	turn();
	return channel_receive(all->far, &byte, 1, NULL) == 0;
}

/*
 * Only who has the jobs knows that none is about to come: one a minute meets no publisher
 * that leaves, and nobody takes it for one that died.
 */
static void rests(void **state)
{
	(void)state;
	sync_turn(&all->room.core, kernel.now_ms);
	start(asked());
	assert_true(take_job());
	answer(MESSAGE_ANSWER, "81.2.69.1");
	room_wait(3000);
	assert_true(take_job());
	answer(MESSAGE_GOOD, NULL);
	for (int minutes = 0; minutes < 5; minutes++) {
		while (!take_job())
			room_wait(1000);
		assert_int_equal(all->job.kind, MESSAGE_VERIFY);
		answer(MESSAGE_NOT_YET, "81.2.69.1");
		room_wait(PUBLISHER_REST_MS);
	}
	assert_true(take_job());
	room_wait(10000);	/* not while it has one */
	assert_false(sent_home());
	answer(MESSAGE_VERIFIED, "81.2.69.7");
	room_wait(PUBLISHER_REST_MS - 1);
	assert_false(sent_home());
	assert_int_equal(publisher_due_ms(&all->room.core, kernel.now_ms), kernel.now_ms + 1);
	room_wait(1);
	assert_true(sent_home());
	close(all->far);
	all->far = -1;
	assert_string_equal(publisher_state_name(&all->room.core.publisher), "idle");
	assert_int_equal(asked(), 0);
}

/* An update for an address that is gone is not waited for. */
static void address_goes(void **state)
{
	(void)state;
	sync_turn(&all->room.core, kernel.now_ms);
	start(asked());
	assert_true(take_job());
	answer(MESSAGE_ANSWER, "81.2.69.1");
	room_wait(3000);
	assert_true(take_job());
	assert_int_equal(all->job.kind, MESSAGE_UPDATE_RECORDS);
	publisher_address_changed(&all->room.core, kernel.now_ms);
	assert_string_equal(publisher_state_name(&all->room.core.publisher), "running");
	room_ppp("81.2.69.8");
	all->room.core.sync.links_changed = true;
	sync_turn(&all->room.core, kernel.now_ms);
	assert_string_equal(publisher_state_name(&all->room.core.publisher), "idle");
	close(all->far);
	start(asked());
	assert_true(take_job());
	assert_int_equal(all->job.kind, MESSAGE_CHECK);
	answer(MESSAGE_ANSWER, "81.2.69.1");
	room_wait(3000);
	assert_true(take_job());
	assert_addr(all->job.records[0].address, "81.2.69.8");
}

static void cannot_be_started(void **state)
{
	struct message_reply reply = { .head.type = MESSAGE_PUBLISHER, .status = -ENOENT,
				       .text = "no such program" };

	(void)state;
	sync_turn(&all->room.core, kernel.now_ms);
	reply.head.number = asked();
	publisher_take(&all->room.core, &reply, -1, kernel.now_ms);
	assert_string_equal(publisher_state_name(&all->room.core.publisher), "failed");
	assert_int_equal(asked(), 0);
	room_wait(PUBLISHER_WAIT_MS);
	assert_true(asked() > 0);
	/* And no answer at all is a failure too. */
	room_wait(PUBLISHER_ASK_MS);
	turn();
	assert_string_equal(publisher_state_name(&all->room.core.publisher), "failed");
}

/* A resolver that tells the LAN something else: one warning that says what to do. */
static void split_horizon(void **state)
{
	struct room_log log;
	unsigned warnings = 0;
	char said[2048];

	main_job(state);
	log = room_log_begin(LOG_NOTICE);
	for (int looks = 0; looks < 5; looks++) {
		room_wait(600000);
		if (all->far < 0)
			start(asked());
		while (!take_job())
			room_wait(1000);
		assert_int_equal(all->job.kind, MESSAGE_CHECK);
		answer(MESSAGE_NO_PROOF, NULL);
	}
	room_log_end(&log, said, sizeof(said));
	assert_int_equal(state_now(), RECORD_CURRENT);
	for (const char *at = said; (at = strstr(at, "home.example.org")); at++)
		warnings++;
	assert_int_equal(warnings, 1);
	assert_non_null(strstr(said, "split horizon"));
	assert_non_null(strstr(said, "dns.servers"));
}

/* A descriptor that nobody asked for is closed. */
static void unasked(void **state)
{
	struct message_reply reply = { .head = { MESSAGE_PUBLISHER, 77 } };
	int ends[2];
	char byte;

	(void)state;
	sync_turn(&all->room.core, kernel.now_ms);
	assert_int_equal(channel_pair(ends), 0);
	publisher_take(&all->room.core, &reply, ends[0], kernel.now_ms);
	assert_int_equal(channel_receive(ends[1], &byte, 1, NULL), 0);
	close(ends[1]);
}

/* What fails the check ends the publisher, not the core. */
static void hostile(void **state)
{
	struct message_result result = { .head = { MESSAGE_RESULT, 0 } };
	char byte;

	(void)state;
	sync_turn(&all->room.core, kernel.now_ms);
	start(asked());
	assert_true(take_job());
	result.verdict = 4711;
	assert_int_equal(channel_send(all->far, &result, sizeof(result), -1), 0);
	publisher_readable(&all->room.core, kernel.now_ms);
	assert_string_equal(publisher_state_name(&all->room.core.publisher), "failed");
	assert_int_equal(channel_receive(all->far, &byte, 1, NULL), 0);
	close(all->far);
	room_wait(PUBLISHER_WAIT_MS);
	start(asked());
	while (!take_job())
		room_wait(1000);
	/* A good answer of another kind than the job, as a hostile one may give. */
	answer(MESSAGE_GOOD, NULL);
	assert_string_equal(publisher_state_name(&all->room.core.publisher), "failed");
	close(all->far);
	room_wait(2 * PUBLISHER_WAIT_MS);
	start(asked());
	while (!take_job())
		room_wait(1000);
	/* A good answer to a job that nobody gave changes nothing. */
	all->job.head.number += 1000;
	answer(MESSAGE_ANSWER, "6.6.6.6");
	assert_true(addr_is_none(
		&schedule_record(all->room.core.schedule, 0)->record.published));
}

static void settings_too_large(void **state)
{
	struct config_provider *provider = &all->room.core.config->providers[0];

	(void)state;
	provider->ca_pem = malloc(MESSAGE_JOB_TEXT_BYTES + 1);
	memset(provider->ca_pem, 'x', MESSAGE_JOB_TEXT_BYTES);
	provider->ca_pem[MESSAGE_JOB_TEXT_BYTES] = '\0';
	sync_turn(&all->room.core, kernel.now_ms);
	start(asked());
	assert_true(take_job());
	answer(MESSAGE_ANSWER, "81.2.69.1");
	room_wait(3000);
	assert_false(take_job());
	assert_int_equal(state_now(), RECORD_WAITING);
	assert_non_null(strstr(schedule_reason(all->room.core.schedule, 0), "too large"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PUBLISHER_TEST(no_work_no_publisher),
		PUBLISHER_TEST(main_job),
		PUBLISHER_TEST(a_link_for_each_family),
		PUBLISHER_TEST(published_event),
		PUBLISHER_TEST(dies_at_work),
		PUBLISHER_TEST(leaves_with_a_job),
		PUBLISHER_TEST(rests),
		PUBLISHER_TEST(address_goes),
		PUBLISHER_TEST(cannot_be_started),
		PUBLISHER_TEST(split_horizon),
		PUBLISHER_TEST(unasked),
		PUBLISHER_TEST(hostile),
		PUBLISHER_TEST(settings_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
