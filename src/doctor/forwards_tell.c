/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings that have nothing to do with whence the packet came, and their evidence. */
#include <stdarg.h>
#include <stdio.h>

#include "forwards.h"
#include "remedy.h"

struct finding *forwards_finding(struct forwards *all, const struct patient_forward *forward,
				 const struct finding_key *key, const char *format, ...)
{
	char line[512];
	struct finding *finding;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	finding = finding_of(&all->findings, key, "%s", line);
	finding_subject(finding, forward->subject);
	return finding;
}

void forwards_show_rule(struct forwards *all, struct finding *finding, const char *what,
			const struct walk_rule *rule)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;

	rule_text_add(&line, all->patient, rule);
	finding_evidence(finding, "%s: %s", what, line.bytes);
}

static const char *forwards_side(const struct forwards *all,
				 const struct walk_packet *packet)
{
	const struct patient *patient = all->patient;
	size_t i;

	for (i = 0; i < patient->wan_count; i++) {
		if (packet->in && packet->in == forwards_link(&patient->wans[i]))
			return "From outside";
	}
	return "From the LAN";
}

static void forwards_show_listener(struct forwards *all, struct finding *finding,
				   const struct walk_packet *packet, const char *address)
{
	const char *side = forwards_side(all, packet);
	const struct router_socket *socket;

	socket = router_listener(all->patient->router, packet->protocol,
				 &packet->destination, packet->destination_port);
	if (!socket)
		finding_evidence(finding, "%s, %s port %u is the router, and nobody listens "
				 "there.", side, address, packet->destination_port);
	else
		finding_evidence(finding, "%s, the router's own %s answers on %s port %u.",
				 side, *socket->program ? socket->program : "service",
				 address, packet->destination_port);
}

void forwards_show_instead(struct forwards *all, struct finding *finding,
			   const struct walk_packet *packet,
			   const struct walk_result *result)
{
	const struct walk_nat *nat = &result->destination_nat;
	const char *side = forwards_side(all, packet);
	char address[ADDR_TEXT_BYTES], other[ADDR_TEXT_BYTES];

	addr_format(&packet->destination, address);
	if (forwards_is_sent(all, result))
		finding_evidence(finding, "%s, a packet to %s port %u is sent to %s.", side,
				 address, packet->destination_port,
				 addr_format(&nat->address, other));
	else if (forwards_is_dropped(result))
		finding_evidence(finding, "%s, a packet to %s port %u is dropped.", side,
				 address, packet->destination_port);
	else if (!router_owner(all->patient->router, &packet->destination))
		finding_evidence(finding, "%s, a packet to %s port %u leaves for the "
				 "internet.", side, address, packet->destination_port);
	else if (result->end == WALK_LOCAL)
		forwards_show_listener(all, finding, packet, address);
}

enum patient_reach forwards_local_reach(const struct forwards *all,
					const struct walk_packet *packet,
					const struct walk_result *result)
{
	if (forwards_is_sent(all, result))
		return PATIENT_ELSEWHERE;
	if (result->end == WALK_LOCAL &&
	    router_listener(all->patient->router, packet->protocol, &result->destination,
			    result->destination_port))
		return PATIENT_ROUTER;
	return PATIENT_NO;
}

static bool forwards_is_former(const struct patient_wan *wan, const struct addr *address)
{
	size_t i;

	for (i = 0; i < wan->former_count; i++) {
		if (addr_equal(&wan->former[i], address))
			return true;
	}
	return false;
}

void forwards_tell_stale(struct forwards *all, const struct patient_forward *forward,
			 const struct walk_rule *rule, const struct addr *literal,
			 const struct walk_packet *packet,
			 const struct walk_result *result)
{
	const struct finding_key key = {
		.verdict = DOCTOR_FINDING, .code = "stale-literal", .cause = forward->wan,
		.address = *literal,
	};
	struct addr seen = forwards_public(forward->wan, literal->family);
	char old[ADDR_TEXT_BYTES], new[ADDR_TEXT_BYTES];
	struct finding *finding;

	addr_format(literal, old);
	addr_format(&seen, new);
	finding = forwards_finding(all, forward, &key,
		"The rule waits for packets to %s, which is %s; the public address is %s "
		"now.", old, forwards_is_former(forward->wan, literal)
			? "a former address of the WAN" : "not an address of this router",
		new);
	forwards_show_rule(all, finding, "The rule", rule);
	forwards_show_instead(all, finding, packet, result);
	if (!all->patient->options->status)
		finding_evidence(finding, "No hairpind runs that would keep it right.");
	remedy_rewrite(all, finding, forward, rule, literal);
}

void forwards_tell_hidden(struct forwards *all, const struct patient_forward *forward,
			  const struct walk_rule *rule)
{
	const struct finding_key key = {
		.verdict = DOCTOR_NOTE, .code = "source-hidden", .cause = rule,
	};
	struct finding *finding;

	finding = forwards_finding(all, forward, &key,
		"The server sees the router's address instead of the clients' ones, where "
		"that is not needed; its log and what it bans by address are of no use "
		"then.");
	forwards_show_rule(all, finding, "The rule", rule);
}

void forwards_tell_unsure(struct forwards *all, const struct patient_forward *forward,
			  const char *who, const struct walk_rule *rule)
{
	const struct finding_key key = {
		.verdict = DOCTOR_UNKNOWN, .code = "rule-unsure", .cause = rule,
	};
	struct finding *finding;

	finding = forwards_finding(all, forward, &key,
		"Whether clients reach the server hangs on a rule whose matches cannot be "
		"worked out without real packets.");
	finding_evidence(finding, "Asked for %s.", who);
	forwards_show_rule(all, finding, "The rule", rule);
}
