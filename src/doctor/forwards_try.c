/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One packet in thought: from whom, to what, and what kind of end it came to. */
#include "forwards.h"

#include <errno.h>
#include <string.h>

#include "hairpin/clock.h"

static bool forwards_speaks_of(const struct forwards *all, const struct addr *address)
{
	const struct walk_constants *constants = &all->constants;
	size_t i;

	for (i = 0; i < constants->destination_count; i++) {
		if (addr_equal(&constants->destinations[i], address))
			return true;
	}
	return false;
}

bool forwards_is_ours(const struct forwards *all, const struct addr *address)
{
	const struct patient *patient = all->patient;
	size_t i;

	for (i = 0; i < patient->wan_count; i++) {
		if (addr_equal(&patient->wans[i].outer, address))
			return true;
	}
	return router_owner(patient->router, address) != NULL;
}

/* Hosts that could be anybody's; the first that is neither ours nor spoken of. */
static struct addr forwards_choose(const struct forwards *all, const char *const *texts,
				   size_t count, unsigned first)
{
	struct addr address = { 0 };
	size_t i;

	for (i = 0; i < count; i++) {
		if (!addr_parse(texts[(first + i) % count], &address))
			continue;
		if (!forwards_speaks_of(all, &address) && !forwards_is_ours(all, &address) &&
		    !router_network_of(all->patient->router, &address))
			break;
	}
	return address;
}

struct addr forwards_client(const struct forwards *all, int family, unsigned turn)
{
	static const char *const ipv4[] = { "62.201.43.77", "23.32.18.77", "133.11.9.77" };
	static const char *const ipv6[] = { "2a02:8108:1::77", "2600:1f18::77",
					    "2400:cb00:7::77" };

	if (family == AF_INET)
		return forwards_choose(all, ipv4, FORWARDS_CLIENTS, turn);
	return forwards_choose(all, ipv6, FORWARDS_CLIENTS, turn);
}

struct addr forwards_stranger(const struct forwards *all, int family)
{
	static const char *const ipv4[] = { "185.199.108.79", "151.101.66.79" };
	static const char *const ipv6[] = { "2606:50c0:8000::79", "2a04:4e42::79" };

	return forwards_choose(all, family == AF_INET ? ipv4 : ipv6, 2, 0);
}

struct addr forwards_own(const struct patient_wan *wan, int family)
{
	return family == AF_INET ? wan->own : wan->own6;
}

struct addr forwards_public(const struct patient_wan *wan, int family)
{
	return family == AF_INET ? wan->outer : wan->own6;
}

uint32_t forwards_link(const struct patient_wan *wan)
{
	return wan->link ? wan->link->index : 0;
}

bool forwards_is_open(const struct patient_wan *wan, int family)
{
	struct addr own = forwards_own(wan, family);

	return wan->link && wan->link->up && !addr_is_none(&own) &&
	       addr_classify(&own) != ADDR_CGNAT;
}

static bool forwards_keep_error(struct forwards *all, int rc, const struct err *err)
{
	if (rc < 0 && !all->error) {
		all->error = rc;
		all->sentence = *err;
	}
	return rc == 0;
}

/* Rules of thousands of ports, sources and addresses have more packets than anybody waits. */
static bool forwards_may_go_on(struct forwards *all)
{
	struct err err;

	if (clock_now_ms() <= all->deadline_ms)
		return true;
	return forwards_keep_error(all, err_set(&err, -ETIME, "there are so many rules that "
						"this takes too long"), &err);
}

bool forwards_run(struct forwards *all, const struct walk_question *question,
		  struct walk_result *ret_result)
{
	struct err err;
	int rc;

	if (!forwards_may_go_on(all))
		return false;
	rc = walk_run(all->patient->walk, &all->router, question, ret_result, &err);
	return forwards_keep_error(all, rc, &err);
}

bool forwards_try(struct forwards *all, const struct patient_forward *forward,
		  const struct walk_packet *packet, struct walk_result *ret_result,
		  struct walk_result *ret_open, struct walk_result *ret_behind)
{
	struct walk_question question = { .packet = *packet };

	if (!forwards_run(all, &question, ret_result))
		return false;
	question.regardless = true;
	if (!forwards_run(all, &question, ret_open))
		return false;
	question.regardless = false;
	question.assumed = forward->server;
	question.assumed_port = forward->server_port;
	if (!forwards_is_sent_to(ret_open, forward))
		return forwards_run(all, &question, ret_behind);
	*ret_behind = *ret_result;
	return true;
}

bool forwards_run_back(struct forwards *all, const struct walk_packet *packet,
		       const struct walk_result *first, struct walk_result *ret_result)
{
	struct err err;
	int rc;

	if (!forwards_may_go_on(all))
		return false;
	rc = walk_back(all->patient->walk, &all->router, packet, first, ret_result, &err);
	return forwards_keep_error(all, rc, &err);
}

