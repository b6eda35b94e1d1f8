/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A table of names, its time in the test's hand, and the other end of its questions. */
#ifndef TESTS_NAMES_ROOM_H
#define TESTS_NAMES_ROOM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "core/names.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, MIDDLE = 1u << 31 };

static struct names names;
static int64_t now_ms;
static struct names_job job;	/* the last one */

static inline int begin(void **state)
{
	(void)state;
	memset(&names, 0, sizeof(names));
	now_ms = 1000000;
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	names_done(&names);
	return 0;
}

static inline struct addr address(const char *text)
{
	struct addr addr;

	assert_true(addr_parse(text, &addr));
	return addr;
}

/* One look at rules that name these, separated by blanks; "6:" before those for IPv6. */
static inline void look(const char *wanted)
{
	char copy[200], *rest = NULL;

	names_look(&names);
	snprintf(copy, sizeof(copy), "%s", wanted);
	for (char *word = strtok_r(copy, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest)) {
		bool ipv6 = strncmp(word, "6:", 2) == 0;

		names_want(&names, word + (ipv6 ? 2 : 0), ipv6 ? AF_INET6 : AF_INET);
	}
	assert_false(names_looked(&names, now_ms));
}

static inline bool ask(void)
{
	return names_next(&names, now_ms, &job);
}

/* Of questions[index] of the last job, with addresses separated by blanks. */
static inline struct message_result result(size_t index, enum message_verdict verdict,
				    const char *addresses, uint32_t ttl_s)
{
	struct message_result made = { .head = { MESSAGE_RESULT, job.number },
				       .record = job.questions[index].id,
				       .verdict = verdict, .ttl_s = ttl_s };
	char copy[2000], *rest = NULL;

	snprintf(copy, sizeof(copy), "%s", addresses);
	for (char *word = strtok_r(copy, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest))
		made.addresses[made.address_count++] = address(word);
	assert_true(message_result_ok(&made, sizeof(made)));
	return made;
}

static inline enum name_event answer_of(size_t index, enum message_verdict verdict,
				 const char *addresses, uint32_t ttl_s)
{
	struct message_result made = result(index, verdict, addresses, ttl_s);

	assert_true(names_may_answer(&names, &made));
	return names_answer(&names, &made, now_ms, MIDDLE).event;
}

static inline enum name_event answer(enum message_verdict verdict, const char *addresses,
			      uint32_t ttl_s)
{
	return answer_of(0, verdict, addresses, ttl_s);
}

/* What the rules get for the first name that has addresses. */
static inline const char *view(void)
{
	static char text[2000];
	const struct nft_name *views;
	size_t length = 0;

	text[0] = '\0';
	if (names_view(&names, &views) == 0)
		return text;
	for (size_t i = 0; i < views[0].count; i++) {
		char one[ADDR_TEXT_BYTES];

		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%s",
					   i ? " " : "",
					   addr_format(&views[0].addresses[i], one));
	}
	return text;
}

/* Goes to the next question and answers it; how long that was. */
static inline int64_t next(enum message_verdict verdict, const char *addresses, uint32_t ttl_s)
{
	int64_t due_ms = names_due_ms(&names), waited_ms = due_ms - now_ms;

	now_ms = due_ms > now_ms ? due_ms : now_ms;
	assert_true(ask());
	(void)answer(verdict, addresses, ttl_s);
	return waited_ms;
}

static inline const struct name_side *ipv4(void)
{
	return &names.list[0]->sides[WAN_IPV4];
}

#define NAMES_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
