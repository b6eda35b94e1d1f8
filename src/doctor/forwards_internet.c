/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does a client of the internet reach the server by this forward, and why not? */
#include "forwards.h"

#include <string.h>

#include "remedy.h"

struct internet {
	struct forwards *all;
	struct patient_forward *forward;
	struct addr own, seen;
	struct walk_packet packet;
	struct walk_result result;	/* of `packet` */
	struct walk_result open;	/* as if no filter stopped it, before NAT or behind */
	struct walk_result behind;	/* as if a rule had sent it to the server */
};

static bool internet_is_double(const struct internet *it)
{
	return !addr_equal(&it->own, &it->seen);
}

/* --- not translated --- */

static void internet_tell_twin(struct internet *it)
{
	const struct patient_forward *forward = it->forward;
	const struct finding_key key = {
		.verdict = DOCTOR_FINDING, .code = "twin-missing", .cause = "internet",
	};
	char own[ADDR_TEXT_BYTES];
	struct finding *finding;

	addr_format(&it->own, own);
	finding = forwards_finding(it->all, forward, &key,
		"From outside packets arrive with the router's inner address %s, since "
		"another router stands before it; there is no rule for them, only the one "
		"for the public address.", own);
	forwards_show_rule(it->all, finding, "The rule", forward->rule);
	forwards_show_instead(it->all, finding, &it->packet, &it->result);
	finding_remedy(finding, DOCTOR_HERE, "Add the twin rule for what comes in by the WAN's "
		       "interface; it names no address, so it needs no tag.");
	remedy_add_forward(it->all, finding, forward, REMEDY_INTERNET);
}

static void internet_tell_link(struct internet *it)
{
	const struct patient_forward *forward = it->forward;
	const char *wan = forward->wan->link->name;
	const struct finding_key key = {
		.verdict = DOCTOR_FINDING, .code = "wrong-interface",
		.cause = forward->wan,
	};
	struct finding *finding;

	finding = forwards_finding(it->all, forward, &key,
		"The rule is bound to an interface by which nothing comes from the "
		"internet; the WAN is %s.", wan);
	forwards_show_rule(it->all, finding, "The rule", forward->rule);
	if (*forward->link)
		finding_evidence(finding, router_link_find(it->all->patient->router,
							   forward->link)
			? "The interface %s has no address." : "There is no interface %s.",
			forward->link);
	forwards_show_instead(it->all, finding, &it->packet, &it->result);
	finding_remedy(finding, DOCTOR_HERE, "Put the right interface into the rule; until "
		       "then this does:");
	remedy_add_forward(it->all, finding, forward, REMEDY_INTERNET);
}

/* Is that rule there for this port alone, and in the way of this forward only? */
static bool internet_is_in_vain(const struct internet *it, const struct walk_rule *taker)
{
	const struct patient *patient = it->all->patient;
	const struct patient_forward *other;
	size_t i;

	for (i = 0; i < patient->forward_count; i++) {
		other = &patient->forwards[i];
		if (other->rule == taker && (other->protocol != it->forward->protocol ||
					     other->port != it->forward->port ||
					     other->port_last != it->forward->port_last))
			return false;
	}
	return true;
}

static void internet_tell_taken(struct internet *it)
{
	const struct patient_forward *forward = it->forward;
	const struct walk_rule *taker = forwards_taker(it->all, &it->open);
	const struct finding_key key = {
		.verdict = DOCTOR_FINDING, .code = "earlier-rule", .cause = taker,
	};
	struct finding *finding;

	finding = forwards_finding(it->all, forward, &key,
				   "Another rule stands before it and takes the port first.");
	forwards_show_rule(it->all, finding, "The rule", forward->rule);
	if (taker)
		forwards_show_rule(it->all, finding, "The earlier one", taker);
	if (forwards_tell_untracker(it->all, finding, &it->open, taker))
		return;
	if (taker && forwards_is_sent(it->all, &it->open) &&
	    internet_is_in_vain(it, taker)) {
		finding_remedy(finding, DOCTOR_HERE, "Of two forwards of one port take one "
			       "away: the earlier one, if this one is meant.");
		remedy_remove(it->all, finding, taker);
		return;
	}
	finding_remedy(finding, DOCTOR_HERE, "Put the forward before that rule, or take that "
		       "rule away if nobody needs it.");
	remedy_add_forward_before(it->all, finding, forward, REMEDY_INTERNET,
				  taker ? taker : forward->rule);
}

static void internet_tell_missed(struct internet *it)
{
	struct patient_forward *forward = it->forward;
	bool twin = internet_is_double(it) && (forward->found == PATIENT_BY_LAN ||
					       addr_is_global(&forward->literal));

	if (forward->found == PATIENT_BY_NOBODY)
		internet_tell_taken(it);
	else if (twin)
		internet_tell_twin(it);
	else if (forward->found == PATIENT_BY_LINK || forward->found == PATIENT_BY_LAN)
		internet_tell_link(it);
	if (forward->found != PATIENT_BY_LAN && !addr_is_none(&forward->literal) &&
	    !forwards_is_ours(it->all, &forward->literal))
		forwards_tell_stale(it->all, forward, forward->speller, &forward->literal,
				    &it->packet, &it->result);
}

/* --- translated, and stopped --- */

