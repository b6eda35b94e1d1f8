/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which names are wanted, and when they are asked for; names_answer.c takes answers. */
#include "names.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/order.h"
#include "hairpin/text.h"

bool name_is_wanted(const struct name *name)
{
	return name->sides[WAN_IPV4].wanted || name->sides[WAN_IPV6].wanted;
}

static bool is_seen(const struct name *name)
{
	return name->sides[WAN_IPV4].seen || name->sides[WAN_IPV6].seen;
}

static void name_free(struct name *name)
{
	for (int side = 0; side < WAN_SIDES; side++)
		free(name->sides[side].news);
	free(name);
}

void names_done(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		name_free(names->list[i]);
	names->count = 0;
}

/* --- which are wanted --- */

/* Things of one name follow each other, as a rule: the last one first. */
static struct name *find(struct names *names, const char *string)
{
	for (size_t i = 0; i < names->count; i++) {
		size_t at = (names->last + i) % names->count;

		if (strcmp(names->list[at]->name, string) != 0)
			continue;
		names->last = at;
		return names->list[at];
	}
	return NULL;
}

static struct name *add(struct names *names, const char *string)
{
	struct name *name;

	if (names->count == NAMES_ROOM)
		return NULL;
	name = calloc(1, sizeof(*name));
	if (!name)
		return NULL;
	(void)text_copy(name->name, sizeof(name->name), string);
	names->last = names->count;
	names->list[names->count++] = name;
	return name;
}

void names_look(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		for (int side = 0; side < WAN_SIDES; side++)
			names->list[i]->sides[side].seen = 0;
	names->seen = 0;
	names->too_many = false;
}

void names_want(struct names *names, const char *string, int family)
{
	struct name *name;

	if ((family != AF_INET && family != AF_INET6) || !message_is_name(string))
		return;
	name = find(names, string);
	if (!(name && is_seen(name)) && names->seen == NAMES_MAX) {
		names->too_many = true;
		return;
	}
	if (!name)
		name = add(names, string);
	if (!name)
		return;
	names->seen += !is_seen(name);
	name->sides[wan_side_of(family)].seen++;
}

static void side_set_wanted(struct name_side *side, bool wanted)
{
	side->things = side->seen;
	side->wanted = wanted;
	if (wanted)
		return;
	free(side->news);
	side->news = NULL;
}

static void name_set_wanted(struct name *name, int64_t now_ms)
{
	bool was_wanted = name_is_wanted(name);

	for (int side = 0; side < WAN_SIDES; side++)
		side_set_wanted(&name->sides[side], name->sides[side].seen > 0);
	if (was_wanted && !name_is_wanted(name))
		name->unwanted_ms = now_ms;
}

static bool is_worth_keeping(const struct name *name, int64_t now_ms)
{
	return name->sides[WAN_IPV4].count + name->sides[WAN_IPV6].count > 0 &&
	       now_ms - name->unwanted_ms < NAMES_KEPT_MS;
}

/* The newest of those that nobody wants stay, for the case that somebody does again. */
static void forget(struct names *names, int64_t now_ms)
{
	size_t kept = 0, unwanted = 0;

	for (size_t i = 0; i < names->count; i++)
		unwanted += !name_is_wanted(names->list[i]);
	for (size_t i = 0; i < names->count; i++) {
		struct name *name = names->list[i];

		if (name_is_wanted(name) ||
		    (unwanted <= NAMES_MAX && is_worth_keeping(name, now_ms))) {
			names->list[kept++] = name;
			continue;
		}
		name_free(name);
		unwanted--;
	}
	names->count = kept;
	names->last = 0;
}

bool names_looked(struct names *names, int64_t now_ms)
{
	bool say = names->too_many && !names->too_many_said;

	names->too_many_said = names->too_many;
	for (size_t i = 0; i < names->count; i++)
		name_set_wanted(names->list[i], now_ms);
	forget(names, now_ms);
	return say;
}

void names_drop(struct names *names, int64_t now_ms)
{
	names_look(names);
	(void)names_looked(names, now_ms);
}

size_t names_view(struct names *names, const struct nft_name **ret_views)
{
	size_t count = 0;

	for (size_t i = 0; i < names->count; i++) {
		struct name *name = names->list[i];
		size_t of_both = 0;

		for (int side = 0; side < WAN_SIDES; side++) {
			const struct name_side *from = &name->sides[side];

			memcpy(&name->addresses[of_both], from->addresses,
			       from->count * sizeof(from->addresses[0]));
			of_both += from->count;
		}
		if (of_both > 0)
			names->views[count++] = (struct nft_name){
				name->name, name->addresses, of_both };
	}
	*ret_views = names->views;
	return count;
}

bool names_restore(struct names *names, const char *string, const struct addr *addresses,
		   size_t count, int64_t now_ms)
{
	struct name *name;

	if (!message_is_name(string) || strlen(string) >= MESSAGE_HOSTNAME_BYTES ||
	    find(names, string) || names->count >= NAMES_MAX)
		return false;
	name = add(names, string);
	if (!name)
		return false;
	name->unwanted_ms = now_ms;
	for (size_t i = 0; i < count; i++) {
		struct name_side *side;

		if (names_refuse(&addresses[i]))
			continue;
		side = &name->sides[wan_side_of(addresses[i].family)];
		names_insert(side->addresses, &side->count, &addresses[i]);
	}
	return true;
}

/* --- questions --- */

size_t names_in_flight(const struct names *names)
{
	size_t count = 0;

	for (size_t i = 0; i < names->count; i++)
		for (int side = 0; side < WAN_SIDES; side++)
			count += names->list[i]->sides[side].job != 0;
	return count;
}

