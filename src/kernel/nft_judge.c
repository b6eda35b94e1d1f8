/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft_judge.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "nft_set.h"

static void skip(struct ruleset_thing *thing, const char *reason)
{
	thing->verdict.result = NFT_SKIPPED;
	thing->verdict.reason = reason;
	thing->verdict.learnt = false;
	thing->verdict.new = (struct addr){ 0 };
}

/*
 * A WAN whose rules hold more addresses than that is no WAN; each is compared with every
 * value, so that a ruleset of many different ones would take the square of its size.
 */
enum { LEARNT_MAX = 256 };

static int learn(struct judge_learnt *learnt, struct ruleset_thing *thing)
{
	size_t target = (size_t)thing->target, count = learnt->counts[target];
	struct addr **list = &learnt->addresses[target];

	for (size_t i = 0; i < count; i++) {
		if (addr_equal(&(*list)[i], &thing->verdict.old))
			return 0;
	}
	if (count == LEARNT_MAX) {
		thing->verdict.learnt = false;
		return 0;
	}
	if (ruleset_grow((void **)list, count, &learnt->rooms[target],
			 sizeof(**list)) < 0)
		return -ENOMEM;
	(*list)[count] = thing->verdict.old;
	learnt->counts[target]++;
	learnt->grew = true;
	return 0;
}

static struct policy policy_of(const struct judge *judge, int target)
{
	return (struct policy){
		.target = &judge->request->targets[target],
		.learnt = judge->learnt.addresses[target],
		.learnt_count = judge->learnt.counts[target],
	};
}

/* One anonymous set of a rule, once. */
static int load(struct judge *judge, struct ruleset_thing *thing, struct span name,
		struct set **ret_set)
{
	struct set *set = set_find(thing->sets, name);
	int r = 0;

	if (!set) {
		r = set_load(judge->nft, &judge->ruleset->arena, thing->table, name,
			     &set);
		if (r < 0)
			return r;
		set->next = thing->sets;
		thing->sets = set;
	}
	*ret_set = set;
	return r;
}

static void add_field(struct element_fields *fields, int at, int side, uint32_t bytes)
{
	size_t length = side == RULE_IPV4 ? 4 : 16;

	if (at >= 0 && (size_t)at + length <= bytes)
		fields->list[fields->count++] = (struct element_field){
			(uint8_t)at, side == RULE_IPV4 ? AF_INET : AF_INET6 };
}

/* Where the rule takes its address from in the elements of one of its sets. */
static void fields_of_lookup(const struct rule_view *view,
			     const struct rule_lookup *lookup, int family,
			     const struct element_image *image, struct element_ask *ask)
{
	int side = rewrite_side(view, family);
	bool known = lookup->source != RULE_HEADER || family != NFPROTO_INET ||
		     view->family;

	ask->keys.count = ask->data.count = 0;
	if (side < 0 || lookup->masked || lookup->inverted || lookup->dynamic)
		return;
	if (known)
		add_field(&ask->keys, lookup->key_at[side], side, image->key_bytes);
	if ((int)lookup->snat_side != side)
		return;
	add_field(&ask->data, lookup->snat_at, side, image->data_bytes);
	if (lookup->snat_last_at != lookup->snat_at)
		add_field(&ask->data, lookup->snat_last_at, side, image->data_bytes);
}

static int decide_lookup(struct judge *judge, struct ruleset_thing *thing,
			 const struct rule_view *view, const struct rule_lookup *lookup,
			 const struct policy *policy, struct rewrite_set *ret_set)
{
	struct element_ask ask = {
		.policy = policy, .lone = thing->dnat, .target = thing->target,
		.claim = &thing->claim,
	};
	const struct ruleset_set *named;
	struct set *set;
	int r;

	named = ruleset_set_find(thing->table, lookup->set);
	if (named && !named->anonymous) {
		*ret_set = (struct rewrite_set){ .known = true, .map = named->map,
			.tagged = named->thing, .key_bytes = named->key_bytes,
			.change.result = NFT_SKIPPED };
		return 0;
	}
	r = load(judge, thing, lookup->set, &set);
	if (r < 0)
		return r;
	ret_set->known = true;
	ret_set->anonymous = set->header.flags & NFT_SET_ANONYMOUS;
	ret_set->map = set->header.flags & (NFT_SET_MAP | NFT_SET_OBJECT);
	ret_set->key_bytes = set->header.key_bytes;
	fields_of_lookup(view, lookup, thing->table->family, &set->image, &ask);
	if (!ret_set->anonymous || !(ask.keys.count || ask.data.count))
		return 0;
	r = element_decide(&set->image, &ask);
	ret_set->change = thing->claim.change;
	return r;
}

