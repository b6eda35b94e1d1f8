/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DNS messages: what is read without complaint can be walked to its end and followed. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hairpin/dnsmsg.h"
#include "require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void follow(const struct dnsmsg *message, enum dnsmsg_type type, const char *zone)
{
	int family = type == DNSMSG_A ? AF_INET : AF_INET6;
	struct dnsmsg_found found;

	dnsmsg_follow(message, message->name, type, zone, &found);
	require(found.hops <= DNSMSG_HOPS_MAX);
	require(found.address_count <= DNSMSG_ADDRESSES_MAX);
	require(found.ttl_s <= DNSMSG_TTL_MAX_S);
	require(found.address_count == 0 || !zone ||
		dnsmsg_name_is_under(found.name, zone));
	for (size_t i = 0; i < found.address_count; i++)
		require(found.addresses[i].family == family);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dnsmsg_walk walk = { 0 };
	struct dnsmsg_record record;
	struct dnsmsg message;
	unsigned seen = 0;

	if (!dnsmsg_read(data, size, &message))
		return 0;
	require(strlen(message.name) < DNSMSG_NAME_BYTES);
	while (dnsmsg_next(&message, &walk, &record)) {
		seen++;
		require(record.ttl_s <= DNSMSG_TTL_MAX_S);
		require(strlen(record.owner) < DNSMSG_NAME_BYTES);
		require(strlen(record.target) < DNSMSG_NAME_BYTES);
	}
	require(seen == message.answer_count);
	follow(&message, DNSMSG_A, NULL);
	follow(&message, DNSMSG_AAAA, "example.org");
	return 0;
}
