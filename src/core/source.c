/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When an address from outside is asked for; source_answer.c takes answers. */
#include "source.h"

#include <string.h>

#include "hairpin/order.h"

#include "late.h"
#include "source_parts.h"

enum {
	MINUTE_MS = 60 * 1000,
	BUDGET_MS = 60 * MINUTE_MS + LATE_MS,	/* an hour of it */
};

/*
 * Of web services a look every ten minutes is what their users were always asked for. The
 * router in front is the user's own, but its answer is no news for most of the day.
 */
const struct source_policy *source_policy(enum config_source kind)
{
	static const struct source_policy
		http = { 10 * MINUTE_MS, 10 * MINUTE_MS, 8, 20000 },
		dns = { 5 * MINUTE_MS, 5 * MINUTE_MS, 16, 15000 },
		command = { 5 * MINUTE_MS, MINUTE_MS, 20, 610000 },
		router = { 2 * MINUTE_MS, 5000, SOURCE_HOUR_MAX, 15000 };

	switch (kind) {
	case CONFIG_DNS:
		return &dns;
	case CONFIG_COMMAND:
		return &command;
	case CONFIG_PCP:
	case CONFIG_UPNP:
		return &router;
	default:
		return &http;
	}
}

void source_init(struct source *source, int family, enum config_source kind,
		 const struct config_outside *outside)
{
	*source = (struct source){ .family = family, .kind = kind, .outside = outside };
}

static bool is_same(const struct source *source, enum config_source kind,
		    const struct config_outside *outside)
{
	if (source->kind != kind || !source->outside || !outside)
		return false;
	/* NOLINTNEXTLINE(*-comparison,cert-*): padding asks once more at worst */
	return memcmp(source->outside, outside, sizeof(*outside)) == 0;
}

void source_set(struct source *source, enum config_source kind,
		const struct config_outside *outside)
{
	struct source old = *source;

	if (is_same(&old, kind, outside)) {
		source->outside = outside;
		return;
	}
	source_init(source, old.family, kind, outside);
	if (!source_is_on(source))
		return;
	source->address = old.address;
	source->found_ms = old.found_ms;
}

/* --- events --- */

void source_network(struct source *source, int64_t now_ms)
{
	source->failures = 0;
	source->again = source->looking;
	source->due_ms = MIN(source->due_ms, MAX(now_ms, source->begun_ms +
							 SOURCE_NETWORK_MS));
}

/* The first look at the links since the start: does the last run's address hold there? */
static void compare_memory(struct source *source, const struct source_sight *sight)
{
	source->expects = false;
	source->recalled = sight->able && source->sight.link == sight->link &&
			   addr_equal(&source->sight.inner, &sight->inner);
	source->sight.able = source->recalled;
	if (source->recalled)
		return;
	source->address = (struct addr){ 0 };
	source->good = false;
}

void source_observe(struct source *source, const struct source_sight *sight,
		    int64_t now_ms)
{
	const struct source_sight *was = &source->sight;

	if (source->expects)
		compare_memory(source, sight);
	if (was->able == sight->able && was->link == sight->link &&
	    addr_equal(&was->inner, &sight->inner))
		return;
	source->sight = *sight;
	source_give_up(source);		/* it went by what is no more */
	if (sight->able)
		source_network(source, now_ms);
}

/* --- questions --- */

size_t source_place_count(const struct source *source)
{
	return source->outside && source->outside->place_count
	       ? source->outside->place_count : 1;
}

unsigned source_agree(const struct source *source)
{
	return source->outside && source->outside->agree ? source->outside->agree : 1;
}

size_t source_in_flight(const struct source *source)
{
	return source_count(source, SOURCE_ASKED);
}

/* When the budget has room for one more. */
static int64_t budget_ms(const struct source *source)
{
	size_t per_hour = source_policy(source->kind)->per_hour;

	if (source->sent_count < per_hour)
		return INT64_MIN;
	return source->sent_ms[source->sent_count - per_hour] + BUDGET_MS;
}

