/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known about a packet beside its bytes.
 */
#include "walk_private.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <net/ethernet.h>

static void store_u32(struct walk_state *state, const struct walk_op *op, uint32_t value,
		      enum walk_miss about)
{
	walk_store(state, op->target, &value, sizeof(value), about);
}

static void store_u8(struct walk_state *state, const struct walk_op *op, uint8_t value,
		     enum walk_miss about)
{
	walk_store(state, op->target, &value, sizeof(value), about);
	for (size_t i = 0; i < 4; i++)
		state->registers[op->target + i].about = (uint8_t)about;
}

static void store_text(struct walk_state *state, const struct walk_op *op,
		       const char *text, enum walk_miss about)
{
	char padded[IFNAMSIZ] = "";

	memcpy(padded, text, strnlen(text, sizeof(padded) - 1));
	walk_store(state, op->target, padded, sizeof(padded), about);
}

static void store_unknown(struct walk_state *state, const struct walk_op *op)
{
	walk_store_unknown(state, op->target, NFT_REG_SIZE, WALK_MISS_OTHER);
}

/* Where there is no link the number is 0 and the name empty; the rest do not match. */
static bool load_link(struct walk_state *state, const struct walk_op *op,
		      const struct router_link *link, uint32_t key, enum walk_miss about)
{
	switch (key) {
	case NFT_META_IIF:
		store_u32(state, op, link ? link->index : 0, about);
		return true;
	case NFT_META_IIFNAME:
		store_text(state, op, link ? link->name : "", about);
		return true;
	case NFT_META_IIFTYPE:
		if (link)
			walk_store(state, op->target, &link->type, 2, about);
		return link;
	case NFT_META_IIFGROUP:
		if (link)
			store_u32(state, op, link->group, about);
		return link;
	default:
		if (link)
			store_text(state, op, link->kind, about);
		return link;
	}
}

/* The same key for the link it comes by. */
static uint32_t in_key(uint32_t key)
{
	switch (key) {
	case NFT_META_OIF: return NFT_META_IIF;
	case NFT_META_OIFNAME: return NFT_META_IIFNAME;
	case NFT_META_OIFTYPE: return NFT_META_IIFTYPE;
	case NFT_META_OIFGROUP: return NFT_META_IIFGROUP;
	default: return NFT_META_IIFKIND;
	}
}

/* Of a VRF's ports the VRF is the link it came by. */
static void load_slave(struct walk_state *state, const struct walk_op *op)
{
	if (state->in && strcmp(state->in->kind, "vrf") == 0)
		store_unknown(state, op);
	else if (op->key == NFT_META_SDIF)
		store_u32(state, op, 0, WALK_MISS_IN);
	else
		store_text(state, op, "", WALK_MISS_IN);
}

static void load_mark(struct walk_state *state, const struct walk_op *op)
{
	if (state->mark_known)
		store_u32(state, op, state->mark, WALK_MISS_STATE);
	else
		walk_store_unknown(state, op->target, 4, WALK_MISS_STATE);
}

static void load_protocol(struct walk_state *state, const struct walk_op *op)
{
	uint16_t type = htons(state->family == AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6);

	walk_store(state, op->target, &type, sizeof(type), WALK_MISS_PROTOCOL);
}

enum walk_answer walk_load_meta(struct walk_state *state, const struct walk_op *op,
				enum walk_miss *ret_about)
{
	switch (op->key) {
	case NFT_META_IIF: case NFT_META_IIFNAME: case NFT_META_IIFTYPE:
	case NFT_META_IIFGROUP: case NFT_META_IIFKIND:
		*ret_about = WALK_MISS_IN;
		return load_link(state, op, state->in, op->key, WALK_MISS_IN)
			? WALK_YES : WALK_NO;
	case NFT_META_OIF: case NFT_META_OIFNAME: case NFT_META_OIFTYPE:
	case NFT_META_OIFGROUP: case NFT_META_OIFKIND:
		*ret_about = WALK_MISS_OUT;
		return load_link(state, op, state->out, in_key(op->key), WALK_MISS_OUT)
			? WALK_YES : WALK_NO;
	case NFT_META_SDIF: case NFT_META_SDIFNAME:
		load_slave(state, op);
		break;
	case NFT_META_MARK:
		load_mark(state, op);
		break;
	case NFT_META_PROTOCOL:
		load_protocol(state, op);
		break;
	case NFT_META_NFPROTO:
		store_u8(state, op, state->family == AF_INET ? NFPROTO_IPV4
							     : NFPROTO_IPV6,
			 WALK_MISS_PROTOCOL);
		break;
	case NFT_META_L4PROTO:
		store_u8(state, op, state->protocol, WALK_MISS_PROTOCOL);
		break;
	case NFT_META_PKTTYPE:
		store_u8(state, op, PACKET_HOST, WALK_MISS_OTHER);
		break;
	case NFT_META_NFTRACE: case NFT_META_SECPATH:
		store_u8(state, op, 0, WALK_MISS_OTHER);
		break;
	case NFT_META_SKUID: case NFT_META_SKGID: case NFT_META_CGROUP:
		*ret_about = WALK_MISS_OTHER;
		if (!state->own)	/* nobody's socket yet */
			return WALK_NO;
		store_unknown(state, op);
		break;
	default:
		store_unknown(state, op);
	}
	return WALK_YES;
}

