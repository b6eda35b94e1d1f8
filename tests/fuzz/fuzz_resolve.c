/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lookups whose name servers and resolvers answer anything: hosts, names, records at the
 * servers of their zones, and servers that say who asks. The first byte chooses which, then
 * each question gets an answer made of the input: a byte of flags (0: nobody answers), one
 * for how many records, of each its owner, type and data as indexes into small tables, and
 * at last patches, each two bytes of place and one of value. Whatever is said, it ends
 * within a bounded number of questions, and what comes of it is within its bounds.
 *
 * internet/ask.c, which speaks to c-ares, is played here; time does not pass.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "internet/ask.h"
#include "internet/resolver.h"
#include "hairpin/loop.h"
#include "hairpin/outside.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { QUESTIONS_MAX = 400, OPEN_MAX = 64, MESSAGE_MAX = 4096 };

struct ask {
	bool recurse;
};

struct ask_question {
	struct ask *ask;
	char name[DNSMSG_NAME_BYTES];
	int class, type;
	ask_fn *fn;
	void *context;
};

struct input {
	const uint8_t *at, *end;
};

static struct ask_question *open_questions[OPEN_MAX];
static size_t open_count;
static unsigned asked;
static bool ended;

/* --- ask.c, played --- */

int ask_new(struct ev_loop *loop, const struct ask_server *server, struct ask **ret_ask)
{
	struct ask *ask = calloc(1, sizeof(*ask));

	(void)loop;
	require(ask != NULL);
	ask->recurse = !server || server->recurse;
	*ret_ask = ask;
	return 0;
}

void ask_forget(struct ask_question *question)
{
	if (!question)
		return;
	for (size_t i = 0; i < open_count; i++)
		if (open_questions[i] == question)
			open_questions[i--] = open_questions[--open_count];
	free(question);
}

void ask_free(struct ask *ask)
{
	for (size_t i = 0; ask && i < open_count; i++)
		if (open_questions[i]->ask == ask)
			ask_forget(open_questions[i--]);
	free(ask);
}

struct ask_question *ask_start_class(struct ask *ask, const char *name, int class, int type,
				     ask_fn *fn, void *context)
{
	struct ask_question *question = calloc(1, sizeof(*question));

	require(question && strlen(name) < DNSMSG_NAME_BYTES && strcmp(name, "?") != 0);
	require(++asked <= QUESTIONS_MAX);
	require(open_count < OPEN_MAX);
	*question = (struct ask_question){ .ask = ask, .class = class, .type = type,
					   .fn = fn, .context = context };
	strcpy(question->name, name);
	open_questions[open_count++] = question;
	return question;
}

struct ask_question *ask_start(struct ask *ask, const char *name, int type, ask_fn *fn,
			       void *context)
{
	return ask_start_class(ask, name, DNSMSG_IN, type, fn, context);
}

/* --- answers of the input --- */

static uint8_t take(struct input *input)
{
	return input->at < input->end ? *input->at++ : 0;
}

struct message {
	uint8_t bytes[MESSAGE_MAX];
	size_t length;
};

static void add(struct message *message, const void *bytes, size_t length)
{
	if (length > MESSAGE_MAX - message->length)
		return;
	memcpy(message->bytes + message->length, bytes, length);
	message->length += length;
}

static void add_u16(struct message *message, unsigned value)
{
	const uint8_t bytes[] = { (uint8_t)(value >> 8), (uint8_t)value };

	add(message, bytes, sizeof(bytes));
}

static void add_name(struct message *message, const char *name)
{
	while (*name) {
		uint8_t length = (uint8_t)strcspn(name, ".");

		add(message, &length, 1);
		add(message, name, length);
		name += length + (name[length] == '.');
	}
	add(message, "", 1);
}

static const char *name_of(const struct ask_question *question, uint8_t which)
{
	static const char *const names[] = {
		"home.example.org", "example.org", "org", "ns1.example.org",
		"ns2.example.net", "www.example.net", "a.home.example.org", "",
		"x.y.z.example.com", "example.net", "ns.home.example.org",
	};

	which %= 2 + sizeof(names) / sizeof(names[0]);
	return which < 2 ? question->name : names[which - 2];
}

