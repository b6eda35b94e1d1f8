/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/dnsmsg.h"

#include <string.h>
#include <sys/socket.h>

enum {
	HEADER_BYTES = 12,
	FLAG_RESPONSE = 0x8000,
	FLAG_AUTHORITATIVE = 0x0400,
	FLAG_TRUNCATED = 0x0200,
	OPCODE_MASK = 0x7800,
	RCODE_MASK = 0x000f,
	LABEL_MAX = 63,
	POINTER = 0xc0,
	NAME_WIRE_MAX = 255,
	JUMPS_MAX = 127,		/* as many as there can be labels */
};

static bool read_u16(const struct dnsmsg *m, size_t *at, unsigned *ret)
{
	if (m->length < 2 || *at > m->length - 2)
		return false;
	*ret = (unsigned)m->bytes[*at] << 8 | m->bytes[*at + 1];
	*at += 2;
	return true;
}

static bool read_u32(const struct dnsmsg *m, size_t *at, uint32_t *ret)
{
	unsigned high, low;

	if (!read_u16(m, at, &high) || !read_u16(m, at, &low))
		return false;
	*ret = (uint32_t)high << 16 | low;
	return true;
}

static bool is_plain(uint8_t byte)
{
	return byte > 0x20 && byte < 0x7f && byte != '.' && byte != '\\';
}

/* One label behind what `name` has; false: a byte of it cannot be shown as it is. */
static bool append_label(char *name, size_t *length, const uint8_t *label, size_t bytes)
{
	bool plain = true;

	if (*length > 0)
		name[(*length)++] = '.';
	for (size_t i = 0; i < bytes; i++) {
		uint8_t byte = label[i];

		plain = plain && is_plain(byte);
		if (byte >= 'A' && byte <= 'Z')
			byte += 'a' - 'A';
		name[(*length)++] = (char)byte;
	}
	return plain;
}

/*
 * A name that may be compressed. Every pointer must lead to before where the last run of
 * labels began, so a loop is impossible; the wire limit of 255 bytes bounds the text. Who
 * compresses points at labels, so that a chain of pointers alone is made to keep us busy.
 */
static bool read_name(const struct dnsmsg *m, size_t *at, char name[DNSMSG_NAME_BYTES])
{
	size_t here = *at, begin = *at, length = 0, wire = 1, jumps = 0;
	bool plain = true;

	for (;;) {
		uint8_t byte;

		if (here >= m->length)
			return false;
		byte = m->bytes[here++];
		if ((byte & POINTER) == POINTER) {
			size_t target;

			if (here >= m->length)
				return false;
			target = (size_t)(byte & ~POINTER) << 8 | m->bytes[here++];
			if (target >= begin || jumps == JUMPS_MAX)
				return false;
			if (jumps++ == 0)
				*at = here;
			begin = here = target;
			continue;
		}
		if (byte == 0)
			break;
		wire += byte + 1u;
		if (byte > LABEL_MAX || wire > NAME_WIRE_MAX || m->length - here < byte)
			return false;
		if (!append_label(name, &length, m->bytes + here, byte))
			plain = false;
		here += byte;
	}
	if (jumps == 0)
		*at = here;
	name[length] = '\0';
	if (!plain)
		memcpy(name, "?", 2);
	return true;
}

static uint32_t clamp_ttl(uint32_t ttl_s)
{
	if (ttl_s & 0x80000000u)
		return 0;
	return ttl_s < DNSMSG_TTL_MAX_S ? ttl_s : DNSMSG_TTL_MAX_S;
}

/* One string that fills the record (RFC 1035, section 3.3.14); anything else reads as "". */
static void read_text(const struct dnsmsg *m, size_t at, size_t bytes,
		      char text[DNSMSG_TEXT_BYTES])
{
	size_t length = bytes > 0 ? m->bytes[at] : 0;

	if (bytes != length + 1 || length >= DNSMSG_TEXT_BYTES)
		return;
	for (size_t i = 0; i < length; i++)
		if (m->bytes[at + 1 + i] < ' ' || m->bytes[at + 1 + i] > '~')
			return;
	memcpy(text, m->bytes + at + 1, length);
}

/* The rdata of the types we know; `at` and `bytes` were checked against the message. */
static bool read_rdata(const struct dnsmsg *m, size_t at, size_t bytes,
		       struct dnsmsg_record *record)
{
	size_t end = at + bytes;

	switch (record->type) {
	case DNSMSG_A:
		if (bytes != 4)
			return false;
		record->address = addr_from_bytes(AF_INET, m->bytes + at);
		return true;
	case DNSMSG_AAAA:
		if (bytes != 16)
			return false;
		record->address = addr_from_bytes(AF_INET6, m->bytes + at);
		return true;
	case DNSMSG_TXT:
		read_text(m, at, bytes, record->text);
		return true;
	case DNSMSG_NS:
	case DNSMSG_CNAME:
		return read_name(m, &at, record->target) && at == end;
	default:
		return true;
	}
}

