/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nat expression: where snat's address comes from. dnat's is the LAN's affair.
 */
#include "rule_reader.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <sys/socket.h>

/* Whether `length` bytes at `place` are of one immediate, or of one map, in order. */
static bool of_one_piece(const struct reader *reader, size_t place, size_t length)
{
	const struct reader_byte *bytes = reader->bytes + place;

	for (size_t i = 0; i < length; i++) {
		if (bytes[i].from != bytes[0].from ||
		    bytes[i].origin != bytes[0].origin ||
		    bytes[i].offset != bytes[0].offset + i ||
		    bytes[i].mask != 0xff || bytes[i].computed)
			return false;
	}
	return bytes[0].from == FROM_IMMEDIATE || bytes[0].from == FROM_MAP;
}

static size_t immediate_at(const struct reader_byte *byte)
{
	return (size_t)byte->origin + byte->offset;
}

static void note_immediate(struct reader *reader, enum rule_side_index side,
			   const struct reader_byte *first,
			   const struct reader_byte *last, uint8_t length)
{
	struct rule_spot spot = {
		.at = immediate_at(first), .source = RULE_SNAT, .length = length,
		.bits = (uint8_t)(length * 8),
	};

	if (memcmp(reader->start + immediate_at(first),
		   reader->start + immediate_at(last), length) != 0) {
		reader->view->side[side].forms[RULE_SNAT] |= RULE_RANGE;
		return;
	}
	reader_note_spot(reader, side, &spot);
	if (immediate_at(last) == spot.at)
		return;
	spot.at = immediate_at(last);
	reader_note_spot(reader, side, &spot);
}

static void note_map(struct reader *reader, enum rule_side_index side,
		     const struct reader_byte *first, const struct reader_byte *last)
{
	struct rule_lookup *lookup = &reader->view->lookups[first->origin];

	lookup->snat_at = first->offset;
	lookup->snat_last_at = last->offset;
	lookup->snat_side = side;
}

static bool read_snat(struct reader *reader, enum rule_side_index side,
		      const struct nlattr **table)
{
	uint8_t length = rule_destination[side].length;
	const struct reader_byte *first, *last;
	uint32_t first_reg, last_reg, flags = 0;
	size_t from, to;

	if (!attr_be32(table[NFTA_NAT_REG_ADDR_MIN], &first_reg))
		return false;
	last_reg = first_reg;
	if (table[NFTA_NAT_REG_ADDR_MAX] &&
	    !attr_be32(table[NFTA_NAT_REG_ADDR_MAX], &last_reg))
		return false;
	attr_be32(table[NFTA_NAT_FLAGS], &flags);
	if (!reader_place(first_reg, length, &from) ||
	    !reader_place(last_reg, length, &to))
		return false;
	first = &reader->bytes[from];
	last = &reader->bytes[to];
	if (flags & NF_NAT_RANGE_NETMAP)
		reader->view->side[side].forms[RULE_SNAT] |= RULE_PREFIX;
	else if (!of_one_piece(reader, from, length) || !of_one_piece(reader, to, length))
		return true;
	else if (first->from == FROM_IMMEDIATE && last->from == FROM_IMMEDIATE)
		note_immediate(reader, side, first, last, length);
	else if (first->from == FROM_MAP && last->from == FROM_MAP &&
		 first->origin == last->origin)
		note_map(reader, side, first, last);
	return true;
}

bool reader_nat(struct reader *reader, const struct nlattr **table)
{
	struct rule_view *view = reader->view;
	uint32_t type, family = 0;

	if (!attr_be32(table[NFTA_NAT_TYPE], &type))
		return false;
	attr_be32(table[NFTA_NAT_FAMILY], &family);
	if (family == NFPROTO_IPV4)
		view->nat_family = AF_INET;
	else if (family == NFPROTO_IPV6)
		view->nat_family = AF_INET6;
	if (type == NFT_NAT_DNAT) {
		view->dnat = true;
		return true;
	}
	if (!table[NFTA_NAT_REG_ADDR_MIN])
		return true;
	view->snat_to = true;
	if (!view->nat_family)
		return true;
	return read_snat(reader, view->nat_family == AF_INET ? RULE_IPV4 : RULE_IPV6,
			 table);
}
