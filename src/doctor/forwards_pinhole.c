/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Openings for servers with IPv6 addresses of their own: a rule that lets in what goes to
 * an address of a prefix that is none of ours any more.
 */
#include "forwards.h"

#include <stdio.h>
#include <string.h>

#include "hairpin/nft.h"

#include "remedy.h"

enum { PINHOLE_PORTS_MAX = 256, PINHOLE_HOST_BITS = 64 };

struct pinhole {
	struct forwards *all;
	const struct patient_wan *wan;
	const struct walk_rule *rule;
	struct addr stale, fresh;	/* the same host, in a prefix of the past and of now */
	struct walk_packet packet;
};

static bool pinhole_run(struct pinhole *it, const struct addr *destination,
			struct walk_result *ret_result)
{
	struct walk_question question = { .packet = it->packet };

	question.packet.destination = *destination;
	return forwards_run(it->all, &question, ret_result);
}

static bool pinhole_spells(struct pinhole *it, const struct walk_rule *rule)
{
	struct addr spelt[16];
	size_t i, count = walk_rule_destinations(it->all->patient->walk, rule, spelt, 16);

	for (i = 0; i < count && i < 16; i++) {
		if (addr_equal(&spelt[i], &it->stale))
			return true;
	}
	return false;
}

/* The rule that lets in what goes to the stale address, and to it alone. */
static bool pinhole_find_rule(struct pinhole *it)
{
	const struct walk_step *step;
	struct walk_result result;
	size_t i;

	if (!pinhole_run(it, &it->stale, &result))
		return false;
	for (i = 0; i < result.step_count; i++) {
		step = &result.steps[i];
		if (step->kind == WALK_MATCHED && step->rule &&
		    strcmp(step->verdict, "accept") == 0 &&
		    pinhole_spells(it, step->rule)) {
			it->rule = step->rule;
			return true;
		}
	}
	return false;
}

/* Where the host is now, and nobody lets the same packet in. */
static bool pinhole_find_host(struct pinhole *it)
{
	const struct patient *patient = it->all->patient;
	const struct patient_network *network;
	struct walk_result result;
	bool closed = false;
	size_t i;

	for (i = 0; i < patient->network_count; i++) {
		network = &patient->networks[i];
		if (network->containers || !addr_is_global(&network->router) ||
		    network->router.family != AF_INET6 ||
		    network->bits > PINHOLE_HOST_BITS)
			continue;
		it->fresh = addr_join(&network->router, network->bits, &it->stale);
		if (!pinhole_run(it, &it->fresh, &result))
			return false;
		if (!forwards_is_dropped(&result))
			return false;
		closed = true;
	}
	return closed;
}

static void pinhole_add_command(struct pinhole *it, struct finding *finding)
{
	const struct walk_chain *chain = it->rule->chain;
	struct addr host = { .family = AF_INET6 };
	char text[ADDR_TEXT_BYTES];

	if (remedy_owner_of(it->all->patient, chain->table) != REMEDY_ADMIN ||
	    !remedy_is_word(chain->name) || !remedy_is_word(chain->table->name) ||
	    !remedy_is_quotable(it->wan->link->name))
		return;
	host = addr_join(&host, PINHOLE_HOST_BITS, &it->stale);
	finding_command(finding,
			"nft 'insert rule %s %s %s iifname \"%s\" ip6 daddr & "
			"::ffff:ffff:ffff:ffff == %s %s dport %u accept'",
			nft_family_name(chain->table->family), chain->table->name,
			chain->name, it->wan->link->name, addr_format(&host, text),
			it->packet.protocol == IPPROTO_TCP ? "tcp" : "udp",
			it->packet.destination_port);
}

static void pinhole_tell(struct pinhole *it)
{
	const struct finding_key key = {
		.verdict = DOCTOR_FINDING, .code = "stale-literal", .cause = it->wan,
		.address = it->stale,
	};
	char old[ADDR_TEXT_BYTES], new[ADDR_TEXT_BYTES], subject[ADDR_TEXT_BYTES + 32];
	struct finding *finding;

	addr_format(&it->stale, old);
	addr_format(&it->fresh, new);
	finding = finding_of(&it->all->findings, &key,
		"The rule lets in what goes to %s, whose prefix is none of this router's; "
		"with today's prefix the host is %s, and closed.", old, new);
	snprintf(subject, sizeof(subject), "%u/%s to %s", it->packet.destination_port,
		 it->packet.protocol == IPPROTO_TCP ? "tcp" : "udp", new);
	finding_subject(finding, subject);
	forwards_show_rule(it->all, finding, "The rule", it->rule);
	finding_remedy(finding, DOCTOR_HERE, "Ask for the host's part of the address alone: "
		       "then the prefix may change.");
	pinhole_add_command(it, finding);
}

static void pinhole_try(struct pinhole *it, const struct walk_port *port)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	size_t i;

	for (i = 0; i < sizeof(protocols); i++) {
		if (port->protocol && port->protocol != protocols[i])
			continue;
		it->packet = (struct walk_packet){
			.protocol = protocols[i],
			.source = forwards_client(it->all, AF_INET6, 0),
			.source_port = FORWARDS_SOURCE_PORT,
			.destination_port = port->first, .in = it->wan->link->index,
		};
		if (pinhole_find_rule(it) && pinhole_find_host(it))
			pinhole_tell(it);
	}
}

static void pinhole_try_address(struct pinhole *it, const struct walk_constants *constants)
{
	size_t i;

	if (it->stale.family != AF_INET6 || !addr_is_global(&it->stale) ||
	    forwards_is_ours(it->all, &it->stale) ||
	    router_network_of(it->all->patient->router, &it->stale))
		return;
	for (i = 0; i < constants->port_count && i < PINHOLE_PORTS_MAX; i++)
		pinhole_try(it, &constants->ports[i]);
}

void forwards_judge_pinholes(struct forwards *all)
{
	const struct patient *patient = all->patient;
	struct pinhole it = { .all = all };
	struct walk_constants constants;
	size_t i, j;

	if (walk_constants(patient->walk, "filter", NF_INET_FORWARD, &constants) < 0) {
		all->findings.failed = true;
		return;
	}
	for (i = 0; i < patient->wan_count; i++) {
		it.wan = &patient->wans[i];
		if (!it.wan->link || addr_is_none(&it.wan->own6))
			continue;
		for (j = 0; j < constants.destination_count && j < FORWARDS_STALE_MAX; j++) {
			it.stale = constants.destinations[j];
			pinhole_try_address(&it, &constants);
		}
	}
	walk_constants_done(&constants);
}
