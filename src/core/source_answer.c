/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of answers. Whoever gives one may lie, and so may a publisher that was taken
 * over: that can bring a wrong public address, but neither an empty nor a private one, and
 * no more questions than the policy says.
 */
#include <stdio.h>
#include <string.h>

#include "hairpin/order.h"
#include "hairpin/record.h"
#include "hairpin/text.h"

#include "source_parts.h"

size_t source_count(const struct source *source, enum source_said said)
{
	size_t of = source_place_count(source), count = 0;

	for (size_t i = 0; i < of; i++)
		count += source->places[i].said == said;
	return count;
}

static size_t votes_for(const struct source *source, const struct addr *address)
{
	size_t count = 0;

	for (size_t i = 0; i < CONFIG_PLACES_MAX; i++)
		count += source->places[i].said == SOURCE_SAID &&
			 addr_equal(&source->places[i].address, address);
	return count;
}

size_t source_votes(const struct source *source, struct addr *ret_best)
{
	size_t best = 0;

	for (size_t i = 0; i < CONFIG_PLACES_MAX; i++) {
		const struct source_place *place = &source->places[i];
		size_t votes = place->said == SOURCE_SAID
			       ? votes_for(source, &place->address) : 0;

		if (votes > best && ret_best)
			*ret_best = place->address;
		best = MAX(best, votes);
	}
	return best;
}

void source_give_up(struct source *source)
{
	source->looking = false;
	for (size_t i = 0; i < CONFIG_PLACES_MAX; i++)
		if (source->places[i].said == SOURCE_ASKED)
			source->places[i].said = SOURCE_UNASKED;
}

/* --- may it say that --- */

bool source_may_answer(int family, const struct message_result *result)
{
	switch (result->verdict) {
	case MESSAGE_ANSWER:
		return result->address_count == 1 &&
		       result->addresses[0].family == family;
	case MESSAGE_NO_ANSWER:
	case MESSAGE_TRANSIENT:
	case MESSAGE_RATE_LIMITED:
	case MESSAGE_UNREACHABLE:
	case MESSAGE_TLS_REFUSED:
		return result->address_count == 0;
	default:
		return false;
	}
}

/* --- the end of a look --- */

static enum source_event look_succeeds(struct source *source, const struct addr *address,
				       int64_t now_ms)
{
	bool had_failed = !source->good && source->failures > 0;
	bool same = addr_equal(&source->address, address);

	source_give_up(source);
	source->address = *address;
	source->found_ms = now_ms;
	source->recalled = false;
	source->good = true;
	source->failures = 0;
	source->reason[0] = '\0';
	source->due_ms = now_ms + (source->again
				   ? SOURCE_NETWORK_MS
				   : source_policy(source->kind)->interval_ms);
	source->again = false;
	if (!same)
		return SOURCE_FOUND;
	return had_failed ? SOURCE_RETURNED : SOURCE_NOTHING;
}

/* The host that is asked, or what kind of source it is. */
static const char *place_name(const struct source *source, size_t place,
			      char out[CONFIG_URL_BYTES])
{
	const char *where, *host;

	if (!source->outside || place >= source->outside->place_count)
		return config_source_name(source->kind);
	where = source->outside->places[place].where;
	host = strstr(where, "://");
	host = host ? host + 3 : where;
	snprintf(out, CONFIG_URL_BYTES, "%.*s", (int)strcspn(host, "/?#"), host);
	return out;
}

static void explain_disagreement(struct source *source)
{
	TEXT_CLEANUP struct text text = TEXT_INIT;
	char name[CONFIG_URL_BYTES], shown[ADDR_TEXT_BYTES];

	for (size_t i = 0; i < CONFIG_PLACES_MAX; i++)
		if (source->places[i].said == SOURCE_SAID)
			text_addf(&text, "%s%s says %s", text.length ? ", " : "",
				  place_name(source, i, name),
				  addr_format(&source->places[i].address, shown));
	text_escape(source->reason, sizeof(source->reason), text.bytes, text.length);
}

static enum source_event look_fails(struct source *source, int64_t now_ms,
				    uint32_t random)
{
	int64_t wait_ms = SOURCE_RETRY_MS << MIN(source->failures, 6);

	if (source_count(source, SOURCE_SAID) > 1)
		explain_disagreement(source);
	source_give_up(source);
	source->good = false;
	source->failures++;
	wait_ms = record_jitter_ms(MIN(wait_ms, SOURCE_RETRY_MAX_MS), random);
	source->due_ms = now_ms + wait_ms;
	return SOURCE_BROKEN;
}

