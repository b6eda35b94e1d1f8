/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The object of `hairpinctl --json status`. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hairpin/clock.h"
#include "hairpin/json.h"
#include "hairpin/log.h"
#include "hairpin/order.h"
#include "hairpin/text.h"

#include "core.h"
#include "item.h"
#include "status.h"

void status_add_address(struct json *object, const char *key, const struct addr *address)
{
	char text[ADDR_TEXT_BYTES];

	if (addr_is_none(address))
		json_add_null(object, key);
	else
		json_add_string(object, key, addr_format(address, text));
}

void status_add_foreign(struct json *object, const char *key, const char *string)
{
	char text[1024];

	json_add_string(object, key,
			text_escape(text, sizeof(text), string, strlen(string)));
}

struct json *status_format_item(const struct core *core, const struct nft_item *item)
{
	struct json *object = item_format_json(item);
	bool owned = item->target >= 0 && (size_t)item->target < core->config->wan_count;

	json_add_string(object, "wan",
			owned ? core->wans[item->target].config->name : NULL);
	json_add_bool(object, "in_step", item->in_step);
	return object;
}

static void add_time(struct json *object, const char *key, int64_t wall_s)
{
	char text[CLOCK_TEXT_BYTES];

	if (wall_s <= 0)
		json_add_null(object, key);
	else
		json_add_string(object, key, clock_format(wall_s, text));
}

/* --- WANs --- */

static void add_side(struct json *wan, const struct core_side *side)
{
	enum config_source from = discover_is_used(side) ? side->source.kind
							 : CONFIG_INTERFACE;
	const char *key = addr_family_name(side->family);
	struct json *object;

	if (addr_is_none(&side->now.address)) {
		json_add_null(wan, key);
		return;
	}
	object = json_add(wan, key, json_new_object());
	status_add_address(object, "address", &side->now.address);
	json_add_string(object, "class",
			addr_class_name(addr_classify(&side->now.address)));
	add_time(object, "since", side->now.since_wall_s);
	json_add_string(object, "source", config_source_name(from));
}

/* Families whose address is, or may have to be, found from outside. */
static void add_outside(struct json *array, const struct core_side *side, int64_t now_ms)
{
	const struct source *source = &side->source;
	int64_t next_ms = source_due_ms(source);
	struct json *object;

	if (!source_is_on(source))
		return;
	object = json_add(array, NULL, json_new_object());
	json_add_string(object, "family", addr_family_name(side->family));
	json_add_string(object, "source", config_source_name(source->kind));
	status_add_address(object, "interface_address", &side->inner);
	json_add_bool(object, "needed", source->sight.able);
	json_add_string(object, "reason", source->reason[0] ? source->reason : NULL);
	if (next_ms == INT64_MAX)
		json_add_null(object, "next_look");
	else
		add_time(object, "next_look", clock_wall_s() +
					      (MAX(next_ms - now_ms, 0) + 999) / 1000);
}

/* What IPv6 rules with "keep" and names with "ipv6_suffix" follow. */
static void add_prefix(struct json *wan_object, const struct core_wan *wan)
{
	const struct addr *prefix = &wan->prefix.now.address;
	unsigned bits = wan_prefix_bits(wan->config);
	char text[ADDR_PREFIX_TEXT_BYTES];
	struct json *object;

	if (!bits) {
		json_add_null(wan_object, "ipv6_prefix");
		return;
	}
	addr_format_prefix(prefix, bits, text);
	object = json_add(wan_object, "ipv6_prefix", json_new_object());
	json_add_string(object, "prefix", text[0] ? text : NULL);
	add_time(object, "since", text[0] ? wan->prefix.now.since_wall_s : 0);
}

static void add_reasons(struct json *rules, const struct wan_reasons *reasons)
{
	struct json *array = json_add(rules, "left_alone", json_new_array()), *object;

	for (size_t i = 0; i < reasons->count; i++) {
		object = json_add(array, NULL, json_new_object());
		json_add_string(object, "reason", reasons->list[i].reason);
		json_add_integer(object, "count", reasons->list[i].count);
	}
	if (!reasons->others)
		return;
	object = json_add(array, NULL, json_new_object());
	json_add_null(object, "reason");
	json_add_integer(object, "count", reasons->others);
}

