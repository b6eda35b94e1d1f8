/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The schedule: its records, and what happens to them from outside. */
#include "schedule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/order.h"
#include "hairpin/secret.h"

#include "schedule_parts.h"

/* --- from the configuration --- */

static unsigned wan_families(const struct config_wan *wan)
{
	return (wan->ipv4 != CONFIG_OFF ? CONFIG_IPV4 : 0) |
	       (wan->ipv6 != CONFIG_OFF ? CONFIG_IPV6 : 0);
}

static unsigned named_families(const struct config_provider *provider,
			       const struct config_hostname *hostname)
{
	return hostname->families ? hostname->families : provider->families;
}

static unsigned families_of(const struct config *config,
			    const struct config_provider *provider,
			    const struct config_hostname *hostname)
{
	unsigned named = named_families(provider, hostname);

	return named ? named
		     : wan_families(&config->wans[provider->wan]) &
			       provider->facts.families;
}

static size_t count_records(const struct config *config)
{
	size_t count = 0;

	for (size_t p = 0; p < config->provider_count; p++) {
		const struct config_provider *provider = &config->providers[p];

		for (size_t h = 0; h < provider->hostname_count; h++) {
			unsigned families = families_of(config, provider,
							&provider->hostnames[h]);

			count += !!(families & CONFIG_IPV4) + !!(families & CONFIG_IPV6);
		}
	}
	return count;
}

static void add_record(struct schedule *schedule, size_t p,
		       const struct config_hostname *hostname, int family, int64_t now_ms,
		       int64_t wall_s)
{
	const struct config_provider *provider = &schedule->config->providers[p];
	struct schedule_record *slot = &schedule->records[schedule->count++];

	slot->provider = p;
	slot->wan = provider->wan;
	slot->hostname = hostname->name;
	slot->family = (uint8_t)family;
	if (family == AF_INET6)
		slot->suffix = hostname->ipv6_suffix;
	slot->optional = named_families(provider, hostname) == 0 &&
			 addr_is_none(&slot->suffix);
	slot->partner = SCHEDULE_NO_RECORD;
	record_init(&slot->record, family, &schedule->entries[p].rules, NULL, now_ms,
		    wall_s);
	slot->told = slot->record.state;
}

/* What a day may cost follows the records that have something to publish. */
static void count_for_circuits(struct schedule *schedule)
{
	for (size_t i = 0; i < schedule->circuit_count; i++)
		schedule->circuits[i].records = 0;
	for (size_t i = 0; i < schedule->count; i++)
		schedule_circuit(schedule, i)->records +=
			!addr_is_none(&schedule->records[i].record.wanted);
}

static void add_name(struct schedule *schedule, size_t p,
		     const struct config_hostname *hostname, int64_t now_ms,
		     int64_t wall_s)
{
	const struct config_provider *provider = &schedule->config->providers[p];
	unsigned families = families_of(schedule->config, provider, hostname);
	int first = (int)schedule->count;

	if (families & CONFIG_IPV4)
		add_record(schedule, p, hostname, AF_INET, now_ms, wall_s);
	if (families & CONFIG_IPV6)
		add_record(schedule, p, hostname, AF_INET6, now_ms, wall_s);
	if (schedule->count == (size_t)first + 2) {
		schedule->records[first].partner = first + 1;
		schedule->records[first + 1].partner = first;
	}
}

static int find_same_circuit(const struct schedule *schedule, const struct circuit *other)
{
	for (size_t i = 0; i < schedule->circuit_count; i++)
		if (schedule->circuits[i].host == other->host &&
		    schedule->circuits[i].wan == other->wan)
			return (int)i;
	return -1;
}

/* Of what came before, 0: nothing, and of this. */
static uint64_t fingerprint_of(uint64_t before, const char *text)
{
	uint8_t key[16] = { 0 };

	memcpy(key, &before, sizeof(before));
	return secret_fingerprint(key, text, strlen(text));
}

/*
 * Entries of one type and server over one WAN are one host: its outage is theirs
 * together.
 */
