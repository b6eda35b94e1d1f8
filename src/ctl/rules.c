/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "plain.h"

enum rules_state { RULES_IN_STEP, RULES_OUT_OF_STEP, RULES_LEFT_ALONE };

static bool rules_is(const struct json *item, const char *key, const char *value)
{
	const char *string = json_string(json_get(item, key));

	return string && strcmp(string, value) == 0;
}

static enum rules_state rules_state(const struct json *item)
{
	bool in_step = false;

	(void)json_bool(json_get(item, "in_step"), &in_step);
	if (in_step)
		return RULES_IN_STEP;
	return rules_is(item, "result", "skipped") ? RULES_LEFT_ALONE : RULES_OUT_OF_STEP;
}

static char *rules_place(const struct json *item)
{
	TEXT_CLEANUP struct text cell = TEXT_INIT;

	plain_place(&cell, item);
	return text_take(&cell);
}

/* The address that the thing holds now, or the name whose addresses. */
static char *rules_address(const struct json *item)
{
	TEXT_CLEANUP struct text cell = TEXT_INIT;
	const char *address = json_string(json_get(item, "old"));

	if (!address && rules_state(item) == RULES_IN_STEP)
		address = json_string(json_get(item, "new"));
	if (!address)
		address = json_string(json_get(item, "name"));
	plain_foreign(&cell, address && *address ? address : "-");
	return text_take(&cell);
}

static char *rules_string(const struct json *item, const char *key)
{
	TEXT_CLEANUP struct text cell = TEXT_INIT;
	const char *string = json_string(json_get(item, key));

	plain_foreign(&cell, string ? string : "-");
	return text_take(&cell);
}

static char *rules_note(const struct json *item)
{
	TEXT_CLEANUP struct text note = TEXT_INIT;
	const char *reason = json_string(json_get(item, "reason"));
	const char *wanted = json_string(json_get(item, "new"));

	if (reason)
		plain_foreign(&note, reason);
	else if (rules_state(item) == RULES_OUT_OF_STEP && wanted && *wanted) {
		text_add(&note, "should hold ");
		plain_foreign(&note, wanted);
	}
	return text_take(&note);
}

static void rules_add(struct plain_table *table, const struct json *item, bool with_wan)
{
	static const char *const states[] = { "in step", "out of step", "left alone" };
	static const enum plain_colour colours[] = { PLAIN_GREEN, PLAIN_RED,
						     PLAIN_YELLOW };
	struct plain_row *row = plain_table_add(table);
	enum rules_state state = rules_state(item);
	size_t i = 0;

	if (!row)
		return;
	row->cells[i++] = rules_place(item);
	row->cells[i++] = rules_address(item);
	row->cells[i++] = strdup(states[state]);
	if (with_wan)
		row->cells[i++] = rules_string(item, "wan");
	row->cells[i] = rules_string(item, "comment");
	row->note = rules_note(item);
	row->colour = colours[state];
	for (i = 0; i < table->columns; i++) {
		if (!row->cells[i])
			table->failed = true;
	}
	if (!row->note)
		table->failed = true;
	else if (!*row->note) {
		free(row->note);
		row->note = NULL;
	}
}

/* With one WAN its name on every line tells nothing. */
static bool rules_several_wans(const struct json *items)
{
	const char *first = NULL, *wan;
	const struct json *item;

	for (item = json_child(items); item; item = json_next(item)) {
		wan = json_string(json_get(item, "wan"));
		if (!first)
			first = wan;
		else if (wan && strcmp(first, wan) != 0)
			return true;
	}
	return false;
}

static void rules_show_verdict(const struct json *items, const struct ctl_view *view,
			       struct text *out)
{
	TEXT_CLEANUP struct text parts = TEXT_INIT;
	TEXT_CLEANUP struct text line = TEXT_INIT;
	int64_t of[3] = { 0 };
	const struct json *item;

	for (item = json_child(items); item; item = json_next(item))
		of[rules_state(item)]++;
	plain_part(&parts, of[RULES_IN_STEP], "in step");
	plain_part(&parts, of[RULES_OUT_OF_STEP], "out of step");
	plain_part(&parts, of[RULES_LEFT_ALONE], "left alone");
	plain_count(&line, (int64_t)json_count(items), "tagged: ", "tagged: ");
	text_addf(&line, "%s.", parts.bytes);
	plain_wrap(out, view, 0, 2, line.bytes);
	if (line.failed || parts.failed)
		out->failed = true;
}

void ctl_rules_show(const struct json *rules, const struct ctl_view *view,
		    struct text *out)
{
	struct plain_table table = {
		.columns = 4,
		.painted = 2,
		.last_wraps = true,
		.heads = { "RULE", "ADDRESS", "STATE", "COMMENT" },
	};
	const struct json *items = json_get(rules, "items");
	const struct json *item;
	bool with_wan = rules_several_wans(items);
	bool truncated;

	if (!json_child(items)) {
		plain_wrap(out, view, 0, 2,
			   "No rule is tagged. A NAT rule is hairpind's when its comment "
			   "holds the tag; see EXAMPLES in hairpind(8).");
		return;
	}
	if (with_wan) {
		table.columns = 5;
		table.heads[3] = "WAN";
		table.heads[4] = "COMMENT";
	}
	rules_show_verdict(items, view, out);
	text_add_char(out, '\n');
	for (item = json_child(items); item; item = json_next(item))
		rules_add(&table, item, with_wan);
	plain_table_show(&table, view, out);
	if (json_bool(json_get(rules, "truncated"), &truncated) && truncated)
		plain_wrap(out, view, 0, 2, "There are more; an answer is full.");
	plain_table_done(&table);
}
