/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a source outlives the process. */
#include "source.h"

#include "hairpin/order.h"
#include "hairpin/record.h"

#define WALL_MAX_S INT64_C(253402300799)	/* the end of the year 9999 */
#define AGE_MAX_MS ((INT64_C(1) << 53) - 1)

static int64_t age(int64_t then_ms, int64_t now_ms)
{
	return MIN(MAX(now_ms - then_ms, 0), AGE_MAX_MS);
}

void source_save(const struct source *source, int64_t now_ms, int64_t wall_s,
		 struct source_saved *ret_saved)
{
	struct source_saved saved = {
		.wall_s = MIN(MAX(wall_s, 0), WALL_MAX_S),
		.up_ms = MIN(MAX(now_ms, 0), AGE_MAX_MS),
		.begun_ms = age(source->begun_ms, now_ms),
		.place_count = source->outside ? source->outside->place_count : 0,
	};

	if (source->sight.able || source->expects) {
		saved.address = source->address;
		saved.inner = source->sight.inner;
		saved.link = source->sight.link;
		saved.found_ms = age(source->found_ms, now_ms);
		saved.good = source->good;
	}
	for (size_t i = 0; i < source->sent_count; i++)
		if (age(source->sent_ms[i], now_ms) < SOURCE_MEMORY_MS)
			saved.sent_ms[saved.sent_count++] = age(source->sent_ms[i],
								now_ms);
	if (saved.place_count == 0)
		saved.place_count = 1;
	for (size_t i = 0; i < saved.place_count; i++)
		saved.free_ms[i] = MIN(MAX(source->places[i].free_ms - now_ms,
					   -SOURCE_MEMORY_MS), SOURCE_WAIT_MAX_MS);
	*ret_saved = saved;
}

static bool is_within(int64_t number, int64_t least, int64_t most)
{
	return number >= least && number <= most;
}

static bool lists_ok(const struct source_saved *saved)
{
	if (saved->sent_count > SOURCE_HOUR_MAX || saved->place_count > CONFIG_PLACES_MAX)
		return false;
	for (size_t i = 0; i < saved->sent_count; i++)
		if (!is_within(saved->sent_ms[i], 0,
			       i ? saved->sent_ms[i - 1] : SOURCE_MEMORY_MS))
			return false;
	for (size_t i = 0; i < saved->place_count; i++)
		if (!is_within(saved->free_ms[i], -SOURCE_MEMORY_MS, SOURCE_WAIT_MAX_MS))
			return false;
	return true;
}

bool source_saved_ok(const struct source_saved *saved, int family)
{
	bool none = addr_is_none(&saved->address);

	return is_within(saved->wall_s, 0, WALL_MAX_S) &&
	       is_within(saved->up_ms, 0, AGE_MAX_MS) &&
	       is_within(saved->begun_ms, 0, AGE_MAX_MS) &&
	       is_within(saved->found_ms, 0, AGE_MAX_MS) &&
	       (none || (saved->address.family == family &&
			 addr_is_global(&saved->address))) &&
	       (addr_is_none(&saved->inner) || saved->inner.family == family) &&
	       lists_ok(saved);
}

/* --- the next run --- */

/* 0 where the wall clock is wrong, or was then; less a second, which may be rounded up. */
static int64_t since_by_wall_ms(const struct source_saved *saved, int64_t wall_s)
{
	if (saved->wall_s < RECORD_SANE_WALL_S || wall_s <= saved->wall_s)
		return 0;
	return (wall_s - saved->wall_s - 1) * 1000;
}

static void restore_address(struct source *source, const struct source_saved *saved,
			    int64_t since_ms, int64_t now_ms)
{
	if (addr_is_none(&saved->address) ||
	    saved->found_ms >= SOURCE_MEMORY_MS - since_ms)
		return;
	source->address = saved->address;
	source->found_ms = now_ms - saved->found_ms - since_ms;
	source->sight = (struct source_sight){ .link = saved->link,
					       .inner = saved->inner };
	source->expects = true;
	source->due_ms = source->begun_ms +
			 (saved->good ? source_policy(source->kind)->interval_ms
				      : SOURCE_RETRY_MS);
	/* One that is due now is waited for. */
	source->good = saved->good && source->due_ms > now_ms;
}

void source_restore(struct source *source, const struct source_saved *saved,
		    int64_t now_ms, int64_t wall_s)
{
	int64_t by_wall_ms = since_by_wall_ms(saved, wall_s);
	int64_t since_ms = MAX(by_wall_ms, now_ms - saved->up_ms);
	bool started_since = saved->up_ms > now_ms || by_wall_ms > now_ms;

	source->begun_ms = now_ms - saved->begun_ms - since_ms;
	for (size_t i = 0; i < saved->sent_count; i++)
		source->sent_ms[i] = now_ms - saved->sent_ms[i] - since_ms;
	source->sent_count = saved->sent_count;
	for (size_t i = 0; i < saved->place_count; i++)
		source->places[i].free_ms = now_ms + saved->free_ms[i] - since_ms;
	/* Who starts us often starts the router in front too, which has a new address then. */
	if (!started_since)
		restore_address(source, saved, since_ms, now_ms);
}
