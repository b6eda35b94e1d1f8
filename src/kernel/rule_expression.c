/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The expressions rule_read() understands. Attribute numbers:
 * linux/netfilter/nf_tables.h.
 */
#include "rule_reader.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <net/ethernet.h>

enum { TABLE_ENTRIES = 12 };	/* more than any expression here has attributes */

typedef bool read_fn(struct reader *reader, const struct nlattr **table);

/* The bytes of a struct nft_data attribute. */
static struct span value_of(const struct nlattr *data)
{
	return attr_nest(attr_span(data), NFTA_DATA_VALUE);
}

/*
 * Says where the bytes of a register come from, byte by byte. The kernel clears the rest
 * of the last four.
 */
static void fill(struct reader *reader, size_t place, size_t length,
		 enum reader_from from, uint32_t offset)
{
	size_t whole = (length + NFT_REG32_SIZE - 1) / NFT_REG32_SIZE * NFT_REG32_SIZE;

	for (size_t i = 0; i < whole && place + i < READER_BYTES; i++) {
		bool known = from != FROM_UNKNOWN && i < length &&
			     offset + i <= UINT8_MAX;

		reader->bytes[place + i] = (struct reader_byte){
			.from = known ? from : FROM_UNKNOWN,
			.offset = known ? (uint8_t)(offset + i) : 0,
			.mask = 0xff,
		};
	}
}

/* The same for bytes that stand in the rule or in a map: which ones they are. */
static void fill_data(struct reader *reader, size_t place, size_t length,
		      enum reader_from from, size_t origin)
{
	fill(reader, place, length, from, 0);
	for (size_t i = 0; i < length; i++)
		reader->bytes[place + i].origin = (uint32_t)origin;
}

/* A register is written, how much of it is not known: up to a whole one. */
static bool forget(struct reader *reader, const struct nlattr *destination)
{
	uint32_t reg;
	size_t place, length = NFT_REG_SIZE;

	if (!destination)
		return true;
	if (!attr_be32(destination, &reg))
		return false;
	if (reg == NFT_REG_VERDICT)
		return true;
	if (!reader_place(reg, 0, &place))
		return false;
	if (length > READER_BYTES - place)
		length = READER_BYTES - place;
	fill(reader, place, length, FROM_UNKNOWN, 0);
	return true;
}

/* What demands the family where a rule compares addresses of Ethernet too. */
static void fill_link_layer(struct reader *reader, size_t place, size_t length,
			    uint32_t offset)
{
	size_t type_at = offsetof(struct ether_header, ether_type);

	fill(reader, place, length, FROM_UNKNOWN, 0);
	if (offset <= type_at && type_at + 2 <= offset + length)
		fill(reader, place + type_at - offset, 2, FROM_ETHERTYPE, 0);
}

static bool read_payload(struct reader *reader, const struct nlattr **table)
{
	uint32_t reg, base, offset, length;
	enum reader_from from = FROM_UNKNOWN;
	size_t place;

	if (table[NFTA_PAYLOAD_SREG])		/* it writes the packet */
		return true;
	if (!attr_be32(table[NFTA_PAYLOAD_DREG], &reg) ||
	    !attr_be32(table[NFTA_PAYLOAD_BASE], &base) ||
	    !attr_be32(table[NFTA_PAYLOAD_OFFSET], &offset) ||
	    !attr_be32(table[NFTA_PAYLOAD_LEN], &length) ||
	    !reader_place(reg, length, &place))
		return false;
	if (base == NFT_PAYLOAD_NETWORK_HEADER)
		from = FROM_NETWORK;
	else if (base == NFT_PAYLOAD_TRANSPORT_HEADER)
		from = FROM_TRANSPORT;
	if (offset > UINT8_MAX)
		from = FROM_UNKNOWN;
	if (base == NFT_PAYLOAD_LL_HEADER && offset <= UINT8_MAX)
		fill_link_layer(reader, place, length, offset);
	else
		fill(reader, place, length, from, offset);
	return true;
}

