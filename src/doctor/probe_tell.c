/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one client met, in one sentence. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include "probe_private.h"

/* All that is known when the sentence is made. */
struct tale {
	struct json *probe;
	struct patient *patient;
	const struct probe_client *client;
	const struct probe_try *tried;
	struct probe_path path;
	struct probe_expected expected;
	bool translated;
	struct addr server;		/* whom the router asked, be it the one asked for */
	uint16_t port;
	bool hidden;			/* the server does not see the client's own address */
	bool ours;			/* the address asked for is the router's */
	char server_text[ADDR_TEXT_BYTES];
	char asked_text[ADDR_TEXT_BYTES];
};

static void say(struct tale *tale, const char *verdict, const char *code,
		const struct text *sentence)
{
	json_add_string(tale->probe, "verdict", verdict);
	json_add_string(tale->probe, "code", code);
	json_add(tale->probe, "text",
		 sentence->failed ? NULL : json_new_string(sentence->bytes));
}

/* --- what is known --- */

/* In thought, where a kernel tells nothing else. */
static void think_of_server(struct tale *tale)
{
	struct walk_question question = { 0 };
	struct walk_result result;
	struct err err;

	question.packet = probe_packet(&tale->tried->flow,
				       tale->client->network->link->index);
	question.regardless = true;
	if (!tale->patient->walk ||
	    walk_run(tale->patient->walk, tale->patient->router, &question, &result,
		     &err) < 0 ||
	    !result.destination_nat.rule)
		return;
	tale->translated = true;
	tale->server = result.destination;
	tale->port = result.destination_port;
	tale->hidden = result.source_nat.rule;
}

/* By conntrack, which knows it best; else by the trace. */
static void find_server(struct tale *tale)
{
	const struct probe_try *tried = tale->tried;
	const struct probe_way *way = &tale->path.question;

	tale->server = tried->flow.destination;
	tale->port = tried->flow.destination_port;
	if (!tried->entry_known && !way->routed)
		think_of_server(tale);
	if (tried->entry_known) {
		tale->translated = tried->entry.destination_nat;
		tale->hidden = tried->entry.source_nat;
		tale->server = tried->entry.answer.source;
		tale->port = tried->entry.answer.source_port;
	} else if (way->routed && !addr_is_none(&way->destination)) {
		tale->server = way->destination;
		tale->port = way->destination_port;
		tale->translated = !addr_equal(&tale->server, &tried->flow.destination) ||
				   tale->port != tried->flow.destination_port;
	}
	if (!tried->entry_known && way->sent)
		tale->hidden = !addr_is_none(&way->source) &&
			       !addr_equal(&way->source, &tried->flow.source);
	addr_format(&tale->server, tale->server_text);
}

static void add_seen_from(struct tale *tale)
{
	const struct conntrack_entry *entry = &tale->tried->entry;
	char text[ADDR_TEXT_BYTES];

	if (!tale->tried->entry_known)
		return;
	json_add_string(tale->probe, "server", tale->server_text);
	json_add_integer(tale->probe, "server_port", tale->port);
	json_add_string(tale->probe, "seen_from",
			addr_format(&entry->answer.destination, text));
}

/* --- somebody answered --- */

static void add_listener(struct text *sentence, const struct tale *tale)
{
	const struct router_socket *socket;

	socket = router_listener(tale->patient->router, tale->tried->flow.protocol,
				 &tale->server, tale->port);
	if (socket && *socket->program)
		text_addf(sentence, " (%s)", socket->program);
}

static void add_milliseconds(struct text *sentence, const struct tale *tale)
{
	int64_t tenths = (tale->tried->took_us + 50) / 100;

	text_addf(sentence, " within %lld.%lld ms", (long long)(tenths / 10),
		  (long long)(tenths % 10));
}

static void tell_served(struct tale *tale, struct text *sentence)
{
	char seen[ADDR_TEXT_BYTES];

	if (router_owner(tale->patient->router, &tale->server)) {
		text_addf(sentence, "The router itself answers, on its port %u",
			  tale->port);
		add_listener(sentence, tale);
	} else {
		text_addf(sentence, "%s answers on port %u", tale->server_text,
			  tale->port);
	}
	add_milliseconds(sentence, tale);
	addr_format(&tale->tried->entry.answer.destination, seen);
	if (tale->hidden)
		text_addf(sentence, ", and takes the client for %s.", seen);
	else
		text_add(sentence, ", and sees the client's own address.");
	say(tale, "answered", NULL, sentence);
}

