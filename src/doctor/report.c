/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *report_verdict_name(enum doctor_verdict verdict)
{
	static const char *const names[] = {
		[DOCTOR_OK] = "ok", [DOCTOR_NOTE] = "note",
		[DOCTOR_UNKNOWN] = "unknown", [DOCTOR_FINDING] = "finding",
	};

	return names[verdict];
}

static const char *report_place_name(enum doctor_place place)
{
	static const char *const names[] = {
		[DOCTOR_HERE] = "router", [DOCTOR_SERVER] = "server",
		[DOCTOR_ELSEWHERE] = "elsewhere",
	};

	return names[place];
}

/* `key` NULL: to the end of an array. No memory is remembered by the object. */
static void report_add_text(struct json *object, const char *key, const char *format,
			    va_list arguments)
{
	char *line;

	if (vasprintf(&line, format, arguments) < 0)
		line = NULL;
	json_add(object, key, line ? json_new_string(line) : NULL);
	free(line);
}

/* The trees are ours, so what is got from them may be added to. */
static struct json *report_member(const struct json *object, const char *key)
{
	return (struct json *)json_get(object, key);
}

void report_begin(struct report *report)
{
	*report = (struct report){ .root = json_new_object(),
				   .checks = json_new_array() };
}

void report_done(struct report *report)
{
	json_free(report->root);
	json_free(report->checks);
	*report = (struct report){ 0 };
}

struct json *report_take(struct report *report, struct json *forwards)
{
	struct json *root = report->root;
	char *whole;

	json_add_integer(root, "schema", 1);
	json_add_string(root, "verdict", report->findings ? "findings" : "healthy");
	json_add_integer(root, "findings", report->findings);
	json_add_integer(root, "unknown", report->unknown);
	json_add(root, "checks", report->checks);
	json_add(root, "forwards", forwards);
	*report = (struct report){ 0 };
	whole = json_print(root, false);	/* knows what is missing below it */
	if (!whole) {
		json_free(root);
		return NULL;
	}
	free(whole);
	return root;
}

struct json *report_add(struct report *report, enum doctor_verdict verdict,
			const char *code, const char *subject, const char *format, ...)
{
	struct json *check = json_add(report->checks, NULL, json_new_object());
	va_list arguments;

	report->findings += verdict == DOCTOR_FINDING;
	report->unknown += verdict == DOCTOR_UNKNOWN;
	json_add_string(check, "code", code);
	json_add_string(check, "verdict", report_verdict_name(verdict));
	json_add_string(check, "subject", subject);
	va_start(arguments, format);
	report_add_text(check, "text", format, arguments);
	va_end(arguments);
	json_add(check, "evidence", json_new_array());
	json_add_null(check, "remedy");
	return check;
}

void report_evidence(struct json *check, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report_add_text(report_member(check, "evidence"), NULL, format, arguments);
	va_end(arguments);
}

void report_remedy(struct json *check, enum doctor_place place, const char *format, ...)
{
	struct json *remedy;
	va_list arguments;

	json_remove(check, "remedy");
	remedy = json_add(check, "remedy", json_new_object());
	va_start(arguments, format);
	report_add_text(remedy, "text", format, arguments);
	va_end(arguments);
	json_add_string(remedy, "place", report_place_name(place));
	json_add(remedy, "commands", json_new_array());
}

void report_command(struct json *check, const char *format, ...)
{
	struct json *remedy = report_member(check, "remedy");
	va_list arguments;

	va_start(arguments, format);
	report_add_text(report_member(remedy, "commands"), NULL, format, arguments);
	va_end(arguments);
}

bool report_has(const struct report *report, const char *code, const char *subject)
{
	const struct json *check;
	const char *of, *about;

	for (check = json_child(report->checks); check; check = json_next(check)) {
		of = json_string(json_get(check, "code"));
		about = json_string(json_get(check, "subject"));
		if (!of || strcmp(of, code) != 0)
			continue;
		if (!subject || (about && strcmp(about, subject) == 0))
			return true;
	}
	return false;
}

const char *report_word(const char *word, char out[REPORT_WORD_BYTES])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_./:@%+,=-";
	size_t at = 0;

	out[0] = '\0';
	if (*word && !word[strspn(word, plain)])
		return text_copy(out, REPORT_WORD_BYTES, word) ? out : NULL;
	if (4 * strlen(word) + 3 > REPORT_WORD_BYTES)
		return NULL;
	out[at++] = '\'';
	for (; *word; word++) {
		if ((unsigned char)*word < ' ' || *word == 0x7f) {
			out[0] = '\0';
			return NULL;
		}
		if (*word == '\'')
			at += (size_t)sprintf(out + at, "'\\''");
		else
			out[at++] = *word;
	}
	out[at++] = '\'';
	out[at] = '\0';
	return out;
}
