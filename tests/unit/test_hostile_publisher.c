/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A publisher that was taken over, for days: it can lie about records, names and the
 * address from outside, and nothing else. The rules of a WAN with an address of its own
 * are looked at after every turn.
 */
#include <sys/socket.h>
#include <time.h>

#include "hostile_room.h"

static void nothing(void) { }

static void dies(void)
{
	static const int ends[] = { 1, 4, 6, 7, 8, 9, 11, 15, 31, 256, 256 * 255, 0 };

	hostile_die(ends[hostile_dice(sizeof(ends) / sizeof(*ends))]);
}

/* One result, then it leaves: what it was asked besides is open. */
static void answers_one(void)
{
	struct message_result result = hostile_honest(0);

	hostile_say(&result, sizeof(result));
	publisher_readable(&hostile->room.core, kernel.now_ms);
	(void)core_turn(&hostile->room.core, kernel.now_ms);
	hostile_die(0);
}

static void says_garbage(void)
{
	struct message_result result = hostile_honest(0);

	result.verdict = 4711;
	hostile_say(&result, sizeof(result));
}

/* It is good for a while, and then it dies again. */
static int64_t good_until_ms;

static void good_for(int64_t while_ms)
{
	if (hostile->starts_of_hour && kernel.now_ms >= good_until_ms) {
		good_until_ms = kernel.now_ms + while_ms;
		dies();
		return;
	}
	hostile_answer();
}

static void good_for_a_minute(void) { good_for(61 * SECOND); }
static void good_for_a_while(void) { good_for(11 * MINUTE); }

/* Names come and go: there, silent, there, no address that a set may hold. */
static void blinks(void)
{
	static unsigned count;

	for (uint32_t i = 0; i < hostile->job.record_count; i++) {
		struct message_result result = hostile_honest(i);

		result.ttl_s = 0;
		if (hostile->job.kind == MESSAGE_CHECK)
			result.addresses[0] = fake_addr(count % 2 ? "6.6.6.6" : "81.2.69.7");
		else if (hostile->job.kind == MESSAGE_UPDATE_RECORDS)
			result.verdict = count % 2 ? MESSAGE_GOOD : MESSAGE_TRANSIENT;
		else if (count % 2) {
			memset(result.addresses, 0, sizeof(result.addresses));
			result.address_count = 0;
			result.verdict = hostile->job.kind == MESSAGE_VERIFY ? MESSAGE_NOT_YET
							: MESSAGE_NO_ANSWER;
		}
		hostile_say(&result, sizeof(result));
	}
	count++;
}

/* Answers to jobs that nobody gave, as many as go in. */
static void floods(void)
{
	struct message_result result = hostile_honest(0);

	for (int i = 0; i < 500; i++) {
		result.head.number = 5000 + hostile_dice(1000);
		hostile_say(&result, sizeof(result));
	}
}

static const struct {
	const char *name;
	void (*on_job)(void), (*on_second)(void);
	bool ended;			/* it lives on, and is to be killed */
} acts[] = {
	{ "dies of every job", dies, NULL, false },
	{ "answers one record and leaves", answers_one, NULL, false },
	{ "says what it must not", says_garbage, NULL, true },
	{ "works for a minute at a time", good_for_a_minute, NULL, false },
	{ "works for eleven minutes at a time", good_for_a_while, NULL, false },
	{ "never answers", nothing, NULL, true },
	{ "answers yes and no in turn", blinks, NULL, false },
	{ "floods with late answers", hostile_answer, floods, true },
};

/* Hours of each: the log stays small, and it is not started more than it is of use. */
static void hours(void **state)
{
	char what[128];

	for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		hostile_begin(state);
		good_until_ms = 0;
		hostile_live(6, acts[i].on_job, acts[i].on_second);
		room_log_end(&hostile->log, what, 1);
		snprintf(what, sizeof(what), "publisher that %s: lines per hour and thing",
			 acts[i].name);
		printf("# %s: most about %s\n", acts[i].name, hostile->lines_of);
		figure_at_most("S37", what, (long)hostile->lines_most, 10);
		snprintf(what, sizeof(what), "publisher that %s: starts per hour",
			 acts[i].name);
		figure_at_most("S37", what, (long)hostile->starts_most, 60);
		assert_true(hostile->ends > 0 || !acts[i].ended);
		hostile->log = room_log_begin(LOG_NOTICE);
		hostile_end(state);
	}
}

