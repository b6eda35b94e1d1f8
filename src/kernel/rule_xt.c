/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The xt extensions that name ports or addresses. Their bytes are structs of the
 * kernel's own headers: ports in host order, addresses as on the wire, an IPv4 address
 * in the first four of sixteen bytes.
 */
#include "rule_reader.h"

#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_iprange.h>

static void note_form(struct reader *reader, enum rule_source source, enum rule_form form)
{
	for (int side = RULE_IPV4; side < RULE_SIDES; side++)
		reader->view->side[side].forms[source] |= form;
}

static void note_spot(struct reader *reader, enum rule_side_index side,
		      enum rule_source source, const uint8_t *address)
{
	uint8_t length = rule_destination[side].length;

	reader_note_spot(reader, side, &(struct rule_spot){
		.at = (size_t)(address - reader->start), .source = source,
		.length = length, .bits = (uint8_t)(length * 8), .xt = true,
	});
}

/* From the first to the last address: one only where they are equal. */
static void note_range(struct reader *reader, enum rule_side_index side,
		       enum rule_source source, const uint8_t *first,
		       const uint8_t *last, enum rule_form form)
{
	if (memcmp(first, last, rule_destination[side].length) != 0) {
		reader->view->side[side].forms[source] |= form;
		return;
	}
	note_spot(reader, side, source, first);
	note_spot(reader, side, source, last);
}

/* Both struct xt_tcp and struct xt_udp: the destination's two stand at 4. */
static void read_ports(struct reader *reader, struct span info, size_t inversion)
{
	uint16_t ports[2];

	if (info.length <= inversion)
		return;
	memcpy(ports, info.bytes + 4, sizeof(ports));
	if (info.bytes[inversion] & 0x02)
		reader->view->ports = RULE_PORTS_OPEN;
	else if (ports[0] != 0 || ports[1] != UINT16_MAX)
		reader_ports(reader, ports[0], ports[1]);
}

/* Two of them are more than is kept. */
static void read_multiport(struct reader *reader, struct span info)
{
	if (reader->view->multiport.bytes)
		reader->view->ports = RULE_PORTS_OPEN;
	reader->view->multiport = info;
}

static void read_iprange(struct reader *reader, struct span info)
{
	const size_t first = offsetof(struct xt_iprange_mtinfo, dst_min);
	const size_t last = offsetof(struct xt_iprange_mtinfo, dst_max);
	uint8_t flags;

	if (info.length < sizeof(struct xt_iprange_mtinfo))
		return;
	flags = info.bytes[offsetof(struct xt_iprange_mtinfo, flags)];
	if (!(flags & IPRANGE_DST))
		return;
	if (flags & IPRANGE_DST_INV) {
		note_form(reader, RULE_HEADER, RULE_XT_NOT);
		return;
	}
	for (int side = RULE_IPV4; side < RULE_SIDES; side++)
		note_range(reader, side, RULE_HEADER, info.bytes + first,
			   info.bytes + last, RULE_XT_RANGE);
}

static bool mask_is_full(const uint8_t *mask, enum rule_side_index side)
{
	for (size_t i = 0; i < rule_destination[side].length; i++) {
		if (mask[i] != 0xff)
			return false;
	}
	return true;
}

/* Revisions 1 to 3 agree up to the flags. */
static void read_conntrack(struct reader *reader, struct span info)
{
	const size_t address = offsetof(struct xt_conntrack_mtinfo3, origdst_addr);
	const size_t mask = offsetof(struct xt_conntrack_mtinfo3, origdst_mask);
	uint16_t flags[2];

	if (info.length < sizeof(struct xt_conntrack_mtinfo1))
		return;
	memcpy(flags, info.bytes + offsetof(struct xt_conntrack_mtinfo3, match_flags),
	       sizeof(flags));
	if (!(flags[0] & XT_CONNTRACK_ORIGDST))
		return;
	if (flags[1] & XT_CONNTRACK_ORIGDST) {
		note_form(reader, RULE_ORIGINAL, RULE_XT_NOT);
		return;
	}
	for (int side = RULE_IPV4; side < RULE_SIDES; side++) {
		if (!mask_is_full(info.bytes + mask, side))
			reader->view->side[side].forms[RULE_ORIGINAL] |= RULE_XT_ORIGINAL;
		else
			note_spot(reader, side, RULE_ORIGINAL, info.bytes + address);
	}
}