static enum source_event judge(struct source *source, int64_t now_ms, uint32_t random)
{
	const struct addr held = source->address;
	struct addr best = { 0 };
	size_t votes = source_votes(source, &best);

	if (votes >= source_agree(source))
		return look_succeeds(source, &best, now_ms);
	if (!addr_is_none(&held) && votes_for(source, &held) > 0 &&
	    votes_for(source, &held) == source_count(source, SOURCE_SAID))
		return look_succeeds(source, &held, now_ms);
	if (source_in_flight(source) > 0 || source_can_go_on(source, now_ms))
		return SOURCE_NOTHING;
	return look_fails(source, now_ms, random);
}

/* --- answers --- */

static void place_fails(struct source *source, size_t place, const char *why)
{
	char name[CONFIG_URL_BYTES], shown[2 * MESSAGE_TEXT_BYTES];

	source->places[place].said = SOURCE_FAILED;
	snprintf(shown, sizeof(shown), "%s %s", place_name(source, place, name), why);
	/* `why` is printable already; what is too long is cut between characters. */
	if (!text_copy(source->reason, sizeof(source->reason), shown))
		text_escape(source->reason, sizeof(source->reason), shown, strlen(shown));
}

static void place_says(struct source *source, size_t index, const struct addr *address)
{
	enum addr_class class = addr_classify(address);
	char why[ADDR_TEXT_BYTES + 64], text[ADDR_TEXT_BYTES];

	if (class == ADDR_GLOBAL) {
		source->places[index].said = SOURCE_SAID;
		source->places[index].address = *address;
		return;
	}
	snprintf(why, sizeof(why), "says %s, which is not public (%s)",
		 addr_format(address, text), addr_class_name(class));
	place_fails(source, index, why);
}

enum source_event source_answer(struct source *source,
				const struct message_result *result, int64_t now_ms,
				uint32_t random)
{
	struct source_place *place;
	size_t index = 0;

	while (index < CONFIG_PLACES_MAX &&
	       (source->places[index].said != SOURCE_ASKED ||
		source->places[index].job != result->head.number))
		index++;
	if (index == CONFIG_PLACES_MAX)
		return SOURCE_NOTHING;
	place = &source->places[index];
	source->losses = 0;
	if (result->verdict == MESSAGE_ANSWER)
		place_says(source, index, &result->addresses[0]);
	else
		place_fails(source, index, result->text[0] ? result->text
							   : "does not answer");
	if (result->verdict == MESSAGE_UNREACHABLE)
		source_refund(source, place);
	place->free_ms = MAX(place->free_ms,
			     now_ms + (int64_t)result->retry_after_s * 1000);
	return judge(source, now_ms, random);
}

bool source_is_asked(const struct source *source, uint32_t number)
{
	for (size_t i = 0; i < CONFIG_PLACES_MAX; i++)
		if (source->places[i].said == SOURCE_ASKED &&
		    source->places[i].job == number)
			return true;
	return false;
}

enum source_event source_expire(struct source *source, int64_t now_ms, uint32_t random)
{
	bool any = false;

	for (size_t i = 0; i < CONFIG_PLACES_MAX; i++) {
		struct source_place *place = &source->places[i];

		if (place->said != SOURCE_ASKED || place->until_ms > now_ms)
			continue;
		place_fails(source, i, "does not answer in time");
		any = true;
	}
	return any ? judge(source, now_ms, random) : SOURCE_NOTHING;
}

/*
 * A publisher that leaves just when it gets a question asked nobody; one that dies of
 * every answer did.
 */
void source_lost(struct source *source, uint32_t number)
{
	for (size_t i = 0; i < CONFIG_PLACES_MAX; i++) {
		struct source_place *place = &source->places[i];

		if (place->said != SOURCE_ASKED || (number && place->job != number))
			continue;
		place->said = SOURCE_UNASKED;
		if (number || source->losses++ < SOURCE_LOSSES_MAX)
			source_refund(source, place);
	}
}

bool source_is_settled(const struct source *source)
{
	return !source_is_on(source) || !source->sight.able ||
	       (source->good && !source->looking);
}
