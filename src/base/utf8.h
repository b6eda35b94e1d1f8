/* SPDX-License-Identifier: GPL-2.0-or-later */
/* UTF-8 of foreign origin (RFC 3629). Private to base. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * The length of the well-formed character at `bytes` (1 to 4), with its code point;
 * 0 where there is none: stray or missing continuation, overlong form, surrogate,
 * beyond U+10FFFF. `length` > 0 bytes may be read.
 */
size_t utf8_decode(const unsigned char *bytes, size_t length, uint32_t *ret_code);

#endif
