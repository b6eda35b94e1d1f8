/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft_decision.h"

#include <linux/netfilter.h>
#include <sys/socket.h>

enum {
	NEW_DESTINATION_HOOKS = 1 << NF_INET_PRE_ROUTING | 1 << NF_INET_LOCAL_OUT,
};

bool rewrite_is_dnat(const struct rule_view *view, unsigned hooks)
{
	if (view->dnat)
		return true;
	if (!view->jump && !view->netmap)
		return false;
	return hooks && !(hooks & ~(unsigned)NEW_DESTINATION_HOOKS);
}

/* In an inet table `ct original` tells its family without a dependency. */
static bool names_original(const struct rule_view *view, enum rule_side_index side)
{
	const struct rule_side *seen = &view->side[side];

	if (seen->forms[RULE_ORIGINAL] & ~(unsigned)(RULE_XT_ORIGINAL | RULE_XT_NOT))
		return true;
	for (size_t i = 0; i < seen->spot_count; i++) {
		if (seen->spots[i].source == RULE_ORIGINAL && !seen->spots[i].xt)
			return true;
	}
	for (size_t i = 0; i < view->lookup_count; i++) {
		if (view->lookups[i].key_at[side] >= 0 &&
		    view->lookups[i].source == RULE_ORIGINAL)
			return true;
	}
	return false;
}

static int side_of(int family)
{
	return family == AF_INET ? RULE_IPV4 : RULE_IPV6;
}

int rewrite_side(const struct rule_view *view, int family)
{
	if (family == NFPROTO_IPV4)
		return RULE_IPV4;
	if (family == NFPROTO_IPV6)
		return RULE_IPV6;
	if (view->family)
		return side_of(view->family);
	/* 16 bytes first: 4 bytes are found at their beginning too. */
	if (names_original(view, RULE_IPV6))
		return RULE_IPV6;
	if (names_original(view, RULE_IPV4))
		return RULE_IPV4;
	return view->nat_family ? side_of(view->nat_family) : -1;
}

bool rewrite_asks(const struct rule_view *view, const struct rule_lookup *lookup,
		  int family)
{
	int side = rewrite_side(view, family);

	if (side < 0)
		return false;
	return lookup->key_at[side] >= 0 ||
	       (lookup->snat_at >= 0 && (int)lookup->snat_side == side);
}

static struct addr spot_address(const struct decision *d, const struct rule_spot *spot)
{
	uint8_t bytes[16] = { 0 };

	memcpy(bytes, d->expressions.bytes + spot->at, spot->length);
	return addr_from_bytes(decision_family(d), bytes);
}

/* What a port forward compares tells the WAN's address also to its xt matches. */
static bool is_told(const struct decision *d, const struct addr *value)
{
	for (size_t i = 0; i < d->seen->spot_count; i++) {
		const struct rule_spot *spot = &d->seen->spots[i];
		struct addr other;

		if (spot->xt || !decision_spot_counts(d, spot))
			continue;
		other = spot_address(d, spot);
		if (addr_equal(&other, value))
			return true;
	}
	return false;
}

static enum nft_result spot_result(const struct decision *d, const struct rule_spot *spot,
				   const struct addr *value)
{
	const struct policy *values = &d->policy->values;

	if (policy_holds(values, value))
		return NFT_UNCHANGED;
	if (policy_is_former(values, value))
		return NFT_CHANGED;
	/* A private address that snat puts there is the router's on the LAN. */
	if (spot->source == RULE_SNAT)
		return !policy_knows_former(values, value->family) &&
		       addr_is_global(value) ? NFT_CHANGED : NFT_SKIPPED;
	if (d->dnat && (!spot->xt || is_told(d, value)))
		return NFT_CHANGED;
	return NFT_SKIPPED;
}

/* The verdict tells of the first value of the best result. */
static bool take(struct decision *d, enum nft_result result, const struct addr *old,
		 const struct addr *new, uint8_t bits)
{
	struct rewrite_verdict *verdict = d->verdict;

	if (result > verdict->result ||
	    (result == verdict->result && !addr_is_none(&verdict->old)))
		return false;
	verdict->result = result;
	verdict->old = *old;
	verdict->new = *new;
	verdict->bits = bits;
	return true;
}

static void take_spot(struct decision *d, const struct rule_spot *spot)
{
	const struct policy *values = &d->policy->values;
	struct addr value = spot_address(d, spot), wanted = policy_wanted(values, &value);
	unsigned bits = policy_bits(values, value.family);
	struct decision_tally *counts = &d->tally[spot->source];
	enum nft_result result = spot_result(d, spot, &value);
	bool whole = spot->bits == addr_length_bytes(&value) * 8;

	if (!counts->spots)
		d->first[spot->source] = value;
	counts->spots = true;
	counts->differ |= !addr_same_prefix(&d->first[spot->source], &value, bits);
	counts->moves |= result == NFT_CHANGED;
	counts->holds |= result == NFT_UNCHANGED;
	counts->fixed |= result == NFT_SKIPPED;
	d->verdict->waits |= result == NFT_SKIPPED || spot->source == RULE_SNAT;
	if (take(d, result, &value, &wanted, whole ? 0 : spot->bits))
		d->verdict->learnt = d->dnat && result == NFT_CHANGED && whole &&
				     !spot->xt && spot->source != RULE_SNAT;
	if (result == NFT_CHANGED)
		d->verdict->patches[d->verdict->patch_count++] = (struct rewrite_patch){
			(uint16_t)spot->at, spot->length };
}

