/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which elements follow a WAN's address.
 *
 * Former addresses do, wherever they stand. An element that is tagged by itself, or that
 * is the only one of its set, holds the WAN's address whatever it was, as a port forward
 * does.
 */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "nft_element.h"

/* What is told of a set: what weighs most in it. */
enum weight { NOTHING, ALONE, RIGHT, CONFLICT, CHANGE };

/* One decision while it is made. */
struct decision {
	struct element_image *image;
	const struct element_ask *ask;
	bool lone;
	struct element_plans plans;
	struct policy_change sum;		/* of the set as a whole */
	enum weight weight;
};

static const char *reason_for(const struct decision *d, int family)
{
	if (!policy_knows_former(d->ask->policy, family))
		return "no former address of the WAN is known";
	return d->ask->claim ? "none of its addresses ever was the WAN's"
			     : "its address never was the WAN's";
}

static uint8_t prefix_bits(const struct addr *first, const struct addr *last)
{
	unsigned bits = (unsigned)addr_length_bytes(first) * 8;

	if (addr_equal(first, last))
		return 0;
	while (bits && !addr_same_prefix(first, last, bits))
		bits--;
	return (uint8_t)bits;
}

/* What becomes of one field whose values lie between two addresses. */
static void look_at_field(const struct decision *d, const struct addr *first,
			  const struct addr *last, bool whatever,
			  struct policy_change *ret_change)
{
	const struct policy *policy = d->ask->policy;
	struct policy_change change = { .result = NFT_SKIPPED, .old = *first };

	change.bits = prefix_bits(first, last);
	if (policy_is_silent(policy, first->family)) {
		change.reason = policy_silence(policy, first->family);
	} else if (!addr_same_prefix(first, last, policy_bits(policy, first->family))) {
		change.reason = "holds a range or a prefix, no single address";
		change.old = (struct addr){ 0 };
	} else if (policy_holds(policy, first)) {
		change.result = NFT_UNCHANGED;
		change.new = *first;
	} else if (whatever || policy_is_former(policy, first)) {
		change.result = NFT_CHANGED;
		change.new = policy_wanted(policy, first);
	} else {
		change.reason = reason_for(d, first->family);
	}
	*ret_change = change;
}

/* A change weighs more than what is right already, and that more than a reason. */
static void weigh(struct policy_change *sum, const struct policy_change *change)
{
	static const int weight[] = { [NFT_CHANGED] = 2, [NFT_UNCHANGED] = 1,
				      [NFT_SKIPPED] = 0 };

	if ((sum->result == NFT_SKIPPED && !sum->reason) ||
	    weight[change->result] > weight[sum->result])
		*sum = *change;
}

static bool is_of_lan(const struct addr *address)
{
	enum addr_class class = addr_classify(address);

	return class == ADDR_PRIVATE || class == ADDR_ULA;
}

/* Of a map from the LAN's addresses to the WAN's the data is meant, not the key. */
static bool maps_to_wan(const struct decision *d, const struct element_member *member)
{
	const struct element_fields *fields = &d->ask->data;
	struct span data = element_data(member->element);
	struct addr key = element_address(member->from, &d->ask->keys.list[0]);

	if (!fields->count || data.length != d->image->data_bytes)
		return false;
	for (size_t i = 0; i < fields->count; i++) {
		struct addr value = element_address(data.bytes, &fields->list[i]);

		if (policy_is_former(d->ask->policy, &value) ||
		    policy_holds(d->ask->policy, &value) ||
		    (is_of_lan(&key) && !is_of_lan(&value)))
			return true;
	}
	return false;
}

/* Whether its address is the WAN's, whatever it was. */
static bool is_meant(const struct decision *d, const struct element_member *member)
{
	return d->ask->keys.count == 1 && (d->lone || !d->ask->claim) &&
	       !maps_to_wan(d, member);
}

static int plan_keys(const struct decision *d, struct element_plan *plan)
{
	const struct element_fields *fields = &d->ask->keys;
	const struct element_member *member = plan->edit.member;
	const struct policy *policy = d->ask->policy;

	for (size_t i = 0; i < fields->count; i++) {
		const struct element_field *field = &fields->list[i];
		struct addr first = element_address(member->from, field);
		struct addr last = element_address(member->to, field);
		struct policy_change change;

		look_at_field(d, &first, &last, is_meant(d, member), &change);
		weigh(&plan->change, &change);
		if (change.result != NFT_CHANGED)
			continue;
		last = policy_wanted(policy, &last);
		plan->edit.from = element_key_with(d->image, plan->edit.from, field,
						   &change.new);
		plan->edit.to = element_key_with(d->image, plan->edit.to, field, &last);
		if (!plan->edit.from || !plan->edit.to)
			return -ENOMEM;
	}
	return 0;
}

/* All addresses of the data change (they may be the ends of a range), or none. */
static int plan_data(const struct decision *d, struct element_plan *plan)
{
	const struct element_fields *fields = &d->ask->data;
	struct policy_change sum = { .result = NFT_SKIPPED }, change;
	struct span data = element_data(plan->edit.member->element);
	uint8_t *copy;

	if (!fields->count || data.length != d->image->data_bytes)
		return 0;
	copy = arena_copy(d->image->arena, data.bytes, data.length);
	if (!copy)
		return -ENOMEM;
	for (size_t i = 0; i < fields->count; i++) {
		struct addr value = element_address(data.bytes, &fields->list[i]);

		look_at_field(d, &value, &value, false, &change);
		if (i && change.result != sum.result)
			return 0;
		if (!i)
			sum = change;
		memcpy(copy + fields->list[i].at, change.new.bytes,
		       addr_length_bytes(&change.new));
	}
	weigh(&plan->change, &sum);
	if (sum.result == NFT_CHANGED)
		plan->edit.data = copy;
	return 0;
}