static bool read_meta(struct reader *reader, const struct nlattr **table)
{
	uint32_t reg, key;
	size_t place;

	if (!table[NFTA_META_DREG])		/* it sets */
		return true;
	if (!attr_be32(table[NFTA_META_DREG], &reg) ||
	    !attr_be32(table[NFTA_META_KEY], &key) ||
	    !forget(reader, table[NFTA_META_DREG]) || !reader_place(reg, 4, &place))
		return false;
	if (key == NFT_META_NFPROTO)
		fill(reader, place, 1, FROM_NFPROTO, 0);
	else if (key == NFT_META_PROTOCOL)
		fill(reader, place, 2, FROM_ETHERTYPE, 0);
	else if (key == NFT_META_L4PROTO)
		fill(reader, place, 1, FROM_L4PROTO, 0);
	return true;
}

static bool read_ct(struct reader *reader, const struct nlattr **table)
{
	enum reader_from from = FROM_UNKNOWN;
	uint32_t reg, key;
	uint8_t direction;
	size_t place, length = 16;

	if (!table[NFTA_CT_DREG])
		return true;
	if (!attr_be32(table[NFTA_CT_DREG], &reg) ||
	    !attr_be32(table[NFTA_CT_KEY], &key) ||
	    !forget(reader, table[NFTA_CT_DREG]))
		return false;
	if (!attr_u8(table[NFTA_CT_DIRECTION], &direction) ||
	    direction != IP_CT_DIR_ORIGINAL)
		return true;
	if (key == NFT_CT_DST_IP) {
		from = FROM_ORIGINAL_IPV4;
		length = 4;
	} else if (key == NFT_CT_DST_IP6) {
		from = FROM_ORIGINAL_IPV6;
	} else if (key == NFT_CT_DST) {
		from = FROM_ORIGINAL;
	} else {
		return true;
	}
	if (!reader_place(reg, length, &place))
		return false;
	fill(reader, place, length, from, 0);
	return true;
}

static bool read_cmp(struct reader *reader, const struct nlattr **table)
{
	struct span value = value_of(table[NFTA_CMP_DATA]);
	uint32_t reg, op;
	size_t place;

	if (!attr_be32(table[NFTA_CMP_SREG], &reg) ||
	    !attr_be32(table[NFTA_CMP_OP], &op) || !value.bytes ||
	    !reader_place(reg, value.length, &place))
		return false;
	reader_compare(reader, place, op, value);
	return true;
}

static bool read_range(struct reader *reader, const struct nlattr **table)
{
	struct span from = value_of(table[NFTA_RANGE_FROM_DATA]);
	struct span to = value_of(table[NFTA_RANGE_TO_DATA]);
	uint32_t reg, op;
	size_t place;

	if (!attr_be32(table[NFTA_RANGE_SREG], &reg) ||
	    !attr_be32(table[NFTA_RANGE_OP], &op) || !from.bytes || !to.bytes ||
	    from.length != to.length || !reader_place(reg, from.length, &place))
		return false;
	if (op != NFT_RANGE_EQ) {
		reader_compare(reader, place, NFT_CMP_NEQ, from);
		return true;
	}
	reader_compare(reader, place, NFT_CMP_GTE, from);
	reader_compare(reader, place, NFT_CMP_LTE, to);
	return true;
}

/*
 * Bits taken away leave a mask; anything else that computes leaves nothing we could
 * compare.
 */
static bool read_bitwise(struct reader *reader, const struct nlattr **table)
{
	struct span mask = value_of(table[NFTA_BITWISE_MASK]);
	struct span flip = value_of(table[NFTA_BITWISE_XOR]);
	struct reader_byte moved[READER_BYTES];
	uint32_t source, destination, length, op = 0;
	size_t from, to;

	if (!attr_be32(table[NFTA_BITWISE_SREG], &source) ||
	    !attr_be32(table[NFTA_BITWISE_DREG], &destination) ||
	    !attr_be32(table[NFTA_BITWISE_LEN], &length) ||
	    !reader_place(source, length, &from) ||
	    !reader_place(destination, length, &to))
		return false;
	if (table[NFTA_BITWISE_OP] && !attr_be32(table[NFTA_BITWISE_OP], &op))
		return false;
	memcpy(moved, reader->bytes + from, length * sizeof(moved[0]));
	for (size_t i = 0; i < length; i++) {
		if (op != 0 || i >= mask.length || i >= flip.length || flip.bytes[i])
			moved[i].computed = true;
		else
			moved[i].mask &= mask.bytes[i];
	}
	memcpy(reader->bytes + to, moved, length * sizeof(moved[0]));
	return true;
}

