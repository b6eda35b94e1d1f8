/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects of the configuration as tables: which keys there are, who reads each of them
 * and where it lands. A reader that finds a mistake reports it, leaves the default and
 * goes on, so that one run names all of them.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include "hairpin/catalogue.h"
#include "problem.h"

struct reading {
	struct config *config;
	struct config_problems *problems;
	struct source *source;		/* the file that is being read */
	const struct config_load *load;	/* NULL: the effective document */
	bool no_memory;
};

#define reading_error(reading, value, ...)                                               \
	problem_at((reading)->problems, (reading)->source, value, PROBLEM_ERROR,         \
		   __VA_ARGS__)
#define reading_broken(reading, value, ...)                                              \
	problem_at((reading)->problems, (reading)->source, value, PROBLEM_BROKEN,        \
		   __VA_ARGS__)
#define reading_warning(reading, value, ...)                                             \
	problem_at((reading)->problems, (reading)->source, value, PROBLEM_WARNING,       \
		   __VA_ARGS__)

struct schema_field {
	const char *key;
	/* `target` is the struct's address plus `offset`. */
	void (*read)(struct reading *reading, const struct json *value, void *target,
		     const struct schema_field *field);
	size_t offset;
	int64_t min, max;		/* of numbers; max also: bytes of a text */
};

/* Reads every member and reports unknown keys. `fields` ends with {0}. */
void schema_read(struct reading *reading, const struct json *object,
		 const struct schema_field *fields, void *target);

const struct schema_field *schema_find(const struct schema_field *fields,
				       const char *key);

/* Reports an unknown key; `more` (NULL or ends with NULL) are known beside the fields. */
void schema_unknown(struct reading *reading, const struct json *member,
		    const struct schema_field *fields, const char *const *more,
		    const char *where);

/* Is it of the kind? Else reports it: "must be a string, is a number". */
bool schema_expect(struct reading *reading, const struct json *value, enum json_kind kind,
		   const char *example);

/* A string, as it stands in the document; NULL was reported. */
const char *schema_string(struct reading *reading, const struct json *value,
			  const char *example);

/* --- readers --- */
void schema_bool(struct reading *reading, const struct json *value, void *target,
		 const struct schema_field *field);	/* bool */
void schema_long(struct reading *reading, const struct json *value, void *target,
		 const struct schema_field *field);	/* long */
void schema_duration(struct reading *reading, const struct json *value, void *target,
		     const struct schema_field *field);	/* int64_t, ms */
void schema_path(struct reading *reading, const struct json *value, void *target,
		 const struct schema_field *field);	/* char[max], absolute or "" */
void schema_label(struct reading *reading, const struct json *value, void *target,
		  const struct schema_field *field);	/* char[max]: a name of ours */
void schema_user(struct reading *reading, const struct json *value, void *target,
		 const struct schema_field *field);	/* char[max]: or "" */
void schema_families(struct reading *reading, const struct json *value, void *target,
		     const struct schema_field *field);	/* unsigned, CONFIG_IPV4 ... */

/* No control characters, valid UTF-8. */
bool schema_is_printable(const char *string, size_t length);

/* `relative` from `directory`, unless it begins with '/'. False: too long. */
bool schema_join(char *out, size_t out_bytes, const char *directory,
		 const char *relative);

#endif
