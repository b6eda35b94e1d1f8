/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft_element.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "rule.h"

/*
 * nft's numbers for types (enum datatypes of its datatype.h), which the kernel keeps as
 * they are: six bits for each field of a concatenation, the last field lowest.
 */
enum { TYPE_BITS = 6, TYPE_IPV4 = 7, TYPE_IPV6 = 8 };

static const uint8_t type_bytes[] = {
	[2] = 1,  /* nf_proto */      [7] = 4,  /* ipv4_addr */   [8] = 16, /* ipv6_addr */
	[9] = 6,  /* ether_addr */    [10] = 2, /* ether_type */  [11] = 2, /* arp_op */
	[12] = 1, /* inet_proto */    [13] = 2, /* inet_service */
	[14] = 1, /* icmp_type */     [15] = 1, /* tcp_flag */    [16] = 1, /* dccp_pkttype */
	[17] = 1, /* mh_type */       [18] = 4, /* time */        [19] = 4, /* mark */
	[20] = 4, /* iface_index */   [21] = 2, /* iface_type */  [22] = 4, /* realm */
	[23] = 4, /* classid */       [24] = 4, /* uid */         [25] = 4, /* gid */
	[26] = 4, /* ct_state */      [27] = 1, /* ct_dir */      [28] = 4, /* ct_status */
	[29] = 1, /* icmpv6_type */   [30] = 16, /* ct_label */   [31] = 1, /* pkt_type */
	[32] = 1, /* icmp_code */     [33] = 1, /* icmpv6_code */ [34] = 1, /* icmpx_code */
	[35] = 4, /* devgroup */      [36] = 1, /* dscp */        [37] = 1, /* ecn */
	[38] = 4, /* fib_addrtype */  [39] = 1, /* boolean */     [40] = 4, /* ct_event */
	[41] = 16, /* ifname */       [42] = 1, /* igmp_type */   [43] = 8, /* time */
	[44] = 4, /* hour */          [45] = 1, /* day */         [46] = 8, /* cgroupsv2 */
};

static size_t padded(size_t bytes)
{
	return (bytes + 3) / 4 * 4;
}

static uint8_t known_bytes(uint32_t type)
{
	return type < sizeof(type_bytes) ? type_bytes[type] : 0;
}

/* The fields' types, first field first; how many there are. */
static size_t split_type(uint32_t type, uint32_t fields[ELEMENT_FIELDS_MAX])
{
	size_t count = 0;

	for (uint32_t rest = type; rest; rest >>= TYPE_BITS)
		count++;
	for (size_t i = count; i-- > 0; type >>= TYPE_BITS)
		fields[i] = type & ((1 << TYPE_BITS) - 1);
	return count;
}

bool element_fields_read(uint32_t type, uint32_t bytes, struct element_fields *ret_fields)
{
	struct element_fields fields = { 0 };
	uint32_t types[ELEMENT_FIELDS_MAX];
	size_t count = split_type(type, types), sum = 0, unknown = 0, at = 0;

	for (size_t i = 0; i < count; i++) {
		sum += padded(known_bytes(types[i]));
		unknown += known_bytes(types[i]) == 0;
	}
	if (count == 1)
		sum = known_bytes(types[0]);
	/* What the others leave is the length of the only field of no fixed one. */
	if (bytes > ELEMENT_KEY_BYTES || unknown > 1 || sum > bytes ||
	    (sum == bytes) != (unknown == 0))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (types[i] == TYPE_IPV4 || types[i] == TYPE_IPV6)
			fields.list[fields.count++] = (struct element_field){
				(uint8_t)at, types[i] == TYPE_IPV4 ? AF_INET : AF_INET6 };
		at += known_bytes(types[i]) ? padded(known_bytes(types[i])) : bytes - sum;
	}
	*ret_fields = fields;
	return true;
}

