/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guise.h"

#include <stdlib.h>
#include <string.h>

#include "hairpin/secret.h"
#include "hairpin/text.h"
#include "place.h"

enum { PREFIX_BYTES = 8 };	/* the beginning of a secret that tells too much */

static bool make_room(struct guises *g)
{
	size_t room = g->room ? 2 * g->room : 32;
	char **guises;

	if (g->count < g->room)
		return true;
	guises = reallocarray(g->guises, room, sizeof(*guises));
	if (!guises)
		return false;
	g->guises = guises;
	g->room = room;
	return true;
}

static bool is_known(const struct guises *g, const char *guise)
{
	for (size_t i = 0; i < g->count; i++)
		if (strcmp(g->guises[i], guise) == 0)
			return true;
	return false;
}

static void guise_take(struct guises *g, char *guise)
{
	g->failed = g->failed || !guise || !make_room(g);
	if (g->failed || !*guise || is_known(g, guise))
		secret_free(guise);
	else
		g->guises[g->count++] = guise;
}

void guises_done(struct guises *g)
{
	for (size_t i = 0; i < g->count; i++)
		secret_free(g->guises[i]);
	free(g->guises);
	*g = (struct guises){ 0 };
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
		/* What cannot be encoded stands as it is, and may end with a percent sign. */
		for (int i = 1; i <= 2 && c[i]; i++)
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

/* JSON as some write it, who escape the slash too. */
static char *placed_slashed(const char *secret)
{
	struct text text = TEXT_INIT;

	for (; *secret; secret++) {
		if (strchr("\"\\/", *secret))
			text_add_char(&text, '\\');
		text_add_char(&text, *secret);
	}
	return text_take(&text);
}

void guises_add(struct guises *g, const char *secret)
{
	size_t length = strlen(secret);

	guise_take(g, strdup(secret));
	guise_take(g, placed(PLACE_URL, secret));
	guise_take(g, placed_lower(secret));
	guise_take(g, placed_plus(secret));
	guise_take(g, placed(PLACE_JSON, secret));
	guise_take(g, placed_slashed(secret));
	guise_take(g, placed(PLACE_XML, secret));
	for (unsigned shift = 0; shift < 3; shift++) {
		guise_take(g, base64_within(secret, length, shift, false));
		guise_take(g, base64_within(secret, length, shift, true));
	}
}

static size_t match_length(const char *guise, const char *at, size_t left)
{
	size_t whole = strlen(guise), most = whole < left ? whole : left, length = 0;

	while (length < most && guise[length] == at[length])
		length++;
	return length == whole || length >= PREFIX_BYTES ? length : 0;
}

size_t guises_match(const struct guises *g, const char *at, size_t left)
{
	size_t longest = 0;

	for (size_t i = 0; i < g->count; i++) {
		size_t length = match_length(g->guises[i], at, left);

		if (length > longest)
			longest = length;
	}
	return longest;
}
