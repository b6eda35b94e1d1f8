/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a provider's description: the helpers its parts share. Unlike the configuration
 * it stops at the first mistake, since a description is written by few and read by many.
 *
 * Two passes. The first one reads each part and checks what the part alone shows; the
 * second one, when all steps are known, asks whether every placeholder has a meaning where
 * it stands and whether the whole can ever say "good".
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
int describe_no_memory(struct describing *describing);		/* always -ENOMEM */

struct describe_field {
	const char *key;
	int (*read)(struct describing *describing, const struct json *value, void *target,
		    const struct describe_field *field);
	size_t offset;
	long min, max;		/* of numbers; max also: bytes of a text, 0: no bound */
	const char *const *words;	/* of describe_enum(), ends with NULL */
};

/* `fields` ends with {0}; `where` names the object in a complaint. */
int describe_read(struct describing *describing, const struct json *object,
		  const struct describe_field *fields, const char *where,
		  void *target) must_check;

/* Calls `read` for every element or member; `what` names the array in a complaint. */
int describe_list(struct describing *describing, const struct json *list,
		  enum json_kind kind, const char *what,
		  int (*read)(struct describing *describing, const struct json *item,
			      void *target),
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
int describe_string_or_empty(struct describing *describing, const struct json *value,
			     void *target, const struct describe_field *field);
int describe_enum(struct describing *describing, const struct json *value, void *target,
		  const struct describe_field *field);	/* an enum, in the words' order */
int describe_skip(struct describing *describing, const struct json *value, void *target,
		  const struct describe_field *field);

/* The index of the string in `words` (ends with NULL), or a negative errno. */
int describe_word(struct describing *describing, const struct json *value,
		  const char *const *words) must_check;

/* Lower-case letters and digits, and `more` behind the first. */
bool describe_is_word(const char *word, char more);

/* The name of a setting, a value or what a step reads: no word of the language's own. */
int describe_name(struct describing *describing, const struct json *member,
		  char ret_name[CATALOGUE_NAME_BYTES]) must_check;

/* --- parts, first pass: readers of fields whose target is the part --- */
int describe_settings(struct describing *describing, const struct json *value,
		      void *target, const struct describe_field *field);
int describe_values(struct describing *describing, const struct json *value, void *target,
		    const struct describe_field *field);
int describe_sign(struct describing *describing, const struct json *value, void *target,
		  const struct describe_field *field);	/* struct catalogue_sign */
int describe_update(struct describing *describing, const struct json *value, void *target,
		    const struct describe_field *field);	/* ... _update */
int describe_says(struct describing *describing, const struct json *value, void *target,
		  const struct describe_field *field);	/* struct catalogue */
int describe_reads(struct describing *describing, const struct json *value, void *target,
		   const struct describe_field *field);	/* struct catalogue_step */
int describe_keep(struct describing *describing, const struct json *step_object,
		  struct catalogue_step *step) must_check;
int describe_when(struct describing *describing, const struct json *value, void *target,
		  const struct describe_field *field);	/* struct catalogue_when */
int describe_pages(struct describing *describing, const struct json *value, void *target,
		   const struct describe_field *field);	/* struct catalogue_pages */
int describe_requests(struct describing *describing, const struct json *array) must_check;

/* Rules, CATALOGUE_RULES_MAX at most. */
int describe_rule(struct describing *describing, const struct json *object,
		  struct catalogue_rule *rule) must_check;
int describe_step_rules(struct describing *describing, const struct json *value,
			void *target, const struct describe_field *field);
int describe_rules(struct describing *describing, const struct json *value, void *target,
		   const struct describe_field *field);	/* struct catalogue */

/* "json", "header" or "regex" of an object that may have other members. 0: none of them. */
int describe_spot(struct describing *describing, const struct json *object,
		  struct catalogue_spot *spot) must_check;
/* A JSON path alone. */
int describe_path(struct describing *describing, const struct json *value,
		  struct catalogue_spot *spot) must_check;
bool describe_is_header(const char *name);

/* --- second pass --- */
int describe_check_steps(struct describing *describing) must_check;
/* `step` NULL: a rule of the description. */
int describe_check_rule(struct describing *describing, const struct json *object,
			const struct catalogue_step *step,
			const struct catalogue_rule *rule) must_check;
int describe_check_whole(struct describing *describing) must_check;

enum describe_use {
	USE_URL, USE_HEADER, USE_BODY, USE_EACH, USE_AUTH, USE_SIGN, USE_ANSWER,
	USE_UPDATE,
};

/* Where a template stands. */
struct describe_scope {
	const struct catalogue_step *step;	/* NULL: of the description */
	enum catalogue_family family;		/* the step's; EVERY without one */
	enum describe_use use;
	const char *via;	/* the value whose template it is; NULL: none */
};

/* Are all placeholders known, and may they stand there? NULL is fine. */
int describe_template(struct describing *describing, const struct json *value,
		      const char *template,
		      const struct describe_scope *scope) must_check;
int describe_url(struct describing *describing, const struct json *value,
		 const char *url) must_check;

/* Is "{NAME}" known in a step; step NULL: in any? For "when", and what needs a zone. */
bool describe_is_read(const struct catalogue *catalogue,
		      const struct catalogue_step *step, const char *name);
bool describe_knows_zone(const struct catalogue *catalogue,
			 const struct catalogue_step *step);

/* In which kinds of runs a step is taken. */
enum { RUN_IPV4 = 1, RUN_IPV6 = 2, RUN_DUAL = 4, RUN_EACH = 8 };
unsigned describe_runs(const struct catalogue *catalogue,
		       const struct catalogue_step *step);

/* --- templates as text --- */
struct describe_placeholder {
	char name[CATALOGUE_NAME_BYTES];
	const char *from, *to;		/* the '{', and what follows the '}' */
	bool raw;
	const char *wrong;		/* NULL, or why it is none */
};
/* The next one from `at` on. */
bool describe_next(const char *at, struct describe_placeholder *ret);
/* Is "{name}" in it, or in a value that is? */
bool describe_uses(const struct catalogue *catalogue, const char *template,
		   const char *name);
bool describe_uses_address(const struct catalogue *catalogue, const char *template);
/*
 * Is it in URL, headers or body? Is the address in them, or in those of one record? Does
 * anything of the step, with what it asks of the answer, depend on family or address?
 */
bool describe_request_uses(const struct catalogue *catalogue,
			   const struct catalogue_step *step, const char *name);
bool describe_request_says_address(const struct catalogue *catalogue,
				   const struct catalogue_step *step);
bool describe_step_needs_address(const struct catalogue *catalogue,
				 const struct catalogue_step *step);

const struct catalogue_setting *describe_setting(const struct catalogue *catalogue,
						 const char *name);
const struct catalogue_value *describe_value(const struct catalogue *catalogue,
					     const char *name);

#endif
