/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --dry-run: the real decisions with other deeds. Looks at DNS go out; an update is said
 * instead and taken as done, so that the schedule goes on to the next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/clock.h"

#include "core.h"
#include "item.h"
#include "status.h"

struct dry_run {
	size_t records;
	bool waited;		/* for an address from outside */
	bool ruled;		/* rules were said */
	bool said[];		/* by record */
};

struct dry_run *dry_run_new(size_t records)
{
	struct dry_run *dry_run = calloc(1, sizeof(*dry_run) + records * sizeof(bool));

	if (dry_run)
		dry_run->records = records;
	return dry_run;
}

void dry_run_free(struct dry_run *dry_run)
{
	free(dry_run);
}

void dry_run_rule(void *context, const struct nft_item *item)
{
	struct core *core = context;

	core->dry_run->ruled = true;
	item_print(stdout, item, true);
}

/* --- records --- */

static void say(struct core *core, size_t index, const char *what, const char *more)
{
	const struct schedule_record *of = schedule_record(core->schedule, index);

	if (core->dry_run->said[index])
		return;
	core->dry_run->said[index] = true;
	printf("record %s (%s, %s): %s%s\n", of->hostname,
	       wan_side_name(wan_side_of(of->family)),
	       core->config->providers[of->provider].name, what, more);
}

static void say_update(struct core *core, size_t index)
{
	const struct record *record = &schedule_record(core->schedule, index)->record;
	char published[ADDR_TEXT_BYTES], wanted[ADDR_TEXT_BYTES], line[160];

	snprintf(line, sizeof(line), "%s -> %s",
		 addr_is_none(&record->published)
			 ? "(unknown)"
			 : addr_format(&record->published, published),
		 addr_format(&record->wanted, wanted));
	say(core, index, line, " (dry run)");
}

bool dry_run_lets_pass(struct core *core, const struct schedule_job *job, int64_t now_ms)
{
	bool update = job->kind == MESSAGE_UPDATE_RECORDS;

	if (job->kind == MESSAGE_CHECK)
		return true;
	for (size_t i = 0; i < job->count; i++) {
		struct message_result result = {
			.head = { MESSAGE_RESULT, job->number },
			.record = job->records[i].record,
			.verdict = update ? MESSAGE_GOOD : MESSAGE_VERIFIED,
		};

		if (update)
			say_update(core, job->records[i].record);
		(void)schedule_answer(core->schedule, &result, now_ms, clock_wall_s(), 0);
	}
	return false;
}

/* Those that are settled without an update. True: there is nothing left to wait for. */
static bool say_settled(struct core *core, bool in_time)
{
	bool all = true;

	for (size_t i = 0; i < core->dry_run->records; i++) {
		const struct schedule_record *of = schedule_record(core->schedule, i);
		char address[ADDR_TEXT_BYTES];

		if (core->dry_run->said[i] || !status_is_of_interest(core, i))
			continue;
		if (of->record.state == RECORD_CURRENT)
			say(core, i, addr_format(&of->record.published, address),
			    " already");
		else if (!in_time || (of->record.state == RECORD_WAITING &&
				      of->record.wait == RECORD_WAIT_ADDRESS))
			say(core, i, "left alone: ", schedule_reason(core->schedule, i));
		else
			all = false;
	}
	return all;
}

bool dry_run_waits(const struct core *core, int64_t now_ms)
{
	return !discover_is_settled(core) && now_ms < core->started_ms + CORE_ONCE_MS;
}

void dry_run_turn(struct core *core, int64_t now_ms)
{
	bool in_time = now_ms < core->started_ms + CORE_ONCE_MS;

	if (!core->dry_run || core->stopping || (!core->sync.looked && in_time))
		return;
	if (dry_run_waits(core, now_ms)) {
		core->dry_run->waited = true;
		return;
	}
	if (core->dry_run->waited && !core->dry_run->ruled) {
		core->dry_run->waited = false;
		core->sync.asked = true;	/* the time is over: the rules as they are */
		return;
	}
	if (!say_settled(core, in_time))
		return;
	if (core->sync.error[0])
		fprintf(stderr, "hairpind: rules: %s\n", core->sync.error);
	if (fflush(stdout) != 0)
		fprintf(stderr, "hairpind: standard output cannot be written\n");
	core_stop(core, core->sync.error[0] || ferror(stdout) ? 1 : 0);
}