static size_t find_circuit(struct schedule *schedule,
			   const struct config_provider *provider)
{
	const struct config_setting *setting = config_setting_find(provider, "server");
	const char *server = setting && secret_is_set(&setting->value) ?
			     secret_reveal(&setting->value) : "";
	struct circuit fresh = {
		.host = fingerprint_of(fingerprint_of(0, provider->type), server),
		.wan = fingerprint_of(0, schedule->config->wans[provider->wan].name),
		.parallel = provider->facts.parallel,
		.per_minute = provider->facts.per_minute,
	};
	int found = find_same_circuit(schedule, &fresh);

	if (found >= 0)
		return (size_t)found;
	circuit_init(&fresh);
	schedule->circuits[schedule->circuit_count] = fresh;
	return schedule->circuit_count++;
}

static uint64_t program_fingerprint(void)
{
	static const uint8_t key[16];

	return secret_fingerprint(key, HAIRPIN_VERSION, sizeof(HAIRPIN_VERSION));
}

unsigned schedule_batch_names(const struct config_provider *provider)
{
	return MAX(provider->facts.batch_hostnames, 1);
}

static void fill_entry(struct schedule *schedule, size_t p, uint64_t fingerprint)
{
	const struct config *config = schedule->config;
	const struct config_provider *provider = &config->providers[p];
	struct entry *entry = &schedule->entries[p];

	entry->batch = schedule_batch_names(provider);
	entry->circuit = find_circuit(schedule, provider);
	entry->rules = (struct record_rules){
		.check = provider->check, .verify = config->dns.verify,
		.allow_private = provider->allow_private, .broken = provider->broken,
		.check_every_ms = config->dns.check_every_ms,
		.refresh_ms = provider->refresh_ms,
		.min_interval_ms = provider->min_interval_ms, .fingerprint = fingerprint,
		.program = program_fingerprint(),
	};
}

int schedule_new(const struct config *config, const uint64_t *fingerprints,
		 int64_t now_ms, int64_t wall_s, struct schedule **ret_schedule)
{
	struct schedule *schedule = calloc(1, sizeof(*schedule));
	size_t count = count_records(config), providers = config->provider_count;

	if (!schedule)
		return -ENOMEM;
	schedule->config = config;
	schedule->idle_ms = now_ms;
	schedule->idle_asked_ms = schedule->idle_zones_ms = INT64_MIN;
	schedule->records = calloc(count + 1, sizeof(*schedule->records));
	schedule->entries = calloc(providers + 1, sizeof(*schedule->entries));
	schedule->circuits = calloc(providers + CIRCUITS_FORMER_MAX,
				    sizeof(*schedule->circuits));
	if (!schedule->records || !schedule->entries || !schedule->circuits) {
		schedule_free(schedule);
		return -ENOMEM;
	}
	for (size_t p = 0; p < providers; p++) {
		const struct config_provider *provider = &config->providers[p];

		fill_entry(schedule, p, fingerprints[p]);
		for (size_t h = 0; h < provider->hostname_count; h++)
			add_name(schedule, p, &provider->hostnames[h], now_ms, wall_s);
	}
	*ret_schedule = schedule;
	return 0;
}

void schedule_free(struct schedule *schedule)
{
	if (!schedule)
		return;
	for (size_t i = 0; i < schedule->count; i++)
		record_done(&schedule->records[i].record);
	free(schedule->records);
	free(schedule->entries);
	free(schedule->circuits);
	free(schedule);
}

size_t schedule_count(const struct schedule *schedule)
{
	return schedule->count;
}

struct schedule_record *schedule_record(struct schedule *schedule, size_t index)
{
	return &schedule->records[index];
}

struct circuit *schedule_circuit(const struct schedule *schedule, size_t index)
{
	size_t provider = schedule->records[index].provider;

	return &schedule->circuits[schedule->entries[provider].circuit];
}

int schedule_find(const struct schedule *schedule, const char *provider,
		  const char *hostname, int family)
{
	for (size_t i = 0; i < schedule->count; i++) {
		const struct schedule_record *slot = &schedule->records[i];

		if (slot->family == family && strcmp(slot->hostname, hostname) == 0 &&
		    strcmp(schedule->config->providers[slot->provider].name, provider) ==
			    0)
			return (int)i;
	}
	return SCHEDULE_NO_RECORD;
}

