/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does what the server answers find its way back through this router? */
#include <string.h>

#include "forwards.h"
#include "remedy.h"

struct back {
	struct forwards *all;
	const struct patient_forward *forward;
	const struct patient_network *network;	/* of the client; NULL: the internet */
	struct walk_result answer;
};

static struct finding *back_begin(struct back *it, const struct finding_key *key,
				  const char *text)
{
	struct finding *finding = forwards_finding(it->all, it->forward, key,
		"%she server gets what is sent to it, and %s", it->network ? "t" : "T", text);

	if (it->network)
		finding_network(finding, it->network->text);
	return finding;
}

static void back_tell_blocked(struct back *it)
{
	const struct walk_result *back = &it->answer;
	const struct finding_key key = {
		.verdict = DOCTOR_FINDING,
		.code = it->network ? "lan-blocked" : "internet-blocked",
		.cause = back->at ? (const void *)back->at : back->chain,
	};
	struct finding *finding = back_begin(it, &key, "its answers are not let through.");

	if (back->at)
		forwards_show_rule(it->all, finding, "Stopped by", back->at);
	else if (back->chain)
		finding_evidence(finding, "Stopped by the policy of the chain %s %s.",
				 back->chain->table->name, back->chain->name);
	finding_remedy(finding, DOCTOR_HERE,
		       "Let through what belongs to connections that there are.");
	remedy_add_answers(it->all, finding, back);
}

static void back_tell_no_route(struct back *it)
{
	const struct finding_key key = {
		.verdict = DOCTOR_FINDING, .code = "answer-no-route",
		.address = it->forward->server,
	};
	bool six = it->forward->server.family == AF_INET6;
	struct finding *finding = back_begin(it, &key, "this router has no way for its "
						       "answers.");
	char server[ADDR_TEXT_BYTES], client[ADDR_TEXT_BYTES];

	addr_format(&it->forward->server, server);
	addr_format(&it->answer.destination, client);
	finding_evidence(finding, "From %s to %s the kernel says: %s.", server, client,
			 it->answer.route.error ? strerror(-it->answer.route.error)
						: "thrown away");
	finding_remedy(finding, DOCTOR_HERE, "A rule of routing, or the lack of a default "
		       "route, leads what comes from the server astray; these show it:");
	finding_command(finding, "ip %srule", six ? "-6 " : "");
	finding_command(finding, "ip %sroute show table all", six ? "-6 " : "");
}

static void back_tell_astray(struct back *it, const struct router_link *out)
{
	const char *wan = it->forward->wan->link->name;
	const struct finding_key key = {
		.verdict = DOCTOR_FINDING, .code = "answer-astray",
		.cause = it->forward->wan,
	};
	struct finding *finding = back_begin(it, &key, "its answers leave by another link "
						       "than the WAN that was asked.");
	char source[ADDR_TEXT_BYTES];

	finding_evidence(finding, "What came by %s is answered by %s, with the source address "
			 "%s; providers and tunnels drop foreign sources.", wan, out->name,
			 addr_format(&it->answer.source, source));
	finding_remedy(finding, DOCTOR_HERE, "Mark connections that begin at %s, give the mark "
		       "to what the server answers (meta mark set ct mark), and route what is "
		       "marked by a table whose default route is %s's (ip rule add fwmark).",
		       wan, wan);
}

/* Not by the WAN that the client came by. */
static bool back_is_astray(const struct back *it, const struct router_link **ret_out)
{
	const struct router *router = it->all->patient->router;

	if (it->network || it->answer.out == it->forward->wan->link->index)
		return false;
	*ret_out = router_link_of(router, it->answer.out);
	return *ret_out != NULL;
}

bool forwards_comes_back(struct forwards *all, const struct patient_forward *forward,
			 const struct patient_network *network,
			 const struct walk_packet *packet, const struct walk_result *first)
{
	struct back it = { .all = all, .forward = forward, .network = network };
	const struct router_link *out;

	if (!forwards_run_back(all, packet, first, &it.answer))
		return true;
	if (forwards_is_dropped(&it.answer)) {
		back_tell_blocked(&it);
		return false;
	}
	/* A link that does not forward is told of the router. */
	if (it.answer.end == WALK_NO_ROUTE)
		back_tell_no_route(&it);
	if (it.answer.end != WALK_FORWARDED)
		return false;
	if (!back_is_astray(&it, &out))
		return true;
	back_tell_astray(&it, out);
	return false;
}

void forwards_add_answer(struct forwards *all, struct finding *finding,
			 const struct walk_packet *packet,
			 const struct patient_forward *forward)
{
	const struct walk_question question = {
		.packet = *packet, .regardless = true,
		.assumed = forward->server, .assumed_port = forward->server_port,
	};
	struct walk_result there, back;

	if (!forwards_run(all, &question, &there) || there.end != WALK_FORWARDED ||
	    !forwards_run_back(all, packet, &there, &back) || !forwards_is_dropped(&back))
		return;
	remedy_add_answers(all, finding, &back);
}