bool names_are_overdue(const struct names *names, int64_t now_ms)
{
	for (size_t i = 0; i < names->count; i++)
		for (int which = 0; which < WAN_SIDES; which++) {
			const struct name_side *side = &names->list[i]->sides[which];

			if (side->job != 0 && side->until_ms <= now_ms)
				return true;
		}
	return false;
}

/* When something is to be done for it. */
static int64_t side_due_ms(const struct name_side *side)
{
	if (side->job)
		return side->until_ms;
	return side->wanted ? side->due_ms : INT64_MAX;
}

int64_t names_due_ms(const struct names *names)
{
	bool full = names_in_flight(names) >= NAMES_AT_ONCE;
	int64_t due_ms = INT64_MAX;

	for (size_t i = 0; i < names->count; i++)
		for (int which = 0; which < WAN_SIDES; which++) {
			const struct name_side *side = &names->list[i]->sides[which];

			if (side->job || !full)
				due_ms = MIN(due_ms, side_due_ms(side));
		}
	return due_ms;
}

static void side_ask(struct names *names, struct name_side *side, int64_t now_ms)
{
	if (side->id == 0)
		side->id = ++names->last_id;
	side->job = side->last_job = names->last_job | NAMES_JOB;
	side->asked_ms = now_ms;
	side->until_ms = now_ms + NAMES_JOB_MS + NAMES_JOB_SLACK_MS;
}

static void name_ask(struct names *names, struct name *name, int64_t now_ms,
		     struct names_job *job)
{
	for (int which = 0; which < WAN_SIDES; which++) {
		struct name_side *side = &name->sides[which];

		if (side_due_ms(side) > now_ms || job->count == MESSAGE_RECORDS_MAX)
			continue;
		if (!side->wanted) {
			side->job = 0;	/* never answered, and nobody minds */
			continue;
		}
		side_ask(names, side, now_ms);
		job->questions[job->count].id = side->id;
		job->questions[job->count].family =
			which == WAN_IPV4 ? AF_INET : AF_INET6;
		job->questions[job->count++].name = name->name;
	}
}

bool names_next(struct names *names, int64_t now_ms, struct names_job *ret_job)
{
	struct names_job job = { .count = 0 };

	if (names_due_ms(names) > now_ms)
		return false;
	names->last_job = (names->last_job + 1) & ~NAMES_JOB;
	job.number = names->last_job | NAMES_JOB;
	for (size_t i = 0; i < names->count; i++)
		name_ask(names, names->list[i], now_ms, &job);
	*ret_job = job;
	return job.count > 0;
}

static void lose(struct names *names, uint32_t number, int64_t now_ms)
{
	for (size_t i = 0; i < names->count; i++)
		for (int which = 0; which < WAN_SIDES; which++) {
			struct name_side *side = &names->list[i]->sides[which];

			if (!side->job || (number && side->job != number))
				continue;
			side->job = 0;
			side->due_ms = now_ms;
		}
}

void names_lost(struct names *names, int64_t now_ms)
{
	lose(names, 0, now_ms);
}

void names_unsent(struct names *names, uint32_t number, int64_t now_ms)
{
	lose(names, number, now_ms);
}

static bool has_failed(const struct name_side *side)
{
	return side->wanted && side->state != NAME_CURRENT && side->state != NAME_UNKNOWN;
}

void names_network(struct names *names, int64_t now_ms)
{
	for (size_t i = 0; i < names->count; i++)
		for (int which = 0; which < WAN_SIDES; which++) {
			struct name_side *side = &names->list[i]->sides[which];
			int64_t soon_ms = MAX(now_ms, side->asked_ms + NAMES_NETWORK_MS);

			if (!has_failed(side))
				continue;
			side->failures = 0;
			side->due_ms = MIN(side->due_ms, soon_ms);
		}
}

bool names_lack_resolver(const struct names *names)
{
	bool silent = false;

	for (size_t i = 0; i < names->count; i++)
		for (int which = 0; which < WAN_SIDES; which++) {
			const struct name_side *side = &names->list[i]->sides[which];

			if (!side->wanted || side->state == NAME_UNKNOWN)
				continue;
			if (side->state != NAME_SILENT)
				return false;
			silent = true;
		}
	return silent;
}

/* --- how it stands --- */

/* It has no address of this family, but it is there with the other one. */
static bool is_one_sided(const struct name *name, int which)
{
	const struct name_side *side = &name->sides[which];
	const struct name_side *other = &name->sides[WAN_SIDES - 1 - which];

	return side->state == NAME_ABSENT && side->count == 0 && other->wanted &&
	       other->state == NAME_CURRENT;
}

const char *name_state_name(const struct name *name)
{
	bool stale = false;

	for (int which = 0; which < WAN_SIDES; which++) {
		const struct name_side *side = &name->sides[which];

		if (!side->wanted || side->state == NAME_CURRENT ||
		    is_one_sided(name, which))
			continue;
		if (side->count == 0)
			return "waiting";
		stale = true;
	}
	return stale ? "stale" : "current";
}

const char *name_reason(const struct name *name)
{
	for (int which = 0; which < WAN_SIDES; which++)
		if (name->sides[which].wanted && name->sides[which].reason[0])
			return name->sides[which].reason;
	return "";
}

int64_t name_due_ms(const struct name *name)
{
	int64_t due_ms = INT64_MAX;

	for (int which = 0; which < WAN_SIDES; which++)
		if (name->sides[which].wanted)
			due_ms = MIN(due_ms, name->sides[which].due_ms);
	return due_ms;
}

bool names_are_settled(const struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		for (int which = 0; which < WAN_SIDES; which++) {
			const struct name_side *side = &names->list[i]->sides[which];

			if (side->wanted && (side->job || side->state == NAME_UNKNOWN ||
					     side->state == NAME_SILENT))
				return false;
		}
	return true;
}
