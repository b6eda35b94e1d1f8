/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an answer means: is it one, who says so, and what becomes of the records.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dnsupdate_state.h"
#include "hairpin/clock.h"
#include "hairpin/text.h"

enum { TYPE_SOA = 6, CLASS_IN = 1 };

/* --- is it an answer to the message? --- */

static const struct dnsname *question_of(const struct dnsupdate *update)
{
	return update->step == DNSUPDATE_FIND ? &update->looked_for :
						&update->entries[update->first].zone;
}

static bool is_answer(const struct dnsupdate *update, const struct dnswire_answer *answer)
{
	bool find = update->step == DNSUPDATE_FIND;

	if (!answer->response || answer->id != update->id ||
	    answer->opcode != (find ? DNSWIRE_QUERY : DNSWIRE_UPDATE))
		return false;
	if (answer->truncated || !answer->has_question)
		return true;
	return dnsname_equal(&answer->question, question_of(update)) &&
	       answer->question_type == TYPE_SOA && answer->question_class == CLASS_IN;
}

/* --- clocks --- */

/* BADTIME carries the time of the request (RFC 8945, 5.2.3), or the server's own. */
static bool time_holds(const struct tsig_record *tsig, int64_t wall_s)
{
	return tsig->error == TSIG_BADTIME ||
	       llabs(tsig->time_s - wall_s) <= tsig->fudge_s;
}

static void doubt_time(struct dnsupdate *update, const struct tsig_record *tsig,
		       int64_t wall_s)
{
	char ours[CLOCK_TEXT_BYTES], theirs[CLOCK_TEXT_BYTES];

	snprintf(update->doubt, sizeof(update->doubt), "an answer signed at %s was not "
		 "believed: this machine's clock says %s",
		 clock_format(tsig->time_s, theirs), clock_format(wall_s, ours));
}

/* A refusal for its time: one of the clocks is wrong, or the server has seen a later one. */
static void say_time(const struct dnsupdate *update, const struct tsig_record *tsig,
		     char out[MESSAGE_TEXT_BYTES])
{
	char ours[CLOCK_TEXT_BYTES], theirs[CLOCK_TEXT_BYTES];
	int64_t ahead_s = update->signed_s - tsig->server_time_s;

	if (tsig->server_time_s == 0)
		snprintf(out, MESSAGE_TEXT_BYTES, "BADTIME: the server refuses our time, "
			 "%s; is this machine's clock right?",
			 clock_format(update->signed_s, ours));
	else if (llabs(ahead_s) <= TSIG_FUDGE_S)
		snprintf(out, MESSAGE_TEXT_BYTES, "BADTIME: the clocks agree (%s), so the "
			 "server took the message for a repetition of an earlier one",
			 clock_format(update->signed_s, ours));
	else
		snprintf(out, MESSAGE_TEXT_BYTES, "BADTIME: this machine's clock says %s, "
			 "the server's %s: ours is %lld s %s; at most %d are allowed",
			 clock_format(update->signed_s, ours),
			 clock_format(tsig->server_time_s, theirs),
			 (long long)llabs(ahead_s), ahead_s > 0 ? "ahead" : "behind",
			 TSIG_FUDGE_S);
}

/* --- what it means --- */

static const struct meaning {
	unsigned rcode;
	enum message_verdict verdict;
	const char *text;
} meanings[] = {
	{ DNSWIRE_FORMERR, MESSAGE_BAD_REQUEST,
	  "FORMERR: the server does not understand the message" },
	{ DNSWIRE_SERVFAIL, MESSAGE_SERVER_ERROR, "SERVFAIL: the server has a problem" },
	{ DNSWIRE_NXDOMAIN, MESSAGE_NOHOST, "NXDOMAIN: the server knows no such name" },
	{ DNSWIRE_NOTIMP, MESSAGE_BAD_REQUEST, "NOTIMP: the server takes no updates" },
	{ DNSWIRE_REFUSED, MESSAGE_FORBIDDEN,
	  "REFUSED: the key may not change this name, or nobody this zone" },
	{ DNSWIRE_NOTAUTH, MESSAGE_BAD_REQUEST,
	  "NOTAUTH: the server is not authoritative for this zone" },
	{ DNSWIRE_NOTZONE, MESSAGE_NOHOST, "NOTZONE: the name is not in the zone" },
};

