/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guise.h"
#include "hairpin/secret.h"

enum {
	SHOWN_BYTES = 200,
	LOOKED_AT_BYTES = 4096,		/* enough for what is shown after masking */
	READ_BYTES = 8,			/* what is shorter is hidden only as a setting */
};

/* --- which values are secret ------------------------------------------------------- */

static const struct catalogue_setting *setting_find(const struct catalogue *catalogue,
						    const char *name)
{
	for (size_t i = 0; i < catalogue->setting_count; i++)
		if (strcmp(catalogue->settings[i].name, name) == 0)
			return &catalogue->settings[i];
	return NULL;
}

/* Does the template (NULL: none) use {name} or {name:raw}? */
static bool uses(const char *template, const char *name)
{
	const char *at = template ? strchr(template, '{') : NULL;
	size_t length = strlen(name);

	for (; at; at = strchr(at + 1, '{'))
		if (strncmp(at + 1, name, length) == 0 && strchr("}:", at[1 + length]))
			return true;
	return false;
}

static bool any_uses(const struct catalogue_pair *pairs, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (uses(pairs[i].value, name))
			return true;
	return false;
}

static bool proves_identity(const struct catalogue *catalogue, const char *name)
{
	if (uses(catalogue->basic_user, name) || uses(catalogue->basic_password, name) ||
	    any_uses(catalogue->sign.parts, catalogue->sign.part_count, name))
		return true;
	for (size_t i = 0; i < catalogue->step_count; i++) {
		const struct catalogue_step *step = &catalogue->steps[i];

		if (any_uses(step->headers, step->header_count, name) ||
		    any_uses(step->sign.parts, step->sign.part_count, name))
			return true;
	}
	return false;
}

static bool read_is_secret(const struct catalogue *catalogue, const char *name)
{
	return catalogue_sounds_secret(name) || proves_identity(catalogue, name);
}

/* A template (NULL: none) that uses a secret of any kind. */
static bool uses_secret(const struct fill *fill, const char *template)
{
	const struct catalogue *catalogue = fill->catalogue;

	for (size_t i = 0; i < catalogue->setting_count; i++)
		if (catalogue->settings[i].secret &&
		    uses(template, catalogue->settings[i].name))
			return true;
	for (size_t i = 0; i < fill->read_count; i++)
		if (uses(template, fill->reads[i].name) &&
		    read_is_secret(catalogue, fill->reads[i].name))
			return true;
	return false;
}

/* Values come in the order in which they may use each other. */
static bool value_is_secret(const struct fill *fill, size_t index)
{
	const struct catalogue_value *values = fill->catalogue->values;

	for (size_t k = 0; k < 2; k++) {
		const char *template = values[index].templates[k];

		if (uses_secret(fill, template))
			return true;
		for (size_t i = 0; i < index; i++)
			if (uses(template, values[i].name) && value_is_secret(fill, i))
				return true;
	}
	return false;
}

/* --- their guises ------------------------------------------------------------------ */

/* Of an update URL the server's name is no secret; what stands behind it may be. */
static void add_url(struct guises *g, const char *url)
{
	const char *at = strstr(url, "://");

	at = at ? at + 3 + strcspn(at + 3, "/?") : url;
	while (*at) {
		size_t length = strcspn(at, "/?&=");
		char *piece = strndup(at, length);

		if (!piece)
			g->failed = true;
		else if (length >= READ_BYTES)
			guises_add(g, piece);
		secret_free(piece);
		at += length + (at[length] != '\0');
	}
}

static void add_settings(const struct fill *fill, struct guises *g)
{
	for (size_t i = 0; i < fill->setting_count; i++) {
		const struct catalogue_setting *setting =
			setting_find(fill->catalogue, fill->settings[i].name);

		/* what the description does not know is hidden too */
		if (setting && !setting->secret)
			continue;
		if (setting && setting->kind == CATALOGUE_URL)
			add_url(g, fill->settings[i].value);
		else
			guises_add(g, fill->settings[i].value);
	}
}

static void add_made(struct guises *g, const char *value)
{
	if (value && strlen(value) >= READ_BYTES)
		guises_add(g, value);
}

static void add_all(const struct fill *fill, struct guises *g)
{
	add_settings(fill, g);
	for (size_t i = 0; i < fill->read_count; i++)
		if (read_is_secret(fill->catalogue, fill->reads[i].name))
			add_made(g, fill->reads[i].value);
	for (size_t i = 0; i < fill->catalogue->value_count; i++)
		if (value_is_secret(fill, i))
			add_made(g, fill->values[i]);
}

/* --- showing ----------------------------------------------------------------------- */

static void mask(const struct guises *g, const char *bytes, size_t length,
		 struct text *out)
{
	for (size_t at = 0; at < length && out->length < SHOWN_BYTES;) {
		size_t hidden = guises_match(g, bytes + at, length - at);

		if (hidden > 0)
			text_add(out, "(hidden)");
		else
			text_add_char(out, bytes[at]);
		at += hidden > 0 ? hidden : 1;
	}
}

/* White space at both ends says nothing. */
static void trim(const char **bytes, size_t *length)
{
	while (*length > 0 && strchr(" \t\r\n", (*bytes)[*length - 1]) &&
	       (*bytes)[*length - 1])
		(*length)--;
	while (*length > 0 && strchr(" \t\r\n", **bytes) && **bytes) {
		(*bytes)++;
		(*length)--;
	}
}

const char *mask_bytes(const struct fill *fill, const void *bytes, size_t length,
		       char out[MESSAGE_TEXT_BYTES])
{
	struct guises g = { 0 };
	struct text masked = TEXT_INIT;
	const char *body = bytes;

	add_all(fill, &g);
	trim(&body, &length);
	mask(&g, body, length < LOOKED_AT_BYTES ? length : LOOKED_AT_BYTES, &masked);
	if (g.failed || masked.failed)
		text_escape(out, MESSAGE_TEXT_BYTES, "(not shown)",
			    strlen("(not shown)"));
	else
		text_escape(out, SHOWN_BYTES + 1, masked.bytes, masked.length);
	guises_done(&g);
	text_done(&masked);
	return out;
}

/* The first sentence for people, masked; false: there is none. */
static bool mask_sentence(const struct fill *fill, struct view *view,
			  char out[MESSAGE_TEXT_BYTES])
{
	const struct catalogue *catalogue = fill->catalogue;

	for (size_t i = 0; i < catalogue->say_count; i++) {
		struct catalogue_spot spot = { CATALOGUE_JSON, catalogue->says[i] };
		char *text;

		if (!view_find(view, &spot, fill, &text))
			continue;
		mask_bytes(fill, text, strlen(text), out);
		secret_free(text);
		if (*out)
			return true;
	}
	return false;
}

const char *mask_answer(const struct fill *fill, struct view *view,
			char out[MESSAGE_TEXT_BYTES])
{
	const struct provider_answer *answer = view->answer;
	char said[MESSAGE_TEXT_BYTES];

	if (!mask_sentence(fill, view, said))
		mask_bytes(fill, answer->body, answer->length, said);
	if (answer->http_status == 200 && *said)
		text_copy(out, MESSAGE_TEXT_BYTES, said);
	else
		snprintf(out, MESSAGE_TEXT_BYTES, "HTTP %u%s%.200s", answer->http_status,
			 *said ? ": " : ", an empty answer", said);
	return out;
}
