/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "discover.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hairpin/clock.h"
#include "hairpin/log.h"
#include "hairpin/order.h"
#include "hairpin/text.h"

#include "core.h"

/* --- all sources in one row --- */

static struct core_side *side_at(const struct core *core, size_t index)
{
	return &core->wans[index / WAN_SIDES].sides[index % WAN_SIDES];
}

static struct source *source_at(const struct core *core, size_t index)
{
	if (index >= core->config->wan_count * WAN_SIDES)
		return NULL;		/* that was the last */
	return &side_at(core, index)->source;
}

static bool is_command(const struct source *source)
{
	return source->kind == CONFIG_COMMAND;
}

static struct source *asked_as(const struct core *core, uint32_t number, size_t *ret_index)
{
	struct source *source;

	for (size_t i = 0; (source = source_at(core, i)); i++)
		if (source_is_asked(source, number)) {
			*ret_index = i;
			return source;
		}
	return NULL;
}

static uint32_t next_number(struct core *core)
{
	core->discover.last_number = (core->discover.last_number + 1) & (SOURCE_JOB - 1);
	return core->discover.last_number | SOURCE_JOB;
}

bool discover_is_used(const struct core_side *side)
{
	return source_is_on(&side->source) && !addr_is_global(&side->inner);
}

void discover_network(struct core *core, int64_t now_ms)
{
	struct source *source;

	for (size_t i = 0; (source = source_at(core, i)); i++)
		source_network(source, now_ms);
}

bool discover_is_settled(const struct core *core)
{
	const struct source *source;

	for (size_t i = 0; (source = source_at(core, i)); i++)
		if (!source_is_settled(source))
			return false;
	return true;
}

/* --- what the next run must know --- */

/* That a place is asked is on disk before it is. */
static void note_question(struct core *core, const struct source *source, int64_t now_ms)
{
	if (!source_is_saved(source))
		return;
	core->state.dirty = true;
	state_save(core, now_ms);
}

/*
 * That all is as it was need not be written now: the next question's note says it. Without
 * a next one it must.
 */
static void note_answer(struct core *core, const struct source *source,
			enum source_event event, bool good)
{
	if (source_is_saved(source) && (event != SOURCE_NOTHING || !good ||
					core->options->mode == CORE_ONCE))
		core->state.dirty = true;
}

/* --- questions to the publisher --- */

int64_t discover_job_due_ms(const struct core *core)
{
	const struct source *source;
	int64_t due_ms = INT64_MAX;

	for (size_t i = 0; (source = source_at(core, i)); i++)
		if (!is_command(source))
			due_ms = MIN(due_ms, source_due_ms(source));
	return due_ms;
}

size_t discover_in_flight(const struct core *core)
{
	const struct source *source;
	size_t count = 0;

	for (size_t i = 0; (source = source_at(core, i)); i++)
		count += is_command(source) ? 0 : source_in_flight(source);
	return count;
}

bool discover_next(struct core *core, int64_t now_ms, struct discover_job *ret_job)
{
	struct source_question question;
	struct source *source;

	if (discover_job_due_ms(core) > now_ms)
		return false;
	for (size_t i = 0; (source = source_at(core, i)); i++) {
		if (is_command(source) ||
		    !source_next(source, now_ms, next_number(core), &question))
			continue;
		*ret_job = (struct discover_job){ question.number, i / WAN_SIDES,
						  (int)(i % WAN_SIDES), question.place };
		note_question(core, source, now_ms);
		return true;
	}
	return false;
}

void discover_lost(struct core *core, uint32_t number)
{
	struct source *source;

	for (size_t i = 0; (source = source_at(core, i)); i++) {
		size_t before = source_in_flight(source);

		if (is_command(source))
			continue;
		source_lost(source, number);
		if (source_in_flight(source) < before && source_is_saved(source))
			core->state.dirty = true;
	}
}

/* --- answers --- */

static void said_failure(const struct core *core, size_t index, int64_t now_ms)
{
	const struct source *source = &side_at(core, index)->source;
	struct fault *fault = &side_at(core, index)->look_fault;
	char shown[ADDR_TEXT_BYTES], wait[24], count[FAULT_TEXT_BYTES];
	int64_t wait_ms = source_due_ms(source) - now_ms;
	bool held = !addr_is_none(&source->address);

	if (!fault_comes(fault, now_ms))
		return;
	log_warning("wan %s: %s from %s: %s%s; %s%s, next look in %s",
		    core->wans[index / WAN_SIDES].config->name,
		    wan_side_name((int)(index % WAN_SIDES)),
		    config_source_name(source->kind), source->reason,
		    fault_count(fault, count),
		    held ? addr_format(&source->address, shown) : "nothing known yet",
		    held ? " stays" : "",
		    text_format_duration((wait_ms + 999) / 1000 * 1000, wait));
}

static void take(struct core *core, size_t index, enum source_event event, int64_t now_ms)
{
	const struct source *source = &side_at(core, index)->source;

	switch (event) {
	case SOURCE_NOTHING:
		return;
	case SOURCE_FOUND:
		core->sync.links_changed = true;
		return;
	case SOURCE_BROKEN:
		said_failure(core, index, now_ms);
		return;
	case SOURCE_RETURNED:
		if (!fault_goes(&side_at(core, index)->look_fault))
			return;
		log_notice("wan %s: %s from %s: found again, the address is the same",
			   core->wans[index / WAN_SIDES].config->name,
			   wan_side_name((int)(index % WAN_SIDES)),
			   config_source_name(source->kind));
		return;
	}
}