/* The fields of a concatenation, which the kernel keeps where there are intervals. */
static void read_description(struct element_image *image, struct span description)
{
	const struct nlattr *field;
	uint32_t bytes, sum = 0;

	attr_for_each(field, attr_nest(description, NFTA_SET_DESC_CONCAT)) {
		if (image->field_count == ELEMENT_FIELDS_MAX ||
		    !attr_be32(attr_find(attr_span(field), NFTA_SET_FIELD_LEN), &bytes) ||
		    bytes > ELEMENT_KEY_BYTES)
			image->broken = true;
		else
			image->field_bytes[image->field_count++] = (uint8_t)padded(bytes);
		if (image->broken)
			return;
		sum += (uint32_t)padded(bytes);
	}
	image->broken = image->field_count && sum != image->key_bytes;
}

void element_image_init(struct element_image *image, struct arena *arena,
			struct span header)
{
	const struct nlattr *table[NFTA_SET_DESC + 1];
	uint32_t key_type = 0, data_type = 0;

	*image = (struct element_image){ .arena = arena };
	attr_index(header, table, NFTA_SET_DESC + 1);
	attr_be32(table[NFTA_SET_FLAGS], &image->flags);
	attr_be32(table[NFTA_SET_KEY_LEN], &image->key_bytes);
	attr_be32(table[NFTA_SET_KEY_TYPE], &key_type);
	attr_be32(table[NFTA_SET_DATA_LEN], &image->data_bytes);
	attr_be32(table[NFTA_SET_DATA_TYPE], &data_type);
	read_description(image, attr_span(table[NFTA_SET_DESC]));
	image->broken |= image->key_bytes == 0 || image->key_bytes > ELEMENT_KEY_BYTES;
	image->keys_known = element_fields_read(key_type, image->key_bytes, &image->keys);
	/* Verdicts and objects are no values; data that are intervals are longer. */
	if (!(image->flags & NFT_SET_MAP) || data_type == NFT_DATA_VERDICT ||
	    !element_fields_read(data_type, image->data_bytes, &image->data))
		image->data.count = 0;
}

bool element_has_markers(const struct element_image *image)
{
	return image->flags & NFT_SET_INTERVAL && !(image->flags & NFT_SET_CONCAT);
}

static struct span value_of(const struct nlattr *element, uint16_t type)
{
	return attr_nest(attr_nest(attr_span(element), type), NFTA_DATA_VALUE);
}

struct span element_key(const struct nlattr *element)
{
	return value_of(element, NFTA_SET_ELEM_KEY);
}

struct span element_data(const struct nlattr *element)
{
	return value_of(element, NFTA_SET_ELEM_DATA);
}

bool element_comment(const struct nlattr *element, struct span *ret_text)
{
	struct span userdata = attr_nest(attr_span(element), NFTA_SET_ELEM_USERDATA);

	return userdata.bytes &&
	       rule_userdata_comment(userdata, RULE_USERDATA_COMMENT, ret_text);
}

const uint8_t *element_from(const struct element_member *member)
{
	return member->edit ? member->edit->from : member->from;
}

const uint8_t *element_to(const struct element_member *member)
{
	return member->edit ? member->edit->to : member->to;
}

static bool is_end(const struct nlattr *element)
{
	uint32_t flags = 0;

	attr_be32(attr_find(attr_span(element), NFTA_SET_ELEM_FLAGS), &flags);
	return flags & NFT_SET_ELEM_INTERVAL_END;
}

static bool read_keys(struct element_image *image, struct element_member *member)
{
	struct span from = element_key(member->element);
	struct span to = value_of(member->element, NFTA_SET_ELEM_KEY_END);

	if (!from.bytes)		/* catch-all */
		return true;
	if (from.length != image->key_bytes || (to.bytes && to.length != from.length))
		return false;
	member->from = from.bytes;
	member->to = to.bytes ? to.bytes : from.bytes;
	return true;
}

/* By key; at the same one an end comes before a start. `end` holds ends until then. */
static int marker_order(const void *a, const void *b, void *bytes)
{
	const struct element_member *left = a, *right = b;
	int order;

	if (!left->from || !right->from)
		return !!left->from - !!right->from;
	order = memcmp(left->from, right->from, *(uint32_t *)bytes);
	return order ? order : !!right->end - !!left->end;
}

static void reverse(struct element_member *list, size_t count)
{
	for (size_t i = 0; i < count / 2; i++) {
		struct element_member other = list[i];

		list[i] = list[count - 1 - i];
		list[count - 1 - i] = other;
	}
}

