/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A good message of each kind passes; each of its fields, made wrong in each way, does
 * not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "hairpin/message.h"

/* Bytes written over a good message at an offset, and what they are to prove. */
struct mutation {
	const char *what;
	size_t offset;
	const void *bytes;
	size_t length;
};

#define AT(type, field, value) \
	{ #type "." #field " = " #value, offsetof(struct type, field), \
	  &(__typeof__(((struct type *)0)->field)){ value }, \
	  sizeof(((struct type *)0)->field) }
#define PUT(type, field, string)                                                         \
	{                                                                                \
#type "." #field " = " #string, offsetof(struct type, field), string,    \
			sizeof(string)                                                   \
	}
/* No terminator: the whole field is one letter. */
#define FULL(type, field) \
	{ #type "." #field " without end", offsetof(struct type, field), NULL, \
	  sizeof(((struct type *)0)->field) }

typedef bool check_function(const void *packet, size_t bytes);

static void refuse_all(const void *good, size_t bytes, check_function *check,
		       const struct mutation *mutations, size_t count)
{
	assert_true(check(good, bytes));
	for (size_t i = 0; i < count; i++) {
		char *bad = malloc(bytes);

		memcpy(bad, good, bytes);
		if (mutations[i].bytes)
			memcpy(bad + mutations[i].offset, mutations[i].bytes,
			       mutations[i].length);
		else
			memset(bad + mutations[i].offset, 'a', mutations[i].length);
		if (check(bad, bytes))
			fail_msg("accepted: %s", mutations[i].what);
		free(bad);
	}
}

/*
 * Every shorter size and some longer ones are refused, and nothing beyond the size is
 * read (ASan).
 */
static void refuse_sizes(const void *good, size_t bytes, check_function *check)
{
	for (size_t size = 0; size < bytes;
	     size += size < 64 || size + 64 > bytes ? 1 : 61) {
		char *cut = malloc(size ? size : 1);

		memcpy(cut, good, size);
		if (check(cut, size))
			fail_msg("accepted %zu bytes of %zu", size, bytes);
		free(cut);
	}
	for (size_t more = 1; more < 10; more++) {
		char *longer = calloc(1, bytes + more);

		memcpy(longer, good, bytes);
		assert_false(check(longer, bytes + more));
		free(longer);
	}
}

#define REFUSE(good, bytes, check, mutations)                                            \
	refuse_all(good, bytes, check, mutations,                                        \
		   sizeof(mutations) / sizeof(*(mutations)))

static struct addr address(const char *text)
{
	struct addr addr;

	assert_true(addr_parse(text, &addr));
	return addr;
}

static struct message_hook good_hook(void)
{
	struct message_hook hook = {
		.head = { MESSAGE_HOOK_RUN, 7 },
		.event = MESSAGE_EVENT_ADDRESS,
		.rules = 3,
		.generation = 9,
		.family = AF_INET,
		.wan = "fibre",
		.interface = "ppp0",
		.hostname = "a.example.org",
		.provider = "caf\xc3\xa9",
		.reason = "address changed",
		.message = "a\\x0ab",
	};

	hook.ipv4 = hook.new = address("81.2.69.7");
	hook.ipv6 = address("2a00::1");
	return hook;
}

static void test_hook(void **state)
{
	struct message_hook good = good_hook(),
			    empty = { .head = { MESSAGE_HOOK_RUN, 0 } };
	const struct mutation bad[] = {
		AT(message_hook, head.type, 0),
		AT(message_hook, head.type, 9),
		AT(message_hook, head.type, MESSAGE_STOP),
		AT(message_hook, head.type, MESSAGE_JOB),
		AT(message_hook, event, 0),
		AT(message_hook, event, MESSAGE_EVENT_RULES + 1),
		AT(message_hook, family, 1),
		AT(message_hook, ipv4.family, AF_INET6),
		AT(message_hook, ipv4.bytes[4], 1),
		AT(message_hook, ipv6.family, AF_INET),
		AT(message_hook, ipv6.family, 0),
		AT(message_hook, old.family, 99),
		AT(message_hook, old.bytes[0], 1),
		AT(message_hook, new.bytes[15], 1),
		FULL(message_hook, wan),
		PUT(message_hook, wan, "a\nb"),
		FULL(message_hook, interface),
		PUT(message_hook, interface, "a b"),
		PUT(message_hook, interface, "a/b"),
		PUT(message_hook, interface, "a\x1b"),
		FULL(message_hook, hostname),
		PUT(message_hook, hostname, "a b.example.org"),
		PUT(message_hook, hostname, "-\n"),
		PUT(message_hook, hostname, "$(x)"),
		FULL(message_hook, provider),
		PUT(message_hook, provider, "\xc3"),
		FULL(message_hook, reason),
		PUT(message_hook, reason, "\x1b[0m"),
		PUT(message_hook, reason, "\xe2\x80\xae"),
		FULL(message_hook, message),
		PUT(message_hook, message, "\x7f"),
		PUT(message_hook, message, "\xc2\x85"),
		FULL(message_hook, only),
		PUT(message_hook, only, "../a"),
		PUT(message_hook, only, "a.bak"),
	};

	(void)state;
	REFUSE(&good, sizeof(good), message_to_supervisor_ok, bad);
	refuse_sizes(&good, sizeof(good), message_to_supervisor_ok);
	assert_false(message_to_core_ok(&good, sizeof(good)));
	assert_false(message_to_supervisor_ok(&empty, sizeof(empty)));
	empty.event = MESSAGE_EVENT_STARTUP;
	assert_true(message_to_supervisor_ok(&empty, sizeof(empty)));
}

