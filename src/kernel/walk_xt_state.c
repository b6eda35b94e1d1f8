/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Extensions that ask for a packet's connection, its marks, and what was noted of earlier
 * ones: there was none.
 */
#include "walk_xt.h"

#include <endian.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_connlimit.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_helper.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_recent.h>
#include <linux/netfilter/xt_state.h>

/* Revisions 1 and 2 have no ranges of ports, and those on the wire's order. */
static void widen_ports(struct xt_conntrack_mtinfo3 *wanted)
{
	wanted->origsrc_port = wanted->origsrc_port_high = be16toh(wanted->origsrc_port);
	wanted->origdst_port = wanted->origdst_port_high = be16toh(wanted->origdst_port);
	wanted->replsrc_port = wanted->replsrc_port_high = be16toh(wanted->replsrc_port);
	wanted->repldst_port = wanted->repldst_port_high = be16toh(wanted->repldst_port);
}

/* The older ones as if they were revision 3: they agree up to the flags. */
static struct xt_conntrack_mtinfo3 read_conntrack(const struct xt_question *question)
{
	struct xt_conntrack_mtinfo3 wanted;
	struct xt_conntrack_mtinfo1 old;

	walk_xt_read(question->info, &wanted, sizeof(wanted));
	if (question->revision < 3)
		widen_ports(&wanted);
	if (question->revision == 1) {
		walk_xt_read(question->info, &old, sizeof(old));
		wanted.state_mask = old.state_mask;
		wanted.status_mask = old.status_mask;
	}
	return wanted;
}

static bool has_state(const struct walk_state *state,
		      const struct xt_conntrack_mtinfo3 *wanted)
{
	uint16_t bits = XT_CONNTRACK_STATE_INVALID;

	if (state->tracking == WALK_UNTRACKED)
		bits = XT_CONNTRACK_STATE_UNTRACKED;
	if (state->tracking == WALK_TRACKED) {
		bits = XT_CONNTRACK_STATE_BIT(state->first ? IP_CT_ESTABLISHED
							   : IP_CT_NEW);
		bits |= state->status & IPS_SRC_NAT ? XT_CONNTRACK_STATE_SNAT : 0;
		bits |= state->status & IPS_DST_NAT ? XT_CONNTRACK_STATE_DNAT : 0;
	}
	return wanted->state_mask & bits;
}

static bool has_status(const struct walk_state *state,
		       const struct xt_conntrack_mtinfo3 *wanted)
{
	return wanted->status_mask & state->status;
}

static bool is_original(const struct walk_state *state,
			const struct xt_conntrack_mtinfo3 *wanted)
{
	(void)wanted;
	return !state->first;
}

static bool has_protocol(const struct walk_state *state,
			 const struct xt_conntrack_mtinfo3 *wanted)
{
	return wanted->l4proto == state->protocol;
}

static bool agrees(const struct addr *address, const union nf_inet_addr *wanted,
		   const union nf_inet_addr *mask)
{
	struct addr other = *address, bits = *address;

	memcpy(other.bytes, wanted, addr_length_bytes(address));
	memcpy(bits.bytes, mask, addr_length_bytes(address));
	for (size_t i = 0; i < addr_length_bytes(address); i++) {
		if ((address->bytes[i] ^ other.bytes[i]) & bits.bytes[i])
			return false;
	}
	return true;
}

static bool has_original_source(const struct walk_state *state,
				const struct xt_conntrack_mtinfo3 *wanted)
{
	return agrees(&state->original_source, &wanted->origsrc_addr,
		      &wanted->origsrc_mask);
}

static bool has_original_destination(const struct walk_state *state,
				     const struct xt_conntrack_mtinfo3 *wanted)
{
	return agrees(&state->original_destination, &wanted->origdst_addr,
		      &wanted->origdst_mask);
}

static bool has_reply_source(const struct walk_state *state,
			     const struct xt_conntrack_mtinfo3 *wanted)
{
	const struct walk_host host = walk_answering(state);

	return agrees(&host.address, &wanted->replsrc_addr, &wanted->replsrc_mask);
}

static bool has_reply_destination(const struct walk_state *state,
				  const struct xt_conntrack_mtinfo3 *wanted)
{
	const struct walk_host host = walk_answered(state);

	return agrees(&host.address, &wanted->repldst_addr, &wanted->repldst_mask);
}

static bool port_in(uint16_t port, uint16_t first, uint16_t last)
{
	return port >= first && port <= last;
}

static bool has_original_source_port(const struct walk_state *state,
				     const struct xt_conntrack_mtinfo3 *wanted)
{
	return port_in(state->original_source_port, wanted->origsrc_port,
		       wanted->origsrc_port_high);
}

static bool has_original_destination_port(const struct walk_state *state,
					  const struct xt_conntrack_mtinfo3 *wanted)
{
	return port_in(state->original_destination_port, wanted->origdst_port,
		       wanted->origdst_port_high);
}

static bool has_reply_source_port(const struct walk_state *state,
				  const struct xt_conntrack_mtinfo3 *wanted)
{
	return port_in(walk_answering(state).port, wanted->replsrc_port,
		       wanted->replsrc_port_high);
}

static bool has_reply_destination_port(const struct walk_state *state,
				       const struct xt_conntrack_mtinfo3 *wanted)
{
	return port_in(walk_answered(state).port, wanted->repldst_port,
		       wanted->repldst_port_high);
}

typedef bool connection_fn(const struct walk_state *state,
			   const struct xt_conntrack_mtinfo3 *wanted);

