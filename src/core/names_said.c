/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of names, for the log. */
#include <stdlib.h>

#include "hairpin/log.h"
#include "hairpin/text.h"

#include "core.h"

static void add_name(struct text *line, const struct name *name, int which)
{
	text_addf(line, "name %s", name->name);
	/* With both families in use a fault is to be told from the other's. */
	if (name->sides[WAN_IPV4].wanted && name->sides[WAN_IPV6].wanted)
		text_addf(line, " (%s)", wan_side_name(which));
	text_add(line, ": ");
}

static void add_count(struct text *line, size_t count, const char *one, const char *many)
{
	text_addf(line, "%zu %s", count, count == 1 ? one : many);
}

static void said_failure(const struct name *name, int which, int64_t now_ms)
{
	const struct name_side *side = &name->sides[which];
	TEXT_CLEANUP struct text line = TEXT_INIT;
	char wait[24], count[FAULT_TEXT_BYTES];

	add_name(&line, name, which);
	text_addf(&line, "%s%s; ", side->reason, fault_count(&side->failing, count));
	if (side->count > 0) {
		text_add(&line, "its ");
		add_count(&line, side->count, "address stays", "addresses stay");
	} else {
		add_count(&line, side->things, "thing stays as it is",
			  "things stay as they are");
	}
	text_addf(&line, ", next try in %s",
		  text_format_duration((side->due_ms - now_ms + 999) / 1000 * 1000, wait));
	log_warning("%s", line.bytes);
}

static void said_return(const struct name *name, int which)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;

	add_name(&line, name, which);
	text_add(&line, "answered again, with the same ");
	add_count(&line, name->sides[which].count, "address", "addresses");
	log_notice("%s", line.bytes);
}

void names_said(const struct name_report *report, int64_t now_ms)
{
	if (report->event == NAME_FAILED)
		said_failure(report->name, report->side, now_ms);
	else if (report->event == NAME_RETURNED)
		said_return(report->name, report->side);
}

static void said_change(const struct name *name, const struct name_side *side)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	char count[FAULT_TEXT_BYTES];

	text_addf(&line, "name %s: %s; ", name->name, side->news);
	/* A thing is a set, a map, or an element of one. */
	add_count(&line, side->things, "set", "sets");
	text_add(&line, fault_count(&side->restless, count));
	if (side->reason[0])
		text_addf(&line, "; %s", side->reason);
	log_notice("%s", line.bytes);
}

bool names_said_changes(struct core *core)
{
	bool any = false;

	for (size_t i = 0; i < core->names.count; i++)
		for (int which = 0; which < WAN_SIDES; which++) {
			struct name_side *side = &core->names.list[i]->sides[which];

			if (!side->news)
				continue;
			said_change(core->names.list[i], side);
			free(side->news);
			side->news = NULL;
			any = true;
		}
	return any;
}
