/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "attr.h"

#include <endian.h>

struct span attr_of_message(const struct nlmsghdr *message, size_t header_bytes)
{
	size_t payload = mnl_nlmsg_get_payload_len(message);
	size_t header = MNL_ALIGN(header_bytes);

	if (payload < header)
		return (struct span){ 0 };
	return (struct span){ (const uint8_t *)mnl_nlmsg_get_payload(message) + header,
			      payload - header };
}

void attr_index(struct span span, const struct nlattr **table, size_t count)
{
	const struct nlattr *attr;

	memset(table, 0, count * sizeof(*table));
	attr_for_each(attr, span) {
		if (attr_type(attr) < count)
			table[attr_type(attr)] = attr;
	}
}

const struct nlattr *attr_find(struct span span, uint16_t type)
{
	const struct nlattr *attr;

	attr_for_each(attr, span) {
		if (attr_type(attr) == type)
			return attr;
	}
	return NULL;
}

struct span attr_nest(struct span span, uint16_t type)
{
	return attr_span(attr_find(span, type));
}

bool attr_well_formed(struct span span)
{
	const struct nlattr *attr;
	const uint8_t *end = span.bytes;

	if (!span.bytes)
		return true;
	attr_for_each(attr, span)
		end = (const uint8_t *)attr_next(attr);
	/* The last one's padding may be missing. */
	return end >= span.bytes + span.length;
}

static inline bool number(const struct nlattr *attr, void *ret, size_t bytes)
{
	struct span value = attr_span(attr);

	if (!attr || value.length != bytes)
		return false;
	memcpy(ret, value.bytes, bytes);
	return true;
}

bool attr_u8(const struct nlattr *attr, uint8_t *ret)
{
	return number(attr, ret, sizeof(*ret));
}

bool attr_u32(const struct nlattr *attr, uint32_t *ret)
{
	return number(attr, ret, sizeof(*ret));
}

bool attr_be16(const struct nlattr *attr, uint16_t *ret)
{
	uint16_t wire;

	if (!number(attr, &wire, sizeof(wire)))
		return false;
	*ret = be16toh(wire);
	return true;
}

bool attr_be32(const struct nlattr *attr, uint32_t *ret)
{
	uint32_t wire;

	if (!number(attr, &wire, sizeof(wire)))
		return false;
	*ret = be32toh(wire);
	return true;
}

bool attr_be64(const struct nlattr *attr, uint64_t *ret)
{
	uint64_t wire;

	if (!number(attr, &wire, sizeof(wire)))
		return false;
	*ret = be64toh(wire);
	return true;
}

bool attr_string(const struct nlattr *attr, struct span *ret_text)
{
	struct span text = attr_span(attr);

	if (!attr)
		return false;
	if (text.length && text.bytes[text.length - 1] == '\0')
		text.length--;
	if (memchr(text.bytes, '\0', text.length))
		return false;
	*ret_text = text;
	return true;
}
