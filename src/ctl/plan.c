/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a sync and an update would change, as a diff for people. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plain.h"
#include "run.h"

/* What the last line counts. */
struct plan_counts {
	int64_t rules, records;		/* would change */
	int64_t alone, blocked, unknown;
};

static bool plan_is(const struct json *object, const char *key, const char *value)
{
	const char *string = json_string(json_get(object, key));

	return string && strcmp(string, value) == 0;
}

static void plan_head(struct text *out, const struct ctl_view *view, bool *said,
		      const char *head)
{
	if (*said)
		return;
	*said = true;
	text_add(out, out->length ? "\n" : "");
	plain_paint(out, view, PLAIN_BOLD, head);
	text_add_char(out, '\n');
}

static void plan_comment(struct text *line, const struct json *item)
{
	const char *comment = json_string(json_get(item, "comment"));

	if (!comment || !*comment)
		return;
	text_add(line, " \"");
	plain_foreign(line, comment);
	text_add_char(line, '"');
}

/* --- rules --- */

/* "81.2.69.1 -> 81.2.69.7"; one of them alone comes or goes. */
static void plan_change(struct text *line, const struct json *item)
{
	const char *old = json_string(json_get(item, "old"));
	const char *new = json_string(json_get(item, "new"));

	if (old && new) {
		plain_foreign(line, old);
		text_add(line, " -> ");
		plain_foreign(line, new);
	} else if (new) {
		text_add(line, "gets ");
		plain_foreign(line, new);
	} else if (old) {
		text_add(line, "loses ");
		plain_foreign(line, old);
	} else {
		text_add(line, "gets the addresses of ");
		plain_member(line, item, "name");
	}
}

static void plan_show_line(struct text *out, const struct ctl_view *view,
			   const struct text *line)
{
	plain_wrap(out, view, 2, 6, line->bytes);
	if (line->failed)
		out->failed = true;
}

static void plan_show_rule(const struct json *item, const struct ctl_view *view,
			   struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;

	plain_place(&line, item);
	plan_comment(&line, item);
	text_add(&line, ": ");
	if (plan_is(item, "result", "changed"))
		plan_change(&line, item);
	else
		plain_member(&line, item, "reason");
	plan_show_line(out, view, &line);
}

static void plan_show_rules(const struct json *rules, const char *result,
			    const char *head, const struct ctl_view *view,
			    struct text *out, int64_t *ret_count)
{
	const struct json *item;
	bool said = false;

	for (item = json_child(rules); item; item = json_next(item)) {
		if (!plan_is(item, "result", result))
			continue;
		plan_head(out, view, &said, head);
		plan_show_rule(item, view, out);
		(*ret_count)++;
	}
}

/* --- records --- */

/* "home.example.org A" */
static void plan_record_name(struct text *line, const struct json *record)
{
	plain_member(line, record, "hostname");
	text_add(line, plan_is(record, "family", "ipv6") ? " AAAA: " : " A: ");
}

static void plan_show_record(const struct json *record, const struct ctl_view *view,
			     struct text *out)
{
	const char *published = json_string(json_get(record, "published"));
	const char *wanted = json_string(json_get(record, "wanted"));
	const char *reason = json_string(json_get(record, "reason"));
	bool update = plan_is(record, "action", "update");
	TEXT_CLEANUP struct text line = TEXT_INIT;

	plan_record_name(&line, record);
	if (update) {
		plain_foreign(&line, published ? published : "not known");
		text_add(&line, " -> ");
		plain_foreign(&line, wanted);
	} else {
		plain_foreign(&line, reason ? reason : "it cannot be updated");
	}
	text_add(&line, update ? " by " : " (");
	plain_member(&line, record, "provider");
	text_add(&line, update ? "" : ")");
	if (update && reason) {
		text_add(&line, "; ");
		plain_foreign(&line, reason);
	}
	plan_show_line(out, view, &line);
}

static void plan_show_records(const struct json *records, const char *action,
			      const char *head, const struct ctl_view *view,
			      struct text *out, int64_t *ret_count)
{
	const struct json *record;
	bool said = false;

	for (record = json_child(records); record; record = json_next(record)) {
		if (!plan_is(record, "action", action))
			continue;
		plan_head(out, view, &said, head);
		plan_show_record(record, view, out);
		(*ret_count)++;
	}
}

/* Without a daemon each would say the same: they are only named. */
static void plan_show_unknown(const struct json *records, const struct ctl_view *view,
			      struct text *out, int64_t *ret_count)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	const struct json *record;
	bool said = false;

	for (record = json_child(records); record; record = json_next(record)) {
		if (!plan_is(record, "action", "unknown"))
			continue;
		plan_head(out, view, &said, "Records, not known without a daemon");
		text_clear(&line);
		plain_member(&line, record, "hostname");
		text_add(&line, plan_is(record, "family", "ipv6") ? " AAAA" : " A");
		text_add(&line, " by ");
		plain_member(&line, record, "provider");
		plan_show_line(out, view, &line);
		(*ret_count)++;
	}
	if (said)
		plain_wrap(out, view, 2, 2, "hairpind --dry-run asks DNS for them.");
}

