/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the expressions of one rule say about destinations. Pure: bytes in, a view out.
 *
 * nf_tables compares registers, not fields: a rule loads bytes of a header into a
 * register and a later expression compares some of them. So we keep, for every byte of
 * the register file, where it came from, and look at compares for bytes that came from
 * the destination address. Loads that span several fields, concatenations and any order
 * of matches then need no code of their own.
 */
#ifndef KERNEL_RULE_H
#define KERNEL_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attr.h"

enum {
	RULE_SPOTS_MAX = 8,
	RULE_LOOKUPS_MAX = 32,
	RULE_EXPRESSIONS_MAX = 128,	/* NFT_RULE_MAXEXPRS of the kernel */
};

enum rule_side_index { RULE_IPV4, RULE_IPV6, RULE_SIDES };

/* The destination address in the network header: RFC 791, RFC 8200. */
extern const struct rule_field { uint8_t offset, length; } rule_destination[RULE_SIDES];

/*
 * What the address is compared with: the packet's header, or the connection's first
 * packet; or it is what snat puts there.
 */
enum rule_source { RULE_HEADER, RULE_ORIGINAL, RULE_SNAT, RULE_SOURCES };

/* Other ways to name a destination than by its first bits. */
enum rule_form {
	RULE_NOT         = 1 << 0,	/* != */
	RULE_PREFIX      = 1 << 1,	/* only the first bytes are compared */
	RULE_MASK        = 1 << 2,
	RULE_LAST_BITS   = 1 << 3,	/* not even the first bit is compared */
	RULE_RANGE       = 1 << 4,
	RULE_XT_RANGE    = 1 << 5,	/* iprange --dst-range A-B */
	RULE_XT_ORIGINAL = 1 << 6,	/* conntrack --ctorigdst, masked */
	RULE_XT_SET      = 1 << 7,	/* an ipset */
	RULE_FIB         = 1 << 8,	/* what kind of address it is */
	RULE_SHORT       = 1 << 9,	/* fewer bits than follow the WAN */
	RULE_XT_NOT      = 1 << 10,	/* excluded by an xt extension */
};

/* An address that stands in the rule itself. */
struct rule_spot {
	size_t at;			/* its first byte's offset in the expressions */
	enum rule_source source;
	uint8_t length;			/* so many of its bytes are there */
	uint8_t bits;			/* so many first bits count: 32, 128 or a prefix */
	bool masked;			/* a prefix by mask, not by a shorter load */
	bool xt;			/* in an xt extension */
};

struct rule_side {
	struct rule_spot spots[RULE_SPOTS_MAX];
	size_t spot_count;
	unsigned forms[RULE_SOURCES];	/* enum rule_form */
};

/* An expression that refers to a set or map by name. */
struct rule_lookup {
	struct span set;		/* its name */
	int key_at[RULE_SIDES];		/* where the address stands in it; -1: none */
	enum rule_source source;	/* of that address */
	bool masked;			/* only bits of it */
	int port_at;			/* where the destination port stands; -1: none */
	int protocol_at;		/* and that of the transport */
	bool map;			/* gives data or a verdict */
	bool verdict;
	bool inverted;
	bool dynamic;			/* adds to the set: a meter, if anonymous */
	/*
	 * A map that snat takes its address from: where in an element's data the first
	 * and the last one stand (one place where it takes no range). -1: none.
	 */
	int snat_at, snat_last_at;
	enum rule_side_index snat_side;
};

enum rule_ports_state { RULE_PORTS_ANY, RULE_PORTS_KNOWN, RULE_PORTS_OPEN };

struct rule_view {
	bool broken;			/* could not be read to the end */
	struct rule_side side[RULE_SIDES];
	int family;			/* AF_* that its table or itself demands, 0: none */
	int nat_family;			/* AF_* of its dnat or snat, 0: not said */
	bool dnat;			/* dnat or redirect, native or xt */
	bool netmap;			/* xt NETMAP: its hook says which */
	bool jump;			/* jump or goto, also by verdict map */
	struct span jump_to;		/* the chain; empty: none, or by verdict map */
	bool snat_to;
	/* Has expressions that nobody here knows, or reads what none has written. */
	bool unknown;
	unsigned expression_count;
	bool xt;			/* xt extensions: needs NFTA_RULE_COMPAT */
	uint32_t compat_protocol;
	bool compat_inverted;
	uint8_t protocol;		/* of the transport, 0: any */
	enum rule_ports_state ports;
	uint16_t port_first, port_last;
	struct span multiport;		/* the data of the xt match of that name */
	struct rule_lookup lookups[RULE_LOOKUPS_MAX];
	size_t lookup_count;
};

/* Reads the payload of NFTA_RULE_EXPRESSIONS; `family`: NFPROTO_* of the table. */
void rule_read(struct span expressions, int family, struct rule_view *ret_view);

/*
 * One expression of a list: false when it is none. `ret_data` is empty where there are
 * no attributes.
 */
bool rule_expression(const struct nlattr *element, struct span *ret_name,
		     struct span *ret_data);

/* The chain a verdict (NFTA_DATA_VERDICT) jumps or goes to; false: none. */
bool rule_verdict_chain(struct span verdict, struct span *ret_chain);

/*
 * The comments of a rule, one after the other: userdata first, then xt "comment"
 * matches. `index` starts at 0 and counts up; false: no more. The text has no NUL.
 */
bool rule_comment(struct span userdata, struct span expressions, size_t index,
		  struct span *ret_text);

/*
 * The comment in userdata: TLVs of one byte type and one byte length that fill the
 * attribute exactly, type `type`, one final NUL and none inside. False: none that is
 * well-formed.
 */
bool rule_userdata_comment(struct span userdata, uint8_t type, struct span *ret_text);

enum { RULE_USERDATA_COMMENT = 0, SET_USERDATA_COMMENT = 7 };

#endif
