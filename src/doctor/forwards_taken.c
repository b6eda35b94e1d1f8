/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forwards that no packet reaches, because a rule before theirs takes the port: a redirect
 * that was left over, an accept, another forward of the same port.
 */
#include "forwards.h"

#include <stdio.h>
#include <string.h>

#include "remedy.h"

enum { TAKEN_TRIES_MAX = 200000 };

struct taken {
	struct forwards *all;
	const struct patient_wan *wan;
	struct addr own, client;
	const struct walk_rule *rule;
	const struct forwards_port *port;
	unsigned tries;
};

static struct walk_packet taken_packet(const struct taken *it, uint16_t port)
{
	return (struct walk_packet){
		.protocol = it->port->protocol,
		.source = it->client, .destination = it->own,
		.source_port = FORWARDS_SOURCE_PORT, .destination_port = port,
		.in = it->wan->link->index,
	};
}

/* Would the rule take that port, if it saw the packet? */
static bool taken_would(struct taken *it, uint16_t port)
{
	const struct walk_packet packet = taken_packet(it, port);

	it->tries++;
	return walk_rule_miss(it->all->patient->walk, &it->all->router, it->rule, &packet) ==
	       WALK_MATCHES;
}

static const struct walk_rule *taken_untracker(const struct walk_result *result)
{
	const struct walk_step *step;
	size_t i;

	for (i = 0; i < result->step_count; i++) {
		step = &result->steps[i];
		if (step->kind == WALK_MATCHED && step->verdict &&
		    strcmp(step->verdict, "notrack") == 0)
			return step->rule;
	}
	return NULL;
}

const struct walk_rule *forwards_taker(const struct forwards *all,
				       const struct walk_result *result)
{
	const struct walk_step *step;
	size_t i;

	if (taken_untracker(result))
		return taken_untracker(result);
	if (result->destination_nat.rule)
		return result->destination_nat.rule;
	for (i = result->step_count; i-- > 0;) {
		step = &result->steps[i];
		if (step->kind == WALK_MATCHED && step->rule && step->verdict &&
		    strcmp(step->verdict, "accept") == 0 &&
		    walk_rule_is_at(all->patient->walk, step->rule, "nat",
				    NF_INET_PRE_ROUTING))
			return step->rule;
	}
	return NULL;
}

bool forwards_tell_untracker(struct forwards *all, struct finding *finding,
			     const struct walk_result *result,
			     const struct walk_rule *taker)
{
	if (!taker || taker != taken_untracker(result))
		return false;
	finding_evidence(finding, "What is not tracked is not translated.");
	finding_remedy(finding, DOCTOR_HERE,
		       "Take that rule away, or leave the port out of it.");
	remedy_remove(all, finding, taker);
	return true;
}

/* Clients of the LAN get to it. */
static bool taken_is_for_lan(struct taken *it, const struct walk_packet *packet)
{
	const struct patient *patient = it->all->patient;
	struct walk_question question = { .packet = *packet };
	struct walk_result result;
	size_t i;

	question.packet.destination = forwards_public(it->wan, it->own.family);
	if (addr_is_none(&question.packet.destination))
		return true;
	for (i = 0; i < patient->network_count; i++) {
		if (patient->networks[i].client.family != it->own.family)
			continue;
		question.packet.source = patient->networks[i].client;
		question.packet.in = patient->networks[i].link->index;
		if (forwards_run(it->all, &question, &result) &&
		    result.destination_nat.rule == it->rule)
			return true;
	}
	return false;
}

/* Does any port get to the rule? Of two forwards that overlap the first is meant so. */
static bool taken_is_alive(struct taken *it)
{
	const struct forwards *all = it->all;
	struct walk_question question = { .regardless = true };
	struct walk_result result;
	size_t i;

	for (i = 0; i < all->port_count; i++) {
		question.packet = taken_packet(it, all->ports[i].tried);
		question.packet.protocol = all->ports[i].protocol;
		if (forwards_run(it->all, &question, &result) &&
		    result.destination_nat.rule == it->rule)
			return true;
	}
	return false;
}

