/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of hooks, and `hook test` from the client to the supervisor and back. */
#include <errno.h>

#include "control_room.h"

static int begin(void **state)
{
	(void)state;
	return control_room_begin("hairpin", "81.2.69.1");
}

static int ask(uid_t uid, const char *request)
{
	int fd = control_room_client(uid, uid, 0);

	control_room_say(fd, request, strlen(request));
	control_room_spin();
	control_turn(room.core.control, kernel.now_ms);
	return fd;
}

/* The whole answer; "": none yet. */
static const char *answer(int fd, char out[8192])
{
	ssize_t got;

	control_room_spin();
	got = recv(fd, out, 8191, 0);
	out[got > 0 ? got : 0] = '\0';
	return out;
}

static struct message_hook_result result_of(uint32_t number, const char *name,
					    enum message_outcome outcome, unsigned code)
{
	struct message_hook_result result = {
		.head = { MESSAGE_HOOK_RESULT, number },
		.event = MESSAGE_EVENT_ADDRESS, .outcome = outcome, .code = code,
	};

	strcpy(result.name, name);
	return result;
}

static void ran(uint32_t number, const char *name, enum message_outcome outcome,
		unsigned code)
{
	struct message_hook_result result = result_of(number, name, outcome, code);

	events_ran(&room.core, &result);
}

static void done(uint32_t number, int status, const char *text)
{
	struct message_reply reply = { .head = { MESSAGE_HOOK_DONE, number },
				       .status = status };

	strcpy(reply.text, text);
	events_finished(&room.core, &reply);
}

static void next_event(const char *address, uint32_t *ret_number)
{
	struct message_hook hook;

	room_ppp(address);
	room_look(&room);
	hook = room_hook(&room);
	assert_true(hook.event != 0);
	*ret_number = hook.head.number;
}

/* --- what is remembered --- */

static void last_run_and_counts(void **state)
{
	const struct hookbook *book = &room.core.events.book;
	uint32_t number = room_hook(&room).head.number;
	struct json *status;
	struct json_error error;
	char *text;

	(void)state;
	ran(number, "20-b", MESSAGE_HOOK_EXIT, 3);
	ran(number, "10-a", MESSAGE_HOOK_OK, 0);
	ran(number + 1, "10-a", MESSAGE_HOOK_EXIT, 1);	/* of no event that is under way */
	done(number, 0, "hook 20-b: exit status 3");
	next_event("81.2.69.8", &number);
	ran(number, "10-a", MESSAGE_HOOK_TIMED_OUT, 0);
	ran(number, "20-b", MESSAGE_HOOK_SIGNAL, 11);
	done(number, 0, "");
	assert_int_equal(book->count, 2);
	assert_string_equal(book->list[0].name, "10-a");
	assert_int_equal(hook_note_runs(&book->list[0]), 2);
	assert_int_equal(book->list[0].runs[MESSAGE_HOOK_TIMED_OUT], 1);
	assert_int_equal(book->list[1].runs[MESSAGE_HOOK_OK], 0);

	text = status_print(&room.core, kernel.now_ms);
	status = json_parse(text, strlen(text), JSON_STRICT, &error);
	assert_non_null(status);
	assert_non_null(strstr(text, "{\"name\":\"20-b\",\"last_run\":\""));
	assert_non_null(strstr(text, "\"result\":\"signal 11\",\"reason\":null,\"runs\":2,"
				     "\"failures\":2}"));
	assert_non_null(strstr(text, "\"result\":\"timed out\""));
	assert_int_equal(json_kind(json_get(status, "hooks_reason")), JSON_NULL);
	json_free(status);
	free(text);
}