void schedule_restore(struct schedule *schedule, size_t index,
		      const struct record_saved *saved, int64_t now_ms, int64_t wall_s)
{
	struct schedule_record *slot = &schedule->records[index];
	struct record *record = &slot->record;

	record_done(record);
	record_init(record, slot->family, &schedule->entries[slot->provider].rules, saved,
		    now_ms, wall_s);
	if (record->retry_ms > now_ms)
		circuit_wait(schedule_circuit(schedule, index), record->last_answer,
			     record->attempts, record->retry_kind == RECORD_WAIT_OBEY,
			     record->retry_ms);
}

/* --- the configuration is read again --- */

/* Where a record of the other schedule is in this one. */
static int find_same(const struct schedule *schedule, const struct schedule *other,
		     size_t index)
{
	const struct schedule_record *slot = &other->records[index];

	return schedule_find(schedule, other->config->providers[slot->provider].name,
			     slot->hostname, slot->family);
}

static void adopt_records(struct schedule *schedule, struct schedule *old, int64_t now_ms)
{
	for (size_t i = 0; i < schedule->count; i++) {
		struct schedule_record *slot = &schedule->records[i], *was;
		int found = find_same(old, schedule, i);

		if (found == SCHEDULE_NO_RECORD)
			continue;
		was = &old->records[found];
		record_done(&slot->record);
		slot->record = was->record;
		was->record.memo = NULL;
		slot->record.dirty = true;
		slot->noted = was->noted;
		slot->told = was->told;
		record_set_rules(&slot->record, &schedule->entries[slot->provider].rules,
				 now_ms);
		if (strcmp(schedule->config->wans[slot->wan].name,
			   old->config->wans[was->wan].name) != 0)
			record_want(&slot->record, &(struct addr){ 0 }, now_ms);
	}
}

/* To take an entry out and bring it back gives no new budget. */
static void adopt_circuits(struct schedule *schedule, const struct schedule *old,
			   int64_t now_ms)
{
	size_t room = schedule->circuit_count + CIRCUITS_FORMER_MAX;

	for (size_t i = 0; i < old->circuit_count; i++) {
		int found = find_same_circuit(schedule, &old->circuits[i]);

		if (found >= 0)
			circuit_adopt(&schedule->circuits[found], &old->circuits[i]);
		else if (schedule->circuit_count < room &&
			 circuit_is_remembered(&old->circuits[i], now_ms))
			schedule->circuits[schedule->circuit_count++] = old->circuits[i];
	}
}

static void adopt_jobs(struct schedule *schedule, const struct schedule *old)
{
	for (size_t j = 0; j < JOBS_MAX; j++) {
		struct job *job = &schedule->jobs[j];

		*job = old->jobs[j];
		if (job->number == 0)
			continue;
		if (job->circuit >= 0)
			job->circuit = find_same_circuit(schedule,
							 &old->circuits[job->circuit]);
		job->entry = -1;
		for (size_t i = 0; i < job->count; i++) {
			int *index = &job->records[i].index;

			if (*index >= 0)
				*index = find_same(schedule, old, (size_t)*index);
			if (*index >= 0)
				job->entry = (int)schedule->records[*index].provider;
		}
	}
	schedule->last_number = old->last_number;
}

static void adopt_routes(struct schedule *schedule, const struct schedule *old)
{
	for (size_t i = 0; i < schedule->config->wan_count; i++)
		for (size_t k = 0; k < old->config->wan_count; k++)
			if (strcmp(schedule->config->wans[i].name,
				   old->config->wans[k].name) == 0)
				schedule->has_route[i] = old->has_route[k];
}

void schedule_adopt(struct schedule *schedule, struct schedule *old, int64_t now_ms)
{
	adopt_records(schedule, old, now_ms);
	adopt_circuits(schedule, old, now_ms);
	adopt_jobs(schedule, old);
	adopt_routes(schedule, old);
	count_for_circuits(schedule);
	schedule->idle_ms = old->idle_ms;
	schedule->idle_asked_ms = old->idle_asked_ms;
	schedule->idle_zones_ms = old->idle_zones_ms;
	schedule_free(old);
}

