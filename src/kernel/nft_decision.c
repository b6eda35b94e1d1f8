/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What of a rule may follow the WAN at all, and the sentences for what may not.
 */
#include "nft_decision.h"

#include <linux/netfilter.h>
#include <sys/socket.h>

int decision_family(const struct decision *d)
{
	return d->side == RULE_IPV4 ? AF_INET : AF_INET6;
}

static size_t address_bytes(const struct decision *d)
{
	return rule_destination[d->side].length;
}

bool decision_family_known(const struct decision *d)
{
	return d->policy->family != NFPROTO_INET || d->view->family != 0;
}

static unsigned moving_bits(const struct decision *d)
{
	return policy_bits(&d->policy->values, decision_family(d));
}

bool decision_spot_counts(const struct decision *d, const struct rule_spot *spot)
{
	if ((spot->source == RULE_HEADER || spot->xt) && !decision_family_known(d))
		return false;
	return spot->bits >= moving_bits(d) && spot->at <= UINT16_MAX &&
	       spot->at + spot->length <= d->expressions.length;
}

bool decision_lookup_counts(const struct decision *d, size_t index,
			    enum rule_source *ret_source)
{
	const struct rule_lookup *lookup = &d->view->lookups[index];
	const struct rewrite_set *set = &d->sets[index];
	int at = lookup->key_at[d->side];

	if (lookup->snat_at >= 0 && (int)lookup->snat_side == d->side) {
		*ret_source = RULE_SNAT;
		return true;
	}
	if (at < 0 || (lookup->source == RULE_HEADER && !decision_family_known(d)))
		return false;
	if (set->known && (size_t)at + address_bytes(d) > set->key_bytes)
		return false;
	*ret_source = lookup->source;
	return true;
}

unsigned decision_forms(const struct decision *d, enum rule_source source)
{
	unsigned forms = d->seen->forms[source];

	if (source == RULE_HEADER && !decision_family_known(d))
		return 0;
	for (size_t i = 0; i < d->seen->spot_count; i++) {
		const struct rule_spot *spot = &d->seen->spots[i];

		if (spot->source != source || spot->bits >= moving_bits(d))
			continue;
		if (moving_bits(d) < address_bytes(d) * 8)
			forms |= RULE_SHORT;
		else
			forms |= spot->masked ? RULE_MASK : RULE_PREFIX;
	}
	return forms;
}

static const char *snat_map_reason(const struct rewrite_set *set)
{
	if (!set->known)
		return "its map could not be read";
	if (set->tagged)
		return "takes snat's address from a named map, which is tagged itself";
	if (!set->anonymous)
		return "takes snat's address from a named map: tag the map";
	return set->change.reason ? set->change.reason
				  : "takes snat's address from a map of its own";
}

static const char *key_reason(const struct rule_lookup *lookup,
			      const struct rewrite_set *set)
{
	if (lookup->masked)
		return "looks only some bits of the destination up in a set";
	if (lookup->inverted)
		return "excludes destinations by a set";
	if (!set->known)
		return "its set could not be read";
	if (set->tagged)
		return "looks the destination up in a named set or map, which is tagged itself";
	if (!set->anonymous)
		return lookup->map ? "looks the destination up in a named map: tag the map"
				   : "looks the destination up in a named set: tag the set";
	if (set->change.reason)
		return set->change.reason;
	if (lookup->verdict)
		return "looks the destination up in a verdict map of its own";
	return lookup->map ? "looks the destination up in a map of its own"
			   : "looks the destination up in a set of its own";
}

const char *decision_lookup_reason(const struct decision *d, size_t index)
{
	const struct rule_lookup *lookup = &d->view->lookups[index];
	const struct rewrite_set *set = &d->sets[index];
	bool stays = lookup->masked || lookup->inverted;
	enum rule_source source;

	if (!decision_lookup_counts(d, index, &source))
		return NULL;
	if (source == RULE_SNAT)
		stays = false;
	if (!stays && set->known && set->anonymous && set->change.result != NFT_SKIPPED)
		return NULL;
	return source == RULE_SNAT ? snat_map_reason(set) : key_reason(lookup, set);
}

const char *decision_conflict(const struct decision *d)
{
	/* These follow by themselves, are about something else, or leave room for A. */
	const unsigned harmless = RULE_FIB | RULE_XT_SET | RULE_NOT | RULE_XT_NOT;

	for (int source = RULE_HEADER; source <= RULE_ORIGINAL; source++) {
		const struct decision_tally *tally = &d->tally[source];

		if (!tally->moves && !(d->dnat && tally->holds))
			continue;
		if (tally->differ)
			return "compares the destination with two addresses";
		if (tally->fixed || decision_forms(d, source) & ~harmless)
			return "compares the destination in a second way too";
		if (tally->stuck && tally->spots)
			return "looks the destination up in a set too";
		if (tally->stuck)
			return "looks the destination up in a second set too";
	}
	return NULL;
}

