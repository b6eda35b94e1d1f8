/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Never written: text_reserve() gives a text room of its own first. */
char text_empty[1];

enum { FIRST_ROOM_BYTES = 64 };

void text_done(struct text *text)
{
	if (text->room > 0)
		free(text->bytes);
	*text = (struct text)TEXT_INIT;
}

void text_clear(struct text *text)
{
	text->length = 0;
	text->failed = false;
	if (text->room > 0)
		text->bytes[0] = '\0';
}

/* Makes room for `more` bytes and the NUL. */
static bool text_reserve(struct text *text, size_t more)
{
	size_t room = text->room > 0 ? text->room : FIRST_ROOM_BYTES;
	char *bytes;

	if (text->failed || more >= SIZE_MAX / 4 - text->length) {
		text->failed = true;
		return false;
	}
	while (room <= text->length + more)
		room *= 2;
	if (room == text->room)
		return true;
	bytes = realloc(text->room > 0 ? text->bytes : NULL, room);
	if (!bytes) {
		text->failed = true;
		return false;
	}
	bytes[text->length] = '\0';
	text->bytes = bytes;
	text->room = room;
	return true;
}

void text_add_bytes(struct text *text, const void *bytes, size_t length)
{
	if (length == 0 || !text_reserve(text, length))
		return;
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
	text->bytes[text->length] = '\0';
}

void text_add(struct text *text, const char *string)
{
	text_add_bytes(text, string, strlen(string));
}

void text_add_char(struct text *text, char c)
{
	text_add_bytes(text, &c, 1);
}

void text_addf(struct text *text, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0) {
		text->failed = true;
		return;
	}
	if (!text_reserve(text, (size_t)length))
		return;
	va_start(arguments, format);
	vsnprintf(text->bytes + text->length, (size_t)length + 1, format, arguments);
	va_end(arguments);
	text->length += (size_t)length;
}

char *text_take(struct text *text)
{
	char *taken = NULL;

	if (text_reserve(text, 0)) {
		taken = text->bytes;
		*text = (struct text)TEXT_INIT;
	}
	text_done(text);
	return taken;
}

bool text_copy(char *out, size_t out_bytes, const char *string)
{
	size_t length = strlen(string);

	if (out_bytes == 0)
		return false;
	if (length >= out_bytes) {
		out[0] = '\0';
		return false;
	}
	memcpy(out, string, length + 1);
	return true;
}
