/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/log.h"
#include "hairpin/text.h"

#include "core.h"

void events_done(struct events *events)
{
	struct event *event;

	while ((event = events->first)) {
		events->first = event->next;
		free(event);
	}
	free(events->sent);
	*events = (struct events){ 0 };
}

/* --- the queue --- */

/* A waiting event of the same subject, or a new one at the end. NULL: no room. */
static struct event *events_place(struct core *core, enum event_subject subject,
				  size_t index, int side)
{
	struct events *events = &core->events;
	struct event **at = &events->first, *event;

	for (; *at; at = &(*at)->next)
		if ((*at)->subject == subject && (*at)->index == index &&
		    (*at)->side == side)
			return *at;
	event = events->count < EVENTS_MAX ? calloc(1, sizeof(*event)) : NULL;
	if (!event) {
		if (!events->dropped_said)
			log_warning("hooks: too many events wait; further ones are "
				    "dropped");
		events->dropped_said = true;
		return NULL;
	}
	event->subject = subject;
	event->index = index;
	event->side = side;
	events->count++;
	*at = event;
	return event;
}

static struct event *events_pop(struct events *events)
{
	struct event *event = events->first;

	events->first = event->next;
	event->next = NULL;
	events->count--;
	if (events->count == 0)
		events->dropped_said = false;
	return event;
}

static bool hooks_are_off(const struct core *core)
{
	return core->config->hooks.directory[0] == '\0' || core->dry_run;
}

void events_started(struct core *core, size_t wan)
{
	core->wans[wan].started = true;
	(void)events_place(core, EVENT_OF_START, wan, 0);
}

void events_changed(struct core *core, size_t wan, int side)
{
	(void)events_place(core, EVENT_OF_SIDE, wan, side);
}

void events_rules(struct core *core, size_t wan, unsigned rules, const char *reason)
{
	struct event *event;

	if (hooks_are_off(core))
		return;
	event = events_place(core, EVENT_OF_RULES, wan, 0);
	if (!event)
		return;
	event->kind = MESSAGE_EVENT_RULES;
	event->rules += rules;
	event->reason = reason;
}

void events_record(struct core *core, size_t record, enum message_event kind,
		   const struct addr *old, const struct addr *new, const char *message)
{
	struct event *event;

	if (hooks_are_off(core))
		return;
	event = events_place(core, EVENT_OF_RECORD, record, 0);
	if (!event)
		return;
	if (!event->kind)
		event->old = *old;
	event->kind = kind;
	event->new = *new;
	(void)text_escape(event->message, sizeof(event->message), message,
			  strlen(message));
}

/* --- what is said --- */

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

/* The facts as of now; false: there is nothing to tell any more. */
static bool fill(struct message_hook *hook, const struct core *core,
		 const struct event *event)
{
	*hook = (struct message_hook){ .head.type = MESSAGE_HOOK_RUN };
	if (event->subject == EVENT_OF_RECORD) {
		fill_record(hook, core, event);
		return true;
	}
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

/* --- what was told --- */

static void side_told(struct core *core, size_t wan, int side, const struct addr *address)
{
	struct core_side *of = &core->wans[wan].sides[side];

	of->rules = 0;
	if (of->told_known && addr_equal(&of->told, address))
		return;
	of->told = *address;
	of->told_known = true;
	core->state.dirty = true;
}

/*
 * The first start tells everything. Later ones tell only that we are there: what changed
 * meanwhile follows as events of its own, with the old address.
 */
static void start_told(struct core *core, size_t wan, const struct addr told[WAN_SIDES])
{
	for (int side = 0; side < WAN_SIDES; side++)
		if (!core->wans[wan].sides[side].told_known)
			side_told(core, wan, side, &told[side]);
	for (int side = 0; side < WAN_SIDES; side++)
		if (core->wans[wan].sides[side].seen)
			events_changed(core, wan, side);
}

static void finish(struct core *core, const struct event *event)
{
	const struct addr *told = core->events.told;

	if (event->subject == EVENT_OF_START)
		start_told(core, event->index, told);
	else if (event->subject == EVENT_OF_SIDE)
		side_told(core, event->index, event->side, &told[event->side]);
}

static void note_told(struct core *core, const struct event *event)
{
	if (event->subject != EVENT_OF_START && event->subject != EVENT_OF_SIDE)
		return;
	for (int side = 0; side < WAN_SIDES; side++)
		core->events.told[side] =
			core->wans[event->index].sides[side].now.address;
}

void events_finished(struct core *core, uint32_t number)
{
	struct event *event = core->events.sent;

	if (!event || number != core->events.number)
		return;
	core->events.sent = NULL;
	finish(core, event);
	free(event);
}

/* --- giving them away --- */

/* 0: given or done with; -EAGAIN: later. */
static int events_give(struct core *core)
{
	struct events *events = &core->events;
	struct message_hook hook;
	struct event *event;
	int result = 0;

	note_told(core, events->first);
	if (!fill(&hook, core, events->first)) {
		event = events_pop(events);
		core->wans[event->index].sides[event->side].rules = 0;
		free(event);
		return 0;
	}
	hook.head.number = ++events->number;
	if (!hooks_are_off(core))
		result = supervisor_send(core, &hook, sizeof(hook));
	if (result == -EAGAIN)
		return result;
	event = events_pop(events);
	if (result == 0 && !hooks_are_off(core)) {
		log_debug("hooks: event %s", message_event_name(hook.event));
		events->sent = event;
		return 0;
	}
	finish(core, event);
	free(event);
	return 0;
}

void events_turn(struct core *core, int64_t now_ms)
{
	struct events *events = &core->events;

	if (events->retry_ms > now_ms)
		return;
	events->retry_ms = 0;
	while (events->first && !events->sent)
		if (events_give(core) < 0) {
			events->retry_ms = now_ms + EVENTS_RETRY_MS;
			return;
		}
}

int64_t events_due_ms(const struct core *core)
{
	const struct events *events = &core->events;

	return events->first && !events->sent ? events->retry_ms : INT64_MAX;
}

bool events_are_settled(const struct core *core)
{
	return !core->events.first && !core->events.sent;
}

/* --- reload --- */

static bool renumber_wan(struct event *event, const struct core *core,
			 const struct config *config)
{
	const char *name = core->wans[event->index].config->name;

	for (size_t i = 0; i < config->wan_count; i++)
		if (strcmp(config->wans[i].name, name) == 0) {
			event->index = i;
			return true;
		}
	return false;
}

static bool renumber(struct event *event, const struct core *core,
		     const struct config *config, const struct schedule *schedule)
{
	const struct schedule_record *of;
	int index;

	if (event->subject != EVENT_OF_RECORD)
		return renumber_wan(event, core, config);
	of = schedule_record(core->schedule, event->index);
	index = schedule_find(schedule, core->config->providers[of->provider].name,
			      of->hostname, of->family);
	event->index = (size_t)index;
	return index != SCHEDULE_NO_RECORD;
}

void events_renumber(struct core *core, const struct config *config,
		     const struct schedule *schedule)
{
	struct events *events = &core->events;
	struct event **at = &events->first, *event;

	while ((event = *at)) {
		if (renumber(event, core, config, schedule)) {
			at = &event->next;
			continue;
		}
		*at = event->next;
		events->count--;
		free(event);
	}
	/* Hooks that run for what is no more may end; nobody waits for what they told. */
	if (events->sent && !renumber(events->sent, core, config, schedule)) {
		events->sent->subject = EVENT_OF_RULES;
		events->sent->index = 0;
	}
}
