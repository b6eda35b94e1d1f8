/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A good document, made hostile in every way we know, for each of those who read one: a
 * provider's answer, a provider's description, the configuration, the state file. Good as it
 * is, each takes it; hostile, none does.
 */
#include "answer_room.h"
#include "figure.h"
#include "state_room.h"

enum { ROOM_BYTES = 16 << 20, KEYS = 1000000, VALUES = 140000, DEPTH = 100000 };

/* Puts `text` behind the opening brace of the good document; returns the length. */
static size_t put_inside(char *out, const char *good, const char *text)
{
	return (size_t)sprintf(out, "{%s,%s", text, good + 1);
}

static size_t too_deep(char *out, const char *good)
{
	size_t length = (size_t)sprintf(out, "{\"x\":");

	memset(out + length, '[', DEPTH);
	memset(out + length + DEPTH, ']', DEPTH);
	length += 2 * DEPTH;
	return length + (size_t)sprintf(out + length, ",%s", good + 1);
}

static size_t deeper_by_one(char *out, const char *good)
{
	return put_inside(out, good, "\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]"
				     "]]]]]]]]]]]]]]]");
}

static size_t many_keys(char *out, const char *good)
{
	size_t length = (size_t)sprintf(out, "{");

	for (unsigned i = 0; i < KEYS; i++)
		length += (size_t)sprintf(out + length, "\"k%x\":0,", i);
	return length + (size_t)sprintf(out + length, "%s", good + 1);
}

static size_t many_values(char *out, const char *good)
{
	size_t length = (size_t)sprintf(out, "{\"x\":[0");

	for (unsigned i = 0; i < VALUES; i++)
		length += (size_t)sprintf(out + length, ",0");
	return length + (size_t)sprintf(out + length, "],%s", good + 1);
}

static size_t beyond_any_number(char *out, const char *good)
{
	return put_inside(out, good, "\"x\":1e999");
}

static size_t key_twice(char *out, const char *good)
{
	return put_inside(out, good, "\"x\":1,\"\\u0078\":1");
}

static size_t key_twice_far_away(char *out, const char *good)
{
	return put_inside(out, good, "\"x\":[{\"a\":1},{\"b\":{\"c\":1,\"c\":2}}]");
}

static size_t high_surrogate(char *out, const char *good)
{
	return put_inside(out, good, "\"x\":\"\\ud800\"");
}

static size_t low_surrogate(char *out, const char *good)
{
	return put_inside(out, good, "\"x\":\"\\udfff\\ud800\"");
}

static size_t written_nul(char *out, const char *good)
{
	return put_inside(out, good, "\"x\":\"a\\u0000b\"");
}

static size_t nul_in_a_string(char *out, const char *good)
{
	size_t length = put_inside(out, good, "\"x\":\"a_b\"");

	*strchr(out, '_') = '\0';
	return length;
}

static size_t nul_at_the_end(char *out, const char *good)
{
	return (size_t)sprintf(out, "%s", good) + 1;
}

static size_t no_utf8(char *out, const char *good)
{
	return put_inside(out, good, "\"x\":\"\xc0\xaf\xff\"");
}

static size_t control_byte(char *out, const char *good)
{
	return put_inside(out, good, "\"x\":\"\x1b[31m\"");
}

static size_t trailing_word(char *out, const char *good)
{
	return (size_t)sprintf(out, "%s x", good);
}

static size_t trailing_document(char *out, const char *good)
{
	return (size_t)sprintf(out, "%s%s", good, good);
}

static size_t too_long(char *out, const char *good)
{
	size_t length = (size_t)sprintf(out, "%s", good);

	memset(out + length, ' ', JSON_MAX_BYTES);
	return length + JSON_MAX_BYTES;
}

static size_t cut_off(char *out, const char *good)
{
	return (size_t)sprintf(out, "%s", good) - 1;
}

static size_t (*const hostile[])(char *out, const char *good) = {
	too_deep, deeper_by_one, many_keys, many_values, beyond_any_number, key_twice,
	key_twice_far_away, high_surrogate, low_surrogate, written_nul, nul_in_a_string,
	nul_at_the_end, no_utf8, control_byte, trailing_word, trailing_document, too_long,
	cut_off,
};
enum { HOSTILE = sizeof(hostile) / sizeof(hostile[0]) };

/* Believes that reader a document? In memory of its size, so that a byte too far is seen. */
typedef bool reader_fn(const char *text, size_t length);