static void test_notice(void **state)
{
	struct message_notice good = {
		.head = { MESSAGE_NOTICE, 0 }, .ready = 1, .done = 1, .exit_status = 1,
		.status = "all in step",
	};
	const struct mutation bad[] = {
		AT(message_notice, ready, 2), AT(message_notice, done, 255),
		FULL(message_notice, status), PUT(message_notice, status, "x\nREADY=1"),
	};

	(void)state;
	REFUSE(&good, sizeof(good), message_to_supervisor_ok, bad);
	refuse_sizes(&good, sizeof(good), message_to_supervisor_ok);
}

static void test_bare(void **state)
{
	static const uint32_t up[] = { MESSAGE_PUBLISHER_START, MESSAGE_PUBLISHER_END,
				       MESSAGE_RELOAD };
	static const uint32_t down[] = { MESSAGE_LOOK, MESSAGE_UPDATE, MESSAGE_STOP };
	struct message head = { 0 };

	(void)state;
	for (head.type = 0; head.type < 64; head.type++) {
		bool is_up = head.type == up[0] || head.type == up[1] ||
			     head.type == up[2];
		bool is_down = head.type == down[0] || head.type == down[1] ||
			       head.type == down[2];

		assert_int_equal(message_to_supervisor_ok(&head, sizeof(head)), is_up);
		assert_int_equal(message_to_core_ok(&head, sizeof(head)), is_down);
		if (head.type != MESSAGE_LEVEL)	/* four zeros more are a level */
			refuse_sizes(&head, sizeof(head), message_to_supervisor_ok);
		refuse_sizes(&head, sizeof(head), message_to_core_ok);
	}
}

static void test_reply(void **state)
{
	struct message_reply good = {
		.head = { MESSAGE_HOOK_DONE, 4 },
		.status = -ETIMEDOUT,
		.ran = 2,
		.failed = 2,
		.text = "conf:1:2: error: x\n\t^\n",
	};
	const struct mutation bad[] = {
		AT(message_reply, head.type, MESSAGE_LOOK),
		AT(message_reply, status, 1),
		AT(message_reply, status, -4096),
		AT(message_reply, failed, 3),
		AT(message_reply, ran, 5000),
		AT(message_reply, ran, 1),
		FULL(message_reply, text),
		PUT(message_reply, text, "\r"),
		PUT(message_reply, text, "\x01"),
	};

	(void)state;
	REFUSE(&good, sizeof(good), message_to_core_ok, bad);
	refuse_sizes(&good, sizeof(good), message_to_core_ok);
	good.head.type = MESSAGE_PUBLISHER;
	assert_true(message_to_core_ok(&good, sizeof(good)));
	good.head.type = MESSAGE_CONFIG;
	assert_true(message_to_core_ok(&good, sizeof(good)));
}

static void test_command(void **state)
{
	struct message_command good = {
		.head = { MESSAGE_COMMAND_RUN, 1 }, .family = AF_INET, .wan = "fibre",
		.interface = "ppp0",
	};
	const struct mutation bad[] = {
		AT(message_command, family, 0), AT(message_command, family, AF_UNIX),
		PUT(message_command, wan, ""), FULL(message_command, wan),
		PUT(message_command, wan, "a\nb"), FULL(message_command, interface),
		PUT(message_command, interface, "a/b"),
	};
	struct message_reply reply = { .head = { MESSAGE_COMMAND_DONE, 1 } };

	(void)state;
	REFUSE(&good, sizeof(good), message_to_supervisor_ok, bad);
	refuse_sizes(&good, sizeof(good), message_to_supervisor_ok);
	strcpy(reply.text, "81.2.69.7");
	assert_true(message_to_core_ok(&reply, sizeof(reply)));
	reply.status = 1;
	assert_false(message_to_core_ok(&reply, sizeof(reply)));
}