/* Does it let some clients through? Then it is a list of somebody's choice. */
static bool internet_is_choosy(struct internet *it, const struct walk_result *dropped)
{
	struct walk_question question = {
		.packet = it->packet,
		.assumed = it->forward->server, .assumed_port = it->forward->server_port,
	};
	struct walk_result other;
	const char *line;
	unsigned turn;

	line = dropped->at ? rule_text_find(it->all->patient, dropped->at) : NULL;
	if (!line || !strchr(line, '@'))
		return false;
	for (turn = 1; turn < FORWARDS_CLIENTS; turn++) {
		question.packet.source = forwards_client(it->all, it->own.family, turn);
		if (forwards_run(it->all, &question, &other) && !forwards_is_dropped(&other))
			return true;
	}
	return false;
}

/* True: only some are stopped. */
static bool internet_tell_blocked(struct internet *it, const struct walk_result *dropped)
{
	const struct patient_forward *forward = it->forward;
	bool choosy = internet_is_choosy(it, dropped);
	const struct finding_key key = {
		.verdict = choosy ? DOCTOR_NOTE : DOCTOR_FINDING,
		.code = "internet-blocked",
		.cause = dropped->at ? (const void *)dropped->at : dropped->chain,
	};
	struct finding *finding;
	char source[ADDR_TEXT_BYTES];

	addr_format(&it->packet.source, source);
	finding = forwards_finding(it->all, forward, &key,
		choosy ? "Some clients of the internet, such as %s, are not let through to "
			 "the server." :
			 "What comes from the internet, such as from %s, is translated and "
			 "then not let through to the server.", source);
	if (dropped->at)
		forwards_show_rule(it->all, finding, "Stopped by", dropped->at);
	else if (dropped->chain)
		finding_evidence(finding, "Stopped by the policy of the chain %s %s.",
				 dropped->chain->table->name, dropped->chain->name);
	if (choosy)
		return true;
	finding_remedy(finding, DOCTOR_HERE,
		       "Let through what was translated for a forward.");
	remedy_add_accept(it->all, finding, forward, dropped, forward->wan->link, NULL);
	forwards_add_answer(it->all, finding, &it->packet, forward);
	return false;
}

static void internet_tell_no_route(struct internet *it)
{
	const struct patient_forward *forward = it->forward;
	const struct finding_key key = {
		.verdict = DOCTOR_FINDING, .code = "no-route",
		.address = forward->server,
	};
	char server[ADDR_TEXT_BYTES];
	struct finding *finding;

	addr_format(&forward->server, server);
	finding = forwards_finding(it->all, forward, &key,
				   "The rule sends it to %s, and there is no way there.",
				   server);
	forwards_show_rule(it->all, finding, "The rule", forward->rule);
	if (it->behind.end == WALK_NO_ROUTE)
		finding_evidence(finding, "The kernel says: %s.",
				 strerror(-it->behind.route.error));
	else
		finding_evidence(finding, "%s is in no network of this router: it would be "
				 "looked for in the internet.", server);
	finding_remedy(finding, DOCTOR_HERE, "Put the server's address into the rule, or give "
		       "the router an address in the server's network.");
}

/* --- both --- */

static bool internet_is_unsure(struct internet *it)
{
	const struct walk_rule *rule = forwards_doubt(&it->result, false);

	if (!rule)
		rule = forwards_doubt(&it->behind, false);
	if (!rule)
		return false;
	forwards_tell_unsure(it->all, it->forward, "a client of the internet", rule);
	return true;
}

static enum patient_reach internet_judge(struct internet *it)
{
	struct walk_question further = {
		.packet = it->packet, .regardless = true,
		.assumed = it->forward->server, .assumed_port = it->forward->server_port,
	};
	struct walk_result last;
	bool sent = forwards_is_sent_to(&it->open, it->forward);
	bool reached = sent && it->result.end == WALK_FORWARDED;

	if (!sent)
		internet_tell_missed(it);
	if (forwards_is_dropped(&it->behind) && internet_tell_blocked(it, &it->behind))
		return sent ? PATIENT_YES : PATIENT_NO;
	if (!forwards_run(it->all, &further, &last))
		return PATIENT_UNKNOWN;
	if (forwards_is_lost(it->all, it->forward, &last)) {
		it->behind = last;
		internet_tell_no_route(it);
		reached = false;
	}
	if (reached && last.source_nat.rule)
		forwards_tell_hidden(it->all, it->forward, last.source_nat.rule);
	if (reached && forwards_comes_back(it->all, it->forward, NULL, &it->packet,
					   &it->result))
		return PATIENT_YES;
	return sent ? PATIENT_NO : forwards_local_reach(it->all, &it->packet, &it->result);
}

void forwards_judge_internet(struct forwards *all, struct patient_forward *forward)
{
	int family = forward->server.family;
	struct internet it = {
		.all = all, .forward = forward,
		.own = forwards_own(forward->wan, family),
		.seen = forwards_public(forward->wan, family),
	};

	forward->internet = PATIENT_NO;
	if (!forwards_is_open(forward->wan, family))
		return;
	forward->internet = PATIENT_UNKNOWN;
	it.packet = forwards_packet(forward, &forward->source, &it.own,
				    forward->wan->link->index);
	if (forwards_try(it.all, forward, &it.packet, &it.result, &it.open, &it.behind) &&
	    !internet_is_unsure(&it))
		forward->internet = internet_judge(&it);
}