/* Nothing translated it, yet somebody answers: who, and should a server have done so? */
static void tell_other(struct tale *tale, struct text *sentence)
{
	const struct probe_expected *expected = &tale->expected;

	if (tale->ours) {
		text_add(sentence, "The router itself answers");
		add_listener(sentence, tale);
	} else {
		text_addf(sentence, "Somebody behind the router answers for %s",
			  tale->asked_text);
	}
	if (!expected->rule) {
		text_add(sentence, tale->patient->walk
					   ? "; no rule sends that port to a server."
					   : "; the rules could not be read.");
		say(tale, "answered", NULL, sentence);
		return;
	}
	text_addf(sentence, ", not the server: %s.", expected->because);
	say(tale, "failed", expected->code, sentence);
}

static void tell_answered(struct tale *tale, struct text *sentence)
{
	add_seen_from(tale);
	if (tale->translated) {
		tell_served(tale, sentence);
	} else if (tale->tried->entry_known || tale->ours) {
		tell_other(tale, sentence);
	} else {
		text_addf(sentence, "%s answers", tale->asked_text);
		add_milliseconds(sentence, tale);
		text_add(sentence, "; by which host is not known, for the kernel tracks "
				   "no such connection.");
		say(tale, "answered", NULL, sentence);
	}
}

/* --- nobody did --- */

static void tell_astray(struct tale *tale, struct text *sentence)
{
	char from[ADDR_TEXT_BYTES];

	addr_format(&tale->tried->astray.source, from);
	text_addf(sentence, "%s answers the client directly from its own address, which the "
			    "client never asked: its answers have to come back by the "
			    "router, and no rule gives the router's address as the "
			    "sender.", from);
	say(tale, "failed", "return-path", sentence);
}

static void tell_stopped(struct tale *tale, const struct trace_event *stop, bool answer,
			 struct text *sentence)
{
	const char *code = tale->translated ? "lan-blocked" : tale->expected.code;

	if (answer)
		text_addf(sentence, "%s answers, and the router drops its answer, by ",
			  tale->server_text);
	else if (tale->translated)
		text_addf(sentence, "The router drops the packet on its way to %s, by ",
			  tale->server_text);
	else
		text_add(sentence, "The router drops the packet, which no rule sends to a "
				   "server, by ");
	probe_path_name(sentence, tale->patient, stop);
	text_add_char(sentence, '.');
	if (!tale->translated && tale->expected.rule)
		text_addf(sentence, " The rule that should: %s.", tale->expected.because);
	say(tale, "failed", code, sentence);
}

static void tell_untranslated(struct tale *tale, struct text *sentence)
{
	const struct probe_expected *expected = &tale->expected;
	bool refused = tale->tried->end == PROBE_REFUSED;

	if (!expected->rule)
		text_addf(sentence, "No rule sends port %u of %s to a server%s",
			  tale->tried->flow.destination_port, tale->asked_text,
			  tale->patient->walk ? ", also not for clients from the internet"
					      : "");
	else
		text_addf(sentence, "No rule sends the packet to a server: %s",
			  expected->because);
	if (tale->ours)
		text_addf(sentence, "; so the router itself is asked, %s.",
			  refused ? "where nobody listens" : "which does not answer");
	else
		text_addf(sentence, "; so it leaves the router for %s, where %s.",
			  tale->asked_text,
			  refused ? "it is refused" : "nobody answers");
	say(tale, "failed", expected->code, sentence);
}

/*
 * Something of the server's came back to the router. What the router says to itself, in
 * the place of a masqueraded client, comes by the loopback.
 */
static bool is_answer_seen(const struct tale *tale)
{
	const struct probe_way *way = &tale->path.answer;
	const struct router_link *in = router_link_of(tale->patient->router, way->in);

	return way->seen && !(in && in->loopback);
}

/* What an ICMP error says that is not just "no". */
static bool is_no_host(const struct overheard *told)
{
	if (told->teller.family == AF_INET6)
		return told->icmp_type == ICMP6_DST_UNREACH &&
		       told->icmp_code == ICMP6_DST_UNREACH_ADDR;
	return told->icmp_type == ICMP_DEST_UNREACH &&
	       told->icmp_code == ICMP_HOST_UNREACH;
}