static void tell(struct decision *d, const struct element_member *member,
		 const struct policy_change *change, enum weight weight)
{
	if (!d->ask->claim)
		member->claim->change = *change;
	else if (weight > d->weight) {
		d->weight = weight;
		d->sum = *change;
		/* Of several that are not the WAN's none is meant. */
		if (weight == ALONE && d->image->count > 1)
			d->sum.old = (struct addr){ 0 };
	}
}

static int look_at_member(struct decision *d, struct element_member *member)
{
	struct element_plan plan = {
		.edit = { .claim = d->ask->claim ? d->ask->claim : member->claim,
			  .member = member, .from = member->from, .to = member->to },
		.change = { .result = NFT_SKIPPED },
	};
	int r = plan_keys(d, &plan);

	if (r == 0)
		r = plan_data(d, &plan);
	if (r < 0)
		return r;
	if (plan.change.result == NFT_CHANGED)
		return element_plan_add(&d->plans, &plan);
	if (!plan.change.reason && plan.change.result == NFT_SKIPPED)
		plan.change.reason = "names no address that could change";
	tell(d, member, &plan.change,
	     plan.change.result == NFT_UNCHANGED ? RIGHT : ALONE);
	return 0;
}

static bool in_scope(const struct element_ask *ask, const struct element_member *member)
{
	if (!member->from || member->edit)
		return false;
	if (ask->claim)
		return !member->claim;
	return member->claim && member->claim->target == ask->target;
}

/* Whether it holds the address that others shall get. */
static bool is_rival(const void *context, const struct element_member *member)
{
	const struct element_ask *ask = context;

	for (size_t i = 0; i < ask->keys.count; i++) {
		const struct element_field *field = &ask->keys.list[i];
		struct addr first = element_address(element_from(member), field);
		struct addr last = element_address(element_to(member), field);
		struct addr wanted = policy_wanted(ask->policy, &first);
		unsigned bits = policy_bits(ask->policy, field->family);

		if (addr_same_prefix(&wanted, &first, bits) ||
		    addr_same_prefix(&wanted, &last, bits) ||
		    (memcmp(first.bytes, wanted.bytes, sizeof(first.bytes)) < 0 &&
		     memcmp(wanted.bytes, last.bytes, sizeof(last.bytes)) < 0))
			return true;
	}
	return false;
}

static const char *const conflict[] = {
	[PLAN_HELD] = "its set holds the new address in another element",
	[PLAN_DIFFERS] = "its map holds the new address with other data",
	[PLAN_OVERLAPS] = "the new address would overlap another element",
};

static int apply(struct decision *d, struct element_plan *plan)
{
	struct policy_change *change = &plan->change;

	/* A tagged element stays: with it the tag would go. */
	if (plan->state == PLAN_HELD && d->ask->claim)
		plan->edit.from = plan->edit.to = NULL;
	else if (plan->state != PLAN_FREE)
		*change = (struct policy_change){ .result = NFT_SKIPPED,
			.old = change->old, .bits = change->bits,
			.reason = conflict[plan->state] };
	tell(d, plan->edit.member, change,
	     change->result == NFT_CHANGED ? CHANGE : CONFLICT);
	if (change->result != NFT_CHANGED)
		return 0;
	return element_edit_add(d->image, &plan->edit);
}

/* Why there is nothing to look at; NULL: there is. */
static const char *nothing(const struct decision *d)
{
	const struct element_image *image = d->image;

	if (image->broken)
		return "its elements could not be read";
	if (!image->count)
		return "is empty";
	if (image->shared && !(image->flags & NFT_SET_ANONYMOUS))
		return "its intervals share their ends";
	if (d->ask->keys.count || d->ask->data.count)
		return NULL;
	return image->keys_known ? "its key holds no address"
				 : "its key is of a type that is not known";
}

static int decide_members(struct decision *d)
{
	struct element_image *image = d->image;
	int r = 0;

	for (size_t i = 0; i < image->count && r == 0; i++) {
		if (in_scope(d->ask, &image->members[i]))
			r = look_at_member(d, &image->members[i]);
	}
	if (r == 0)
		r = element_plans_check(image, &d->plans, is_rival, d->ask);
	for (size_t i = 0; i < d->plans.count && r == 0; i++)
		r = apply(d, &d->plans.list[i]);
	return r;
}

/* All that is asked about is left alone. */
static void leave(struct decision *d, const char *reason)
{
	struct policy_change change = { .result = NFT_SKIPPED, .reason = reason };

	if (d->ask->claim)
		d->sum = change;
	for (size_t i = 0; !d->ask->claim && i < d->image->count; i++) {
		if (in_scope(d->ask, &d->image->members[i]))
			d->image->members[i].claim->change = change;
	}
}

int element_decide(struct element_image *image, const struct element_ask *ask)
{
	struct decision d = { .image = image, .ask = ask,
			      .lone = ask->lone && image->count == 1 };
	const char *reason = nothing(&d);
	int r = 0;

	if (reason)
		leave(&d, reason);
	else
		r = decide_members(&d);
	if (!reason && ask->claim && d.weight == NOTHING)
		leave(&d, "all its elements have tags of their own");
	if (r == 0 && ask->claim)
		ask->claim->change = d.sum;
	free(d.plans.list);
	return r;
}
