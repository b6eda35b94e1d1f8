/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "plain.h"
#include "verdict.h"

/* --- records --- */

static char *status_cell(const struct json *record, const char *key)
{
	TEXT_CLEANUP struct text cell = TEXT_INIT;

	plain_member(&cell, record, key);
	return text_take(&cell);
}

static char *status_family_cell(const struct json *record)
{
	const char *family = json_string(json_get(record, "family"));

	if (family && strcmp(family, "ipv4") == 0)
		return strdup("IPv4");
	if (family && strcmp(family, "ipv6") == 0)
		return strdup("IPv6");
	return status_cell(record, "family");
}

static char *status_published_cell(const struct json *record)
{
	if (!json_string(json_get(record, "published")))
		return strdup("-");
	return status_cell(record, "published");
}

static bool status_is_wanted(const struct json *record)
{
	const char *wanted = json_string(json_get(record, "wanted"));
	const char *published = json_string(json_get(record, "published"));

	return wanted && (!published || strcmp(wanted, published) != 0);
}

/* What else there is to say of a record that is not simply current. */
static void status_add_troubles(struct text *note, const struct json *record)
{
	const char *last_answer = json_string(json_get(record, "last_answer"));
	const char *reason = json_string(json_get(record, "reason"));
	int64_t attempts = 0;

	if (reason)
		plain_foreign(plain_join(note), reason);
	else if (last_answer) {
		text_add(plain_join(note), "last answer ");
		plain_foreign(note, last_answer);
	}
	(void)json_integer(json_get(record, "attempts"), 0, INT32_MAX, &attempts);
	if (attempts)
		plain_count(plain_join(note), attempts, "attempt", "attempts");
}

static char *status_note(const struct json *record, const struct ctl_view *view)
{
	TEXT_CLEANUP struct text note = TEXT_INIT;
	const char *state = json_string(json_get(record, "state"));
	const char *next_try = json_string(json_get(record, "next_try"));
	bool current = verdict_of_state(state) == VERDICT_WELL;
	bool verified = true;

	if (status_is_wanted(record)) {
		text_add(plain_join(&note), "wanted: ");
		plain_member(&note, record, "wanted");
	}
	if (!current)
		status_add_troubles(&note, record);
	(void)json_bool(json_get(record, "verified"), &verified);
	if (current && !verified)
		text_add(plain_join(&note), "not verified");
	if (next_try && !current) {
		text_add(plain_join(&note), "next try ");
		plain_time(&note, view, next_try, PLAIN_NEXT);
	}
	if (state && strcmp(state, "disabled") == 0) {
		text_add(plain_join(&note), "when mended: hairpinctl update --force ");
		plain_member(&note, record, "hostname");
	}
	return text_take(&note);
}

static void status_add_record(struct plain_table *table, const struct json *record,
			      const struct ctl_view *view)
{
	struct plain_row *row = plain_table_add(table);

	if (!row)
		return;
	row->cells[0] = status_cell(record, "hostname");
	row->cells[1] = status_family_cell(record);
	row->cells[2] = status_cell(record, "provider");
	row->cells[3] = status_cell(record, "state");
	row->cells[4] = status_published_cell(record);
	row->note = status_note(record, view);
	row->colour = verdict_colour(
		verdict_of_state(json_string(json_get(record, "state"))));
	if (!row->cells[0] || !row->cells[1] || !row->cells[2] || !row->cells[3] ||
	    !row->cells[4] || !row->note)
		table->failed = true;
	if (row->note && !*row->note) {
		free(row->note);
		row->note = NULL;
	}
}

/* On a terminal the verdict is not to be pushed off by a thousand names. */
enum { STATUS_RECORDS_MANY = 24, STATUS_RECORDS_MOST = 48 };

struct status_unlisted {
	int64_t current, others;
};

static bool status_is_listed(const struct json *record, const struct plain_table *table,
			     struct status_unlisted *unlisted)
{
	const char *state = json_string(json_get(record, "state"));

	if (verdict_of_state(state) == VERDICT_WELL)
		unlisted->current++;
	else if (table->count < STATUS_RECORDS_MOST)
		return true;
	else
		unlisted->others++;
	return false;
}

static void status_show_unlisted(const struct status_unlisted *unlisted,
				 const struct ctl_view *view, struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;

	plain_part(&line, unlisted->current, "more current");
	plain_part(&line, unlisted->others, "more not current");
	if (!line.length)
		return;
	text_add(&line, "; \"hairpinctl | less\" lists all");
	plain_wrap(out, view, 2, 2, line.bytes);
	if (line.failed)
		out->failed = true;
}

static void status_show_records(const struct json *records, const struct ctl_view *view,
				struct text *out)
{
	struct plain_table table = {
		.columns = 5,
		.painted = 3,
		.heads = { "RECORD", "FAMILY", "PROVIDER", "STATE", "PUBLISHED" },
	};
	bool many = view->terminal && json_count(records) > STATUS_RECORDS_MANY;
	struct status_unlisted unlisted = { 0 };
	const struct json *record;