/* --- every field, at its bounds and beyond --- */

static const char *const addresses[] = {
	"6.6.6.6", "45.11.1.4", "10.0.0.1", "192.168.1.2", "100.64.0.1", "127.0.0.1",
	"0.0.0.0", "169.254.1.1", "224.0.0.1", "255.255.255.255", "203.0.113.9",
	"81.2.69.7", "81.2.69.1", "192.168.9.2", "2a00:1::7", "::1", "fe80::1", "ff02::1",
	"64:ff9b::606:606", "fd00::1", "2001:db8::1", "::",
};

static struct addr any_address(void)
{
	struct addr address = fake_addr(
		addresses[hostile_dice(sizeof(addresses) / sizeof(*addresses))]);

	if (hostile_dice(8) == 0)
		address.family = (uint8_t)hostile_dice(256);
	if (hostile_dice(8) == 0)
		address.bytes[hostile_dice(16)] = (uint8_t)hostile_dice(256);
	return address;
}

static uint32_t any_number(void)
{
	static const uint32_t edges[] = {
		0, 1, 2, 7, 31, 32, 33, 40, 41, 99, 100, 599, 999, 1000, 86400, 86401,
		7 * 86400, 7 * 86400 + 1, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000,
		0x80000001, 0xffffffff,
	};
	uint32_t edge = edges[hostile_dice(sizeof(edges) / sizeof(*edges))];

	return hostile_dice(4) ? edge : hostile_dice(UINT32_MAX);
}

static void spoil_text(char *text, size_t bytes)
{
	switch (hostile_dice(4)) {
	case 0:
		memset(text, 'x', bytes);		/* without an end */
		break;
	case 1:
		memset(text, 'x', bytes - 1);		/* the longest */
		text[bytes - 1] = '\0';
		break;
	case 2:
		snprintf(text, bytes, "good\r\nhairpind: all is well\x1b]0;x\a%%s%%n");
		break;
	default:
		text[hostile_dice((uint32_t)bytes)] = (char)hostile_dice(256);
	}
}

/* One lie in an answer that would be good without it. */
static void spoil(struct message_result *result)
{
	switch (hostile_dice(11)) {
	case 0: result->head.type = hostile_dice(64); break;
	case 1: result->head.number = any_number(); break;
	case 2: result->head.number ^= UINT32_C(1) << hostile_dice(32); break;
	case 3: result->record = any_number(); break;
	case 4: result->verdict = hostile_dice(40); break;
	case 5: result->address_count = any_number(); break;
	case 6: result->ttl_s = any_number(); break;
	case 7: result->retry_after_s = any_number(); break;
	case 8: result->http_status = any_number(); break;
	case 9: spoil_text(result->memo, sizeof(result->memo)); break;
	case 10: spoil_text(result->text, sizeof(result->text)); break;
	}
}

static void lie(struct message_result *result)
{
	uint32_t count = hostile_dice(4) ? 1 : hostile_dice(MESSAGE_ADDRESSES_MAX + 1);

	if (hostile_dice(2) == 0) {
		memset(result->addresses, 0, sizeof(result->addresses));
		result->address_count = count;
		for (uint32_t i = 0; i < count; i++)
			result->addresses[i] = any_address();
	}
	if (hostile_dice(2) == 0)
		result->verdict = hostile_dice(2) ? MESSAGE_ANSWER + hostile_dice(5)
						  : MESSAGE_GOOD + hostile_dice(15);
	if (hostile_dice(4) == 0)
		spoil(result);
}

