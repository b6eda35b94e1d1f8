/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a LAN client's packet to the public address is not sent to the server. */
#include <string.h>

#include "forwards_lan.h"
#include "remedy.h"

enum lan_cause {
	LAN_STALE,		/* a rule would, for an address that is not ours */
	LAN_TWIN,		/* a rule would, for the WAN's own address */
	LAN_WAN_BOUND,		/* a rule would, by the WAN's link */
	LAN_TAKEN,		/* another rule is quicker */
	LAN_SOURCE,		/* the rule would, from elsewhere */
	LAN_LINK,		/* it would from another LAN network */
	LAN_MARK,		/* it would, with another mark or state */
	LAN_OTHER,
};

/* The same packet, but for what is not none or 0. */
static bool lan_would(struct lan *it, const struct addr *source, const struct addr *destination,
		      uint32_t in)
{
	struct walk_packet packet = it->packet;

	if (source)
		packet.source = *source;
	if (destination)
		packet.destination = *destination;
	if (in)
		packet.in = in;
	return forwards_sends(it->all, it->forward, &packet);
}

/* A rule that waits for an address that is not ours; NULL: none. */
static const struct addr *lan_find_stale(struct lan *it)
{
	struct forwards *all = it->all;
	struct walk_question question = { .packet = it->packet };
	struct walk_result result;
	size_t i;

	for (i = 0; i < all->stale_count; i++) {
		question.packet.destination = all->stale[i];
		if (all->stale[i].family == it->seen.family &&
		    forwards_run(all, &question, &result) &&
		    forwards_is_sent_to(&result, it->forward) &&
		    forwards_speller(all, &result, &all->stale[i]))
			return &all->stale[i];
	}
	return NULL;
}

/* What an earlier chain marked keeps its mark until the rule asks for it. */
static bool lan_misses_mark(struct lan *it)
{
	struct walk_packet packet = it->packet;

	packet.mark = it->open.mark;
	return walk_rule_miss(it->all->patient->walk, &it->all->router, it->forward->rule,
			      &packet) == WALK_MISS_STATE;
}

static enum lan_cause lan_find_cause(struct lan *it)
{
	const uint32_t wan = forwards_link(it->forward->wan);
	const struct addr *source = &it->forward->source;
	bool twice = !addr_equal(&it->own, &it->seen);

	if (lan_find_stale(it))
		return LAN_STALE;
	if (forwards_taker(it->all, &it->open))
		return LAN_TAKEN;
	if (twice && (lan_would(it, NULL, &it->own, 0) || lan_would(it, NULL, &it->own, wan) ||
		      lan_would(it, source, &it->own, wan)))
		return LAN_TWIN;
	if (lan_would(it, source, NULL, 0))
		return LAN_SOURCE;
	if (!it->only)
		return LAN_LINK;
	if (lan_misses_mark(it))
		return LAN_MARK;
	if (lan_would(it, NULL, NULL, wan) || lan_would(it, source, NULL, wan))
		return LAN_WAN_BOUND;
	return LAN_OTHER;
}

static struct finding *lan_begin(struct lan *it, enum lan_cause cause)
{
	static const char *const codes[] = {
		[LAN_TWIN] = "twin-missing", [LAN_WAN_BOUND] = "wan-bound",
		[LAN_TAKEN] = "lan-missed", [LAN_SOURCE] = "lan-missed",
		[LAN_LINK] = "lan-missed", [LAN_MARK] = "lan-missed",
		[LAN_OTHER] = "lan-missed",
	};
	static const char *const texts[] = {
		[LAN_TWIN] = "the public address is not this router's own but that of the "
			     "one before it, and no rule takes what clients send there.",
		[LAN_WAN_BOUND] = "the rule takes only what comes in by the WAN's interface, "
				  "so it does not see what clients here send to the public "
				  "address.",
		[LAN_TAKEN] = "another rule stands before the forward and takes what clients "
			      "here send to the public address.",
		[LAN_SOURCE] = "the rule does not take these clients' addresses.",
		[LAN_LINK] = "the rule takes what comes from other networks of the LAN, but "
			     "not from here.",
		[LAN_MARK] = "the rule asks for a mark, or a state of the connection, that "
			     "what comes from here has not.",
		[LAN_OTHER] = "no rule takes what clients here send to the public address.",
	};
	const struct finding_key key = {
		.verdict = DOCTOR_FINDING, .code = codes[cause], .cause = texts[cause],
	};

	return forwards_finding(it->all, it->forward, &key, "%s", texts[cause]);
}

static void lan_tell(struct lan *it, enum lan_cause cause)
{
	struct finding *finding = lan_begin(it, cause);
	const struct walk_rule *taker = forwards_taker(it->all, &it->open);

	finding_network(finding, it->network->text);
	forwards_show_rule(it->all, finding, "The rule", it->forward->rule);
	if (cause == LAN_TAKEN && taker)
		forwards_show_rule(it->all, finding, "The earlier one", taker);
	forwards_show_instead(it->all, finding, &it->packet, &it->result);
	if (forwards_tell_untracker(it->all, finding, &it->open, taker))
		return;
	finding_remedy(finding, DOCTOR_HERE, cause == LAN_TWIN
		? "Add the twin rule for the public address; with the tag in its comment "
		  "hairpind keeps it right."
		: "Add a rule that takes the public address from whatever side.");
	remedy_add_forward_before(it->all, finding, it->forward, REMEDY_LAN,
				  cause == LAN_TAKEN && taker ? taker : it->forward->rule);
	if (lan_needs_return_path(it))
		remedy_add_return_path(it->all, finding, it->forward, it->network);
}

/*
 * Beside rules for single ports that the LAN has too, "all the others" are meant for the
 * internet alone.
 */
static bool lan_has_single_ports(struct lan *it)
{
	const struct forwards *all = it->all;
	struct walk_question question = { .packet = it->packet };
	const struct walk_nat *nat;
	struct walk_result result;
	size_t i;

	for (i = 0; forwards_is_rest(it->forward) && i < all->port_count; i++) {
		question.packet.protocol = all->ports[i].protocol;
		question.packet.destination_port = all->ports[i].tried;
		nat = &result.destination_nat;
		if (forwards_run(it->all, &question, &result) && nat->rule &&
		    addr_equal(&nat->address, &it->forward->server))
			return true;
	}
	return false;
}

/* What takes the port from all sides, or waits for another link, is told with those. */
static bool lan_is_told(const struct lan *it, enum lan_cause cause)
{
	if (it->forward->found == PATIENT_BY_NOBODY)
		return cause == LAN_TAKEN || cause == LAN_OTHER;
	return it->forward->found == PATIENT_BY_LINK && addr_equal(&it->own, &it->seen) &&
	       cause != LAN_STALE;
}

bool lan_tell_missed(struct lan *it)
{
	enum lan_cause cause = lan_find_cause(it);
	const struct addr *literal;
	struct walk_question question = { .packet = it->packet };
	struct walk_result stale;

	if (lan_is_told(it, cause) || lan_has_single_ports(it))
		return false;
	literal = cause == LAN_STALE ? lan_find_stale(it) : NULL;
	if (!literal) {
		lan_tell(it, cause);
		return true;
	}
	question.packet.destination = *literal;
	if (forwards_run(it->all, &question, &stale))
		forwards_tell_stale(it->all, it->forward,
				    forwards_speller(it->all, &stale, literal), literal,
				    &it->packet, &it->result);
	return false;
}
