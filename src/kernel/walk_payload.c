/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a packet that does not exist: what is known of the first packet of a
 * connection. RFC 791, RFC 8200, RFC 9293, RFC 768.
 */
#include "walk_private.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/in.h>

enum { IPV4_BYTES = 20, IPV6_BYTES = 40, TCP_BYTES = 20, BYTES_MAX = 128 };

struct image {
	struct walk_byte bytes[BYTES_MAX];
};

static void put(struct image *image, size_t at, const void *bytes, size_t length,
		enum walk_miss about)
{
	for (size_t i = 0; i < length; i++)
		image->bytes[at + i] = (struct walk_byte){
			((const uint8_t *)bytes)[i], 0xff, (uint8_t)about };
}

static void put_bits(struct image *image, size_t at, uint8_t value, uint8_t known)
{
	image->bytes[at] = (struct walk_byte){ value, known, WALK_MISS_OTHER };
}

static void put_port(struct image *image, size_t at, uint16_t port)
{
	port = htons(port);
	put(image, at, &port, sizeof(port), WALK_MISS_PORT);
}

/* No fragment and no options; what it is marked with, its length and TTL nobody knows. */
static void write_ipv4(const struct walk_state *state, struct image *image)
{
	put_bits(image, 0, 0x45, 0xff);
	put_bits(image, 6, 0, 0xbf);		/* but for "do not fragment" */
	put_bits(image, 7, 0, 0xff);
	put(image, 9, &state->protocol, 1, WALK_MISS_PROTOCOL);
	put(image, 12, state->source.bytes, 4, WALK_MISS_SOURCE);
	put(image, 16, state->destination.bytes, 4, WALK_MISS_DESTINATION);
}

static void write_ipv6(const struct walk_state *state, struct image *image)
{
	put_bits(image, 0, 0x60, 0xf0);
	put(image, 6, &state->protocol, 1, WALK_MISS_PROTOCOL);
	put(image, 8, state->source.bytes, 16, WALK_MISS_SOURCE);
	put(image, 24, state->destination.bytes, 16, WALK_MISS_DESTINATION);
}

/* SYN and nothing else, but that ECN may be offered; the answer has ACK as well. */
static void write_transport(const struct walk_state *state, struct image *image,
			    size_t at)
{
	put_port(image, at, state->source_port);
	put_port(image, at + 2, state->destination_port);
	if (state->protocol != IPPROTO_TCP)
		return;
	if (!state->first)
		put(image, at + 8, "\0\0\0", 4, WALK_MISS_OTHER);
	put_bits(image, at + 13, state->first ? 0x12 : 0x02, 0x3f);
	put(image, at + 18, "\0", 2, WALK_MISS_OTHER);
}

static size_t write_packet(const struct walk_state *state, struct image *image)
{
	size_t header = state->family == AF_INET ? IPV4_BYTES : IPV6_BYTES;

	for (size_t i = 0; i < BYTES_MAX; i++)
		image->bytes[i] = (struct walk_byte){ .about = WALK_MISS_OTHER };
	if (state->family == AF_INET)
		write_ipv4(state, image);
	else
		write_ipv6(state, image);
	write_transport(state, image, header);
	return header;
}

/* False: packets that came by such a link, or were made here, have no such header. */
static bool write_frame(const struct walk_state *state, struct image *image)
{
	static const uint8_t nobody[6];
	uint16_t type = htons(state->family == AF_INET ? ETHERTYPE_IP : ETHERTYPE_IPV6);

	if (!state->in || state->own || state->in->type != ARPHRD_ETHER)
		return false;
	for (size_t i = 0; i < BYTES_MAX; i++)
		image->bytes[i] = (struct walk_byte){ .about = WALK_MISS_OTHER };
	put(image, 0, state->in->mac, 6, WALK_MISS_OTHER);
	if (memcmp(state->question->packet.mac, nobody, sizeof(nobody)) != 0)
		put(image, 6, state->question->packet.mac, 6, WALK_MISS_SOURCE);
	else
		for (size_t i = 6; i < 12; i++)
			image->bytes[i].about = WALK_MISS_SOURCE;
	put(image, 12, &type, sizeof(type), WALK_MISS_PROTOCOL);
	return true;
}

static bool is_known_base(const struct walk_op *op)
{
	return op->key == NFT_PAYLOAD_NETWORK_HEADER ||
	       op->key == NFT_PAYLOAD_TRANSPORT_HEADER ||
	       op->key == NFT_PAYLOAD_LL_HEADER;
}

enum walk_answer walk_load_payload(struct walk_state *state, const struct walk_op *op,
				   enum walk_miss *ret_about)
{
	struct image image;
	size_t at = op->offset;

	if (op->key == NFT_PAYLOAD_LL_HEADER) {
		*ret_about = WALK_MISS_OTHER;
		if (!write_frame(state, &image))
			return WALK_NO;
	} else {
		size_t header = write_packet(state, &image);

		at += op->key == NFT_PAYLOAD_TRANSPORT_HEADER ? header : 0;
	}
	if (!is_known_base(op) || at + op->length > BYTES_MAX) {
		walk_store_unknown(state, op->target, op->length, WALK_MISS_OTHER);
		return WALK_YES;
	}
	walk_store(state, op->target, "", 0, WALK_MATCHES);
	for (size_t i = 0; i < (op->length + 3U) / 4 * 4; i++)
		state->registers[op->target + i] = i < op->length
			? image.bytes[at + i] : (struct walk_byte){ .known = 0xff };
	return WALK_YES;
}

static struct addr read_address(const struct walk_state *state, const struct image *image,
				size_t at)
{
	uint8_t bytes[16];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = image->bytes[at + i].value;
	return addr_from_bytes(state->family, bytes);
}

static uint16_t read_port(const struct image *image, size_t at)
{
	return (uint16_t)(image->bytes[at].value << 8 | image->bytes[at + 1].value);
}

/* Addresses and ports that a rule writes into the packet itself. */
enum walk_answer walk_set_payload(struct walk_state *state, const struct walk_op *op,
				  struct walk_verdict *ret_verdict)
{
	bool ipv4 = state->family == AF_INET;
	struct image image;
	size_t header = write_packet(state, &image);
	size_t at = op->offset + (op->key == NFT_PAYLOAD_TRANSPORT_HEADER ? header : 0);

	if (!is_known_base(op) || at + op->length > BYTES_MAX)
		return WALK_MAYBE;
	for (size_t i = 0; i < op->length; i++) {
		image.bytes[at + i] = state->registers[op->source + i];
		if (image.bytes[at + i].known != 0xff)
			return WALK_MAYBE;
	}
	state->source = read_address(state, &image, ipv4 ? 12 : 8);
	state->destination = read_address(state, &image, ipv4 ? 16 : 24);
	state->source_port = read_port(&image, header);
	state->destination_port = read_port(&image, header + 2);
	ret_verdict->name = "set";
	return WALK_YES;
}
