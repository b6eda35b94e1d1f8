/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Those who watch: what they hear, and that none of them costs the others anything. */
#include <fcntl.h>
#include <inttypes.h>

#include "control_room.h"

static int begin(void **state)
{
	(void)state;
	return control_room_begin("hairpin a", "81.2.69.7");
}

static void turn(void)
{
	control_room_spin();
	watch_turn(&room.core);
	control_turn(room.core.control, kernel.now_ms);
}

/* Another client that says this; without a reader of small `bytes` where not 0. */
static int client_of(uid_t uid, const char *request, int bytes)
{
	int fd = control_room_client(uid, 500, bytes);

	control_room_say(fd, request, strlen(request));
	turn();
	return fd;
}

static int client(const char *request, int bytes)
{
	return client_of(0, request, bytes);
}

static int watcher(void)
{
	return client("{\"command\": \"watch\"}\n", 0);
}

/* All that waits; "" where nothing does, NULL at the end of the stream. */
static const char *hear(int fd)
{
	static char text[1 << 18];
	size_t length = 0;
	ssize_t got;

	for (;;) {
		turn();
		got = recv(fd, text + length, sizeof(text) - 1 - length, 0);
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	text[length] = '\0';
	return got == 0 && length == 0 ? NULL : text;
}

static void assert_hears(int fd, const char *event, const char *part)
{
	const char *text = hear(fd);
	char start[64];
	const char *at;

	assert_non_null(text);
	snprintf(start, sizeof(start), "{\"event\":\"%s\",\"time\":\"2026-", event);
	at = strstr(text, start);
	if (!at || (part && !strstr(at, part)))
		fail_msg("no %s with %s in: %s", event, part, text);
}

static size_t count(const char *text, const char *part)
{
	size_t found = 0;

	while ((text = strstr(text, part))) {
		found++;
		text++;
	}
	return found;
}

static void says_hello(void **state)
{
	int fd = watcher();

	(void)state;
	assert_hears(fd, "hello", "\"version\":\"" HAIRPIN_VERSION "\",\"generation\":1}\n");
	assert_string_equal(hear(fd), "");
	/* Silence is no reason to be cut off, and costs no wake-up. */
	assert_int_equal(control_due_ms(room.core.control), INT64_MAX);
	room_wait(100 * CONTROL_IDLE_MS);
	assert_string_equal(hear(fd), "");
	close(fd);
	turn();
	assert_int_equal(room.core.control->count, 0);
}

static void hears_of_addresses(void **state)
{
	int fd = watcher();

	(void)state;
	(void)hear(fd);
	room_ppp("81.2.69.8");
	room_look(&room);
	assert_hears(fd, "address",
		     "\"wan\":\"fibre\",\"interface\":\"ppp0\",\"family\":\"ipv4\","
		     "\"old\":\"81.2.69.7\",\"new\":\"81.2.69.8\",\"rules\":1");
	room_ppp(NULL);
	room_look(&room);
	room_wait(5000);
	room_look(&room);
	assert_hears(fd, "lost", "\"old\":\"81.2.69.8\",\"new\":null");
	close(fd);
}

static void hears_of_rules(void **state)
{
	int fd = watcher();

	(void)state;
	(void)hear(fd);
	kernel.rules[0].address = fake_addr("9.9.9.9");
	kernel.foreign = true;
	rules_readable(&room.core);
	room_wait(1000);
	sync_turn(&room.core, kernel.now_ms);
	assert_hears(fd, "rules", "\"wan\":\"fibre\",\"rules\":1,\"commit_us\":");
	kernel.sync_fails = -EPERM;
	kernel.rules[0].address = fake_addr("9.9.9.9");
	room.core.sync.asked = true;
	sync_turn(&room.core, kernel.now_ms);
	assert_hears(fd, "rules", "\"error\":\"the kernel says no\"");
	kernel.sync_fails = 0;
	room.core.sync.asked = true;
	sync_turn(&room.core, kernel.now_ms);
	assert_hears(fd, "rules", "in step again");
	close(fd);
}

static void hears_of_records(void **state)
{
	struct schedule_record *of = schedule_record(room.core.schedule, 0);
	int fd = watcher();

	(void)state;
	(void)hear(fd);
	record_refuse(&of->record, MESSAGE_BADAUTH, "wrong\x1b password");
	assert_hears(fd, "state", "\"hostname\":\"home.example.org\",\"family\":\"ipv4\","
				  "\"provider\":\"dyn\",\"from\":\"stale\","
				  "\"to\":\"disabled\",\"reason\":\"badauth");
	watch_record(&room.core, 0, "failed", &of->record.published, &of->record.wanted,
		     "no");
	assert_hears(fd, "failed", "\"old\":null,\"new\":\"81.2.69.7\",\"message\":\"no\"}");
	assert_string_equal(hear(fd), "");
	close(fd);
}

static void hears_of_the_rest(void **state)
{
	int fd = watcher();

	(void)state;
	(void)hear(fd);
	watch_reload(&room.core, "bad\x1b");
	assert_hears(fd, "reload", "\"error\":\"bad\\\\x1b\"}");
	room.core.publisher.state = PUBLISHER_RUNNING;
	assert_hears(fd, "publisher", "\"state\":\"running\"}");
	room.core.wans[0].up = !room.core.wans[0].up;
	assert_hears(fd, "link", "\"interface\":\"ppp0\",\"up\":");
	assert_string_equal(hear(fd), "");
	close(fd);
}

/* What was before a watcher came is not told to it, and what was not told yet is to others. */
static void begins_with_now(void **state)
{
	int first = watcher(), second;

	(void)state;
	(void)hear(first);
	room.core.publisher.state = PUBLISHER_RUNNING;
	second = watcher();
	assert_hears(first, "publisher", "running");
	assert_int_equal(count(hear(second), "\n"), 1);
	close(first);
	close(second);
}

/* Nobody waits for who does not read; what it missed is counted; memory is bounded. */
static void slow_reader(void **state)
{
	int slow = client("{\"command\": \"watch\"}\n", 4096), quick = watcher();
	size_t heard = 0, lines = 3000;
	const char *text;
	int64_t lost = 0;

	(void)state;
	(void)hear(quick);
	for (size_t i = 0; i < lines; i++) {
		watch_plain(&room.core, "reload", "error", "a sentence of some length");
		if (i % 100 == 99)
			heard += count(hear(quick), "\n");
	}
	assert_int_equal(heard, lines);
	for (size_t i = 0; i < room.core.control->count; i++)
		assert_in_range(room.core.control->clients[i]->out.length, 0,
				CONTROL_WATCH_BYTES);
	text = hear(slow);
	heard = count(text, "\"reload\"");
	text = strstr(text, "\"lagged\"");
	assert_non_null(text);
	assert_int_equal(sscanf(strstr(text, "\"lost\":"), "\"lost\":%" SCNd64 "}", &lost), 1);
	assert_int_equal((int64_t)heard + lost, (int64_t)lines);
	watch_plain(&room.core, "resume", NULL, NULL);
	assert_hears(slow, "resume", NULL);
	close(slow);
	close(quick);
}

/* Others find room, whoever watches; of the watchers one that does not read makes room. */
static void places(void **state)
{
	int watchers[CONTROL_WATCHERS_MAX], one, idle[2 * CONTROL_CLIENTS_MAX];
	char big[1000];

	(void)state;
	watchers[0] = client("{\"command\": \"watch\"}\n", 4096);
	for (int i = 1; i < CONTROL_WATCHERS_MAX; i++)
		watchers[i] = watcher();
	one = watcher();
	assert_non_null(strstr(hear(one), "\"error\""));
	close(one);
	for (int i = 0; i < 2 * CONTROL_CLIENTS_MAX; i++)
		idle[i] = client("{", 0);
	one = client("{\"command\": \"version\"}\n", 0);
	assert_non_null(strstr(hear(one), HAIRPIN_VERSION));
	close(one);
	for (int i = 0; i < CONTROL_WATCHERS_MAX; i++)
		assert_non_null(strstr(hear(watchers[i]), "hello"));
	/* The first one reads no more. */
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	for (int i = 0; i < 200; i++) {
		watch_plain(&room.core, "reload", "error", big);
		for (int j = 1; j < CONTROL_WATCHERS_MAX; j++)
			(void)hear(watchers[j]);
	}
	one = watcher();
	assert_hears(one, "hello", NULL);
	for (int i = 0; i < 2 * CONTROL_CLIENTS_MAX; i++)
		close(idle[i]);
	for (int i = 0; i < CONTROL_WATCHERS_MAX; i++)
		close(watchers[i]);
	close(one);
}

/* Whoever takes all places makes room for another user, and not the other way round. */
static void users_are_even(void **state)
{
	int crowd[CONTROL_WATCHERS_MAX], idle[3 * CONTROL_CLIENTS_MAX], fd, silent;

	(void)state;
	room.options.control_group = 500;
	silent = client("{", 0);
	room_wait(1);
	for (int i = 0; i < 3 * CONTROL_CLIENTS_MAX; i++)
		idle[i] = client_of(geteuid() + 1, "{", 0);
	/* Root's was silent for longer, and is there all the same. */
	assert_string_equal(hear(silent), "");
	assert_null(hear(idle[0]));
	for (int i = 0; i < 3 * CONTROL_CLIENTS_MAX; i++)
		close(idle[i]);
	turn();
	for (int i = 0; i < CONTROL_WATCHERS_MAX; i++)
		crowd[i] = client_of(geteuid() + 1, "{\"command\": \"watch\"}\n", 0);
	fd = watcher();
	assert_hears(fd, "hello", NULL);
	close(fd);
	turn();
	/* The crowd's own next one finds the last place, the one after it none. */
	fd = client_of(geteuid() + 1, "{\"command\": \"watch\"}\n", 0);
	assert_hears(fd, "hello", NULL);
	idle[0] = client_of(geteuid() + 1, "{\"command\": \"watch\"}\n", 0);
	assert_non_null(strstr(hear(idle[0]), "\"error\""));
	for (int i = 0; i < CONTROL_WATCHERS_MAX; i++)
		close(crowd[i]);
	close(idle[0]);
	close(silent);
	close(fd);
}

/* A watcher has nothing more to say. */
static void talkative(void **state)
{
	char words[1024];
	int fd = watcher();

	(void)state;
	(void)hear(fd);
	memset(words, '\n', sizeof(words));
	assert_int_equal(send(fd, words, sizeof(words), MSG_NOSIGNAL), sizeof(words));
	assert_string_equal(hear(fd), "");
	for (int i = 0; i < 20 && room.core.control->count; i++) {
		(void)send(fd, words, sizeof(words), MSG_NOSIGNAL);
		turn();
	}
	assert_int_equal(room.core.control->count, 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(says_hello, begin, control_room_end),
		cmocka_unit_test_setup_teardown(hears_of_addresses, begin, control_room_end),
		cmocka_unit_test_setup_teardown(hears_of_rules, begin, control_room_end),
		cmocka_unit_test_setup_teardown(hears_of_records, begin, control_room_end),
		cmocka_unit_test_setup_teardown(hears_of_the_rest, begin, control_room_end),
		cmocka_unit_test_setup_teardown(begins_with_now, begin, control_room_end),
		cmocka_unit_test_setup_teardown(slow_reader, begin, control_room_end),
		cmocka_unit_test_setup_teardown(places, begin, control_room_end),
		cmocka_unit_test_setup_teardown(users_are_even, begin, control_room_end),
		cmocka_unit_test_setup_teardown(talkative, begin, control_room_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
