/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rule_reader.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/ethernet.h>
#include <sys/socket.h>

bool rule_expression(const struct nlattr *element, struct span *ret_name,
		     struct span *ret_data)
{
	struct span inside = attr_span(element), name;

	if (attr_type(element) != NFTA_LIST_ELEM ||
	    !attr_string(attr_find(inside, NFTA_EXPR_NAME), &name))
		return false;
	*ret_name = name;
	*ret_data = attr_nest(inside, NFTA_EXPR_DATA);
	return true;
}

bool rule_verdict_chain(struct span verdict, struct span *ret_chain)
{
	uint32_t code;

	if (!attr_be32(attr_find(verdict, NFTA_VERDICT_CODE), &code))
		return false;
	if ((int32_t)code != NFT_JUMP && (int32_t)code != NFT_GOTO)
		return false;
	return attr_string(attr_find(verdict, NFTA_VERDICT_CHAIN), ret_chain);
}

bool reader_place(uint32_t reg, size_t length, size_t *ret_place)
{
	size_t place;

	/* NFT_REG_1..4 are 16 bytes each; NFT_REG32_00.. are the same memory in fours. */
	if (reg >= NFT_REG_1 && reg <= NFT_REG_4)
		place = (reg - NFT_REG_1) * (size_t)NFT_REG_SIZE;
	else if (reg >= NFT_REG32_00 && reg <= NFT_REG32_15)
		place = (reg - NFT_REG32_00) * (size_t)NFT_REG32_SIZE;
	else
		return false;
	if (length > READER_BYTES - place)
		return false;
	*ret_place = place;
	return true;
}

const struct rule_field rule_destination[RULE_SIDES] = {
	[RULE_IPV4] = { 16, 4 },
	[RULE_IPV6] = { 24, 16 },
};

/* Which byte of a destination address of `side` this register byte holds; -1: none. */
static int address_byte(const struct reader_byte *byte, enum rule_side_index side)
{
	static const uint8_t original[RULE_SIDES] = {
		[RULE_IPV4] = FROM_ORIGINAL_IPV4,
		[RULE_IPV6] = FROM_ORIGINAL_IPV6,
	};
	int index = -1;

	if (byte->from == FROM_NETWORK)
		index = byte->offset - rule_destination[side].offset;
	else if (byte->from == FROM_ORIGINAL || byte->from == original[side])
		index = byte->offset;
	return index >= 0 && index < rule_destination[side].length ? index : -1;
}

/* How many first bits of some bytes are all there. */
static uint8_t first_bits(const struct reader_byte *bytes, size_t length)
{
	size_t bits = 0;

	while (bits < length * 8 && bytes[bits / 8].mask >> (7 - bits % 8) & 1)
		bits++;
	return (uint8_t)bits;
}

void reader_find(const struct reader *reader, size_t place, size_t length,
		 enum rule_side_index side, struct reader_finding *ret_finding)
{
	const struct reader_byte *bytes = reader->bytes + place;
	struct reader_finding finding = { 0 };
	size_t run = 0;

	for (size_t i = 0; i < length; i++) {
		int index = address_byte(&bytes[i], side);

		run = index >= 0 && (size_t)index == run ? run + 1 : index == 0;
		if (index < 0)
			continue;
		finding.touched = true;
		finding.masked |= bytes[i].mask != 0xff;
		finding.left |= bytes[i].mask != 0;
		finding.computed |= bytes[i].computed;
		finding.source = bytes[i].from == FROM_NETWORK ? RULE_HEADER
							       : RULE_ORIGINAL;
		if (run > finding.length) {
			finding.length = (uint8_t)run;
			finding.at = i + 1 - run;
		}
	}
	finding.whole = finding.length == rule_destination[side].length;
	finding.bits = first_bits(bytes + finding.at, finding.length);
	*ret_finding = finding;
}

int reader_find_run(const struct reader *reader, size_t place, size_t length,
		    enum reader_from from, uint8_t offset, size_t run)
{
	const struct reader_byte *bytes = reader->bytes + place;

	for (size_t i = 0; i + run <= length; i++) {
		size_t same = 0;

		while (same < run && bytes[i + same].from == from &&
		       bytes[i + same].offset == offset + same &&
		       bytes[i + same].mask == 0xff && !bytes[i + same].computed)
			same++;
		if (same == run)
			return (int)i;
	}
	return -1;
}

void reader_note_spot(struct reader *reader, enum rule_side_index side,
		      const struct rule_spot *spot)
{
	struct rule_side *seen = &reader->view->side[side];

	if (seen->spot_count == RULE_SPOTS_MAX)
		reader->view->broken = true;
	else
		seen->spots[seen->spot_count++] = *spot;
}

static enum rule_form form_of(uint32_t op, const struct reader_finding *finding)
{
	if (op == NFT_CMP_NEQ)
		return RULE_NOT;
	if (op != NFT_CMP_EQ)
		return RULE_RANGE;
	if (finding->computed)
		return RULE_MASK;
	return finding->left ? RULE_LAST_BITS : RULE_PREFIX;	/* 0.0.0.0/0 */
}

