/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which forwards there are: packets to every port that a rule speaks of, from the internet
 * and from the LAN, to our addresses and to those that rules spell out; and what ends at a
 * host behind us is one.
 */
#include "forwards.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIND_OPEN_TRIES = 256 };

/* What is looked for at one time: a port of one WAN, in one family. */
struct find {
	struct forwards *all;
	const struct patient_wan *wan;
	int family;
	const struct forwards_port *port;
	struct addr own, seen, client, stranger;
	uint32_t in;			/* the WAN's link; 0: it is not there */
	const struct patient_network *lan;	/* whose client got to the draft's rule */
	struct patient_forward draft;
};

/* --- one packet --- */

static struct walk_packet find_packet(const struct find *find, const struct addr *source,
				      const struct addr *destination, uint32_t in)
{
	return (struct walk_packet){
		.protocol = find->port->protocol,
		.source = *source, .destination = *destination,
		.source_port = FORWARDS_SOURCE_PORT,
		.destination_port = find->port->tried,
		.in = in,
	};
}

/* Notes in the draft where the packet is sent; false: nowhere. */
static bool find_try(struct find *find, const struct addr *source,
		     const struct addr *destination, uint32_t in)
{
	const struct walk_question question = {
		.packet = find_packet(find, source, destination, in),
		.regardless = true,
	};
	struct walk_result result;

	if (!in || !forwards_run(find->all, &question, &result) ||
	    !forwards_is_sent(find->all, &result))
		return false;
	find->draft.rule = result.destination_nat.rule;
	find->draft.server = result.destination_nat.address;
	find->draft.server_port = result.destination_nat.port;
	find->draft.speller = forwards_speller(find->all, &result, destination);
	find->draft.literal = find->draft.speller ? *destination : (struct addr){ 0 };
	return true;
}

/* A rule that takes what goes to strangers too is no forward: it intercepts. */
static bool find_try_lan(struct find *find, const struct addr *destination)
{
	const struct patient *patient = find->all->patient;
	const struct patient_network *network;
	size_t i;

	for (i = 0; i < patient->network_count; i++) {
		network = &patient->networks[i];
		if (network->containers || network->client.family != find->family)
			continue;
		if (!find_try(find, &network->client, &find->stranger,
			      network->link->index) &&
		    find_try(find, &network->client, destination, network->link->index)) {
			find->lan = network;
			return true;
		}
	}
	return false;
}

/* --- whose is it --- */

/* Of several WANs, whose is a rule whose literal is nobody's now? */
static const struct patient_wan *find_owner(const struct find *find,
					    const struct addr *literal)
{
	const struct patient *patient = find->all->patient;
	const struct tag *tags[PATIENT_WANS_MAX];
	const struct patient_wan *wan, *nearest = NULL;
	size_t i, j;
	int by_tag;

	for (i = 0; i < patient->wan_count; i++)
		tags[i] = &patient->wans[i].tag;
	by_tag = tag_select(tags, patient->wan_count, find->draft.speller->comment);
	if (by_tag >= 0)
		return &patient->wans[by_tag];
	for (i = 0; i < patient->wan_count; i++) {
		wan = &patient->wans[i];
		for (j = 0; j < wan->former_count; j++) {
			if (addr_equal(&wan->former[j], literal))
				return wan;
		}
		if (!nearest && wan->own.family == literal->family &&
		    addr_same_prefix(&wan->own, literal, 16))
			nearest = wan;
	}
	return nearest ? nearest : &patient->wans[0];
}

/* --- the ways in which rules take less than they should --- */

static bool find_from_internet(struct find *find)
{
	find->draft.found = PATIENT_BY_ALL;
	return find_try(find, &find->client, &find->own, find->in);
}

/* A rule for all ports is none for this one: there it may have an exception. */
static bool find_from_lan(struct find *find)
{
	struct walk_packet packet;

	find->draft.found = PATIENT_BY_LAN;
	if (addr_is_none(&find->seen) || !find_try_lan(find, &find->seen))
		return false;
	packet = find_packet(find, &find->lan->client, &find->seen,
			     find->lan->link->index);
	return forwards_is_rest(&find->draft) ||
	       !forwards_takes_rest(find->all, find->draft.rule, &packet);
}

/* Behind another router whose address is not known, a global literal may be it. */
static bool find_may_be_seen(const struct find *find, const struct addr *literal)
{
	return addr_is_none(&find->seen) && addr_is_global(literal);
}

static bool find_stale(struct find *find)
{
	struct forwards *all = find->all;
	const struct addr *literal;
	size_t i;

	for (i = 0; i < all->stale_count; i++) {
		literal = &all->stale[i];
		if (literal->family != find->family)
			continue;
		if (!find_try(find, &find->client, literal, find->in) &&
		    !find_try_lan(find, literal))
			continue;
		if (addr_is_none(&find->draft.literal) ||
		    find_owner(find, literal) != find->wan)
			continue;
		find->draft.found = find_may_be_seen(find, literal) ? PATIENT_BY_LAN
								   : PATIENT_BY_LITERAL;
		return true;
	}
	return false;
}

