/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "field.h"

#include <string.h>
#include <sys/socket.h>

#include "hairpin/text.h"

/* Copies, with the bytes of `harmless` made plain, and compares with its escaped self. */
static bool is_printable(const char *field, size_t bytes, const char *harmless)
{
	char plain[FIELD_MAX_BYTES], escaped[FIELD_MAX_BYTES];
	size_t length = strnlen(field, bytes);

	if (length >= bytes || length >= sizeof(plain))
		return false;
	for (size_t i = 0; i < length; i++)
		plain[i] = strchr(harmless, field[i]) ? '/' : field[i];
	plain[length] = '\0';
	text_escape(escaped, sizeof(escaped), plain, length);
	return strcmp(plain, escaped) == 0;
}

bool field_is_text(const char *field, size_t bytes)
{
	return is_printable(field, bytes, "\\");
}

bool field_is_lines(const char *field, size_t bytes)
{
	return is_printable(field, bytes, "\\\n\t");
}

bool field_is_ascii(const char *field, size_t bytes)
{
	size_t length = strnlen(field, bytes);

	for (size_t i = 0; i < length; i++)
		if (field[i] < ' ' || field[i] > '~')
			return false;
	return length < bytes;
}

bool field_is_address(const struct addr *address, int family)
{
	static const uint8_t zeros[sizeof(address->bytes)];
	size_t used = addr_length_bytes(address);

	if (address->family != 0 && address->family != family)
		return false;
	return memcmp(address->bytes + used, zeros, sizeof(zeros) - used) == 0;
}

bool field_is_any_address(const struct addr *address)
{
	return field_is_address(address, AF_INET) || field_is_address(address, AF_INET6);
}
