/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of a hook: a good message passes, each that is wrong somewhere does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hairpin/message.h"

static struct message_hook_result good(void)
{
	return (struct message_hook_result){
		.head = { MESSAGE_HOOK_RESULT, 7 }, .event = MESSAGE_EVENT_RULES,
		.outcome = MESSAGE_HOOK_EXIT, .code = 255, .name = "50-ntfy.sh",
		.text = "a\\x1b\nb\n",
	};
}

/* In a block of its size, so that a look beyond it is seen. */
static bool holds(const struct message_hook_result *result, size_t bytes)
{
	void *packet = malloc(bytes ? bytes : 1);
	bool ok;

	memcpy(packet, result, bytes);
	ok = message_to_core_ok(packet, bytes);
	free(packet);
	return ok;
}

#define REFUSED(change) do { \
	struct message_hook_result bad = good(); \
	change; \
	if (holds(&bad, message_hook_result_bytes(&bad))) \
		fail_msg("accepted: " #change); \
} while (0)

static void fields(void **state)
{
	struct message_hook_result result = good();

	(void)state;
	assert_true(holds(&result, message_hook_result_bytes(&result)));
	result = (struct message_hook_result){ .head = result.head, .event = 1,
					       .outcome = MESSAGE_HOOK_OK, .name = "a" };
	assert_true(holds(&result, message_hook_result_bytes(&result)));
	REFUSED(bad.event = 0);
	REFUSED(bad.event = MESSAGE_EVENT_SOURCE);
	REFUSED(bad.outcome = 0);
	REFUSED(bad.outcome = MESSAGE_HOOK_IGNORED + 1);
	REFUSED(bad.code = 0);
	REFUSED(bad.code = 256);
	REFUSED(bad.outcome = MESSAGE_HOOK_OK);		/* and a code */
	REFUSED(bad.name[0] = '\0');
	REFUSED(strcpy(bad.name, ".."));
	REFUSED(strcpy(bad.name, "a/b"));
	REFUSED(strcpy(bad.name, "a\"b"));
	REFUSED(memset(bad.name, 'a', sizeof(bad.name)));
	REFUSED(strcpy(bad.text, "\033[0m"));
	REFUSED(strcpy(bad.text, "\xff"));
}

static void sizes(void **state)
{
	struct message_hook_result result = good();
	size_t whole = message_hook_result_bytes(&result);

	(void)state;
	for (size_t bytes = 0; bytes < whole; bytes++)
		assert_false(holds(&result, bytes));
	assert_false(holds(&result, whole + 1));
	assert_false(holds(&result, sizeof(result)));
	memset(result.text, 'a', sizeof(result.text));
	assert_false(holds(&result, sizeof(result)));
	result.text[sizeof(result.text) - 1] = '\0';
	assert_true(holds(&result, sizeof(result)));
}

static void names(void **state)
{
	enum message_event event = 0;

	(void)state;
	assert_true(message_is_hook_name("notify.sh"));
	assert_false(message_is_hook_name(".notify"));
	assert_false(message_is_hook_name("notify~"));
	assert_false(message_is_hook_name("notify.dpkg-old"));
	assert_false(message_is_hook_name(""));
	assert_true(message_event_find("failed", &event) &&
		    event == MESSAGE_EVENT_FAILED);
	assert_false(message_event_find("source", &event));
	assert_false(message_event_find("unknown", &event));
}

static void test_level(void **state)
{
	struct message_level level = { { MESSAGE_LEVEL, 0 }, 0 };

	(void)state;
	for (int i = -2; i < 10; i++) {
		level.level = i;
		assert_int_equal(message_level_ok(&level, sizeof(level)), i >= 3 && i < 8);
		assert_int_equal(message_to_supervisor_ok(&level, sizeof(level)),
				 i >= 3 && i < 8);
		assert_false(message_to_core_ok(&level, sizeof(level)));
		assert_false(message_job_ok(&level, sizeof(level)));
	}
	level.level = 7;
	assert_false(message_level_ok(&level, sizeof(level) - 1));
	assert_false(message_level_ok(&level, sizeof(struct message)));
	level.head.type = MESSAGE_NOTICE;
	assert_false(message_level_ok(&level, sizeof(level)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_level),
		cmocka_unit_test(fields), cmocka_unit_test(sizes), cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
