/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What hooks are told of an event. */
#include <string.h>

#include "hairpin/text.h"

#include "core.h"
#include "status.h"

static void fill_wan(struct message_hook *hook, const struct core_wan *wan)
{
	(void)text_copy(hook->wan, sizeof(hook->wan), wan->config->name);
	wan_copy_link(hook->interface, wan->interface);
}

static void fill_reason(struct message_hook *hook, const char *reason)
{
	(void)text_copy(hook->reason, sizeof(hook->reason), reason);
}

static void fill_start(struct message_hook *hook, const struct core_wan *wan)
{
	hook->event = MESSAGE_EVENT_STARTUP;
	hook->ipv4 = wan->sides[WAN_IPV4].now.address;
	hook->ipv6 = wan->sides[WAN_IPV6].now.address;
	hook->generation = wan->sides[WAN_IPV4].now.generation +
			   wan->sides[WAN_IPV6].now.generation;
	fill_reason(hook, "first address since the start");
}

/* False: hooks know it already. */
static bool fill_side(struct message_hook *hook, const struct core_side *side)
{
	bool lost = addr_is_none(&side->now.address);

	if (addr_equal(&side->told, &side->now.address))
		return false;
	hook->event = lost ? MESSAGE_EVENT_LOST : MESSAGE_EVENT_ADDRESS;
	hook->family = (uint8_t)side->family;
	hook->old = side->told;
	hook->new = side->now.address;
	hook->rules = side->rules;
	hook->generation = side->now.generation;
	fill_reason(hook, lost ? "no address any more" : "new address");
	return true;
}

static void fill_record(struct message_hook *hook, const struct core *core,
			const struct event *event)
{
	const struct schedule_record *of = schedule_record(core->schedule, event->index);
	const struct core_wan *wan = &core->wans[of->wan];

	fill_wan(hook, wan);
	hook->event = event->kind;
	hook->family = of->family;
	hook->old = event->old;
	hook->new = event->new;
	hook->generation = wan->sides[wan_side_of(of->family)].now.generation;
	(void)text_copy(hook->hostname, sizeof(hook->hostname), of->hostname);
	(void)text_copy(hook->provider, sizeof(hook->provider),
			core->config->providers[of->provider].name);
	memcpy(hook->message, event->message, sizeof(hook->message));
	fill_reason(hook,
		    event->kind == MESSAGE_EVENT_RECORD ? "published" : "not published");
}

/* --- a test: what would be told now --- */

static const struct core_wan *wan_with_address(const struct core *core)
{
	for (size_t i = 0; i < core->config->wan_count; i++)
		if (wan_has_address(&core->wans[i]))
			return &core->wans[i];
	return &core->wans[0];
}

/* What it had before, of the same family. */
static struct addr former_of(const struct core_wan *wan, int family)
{
	for (size_t i = 0; i < wan->former_count; i++)
		if (wan->former[i].family == family)
			return wan->former[i];
	return (struct addr){ 0 };
}

static void test_address(struct message_hook *hook, const struct core_wan *wan, bool lost)
{
	int which = addr_is_none(&wan->sides[WAN_IPV4].now.address) ? WAN_IPV6 : WAN_IPV4;
	const struct core_side *side = &wan->sides[which];

	hook->family = (uint8_t)side->family;
	hook->generation = side->now.generation;
	if (lost) {
		hook->old = side->now.address;
		return;
	}
	hook->old = former_of(wan, side->family);
	hook->new = side->now.address;
	hook->rules = wan->rules.in_step;
}

/* The first record that is well, or that is not; else the first. False: there is none. */
static bool find_record(const struct core *core, bool well, size_t *ret_index)
{
	size_t count = schedule_count(core->schedule);
	size_t found = count;

	for (size_t i = count; i > 0; i--) {
		const struct schedule_record *of = schedule_record(core->schedule, i - 1);

		if (status_is_of_interest(core, i - 1) &&
		    (of->record.state == RECORD_CURRENT) == well)
			found = i - 1;
	}
	*ret_index = found < count ? found : 0;
	return count > 0;
}

static bool test_record(struct message_hook *hook, const struct core *core,
			enum message_event kind)
{
	struct event event = { .subject = EVENT_OF_RECORD, .kind = kind };
	const struct record *record;
	const char *reason;

	if (!find_record(core, kind == MESSAGE_EVENT_RECORD, &event.index))
		return false;
	record = &schedule_record(core->schedule, event.index)->record;
	reason = schedule_reason(core->schedule, event.index);
	event.old = record->published;
	event.new = record->wanted;
	if (kind == MESSAGE_EVENT_FAILED && reason)
		(void)text_escape(event.message, sizeof(event.message), reason,
				  strlen(reason));
	fill_record(hook, core, &event);
	return true;
}

static bool fill_test(struct message_hook *hook, const struct core *core)
{
	const struct core_wan *wan = wan_with_address(core);
	enum message_event kind = core->events.test.event;

	fill_wan(hook, wan);
	if (kind == MESSAGE_EVENT_STARTUP)
		fill_start(hook, wan);
	else if (kind == MESSAGE_EVENT_ADDRESS || kind == MESSAGE_EVENT_LOST)
		test_address(hook, wan, kind == MESSAGE_EVENT_LOST);
	else if (kind == MESSAGE_EVENT_RULES)
		hook->rules = wan->rules.in_step;
	else if (!test_record(hook, core, kind))
		return false;
	hook->event = kind;
	fill_reason(hook, "test");
	(void)text_copy(hook->only, sizeof(hook->only), core->events.test.name);
	return true;
}

/* --- the whole --- */

bool event_facts(struct message_hook *hook, const struct core *core,
		 const struct event *event)
{
	*hook = (struct message_hook){ .head.type = MESSAGE_HOOK_RUN };
	if (event->subject == EVENT_OF_RECORD) {
		fill_record(hook, core, event);
		return true;
	}
	if (event->subject == EVENT_OF_TEST)
		return fill_test(hook, core);
	fill_wan(hook, &core->wans[event->index]);
	if (event->subject == EVENT_OF_SIDE)
		return fill_side(hook, &core->wans[event->index].sides[event->side]);
	if (event->subject == EVENT_OF_START) {
		fill_start(hook, &core->wans[event->index]);
		return true;
	}
	hook->event = MESSAGE_EVENT_RULES;
	hook->rules = event->rules;
	fill_reason(hook, event->reason);
	return true;
}