static bool read_byteorder(struct reader *reader, const struct nlattr **table)
{
	struct reader_byte moved[READER_BYTES];
	uint32_t source, destination, length;
	size_t from, to;

	if (!attr_be32(table[NFTA_BYTEORDER_SREG], &source) ||
	    !attr_be32(table[NFTA_BYTEORDER_DREG], &destination) ||
	    !attr_be32(table[NFTA_BYTEORDER_LEN], &length) ||
	    !reader_place(source, length, &from) ||
	    !reader_place(destination, length, &to))
		return false;
	memcpy(moved, reader->bytes + from, length * sizeof(moved[0]));
	for (size_t i = 0; i < length; i++)
		moved[i].computed = true;
	memcpy(reader->bytes + to, moved, length * sizeof(moved[0]));
	return true;
}

static bool read_immediate(struct reader *reader, const struct nlattr **table)
{
	struct span value = value_of(table[NFTA_IMMEDIATE_DATA]);
	uint32_t reg;
	size_t place;

	if (!attr_be32(table[NFTA_IMMEDIATE_DREG], &reg))
		return false;
	if (reg == NFT_REG_VERDICT) {
		value = attr_nest(attr_span(table[NFTA_IMMEDIATE_DATA]),
				  NFTA_DATA_VERDICT);
		reader->view->jump |=
			rule_verdict_chain(value, &reader->view->jump_to);
		return true;
	}
	if (!value.bytes || !reader_place(reg, value.length, &place))
		return false;
	fill_data(reader, place, value.length, FROM_IMMEDIATE,
		  (size_t)(value.bytes - reader->start));
	return true;
}

/*
 * The key's length is the set's affair: what lies behind it is found too and sorted out
 * there.
 */
static void read_key(struct reader *reader, struct rule_lookup *lookup, size_t place)
{
	size_t rest = READER_BYTES - place;

	reader_use(reader, place, rest ? 1 : 0);
	for (int side = RULE_IPV4; side < RULE_SIDES; side++) {
		struct reader_finding finding;

		reader_find(reader, place, rest, side, &finding);
		if (finding.whole) {
			lookup->key_at[side] = (int)finding.at;
			lookup->source = finding.source;
			lookup->masked |= finding.masked || finding.computed;
		} else if (finding.length && finding.at == 0) {
			reader->view->side[side].forms[finding.source] |= RULE_PREFIX;
		}
	}
	lookup->port_at = reader_find_run(reader, place, rest, FROM_TRANSPORT, 2, 2);
	lookup->protocol_at = reader_protocol(reader, place, rest);
}

static struct rule_lookup *add_lookup(struct reader *reader, const struct nlattr *name)
{
	struct rule_view *view = reader->view;
	struct rule_lookup *lookup = &view->lookups[view->lookup_count];

	if (view->lookup_count == RULE_LOOKUPS_MAX || !attr_string(name, &lookup->set))
		return NULL;
	view->lookup_count++;
	lookup->key_at[RULE_IPV4] = lookup->key_at[RULE_IPV6] = -1;
	lookup->port_at = lookup->protocol_at = -1;
	lookup->snat_at = lookup->snat_last_at = -1;
	return lookup;
}

static bool read_lookup(struct reader *reader, const struct nlattr **table)
{
	struct rule_lookup *lookup = add_lookup(reader, table[NFTA_LOOKUP_SET]);
	uint32_t source, destination = NFT_REG_1, flags = 0;
	size_t place;

	if (!lookup || !attr_be32(table[NFTA_LOOKUP_SREG], &source) ||
	    !reader_place(source, 0, &place))
		return false;
	if (table[NFTA_LOOKUP_FLAGS] && !attr_be32(table[NFTA_LOOKUP_FLAGS], &flags))
		return false;
	read_key(reader, lookup, place);
	lookup->inverted = flags & NFT_LOOKUP_F_INV;
	if (!table[NFTA_LOOKUP_DREG])
		return true;
	if (!attr_be32(table[NFTA_LOOKUP_DREG], &destination))
		return false;
	lookup->map = true;
	lookup->verdict = destination == NFT_REG_VERDICT;
	reader->view->jump |= lookup->verdict;
	if (lookup->verdict)
		return true;
	if (!reader_place(destination, 0, &place))
		return false;
	/* The data's length is the map's affair. */
	fill_data(reader, place, READER_BYTES - place, FROM_MAP,
		  (size_t)(lookup - reader->view->lookups));
	return true;
}

