/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hairpin/secret.h"
#include "path.h"

/*
 * What an expression may see of a body. Its time grows with the square of a line: 16 KiB
 * in one take half a second at worst.
 */
enum { REGEX_BYTES = 64 * 1024, REGEX_LINE_BYTES = 16 * 1024 };

void view_init(struct view *view, const struct provider_answer *answer)
{
	*view = (struct view){ .answer = answer };
}

void view_done(struct view *view)
{
	json_wipe_free(view->json);
	*view = (struct view){ 0 };
}

/* --- JSON -------------------------------------------------------------------------- */

static const struct json *view_json(struct view *view)
{
	const char *body = view->answer->body;
	size_t length = view->answer->length;
	struct json_error error;

	if (view->parsed)
		return view->json;
	view->parsed = true;
	if (view->answer->cut)
		return NULL;
	/* RFC 8259, section 8.1: a byte order mark may be ignored */
	if (length >= 3 && memcmp(body, "\xef\xbb\xbf", 3) == 0) {
		body += 3;
		length -= 3;
	}
	view->json = json_parse(body, length, JSON_STRICT, &error);
	return view->json;
}

bool view_is_json(struct view *view)
{
	return view_json(view) != NULL;
}

static const struct json *json_at(struct view *view, const char *template,
				  const struct fill *fill)
{
	const struct json *root = view_json(view), *found;
	struct path path;

	if (!root || !path_parse(template, fill, &path))
		return NULL;
	found = path_find(&path, root);
	path_done(&path);
	return found;
}

static bool find_json(struct view *view, const char *template, const struct fill *fill,
		      char **ret_text)
{
	char room[PATH_ROOM_BYTES];
	const char *text = path_text(json_at(view, template, fill), room);
	char *copy = text ? strdup(text) : NULL;

	if (!copy)
		return false;
	*ret_text = copy;
	return true;
}

/* --- headers ----------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* "Name: value" with that name: its value without the space around it. */
static bool header_is(const char *line, size_t length, const char *name,
		      const char **ret_value, size_t *ret_length)
{
	size_t bytes = strlen(name);

	if (length <= bytes || line[bytes] != ':' || strncasecmp(line, name, bytes) != 0)
		return false;
	line += bytes + 1;
	length -= bytes + 1;
	while (length > 0 && is_blank(*line)) {
		line++;
		length--;
	}
	while (length > 0 && is_blank(line[length - 1]))
		length--;
	*ret_value = line;
	*ret_length = length;
	return true;
}

/* Of several headers of that name the last one: an earlier one may be a proxy's. */
static char *header_find(const struct view *view, const char *template,
			 const struct fill *fill)
{
	const char *at = view->answer->headers ? view->answer->headers : "", *value;
	char *name, *found = NULL;
	size_t length = 0;

	if (fill_new(fill, template, PLACE_PLAIN, &name, NULL) < 0)
		return NULL;
	for (value = NULL; *at;) {
		size_t line = strcspn(at, "\n");

		header_is(at, line, name, &value, &length);
		at += line + (at[line] == '\n');
	}
	if (value)
		found = strndup(value, length);
	free(name);
	return found;
}

/* --- expressions ------------------------------------------------------------------- */

/*
 * The body as the expression sees it: its beginning, lines that end with LF alone, and
 * 1 for NUL, which would end it. The caller frees.
 */
static char *regex_subject(const struct provider_answer *answer)
{
	size_t length = answer->length < REGEX_BYTES ? answer->length : REGEX_BYTES;
	size_t left = (size_t)REGEX_LINE_BYTES * REGEX_LINE_BYTES, line = 0;
	char *subject = malloc(length + 1), *to = subject;

	if (!subject)
		return NULL;
	/* the squares of all lines add up: n * n is 1 + 3 + 5 ... */
	for (size_t i = 0; i < length && left > 2 * line; i++) {
		char c = answer->body[i];

		if (c == '\r' && i + 1 < length && answer->body[i + 1] == '\n')
			continue;
		*to++ = c == '\0' ? '\1' : c;
		left -= 2 * line + 1;
		line = c == '\n' ? 0 : line + 1;
	}
	*to = '\0';
	return subject;
}

/* The first group where the expression has one, else the whole match; NULL: none. */
static char *regex_run(const regex_t *regex, const char *subject)
{
	regmatch_t matches[2];
	const regmatch_t *match = &matches[regex->re_nsub > 0];

	if (regexec(regex, subject, 2, matches, 0) != 0 || match->rm_so < 0)
		return NULL;
	return strndup(subject + match->rm_so, (size_t)(match->rm_eo - match->rm_so));
}

static char *regex_find(const struct view *view, const char *template,
			const struct fill *fill)
{
	char *expression, *found = NULL, *subject;
	regex_t regex;

	if (fill_new(fill, template, PLACE_REGEX, &expression, NULL) < 0)
		return NULL;
	if (regcomp(&regex, expression, REG_EXTENDED | REG_NEWLINE) != 0) {
		secret_free(expression);
		return NULL;
	}
	subject = regex_subject(view->answer);
	if (subject)
		found = regex_run(&regex, subject);
	secret_free(subject);
	regfree(&regex);
	secret_free(expression);
	return found;
}

/* --- what the rules ask ------------------------------------------------------------ */

bool view_find(struct view *view, const struct catalogue_spot *spot,
	       const struct fill *fill, char **ret_text)
{
	char *found;

	if (spot->where == CATALOGUE_JSON)
		return find_json(view, spot->path, fill, ret_text);
	found = spot->where == CATALOGUE_HEADER ? header_find(view, spot->path, fill)
						: regex_find(view, spot->path, fill);
	if (!found)
		return false;
	*ret_text = found;
	return true;
}

bool view_has(struct view *view, const struct catalogue_spot *spot,
	      const struct fill *fill)
{
	char *text;

	if (spot->where == CATALOGUE_JSON)
		return json_at(view, spot->path, fill) != NULL;
	if (!view_find(view, spot, fill, &text))
		return false;
	secret_free(text);
	return true;
}

size_t view_count(struct view *view, const struct catalogue_spot *spot,
		  const struct fill *fill)
{
	if (spot->where != CATALOGUE_JSON)
		return 0;
	return json_count(json_at(view, spot->path, fill));
}
