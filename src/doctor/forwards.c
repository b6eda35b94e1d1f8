/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What finding and judging share, and the judgement as a whole. */
#include "forwards.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/clock.h"

/* --- ports --- */

static bool forwards_add_port(struct forwards *all, uint8_t protocol, uint16_t first,
			      uint16_t last)
{
	struct forwards_port *port;
	size_t i;

	for (i = 0; i < all->port_count; i++) {
		port = &all->ports[i];
		if (port->protocol == protocol && port->first == first && port->last == last)
			return true;
	}
	if (all->port_count == FORWARDS_PORTS_MAX)
		return false;
	all->ports[all->port_count++] = (struct forwards_port){
		.protocol = protocol, .first = first, .last = last, .tried = first,
	};
	return true;
}

/* Another, narrower range has it: what happens there says nothing of this one. */
static bool forwards_is_special(const struct forwards *all,
				const struct forwards_port *port, uint16_t tried)
{
	const struct forwards_port *other;
	size_t i;

	for (i = 0; i < all->port_count; i++) {
		other = &all->ports[i];
		if (other != port && other->protocol == port->protocol &&
		    other->first <= tried && tried <= other->last &&
		    other->last - other->first < port->last - port->first)
			return true;
	}
	return false;
}

static void forwards_choose_tried(struct forwards *all, struct forwards_port *port)
{
	/* Of "all ports" one that few rules would name. */
	uint32_t tried = port->first ? port->first : 47113;

	for (; tried <= port->last; tried++) {
		if (!forwards_is_special(all, port, (uint16_t)tried)) {
			port->tried = (uint16_t)tried;
			return;
		}
	}
	port->tried = port->first;
}

/* Wider ranges first, so that the parts of one are known as such. */
static int forwards_compare_ports(const void *a, const void *b)
{
	const struct forwards_port *one = a, *other = b;
	int width = one->last - one->first, other_width = other->last - other->first;

	if (width != other_width)
		return width > other_width ? -1 : 1;
	if (one->first != other->first)
		return one->first < other->first ? -1 : 1;
	return (int)one->protocol - (int)other->protocol;
}

static int forwards_find_ports(struct forwards *all)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	const struct walk_port *port;
	size_t i, j;

	all->ports = calloc(FORWARDS_PORTS_MAX, sizeof(*all->ports));
	if (!all->ports)
		return -ENOMEM;
	for (j = 0; j < 2; j++)
		forwards_add_port(all, protocols[j], 0, UINT16_MAX);
	for (i = 0; i < all->constants.port_count; i++) {
		port = &all->constants.ports[i];
		for (j = 0; j < 2; j++) {
			if (!port->protocol || port->protocol == protocols[j])
				forwards_add_port(all, protocols[j], port->first,
						  port->last);
		}
	}
	qsort(all->ports, all->port_count, sizeof(*all->ports), forwards_compare_ports);
	for (i = 0; i < all->port_count; i++)
		forwards_choose_tried(all, &all->ports[i]);
	return 0;
}

/* --- addresses --- */

static bool forwards_is_in_lan(const struct patient *patient, const struct addr *address)
{
	const struct patient_network *network;
	size_t i;

	for (i = 0; i < patient->network_count; i++) {
		network = &patient->networks[i];
		if (network->router.family == address->family &&
		    addr_same_prefix(&network->router, address, network->bits))
			return true;
	}
	return false;
}

static void forwards_find_addresses(struct forwards *all)
{
	const struct walk_constants *constants = &all->constants;
	const struct addr *address;
	size_t i;

	for (i = 0; i < constants->destination_count; i++) {
		address = &constants->destinations[i];
		if (all->stale_count < FORWARDS_STALE_MAX &&
		    !addr_is_unspecified(address) && !forwards_is_ours(all, address) &&
		    !forwards_is_in_lan(all->patient, address))
			all->stale[all->stale_count++] = *address;
	}
	for (i = 0; i < constants->source_count; i++) {
		address = &constants->sources[i];
		if (all->source_count < FORWARDS_SOURCES_MAX && addr_is_global(address) &&
		    !forwards_is_ours(all, address) &&
		    !forwards_is_in_lan(all->patient, address))
			all->sources[all->source_count++] = *address;
	}
}

/* --- links --- */

static const struct router_link *forwards_find_link(const struct forwards *all,
						    const struct walk_link *asked)
{
	size_t i;

	for (i = 0; i < all->router.link_count; i++) {
		if (asked->index ? all->links[i].index == asked->index
				 : strcmp(all->links[i].name, asked->name) == 0)
			return &all->links[i];
	}
	return NULL;
}

