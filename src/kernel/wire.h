/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing netlink messages into a buffer that grows.
 *
 * libmnl's own writers want the final room beforehand and leave padding bytes as they
 * were; here the buffer grows, padding is zero, and a failed allocation is remembered:
 * check `failed` once, at the end. Places in the buffer are offsets, since it moves.
 */
#ifndef KERNEL_WIRE_H
#define KERNEL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attr.h"

struct wire {
	uint8_t *bytes;
	size_t length, room;
	bool failed;
};

void wire_done(struct wire *wire);
#define WIRE_CLEANUP __attribute__((cleanup(wire_done)))

/* A message with its family header; gives its place for wire_message_end(). */
size_t wire_message(struct wire *wire, uint16_t type, uint16_t flags, uint32_t seq,
		    const void *header, size_t header_bytes);
/* The same for netfilter: nfgenmsg of `family`. */
size_t wire_nf_message(struct wire *wire, uint16_t type, uint16_t flags, uint32_t seq,
		       uint8_t family);
void wire_message_end(struct wire *wire, size_t message);

void wire_put(struct wire *wire, uint16_t type, const void *bytes, size_t length);
void wire_put_string(struct wire *wire, uint16_t type, const char *string);
void wire_put_be32(struct wire *wire, uint16_t type, uint32_t number);
void wire_put_u32(struct wire *wire, uint16_t type, uint32_t number);
void wire_put_be64(struct wire *wire, uint16_t type, uint64_t number);
void wire_copy(struct wire *wire, const struct nlattr *attr);

size_t wire_nest(struct wire *wire, uint16_t type);
void wire_nest_end(struct wire *wire, size_t nest);

/* Bytes as they are, padded to a multiple of 4. */
void wire_add(struct wire *wire, const void *bytes, size_t length);

#endif