/* The kernel tells them from back to front. */
static void sort_markers(struct element_image *image)
{
	struct element_member *list = image->members;

	reverse(list, image->count);
	for (size_t i = 1; i < image->count; i++) {
		if (marker_order(&list[i - 1], &list[i], &image->key_bytes) <= 0)
			continue;
		qsort_r(list, image->count, sizeof(*list), marker_order,
			&image->key_bytes);
		return;
	}
}

static void key_before(uint8_t *key, const uint8_t *of, size_t bytes)
{
	memcpy(key, of, bytes);
	while (bytes-- > 0 && key[bytes]-- == 0)
		;
}

bool element_key_after(uint8_t *key, const uint8_t *last, size_t bytes)
{
	memcpy(key, last, bytes);
	while (bytes > 0 && ++key[bytes - 1] == 0)
		bytes--;
	return bytes > 0;
}

/* From markers in order to intervals. */
static int join_markers(struct element_image *image)
{
	struct element_member *list = image->members;
	size_t bytes = image->key_bytes, count = 0, intervals = 0;
	uint8_t *room = arena_alloc(image->arena, (image->count + 1) * bytes), *last;

	if (!room)
		return -ENOMEM;
	last = room + image->count * bytes;
	memset(last, 0xff, bytes);
	for (size_t i = 0; i < image->count; i++) {
		struct element_member member = list[i], *next = &list[i + 1];
		bool more = i + 1 < image->count;

		if (member.end) {	/* nothing starts here */
			image->broken |= image->null_end || intervals;
			image->null_end = member.element;
			continue;
		}
		if (member.from && more) {
			key_before(room, next->from, bytes);
			image->broken |= memcmp(room, member.from, bytes) < 0;
			member.to = room;
			room += bytes;
			member.end = next->end ? next->element : NULL;
			image->shared |= !next->end;
			i += !!next->end;
		} else if (member.from) {
			member.to = last;
		}
		intervals += member.from != NULL;
		list[count++] = member;
	}
	image->count = count;
	return 0;
}

int element_image_fill(struct element_image *image, const struct element_piece *pieces)
{
	bool markers = element_has_markers(image);
	const struct nlattr *element;
	size_t count = 0;

	for (const struct element_piece *piece = pieces; piece; piece = piece->next) {
		attr_for_each(element, piece->list)
			count++;
	}
	image->members = arena_alloc(image->arena, (count + 1) * sizeof(*image->members));
	if (!image->members)
		return -ENOMEM;
	for (; pieces && !image->broken; pieces = pieces->next) {
		attr_for_each(element, pieces->list) {
			struct element_member *member = &image->members[image->count];

			member->element = element;
			if (markers && is_end(element))
				member->end = element;
			image->broken |= !read_keys(image, member);
			image->count++;
		}
	}
	if (!markers || image->broken)
		return 0;
	sort_markers(image);
	return join_markers(image);
}

struct addr element_address(const uint8_t *key, const struct element_field *field)
{
	return addr_from_bytes(field->family, key + field->at);
}

uint8_t *element_key_with(const struct element_image *image, const uint8_t *key,
			  const struct element_field *field, const struct addr *value)
{
	uint8_t *copy = arena_copy(image->arena, key, image->key_bytes);

	if (copy)
		memcpy(copy + field->at, value->bytes, addr_length_bytes(value));
	return copy;
}

int element_edit_add(struct element_image *image, const struct element_edit *edit)
{
	struct element_edit *kept = arena_copy(image->arena, edit, sizeof(*edit));

	if (!kept)
		return -ENOMEM;
	kept->next = image->edits;
	image->edits = kept;
	if (!kept->comes)
		kept->member->edit = kept;
	return 0;
}

int element_member_goes(struct element_image *image, struct element_member *member,
			struct element_claim *claim)
{
	return element_edit_add(image, &(struct element_edit){
		.member = member, .claim = claim });
}

void element_undo(struct element_image *image, const struct element_claim *claim)
{
	struct element_edit **at = &image->edits;

	while (*at) {
		struct element_edit *edit = *at;

		if (claim && edit->claim != claim) {
			at = &edit->next;
			continue;
		}
		if (!edit->comes)
			edit->member->edit = NULL;
		*at = edit->next;
	}
}
