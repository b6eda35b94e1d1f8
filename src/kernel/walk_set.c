/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets and maps of a walk: read once, asked often.
 */
#include "walk_load.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>

struct pieces {
	struct walk *walk;
	struct element_piece *first, **end;
	bool overfull;
};

static int keep_elements(void *context, const struct nlmsghdr *message)
{
	struct pieces *pieces = context;
	struct span list = attr_nest(attr_of_message(message, sizeof(struct nfgenmsg)),
				     NFTA_SET_ELEM_LIST_ELEMENTS);
	const struct nlattr *element;
	struct element_piece *piece;

	attr_for_each(element, list)
		pieces->walk->element_total++;
	pieces->overfull |= pieces->walk->element_total > WALK_ELEMENTS_MAX;
	if (pieces->overfull)
		return 0;
	piece = arena_alloc(&pieces->walk->arena, sizeof(*piece));
	if (!piece)
		return -ENOMEM;
	piece->list.bytes = arena_copy(&pieces->walk->arena, list.bytes, list.length);
	piece->list.length = list.length;
	*pieces->end = piece;
	pieces->end = &piece->next;
	return piece->list.bytes ? 0 : -ENOMEM;
}

/* An element that the kernel took but we do not understand makes the set unsure. */
static bool take_value(const struct walk *walk, const struct walk_table *table,
		       const struct walk_set *set, const struct nlattr *from,
		       struct walk_element *element)
{
	struct span data = attr_nest(attr_span(from), NFTA_SET_ELEM_DATA);
	struct span verdict = attr_nest(data, NFTA_DATA_VERDICT);

	if (!(set->flags & NFT_SET_MAP))
		return true;
	if (verdict.bytes)
		return walk_read_verdict(walk, table, verdict, &element->verdict);
	element->data = attr_nest(data, NFTA_DATA_VALUE);
	return element->data.bytes && element->data.length <= ELEMENT_KEY_BYTES;
}

static int key_order(const void *a, const void *b, void *bytes)
{
	const struct walk_element *left = a, *right = b;

	return memcmp(left->from, right->from, *(uint32_t *)bytes);
}

static int fill(struct walk *walk, const struct walk_table *table,
		const struct element_image *image, struct walk_set *set)
{
	struct walk_element *elements;

	elements = arena_alloc(&walk->arena, (image->count + 1) * sizeof(*elements));
	if (!elements)
		return -ENOMEM;
	for (size_t i = 0; i < image->count; i++) {
		const struct element_member *member = &image->members[i];
		struct walk_element *element = &elements[set->count];

		if (!member->from) {
			element = arena_alloc(&walk->arena, sizeof(*element));
			if (!element)
				return -ENOMEM;
			set->catch_all = element;
		} else {
			element->from = member->from;
			element->to = member->to;
			set->count++;
		}
		set->unsure |= !take_value(walk, table, set, member->element, element);
	}
	set->elements = elements;
	qsort_r(elements, set->count, sizeof(*elements), key_order, &set->key_bytes);
	return 0;
}

int walk_load_set(struct nft *nft, struct walk *walk,
		  const struct walk_table_inside *table, struct walk_set *set)
{
	struct pieces pieces = { .walk = walk };
	struct element_image image;
	int r;

	pieces.end = &pieces.first;
	element_image_init(&image, &walk->arena, set->header);
	set->flags = image.flags;
	set->key_bytes = image.key_bytes;
	set->field_count = image.field_count;
	memcpy(set->field_bytes, image.field_bytes, sizeof(set->field_bytes));
	set->keys = image.keys;
	if (image.broken) {
		set->unsure = true;
		return 0;
	}
	r = ruleset_dump(nft, NFT_MSG_GETSETELEM, &table->name, NFTA_SET_ELEM_LIST_TABLE,
			 NFTA_SET_ELEM_LIST_SET, set->name, keep_elements, &pieces);
	if (r < 0)
		return r;
	if (!pieces.overfull)
		r = element_image_fill(&image, pieces.first);
	set->unsure = pieces.overfull || image.broken;
	if (r < 0 || set->unsure || set->flags & NFT_SET_OBJECT)
		return r;
	return fill(walk, &table->table, &image, set);
}

const struct walk_set *walk_set_of(const struct walk_table_inside *table,
				   struct span name)
{
	for (const struct walk_set *set = table->sets; set; set = set->next) {
		if (attr_is(name, set->name))
			return set;
	}
	return NULL;
}

/* --- asking --- */

static bool has_fields(const struct walk_set *set)
{
	return set->flags & NFT_SET_INTERVAL && set->field_count > 0;
}

