/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Name servers that answer with the asker's address, as A, AAAA or TXT. They are asked
 * directly: a resolver in between would be told its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ask.h"
#include "hairpin/dnsmsg.h"
#include "hairpin/resolve.h"
#include "hosts_file.h"
#include "outside.h"

enum { DNS_PORT = 53 };

struct whoami {
	struct outside outside;		/* first */
	struct resolve_host *host;
	struct ask *ask;
	struct ask_question *question;
	char name[DNSMSG_NAME_BYTES];
	unsigned type, class;
};

static void whoami_free(struct outside *outside)
{
	struct whoami *whoami = (struct whoami *)outside;

	resolve_host_stop(whoami->host);
	ask_forget(whoami->question);
	ask_free(whoami->ask);
	free(whoami);
}

/* --- the answer: one record of the name, and nothing beside it --- */

static bool read_record(const struct whoami *whoami, const struct dnsmsg_record *record,
			struct addr *ret_address)
{
	if (whoami->type == DNSMSG_TXT)
		return addr_parse_alone(record->text, strlen(record->text), ret_address);
	*ret_address = record->address;
	return !addr_is_none(ret_address);
}

static bool read_answer(const struct whoami *whoami, const struct dnsmsg *message,
			struct addr *ret_address)
{
	struct dnsmsg_walk walk = { 0 };
	struct dnsmsg_record record;
	size_t count = 0;
	bool good = false;

	while (dnsmsg_next(message, &walk, &record)) {
		if (record.type != whoami->type || strcmp(record.owner, whoami->name) != 0)
			continue;
		count++;
		good = read_record(whoami, &record, ret_address);
	}
	return good && count == 1;
}

static void on_answer(void *context, const void *bytes, size_t length)
{
	struct whoami *whoami = context;
	struct dnsmsg message;
	struct addr address;

	whoami->question = NULL;
	if (!bytes)
		outside_failed(&whoami->outside, OUTSIDE_SILENCE, "does not answer");
	else if (!dnsmsg_read_class(bytes, length, whoami->class, &message) ||
		 message.type != whoami->type || message.rcode != DNSMSG_NOERROR ||
		 message.truncated || strcmp(message.name, whoami->name) != 0)
		outside_failed(&whoami->outside, OUTSIDE_NONSENSE,
			       "refuses the question, or answers another one");
	else if (!read_answer(whoami, &message, &address))
		outside_failed(&whoami->outside, OUTSIDE_NONSENSE,
			       "does not answer with one address");
	else
		outside_found(&whoami->outside, &address);
}

/* --- the question --- */

static int ask_server(struct whoami *whoami, const struct addr *address, uint16_t port)
{
	struct ask_server server = {
		.address = *address, .port = port, .recurse = true,
		.interface = whoami->outside.interface,
	};
	int r = ask_new(whoami->outside.loop, &server, &whoami->ask);

	if (r < 0)
		return r;
	whoami->question = ask_start_class(whoami->ask, whoami->name, (int)whoami->class,
					   (int)whoami->type, on_answer, whoami);
	whoami->outside.asked = whoami->question != NULL;
	return whoami->question ? 0 : -ENOMEM;
}

/* A name may have an address that is ours by mistake or malice: only the internet counts. */
static const struct addr *public_address(const struct whoami *whoami,
					 const struct resolve_addresses *addresses)
{
	for (size_t i = 0; i < addresses->count; i++)
		if (addresses->addresses[i].family == whoami->outside.family &&
		    addr_is_global(&addresses->addresses[i]))
			return &addresses->addresses[i];
	return NULL;
}

static void on_host(void *context, const struct resolve_addresses *addresses)
{
	struct whoami *whoami = context;
	const struct addr *address = public_address(whoami, addresses);

	whoami->host = NULL;
	if (!address)
		outside_failed(&whoami->outside, OUTSIDE_UNREACHABLE,
			       "has no public address that the resolver knows");
	else if (ask_server(whoami, address, DNS_PORT) < 0)
		outside_failed(&whoami->outside, OUTSIDE_UNREACHABLE, "no memory");
}

static int begin(struct whoami *whoami, const struct outside_question *question)
{
	unsigned families = question->family == AF_INET6 ? RESOLVE_IPV6 : RESOLVE_IPV4;
	struct resolve_server server;

	if (!resolve_server_parse(question->server, &server))
		return resolve_host_start(question->resolve, question->server, families,
					  on_host, whoami, &whoami->host);
	if (server.address.family != question->family)
		return -EINVAL;
	return ask_server(whoami, &server.address, server.port);
}

static bool read_question(struct whoami *whoami, const struct outside_question *question)
{
	static const struct {
		const char *word;
		unsigned number;
	} types[] = { { "A", DNSMSG_A }, { "AAAA", DNSMSG_AAAA }, { "TXT", DNSMSG_TXT } };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(question->type, types[i].word) == 0)
			whoami->type = types[i].number;
	whoami->class = strcmp(question->class, "CH") == 0 ? DNSMSG_CH : DNSMSG_IN;
	return whoami->type && name_lower(whoami->name, question->name);
}

int outside_dns_start(const struct outside_question *question, outside_fn *fn,
		      void *context, struct outside **ret_outside)
{
	struct whoami *whoami = calloc(1, sizeof(*whoami));
	int r;

	if (!whoami)
		return -ENOMEM;
	r = outside_init(&whoami->outside, question, fn, context, whoami_free);
	if (r == 0 && !read_question(whoami, question))
		r = -EINVAL;
	if (r == 0)
		r = begin(whoami, question);
	if (r < 0) {
		outside_stop(&whoami->outside);
		return r;
	}
	*ret_outside = &whoami->outside;
	return 0;
}
