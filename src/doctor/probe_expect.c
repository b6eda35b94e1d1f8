/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules mean to do with that port, by packets in thought. */
#include <sys/socket.h>

#include "probe_private.h"

enum { ADDRESSES_MAX = 16, CLIENT_PORT = 40000 };

/* Somebody on the internet: of TEST-NET-2 and of the prefix for documentation. */
static struct addr stranger(int family)
{
	struct addr address = { 0 };

	(void)addr_parse(family == AF_INET ? "198.51.100.77" : "2001:db8:ffff::77",
			 &address);
	return address;
}

struct walk_packet probe_packet(const struct conntrack_flow *flow, uint32_t in)
{
	return (struct walk_packet){
		.protocol = flow->protocol,
		.source = flow->source,
		.destination = flow->destination,
		.source_port = flow->source_port ? flow->source_port : CLIENT_PORT,
		.destination_port = flow->destination_port,
		.in = in,
	};
}

/* From outside it comes with the WAN's own address, or behind another router with that. */
static bool is_sent_on(const struct patient *patient, const struct patient_wan *wan,
		       const struct walk_packet *packet,
		       struct probe_expected *ret_expected)
{
	struct walk_question question = { .packet = *packet, .regardless = true };
	struct walk_result result;
	struct err err;

	if (!wan->link || addr_is_none(&packet->destination))
		return false;
	question.packet.in = wan->link->index;
	question.packet.source = stranger(packet->destination.family);
	if (walk_run(patient->walk, patient->router, &question, &result, &err) < 0 ||
	    !result.destination_nat.rule)
		return false;
	ret_expected->wan = wan;
	ret_expected->rule = result.destination_nat.rule;
	ret_expected->server = result.destination;
	ret_expected->port = result.destination_port;
	return true;
}

/* Whose public address is not known: any that is not ours. */
static bool may_be_of(const struct patient *patient, const struct patient_wan *wan,
		      const struct addr *address)
{
	if (address->family == AF_INET6)
		return addr_equal(address, &wan->own6);
	if (addr_equal(address, &wan->outer) || addr_equal(address, &wan->own))
		return true;
	return addr_is_none(&wan->outer) && !router_owner(patient->router, address);
}

static bool find_forward(const struct patient *patient, const struct conntrack_flow *flow,
			 struct probe_expected *ret_expected)
{
	struct walk_packet packet = probe_packet(flow, 0);

	for (size_t i = 0; i < patient->wan_count; i++) {
		const struct patient_wan *wan = &patient->wans[i];
		bool ip4 = flow->destination.family == AF_INET;

		if (!may_be_of(patient, wan, &flow->destination))
			continue;
		packet.destination = ip4 ? wan->own : wan->own6;
		if (is_sent_on(patient, wan, &packet, ret_expected))
			return true;
		packet.destination = flow->destination;
		if (is_sent_on(patient, wan, &packet, ret_expected))
			return true;
	}
	return false;
}

/* --- a rule that would, were its address still ours --- */

static bool would_take(const struct patient *patient, const struct walk_rule *rule,
		       struct walk_packet packet, const struct patient_wan *wan)
{
	struct addr literals[ADDRESSES_MAX];
	size_t count = walk_rule_destinations(patient->walk, rule, literals,
					      ADDRESSES_MAX);

	for (size_t i = 0; i < count && i < ADDRESSES_MAX; i++) {
		if (literals[i].family != packet.destination.family ||
		    router_owner(patient->router, &literals[i]) ||
		    addr_equal(&literals[i], &packet.destination))
			continue;
		packet.destination = literals[i];
		if (walk_rule_miss(patient->walk, patient->router, rule, &packet) ==
		    WALK_MATCHES)
			return true;
		if (!wan->link)
			continue;
		packet.in = wan->link->index;
		if (walk_rule_miss(patient->walk, patient->router, rule, &packet) ==
		    WALK_MATCHES)
			return true;
	}
	return false;
}

static const struct walk_rule *find_stale(const struct patient *patient,
					  const struct walk_packet *packet)
{
	const struct walk_chain *chain;

	for (size_t i = 0; (chain = walk_chain(patient->walk, i)); i++) {
		for (size_t j = 0; j < chain->rule_count; j++) {
			const struct walk_rule *rule = &chain->rules[j];

			if (rule->nat_destination &&
			    would_take(patient, rule, *packet, &patient->wans[0]))
				return rule;
		}
	}
	return NULL;
}

