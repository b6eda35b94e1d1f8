/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/clock.h"
#include "hairpin/log.h"
#include "hairpin/text.h"

#include "control.h"
#include "core.h"

void events_done(struct events *events)
{
	struct event *event;

	while ((event = events->first)) {
		events->first = event->next;
		free(event);
	}
	free(events->sent);
	hookbook_done(&events->book);
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
	if (events->again == event)
		events->again = NULL;
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

/* One that carries its facts. They change: where hooks were run for it, all are again. */
static struct event *events_place_facts(struct core *core, enum event_subject subject,
					size_t index)
{
	struct event *event;

	if (hooks_are_off(core))
		return NULL;
	event = events_place(core, subject, index, 0);
	if (event == core->events.again)
		core->events.again = NULL;
	return event;
}

void events_rules(struct core *core, size_t wan, unsigned rules, const char *reason)
{
	struct event *event = events_place_facts(core, EVENT_OF_RULES, wan);

	if (!event)
		return;
	event->kind = MESSAGE_EVENT_RULES;
	event->rules += rules;
	event->reason = reason;
}

void events_record(struct core *core, size_t record, enum message_event kind,
		   const struct addr *old, const struct addr *new, const char *message)
{
	struct event *event = events_place_facts(core, EVENT_OF_RECORD, record);

	if (!event)
		return;
	if (!event->kind)
		event->old = *old;
	event->kind = kind;
	event->new = *new;
	(void)text_escape(event->message, sizeof(event->message), message,
			  strlen(message));
}

int events_test(struct core *core, const char *name, enum message_event kind)
{
	struct events *events = &core->events;

	if (hooks_are_off(core))
		return -EOPNOTSUPP;
	if (runner_is_missing(core))
		return -ENOTCONN;
	if (events->test.waits || !events_place(core, EVENT_OF_TEST, 0, 0))
		return -EBUSY;
	events->test = (struct event_test){ .event = kind, .waits = true };
	(void)text_copy(events->test.name, sizeof(events->test.name), name);
	return 0;
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

/* Whoever waits for this test hears why there was none; the next one may wait already. */
static void test_failed(struct core *core, const struct event *test, const char *why)
{
	if (test->answered)
		return;
	if (core->events.test.waits)
		control_tested(core->control, NULL, why);
	core->events.test.waits = false;
}

static void finish(struct core *core, const struct event *event)
{
	const struct addr *told = core->events.told;

	if (event->subject == EVENT_OF_START)
		start_told(core, event->index, told);
	else if (event->subject == EVENT_OF_SIDE)
		side_told(core, event->index, event->side, &told[event->side]);
	else if (event->subject == EVENT_OF_TEST)
		test_failed(core, event, "the hook was not run: hooks are off");
}

static void note_told(struct core *core, const struct event *event)
{
	if (event->subject != EVENT_OF_START && event->subject != EVENT_OF_SIDE)
		return;
	for (int side = 0; side < WAN_SIDES; side++)
		core->events.told[side] =
			core->wans[event->index].sides[side].now.address;
}

void events_ran(struct core *core, const struct message_hook_result *result)
{
	struct event *event = core->events.sent;

	if (!event || result->head.number != core->events.number)
		return;
	hookbook_note(&core->events.book, result, clock_wall_s());
	watch_hook(core, result);
	(void)text_copy(core->events.after, sizeof(core->events.after), result->name);
	if (event->subject != EVENT_OF_TEST || event->answered)
		return;
	event->answered = true;
	core->events.test.waits = false;
	control_tested(core->control, result, NULL);
}

void events_finished(struct core *core, const struct message_reply *reply)
{
	struct event *event = core->events.sent;

	if (!event || reply->head.number != core->events.number)
		return;
	core->events.sent = NULL;
	core->events.outside = false;
	if (event->subject == EVENT_OF_TEST && reply->text[0])
		test_failed(core, event, reply->text);
	else if (event->subject != EVENT_OF_TEST)
		hookbook_settle(&core->events.book, reply);
	finish(core, event);
	free(event);
}

/* --- given again --- */

/* A newer one of the same subject waits: it tells what this one would have told. */
static bool merged(struct core *core, const struct event *event)
{
	struct event *other = core->events.first;

	while (other && (other->subject != event->subject ||
			 other->index != event->index || other->side != event->side))
		other = other->next;
	if (!other)
		return false;
	other->rules += event->rules;
	if (event->subject == EVENT_OF_RECORD)
		other->old = event->old;
	return true;
}

void events_return(struct core *core)
{
	struct events *events = &core->events;
	struct event *event = events->sent;

	if (!event || !events->outside)
		return;
	events->sent = NULL;
	events->outside = false;
	if (event->subject == EVENT_OF_TEST)
		test_failed(core, event, "who was to run the hook went away meanwhile");
	if (event->subject == EVENT_OF_TEST || merged(core, event)) {
		free(event);
		return;
	}
	event->next = events->first;
	events->first = events->again = event;
	events->count++;
}

/* It was begun, and is the same still: what ended then is not run once more. */
static bool goes_on(const struct core *core, const struct event *event)
{
	const struct core_side *sides;

	if (core->events.again != event)
		return false;
	if (event->subject != EVENT_OF_START && event->subject != EVENT_OF_SIDE)
		return true;
	sides = core->wans[event->index].sides;
	for (int side = 0; side < WAN_SIDES; side++)
		if (!addr_equal(&core->events.told[side], &sides[side].now.address))
			return false;
	return true;
}

/* --- giving them away --- */

/* There is nothing to tell any more. */
static void untold(struct core *core, struct event *event)
{
	if (event->subject == EVENT_OF_SIDE)
		core->wans[event->index].sides[event->side].rules = 0;
	else if (event->subject == EVENT_OF_TEST)
		test_failed(core, event, "no record is configured: there is nothing to "
					 "tell a hook of it");
	free(event);
}

static int events_send(struct core *core, const struct message_hook *hook)
{
	if (hooks_are_off(core))
		return 0;
	return core->runner.there ? runner_send(core, hook)
				  : supervisor_send(core, hook, sizeof(*hook));
}

/* 0: given or done with; -EAGAIN: later. */
static int events_give(struct core *core)
{
	struct events *events = &core->events;
	bool outside = core->runner.there, again = goes_on(core, events->first);
	struct message_hook hook;
	struct event *event;
	int result;

	if (!again) {
		events->again = NULL;
		events->after[0] = '\0';
	}
	note_told(core, events->first);
	if (!event_facts(&hook, core, events->first)) {
		untold(core, events_pop(events));
		return 0;
	}
	hook.head.number = again ? events->number : ++events->number;
	memcpy(hook.after, events->after, sizeof(hook.after));
	result = events_send(core, &hook);
	if (result == -EAGAIN || (result < 0 && outside))
		return -EAGAIN;
	event = events_pop(events);
	if (result == 0 && !hooks_are_off(core)) {
		log_debug("hooks: event %s", message_event_name(hook.event));
		events->sent = event;
		events->outside = outside;
		return 0;
	}
	finish(core, event);
	free(event);
	return 0;
}

/* During a pause nothing but a test, which somebody waits for, is given: it goes first. */
static bool events_may_give(struct core *core)
{
	struct event **at = &core->events.first, *event;

	if (!*at || core->events.sent || (!hooks_are_off(core) && runner_is_missing(core)))
		return false;
	if (!pause_is_on(core))
		return true;
	while ((event = *at) && event->subject != EVENT_OF_TEST)
		at = &event->next;
	if (!event)
		return false;
	*at = event->next;
	event->next = core->events.first;
	core->events.first = event;
	return true;
}

void events_turn(struct core *core, int64_t now_ms)
{
	struct events *events = &core->events;

	if (events->retry_ms > now_ms)
		return;
	events->retry_ms = 0;
	while (events_may_give(core))
		if (events_give(core) < 0) {
			events->retry_ms = now_ms + EVENTS_RETRY_MS;
			return;
		}
}

int64_t events_due_ms(const struct core *core)
{
	const struct events *events = &core->events;

	if (!events->first || events->sent || (pause_is_on(core) && !events->test.waits) ||
	    (!hooks_are_off(core) && runner_is_missing(core)))
		return INT64_MAX;
	return events->retry_ms;
}

bool events_wait(const struct core *core)
{
	return core->events.first && !hooks_are_off(core);
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

	if (event->subject == EVENT_OF_TEST)
		return true;
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

	if (strcmp(core->config->hooks.directory, config->hooks.directory) != 0)
		hookbook_done(&events->book);
	while ((event = *at)) {
		if (renumber(event, core, config, schedule)) {
			at = &event->next;
			continue;
		}
		*at = event->next;
		events->count--;
		if (events->again == event)
			events->again = NULL;
		free(event);
	}
	/* Hooks that run for what is no more may end; nobody waits for what they told. */
	if (events->sent && !renumber(events->sent, core, config, schedule)) {
		events->sent->subject = EVENT_OF_RULES;
		events->sent->index = 0;
	}
}