static bool find_some(struct find *find)
{
	struct forwards *all = find->all;
	size_t i;

	for (i = 0; i < all->source_count; i++) {
		if (all->sources[i].family != find->family ||
		    !find_try(find, &all->sources[i], &find->own, find->in))
			continue;
		find->draft.found = PATIENT_BY_SOME;
		find->draft.source = all->sources[i];
		return true;
	}
	return false;
}

/* Can nothing of the internet come by it? It is not there, or has no address. */
static bool find_is_dead(const struct find *find, const struct router_link *link)
{
	const struct patient *patient = find->all->patient;
	const struct router *router = patient->router;
	size_t i;

	if (link->loopback)
		return false;
	for (i = 0; i < patient->wan_count; i++) {
		if (patient->wans[i].link && patient->wans[i].link->index == link->index)
			return false;
	}
	for (i = 0; i < router->address_count; i++) {
		if (router->addresses[i].link == link->index &&
		    router->addresses[i].address.family == find->family &&
		    addr_classify(&router->addresses[i].address) != ADDR_LINK_LOCAL)
			return false;
	}
	return true;
}

static bool find_by_link(struct find *find)
{
	struct forwards *all = find->all;
	size_t i, j;

	find->draft.found = PATIENT_BY_LINK;
	for (i = 0; i < all->asked_count; i++) {
		const struct router_link *link = all->asked[i];

		if (!find_is_dead(find, link))
			continue;
		memcpy(find->draft.link, link->name, sizeof(find->draft.link));
		if (find_try(find, &find->client, &find->own, link->index))
			return true;
		if (!addr_is_none(&find->seen) &&
		    find_try(find, &find->client, &find->seen, link->index))
			return true;
		for (j = 0; j < all->stale_count; j++) {
			if (all->stale[j].family == find->family &&
			    find_try(find, &find->client, &all->stale[j], link->index))
				return true;
		}
	}
	find->draft.link[0] = '\0';
	return false;
}

static void find_begin(struct find *find)
{
	find->draft = (struct patient_forward){
		.wan = find->wan, .source = find->client,
		.protocol = find->port->protocol,
		.port = find->port->first, .port_last = find->port->last,
		.tried = find->port->tried,
	};
}

static bool find_service(struct find *find)
{
	static bool (*const ways[])(struct find *) = {
		find_from_internet, find_from_lan, find_stale, find_some, find_by_link,
	};
	size_t i;

	find_begin(find);
	for (i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (ways[i](find))
			return true;
	}
	return false;
}

/* --- hosts that get every port --- */

static bool find_passes(struct find *find, const struct forwards_port *port)
{
	struct walk_question question;
	struct walk_result result;

	find->port = port;
	question = (struct walk_question){
		.packet = find_packet(find, &find->client, &find->own, find->in),
	};
	return forwards_run(find->all, &question, &result) &&
	       result.end == WALK_FORWARDED &&
	       result.destination_nat.rule == find->draft.rule;
}

/* The first port that filters let through to it; false: there is none. */
static bool find_open_port(struct find *find, struct forwards_port *port)
{
	const struct walk_constants *filters = &find->all->filters;
	size_t i;

	if (find_passes(find, port))
		return true;
	for (i = 0; i < filters->port_count && i < FIND_OPEN_TRIES; i++) {
		port->tried = filters->ports[i].first;
		if (find_passes(find, port))
			return true;
	}
	return false;
}

/*
 * Of a host that gets all ports the filter chooses which: one of these is tried. False:
 * only the other protocol has any, and so it is meant.
 */
static bool find_opening(struct find *find)
{
	const struct forwards_port *all_ports = find->port;
	struct forwards_port port = *all_ports, other = *all_ports;
	bool meant = true;

	if (port.first != 0 || port.last != UINT16_MAX ||
	    find->draft.found != PATIENT_BY_ALL)
		return true;
	other.protocol = port.protocol == IPPROTO_TCP ? IPPROTO_UDP : IPPROTO_TCP;
	if (find_open_port(find, &port)) {
		find->port = &port;
		(void)find_try(find, &find->client, &find->own, find->in);
		find->draft.tried = port.tried;
	} else {
		meant = !find_open_port(find, &other);
	}
	find->port = all_ports;
	return meant;
}

/* --- the list --- */