/* --- why not for a LAN client --- */

static void find_reason(const struct patient *patient, const struct walk_packet *packet,
			struct probe_expected *expected)
{
	bool own = addr_equal(&packet->destination, &expected->wan->own) ||
		   addr_equal(&packet->destination, &expected->wan->own6);

	switch (walk_rule_miss(patient->walk, patient->router, expected->rule, packet)) {
	case WALK_MATCHES:
	case WALK_MISS_UNSURE:
		expected->code = NULL;
		expected->because = "another rule takes it first, or it is not known "
				    "whether the rule matches";
		break;
	case WALK_MISS_IN:
		expected->code = own ? "wan-bound" : "twin-missing";
		expected->because = "the rule asks for the WAN's link, and a client of "
				    "the LAN does not come by that";
		break;
	case WALK_MISS_FIB:
	case WALK_MISS_DESTINATION:
		expected->code = own ? "lan-missed" : "twin-missing";
		expected->because = "the rule is for another address";
		break;
	case WALK_MISS_SOURCE:
		expected->code = "lan-missed";
		expected->because = "the rule is not for clients of that network";
		break;
	default:
		expected->code = "lan-missed";
		expected->because = "the rule does not match it";
	}
}

void probe_expect(const struct patient *patient, const struct conntrack_flow *flow,
		  uint32_t in, struct probe_expected *ret_expected)
{
	struct walk_packet packet = probe_packet(flow, in);
	struct probe_expected expected = { 0 };

	if (!patient->walk) {
		*ret_expected = expected;
		return;
	}
	if (find_forward(patient, flow, &expected)) {
		find_reason(patient, &packet, &expected);
	} else if (patient->wan_count &&
		   (expected.rule = find_stale(patient, &packet))) {
		expected.code = "stale-literal";
		expected.because = "the rule is for an address that this router does not "
				   "have (any more)";
	}
	*ret_expected = expected;
}

/* --- where no packet can be sent --- */

static void add_stop(struct json *probe, struct patient *patient,
		     const struct walk_result *result)
{
	TEXT_CLEANUP struct text rule = TEXT_INIT;

	if (!result->at)
		return;
	rule_text_add(&rule, patient, result->at);
	report_evidence(probe, "The rule that does so: %s", rule.bytes);
}

static void add_end(struct json *probe, struct patient *patient,
		    const struct walk_result *result)
{
	const struct router_link *out = router_link_of(patient->router, result->out);
	char to[ADDR_TEXT_BYTES], from[ADDR_TEXT_BYTES];

	addr_format(&result->destination, to);
	switch (result->end) {
	case WALK_FORWARDED:
		report_evidence(probe, "In thought: it is sent on to %s port %u by %s, "
				"from %s.", to, result->destination_port,
				out ? out->name : "?", addr_format(&result->source, from));
		break;
	case WALK_LOCAL:
		report_evidence(probe, "In thought: the router itself takes it.");
		break;
	case WALK_DROPPED:
	case WALK_REJECTED:
		report_evidence(probe, "In thought: the firewall drops it on its way to "
				"%s.", to);
		add_stop(probe, patient, result);
		break;
	case WALK_NO_ROUTE:
	case WALK_NO_FORWARDING:
		report_evidence(probe, "In thought: the router does not route it to %s.",
				to);
		break;
	}
}

void probe_walk_add(struct json *probe, struct patient *patient,
		    const struct patient_network *network,
		    const struct doctor_probe *asked, const struct addr *destination)
{
	struct conntrack_flow flow = {
		.protocol = asked->protocol,
		.source = network->client,
		.destination = *destination,
		.destination_port = asked->port,
	};
	struct walk_question question = { 0 };
	struct walk_result result;
	struct err err;

	if (!patient->walk || addr_is_none(&network->client))
		return;
	question.packet = probe_packet(&flow, network->link->index);
	if (walk_run(patient->walk, patient->router, &question, &result, &err) < 0)
		return;
	add_end(probe, patient, &result);
	if (result.unsure)
		report_evidence(probe, "Not all rules on the way are known, so this is "
				"not sure.");
}
