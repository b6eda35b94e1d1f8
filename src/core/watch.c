/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "watch.h"

#include <stdlib.h>
#include <string.h>

#include "hairpin/clock.h"
#include "hairpin/json.h"

#include "control.h"
#include "core.h"
#include "status.h"

static struct json *watch_new(const char *event)
{
	struct json *object = json_new_object();
	char time[CLOCK_TEXT_BYTES];

	json_add_string(object, "event", event);
	json_add_string(object, "time", clock_format(clock_wall_s(), time));
	return object;
}

/* Frees it. */
static void watch_say(struct core *core, struct json *take)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;

	json_print_take(&line, take);
	text_add_char(&line, '\n');
	control_tell(core->control, line.failed ? NULL : line.bytes, line.length);
}

/* --- the beginning --- */

static uint64_t generation_of(const struct core *core)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < core->config->wan_count; i++)
		for (int side = 0; side < WAN_SIDES; side++)
			sum += core->wans[i].sides[side].now.generation;
	return sum;
}

static uint16_t links_up(const struct core *core)
{
	uint16_t up = 0;

	for (size_t i = 0; i < core->config->wan_count; i++)
		up |= (uint16_t)(core->wans[i].up << i);
	return up;
}

/* From here on only what changes is told. */
static void watch_settle(struct core *core)
{
	core->watch.publisher = publisher_state_name(&core->publisher);
	core->watch.up = links_up(core);
	for (size_t i = 0; i < schedule_count(core->schedule); i++) {
		struct schedule_record *of = schedule_record(core->schedule, i);

		of->told = of->record.state;
	}
}

void watch_hello(struct core *core, struct text *out)
{
	struct json *object = watch_new("hello");

	json_add_string(object, "version", HAIRPIN_VERSION);
	json_add_integer(object, "generation", (int64_t)generation_of(core));
	json_print_take(out, object);
	watch_settle(core);
}

void watch_lagged(struct text *out, uint64_t lost)
{
	struct json *object = watch_new("lagged");

	json_add_integer(object, "lost", (int64_t)lost);
	json_print_take(out, object);
	text_add_char(out, '\n');
}

/* --- addresses --- */

static struct json *watch_of_wan(const char *event, const struct core_wan *wan)
{
	struct json *object = watch_new(event);

	json_add_string(object, "wan", wan->config->name);
	if (wan->interface[0])
		status_add_foreign(object, "interface", wan->interface);
	else
		json_add_null(object, "interface");
	return object;
}

static void add_rules(struct json *object, unsigned changed,
		      const struct nft_report *report)
{
	json_add_integer(object, "rules", changed);
	json_add_integer(object, "commit_us", changed && report ? report->commit_us : 0);
}

static void watch_address(struct core *core, const struct look_change *change,
			  const struct nft_report *report)
{
	const struct core_wan *wan = &core->wans[change->wan];
	const struct core_side *side = &wan->sides[change->side];
	bool lost = change->event == WAN_LOST;
	struct json *object = watch_of_wan(lost ? "lost" : "address", wan);

	json_add_string(object, "family", addr_family_name(side->family));
	status_add_address(object, "old", &change->former);
	status_add_address(object, "new", &side->now.address);
	add_rules(object, report ? report->of[change->wan].changed : 0, report);
	json_add_integer(object, "generation", (int64_t)side->now.generation);
	watch_say(core, object);
}

void watch_addresses(struct core *core, const struct look *look,
		     const struct nft_report *report)
{
	for (size_t i = 0; control_is_watched(core->control) && i < look->count; i++)
		watch_address(core, &look->changes[i], report);
}

static void add_prefix(struct json *object, const char *key, const struct addr *prefix,
		       unsigned bits)
{
	char text[ADDR_PREFIX_TEXT_BYTES];

	addr_format_prefix(prefix, bits, text);
	json_add_string(object, key, text[0] ? text : NULL);
}

static void watch_prefix(struct core *core, const struct look_change *change,
			 const struct nft_report *report)
{
	const struct core_wan *wan = &core->wans[change->wan];
	unsigned bits = wan_prefix_bits(wan->config);
	struct json *object = watch_of_wan("prefix", wan);

	add_prefix(object, "old", &change->former, bits);
	add_prefix(object, "new", &wan->prefix.now.address, bits);
	add_rules(object, report ? report->of[change->wan].changed : 0, report);
	watch_say(core, object);
}

void watch_prefixes(struct core *core, const struct look *look,
		    const struct nft_report *report)
{
	for (size_t i = 0; control_is_watched(core->control) && i < look->prefix_count;
	     i++)
		watch_prefix(core, &look->prefixes[i], report);
}

