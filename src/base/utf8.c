/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "utf8.h"

/* By the number of bytes: the smallest code point that needs so many. */
static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };

static size_t sequence_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	if (first >= 0xf0 && first < 0xf5)
		return 4;
	return 0;
}

size_t utf8_decode(const unsigned char *bytes, size_t length, uint32_t *ret_code)
{
	size_t count = sequence_length(bytes[0]);
	uint32_t code;

	if (count == 0 || count > length)
		return 0;
	code = count == 1 ? bytes[0] : bytes[0] & (0x7fu >> count);
	for (size_t i = 1; i < count; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (bytes[i] & 0x3fu);
	}
	if (code < smallest[count] || code > 0x10ffff)
		return 0;
	if (code >= 0xd800 && code < 0xe000)
		return 0;
	*ret_code = code;
	return count;
}
