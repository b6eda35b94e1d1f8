/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extensions that look at the packet itself. Ports stand in them in host order. */
#include "walk_xt.h"

#include <linux/in.h>
#include <linux/netfilter/xt_iprange.h>
#include <linux/netfilter/xt_length.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_string.h>
#include <linux/netfilter/xt_tcpudp.h>

static bool port_in(const uint16_t range[2], uint16_t port, bool inverted)
{
	return (port >= range[0] && port <= range[1]) != inverted;
}

/* The first packet of a connection has SYN alone, the answer ACK as well. */
enum walk_answer walk_xt_tcp(const struct xt_question *question,
			     enum walk_miss *ret_about)
{
	const struct walk_state *state = question->state;
	const uint8_t flags = state->first ? 0x12 : 0x02;
	struct xt_tcp tcp;

	walk_xt_read(question->info, &tcp, sizeof(tcp));
	*ret_about = WALK_MISS_PROTOCOL;
	if (state->protocol != IPPROTO_TCP)
		return WALK_NO;
	*ret_about = WALK_MISS_PORT;
	if (!port_in(tcp.spts, state->source_port, tcp.invflags & XT_TCP_INV_SRCPT) ||
	    !port_in(tcp.dpts, state->destination_port, tcp.invflags & XT_TCP_INV_DSTPT))
		return WALK_NO;
	*ret_about = WALK_MISS_OTHER;
	if (((flags & tcp.flg_mask) == tcp.flg_cmp) == !!(tcp.invflags & XT_TCP_INV_FLAGS))
		return WALK_NO;
	return tcp.option ? WALK_MAYBE : WALK_YES;
}

enum walk_answer walk_xt_udp(const struct xt_question *question,
			     enum walk_miss *ret_about)
{
	const struct walk_state *state = question->state;
	struct xt_udp udp;

	walk_xt_read(question->info, &udp, sizeof(udp));
	*ret_about = WALK_MISS_PROTOCOL;
	if (state->protocol != IPPROTO_UDP)
		return WALK_NO;
	*ret_about = WALK_MISS_PORT;
	if (!port_in(udp.spts, state->source_port, udp.invflags & XT_UDP_INV_SRCPT) ||
	    !port_in(udp.dpts, state->destination_port, udp.invflags & XT_UDP_INV_DSTPT))
		return WALK_NO;
	return WALK_YES;
}

/* One place of the list: a port, maybe the first of a range whose last is the next. */
static bool place_holds(const struct xt_multiport_v1 *list, size_t index, uint16_t port)
{
	uint16_t last = list->ports[index];

	if (list->pflags[index] && index + 1 < list->count)
		last = list->ports[index + 1];
	return port >= list->ports[index] && port <= last;
}

static bool list_holds(const struct xt_multiport_v1 *list, uint16_t source,
		       uint16_t destination)
{
	bool use_source = list->flags != XT_MULTIPORT_DESTINATION;
	bool use_destination = list->flags != XT_MULTIPORT_SOURCE;

	for (size_t i = 0; i < list->count; i++) {
		if ((use_source && place_holds(list, i, source)) ||
		    (use_destination && place_holds(list, i, destination)))
			return true;
	}
	return false;
}

/* Revision 0 begins alike, and is not inverted. */
enum walk_answer walk_xt_multiport(const struct xt_question *question,
				   enum walk_miss *ret_about)
{
	const struct walk_state *state = question->state;
	struct span info = question->info;
	struct xt_multiport_v1 list;

	if (question->revision == 0)
		info.length = sizeof(struct xt_multiport);
	walk_xt_read(info, &list, sizeof(list));
	if (list.count > XT_MULTI_PORTS || list.flags > XT_MULTIPORT_EITHER)
		return WALK_MAYBE;
	*ret_about = WALK_MISS_PORT;
	return walk_xt_decide(list_holds(&list, state->source_port,
					 state->destination_port), list.invert);
}

static bool range_holds(const struct addr *address, const union nf_inet_addr *first,
			const union nf_inet_addr *last)
{
	size_t length = addr_length_bytes(address);

	return memcmp(address->bytes, first, length) >= 0 &&
	       memcmp(address->bytes, last, length) <= 0;
}

enum walk_answer walk_xt_iprange(const struct xt_question *question,
				 enum walk_miss *ret_about)
{
	const struct walk_state *state = question->state;
	struct xt_iprange_mtinfo range;

	walk_xt_read(question->info, &range, sizeof(range));
	*ret_about = WALK_MISS_SOURCE;
	if (range.flags & IPRANGE_SRC &&
	    range_holds(&state->source, &range.src_min, &range.src_max) ==
		    !!(range.flags & IPRANGE_SRC_INV))
		return WALK_NO;
	*ret_about = WALK_MISS_DESTINATION;
	if (range.flags & IPRANGE_DST &&
	    range_holds(&state->destination, &range.dst_min, &range.dst_max) ==
		    !!(range.flags & IPRANGE_DST_INV))
		return WALK_NO;
	return WALK_YES;
}

/* A SYN has at most 40 bytes of options and carries nothing; a datagram anything. */
enum walk_answer walk_xt_length(const struct xt_question *question,
				enum walk_miss *ret_about)
{
	const struct walk_state *state = question->state;
	unsigned header = state->family == AF_INET ? 20 : 40;
	bool tcp = state->protocol == IPPROTO_TCP;
	unsigned least = header + (tcp ? 20 : 8), most = tcp ? least + 40 : UINT16_MAX;
	struct xt_length_info range;

	walk_xt_read(question->info, &range, sizeof(range));
	*ret_about = WALK_MISS_OTHER;
	if (range.min <= least && range.max >= most)
		return walk_xt_decide(true, range.invert);
	if (range.min > most || range.max < least)
		return walk_xt_decide(false, range.invert);
	return WALK_MAYBE;
}

/* The first packet of TCP carries nothing that could be found. */
enum walk_answer walk_xt_string(const struct xt_question *question,
				enum walk_miss *ret_about)
{
	uint8_t flags = question->info.bytes[offsetof(struct xt_string_info, u)];

	if (question->state->protocol != IPPROTO_TCP)
		return WALK_MAYBE;
	*ret_about = WALK_MISS_OTHER;
	return walk_xt_decide(false, flags & XT_STRING_FLAG_INVERT);
}