static void add_data(struct message *message, const struct ask_question *question,
		     unsigned type, uint8_t which)
{
	static const uint8_t addresses[][16] = {
		{ 81, 2, 69, 7 }, { 81, 2, 69, 8 }, { 192, 168, 1, 1 }, { 127, 0, 0, 1 },
		{ 0x2a, 1, 4, 0xf8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7 }, { 0 },
	};
	const uint8_t *address = addresses[which % 6];
	uint8_t many[16];
	struct message name = { .length = 0 };

	memcpy(many, address, sizeof(many));
	many[3] = (uint8_t)(many[3] + which / 6);
	switch (type) {
	case DNSMSG_A:
	case DNSMSG_AAAA:
		add_u16(message, type == DNSMSG_A ? 4 : 16);
		add(message, many, type == DNSMSG_A ? 4 : 16);
		break;
	case DNSMSG_TXT:
		add_u16(message, 10);
		add(message, "\x09" "81.2.69.7", 10);
		break;
	default:
		add_name(&name, name_of(question, which));
		add_u16(message, (unsigned)name.length);
		add(message, name.bytes, name.length);
	}
}

static void add_record(struct message *message, const struct ask_question *question,
		       struct input *input)
{
	static const unsigned types[] = { DNSMSG_A, DNSMSG_AAAA, DNSMSG_CNAME, DNSMSG_NS,
					  DNSMSG_TXT, 6 };
	uint8_t type = take(input) % 8;

	add_name(message, name_of(question, take(input)));
	add_u16(message, type < 6 ? types[type] : (unsigned)question->type);
	add_u16(message, (unsigned)question->class);
	add_u16(message, 0);
	add_u16(message, take(input));
	add_data(message, question, type < 6 ? types[type] : (unsigned)question->type,
		 take(input));
}

static bool make_answer(struct message *message, const struct ask_question *question,
			struct input *input)
{
	uint8_t flags = take(input);
	unsigned count = take(input) % 40;

	message->length = 0;
	if (flags == 0)
		return false;
	add_u16(message, 0x1234);
	add_u16(message, 0x8000u | (flags & 1u) << 10 | (flags & 0x40u) << 3 |
				 (flags >> 1 & 3u));
	add_u16(message, 1);
	add_u16(message, count);
	add_u16(message, 0);
	add_u16(message, 0);
	add_name(message, question->name);
	add_u16(message, (unsigned)question->type);
	add_u16(message, (unsigned)question->class);
	for (unsigned i = 0; i < count; i++)
		add_record(message, question, input);
	for (unsigned patches = flags & 0x80 ? take(input) % 8 : 0; patches > 0; patches--) {
		size_t place = take(input) | (size_t)take(input) << 8;

		message->bytes[place % message->length] = take(input);
	}
	return true;
}

/* The oldest question is answered; of memory of its size, so that a byte too far is seen. */
static void answer_one(struct input *input)
{
	static struct message message;
	struct ask_question question = *open_questions[0];
	bool answered = make_answer(&message, &question, input);
	uint8_t *copy = malloc(message.length + 1);

	require(copy != NULL);
	copy = realloc(copy, answered ? message.length : 1);
	memcpy(copy, message.bytes, message.length);
	ask_forget(open_questions[0]);
	question.fn(question.context, answered ? copy : NULL, answered ? message.length : 0);
	free(copy);
}

/* --- what is asked, and what comes of it --- */

static void check_addresses(const struct addr *addresses, size_t count)
{
	require(count <= RESOLVE_ADDRESSES_MAX);
	for (size_t i = 0; i < count; i++) {
		require(!addr_is_none(&addresses[i]));
		for (size_t k = 0; k < i; k++)
			require(!addr_equal(&addresses[i], &addresses[k]));
	}
}

