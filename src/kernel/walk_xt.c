/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The extensions of iptables-nft, for a walk.
 */
#include "walk_private.h"

#include <linux/netfilter/xt_tcpudp.h>
#include <netinet/in.h>

static bool port_in(const uint16_t range[2], uint16_t port, bool inverted)
{
	return (port >= range[0] && port <= range[1]) != inverted;
}

/* The first packet of a connection has SYN alone; what else it has is not known. */
static enum walk_answer match_tcp(const struct walk_state *state, struct span info,
				  enum walk_miss *ret_about)
{
	struct xt_tcp tcp;
	uint8_t syn = 0x02;

	if (info.length < sizeof(tcp))
		return WALK_MAYBE;
	memcpy(&tcp, info.bytes, sizeof(tcp));
	*ret_about = WALK_MISS_PROTOCOL;
	if (state->protocol != IPPROTO_TCP)
		return WALK_NO;
	*ret_about = WALK_MISS_PORT;
	if (!port_in(tcp.spts, state->source_port, tcp.invflags & XT_TCP_INV_SRCPT) ||
	    !port_in(tcp.dpts, state->destination_port, tcp.invflags & XT_TCP_INV_DSTPT))
		return WALK_NO;
	*ret_about = WALK_MISS_OTHER;
	if (((syn & tcp.flg_mask) == tcp.flg_cmp) == !!(tcp.invflags & XT_TCP_INV_FLAGS))
		return WALK_NO;
	return tcp.option ? WALK_MAYBE : WALK_YES;
}

static enum walk_answer match_udp(const struct walk_state *state, struct span info,
				  enum walk_miss *ret_about)
{
	struct xt_udp udp;

	if (info.length < sizeof(udp))
		return WALK_MAYBE;
	memcpy(&udp, info.bytes, sizeof(udp));
	*ret_about = WALK_MISS_PROTOCOL;
	if (state->protocol != IPPROTO_UDP)
		return WALK_NO;
	*ret_about = WALK_MISS_PORT;
	if (!port_in(udp.spts, state->source_port, udp.invflags & XT_UDP_INV_SRCPT) ||
	    !port_in(udp.dpts, state->destination_port, udp.invflags & XT_UDP_INV_DSTPT))
		return WALK_NO;
	return WALK_YES;
}

enum walk_answer walk_xt_match(const struct walk_state *state, struct span name,
			       uint32_t revision, struct span info,
			       enum walk_miss *ret_about)
{
	(void)revision;
	if (attr_is(name, "comment"))
		return WALK_YES;
	if (attr_is(name, "tcp"))
		return match_tcp(state, info, ret_about);
	if (attr_is(name, "udp"))
		return match_udp(state, info, ret_about);
	return WALK_MAYBE;
}

enum walk_answer walk_xt_target(struct walk_state *state, struct span name,
				uint32_t revision, struct span info,
				struct walk_verdict *ret_verdict)
{
	(void)state;
	(void)revision;
	(void)info;
	(void)ret_verdict;
	return walk_xt_target_is_deed(name) ? WALK_MAYBE : WALK_YES;
}

bool walk_xt_target_is_deed(struct span name)
{
	static const char *const idle[] = {
		"LOG", "NFLOG", "TCPMSS", "CHECKSUM", "AUDIT", "LED", "TRACE",
	};

	for (size_t i = 0; i < sizeof(idle) / sizeof(idle[0]); i++) {
		if (attr_is(name, idle[i]))
			return false;
	}
	return true;
}
