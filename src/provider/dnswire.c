/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dnswire.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <string.h>
#include <sys/socket.h>

enum {
	HEADER_BYTES = 12,
	QUESTION_BYTES = 4, RECORD_BYTES = 10,	/* behind the name */
	POINTER_END = 1 << 14,
};

/*
 * --- ours: written by hand, for ldns without memory leaves records out of a message, and an
 * update without its conditions is another one ---
 */

static void put_u16(struct text *out, unsigned number)
{
	const uint8_t bytes[] = { (uint8_t)(number >> 8), (uint8_t)number };

	text_add_bytes(out, bytes, sizeof(bytes));
}

static void put_header(struct text *out, uint16_t id, unsigned opcode,
		       unsigned prerequisites, unsigned updates)
{
	put_u16(out, id);
	put_u16(out, opcode << 11);
	put_u16(out, 1);		/* the zone, or the question */
	put_u16(out, prerequisites);
	put_u16(out, updates);
	put_u16(out, 0);
}

static void put_question(struct text *out, const struct dnsname *name)
{
	text_add_bytes(out, name->bytes, name->length);
	put_u16(out, LDNS_RR_TYPE_SOA);
	put_u16(out, LDNS_RR_CLASS_IN);
}

/* The zone's name stands right behind the header: names under it end by pointing there. */
static size_t name_bytes(const struct dnsname *name, const struct dnsname *zone)
{
	return dnsname_is_under(name, zone) ? name->length - zone->length + 2U
					    : name->length;
}

static void put_pointer(struct text *out, size_t at)
{
	put_u16(out, (unsigned)(0xc000 | at));
}

static void put_name(struct text *out, const struct dnsname *name,
		     const struct dnsname *zone)
{
	if (!dnsname_is_under(name, zone)) {
		text_add_bytes(out, name->bytes, name->length);
		return;
	}
	text_add_bytes(out, name->bytes, (size_t)(name->length - zone->length));
	put_pointer(out, HEADER_BYTES);
}

/* What follows the name; without data where `address` is NULL. */
static void put_record(struct text *out, unsigned type, unsigned class, uint32_t ttl_s,
		       const struct addr *address)
{
	put_u16(out, type);
	put_u16(out, class);
	put_u16(out, ttl_s >> 16);
	put_u16(out, ttl_s & 0xffff);
	put_u16(out, address ? (unsigned)addr_length_bytes(address) : 0);
	if (address)
		text_add_bytes(out, address->bytes, addr_length_bytes(address));
}

static unsigned type_of(const struct addr *address)
{
	return address->family == AF_INET6 ? LDNS_RR_TYPE_AAAA : LDNS_RR_TYPE_A;
}

static int written(const struct text *out)
{
	return out->failed ? -ENOMEM : 0;
}

int dnswire_make_question(uint16_t id, const struct dnsname *name, struct text *out)
{
	put_header(out, id, LDNS_PACKET_QUERY, 0, 0);
	put_question(out, name);
	return written(out);
}

int dnswire_make_probe(uint16_t id, const struct dnsname *zone,
		       const struct dnswire_record *records, size_t count,
		       struct text *out)
{
	put_header(out, id, LDNS_PACKET_UPDATE, (unsigned)count, 0);
	put_question(out, zone);
	for (size_t i = 0; i < count; i++) {
		put_name(out, records[i].name, zone);
		put_record(out, type_of(&records[i].address), LDNS_RR_CLASS_IN, 0,
			   &records[i].address);
	}
	return written(out);
}

/* The name's other family has said so already. */
static bool is_repeated(const struct dnswire_record *records, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (dnsname_equal(records[i].name, records[index].name))
			return true;
	return false;
}

/* A name that stands in the conditions already: they begin behind the question. */
static void put_name_again(struct text *out, const struct dnswire_record *records,
			   size_t index, const struct dnsname *zone)
{
	const struct dnsname *name = records[index].name;
	size_t at = HEADER_BYTES + zone->length + QUESTION_BYTES;

	for (size_t i = 0; !dnsname_equal(records[i].name, name); i++)
		if (!is_repeated(records, i))
			at += name_bytes(records[i].name, zone) + RECORD_BYTES;
	if (at < POINTER_END && !dnsname_equal(name, zone))
		put_pointer(out, at);
	else
		put_name(out, name, zone);
}

int dnswire_make_update(uint16_t id, const struct dnsname *zone, uint32_t ttl_s,
			const struct dnswire_record *records, size_t count,
			struct text *out)
{
	unsigned names = 0;