static void add_rules(struct json *wan_object, const struct core *core,
		      const struct core_wan *wan)
{
	struct json *object = json_add(wan_object, "rules", json_new_object());
	const char *error = core->sync.error;

	json_add_integer(object, "tagged", wan->rules.tagged);
	json_add_integer(object, "in_step", wan->rules.in_step);
	json_add_integer(object, "skipped", wan->rules.skipped);
	add_time(object, "last_sync", wan->synced_wall_s);
	json_add_integer(object, "last_commit_us", wan->commit_us);
	if (error[0])
		status_add_foreign(object, "error", error);
	else
		json_add_null(object, "error");
	add_reasons(object, &wan->skipped);
}

/* The last ones first. */
static void add_former(struct json *object, const struct core_wan *wan)
{
	struct json *array = json_add(object, "former", json_new_array());
	char text[ADDR_TEXT_BYTES];

	for (size_t i = 0; i < wan->former_count; i++)
		json_add(array, NULL, json_new_string(addr_format(&wan->former[i], text)));
}

static void add_wan(struct json *array, const struct core *core,
		    const struct core_wan *wan, int64_t now_ms)
{
	struct json *object = json_add(array, NULL, json_new_object()), *outside;

	json_add_string(object, "name", wan->config->name);
	if (wan->interface[0])
		status_add_foreign(object, "interface", wan->interface);
	else
		json_add_null(object, "interface");
	json_add_bool(object, "up", wan->up);
	for (int side = 0; side < WAN_SIDES; side++)
		add_side(object, &wan->sides[side]);
	add_prefix(object, wan);
	outside = json_add(object, "outside", json_new_array());
	for (int side = 0; side < WAN_SIDES; side++)
		add_outside(outside, &wan->sides[side], now_ms);
	add_former(object, wan);
	add_rules(object, core, wan);
}

/* --- records --- */

static bool has_addresses(const struct schedule_record *of)
{
	return !addr_is_none(&of->record.wanted) || !addr_is_none(&of->record.published);
}

bool status_is_of_interest(const struct core *core, size_t index)
{
	const struct schedule_record *of = schedule_record(core->schedule, index);

	if (!of->optional || has_addresses(of) || of->partner == SCHEDULE_NO_RECORD)
		return true;
	/* Where neither family has one the name is not to vanish from the status. */
	return of->family == AF_INET &&
	       !has_addresses(schedule_record(core->schedule, (size_t)of->partner));
}

static void add_next_try(struct json *object, const struct core *core, size_t index,
			 int64_t now_ms)
{
	int64_t next_ms = schedule_next_try_ms(core->schedule, index, now_ms);

	if (next_ms == INT64_MAX) {
		json_add_null(object, "next_try");
		return;
	}
	if (pause_is_on(core))
		next_ms = MAX(next_ms, core->pause.until_ms);
	next_ms = next_ms > now_ms ? next_ms - now_ms : 0;
	add_time(object, "next_try", clock_wall_s() + (next_ms + 999) / 1000);
}

static struct json *format_record(const struct core *core, size_t index, int64_t now_ms)
{
	const struct schedule_record *of = schedule_record(core->schedule, index);
	const char *reason = schedule_reason(core->schedule, index);
	const struct record *record = &of->record;
	struct json *object = json_new_object();

	json_add_string(object, "hostname", of->hostname);
	json_add_string(object, "family", addr_family_name(of->family));
	json_add_string(object, "provider", core->config->providers[of->provider].name);
	json_add_string(object, "wan", core->wans[of->wan].config->name);
	json_add_string(object, "state", record_state_name(record->state));
	status_add_address(object, "wanted", &record->wanted);
	status_add_address(object, "published", &record->published);
	json_add_bool(object, "verified", record->verified);
	json_add_string(object, "last_answer",
			record->last_answer ? message_verdict_name(record->last_answer)
					    : NULL);
	json_add_integer(object, "attempts", record->attempts);
	add_next_try(object, core, index, now_ms);
	json_add_string(object, "reason", reason && reason[0] ? reason : NULL);
	return object;
}

