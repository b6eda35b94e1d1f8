/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks run outside: who may claim them, and what happens when who runs them goes. */
#include "core_room.h"
#include "figure.h"

enum { HOOKS_USER = 777, STRANGER = 778 };

static struct room room;
static int end;			/* the runner's */

static void claimed(void)
{
	struct message_hooks how;

	assert_int_equal(runner_claim(&room.core, 4711, HOOKS_USER, &end), 0);
	assert_int_equal(channel_receive(end, &how, sizeof(how), NULL), sizeof(how));
	assert_true(message_to_runner_ok(&how, sizeof(how)));
	assert_string_equal(how.directory, "/etc/hairpind/hooks.d");
	assert_int_equal(how.timeout_ms, 30000);
}

/* A core whose start was told; the address is 81.2.69.7. */
static int setup(void **state)
{
	struct message_hook hook;

	(void)state;
	room_kernel_clear();
	room_begin_with(&room, room_config(1), -1);
	room.core.config->hooks.timeout_ms = 30000;
	room.options.hooks_user = HOOKS_USER;
	room_ppp("81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	hook = room_hook(&room);
	room_hook_done(&room, &hook);
	end = -1;
	return hook.event == MESSAGE_EVENT_STARTUP ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	if (end >= 0)
		close(end);
	runner_done(&room.core);
	room_end(&room);
	return 0;
}

static void turn(void)
{
	runner_turn(&room.core, kernel.now_ms);
	events_turn(&room.core, kernel.now_ms);
}

/* What the runner is given in this turn; event 0: nothing. */
static struct message_hook given(void)
{
	struct message_hook hook;
	ssize_t got;

	turn();
	got = channel_receive(end, &hook, sizeof(hook), NULL);
	if (got != sizeof(hook)) {
		memset(&hook, 0, sizeof(hook));
		return hook;
	}
	assert_true(message_to_runner_ok(&hook, sizeof(hook)));
	return hook;
}

static void address(const char *text)
{
	room_ppp(text);
	room_look(&room);
}

static void says(const void *packet, size_t bytes)
{
	assert_int_equal(channel_send(end, packet, bytes, -1), 0);
	runner_readable(&room.core);
}

static void says_ran(const struct message_hook *hook, const char *name)
{
	struct message_hook_result result = {
		.head = { MESSAGE_HOOK_RESULT, hook->head.number },
		.event = hook->event, .outcome = MESSAGE_HOOK_OK,
	};

	strcpy(result.name, name);
	says(&result, message_hook_result_bytes(&result));
}

static void says_done(const struct message_hook *hook)
{
	struct message_reply reply = { .head = { MESSAGE_HOOK_DONE, hook->head.number } };

	says(&reply, sizeof(reply));
}

static void dies(void)
{
	close(end);
	end = -1;
	if (room.core.runner.there)
		runner_readable(&room.core);
	assert_false(room.core.runner.there);
}

/* Hooks are run outside alone, and the change to 81.2.69.8 is given to who claimed them. */
static struct message_hook begins(void)
{
	room.options.hooks_outside = true;
	claimed();
	address("81.2.69.8");
	return given();
}

/* Who claims them says this, and is sent away for it. */
static void is_refused(const void *packet, size_t bytes)
{
	claimed();
	says(packet, bytes);
	assert_false(room.core.runner.there);
	close(end);
	end = -1;
}

/* --- */

static void takes_over(void **state)
{
	struct message_hook hook;

	(void)state;
	claimed();
	address("81.2.69.8");
	assert_int_equal(room_hook(&room).event, 0);	/* not the supervisor */
	hook = given();
	assert_int_equal(hook.event, MESSAGE_EVENT_ADDRESS);
	assert_addr(hook.new, "81.2.69.8");
	assert_string_equal(hook.after, "");
	/* One at a time; while it runs, a thousand changes are one. */
	for (int i = 1; i <= 1000; i++)
		address(i % 2 ? "81.2.69.9" : "81.2.69.10");
	figure_exactly("F59", "events under way at once, run outside",
		       given().event ? 2 : 1, 1);
	assert_true(room.core.events.count <= 2);
	says_ran(&hook, "10");
	says_done(&hook);
	hook = given();
	assert_addr(hook.old, "81.2.69.8");
	assert_addr(hook.new, "81.2.69.10");
	says_done(&hook);
	assert_true(events_are_settled(&room.core));
	assert_int_equal(room.core.events.book.count, 0);
}

static void goes_in_the_middle(void **state)
{
	struct message_hook hook = begins();

	(void)state;
	says_ran(&hook, "10-first");
	dies();
	assert_addr(room.core.wans[0].sides[WAN_IPV4].told, "81.2.69.7");
	turn();
	assert_int_equal(room_hook(&room).event, 0);	/* nobody else runs them */
	claimed();
	hook = given();
	assert_int_equal(hook.event, MESSAGE_EVENT_ADDRESS);
	assert_addr(hook.old, "81.2.69.7");
	assert_string_equal(hook.after, "10-first");
	says_ran(&hook, "20-second");
	assert_int_equal(room.core.events.book.count, 2);
	says_done(&hook);
	assert_int_equal(room.core.events.book.count, 2);	/* both are of this event */
	assert_int_equal(given().event, 0);
	assert_addr(room.core.wans[0].sides[WAN_IPV4].told, "81.2.69.8");
}

/* What the first hook was told holds no more: it is run again. */
static void goes_and_the_address_changes(void **state)
{
	struct message_hook hook = begins();

	(void)state;
	says_ran(&hook, "10-first");
	dies();
	address("81.2.69.9");
	claimed();
	hook = given();
	assert_addr(hook.old, "81.2.69.7");
	assert_addr(hook.new, "81.2.69.9");
	assert_string_equal(hook.after, "");
	says_done(&hook);
	assert_int_equal(given().event, 0);
}

static void record_comes_again(void **state)
{
	struct addr old = fake_addr("81.2.69.1"), between = fake_addr("81.2.69.2");
	struct addr new = fake_addr("81.2.69.3");
	struct message_hook hook;

	(void)state;
	claimed();
	events_record(&room.core, 0, MESSAGE_EVENT_RECORD, &old, &between, "");
	assert_int_equal(given().event, MESSAGE_EVENT_RECORD);
	events_record(&room.core, 0, MESSAGE_EVENT_RECORD, &between, &new, "");
	dies();
	claimed();
	hook = given();
	assert_addr(hook.old, "81.2.69.1");
	assert_addr(hook.new, "81.2.69.3");
	says_done(&hook);
	assert_int_equal(given().event, 0);
	assert_true(events_are_settled(&room.core));
}

/* What hooks were told before it went is old: they are run again, too. */
static void record_changes_while_nobody_is_there(void **state)
{
	struct addr old = fake_addr("81.2.69.1"), between = fake_addr("81.2.69.2");
	struct addr new = fake_addr("81.2.69.3");
	struct message_hook hook;

	(void)state;
	room.options.hooks_outside = true;
	claimed();
	events_record(&room.core, 0, MESSAGE_EVENT_RECORD, &old, &between, "");
	hook = given();
	says_ran(&hook, "10-first");
	dies();
	events_record(&room.core, 0, MESSAGE_EVENT_RECORD, &between, &new, "");
	claimed();
	hook = given();
	assert_addr(hook.old, "81.2.69.1");
	assert_addr(hook.new, "81.2.69.3");
	assert_string_equal(hook.after, "");
	dies();
	claimed();
	hook = given();
	assert_addr(hook.new, "81.2.69.3");
	says_done(&hook);
}

static void without_the_option_hairpind_goes_on(void **state)
{
	struct message_hook hook;

	(void)state;
	claimed();
	address("81.2.69.8");
	assert_int_equal(given().event, MESSAGE_EVENT_ADDRESS);
	dies();
	hook = room_hook(&room);
	assert_addr(hook.new, "81.2.69.8");
	room_hook_done(&room, &hook);
	assert_true(events_are_settled(&room.core));
}

static void silence(void **state)
{
	struct message_hook hook = begins();

	(void)state;
	room_wait(30000);
	turn();
	says_ran(&hook, "10");		/* each hook has its own time */
	room_wait(30000);
	turn();
	assert_true(room.core.runner.there);
	assert_true(runner_due_ms(&room.core) == kernel.now_ms + RUNNER_SLACK_MS);
	room_wait(RUNNER_SLACK_MS);
	turn();
	assert_false(room.core.runner.there);
	close(end);
	claimed();
	assert_string_equal(given().after, "10");
}

static void says_what_it_must_not(void **state)
{
	struct message stop = { MESSAGE_STOP, 1 }, config = { MESSAGE_CONFIG, 1 };
	struct message_reply publisher = { .head = { MESSAGE_PUBLISHER, 1 } };
	struct message_hook hook;

	(void)state;
	is_refused(&stop, sizeof(stop));
	assert_false(room.core.stopping);
	is_refused(&config, sizeof(config));
	is_refused(&publisher, sizeof(publisher));
	/* Of the supervisor's event it knows nothing. */
	address("81.2.69.8");
	hook = room_hook(&room);
	claimed();
	says_ran(&hook, "10");
	says_done(&hook);
	assert_int_equal(room.core.events.book.count, 0);
	assert_false(events_are_settled(&room.core));
	room_hook_done(&room, &hook);
	assert_true(events_are_settled(&room.core));
}

static void only_one(void **state)
{
	int other = -1;

	(void)state;
	claimed();
	assert_int_equal(runner_claim(&room.core, 4712, 0, &other), -EBUSY);
	assert_int_equal(other, -1);
	dies();
	claimed();
}

static void nobody_is_there(void **state)
{
	struct message_hook hook;
	struct room_log log;
	char said[4096];

	(void)state;
	room.options.hooks_outside = true;
	assert_non_null(strstr(runner_reason(&room.core), "hairpinctl watch --run-hooks"));
	assert_int_equal(events_test(&room.core, "10", MESSAGE_EVENT_ADDRESS), -ENOTCONN);
	log = room_log_begin(LOG_WARNING);
	for (int i = 0; i < 200; i++) {		/* an hour */
		address(i % 2 ? "81.2.69.8" : "81.2.69.9");
		turn();
		room_wait(18000);
	}
	room_log_end(&log, said, sizeof(said));
	assert_non_null(strstr(said, "nobody is there to run them"));
	assert_null(strstr(strstr(said, "nobody is") + 1, "nobody is"));	/* once */
	assert_true(room.core.events.count <= 2);
	assert_true(runner_due_ms(&room.core) == INT64_MAX);
	assert_true(events_due_ms(&room.core) == INT64_MAX);
	claimed();
	assert_null(runner_reason(&room.core));
	hook = given();
	assert_addr(hook.old, "81.2.69.7");
}

/* Who may claim may come and go as often as he likes. */
static void claims_fill_no_log(void **state)
{
	struct room_log log;
	char said[4096];
	unsigned lines = 0;

	(void)state;
	log = room_log_begin(LOG_NOTICE);
	for (int i = 0; i < 250; i++) {
		claimed();
		dies();
	}
	room_log_end(&log, said, sizeof(said));
	for (const char *at = said; (at = strchr(at, '\n')); at++)
		lines++;
	figure_at_most("F70", "lines where the service of hooks comes and goes 250 times",
		       (long)lines, 10);
	assert_non_null(strstr(said, "run by process 4711 of user 777"));
	assert_non_null(strstr(said, "(128 times now)"));
}

static void test_fails(void **state)
{
	(void)state;
	claimed();
	assert_int_equal(events_test(&room.core, "10", MESSAGE_EVENT_ADDRESS), 0);
	assert_string_equal(given().only, "10");
	dies();
	assert_false(room.core.events.test.waits);
	assert_true(events_are_settled(&room.core));	/* a test is not given again */
}

static void reload_is_told(void **state)
{
	struct config *config = room_config(1);
	struct message_hooks how;
	struct err err = { "" };

	(void)state;
	claimed();
	strcpy(config->hooks.directory, "/srv/hooks");
	config->hooks.timeout_ms = 5000;
	strcpy(config->hooks.user, "somebody");
	assert_int_equal(core_configure(&room.core, config, &err), 0);
	runner_configured(&room.core);
	assert_int_equal(channel_receive(end, &how, sizeof(how), NULL), sizeof(how));
	assert_string_equal(how.directory, "/srv/hooks");
	assert_int_equal(how.timeout_ms, 5000);
	assert_string_equal(how.user, "somebody");
}

/* --- over the control socket --- */

/* Its answer, and the descriptor that came with it (-1: none) in `ret_fd`. */
static void ask(uid_t uid, gid_t gid, char answer[4096], int *ret_fd)
{
	static const char request[] = "{\"command\":\"run-hooks\"}\n";
	struct unixsock_peer peer = { .pid = 4713, .uid = uid, .gid = gid };
	int ends[2];
	ssize_t got;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
				    0, ends), 0);
	control_adopt(room.core.control, ends[0], &peer, kernel.now_ms);
	(void)send(ends[1], request, sizeof(request) - 1, MSG_NOSIGNAL);
	for (int i = 0; i < 10; i++)
		ev_run(room.core.loop, EVRUN_NOWAIT);
	control_turn(room.core.control, kernel.now_ms);
	got = channel_receive(ends[1], answer, 4095, ret_fd);
	assert_true(got > 0);
	answer[got] = '\0';
	close(ends[1]);
}

