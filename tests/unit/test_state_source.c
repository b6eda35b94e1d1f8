/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What sources know, from one core to the next through the state file. */
#include <sys/file.h>

#include "core/discover.h"
#include "state_room.h"

#define INNER "192.168.1.2"
#define PUBLIC "81.2.69.7"

/* IPv4 comes from two services, the second one as named. */
static struct config *config_with(const char *second)
{
	struct config *config = room_config(1);
	struct config_outside *outside = calloc(1, sizeof(*outside));

	outside->place_count = outside->agree = 2;
	strcpy(outside->places[0].where, "https://a.example.net/");
	strcpy(outside->places[1].where, second);
	config->wans[0].ipv4 = CONFIG_HTTP;
	config->wans[0].outside4 = outside;
	return config;
}

static struct config *config_same(void)
{
	return config_with("https://b.example.net/?token=geheim");
}

static void begin_room(struct room *room, struct config *config)
{
	room_begin_with(room, config, scratch.fd);
	room_ppp(INNER);
	sync_turn(&room->core, kernel.now_ms);
}

static struct source *source_of(struct room *room)
{
	return &room->core.wans[0].sides[WAN_IPV4].source;
}

/* How many are asked; each says that address, NULL: the core dies before they can. */
static unsigned ask(struct room *room, const char *address)
{
	struct message_result result = { .verdict = MESSAGE_ANSWER, .address_count = 1 };
	struct discover_job jobs[3];
	unsigned count = 0;

	while (count < 3 && discover_next(&room->core, kernel.now_ms, &jobs[count]))
		count++;
	for (unsigned i = 0; address && i < count; i++) {
		result.head = (struct message){ MESSAGE_RESULT, jobs[i].number };
		result.record = 0;
		result.addresses[0] = fake_addr(address);
		assert_true(discover_may_answer(&room->core, &result));
		discover_answer(&room->core, &result, kernel.now_ms, 1);
	}
	room_look(room);
	return count;
}

/* The first run of each test: it found the address and ended well. */
static void found(void)
{
	struct room room;

	begin_room(&room, config_same());
	assert_int_equal(ask(&room, PUBLIC), 2);
	assert_addr(room.core.wans[0].sides[WAN_IPV4].now.address, PUBLIC);
	state_save(&room.core, kernel.now_ms);
	room_end(&room);
}

