/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses as text and as bytes: what is accepted survives the way there and back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool fine)
{
	if (!fine)
		abort();
}

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
	if (size == 4 || size == 16) {
		addr = addr_from_bytes(size == 4 ? AF_INET : AF_INET6, data);
		check(&addr);
	}
	return 0;
}
