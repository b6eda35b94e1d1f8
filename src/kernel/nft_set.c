/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft_set.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

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
	struct span attributes = attr_of_message(message, sizeof(struct nfgenmsg));

	context->header->attributes.bytes =
		arena_copy(context->arena, attributes.bytes, attributes.length);
	context->header->attributes.length = attributes.length;
	attr_be32(attr_find(attributes, NFTA_SET_FLAGS), &context->header->flags);
	attr_be32(attr_find(attributes, NFTA_SET_KEY_LEN), &context->header->key_bytes);
	return context->header->attributes.bytes ? 0 : -ENOMEM;
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

static void write_header(struct wire *wire, const struct ruleset_table *table,
			 const struct set_header *header, uint32_t id, uint32_t seq)
{
	const struct nlattr *attr;
	size_t message;

	message = wire_nf_message(wire, nft_type(NFT_MSG_NEWSET), NLM_F_CREATE, seq,
				  (uint8_t)table->family);
	wire_put_string(wire, NFTA_SET_TABLE, table->name);
	wire_put_string(wire, NFTA_SET_NAME, set_twin_name(header));
	wire_put_be32(wire, NFTA_SET_ID, id);
	attr_for_each(attr, header->attributes) {
		if (header_attribute_travels(attr_type(attr)))
			wire_copy(wire, attr);
	}
	wire_message_end(wire, message);
}

/* The twin's elements while they arrive: one message holds at most LIST_BYTES of them. */
struct twin {
	struct wire *wire;
	const struct ruleset_table *table;
	const struct set_header *header;
	uint32_t id;
	uint32_t *seq;
	size_t message, list;
	bool open;
};

static void list_open(struct twin *twin)
{
	struct wire *wire = twin->wire;

	twin->message = wire_nf_message(wire, nft_type(NFT_MSG_NEWSETELEM), NLM_F_CREATE,
					++*twin->seq, (uint8_t)twin->table->family);
	wire_put_string(wire, NFTA_SET_ELEM_LIST_TABLE, twin->table->name);
	wire_put_string(wire, NFTA_SET_ELEM_LIST_SET, set_twin_name(twin->header));
	wire_put_be32(wire, NFTA_SET_ELEM_LIST_SET_ID, twin->id);
	twin->list = wire_nest(wire, NFTA_SET_ELEM_LIST_ELEMENTS);
	twin->open = true;
}

static void list_close(struct twin *twin)
{
	if (!twin->open)
		return;
	wire_nest_end(twin->wire, twin->list);
	wire_message_end(twin->wire, twin->message);
	twin->open = false;
}

static void write_element(struct twin *twin, struct span element)
{
	const struct nlattr *attr;
	size_t nest;

	if (twin->open && twin->wire->length - twin->list > LIST_BYTES)
		list_close(twin);
	if (!twin->open)
		list_open(twin);
	nest = wire_nest(twin->wire, NFTA_LIST_ELEM);
	attr_for_each(attr, element) {
		if (attr_type(attr) != NFTA_SET_ELEM_PAD)
			wire_copy(twin->wire, attr);
	}
	wire_nest_end(twin->wire, nest);
}

static int take_elements(void *argument, const struct nlmsghdr *message)
{
	struct twin *twin = argument;
	const struct nlattr *attr;
	struct span list;

	list = attr_nest(attr_of_message(message, sizeof(struct nfgenmsg)),
			 NFTA_SET_ELEM_LIST_ELEMENTS);
	attr_for_each(attr, list)
		write_element(twin, attr_span(attr));
	return twin->wire->failed ? -ENOMEM : 0;
}

int set_write_twin(struct nft *nft, struct wire *wire, const struct ruleset_table *table,
		   const char *name, const struct set_header *header, uint32_t id,
		   uint32_t *seq)
{
	struct twin twin = {
		.wire = wire, .table = table, .header = header, .id = id, .seq = seq,
	};
	int r;

	write_header(wire, table, header, id, ++*seq);
	r = ruleset_dump(nft, NFT_MSG_GETSETELEM, table, NFTA_SET_ELEM_LIST_TABLE,
			 NFTA_SET_ELEM_LIST_SET, name, take_elements, &twin);
	list_close(&twin);
	return r;
}