/* --- what happens --- */

static void network(struct schedule *schedule, size_t wan, int64_t now_ms)
{
	for (size_t i = 0; i < schedule->count; i++) {
		if (schedule->records[i].wan != wan)
			continue;
		record_network(&schedule->records[i].record, now_ms);
		circuit_network(schedule_circuit(schedule, i), now_ms);
	}
}

void schedule_network(struct schedule *schedule, size_t wan, int64_t now_ms)
{
	network(schedule, wan, now_ms);
}

struct addr schedule_address_of(const struct schedule *schedule,
				const struct schedule_record *slot,
				const struct addr *from)
{
	unsigned bits = schedule->config->wans[slot->wan].prefix_bits;

	if (addr_is_none(&slot->suffix) || addr_is_none(from))
		return *from;
	return addr_join(from, bits, &slot->suffix);
}

/* `prefix`: what came is for the names with a suffix; else for the others. */
static void want(struct schedule *schedule, size_t wan, int family, bool prefix,
		 const struct addr *from, int64_t now_ms)
{
	bool changed = false;

	for (size_t i = 0; i < schedule->count; i++) {
		struct schedule_record *slot = &schedule->records[i];
		struct addr address;

		if (slot->wan != wan || slot->family != family ||
		    addr_is_none(&slot->suffix) == prefix)
			continue;
		address = schedule_address_of(schedule, slot, from);
		changed = changed || !addr_equal(&slot->record.wanted, &address);
		record_want(&slot->record, &address, now_ms);
	}
	if (changed)
		count_for_circuits(schedule);
	if (changed && !addr_is_none(from))
		network(schedule, wan, now_ms);
}

void schedule_address(struct schedule *schedule, size_t wan, int family,
		      const struct addr *address, int64_t now_ms)
{
	want(schedule, wan, family, false, address, now_ms);
}

void schedule_prefix(struct schedule *schedule, size_t wan, const struct addr *prefix,
		     int64_t now_ms)
{
	want(schedule, wan, AF_INET6, true, prefix, now_ms);
}

void schedule_route(struct schedule *schedule, size_t wan, bool has_route, int64_t now_ms)
{
	bool came = has_route && !schedule->has_route[wan];

	schedule->has_route[wan] = has_route;
	if (came)
		network(schedule, wan, now_ms);
}

void schedule_clock(struct schedule *schedule, int64_t now_ms)
{
	for (size_t i = 0; i < schedule->count; i++) {
		record_clock(&schedule->records[i].record, now_ms);
		circuit_clock(schedule_circuit(schedule, i), now_ms);
	}
}

static bool is_named(const char *hostname, const char *const *hostnames, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(hostnames[i], hostname) == 0)
			return true;
	return count == 0;
}

size_t schedule_update(struct schedule *schedule, const char *const *hostnames,
		       size_t count, bool force, int64_t now_ms)
{
	size_t asked = 0;

	for (size_t i = 0; i < schedule->count; i++) {
		struct schedule_record *slot = &schedule->records[i];

		if (!is_named(slot->hostname, hostnames, count) ||
		    !record_ask(&slot->record, force, now_ms))
			continue;
		asked++;
		circuit_ask(schedule_circuit(schedule, i), now_ms);
	}
	return asked;
}

/* --- for the status --- */

int64_t schedule_next_try_ms(const struct schedule *schedule, size_t index,
			     int64_t now_ms)
{
	const struct record *record = &schedule->records[index].record;
	enum record_need need;
	int64_t at;

	(void)now_ms;
	need = record_need(record, &at);
	if (record->state == RECORD_CURRENT || need == RECORD_NEED_NOTHING ||
	    need == RECORD_NEED_IDLE_LOOK)
		return INT64_MAX;
	if (need == RECORD_NEED_UPDATE)
		at = MAX(at, schedule_circuit(schedule, index)->next_ms);
	return at;
}

bool schedule_is_settled(const struct schedule *schedule)
{
	for (size_t i = 0; i < schedule->count; i++)
		if (!record_is_settled(&schedule->records[i].record))
			return false;
	return schedule_in_flight(schedule) == 0;
}