static bool is_no_route(const struct overheard *told)
{
	if (told->teller.family == AF_INET6)
		return told->icmp_type == ICMP6_DST_UNREACH &&
		       told->icmp_code == ICMP6_DST_UNREACH_NOROUTE;
	return told->icmp_type == ICMP_DEST_UNREACH && told->icmp_code == ICMP_NET_UNREACH;
}

/* Errors of the server bear the address that was asked, for that is translated back. */
static void tell_told(struct tale *tale, struct text *sentence)
{
	const struct overheard *told = &tale->tried->told;
	bool sent = tale->path.question.sent || !tale->tried->traced;
	char teller[ADDR_TEXT_BYTES];
	const char *code;

	if (tale->translated && is_answer_seen(tale)) {
		text_addf(sentence, "%s turns the packet back (ICMP type %u, code %u): its "
				    "own firewall does not let the client in.",
			  tale->server_text, told->icmp_type, told->icmp_code);
		code = "server-refuses";
	} else if (is_no_host(told) && sent) {
		text_addf(sentence, "The router sends the packet to %s, and no host of "
				    "that address is there.", tale->server_text);
		code = "server-silent";
	} else if (is_no_route(told) && !tale->path.question.sent) {
		text_addf(sentence, "The router has no route to %s.", tale->server_text);
		code = "no-route";
	} else {
		text_addf(sentence, "On its way to %s the packet is turned back by %s "
				    "(ICMP type %u, code %u).", tale->server_text,
			  addr_format(&told->teller, teller), told->icmp_type,
			  told->icmp_code);
		code = tale->translated ? "lan-blocked" : NULL;
	}
	say(tale, "failed", code, sentence);
}

/* A rule that refuses would be known by the trace. */
static void tell_refused(struct tale *tale, struct text *sentence)
{
	text_addf(sentence, "%s refuses: nothing listens on its port %u.",
		  tale->server_text, tale->port);
	say(tale, "failed", "server-refuses", sentence);
}

/* The server lives in the client's own network, and its answer would not pass us. */
static bool is_direct(const struct tale *tale)
{
	const struct router *router = tale->patient->router;
	const struct patient_network *network = tale->client->network;
	bool ip4 = tale->server.family == AF_INET;
	enum router_switch bridged = ip4 ? router->bridge_calls_ip
					 : router->bridge_calls_ip6;

	return !tale->hidden && bridged != ROUTER_ON &&
	       tale->server.family == network->router.family &&
	       addr_same_prefix(&tale->server, &network->router, network->bits);
}

static void tell_silent(struct tale *tale, struct text *sentence)
{
	bool udp = tale->tried->flow.protocol == IPPROTO_UDP;

	if (is_direct(tale)) {
		text_addf(sentence, "The router sends the packet to %s with the client's "
				    "own address, so an answer would go to the client "
				    "directly and not be known there; none was seen.",
			  tale->server_text);
		say(tale, "failed", udp ? "return-path" : "server-silent", sentence);
		return;
	}
	text_addf(sentence, "The router sends the packet to %s port %u, and no answer comes "
			    "back", tale->server_text, tale->port);
	if (udp)
		text_add(sentence, ": with UDP that proves nothing, for many services do "
				   "not answer an empty datagram.");
	else
		text_add(sentence, ": it is off, drops what it does not like, or has no "
				   "route back by this router.");
	say(tale, udp ? "unproven" : "failed", udp ? NULL : "server-silent", sentence);
}

/* The trace saw it come in, and nothing after the routing. */
static bool is_lost(const struct tale *tale)
{
	const struct probe_way *way = &tale->path.question;

	return tale->tried->traced && !tale->tried->entry_known && !way->sent &&
	       !way->taken;
}

/* Why the kernel does not route it; NULL: it says nothing against it. */
static const char *route_code(const struct tale *tale, const char **ret_words)
{
	struct router_question question = {
		.destination = tale->server,
		.source = tale->tried->flow.source,
		.in = tale->client->network->link->index,
	};
	struct router_answer answer = { 0 };
	struct err err;

	if (router_route(tale->patient->router, &question, &answer, &err) < 0)
		answer.error = 0;
	switch (answer.error) {
	case -EXDEV:
		*ret_words = "its reverse path filter refuses the client's address";
		return "rp-filter";
	case -EHOSTUNREACH:
		*ret_words = "forwarding is off, or the route is unreachable";
		return "forwarding-off";
	case -ENETUNREACH:
		*ret_words = "it has no route";
		return "no-route";
	}
	return NULL;
}