static const char *form_reason(unsigned forms)
{
	static const struct { enum rule_form form; const char *reason; } reasons[] = {
		{ RULE_RANGE, "compares the destination with a range" },
		{ RULE_XT_RANGE, "names several destinations by --dst-range" },
		{ RULE_SHORT, "compares the destination with a shorter prefix than the "
			      "WAN's" },
		{ RULE_MASK, "compares only some bits of the destination" },
		{ RULE_LAST_BITS, "compares only the last bits of the destination" },
		{ RULE_PREFIX, "compares the destination with a prefix" },
		{ RULE_XT_ORIGINAL, "names several destinations by --ctorigdst" },
		{ RULE_NOT, "excludes a destination (!=)" },
		{ RULE_XT_NOT, "excludes a destination (!)" },
		{ RULE_FIB, "follows the router's own addresses by itself" },
		{ RULE_XT_SET, "matches an ipset" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		if (forms & reasons[i].form)
			return reasons[i].reason;
	}
	return NULL;
}

static const char *lookup_reason(const struct decision *d)
{
	const char *reason = NULL;

	for (size_t i = 0; i < d->view->lookup_count && !reason; i++)
		reason = decision_lookup_reason(d, i);
	return reason;
}

static const char *spot_reason(const struct decision *d)
{
	const struct policy *values = &d->policy->values;
	const struct addr *address = &d->first[RULE_SNAT];

	if (policy_is_silent(values, decision_family(d)))
		return policy_silence(values, decision_family(d));
	if (!d->tally[RULE_SNAT].spots)
		return "compares an address that never was the WAN's";
	return policy_knows_former(values, address->family)
		? "would snat to an address that never was the WAN's"
		: "would snat to an address that is not global";
}

/* Whether an inet rule compares addresses but no family. */
static bool nameless_address(const struct rule_view *view)
{
	const unsigned loads = ~(unsigned)(RULE_FIB | RULE_XT_SET | RULE_XT_RANGE |
					RULE_XT_NOT);

	for (int side = RULE_IPV4; side < RULE_SIDES; side++) {
		const struct rule_side *seen = &view->side[side];

		if (seen->forms[RULE_HEADER] & loads)
			return true;
		for (size_t i = 0; i < seen->spot_count; i++) {
			if (seen->spots[i].source == RULE_HEADER || seen->spots[i].xt)
				return true;
		}
	}
	for (size_t i = 0; i < view->lookup_count; i++) {
		if (view->lookups[i].key_at[RULE_IPV4] >= 0)
			return true;
	}
	return false;
}

static const char *reason_without_address(const struct decision *d)
{
	if (!decision_family_known(d) && nameless_address(d->view))
		return "compares an address without saying of which family";
	if (!decision_family_known(d) &&
	    d->view->side[RULE_IPV4].forms[RULE_HEADER] & RULE_FIB)
		return form_reason(RULE_FIB);
	if (d->view->snat_to)
		return "names an address only in snat to";
	if (!d->dnat)
		return "names no destination address";
	if (d->policy->add_missing && d->side < 0)
		return "has no destination address, and is of no family to get one";
	return "has no destination address to compare";
}

const char *decision_reason(const struct decision *d)
{
	const char *reason = NULL;

	if (d->side < 0)
		return reason_without_address(d);
	for (int source = RULE_HEADER; source < RULE_SOURCES; source++) {
		if (d->tally[source].spots)
			return spot_reason(d);
	}
	reason = lookup_reason(d);
	if (!reason && d->seen->forms[RULE_SNAT])
		reason = "would snat to several addresses";
	for (int source = RULE_HEADER; source <= RULE_ORIGINAL && !reason; source++)
		reason = form_reason(decision_forms(d, source));
	return reason ? reason : reason_without_address(d);
}

const char *decision_add_reason(const struct decision *d)
{
	const struct policy *values = &d->policy->values;
	/* A load and a compare, with the family's before them. */
	unsigned room = d->policy->family == NFPROTO_INET ? 4 : 2;

	if (d->view->unknown)
		return "has expressions that are not known here, and no destination address";
	if (d->view->expression_count + room > RULE_EXPRESSIONS_MAX)
		return "has no destination address, and no room for one";
	if (policy_is_silent(values, decision_family(d)))
		return policy_silence(values, decision_family(d));
	if (moving_bits(d) < address_bytes(d) * 8)
		return "has no destination address whose last bits could stay";
	return NULL;
}
