/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the service manager is told: ready, a line for people, a sign of life. */
#include <string.h>

#include "hairpin/clock.h"
#include "hairpin/log.h"
#include "hairpin/text.h"

#include "core.h"
#include "status.h"

enum { NOTICE_SPACING_MS = 1000 };

static void add_address(struct text *line, const struct core_wan *wan, int side)
{
	const struct addr *address = &wan->sides[side].now.address;
	char text[ADDR_TEXT_BYTES];

	if (addr_is_none(address))
		return;
	text_addf(line, "%s%s", line->length ? " " : "", addr_format(address, text));
}

static void add_wan(struct text *line, const struct core_wan *wan)
{
	TEXT_CLEANUP struct text part = TEXT_INIT;
	char link[4 * IFNAMSIZ];

	text_escape(link, sizeof(link), wan->interface, strlen(wan->interface));
	for (int side = 0; side < WAN_SIDES; side++)
		add_address(&part, wan, side);
	if (part.length)
		text_addf(&part, " on %s", link);
	else if (link[0])
		text_addf(&part, "waiting for an address on %s", link);
	else
		text_add(&part, "waiting for a default route");
	text_addf(line, "%s%s", line->length ? ", " : "", part.bytes);
}

static void add_rules(struct text *line, const struct core *core)
{
	unsigned in_step = 0;

	if (!core->config->nat.enabled)
		return;
	for (size_t i = 0; i < core->config->wan_count; i++)
		in_step += core->wans[i].rules.in_step;
	if (core->sync.error[0])
		text_add(line, "; rules not in step");
	else
		text_addf(line, "; %u rule%s", in_step, in_step == 1 ? "" : "s");
}

static void add_records(struct text *line, const struct core *core)
{
	unsigned all = 0, current = 0;

	for (size_t i = 0; i < schedule_count(core->schedule); i++) {
		const struct schedule_record *of = schedule_record(core->schedule, i);

		if (!status_is_of_interest(core, i))
			continue;
		all++;
		current += of->record.state == RECORD_CURRENT;
	}
	if (all == 0)
		return;
	text_add(line, core->config->nat.enabled && !core->sync.error[0] ? ", " : "; ");
	if (current < all)
		text_addf(line, "%u of ", current);
	text_addf(line, "%u name%s up to date", all, all == 1 ? "" : "s");
}

void notice_line(const struct core *core, char out[MESSAGE_TEXT_BYTES])
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	char until[CLOCK_TEXT_BYTES];

	for (size_t i = 0; i < core->config->wan_count; i++)
		add_wan(&line, &core->wans[i]);
	add_rules(&line, core);
	add_records(&line, core);
	if (pause_is_on(core))
		text_addf(&line, "; paused until %s",
			  clock_format(core->pause.until_wall_s, until));
	/* Many WANs make a long line; it is cut, never within a character. */
	if (!text_copy(out, MESSAGE_TEXT_BYTES, line.bytes))
		text_escape(out, MESSAGE_TEXT_BYTES, line.bytes, line.length);
}

static void notice_send(struct core *core, const char *line, int64_t now_ms)
{
	struct message_notice message = { .head.type = MESSAGE_NOTICE };

	message.ready = core->notice.ready;
	(void)text_copy(message.status, sizeof(message.status), line);
	core->notice.sent_ms = now_ms;
	if (supervisor_send(core, &message, sizeof(message)) < 0)
		log_debug("supervisor: a notice was not taken");
}

int64_t notice_due_ms(const struct core *core)
{
	const struct notice *notice = &core->notice;
	char line[MESSAGE_TEXT_BYTES];
	int64_t due_ms = INT64_MAX;

	if (!notice->ready)
		return INT64_MAX;
	if (core->options->watchdog_ms > 0)
		due_ms = notice->sent_ms + core->options->watchdog_ms;
	notice_line(core, line);
	if (strcmp(line, notice->line) == 0)
		return due_ms;
	return notice->changed_ms + NOTICE_SPACING_MS;
}

void notice_turn(struct core *core, int64_t now_ms)
{
	struct notice *notice = &core->notice;
	char line[MESSAGE_TEXT_BYTES];

	if (!core->sync.looked || (notice->ready && notice_due_ms(core) > now_ms))
		return;
	notice_line(core, line);
	notice->ready = true;
	if (strcmp(line, notice->line) == 0) {
		notice_send(core, "", now_ms);
		return;
	}
	memcpy(notice->line, line, sizeof(notice->line));
	notice->changed_ms = now_ms;
	notice_send(core, line, now_ms);
}

void notice_end(struct core *core)
{
	struct message_notice message = { .head.type = MESSAGE_NOTICE };

	message.ready = core->notice.ready;
	message.done = true;
	message.exit_status = (uint8_t)core->exit_status;
	if (supervisor_send(core, &message, sizeof(message)) < 0)
		log_debug("supervisor: does not take the last notice");
}