static void budget_spend(struct source *source, int64_t now_ms)
{
	size_t old = 0;

	while (old < source->sent_count && source->sent_ms[old] + BUDGET_MS <= now_ms)
		old++;
	if (source->sent_count - old == SOURCE_HOUR_MAX)
		old++;
	source->sent_count -= old;
	memmove(source->sent_ms, source->sent_ms + old,
		source->sent_count * sizeof(source->sent_ms[0]));
	source->sent_ms[source->sent_count++] = now_ms;
}

void source_refund(struct source *source, struct source_place *place)
{
	for (size_t i = source->sent_count; i > 0; i--) {
		if (source->sent_ms[i - 1] != place->asked_ms)
			continue;
		source->sent_count--;
		memmove(&source->sent_ms[i - 1], &source->sent_ms[i],
			(source->sent_count - (i - 1)) * sizeof(source->sent_ms[0]));
		break;
	}
	place->free_ms = place->asked_ms;
}

/*
 * The place to be asked next: the one that is free the soonest, so they take turns. NULL:
 * all were asked in this look, or as many as a look may ask.
 */
static struct source_place *next_place(const struct source *source)
{
	size_t count = source_place_count(source);
	const struct source_place *best = NULL;

	if (source->looking &&
	    count - source_count(source, SOURCE_UNASKED) > source_agree(source))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const struct source_place *place = &source->places[i];

		if (source->looking && place->said != SOURCE_UNASKED)
			continue;
		if (!best || place->free_ms < best->free_ms)
			best = place;
	}
	return (struct source_place *)best;
}

/* When it can be asked; INT64_MAX: there is none. */
static int64_t next_place_ms(const struct source *source)
{
	const struct source_place *place = next_place(source);

	return place ? MAX(place->free_ms, budget_ms(source)) : INT64_MAX;
}

bool source_can_go_on(const struct source *source, int64_t now_ms)
{
	return next_place_ms(source) <= now_ms;
}

/* How many more answers the look needs, if all say the same. */
static size_t wanted(const struct source *source)
{
	size_t best = source_votes(source, NULL);

	if (best == 0 && !addr_is_none(&source->address))
		return 1;
	return source_agree(source) > best ? source_agree(source) - best : 0;
}

static void begin(struct source *source, int64_t now_ms)
{
	source->looking = true;
	source->begun_ms = now_ms;
	for (size_t i = 0; i < CONFIG_PLACES_MAX; i++) {
		source->places[i].said = SOURCE_UNASKED;
		source->places[i].job = 0;
	}
}

bool source_next(struct source *source, int64_t now_ms, uint32_t number,
		 struct source_question *ret_question)
{
	const struct source_policy *policy = source_policy(source->kind);
	struct source_place *place;

	if (source_due_ms(source) > now_ms)
		return false;
	if (!source->looking)
		begin(source, now_ms);
	if (source_in_flight(source) >= wanted(source) ||
	    !source_can_go_on(source, now_ms))
		return false;
	place = next_place(source);
	place->said = SOURCE_ASKED;
	place->job = number;
	place->asked_ms = now_ms;
	place->until_ms = now_ms + policy->job_ms + SOURCE_JOB_SLACK_MS;
	place->free_ms = now_ms + policy->spacing_ms;
	budget_spend(source, now_ms);
	ret_question->number = number;
	ret_question->place = (size_t)(place - source->places);
	return true;
}

int64_t source_due_ms(const struct source *source)
{
	if (!source_is_on(source) || !source->sight.able)
		return INT64_MAX;
	if (!source->looking)
		return MAX(source->due_ms, next_place_ms(source));
	return source_in_flight(source) < wanted(source) ? next_place_ms(source)
							 : INT64_MAX;
}

int64_t source_expiry_ms(const struct source *source)
{
	int64_t first_ms = INT64_MAX;

	for (size_t i = 0; i < CONFIG_PLACES_MAX; i++)
		if (source->places[i].said == SOURCE_ASKED)
			first_ms = MIN(first_ms, source->places[i].until_ms);
	return first_ms;
}