static struct message_job *good_job(void)
{
	static const char *const texts[] = { "{}", "agent", "", "", "zone=1", "token",
					     "secret" };
	struct message_job *job = calloc(1, sizeof(*job));

	job->head = (struct message){ MESSAGE_JOB, 1 };
	job->kind = MESSAGE_UPDATE_RECORDS;
	job->timeout_ms = 30000;
	job->request_ms = 10000;
	job->server_count = 1;
	job->trusted_servers = 1;
	job->record_count = 2;
	strcpy(job->interface, "ppp0");
	strcpy(job->servers[0], "[2a00::1]:53");
	for (int i = 0; i < 2; i++)
		strcpy(job->records[i].hostname, "*.example.org");
	job->records[0].family = AF_INET;
	job->records[0].address = address("81.2.69.7");
	job->records[1].family = AF_INET6;
	job->records[1].address = address("2a00::1");
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_true(message_job_add_text(job, texts[i]));
	return job;
}

static void test_job(void **state)
{
	struct message_job *good = good_job();
	const struct mutation bad[] = {
		AT(message_job, head.type, MESSAGE_RESULT),
		AT(message_job, kind, 0),
		AT(message_job, kind, MESSAGE_RESOLVE + 1),
		AT(message_job, timeout_ms, 0),
		AT(message_job, timeout_ms, 600001),
		AT(message_job, request_ms, 0),
		AT(message_job, request_ms, 30001),
		AT(message_job, kind, MESSAGE_CHECK),	/* which has no requests */
		AT(message_job, private_server, 2),
		AT(message_job, insecure_http, 2),
		AT(message_job, trusted_servers, 2),
		AT(message_job, server_count, 0),
		AT(message_job, server_count, 2),
		AT(message_job, server_count, 9),
		AT(message_job, record_count, 0),
		AT(message_job, record_count, 1),	/* a memo too many */
		AT(message_job, record_count, 3),
		AT(message_job, record_count, UINT32_MAX),
		AT(message_job, text_bytes, 0),
		AT(message_job, text_bytes, UINT32_MAX),
		FULL(message_job, interface),
		PUT(message_job, interface, "a:b"),
		FULL(message_job, interface6),
		PUT(message_job, interface6, "a b"),
		FULL(message_job, servers[0]),
		FULL(message_job, servers[7]),
		PUT(message_job, servers[0], ""),
		PUT(message_job, servers[1], "9.9.9.9"),
		PUT(message_job, servers[0], "1.1.1.1\n"),
		AT(message_job, records[0].family, 0),
		AT(message_job, records[0].family, AF_INET6),
		AT(message_job, records[1].address.family, 0),
		AT(message_job, records[1].address.family, AF_INET),
		AT(message_job, records[0].address.bytes[5], 1),
		FULL(message_job, records[1].hostname),
		PUT(message_job, records[1].hostname, ""),
		PUT(message_job, records[0].hostname, "x\r\n.example.org"),
		AT(message_job, text[2], 'x'),
		AT(message_job, text[1], 0),
	};
	size_t bytes = message_job_bytes(good);

	(void)state;
	REFUSE(good, bytes, message_job_ok, bad);
	refuse_sizes(good, bytes, message_job_ok);
	assert_false(message_to_core_ok(good, bytes));
	good->text[bytes - offsetof(struct message_job, text) - 1] = 'x';
	assert_false(message_job_ok(good, bytes));
	free(good);
}

static void test_job_kinds(void **state)
{
	struct message_job *job = good_job();

	(void)state;
	job->text_bytes = 0;
	/* an update says with what */
	assert_false(message_job_ok(job, message_job_bytes(job)));
	job->kind = MESSAGE_CHECK;
	job->request_ms = 0;
	job->records[0].address = (struct addr){ 0 };
	/* a look needs no address */
	assert_true(message_job_ok(job, message_job_bytes(job)));
	job->kind = MESSAGE_VERIFY;
	/* a verification does */
	assert_false(message_job_ok(job, message_job_bytes(job)));
	/* a name to be resolved may be one of the LAN; for others it must be whole */
	job->kind = MESSAGE_RESOLVE;
	strcpy(job->records[0].hostname, "nas");
	assert_true(message_job_ok(job, message_job_bytes(job)));
	job->kind = MESSAGE_CHECK;
	assert_false(message_job_ok(job, message_job_bytes(job)));
	/* one question for an address, of no name */
	job->kind = MESSAGE_DISCOVER;
	assert_false(message_job_ok(job, message_job_bytes(job)));
	job->record_count = 1;
	assert_false(message_job_ok(job, message_job_bytes(job)));
	job->records[0].hostname[0] = '\0';
	assert_true(message_job_ok(job, message_job_bytes(job)));
	job->records[0].address = address("81.2.69.7");
	assert_false(message_job_ok(job, message_job_bytes(job)));
	job->record_count = 0;
	assert_false(message_job_ok(job, message_job_bytes(job)));
	free(job);
}

