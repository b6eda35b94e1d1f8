/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A provider, its zone and the time, for tests of the schedule: whole months in
 * milliseconds. The test sets what the provider answers and how the zone behaves, and
 * counts what arrives.
 *
 * The loop is the core's: jobs while there are any, then sleep until something is due. A
 * schedule that asks to be woken at once though it has nothing to do fails the test.
 */
#ifndef FAKE_WORLD_H
#define FAKE_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "core/schedule.h"

enum {
	WORLD_PROVIDERS = 4,
	WORLD_RECORDS = 256,
	WORLD_REQUESTS = 20000,
	WORLD_REPLIES = 4096,
};

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define WORLD_WALL_S INT64_C(1790000000)

struct world;
typedef enum message_verdict world_provider(struct world *world, size_t record);

struct world_request {
	int64_t ms;
	size_t provider, names, records;
};

struct world {
	struct config config;
	struct config_wan wan;
	struct config_provider providers[WORLD_PROVIDERS];
	uint64_t fingerprints[WORLD_PROVIDERS];
	struct schedule *schedule;
	int64_t now_ms, wall_s;		/* wall_s: at now_ms 0 */
	uint32_t dice;

	world_provider *provider;
	uint32_t retry_after_s;
	const char *memo;		/* what its answers give to keep; NULL: nothing */
	int64_t provider_ms, dns_ms;	/* how long answers take */
	enum message_verdict dns;	/* MESSAGE_ANSWER, or how it fails */
	uint32_t ttl_s;			/* of the zone's records */
	/* an accepted address shows up so much later; -1: never */
	int64_t follows_ms;

	struct {			/* the zone */
		struct addr now, next;
		int64_t next_ms;
	} zone[WORLD_RECORDS];
	struct {
		int64_t ms;
		struct message_result result;
	} *replies;
	size_t reply_count;

	struct world_request requests[WORLD_REQUESTS];
	/* what the publisher asks; it forgets zones, and leaves after an idle minute */
	size_t question_count;
	int64_t left_ms, zone_until_ms[WORLD_PROVIDERS];
	size_t request_count, look_count, events[RECORD_UNPROVEN + 1];
	size_t updates_of[WORLD_RECORDS];
};

static inline struct addr world_address(const char *text)
{
	struct addr addr = { 0 };

	if (text && !addr_parse(text, &addr))
		fail_msg("no address: %s", text);
	return addr;
}

static enum message_verdict world_good(struct world *world, size_t record)
{
	(void)world;
	(void)record;
	return MESSAGE_GOOD;
}

/* --- making one --- */

static inline void world_fill_provider(struct world *world, size_t p, size_t names,
				       unsigned families)
{
	struct config_provider *provider = &world->providers[p];

	snprintf(provider->type, sizeof(provider->type), "type%zu", p);
	snprintf(provider->name, sizeof(provider->name), "entry%zu", p);
	provider->families = families;
	provider->facts.families = CONFIG_IPV4 | CONFIG_IPV6;
	provider->facts.batch_hostnames = 1;
	provider->facts.per_minute = 10;
	provider->check = true;
	provider->timeout_ms = 30 * SECOND;
	provider->hostname_count = names;
	provider->hostnames = calloc(names, sizeof(*provider->hostnames));
	for (size_t h = 0; h < names; h++)
		snprintf(provider->hostnames[h].name, sizeof(provider->hostnames[h].name),
			 "h%zu.p%zu.example.org", h, p);
	world->fingerprints[p] = 1000 + p;
}

/* Change `providers` and `config` before world_start(). */
static inline struct world *world_new(size_t providers, size_t names, unsigned families)
{
	struct world *world = calloc(1, sizeof(*world));

	world->config.wans = &world->wan;
	world->config.wan_count = 1;
	world->config.providers = world->providers;
	world->config.provider_count = providers;
	world->config.dns.check_every_ms = 10 * MINUTE;
	world->config.dns.verify = true;
	world->wan.ipv4 = world->wan.ipv6 = CONFIG_INTERFACE;
	strcpy(world->wan.name, "wan");
	for (size_t p = 0; p < providers; p++)
		world_fill_provider(world, p, names, families);
	world->wall_s = WORLD_WALL_S;
	world->dice = 12345;
	world->provider = world_good;
	world->provider_ms = 200;
	world->dns_ms = 50;
	world->ttl_s = 60;
	world->dns = MESSAGE_ANSWER;
	world->replies = calloc(WORLD_REPLIES, sizeof(*world->replies));
	return world;
}

