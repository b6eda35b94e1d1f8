/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The short answers: what became of sync, update and reload. */
#include <stdio.h>
#include <string.h>

#include "plain.h"

static void answers_add(struct text *line, const struct json *answer, const char *key,
			const char *what)
{
	int64_t count;

	if (json_integer(json_get(answer, key), 0, INT64_MAX / 2, &count))
		plain_part(line, count, what);
}

void ctl_sync_show(const struct json *answer, const struct ctl_view *view,
		   struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	int64_t commit_us = 0;

	plain_number(&line, answer, "tagged");
	text_add(&line, " tagged");
	answers_add(&line, answer, "changed", "changed");
	answers_add(&line, answer, "unchanged", "in step already");
	answers_add(&line, answer, "skipped", "left alone");
	(void)json_integer(json_get(answer, "commit_us"), 0, INT32_MAX, &commit_us);
	if (commit_us)
		text_addf(&line, "; committed in %.1f ms", (double)commit_us / 1000);
	plain_wrap(out, view, 0, 2, line.bytes);
	if (line.failed)
		out->failed = true;
}

void ctl_update_show(const struct json *answer, const struct ctl_view *view,
		     struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	int64_t records = 0;

	if (json_integer(json_get(answer, "records"), 0, INT32_MAX, &records) &&
	    records == 0) {
		text_add(&line, "No record to check: none is configured, or it was asked "
				"for less than a minute ago.");
	} else {
		plain_number(&line, answer, "records");
		text_addf(&line, " %s checked and updated where due; \"hairpinctl\" "
			  "shows how it goes",
			  records == 1 ? "record is" : "records are");
	}
	plain_wrap(out, view, 0, 2, line.bytes);
	if (line.failed)
		out->failed = true;
}

void ctl_pause_show(const struct json *answer, const struct ctl_view *view,
		    struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;

	text_add(&line, "Paused until ");
	plain_clock(&line, json_string(json_get(answer, "paused_until")));
	text_add(&line, ": rules stay as they are, nothing is published or looked up, no "
			"hook is run. \"hairpinctl resume\" ends it.");
	plain_wrap(out, view, 0, 2, line.bytes);
	if (line.failed)
		out->failed = true;
}

void ctl_resume_show(const struct json *answer, const struct ctl_view *view,
		     struct text *out)
{
	bool resumed = false;

	(void)json_bool(json_get(answer, "resumed"), &resumed);
	plain_wrap(out, view, 0, 2,
		   resumed ? "The pause is over; everything is looked at."
			   : "There was no pause.");
}

void ctl_log_show(const struct json *answer, const struct ctl_view *view,
		  struct text *out)
{
	const char *until = json_string(json_get(answer, "until"));
	TEXT_CLEANUP struct text line = TEXT_INIT;

	text_add(&line, "The log's level is ");
	plain_member(&line, answer, "level");
	text_add(&line, " until ");
	if (until)
		plain_clock(&line, until);
	else
		text_add(&line, "the configuration is read again");
	text_add_char(&line, '.');
	plain_wrap(out, view, 0, 2, line.bytes);
	if (line.failed)
		out->failed = true;
}

void ctl_reload_show(const struct json *answer, const struct ctl_view *view,
		     struct text *out)
{
	const char *problems = json_string(json_get(answer, "problems"));
	char shown[400];
	size_t length;
	bool reloaded = false;

	(void)json_bool(json_get(answer, "reloaded"), &reloaded);
	if (reloaded)
		plain_wrap(out, view, 0, 2, "The configuration was read again.");
	/* Lines with a caret below the mistake: kept as they are, but made harmless. */
	while (problems && *problems) {
		length = strcspn(problems, "\n");
		text_add(out, text_escape(shown, sizeof(shown), problems, length));
		text_add_char(out, '\n');
		problems += length + (problems[length] == '\n');
	}
}
