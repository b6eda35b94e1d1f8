/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "plain.h"
#include "verdict.h"

/* --- one WAN --- */

/* What to do about an address that the internet cannot reach. */
static const char *status_advice(const char *class)
{
	if (strcmp(class, "private") == 0)
		return "not published: another router in front of this one holds the "
		       "public address. Make it a bridge, or see DOUBLE NAT in "
		       "hairpind(8).";
	if (strcmp(class, "cgnat") == 0)
		return "not published: the provider shares its public address among "
		       "customers (CGNAT), nothing from outside comes in. Ask for an "
		       "address of your own, or use IPv6.";
	return "not published: nobody outside can reach such an address.";
}

/* Of a family whose address is found from outside: what stands in the way, if anything. */
static void status_show_outside(const struct json *wan, const char *family,
				const struct ctl_view *view, struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	const struct json *outside = json_child(json_get(wan, "outside"));
	const char *of, *reason, *next;
	bool needed = false;

	while (outside && !((of = json_string(json_get(outside, "family"))) &&
			    strcmp(of, family) == 0))
		outside = json_next(outside);
	(void)json_bool(json_get(outside, "needed"), &needed);
	if (!needed)
		return;
	if (json_string(json_get(outside, "interface_address"))) {
		text_add(&line, "the interface's own is ");
		plain_member(&line, outside, "interface_address");
		text_add(&line, "; ");
	}
	text_add(&line, "the public one is asked for by ");
	plain_member(&line, outside, "source");
	reason = json_string(json_get(outside, "reason"));
	next = json_string(json_get(outside, "next_look"));
	if (reason) {
		text_add(&line, "; the last look failed: ");
		plain_foreign(&line, reason);
	}
	if (reason && next) {
		text_add(&line, "; next look ");
		plain_time(&line, view, next, PLAIN_NEXT);
	}
	plain_labelled(out, view, "", line.bytes);
	if (line.failed)
		out->failed = true;
}

static void status_show_side(const struct json *wan, const char *family,
			     const char *label, const struct ctl_view *view,
			     struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	const struct json *side = json_get(wan, family);
	const char *source = json_string(json_get(side, "source"));

	if (!side || json_kind(side) == JSON_NULL) {
		plain_labelled(out, view, label, "none");
		status_show_outside(wan, family, view, out);
		return;
	}
	plain_member(&line, side, "address");
	text_add_char(&line, ' ');
	plain_member(&line, side, "class");
	text_add(&line, ", ");
	plain_time(&line, view, json_string(json_get(side, "since")), PLAIN_SINCE);
	if (source && strcmp(source, "interface") != 0) {
		text_add(&line, ", source ");
		plain_foreign(&line, source);
	}
	plain_labelled(out, view, label, line.bytes);
	if (verdict_is_inner(side))
		plain_labelled(out, view, "",
			       status_advice(json_string(json_get(side, "class"))));
	status_show_outside(wan, family, view, out);
	if (line.failed)
		out->failed = true;
}

/* What IPv6 rules follow, where that is not the address. */
static void status_show_prefix(const struct json *wan, const struct ctl_view *view,
			       struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	const struct json *prefix = json_get(wan, "ipv6_prefix");

	if (!prefix || json_kind(prefix) == JSON_NULL)
		return;
	if (!json_string(json_get(prefix, "prefix"))) {
		plain_labelled(out, view, "prefix",
			       "none; rules stay what they are, names of "
			       "its hosts are not published");
		return;
	}
	plain_member(&line, prefix, "prefix");
	text_add(&line, ", ");
	plain_time(&line, view, json_string(json_get(prefix, "since")), PLAIN_SINCE);
	plain_labelled(out, view, "prefix", line.bytes);
	if (line.failed)
		out->failed = true;
}

static void status_add_counts(struct text *line, const struct json *rules)
{
	TEXT_CLEANUP struct text parts = TEXT_INIT;
	int64_t tagged, in_step, skipped;

	if (!json_integer(json_get(rules, "tagged"), 0, INT32_MAX, &tagged) ||
	    !json_integer(json_get(rules, "in_step"), 0, INT32_MAX, &in_step) ||
	    !json_integer(json_get(rules, "skipped"), 0, INT32_MAX, &skipped)) {
		text_add_char(line, '?');
		return;
	}
	plain_part(&parts, in_step, "in step");
	if (tagged > in_step + skipped)
		plain_part(&parts, tagged - in_step - skipped, "not in step");
	plain_part(&parts, skipped, "left alone");
	plain_count(line, tagged, "tagged", "tagged");
	text_addf(line, "%s%s", parts.length ? ": " : "", parts.bytes);
	if (parts.failed)
		line->failed = true;
}

