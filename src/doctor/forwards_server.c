/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does the server answer, and has it a way back by this router? Real connections: from the
 * router's address beside the server, and from the WAN's own, which the server reaches
 * only by a route.
 */
#include "forwards.h"

#include <errno.h>
#include <stdlib.h>

#include "hairpin/reach.h"

#include "remedy.h"

enum {
	SERVER_LIMIT_MS = 1500,
	SERVERS_MAX = 64,
	SERVER_RANGE = 16,		/* wider ones are not asked */
	SERVER_REACHES_MAX = 512,
};

/* Connections to one server: to each port from beside it, and from the WAN's address. */
struct server {
	const struct patient_forward *forward;
	const struct router_address *near;
	struct reach *beside;
	size_t ports;				/* so many, from `beside` on */
	struct reach *far;			/* to the first; NULL: it would show nothing */
	bool in_the_way;			/* that is told, and no more of it */
};

struct servers {
	struct forwards *all;
	struct server list[SERVERS_MAX];
	struct reach reaches[SERVER_REACHES_MAX];
	size_t count, reach_count;
};

/* A forward of the same port waits behind it: then it is itself what is wrong. */
static bool server_is_in_the_way(const struct patient *patient,
				 const struct patient_forward *forward)
{
	const struct patient_forward *other;
	size_t i;

	for (i = 0; i < patient->forward_count; i++) {
		other = &patient->forwards[i];
		if (other->found == PATIENT_BY_NOBODY && other->wan == forward->wan &&
		    other->protocol == forward->protocol && other->port == forward->port)
			return true;
	}
	return false;
}

/* How many ports of the server are behind it; 0: unclear, or too many. UDP says nothing. */
static size_t server_count_ports(const struct patient_forward *forward)
{
	size_t count = (size_t)(forward->port_last - forward->port) + 1;

	if (forward->protocol != IPPROTO_TCP || count > SERVER_RANGE ||
	    (count > 1 && forward->server_port != forward->port))
		return 0;
	return count;
}

static bool server_is_known(const struct servers *servers,
			    const struct patient_forward *forward)
{
	const struct patient_forward *other;
	size_t i;

	for (i = 0; i < servers->count; i++) {
		other = servers->list[i].forward;
		if (servers->list[i].ports == server_count_ports(forward) &&
		    addr_equal(&other->server, &forward->server) &&
		    other->server_port == forward->server_port)
			return true;
	}
	return false;
}

/* Does it leave with that source? Another one would be one that the server knows. */
static bool server_sees(struct forwards *all, const struct patient_forward *forward,
			const struct addr *source)
{
	struct walk_question question = {
		.packet = forwards_packet(forward, source, &forward->server, 0),
	};
	struct walk_result result, back;

	question.packet.destination_port = forward->server_port;
	if (!forwards_run(all, &question, &result) || result.end != WALK_FORWARDED ||
	    result.destination_nat.rule || !addr_equal(&result.source, source) ||
	    result.unsure)
		return false;
	return forwards_run_back(all, &question.packet, &result, &back) &&
	       back.end == WALK_LOCAL && !back.unsure;
}

/* Do clients of the internet come to it with their own addresses? */
static bool server_sees_clients(struct forwards *all, const struct patient_forward *forward)
{
	struct addr own = forwards_own(forward->wan, forward->server.family);
	const struct walk_question question = {
		.packet = forwards_packet(forward, &forward->source, &own,
					  forwards_link(forward->wan)),
		.assumed = forward->server, .assumed_port = forward->server_port,
		.regardless = true,
	};
	struct walk_result result;

	return forwards_run(all, &question, &result) && !result.source_nat.rule;
}

static struct reach *server_ask(struct servers *servers,
				const struct patient_forward *forward,
				const struct addr *source, size_t ports)
{
	struct reach *first = &servers->reaches[servers->reach_count];
	size_t i;

	for (i = 0; i < ports; i++)
		servers->reaches[servers->reach_count++] = (struct reach){
			.source = *source, .destination = forward->server,
			.port = (uint16_t)(forward->server_port + i),
		};
	return first;
}

static void server_add(struct servers *servers, const struct patient_forward *forward)
{
	struct forwards *all = servers->all;
	const struct router_address *near =
		router_network_of(all->patient->router, &forward->server);
	struct addr own = forwards_own(forward->wan, forward->server.family);
	size_t ports = server_count_ports(forward);
	struct server *server;

	if (!ports || !near || near->link == forwards_link(forward->wan) ||
	    servers->reach_count + ports + 1 > SERVER_REACHES_MAX ||
	    servers->count == SERVERS_MAX || server_is_known(servers, forward) ||
	    !server_sees(all, forward, &near->address))
		return;
	server = &servers->list[servers->count++];
	*server = (struct server){ .forward = forward, .near = near };
	server->in_the_way = forward->found != PATIENT_BY_NOBODY &&
			     server_is_in_the_way(all->patient, forward);
	server->ports = ports;
	server->beside = server_ask(servers, forward, &near->address, ports);
	if (!addr_is_none(&own) && server_sees(all, forward, &own) &&
	    server_sees_clients(all, forward))
		server->far = server_ask(servers, forward, &own, 1);
}

static void server_tell_silent(struct servers *servers, const struct server *server,
			       const char *address)
{
	const struct finding_key key = {
		.verdict = DOCTOR_FINDING, .code = "server-silent",
		.address = server->forward->server,
	};
	struct finding *finding;

	finding = forwards_finding(servers->all, server->forward, &key,
		"The server %s does not answer the router: it is off, has another address, "
		"or its own firewall drops the port.", address);
	finding_evidence(finding, "A connection to %s port %u got %s.", address,
			 server->forward->server_port,
			 server->beside->result == REACH_NO_HOST
				? "no answer to the question who has that address"
				: "no answer");
	finding_remedy(finding, DOCTOR_SERVER, "Look whether the server runs, has that address "
		       "and lets the port in.");
}

