/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which elements a DNS name has: every one that there is in all but the address (ports,
 * data), with each of the name's addresses.
 */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "nft_element.h"

/* One decision while it is made. */
struct holding {
	struct element_image *image;
	const struct element_hold *hold;
	const struct element_field *field;
	struct addr *wanted;			/* in order, each once */
	size_t wanted_count;
	struct element_member **members;	/* in order: see member_order() */
	size_t count;
	struct element_plans plans;
	struct policy_change change;
	bool goes, comes;
};

static bool in_scope(const struct element_hold *hold, const struct element_member *member)
{
	return member->from &&
	       member->claim == (hold->commented ? hold->claim : NULL);
}

static bool is_rival(const void *context, const struct element_member *member)
{
	return !in_scope(context, member);
}

static int compare_around(const struct holding *h, const uint8_t *a, const uint8_t *b)
{
	size_t first = h->field->at, length = h->field->family == AF_INET ? 4 : 16;
	size_t behind = first + length;
	int order = memcmp(a, b, first);

	return order ? order : memcmp(a + behind, b + behind,
				      h->image->key_bytes - behind);
}

/* By all but the address, then by the address. */
static int member_order(const void *a, const void *b, void *context)
{
	const struct element_member *left = *(struct element_member *const *)a;
	const struct element_member *right = *(struct element_member *const *)b;
	const struct holding *h = context;
	int order = compare_around(h, left->from, right->from);

	if (!order)
		order = compare_around(h, left->to, right->to);
	return order ? order : memcmp(left->from, right->from, h->image->key_bytes);
}

static bool alike(struct holding *h, const struct element_member *a,
		  const struct element_member *b)
{
	return compare_around(h, a->from, b->from) == 0 &&
	       compare_around(h, a->to, b->to) == 0;
}

static int address_order(const void *a, const void *b)
{
	const struct addr *left = a, *right = b;

	return memcmp(left->bytes, right->bytes, sizeof(left->bytes));
}

static int take_wanted(struct holding *h)
{
	size_t count = 0;

	h->wanted = calloc(h->hold->count + 1, sizeof(*h->wanted));
	if (!h->wanted)
		return -ENOMEM;
	for (size_t i = 0; i < h->hold->count; i++) {
		if (h->hold->addresses[i].family == h->field->family)
			h->wanted[count++] = h->hold->addresses[i];
	}
	if (count)
		qsort(h->wanted, count, sizeof(*h->wanted), address_order);
	for (size_t i = 0; i < count; i++) {
		if (!i || !addr_equal(&h->wanted[i], &h->wanted[i - 1]))
			h->wanted[h->wanted_count++] = h->wanted[i];
	}
	return 0;
}

static int take_members(struct holding *h)
{
	struct element_image *image = h->image;

	h->members = calloc(image->count + 1, sizeof(struct element_member *));
	if (!h->members)
		return -ENOMEM;
	for (size_t i = 0; i < image->count; i++) {
		if (in_scope(h->hold, &image->members[i]))
			h->members[h->count++] = &image->members[i];
	}
	if (h->count)
		qsort_r(h->members, h->count, sizeof(struct element_member *),
			member_order, h);
	return 0;
}

static int comes(struct holding *h, struct element_member *pattern,
		 const struct addr *value)
{
	static const uint8_t none[ELEMENT_KEY_BYTES];
	struct element_plan plan = {
		.edit = { .claim = h->hold->claim, .member = pattern, .comes = true,
			  .alike = h->hold->commented },
	};

	plan.edit.from = element_key_with(h->image, pattern ? pattern->from : none,
					  h->field, value);
	plan.edit.to = element_key_with(h->image, pattern ? pattern->to : none, h->field,
					value);
	if (!plan.edit.from || !plan.edit.to)
		return -ENOMEM;
	return element_plan_add(&h->plans, &plan);
}

static int goes(struct holding *h, struct element_member *member)
{
	if (!h->goes)
		h->change.old = element_address(member->from, h->field);
	h->goes = true;
	return element_member_goes(h->image, member, h->hold->claim);
}

/* Whether the member is the element with that address and no other. */
static bool is_with(const struct holding *h, const struct element_member *member,
		    const struct addr *value)
{
	struct addr first = element_address(member->from, h->field);
	struct addr last = element_address(member->to, h->field);

	return addr_equal(&first, value) && addr_equal(&last, value);
}

