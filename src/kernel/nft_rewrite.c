/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft_rewrite.h"

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

static bool family_known(const struct rule_view *view, int family)
{
	return family != NFPROTO_INET || view->family != 0;
}

/* In an inet table only `ct original` tells its family without a dependency. */
static bool names_original(const struct rule_view *view, enum rule_side_index side)
{
	const struct rule_side *seen = &view->side[side];

	if (seen->forms[RULE_ORIGINAL])
		return true;
	for (size_t i = 0; i < seen->spot_count; i++) {
		if (seen->spots[i].source == RULE_ORIGINAL)
			return true;
	}
	for (size_t i = 0; i < view->lookup_count; i++) {
		if (view->lookups[i].key_at[side] >= 0 &&
		    view->lookups[i].source == RULE_ORIGINAL)
			return true;
	}
	return false;
}

int rewrite_side(const struct rule_view *view, int family)
{
	if (family == NFPROTO_IPV4)
		return RULE_IPV4;
	if (family == NFPROTO_IPV6)
		return RULE_IPV6;
	if (view->family)
		return view->family == AF_INET ? RULE_IPV4 : RULE_IPV6;
	/* 16 bytes first: 4 bytes are found at their beginning too. */
	if (names_original(view, RULE_IPV6))
		return RULE_IPV6;
	return names_original(view, RULE_IPV4) ? RULE_IPV4 : -1;
}

bool rewrite_asks(const struct rule_view *view, const struct rule_lookup *lookup,
		  int family)
{
	int side = rewrite_side(view, family);

	return side >= 0 && lookup->key_at[side] >= 0;
}

/* One decision while it is made. */
struct decision {
	const struct rule_view *view;
	struct span expressions;
	const struct rewrite_set *sets;
	const struct rewrite_policy *policy;
	const struct rule_side *seen;
	int side;
	unsigned usable;		/* bit per enum rule_source */
	struct rewrite_verdict *verdict;
};

static int side_family(int side)
{
	return side == RULE_IPV4 ? AF_INET : AF_INET6;
}

static size_t address_bytes(int side)
{
	return side == RULE_IPV4 ? 4 : 16;
}

static struct addr spot_address(const struct decision *d, const struct rule_spot *spot)
{
	return addr_from_bytes(side_family(d->side), d->expressions.bytes + spot->at);
}

static bool spot_usable(const struct decision *d, const struct rule_spot *spot)
{
	return (d->usable >> spot->source & 1) &&
	       spot->at + address_bytes(d->side) <= d->expressions.length;
}

static void skip(const struct decision *d, const char *reason)
{
	d->verdict->result = NFT_SKIPPED;
	d->verdict->reason = reason;
	d->verdict->patch_count = 0;
}

/* A lookup whose key holds this side's address; NULL: none. */
static const struct rule_lookup *keyed_lookup(const struct decision *d,
					      enum rule_source source, size_t *ret_index)
{
	for (size_t i = 0; i < d->view->lookup_count; i++) {
		const struct rule_lookup *lookup = &d->view->lookups[i];
		const struct rewrite_set *set = &d->sets[i];
		int at = lookup->key_at[d->side];

		if (at < 0 || lookup->source != source)
			continue;
		if (set->known && (size_t)at + address_bytes(d->side) > set->key_bytes)
			continue;
		*ret_index = i;
		return lookup;
	}
	return NULL;
}

static const char *keyed_reason(const struct decision *d)
{
	const struct rule_lookup *lookup;
	size_t index;

	lookup = keyed_lookup(d, RULE_HEADER, &index);
	if (!lookup)
		lookup = keyed_lookup(d, RULE_ORIGINAL, &index);
	if (!lookup)
		return NULL;
	if (lookup->masked)
		return "looks only some bits of the destination up in a set";
	if (lookup->inverted)
		return "excludes destinations by a set";
	if (!d->sets[index].known)
		return "its set could not be read";
	if (!d->sets[index].anonymous)
		return lookup->map ? "looks the destination up in a named map"
				   : "looks the destination up in a named set";
	if (lookup->verdict)
		return "looks the destination up in a verdict map of its own";
	return lookup->map ? "looks the destination up in a map of its own"
			   : "looks the destination up in a set of its own";
}

static const char *form_reason(unsigned forms)
{
	if (forms & RULE_RANGE)
		return "compares the destination with a range";
	if (forms & RULE_MASK)
		return "compares only some bits of the destination";
	if (forms & RULE_PREFIX)
		return "compares the destination with a prefix";
	if (forms & RULE_NOT)
		return "excludes a destination (!=)";
	return NULL;
}

/* Why a rule has no whole address to change. */
static const char *reason_without_spot(const struct decision *d)
{
	const char *reason = keyed_reason(d);

	if (!reason && (d->usable >> RULE_HEADER & 1))
		reason = form_reason(d->seen->forms[RULE_HEADER]);
	if (!reason)
		reason = form_reason(d->seen->forms[RULE_ORIGINAL]);
	return reason;
}

static const char *reason_without_address(const struct rule_view *view, bool dnat)
{
	if (view->xt_range)
		return "names the destination by --dst-range";
	if (view->xt_original)
		return "names the destination by --ctorigdst";
	if (view->snat_to)
		return "names an address only in snat to";
	return dnat ? "has no destination address to compare"
		    : "names no destination address";
}

