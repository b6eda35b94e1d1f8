/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the servers of a record's own zone say.
 *
 *   begin --> zone known? --no--> zone search --> rounds of servers' names
 *     ^            |                                | names become addresses (host.c)
 *     |            `--------------yes-------------->|
 *     |                                             v
 *     `---- CNAME: again with its target <---- servers asked --> finished
 *                                                   |
 *                                                   | nobody with authority, or too late
 *                                                   v
 *                                               the system's resolver: no proof
 *
 * To be gentle, a mere look asks as few servers as it can: the IPv4 addresses of two of
 * them first, one after the other with a short head start; a verification asks all at
 * once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/text.h"
#include "hosts_file.h"
#include "record.h"

static void begin(struct resolve_record *record);

static void server_clear(struct record_server *server)
{
	ask_free(server->ask);
	memset(server, 0, sizeof(*server));
}

static void stop_stage(struct resolve_record *record)
{
	for (size_t i = 0; i < record->server_count; i++)
		server_clear(&record->servers[i]);
	record->server_count = 0;
	for (size_t i = 0; i < ZONE_SERVERS_MAX; i++) {
		resolve_host_stop(record->names[i].host);
		record->names[i].host = NULL;
	}
	record->names_pending = 0;
	zone_search_stop(record->search);
	record->search = NULL;
	ask_forget(record->recursive);
	record->recursive = NULL;
	ev_timer_stop(record->resolve->loop, &record->head_start);
}

void resolve_record_stop(struct resolve_record *record)
{
	if (!record)
		return;
	stop_stage(record);
	ev_timer_stop(record->resolve->loop, &record->limit);
	free(record);
}

static void finish(struct resolve_record *record, const struct resolve_answer *answer)
{
	struct resolve_answer copy = *answer;
	resolve_record_fn *fn = record->fn;
	void *context = record->context;

	resolve_record_stop(record);
	fn(context, &copy);
}

/* --- the end: no proof, or nothing at all --- */

static void finish_recursive(struct resolve_record *record, const struct dnsmsg *message)
{
	struct resolve_answer answer = { .outcome = RESOLVE_SILENT };
	struct dnsmsg_found found;

	if (message) {
		dnsmsg_follow(message, record->asked_name, record->type, NULL, &found);
		answer.outcome = RESOLVE_RECURSIVE;
		answer.ttl_s = found.ttl_s;
		resolve_addresses_add(answer.addresses, &answer.count, found.addresses,
				      found.address_count);
	}
	finish(record, &answer);
}

static bool is_usable(const struct resolve_record *record, const char *name,
		      const struct dnsmsg *message)
{
	return !message->truncated && message->type == (unsigned)record->type &&
	       strcmp(message->name, name) == 0 &&
	       (message->rcode == DNSMSG_NOERROR || message->rcode == DNSMSG_NXDOMAIN);
}

static void on_recursive(void *context, const void *bytes, size_t length)
{
	struct resolve_record *record = context;
	struct dnsmsg message;
	bool usable = bytes && dnsmsg_read(bytes, length, &message) &&
		      is_usable(record, record->asked_name, &message);

	record->recursive = NULL;
	finish_recursive(record, usable ? &message : NULL);
}

static void restart_limit(struct resolve_record *record, int limit_ms)
{
	struct ev_loop *loop = record->resolve->loop;

	ev_timer_stop(loop, &record->limit);
	ev_now_update(loop);
	ev_timer_set(&record->limit, limit_ms / 1e3, 0.);
	ev_timer_start(loop, &record->limit);
}

static void ask_recursive(struct resolve_record *record)
{
	stop_stage(record);
	record->last_chance = true;
	restart_limit(record, RESOLVE_LIMIT_MS - AUTHORITY_LIMIT_MS);
	record->recursive = ask_start(record->resolve->system, record->asked_name,
				      (int)record->type, on_recursive, record);
	if (!record->recursive)
		finish_recursive(record, NULL);
}

/* --- the end: with authority --- */

static bool holds(const struct record_server *server, const struct addr *wanted)
{
	for (size_t i = 0; i < server->found.address_count; i++)
		if (addr_equal(&server->found.addresses[i], wanted))
			return true;
	return false;
}

static void count_server(const struct resolve_record *record,
			 const struct record_server *server,
			 struct resolve_answer *answer)
{
	const struct dnsmsg_found *found = &server->found;

	if (answer->servers_answered++ == 0 || found->ttl_s < answer->ttl_s)
		answer->ttl_s = found->ttl_s;
	if (holds(server, &record->wanted))
		answer->servers_holding++;
	else if (addr_is_none(&answer->other.address))
		answer->other = server->where;
	resolve_addresses_add(answer->addresses, &answer->count, found->addresses,
			      found->address_count);
}

/* A server whose answer ended at a name of which it said nothing; NULL: none. */
static const struct record_server *find_alias(const struct resolve_record *record)
{
	for (size_t i = 0; i < record->server_count; i++) {
		const struct record_server *server = &record->servers[i];

		if (server->authoritative && server->found.hops > 0 &&
		    server->found.address_count == 0)
			return server;
	}
	return NULL;
}

