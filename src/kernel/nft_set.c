/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft_set.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "hairpin/order.h"

/*
 * A list attribute's length has 16 bits; half of that leaves room for the largest
 * element.
 */
enum { LIST_BYTES = 32 * 1024 };

struct header_context {
	struct arena *arena;
	struct set_header *header;
};

static int take_header(void *argument, const struct nlmsghdr *message)
{
	const struct header_context *context = argument;
	struct set_header *header = context->header;
	struct span attributes = attr_of_message(message, sizeof(struct nfgenmsg));
	const struct nlattr *table[NFTA_SET_KEY_LEN + 1];

	*header = (struct set_header){
		.attributes.bytes = arena_copy(context->arena, attributes.bytes,
					       attributes.length),
		.attributes.length = attributes.length,
	};
	attr_index(attributes, table, NFTA_SET_KEY_LEN + 1);
	attr_be32(table[NFTA_SET_FLAGS], &header->flags);
	attr_be32(table[NFTA_SET_KEY_LEN], &header->key_bytes);
	return header->attributes.bytes ? 0 : -ENOMEM;
}

int set_read_header(struct nft *nft, struct arena *arena,
		    const struct ruleset_table *table, struct span name,
		    struct set_header *ret_header)
{
	struct set_header header = { 0 };
	struct header_context context = { arena, &header };
	struct wire wire WIRE_CLEANUP = { 0 };
	const char *text = arena_string(arena, (const char *)name.bytes, name.length);
	size_t message;
	int r;

	if (!text)
		return -ENOMEM;
	message = wire_nf_message(&wire, nft_type(NFT_MSG_GETSET), NLM_F_ACK,
				  ++nft->command.seq, (uint8_t)table->family);
	wire_put_string(&wire, NFTA_SET_TABLE, table->name);
	wire_put_string(&wire, NFTA_SET_NAME, text);
	wire_message_end(&wire, message);
	r = netlink_ask(&nft->command, &wire, take_header, &context);
	if (r == -ENOENT || (r == 0 && !header.attributes.bytes))
		return -EINTR;
	if (r == 0)
		*ret_header = header;
	return r;
}

struct elements_context {
	struct arena *arena;
	struct element_piece *first, **end;
};

static int keep_elements(void *argument, const struct nlmsghdr *message)
{
	struct elements_context *context = argument;
	struct element_piece *piece = arena_alloc(context->arena, sizeof(*piece));
	struct span list = attr_nest(attr_of_message(message, sizeof(struct nfgenmsg)),
				     NFTA_SET_ELEM_LIST_ELEMENTS);

	if (!piece)
		return -ENOMEM;
	piece->list.bytes = arena_copy(context->arena, list.bytes, list.length);
	piece->list.length = list.length;
	*context->end = piece;
	context->end = &piece->next;
	return piece->list.bytes ? 0 : -ENOMEM;
}

int set_load(struct nft *nft, struct arena *arena, const struct ruleset_table *table,
	     struct span name, struct set **ret_set)
{
	struct elements_context context = { .arena = arena };
	struct set *set = arena_alloc(arena, sizeof(*set));
	int r;

	context.end = &context.first;
	if (!set)
		return -ENOMEM;
	set->table = table;
	set->name = arena_string(arena, (const char *)name.bytes, name.length);
	if (!set->name)
		return -ENOMEM;
	r = set_read_header(nft, arena, table, name, &set->header);
	if (r == 0)
		r = ruleset_dump(nft, NFT_MSG_GETSETELEM, table, NFTA_SET_ELEM_LIST_TABLE,
				 NFTA_SET_ELEM_LIST_SET, set->name, keep_elements,
				 &context);
	if (r < 0)
		return r;
	element_image_init(&set->image, arena, set->header.attributes);
	r = element_image_fill(&set->image, context.first);
	if (r == 0)
		*ret_set = set;
	return r;
}

struct set *set_find(struct set *first, struct span name)
{
	for (struct set *set = first; set; set = set->next) {
		if (attr_is(name, set->name))
			return set;
	}
	return NULL;
}

const char *set_twin_name(const struct set_header *header)
{
	return header->flags & (NFT_SET_MAP | NFT_SET_OBJECT) ? "__map%d" : "__set%d";
}

/* What makes a set; the rest of what the kernel tells is read only. */
static bool header_attribute_travels(uint16_t type)
{
	static const uint16_t travels[] = {
		NFTA_SET_FLAGS, NFTA_SET_KEY_TYPE, NFTA_SET_KEY_LEN, NFTA_SET_DATA_TYPE,
		NFTA_SET_DATA_LEN, NFTA_SET_POLICY, NFTA_SET_DESC, NFTA_SET_TIMEOUT,
		NFTA_SET_GC_INTERVAL, NFTA_SET_USERDATA, NFTA_SET_OBJ_TYPE, NFTA_SET_EXPR,
		NFTA_SET_EXPRESSIONS,
	};

	for (size_t i = 0; i < sizeof(travels) / sizeof(travels[0]); i++) {
		if (travels[i] == type)
			return true;
	}
	return false;
}

