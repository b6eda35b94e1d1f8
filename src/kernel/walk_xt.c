/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The match extensions of iptables-nft, for a walk: which there are. The first packet of
 * a connection is within every rate, and no list of addresses that rules keep has it.
 */
#include "walk_xt.h"

#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_connlimit.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_devgroup.h>
#include <linux/netfilter/xt_helper.h>
#include <linux/netfilter/xt_iprange.h>
#include <linux/netfilter/xt_length.h>
#include <linux/netfilter/xt_mac.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_owner.h>
#include <linux/netfilter/xt_pkttype.h>
#include <linux/netfilter/xt_policy.h>
#include <linux/netfilter/xt_recent.h>
#include <linux/netfilter/xt_rpfilter.h>
#include <linux/netfilter/xt_set.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_string.h>
#include <linux/netfilter/xt_tcpudp.h>

void walk_xt_read(struct span info, void *ret_struct, size_t bytes)
{
	memset(ret_struct, 0, bytes);
	memcpy(ret_struct, info.bytes, info.length < bytes ? info.length : bytes);
}

static enum walk_answer match_always(const struct xt_question *question,
				     enum walk_miss *ret_about)
{
	(void)question;
	(void)ret_about;
	return WALK_YES;
}

/* Its own protocol is none that a walk has. */
static enum walk_answer match_protocol(const struct xt_question *question,
				       enum walk_miss *ret_about)
{
	(void)question;
	*ret_about = WALK_MISS_PROTOCOL;
	return WALK_NO;
}

/* What is not here is a maybe: the clock, chance, bytes that are not known. */
static const struct {
	const char *name;
	uint8_t first, last;		/* revisions */
	size_t bytes;			/* what is read of them */
	walk_xt_match_fn *match;
} matches[] = {
	{ "comment", 0, 0, 0, match_always },
	{ "limit", 0, 0, 0, match_always },
	{ "icmp", 0, 0, 0, match_protocol },
	{ "icmp6", 0, 0, 0, match_protocol },
	{ "sctp", 0, 0, 0, match_protocol },
	{ "dccp", 0, 0, 0, match_protocol },
	{ "udplite", 0, 0, 0, match_protocol },
	{ "esp", 0, 0, 0, match_protocol },
	{ "ah", 0, 0, 0, match_protocol },
	{ "tcp", 0, 0, sizeof(struct xt_tcp), walk_xt_tcp },
	{ "udp", 0, 0, sizeof(struct xt_udp), walk_xt_udp },
	{ "multiport", 0, 0, sizeof(struct xt_multiport), walk_xt_multiport },
	{ "multiport", 1, 1, sizeof(struct xt_multiport_v1), walk_xt_multiport },
	{ "iprange", 1, 1, sizeof(struct xt_iprange_mtinfo), walk_xt_iprange },
	{ "length", 0, 0, sizeof(struct xt_length_info), walk_xt_length },
	{ "string", 0, 1, offsetof(struct xt_string_info, config), walk_xt_string },
	{ "set", 1, 4, sizeof(struct xt_set_info), walk_xt_set },
	{ "addrtype", 0, 0, sizeof(struct xt_addrtype_info), walk_xt_addrtype },
	{ "addrtype", 1, 1, sizeof(struct xt_addrtype_info_v1), walk_xt_addrtype },
	{ "rpfilter", 0, 0, sizeof(struct xt_rpfilter_info), walk_xt_rpfilter },
	{ "physdev", 0, 0, WALK_XT_PHYSDEV_BYTES, walk_xt_physdev },
	{ "devgroup", 0, 0, sizeof(struct xt_devgroup_info), walk_xt_devgroup },
	{ "mac", 0, 0, sizeof(struct xt_mac_info), walk_xt_mac },
	{ "pkttype", 0, 0, sizeof(struct xt_pkttype_info), walk_xt_pkttype },
	{ "owner", 1, 1, sizeof(struct xt_owner_match_info), walk_xt_owner },
	{ "policy", 0, 0, sizeof(struct xt_policy_info), walk_xt_policy },
	{ "conntrack", 1, 1, sizeof(struct xt_conntrack_mtinfo1), walk_xt_conntrack },
	{ "conntrack", 2, 2, sizeof(struct xt_conntrack_mtinfo2), walk_xt_conntrack },
	{ "conntrack", 3, 3, sizeof(struct xt_conntrack_mtinfo3), walk_xt_conntrack },
	{ "state", 0, 0, sizeof(struct xt_state_info), walk_xt_state },
	{ "mark", 1, 1, sizeof(struct xt_mark_mtinfo1), walk_xt_mark },
	{ "connmark", 1, 1, sizeof(struct xt_connmark_mtinfo1), walk_xt_connmark },
	{ "helper", 0, 0, sizeof(struct xt_helper_info), walk_xt_helper },
	{ "recent", 0, 1, sizeof(struct xt_recent_mtinfo), walk_xt_recent },
	{ "hashlimit", 1, 1, WALK_XT_HASHLIMIT_MODE_1 + 4, walk_xt_hashlimit },
	{ "hashlimit", 2, 3, WALK_XT_HASHLIMIT_MODE + 4, walk_xt_hashlimit },
	{ "connlimit", 1, 1, offsetof(struct xt_connlimit_info, data),
	  walk_xt_connlimit },
};

enum walk_answer walk_xt_match(const struct walk_state *state, struct span name,
			       uint32_t revision, struct span info,
			       enum walk_miss *ret_about)
{
	const struct xt_question question = { state, info, revision };

	for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
		if (attr_is(name, matches[i].name) && revision >= matches[i].first &&
		    revision <= matches[i].last && info.length >= matches[i].bytes)
			return matches[i].match(&question, ret_about);
	}
	return WALK_MAYBE;
}
