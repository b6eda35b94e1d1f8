/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool finding_is(const struct finding *finding, const struct finding_key *key)
{
	return finding->key.verdict == key->verdict && finding->key.cause == key->cause &&
	       strcmp(finding->key.code, key->code) == 0 &&
	       addr_equal(&finding->key.address, &key->address);
}

static void finding_free(struct finding *finding)
{
	free(finding->text);
	free(finding->remedy);
	json_free(finding->subjects);
	json_free(finding->networks);
	json_free(finding->evidence);
	json_free(finding->commands);
	json_free(finding->last);
	*finding = (struct finding){ .key = { 0 } };
}

static char *finding_line(const char *format, va_list arguments)
{
	char *line;

	return vasprintf(&line, format, arguments) < 0 ? NULL : line;
}

struct finding *finding_of(struct findings *findings, const struct finding_key *key,
			   const char *format, ...)
{
	struct finding *finding;
	va_list arguments;
	size_t i;

	for (i = 0; i < findings->count; i++) {
		if (finding_is(&findings->list[i], key))
			return &findings->list[i];
	}
	if (findings->count == FINDINGS_MAX)
		return &findings->list[FINDINGS_MAX - 1];
	finding = &findings->list[findings->count++];
	*finding = (struct finding){
		.key = *key,
		.subjects = json_new_array(), .networks = json_new_array(),
		.evidence = json_new_array(), .commands = json_new_array(),
		.last = json_new_array(),
	};
	va_start(arguments, format);
	finding->text = finding_line(format, arguments);
	va_end(arguments);
	if (!finding->text || !finding->subjects || !finding->networks ||
	    !finding->evidence || !finding->commands || !finding->last)
		findings->failed = true;
	return finding;
}

static void finding_add(struct json *list, const char *line)
{
	const struct json *one;

	for (one = json_child(list); one; one = json_next(one)) {
		if (strcmp(json_string(one), line) == 0)
			return;
	}
	json_add(list, NULL, json_new_string(line));
}

static void finding_add_line(struct json *list, const char *format, va_list arguments)
{
	char *line = finding_line(format, arguments);

	if (line)
		finding_add(list, line);
	else
		json_add(list, NULL, NULL);
	free(line);
}

void finding_subject(struct finding *finding, const char *subject)
{
	finding_add(finding->subjects, subject);
}

void finding_network(struct finding *finding, const char *network)
{
	finding_add(finding->networks, network);
}

void finding_evidence(struct finding *finding, const char *format, ...)
{
	va_list arguments;

	if (json_count(finding->evidence) >= FINDING_EVIDENCE_MAX)
		return;
	va_start(arguments, format);
	finding_add_line(finding->evidence, format, arguments);
	va_end(arguments);
}

void finding_remedy(struct finding *finding, enum doctor_place place, const char *format,
		    ...)
{
	va_list arguments;

	if (finding->remedy)
		return;
	va_start(arguments, format);
	finding->remedy = finding_line(format, arguments);
	va_end(arguments);
	finding->place = place;
}

void finding_command(struct finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	finding_add_line(finding->commands, format, arguments);
	va_end(arguments);
}

void finding_last_command(struct finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	finding_add_line(finding->last, format, arguments);
	va_end(arguments);
}

/* "a, b and 3 more" */
static void finding_list(struct text *out, const struct json *list, size_t most)
{
	const struct json *one;
	size_t shown = 0, count = json_count(list);

	for (one = json_child(list); one && shown < most; one = json_next(one), shown++)
		text_addf(out, "%s%s", shown ? ", " : "", json_string(one));
	if (count > shown)
		text_addf(out, " and %zu more", count - shown);
}

static void finding_tell(const struct finding *finding, struct report *report)
{
	TEXT_CLEANUP struct text subjects = TEXT_INIT;
	TEXT_CLEANUP struct text networks = TEXT_INIT;
	const struct json *line;
	struct json *check;

	finding_list(&subjects, finding->subjects, FINDING_SUBJECTS_SHOWN);
	finding_list(&networks, finding->networks, FINDING_SUBJECTS_SHOWN);
	check = report_add(report, finding->key.verdict, finding->key.code,
			   subjects.length ? subjects.bytes : NULL, "%s%s%s%s",
			   networks.length ? "From " : "", networks.bytes,
			   networks.length ? ": " : "", finding->text);
	for (line = json_child(finding->evidence); line; line = json_next(line))
		report_evidence(check, "%s", json_string(line));
	if (!finding->remedy)
		return;
	report_remedy(check, finding->place, "%s", finding->remedy);
	for (line = json_child(finding->commands); line; line = json_next(line))
		report_command(check, "%s", json_string(line));
	for (line = json_child(finding->last); line; line = json_next(line))
		report_command(check, "%s", json_string(line));
}

void findings_tell(struct findings *findings, struct report *report)
{
	static const enum doctor_verdict order[] = { DOCTOR_FINDING, DOCTOR_UNKNOWN,
						     DOCTOR_NOTE, DOCTOR_OK };
	size_t i, turn;

	for (turn = 0; turn < sizeof(order) / sizeof(order[0]); turn++) {
		for (i = 0; i < findings->count; i++) {
			if (findings->list[i].text &&
			    findings->list[i].key.verdict == order[turn])
				finding_tell(&findings->list[i], report);
		}
	}
	if (findings->failed)
		json_add(report->checks, NULL, NULL);
	findings_done(findings);
}

void findings_done(struct findings *findings)
{
	size_t i;

	for (i = 0; i < findings->count; i++)
		finding_free(&findings->list[i]);
	findings->count = 0;
}