static void try_all(reader_fn *reader, const char *good, const char *what)
{
	char *room = malloc(ROOM_BYTES), *copy, line[80];
	long believed = 0;
	size_t length;

	assert_non_null(room);
	assert_true(reader(good, strlen(good)));
	for (size_t i = 0; i < HOSTILE; i++) {
		length = hostile[i](room, good);
		assert_true(length < ROOM_BYTES);
		copy = malloc(length);
		assert_non_null(copy);
		memcpy(copy, room, length);
		if (reader(copy, length)) {
			believed++;
			print_message("# %s believes the %zuth\n", what, i);
		}
		free(copy);
	}
	free(room);
	snprintf(line, sizeof(line), "%s: believed, of %d hostile documents", what,
		 HOSTILE);
	figure_exactly("S25", line, believed, 0);
}

static bool read_answer(const char *text, size_t length)
{
	static const struct catalogue catalogue = {
		.rule_count = 1,
		.rules = { { .spot = { CATALOGUE_JSON, (char *)(uintptr_t)"ok" },
			     .test = CATALOGUE_IS, .test_text = (char *)(uintptr_t)"true",
			     .verdict = CATALOGUE_GOOD } } };
	const struct provider_answer answer = {
		.http_status = 200, .body = text, .length = length, .https = true,
		.retry_after = "", .headers = "" };
	struct addr sent = fake_addr("81.2.69.7");

	return answer_judge(&catalogue, &answer, &sent).verdict == MESSAGE_GOOD;
}

static bool read_description(const char *text, size_t length)
{
	struct catalogue *catalogue = NULL;
	struct err err = { "" };
	bool read = catalogue_parse(text, length, &catalogue, &err) == 0;

	assert_true(read || err.text[0]);
	catalogue_free(catalogue);
	return read;
}

static bool read_configuration(const char *text, size_t length)
{
	struct config *config = NULL;
	struct err err = { "" };
	bool read = config_parse(text, length, &config, &err) == 0;

	assert_true(read || err.text[0]);
	config_free(config);
	return read;
}

static bool load_configuration(const char *text, size_t length)
{
	static const char *const catalogue[] = { "conf/providers", NULL };
	struct config_problems problems = { .text = TEXT_INIT };
	struct config_load load = { .catalogue = catalogue };
	struct config *config = NULL;
	char path[128];
	bool read;

	scratch_write_bytes(&scratch, "hairpind.json", text, length, 0600);
	load.path = scratch_path(&scratch, "hairpind.json", path);
	read = config_load(&load, &config, &problems) == 0;
	assert_true(read || problems.errors > 0);
	config_problems_done(&problems);
	config_free(config);
	return read;
}

/* Believed: it was not set aside. The core is there in any case. */
static bool read_state(const char *text, size_t length)
{
	struct stat status;
	struct room room;
	bool read;

	(void)unlinkat(scratch.fd, STATE_NAME ".bad", 0);
	scratch_write_bytes(&scratch, STATE_NAME, text, length, 0600);
	log_set_level(LOG_EMERG);
	room_begin_with(&room, room_config(1), scratch.fd);
	log_set_level(LOG_EMERG);
	read = fstatat(scratch.fd, STATE_NAME ".bad", &status, 0) < 0;
	room_end(&room);
	return read;
}

static void an_answer(void **state)
{
	(void)state;
	try_all(read_answer, "{\"ok\":true}", "a provider's answer");
}

static void a_description(void **state)
{
	(void)state;
	try_all(read_description,
		"{\"id\":\"x\",\"name\":\"X\",\"status\":\"alive\",\"protocol\":\"dyndns2\","
		"\"requests\":[{\"family\":\"any\","
		"\"url\":\"https://x.org/?h={hostname}&a={ip}\"}]}",
		"a provider's description");
}

static void a_configuration(void **state)
{
	(void)state;
	try_all(read_configuration, "{\"wans\":[{\"name\":\"fibre\",\"interface\":\"ppp0\"}]}",
		"the configuration handed on");
	try_all(load_configuration, "{\"wans\":[{\"name\":\"fibre\",\"interface\":\"ppp0\"}]}",
		"the configuration's file");
}

static void a_state_file(void **state)
{
	(void)state;
	try_all(read_state,
		"{\"version\":1,\"key\":\"00112233445566778899aabbccddeeff\",\"wans\":[],"
		"\"records\":[]}",
		"the state file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer),
		cmocka_unit_test(a_description),
		cmocka_unit_test_setup_teardown(a_configuration, state_begin, scratch_end),
		cmocka_unit_test_setup_teardown(a_state_file, state_begin, scratch_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