/* A file that was removed is no reason for attention any more. */
static void the_gone_are_forgotten(void **state)
{
	const struct hookbook *book = &room.core.events.book;
	uint32_t number = room_hook(&room).head.number;

	(void)state;
	ran(number, "10-a", MESSAGE_HOOK_REFUSED, 0);
	ran(number, "20-b", MESSAGE_HOOK_OK, 0);
	done(number, 0, "");
	assert_int_equal(book->count, 2);
	next_event("81.2.69.8", &number);
	ran(number, "20-b", MESSAGE_HOOK_OK, 0);
	done(number, 0, "");
	assert_int_equal(book->count, 1);
	assert_string_equal(book->list[0].name, "20-b");
	assert_int_equal(hook_note_runs(&book->list[0]), 2);
	next_event("81.2.69.9", &number);
	done(number, -EPERM, "refused: others may write to hooks.d");
	assert_int_equal(book->count, 0);
	assert_string_equal(book->reason, "refused: others may write to hooks.d");
	next_event("81.2.69.7", &number);
	done(number, 0, "");
	assert_string_equal(book->reason, "");
}

static void bounded(void **state)
{
	uint32_t number = room_hook(&room).head.number;
	char name[32];

	(void)state;
	for (int i = 200; i > 0; i--) {
		snprintf(name, sizeof(name), "%03d", i);
		ran(number, name, MESSAGE_HOOK_OK, 0);
	}
	assert_int_equal(room.core.events.book.count, HOOKBOOK_MAX);
	assert_string_equal(room.core.events.book.list[0].name, "137");
}

/* --- a test --- */

static void tested(void **state)
{
	struct message_hook_result result;
	struct message_hook hook;
	char text[8192];
	int fd, second;

	(void)state;
	done(room_hook(&room).head.number, 0, "");
	fd = ask(0, "{\"command\":\"hook\",\"name\":\"50-ntfy\"}\n");
	second = ask(0, "{\"command\":\"hook\",\"name\":\"50-ntfy\"}\n");
	assert_non_null(strstr(answer(second, text), "another hook is being tested"));
	hook = room_hook(&room);
	assert_int_equal(hook.event, MESSAGE_EVENT_ADDRESS);
	assert_string_equal(hook.only, "50-ntfy");
	assert_string_equal(hook.reason, "test");
	assert_string_equal(hook.interface, "ppp0");
	assert_addr(hook.new, "81.2.69.7");
	assert_addr(hook.old, "81.2.69.1");
	assert_int_equal(hook.rules, 1);
	assert_string_equal(answer(fd, text), "");
	room_wait(60000);	/* longer than any other client may take */
	control_turn(room.core.control, kernel.now_ms);
	result = result_of(hook.head.number, "50-ntfy", MESSAGE_HOOK_EXIT, 7);
	strcpy(result.text, "no such\\x1b topic\nbye\n");
	events_ran(&room.core, &result);
	assert_string_equal(answer(fd, text),
			    "{\"name\":\"50-ntfy\",\"event\":\"address\",\"result\":"
			    "\"exit 7\",\"output\":\"no such\\\\x1b topic\\nbye\\n\"}\n");
	done(hook.head.number, 0, "");
	/* It is no event for all: others are not gone. */
	assert_int_equal(room.core.events.book.count, 1);
	assert_int_equal(hook_note_runs(&room.core.events.book.list[0]), 1);
	close(fd);
	close(second);
}

static const struct {
	const char *name;
	enum message_event event;
} events[] = {
	{ "startup", MESSAGE_EVENT_STARTUP }, { "lost", MESSAGE_EVENT_LOST },
	{ "record", MESSAGE_EVENT_RECORD },   { "failed", MESSAGE_EVENT_FAILED },
	{ "rules", MESSAGE_EVENT_RULES },
};

/* Each event can be told, and what is told is a message that holds. */
static void every_event(void **state)
{
	char request[128], text[8192];
	struct message_hook hook;

	(void)state;
	done(room_hook(&room).head.number, 0, "");
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		int fd;

		snprintf(request, sizeof(request),
			 "{\"command\":\"hook\",\"name\":\"a\",\"event\":\"%s\"}\n",
			 events[i].name);
		fd = ask(0, request);
		hook = room_hook(&room);
		assert_int_equal(hook.event, events[i].event);
		assert_string_equal(hook.reason, "test");
		assert_string_equal(hook.wan, "fibre");
		if (hook.event == MESSAGE_EVENT_LOST)
			assert_addr(hook.old, "81.2.69.7");
		if (hook.event == MESSAGE_EVENT_STARTUP)
			assert_addr(hook.ipv4, "81.2.69.7");
		if (hook.event == MESSAGE_EVENT_RECORD || hook.event == MESSAGE_EVENT_FAILED)
			assert_string_equal(hook.hostname, "home.example.org");
		ran(hook.head.number, "a", MESSAGE_HOOK_OK, 0);
		assert_non_null(strstr(answer(fd, text), "\"result\":\"ok\""));
		done(hook.head.number, 0, "");
		close(fd);
	}
}

