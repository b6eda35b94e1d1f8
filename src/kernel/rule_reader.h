/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of rule_read(): the register file and the expressions that fill it.
 */
#ifndef KERNEL_RULE_READER_H
#define KERNEL_RULE_READER_H

#include "rule.h"

enum { READER_BYTES = 64 };	/* NFT_REG32_COUNT * NFT_REG32_SIZE */

enum reader_from {
	FROM_NOTHING,		/* never written by this rule */
	FROM_UNKNOWN,
	FROM_NETWORK,		/* offset: within the network header */
	FROM_TRANSPORT,
	FROM_NFPROTO,
	FROM_ETHERTYPE,		/* meta protocol */
	FROM_L4PROTO,
	FROM_ORIGINAL,		/* ct original daddr; offset: within the address */
	FROM_ORIGINAL_IPV4,
	FROM_ORIGINAL_IPV6,
	FROM_IMMEDIATE,		/* origin: where its value begins in the expressions */
	FROM_MAP,		/* origin: which lookup */
};

struct reader_byte {
	uint8_t from;		/* enum reader_from */
	uint8_t offset;
	uint8_t mask;		/* the bits that are left of it, the others are 0 */
	bool computed;		/* changed in another way */
	uint32_t origin;
};

struct reader {
	const uint8_t *start;	/* of the expressions */
	struct reader_byte bytes[READER_BYTES];
	struct rule_view *view;
};

/* Takes in one expression; false when it is malformed. */
bool reader_expression(struct reader *reader, struct span name, struct span data);

/* nat, and the xt extensions. */
bool reader_nat(struct reader *reader, const struct nlattr **table);
bool reader_xt_match(struct reader *reader, const struct nlattr **table);
bool reader_xt_target(struct reader *reader, const struct nlattr **table);

/* An address that stands in the rule at `spot->at`. */
void reader_note_spot(struct reader *reader, enum rule_side_index side,
		      const struct rule_spot *spot);

/* Something reads these bytes: they should have been written. */
void reader_use(struct reader *reader, size_t place, size_t length);

/* Where a register's bytes lie; false: no such register, or it runs over the end. */
bool reader_place(uint32_t reg, size_t length, size_t *ret_place);

/* A compare of the bytes at `place` with `value`. */
void reader_compare(struct reader *reader, size_t place, uint32_t op, struct span value);

/* The rule takes only these destination ports (beside what it already demands). */
void reader_ports(struct reader *reader, uint16_t first, uint16_t last);

/* What there is of a destination address. */
struct reader_finding {
	bool touched;		/* some byte of it is there */
	bool masked;		/* not all bits of what is there */
	bool left;		/* any bit of what is there */
	bool computed;		/* some of it was changed in another way */
	size_t at;		/* where its first bytes are */
	uint8_t length;		/* so many of them in order; 0: the first is not there */
	uint8_t bits;		/* so many of their first bits that none is lacking */
	bool whole;		/* all bytes are there; some may be masked */
	enum rule_source source;
};

void reader_find(const struct reader *reader, size_t place, size_t length,
		 enum rule_side_index side, struct reader_finding *ret_finding);

/*
 * `run` bytes from `from`, beginning with its `offset`; relative to `place`, -1: not
 * there.
 */
int reader_find_run(const struct reader *reader, size_t place, size_t length,
		    enum reader_from from, uint8_t offset, size_t run);

/* Where the transport's protocol stands, by meta or by the IPv4 header; -1: not there. */
int reader_protocol(const struct reader *reader, size_t place, size_t length);

#endif