/*
 * A record at a time: the tree of a thousand would be larger than their text by far.
 * False: there were more than a client reads.
 */
static bool add_records(struct text *text, const struct core *core, int64_t now_ms)
{
	bool first = true;

	for (size_t i = 0; i < schedule_count(core->schedule); i++) {
		if (!status_is_of_interest(core, i))
			continue;
		if (text->length > STATUS_TEXT_MAX)
			return false;
		text_add(text, first ? "" : ",");
		json_print_take(text, format_record(core, i, now_ms));
		first = false;
	}
	return true;
}

/* --- names --- */

static void add_side_of_name(struct json *object, const struct name_side *side,
			     const char *family)
{
	struct json *array = json_add(object, family, json_new_array());

	for (size_t i = 0; side->wanted && i < side->count; i++)
		status_add_address(array, NULL, &side->addresses[i]);
}

static struct json *format_name(const struct name *name, int64_t now_ms)
{
	int64_t wait_ms = name_due_ms(name) - now_ms;
	struct json *object = json_new_object();
	const char *reason = name_reason(name);

	json_add_string(object, "name", name->name);
	add_side_of_name(object, &name->sides[WAN_IPV4], "ipv4");
	add_side_of_name(object, &name->sides[WAN_IPV6], "ipv6");
	json_add_string(object, "state", name_state_name(name));
	add_time(object, "next_try",
		 clock_wall_s() + (wait_ms > 0 ? (wait_ms + 999) / 1000 : 0));
	json_add_string(object, "reason", reason[0] ? reason : NULL);
	return object;
}

static bool add_names(struct text *text, const struct core *core, int64_t now_ms)
{
	bool first = true;

	for (size_t i = 0; i < core->names.count; i++) {
		const struct name *name = core->names.list[i];

		if (!name_is_wanted(name))
			continue;
		if (text->length > STATUS_TEXT_MAX)
			return false;
		text_add(text, first ? "" : ",");
		json_print_take(text, format_name(name, now_ms));
		first = false;
	}
	return true;
}

/* Where it is not the configured one. */
static void add_level(struct json *head, const struct core *core)
{
	struct json *object;

	if (!core->level.is_set) {
		json_add_null(head, "log");
		return;
	}
	object = json_add(head, "log", json_new_object());
	json_add_string(object, "level", log_level_name(log_level()));
	add_time(object, "until", core->level.until_wall_s);
}

char *status_print(const struct core *core, int64_t now_ms)
{
	TEXT_CLEANUP struct text text = TEXT_INIT;
	const struct hookbook *book = &core->events.book;
	struct json *head = json_new_object(), *wans;
	bool whole;

	json_add_integer(head, "schema", 1);
	json_add_string(head, "version", HAIRPIN_VERSION);
	json_add_integer(head, "pid", getpid());
	json_add_integer(head, "uptime_s", (now_ms - core->started_ms) / 1000);
	json_add_string(head, "publisher", publisher_state_name(&core->publisher));
	add_time(head, "paused_until",
		 pause_is_on(core) ? core->pause.until_wall_s : 0);
	add_level(head, core);
	wans = json_add(head, "wans", json_new_array());
	for (size_t i = 0; i < core->config->wan_count; i++)
		add_wan(wans, core, &core->wans[i], now_ms);
	json_add(head, "hooks", hookbook_format(book));
	json_add_string(head, "hooks_reason", runner_reason(core));
	runner_format(core, head, "hooks_runner");
	json_print_take(&text, head);
	if (text.failed || text.length == 0)
		return NULL;
	/* Records and names go in before the closing brace. */
	text.bytes[--text.length] = '\0';
	text_add(&text, ",\"records\":[");
	whole = add_records(&text, core, now_ms);
	text_add(&text, "],\"names\":[");
	whole = add_names(&text, core, now_ms) && whole;
	text_add(&text, whole ? "]}" : "],\"truncated\":true}");
	return text_take(&text);
}