/* What is known of the sets the decision depends on, and what they would become. */
static int decide_lookups(struct judge *judge, struct ruleset_thing *thing,
			  const struct rule_view *view, const struct policy *policy,
			  struct rewrite_set *sets)
{
	for (size_t i = 0; i < view->lookup_count; i++) {
		int r;

		sets[i] = (struct rewrite_set){ .change.result = NFT_SKIPPED };
		if (!rewrite_asks(view, &view->lookups[i], thing->table->family))
			continue;
		r = decide_lookup(judge, thing, view, &view->lookups[i], policy, &sets[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static void undo(struct ruleset_thing *thing)
{
	for (struct set *set = thing->sets; set; set = set->next)
		element_undo(&set->image, &thing->claim);
}

/* A meter is an anonymous set that the rule itself fills. */
static bool uses_meter(const struct ruleset_thing *thing, const struct rule_view *view)
{
	for (size_t i = 0; i < view->lookup_count; i++) {
		const struct rule_lookup *lookup = &view->lookups[i];
		const struct ruleset_set *named;

		if (!lookup->dynamic)
			continue;
		named = ruleset_set_find(thing->table, lookup->set);
		if (!named || named->anonymous)
			return true;
	}
	return false;
}

static int decide_rule(struct judge *judge, struct ruleset_thing *thing)
{
	struct span expressions = { thing->expressions, thing->expressions_bytes };
	struct rewrite_set sets[RULE_LOOKUPS_MAX];
	struct rewrite_policy policy = {
		.family = thing->table->family,
		.hooks = thing->chain->hooks,
		.add_missing = judge->request->add_missing,
		.values = policy_of(judge, thing->target),
	};
	struct rule_view view;
	int r;

	rule_read(expressions, policy.family, &view);
	thing->dnat = rewrite_is_dnat(&view, policy.hooks);
	undo(thing);
	r = decide_lookups(judge, thing, &view, &policy.values, sets);
	if (r < 0)
		return r;
	rewrite_decide(&view, expressions, sets, &policy, &thing->verdict);
	if (thing->bound && thing->verdict.result == NFT_CHANGED)
		skip(thing, "belongs to a block in braces, which cannot be edited");
	if (thing->verdict.result == NFT_CHANGED && uses_meter(thing, &view))
		skip(thing, "uses a meter, which cannot be made again");
	if (thing->verdict.result != NFT_CHANGED)
		undo(thing);
	return thing->verdict.learnt ? learn(&judge->learnt, thing) : 0;
}

void judge_take_change(struct ruleset_thing *thing)
{
	const struct policy_change *change = &thing->claim.change;

	thing->verdict.result = change->result;
	thing->verdict.old = change->old;
	thing->verdict.new = change->new;
	thing->verdict.bits = change->bits;
	thing->verdict.reason = change->reason;
}

static int decide_elements_once(struct judge *judge, struct set *set)
{
	int r = 0;

	for (int target = 0; target < NFT_TARGETS_MAX && r == 0; target++) {
		struct policy policy;
		struct element_ask ask = {
			.policy = &policy, .target = target,
			.keys = set->image.keys, .data = set->image.data };

		if (!(set->image.targets >> target & 1))
			continue;
		policy = policy_of(judge, target);
		r = element_decide(&set->image, &ask);
	}
	return r;
}

/*
 * The elements of one set that WANs' tags claim. What one WAN had another may have now:
 * a second round finds room that the first made.
 */
static int decide_elements(struct judge *judge, struct set *set)
{
	int r;

	element_undo(&set->image, NULL);
	r = decide_elements_once(judge, set);
	if (r == 0 && set->image.targets & (set->image.targets - 1))
		r = decide_elements_once(judge, set);
	return r;
}

static int decide_all_elements(struct judge *judge)
{
	struct ruleset *ruleset = judge->ruleset;
	struct set *set;
	int r = 0;

	for (set = ruleset->named; set && r == 0; set = set->next)
		r = decide_elements(judge, set);
	for (size_t i = 0; i < ruleset->thing_count && r == 0; i++) {
		for (set = ruleset->things[i]->sets; set && r == 0; set = set->next)
			r = decide_elements(judge, set);
	}
	return r;
}

static int decide_set(struct judge *judge, struct ruleset_thing *thing)
{
	struct policy policy = policy_of(judge, thing->target);
	struct element_image *image = &thing->set->image;
	struct element_ask ask = {
		.policy = &policy, .keys = image->keys, .data = image->data,
		.lone = true, .target = thing->target, .claim = &thing->claim,
	};

	return element_decide(image, &ask);
}

static const struct nft_name *name_find(const struct nft_request *request,
					const char *name)
{
	for (size_t i = 0; i < request->name_count; i++) {
		if (strcmp(request->names[i].name, name) == 0)
			return &request->names[i];
	}
	return NULL;
}

static int decide_name(struct judge *judge, struct ruleset_thing *thing)
{
	struct element_hold hold = { .commented = thing->kind == NFT_ELEMENT,
				     .claim = &thing->claim };
	const struct nft_name *name = NULL;

	thing->claim.change = (struct policy_change){ .result = NFT_SKIPPED };
	if (thing->name)
		name = name_find(judge->request, thing->name);
	if (name) {
		hold.addresses = name->addresses;
		hold.count = name->count;
		return element_decide_hold(&thing->set->image, &hold);
	}
	thing->claim.change.reason = thing->name
		? "the addresses of its name are not known" : "its comment names no DNS name";
	return 0;
}

/* A thing that is no rule: elements are decided already, but for those of names. */
static int decide_other(struct judge *judge, struct ruleset_thing *thing)
{
	int r = 0;

	if (thing->target == NFT_OF_NAME)
		r = decide_name(judge, thing);
	else if (thing->kind != NFT_ELEMENT)
		r = decide_set(judge, thing);
	if (r < 0)
		return r;
	judge_take_change(thing);
	if (thing->rule && thing->rule->bound && thing->verdict.result == NFT_CHANGED) {
		element_undo(&thing->set->image, &thing->claim);
		skip(thing, "belongs to a block in braces, which cannot be edited");
	}
	return 0;
}

/* Elements come first: what they become is what their set is then. */
static int decide_others(struct judge *judge, bool elements)
{
	struct ruleset *ruleset = judge->ruleset;
	int r = 0;

	for (size_t i = 0; i < ruleset->thing_count && r == 0; i++) {
		struct ruleset_thing *thing = ruleset->things[i];

		if (thing->target == TAG_AMBIGUOUS)
			skip(thing, "two tags match its comment equally well");
		else if (thing->kind != NFT_RULE &&
			 (thing->kind == NFT_ELEMENT) == elements)
			r = decide_other(judge, thing);
	}
	return r;
}

static int decide_rules(struct judge *judge, bool again)
{
	struct ruleset *ruleset = judge->ruleset;
	int r = 0;

	for (size_t i = 0; i < ruleset->thing_count && r == 0; i++) {
		struct ruleset_thing *thing = ruleset->things[i];

		if (thing->kind == NFT_RULE && thing->target >= 0 &&
		    (!again || thing->verdict.waits || thing->sets))
			r = decide_rule(judge, thing);
	}
	return r;
}

/* Rules that are sent again for what becomes of an element of their sets. */
static void note_carriers(struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->thing_count; i++) {
		struct ruleset_thing *thing = ruleset->things[i];

		if (thing->rule && thing->verdict.result == NFT_CHANGED)
			thing->rule->resend = true;
	}
}

/* First everything; then, with what the port forwards taught, what waits for it. */
int judge_all(struct judge *judge)
{
	int r = 0;

	for (int pass = 0; pass < 2 && r == 0; pass++) {
		r = decide_all_elements(judge);
		if (r == 0)
			r = decide_others(judge, true);
		if (r == 0)
			r = decide_rules(judge, pass);
		if (!judge->learnt.grew)
			break;
	}
	if (r == 0)
		r = decide_others(judge, false);
	if (r == 0)
		note_carriers(judge->ruleset);
	return r;
}

void judge_done(struct judge *judge)
{
	for (size_t i = 0; i < NFT_TARGETS_MAX; i++)
		free(judge->learnt.addresses[i]);
	judge->learnt = (struct judge_learnt){ 0 };
}