/* One that shares its end with the next one needs its own when that one moves. */
static bool lost_its_end(const struct element_image *image, size_t index)
{
	const struct element_member *member = &image->members[index];

	return element_has_markers(image) && !member->end && !member->edit &&
	       member->from && index + 1 < image->count &&
	       image->members[index + 1].edit;
}

/* So many elements the twin has, markers counted. */
static uint32_t count_elements(const struct element_image *image)
{
	size_t each = element_has_markers(image) ? 2 : 1, count = image->null_end != NULL;

	for (size_t i = 0; i < image->count; i++) {
		const struct element_member *member = &image->members[i];

		if (!member->edit)
			count += 1U + (member->end != NULL) + lost_its_end(image, i);
		else if (member->edit->from)
			count += each;
	}
	for (const struct element_edit *edit = image->edits; edit; edit = edit->next)
		count += edit->comes ? each : 0;
	return (uint32_t)count;
}

/* An anonymous set is made as large as it was; it may become larger. */
static void put_description(struct wire *wire, const struct nlattr *description,
			    const struct element_image *image)
{
	size_t nest = wire_nest(wire, NFTA_SET_DESC);
	const struct nlattr *attr;
	uint32_t size;

	attr_for_each(attr, attr_span(description)) {
		if (attr_type(attr) == NFTA_SET_DESC_SIZE &&
		    attr_be32(attr, &size))
			wire_put_be32(wire, NFTA_SET_DESC_SIZE,
				      MAX(size, count_elements(image)));
		else
			wire_copy(wire, attr);
	}
	wire_nest_end(wire, nest);
}

static void write_header(struct wire *wire, const struct ruleset_table *table,
			 const struct set_header *header, const struct set *loaded,
			 uint32_t id, uint32_t seq)
{
	const struct nlattr *attr;
	size_t message;

	message = wire_nf_message(wire, nft_type(NFT_MSG_NEWSET), NLM_F_CREATE, seq,
				  (uint8_t)table->family);
	wire_put_string(wire, NFTA_SET_TABLE, table->name);
	wire_put_string(wire, NFTA_SET_NAME, set_twin_name(header));
	wire_put_be32(wire, NFTA_SET_ID, id);
	attr_for_each(attr, header->attributes) {
		uint16_t type = attr_type(attr);

		if (type == NFTA_SET_DESC && loaded && loaded->image.edits)
			put_description(wire, attr, &loaded->image);
		else if (header_attribute_travels(type))
			wire_copy(wire, attr);
	}
	wire_message_end(wire, message);
}

/* Elements while they are written: one message holds at most LIST_BYTES of them. */
struct writer {
	struct wire *wire;
	const struct ruleset_table *table;
	const char *name;
	uint8_t type;			/* NFT_MSG_NEWSETELEM or DELSETELEM */
	uint32_t id;			/* of the twin, 0: none */
	uint32_t *seq;
	size_t message, list;
	bool open;
};

static void list_open(struct writer *writer)
{
	struct wire *wire = writer->wire;
	uint16_t flags = writer->type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0;

	writer->message = wire_nf_message(wire, nft_type(writer->type), flags,
					  ++*writer->seq, (uint8_t)writer->table->family);
	wire_put_string(wire, NFTA_SET_ELEM_LIST_TABLE, writer->table->name);
	wire_put_string(wire, NFTA_SET_ELEM_LIST_SET, writer->name);
	if (writer->id)
		wire_put_be32(wire, NFTA_SET_ELEM_LIST_SET_ID, writer->id);
	writer->list = wire_nest(wire, NFTA_SET_ELEM_LIST_ELEMENTS);
	writer->open = true;
}

static void list_close(struct writer *writer)
{
	if (!writer->open)
		return;
	wire_nest_end(writer->wire, writer->list);
	wire_message_end(writer->wire, writer->message);
	writer->open = false;
}

static size_t element_open(struct writer *writer)
{
	if (writer->open && writer->wire->length - writer->list > LIST_BYTES)
		list_close(writer);
	if (!writer->open)
		list_open(writer);
	return wire_nest(writer->wire, NFTA_LIST_ELEM);
}

static void put_value(struct wire *wire, uint16_t type, const uint8_t *value,
		      size_t bytes)
{
	size_t nest = wire_nest(wire, type);

	wire_put(wire, NFTA_DATA_VALUE, value, bytes);
	wire_nest_end(wire, nest);
}

/* As dumped. */
static void put_element(struct writer *writer, struct span element)
{
	size_t nest = element_open(writer);
	const struct nlattr *attr;

	attr_for_each(attr, element) {
		if (attr_type(attr) != NFTA_SET_ELEM_PAD)
			wire_copy(writer->wire, attr);
	}
	wire_nest_end(writer->wire, nest);
}