static inline void world_free(struct world *world)
{
	schedule_free(world->schedule);
	for (size_t p = 0; p < world->config.provider_count; p++)
		free(world->providers[p].hostnames);
	free(world->replies);
	free(world);
}

static inline int64_t world_wall_s(const struct world *world)
{
	return world->wall_s + world->now_ms / 1000;
}

static inline struct record *world_record(struct world *world, size_t index)
{
	return &schedule_record(world->schedule, index)->record;
}

static inline void world_set(struct world *world, int family, const char *text)
{
	struct addr address = world_address(text);

	schedule_address(world->schedule, 0, family, &address, world->now_ms);
}

/* A schedule without memory, a route; no address yet. */
static inline void world_start(struct world *world)
{
	if (schedule_new(&world->config, world->fingerprints, world->now_ms,
			 world_wall_s(world), &world->schedule) != 0)
		fail_msg("schedule_new");
	schedule_route(world->schedule, 0, true, world->now_ms);
}

/* The zone holds this for every record of the family. */
static inline void world_zone(struct world *world, int family, const char *text)
{
	for (size_t i = 0; i < schedule_count(world->schedule); i++)
		if (schedule_record(world->schedule, i)->family == family) {
			world->zone[i].now = world_address(text);
			world->zone[i].next_ms = 0;
		}
}

/* --- the provider and the zone --- */

static inline const struct addr *world_look(struct world *world, size_t index,
					    int64_t at_ms)
{
	if (world->zone[index].next_ms > 0 && at_ms >= world->zone[index].next_ms) {
		world->zone[index].now = world->zone[index].next;
		world->zone[index].next_ms = 0;
	}
	return &world->zone[index].now;
}

static inline void world_store(struct world *world, size_t index,
			       const struct addr *address)
{
	if (world->follows_ms < 0)
		return;
	world_look(world, index, world->now_ms);
	world->zone[index].next = *address;
	world->zone[index].next_ms = world->now_ms + world->follows_ms + 1;
}

static inline void world_answer_look(struct world *world, const struct schedule_job *job,
				     size_t i, struct message_result *result)
{
	const struct addr *holds = world_look(world, job->records[i].record,
					      world->now_ms);

	result->verdict = world->dns;
	if (world->dns != MESSAGE_ANSWER)
		return;
	result->ttl_s = world->ttl_s;
	if (!addr_is_none(holds)) {
		result->addresses[0] = *holds;
		result->address_count = 1;
	}
	if (job->kind == MESSAGE_VERIFY)
		result->verdict = addr_equal(holds, &job->records[i].address) ?
				  MESSAGE_VERIFIED : MESSAGE_NOT_YET;
}

/* A provider's names are one zone: its servers are asked for where they are not known. */
static inline void world_count_questions(struct world *world,
					 const struct schedule_job *job)
{
	if (world->now_ms >= world->left_ms)
		memset(world->zone_until_ms, 0, sizeof(world->zone_until_ms));
	world->left_ms = world->now_ms + world->dns_ms + MINUTE;
	for (size_t i = 0; i < job->count; i++) {
		size_t p = schedule_record(world->schedule, job->records[i].record)
				   ->provider;

		if (world->zone_until_ms[p] <= world->now_ms) {
			world->zone_until_ms[p] = world->now_ms + 5 * MINUTE;
			world->question_count += 3;
		}
		world->question_count++;
	}
}

