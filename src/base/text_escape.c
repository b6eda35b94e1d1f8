/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/text.h"

#include <string.h>

#include "utf8.h"

/*
 * Characters beyond ASCII that act instead of showing: C1 controls, the marks that
 * turn the writing direction (UAX #9), separators, invisible ones, tags.
 */
static const struct {
	uint32_t first, last;
} harmful[] = {
	{ 0x80, 0x9f },
	{ 0xad, 0xad },
	{ 0x61c, 0x61c },
	{ 0x200b, 0x200f },
	{ 0x2028, 0x202e },
	{ 0x2060, 0x206f },
	{ 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb },
	{ 0xe0000, 0xe007f },
};

static bool is_harmful(uint32_t code)
{
	if (code < 0x20 || code == 0x7f)
		return true;
	for (size_t i = 0; i < sizeof(harmful) / sizeof(harmful[0]); i++)
		if (code >= harmful[i].first && code <= harmful[i].last)
			return true;
	return false;
}

struct piece {
	char bytes[16];		/* 4 bytes, each as \xNN */
	size_t length;
};

/* The next character of the input as it may be shown; returns the bytes it consumed. */
static size_t escape_one(const unsigned char *in, size_t length, struct piece *ret_piece)
{
	static const char digits[] = "0123456789abcdef";
	struct piece piece = { .length = 0 };
	uint32_t code;
	size_t count = utf8_decode(in, length, &code);

	if (count > 0 && code == '\\') {
		memcpy(piece.bytes, "\\\\", 2);
		piece.length = 2;
	} else if (count > 0 && !is_harmful(code)) {
		memcpy(piece.bytes, in, count);
		piece.length = count;
	} else {
		if (count == 0)
			count = 1;
		for (size_t i = 0; i < count; i++) {
			char *out = piece.bytes + piece.length;

			out[0] = '\\';
			out[1] = 'x';
			out[2] = digits[in[i] >> 4];
			out[3] = digits[in[i] & 15];
			piece.length += 4;
		}
	}
	*ret_piece = piece;
	return count;
}

const char *text_escape(char *out, size_t out_bytes, const void *bytes, size_t length)
{
	static const char dots[] = "...";
	const unsigned char *in = bytes;
	size_t used = 0, cut_at = 0, at = 0;
	struct piece piece;

	if (out_bytes == 0)
		return out;
	while (at < length) {
		at += escape_one(in + at, length - at, &piece);
		if (piece.length >= out_bytes - used) {
			size_t room = out_bytes - 1 - cut_at;

			used = cut_at + (room < 3 ? room : 3);
			memcpy(out + cut_at, dots, used - cut_at);
			break;
		}
		memcpy(out + used, piece.bytes, piece.length);
		used += piece.length;
		if (used + sizeof(dots) <= out_bytes)
			cut_at = used;
	}
	out[used] = '\0';
	return out;
}
