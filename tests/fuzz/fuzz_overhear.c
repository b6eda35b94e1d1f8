/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet of the LAN: one byte for the family, then it. What is taken is whole. */
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "hairpin/overhear.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct overheard heard;
	int family;

	if (size == 0)
		return 0;
	family = data[0] & 1 ? AF_INET6 : AF_INET;
	if (!overhear_parse(family, data + 1, size - 1, &heard))
		return 0;
	if (heard.source.family != family || heard.destination.family != family ||
	    (heard.protocol != IPPROTO_TCP && heard.protocol != IPPROTO_UDP) ||
	    (heard.error && heard.teller.family != family))
		abort();
	return 0;
}