static void follow_alias(struct resolve_record *record, const struct dnsmsg_found *found)
{
	char target[DNSMSG_NAME_BYTES];

	memcpy(target, found->name, sizeof(target));
	record->hops += found->hops;
	stop_stage(record);
	if (!target[0] || strcmp(target, "?") == 0) {
		ask_recursive(record);
		return;
	}
	memcpy(record->name, target, sizeof(record->name));
	record->distrust_kept = false;
	begin(record);
}

static void end_stage(struct resolve_record *record)
{
	struct resolve_answer answer = { .outcome = RESOLVE_AUTHORITATIVE };
	const struct record_server *alias = find_alias(record);

	if (alias) {
		follow_alias(record, &alias->found);
		return;
	}
	for (size_t i = 0; i < record->server_count; i++)
		if (record->servers[i].authoritative)
			count_server(record, &record->servers[i], &answer);
	if (answer.servers_answered > 0) {
		finish(record, &answer);
		return;
	}
	if (record->zone_was_kept && !record->distrust_kept) {
		/* Delegated further, or moved: look again without what we knew. */
		resolve_zone_forget(record->resolve, record->zone.name);
		record->distrust_kept = true;
		stop_stage(record);
		begin(record);
		return;
	}
	ask_recursive(record);
}

/* --- servers --- */

static void pump(struct resolve_record *record);

static void on_server(void *context, const void *bytes, size_t length)
{
	struct record_server *server = context;
	struct resolve_record *record = server->record;
	const char *zone = record->trusted_count > 0 ? NULL : record->zone.name;
	struct dnsmsg message;

	server->state = SERVER_DONE;
	if (bytes && dnsmsg_read(bytes, length, &message) &&
	    is_usable(record, record->name, &message) &&
	    (message.authoritative || record->trusted_count > 0)) {
		dnsmsg_follow(&message, record->name, record->type, zone, &server->found);
		server->authoritative = record->hops + server->found.hops <=
					DNSMSG_HOPS_MAX;
	}
	ask_free(server->ask);
	server->ask = NULL;
	if (server->authoritative && !record->all)
		end_stage(record);
	else
		pump(record);
}

/* The link is left by only for the internet, and never to trusted servers. */
static const char *link_to(const struct resolve_record *record,
			   const struct addr *address)
{
	if (record->trusted_count > 0 || !addr_is_global(address))
		return "";
	return address->family == AF_INET6 && record->interface6[0] ? record->interface6
								    : record->interface;
}

static void ask_server(struct resolve_record *record, struct record_server *server)
{
	bool trusted = record->trusted_count > 0;
	struct ask_server where = {
		.address = server->where.address, .port = server->where.port,
		.recurse = trusted, .interface = link_to(record, &server->where.address),
	};

	server->state = SERVER_DONE;
	if (ask_new(record->resolve->loop, &where, &server->ask) < 0)
		return;
	if (ask_start(server->ask, record->name, (int)record->type, on_server, server))
		server->state = SERVER_ASKED;
}

static struct record_server *find_server(struct resolve_record *record,
					 enum server_state state)
{
	for (size_t i = 0; i < record->server_count; i++)
		if (record->servers[i].state == state)
			return &record->servers[i];
	return NULL;
}

static void give_head_start(struct resolve_record *record)
{
	struct ev_loop *loop = record->resolve->loop;

	ev_timer_stop(loop, &record->head_start);
	ev_timer_set(&record->head_start, HEAD_START_MS / 1e3, 0.);
	ev_timer_start(loop, &record->head_start);
}

static void on_head_start(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct resolve_record *record = timer->data;
	struct record_server *next = find_server(record, SERVER_IDLE);

	(void)loop;
	(void)events;
	if (!next)
		return;
	ask_server(record, next);
	give_head_start(record);
	pump(record);
}

static void add_servers(struct resolve_record *record, const struct addr *addresses,
			size_t count)
{
	for (size_t i = 0; i < count && record->server_count < RESOLVE_SERVERS_MAX; i++)
		record->servers[record->server_count++] = (struct record_server){
			.record = record, .where = { addresses[i], DNS_PORT } };
}

/* --- rounds of names --- */

static void keep_known(struct resolve_record *record, size_t index, unsigned families,
		       const struct resolve_addresses *addresses)
{
	struct zone *kept = resolve_zone_find(record->resolve, record->zone.name);

	if (!kept || strcmp(kept->name, record->zone.name) != 0 ||
	    strcmp(kept->servers[index], record->zone.servers[index]) != 0)
		return;
	kept->known_families[index] |= families;
	resolve_addresses_add(kept->known[index].addresses, &kept->known[index].count,
			      addresses->addresses, addresses->count);
}

static void on_server_name(void *context, const struct resolve_addresses *addresses)
{
	struct record_name *name = context;
	struct resolve_record *record = name->record;

	name->host = NULL;
	record->names_pending--;
	if (addresses->count > 0)
		keep_known(record, name->index, name->families, addresses);
	add_servers(record, addresses->addresses, addresses->count);
	pump(record);
}

