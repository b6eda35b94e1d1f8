/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "hairpin/provider.h"
#include "hairpin/secret.h"
#include "hairpin/text.h"
#include "place.h"

enum {
	SHOWN_BYTES = 200,
	LOOKED_AT_BYTES = 4096,		/* enough for what is shown after masking */
	GUISES_MAX = CATALOGUE_SETTINGS_MAX * 12,
	/* the beginning of a secret that tells too much */
	PREFIX_BYTES = 8,
};

/* The forms in which the secrets might come back. */
struct guises {
	char *guises[GUISES_MAX];
	size_t count;
	bool failed;
};

static void guise_take(struct guises *g, char *guise)
{
	if (!guise || g->count == GUISES_MAX) {
		g->failed = true;
		if (guise)
			secret_wipe(guise, strlen(guise));
		free(guise);
		return;
	}
	if (*guise) {
		g->guises[g->count++] = guise;
		return;
	}
	free(guise);
}

static void guises_done(struct guises *g)
{
	for (size_t i = 0; i < g->count; i++) {
		secret_wipe(g->guises[i], strlen(g->guises[i]));
		free(g->guises[i]);
	}
}

/*
 * Base64 of the secret as it appears within the base64 of something longer in which it
 * begins `shift` (0 to 2) bytes behind a group's start: only the groups' characters
 * that depend on nothing but the secret.
 */
static char *base64_within(const char *secret, size_t length, unsigned shift,
			   bool of_urls)
{
	static const char common[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	const char *last = of_urls ? "-_" : "+/";
	size_t first_bit = 8 * shift, end_bit = 8 * (shift + length), used = 0;
	char *out = malloc(length * 4 / 3 + 2);

	if (!out)
		return NULL;
	for (size_t bit = (first_bit + 5) / 6 * 6; bit + 6 <= end_bit; bit += 6) {
		unsigned value = 0;

		for (size_t i = bit; i < bit + 6; i++) {
			unsigned char byte = (unsigned char)secret[i / 8 - shift];

			value = value << 1 | (byte >> (7 - i % 8) & 1);
		}
		out[used++] = value < 62 ? common[value] : last[value - 62];
	}
	/* Three characters or fewer would be found everywhere. */
	out[used > 3 ? used : 0] = '\0';
	return out;
}

static char *placed(enum place place, const char *secret)
{
	struct text text = TEXT_INIT;

	if (!place_add(&text, place, secret))
		text_add(&text, secret);
	return text_take(&text);
}

/* %2F and %2f are one. */
static char *placed_lower(const char *secret)
{
	char *guise = placed(PLACE_URL, secret);

	for (char *c = guise; c && *c; c++) {
		if (c[0] != '%')
			continue;
		for (int i = 1; i <= 2; i++)
			if (c[i] >= 'A' && c[i] <= 'F')
				c[i] += 'a' - 'A';
	}
	return guise;
}

static char *placed_plus(const char *secret)
{
	char *guise = placed(PLACE_FORM, secret), *to = guise;

	for (char *c = guise; c && *c; c++) {
		bool space = strncmp(c, "%20", 3) == 0;

		*to++ = space ? '+' : *c;
		if (space)
			c += 2;
	}
	if (to)
		*to = '\0';
	return guise;
}

static void add_guises(struct guises *g, const char *secret)
{
	size_t length = strlen(secret);

	guise_take(g, strdup(secret));
	guise_take(g, placed(PLACE_URL, secret));
	guise_take(g, placed_lower(secret));
	guise_take(g, placed_plus(secret));
	guise_take(g, placed(PLACE_JSON, secret));
	for (unsigned shift = 0; shift < 3; shift++) {
		guise_take(g, base64_within(secret, length, shift, false));
		guise_take(g, base64_within(secret, length, shift, true));
	}
}

static bool is_secret(const struct catalogue *catalogue, const char *name)
{
	for (size_t i = 0; i < catalogue->setting_count; i++)
		if (strcmp(catalogue->settings[i].name, name) == 0)
			return catalogue->settings[i].secret;
	return true;		/* what the description does not know is hidden too */
}

static size_t match_length(const char *guise, const char *at, size_t left)
{
	size_t whole = strlen(guise), most = whole < left ? whole : left, length = 0;

	while (length < most && guise[length] == at[length])
		length++;
	return length == whole || length >= PREFIX_BYTES ? length : 0;
}

/* How many bytes at `at` are (the beginning of) a secret. */
static size_t hidden_length(const struct guises *g, const char *at, size_t left)
{
	size_t longest = 0;

	for (size_t i = 0; i < g->count; i++) {
		size_t length = match_length(g->guises[i], at, left);

		if (length > longest)
			longest = length;
	}
	return longest;
}

static void mask(const struct guises *g, const char *bytes, size_t length,
		 struct text *out)
{
	for (size_t at = 0; at < length && out->length < SHOWN_BYTES;) {
		size_t hidden = hidden_length(g, bytes + at, length - at);

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

const char *provider_describe(const struct catalogue *catalogue,
			      const struct provider_update *update, const void *bytes,
			      size_t length, char out[MESSAGE_TEXT_BYTES])
{
	struct guises g = { 0 };
	struct text masked = TEXT_INIT;
	const char *body = bytes;

	for (size_t i = 0; i < update->setting_count; i++)
		if (is_secret(catalogue, update->settings[i].name))
			add_guises(&g, update->settings[i].value);
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
