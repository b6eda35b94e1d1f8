/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON text that is safe on a terminal and says the same. */
#include "hairpin/ctl.h"

static void harmless_add_unit(struct text *out, uint32_t unit)
{
	text_addf(out, "\\u%04x", (unsigned)unit);
}

/* Above the first plane UTF-16 needs two units (RFC 8259, section 7). */
static void harmless_add_character(struct text *out, uint32_t character)
{
	if (character < 0x10000) {
		harmless_add_unit(out, character);
		return;
	}
	character -= 0x10000;
	harmless_add_unit(out, 0xd800 + (character >> 10));
	harmless_add_unit(out, 0xdc00 + (character & 0x3ff));
}

/*
 * One character of UTF-8; gives its bytes. What is none becomes U+FFFD: json_parse()
 * refuses such text, so this is only the second wall.
 */
static size_t harmless_decode(const unsigned char *bytes, size_t length,
			      uint32_t *ret_character)
{
	static const unsigned char firsts[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t count = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
	uint32_t character = bytes[0] - firsts[count];
	size_t i;

	*ret_character = 0xfffd;
	if (bytes[0] < 0xc2 || bytes[0] > 0xf4 || count > length)
		return 1;
	for (i = 1; i < count; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 1;
		character = character << 6 | (bytes[i] & 0x3f);
	}
	*ret_character = character > 0x10ffff ? 0xfffd : character;
	return count;
}

void ctl_json_show(const char *json, size_t length, struct text *out)
{
	const unsigned char *bytes = (const unsigned char *)json;
	uint32_t character;
	size_t i = 0;

	while (i < length) {
		if (bytes[i] >= 0x80) {
			i += harmless_decode(bytes + i, length - i, &character);
			harmless_add_character(out, character);
			continue;
		}
		/* White space between values; inside strings json_parse() refuses it. */
		if (bytes[i] == '\n' || bytes[i] == '\t' || bytes[i] == '\r')
			text_add_char(out, bytes[i] == '\r' ? ' ' : (char)bytes[i]);
		else if (bytes[i] < 0x20 || bytes[i] == 0x7f)
			harmless_add_unit(out, bytes[i]);
		else
			text_add_char(out, (char)bytes[i]);
		i++;
	}
}
