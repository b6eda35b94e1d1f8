/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dnswire.h"

#include <errno.h>
#include <ldns/ldns.h>
#include <string.h>
#include <sys/socket.h>

enum { HEADER_BYTES = 12 };

/* --- ours --- */

static ldns_rdf *name_rdf(const struct dnsname *name)
{
	return ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, name->length, name->bytes);
}

/* A record; without data where `address` is NULL. */
static ldns_rr *make_record(const struct dnsname *name, ldns_rr_type type,
			    ldns_rr_class class, uint32_t ttl_s,
			    const struct addr *address)
{
	bool v6 = type == LDNS_RR_TYPE_AAAA;
	ldns_rr *record = ldns_rr_new();
	ldns_rdf *owner = name_rdf(name), *data = NULL;

	if (address)
		data = ldns_rdf_new_frm_data(v6 ? LDNS_RDF_TYPE_AAAA : LDNS_RDF_TYPE_A,
					     addr_length_bytes(address), address->bytes);
	if (!record || !owner || (address && !data) ||
	    (data && !ldns_rr_push_rdf(record, data))) {
		ldns_rdf_deep_free(owner);
		ldns_rdf_deep_free(data);
		ldns_rr_free(record);
		return NULL;
	}
	ldns_rr_set_owner(record, owner);
	ldns_rr_set_type(record, type);
	ldns_rr_set_class(record, class);
	ldns_rr_set_ttl(record, ttl_s);
	return record;
}

/* False: no memory, also where the record is NULL. */
static bool add(ldns_rr_list *list, ldns_rr *record)
{
	if (record && list && ldns_rr_list_push_rr(list, record))
		return true;
	ldns_rr_free(record);
	return false;
}

static ldns_rr_type type_of(const struct addr *address)
{
	return address->family == AF_INET6 ? LDNS_RR_TYPE_AAAA : LDNS_RR_TYPE_A;
}

/* ldns asks for recursion, which is no matter of updates, and chooses ids by itself. */
static int write_packet(ldns_pkt *packet, uint16_t id, struct text *out)
{
	uint8_t *bytes = NULL;
	size_t length = 0;

	if (!packet)
		return -ENOMEM;
	ldns_pkt_set_rd(packet, false);
	ldns_pkt_set_id(packet, id);
	if (ldns_pkt2wire(&bytes, packet, &length) == LDNS_STATUS_OK)
		text_add_bytes(out, bytes, length);
	LDNS_FREE(bytes);
	ldns_pkt_free(packet);
	return length > 0 && !out->failed ? 0 : -ENOMEM;
}

/*
 * Without memory ldns leaves out of a copy what it has no room for, and dies of it later:
 * an update without its conditions would be another one.
 */
static bool is_copy(const ldns_rr_list *copy, const ldns_rr_list *list)
{
	size_t count = ldns_rr_list_rr_count(list);

	if (ldns_rr_list_rr_count(copy) != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		const ldns_rr *one = ldns_rr_list_rr(copy, i);
		size_t parts = ldns_rr_rd_count(ldns_rr_list_rr(list, i));

		if (!one || !ldns_rr_owner(one) || ldns_rr_rd_count(one) != parts)
			return false;
		for (size_t k = 0; k < parts; k++)
			if (!ldns_rr_rdf(one, k))
				return false;
	}
	return true;
}

/* The name belongs to the packet, if there is one. */
static int write_update(uint16_t id, const struct dnsname *zone,
			const ldns_rr_list *prerequisites, const ldns_rr_list *updates,
			struct text *out)
{
	ldns_rdf *name = name_rdf(zone);
	ldns_pkt *packet = NULL;

	if (name)
		packet = ldns_update_pkt_new(name, LDNS_RR_CLASS_IN, prerequisites,
					     updates, NULL);
	if (!packet)
		ldns_rdf_deep_free(name);
	if (packet && (ldns_rr_list_rr_count(ldns_pkt_question(packet)) != 1 ||
		       !is_copy(ldns_pkt_answer(packet), prerequisites) ||
		       !is_copy(ldns_pkt_authority(packet), updates))) {
		ldns_pkt_free(packet);
		packet = NULL;
	}
	return write_packet(packet, id, out);
}

int dnswire_make_question(uint16_t id, const struct dnsname *name, struct text *out)
{
	ldns_rdf *rdf = name_rdf(name);
	ldns_pkt *packet = NULL;

	if (rdf)
		packet = ldns_pkt_query_new(rdf, LDNS_RR_TYPE_SOA, LDNS_RR_CLASS_IN, 0);
	if (!packet)
		ldns_rdf_deep_free(rdf);
	return write_packet(packet, id, out);
}

int dnswire_make_probe(uint16_t id, const struct dnsname *zone,
		       const struct dnswire_record *records, size_t count,
		       struct text *out)
{
	ldns_rr_list *prerequisites = ldns_rr_list_new(), *none = ldns_rr_list_new();
	bool made = prerequisites && none;
	int r = -ENOMEM;

	for (size_t i = 0; made && i < count; i++)
		made = add(prerequisites,
			   make_record(records[i].name, type_of(&records[i].address),
				       LDNS_RR_CLASS_IN, 0, &records[i].address));
	if (made)
		r = write_update(id, zone, prerequisites, none, out);
	ldns_rr_list_deep_free(prerequisites);
	ldns_rr_list_deep_free(none);
	return r;
}

/* The name's other family has said so already. */
static bool is_repeated(const struct dnswire_record *records, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (dnsname_equal(records[i].name, records[index].name))
			return true;
	return false;
}

static bool add_update(const struct dnswire_record *record, uint32_t ttl_s,
		       ldns_rr_list *updates)
{
	ldns_rr_type type = type_of(&record->address);

	return add(updates, make_record(record->name, type, LDNS_RR_CLASS_ANY, 0,
					NULL)) &&
	       add(updates, make_record(record->name, type, LDNS_RR_CLASS_IN, ttl_s,
					&record->address));
}

int dnswire_make_update(uint16_t id, const struct dnsname *zone, uint32_t ttl_s,
			const struct dnswire_record *records, size_t count,
			struct text *out)
{
	ldns_rr_list *no_alias = ldns_rr_list_new(), *updates = ldns_rr_list_new();
	bool made = no_alias && updates;
	int r = -ENOMEM;

	for (size_t i = 0; made && i < count; i++) {
		if (!is_repeated(records, i))
			made = add(no_alias, make_record(records[i].name,
							 LDNS_RR_TYPE_CNAME,
							 LDNS_RR_CLASS_NONE, 0, NULL));
		made = made && add_update(&records[i], ttl_s, updates);
	}
	if (made)
		r = write_update(id, zone, no_alias, updates, out);
	ldns_rr_list_deep_free(no_alias);
	ldns_rr_list_deep_free(updates);
	return r;
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