/* The whole account: nothing else of the job would fare better. */
static void refuse_key(struct dnsupdate *update, const struct tsig_record *tsig)
{
	char text[MESSAGE_TEXT_BYTES];

	switch (tsig->error) {
	case TSIG_BADSIG:
		dnsupdate_conclude_all(update, MESSAGE_BADAUTH, "BADSIG: the key's "
				       "secret is not the server's");
		return;
	case TSIG_BADKEY:
		dnsupdate_conclude_all(update, MESSAGE_BADAUTH, "BADKEY: the server "
				       "knows no such key, or not with this algorithm");
		return;
	case TSIG_BADTIME:
		say_time(update, tsig, text);
		dnsupdate_conclude_all(update, MESSAGE_TRANSIENT, text);
		return;
	default:
		snprintf(text, sizeof(text), "NOTAUTH: TSIG error %u", tsig->error);
		dnsupdate_conclude_all(update, MESSAGE_BAD_REQUEST, text);
		return;
	}
}

/* May the fault be that of another record of the message? Then each goes alone. */
static bool part(struct dnsupdate *update)
{
	size_t count = 0;

	for (size_t i = 0; i < update->count; i++)
		count += update->entries[i].asked;
	if (count < 2 || update->step == DNSUPDATE_FIND)
		return false;
	for (size_t i = 0; i < update->count; i++)
		update->entries[i].alone = update->entries[i].alone ||
					   update->entries[i].asked;
	return true;
}

static void refuse(struct dnsupdate *update, unsigned rcode)
{
	char text[MESSAGE_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		const struct meaning *meaning = &meanings[i];

		if (meaning->rcode != rcode)
			continue;
		if (meaning->verdict == MESSAGE_SERVER_ERROR)
			dnsupdate_conclude_all(update, meaning->verdict, meaning->text);
		else if (meaning->verdict == MESSAGE_BAD_REQUEST || !part(update))
			dnsupdate_conclude(update, meaning->verdict, meaning->text);
		return;
	}
	snprintf(text, sizeof(text), "the server answered with RCODE %u", rcode);
	dnsupdate_conclude(update, MESSAGE_TRANSIENT, text);
}

static void refuse_alias(struct dnsupdate *update)
{
	char text[MESSAGE_TEXT_BYTES];

	if (part(update))
		return;
	snprintf(text, sizeof(text), "%.200s is an alias (CNAME)",
		 update->entries[update->first].hostname);
	dnsupdate_conclude(update, MESSAGE_NOHOST, text);
}

/* The SOA is that of the name's zone, or the name is an alias that led elsewhere. */
static void take_zone(struct dnsupdate *update, const struct dnswire_answer *answer)
{
	if (answer->rcode == DNSWIRE_REFUSED) {
		dnsupdate_conclude(update, MESSAGE_FORBIDDEN, "REFUSED: the server does "
				   "not say which zone the name is in; set \"domain\"");
		return;
	}
	if (answer->rcode != DNSWIRE_NOERROR && answer->rcode != DNSWIRE_NXDOMAIN) {
		refuse(update, answer->rcode);
		return;
	}
	if (answer->authoritative && answer->soa.length > 0 &&
	    dnsname_is_under(&update->entries[update->first].name, &answer->soa)) {
		for (size_t i = 0; i < update->count; i++)
			if (update->entries[i].asked)
				update->entries[i].zone = answer->soa;
		return;
	}
	update->looked_for = dnsname_parent(&update->looked_for);
	update->again = answer->authoritative && update->looked_for.length > 1;
	if (!update->again)
		dnsupdate_conclude(update, MESSAGE_BAD_REQUEST,
				   "the server is not authoritative for this name");
}

