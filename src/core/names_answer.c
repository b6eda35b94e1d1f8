/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the publisher says about names. It may have been taken over by whoever it talks
 * to: then it can give a name wrong addresses, but neither empty a set, nor fill it without
 * bounds, nor bring in what no host of a network has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/order.h"
#include "hairpin/record.h"
#include "hairpin/text.h"

#include "names.h"

enum { NEWS_ADDRESSES = 4 };	/* of many, so many are named */

const char *names_refuse(const struct addr *address)
{
	bool ipv4 = address->family == AF_INET;

	switch (addr_classify(address)) {
	case ADDR_NONE:
		return "none";
	case ADDR_LOOPBACK:
		return "loopback";
	case ADDR_LINK_LOCAL:
		return "link-local";
	default:
		break;
	}
	/* 0.0.0.0/8; ::/16 has IPv4 addresses in IPv6 notation and the like */
	if (address->bytes[0] == 0 && (ipv4 || address->bytes[1] == 0))
		return "unspecified";
	/* 240.0.0.0/4 with the broadcast address is as little a host's as 224.0.0.0/4 */
	if (address->bytes[0] >= (ipv4 ? 224 : 255))
		return "multicast or reserved";
	return NULL;
}

/* --- may it say that --- */

void names_insert(struct addr list[NAMES_ADDRESSES_MAX], size_t *count,
		  const struct addr *address)
{
	size_t at = *count;

	while (at > 0 && memcmp(&list[at - 1], address, sizeof(*address)) > 0)
		at--;
	if (*count == NAMES_ADDRESSES_MAX || (at > 0 && addr_equal(&list[at - 1], address)))
		return;
	memmove(&list[at + 1], &list[at], (*count - at) * sizeof(*address));
	list[at] = *address;
	(*count)++;
}

static int family_of(int which)
{
	return which == WAN_IPV4 ? AF_INET : AF_INET6;
}

static struct name *find(const struct names *names, uint32_t id, int *ret_which)
{
	for (size_t i = 0; id && i < names->count; i++)
		for (int which = 0; which < WAN_SIDES; which++)
			if (names->list[i]->sides[which].id == id) {
				*ret_which = which;
				return names->list[i];
			}
	return NULL;
}

static bool is_plausible(const struct message_result *result, int family)
{
	if (result->verdict == MESSAGE_NO_ANSWER)
		return result->address_count == 0;
	for (size_t i = 0; i < result->address_count; i++)
		if (result->addresses[i].family != family)
			return false;
	return result->verdict == MESSAGE_ANSWER;
}

bool names_may_answer(const struct names *names, const struct message_result *result)
{
	uint32_t number = result->head.number;
	const struct name_side *side;
	const struct name *name;
	int which;

	if ((result->verdict != MESSAGE_ANSWER && result->verdict != MESSAGE_NO_ANSWER) ||
	    result->record == 0 || result->record > names->last_id)
		return false;
	name = find(names, result->record, &which);
	if (!name)
		return true;		/* forgotten meanwhile */
	side = &name->sides[which];
	if (side->last_job != number)
		return true;		/* late */
	return side->job == number && is_plausible(result, family_of(which));
}

/* --- what it means --- */

static int64_t backoff_ms(unsigned failures, bool silent, uint32_t random)
{
	unsigned doublings = MIN(failures - 1, 7);
	int64_t wait_ms = MIN((int64_t)NAMES_RETRY_MS << doublings, NAMES_RETRY_MAX_MS);

	wait_ms = record_jitter_ms(wait_ms, random);
	if (!silent)
		wait_ms = MAX(wait_ms, NAMES_RETRY_NONE_MS);
	return MIN(wait_ms, NAMES_RETRY_MAX_MS);
}

static enum name_event fail(struct name_side *side, enum name_state state,
			    const char *reason, int64_t now_ms, uint32_t random)
{
	bool other = side->state != state;

	if (side->failures < 100)
		side->failures++;
	side->state = state;
	side->due_ms = now_ms + backoff_ms(side->failures, state == NAME_SILENT, random);
	(void)text_copy(side->reason, sizeof(side->reason), reason);
	return other && fault_comes(&side->failing, now_ms) ? NAME_FAILED : NAME_NOTHING;
}

/* The addresses a set may hold, ascending and each once; why one is left out. */
static size_t usable(const struct message_result *result,
		     struct addr out[NAMES_ADDRESSES_MAX], char why[MESSAGE_TEXT_BYTES])
{
	char text[ADDR_TEXT_BYTES];
	size_t count = 0;