bool forwards_takes_rest(const struct forwards *all, const struct walk_rule *rule,
			 const struct walk_packet *packet)
{
	struct walk_packet other = *packet;
	size_t i;

	for (i = 0; i < all->port_count; i++) {
		if (all->ports[i].first == 0 && all->ports[i].last == UINT16_MAX)
			other.destination_port = all->ports[i].tried;
	}
	return walk_rule_miss(all->patient->walk, &all->router, rule, &other) ==
	       WALK_MATCHES;
}

bool forwards_is_rest(const struct patient_forward *forward)
{
	return forward->port == 0 && forward->port_last == UINT16_MAX;
}

struct walk_packet forwards_packet(const struct patient_forward *forward,
				   const struct addr *source,
				   const struct addr *destination, uint32_t in)
{
	return (struct walk_packet){
		.protocol = forward->protocol,
		.source = *source, .destination = *destination,
		.source_port = FORWARDS_SOURCE_PORT,
		.destination_port = forward->tried,
		.in = in,
	};
}

static bool forwards_spells(const struct forwards *all, const struct walk_rule *rule,
			    const struct addr *address)
{
	struct addr spelt[FORWARDS_STALE_MAX];
	size_t i, count = walk_rule_destinations(all->patient->walk, rule, spelt,
						 FORWARDS_STALE_MAX);

	for (i = 0; i < count && i < FORWARDS_STALE_MAX; i++) {
		if (addr_equal(&spelt[i], address))
			return true;
	}
	return false;
}

const struct walk_rule *forwards_speller(const struct forwards *all,
					 const struct walk_result *result,
					 const struct addr *address)
{
	const struct walk_rule *rule = result->destination_nat.rule;
	size_t i;

	if (!rule || forwards_spells(all, rule, address))
		return rule;
	for (i = 0; i < result->step_count && result->steps[i].rule != rule; i++) {
		if (result->steps[i].kind == WALK_CHAIN && result->steps[i].rule &&
		    forwards_spells(all, result->steps[i].rule, address))
			return result->steps[i].rule;
	}
	return NULL;
}

bool forwards_is_sent(const struct forwards *all, const struct walk_result *result)
{
	const struct walk_nat *nat = &result->destination_nat;

	return nat->rule && !nat->redirect && !addr_is_none(&nat->address) &&
	       !router_owner(all->patient->router, &nat->address);
}

bool forwards_is_sent_to(const struct walk_result *result,
			 const struct patient_forward *forward)
{
	const struct walk_nat *nat = &result->destination_nat;

	return nat->rule && addr_equal(&nat->address, &forward->server) &&
	       nat->port == forward->server_port;
}

bool forwards_sends(struct forwards *all, const struct patient_forward *forward,
		    const struct walk_packet *packet)
{
	const struct walk_question question = { .packet = *packet, .regardless = true };
	struct walk_result result;

	return forwards_run(all, &question, &result) &&
	       forwards_is_sent_to(&result, forward);
}

bool forwards_is_contained(const struct patient *patient,
			   const struct patient_forward *forward)
{
	const struct patient_network *network;
	size_t i;

	for (i = 0; i < patient->network_count; i++) {
		network = &patient->networks[i];
		if (network->containers && network->router.family == forward->server.family &&
		    addr_same_prefix(&network->router, &forward->server, network->bits))
			return true;
	}
	return false;
}

bool forwards_is_lost(const struct forwards *all, const struct patient_forward *forward,
		      const struct walk_result *result)
{
	if (result->end == WALK_NO_ROUTE)
		return result->route.error != -EXDEV;
	return result->end == WALK_FORWARDED &&
	       result->out == forwards_link(forward->wan) &&
	       !router_network_of(all->patient->router, &forward->server) &&
	       !addr_is_global(&forward->server);
}

bool forwards_is_dropped(const struct walk_result *result)
{
	return result->end == WALK_DROPPED || result->end == WALK_REJECTED;
}

static bool forwards_is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++) {
		if (strcmp(word, *words) == 0)
			return true;
	}
	return false;
}

/*
 * Where it went through, only a rule that stops may change that; where it was stopped,
 * only one that helps; where no rule took it, only one that would.
 */
static bool forwards_may_change(const struct walk_result *result,
				const struct walk_step *step, bool sources)
{
	static const char *const helps[] = { "accept", "return", "continue", "queue", NULL };
	static const char *const stops[] = { "drop", "reject", NULL };
	const char *verdict = step->verdict ? step->verdict : "unsure";

	if (step->rule->nat_destination || step->rule->nat_source)
		return step->rule->nat_destination || sources;
	if (forwards_is_dropped(result))
		return !forwards_is_one_of(verdict, stops);
	return result->end == WALK_FORWARDED && !forwards_is_one_of(verdict, helps);
}

const struct walk_rule *forwards_doubt(const struct walk_result *result, bool sources)
{
	const struct walk_step *step;
	size_t i;

	for (i = 0; i < result->step_count; i++) {
		step = &result->steps[i];
		if (step->kind == WALK_UNSURE && step->rule &&
		    forwards_may_change(result, step, sources))
			return step->rule;
	}
	return result->step_count == WALK_STEPS_MAX ? result->unsure : NULL;
}
