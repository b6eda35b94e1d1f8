/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state file: what comes back, what is set aside, when it is written. */
#include <sys/file.h>
#include <sys/resource.h>

#include "state_room.h"

static bool is_there(const char *name)
{
	struct stat status;

	return fstatat(scratch.fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

static struct record_saved sample(void)
{
	struct record_saved saved = {
		.published = fake_addr("81.2.69.7"), .former = fake_addr("81.2.69.1"),
		.sent = fake_addr("81.2.69.7"), .verified = true, .announce = true,
		.last_answer = MESSAGE_GOOD, .ttl_s = 60, .published_wall_s = 1789999000,
		.sent_wall_s = { 0, 0, 1789990000, 1789999000 },
		.fingerprint = UINT64_C(0xfedcba9876543210),
	};

	strcpy(saved.memo, "id=42");
	return saved;
}

static void record_round_trip(void **state)
{
	struct state_record record = { .family = AF_INET6, .saved = sample() }, again;
	struct json *json, *parsed;
	struct json_error error;
	char *text;

	(void)state;
	strcpy(record.provider, "dyn");
	strcpy(record.hostname, "home.example.org");
	json = state_format_record(&record);
	text = json_print(json, false);
	parsed = json_parse(text, strlen(text), JSON_STRICT, &error);
	assert_non_null(parsed);
	assert_true(state_read_record(parsed, &again));
	assert_string_equal(again.provider, "dyn");
	assert_string_equal(again.hostname, "home.example.org");
	assert_int_equal(again.family, AF_INET6);
	assert_memory_equal(&again.saved, &record.saved, sizeof(again.saved));
	free(text);
	json_free(json);
	json_free(parsed);
}

/* Everything that a core knows comes back in the next one. */
static void core_round_trip(void **state)
{
	struct record_saved saved = sample();
	struct room first, second;
	uint8_t key[STATE_KEY_BYTES];
	const struct core_side *side;

	(void)state;
	room_begin_with(&first, room_config(2), scratch.fd);
	saved.fingerprint = 0;
	schedule_restore(first.core.schedule, 1, &saved, kernel.now_ms, kernel.wall_s);
	room_ppp("81.2.69.1");
	sync_turn(&first.core, kernel.now_ms);
	room_ppp("81.2.69.7");
	room_look(&first);
	first.core.wans[0].sides[WAN_IPV4].told_known = true;
	first.core.wans[0].sides[WAN_IPV4].told = fake_addr("81.2.69.1");
	memcpy(key, first.core.state.key, sizeof(key));
	state_save(&first.core, kernel.now_ms);
	room_end(&first);

	room_begin_with(&second, room_config(2), scratch.fd);
	assert_memory_equal(second.core.state.key, key, sizeof(key));
	assert_false(is_there(STATE_NAME ".bad"));
	side = &second.core.wans[0].sides[WAN_IPV4];
	assert_addr(side->saved, "81.2.69.7");
	assert_addr(side->told, "81.2.69.1");
	assert_true(side->told_known);
	assert_false(second.core.wans[0].sides[WAN_IPV6].told_known);
	/* Until it turns out to be present, the last address is a former one. */
	assert_int_equal(second.core.wans[0].former_count, 2);
	assert_addr(second.core.wans[0].former[0], "81.2.69.7");
	assert_addr(second.core.wans[0].former[1], "81.2.69.1");
	assert_addr(schedule_record(second.core.schedule, 1)->record.published, "81.2.69."
										"7");
	assert_true(addr_is_none(
		&schedule_record(second.core.schedule, 0)->record.published));
	sync_turn(&second.core, kernel.now_ms);
	assert_int_equal(second.core.wans[0].former_count, 1);
	room_end(&second);
}

static void no_secret(void **state)
{
	char text[8192];
	struct room room;

	(void)state;
	room_begin_with(&room, room_config(2), scratch.fd);
	state_save(&room.core, kernel.now_ms);
	scratch_read(&scratch, STATE_NAME, text, sizeof(text));
	assert_non_null(strstr(text, "home.example.org"));
	assert_null(strstr(text, "geheim"));
	room_end(&room);
}

static void fingerprints(void **state)
{
	struct config *config = room_config(1);
	struct state one = { .key = { 1 } }, other = { .key = { 2 } };
	uint64_t *a = state_fingerprints(&one, config),
		 *b = state_fingerprints(&other, config);
	uint64_t *c, *d, *e;

	(void)state;
	assert_true(a[0] != b[0]);
	assert_true(secret_set(&config->providers[0].settings[0].value, "geheim2", 7));
	c = state_fingerprints(&one, config);
	assert_true(a[0] != c[0]);
	assert_true(secret_set(&config->providers[0].settings[0].value, "geheim", 6));
	config->providers[0].refresh_ms = 1;	/* of no matter to a refusal */
	d = state_fingerprints(&one, config);
	assert_true(a[0] == d[0]);
	/* Who was refused for want of a contact is asked again with one. */
	config->user_agent = strdup("hairpind/1 (me@example.org)");
	e = state_fingerprints(&one, config);
	assert_true(a[0] != e[0]);
	free(a);
	free(b);
	free(c);
	free(d);
	free(e);
	config_free(config);
}

/* The room starts whatever lies there; it was set aside. */
static void expect_set_aside(void)
{
	struct room room;

	log_set_level(LOG_EMERG);
	room_begin_with(&room, room_config(1), scratch.fd);
	assert_true(is_there(STATE_NAME ".bad"));
	assert_false(is_there(STATE_NAME));
	assert_true(room.core.state.dirty);
	state_save(&room.core, kernel.now_ms);
	assert_true(is_there(STATE_NAME));
	room_end(&room);
	(void)unlinkat(scratch.fd, STATE_NAME, 0);
	if (unlinkat(scratch.fd, STATE_NAME ".bad", 0) < 0)
		(void)unlinkat(scratch.fd, STATE_NAME ".bad", AT_REMOVEDIR);
}

#define KEY "\"key\":\"00112233445566778899aabbccddeeff\""
#define WAN "{\"name\":\"fibre\",\"ipv4\":null,\"ipv6\":null,\"former\":[]}"
#define RECORD "\"provider\":\"dyn\",\"hostname\":\"home.example.org\",\"family\":\"ipv4\"," \
	"\"fingerprint\":\"0011223344556677\""

static void damaged(void **state)
{
	static const char *const texts[] = {
		"", "{\"version\": 1", "[]", "null", "{\"version\": 999}", "\x01\x02\xff",
		"{\"version\":1}", "{\"version\":\"1\"," KEY ",\"wans\":[],\"records\":[]}",
		"{\"version\":1,\"key\":\"0011\",\"wans\":[],\"records\":[]}",
		"{\"version\":1," KEY ",\"wans\":{},\"records\":[]}",
		"{\"version\":1," KEY ",\"wans\":[],\"records\":[7]}",
		"{\"version\":1," KEY ",\"wans\":[{}],\"records\":[]}",
		"{\"version\":1," KEY ",\"wans\":[{\"name\":\"fibre\",\"ipv4\":\"\",\"ipv6\":null,"
		"\"former\":[]}],\"records\":[]}",
		"{\"version\":1," KEY ",\"wans\":[{\"name\":\"fibre\",\"ipv4\":null,\"ipv6\":null,"
		"\"former\":[\"\"]}],\"records\":[]}",
		"{\"version\":1," KEY ",\"wans\":[{\"name\":\"fibre\",\"ipv4\":{\"address\":"
		"\"2a01::1\",\"since\":1},\"ipv6\":null,\"former\":[]}],\"records\":[]}",
		"{\"version\":1," KEY ",\"wans\":[" WAN "],\"records\":[{" RECORD
		",\"published\":\"\"}]}",
		"{\"version\":1," KEY ",\"wans\":[" WAN "],\"records\":[{" RECORD
		",\"verified\":1}]}",
		"{\"version\":1," KEY ",\"wans\":[" WAN "],\"records\":[{" RECORD
		",\"attempts\":-1}]}",
		"{\"version\":1," KEY ",\"wans\":[" WAN "],\"records\":[{" RECORD
		",\"refusal\":77}]}",
		"{\"version\":1," KEY ",\"wans\":[" WAN "],\"records\":[{" RECORD
		",\"reason\":\"\\u001b[31m\"}]}",
		"{\"version\":1," KEY ",\"wans\":[" WAN "],\"records\":[{" RECORD
		",\"sent_wall_s\":[1]}]}",
		"{\"version\":1,\"version\":1," KEY ",\"wans\":[],\"records\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		scratch_write(&scratch, STATE_NAME, texts[i], 0600);
		expect_set_aside();
	}
}

/* The others are used; the file is kept for who wants to know what was wrong. */
static void one_damaged_record(void **state)
{
	const struct record *record;
	struct room room;

	(void)state;
	scratch_write(&scratch, STATE_NAME,
		      "{\"version\":1," KEY ",\"wans\":[{\"name\":7},{\"name\":\"fibre\",\"ipv4\":"
		      "null,\"ipv6\":null,\"former\":[\"81.2.69.1\"]}],\"records\":[{" RECORD
		      ",\"published\":\"81.2.69.7\"},{\"provider\":\"dyn\",\"hostname\":"
		      "\"n1.example.org\",\"family\":\"ipv4\",\"fingerprint\":"
		      "\"0011223344556677\",\"attempts\":-1},7]}", 0600);
	log_set_level(LOG_EMERG);
	room_begin_with(&room, room_config(2), scratch.fd);
	assert_true(is_there(STATE_NAME ".bad"));
	assert_true(room.core.state.dirty);
	assert_int_equal(room.core.state.key[1], 0x11);
	assert_int_equal(room.core.wans[0].former_count, 1);
	record = &schedule_record(room.core.schedule, 0)->record;
	assert_addr(record->published, "81.2.69.7");
	record = &schedule_record(room.core.schedule, 1)->record;
	assert_true(addr_is_none(&record->published));
	state_save(&room.core, kernel.now_ms);
	assert_true(is_there(STATE_NAME));
	room_end(&room);
}

/* Of the longest names and texts everything that matters comes back. */
static void greatest_file(void **state)
{
	struct record_saved saved = sample();
	struct room first, second;
	struct stat status;
	size_t count;

	(void)state;
	memset(saved.reason, '"', sizeof(saved.reason) - 1);
	memset(saved.memo, '\\', sizeof(saved.memo) - 1);
	saved.refusal = saved.last_answer = MESSAGE_BADAUTH;
	room_begin_with(&first, room_config_greatest(), scratch.fd);
	count = schedule_count(first.core.schedule);
	assert_int_equal(count, 2 * CONFIG_HOSTNAMES_MAX);
	for (size_t i = 0; i < count; i++) {
		struct schedule_record *of = schedule_record(first.core.schedule, i);

		saved.fingerprint = of->record.rules->fingerprint;
		saved.published = saved.former = saved.sent =
			of->family == AF_INET
				? fake_addr("111.112.113.114")
				: fake_addr("2a01:4f8:1111:2222:3333:4444:5555:6666");
		assert_true(record_saved_ok(&saved));
		schedule_restore(first.core.schedule, i, &saved, kernel.now_ms,
				 kernel.wall_s);
	}
	state_save(&first.core, kernel.now_ms);
	assert_false(first.core.state.dirty);
	room_end(&first);
	assert_int_equal(fstatat(scratch.fd, STATE_NAME, &status, 0), 0);
	assert_in_range(status.st_size, 500000, JSON_MAX_BYTES);

	room_begin_with(&second, room_config_greatest(), scratch.fd);
	assert_false(is_there(STATE_NAME ".bad"));
	for (size_t i = 0; i < count; i++) {
		struct schedule_record *of = schedule_record(second.core.schedule, i);

		assert_int_equal(of->record.refusal, MESSAGE_BADAUTH);
		assert_int_equal(of->record.state, RECORD_DISABLED);
		assert_false(addr_is_none(&of->record.published));
	}
	room_end(&second);
}

static void strange_files(void **state)
{
	char path[128];
	int fd;

	(void)state;
	assert_int_equal(mkdirat(scratch.fd, STATE_NAME, 0700), 0);
	expect_set_aside();
	assert_int_equal(mkfifoat(scratch.fd, STATE_NAME, 0600), 0);
	expect_set_aside();
	fd = openat(scratch.fd, STATE_NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, 100 << 20), 0);
	close(fd);
	expect_set_aside();
	scratch_path(&scratch, STATE_NAME, path);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	expect_set_aside();
}

/* What is lacking now says nothing about the file: a final refusal is not forgotten. */
static void no_descriptor_now(void **state)
{
	struct json *document = NULL;
	struct rlimit before, few;
	struct err err = { "" };
	struct state loaded;

	(void)state;
	scratch_write(&scratch, STATE_NAME,
		      "{\"version\":1," KEY ",\"wans\":[],\"records\":[]}", 0600);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = (struct rlimit){ .rlim_cur = 3, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(state_load(&loaded, scratch.fd, &document, &err), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_null(document);
	assert_true(is_there(STATE_NAME));
	assert_false(is_there(STATE_NAME ".bad"));
	assert_int_equal(state_load(&loaded, scratch.fd, &document, &err), 0);
	assert_non_null(document);
	json_free(document);
}

static void good_but_of_others(void **state)
{
	struct room room;

	(void)state;
	scratch_write(&scratch, STATE_NAME,
		      "{\"version\":1," KEY ",\"wans\":[{\"name\":\"other\",\"ipv4\":"
		      "null,"
		      "\"ipv6\":null,\"former\":[\"1.2.3.4\"]}],\"records\":[{"
		      "\"provider\":\"x\","
		      "\"hostname\":\"a.example.org\",\"family\":\"ipv4\","
		      "\"fingerprint\":"
		      "\"0011223344556677\",\"published\":\"1.2.3.4\"}],\"more\":1}",
		      0600);
	room_begin_with(&room, room_config(1), scratch.fd);
	assert_false(is_there(STATE_NAME ".bad"));
	assert_int_equal(room.core.state.key[1], 0x11);
	assert_int_equal(room.core.wans[0].former_count, 0);
	room_end(&room);
}

/* More of one family than it may have: the newest stay, the other family's room too. */
static void former_of_one_family(void **state)
{
	struct addr ipv6 = fake_addr("2a01:4f8::1"), ipv4 = fake_addr("81.2.70.1");
	char text[2048], *end = text;
	struct core_wan *wan;
	struct room room;

	(void)state;
	end = stpcpy(end, "{\"version\":1," KEY ",\"wans\":[{\"name\":\"fibre\",\"ipv4\":null,"
			  "\"ipv6\":null,\"former\":[\"0.0.0.0\"");
	for (int i = 1; i < WAN_FORMER_MAX; i++)
		end += sprintf(end, ",\"81.2.69.%d\"", i);
	strcpy(end, "]}],\"records\":[]}");
	scratch_write(&scratch, STATE_NAME, text, 0600);
	room_begin_with(&room, room_config(1), scratch.fd);
	wan = &room.core.wans[0];
	assert_int_equal(wan->former_count, WAN_FORMER_PER_FAMILY);
	assert_addr(wan->former[0], "81.2.69.1");
	assert_addr(wan->former[WAN_FORMER_PER_FAMILY - 1], "81.2.69.16");
	assert_true(wan_remember(wan, &ipv6));
	assert_true(wan_remember(wan, &ipv4));
	assert_int_equal(wan->former_count, WAN_FORMER_PER_FAMILY + 1);
	assert_addr(wan->former[0], "81.2.70.1");
	assert_addr(wan->former[WAN_FORMER_PER_FAMILY], "81.2.69.15");
	room_end(&room);
}

static void since_is_kept(void **state)
{
	struct room room;

	(void)state;
	scratch_write(&scratch, STATE_NAME,
		      "{\"version\":1," KEY ",\"wans\":[{\"name\":\"fibre\",\"ipv4\":{\"address\":"
		      "\"81.2.69.7\",\"since\":1700000000},\"ipv6\":null,\"former\":[]}],"
		      "\"records\":[]}", 0600);
	room_begin_with(&room, room_config(1), scratch.fd);
	room_ppp("81.2.69.7");
	sync_turn(&room.core, kernel.now_ms);
	assert_true(room.core.wans[0].sides[WAN_IPV4].now.since_wall_s == 1700000000);
	room_ppp("81.2.69.8");
	room_look(&room);
	assert_true(room.core.wans[0].sides[WAN_IPV4].now.since_wall_s == kernel.wall_s);
	room_end(&room);
}

static void only_on_change(void **state)
{
	struct room room;
	unsigned saves = 0;

	(void)state;
	room_begin_with(&room, room_config(1), scratch.fd);
	state_turn(&room.core, kernel.now_ms);
	assert_true(is_there(STATE_NAME));
	assert_true(state_due_ms(&room.core) == INT64_MAX);
	assert_int_equal(unlinkat(scratch.fd, STATE_NAME, 0), 0);
	state_turn(&room.core, kernel.now_ms);
	state_save(&room.core, kernel.now_ms);
	assert_false(is_there(STATE_NAME));
	/* A restless address does not wear out the flash. */
	for (int i = 0; i < 600; i++) {
		room.core.state.dirty = true;
		room_wait(1000);
		state_turn(&room.core, kernel.now_ms);
		saves += !room.core.state.dirty;
	}
	assert_in_range(saves, 5, 30);
	room_end(&room);
}

static void nowhere_to_write(void **state)
{
	struct room room;
	int gone;

	(void)state;
	assert_int_equal(mkdirat(scratch.fd, "gone", 0700), 0);
	gone = openat(scratch.fd, "gone", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(unlinkat(scratch.fd, "gone", AT_REMOVEDIR), 0);
	log_set_level(LOG_EMERG);
	room_begin_with(&room, room_config(1), gone);
	state_turn(&room.core, kernel.now_ms);
	assert_true(room.core.state.dirty);
	assert_true(state_due_ms(&room.core) == kernel.now_ms + STATE_RETRY_MS);
	assert_true(room.core.state.complained);
	/* There is room again. */
	room.core.state.directory = scratch.fd;
	room_wait(STATE_RETRY_MS);
	state_turn(&room.core, kernel.now_ms);
	assert_false(room.core.state.dirty);
	assert_false(room.core.state.complained);
	room_end(&room);
	close(gone);
}

#define STATE_TEST(name) cmocka_unit_test_setup_teardown(name, state_begin, scratch_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STATE_TEST(record_round_trip),
		STATE_TEST(core_round_trip),
		STATE_TEST(no_secret),
		STATE_TEST(fingerprints),
		STATE_TEST(damaged),
		STATE_TEST(one_damaged_record),
		STATE_TEST(greatest_file),
		STATE_TEST(strange_files),
		STATE_TEST(no_descriptor_now),
		STATE_TEST(good_but_of_others),
		STATE_TEST(former_of_one_family),
		STATE_TEST(since_is_kept),
		STATE_TEST(only_on_change),
		STATE_TEST(nowhere_to_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