/* Who takes it; NULL: nobody, or who is meant to: it is the same service. */
static const struct walk_rule *taken_by(struct taken *it, const struct walk_nat *wanted)
{
	const struct walk_question question = {
		.packet = taken_packet(it, it->port->tried),
	};
	struct walk_result result;
	const struct walk_rule *taker;

	if (!forwards_run(it->all, &question, &result))
		return NULL;
	taker = forwards_taker(it->all, &result);
	if (!taker || taker == it->rule ||
	    addr_equal(&result.destination_nat.address, &wanted->address) ||
	    taken_is_for_lan(it, &question.packet))
		return NULL;
	if (forwards_is_sent(it->all, &result) && taken_is_alive(it))
		return NULL;
	return taker;
}

/*
 * A port of a wider range, or of "all the others", is an exception that somebody made.
 */
static bool taken_is_exception(struct taken *it)
{
	const struct forwards_port *port = it->port;

	return (port->first && taken_would(it, (uint16_t)(port->first - 1))) ||
	       (port->last < UINT16_MAX && taken_would(it, (uint16_t)(port->last + 1)));
}

static void taken_try(struct taken *it)
{
	const struct walk_packet packet = taken_packet(it, it->port->tried);
	struct patient_forward forward = {
		.rule = it->rule, .wan = it->wan, .found = PATIENT_BY_NOBODY,
		.protocol = it->port->protocol, .port = it->port->first,
		.port_last = it->port->last, .tried = it->port->tried,
		.source = it->client,
	};
	struct walk_nat wanted;

	if (!taken_would(it, it->port->tried) || taken_is_exception(it))
		return;
	if (walk_rule_nat(it->all->patient->walk, &it->all->router, it->rule, &packet,
			  &wanted) < 0 || wanted.redirect ||
	    wanted.address.family != it->own.family ||
	    router_owner(it->all->patient->router, &wanted.address))
		return;
	if (!taken_by(it, &wanted))
		return;
	forward.server = wanted.address;
	forward.server_port = wanted.port ? wanted.port : it->port->tried;
	forwards_keep(it->all, &forward);
}

static void taken_try_rule(struct taken *it)
{
	size_t i;

	if (!it->rule->nat_destination ||
	    !walk_rule_is_at(it->all->patient->walk, it->rule, "nat", NF_INET_PRE_ROUTING))
		return;
	for (i = 0; i < it->all->port_count && it->tries < TAKEN_TRIES_MAX; i++) {
		it->port = &it->all->ports[i];
		if (it->port->first != 0 || it->port->last != UINT16_MAX)
			taken_try(it);
	}
}

void forwards_find_taken(struct forwards *all, const struct patient_wan *wan, int family)
{
	struct taken it = {
		.all = all, .wan = wan, .own = forwards_own(wan, family),
		.client = forwards_client(all, family, 0),
	};
	const struct walk_chain *chain;
	size_t i, j;

	for (i = 0; (chain = walk_chain(all->patient->walk, i)); i++) {
		for (j = 0; j < chain->rule_count && !all->error; j++) {
			it.rule = &chain->rules[j];
			taken_try_rule(&it);
		}
	}
}

/* --- rules of which nobody knows where they send --- */

static void taken_tell_unsure(struct taken *it)
{
	const struct walk_question question = {
		.packet = taken_packet(it, it->port->tried), .regardless = true,
	};
	struct patient_forward nobody = { .tried = it->port->tried };
	struct walk_result result;
	size_t i;

	if (!forwards_run(it->all, &question, &result) || result.destination_nat.rule)
		return;
	snprintf(nobody.subject, sizeof(nobody.subject), "%u/%s", it->port->tried,
		 it->port->protocol == IPPROTO_TCP ? "tcp" : "udp");
	for (i = 0; i < result.step_count; i++) {
		const struct walk_step *step = &result.steps[i];

		if (step->kind == WALK_UNSURE && step->rule && step->rule->nat_destination)
			forwards_tell_unsure(it->all, &nobody, "a client of the internet",
					     step->rule);
	}
}

void forwards_judge_unsure(struct forwards *all, const struct patient_wan *wan, int family)
{
	struct taken it = {
		.all = all, .wan = wan, .own = forwards_own(wan, family),
		.client = forwards_client(all, family, 0),
	};
	size_t i;

	for (i = 0; i < all->port_count && !all->error; i++) {
		it.port = &all->ports[i];
		if (it.port->first == it.port->last)
			taken_tell_unsure(&it);
	}
}