/* --- the counts --- */

static void plan_count_changes(struct text *line, const struct plan_counts *counts)
{
	if (counts->rules)
		plain_count(line, counts->rules, "rule", "rules");
	text_add(line, counts->rules && counts->records ? " and " : "");
	if (counts->records)
		plain_count(line, counts->records, "record", "records");
	if (counts->rules || counts->records)
		text_add(line, " would change, nothing else");
	else
		text_add(line, "Nothing would change");
}

static void plan_show_counts(const struct json *plan, const struct plan_counts *counts,
			     const struct ctl_view *view, struct text *out)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	TEXT_CLEANUP struct text rest = TEXT_INIT;
	bool truncated = false;
	int64_t in_step = 0;

	(void)json_integer(json_get(plan, "in_step"), 0, INT32_MAX, &in_step);
	(void)json_bool(json_get(plan, "truncated"), &truncated);
	plain_part(&rest, in_step, in_step == 1 ? "rule is in step" : "rules are in step");
	plain_part(&rest, counts->alone, "left alone");
	plain_part(&rest, counts->blocked,
		   counts->blocked == 1 ? "record is blocked" : "records are blocked");
	plain_part(&rest, counts->unknown,
		   counts->unknown == 1 ? "record is not known" : "records are not known");
	plan_count_changes(&line, counts);
	if (rest.length)
		text_addf(&line, "; %s", rest.bytes);
	text_add_char(&line, '.');
	if (truncated)
		text_add(&line, " There are more; an answer is full.");
	text_add(out, out->length ? "\n" : "");
	plain_wrap(out, view, 0, 2, line.bytes);
	if (line.failed || rest.failed)
		out->failed = true;
}

void ctl_plan_show(const struct json *plan, const struct ctl_view *view, struct text *out)
{
	const struct json *rules = json_get(plan, "rules");
	const struct json *records = json_get(plan, "records");
	struct plan_counts counts = { 0 };

	plan_show_rules(rules, "changed", "Rules", view, out, &counts.rules);
	plan_show_records(records, "update", "Records", view, out, &counts.records);
	plan_show_rules(rules, "skipped", "Left alone", view, out, &counts.alone);
	plan_show_records(records, "blocked", "Blocked", view, out, &counts.blocked);
	plan_show_unknown(records, view, out, &counts.unknown);
	plan_show_counts(plan, &counts, view, out);
}

/* --- the command --- */

static int plan_exit(const struct json *plan)
{
	int64_t pending;

	if (json_integer(json_get(plan, "pending"), 1, INT32_MAX, &pending))
		return CTL_PENDING;
	return CTL_DONE;
}

/* `answer`: as it came from the daemon; NULL: the plan is ours. */
static int plan_show(const struct ctl_options *options, const struct ctl_view *view,
		     const struct json *plan, const struct ctl_answer *answer)
{
	TEXT_CLEANUP struct text out = TEXT_INIT;
	int status;

	if (options->json && answer) {
		status = run_print_json(answer->text, answer->length, view);
	} else if (options->json) {
		status = run_print_object(plan, view);
	} else {
		ctl_plan_show(plan, view, &out);
		status = run_print(&out);
	}
	return status == CTL_DONE ? plan_exit(plan) : status;
}

static int plan_alone(const struct ctl_options *options, const struct ctl_view *view,
		      int why, const struct err *daemon)
{
	struct json *plan;
	struct err note, err;
	struct addr address;
	bool given = options->address && addr_parse(options->address, &address);
	int rc = ctl_look_plan(&options->look, given ? &address : NULL, &plan, &note, &err);
	int status;

	if (rc < 0)
		return run_look_failed(rc, &err, why, daemon);
	run_look_said(options, view, &note, why, daemon);
	status = plan_show(options, view, plan, NULL);
	json_free(plan);
	return status;
}

int run_plan(const struct ctl_options *options, const struct ctl_view *view)
{
	struct ctl_answer answer;
	const char *error;
	struct err err;
	int rc = run_ask(options, &answer, &err), status;

	if (rc == -EINVAL)
		return run_complain(CTL_USAGE, err.text);
	if (rc < 0)
		return plan_alone(options, view, rc, &err);
	error = json_string(json_get(answer.root, "error"));
	if (error && options->json) {
		status = run_print_json(answer.text, answer.length, view);
		status = status == CTL_DONE ? CTL_FAILED : status;
	} else if (error) {
		status = run_show_refusal(view, answer.root, error);
	} else {
		status = plan_show(options, view, answer.root, &answer);
	}
	ctl_answer_done(&answer);
	return status;
}