static void status_add_sync(struct text *line, const struct json *rules,
			    const struct ctl_view *view)
{
	const char *last_sync = json_string(json_get(rules, "last_sync"));
	int64_t commit_us = 0;

	if (!last_sync)
		return;
	text_add(line, "; looked at ");
	plain_time(line, view, last_sync, PLAIN_AGO);
	(void)json_integer(json_get(rules, "last_commit_us"), 0, INT32_MAX, &commit_us);
	if (commit_us)
		text_addf(line, ", last commit %d us", (int)commit_us);
}

static void status_show_rules(const struct json *wan, const struct ctl_view *view,
			      struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	const struct json *rules = json_get(wan, "rules");
	const char *error = json_string(json_get(rules, "error"));

	if (!rules || json_kind(rules) == JSON_NULL) {
		plain_labelled(out, view, "rules", "not looked at");
		return;
	}
	status_add_counts(&line, rules);
	status_add_sync(&line, rules, view);
	plain_labelled(out, view, "rules", line.bytes);
	if (error) {
		text_clear(&line);
		plain_foreign(&line, error);
		plain_labelled(out, view, "error", line.bytes);
	}
	if (line.failed)
		out->failed = true;
}

static void status_show_wan(const struct json *wan, const struct ctl_view *view,
			    struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	const char *interface = json_string(json_get(wan, "interface"));
	bool up = false;

	text_add(&line, "WAN ");
	plain_member(&line, wan, "name");
	text_add(&line, ": ");
	if (interface && *interface) {
		plain_foreign(&line, interface);
		(void)json_bool(json_get(wan, "up"), &up);
		text_add(&line, up ? ", up" : ", down");
	} else {
		text_add(&line, "no interface; there is no default route");
	}
	text_add_char(out, '\n');
	plain_wrap(out, view, 0, 2, line.bytes);
	status_show_side(wan, "ipv4", "IPv4", view, out);
	status_show_side(wan, "ipv6", "IPv6", view, out);
	status_show_prefix(wan, view, out);
	status_show_rules(wan, view, out);
	if (line.failed)
		out->failed = true;
}

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

static struct text *status_begin(struct text *note)
{
	text_add(note, note->length ? "; " : "");
	return note;
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
		plain_foreign(status_begin(note), reason);
	else if (last_answer) {
		text_add(status_begin(note), "last answer ");
		plain_foreign(note, last_answer);
	}
	(void)json_integer(json_get(record, "attempts"), 0, INT32_MAX, &attempts);
	if (attempts)
		plain_count(status_begin(note), attempts, "attempt", "attempts");
}

static char *status_note(const struct json *record, const struct ctl_view *view)
{
	TEXT_CLEANUP struct text note = TEXT_INIT;
	const char *state = json_string(json_get(record, "state"));
	const char *next_try = json_string(json_get(record, "next_try"));
	bool current = verdict_of_state(state) == VERDICT_WELL;
	bool verified = true;

	if (status_is_wanted(record)) {
		text_add(status_begin(&note), "wanted: ");
		plain_member(&note, record, "wanted");
	}
	if (!current)
		status_add_troubles(&note, record);
	(void)json_bool(json_get(record, "verified"), &verified);
	if (current && !verified)
		text_add(status_begin(&note), "not verified");
	if (next_try && !current) {
		text_add(status_begin(&note), "next try ");
		plain_time(&note, view, next_try, PLAIN_NEXT);
	}
	if (state && strcmp(state, "disabled") == 0) {
		text_add(status_begin(&note), "when mended: hairpinctl update --force ");
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

static void status_show_records(const struct json *records, const struct ctl_view *view,
				struct text *out)
{
	struct plain_table table = {
		.columns = 5,
		.painted = 3,
		.heads = { "RECORD", "FAMILY", "PROVIDER", "STATE", "PUBLISHED" },
	};
	const struct json *record;

	for (record = json_child(records); record; record = json_next(record))
		status_add_record(&table, record, view);
	text_add_char(out, '\n');
	if (table.count)
		plain_table_show(&table, view, out);
	else
		plain_wrap(out, view, 0, 2, "No records: no provider is configured.");
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
		text_add(status_begin(&note), "next try ");
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
static void status_add_steered(struct text *line, const struct json *status,
			       const struct ctl_view *view)
{
	const char *paused = json_string(json_get(status, "paused_until"));
	const struct json *log = json_get(status, "log");
	const char *until = json_string(json_get(log, "until"));

	if (paused) {
		text_add(line, ", paused, goes on ");
		plain_time(line, view, paused, PLAIN_NEXT);
	}
	if (!log || json_kind(log) != JSON_OBJECT)
		return;
	text_add(line, ", logs at level ");
	plain_member(line, log, "level");
	if (until) {
		text_add(line, ", as before ");
		plain_time(line, view, until, PLAIN_NEXT);
	}
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
	status_add_steered(&line, status, view);
	text_add_char(out, '\n');
	plain_wrap(out, view, 0, 2, line.bytes);
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