/* Whatever stands in the way, who asked hears of it. */
static void not_run(void **state)
{
	struct message_hook_result result;
	struct message_hook hook;
	char text[8192];
	int fd;

	(void)state;
	room.options.control_group = 1234;
	fd = ask(1234, "{\"command\":\"hook\",\"name\":\"a\"}\n");
	assert_non_null(strstr(answer(fd, text), "you may look, not change"));
	close(fd);
	fd = ask(0, "{\"command\":\"hook\",\"name\":\"../a\"}\n");
	assert_non_null(strstr(answer(fd, text), "may be a hook"));
	close(fd);
	fd = ask(0, "{\"command\":\"hook\",\"name\":\"a\",\"event\":\"source\"}\n");
	assert_non_null(strstr(answer(fd, text), "\\\"event\\\" is to be"));
	close(fd);

	done(room_hook(&room).head.number, 0, "");
	fd = ask(0, "{\"command\":\"hook\",\"name\":\"a\"}\n");
	hook = room_hook(&room);
	result = result_of(hook.head.number, "a", MESSAGE_HOOK_IGNORED, 0);
	strcpy(result.text, "hook a is not executable");
	events_ran(&room.core, &result);
	done(hook.head.number, 0, "");
	assert_string_equal(answer(fd, text), "{\"error\":\"hook a is not executable\"}\n");
	assert_int_equal(room.core.events.book.count, 0);
	close(fd);

	fd = ask(0, "{\"command\":\"hook\",\"name\":\"a\"}\n");
	hook = room_hook(&room);
	done(hook.head.number, -EPERM, "refused: others may write to /");
	assert_string_equal(answer(fd, text),
			    "{\"error\":\"refused: others may write to /\"}\n");
	close(fd);

	/* The configuration changes while it waits. */
	fd = ask(0, "{\"command\":\"hook\",\"name\":\"a\"}\n");
	room.core.config->hooks.directory[0] = '\0';
	assert_int_equal(room_hook(&room).event, 0);
	assert_non_null(strstr(answer(fd, text), "hooks are off"));
	close(fd);
	fd = ask(0, "{\"command\":\"hook\",\"name\":\"a\"}\n");
	assert_non_null(strstr(answer(fd, text), "no hooks are configured"));
	close(fd);
	fd = ask(0, "{\"command\":\"hooks\"}\n");
	assert_string_equal(answer(fd, text),
			    "{\"directory\":null,\"reason\":null,\"runner\":null,"
			 "\"hooks\":[]}\n");
	close(fd);
}

/* Who asked may go; the hook's end is then of no interest, and the next may ask. */
static void client_gone(void **state)
{
	struct message_hook hook;
	int fd;

	(void)state;
	done(room_hook(&room).head.number, 0, "");
	fd = ask(0, "{\"command\":\"hook\",\"name\":\"a\"}\n");
	hook = room_hook(&room);
	close(fd);
	for (int i = 0; i < 10; i++)
		ev_run(room.core.loop, EVRUN_NOWAIT);
	assert_int_equal(room.core.control->count, 0);
	ran(hook.head.number, "a", MESSAGE_HOOK_OK, 0);
	done(hook.head.number, 0, "");
	fd = ask(0, "{\"command\":\"hook\",\"name\":\"a\"}\n");
	assert_int_equal(room_hook(&room).event, MESSAGE_EVENT_ADDRESS);
	close(fd);
}

#define BOOK_TEST(name) cmocka_unit_test_setup_teardown(name, begin, control_room_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOOK_TEST(last_run_and_counts),
		BOOK_TEST(the_gone_are_forgotten),
		BOOK_TEST(bounded),
		BOOK_TEST(tested),
		BOOK_TEST(every_event),
		BOOK_TEST(not_run),
		BOOK_TEST(client_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
