/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The match extensions, one function each. `info` holds at least what the table in
 * walk_xt.c asks for.
 */
#ifndef KERNEL_WALK_XT_H
#define KERNEL_WALK_XT_H

#include "walk_private.h"

struct xt_question {
	const struct walk_state *state;
	struct span info;
	uint32_t revision;
};

typedef enum walk_answer walk_xt_match_fn(const struct xt_question *question,
					  enum walk_miss *ret_about);

/* The packet's header: walk_xt_header.c. */
walk_xt_match_fn walk_xt_tcp, walk_xt_udp, walk_xt_multiport, walk_xt_iprange,
		 walk_xt_length, walk_xt_string;
/* Where it comes from and goes to: walk_xt_way.c. */
walk_xt_match_fn walk_xt_addrtype, walk_xt_rpfilter, walk_xt_physdev, walk_xt_devgroup,
		 walk_xt_mac, walk_xt_pkttype, walk_xt_owner, walk_xt_policy;
/* Whether the kernel has it in an ipset: walk_xt_set.c. */
walk_xt_match_fn walk_xt_set;
/* Its connection, and what was noted of others: walk_xt_state.c. */
walk_xt_match_fn walk_xt_conntrack, walk_xt_state, walk_xt_mark, walk_xt_connmark,
		 walk_xt_helper, walk_xt_recent, walk_xt_hashlimit, walk_xt_connlimit;

/*
 * Two structs whose headers do not bear net/if.h beside them everywhere: where things stand
 * in struct xt_physdev_info, and in xt_hashlimit_mtinfo1 and the later ones.
 */
enum {
	WALK_XT_PHYSDEV_INVERT = 64, WALK_XT_PHYSDEV_ASKED, WALK_XT_PHYSDEV_BYTES,
	WALK_XT_HASHLIMIT_MODE_1 = 16, WALK_XT_HASHLIMIT_MODE = 272,
	WALK_XT_HASHLIMIT_INVERT = 1 << 4,
};

/* The struct as far as it is there, the rest zero. */
void walk_xt_read(struct span info, void *ret_struct, size_t bytes);

static inline enum walk_answer walk_xt_decide(bool matches, bool inverted)
{
	return matches != inverted ? WALK_YES : WALK_NO;
}

#endif
