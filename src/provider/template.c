/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Templates: text with {NAME} and {NAME:raw} in it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fill.h"
#include "hairpin/secret.h"

/* A template on its way into text. */
struct filling {
	const struct fill *fill;
	const char *start;		/* of the template */
	enum place place;
	struct err *err;
};

/* What stands between '{' and '}'. */
struct placeholder {
	char name[CATALOGUE_NAME_BYTES];
	bool raw;
	size_t length;			/* with the braces */
};

static bool is_name_byte(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (!first && ((c >= '0' && c <= '9') || c == '_'));
}

/* False: no placeholder begins at `text`. A name too long for any is cut: unknown. */
static bool read_placeholder(const struct filling *f, const char *text,
			     struct placeholder *ret)
{
	size_t length = 0, most = sizeof(ret->name) - 1;

	if (*text != '{')
		return false;
	while (is_name_byte(text[1 + length], length == 0))
		length++;
	ret->raw = f->place == PLACE_JSON &&
		   strncmp(text + 1 + length, ":raw}", 5) == 0;
	if (length == 0 || (!ret->raw && text[1 + length] != '}'))
		return false;
	ret->length = 1 + length + (ret->raw ? 5 : 1);
	memcpy(ret->name, text + 1, length < most ? length : most);
	ret->name[length < most ? length : most] = '\0';
	return true;
}

/*
 * Addresses and checked names have an alphabet of their own that a URL may show.
 */
static bool is_checked(const char *name)
{
	static const char *const names[] = { "hostname", "hostnames", "owner",
					     "owner_or_empty", "ip", "ipv4", "ipv6",
					     "rrtype", NULL };

	for (size_t i = 0; names[i]; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* A server or a URL of the configuration, at the place that is made for it? */
static bool stands_as_it_is(const struct filling *f, const char *name, const char *at)
{
	const struct catalogue *catalogue = f->fill->catalogue;
	enum catalogue_kind kind = CATALOGUE_TEXT;
	size_t before = (size_t)(at - f->start);

	for (size_t i = 0; i < catalogue->setting_count; i++)
		if (strcmp(catalogue->settings[i].name, name) == 0)
			kind = catalogue->settings[i].kind;
	if (kind == CATALOGUE_URL)
		return before == 0;
	return kind == CATALOGUE_SERVER && (before == 7 || before == 8) &&
	       strncmp(at - 3, "://", 3) == 0;
}

static enum place place_of(const struct filling *f, const struct placeholder *p,
			   const char *at)
{
	if (p->raw)
		return PLACE_JSON_RAW;
	if (f->place != PLACE_URL)
		return f->place;
	if (stands_as_it_is(f, p->name, at))
		return PLACE_PLAIN;
	return is_checked(p->name) ? PLACE_URL_KNOWN : PLACE_URL;
}

static int add_placeholder(const struct filling *f, const struct placeholder *p,
			   const char *at, struct text *out)
{
	enum place place = place_of(f, p, at);
	const char *value;

	if (f->fill->each && strcmp(p->name, "each") == 0) {
		text_add(out, f->fill->each);
		return 0;
	}
	value = fill_find(f->fill, p->name);
	if (!value)
		return err_set(f->err, -ENODATA, "no {%s} was found", p->name);
	/* Encoded or not, a URL's dots would lead elsewhere. */
	if (place == PLACE_URL && (strcmp(value, ".") == 0 || strcmp(value, "..") == 0))
		return err_set(f->err, -EINVAL, "the value of \"%s\" is no part of a path",
			       p->name);
	if (place_add(out, place, value))
		return 0;
	return err_set(f->err, -EINVAL,
		       place == PLACE_JSON_RAW ?
			       "the value of \"%s\" is no number, true or false" :
			       "the value of \"%s\" holds a control character",
		       p->name);
}

/*
 * "name={NAME}" as a whole parameter of a query or form, where the user may leave the
 * setting empty, or the first page has no name.
 */
static bool is_left_out(const struct filling *f, const struct placeholder *p,
			const char *at)
{
	const struct catalogue *catalogue = f->fill->catalogue;
	const char *value = fill_find(f->fill, p->name);
	bool may_be_empty = strcmp(p->name, "page") == 0;

	if ((f->place != PLACE_URL && f->place != PLACE_FORM) || !value || *value ||
	    at == f->start || at[-1] != '=' || (at[p->length] && at[p->length] != '&'))
		return false;
	for (size_t i = 0; i < catalogue->setting_count; i++)
		if (strcmp(catalogue->settings[i].name, p->name) == 0)
			may_be_empty = true;
	return may_be_empty;
}

/*
 * Takes the parameter's name back, and the '&' or, of a lonely one, the '?' before it;
 * returns how much of `rest` goes too.
 */
static size_t drop_parameter(struct text *out, const char *rest)
{
	size_t length = out->length;

	while (length > 0 && out->bytes[length - 1] != '&' &&
	       out->bytes[length - 1] != '?')
		length--;
	if (length > 0 && (out->bytes[length - 1] == '&' || *rest == '\0')) {
		length--;
		rest = "";
	}
	out->length = length;
	out->bytes[length] = '\0';
	return *rest == '&' ? 1 : 0;
}

/* "{NAME:raw}" or "{each}": the whole of a JSON string, which is no string then. */
static bool read_bare(const struct filling *f, const char *text, struct placeholder *ret)
{
	if (f->place != PLACE_JSON || *text != '"' || !read_placeholder(f, text + 1, ret) ||
	    text[1 + ret->length] != '"')
		return false;
	return ret->raw || (f->fill->each && strcmp(ret->name, "each") == 0);
}

int fill_template(const struct fill *fill, const char *template, enum place place,
		  struct text *out, struct err *ret_err)
{
	struct filling f = { .fill = fill, .start = template, .place = place,
			     .err = ret_err };

	while (*template) {
		struct placeholder p;
		size_t quotes = read_bare(&f, template, &p) ? 1 : 0;
		int r;

		if (quotes == 0 && !read_placeholder(&f, template, &p)) {
			text_add_char(out, *template++);
			continue;
		}
		if (is_left_out(&f, &p, template)) {
			template += p.length;
			template += drop_parameter(out, template);
			continue;
		}
		r = add_placeholder(&f, &p, template, out);
		if (r < 0)
			return r;
		template += p.length + 2 * quotes;
	}
	return 0;
}

/*
 * realloc() leaves copies behind, and these would hold secrets: a filled template begins
 * with more room than all but monstrous ones need.
 */
static void text_make_room(struct text *text)
{
	static const char nothing[4096];

	for (int i = 0; i < 4; i++)
		text_add_bytes(text, nothing, sizeof(nothing));
	text_clear(text);
}

int fill_new(const struct fill *fill, const char *template, enum place place,
	     char **ret_string, struct err *ret_err)
{
	struct text filled = TEXT_INIT;
	char *copy = NULL;
	int r;

	text_make_room(&filled);
	r = fill_template(fill, template, place, &filled, ret_err);
	if (r == 0 && !filled.failed)
		copy = strdup(filled.bytes);
	if (r == 0 && !copy)
		r = err_set(ret_err, -ENOMEM, "no memory for a request");
	if (filled.room > 0)
		secret_wipe(filled.bytes, filled.room);
	text_done(&filled);
	if (r == 0)
		*ret_string = copy;
	return r;
}
