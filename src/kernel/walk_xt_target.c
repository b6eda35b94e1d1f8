/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The target extensions of iptables-nft, for a walk. */
#include "walk_xt.h"

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/xt_CT.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_mark.h>

/* --- NAT --- */

/* Revision 0 of IPv4: a list of ranges, of which there is always one. */
static bool read_range_4(struct span info, struct walk_range *range)
{
	struct nf_nat_ipv4_multi_range_compat ranges;

	if (info.length < sizeof(ranges))
		return false;
	walk_xt_read(info, &ranges, sizeof(ranges));
	*range = (struct walk_range){
		.flags = ranges.range[0].flags,
		.first = addr_from_bytes(AF_INET, &ranges.range[0].min_ip),
		.last = addr_from_bytes(AF_INET, &ranges.range[0].max_ip),
		.port_first = be16toh(ranges.range[0].min.all),
		.port_last = be16toh(ranges.range[0].max.all),
	};
	return ranges.rangesize == 1;
}

/* Revision 2 is revision 1 with a port more. */
static bool read_range(const struct xt_question *question, struct walk_range *range)
{
	int family = question->state->family;
	struct nf_nat_range2 wanted;

	if (question->revision == 0 && family == AF_INET)
		return read_range_4(question->info, range);
	if (question->info.length < sizeof(struct nf_nat_range))
		return false;
	walk_xt_read(question->info, &wanted, sizeof(wanted));
	*range = (struct walk_range){
		.flags = wanted.flags,
		.first = addr_from_bytes(family, &wanted.min_addr),
		.last = addr_from_bytes(family, &wanted.max_addr),
		.port_first = be16toh(wanted.min_proto.all),
		.port_last = be16toh(wanted.max_proto.all),
	};
	if (question->revision >= 2)
		range->port_base = be16toh(wanted.base_proto.all);
	return true;
}

typedef enum walk_answer target_fn(struct walk_state *state,
				   const struct xt_question *question,
				   struct walk_verdict *ret_verdict);

static enum walk_answer do_nat(struct walk_state *state,
			       const struct xt_question *question, bool destination,
			       unsigned more_flags, struct walk_verdict *ret_verdict)
{
	struct walk_range range;

	if (!read_range(question, &range))
		return WALK_MAYBE;
	range.flags |= more_flags;
	ret_verdict->name = destination ? "dnat" : "snat";
	ret_verdict->code = walk_nat_apply(state, destination, &range);
	return WALK_YES;
}

static enum walk_answer do_dnat(struct walk_state *state,
				const struct xt_question *question,
				struct walk_verdict *ret_verdict)
{
	return do_nat(state, question, true, 0, ret_verdict);
}

static enum walk_answer do_snat(struct walk_state *state,
				const struct xt_question *question,
				struct walk_verdict *ret_verdict)
{
	return do_nat(state, question, false, 0, ret_verdict);
}

static enum walk_answer do_netmap(struct walk_state *state,
				  const struct xt_question *question,
				  struct walk_verdict *ret_verdict)
{
	return do_nat(state, question, walk_hook_is_destination(state->hook),
		      NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_NETMAP, ret_verdict);
}

static enum walk_answer do_masquerade(struct walk_state *state,
				      const struct xt_question *question,
				      struct walk_verdict *ret_verdict)
{
	struct walk_range range;

	if (!read_range(question, &range))
		return WALK_MAYBE;
	ret_verdict->name = "masquerade";
	ret_verdict->code = walk_nat_masquerade(state, &range);
	return WALK_YES;
}

static enum walk_answer do_redirect(struct walk_state *state,
				    const struct xt_question *question,
				    struct walk_verdict *ret_verdict)
{
	struct walk_range range;

	if (!read_range(question, &range))
		return WALK_MAYBE;
	ret_verdict->name = "redirect";
	ret_verdict->code = walk_nat_redirect(state, &range);
	return WALK_YES;
}

/* --- the rest --- */

static enum walk_answer do_reject(struct walk_state *state,
				  const struct xt_question *question,
				  struct walk_verdict *ret_verdict)
{
	(void)state;
	(void)question;
	ret_verdict->code = NF_DROP;
	ret_verdict->rejected = true;
	ret_verdict->name = "reject";
	return WALK_YES;
}

static enum walk_answer do_mark(struct walk_state *state,
				const struct xt_question *question,
				struct walk_verdict *ret_verdict)
{
	struct xt_mark_tginfo2 wanted;

	if (question->revision != 2 || question->info.length < sizeof(wanted))
		return WALK_MAYBE;
	walk_xt_read(question->info, &wanted, sizeof(wanted));
	state->mark = (state->mark & ~wanted.mask) ^ wanted.mark;
	state->mark_known |= wanted.mask == UINT32_MAX;
	ret_verdict->name = "mark";
	return WALK_YES;
}

/* `nfmask` is for the packet's mark, `ctmask` for the connection's. */
static void restore_mark(struct walk_state *state,
			 const struct xt_connmark_tginfo1 *wanted)
{
	bool whole = wanted->nfmask == UINT32_MAX;

	state->mark = (state->mark & ~wanted->nfmask) ^ (state->ct_mark & wanted->ctmask);
	state->mark_known = state->ct_mark_known && (state->mark_known || whole);
}