static bool read_record(const struct dnsmsg *m, size_t *at, struct dnsmsg_record *record)
{
	unsigned class, bytes;

	memset(record, 0, sizeof(*record));
	if (!read_name(m, at, record->owner) || !read_u16(m, at, &record->type) ||
	    !read_u16(m, at, &class) || !read_u32(m, at, &record->ttl_s) ||
	    !read_u16(m, at, &bytes) || m->length - *at < bytes)
		return false;
	if (class != m->class)
		record->type = 0;
	record->ttl_s = clamp_ttl(record->ttl_s);
	if (!read_rdata(m, *at, bytes, record))
		return false;
	*at += bytes;
	return true;
}

static bool read_header(struct dnsmsg *m, size_t *at)
{
	unsigned id, flags, questions, authorities, additionals;

	if (!read_u16(m, at, &id) || !read_u16(m, at, &flags) ||
	    !read_u16(m, at, &questions) || !read_u16(m, at, &m->answer_count) ||
	    !read_u16(m, at, &authorities) || !read_u16(m, at, &additionals))
		return false;
	m->authoritative = flags & FLAG_AUTHORITATIVE;
	m->truncated = flags & FLAG_TRUNCATED;
	m->rcode = flags & RCODE_MASK;
	return (flags & FLAG_RESPONSE) && !(flags & OPCODE_MASK) && questions == 1;
}

bool dnsmsg_read_class(const void *bytes, size_t length, enum dnsmsg_class class,
		       struct dnsmsg *ret_message)
{
	struct dnsmsg m = { .bytes = bytes, .length = length };
	struct dnsmsg_record record;
	size_t at = 0;

	if (!read_header(&m, &at) || !read_name(&m, &at, m.name) ||
	    !read_u16(&m, &at, &m.type) || !read_u16(&m, &at, &m.class) ||
	    m.class != (unsigned)class)
		return false;
	m.answers_at = at;
	for (unsigned i = 0; i < m.answer_count; i++)
		if (!read_record(&m, &at, &record))
			return false;
	*ret_message = m;
	return true;
}

bool dnsmsg_read(const void *bytes, size_t length, struct dnsmsg *ret_message)
{
	return dnsmsg_read_class(bytes, length, DNSMSG_IN, ret_message);
}

bool dnsmsg_next(const struct dnsmsg *message, struct dnsmsg_walk *walk,
		 struct dnsmsg_record *ret_record)
{
	size_t at = walk->seen == 0 ? message->answers_at : walk->at;

	if (walk->seen >= message->answer_count || !read_record(message, &at, ret_record))
		return false;
	walk->at = at;
	walk->seen++;
	return true;
}

bool dnsmsg_name_is_under(const char *name, const char *zone)
{
	size_t name_bytes = strlen(name), zone_bytes = strlen(zone);

	if (zone_bytes == 0)
		return true;
	if (name_bytes < zone_bytes || strcmp(name + name_bytes - zone_bytes, zone) != 0)
		return false;
	return name_bytes == zone_bytes || name[name_bytes - zone_bytes - 1] == '.';
}

static void lower_ttl(struct dnsmsg_found *found, bool *first, uint32_t ttl_s)
{
	if (*first || ttl_s < found->ttl_s)
		found->ttl_s = ttl_s;
	*first = false;
}

/* One step along the chain: the CNAME of found->name, if the message has one. */
static bool follow_once(const struct dnsmsg *message, struct dnsmsg_found *found,
			bool *first)
{
	struct dnsmsg_walk walk = { 0 };
	struct dnsmsg_record record;

	while (dnsmsg_next(message, &walk, &record)) {
		if (record.type != DNSMSG_CNAME || strcmp(record.owner, found->name) != 0)
			continue;
		memcpy(found->name, record.target, sizeof(found->name));
		found->hops++;
		lower_ttl(found, first, record.ttl_s);
		return true;
	}
	return false;
}

static void keep_address(struct dnsmsg_found *found, const struct addr *address)
{
	for (size_t i = 0; i < found->address_count; i++)
		if (addr_equal(&found->addresses[i], address))
			return;
	found->addresses[found->address_count++] = *address;
}

void dnsmsg_follow(const struct dnsmsg *message, const char *name, enum dnsmsg_type type,
		   const char *zone, struct dnsmsg_found *ret_found)
{
	struct dnsmsg_found found = { 0 };
	struct dnsmsg_walk walk = { 0 };
	struct dnsmsg_record record;
	bool first = true;

	memccpy(found.name, name, '\0', sizeof(found.name) - 1);
	while (found.hops < DNSMSG_HOPS_MAX &&
	       (!zone || dnsmsg_name_is_under(found.name, zone)) &&
	       follow_once(message, &found, &first))
		;
	while (found.address_count < DNSMSG_ADDRESSES_MAX &&
	       (!zone || dnsmsg_name_is_under(found.name, zone)) &&
	       dnsmsg_next(message, &walk, &record)) {
		if (record.type != (unsigned)type ||
		    strcmp(record.owner, found.name) != 0)
			continue;
		keep_address(&found, &record.address);
		lower_ttl(&found, &first, record.ttl_s);
	}
	*ret_found = found;
}