/* Whether a value between the two may be what is known of the key. */
static enum walk_answer field_holds(const struct walk_byte *key, const uint8_t *from,
				    const uint8_t *to, size_t bytes)
{
	uint8_t least[ELEMENT_KEY_BYTES] = { 0 }, most[ELEMENT_KEY_BYTES] = { 0 };
	bool sure = true, exact = memcmp(from, to, bytes) == 0;

	for (size_t i = 0; i < bytes; i++) {
		least[i] = key[i].value & key[i].known;
		most[i] = (uint8_t)(least[i] | ~key[i].known);
		sure &= key[i].known == 0xff;
		if (exact && (from[i] ^ key[i].value) & key[i].known)
			return WALK_NO;
	}
	if (memcmp(most, from, bytes) < 0 || memcmp(least, to, bytes) > 0)
		return WALK_NO;
	return sure ? WALK_YES : WALK_MAYBE;
}

static enum walk_answer element_holds(const struct walk_set *set,
				      const struct walk_element *element,
				      const struct walk_byte *key)
{
	enum walk_answer answer = WALK_YES, field;
	size_t at = 0;

	if (!has_fields(set))
		return field_holds(key, element->from, element->to, set->key_bytes);
	for (size_t i = 0; i < set->field_count; i++) {
		field = field_holds(key + at, element->from + at, element->to + at,
				    set->field_bytes[i]);
		if (field == WALK_NO)
			return WALK_NO;
		if (field == WALK_MAYBE)
			answer = WALK_MAYBE;
		at += set->field_bytes[i];
	}
	return answer;
}

/* The last element that begins at or before the key. */
static const struct walk_element *search(const struct walk_set *set, const uint8_t *key)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(set->elements[middle].from, key, set->key_bytes) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? &set->elements[low - 1] : NULL;
}

static enum walk_answer ask_all(const struct walk_set *set, const struct walk_byte *key,
				const struct walk_element **ret_element)
{
	bool maybe = false;

	for (size_t i = 0; i < set->count; i++) {
		enum walk_answer answer = element_holds(set, &set->elements[i], key);

		maybe |= answer == WALK_MAYBE;
		if (answer != WALK_YES)
			continue;
		*ret_element = &set->elements[i];
		return WALK_YES;
	}
	return maybe ? WALK_MAYBE : WALK_NO;
}

static enum walk_answer ask(const struct walk_set *set, const struct walk_byte *key,
			    const struct walk_element **ret_element)
{
	uint8_t plain[ELEMENT_KEY_BYTES];
	const struct walk_element *element;

	for (size_t i = 0; i < set->key_bytes; i++) {
		if (key[i].known != 0xff)
			return ask_all(set, key, ret_element);
		plain[i] = key[i].value;
	}
	if (has_fields(set))
		return ask_all(set, key, ret_element);
	element = search(set, plain);
	if (!element || memcmp(element->to, plain, set->key_bytes) < 0)
		return WALK_NO;
	*ret_element = element;
	return WALK_YES;
}

static bool may_hold(const struct walk_set *set, const struct walk_byte *key)
{
	for (size_t i = 0; i < set->count; i++) {
		if (element_holds(set, &set->elements[i], key) != WALK_NO)
			return true;
	}
	return false;
}

/*
 * What of a key is to blame that no element holds it: the first kind of its fields
 * without which some would.
 */
static enum walk_miss blame(const struct walk_set *set, const struct walk_byte *key)
{
	struct walk_byte without[ELEMENT_KEY_BYTES];

	for (size_t i = 0; i < set->key_bytes; i++) {
		if (key[i].about == WALK_MATCHES ||
		    (i > 0 && key[i].about == key[i - 1].about))
			continue;
		memcpy(without, key, set->key_bytes * sizeof(*key));
		for (size_t j = i; j < set->key_bytes; j++) {
			if (key[j].about == key[i].about)
				without[j].known = 0;
		}
		if (may_hold(set, without))
			return key[i].about;
	}
	return key[0].about == WALK_MATCHES ? WALK_MISS_OTHER : key[0].about;
}

enum walk_answer walk_lookup(const struct walk_set *set, const struct walk_byte *key,
			     const struct walk_element **ret_element,
			     enum walk_miss *ret_about)
{
	enum walk_answer answer;

	if (!set || set->unsure)
		return WALK_MAYBE;
	answer = ask(set, key, ret_element);
	if (answer == WALK_NO && set->catch_all) {
		*ret_element = set->catch_all;
		answer = WALK_YES;
	}
	if (answer == WALK_NO)
		*ret_about = blame(set, key);
	return answer;
}
