/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Extensions that ask by which links a packet goes, and what its addresses are. */
#include "walk_xt.h"

#include <linux/if_packet.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_devgroup.h>
#include <linux/netfilter/xt_mac.h>
#include <linux/netfilter/xt_owner.h>
#include <linux/netfilter/xt_pkttype.h>
#include <linux/netfilter/xt_policy.h>
#include <linux/netfilter/xt_rpfilter.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>

/* Revision 0 has no links, and its inversions elsewhere. */
static struct xt_addrtype_info_v1 read_addrtype(const struct xt_question *question)
{
	struct xt_addrtype_info_v1 wanted;
	struct xt_addrtype_info old;

	walk_xt_read(question->info, &wanted, sizeof(wanted));
	if (question->revision > 0)
		return wanted;
	walk_xt_read(question->info, &old, sizeof(old));
	wanted.flags = (old.invert_source ? XT_ADDRTYPE_INVERT_SOURCE : 0) |
		       (old.invert_dest ? XT_ADDRTYPE_INVERT_DEST : 0);
	return wanted;
}

/* `kinds`: bits by RTN_*; none: not asked. */
static enum walk_answer is_of_kind(const struct walk_state *state,
				   const struct addr *address,
				   const struct router_link *link, uint16_t kinds,
				   bool inverted)
{
	uint8_t type;

	if (!kinds)
		return WALK_YES;
	type = walk_address_type(state, address, link);
	if (type == RTN_UNSPEC || type > RTN_XRESOLVE)
		return WALK_MAYBE;
	return walk_xt_decide(kinds & 1u << type, inverted);
}

enum walk_answer walk_xt_addrtype(const struct xt_question *question,
				  enum walk_miss *ret_about)
{
	const struct xt_addrtype_info_v1 wanted = read_addrtype(question);
	const struct walk_state *state = question->state;
	const struct router_link *link = NULL;
	enum walk_answer source, destination;

	if (wanted.flags & XT_ADDRTYPE_LIMIT_IFACE_IN)
		link = state->in;
	else if (wanted.flags & XT_ADDRTYPE_LIMIT_IFACE_OUT)
		link = state->out;
	*ret_about = WALK_MISS_FIB;
	source = is_of_kind(state, &state->source, link, wanted.source,
			    wanted.flags & XT_ADDRTYPE_INVERT_SOURCE);
	if (source == WALK_NO)
		return WALK_NO;
	destination = is_of_kind(state, &state->destination, link, wanted.dest,
				 wanted.flags & XT_ADDRTYPE_INVERT_DEST);
	return destination == WALK_YES ? source : destination;
}

/* Would an answer leave by the link that the packet came by? */
enum walk_answer walk_xt_rpfilter(const struct xt_question *question,
				  enum walk_miss *ret_about)
{
	const struct walk_state *state = question->state;
	uint8_t flags = question->info.bytes[0];
	struct router_question back = { .destination = state->source };
	struct router_answer answer;
	bool inverted = flags & XT_RPFILTER_INVERT, good;
	struct err err;

	if (!state->in || (flags & XT_RPFILTER_VALID_MARK && !state->mark_known))
		return WALK_MAYBE;
	*ret_about = WALK_MISS_SOURCE;
	if (state->in->loopback)
		return walk_xt_decide(true, inverted);
	if (flags & XT_RPFILTER_VALID_MARK)
		back.mark = state->mark;
	if (router_route(state->router, &back, &answer, &err) < 0)
		return WALK_MAYBE;
	good = answer.type == RTN_UNICAST ||
	       (answer.type == RTN_LOCAL && flags & XT_RPFILTER_ACCEPT_LOCAL);
	if (!(flags & XT_RPFILTER_LOOSE))
		good = good && answer.out == state->in->index;
	return walk_xt_decide(good, inverted);
}

/* Only of what came by a bridge that calls iptables is anything known, and not to us. */
enum walk_answer walk_xt_physdev(const struct xt_question *question,
				 enum walk_miss *ret_about)
{
	uint8_t inverted = question->info.bytes[WALK_XT_PHYSDEV_INVERT];
	uint8_t asked = question->info.bytes[WALK_XT_PHYSDEV_ASKED];

	if (walk_came_by_bridge(question->state))
		return WALK_MAYBE;
	*ret_about = WALK_MISS_IN;
	return walk_xt_decide(asked & ~inverted, true);
}

enum walk_answer walk_xt_devgroup(const struct xt_question *question,
				  enum walk_miss *ret_about)
{
	const struct router_link *in = question->state->in, *out = question->state->out;
	struct xt_devgroup_info wanted;

	walk_xt_read(question->info, &wanted, sizeof(wanted));
	if ((wanted.flags & XT_DEVGROUP_MATCH_SRC && !in) ||
	    (wanted.flags & XT_DEVGROUP_MATCH_DST && !out))
		return WALK_MAYBE;
	*ret_about = WALK_MISS_IN;
	if (wanted.flags & XT_DEVGROUP_MATCH_SRC &&
	    !((wanted.src_group ^ in->group) & wanted.src_mask) ==
		    !!(wanted.flags & XT_DEVGROUP_INVERT_SRC))
		return WALK_NO;
	*ret_about = WALK_MISS_OUT;
	if (wanted.flags & XT_DEVGROUP_MATCH_DST &&
	    !((wanted.dst_group ^ out->group) & wanted.dst_mask) ==
		    !!(wanted.flags & XT_DEVGROUP_INVERT_DST))
		return WALK_NO;
	return WALK_YES;
}

enum walk_answer walk_xt_mac(const struct xt_question *question,
			     enum walk_miss *ret_about)
{
	static const uint8_t nobody[6];
	const struct walk_state *state = question->state;
	const uint8_t *mac = state->question->packet.mac;
	struct xt_mac_info wanted;

	walk_xt_read(question->info, &wanted, sizeof(wanted));
	*ret_about = WALK_MISS_SOURCE;
	if (!state->in || state->in->type != ARPHRD_ETHER)
		return WALK_NO;
	if (memcmp(mac, nobody, sizeof(nobody)) == 0)
		return WALK_MAYBE;
	return walk_xt_decide(memcmp(mac, wanted.srcaddr, sizeof(nobody)) == 0,
			      wanted.invert);
}

/* Packets of a walk are for the one that gets them. */
enum walk_answer walk_xt_pkttype(const struct xt_question *question,
				 enum walk_miss *ret_about)
{
	struct xt_pkttype_info wanted;

	walk_xt_read(question->info, &wanted, sizeof(wanted));
	*ret_about = WALK_MISS_OTHER;
	return walk_xt_decide(wanted.pkttype == PACKET_HOST, wanted.invert);
}

/* A packet of others has no owner here. */
enum walk_answer walk_xt_owner(const struct xt_question *question,
			       enum walk_miss *ret_about)
{
	struct xt_owner_match_info wanted;

	walk_xt_read(question->info, &wanted, sizeof(wanted));
	if (question->state->own)
		return WALK_MAYBE;
	*ret_about = WALK_MISS_OTHER;
	return walk_xt_decide(wanted.match == wanted.invert, false);
}

/* No packet here goes through IPsec. */
enum walk_answer walk_xt_policy(const struct xt_question *question,
				enum walk_miss *ret_about)
{
	struct xt_policy_info wanted;

	walk_xt_read(question->info, &wanted, sizeof(wanted));
	*ret_about = WALK_MISS_OTHER;
	return walk_xt_decide(wanted.flags & XT_POLICY_MATCH_NONE, false);
}