/* The state goes first: it is all that is asked of a packet without a connection. */
static const struct {
	uint16_t flag;
	enum walk_miss about;
	connection_fn *has;
} connection_parts[] = {
	{ XT_CONNTRACK_STATE, WALK_MISS_STATE, has_state },
	{ XT_CONNTRACK_DIRECTION, WALK_MISS_STATE, is_original },
	{ XT_CONNTRACK_ORIGSRC, WALK_MISS_SOURCE, has_original_source },
	{ XT_CONNTRACK_ORIGDST, WALK_MISS_DESTINATION, has_original_destination },
	{ XT_CONNTRACK_REPLSRC, WALK_MISS_DESTINATION, has_reply_source },
	{ XT_CONNTRACK_REPLDST, WALK_MISS_SOURCE, has_reply_destination },
	{ XT_CONNTRACK_PROTO, WALK_MISS_PROTOCOL, has_protocol },
	{ XT_CONNTRACK_ORIGSRC_PORT, WALK_MISS_PORT, has_original_source_port },
	{ XT_CONNTRACK_ORIGDST_PORT, WALK_MISS_PORT, has_original_destination_port },
	{ XT_CONNTRACK_REPLSRC_PORT, WALK_MISS_PORT, has_reply_source_port },
	{ XT_CONNTRACK_REPLDST_PORT, WALK_MISS_PORT, has_reply_destination_port },
	{ XT_CONNTRACK_STATUS, WALK_MISS_STATE, has_status },
};

enum walk_answer walk_xt_conntrack(const struct xt_question *question,
				   enum walk_miss *ret_about)
{
	const struct xt_conntrack_mtinfo3 wanted = read_conntrack(question);
	const struct walk_state *state = question->state;
	bool tracked = state->tracking == WALK_TRACKED;

	for (size_t i = 0; i < sizeof(connection_parts) / sizeof(connection_parts[0]); i++) {
		uint16_t flag = connection_parts[i].flag;

		*ret_about = connection_parts[i].about;
		if (wanted.match_flags & flag &&
		    connection_parts[i].has(state, &wanted) == !!(wanted.invert_flags & flag))
			return WALK_NO;
		if (!tracked)
			return walk_xt_decide(wanted.match_flags & flag, false);
	}
	return wanted.match_flags & XT_CONNTRACK_EXPIRES ? WALK_MAYBE : WALK_YES;
}

enum walk_answer walk_xt_state(const struct xt_question *question,
			       enum walk_miss *ret_about)
{
	const struct walk_state *state = question->state;
	struct xt_state_info wanted;
	unsigned bit = XT_STATE_INVALID;

	walk_xt_read(question->info, &wanted, sizeof(wanted));
	if (state->tracking == WALK_TRACKED)
		bit = XT_STATE_BIT(state->first ? IP_CT_ESTABLISHED : IP_CT_NEW);
	else if (state->tracking == WALK_UNTRACKED)
		bit = XT_STATE_UNTRACKED;
	*ret_about = WALK_MISS_STATE;
	return walk_xt_decide(wanted.statemask & bit, false);
}

enum walk_answer walk_xt_mark(const struct xt_question *question,
			      enum walk_miss *ret_about)
{
	const struct walk_state *state = question->state;
	struct xt_mark_mtinfo1 wanted;

	walk_xt_read(question->info, &wanted, sizeof(wanted));
	if (!state->mark_known)
		return WALK_MAYBE;
	*ret_about = WALK_MISS_STATE;
	return walk_xt_decide((state->mark & wanted.mask) == wanted.mark, wanted.invert);
}

enum walk_answer walk_xt_connmark(const struct xt_question *question,
				  enum walk_miss *ret_about)
{
	const struct walk_state *state = question->state;
	struct xt_connmark_mtinfo1 wanted;

	walk_xt_read(question->info, &wanted, sizeof(wanted));
	*ret_about = WALK_MISS_STATE;
	if (state->tracking != WALK_TRACKED)
		return WALK_NO;
	if (!state->ct_mark_known)
		return WALK_MAYBE;
	return walk_xt_decide((state->ct_mark & wanted.mask) == wanted.mark,
			      wanted.invert);
}

/* Only what another connection announced has a helper's match. */
enum walk_answer walk_xt_helper(const struct xt_question *question,
				enum walk_miss *ret_about)
{
	struct xt_helper_info wanted;

	walk_xt_read(question->info, &wanted, sizeof(wanted));
	*ret_about = WALK_MISS_STATE;
	return walk_xt_decide(false, wanted.invert);
}

/* Nobody has been seen; --set sees him now. */
enum walk_answer walk_xt_recent(const struct xt_question *question,
				enum walk_miss *ret_about)
{
	struct xt_recent_mtinfo wanted;

	walk_xt_read(question->info, &wanted, sizeof(wanted));
	*ret_about = WALK_MISS_OTHER;
	return walk_xt_decide(wanted.check_set & XT_RECENT_SET, wanted.invert);
}

enum walk_answer walk_xt_hashlimit(const struct xt_question *question,
				   enum walk_miss *ret_about)
{
	uint32_t mode;

	memcpy(&mode, question->info.bytes + (question->revision == 1
		? WALK_XT_HASHLIMIT_MODE_1 : WALK_XT_HASHLIMIT_MODE), sizeof(mode));
	*ret_about = WALK_MISS_OTHER;
	return walk_xt_decide(true, mode & WALK_XT_HASHLIMIT_INVERT);
}

/* As if there were no other connection. */
enum walk_answer walk_xt_connlimit(const struct xt_question *question,
				   enum walk_miss *ret_about)
{
	struct xt_connlimit_info wanted;

	walk_xt_read(question->info, &wanted, sizeof(wanted));
	*ret_about = WALK_MISS_OTHER;
	return walk_xt_decide(wanted.limit < 1, wanted.flags & XT_CONNLIMIT_INVERT);
}