static bool is_there(const char *name)
{
	struct stat status;

	return fstatat(scratch.fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

static void file_replace(const char *what, const char *with)
{
	char text[8192], changed[8192], *at;

	scratch_read(&scratch, STATE_NAME, text, sizeof(text));
	at = strstr(text, what);
	assert_non_null(at);
	snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, with,
		 at + strlen(what));
	scratch_write(&scratch, STATE_NAME, changed, 0600);
}

static void round_trip(void **state)
{
	struct source_saved before, after;
	struct room room;
	int64_t wall_s = kernel.wall_s;
	struct room_log log;
	char said[4096], line[128], when[CLOCK_TEXT_BYTES];

	(void)state;
	begin_room(&room, config_same());
	assert_int_equal(ask(&room, PUBLIC), 2);
	state_save(&room.core, kernel.now_ms);
	source_save(source_of(&room), kernel.now_ms, kernel.wall_s, &before);
	room_end(&room);

	room_begin_with(&room, config_same(), scratch.fd);
	assert_false(is_there(STATE_NAME ".bad"));
	source_save(source_of(&room), kernel.now_ms, kernel.wall_s, &after);
	assert_memory_equal(&after, &before, sizeof(after));
	room_end(&room);

	room_wait(5 * 60 * 1000);
	room_begin_with(&room, config_same(), scratch.fd);
	room_ppp(INNER);
	log = room_log_begin(LOG_NOTICE);
	sync_turn(&room.core, kernel.now_ms);
	room_log_end(&log, said, sizeof(said));
	snprintf(line, sizeof(line), "IPv4 " PUBLIC ", found by http at %s, not asked",
		 clock_format(wall_s, when));
	assert_non_null(strstr(said, line));
	assert_addr(room.core.wans[0].sides[WAN_IPV4].now.address, PUBLIC);
	assert_int_equal(ask(&room, PUBLIC), 0);
	assert_true(discover_is_settled(&room.core));
	room_wait(5 * 60 * 1000);
	assert_int_equal(ask(&room, PUBLIC), 1);
	room_end(&room);
}

/* The core dies as soon as it has asked: that it did is on disk. */
static void noted_before_it_is_asked(void **state)
{
	struct room room;

	(void)state;
	begin_room(&room, config_same());
	assert_int_equal(ask(&room, NULL), 2);
	room.core.state.directory = -1;
	room_end(&room);
	begin_room(&room, config_same());
	assert_int_equal(source_of(&room)->sent_count, 2);
	assert_int_equal(ask(&room, PUBLIC), 0);
	room_end(&room);
}

/* Given back, because the publisher left before it asked: that is written too. */
static void given_back(void **state)
{
	struct room room;

	(void)state;
	begin_room(&room, config_same());
	assert_int_equal(ask(&room, NULL), 2);
	assert_false(room.core.state.dirty);
	discover_lost(&room.core, 0);
	assert_true(room.core.state.dirty);
	state_save(&room.core, kernel.now_ms);
	discover_lost(&room.core, 0);
	assert_false(room.core.state.dirty);
	room_end(&room);
	begin_room(&room, config_same());
	assert_int_equal(ask(&room, PUBLIC), 2);
	room_end(&room);
}

/* Where all stays as it is, a look costs one write; --once writes what it ends with. */
static void writes(void **state)
{
	struct room room;

	(void)state;
	found();
	for (int once = 0; once < 2; once++) {
		room_wait(10 * 60 * 1000);
		begin_room(&room, config_same());
		state_save(&room.core, kernel.now_ms);
		room.options.mode = once ? CORE_ONCE : CORE_DAEMON;
		assert_int_equal(ask(&room, PUBLIC), 1);
		assert_int_equal(room.core.state.dirty, once);
		room.core.state.dirty = true;
		state_save(&room.core, kernel.now_ms);
		room_end(&room);
	}
}

static void others_are_asked(void **state)
{
	struct room room;

	(void)state;
	found();
	begin_room(&room, config_with("https://c.example.net/"));
	assert_true(addr_is_none(&source_of(&room)->address));
	assert_int_equal(ask(&room, PUBLIC), 2);
	room_end(&room);
}

static void another_inner_address(void **state)
{
	struct room room;

	(void)state;
	found();
	room_wait(11 * 60 * 1000);
	room_begin_with(&room, config_same(), scratch.fd);
	room_ppp("192.168.1.3");
	sync_turn(&room.core, kernel.now_ms);
	assert_true(addr_is_none(&room.core.wans[0].sides[WAN_IPV4].now.address));
	assert_int_equal(ask(&room, "81.2.69.8"), 2);
	assert_addr(room.core.wans[0].sides[WAN_IPV4].now.address, "81.2.69.8");
	room_end(&room);
}

static void no_secret(void **state)
{
	char text[8192];

	(void)state;
	found();
	scratch_read(&scratch, STATE_NAME, text, sizeof(text));
	assert_non_null(strstr(text, "asked_ms"));
	assert_null(strstr(text, "geheim"));
	assert_null(strstr(text, "example.net"));
}

/* A file of before, and one that nobody wrote so. */
static void old_and_damaged(void **state)
{
	static const struct { const char *what, *with; } cases[] = {
		{ "\"address\":\"" PUBLIC "\",\"inner\"",
		  "\"address\":\"10.0.0.1\",\"inner\"" },
		{ "\"address\":\"" PUBLIC "\",\"inner\"",
		  "\"address\":\"2a01:4f8::1\",\"inner\"" },
		{ "\"link\":7", "\"link\":-7" },
		{ "\"good\":true", "\"good\":1" },
		{ "\"good\":true", "\"fine\":true" },
		{ "\"wall_s\":", "\"wall_s\":-" },
		{ "\"asked_ms\":[", "\"asked_ms\":[-1," },
		{ "\"asked_ms\":[", "\"asked_ms\":[3600001," },
		{ "\"asked_ms\":[", "\"asked_ms\":7,\"x\":[" },
		{ "\"free_ms\":[", "\"free_ms\":[0,0,0,0,0,0,0,0,0,0,0," },
		{ "\"outside\":{\"ipv4\":{", "\"outside\":{\"ipv4\":7,\"x\":{" },
	};
	struct room room;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		found();
		file_replace(cases[i].what, cases[i].with);
		log_set_level(LOG_EMERG);
		room_begin_with(&room, config_same(), scratch.fd);
		assert_true(is_there(STATE_NAME ".bad"));
		assert_int_equal(source_of(&room)->sent_count, 0);
		room_end(&room);
		assert_int_equal(unlinkat(scratch.fd, STATE_NAME ".bad", 0), 0);
	}
	found();
	file_replace("\"outside\"", "\"x\"");
	begin_room(&room, config_same());
	assert_false(is_there(STATE_NAME ".bad"));
	assert_int_equal(ask(&room, PUBLIC), 2);
	room_end(&room);
}

#define STATE_TEST(name) cmocka_unit_test_setup_teardown(name, state_begin, scratch_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STATE_TEST(round_trip),
		STATE_TEST(noted_before_it_is_asked),
		STATE_TEST(given_back),
		STATE_TEST(writes),
		STATE_TEST(others_are_asked),
		STATE_TEST(another_inner_address),
		STATE_TEST(no_secret),
		STATE_TEST(old_and_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