static bool read_objref(struct reader *reader, const struct nlattr **table)
{
	struct rule_lookup *lookup;
	uint32_t source;
	size_t place;

	if (!table[NFTA_OBJREF_SET_NAME])
		return true;
	lookup = add_lookup(reader, table[NFTA_OBJREF_SET_NAME]);
	if (!lookup || !attr_be32(table[NFTA_OBJREF_SET_SREG], &source) ||
	    !reader_place(source, 0, &place))
		return false;
	read_key(reader, lookup, place);
	lookup->map = true;
	return true;
}

static bool read_dynset(struct reader *reader, const struct nlattr **table)
{
	struct rule_lookup *lookup = add_lookup(reader, table[NFTA_DYNSET_SET_NAME]);

	if (!lookup)
		return false;
	lookup->dynamic = true;
	return true;
}

static bool read_redir(struct reader *reader, const struct nlattr **table)
{
	(void)table;
	reader->view->dnat = true;
	return true;
}

/* What kind of address the destination is: a match that never goes stale. */
static bool read_fib(struct reader *reader, const struct nlattr **table)
{
	uint32_t flags = 0;

	attr_be32(table[NFTA_FIB_FLAGS], &flags);
	for (int side = RULE_IPV4; side < RULE_SIDES; side++) {
		if (flags & NFTA_FIB_F_DADDR)
			reader->view->side[side].forms[RULE_HEADER] |= RULE_FIB;
	}
	return forget(reader, table[NFTA_FIB_DREG]);
}

static bool read_nothing(struct reader *reader, const struct nlattr **table)
{
	(void)reader;
	(void)table;
	return true;
}

/* Expressions that fill a register with something else: the attribute that names it. */
static const struct { const char *name; uint16_t destination; } writers[] = {
	{ "exthdr", NFTA_EXTHDR_DREG }, { "rt", NFTA_RT_DREG },
	{ "socket", NFTA_SOCKET_DREG }, { "osf", NFTA_OSF_DREG },
	{ "tunnel", NFTA_TUNNEL_DREG }, { "xfrm", NFTA_XFRM_DREG },
	{ "numgen", NFTA_NG_DREG },     { "hash", NFTA_HASH_DREG },
};

static const struct { const char *name; read_fn *read; } readers[] = {
	{ "payload", read_payload },     { "cmp", read_cmp },
	{ "meta", read_meta },           { "ct", read_ct },
	{ "lookup", read_lookup },       { "immediate", read_immediate },
	{ "match", reader_xt_match },         { "target", reader_xt_target },
	{ "nat", reader_nat },             { "redir", read_redir },
	{ "bitwise", read_bitwise },     { "range", read_range },
	{ "byteorder", read_byteorder }, { "objref", read_objref },
	{ "counter", read_nothing },     { "masq", read_nothing },
	{ "log", read_nothing },         { "limit", read_nothing },
	{ "quota", read_nothing },       { "connlimit", read_nothing },
	{ "dynset", read_dynset },       { "last", read_nothing },
	{ "notrack", read_nothing },     { "queue", read_nothing },
	{ "reject", read_nothing },      { "dup", read_nothing },
	{ "tproxy", read_nothing },      { "synproxy", read_nothing },
	{ "fib", read_fib },
};

bool reader_expression(struct reader *reader, struct span name, struct span data)
{
	const struct nlattr *table[TABLE_ENTRIES];

	attr_index(data, table, TABLE_ENTRIES);
	for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (attr_is(name, readers[i].name))
			return readers[i].read(reader, table);
	}
	for (size_t i = 0; i < sizeof(writers) / sizeof(writers[0]); i++) {
		if (attr_is(name, writers[i].name))
			return forget(reader, table[writers[i].destination]);
	}
	/* Nobody here knows it: it may have written any register. */
	reader->view->unknown = true;
	fill(reader, 0, READER_BYTES, FROM_UNKNOWN, 0);
	return true;
}