static void put_end(struct writer *writer, const struct element_image *image,
		    const uint8_t *last)
{
	uint8_t key[ELEMENT_KEY_BYTES];
	size_t nest;

	if (!element_key_after(key, last, image->key_bytes))
		return;
	nest = element_open(writer);
	put_value(writer->wire, NFTA_SET_ELEM_KEY, key, image->key_bytes);
	wire_put_be32(writer->wire, NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
	wire_nest_end(writer->wire, nest);
}

static void put_key(struct writer *writer, const struct element_image *image,
		    const uint8_t *from, const uint8_t *to)
{
	put_value(writer->wire, NFTA_SET_ELEM_KEY, from, image->key_bytes);
	if (image->flags & NFT_SET_INTERVAL && !element_has_markers(image))
		put_value(writer->wire, NFTA_SET_ELEM_KEY_END, to, image->key_bytes);
}

/* What one that comes takes over from its pattern: not what it has counted or lived. */
static bool attribute_is_copied(const struct element_edit *edit, uint16_t type)
{
	switch (type) {
	case NFTA_SET_ELEM_KEY:
	case NFTA_SET_ELEM_KEY_END:
	case NFTA_SET_ELEM_PAD:
		return false;
	case NFTA_SET_ELEM_DATA:
		return !edit->data;
	case NFTA_SET_ELEM_USERDATA:
		return !edit->comes || edit->alike;
	case NFTA_SET_ELEM_EXPIRATION:
	case NFTA_SET_ELEM_EXPR:
	case NFTA_SET_ELEM_EXPRESSIONS:
		return !edit->comes;
	}
	return true;
}

static void put_edited(struct writer *writer, const struct element_image *image,
		       const struct element_edit *edit)
{
	size_t nest = element_open(writer);
	const struct nlattr *attr;
	struct span pattern = { 0 };

	if (edit->member)
		pattern = attr_span(edit->member->element);
	put_key(writer, image, edit->from, edit->to);
	if (edit->data)
		put_value(writer->wire, NFTA_SET_ELEM_DATA, edit->data,
			  image->data_bytes);
	attr_for_each(attr, pattern) {
		if (attribute_is_copied(edit, attr_type(attr)))
			wire_copy(writer->wire, attr);
	}
	wire_nest_end(writer->wire, nest);
	if (element_has_markers(image))
		put_end(writer, image, edit->to);
}

/* A member as it is, or as it becomes. */
static void put_member(struct writer *writer, const struct element_image *image,
		       const struct element_member *member)
{
	if (!member->edit) {
		put_element(writer, attr_span(member->element));
		if (member->end)
			put_element(writer, attr_span(member->end));
	} else if (member->edit->from) {
		put_edited(writer, image, member->edit);
	}
}

static void put_image(struct writer *writer, const struct element_image *image)
{
	if (image->null_end)
		put_element(writer, attr_span(image->null_end));
	for (size_t i = 0; i < image->count; i++) {
		put_member(writer, image, &image->members[i]);
		if (lost_its_end(image, i))
			put_end(writer, image, image->members[i].to);
	}
	for (const struct element_edit *edit = image->edits; edit; edit = edit->next) {
		if (edit->comes)
			put_edited(writer, image, edit);
	}
	list_close(writer);
}

static int take_elements(void *argument, const struct nlmsghdr *message)
{
	struct writer *writer = argument;
	const struct nlattr *attr;
	struct span list;

	list = attr_nest(attr_of_message(message, sizeof(struct nfgenmsg)),
			 NFTA_SET_ELEM_LIST_ELEMENTS);
	attr_for_each(attr, list)
		put_element(writer, attr_span(attr));
	return writer->wire->failed ? -ENOMEM : 0;
}

int set_write_twin(struct nft *nft, struct wire *wire, const struct ruleset_table *table,
		   const char *name, const struct set_header *header,
		   const struct set *loaded, uint32_t id, uint32_t *seq)
{
	struct writer writer = {
		.wire = wire, .table = table, .name = set_twin_name(header),
		.type = NFT_MSG_NEWSETELEM, .id = id, .seq = seq,
	};
	int r = 0;

	write_header(wire, table, header, loaded, id, ++*seq);
	if (loaded && !loaded->image.broken)
		put_image(&writer, &loaded->image);
	else
		r = ruleset_dump(nft, NFT_MSG_GETSETELEM, table, NFTA_SET_ELEM_LIST_TABLE,
				 NFTA_SET_ELEM_LIST_SET, name, take_elements, &writer);
	list_close(&writer);
	return r;
}

static void put_gone(struct writer *writer, const struct element_image *image,
		     const struct element_member *member)
{
	size_t nest = element_open(writer);

	put_key(writer, image, member->from, member->to);
	wire_nest_end(writer->wire, nest);
	if (element_has_markers(image) && member->end)
		put_end(writer, image, member->to);
}

size_t set_write_edits(struct wire *wire, const struct set *set, bool comes,
		       const struct element_edit **edit, uint32_t *seq, size_t last)
{
	const struct element_claim *claim = (*edit)->claim;
	struct writer writer = {
		.wire = wire, .table = set->table, .name = set->name, .seq = seq,
		.type = comes ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM,
		.message = last,
	};

	for (; *edit && (*edit)->claim == claim; *edit = (*edit)->next) {
		if (comes && (*edit)->from)
			put_edited(&writer, &set->image, *edit);
		else if (!comes && !(*edit)->comes)
			put_gone(&writer, &set->image, (*edit)->member);
	}
	list_close(&writer);
	return writer.message;
}