/* Members `first` up to `behind` differ only in the address; none: of an empty set. */
static int merge(struct holding *h, size_t first, size_t behind)
{
	struct element_member *pattern = first < behind ? h->members[first] : NULL;
	size_t next = 0;
	int r = 0;

	while (r == 0 && (first < behind || next < h->wanted_count)) {
		struct addr held;
		int order = first == behind ? 1 : -1;

		if (first < behind && next < h->wanted_count) {
			held = element_address(h->members[first]->from, h->field);
			order = address_order(&held, &h->wanted[next]);
		}
		if (order > 0)
			r = comes(h, pattern, &h->wanted[next++]);
		else if (order < 0 ||
			 !is_with(h, h->members[first], &h->wanted[next]))
			r = goes(h, h->members[first++]);
		else
			next++, first++;
	}
	return r;
}

/* What each key has behind it must be one thing: with which would a new one come? */
static bool has_two_data(struct holding *h)
{
	for (size_t i = 1; i < h->count; i++) {
		if (alike(h, h->members[i - 1], h->members[i]) &&
		    !element_same_data(h->image, h->members[i - 1], h->members[i]))
			return true;
	}
	return false;
}

static const char *obstacle(const struct element_image *image)
{
	if (image->broken)
		return "its elements could not be read";
	if (!image->keys_known)
		return "its key is of a type that is not known";
	if (image->keys.count == 0)
		return "its key holds no address";
	if (image->keys.count > 1)
		return "its key holds several addresses";
	if (image->shared && !(image->flags & NFT_SET_ANONYMOUS))
		return "its intervals share their ends";
	return NULL;
}

static const char *obstacle_of_members(struct holding *h)
{
	const struct element_image *image = h->image;
	size_t address = h->field->family == AF_INET ? 4 : 16;

	if (!h->wanted_count)
		return h->field->family == AF_INET ? "its name has no IPv4 address"
						   : "its name has no IPv6 address";
	if (!h->count && (image->flags & (NFT_SET_MAP | NFT_SET_OBJECT) ||
			  image->key_bytes != address))
		return "is empty: no element tells what belongs to an address";
	return has_two_data(h) ? "has elements that differ in more than the address"
			       : NULL;
}

static int plan_groups(struct holding *h)
{
	int r = 0;

	if (!h->count)
		return merge(h, 0, 0);
	for (size_t first = 0, behind; first < h->count && r == 0; first = behind) {
		behind = first + 1;
		while (behind < h->count &&
		       alike(h, h->members[first], h->members[behind]))
			behind++;
		r = merge(h, first, behind);
	}
	return r;
}

static int apply(struct holding *h)
{
	int r = element_plans_check(h->image, &h->plans, is_rival, h->hold);

	for (size_t i = 0; i < h->plans.count && r == 0; i++) {
		struct element_plan *plan = &h->plans.list[i];

		if (plan->state != PLAN_FREE)	/* another element has it already */
			continue;
		if (!h->comes)
			h->change.new = element_address(plan->edit.from, h->field);
		h->comes = true;
		r = element_edit_add(h->image, &plan->edit);
	}
	return r;
}

static void sum_up(struct holding *h, size_t left)
{
	struct policy_change *change = &h->change;

	if (h->goes || h->comes) {
		change->result = NFT_CHANGED;
		if (!h->comes)
			change->new = h->wanted[0];
		/* With the last of its elements the comment would go. */
		if (h->hold->commented && !left && !h->comes) {
			element_undo(h->image, h->hold->claim);
			*change = (struct policy_change){ .result = NFT_SKIPPED,
				.reason = "other elements hold all its addresses" };
		}
		return;
	}
	change->result = NFT_UNCHANGED;
	change->old = change->new = h->wanted[0];
}

static int decide(struct holding *h)
{
	const char *reason;
	size_t left = 0;
	int r = take_wanted(h);

	if (r == 0)
		r = take_members(h);
	if (r < 0)
		return r;
	reason = obstacle_of_members(h);
	if (reason) {
		h->change.reason = reason;
		return 0;
	}
	r = plan_groups(h);
	if (r == 0)
		r = apply(h);
	for (size_t i = 0; i < h->count; i++)
		left += !h->members[i]->edit;
	sum_up(h, left);
	return r;
}

int element_decide_hold(struct element_image *image, const struct element_hold *hold)
{
	struct holding h = {
		.image = image, .hold = hold, .field = &image->keys.list[0],
		.change = { .result = NFT_SKIPPED, .reason = obstacle(image) },
	};
	int r = 0;

	if (!h.change.reason)
		r = decide(&h);
	if (r == 0)
		hold->claim->change = h.change;
	free(h.wanted);
	free(h.members);
	free(h.plans.list);
	return r;
}
