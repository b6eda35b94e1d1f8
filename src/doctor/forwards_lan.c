/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does each network of the LAN reach the server by the public address, does the answer
 * come back, and is nothing else taken that is none of the forward's?
 */
#include "forwards_lan.h"

#include <string.h>

#include "remedy.h"

/* --- the return path --- */

/* Ports in use of the bridge whose packets IP's rules see; 0: they do not see them. */
static size_t lan_count_ports(const struct lan *it)
{
	const struct router *router = it->all->patient->router;
	enum router_switch calls = it->seen.family == AF_INET ? router->bridge_calls_ip
							      : router->bridge_calls_ip6;
	size_t i, ports = 0;

	if (calls != ROUTER_ON || strcmp(it->network->link->kind, "bridge") != 0)
		return 0;
	for (i = 0; i < router->link_count; i++)
		ports += router->links[i].up &&
			 router->links[i].master == it->network->link->index;
	return ports;
}

/*
 * Client and server see each other without the router, and the server sees the client's
 * own address, or one that nobody has: its answer does not pass the router.
 */
bool lan_needs_return_path(const struct lan *it)
{
	const struct addr *source = &it->last.source;

	if (!it->beside || it->last.out != it->network->link->index || it->ports)
		return false;
	if (addr_equal(source, &it->packet.source))
		return true;
	return addr_same_prefix(source, &it->network->router, it->network->bits) &&
	       !router_owner(it->all->patient->router, source);
}

static bool lan_passes(struct lan *it, const struct patient_network *from,
		       const struct patient_network *to)
{
	const struct walk_question question = {
		.packet = forwards_packet(it->forward, &from->client, &to->client,
					  from->link->index),
	};
	struct walk_result result;

	return forwards_run(it->all, &question, &result) && result.end == WALK_FORWARDED;
}

/*
 * A network for servers: others of the LAN get in, and it does not get out to them. Its
 * own hosts are no clients.
 */
static bool lan_is_for_servers(struct lan *it)
{
	const struct patient *patient = it->all->patient;
	const struct patient_network *other;
	size_t i;

	for (i = 0; i < patient->network_count; i++) {
		other = &patient->networks[i];
		if (other->link != it->network->link && !other->containers &&
		    other->client.family == it->network->client.family &&
		    lan_passes(it, other, it->network) &&
		    !lan_passes(it, it->network, other))
			return true;
	}
	return false;
}

static void lan_tell_return_path(struct lan *it)
{
	const struct finding_key key = {
		.verdict = lan_is_for_servers(it) ? DOCTOR_NOTE : DOCTOR_FINDING,
		.code = "return-path",
	};
	char source[ADDR_TEXT_BYTES], server[ADDR_TEXT_BYTES];
	struct finding *finding;

	addr_format(&it->last.source, source);
	addr_format(&it->forward->server, server);
	finding = forwards_finding(it->all, it->forward, &key,
		"clients reach the server by the public address, and wait for its answer: "
		"it is in their own network and answers past the router.");
	finding_network(finding, it->network->text);
	if (it->last.source_nat.rule)
		forwards_show_rule(it->all, finding, "Nobody has the source address of",
				   it->last.source_nat.rule);
	finding_evidence(finding, "%s sees the connection come from %s, which is beside it on "
			 "%s.", server, source, it->network->link->name);
	finding_remedy(finding, DOCTOR_HERE, "Let what was translated come from the router, "
		       "so that the answer goes back by it.");
	remedy_add_return_path(it->all, finding, it->forward, it->network);
}

/* --- stopped on the way --- */

/* May the network's clients reach the server by its own address? */
static bool lan_may_directly(struct lan *it)
{
	struct walk_question question = { .packet = it->packet };
	struct walk_result result;

	question.packet.destination = it->forward->server;
	question.packet.destination_port = it->forward->server_port;
	return forwards_run(it->all, &question, &result) && !forwards_is_dropped(&result);
}

