/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a provider's description: the helpers its parts share. Unlike the configuration
 * it stops at the first mistake, since a description is written by few and read by many.
 */
#ifndef CONFIG_DESCRIBE_H
#define CONFIG_DESCRIBE_H

#include "hairpin/catalogue.h"
#include "hairpin/config.h"
#include "hairpin/json.h"

struct describing {
	const char *text;
	size_t length;
	struct json *root;
	struct catalogue *catalogue;
	struct err *err;
};

/* "LINE:COLUMN: sentence" at the value; always -EINVAL. */
int describe_error(struct describing *describing, const struct json *value,
		   const char *format, ...) __attribute__((format(printf, 3, 4)));

struct describe_field {
	const char *key;
	/* NULL: a key of the language that this version cannot run. */
	int (*read)(struct describing *describing, const struct json *value, void *target,
		    const struct describe_field *field);
	size_t offset;
	long min, max;		/* of numbers; max also: bytes of a text, 0: no bound */
};

/* `fields` ends with {0}; `where` names the object in a complaint. */
int describe_read(struct describing *describing, const struct json *object,
		  const struct describe_field *fields, const char *where,
		  void *target) must_check;

/* --- readers --- */
int describe_bool(struct describing *describing, const struct json *value, void *target,
		  const struct describe_field *field);		/* bool */
int describe_number(struct describing *describing, const struct json *value, void *target,
		    const struct describe_field *field);	/* unsigned */
int describe_duration(struct describing *describing, const struct json *value,
		      void *target, const struct describe_field *field); /* int64_t, ms */
int describe_string(struct describing *describing, const struct json *value, void *target,
		    const struct describe_field *field);	/* char *, one line */
int describe_skip(struct describing *describing, const struct json *value, void *target,
		  const struct describe_field *field);

/* The index of the string in `words` (ends with NULL), or a negative errno. */
int describe_word(struct describing *describing, const struct json *value,
		  const char *const *words) must_check;

/* --- parts --- */
int describe_requests(struct describing *describing, const struct json *array) must_check;
int describe_answers(struct describing *describing, const struct json *array) must_check;

enum describe_use { USE_URL, USE_HEADER, USE_BODY, USE_AUTH };

/* Are all placeholders known, and may they stand there? */
int describe_template(struct describing *describing, const struct json *value,
		      const char *template, enum catalogue_family family,
		      enum describe_use use) must_check;

/* Is "{NAME}" in the template? */
bool describe_uses(const char *template, const char *name);

#endif
