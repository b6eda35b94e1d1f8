/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The elements of one set or map, as the kernel told them, and what shall become of them.
 * Pure.
 *
 * An image is filled once; decisions put edits on it, and each sees what those before it
 * did. The edits are then either written into a twin of the set (anonymous sets) or sent
 * as elements that go and elements that come (named sets).
 *
 * Sets with intervals of a single field hold markers instead of intervals: where one
 * starts, where one ends; one that starts where its neighbour ends may stand for both.
 * An image always holds whole intervals.
 */
#ifndef KERNEL_NFT_ELEMENT_H
#define KERNEL_NFT_ELEMENT_H

#include "arena.h"
#include "attr.h"
#include "nft_policy.h"

enum {
	ELEMENT_FIELDS_MAX = 16,
	ELEMENT_KEY_BYTES = 64,		/* NFT_DATA_VALUE_MAXLEN */
};

/* Where addresses stand in keys, or in data. */
struct element_fields {
	struct element_field {
		uint8_t at, family;	/* AF_* */
	} list[ELEMENT_FIELDS_MAX];
	size_t count;
};

/*
 * Reads nft's number for a type of keys, or of data, that are `bytes` long. False: it
 * tells nothing certain.
 */
bool element_fields_read(uint32_t type, uint32_t bytes,
			 struct element_fields *ret_fields) must_check;

/* Who changes elements: a tagged set, a tagged element, or the rule that uses the set. */
struct element_claim {
	int target;			/* as in struct nft_item */
	struct policy_change change;
};

/* An element that changes, goes, or comes. */
struct element_edit {
	struct element_edit *next;	/* each claim's stand together */
	struct element_claim *claim;
	struct element_member *member;	/* its pattern, when it comes; may be NULL then */
	bool comes;
	bool alike;			/* comes with the comment of its pattern */
	const uint8_t *from, *to;	/* its key from now on; NULL: it goes */
	const uint8_t *data;		/* the value; NULL: as it was */
};

struct element_member {
	const struct nlattr *element;	/* as dumped; of an interval: its start */
	const struct nlattr *end;	/* its marker; NULL: none of its own */
	const uint8_t *from, *to;	/* the same for one key; NULL: catch-all */
	struct element_edit *edit;
	struct element_claim *claim;	/* it has a comment that is tagged */
};

struct element_image {
	struct arena *arena;
	uint32_t flags;			/* enum nft_set_flags */
	uint32_t key_bytes, data_bytes;
	uint8_t field_bytes[ELEMENT_FIELDS_MAX];	/* of a concatenated key */
	size_t field_count;		/* 0: the key is one field */
	struct element_fields keys, data;
	bool keys_known;		/* by its type */
	bool broken;			/* it could not be understood */
	bool shared;			/* some marker ends one interval and starts another */
	const struct nlattr *null_end;	/* the marker of what lies before the first */
	struct element_member *members;	/* of intervals: in order */
	size_t count;
	struct element_edit *edits;
	unsigned targets;		/* bit n: some element is claimed by target n */
};

/* A piece of a dump: NFTA_LIST_ELEM after NFTA_LIST_ELEM, in the image's arena. */
struct element_piece {
	struct element_piece *next;
	struct span list;
};

/* What the attributes of a set's header say. */
void element_image_init(struct element_image *image, struct arena *arena,
			struct span header);
int element_image_fill(struct element_image *image,
		       const struct element_piece *pieces) must_check;

/* Whether keys are intervals by markers, not by a second key. */
bool element_has_markers(const struct element_image *image);

/* The key, and its last one, as decided up to now; NULL: it goes, or is catch-all. */
const uint8_t *element_from(const struct element_member *member);
const uint8_t *element_to(const struct element_member *member);

/* The values of an attribute of an element; empty where it has none. */
struct span element_key(const struct nlattr *element);
struct span element_data(const struct nlattr *element);
bool element_comment(const struct nlattr *element, struct span *ret_text);

/* What shall change, for a WAN. */
struct element_ask {
	const struct policy *policy;
	struct element_fields keys;	/* where addresses stand that may change */
	struct element_fields data;	/* the same; only former ones change there */
	bool lone;			/* a single element changes, whatever it was */
	int target;
	struct element_claim *claim;	/* NULL: the elements that `target` claims */
};

/*
 * Decides, and puts edits on the image. What became of it is in `change` of the claim, or
 * of each element's claim.
 */
int element_decide(struct element_image *image,
		   const struct element_ask *ask) must_check;

/*
 * The elements of this claim (of a set: those that nobody claims) hold exactly these
 * addresses.
 */
struct element_hold {
	const struct addr *addresses;
	size_t count;
	bool commented;			/* the claim is of elements */
	struct element_claim *claim;
};

int element_decide_hold(struct element_image *image,
			const struct element_hold *hold) must_check;

/* Takes back the edits of one claim, or (NULL) all. */
void element_undo(struct element_image *image, const struct element_claim *claim);

/* The inside of the two decisions. */

/* An element that would be, beside those that are. */
struct element_plan {
	struct element_edit edit;
	struct policy_change change;
	enum { PLAN_FREE, PLAN_HELD, PLAN_DIFFERS, PLAN_OVERLAPS } state;
};

struct element_plans {
	struct element_plan *list;
	size_t count, room;
};

int element_plan_add(struct element_plans *plans,
		     const struct element_plan *plan) must_check;

/*
 * Tells for each plan whether its key is free. `rival`: whether an element counts that no
 * plan is about.
 */
typedef bool element_rival_fn(const void *context, const struct element_member *member);
int element_plans_check(const struct element_image *image, struct element_plans *plans,
			element_rival_fn *rival, const void *context) must_check;

/* Whether two elements map to the same, whatever was decided. */
bool element_same_data(const struct element_image *image,
		       const struct element_member *a, const struct element_member *b);

int element_edit_add(struct element_image *image, const struct element_edit *edit)
	must_check;
int element_member_goes(struct element_image *image, struct element_member *member,
			struct element_claim *claim) must_check;

/* A copy of a key with the address of one field replaced; NULL: no memory. */
uint8_t *element_key_with(const struct element_image *image, const uint8_t *key,
			  const struct element_field *field, const struct addr *value);
/* The key behind the last one of an interval; false: there is none. */
bool element_key_after(uint8_t *key, const uint8_t *last, size_t bytes);

struct addr element_address(const uint8_t *key, const struct element_field *field);

#endif
