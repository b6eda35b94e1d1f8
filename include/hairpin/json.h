/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: base */
/*
 * JSON, the only place that speaks cJSON.
 *
 * What cJSON does not do and this does: exact-case keys, duplicates refused, depth at
 * most 32, at most 1 MiB and 131,072 values, no trailing bytes, no embedded NUL, only
 * UTF-8, numbers finite and with all their digits, and the line and column of any value.
 * A value is a `struct json *`; the document's root owns all of it. Pointers to strings
 * live as long as the document.
 */
#ifndef HAIRPIN_JSON_H
#define HAIRPIN_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/text.h"

struct json;			/* never defined: a cJSON inside */

enum json_kind {
	JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT,
};

enum {
	JSON_MAX_BYTES = 1 << 20,
	JSON_MAX_DEPTH = 32,
	/* of one document: "[1,1,1" needs 40 times its size in memory */
	JSON_MAX_VALUES = 1 << 17,
	JSON_NUMBER_BYTES = 64,		/* of a number as text, with its NUL */
};

struct json_place {
	unsigned line;		/* from 1 */
	unsigned column;	/* from 1, in bytes */
};

struct json_error {
	struct json_place place;
	char text[160];		/* what is wrong, not where; foreign bytes escaped */
	bool no_memory;		/* nothing may be wrong: there was no memory to read it */
};

enum json_form {
	JSON_STRICT,
	/* also // and block comments, # comments to the end of the line, one trailing comma */
	JSON_RELAXED,
	JSON_TOLERANT,		/* and duplicate keys, for who reports them all himself */
};

/* NULL: `ret_error` says where and why. `text` need not end with NUL. */
struct json *json_parse(const char *text, size_t length, enum json_form form,
			struct json_error *ret_error);

/*
 * The members whose key an earlier member of their object has, the last one of each key.
 * 0 or -ENOMEM.
 */
typedef void json_duplicate_fn(void *context, const struct json *member);
int json_each_duplicate(const struct json *value, json_duplicate_fn *fn, void *context);

void json_free(struct json *root);	/* NULL is fine */
void json_wipe_free(struct json *root);	/* wipes strings first: for those with secrets */

/*
 * Where a value (for a member: its key) stands in the text it was parsed from. The tree
 * must not have been changed since. Reads the whole text again: for error messages.
 */
bool json_locate(const char *text, size_t length, const struct json *root,
		 const struct json *value, struct json_place *ret_place);

enum json_kind json_kind(const struct json *value);
const char *json_kind_name(enum json_kind kind);	/* "a string", "an object", ... */

/* The member of that name; NULL: absent, or no object. */
const struct json *json_get(const struct json *object, const char *key);
const struct json *json_child(const struct json *value); /* first member or element, NULL */
const struct json *json_next(const struct json *value);	/* its next sibling, NULL */
const char *json_key(const struct json *member);	/* NULL for elements */
size_t json_count(const struct json *value);

/* NULL or false when the value is NULL or of another kind. */
const char *json_string(const struct json *value);
/* A whole number within [min, max] and +-(2^53 - 1), where a double is exact. */
bool json_integer(const struct json *value, int64_t min, int64_t max, int64_t *ret);
bool json_bool(const struct json *value, bool *ret);
/*
 * A number as the text had it, all its digits: "1e3", "123456789012345678". NULL: none.
 */
const char *json_number(const struct json *value, char room[JSON_NUMBER_BYTES]);

/*
 * Making. All copy what they get. A failed allocation need not be checked for:
 * json_print() of the root gives NULL when any json_add below it failed (that then frees
 * `take` and returns NULL), and all accept NULL. Strings: bytes that are no UTF-8 become
 * U+FFFD. Integers print all their digits; those from 10^15 on are for printing only,
 * not for json_integer(). A key that is there already is not replaced.
 */
struct json *json_new_object(void);
struct json *json_new_array(void);
struct json *json_new_string(const char *string);
struct json *json_copy(const struct json *value);
/* Returns `take`. `key` NULL: to the end of an array. */
struct json *json_add(struct json *object, const char *key, struct json *take);
void json_add_string(struct json *object, const char *key, const char *string); /* or null */
void json_add_integer(struct json *object, const char *key, int64_t number);
void json_add_bool(struct json *object, const char *key, bool value);
void json_add_null(struct json *object, const char *key);
void json_remove(struct json *object, const char *key);

/*
 * Text of its own (free() it; wipe it before if it holds secrets), one line or indented
 * by tabs; NULL: no memory.
 */
char *json_print(const struct json *value, bool indented);

/*
 * Its text in one line, added to `text`, which fails when there is no memory. `take` is
 * freed.
 */
void json_print_take(struct text *text, struct json *take);

#endif