/* --- its connection --- */

static uint32_t state_bit(const struct walk_state *state)
{
	if (state->tracking == WALK_TRACKED)
		return state->first ? 1U << 1 : 1U << 3;	/* established, new */
	return state->tracking == WALK_UNTRACKED ? 1U << 6 : 1U << 0;
}

/* Of either direction. */
static void load_address(struct walk_state *state, const struct walk_op *op, bool source)
{
	bool reply = op->direction == 1;
	const struct addr *address;
	struct walk_host host;

	if (reply) {
		host = source ? walk_answering(state) : walk_answered(state);
		address = &host.address;
	} else
		address = source ? &state->original_source
				 : &state->original_destination;
	walk_store(state, op->target, address->bytes, addr_length_bytes(address),
		   source != reply ? WALK_MISS_SOURCE : WALK_MISS_DESTINATION);
}

static void load_port(struct walk_state *state, const struct walk_op *op, bool source)
{
	bool reply = op->direction == 1;
	uint16_t port;

	if (reply)
		port = source ? walk_answering(state).port : walk_answered(state).port;
	else
		port = source ? state->original_source_port
			      : state->original_destination_port;
	port = htons(port);
	walk_store(state, op->target, &port, sizeof(port), WALK_MISS_PORT);
}

static bool is_of_other_family(const struct walk_state *state, uint32_t key)
{
	if (key == NFT_CT_SRC_IP || key == NFT_CT_DST_IP)
		return state->family != AF_INET;
	return (key == NFT_CT_SRC_IP6 || key == NFT_CT_DST_IP6) &&
	       state->family != AF_INET6;
}

static void load_tracked(struct walk_state *state, const struct walk_op *op)
{
	switch (op->key) {
	case NFT_CT_DIRECTION:
		store_u8(state, op, state->first != NULL, WALK_MISS_STATE);
		break;
	case NFT_CT_STATUS:
		store_u32(state, op, state->status, WALK_MISS_STATE);
		break;
	case NFT_CT_MARK:
		if (state->ct_mark_known)
			store_u32(state, op, state->ct_mark, WALK_MISS_STATE);
		else
			walk_store_unknown(state, op->target, 4, WALK_MISS_STATE);
		break;
	case NFT_CT_ZONE:
		walk_store(state, op->target, &state->zone, 2, WALK_MISS_STATE);
		break;
	case NFT_CT_L3PROTOCOL:
		store_u8(state, op, state->family == AF_INET ? NFPROTO_IPV4
							     : NFPROTO_IPV6,
			 WALK_MISS_PROTOCOL);
		break;
	case NFT_CT_PROTOCOL:
		store_u8(state, op, state->protocol, WALK_MISS_PROTOCOL);
		break;
	case NFT_CT_SRC: case NFT_CT_SRC_IP: case NFT_CT_SRC_IP6:
		load_address(state, op, true);
		break;
	case NFT_CT_DST: case NFT_CT_DST_IP: case NFT_CT_DST_IP6:
		load_address(state, op, false);
		break;
	case NFT_CT_PROTO_SRC:
		load_port(state, op, true);
		break;
	case NFT_CT_PROTO_DST:
		load_port(state, op, false);
		break;
	default:
		store_unknown(state, op);
	}
}

enum walk_answer walk_load_ct(struct walk_state *state, const struct walk_op *op,
			      enum walk_miss *ret_about)
{
	if (op->key == NFT_CT_STATE) {
		store_u32(state, op, state_bit(state), WALK_MISS_STATE);
		return WALK_YES;
	}
	*ret_about = WALK_MISS_STATE;
	if (state->tracking != WALK_TRACKED)
		return WALK_NO;
	*ret_about = WALK_MISS_PROTOCOL;
	if (is_of_other_family(state, op->key))
		return WALK_NO;
	load_tracked(state, op);
	return WALK_YES;
}
