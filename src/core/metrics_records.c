/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/socket.h>

#include "metrics_parts.h"
#include "status.h"

/* With more of them only what was counted is told. */
enum { PROVIDERS_OF_ZEROS = 32 };

/* --- how many --- */

static void find_shared(struct account *account)
{
	const struct config *config = account->core->config;

	for (size_t i = 0; i < config->provider_count; i++)
		for (size_t j = 0; j < config->provider_count && !account->shared[i]; j++)
			account->shared[i] = i != j &&
					     strcmp(config->providers[i].name,
						    config->providers[j].name) == 0;
}

/* How many records find room behind what is there already; each has three lines. */
void records_measure(struct account *account)
{
	enum { FAMILIES = 3, LINE_BYTES = 110, REST_BYTES = 2048 };
	const struct core *core = account->core;
	size_t bytes = account->prom.out->length + REST_BYTES;
	size_t count = schedule_count(core->schedule);

	find_shared(account);
	while (account->records < count) {
		const struct schedule_record *of =
			schedule_record(core->schedule, account->records);
		const char *provider = core->config->providers[of->provider].name;

		bytes += FAMILIES * (LINE_BYTES + strlen(of->hostname) +
				     2 * strlen(provider));
		if (bytes > account->max_bytes)
			break;
		account->records++;
	}
	account->left_out = count - account->records;
}

/* --- records and providers --- */

/* Of two entries of one name and the same host name, the first: a series is there once. */
static bool is_told(const struct account *account, size_t index)
{
	const struct core *core = account->core;
	const struct schedule_record *of = schedule_record(core->schedule, index);

	if (!status_is_of_interest(core, index))
		return false;
	return !account->shared[of->provider] ||
	       schedule_find(core->schedule, core->config->providers[of->provider].name,
			     of->hostname, of->family) == (int)index;
}

static void label_record(struct account *account, const struct schedule_record *of)
{
	const struct config *config = account->core->config;

	prom_label(&account->prom, "name", of->hostname);
	prom_label(&account->prom, "type", of->family == AF_INET ? "A" : "AAAA");
	prom_label(&account->prom, "provider", config->providers[of->provider].name);
}

typedef void record_fn(struct account *account, const struct schedule_record *of);

static void each_record(struct account *account, record_fn *emit)
{
	struct schedule *schedule = account->core->schedule;

	for (size_t i = 0; i < account->records; i++)
		if (is_told(account, i))
			emit(account, schedule_record(schedule, i));
}

static void record_is_current(struct account *account, const struct schedule_record *of)
{
	label_record(account, of);
	emit_number(account, of->record.state == RECORD_CURRENT);
}

static void record_time(struct account *account, const struct schedule_record *of,
			int64_t then_ms)
{
	if (then_ms == INT64_MIN)
		return;
	label_record(account, of);
	emit_time(account, then_ms);
}

static void record_success(struct account *account, const struct schedule_record *of)
{
	record_time(account, of, record_taken_ms(&of->record));
}

static void record_verified(struct account *account, const struct schedule_record *of)
{
	record_time(account, of, record_seen_ms(&of->record));
}

void emit_current(struct account *account)
{
	each_record(account, record_is_current);
}

void emit_success(struct account *account)
{
	each_record(account, record_success);
}

void emit_verified(struct account *account)
{
	each_record(account, record_verified);
}

static bool is_first_of_name(const struct config *config, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (strcmp(config->providers[i].name, config->providers[index].name) == 0)
			return false;
	return true;
}

/* All results, those that never came too: from 0 to 1 is an increase, from nowhere is none. */
static void provider_updates(struct account *account, const char *name, bool zeros)
{
	const struct metrics_provider *of =
		metrics_provider_find(&account->core->metrics, name);

	for (int v = 0; v < METRICS_VERDICTS; v++) {
		uint64_t updates = of ? of->updates[v] : 0;

		if (!updates && !zeros)
			continue;
		prom_label(&account->prom, "provider", name);
		prom_label(&account->prom, "result",
			   message_verdict_name(MESSAGE_GOOD + v));
		emit_number(account, updates);
	}
}

void emit_updates(struct account *account)
{
	const struct config *config = account->core->config;

	for (size_t i = 0; i < config->provider_count; i++)
		if (is_first_of_name(config, i))
			provider_updates(account, config->providers[i].name,
					 config->provider_count <= PROVIDERS_OF_ZEROS);
}

void emit_provider_success(struct account *account)
{
	const struct metrics *metrics = &account->core->metrics;

	for (size_t i = 0; i < metrics->provider_count; i++) {
		if (metrics->providers[i].success_ms == INT64_MIN)
			continue;
		prom_label(&account->prom, "provider", metrics->providers[i].name);
		emit_time(account, metrics->providers[i].success_ms);
	}
}

void emit_starts(struct account *account)
{
	emit_number(account, account->core->metrics.publisher_starts);
}

void emit_restarts(struct account *account)
{
	emit_number(account, account->core->metrics.publisher_restarts);
}

/* --- hooks --- */

void emit_hook_runs(struct account *account)
{
	static const char *const results[HOOKBOOK_OUTCOMES] = {
		[MESSAGE_HOOK_OK] = "ok",
		[MESSAGE_HOOK_EXIT] = "exit",
		[MESSAGE_HOOK_SIGNAL] = "signal",
		[MESSAGE_HOOK_TIMED_OUT] = "timed_out",
		[MESSAGE_HOOK_REFUSED] = "refused",
	};
	const struct hookbook *book = &account->core->events.book;

	for (size_t i = 0; i < book->count; i++)
		for (int r = MESSAGE_HOOK_OK; r < HOOKBOOK_OUTCOMES; r++) {
			const struct hook_note *note = &book->list[i];

			prom_label(&account->prom, "hook", note->name);
			prom_label(&account->prom, "result", results[r]);
			emit_number(account, note->runs[r]);
		}
}

void emit_hook_time(struct account *account)
{
	const struct hookbook *book = &account->core->events.book;

	for (size_t i = 0; i < book->count; i++) {
		prom_label(&account->prom, "hook", book->list[i].name);
		emit_number(account, (uint64_t)book->list[i].last_run_wall_s);
	}
}
