/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "place.h"

#include <string.h>

static bool is_control(unsigned char c)
{
	return c < 0x20 || c == 0x7f;
}

/* RFC 3986, section 2.3. */
static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

static void add_encoded(struct text *out, const char *value, const char *also)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;
		char triple[3] = { '%', hex[c >> 4], hex[c & 15] };

		if (is_unreserved(c) || strchr(also, c))
			text_add_char(out, (char)c);
		else
			text_add_bytes(out, triple, sizeof(triple));
	}
}

static void add_json(struct text *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			text_add_char(out, '\\');
		text_add_char(out, *value);
	}
}

bool place_add(struct text *out, enum place place, const char *value)
{
	for (const char *c = value; *c; c++)
		if (is_control((unsigned char)*c))
			return false;
	switch (place) {
	case PLACE_PLAIN:
		text_add(out, value);
		break;
	case PLACE_URL:
	case PLACE_FORM:
		add_encoded(out, value, "");
		break;
	case PLACE_URL_KNOWN:
		add_encoded(out, value, ":,*");
		break;
	case PLACE_JSON:
		add_json(out, value);
		break;
	}
	return true;
}