static void lan_tell_blocked(struct lan *it, bool on_purpose)
{
	const struct walk_result *dropped = &it->behind;
	const struct finding_key key = {
		.verdict = on_purpose ? DOCTOR_NOTE : DOCTOR_FINDING,
		.code = "lan-blocked",
		.cause = dropped->at ? (const void *)dropped->at : dropped->chain,
	};
	const struct router *router = it->all->patient->router;
	struct finding *finding;

	finding = forwards_finding(it->all, it->forward, &key, on_purpose && it->beside
		? "hosts of the servers' own network do not get to this one by the public "
		  "address."
		: on_purpose
		? "clients do not get to the server, by the public address or directly; "
		  "these networks are kept apart."
		: "what clients send to the public address is translated and then not let "
		  "through to the server.");
	finding_network(finding, it->network->text);
	if (dropped->at)
		forwards_show_rule(it->all, finding, "Stopped by", dropped->at);
	else if (dropped->chain)
		finding_evidence(finding, "Stopped by the policy of the chain %s %s.",
				 dropped->chain->table->name, dropped->chain->name);
	if (on_purpose)
		return;
	finding_remedy(finding, DOCTOR_HERE,
		       "Let through what was translated for a forward.");
	remedy_add_accept(it->all, finding, it->forward, dropped, it->network->link,
			  router_link_of(router, it->last.out));
	forwards_add_answer(it->all, finding, &it->packet, it->forward);
}

/* --- too much --- */

static bool lan_runs(struct lan *it, const struct addr *destination,
		     struct walk_result *ret_result)
{
	struct walk_question question = { .packet = it->packet };

	question.packet.destination = *destination;
	return forwards_run(it->all, &question, ret_result) &&
	       forwards_is_sent_to(ret_result, it->forward);
}

/* True: what clients send to anybody on that port goes to the server. */
static bool lan_judge_grabs(struct lan *it)
{
	struct addr stranger = forwards_stranger(it->all, it->seen.family);
	struct finding_key key = { .verdict = DOCTOR_FINDING, .code = "grabs-all" };
	const struct walk_rule *rule;
	struct walk_result result;
	struct finding *finding;

	if (!lan_runs(it, &stranger, &result))
		return false;
	rule = result.destination_nat.rule;
	finding = forwards_finding(it->all, it->forward, &key,
		"the rule asks for no destination, so that whatever host of the internet "
		"clients want on that port, they get this server.");
	finding_network(finding, it->network->text);
	forwards_show_rule(it->all, finding, "The rule", rule);
	finding_remedy(finding, DOCTOR_HERE, "Ask for the public address in the rule.");
	remedy_add_forward(it->all, finding, it->forward, REMEDY_LAN);
	remedy_remove(it->all, finding, rule);
	return true;
}

/* The router's own page is lost where the same port of its LAN addresses is taken too. */
static void lan_judge_shadowed(struct lan *it)
{
	const struct patient *patient = it->all->patient;
	const struct patient_network *other;
	const struct router_socket *socket;
	struct walk_result result;
	struct finding *finding;
	char address[ADDR_TEXT_BYTES];
	size_t i;

	for (i = 0; i < patient->network_count; i++) {
		struct finding_key key = { .verdict = DOCTOR_FINDING,
					   .code = "router-shadowed" };

		other = &patient->networks[i];
		if (other->containers || other->router.family != it->seen.family ||
		    addr_equal(&other->router, &it->seen))
			continue;
		socket = router_listener(patient->router, it->forward->protocol,
					 &other->router, it->forward->tried);
		if (!socket || !lan_runs(it, &other->router, &result))
			continue;
		key.cause = result.destination_nat.rule;
		finding = forwards_finding(it->all, it->forward, &key,
			"the rule also takes the router's own address, so that what the "
			"router itself offers on that port cannot be reached.");
		finding_network(finding, it->network->text);
		forwards_show_rule(it->all, finding, "The rule",
				   result.destination_nat.rule);
		finding_evidence(finding, "On %s port %u listens the router's own %s.",
				 addr_format(&other->router, address),
				 it->forward->tried,
				 *socket->program ? socket->program : "service");
		finding_remedy(finding, DOCTOR_HERE,
			       "Leave the router's own addresses out.");
		remedy_spare_router(it->all, finding, it->forward,
				    result.destination_nat.rule);
	}
}