static void take_probe(struct dnsupdate *update, unsigned rcode)
{
	if (rcode == DNSWIRE_NOERROR) {
		dnsupdate_conclude(update, MESSAGE_UNCHANGED, "the zone holds it");
	} else if (rcode == DNSWIRE_NXRRSET) {
		update->step = DNSUPDATE_WRITE;
		update->again = true;
	} else {
		refuse(update, rcode);
	}
}

static void take_write(struct dnsupdate *update, unsigned rcode)
{
	if (rcode == DNSWIRE_NOERROR)
		dnsupdate_conclude(update, MESSAGE_GOOD, "NOERROR");
	else if (rcode == DNSWIRE_YXRRSET)
		refuse_alias(update);
	else
		refuse(update, rcode);
}

static void take(struct dnsupdate *update, const struct dnswire_answer *answer)
{
	if (answer->tsig_at && answer->tsig.error)
		refuse_key(update, &answer->tsig);
	else if (update->step == DNSUPDATE_FIND)
		take_zone(update, answer);
	else if (update->step == DNSUPDATE_PROBE)
		take_probe(update, answer->rcode);
	else
		take_write(update, answer->rcode);
}

/* --- who says so? --- */

/* Codes that a server may have to say without a signature, and that change nothing. */
static bool is_refusal(const struct dnswire_answer *answer)
{
	switch (answer->rcode) {
	case DNSWIRE_FORMERR: case DNSWIRE_SERVFAIL: case DNSWIRE_NOTIMP:
	case DNSWIRE_REFUSED: case DNSWIRE_NOTAUTH: case DNSWIRE_NOTZONE:
		return true;
	default:
		return false;
	}
}

/*
 * PowerDNS refuses a wrong secret and a wrong time like that. A router's clock may be
 * wrong until it has met a time server: nothing to give up for.
 */
static void refuse_unsigned(struct dnsupdate *update)
{
	char text[MESSAGE_TEXT_BYTES], ours[CLOCK_TEXT_BYTES];
	bool find = update->step == DNSUPDATE_FIND;

	snprintf(text, sizeof(text), "REFUSED without a signature: the server %s, or does "
		 "not take this key, its secret, or our time, %s",
		 find ? "does not say which zone the name is in (\"domain\" would)" :
			"takes no updates from here",
		 clock_format(update->signed_s, ours));
	if (find)
		dnsupdate_conclude(update, MESSAGE_TRANSIENT, text);
	else
		dnsupdate_conclude_all(update, MESSAGE_TRANSIENT, text);
}

static enum dnsupdate_taken take_unsigned(struct dnsupdate *update,
					  const struct dnswire_answer *answer, bool tcp)
{
	snprintf(update->doubt, sizeof(update->doubt),
		 "an answer %s (RCODE %u) was not believed",
		 answer->tsig_at ? "with a wrong signature" : "without a signature",
		 answer->rcode);
	if (!is_refusal(answer))
		return DNSUPDATE_IGNORED;
	if (!tcp)
		return DNSUPDATE_OVER_TCP;
	if (answer->rcode == DNSWIRE_REFUSED)
		refuse_unsigned(update);
	else
		take(update, answer);
	return DNSUPDATE_TAKEN;
}

enum dnsupdate_taken dnsupdate_answer(struct dnsupdate *update, const void *bytes,
				      size_t length, bool tcp, int64_t wall_s)
{
	struct dnswire_answer answer;

	if (!dnswire_read(bytes, length, &answer) || !is_answer(update, &answer)) {
		if (!update->doubt[0])
			text_copy(update->doubt, sizeof(update->doubt),
				  "what came was no answer to the message");
		return DNSUPDATE_IGNORED;
	}
	if (answer.truncated)
		return tcp ? DNSUPDATE_IGNORED : DNSUPDATE_OVER_TCP;
	if (!answer.tsig_at || !tsig_holds(&update->key, &update->mac, bytes,
					   answer.tsig_at, &answer.tsig))
		return take_unsigned(update, &answer, tcp);
	if (!time_holds(&answer.tsig, wall_s)) {
		doubt_time(update, &answer.tsig, wall_s);
		return DNSUPDATE_IGNORED;
	}
	take(update, &answer);
	return DNSUPDATE_TAKEN;
}