static void got_host(void *context, const struct resolve_addresses *addresses)
{
	(void)context;
	check_addresses(addresses->addresses, addresses->count);
	require(addresses->ttl_s <= DNSMSG_TTL_MAX_S);
	ended = true;
}

static void got_name(void *context, const struct resolve_named *named)
{
	(void)context;
	check_addresses(named->addresses, named->count);
	require(named->ttl_s <= DNSMSG_TTL_MAX_S);
	require((named->said == RESOLVE_ADDRESSES) == (named->count > 0));
	ended = true;
}

static void got_record(void *context, const struct resolve_answer *answer)
{
	(void)context;
	check_addresses(answer->addresses, answer->count);
	require(answer->ttl_s <= DNSMSG_TTL_MAX_S);
	require(answer->servers_holding <= answer->servers_answered);
	require((answer->outcome == RESOLVE_AUTHORITATIVE) == (answer->servers_answered > 0));
	ended = true;
}

static void got_outside(void *context, const struct outside_answer *answer)
{
	(void)context;
	require((answer->outcome == OUTSIDE_ADDRESS) == !addr_is_none(&answer->address));
	for (const char *c = answer->why; *c; c++)
		require((unsigned char)*c >= ' ' && *c != 0x7f);
	ended = true;
}

union handle {
	struct resolve_host *host;
	struct resolve_name *name;
	struct resolve_record *record;
	struct outside *outside;
};

static int start(struct resolve *resolve, struct ev_loop *loop, uint8_t what,
		 union handle *handle)
{
	static const struct resolve_server trusted = { { AF_INET, { 192, 168, 1, 53 } }, 53 };
	struct resolve_question question = {
		.name = "home.example.org", .family = what & 4 ? AF_INET6 : AF_INET,
		.interface = "", .all = what & 8, .wanted = { AF_INET, { 81, 2, 69, 7 } },
		.trusted = &trusted, .trusted_count = what & 16 ? 1 : 0 };
	struct outside_question outside = {
		.loop = loop, .resolve = resolve, .interface = "",
		.family = question.family, .timeout_ms = 1000,
		.server = what & 8 ? "81.2.69.53" : "ns.example.net", .name = "whoami.example.net",
		.type = what & 16 ? "TXT" : what & 4 ? "AAAA" : "A",
		.class = what & 32 ? "CH" : "IN" };

	if (outside.family == AF_INET6 && what & 8)
		outside.server = "2a01:4f8::53";
	switch (what & 3) {
	case 0:
		return resolve_host_start(resolve, question.name,
					  RESOLVE_IPV4 | (what & 4 ? RESOLVE_IPV6 : 0),
					  got_host, NULL, &handle->host);
	case 1:
		return resolve_name_start(resolve, question.name, question.family,
					  got_name, NULL, &handle->name);
	case 2:
		return resolve_record_start(resolve, &question, got_record, NULL,
					    &handle->record);
	default:
		return outside_dns_start(&outside, got_outside, NULL, &handle->outside);
	}
}

static void stop(uint8_t what, const union handle *handle)
{
	switch (what & 3) {
	case 0:
		resolve_host_stop(handle->host);
		break;
	case 1:
		resolve_name_stop(handle->name);
		break;
	case 2:
		resolve_record_stop(handle->record);
		break;
	default:
		outside_stop(handle->outside);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, data + size };
	struct ev_loop *loop = loop_new();
	uint8_t what = take(&input);
	struct resolve *resolve;
	union handle handle;

	ended = false;
	asked = 0;
	require(loop && resolve_new(loop, &resolve) == 0);
	require(start(resolve, loop, what, &handle) == 0);
	ev_run(loop, EVRUN_NOWAIT);
	/* At its end nobody answers; whoever still waits for the clock is stopped. */
	while (!ended && open_count > 0) {
		answer_one(&input);
		ev_run(loop, EVRUN_NOWAIT);
	}
	if (!ended)
		stop(what, &handle);
	require(open_count == 0);
	resolve_free(resolve);
	ev_loop_destroy(loop);
	return 0;
}
