/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks, for people: a part of the status, a list, and what one did. */
#include <stdlib.h>
#include <string.h>

#include "plain.h"
#include "verdict.h"

static char *cell_of(const struct json *hook, const char *key)
{
	TEXT_CLEANUP struct text cell = TEXT_INIT;

	if (json_string(json_get(hook, key)))
		plain_member(&cell, hook, key);
	else
		text_add_char(&cell, '-');
	return text_take(&cell);
}

static char *cell_of_time(const struct json *hook, const struct ctl_view *view)
{
	TEXT_CLEANUP struct text cell = TEXT_INIT;
	const char *when = json_string(json_get(hook, "last_run"));

	if (when)
		plain_time(&cell, view, when, PLAIN_AGO);
	else
		text_add_char(&cell, '-');
	return text_take(&cell);
}

/* "12", "12, 3 failed" */
static char *cell_of_runs(const struct json *hook)
{
	TEXT_CLEANUP struct text cell = TEXT_INIT;
	int64_t runs, failures = 0;

	if (!json_integer(json_get(hook, "runs"), 0, INT32_MAX, &runs)) {
		text_add_char(&cell, '-');
		return text_take(&cell);
	}
	(void)json_integer(json_get(hook, "failures"), 0, INT32_MAX, &failures);
	text_addf(&cell, "%d", (int)runs);
	if (failures)
		text_addf(&cell, ", %d failed", (int)failures);
	return text_take(&cell);
}

/* The row names the hook already, and says that it is refused. */
static const char *without_name(const char *reason, const char *name)
{
	const char *const before[] = { "hook ", name ? name : "", " ",
					      "is refused: " };
	size_t i, length;
	const char *rest = reason;

	for (i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		length = strlen(before[i]);
		if (strncmp(rest, before[i], length) != 0)
			return i < 3 ? reason : rest;
		rest += length;
	}
	return rest;
}

static char *note_of(const struct json *hook)
{
	TEXT_CLEANUP struct text note = TEXT_INIT;
	const char *reason = json_string(json_get(hook, "reason"));

	if (!reason)
		return NULL;
	plain_foreign(&note, without_name(reason, json_string(json_get(hook, "name"))));
	return text_take(&note);
}

static void row_check(struct plain_table *table, const struct plain_row *row)
{
	for (size_t i = 0; i < table->columns; i++)
		if (!row->cells[i])
			table->failed = true;
}

/* --- in the status --- */

bool hook_is_well(const struct json *hook)
{
	const char *result = json_string(json_get(hook, "result"));

	return result && strcmp(result, "ok") == 0;
}

static void status_add_hook(struct plain_table *table, const struct json *hook,
			    const struct ctl_view *view)
{
	struct plain_row *row = plain_table_add(table);

	if (!row)
		return;
	row->cells[0] = cell_of(hook, "name");
	row->cells[1] = cell_of_time(hook, view);
	row->cells[2] = cell_of(hook, "result");
	row->cells[3] = cell_of(hook, "event");
	row->note = note_of(hook);
	row->colour = verdict_colour(hook_is_well(hook) ? VERDICT_WELL
							 : VERDICT_ATTENTION);
	row_check(table, row);
}

void status_show_hooks(const struct json *status, const struct ctl_view *view,
		       struct text *out)
{
	struct plain_table table = {
		.columns = 4,
		.painted = 2,
		.heads = { "HOOK", "LAST RUN", "RESULT", "EVENT" },
	};
	TEXT_CLEANUP struct text line = TEXT_INIT;
	const struct json *hooks = json_child(json_get(status, "hooks")), *hook = hooks;
	const char *reason = json_string(json_get(status, "hooks_reason"));

	if (!hook && !reason)
		return;
	text_add_char(out, '\n');
	for (; hook; hook = json_next(hook))
		status_add_hook(&table, hook, view);
	if (table.count)
		plain_table_show(&table, view, out);
	plain_table_done(&table);
	if (!reason)
		return;
	text_add(out, hooks ? "\n" : "");
	text_add(&line, "No hook is run: ");
	plain_foreign(&line, reason);
	plain_wrap(out, view, 0, 2, line.bytes);
	if (line.failed)
		out->failed = true;
}

/* --- hook list --- */

static enum plain_colour colour_of(const struct json *hook)
{
	const char *state = json_string(json_get(hook, "state"));

	if (state && strcmp(state, "ready") == 0)
		return PLAIN_GREEN;
	return state && strcmp(state, "refused") == 0 ? PLAIN_RED : PLAIN_NO_COLOUR;
}

static void list_add(struct plain_table *table, const struct json *hook,
		     const struct ctl_view *view)
{
	struct plain_row *row = plain_table_add(table);

	if (!row)
		return;
	row->cells[0] = cell_of(hook, "name");
	row->cells[1] = cell_of(hook, "state");
	row->cells[2] = cell_of_time(hook, view);
	row->cells[3] = cell_of(hook, "event");
	row->cells[4] = cell_of(hook, "result");
	row->cells[5] = cell_of_runs(hook);
	row->note = note_of(hook);
	row->colour = colour_of(hook);
	row_check(table, row);
}

static void list_head(const struct json *list, const struct ctl_view *view,
		      struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	const char *reason = json_string(json_get(list, "reason"));

	if (!json_string(json_get(list, "directory"))) {
		plain_wrap(out, view, 0, 2,
			   "No hooks: the configuration names no directory of them.");
		return;
	}
	text_add(&line, reason ? "No hook is run: " : "Hooks in ");
	if (reason)
		plain_foreign(&line, reason);
	else
		plain_member(&line, list, "directory");
	if (!reason && !json_child(json_get(list, "hooks")))
		text_add(&line, ": none");
	plain_wrap(out, view, 0, 2, line.bytes);
	if (line.failed)
		out->failed = true;
}

void ctl_hooks_show(const struct json *list, const struct ctl_view *view,
		    struct text *out)
{
	struct plain_table table = {
		.columns = 6,
		.painted = 1,
		.heads = { "HOOK", "STATE", "LAST RUN", "EVENT", "RESULT", "RUNS" },
	};
	const struct json *hook = json_child(json_get(list, "hooks"));

	list_head(list, view, out);
	if (!hook)
		return;
	for (; hook; hook = json_next(hook))
		list_add(&table, hook, view);
	text_add_char(out, '\n');
	plain_table_show(&table, view, out);
	plain_table_done(&table);
}

/* --- hook test --- */

static void output_line(const char *line, size_t length, const struct ctl_view *view,
			struct text *out)
{
	char shown[1024];

	if (length)
		plain_wrap(out, view, 2, 4,
			   text_escape(shown, sizeof(shown), line, length));
}

void ctl_hook_test_show(const struct json *answer, const struct ctl_view *view,
			struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	const char *output = json_string(json_get(answer, "output"));
	size_t length;

	text_add(&line, "hook ");
	plain_member(&line, answer, "name");
	text_add(&line, ", event ");
	plain_member(&line, answer, "event");
	text_add(&line, ": ");
	plain_member(&line, answer, "result");
	plain_wrap(out, view, 0, 2, line.bytes);
	if (line.failed)
		out->failed = true;
	for (; output && *output; output += length + (output[length] == '\n')) {
		length = strcspn(output, "\n");
		output_line(output, length, view, out);
	}
}
