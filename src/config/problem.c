/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "excerpt.h"
#include "problem.h"

/* Nobody reads more, and each costs a walk through its document. */
enum { PROBLEMS_MAX = 100 };

void config_problems_done(struct config_problems *problems)
{
	text_done(&problems->text);
	problems->errors = 0;
	problems->warnings = 0;
	problems->broken = 0;
}

void source_done(struct source *source)
{
	json_wipe_free(source->root);
	if (source->text)
		secret_wipe(source->text, source->length);
	if (source->visible)
		secret_wipe(source->visible, source->length);
	free(source->text);
	free(source->visible);
	free(source->name);
	free(source->directory);
	*source = (struct source){0};
}

struct shown shown(const char *string)
{
	struct shown copy = { "" };

	text_escape(copy.text, sizeof copy.text, string, strlen(string));
	return copy;
}

/* Counts the problem; false where the text has enough of them. */
static bool problem_count(struct config_problems *problems, enum problem_kind kind)
{
	unsigned before = problems->errors + problems->warnings + problems->broken;

	if (kind == PROBLEM_ERROR)
		problems->errors++;
	else if (kind == PROBLEM_BROKEN)
		problems->broken++;
	else
		problems->warnings++;
	if (before == PROBLEMS_MAX)
		text_add(&problems->text, "further mistakes are not shown\n");
	return before < PROBLEMS_MAX;
}

static const char *problem_word(enum problem_kind kind)
{
	return kind == PROBLEM_WARNING ? "warning" : "error";
}

static void problem_place(struct config_problems *problems, struct source *source,
			  const struct json_place *place, enum problem_kind kind,
			  const char *sentence)
{
	text_addf(&problems->text, "%s:%u:%u: %s: %s\n", shown(source->name).text,
		  place->line, place->column, problem_word(kind), sentence);
	excerpt_add(&problems->text, source, place);
}

void problem_at(struct config_problems *problems, struct source *source,
		const struct json *value, enum problem_kind kind, const char *format, ...)
{
	struct json_place place = { .line = 1, .column = 1 };
	char sentence[640];
	va_list arguments;

	if (!problem_count(problems, kind))
		return;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	(void)json_locate(source->text, source->length, source->root, value, &place);
	problem_place(problems, source, &place, kind, sentence);
}

void problem_syntax(struct config_problems *problems, struct source *source,
		    const struct json_error *error)
{
	if (problem_count(problems, PROBLEM_ERROR))
		problem_place(problems, source, &error->place, PROBLEM_ERROR,
			      error->text);
}

void problem_of_file(struct config_problems *problems, const char *name,
		     const char *format, ...)
{
	char sentence[640];
	va_list arguments;

	if (!problem_count(problems, PROBLEM_ERROR))
		return;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof sentence, format, arguments);
	va_end(arguments);
	text_addf(&problems->text, "%s: error: %s\n", shown(name).text, sentence);
}
