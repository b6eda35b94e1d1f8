/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state of an update; shared by dnsupdate.c (the way through its messages) and
 * dnsupdate_judge.c (what an answer means).
 */
#ifndef PROVIDER_DNSUPDATE_STATE_H
#define PROVIDER_DNSUPDATE_STATE_H

#include "dnswire.h"
#include "hairpin/dnsupdate.h"
#include "tsig.h"

enum dnsupdate_step { DNSUPDATE_FIND, DNSUPDATE_PROBE, DNSUPDATE_WRITE };

struct dnsupdate_entry {
	const char *hostname;
	struct addr address;
	struct dnsname name;
	struct dnsname zone;		/* none: to be found */
	bool alone;			/* not together with others again */
	bool asked;			/* the message speaks of it */
	enum message_verdict verdict;	/* 0: not judged */
	char text[MESSAGE_TEXT_BYTES];
};

struct dnsupdate {
	char host[MESSAGE_HOSTNAME_BYTES];
	uint16_t port;
	uint32_t ttl_s;
	struct tsig_key key;
	struct dnsupdate_entry entries[MESSAGE_RECORDS_MAX];
	size_t count;

	enum dnsupdate_step step;
	bool again;			/* the same records, in the next step */
	size_t first;			/* entry that the message was made for */
	struct dnsname looked_for;	/* FIND: it, or a name above it; none: begin */
	struct text message;
	uint16_t id;
	int64_t signed_s;
	struct hash mac;
	char doubt[MESSAGE_TEXT_BYTES];	/* what came and was not believed */
};

/* For every entry of the message. */
void dnsupdate_conclude(struct dnsupdate *update, enum message_verdict verdict,
			const char *text);
/* For every entry that is not judged. */
void dnsupdate_conclude_all(struct dnsupdate *update, enum message_verdict verdict,
			    const char *text);

#endif
