/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "wire.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

void wire_done(struct wire *wire)
{
	free(wire->bytes);
	*wire = (struct wire){ 0 };
}

/* Room for `length` more bytes, zeroed and counted; NULL: no memory. */
static void *extend(struct wire *wire, size_t length)
{
	size_t whole = MNL_ALIGN(length), room = wire->room ? wire->room : 1024;
	uint8_t *bytes;

	if (wire->failed)
		return NULL;
	while (room - wire->length < whole)
		room *= 2;
	if (room != wire->room) {
		bytes = realloc(wire->bytes, room);
		wire->failed = !bytes;
		if (!bytes)
			return NULL;
		wire->bytes = bytes;
		wire->room = room;
	}
	bytes = wire->bytes + wire->length;
	memset(bytes, 0, whole);
	wire->length += whole;
	return bytes;
}

void wire_add(struct wire *wire, const void *bytes, size_t length)
{
	void *to = extend(wire, length);

	if (to && length)
		memcpy(to, bytes, length);
}

size_t wire_message(struct wire *wire, uint16_t type, uint16_t flags, uint32_t seq,
		    const void *header, size_t header_bytes)
{
	struct nlmsghdr message = {
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST | flags,
		.nlmsg_seq = seq,
	};
	size_t place = wire->length;

	wire_add(wire, &message, sizeof(message));
	wire_add(wire, header, header_bytes);
	return place;
}

size_t wire_nf_message(struct wire *wire, uint16_t type, uint16_t flags, uint32_t seq,
		       uint8_t family)
{
	struct nfgenmsg header = { .nfgen_family = family, .version = NFNETLINK_V0 };

	return wire_message(wire, type, flags, seq, &header, sizeof(header));
}

void wire_message_end(struct wire *wire, size_t message)
{
	uint32_t length = (uint32_t)(wire->length - message);

	if (!wire->failed)
		memcpy(wire->bytes + message + offsetof(struct nlmsghdr, nlmsg_len),
		       &length, sizeof(length));
}

void wire_put(struct wire *wire, uint16_t type, const void *bytes, size_t length)
{
	struct nlattr attr = { .nla_len = (uint16_t)(sizeof(attr) + length),
			       .nla_type = type };

	if (length > UINT16_MAX - sizeof(attr)) {
		wire->failed = true;
		return;
	}
	wire_add(wire, &attr, sizeof(attr));
	wire_add(wire, bytes, length);
}

void wire_put_string(struct wire *wire, uint16_t type, const char *string)
{
	wire_put(wire, type, string, strlen(string) + 1);
}

void wire_put_be32(struct wire *wire, uint16_t type, uint32_t number)
{
	uint32_t big = htonl(number);

	wire_put(wire, type, &big, sizeof(big));
}

void wire_put_u32(struct wire *wire, uint16_t type, uint32_t number)
{
	wire_put(wire, type, &number, sizeof(number));
}

void wire_put_be64(struct wire *wire, uint16_t type, uint64_t number)
{
	uint64_t big = htobe64(number);

	wire_put(wire, type, &big, sizeof(big));
}

void wire_copy(struct wire *wire, const struct nlattr *attr)
{
	wire_add(wire, attr, attr->nla_len);
}

size_t wire_nest(struct wire *wire, uint16_t type)
{
	size_t place = wire->length;

	wire_put(wire, type | NLA_F_NESTED, NULL, 0);
	return place;
}

void wire_nest_end(struct wire *wire, size_t nest)
{
	size_t length = wire->length - nest;
	uint16_t stored = (uint16_t)length;

	if (wire->failed)
		return;
	if (length > UINT16_MAX) {
		wire->failed = true;
		return;
	}
	memcpy(wire->bytes + nest + offsetof(struct nlattr, nla_len), &stored,
	       sizeof(stored));
}