static void who_may_claim(void **state)
{
	static const struct { uid_t uid; gid_t gid; bool may; } peers[] = {
		{ 0, 0, true }, { HOOKS_USER, 5, true }, { STRANGER, 900, true },
		{ STRANGER, 500, false }, { STRANGER, 5, false },
	};
	struct ev_loop *loop;
	char answer[4096];
	unsigned wrong = 0;
	int fd, other;

	(void)state;
	room.options.control_group = 500;
	room.options.admin_group = 900;
	room.core.loop = loop = loop_new();
	assert_int_equal(control_new(&room.core, &room.core.control), 0);
	for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
		fd = -1;
		ask(peers[i].uid, peers[i].gid, answer, &fd);
		wrong += (fd >= 0) != peers[i].may || room.core.runner.there != peers[i].may;
		assert_true(strstr(answer, peers[i].may ? "\"version\"" : "\"error\""));
		if (fd >= 0)
			close(fd);
		if (room.core.runner.there)
			runner_readable(&room.core);
	}
	figure_exactly("S8", "peers that were let run hooks, or not, wrongly", wrong, 0);
	ask(HOOKS_USER, 5, answer, &fd);
	assert_true(fd >= 0);
	ask(0, 0, answer, &other);
	assert_int_equal(other, -1);
	close(fd);
	assert_non_null(strstr(answer, "another process runs the hooks already"));
	runner_done(&room.core);
	control_free(room.core.control);
	room.core.control = NULL;
	room.core.loop = NULL;
	ev_loop_destroy(loop);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(takes_over),
		TEST(goes_in_the_middle),
		TEST(goes_and_the_address_changes),
		TEST(record_comes_again),
		TEST(record_changes_while_nobody_is_there),
		TEST(without_the_option_hairpind_goes_on),
		TEST(silence),
		TEST(says_what_it_must_not),
		TEST(only_one),
		TEST(nobody_is_there),
		TEST(claims_fill_no_log),
		TEST(test_fails),
		TEST(reload_is_told),
		TEST(who_may_claim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
