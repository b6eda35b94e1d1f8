/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses as text and as bytes: what is accepted survives the way there and back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/addr.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct addr *addr)
{
	char out[ADDR_TEXT_BYTES];
	struct addr again;

	require(!addr_is_none(addr));
	require(strlen(addr_format(addr, out)) > 0);
	/* Mapped addresses are the ones that print and do not parse. */
	if (addr_parse(out, &again))
		require(addr_equal(addr, &again));
	else
		require(addr_classify(addr) == ADDR_SPECIAL);
	require(addr_is_global(addr) == (addr_classify(addr) == ADDR_GLOBAL));
	require(addr_class_name(addr_classify(addr))[0] != '\0');
	if (addr_is_unspecified(addr))
		require(!addr_is_global(addr));
}

/* What addr_parse_alone() takes has no more than the address and white space. */
static void check_alone(const uint8_t *data, size_t size)
{
	char out[ADDR_TEXT_BYTES], text[ADDR_ALONE_BYTES + 1] = "";
	struct addr addr, again;
	size_t length = 0;

	if (!addr_parse_alone(data, size, &addr))
		return;
	require(size <= ADDR_ALONE_BYTES);
	check(&addr);
	for (size_t i = 0; i < size; i++)
		if (!memchr(" \t\r\n", data[i], 4))
			text[length++] = (char)data[i];
	require(addr_parse(text, &again) && addr_equal(&addr, &again));
	addr_format(&addr, out);
	require(addr_parse_alone(out, strlen(out), &again) ||
		addr_classify(&addr) == ADDR_SPECIAL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *string = malloc(size + 1);
	struct addr addr;

	require(string != NULL);
	if (size > 0)
		memcpy(string, data, size);
	string[size] = '\0';
	if (addr_parse(string, &addr)) {
		require(strlen(string) < ADDR_TEXT_BYTES);
		check(&addr);
	}
	free(string);
	check_alone(data, size);
	if (size == 4 || size == 16) {
		addr = addr_from_bytes(size == 4 ? AF_INET : AF_INET6, data);
		check(&addr);
	}
	return 0;
}
