/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalogue for people: a table of all, or all of one. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "plain.h"

static bool is_true(const struct json *object, const char *key)
{
	bool value = false;

	return json_bool(json_get(object, key), &value) && value;
}

static const char *text_of(const struct json *object, const char *key)
{
	const char *string = json_string(json_get(object, key));

	return string ? string : "";
}

static bool says(const struct json *object, const char *key, const char *word)
{
	return strcmp(text_of(object, key), word) == 0;
}

/* --- what it takes, in words --- */

static void add_families(struct text *out, const struct json *provider)
{
	const struct json *item = json_child(json_get(provider, "families"));
	const char *between = is_true(provider, "dual") ? " and " : ", ";

	for (bool first = true; item; item = json_next(item), first = false) {
		const char *family = json_string(item);

		text_add(out, first ? "" : between);
		text_add(out, family && strcmp(family, "ipv6") == 0 ? "IPv6" : "IPv4");
	}
	if (is_true(provider, "dual"))
		text_add(out, " at once");
}

static void add_word(struct text *out, const char *word)
{
	text_add(out, out->length ? ", " : "");
	text_add(out, word);
}

static void add_takes(struct text *out, const struct json *provider)
{
	int64_t batch = 1;

	add_families(out, provider);
	if (is_true(provider, "steps"))
		add_word(out, "several steps");
	if (json_integer(json_get(provider, "batch"), 2, INT32_MAX, &batch))
		text_addf(out, "%s%" PRId64 " names at once", out->length ? ", " : "",
			  batch);
	if (says(provider, "wildcard", "yes"))
		add_word(out, "wildcards");
	if (says(provider, "address", "connection"))
		add_word(out, "the connection's address only");
	if (says(provider, "protocol", "rfc2136"))
		add_word(out, "DNS UPDATE");
	if (*text_of(provider, "sign"))
		add_word(out, "signed");
	if (is_true(provider, "contact"))
		add_word(out, "wants a contact");
}

static void add_ended(struct text *out, const struct json *provider)
{
	int64_t year;

	text_add(out, "shut down");
	if (json_integer(json_get(provider, "ended"), 1, 9999, &year))
		text_addf(out, " in %" PRId64, year);
}

/* --- all: a table --- */

static enum plain_colour colour_of(const struct json *provider)
{
	if (says(provider, "status", "broken"))
		return PLAIN_RED;
	return says(provider, "status", "shut down") ? PLAIN_YELLOW : PLAIN_NO_COLOUR;
}

static char *taken(struct plain_table *table, struct text *cell)
{
	char *string = cell->failed ? NULL : strdup(cell->bytes);

	table->failed = table->failed || !string;
	text_clear(cell);
	return string;
}

static void add_summary(struct text *out, const struct json *provider)
{
	TEXT_CLEANUP struct text takes = TEXT_INIT;

	if (says(provider, "status", "shut down"))
		add_ended(&takes, provider);
	else
		add_takes(&takes, provider);
	text_add(out, takes.bytes);
	out->failed = out->failed || takes.failed;
}

static void add_row(struct plain_table *table, const struct json *provider)
{
	TEXT_CLEANUP struct text cell = TEXT_INIT;
	struct plain_row *row = plain_table_add(table);

	if (!row)
		return;
	row->colour = colour_of(provider);
	plain_member(&cell, provider, "id");
	text_add(&cell, is_true(provider, "own") ? " *" : "");
	row->cells[0] = taken(table, &cell);
	plain_member(&cell, provider, "status");
	row->cells[1] = taken(table, &cell);
	if (says(provider, "status", "broken")) {
		plain_foreign(&cell, text_of(provider, "error"));
	} else {
		plain_member(&cell, provider, "name");
		text_add(&cell, ": ");
		add_summary(&cell, provider);
	}
	row->cells[2] = taken(table, &cell);
}

static void show_table(const struct json *array, const struct ctl_view *view,
		       struct text *out)
{
	struct plain_table table = {
		.columns = 3, .painted = 1, .last_wraps = true,
		.heads = { "TYPE", "STATUS", "NAME: WHAT IT TAKES" },
	};
	const struct json *item;
	bool own = false;

	for (item = json_child(array); item; item = json_next(item)) {
		add_row(&table, item);
		own = own || is_true(item, "own");
	}
	plain_table_show(&table, view, out);
	plain_table_done(&table);
	if (own)
		plain_wrap(out, view, 0, 2,
			   "* of this machine, in " HAIRPIN_SYSCONFDIR "/providers");
}

/* --- one --- */

