/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "memo.h"

#include <string.h>

bool memo_keeps(const struct catalogue *catalogue, const char *name)
{
	for (size_t i = 0; i < catalogue->step_count; i++) {
		const struct catalogue_step *step = &catalogue->steps[i];

		for (size_t k = 0; k < step->read_count; k++)
			if (step->reads[k].keep && strcmp(step->reads[k].name, name) == 0)
				return true;
	}
	return false;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Up to `end`; false: no such encoding, or a control character. */
static bool decode(const char *text, const char *end, char out[MESSAGE_MEMO_BYTES])
{
	while (text < end) {
		unsigned char c = (unsigned char)*text++;

		if (c == '%') {
			if (end - text < 2 || hex_digit(text[0]) < 0 ||
			    hex_digit(text[1]) < 0)
				return false;
			c = (unsigned char)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
			text += 2;
		}
		if (c < 0x20 || c == 0x7f)
			return false;
		*out++ = (char)c;
	}
	*out = '\0';
	return true;
}

/* One `name=value`. */
static bool read_pair(const char *pair, const char *end, struct fill *fill)
{
	const char *equals = memchr(pair, '=', (size_t)(end - pair));
	char name[CATALOGUE_NAME_BYTES], value[MESSAGE_MEMO_BYTES];

	if (!equals || equals - pair >= (long)sizeof(name))
		return false;
	memcpy(name, pair, (size_t)(equals - pair));
	name[equals - pair] = '\0';
	return memo_keeps(fill->catalogue, name) && decode(equals + 1, end, value) &&
	       value[0] && fill_set_read(fill, name, value);
}

bool memo_read(const char *memo, struct fill *fill)
{
	size_t left = strnlen(memo, MESSAGE_MEMO_BYTES);
	bool any = false;

	if (left >= MESSAGE_MEMO_BYTES)
		return false;
	while (left > 0) {
		const char *ampersand = memchr(memo, '&', left);
		size_t length = ampersand ? (size_t)(ampersand - memo) : left;

		any = read_pair(memo, memo + length, fill) || any;
		memo += length + (ampersand ? 1 : 0);
		left -= length + (ampersand ? 1 : 0);
	}
	return any;
}

static void add_pair(const struct fill_read *read, struct text *out)
{
	struct text pair = TEXT_INIT;

	if (out->length > 0)
		text_add_char(&pair, '&');
	text_add(&pair, read->name);
	text_add_char(&pair, '=');
	if (place_add(&pair, PLACE_URL, read->value) && !pair.failed &&
	    out->length + pair.length < MESSAGE_MEMO_BYTES)
		text_add(out, pair.bytes);
	text_done(&pair);
}

void memo_write(const struct fill *fill, char out[MESSAGE_MEMO_BYTES])
{
	struct text memo = TEXT_INIT;

	for (size_t i = 0; i < fill->read_count; i++)
		if (*fill->reads[i].value &&
		    memo_keeps(fill->catalogue, fill->reads[i].name))
			add_pair(&fill->reads[i], &memo);
	(void)text_copy(out, MESSAGE_MEMO_BYTES, memo.bytes);
	text_done(&memo);
}