static inline void world_serve(struct world *world, const struct schedule_job *job)
{
	bool update = job->kind == MESSAGE_UPDATE_RECORDS;

	if (update) {
		if (world->request_count == WORLD_REQUESTS)
			fail_msg("a storm of requests");
		world->requests[world->request_count++] = (struct world_request){
			.ms = world->now_ms,
			.provider = job->provider,
			.records = job->count,
		};
	} else {
		world->look_count += job->count;
		world_count_questions(world, job);
	}
	for (size_t i = 0; i < job->count; i++) {
		uint32_t index = job->records[i].record;
		struct message_result *result;

		if (world->reply_count == WORLD_REPLIES)
			fail_msg("too many replies");
		world->replies[world->reply_count].ms =
			world->now_ms + (update ? world->provider_ms : world->dns_ms);
		result = &world->replies[world->reply_count++].result;
		*result = (struct message_result){
			.head = { MESSAGE_RESULT, job->number }, .record = index,
			.retry_after_s = update ? world->retry_after_s : 0,
		};
		if (update) {
			world->updates_of[index]++;
			result->verdict = world->provider(world, index);
			snprintf(result->memo, sizeof(result->memo), "%s",
				 world->memo ? world->memo : "");
			if (result->verdict == MESSAGE_GOOD ||
			    result->verdict == MESSAGE_UNCHANGED)
				world_store(world, index, &job->records[i].address);
		} else {
			world_answer_look(world, job, i, result);
		}
		if (!message_result_ok(result, sizeof(*result)))
			fail_msg("the fake answers nonsense");
	}
}

/* Some number, the same in every run. */
static inline uint32_t world_roll(struct world *world)
{
	world->dice = world->dice * 1664525 + 1013904223;
	return world->dice;
}

static inline void world_deliver(struct world *world)
{
	for (size_t i = 0; i < world->reply_count;) {
		struct message_result result = world->replies[i].result;
		struct schedule_report report;

		if (world->replies[i].ms > world->now_ms) {
			i++;
			continue;
		}
		memmove(&world->replies[i], &world->replies[i + 1],
			(world->reply_count - i - 1) * sizeof(world->replies[0]));
		world->reply_count--;
		report = schedule_answer(world->schedule, &result, world->now_ms,
					 world_wall_s(world), world_roll(world));
		world->events[report.event]++;
	}
}

static inline int64_t world_next_ms(struct world *world)
{
	int64_t next = schedule_due_ms(world->schedule, world->now_ms);

	if (next <= world->now_ms)
		fail_msg("spins: due at %lld, now %lld", (long long)next,
			 (long long)world->now_ms);
	for (size_t i = 0; i < world->reply_count; i++)
		if (world->replies[i].ms < next)
			next = world->replies[i].ms;
	return next;
}

static inline void world_send(struct world *world)
{
	struct schedule_job job;

	while (schedule_next(world->schedule, world->now_ms, &job))
		world_serve(world, &job);
}

/* Lets time pass. */
static inline void world_run(struct world *world, int64_t ms)
{
	int64_t end_ms = world->now_ms + ms;

	for (;;) {
		int64_t next;

		world_deliver(world);
		world_send(world);
		next = world_next_ms(world);
		if (next > end_ms)
			break;
		world->now_ms = next;
	}
	world->now_ms = end_ms;
	world_deliver(world);
	world_send(world);
}

/*
 * kill -9, and started again after `off_s`: what is saved is all that is left; answers
 * under way are never heard.
 */
static inline void world_restart_after(struct world *world, int64_t off_s)
{
	size_t count = schedule_count(world->schedule);
	struct record_saved *saved = calloc(count, sizeof(*saved));

	for (size_t i = 0; i < count; i++) {
		schedule_save(world->schedule, i, world->now_ms, world_wall_s(world),
			      &saved[i]);
		if (!record_saved_ok(&saved[i]))
			fail_msg("saved nonsense");
	}
	schedule_free(world->schedule);
	world->reply_count = 0;
	world->wall_s += off_s;
	world_start(world);
	for (size_t i = 0; i < count; i++)
		schedule_restore(world->schedule, i, &saved[i], world->now_ms,
				 world_wall_s(world));
	free(saved);
}

static inline void world_restart(struct world *world)
{
	world_restart_after(world, 0);
}

/* Requests that began in [from, to). */
static inline size_t world_requests(const struct world *world, int64_t from_ms,
				    int64_t to_ms)
{
	size_t count = 0;

	for (size_t i = 0; i < world->request_count; i++)
		count += world->requests[i].ms >= from_ms &&
			 world->requests[i].ms < to_ms;
	return count;
}

/* The most requests that any window of this length holds. */
static inline size_t world_most(const struct world *world, int64_t window_ms)
{
	size_t most = 0;

	for (size_t i = 0; i < world->request_count; i++) {
		int64_t from = world->requests[i].ms;
		size_t count = world_requests(world, from, from + window_ms);

		most = count > most ? count : most;
	}
	return most;
}

#endif