/* 253 descriptors, which is what one packet takes. */
static void say_with_descriptors(const struct message_result *result)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(253 * sizeof(int))];
	} control = { .bytes = "" };
	struct iovec part = { (void *)result, sizeof(*result) };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fds[253];

	for (size_t i = 0; i < 253; i++)
		fds[i] = STDIN_FILENO;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(header), fds, sizeof(fds));
	(void)!sendmsg(hostile->far, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void say_somehow(const struct message_result *result)
{
	char large[2 * sizeof(*result)] = "";

	switch (hostile_dice(12)) {
	case 0:
		hostile_say(result, hostile_dice(sizeof(*result)));	/* half a message */
		break;
	case 1:
		memcpy(large, result, sizeof(*result));
		hostile_say((void *)large, sizeof(*result) + hostile_dice(sizeof(*result)));
		break;
	case 2:
		hostile_say(result, sizeof(*result));		/* twice */
		hostile_say(result, sizeof(*result));
		break;
	case 3:
		say_with_descriptors(result);
		break;
	case 4:
		break;						/* not at all */
	default:
		hostile_say(result, sizeof(*result));
	}
}

static void lies(void)
{
	for (uint32_t i = 0; i < hostile->job.record_count; i++) {
		struct message_result result = hostile_honest(i);

		lie(&result);
		say_somehow(&result);
	}
	if (hostile_dice(20) == 0)
		dies();
}

/* What was believed while it lied is asked again, and the truth comes back. */
static void truth_comes_back(void)
{
	hostile_live(30, hostile_answer, NULL);
	(void)schedule_update(hostile->room.core.schedule, NULL, 0, true, kernel.now_ms);
	hostile_live(2, hostile_answer, NULL);
	for (size_t i = 0; i < 3; i++) {
		const struct record *record =
			&schedule_record(hostile->room.core.schedule, i)->record;

		assert_int_equal(record->state, RECORD_CURRENT);
		assert_addr(record->published, "81.2.69.7");
	}
	assert_addr(kernel.rules[1].address, "45.11.1.4");
	assert_addr(kernel.rules[2].address, "45.11.1.4");
	assert_string_equal(publisher_state_name(&hostile->room.core.publisher), "running");
}

/* Each field of each kind of answer is wrong once, and the core is none the worse. */
static void every_field(void **state)
{
	long descriptors;

	(void)state;
	hostile_live(1, hostile_answer, NULL);
	hostile_leave();
	publisher_readable(&hostile->room.core, kernel.now_ms);
	descriptors = hostile_descriptors();
	hostile_live(48, lies, NULL);
	truth_comes_back();
	hostile_leave();
	publisher_readable(&hostile->room.core, kernel.now_ms);
	figure_exactly("S37", "descriptors that two days of lies cost the core",
		       hostile_descriptors() - descriptors, 0);
}

/* --- anything, in any order; SEED and ROUNDS from the environment --- */

static void any(void)
{
	switch (hostile_dice(12)) {
	case 0: dies(); break;
	case 1: answers_one(); break;
	case 2: says_garbage(); break;
	case 3: floods(); break;
	case 4: blinks(); break;
	case 5: break;
	case 6: hostile_answer(); break;
	default: lies();
	}
}

static uint64_t number_of(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 10) : otherwise;
}

static void any_act(void **state)
{
	uint64_t rounds = number_of("ROUNDS", 10);

	(void)state;
	hostile->seed = number_of("SEED", (uint64_t)time(NULL));
	printf("# SEED=%llu ROUNDS=%llu\n", (unsigned long long)hostile->seed,
	       (unsigned long long)rounds);
	for (uint64_t i = 0; i < rounds; i++) {
		/* the address moves meanwhile, and the rule with it */
		hostile_live(3, any, NULL);
		if (hostile->room.core.publisher.state == PUBLISHER_RUNNING)
			assert_true(hostile->far >= 0);
	}
	truth_comes_back();
	figure_holds("S37", "a rule never held another address than its WAN's, whatever the "
		     "publisher said", true);
	figure_holds("S37", "records, names and addresses from outside are right again when "
		     "the publisher is", true);
	printf("# %u publishers, %u of them ended\n", hostile->starts, hostile->ends);
}

/* One that failed often does not make a new address wait. */
static void address_goes(void **state)
{
	unsigned starts;

	(void)state;
	hostile_live(2, dies, NULL);
	assert_string_equal(publisher_state_name(&hostile->room.core.publisher), "failed");
	kernel.addresses[0].address = fake_addr("81.2.69.8");
	hostile->room.core.sync.links_changed = true;
	sync_turn(&hostile->room.core, kernel.now_ms);
	starts = hostile->starts;
	for (int i = 0; i < 4 && hostile->starts == starts; i++) {
		(void)core_turn(&hostile->room.core, kernel.now_ms);
		hostile_supervise();
		room_wait(1000);
	}
	assert_int_equal(hostile->starts, starts + 1);
	kernel.addresses[0].address = fake_addr("81.2.69.7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hours),
		cmocka_unit_test_setup_teardown(every_field, hostile_begin, hostile_end),
		cmocka_unit_test_setup_teardown(any_act, hostile_begin, hostile_end),
		cmocka_unit_test_setup_teardown(address_goes, hostile_begin, hostile_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