static void test_job_names(void **state)
{
	static const char *const bad[] = { "", ".", "a b", "192.0.2.1", "nas.", "-a", "a\n",
					   "a..b", "::1" };
	char longest[70];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(message_is_name(bad[i]));
	assert_true(message_is_name("nas"));
	assert_true(message_is_name("web.example.org"));
	memset(longest, 'a', sizeof(longest));
	longest[63] = '\0';
	assert_true(message_is_name(longest));
	longest[63] = 'a';
	longest[64] = '\0';
	assert_false(message_is_name(longest));
}

static void test_job_text(void **state)
{
	struct message_job *job = calloc(1, sizeof(*job));
	char *large = calloc(1, MESSAGE_JOB_TEXT_BYTES + 1);
	const char *text;

	(void)state;
	assert_null(message_job_next_text(job, NULL));
	memset(large, 'x', MESSAGE_JOB_TEXT_BYTES);
	assert_false(message_job_add_text(job, large));		/* no room for its NUL */
	assert_int_equal(job->text_bytes, 0);
	large[MESSAGE_JOB_TEXT_BYTES - 3] = '\0';
	assert_true(message_job_add_text(job, large));
	assert_false(message_job_add_text(job, "ab"));
	assert_true(message_job_add_text(job, "a"));
	assert_false(message_job_add_text(job, ""));
	text = message_job_next_text(job, NULL);
	assert_string_equal(text, large);
	text = message_job_next_text(job, text);
	assert_string_equal(text, "a");
	assert_null(message_job_next_text(job, text));
	free(large);
	free(job);
}

static void test_result(void **state)
{
	struct message_result good = {
		.head = { MESSAGE_RESULT, 5 },
		.record = 2,
		.verdict = MESSAGE_ANSWER,
		.address_count = 2,
		.ttl_s = 604800,
		.retry_after_s = 86400,
		.http_status = 200,
		.memo = "zone=1 ~",
		.text = "good 81.2.69.7\\x0d",
	};
	const struct mutation bad[] = {
		AT(message_result, head.type, MESSAGE_JOB),
		AT(message_result, verdict, 0),
		AT(message_result, verdict, MESSAGE_NOT_YET + 1),
		AT(message_result, verdict, MESSAGE_GOOD - 1),
		AT(message_result, verdict, MESSAGE_TLS_REFUSED + 1),
		AT(message_result, verdict, UINT32_MAX),
		AT(message_result, address_count, 1),
		AT(message_result, address_count, 3),
		AT(message_result, address_count, 33),
		AT(message_result, ttl_s, 604801),
		AT(message_result, retry_after_s, 86401),
		AT(message_result, http_status, 99),
		AT(message_result, http_status, 1000),
		AT(message_result, addresses[0].family, 0),
		AT(message_result, addresses[1].family, 77),
		AT(message_result, addresses[0].bytes[15], 1),
		AT(message_result, addresses[31].bytes[3], 1),
		FULL(message_result, memo),
		PUT(message_result, memo, "a\nb"),
		PUT(message_result, memo, "\xc3\xa9"),
		FULL(message_result, text),
		PUT(message_result, text, "a\nb"),
		PUT(message_result, text, "\xff"),
	};

	(void)state;
	good.addresses[0] = address("81.2.69.7");
	good.addresses[1] = address("2a00::1");
	REFUSE(&good, sizeof(good), message_result_ok, bad);
	refuse_sizes(&good, sizeof(good), message_result_ok);
}

static void test_names(void **state)
{
	(void)state;
	for (enum message_event e = MESSAGE_EVENT_STARTUP; e <= MESSAGE_EVENT_RULES; e++)
		assert_string_not_equal(message_event_name(e), "unknown");
	assert_string_equal(message_event_name(0), "unknown");
	for (int v = 0; v < 40; v++) {
		bool known = (v >= MESSAGE_ANSWER && v <= MESSAGE_NOT_YET) ||
			     (v >= MESSAGE_GOOD && v <= MESSAGE_TLS_REFUSED);

		assert_int_equal(strcmp(message_verdict_name(v), "unknown") != 0, known);
	}
	assert_string_equal(message_verdict_name(MESSAGE_GOOD), "good");
	assert_string_equal(message_verdict_name(MESSAGE_BADAUTH), "badauth");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hook), cmocka_unit_test(test_notice),
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_reply),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_job), cmocka_unit_test(test_job_kinds),
		cmocka_unit_test(test_job_names),
		cmocka_unit_test(test_job_text), cmocka_unit_test(test_result),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
