/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor_show.h"

#include <string.h>

#include "plain.h"

static void show_lines(const struct json *list, unsigned indent,
		       const struct ctl_view *view, struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;

	for (list = json_child(list); list; list = json_next(list)) {
		text_clear(&line);
		plain_foreign(&line, json_string(list));
		plain_wrap(out, view, indent, indent + 2, line.bytes);
	}
}

static void show_check(const struct json *check, const struct ctl_view *view,
		       struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	const struct json *remedy = json_get(check, "remedy");

	plain_member(&line, check, "verdict");
	text_add(&line, " ");
	plain_member(&line, check, "code");
	text_add(&line, ": ");
	plain_member(&line, check, "text");
	plain_wrap(out, view, 0, 2, line.bytes);
	show_lines(json_get(check, "evidence"), 2, view, out);
	if (!json_string(json_get(remedy, "text")))
		return;
	text_clear(&line);
	plain_member(&line, remedy, "text");
	plain_wrap(out, view, 2, 4, line.bytes);
	show_lines(json_get(remedy, "commands"), 4, view, out);
}

void doctor_show(const struct json *report, const struct ctl_view *view, struct text *out)
{
	const struct json *check;

	plain_member(out, report, "verdict");
	text_add_char(out, '\n');
	for (check = json_child(json_get(report, "checks")); check;
	     check = json_next(check))
		show_check(check, view, out);
}

void doctor_show_probe(const struct json *report, const struct ctl_view *view,
		       struct text *out)
{
	const struct json *probe;

	plain_member(out, report, "verdict");
	text_add_char(out, '\n');
	for (probe = json_child(json_get(report, "probes")); probe;
	     probe = json_next(probe)) {
		plain_member(out, probe, "text");
		text_add_char(out, '\n');
		show_lines(json_get(probe, "evidence"), 2, view, out);
	}
}