static void save_mark(struct walk_state *state, const struct xt_connmark_tginfo1 *wanted,
		      uint32_t mark, bool known)
{
	bool whole = wanted->ctmask == UINT32_MAX;

	state->ct_mark = (state->ct_mark & ~wanted->ctmask) ^ mark;
	state->ct_mark_known = known && (state->ct_mark_known || whole);
}

/* Revision 2 can shift. */
static bool read_connmark(const struct xt_question *question,
			  struct xt_connmark_tginfo1 *ret_wanted)
{
	struct xt_connmark_tginfo2 shifting;

	if (question->revision == 1 && question->info.length >= sizeof(*ret_wanted)) {
		walk_xt_read(question->info, ret_wanted, sizeof(*ret_wanted));
		return true;
	}
	if (question->revision != 2 || question->info.length < sizeof(shifting))
		return false;
	walk_xt_read(question->info, &shifting, sizeof(shifting));
	*ret_wanted = (struct xt_connmark_tginfo1){
		.ctmark = shifting.ctmark, .ctmask = shifting.ctmask,
		.nfmask = shifting.nfmask, .mode = shifting.mode,
	};
	return shifting.shift_bits == 0;
}

static enum walk_answer do_connmark(struct walk_state *state,
				    const struct xt_question *question,
				    struct walk_verdict *ret_verdict)
{
	struct xt_connmark_tginfo1 wanted;

	if (!read_connmark(question, &wanted) || wanted.mode > XT_CONNMARK_RESTORE)
		return WALK_MAYBE;
	if (state->tracking != WALK_TRACKED)
		return WALK_YES;
	if (wanted.mode == XT_CONNMARK_SET)
		save_mark(state, &wanted, wanted.ctmark, true);
	else if (wanted.mode == XT_CONNMARK_SAVE)
		save_mark(state, &wanted, state->mark & wanted.nfmask, state->mark_known);
	else
		restore_mark(state, &wanted);
	ret_verdict->name = wanted.mode == XT_CONNMARK_RESTORE ? "mark" : "ct mark";
	return WALK_YES;
}

static enum walk_answer do_notrack(struct walk_state *state,
				   const struct xt_question *question,
				   struct walk_verdict *ret_verdict)
{
	(void)question;
	walk_untrack(state, ret_verdict);
	return WALK_YES;
}

/* All revisions begin alike; helpers and events change no packet's way. */
static enum walk_answer do_ct(struct walk_state *state,
			      const struct xt_question *question,
			      struct walk_verdict *ret_verdict)
{
	struct xt_ct_target_info wanted;

	if (question->info.length < offsetof(struct xt_ct_target_info, ct))
		return WALK_MAYBE;
	walk_xt_read(question->info, &wanted, sizeof(wanted));
	if (wanted.flags & XT_CT_NOTRACK)
		walk_untrack(state, ret_verdict);
	else if (!(wanted.flags & XT_CT_ZONE_MARK))
		state->zone = wanted.zone;
	return WALK_YES;
}

/* What is neither here nor idle is a maybe: NFQUEUE, TPROXY, HMARK, SYNPROXY. */
static const struct {
	const char *name;
	target_fn *deed;		/* NULL: the packet's way does not depend on it */
} targets[] = {
	{ "DNAT", do_dnat }, { "SNAT", do_snat }, { "MASQUERADE", do_masquerade },
	{ "REDIRECT", do_redirect }, { "NETMAP", do_netmap }, { "REJECT", do_reject },
	{ "MARK", do_mark }, { "CONNMARK", do_connmark }, { "CT", do_ct },
	{ "NOTRACK", do_notrack },
	{ "AUDIT", NULL }, { "CHECKSUM", NULL }, { "CLASSIFY", NULL },
	{ "CONNSECMARK", NULL }, { "DSCP", NULL }, { "ECN", NULL }, { "HL", NULL },
	{ "IDLETIMER", NULL }, { "LED", NULL }, { "LOG", NULL }, { "NFLOG", NULL },
	{ "RATEEST", NULL }, { "SECMARK", NULL }, { "SET", NULL }, { "TCPMSS", NULL },
	{ "TCPOPTSTRIP", NULL }, { "TEE", NULL }, { "TOS", NULL }, { "TRACE", NULL },
	{ "TTL", NULL },
};

enum { TARGETS = sizeof(targets) / sizeof(targets[0]) };

static size_t target_index(struct span name)
{
	size_t i = 0;

	while (i < TARGETS && !attr_is(name, targets[i].name))
		i++;
	return i;
}

enum walk_answer walk_xt_target(struct walk_state *state, struct span name,
				uint32_t revision, struct span info,
				struct walk_verdict *ret_verdict)
{
	const struct xt_question question = { state, info, revision };
	size_t index = target_index(name);

	if (index == TARGETS)
		return WALK_MAYBE;
	if (!targets[index].deed)
		return WALK_YES;
	return targets[index].deed(state, &question, ret_verdict);
}

bool walk_xt_target_is_deed(struct span name)
{
	size_t index = target_index(name);

	return index == TARGETS || targets[index].deed;
}
