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

static void add_xml(struct text *out, const char *value)
{
	for (; *value; value++) {
		switch (*value) {
		case '&': text_add(out, "&amp;"); break;
		case '<': text_add(out, "&lt;"); break;
		case '>': text_add(out, "&gt;"); break;
		case '"': text_add(out, "&quot;"); break;
		case '\'': text_add(out, "&apos;"); break;
		default: text_add_char(out, *value);
		}
	}
}

static void add_regex(struct text *out, const char *value)
{
	for (; *value; value++) {
		if (strchr(".[\\()*+?{|^$", *value))
			text_add_char(out, '\\');
		text_add_char(out, *value);
	}
}

static size_t digits(const char *text)
{
	return strspn(text, "0123456789");
}

/* RFC 8259, section 6. */
static bool is_json_number(const char *text)
{
	size_t whole;

	text += *text == '-';
	whole = digits(text);
	if (whole == 0 || (whole > 1 && *text == '0'))
		return false;
	text += whole;
	if (*text == '.') {
		if (digits(++text) == 0)
			return false;
		text += digits(text);
	}
	if (*text == 'e' || *text == 'E') {
		text += strchr("+-", text[1]) && text[1] ? 2 : 1;
		if (digits(text) == 0)
			return false;
		text += digits(text);
	}
	return *text == '\0';
}

static bool is_json_word(const char *text)
{
	return strcmp(text, "true") == 0 || strcmp(text, "false") == 0 ||
	       is_json_number(text);
}

bool place_add(struct text *out, enum place place, const char *value)
{
	if (place == PLACE_JSON_RAW && !is_json_word(value))
		return false;
	for (const char *c = value; *c && place != PLACE_DOCUMENT; c++)
		if (is_control((unsigned char)*c))
			return false;
	switch (place) {
	case PLACE_PLAIN:
	case PLACE_JSON_RAW:
	case PLACE_DOCUMENT:
		text_add(out, value);
		break;
	case PLACE_URL:
	case PLACE_FORM:
		add_encoded(out, value, "");
		break;
	case PLACE_URL_KNOWN:
		add_encoded(out, value, ":,*@");
		break;
	case PLACE_JSON:
		add_json(out, value);
		break;
	case PLACE_XML:
		add_xml(out, value);
		break;
	case PLACE_REGEX:
		add_regex(out, value);
		break;
	}
	return true;
}
