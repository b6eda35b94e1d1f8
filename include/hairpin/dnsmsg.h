/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: internet */
/*
 * A DNS answer as bytes, read with suspicion (RFC 1035, section 4).
 *
 * The header, the one question and the answer section are looked at; authority and
 * additional sections are not. dnsmsg_read() walks the whole answer section once and
 * refuses the message if any byte of it lies, so that what comes after cannot fail.
 *
 * Names are text in lower case without the final dot; the root is "". A name with a
 * byte that is not printable, a dot inside a label or a backslash reads as "?", which
 * equals no name that anybody asks for.
 */
#ifndef HAIRPIN_DNSMSG_H
#define HAIRPIN_DNSMSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"

enum {
	DNSMSG_NAME_BYTES = 256,
	DNSMSG_ADDRESSES_MAX = 32,	/* what is beyond is not looked at */
	DNSMSG_TEXT_BYTES = 65,
	DNSMSG_HOPS_MAX = 8,		/* CNAMEs that are followed */
	DNSMSG_TTL_MAX_S = 7 * 86400,
};

enum dnsmsg_type {
	DNSMSG_A = 1, DNSMSG_NS = 2, DNSMSG_CNAME = 5, DNSMSG_TXT = 16, DNSMSG_AAAA = 28,
};

enum dnsmsg_class { DNSMSG_IN = 1, DNSMSG_CH = 3 };

enum dnsmsg_rcode { DNSMSG_NOERROR = 0, DNSMSG_NXDOMAIN = 3 };

struct dnsmsg {
	const uint8_t *bytes;		/* the caller's; must outlive this */
	size_t length;
	size_t answers_at;		/* offset of the answer section */
	unsigned answer_count;
	unsigned rcode;
	bool authoritative, truncated;
	unsigned type, class;		/* of the question */
	char name[DNSMSG_NAME_BYTES];	/* of the question */
};

/*
 * False: no answer to one question of class IN, or malformed anywhere up to its
 * answers' end.
 */
bool dnsmsg_read(const void *bytes, size_t length, struct dnsmsg *ret_message);

/* The same of another class. */
bool dnsmsg_read_class(const void *bytes, size_t length, enum dnsmsg_class class,
		       struct dnsmsg *ret_message);

struct dnsmsg_record {
	char owner[DNSMSG_NAME_BYTES];
	unsigned type;			/* 0: of another class than the question */
	/* within [0, DNSMSG_TTL_MAX_S]; RFC 2181 section 8 */
	uint32_t ttl_s;
	struct addr address;		/* of A and AAAA, else none */
	char target[DNSMSG_NAME_BYTES];	/* of CNAME and NS, else "" */
	/* of a TXT with one string, short and of printable ASCII, else "" */
	char text[DNSMSG_TEXT_BYTES];
};

struct dnsmsg_walk {			/* begins as {0} */
	size_t at;
	unsigned seen;
};

/* The next record of the answer section; false: there are no more. */
bool dnsmsg_next(const struct dnsmsg *message, struct dnsmsg_walk *walk,
		 struct dnsmsg_record *ret_record);

/* What a message says about the addresses of a name. */
struct dnsmsg_found {
	char name[DNSMSG_NAME_BYTES];	/* where its chain of CNAMEs ended */
	unsigned hops;			/* how many there were */
	struct addr addresses[DNSMSG_ADDRESSES_MAX];	/* of that name; each once */
	size_t address_count;
	/* the smallest of all that was used; 0 for none */
	uint32_t ttl_s;
};

/*
 * Follows CNAMEs from `name` within the message and gathers records of `type` (DNSMSG_A
 * or DNSMSG_AAAA). With `zone` only owners within that zone are believed; NULL: all.
 */
void dnsmsg_follow(const struct dnsmsg *message, const char *name, enum dnsmsg_type type,
		   const char *zone, struct dnsmsg_found *ret_found);

/* The same name, or one beneath; everything is under "". */
bool dnsmsg_name_is_under(const char *name, const char *zone);

#endif
