/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The messages of DNS UPDATE as bytes: ours are made by ldns, those that come are walked
 * to their last byte, names by ldns.
 */
#ifndef PROVIDER_DNSWIRE_H
#define PROVIDER_DNSWIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/addr.h"
#include "hairpin/err.h"
#include "hairpin/text.h"
#include "dnsname.h"
#include "tsig.h"

enum dnswire_opcode { DNSWIRE_QUERY = 0, DNSWIRE_UPDATE = 5 };

/* RFC 1035, 4.1.1; RFC 2136, 2.2. */
enum dnswire_rcode {
	DNSWIRE_NOERROR, DNSWIRE_FORMERR, DNSWIRE_SERVFAIL, DNSWIRE_NXDOMAIN,
	DNSWIRE_NOTIMP, DNSWIRE_REFUSED, DNSWIRE_YXDOMAIN, DNSWIRE_YXRRSET,
	DNSWIRE_NXRRSET, DNSWIRE_NOTAUTH, DNSWIRE_NOTZONE,
};

struct dnswire_record {
	const struct dnsname *name;
	struct addr address;
};

/* --- ours; -ENOMEM --- */

/* Which zone is the name in? SOA, without recursion. */
int dnswire_make_question(uint16_t id, const struct dnsname *name,
			  struct text *out) must_check;

/* Does each name hold exactly its address, and no other of the family? Changes nothing. */
int dnswire_make_probe(uint16_t id, const struct dnsname *zone,
		       const struct dnswire_record *records, size_t count,
		       struct text *out) must_check;

/* Where none of the names is an alias: each gets its address instead of the family's. */
int dnswire_make_update(uint16_t id, const struct dnsname *zone, uint32_t ttl_s,
			const struct dnswire_record *records, size_t count,
			struct text *out) must_check;

/* --- what comes --- */

struct dnswire_answer {
	uint16_t id;
	unsigned opcode, rcode;
	bool response, authoritative;
	bool truncated;			/* then nothing behind the header was read */
	bool has_question;		/* UPDATE answers may leave their zone out */
	struct dnsname question;
	unsigned question_type, question_class;
	struct dnsname soa;		/* owner of its first SOA record; none */
	size_t tsig_at;			/* 0: not signed */
	struct tsig_record tsig;	/* points into the message */
};

/*
 * False: malformed anywhere, bytes left over, more than one question, or a TSIG record
 * that is not the last. `bytes` must outlive the answer.
 */
bool dnswire_read(const uint8_t *bytes, size_t length, struct dnswire_answer *ret_answer);

#endif