static void take_result(struct core *core, size_t index,
			const struct message_result *result, int64_t now_ms,
			uint32_t random)
{
	struct source *source = &side_at(core, index)->source;
	enum source_event event = source_answer(source, result, now_ms, random);
	struct core_side *side = side_at(core, index);

	side->looks += result->verdict == MESSAGE_ANSWER;
	side->look_failures += result->verdict != MESSAGE_ANSWER;
	note_answer(core, source, event, result->verdict == MESSAGE_ANSWER);
	take(core, index, event, now_ms);
}

bool discover_may_answer(const struct core *core, const struct message_result *result)
{
	const struct source *source;
	size_t index;

	source = asked_as(core, result->head.number, &index);
	/* One of a question that is over is only late. */
	return !source || (!is_command(source) && result->record == index &&
			   source_may_answer(source->family, result));
}

void discover_answer(struct core *core, const struct message_result *result,
		     int64_t now_ms, uint32_t random)
{
	struct source *source;
	size_t index;

	source = asked_as(core, result->head.number, &index);
	if (source)
		take_result(core, index, result, now_ms, random);
}

/* --- commands --- */

static void command_run(struct core *core, size_t index, uint32_t number, int64_t now_ms)
{
	const struct core_wan *wan = &core->wans[index / WAN_SIDES];
	struct source *source = &side_at(core, index)->source;
	struct message_command message = {
		.head = { MESSAGE_COMMAND_RUN, number },
		.family = (uint8_t)source->family,
	};

	note_question(core, source, now_ms);
	(void)text_copy(message.wan, sizeof(message.wan), wan->config->name);
	wan_copy_link(message.interface, wan->interface);
	if (supervisor_send(core, &message, sizeof(message)) == 0) {
		core->discover.command = number;
		return;
	}
	source_lost(source, number);
	core->discover.retry_ms = now_ms + DISCOVER_BUSY_MS;
}

static int64_t command_due_ms(const struct core *core)
{
	const struct source *source;
	int64_t due_ms = INT64_MAX;

	if (core->discover.command || pause_is_on(core))
		return INT64_MAX;
	for (size_t i = 0; (source = source_at(core, i)); i++)
		if (is_command(source))
			due_ms = MIN(due_ms, source_due_ms(source));
	return due_ms == INT64_MAX ? due_ms : MAX(due_ms, core->discover.retry_ms);
}

static void command_turn(struct core *core, int64_t now_ms)
{
	struct source_question question;
	struct source *source;

	if (command_due_ms(core) > now_ms)
		return;
	for (size_t i = 0; (source = source_at(core, i)); i++)
		if (is_command(source) &&
		    source_next(source, now_ms, next_number(core), &question)) {
			command_run(core, i, question.number, now_ms);
			return;
		}
}

/* What it printed, judged as an answer of the publisher would be. */
static struct message_result command_result(const struct source *source,
					    const struct message_reply *reply)
{
	struct message_result result = {
		.head = { MESSAGE_RESULT, reply->head.number },
		.verdict = MESSAGE_TRANSIENT,
	};
	char shown[MESSAGE_TEXT_BYTES];
	struct addr address;

	text_escape(shown, sizeof(shown), reply->text, strlen(reply->text));
	if (reply->status < 0)
		(void)text_copy(result.text, sizeof(result.text), shown);
	else if (!addr_parse_alone(reply->text, strlen(reply->text), &address))
		snprintf(result.text, sizeof(result.text),
			 "printed \"%.100s\", which is not one address", shown);
	else if (address.family != source->family)
		snprintf(result.text, sizeof(result.text),
			 "printed \"%.100s\", which is of the other family", shown);
	else {
		result.verdict = MESSAGE_ANSWER;
		result.addresses[0] = address;
		result.address_count = 1;
	}
	return result;
}

void discover_command_done(struct core *core, const struct message_reply *reply,
			   int64_t now_ms)
{
	struct message_result result;
	struct source *source;
	size_t index;

	if (reply->head.number != core->discover.command)
		return;
	core->discover.command = 0;
	source = asked_as(core, reply->head.number, &index);
	if (!source)
		return;
	if (reply->status == -EBUSY) {
		source_lost(source, reply->head.number);
		core->discover.retry_ms = now_ms + DISCOVER_BUSY_MS;
		return;
	}
	result = command_result(source, reply);
	take_result(core, index, &result, now_ms, (uint32_t)now_ms);
}

/* --- the turn --- */

void discover_turn(struct core *core, int64_t now_ms)
{
	struct source *source;

	for (size_t i = 0; (source = source_at(core, i)); i++) {
		if (!is_command(source) && source_expiry_ms(source) <= now_ms)
			core->discover.overdue = true;
		take(core, i, source_expire(source, now_ms, (uint32_t)now_ms), now_ms);
	}
	if (core->discover.command) {
		size_t index;

		/* The supervisor says when it ends; a lost word must not stop us. */
		if (!asked_as(core, core->discover.command, &index))
			core->discover.command = 0;
	}
	command_turn(core, now_ms);
}

int64_t discover_due_ms(const struct core *core)
{
	const struct source *source;
	int64_t due_ms = command_due_ms(core);

	for (size_t i = 0; (source = source_at(core, i)); i++)
		due_ms = MIN(due_ms, source_expiry_ms(source));
	return due_ms;
}