/* --- one network --- */

static bool lan_ask(struct lan *it)
{
	const struct walk_question regardless = {
		.packet = it->packet,
		.regardless = true,
		.assumed = it->forward->server,
		.assumed_port = it->forward->server_port,
	};

	return forwards_try(it->all, it->forward, &it->packet, &it->result, &it->open,
			    &it->behind) &&
	       forwards_run(it->all, &regardless, &it->last);
}

static bool lan_is_unsure(struct lan *it)
{
	const struct walk_rule *rule = forwards_doubt(&it->result, it->beside);

	if (!rule)
		rule = forwards_doubt(&it->behind, it->beside);
	if (!rule)
		rule = forwards_doubt(&it->last, it->beside);
	if (!rule)
		return false;
	forwards_tell_unsure(it->all, it->forward, it->network->text, rule);
	return true;
}

/* Does the server's answer get back? What stops it is told. */
static bool lan_has_answer(struct lan *it)
{
	/* A bridge does not send back by the port that it came by; told of the router. */
	if (it->beside && it->ports == 1)
		return false;
	return it->ports || forwards_comes_back(it->all, it->forward, it->network,
						&it->packet, &it->result);
}

/* The same, where nothing is told. */
static bool lan_is_answered(struct lan *it)
{
	struct walk_result back;

	return forwards_run_back(it->all, &it->packet, &it->result, &back) &&
	       back.end == WALK_FORWARDED;
}

static enum patient_reach lan_judge(struct lan *it)
{
	bool sent = forwards_is_sent_to(&it->open, it->forward);
	bool dropped = forwards_is_dropped(&it->behind);
	bool apart = dropped && (it->beside ? lan_is_for_servers(it)
					     : !lan_may_directly(it));
	bool told = false;

	if (it->silent)
		return sent && it->result.end == WALK_FORWARDED && lan_is_answered(it)
			? PATIENT_YES : PATIENT_UNKNOWN;
	/* Which address clients connect to nobody knows: that is told of the router. */
	if (!sent && !apart && !it->unknown)
		told = lan_tell_missed(it);
	if (dropped && (sent || !apart))
		lan_tell_blocked(it, apart);
	if (!told && !apart && lan_needs_return_path(it)) {
		lan_tell_return_path(it);
		told = true;
	}
	if (sent && !told && it->result.end == WALK_FORWARDED && !lan_has_answer(it))
		told = true;
	if (!sent || !lan_judge_grabs(it))
		lan_judge_shadowed(it);
	if (!sent)
		return it->unknown ? PATIENT_UNKNOWN
				   : forwards_local_reach(it->all, &it->packet,
							  &it->result);
	if (forwards_is_lost(it->all, it->forward, &it->last))
		return PATIENT_NO;
	if (!it->beside && it->last.source_nat.rule)
		forwards_tell_hidden(it->all, it->forward, it->last.source_nat.rule);
	return told || it->result.end != WALK_FORWARDED ? PATIENT_NO : PATIENT_YES;
}

/* On the same link; of IPv4 a host has one network, of IPv6 all that are there. */
static bool lan_is_beside(const struct lan *it)
{
	const struct router_address *near =
		router_network_of(it->all->patient->router, &it->forward->server);

	if (!near || near->link != it->network->link->index)
		return false;
	return it->seen.family == AF_INET6 ||
	       addr_same_prefix(&it->packet.source, &it->forward->server,
				it->network->bits);
}

static enum patient_reach lan_try(struct lan *it)
{
	struct addr client = it->network->client;

