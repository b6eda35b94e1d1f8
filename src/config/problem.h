/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One file of the configuration while it is read, and the reporting of its mistakes.
 */
#ifndef CONFIG_PROBLEM_H
#define CONFIG_PROBLEM_H

#include "hairpin/config.h"
#include "hairpin/json.h"

struct source {
	char *name;		/* as people know it */
	char *directory;	/* absolute: where its relative paths are meant from */
	char *text;
	size_t length;
	struct json *root;
	char *visible;		/* `text` as it may be shown; made by excerpt.c */
	bool exposed;		/* others may read the file */
	bool exposure_told;
};

/* Frees all and wipes the text. */
void source_done(struct source *source);

/* BROKEN: an error that is counted apart, since all else may go on. */
enum problem_kind { PROBLEM_WARNING, PROBLEM_ERROR, PROBLEM_BROKEN };

/* At the key or value `value` of the source. */
void problem_at(struct config_problems *problems, struct source *source,
		const struct json *value, enum problem_kind kind, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* The document is none: its parser's complaint. */
void problem_syntax(struct config_problems *problems, struct source *source,
		    const struct json_error *error);

/* Of a file as a whole. */
void problem_of_file(struct config_problems *problems, const char *name,
		     const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Foreign text made fit for a message; lives until the end of the full expression. */
struct shown {
	char text[96];
};
struct shown shown(const char *string);

#endif