static void tell_lost(struct tale *tale, struct text *sentence)
{
	const struct probe_way *way = &tale->path.question;
	const char *code = NULL, *words = "the kernel does not say why";

	if (!way->seen) {
		text_addf(sentence, "The client's packets do not reach the router's "
				    "firewall: something in the bridge %s keeps them.",
			  tale->client->bridge.name);
	} else if (way->input || way->forward) {
		text_addf(sentence, "The packet gets lost in the router on its way to %s, "
				    "and no rule of nftables dropped it: older iptables "
				    "rules may.", tale->server_text);
	} else {
		code = route_code(tale, &words);
		text_addf(sentence, "The router does not route the packet to %s: %s.",
			  tale->server_text, words);
	}
	say(tale, "failed", code, sentence);
}

static void tell_failed(struct tale *tale, struct text *sentence)
{
	const struct probe_path *path = &tale->path;
	enum probe_end end = tale->tried->end;

	if (end == PROBE_ASTRAY)
		tell_astray(tale, sentence);
	else if (path->question.stop)
		tell_stopped(tale, path->question.stop, false, sentence);
	else if (path->answer.stop)
		tell_stopped(tale, path->answer.stop, true, sentence);
	else if (is_lost(tale) && end == PROBE_SILENT)
		tell_lost(tale, sentence);
	else if (!tale->translated)
		tell_untranslated(tale, sentence);
	else if (end == PROBE_REFUSED)
		tell_refused(tale, sentence);
	else if (end == PROBE_TOLD)
		tell_told(tale, sentence);
	else
		tell_silent(tale, sentence);
}

/* --- evidence --- */

static void add_rule(struct tale *tale)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;

	if (!tale->expected.rule || tale->translated)
		return;
	rule_text_add(&line, tale->patient, tale->expected.rule);
	report_evidence(tale->probe, "The rule that does not take it: %s", line.bytes);
}

static void add_way(struct tale *tale)
{
	const struct probe_way *way = &tale->path.question;
	const struct router_link *out = router_link_of(tale->patient->router, way->out);
	char from[ADDR_TEXT_BYTES];

	if (way->sent && out)
		report_evidence(tale->probe, "It left by %s to %s port %u, from %s.",
				out->name, tale->server_text, tale->port,
				addr_format(&way->source, from));
	if (tale->tried->end != PROBE_ANSWERED && is_answer_seen(tale) &&
	    !tale->path.answer.stop)
		report_evidence(tale->probe, "An answer of %s came to the router.",
				tale->server_text);
	if (tale->tried->events_lost)
		report_evidence(tale->probe, "Not all of the trace was seen.");
}

static void add_client(struct tale *tale)
{
	const struct probe_client *client = tale->client;
	char own[ADDR_TEXT_BYTES], router[ADDR_TEXT_BYTES];
	const struct router *of = tale->patient->router;

	report_evidence(tale->probe, "The client was %s on %s, its router %s.",
			addr_format(&client->address, own), client->network->link->name,
			addr_format(&client->network->router, router));
	if (client->waited_ms > 1000)
		report_evidence(tale->probe, "The bridge %s let it speak after %lld s.",
				client->bridge.name,
				(long long)(client->waited_ms / 1000));
	if ((client->address.family == AF_INET ? of->bridge_calls_ip
					       : of->bridge_calls_ip6) == ROUTER_ON)
		report_evidence(tale->probe, "Bridged packets pass the IP firewall here "
				"(bridge-nf-call-iptables).");
}

void probe_tell(struct json *probe, struct patient *patient,
		const struct probe_client *client, const struct probe_try *tried)
{
	TEXT_CLEANUP struct text sentence = TEXT_INIT;
	struct tale tale = { .probe = probe, .patient = patient, .client = client,
			     .tried = tried };

	probe_path_find(tried, &tale.path);
	probe_expect(patient, &tried->flow, client->network->link->index, &tale.expected);
	tale.ours = router_owner(patient->router, &tried->flow.destination);
	addr_format(&tried->flow.destination, tale.asked_text);
	find_server(&tale);
	if (tried->end == PROBE_ANSWERED)
		tell_answered(&tale, &sentence);
	else
		tell_failed(&tale, &sentence);
	add_rule(&tale);
	add_way(&tale);
	add_client(&tale);
	probe_path_add(probe, patient, tried, &tale.path);
}