	/* A server that asks itself is another matter: its neighbour asks. */
	if (addr_equal(&client, &it->forward->server))
		client.bytes[addr_length_bytes(&client) - 1] ^= 1;
	it->packet = forwards_packet(it->forward, &client, &it->seen,
				     it->network->link->index);
	it->beside = lan_is_beside(it);
	it->ports = it->beside ? lan_count_ports(it) : 0;
	if (!lan_ask(it) || lan_is_unsure(it))
		return PATIENT_UNKNOWN;
	return lan_judge(it);
}

/* --- all --- */

/* Rules that a program makes for the hour, as a game asks for them, are for the internet. */
static bool lan_is_passing(const struct patient_forward *forward)
{
	const struct walk_chain *chain = forward->rule->chain;

	return strcasestr(chain->name, "miniupnpd") ||
	       strcasestr(chain->table->name, "miniupnpd");
}

/*
 * Who comes by a tunnel reaches the public address outside of it, where the tunnel's other
 * end is too; and a network of global IPv4 addresses is an uplink more often than a LAN.
 */
static bool lan_is_foreign(const struct patient_network *network)
{
	return network->link->point_to_point ||
	       strcmp(network->link->kind, "wireguard") == 0 ||
	       strcmp(network->link->kind, "tun") == 0 ||
	       (network->router.family == AF_INET && addr_is_global(&network->router));
}

static bool lan_concerns(const struct patient_forward *forward,
			 const struct patient_network *network)
{
	return !network->containers && network->client.family == forward->server.family;
}

/*
 * What a client connects to. Behind another router whose address is not known: the
 * literal that a rule has for the LAN; else an address that no rule has.
 */
static void lan_choose_seen(struct lan *it, const struct patient *patient)
{
	const struct forwards *all = it->all;
	int family = it->forward->server.family;	/* the WAN may have no address */
	struct walk_packet packet;
	size_t i, j;

	it->seen = forwards_public(it->forward->wan, family);
	if (!addr_is_none(&it->seen))
		return;
	for (i = 0; i < patient->network_count; i++) {
		if (!lan_concerns(it->forward, &patient->networks[i]))
			continue;
		for (j = 0; j < all->stale_count; j++) {
			packet = forwards_packet(it->forward, &patient->networks[i].client,
						 &all->stale[j],
						 patient->networks[i].link->index);
			if (all->stale[j].family != family ||
			    !addr_is_global(&all->stale[j]) ||
			    !forwards_sends(it->all, it->forward, &packet))
				continue;
			it->seen = all->stale[j];
			return;
		}
	}
	it->seen = forwards_stranger(all, family);
	it->unknown = true;
}

static bool lan_is_only(struct lan *it, const struct patient *patient)
{
	struct walk_packet packet;
	size_t i;

	for (i = 0; i < patient->network_count; i++) {
		if (!lan_concerns(it->forward, &patient->networks[i]))
			continue;
		packet = forwards_packet(it->forward, &patient->networks[i].client, &it->seen,
					 patient->networks[i].link->index);
		if (forwards_sends(it->all, it->forward, &packet))
			return false;
	}
	return true;
}

void forwards_judge_lan(struct forwards *all, struct patient_forward *forward)
{
	const struct patient *patient = all->patient;
	struct lan it = {
		.all = all, .forward = forward,
		.own = forwards_own(forward->wan, forward->server.family),
	};
	bool quiet;
	size_t i;

	for (i = 0; i < patient->network_count; i++)
		forward->networks[i] = PATIENT_UNKNOWN;
	/* A list of allowed sources is not meant for the LAN. */
	if (forward->found == PATIENT_BY_SOME)
		return;
	quiet = forwards_is_contained(patient, forward) || lan_is_passing(forward);
	lan_choose_seen(&it, patient);
	it.only = lan_is_only(&it, patient);
	for (i = 0; i < patient->network_count; i++) {
		it.network = &patient->networks[i];
		it.silent = quiet || lan_is_foreign(it.network);
		if (lan_concerns(forward, it.network))
			forward->networks[i] = lan_try(&it);
	}
}