/* A lone element that is meant only for being alone, beside a compare with another value. */
static bool contradicts(const struct decision *d, enum rule_source source,
			const struct policy_change *change)
{
	const struct policy *values = &d->policy->values;

	return d->dnat && d->tally[source].spots &&
	       !policy_holds(values, &d->first[source]) &&
	       !addr_equal(&d->first[source], &change->old) &&
	       !policy_is_former(values, &change->old);
}

static void take_lookup(struct decision *d, size_t index)
{
	const struct policy_change *change = &d->sets[index].change;
	enum nft_result result = change->result;
	enum rule_source source;

	if (!decision_lookup_counts(d, index, &source))
		return;
	if (decision_lookup_reason(d, index))
		result = NFT_SKIPPED;
	d->verdict->waits = true;
	d->tally[source].moves |= result == NFT_CHANGED;
	/* A set of excluded destinations has room for the new one. */
	d->tally[source].stuck |= result == NFT_SKIPPED &&
				  (source == RULE_SNAT || !d->view->lookups[index].inverted);
	d->tally[source].differ |= result == NFT_CHANGED && contradicts(d, source, change);
	if (result != NFT_SKIPPED && take(d, result, &change->old, &change->new,
					  change->bits))
		d->verdict->learnt = false;
}

static void skip(const struct decision *d, const char *reason)
{
	d->verdict->result = NFT_SKIPPED;
	d->verdict->reason = reason;
	d->verdict->patch_count = 0;
	d->verdict->learnt = false;
	d->verdict->new = (struct addr){ 0 };
}

/* Whether the rule asks for no destination at all, in any way. */
static bool is_open(const struct decision *d)
{
	enum rule_source source;

	if (d->seen->forms[RULE_HEADER] || d->seen->forms[RULE_ORIGINAL])
		return false;
	for (size_t i = 0; i < d->seen->spot_count; i++) {
		if (d->seen->spots[i].source != RULE_SNAT)
			return false;
	}
	for (size_t i = 0; i < d->view->lookup_count; i++) {
		if (!decision_family_known(d) && d->view->lookups[i].key_at[d->side] >= 0)
			return false;
		if (decision_lookup_counts(d, i, &source) && source != RULE_SNAT)
			return false;
	}
	return true;
}

static void add(const struct decision *d)
{
	static const uint8_t none[16];
	struct addr value = addr_from_bytes(decision_family(d), none);

	d->verdict->result = NFT_CHANGED;
	d->verdict->adds = true;
	d->verdict->new = policy_wanted(&d->policy->values, &value);
}

static void decide_nothing_follows(const struct decision *d)
{
	const char *reason;

	/* The reason is about snat's address then. */
	if (d->tally[RULE_SNAT].spots)
		d->verdict->old = d->first[RULE_SNAT];
	if (!d->policy->add_missing || !d->dnat || !is_open(d)) {
		skip(d, decision_reason(d));
		return;
	}
	reason = decision_add_reason(d);
	if (reason)
		skip(d, reason);
	else
		add(d);
}

static void decide(struct decision *d)
{
	const struct policy *values = &d->policy->values;
	struct rewrite_verdict *verdict = d->verdict;
	struct addr zero = { .family = (uint8_t)decision_family(d) };
	const char *conflict;

	verdict->moving_bits = (uint8_t)policy_bits(values, zero.family);
	for (size_t i = 0; i < d->seen->spot_count; i++) {
		if (decision_spot_counts(d, &d->seen->spots[i]))
			take_spot(d, &d->seen->spots[i]);
	}
	for (size_t i = 0; i < d->view->lookup_count; i++)
		take_lookup(d, i);
	conflict = decision_conflict(d);
	if (conflict)
		skip(d, conflict);
	else if (verdict->result == NFT_SKIPPED)
		decide_nothing_follows(d);
	else if (policy_is_silent(values, zero.family))
		skip(d, policy_silence(values, zero.family));
	/* 0.0.0.0 stands for an address that is not known yet. */
	verdict->learnt &= !addr_same_prefix(&verdict->old, &zero, verdict->moving_bits);
}

void rewrite_decide(const struct rule_view *view, struct span expressions,
		    const struct rewrite_set *sets, const struct rewrite_policy *policy,
		    struct rewrite_verdict *ret_verdict)
{
	struct decision d = {
		.view = view, .expressions = expressions, .sets = sets, .policy = policy,
		.dnat = rewrite_is_dnat(view, policy->hooks),
		.side = rewrite_side(view, policy->family),
		.verdict = ret_verdict,
	};

	*ret_verdict = (struct rewrite_verdict){ .result = NFT_SKIPPED };
	if (view->broken) {
		skip(&d, "its expressions could not be read");
	} else if (d.side < 0) {
		skip(&d, decision_reason(&d));
	} else {
		d.seen = &view->side[d.side];
		decide(&d);
	}
}

void rewrite_apply(const struct rewrite_verdict *verdict, uint8_t *expressions)
{
	for (size_t i = 0; i < verdict->patch_count; i++) {
		const struct rewrite_patch *patch = &verdict->patches[i];
		struct addr value = { .family = verdict->new.family };

		memcpy(value.bytes, expressions + patch->at, patch->length);
		value = addr_join(&verdict->new, verdict->moving_bits, &value);
		memcpy(expressions + patch->at, value.bytes, patch->length);
	}
}