static void read_addrtype(struct reader *reader, struct span info)
{
	uint16_t kinds;

	if (info.length < sizeof(struct xt_addrtype_info_v1))
		return;
	memcpy(&kinds, info.bytes + offsetof(struct xt_addrtype_info_v1, dest),
	       sizeof(kinds));
	if (kinds)
		note_form(reader, RULE_HEADER, RULE_FIB);
}

bool reader_xt_match(struct reader *reader, const struct nlattr **table)
{
	struct span info = attr_span(table[NFTA_MATCH_INFO]), name;
	struct rule_view *view = reader->view;

	if (!attr_string(table[NFTA_MATCH_NAME], &name))
		return false;
	view->xt = true;
	if (attr_is(name, "tcp"))
		read_ports(reader, info, 11);
	else if (attr_is(name, "udp"))
		read_ports(reader, info, 8);
	else if (attr_is(name, "multiport"))
		read_multiport(reader, info);
	else if (attr_is(name, "iprange"))
		read_iprange(reader, info);
	else if (attr_is(name, "conntrack"))
		read_conntrack(reader, info);
	else if (attr_is(name, "addrtype"))
		read_addrtype(reader, info);
	else if (attr_is(name, "set"))
		note_form(reader, RULE_HEADER, RULE_XT_SET);
	return true;
}

/* Revision 0: struct nf_nat_ipv4_multi_range_compat, of IPv4 only. */
static void read_snat_0(struct reader *reader, struct span info)
{
	struct nf_nat_ipv4_multi_range_compat ranges;
	const size_t range = offsetof(struct nf_nat_ipv4_multi_range_compat, range);

	if (info.length < sizeof(ranges))
		return;
	memcpy(&ranges, info.bytes, sizeof(ranges));
	if (ranges.rangesize != 1 || !(ranges.range[0].flags & NF_NAT_RANGE_MAP_IPS))
		return;
	note_range(reader, RULE_IPV4, RULE_SNAT,
		   info.bytes + range + offsetof(struct nf_nat_ipv4_range, min_ip),
		   info.bytes + range + offsetof(struct nf_nat_ipv4_range, max_ip),
		   RULE_RANGE);
}

/* Revisions 1 and 2: struct nf_nat_range and nf_nat_range2 begin alike. */
static void read_snat(struct reader *reader, struct span info)
{
	uint32_t flags;

	if (info.length < sizeof(struct nf_nat_range))
		return;
	memcpy(&flags, info.bytes + offsetof(struct nf_nat_range, flags), sizeof(flags));
	if (!(flags & NF_NAT_RANGE_MAP_IPS))
		return;
	for (int side = RULE_IPV4; side < RULE_SIDES; side++)
		note_range(reader, side, RULE_SNAT,
			   info.bytes + offsetof(struct nf_nat_range, min_addr),
			   info.bytes + offsetof(struct nf_nat_range, max_addr),
			   RULE_RANGE);
}

bool reader_xt_target(struct reader *reader, const struct nlattr **table)
{
	struct span info = attr_span(table[NFTA_TARGET_INFO]), name;
	struct rule_view *view = reader->view;
	uint32_t revision = 0;

	if (!attr_string(table[NFTA_TARGET_NAME], &name))
		return false;
	attr_be32(table[NFTA_TARGET_REV], &revision);
	view->xt = true;
	view->dnat |= attr_is(name, "DNAT") || attr_is(name, "REDIRECT");
	view->netmap |= attr_is(name, "NETMAP");
	if (!attr_is(name, "SNAT"))
		return true;
	view->snat_to = true;
	if (revision == 0)
		read_snat_0(reader, info);
	else
		read_snat(reader, info);
	return true;
}
