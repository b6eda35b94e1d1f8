/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elements that shall come: is there room for them beside those that are?
 */
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>

#include "nft_element.h"

int element_plan_add(struct element_plans *plans, const struct element_plan *plan)
{
	if (plans->count == plans->room) {
		size_t room = plans->room ? plans->room * 2 : 32;
		void *larger = reallocarray(plans->list, room, sizeof(*plan));

		if (!larger)
			return -ENOMEM;
		plans->list = larger;
		plans->room = room;
	}
	plans->list[plans->count++] = *plan;
	return 0;
}

/* A key that is taken, or that is wanted. */
struct entry {
	const uint8_t *from, *to;
	const struct element_member *member;
	struct element_plan *plan;		/* NULL: a rival */
	size_t bytes;
	const struct element_edit *edit;	/* of a rival; may be NULL */
};

struct check {
	const struct element_image *image;
	struct entry *entries;			/* in order of their first keys */
	size_t count;
	struct entry *wide;			/* rivals of more than one key */
	size_t wide_count;
};

/* Rivals come before plans of the same key, plans in the order they were made. */
static int entry_order(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	int order = memcmp(left->from, right->from, left->bytes);

	if (order)
		return order;
	if (!left->plan || !right->plan)
		return !!left->plan - !!right->plan;
	return left->plan < right->plan ? -1 : left->plan > right->plan;
}

static bool is_wide(const struct entry *entry)
{
	return memcmp(entry->from, entry->to, entry->bytes) != 0;
}

static struct span data_of(const struct element_image *image,
			   const struct element_member *member, const uint8_t *value)
{
	struct span element, data;

	if (value)
		return (struct span){ value, image->data_bytes };
	if (!member)
		return (struct span){ 0 };
	element = attr_span(member->element);
	data = attr_nest(element, NFTA_SET_ELEM_DATA);
	if (!data.bytes)
		return attr_nest(element, NFTA_SET_ELEM_OBJREF);
	if (attr_find(data, NFTA_DATA_VALUE))
		return attr_nest(data, NFTA_DATA_VALUE);
	return data;
}

static bool same(struct span a, struct span b)
{
	return a.length == b.length &&
	       (!a.length || memcmp(a.bytes, b.bytes, a.length) == 0);
}

bool element_same_data(const struct element_image *image,
		       const struct element_member *a, const struct element_member *b)
{
	return same(data_of(image, a, NULL), data_of(image, b, NULL));
}

static struct span entry_data(const struct check *check, const struct entry *entry)
{
	const struct element_edit *edit = entry->plan ? &entry->plan->edit : entry->edit;

	return data_of(check->image, entry->member, edit ? edit->data : NULL);
}

/* Whether `a` and `b` have a key in common; `ret_within`: all of b's are a's. */
static bool overlap(const struct element_image *image, const struct entry *a,
		    const struct entry *b, bool *ret_within)
{
	size_t fields = image->field_count ? image->field_count : 1, at = 0;
	bool within = true;

	for (size_t i = 0; i < fields; i++) {
		size_t bytes = image->field_count ? image->field_bytes[i]
						  : image->key_bytes;

		if (memcmp(a->to + at, b->from + at, bytes) < 0 ||
		    memcmp(b->to + at, a->from + at, bytes) < 0)
			return false;
		within &= memcmp(a->from + at, b->from + at, bytes) <= 0 &&
			  memcmp(b->to + at, a->to + at, bytes) <= 0;
		at += bytes;
	}
	*ret_within = within;
	return true;
}

static bool comes(const struct element_edit *edit)
{
	return edit && edit->comes;
}

static void meet(const struct check *check, const struct entry *rival,
		 struct entry *entry)
{
	bool within;

	if (rival->member == entry->member && !rival->plan && !comes(rival->edit))
		return;
	if (entry->plan->state != PLAN_FREE ||
	    !overlap(check->image, rival, entry, &within))
		return;
	if (!within)
		entry->plan->state = PLAN_OVERLAPS;
	else
		entry->plan->state = same(entry_data(check, rival),
					  entry_data(check, entry))
						? PLAN_HELD : PLAN_DIFFERS;
}

/* `holder`: the last one before it that is there, or that will be; may be NULL. */
static void check_entry(struct check *check, size_t index, const struct entry *holder)
{
	struct entry *entry = &check->entries[index];

	if (holder && memcmp(holder->from, entry->from, entry->bytes) == 0)
		meet(check, holder, entry);
	for (size_t i = 0; i < check->wide_count; i++)
		meet(check, &check->wide[i], entry);
	/* What lies within a wide one stands behind its beginning. */
	for (size_t i = index + 1; is_wide(entry) && i < check->count; i++) {
		if (!check->entries[i].plan)
			meet(check, &check->entries[i], entry);
	}
}

static void add_rival(struct check *check, const struct entry *rival)
{
	check->entries[check->count++] = *rival;
	if (is_wide(rival))
		check->wide[check->wide_count++] = *rival;
}

static void gather(struct check *check, const struct element_plans *plans,
		   element_rival_fn *rival, const void *context)
{
	const struct element_image *image = check->image;

	for (size_t i = 0; i < image->count; i++) {
		const struct element_member *member = &image->members[i];
		struct entry entry = { element_from(member), element_to(member), member,
				       NULL, image->key_bytes, member->edit };

		if (entry.from && rival(context, member))
			add_rival(check, &entry);
	}
	/* What comes by an earlier decision is there already. */
	for (const struct element_edit *edit = image->edits; edit; edit = edit->next) {
		if (comes(edit))
			add_rival(check, &(struct entry){ edit->from, edit->to,
					edit->member, NULL, image->key_bytes, edit });
	}
	for (size_t i = 0; i < plans->count; i++) {
		struct element_plan *plan = &plans->list[i];

		check->entries[check->count++] = (struct entry){
			plan->edit.from, plan->edit.to, plan->edit.member, plan,
			image->key_bytes, NULL };
	}
	qsort(check->entries, check->count, sizeof(*check->entries), entry_order);
}

static size_t count_rivals(const struct element_image *image, element_rival_fn *rival,
			   const void *context)
{
	size_t count = 0;

	for (size_t i = 0; i < image->count; i++)
		count += element_from(&image->members[i]) &&
			 rival(context, &image->members[i]);
	for (const struct element_edit *edit = image->edits; edit; edit = edit->next)
		count += comes(edit);
	return count;
}

int element_plans_check(const struct element_image *image, struct element_plans *plans,
			element_rival_fn *rival, const void *context)
{
	struct check check = { .image = image };
	const struct entry *holder = NULL;
	int r = -ENOMEM;
	size_t rivals;

	/* As a rule: where all is in step, a large set costs nothing here. */
	if (!plans->count)
		return 0;
	rivals = count_rivals(image, rival, context);
	check.entries = calloc(rivals + plans->count + 1, sizeof(*check.entries));
	check.wide = calloc(rivals + 1, sizeof(*check.wide));
	if (check.entries && check.wide) {
		gather(&check, plans, rival, context);
		for (size_t i = 0; i < check.count; i++) {
			const struct entry *entry = &check.entries[i];

			if (entry->plan)
				check_entry(&check, i, holder);
			if (!entry->plan || entry->plan->state == PLAN_FREE)
				holder = entry;
		}
		r = 0;
	}
	free(check.entries);
	free(check.wide);
	return r;
}