	for (size_t i = 0; i < result->address_count; i++) {
		const struct addr *address = &result->addresses[i];
		const char *refused = names_refuse(address);

		if (refused) {
			snprintf(why, MESSAGE_TEXT_BYTES, "%s is %s, no set gets it",
				 addr_format(address, text), refused);
			continue;
		}
		names_insert(out, &count, address);
	}
	return count;
}

/* --- what changed, for people --- */

static bool holds(const struct addr *addresses, size_t count, const struct addr *address)
{
	for (size_t i = 0; i < count; i++)
		if (addr_equal(&addresses[i], address))
			return true;
	return false;
}

/* "192.0.2.4, 192.0.2.5" of those that the others have not; how many. */
static size_t add_missing(struct text *text, const struct addr *addresses, size_t count,
			  const struct addr *others, size_t other_count)
{
	char shown[ADDR_TEXT_BYTES];
	size_t missing = 0;

	for (size_t i = 0; i < count; i++) {
		if (holds(others, other_count, &addresses[i]))
			continue;
		if (missing++ < NEWS_ADDRESSES)
			text_addf(text, "%s%s", missing > 1 ? ", " : "",
				  addr_format(&addresses[i], shown));
	}
	if (missing > NEWS_ADDRESSES)
		text_addf(text, " and %zu more", missing - NEWS_ADDRESSES);
	return missing;
}

static char *describe(const struct name_side *old, const struct addr *now, size_t count)
{
	TEXT_CLEANUP struct text came = TEXT_INIT;
	TEXT_CLEANUP struct text went = TEXT_INIT;
	size_t new = add_missing(&came, now, count, old->addresses, old->count);
	size_t gone = add_missing(&went, old->addresses, old->count, now, count);

	if (new && gone)
		text_addf(&came, " replace%s %s", new == 1 ? "s" : "", went.bytes);
	else if (new && old->count)
		text_add(&came, " added");
	else if (gone)
		text_addf(&came, "%s gone", went.bytes);
	return text_take(&came);
}

static bool is_same(const struct name_side *side, const struct addr *now, size_t count)
{
	return side->count == count &&
	       memcmp(side->addresses, now, count * sizeof(*now)) == 0;
}

static enum name_event take(struct name_side *side, const struct addr *now, size_t count,
			    uint32_t ttl_s, int64_t now_ms)
{
	bool had_failed = side->state != NAME_CURRENT && side->state != NAME_UNKNOWN;
	int64_t ttl_ms = MIN((int64_t)ttl_s * 1000, NAMES_TTL_MAX_MS);

	side->state = NAME_CURRENT;
	side->failures = 0;
	side->due_ms = now_ms + MAX(ttl_ms, NAMES_TTL_MIN_MS);
	if (is_same(side, now, count))
		return had_failed && fault_goes(&side->failing) ? NAME_RETURNED
								: NAME_NOTHING;
	free(side->news);
	side->news = NULL;
	if (fault_comes(&side->restless, now_ms))
		side->news = describe(side, now, count);
	memset(side->addresses, 0, sizeof(side->addresses));
	memcpy(side->addresses, now, count * sizeof(*now));
	side->count = count;
	return NAME_CHANGED;
}

static enum name_event side_answer(struct name_side *side,
				   const struct message_result *result, int64_t now_ms,
				   uint32_t random)
{
	struct addr now[NAMES_ADDRESSES_MAX];
	char why[MESSAGE_TEXT_BYTES] = "";
	size_t count;

	if (result->verdict == MESSAGE_NO_ANSWER)
		return fail(side, NAME_SILENT, result->text[0] ? result->text : "no answer",
			    now_ms, random);
	if (result->address_count == 0)
		return fail(side, NAME_ABSENT,
			    result->text[0] ? result->text : "has no such address", now_ms,
			    random);
	count = usable(result, now, why);
	if (count == 0)
		return fail(side, NAME_UNUSABLE, why, now_ms, random);
	(void)text_copy(side->reason, sizeof(side->reason), why[0] ? why : result->text);
	return take(side, now, count, result->ttl_s, now_ms);
}

struct name_report names_answer(struct names *names, const struct message_result *result,
				int64_t now_ms, uint32_t random)
{
	struct name_report report = { .event = NAME_NOTHING };
	struct name *name = find(names, result->record, &report.side);
	struct name_side *side = name ? &name->sides[report.side] : NULL;

	if (!side || side->job == 0 || side->job != result->head.number)
		return report;
	side->job = 0;
	report.name = name;
	report.event = side_answer(side, result, now_ms, random);
	if (!side->wanted)		/* kept, but of no interest just now */
		report.event = NAME_NOTHING;
	return report;
}
