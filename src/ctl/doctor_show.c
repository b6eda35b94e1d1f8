/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor_show.h"

#include <stdlib.h>
#include <string.h>

enum { SHOW_INDENT = 2, SHOW_COMMAND = 4 };

static bool check_is(const struct json *check, const char *verdict)
{
	const char *is = json_string(json_get(check, "verdict"));

	return is && strcmp(is, verdict) == 0;
}

/* --- parts --- */

void doctor_show_list(const struct json *list, const struct ctl_view *view,
		      struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;

	for (list = json_child(list); list; list = json_next(list)) {
		text_clear(&line);
		text_add(&line, "- ");
		plain_foreign(&line, json_string(list));
		plain_wrap(out, view, SHOW_INDENT, SHOW_COMMAND, line.bytes);
	}
	if (line.failed)
		out->failed = true;
}

/*
 * Does a terminal show it as it is? Escaping makes all else longer, and doubles backslashes.
 */
static bool command_is_harmless(const char *command, struct text *out)
{
	size_t length = strlen(command), room = 4 * length + 1, doubled = 0;
	char *escaped = malloc(room);
	const char *c;
	bool same;

	if (!escaped) {
		out->failed = true;
		return false;
	}
	for (c = command; *c; c++)
		doubled += *c == '\\';
	same = strlen(text_escape(escaped, room, command, length)) == length + doubled;
	free(escaped);
	return same;
}

/* Not escaped: what is to be copied into a shell would be another command then. */
void doctor_show_command(const char *command, const struct ctl_view *view,
			 struct text *out)
{
	if (!command_is_harmless(command, out)) {
		plain_wrap(out, view, SHOW_COMMAND, SHOW_COMMAND,
			   "(a command that a terminal cannot show; --json has it)");
		return;
	}
	text_addf(out, "%*s", SHOW_COMMAND, "");
	plain_paint(out, view, PLAIN_BOLD, command);
	text_add_char(out, '\n');
}

/* --- one check --- */

static void show_heading(const struct json *check, const char *word,
			 enum plain_colour colour, const struct ctl_view *view,
			 struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;

	text_add_char(out, '\n');
	plain_paint(out, view, colour, word);
	text_add_char(out, ' ');
	plain_member(&line, check, "code");
	if (json_string(json_get(check, "subject"))) {
		text_add(&line, ": ");
		plain_member(&line, check, "subject");
	}
	plain_wrap_from(out, view, (unsigned)strlen(word) + 1, SHOW_INDENT, line.bytes);
	if (line.failed)
		out->failed = true;
}

/* What is only a note need not be mended. */
static void show_remedy(const struct json *check, const struct ctl_view *view,
			struct text *out)
{
	const struct json *remedy = json_get(check, "remedy");
	const struct json *command = json_child(json_get(remedy, "commands"));
	const char *place = json_string(json_get(remedy, "place"));
	TEXT_CLEANUP struct text line = TEXT_INIT;

	if (!json_string(json_get(remedy, "text")))
		return;
	if (place && strcmp(place, "server") == 0)
		text_add(&line, "On the server: ");
	else if (check_is(check, "finding"))
		text_add(&line, "Mend: ");
	plain_member(&line, remedy, "text");
	plain_wrap(out, view, SHOW_INDENT, SHOW_INDENT, line.bytes);
	for (; command; command = json_next(command)) {
		if (json_string(command))
			doctor_show_command(json_string(command), view, out);
	}
	if (line.failed)
		out->failed = true;
}

static void show_check(const struct json *check, const char *word,
		       enum plain_colour colour, const struct ctl_view *view,
		       struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;

	show_heading(check, word, colour, view, out);
	plain_member(&line, check, "text");
	plain_wrap(out, view, SHOW_INDENT, SHOW_INDENT, line.bytes);
	doctor_show_list(json_get(check, "evidence"), view, out);
	show_remedy(check, view, out);
	if (line.failed)
		out->failed = true;
}

static void show_checks(const struct json *report, const char *verdict, const char *word,
			enum plain_colour colour, const struct ctl_view *view,
			struct text *out)
{
	const struct json *check = json_child(json_get(report, "checks"));

	for (; check; check = json_next(check)) {
		if (check_is(check, verdict))
			show_check(check, word, colour, view, out);
	}
}

/* What is well needs no words but its name, each once. */
static void show_well(const struct json *report, const struct ctl_view *view,
		      struct text *out)
{
	const struct json *checks = json_get(report, "checks"), *check, *earlier;
	TEXT_CLEANUP struct text line = TEXT_INIT;