static void server_tell_refuses(struct servers *servers, const struct server *server,
				const char *address)
{
	const struct finding_key key = {
		.verdict = DOCTOR_FINDING, .code = "server-refuses",
		.address = server->forward->server,
	};
	struct finding *finding;

	finding = forwards_finding(servers->all, server->forward, &key,
		"The server %s is there, but nobody listens on that port.", address);
	finding_evidence(finding, "A connection to %s port %u was refused.", address,
			 server->forward->server_port);
	finding_remedy(finding, DOCTOR_SERVER, "Start the service, or let it listen on all "
		       "addresses; this shows who listens on what:");
	finding_command(finding, "ss -ltn");
}

static void server_tell_no_route(struct servers *servers, const struct server *server,
				 const char *address)
{
	const struct finding_key key = {
		.verdict = DOCTOR_FINDING, .code = "server-no-route",
		.address = server->forward->server,
	};
	char near[ADDR_TEXT_BYTES], own[ADDR_TEXT_BYTES];
	struct finding *finding;

	addr_format(&server->near->address, near);
	addr_format(&server->far->source, own);
	finding = forwards_finding(servers->all, server->forward, &key,
		"The server %s answers its own network only: it has no route back by this "
		"router, or its firewall drops what comes from farther away.", address);
	finding_evidence(finding, "It answers %s, and not %s.", near, own);
	finding_remedy(finding, DOCTOR_SERVER,
		       "Make this router its default gateway.");
	finding_command(finding, "ip %sroute replace default via %s",
			server->forward->server.family == AF_INET6 ? "-6 " : "", near);
}

/* Does a client of that network come to the server from afar, with its own address? */
static bool server_is_far(struct servers *servers, const struct patient_forward *forward,
			  const struct patient_network *network,
			  const struct router_address *near)
{
	struct addr seen = forwards_public(forward->wan, forward->server.family);
	const struct walk_question question = {
		.packet = forwards_packet(forward, &network->client, &seen,
					  network->link->index),
		.assumed = forward->server, .assumed_port = forward->server_port,
		.regardless = true,
	};
	struct walk_result result;

	return network->link->index != near->link &&
	       forwards_run(servers->all, &question, &result) && !result.source_nat.rule;
}

/* What packets in thought reached, they do not: all of it, or what comes from afar. */
static void server_take_back(struct servers *servers, const struct server *server,
			     bool all_of_it)
{
	const struct patient *patient = servers->all->patient;
	struct patient_forward *forward;
	size_t i, j;

	for (i = 0; i < patient->forward_count; i++) {
		forward = &patient->forwards[i];
		if (!addr_equal(&forward->server, &server->forward->server) ||
		    (all_of_it && forward->server_port != server->forward->server_port))
			continue;
		if (forward->internet == PATIENT_YES)
			forward->internet = PATIENT_NO;
		for (j = 0; j < patient->network_count; j++) {
			if (forward->networks[j] == PATIENT_YES &&
			    (all_of_it || server_is_far(servers, forward,
							&patient->networks[j],
							server->near)))
				forward->networks[j] = PATIENT_NO;
		}
	}
}

/* The best that any of its ports came to. */
static enum reach_result server_beside(const struct server *server)
{
	enum reach_result best = server->beside->result;
	size_t i;

	for (i = 1; i < server->ports; i++) {
		if (server->beside[i].result < best)
			best = server->beside[i].result;
	}
	return best;
}

static void server_judge_far(struct servers *servers, const struct server *server,
			     const char *address)
{
	enum reach_result beside = server->beside->result;

	if ((beside != REACH_OPEN && beside != REACH_REFUSED) || !server->far ||
	    server->in_the_way || server->far->result != REACH_SILENT)
		return;
	server_tell_no_route(servers, server, address);
	server_take_back(servers, server, false);
}

static void server_judge(struct servers *servers, const struct server *server)
{
	enum reach_result beside = server_beside(server);
	/* Behind a range nobody need listen all the time. */
	bool refused = beside == REACH_REFUSED && server->ports == 1;
	bool silent = beside == REACH_SILENT || beside == REACH_NO_HOST;
	char address[ADDR_TEXT_BYTES];

	addr_format(&server->forward->server, address);
	if (!server->in_the_way && refused)
		server_tell_refuses(servers, server, address);
	if (!server->in_the_way && silent)
		server_tell_silent(servers, server, address);
	if (refused || silent)
		server_take_back(servers, server, true);
	server_judge_far(servers, server, address);
}

void forwards_judge_servers(struct forwards *all)
{
	const struct patient *patient = all->patient;
	struct servers *servers;
	size_t i;

	if (patient->options->passive || all->error)
		return;
	servers = calloc(1, sizeof(*servers));
	if (!servers) {
		all->findings.failed = true;
		return;
	}
	servers->all = all;
	for (i = 0; i < patient->forward_count; i++) {
		if (server_count_ports(&patient->forwards[i]))
			server_add(servers, &patient->forwards[i]);
	}
	if (reach_all(servers->reaches, servers->reach_count, SERVER_LIMIT_MS) == 0) {
		for (i = 0; i < servers->count; i++)
			server_judge(servers, &servers->list[i]);
	}
	free(servers);
}