/* --- rules --- */

void watch_rules(struct core *core, const char *wan, unsigned changed,
		 const char *reason, const struct nft_report *report)
{
	struct json *object;

	if (!control_is_watched(core->control))
		return;
	object = watch_new("rules");
	json_add_string(object, "wan", wan);
	add_rules(object, changed, report);
	json_add_string(object, "reason", reason);
	watch_say(core, object);
}

void watch_rules_fault(struct core *core, const char *error)
{
	struct json *object;

	if (!control_is_watched(core->control))
		return;
	object = watch_new("rules");
	json_add_null(object, "wan");
	add_rules(object, 0, NULL);
	json_add_string(object, "reason", error ? "not in step" : "in step again");
	if (error)
		status_add_foreign(object, "error", error);
	watch_say(core, object);
}

/* --- records --- */

static struct json *watch_of_record(const struct core *core, const char *event,
				    const struct schedule_record *of)
{
	struct json *object = watch_new(event);

	json_add_string(object, "wan", core->wans[of->wan].config->name);
	json_add_string(object, "hostname", of->hostname);
	json_add_string(object, "family", addr_family_name(of->family));
	json_add_string(object, "provider", core->config->providers[of->provider].name);
	return object;
}

void watch_record(struct core *core, size_t record, const char *event,
		  const struct addr *old, const struct addr *new, const char *message)
{
	struct json *object;

	if (!control_is_watched(core->control))
		return;
	object = watch_of_record(core, event, schedule_record(core->schedule, record));
	status_add_address(object, "old", old);
	status_add_address(object, "new", new);
	if (message)
		json_add_string(object, "message", message);
	watch_say(core, object);
}

static void watch_state(struct core *core, size_t index)
{
	struct schedule_record *of = schedule_record(core->schedule, index);
	const char *reason = schedule_reason(core->schedule, index);
	struct json *object;

	if (of->told == of->record.state)
		return;
	object = watch_of_record(core, "state", of);
	json_add_string(object, "from", record_state_name(of->told));
	json_add_string(object, "to", record_state_name(of->record.state));
	json_add_string(object, "reason", reason[0] ? reason : NULL);
	of->told = of->record.state;
	watch_say(core, object);
}

void watch_states(struct core *core)
{
	if (!control_is_watched(core->control))
		return;
	for (size_t i = 0; i < schedule_count(core->schedule); i++)
		watch_state(core, i);
}

/* --- the rest --- */

void watch_hook(struct core *core, const struct message_hook_result *result)
{
	TEXT_CLEANUP struct text outcome = TEXT_INIT;
	struct json *object;

	if (!control_is_watched(core->control))
		return;
	hookbook_result(result->outcome, result->code, &outcome);
	object = watch_new("hook");
	status_add_foreign(object, "name", result->name);
	json_add_string(object, "for", message_event_name(result->event));
	json_add_string(object, "result", outcome.bytes);
	watch_say(core, object);
}

void watch_plain(struct core *core, const char *event, const char *key, const char *value)
{
	struct json *object;

	if (!control_is_watched(core->control))
		return;
	object = watch_new(event);
	if (key && value)
		status_add_foreign(object, key, value);
	watch_say(core, object);
}

void watch_reload(struct core *core, const char *error)
{
	/* WANs may have other places now; what links they are on is in the status. */
	core->watch.up = links_up(core);
	watch_plain(core, "reload", "error", error);
}

static void watch_publisher(struct core *core, const char *why)
{
	const char *state = publisher_state_name(&core->publisher);
	struct json *object;

	if (core->watch.publisher == state && !why)
		return;
	core->watch.publisher = state;
	object = watch_new("publisher");
	json_add_string(object, "state", state);
	if (why)
		json_add_string(object, "reason", why);
	watch_say(core, object);
}

void watch_publisher_failed(struct core *core, const char *why)
{
	if (control_is_watched(core->control))
		watch_publisher(core, why);
}

static void watch_link(struct core *core, size_t wan)
{
	uint16_t bit = (uint16_t)(1u << wan);
	struct json *object;

	if (!((core->watch.up ^ links_up(core)) & bit))
		return;
	core->watch.up ^= bit;
	object = watch_of_wan("link", &core->wans[wan]);
	json_add_bool(object, "up", core->wans[wan].up);
	watch_say(core, object);
}

void watch_turn(struct core *core)
{
	if (!control_is_watched(core->control))
		return;
	for (size_t i = 0; i < core->config->wan_count; i++)
		watch_link(core, i);
	watch_publisher(core, NULL);
	watch_states(core);
}