static void forwards_add_ghost(struct forwards *all, const struct walk_link *asked)
{
	struct router_link *link = &all->links[all->router.link_count];
	uint32_t index = asked->index;
	size_t i;

	for (i = 0; !asked->index && i < all->router.link_count; i++) {
		if (all->links[i].index >= index)
			index = all->links[i].index + 1;
	}
	*link = (struct router_link){ .index = index, .forwarding4 = ROUTER_ON,
				      .forwarding6 = ROUTER_ON };
	memcpy(link->name, asked->name, sizeof(link->name));
	all->router.link_count++;
}

static int forwards_find_links(struct forwards *all)
{
	const struct walk_constants *constants = &all->constants;
	const struct router *router = all->patient->router;
	const struct router_link *link;
	size_t i;

	all->router = *router;
	all->links = calloc(router->link_count + FORWARDS_LINKS_MAX, sizeof(*all->links));
	if (!all->links)
		return -ENOMEM;
	if (router->link_count)
		memcpy(all->links, router->links,
		       router->link_count * sizeof(*all->links));
	all->router.links = all->links;
	for (i = 0; i < constants->link_count && i < FORWARDS_LINKS_MAX; i++) {
		if (!forwards_find_link(all, &constants->links[i]))
			forwards_add_ghost(all, &constants->links[i]);
		link = forwards_find_link(all, &constants->links[i]);
		all->asked[all->asked_count++] = link;
	}
	return 0;
}

/* --- both --- */

int forwards_begin(struct forwards *all, struct patient *patient, struct err *ret_err)
{
	int rc;

	*all = (struct forwards){ .patient = patient,
				  .deadline_ms = clock_now_ms() + FORWARDS_LIMIT_MS };
	rc = walk_constants(patient->walk, "nat", NF_INET_PRE_ROUTING, &all->constants);
	if (rc == 0)
		rc = walk_constants(patient->walk, "filter", NF_INET_FORWARD,
				    &all->filters);
	if (rc == 0)
		rc = forwards_find_ports(all);
	if (rc == 0)
		rc = forwards_find_links(all);
	if (rc < 0) {
		forwards_done(all);
		return err_set_errno(ret_err, rc, "cannot look for port forwards");
	}
	forwards_find_addresses(all);
	return 0;
}

void forwards_done(struct forwards *all)
{
	walk_constants_done(&all->constants);
	walk_constants_done(&all->filters);
	findings_done(&all->findings);
	free(all->ports);
	free(all->links);
	*all = (struct forwards){ 0 };
}

/* --- the judgement --- */

/* Where the kernel did not answer, nothing is known of anything. */
void forwards_give_up(const struct forwards *all)
{
	struct patient *patient = all->patient;

	if (all->error && !report_has(&patient->report, "rules-unread", NULL))
		report_add(&patient->report, DOCTOR_UNKNOWN, "rules-unread", NULL,
			   "What becomes of packets could not be asked: %s",
			   all->sentence.text);
	if ((all->constants.overfull || patient->forward_count == PATIENT_FORWARDS_MAX) &&
	    !report_has(&patient->report, "rules-many", NULL))
		report_add(&patient->report, DOCTOR_UNKNOWN, "rules-many", NULL,
			   "There are more port forwards than are looked at; the first "
			   "%zu are.", patient->forward_count);
}

/* What the old iptables does besides is not walked through. */
static void forwards_doubt_all(struct patient *patient)
{
	struct patient_forward *forward;
	size_t i, j;

	if (patient->router->legacy_nat4 != ROUTER_LEGACY_RULES)
		return;
	for (i = 0; i < patient->forward_count; i++) {
		forward = &patient->forwards[i];
		if (forward->server.family != AF_INET)
			continue;
		forward->internet = PATIENT_UNKNOWN;
		for (j = 0; j < patient->network_count; j++)
			forward->networks[j] = PATIENT_UNKNOWN;
	}
}

void patient_judge_forwards(struct patient *patient)
{
	struct forwards all;
	struct err err;
	size_t i;

	if (!patient->walk)
		return;
	if (forwards_begin(&all, patient, &err) < 0) {
		report_add(&patient->report, DOCTOR_UNKNOWN, "rules-unread", NULL, "%s",
			   err.text);
		return;
	}
	for (i = 0; i < patient->forward_count && !all.error; i++) {
		forwards_judge_internet(&all, &patient->forwards[i]);
		forwards_judge_lan(&all, &patient->forwards[i]);
	}
	for (i = 0; i < patient->wan_count; i++) {
		if (forwards_is_open(&patient->wans[i], AF_INET))
			forwards_judge_unsure(&all, &patient->wans[i], AF_INET);
		if (forwards_is_open(&patient->wans[i], AF_INET6))
			forwards_judge_unsure(&all, &patient->wans[i], AF_INET6);
	}
	forwards_judge_servers(&all);
	forwards_judge_pinholes(&all);
	forwards_note(&all);
	forwards_doubt_all(patient);
	findings_tell(&all.findings, &patient->report);
	forwards_give_up(&all);
	forwards_done(&all);
}