static bool has_spot(const struct decision *d, enum rule_source source)
{
	for (size_t i = 0; i < d->seen->spot_count; i++) {
		if (d->seen->spots[i].source == source &&
		    spot_usable(d, &d->seen->spots[i]))
			return true;
	}
	return false;
}

/*
 * Changing one of several demands on the same address would leave a rule that never
 * matches.
 */
static const char *conflict_of(const struct decision *d, enum rule_source source)
{
	struct addr first = { 0 };
	size_t index;

	if (!has_spot(d, source))
		return NULL;
	if (d->seen->forms[source])
		return "compares the destination in a second way too";
	if (keyed_lookup(d, source, &index))
		return "looks the destination up in a set too";
	for (size_t i = 0; i < d->seen->spot_count; i++) {
		struct addr value;

		if (d->seen->spots[i].source != source ||
		    !spot_usable(d, &d->seen->spots[i]))
			continue;
		value = spot_address(d, &d->seen->spots[i]);
		if (!addr_is_none(&first) && !addr_equal(&first, &value))
			return "compares the destination with two addresses";
		first = value;
	}
	return NULL;
}

static void note_patch(const struct decision *d, const struct rule_spot *spot,
		       const struct addr *value)
{
	struct rewrite_verdict *verdict = d->verdict;

	if (verdict->patch_count == 0)
		verdict->old = *value;
	verdict->patches[verdict->patch_count++] = spot->at;
	verdict->result = NFT_CHANGED;
	verdict->reason = NULL;
}

/* Goes through the spots: which become the wanted address? */
static void decide_spots(const struct decision *d, bool dnat)
{
	const struct policy *values = &d->policy->values;
	bool holds = false;
	struct addr held;

	for (size_t i = 0; i < d->seen->spot_count; i++) {
		const struct rule_spot *spot = &d->seen->spots[i];
		struct addr value;

		if (!spot_usable(d, spot))
			continue;
		value = spot_address(d, spot);
		if (addr_is_none(&d->verdict->old))
			d->verdict->old = value;
		if (policy_holds(values, &value)) {
			holds = true;
			held = value;
		} else if (dnat || policy_is_former(values, &value)) {
			note_patch(d, spot, &value);
		}
	}
	if (d->verdict->result == NFT_CHANGED) {
		d->verdict->new = policy_wanted(values, &d->verdict->old);
	} else if (holds) {
		d->verdict->result = NFT_UNCHANGED;
		d->verdict->old = d->verdict->new = held;
		d->verdict->reason = NULL;
	}
}

static void decide_known(const struct decision *d)
{
	bool dnat = rewrite_is_dnat(d->view, d->policy->hooks);
	const char *conflict = NULL;

	if (dnat)
		conflict = conflict_of(d, RULE_HEADER);
	if (dnat && !conflict)
		conflict = conflict_of(d, RULE_ORIGINAL);
	skip(d, "compares an address that never was the WAN's");
	decide_spots(d, dnat && !conflict);
	if (conflict)
		skip(d, conflict);
	else if (policy_is_silent(&d->policy->values, side_family(d->side)))
		skip(d, policy_silence(&d->policy->values, side_family(d->side)));
	d->verdict->learnt = dnat && d->verdict->result == NFT_CHANGED &&
			     !addr_is_unspecified(&d->verdict->old);
	if (d->verdict->result == NFT_SKIPPED)
		d->verdict->new = (struct addr){ 0 };
}

/* Whether an inet rule compares addresses but no family. */
static bool nameless_address(const struct rule_view *view)
{
	for (int side = RULE_IPV4; side < RULE_SIDES; side++) {
		if (view->side[side].spot_count || view->side[side].forms[RULE_HEADER])
			return true;
	}
	for (size_t i = 0; i < view->lookup_count; i++) {
		if (view->lookups[i].key_at[RULE_IPV4] >= 0)
			return true;
	}
	return false;
}

void rewrite_decide(const struct rule_view *view, struct span expressions,
		    const struct rewrite_set *sets, const struct rewrite_policy *policy,
		    struct rewrite_verdict *ret_verdict)
{
	struct decision d = { view, expressions, sets, policy, NULL, 0, 0, ret_verdict };
	const char *reason;

	memset(ret_verdict, 0, sizeof(*ret_verdict));
	if (view->broken) {
		skip(&d, "its expressions could not be read");
		return;
	}
	d.side = rewrite_side(view, policy->family);
	if (d.side < 0) {
		skip(&d, nameless_address(view)
			 ? "compares an address without saying of which family"
			 : reason_without_address(view,
				rewrite_is_dnat(view, policy->hooks)));
		return;
	}
	d.seen = &view->side[d.side];
	d.usable = 1 << RULE_ORIGINAL;
	if (family_known(view, policy->family))
		d.usable |= 1 << RULE_HEADER;
	if (has_spot(&d, RULE_HEADER) || has_spot(&d, RULE_ORIGINAL)) {
		decide_known(&d);
		return;
	}
	reason = reason_without_spot(&d);
	skip(&d, reason ? reason : reason_without_address(view,
				rewrite_is_dnat(view, policy->hooks)));
}

void rewrite_apply(const struct rewrite_verdict *verdict, uint8_t *expressions)
{
	for (size_t i = 0; i < verdict->patch_count; i++)
		memcpy(expressions + verdict->patches[i], verdict->new.bytes,
		       addr_length_bytes(&verdict->new));
}