static void compare_destination(struct reader *reader, size_t place, uint32_t op,
				struct span value)
{
	for (int side = RULE_IPV4; side < RULE_SIDES; side++) {
		struct reader_finding finding;

		reader_find(reader, place, value.length, side, &finding);
		if (!finding.touched)
			continue;
		if (op != NFT_CMP_EQ || !finding.bits || finding.computed) {
			reader->view->side[side].forms[finding.source] |=
				form_of(op, &finding);
			continue;
		}
		reader_note_spot(reader, side, &(struct rule_spot){
			.at = (size_t)(value.bytes + finding.at - reader->start),
			.source = finding.source,
			.length = finding.length,
			.bits = finding.bits,
			.masked = finding.masked,
		});
	}
}

/* Which family the rule demands: `meta nfproto` or `meta protocol`. */
static void compare_family(struct reader *reader, size_t place, struct span value)
{
	struct rule_view *view = reader->view;
	int at = reader_find_run(reader, place, value.length, FROM_NFPROTO, 0, 1);
	uint16_t protocol;

	if (at >= 0 && value.bytes[at] == NFPROTO_IPV4)
		view->family = AF_INET;
	else if (at >= 0 && value.bytes[at] == NFPROTO_IPV6)
		view->family = AF_INET6;
	at = reader_find_run(reader, place, value.length, FROM_ETHERTYPE, 0, 2);
	if (at < 0)
		return;
	memcpy(&protocol, value.bytes + at, sizeof(protocol));
	if (protocol == htons(ETHERTYPE_IP))
		view->family = AF_INET;
	else if (protocol == htons(ETHERTYPE_IPV6))
		view->family = AF_INET6;
}

int reader_protocol(const struct reader *reader, size_t place, size_t length)
{
	int at = reader_find_run(reader, place, length, FROM_L4PROTO, 0, 1);

	/* In an IPv6 header that byte is one of the source address. */
	if (at >= 0 || reader->view->family != AF_INET)
		return at;
	return reader_find_run(reader, place, length, FROM_NETWORK, 9, 1);
}

/* iptables' compatibility wants it also inverted. */
static void compare_protocol(struct reader *reader, size_t place, uint32_t op,
			     struct span value)
{
	struct rule_view *view = reader->view;
	int at = reader_protocol(reader, place, value.length);

	if (at < 0 || (op != NFT_CMP_EQ && op != NFT_CMP_NEQ))
		return;
	view->compat_protocol = value.bytes[at];
	view->compat_inverted = op == NFT_CMP_NEQ;
	if (op == NFT_CMP_EQ)
		view->protocol = value.bytes[at];
}

static void compare_port(struct reader *reader, size_t place, uint32_t op,
			 struct span value)
{
	int at = reader_find_run(reader, place, value.length, FROM_TRANSPORT, 2, 2);
	uint16_t port;

	if (at < 0)
		return;
	memcpy(&port, value.bytes + at, sizeof(port));
	port = ntohs(port);
	if (op == NFT_CMP_EQ)
		reader_ports(reader, port, port);
	else if (op == NFT_CMP_GTE)
		reader_ports(reader, port, UINT16_MAX);
	else if (op == NFT_CMP_LTE)
		reader_ports(reader, 0, port);
	else
		reader->view->ports = RULE_PORTS_OPEN;
}

void reader_ports(struct reader *reader, uint16_t first, uint16_t last)
{
	struct rule_view *view = reader->view;

	if (view->ports == RULE_PORTS_OPEN)
		return;
	if (view->ports == RULE_PORTS_ANY) {
		view->port_first = 0;
		view->port_last = UINT16_MAX;
	}
	view->ports = RULE_PORTS_KNOWN;
	if (first > view->port_first)
		view->port_first = first;
	if (last < view->port_last)
		view->port_last = last;
}

void reader_use(struct reader *reader, size_t place, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (reader->bytes[place + i].from == FROM_NOTHING)
			reader->view->unknown = true;
	}
}

void reader_compare(struct reader *reader, size_t place, uint32_t op, struct span value)
{
	reader_use(reader, place, value.length);
	compare_destination(reader, place, op, value);
	compare_protocol(reader, place, op, value);
	compare_port(reader, place, op, value);
	if (op == NFT_CMP_EQ)
		compare_family(reader, place, value);
}

void rule_read(struct span expressions, int family, struct rule_view *ret_view)
{
	struct reader reader = { .start = expressions.bytes, .view = ret_view };
	const struct nlattr *element;
	struct span name, data;

	memset(ret_view, 0, sizeof(*ret_view));
	if (family == NFPROTO_IPV4)
		ret_view->family = AF_INET;
	else if (family == NFPROTO_IPV6)
		ret_view->family = AF_INET6;
	if (!attr_well_formed(expressions)) {
		ret_view->broken = true;
		return;
	}
	if (!expressions.bytes)
		return;
	attr_for_each(element, expressions) {
		if (++ret_view->expression_count > RULE_EXPRESSIONS_MAX ||
		    !rule_expression(element, &name, &data) ||
		    !reader_expression(&reader, name, data)) {
			ret_view->broken = true;
			return;
		}
	}
}