	for (check = json_child(checks); check; check = json_next(check)) {
		const char *code = json_string(json_get(check, "code"));

		if (!check_is(check, "ok") || !code)
			continue;
		for (earlier = json_child(checks); earlier != check;
		     earlier = json_next(earlier)) {
			if (check_is(earlier, "ok") &&
			    strcmp(json_string(json_get(earlier, "code")) ?: "", code) == 0)
				break;
		}
		if (earlier != check)
			continue;
		text_add(&line, line.length ? ", " : "Well: ");
		plain_foreign(&line, code);
	}
	if (!line.length)
		return;
	text_add(&line, ".");
	text_add_char(out, '\n');
	plain_wrap(out, view, 0, SHOW_INDENT, line.bytes);
	if (line.failed)
		out->failed = true;
}

/* --- the whole --- */

static void verdict_of_forwards(const struct json *report, struct text *line)
{
	struct doctor_sums sums = doctor_sum(json_get(report, "forwards"));

	if (!sums.forwards) {
		text_add(line, ": no port forward was found.");
		return;
	}
	text_add(line, ": ");
	if (!sums.internet && !sums.networks) {
		plain_count(line, sums.forwards, "port forward", "port forwards");
		text_add(line, " looked at.");
		return;
	}
	plain_count(line, sums.forwards, "forward reaches its server",
		    "forwards reach their servers");
	text_add(line, " from ");
	if (sums.internet)
		text_add(line, sums.networks ? "the internet and from " : "the internet");
	if (sums.networks)
		plain_count(line, sums.networks, "network", "networks");
	text_add_char(line, '.');
}

static bool is_first_of_code(const struct json *checks, const struct json *check,
			     const char *code)
{
	const struct json *each = json_child(checks);
	const char *other;

	for (; each != check; each = json_next(each)) {
		other = json_string(json_get(each, "code"));
		if (check_is(each, "finding") && other && strcmp(other, code) == 0)
			return false;
	}
	return true;
}

/* ": return-path, cgnat", each once. */
static void verdict_of_findings(const struct json *report, struct text *line)
{
	const struct json *checks = json_get(report, "checks"), *each = json_child(checks);
	const char *before = ": ", *code;

	for (; each; each = json_next(each)) {
		code = json_string(json_get(each, "code"));
		if (!code || !check_is(each, "finding") ||
		    !is_first_of_code(checks, each, code))
			continue;
		text_add(line, before);
		plain_foreign(line, code);
		before = ", ";
	}
}

static void show_verdict(const struct json *report, const struct ctl_view *view,
			 struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT, heading = TEXT_INIT;
	enum plain_colour colour = PLAIN_GREEN;
	int64_t findings = 0, unknown = 0;

	(void)json_integer(json_get(report, "findings"), 0, INT32_MAX, &findings);
	(void)json_integer(json_get(report, "unknown"), 0, INT32_MAX, &unknown);
	if (findings) {
		plain_count(&heading, findings, "finding", "findings");
		colour = PLAIN_RED;
		verdict_of_findings(report, &line);
		text_add(&line, unknown ? "; " : ".");
	} else if (unknown) {
		text_add(&heading, "No finding");
		colour = PLAIN_YELLOW;
		text_add(&line, "; ");
	} else {
		text_add(&heading, "Healthy");
		verdict_of_forwards(report, &line);
	}
	if (unknown) {
		plain_count(&line, unknown, "thing", "things");
		text_add(&line, " could not be looked at.");
	}
	plain_paint(out, view, colour, heading.bytes);
	plain_wrap_from(out, view, (unsigned)plain_width(heading.bytes), SHOW_INDENT,
			line.bytes);
	if (line.failed || heading.failed)
		out->failed = true;
}

void doctor_show(const struct json *report, const struct ctl_view *view, struct text *out)
{
	const struct json *forwards = json_get(report, "forwards");

	show_verdict(report, view, out);
	if (json_child(forwards)) {
		text_add_char(out, '\n');
		doctor_show_forwards(forwards, view, out);
	}
	show_checks(report, "finding", "Finding", PLAIN_RED, view, out);
	show_checks(report, "unknown", "Unknown", PLAIN_YELLOW, view, out);
	show_checks(report, "note", "Note", PLAIN_BOLD, view, out);
	show_well(report, view, out);
}