static void add_known(struct resolve_record *record, size_t index, unsigned families)
{
	const struct resolve_addresses *known = &record->zone.known[index];

	for (size_t i = 0; i < known->count; i++) {
		bool v6 = known->addresses[i].family == AF_INET6;

		if (families & (v6 ? RESOLVE_IPV6 : RESOLVE_IPV4))
			add_servers(record, &known->addresses[i], 1);
	}
}

static void find_addresses(struct resolve_record *record, size_t index, unsigned families)
{
	struct record_name *name = &record->names[index];

	if (index >= record->zone.server_count)
		return;
	if ((record->zone.known_families[index] & families) == families) {
		add_known(record, index, families);
		return;
	}
	*name = (struct record_name){ .record = record, .index = index, .families = families };
	if (resolve_host_start(record->resolve, record->zone.servers[index], families,
			       on_server_name, name, &name->host) == 0)
		record->names_pending++;
}

/* False: there is no further round. */
static bool next_round(struct resolve_record *record)
{
	unsigned both = RESOLVE_IPV4 | RESOLVE_IPV6, round = record->round++;

	if (record->trusted_count > 0 || (record->all && round > 0) || round > 2)
		return false;
	for (size_t i = 0; i < record->zone.server_count; i++) {
		if (record->all)
			find_addresses(record, i, both);
		else if (i < 2 && round < 2)
			find_addresses(record, i,
				       round == 0 ? RESOLVE_IPV4 : RESOLVE_IPV6);
		else if (i >= 2 && round == 2)
			find_addresses(record, i, both);
	}
	return true;
}

/* Asks whom it is time to ask; ends the stage when nobody is left. */
static void pump(struct resolve_record *record)
{
	struct record_server *idle;

	do {
		while ((idle = find_server(record, SERVER_IDLE)) &&
		       (record->all || !find_server(record, SERVER_ASKED))) {
			ask_server(record, idle);
			give_head_start(record);
		}
		if (record->names_pending > 0 || find_server(record, SERVER_ASKED))
			return;
	} while (next_round(record));
	end_stage(record);
}

static void use_zone(struct resolve_record *record, const struct zone *zone, bool kept)
{
	record->zone = *zone;
	record->zone_was_kept = kept;
	pump(record);
}

static void on_zone(void *context, const struct zone *zone)
{
	struct resolve_record *record = context;

	record->search = NULL;
	if (zone)
		use_zone(record, zone, false);
	else
		ask_recursive(record);
}

static void begin(struct resolve_record *record)
{
	struct zone *kept = resolve_zone_find(record->resolve, record->name);

	record->round = 0;
	if (record->trusted_count > 0) {
		for (size_t i = 0; i < record->trusted_count; i++)
			record->servers[record->server_count++] = (struct record_server){
				.record = record, .where = record->trusted[i] };
		pump(record);
		return;
	}
	if (kept && !record->distrust_kept) {
		use_zone(record, kept, true);
		return;
	}
	if (zone_search_start(record->resolve, record->name, on_zone, record,
			      &record->search) < 0)
		ask_recursive(record);
}

/* --- start --- */

static void on_limit(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct resolve_record *record = timer->data;

	(void)loop;
	(void)events;
	if (record->last_chance) {
		finish_recursive(record, NULL);
		return;
	}
	record->zone_was_kept = false;		/* no time to look again */
	if (find_alias(record))
		ask_recursive(record);
	else
		end_stage(record);
}

/* The first step is taken from the loop, so that no answer comes from within a call. */
static void on_start(struct ev_loop *loop, ev_timer *timer, int events)
{
	struct resolve_record *record = timer->data;

	(void)loop;
	(void)events;
	ev_set_cb(&record->head_start, on_head_start);
	begin(record);
}

int resolve_record_start(struct resolve *resolve, const struct resolve_question *question,
			 resolve_record_fn *fn, void *context,
			 struct resolve_record **ret_record)
{
	struct resolve_record *record = calloc(1, sizeof(*record));

	if (!record)
		return -ENOMEM;
	record->resolve = resolve;
	record->fn = fn;
	record->context = context;
	record->type = question->family == AF_INET6 ? DNSMSG_AAAA : DNSMSG_A;
	record->all = question->all;
	record->wanted = question->wanted;
	while (record->trusted_count < question->trusted_count &&
	       record->trusted_count < RESOLVE_SERVERS_MAX) {
		record->trusted[record->trusted_count] =
			question->trusted[record->trusted_count];
		record->trusted_count++;
	}
	if (!name_lower(record->name, question->name) ||
	    !text_copy(record->interface, sizeof(record->interface),
		       question->interface) ||
	    !text_copy(record->interface6, sizeof(record->interface6),
		       question->interface6 ? question->interface6 : "")) {
		free(record);
		return -EINVAL;
	}
	memcpy(record->asked_name, record->name, sizeof(record->asked_name));
	ev_timer_init(&record->limit, on_limit, 0., 0.);
	ev_timer_init(&record->head_start, on_start, 0., 0.);
	record->limit.data = record->head_start.data = record;
	restart_limit(record, AUTHORITY_LIMIT_MS);
	ev_timer_start(resolve->loop, &record->head_start);
	*ret_record = record;
	return 0;
}