	for (size_t i = 0; i < count; i++)
		names += !is_repeated(records, i);
	put_header(out, id, LDNS_PACKET_UPDATE, names, (unsigned)(2 * count));
	put_question(out, zone);
	for (size_t i = 0; i < count; i++) {
		if (is_repeated(records, i))
			continue;
		put_name(out, records[i].name, zone);
		put_record(out, LDNS_RR_TYPE_CNAME, LDNS_RR_CLASS_NONE, 0, NULL);
	}
	for (size_t i = 0; i < count; i++) {
		unsigned type = type_of(&records[i].address);

		put_name_again(out, records, i, zone);
		put_record(out, type, LDNS_RR_CLASS_ANY, 0, NULL);
		put_name_again(out, records, i, zone);
		put_record(out, type, LDNS_RR_CLASS_IN, ttl_s, &records[i].address);
	}
	return written(out);
}

/* --- what comes --- */

struct reader {
	const uint8_t *bytes;
	size_t length, at;
};

/* Where a record's data lies, and what it is. */
struct piece {
	struct dnsname owner;
	unsigned type, class;
	uint32_t ttl_s;
	size_t begin, data, end;
};

static bool read_owner(struct reader *reader, size_t fixed, struct piece *piece)
{
	piece->begin = reader->at;
	if (!dnsname_read(reader->bytes, reader->length, &reader->at, &piece->owner) ||
	    reader->at > reader->length || reader->length - reader->at < fixed)
		return false;
	piece->type = ldns_read_uint16(reader->bytes + reader->at);
	piece->class = ldns_read_uint16(reader->bytes + reader->at + 2);
	return true;
}

static bool read_piece(struct reader *reader, struct piece *piece)
{
	size_t length;

	if (!read_owner(reader, 10, piece))
		return false;
	piece->ttl_s = ldns_read_uint32(reader->bytes + reader->at + 4);
	length = ldns_read_uint16(reader->bytes + reader->at + 8);
	piece->data = reader->at + 10;
	if (reader->length - piece->data < length)
		return false;
	piece->end = reader->at = piece->data + length;
	return true;
}

static bool read_question(struct reader *reader, struct dnswire_answer *answer)
{
	struct piece piece;

	if (!read_owner(reader, 4, &piece))
		return false;
	reader->at += 4;
	answer->has_question = true;
	answer->question = piece.owner;
	answer->question_type = piece.type;
	answer->question_class = piece.class;
	return true;
}

/* Only the last record of all may be a signature (RFC 8945, 4.2 and 5.1). */
static bool read_signature(const struct reader *reader, const struct piece *piece,
			   struct dnswire_answer *answer)
{
	if (piece->class != LDNS_RR_CLASS_ANY || piece->ttl_s != 0 ||
	    piece->end != reader->length ||
	    !tsig_read(reader->bytes, piece->data, piece->end, &answer->tsig))
		return false;
	answer->tsig.key = piece->owner;
	answer->tsig_at = piece->begin;
	return true;
}

static bool read_rest(struct reader *reader, struct dnswire_answer *answer)
{
	unsigned additional = LDNS_ARCOUNT(reader->bytes);
	unsigned count = (unsigned)LDNS_ANCOUNT(reader->bytes) +
			 LDNS_NSCOUNT(reader->bytes) + additional;
	struct piece piece;

	if (LDNS_QDCOUNT(reader->bytes) == 1 && !read_question(reader, answer))
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (!read_piece(reader, &piece))
			return false;
		if (piece.type == TSIG_TYPE &&
		    (i + 1 < count || additional == 0 ||
		     !read_signature(reader, &piece, answer)))
			return false;
		if (piece.type == LDNS_RR_TYPE_SOA && piece.class == LDNS_RR_CLASS_IN &&
		    answer->soa.length == 0)
			answer->soa = piece.owner;
	}
	return reader->at == reader->length;
}

bool dnswire_read(const uint8_t *bytes, size_t length, struct dnswire_answer *ret_answer)
{
	struct reader reader = { bytes, length, HEADER_BYTES };
	struct dnswire_answer answer = { 0 };

	if (length < HEADER_BYTES || LDNS_QDCOUNT(bytes) > 1)
		return false;
	answer.id = LDNS_ID_WIRE(bytes);
	answer.response = LDNS_QR_WIRE(bytes);
	answer.opcode = LDNS_OPCODE_WIRE(bytes);
	answer.rcode = LDNS_RCODE_WIRE(bytes);
	answer.authoritative = LDNS_AA_WIRE(bytes);
	answer.truncated = LDNS_TC_WIRE(bytes);
	if (!answer.truncated && !read_rest(&reader, &answer))
		return false;
	*ret_answer = answer;
	return true;
}