	for (record = json_child(records); record; record = json_next(record))
		if (!many || status_is_listed(record, &table, &unlisted))
			status_add_record(&table, record, view);
	text_add_char(out, '\n');
	if (table.count)
		plain_table_show(&table, view, out);
	else if (!many)
		plain_wrap(out, view, 0, 2, "No records: no provider is configured.");
	status_show_unlisted(&unlisted, view, out);
	plain_table_done(&table);
}

/* --- names in comments --- */

static void status_add_addresses(struct text *cell, const struct json *list)
{
	const struct json *address;

	for (address = json_child(list); address; address = json_next(address)) {
		text_add(cell, cell->length ? ", " : "");
		plain_foreign(cell, json_string(address));
	}
}

static char *status_addresses_cell(const struct json *name)
{
	TEXT_CLEANUP struct text cell = TEXT_INIT;

	status_add_addresses(&cell, json_get(name, "ipv4"));
	status_add_addresses(&cell, json_get(name, "ipv6"));
	if (!cell.length)
		text_add_char(&cell, '-');
	return text_take(&cell);
}

static char *status_name_note(const struct json *name, const struct ctl_view *view)
{
	TEXT_CLEANUP struct text note = TEXT_INIT;
	const char *reason = json_string(json_get(name, "reason"));
	const char *state = json_string(json_get(name, "state"));
	const char *next_try = json_string(json_get(name, "next_try"));

	if (reason)
		plain_foreign(&note, reason);
	if (next_try && verdict_of_state(state) != VERDICT_WELL) {
		text_add(plain_join(&note), "next try ");
		plain_time(&note, view, next_try, PLAIN_NEXT);
	}
	return text_take(&note);
}

static void status_add_name(struct plain_table *table, const struct json *name,
			    const struct ctl_view *view)
{
	struct plain_row *row = plain_table_add(table);

	if (!row)
		return;
	row->cells[0] = status_cell(name, "name");
	row->cells[1] = status_cell(name, "state");
	row->cells[2] = status_addresses_cell(name);
	row->note = status_name_note(name, view);
	row->colour = verdict_colour(
		verdict_of_state(json_string(json_get(name, "state"))));
	if (!row->cells[0] || !row->cells[1] || !row->cells[2] || !row->note)
		table->failed = true;
	if (row->note && !*row->note) {
		free(row->note);
		row->note = NULL;
	}
}

/* Few use them: who does not shall not read of them. */
static void status_show_names(const struct json *names, const struct ctl_view *view,
			      struct text *out)
{
	struct plain_table table = {
		.columns = 3,
		.painted = 1,
		.last_wraps = true,
		.heads = { "NAME", "STATE", "ADDRESSES" },
	};
	const struct json *name;

	if (!json_child(names))
		return;
	for (name = json_child(names); name; name = json_next(name))
		status_add_name(&table, name, view);
	text_add_char(out, '\n');
	plain_table_show(&table, view, out);
	plain_table_done(&table);
}

/* What somebody told it for a while. */
static void status_show_steered(const struct json *status, const struct ctl_view *view,
				struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	const char *paused = json_string(json_get(status, "paused_until"));
	const struct json *log = json_get(status, "log");
	const char *until = json_string(json_get(log, "until"));

	if (paused) {
		text_add(&line, "it goes on ");
		plain_time(&line, view, paused, PLAIN_NEXT);
		text_add(&line, ", or with \"hairpinctl resume\"");
		plain_labelled(out, view, "paused", line.bytes);
		text_clear(&line);
	}
	if (!log || json_kind(log) != JSON_OBJECT)
		return;
	text_add(&line, "level ");
	plain_member(&line, log, "level");
	if (until) {
		text_add(&line, "; the configured one again ");
		plain_time(&line, view, until, PLAIN_NEXT);
	}
	plain_labelled(out, view, "log", line.bytes);
	if (line.failed)
		out->failed = true;
}

static void status_show_daemon(const struct json *status, const struct ctl_view *view,
			       struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	int64_t uptime_s;

	text_add(&line, "hairpind ");
	plain_member(&line, status, "version");
	text_add(&line, ", process ");
	plain_number(&line, status, "pid");
	if (json_integer(json_get(status, "uptime_s"), 0, INT64_MAX / 2, &uptime_s)) {
		text_add(&line, ", up for ");
		plain_duration(&line, uptime_s);
	}
	text_add(&line, ", publisher ");
	plain_member(&line, status, "publisher");
	text_add_char(out, '\n');
	plain_wrap(out, view, 0, 2, line.bytes);
	status_show_steered(status, view, out);
	if (line.failed)
		out->failed = true;
}

void ctl_status_show(const struct json *status, const struct ctl_view *view,
		     struct text *out)
{
	const struct json *wan;

	verdict_show(status, view, out);
	for (wan = json_child(json_get(status, "wans")); wan; wan = json_next(wan))
		status_show_wan(wan, view, out);
	status_show_records(json_get(status, "records"), view, out);
	status_show_names(json_get(status, "names"), view, out);
	status_show_hooks(status, view, out);
	status_show_daemon(status, view, out);
}