static void show_setting(const struct json *setting, const struct ctl_view *view,
			 struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT, name = TEXT_INIT;
	const struct json *choice = json_child(json_get(setting, "choices"));

	plain_member(&name, setting, "name");
	plain_paint(out, view, PLAIN_BOLD, "  ");
	plain_paint(out, view, PLAIN_BOLD, name.bytes);
	text_add(out, is_true(setting, "required") ? "  must be there" : "");
	text_add(out, is_true(setting, "secret") ? "  secret" : "");
	text_add_char(out, '\n');
	plain_member(&line, setting, "help");
	for (bool first = true; choice; choice = json_next(choice), first = false) {
		text_add(&line, first ? "; one of " : ", ");
		plain_foreign(&line, json_string(choice));
	}
	if (*text_of(setting, "default")) {
		text_add(&line, "; default: ");
		plain_member(&line, setting, "default");
	}
	plain_wrap(out, view, 6, 6, line.bytes);
	out->failed = out->failed || line.failed || name.failed;
}

static void show_labelled(const struct json *provider, const char *key, const char *label,
			  const struct ctl_view *view, struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;

	if (!*text_of(provider, key))
		return;
	plain_member(&line, provider, key);
	plain_labelled(out, view, label, line.bytes);
	out->failed = out->failed || line.failed;
}

static void show_times(const struct json *provider, const struct ctl_view *view,
		       struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;

	if (*text_of(provider, "min_interval")) {
		plain_member(&line, provider, "min_interval");
		text_add(&line, " between two updates of a name");
	}
	if (*text_of(provider, "refresh")) {
		text_add(&line, line.length ? "; " : "");
		text_add(&line, "an update every ");
		plain_member(&line, provider, "refresh");
		text_add(&line, " also without a change, since names expire");
	}
	if (line.length)
		plain_labelled(out, view, "times", line.bytes);
	out->failed = out->failed || line.failed;
}

static void show_traits(const struct json *provider, const struct ctl_view *view,
			struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;

	add_takes(&line, provider);
	plain_labelled(out, view, "takes", line.bytes);
	show_times(provider, view, out);
	if (says(provider, "other_family", "deleted"))
		plain_labelled(out, view, "note",
			       "an update of one family deletes the other's record; "
			       "hairpind sends both");
	out->failed = out->failed || line.failed;
}

static void show_example(const struct json *provider, const struct ctl_view *view,
			 struct text *out)
{
	const struct json *member = json_child(json_get(provider, "example"));

	if (!member)
		return;
	text_add_char(out, '\n');
	plain_paint(out, view, PLAIN_BOLD, "An entry of \"providers\":");
	text_add(out, "\n{");
	for (const char *before = ""; member; member = json_next(member), before = ",") {
		char *value = json_print(member, false);

		text_addf(out, "%s\n  \"", before);
		plain_foreign(out, json_key(member));
		text_add(out, "\": ");
		if (value)
			ctl_json_show(value, strlen(value), out);
		out->failed = out->failed || !value;
		free(value);
	}
	text_add(out, "\n}\n");
}

static void show_one(const struct json *provider, const struct ctl_view *view,
		     struct text *out)
{
	const struct json *setting = json_child(json_get(provider, "settings"));
	TEXT_CLEANUP struct text line = TEXT_INIT;

	plain_member(&line, provider, "id");
	text_add(&line, ": ");
	plain_member(&line, provider, "name");
	if (is_true(provider, "own"))
		text_add(&line, " (of this machine)");
	plain_paint(out, view, PLAIN_BOLD, line.bytes);
	text_add_char(out, '\n');
	show_labelled(provider, "website", "site", view, out);
	if (says(provider, "status", "shut down")) {
		text_clear(&line);
		add_ended(&line, provider);
		plain_labelled(out, view, "status", line.bytes);
		show_labelled(provider, "instead", "use", view, out);
		show_labelled(provider, "note", "note", view, out);
		return;
	}
	show_labelled(provider, "status", "status", view, out);
	show_labelled(provider, "error", "error", view, out);
	if (says(provider, "status", "broken"))
		return;
	show_traits(provider, view, out);
	show_labelled(provider, "note", "note", view, out);
	if (setting)
		text_add(out, "\nSettings:\n");
	for (; setting; setting = json_next(setting))
		show_setting(setting, view, out);
	show_example(provider, view, out);
	out->failed = out->failed || line.failed;
}

void ctl_providers_show(const struct json *providers, bool one,
			const struct ctl_view *view, struct text *out)
{
	const struct json *array = json_get(providers, "providers");

	if (one)
		show_one(json_child(array), view, out);
	else
		show_table(array, view, out);
}
