/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading netlink attributes without trusting them: every length is checked against
 * what holds it.
 *
 * A span is some bytes inside a message that lives longer than the span.
 */
#ifndef KERNEL_ATTR_H
#define KERNEL_ATTR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

struct span {
	const uint8_t *bytes;
	size_t length;
};

/*
 * The walk is done for every attribute of every rule in the kernel: here, so that the
 * compiler sees into it, and not by libmnl's functions of the same meaning.
 */
static inline uint16_t attr_type(const struct nlattr *attr)
{
	return attr->nla_type & NLA_TYPE_MASK;
}

static inline bool attr_fits(const struct nlattr *attr, struct span span)
{
	uintptr_t used = (uintptr_t)attr - (uintptr_t)span.bytes;

	/* Behind the last one `used` may exceed the length, by its padding. */
	return used < span.length && span.length - used >= sizeof(*attr) &&
	       attr->nla_len >= sizeof(*attr) && attr->nla_len <= span.length - used;
}

static inline const struct nlattr *attr_next(const struct nlattr *attr)
{
	return (const void *)((const uint8_t *)attr + NLA_ALIGN(attr->nla_len));
}

/* Walks the attributes of a span; stops at the first that does not fit. */
#define attr_for_each(attr, span) \
	for ((attr) = (const void *)(span).bytes; \
	     attr_fits((attr), (span)); \
	     (attr) = attr_next(attr))

static inline struct span attr_span(const struct nlattr *attr)
{
	if (!attr)
		return (struct span){ 0 };
	return (struct span){ (const uint8_t *)attr + NLA_HDRLEN,
			      attr->nla_len - (size_t)NLA_HDRLEN };
}

/* Whether a whole message begins there: libmnl takes 2 GiB and more for less than 0. */
static inline bool attr_message_ok(const struct nlmsghdr *message, int left)
{
	return mnl_nlmsg_ok(message, left) && message->nlmsg_len <= INT32_MAX;
}

/* What follows the family header of `header_bytes` in a message. */
struct span attr_of_message(const struct nlmsghdr *message, size_t header_bytes);

/*
 * Sorts attributes by type into `table` of `count` entries (NULL where absent, the last
 * one where repeated); types beyond are passed over.
 */
void attr_index(struct span span, const struct nlattr **table, size_t count);

const struct nlattr *attr_find(struct span span, uint16_t type);

/* Nests: the payload of the attribute of that type, empty when absent. */
struct span attr_nest(struct span span, uint16_t type);

/* Whether every byte belongs to a well-formed attribute. */
bool attr_well_formed(struct span span);

/* Exact sizes only; `ret` untouched otherwise. NULL attributes are fine. */
bool attr_u8(const struct nlattr *attr, uint8_t *ret);
bool attr_u32(const struct nlattr *attr, uint32_t *ret);		/* host order */
bool attr_be16(const struct nlattr *attr, uint16_t *ret);
bool attr_be32(const struct nlattr *attr, uint32_t *ret);
bool attr_be64(const struct nlattr *attr, uint64_t *ret);

/*
 * The text of a string attribute, its NUL (if it has one) not counted; false when
 * absent or with a NUL inside.
 */
bool attr_string(const struct nlattr *attr, struct span *ret_text);

static inline bool attr_is(struct span text, const char *string)
{
	return text.length == strlen(string) &&
	       memcmp(text.bytes, string, text.length) == 0;
}

#endif
