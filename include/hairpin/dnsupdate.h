/* SPDX-License-Identifier: GPL-2.0-or-later */
/* room: provider */
/*
 * DNS UPDATE (RFC 2136) with TSIG (RFC 8945): a job's records in, signed messages out; an
 * answer in, a verdict for each record out. Pure: no socket, no clock.
 *
 * The way of a job:
 *
 *	FIND	where no zone was set: a SOA question for each name, signed as well, so
 *		that a server with several views answers from the one we update. The
 *		server is asked, not the system's resolver: what is updated may be a
 *		hidden primary or live inside only.
 *	PROBE	an update that holds prerequisites alone: each name has just the wanted
 *		address. Where that is so, all is UNCHANGED and the zone's serial stays;
 *		some servers raise it for a record that is replaced by itself. It costs
 *		a round trip and finds a wrong key before anything is written.
 *	WRITE	all records of the zone in one message, which the server takes as a
 *		whole: the family's addresses of each name are deleted and the wanted
 *		one is added. Nothing else of the name is touched. Prerequisite: no name
 *		is an alias, because an address beside a CNAME is dropped without a word
 *		(RFC 2136, 3.4.2.2).
 *
 * What is refused for several records together may be the fault of one (an alias, an
 * update policy): each is tried once more alone.
 *
 * The TTL is the setting's, each time: a message cannot say "as it was".
 *
 * Only an answer that our key signed is believed. One exception: a refusal that is not
 * signed is a refusal when it came over TCP, since a server that does not know the key
 * cannot sign; over UDP, where anybody may have sent it, the question is put again over
 * TCP. An unsigned REFUSED, which does not say why, is TRANSIENT; with our signature it is
 * FORBIDDEN.
 */
#ifndef HAIRPIN_DNSUPDATE_H
#define HAIRPIN_DNSUPDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hairpin/err.h"
#include "hairpin/message.h"
#include "hairpin/provider.h"

struct dnsupdate;

/*
 * `job` is borrowed, but for what `catalogue->update` makes of its settings. -EINVAL: a
 * setting makes no sense; `ret_err` says which. -ENOMEM.
 */
int dnsupdate_new(const struct provider_job *job, struct dnsupdate **ret_update,
		  struct err *ret_err) must_check;
void dnsupdate_free(struct dnsupdate *update);	/* wipes; NULL is fine */

/* Whom to tell; lives as long as the update. */
const char *dnsupdate_host(const struct dnsupdate *update);
uint16_t dnsupdate_port(const struct dnsupdate *update);

struct dnsupdate_message {
	const void *bytes;		/* until the next call for another */
	size_t length;
};

/* The next message; true while there is one. Its answer, or its failure, comes before. */
bool dnsupdate_next(struct dnsupdate *update, const struct provider_moment *moment,
		    struct dnsupdate_message *ret_message) must_check;

enum dnsupdate_taken {
	DNSUPDATE_TAKEN,		/* on to the next message */
	DNSUPDATE_IGNORED,		/* not the answer: wait on */
	DNSUPDATE_OVER_TCP,		/* the same message again, over TCP */
};

/* Bytes that came from the server's address while a message was waiting. */
enum dnsupdate_taken dnsupdate_answer(struct dnsupdate *update, const void *bytes,
				      size_t length, bool tcp, int64_t wall_s);

/*
 * No answer that could be believed: UNREACHABLE or TRANSIENT for all that is left. What
 * came and was not believed is told instead of `why`.
 */
void dnsupdate_fail(struct dnsupdate *update, enum message_verdict verdict,
		    const char *why);

/* 0: not judged yet. `ret_text`, for people, lives as long as the update. */
enum message_verdict dnsupdate_verdict(const struct dnsupdate *update, size_t record,
				       const char **ret_text);

#endif