static void find_name(struct patient_forward *forward)
{
	char address[ADDR_TEXT_BYTES], port[24];
	const char *protocol = forward->protocol == IPPROTO_TCP ? "tcp" : "udp";

	if (forwards_is_rest(forward))
		snprintf(port, sizeof(port), "all other ports");
	else if (forward->port == forward->port_last)
		snprintf(port, sizeof(port), "%u", forward->port);
	else
		snprintf(port, sizeof(port), "%u-%u", forward->port, forward->port_last);
	snprintf(forward->subject, sizeof(forward->subject), "%s/%s to %s", port, protocol,
		 addr_format(&forward->server, address));
}

/* The same rule's, and within its ports already? */
static bool find_is_known(const struct patient *patient,
			  const struct patient_forward *draft)
{
	const struct patient_forward *one;
	size_t i;

	for (i = 0; i < patient->forward_count; i++) {
		one = &patient->forwards[i];
		if (one->rule == draft->rule && one->wan == draft->wan &&
		    one->protocol == draft->protocol && one->found == draft->found &&
		    addr_equal(&one->server, &draft->server) &&
		    one->port <= draft->port && one->port_last >= draft->port_last)
			return true;
	}
	return false;
}

/* `all->ports` is sorted, so that wider ranges come before their parts. */
void forwards_keep(struct forwards *all, struct patient_forward *forward)
{
	struct patient *patient = all->patient;

	if (patient->forward_count == PATIENT_FORWARDS_MAX ||
	    find_is_known(patient, forward))
		return;
	find_name(forward);
	patient->forwards[patient->forward_count++] = *forward;
}

static void find_of_family(struct forwards *all, const struct patient_wan *wan, int family)
{
	struct find find = {
		.all = all, .wan = wan, .family = family,
		.own = forwards_own(wan, family), .seen = forwards_public(wan, family),
		.client = forwards_client(all, family, 0),
		.stranger = forwards_stranger(all, family),
		.in = forwards_link(wan),
	};
	size_t i;

	/* Without an address of its own, what comes by its link would be to anybody. */
	if (addr_is_none(&find.own) && family == AF_INET6)
		return;
	if (addr_is_none(&find.own))
		find.own = find.stranger;
	for (i = 0; i < all->port_count && !all->error; i++) {
		find.port = &all->ports[i];
		if (!find_service(&find) || !find_opening(&find))
			continue;
		/* Of all ports this one has a rule of its own, but only for the LAN. */
		if (find_is_known(all->patient, &find.draft) && find_from_lan(&find))
			find.draft.found = PATIENT_BY_ALL;
		forwards_keep(all, &find.draft);
	}
	if (forwards_is_open(wan, family))
		forwards_find_taken(all, wan, family);
}

/* Does the same rule send the same there from a WAN's main address? Told of that then. */
static bool find_is_main(struct find *find)
{
	const struct patient *patient = find->all->patient;
	const struct patient_forward draft = find->draft;
	const struct patient_wan *wan;
	bool same = false;
	size_t i;

	for (i = 0; i < patient->wan_count && !same; i++) {
		wan = &patient->wans[i];
		same = !addr_is_none(&wan->own) &&
		       find_try(find, &find->client, &wan->own, forwards_link(wan)) &&
		       find->draft.rule == draft.rule &&
		       addr_equal(&find->draft.server, &draft.server) &&
		       find->draft.server_port == draft.server_port;
	}
	find->draft = draft;
	return same;
}

/* What goes to a further address of the router, and not to its main ones, too. */
static void find_of_other(struct forwards *all, const struct patient_wan *wan)
{
	struct find find = {
		.all = all, .wan = wan, .family = AF_INET,
		.own = wan->own, .seen = wan->own,
		.client = forwards_client(all, AF_INET, 0), .in = forwards_link(wan),
	};
	size_t i;

	for (i = 0; i < all->port_count && !all->error; i++) {
		find.port = &all->ports[i];
		find_begin(&find);
		if (find_from_internet(&find) && !find_is_main(&find) && find_opening(&find))
			forwards_keep(all, &find.draft);
	}
}

int patient_find_forwards(struct patient *patient, struct err *ret_err)
{
	struct forwards all;
	size_t i;
	int rc;

	if (!patient->walk)
		return 0;
	rc = forwards_begin(&all, patient, ret_err);
	if (rc < 0)
		return rc;
	patient->forwards = calloc(PATIENT_FORWARDS_MAX, sizeof(*patient->forwards));
	if (!patient->forwards)
		rc = err_set(ret_err, -ENOMEM, "out of memory");
	for (i = 0; rc == 0 && i < patient->wan_count; i++) {
		find_of_family(&all, &patient->wans[i], AF_INET);
		find_of_family(&all, &patient->wans[i], AF_INET6);
	}
	for (i = 0; rc == 0 && i < patient->other_count; i++)
		find_of_other(&all, &patient->others[i]);
	/* The judgement asks about those that were found, and not for more. */
	if (all.error)
		forwards_give_up(&all);
	forwards_done(&all);
	return rc;
}
