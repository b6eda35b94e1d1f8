/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "surroundings.h"

/* Sets the switch now and for the next start. */
static void kernel_switch(struct json *check, const char *file, const char *key,
			  int value)
{
	char text[120], word[REPORT_WORD_BYTES];

	snprintf(text, sizeof(text), "%s=%d", key, value);
	if (report_word(text, word))
		report_command(check, "sysctl -w %s", word);
	snprintf(text, sizeof(text), "%s = %d", key, value);
	if (report_word(text, word))
		report_command(check, "echo %s >> /etc/sysctl.d/%s", word, file);
}

/* --- forwarding --- */

static void kernel_forwarding_off(struct patient *patient, const char *subject,
				  const char *text, const char *key)
{
	/* Who forwards no port may be no router at all. */
	bool finding = patient->forward_count > 0;
	struct json *check;

	check = report_add(&patient->report, finding ? DOCTOR_FINDING : DOCTOR_NOTE,
			   "forwarding-off", subject, "%s", text);
	report_evidence(check, "%s = 0: what is not for the router itself is dropped.",
			key);
	report_remedy(check, DOCTOR_HERE, "Switch it on, now and for the next start.");
	kernel_switch(check, "90-forwarding.conf", key, 1);
}

/* A link's switch is of what comes in by it. */
static bool kernel_link_forwards(struct patient *patient, const struct router_link *link,
				 int family)
{
	enum router_switch on = family == AF_INET ? link->forwarding4 : link->forwarding6;
	char text[80], key[80];

	if (on != ROUTER_OFF)
		return true;
	snprintf(text, sizeof(text), "What comes in by %s is not forwarded.", link->name);
	snprintf(key, sizeof(key), "net/%s/conf/%s/forwarding",
		 family == AF_INET ? "ipv4" : "ipv6", link->name);
	kernel_forwarding_off(patient, link->name, text, key);
	return false;
}

static bool kernel_links_forward(struct patient *patient)
{
	const struct patient_network *network;
	const struct patient_wan *wan;
	bool all = true;
	size_t i;

	for (i = 0; i < patient->wan_count; i++) {
		wan = &patient->wans[i];
		if (wan->link && !addr_is_none(&wan->own))
			all &= kernel_link_forwards(patient, wan->link, AF_INET);
	}
	for (i = 0; i < patient->network_count; i++) {
		network = &patient->networks[i];
		if (!network->containers && network->router.family == AF_INET)
			all &= kernel_link_forwards(patient, network->link, AF_INET);
	}
	return all;
}

static bool kernel_has_forwards6(const struct patient *patient)
{
	size_t i;

	for (i = 0; i < patient->forward_count; i++) {
		if (patient->forwards[i].server.family == AF_INET6)
			return true;
	}
	return false;
}

static void kernel_forwarding(struct patient *patient)
{
	bool on = true;

	/* The cause that a forward was judged by is told already. */
	if (report_has(&patient->report, "forwarding-off", NULL))
		return;
	if (patient->router->forwarding4 == ROUTER_OFF) {
		kernel_forwarding_off(patient, NULL, "IPv4 is not forwarded.",
				      "net.ipv4.ip_forward");
		on = false;
	} else {
		on = kernel_links_forward(patient);
	}
	if (patient->router->forwarding6 == ROUTER_OFF && kernel_has_forwards6(patient)) {
		kernel_forwarding_off(patient, "IPv6", "IPv6 is not forwarded.",
				      "net.ipv6.conf.all.forwarding");
		on = false;
	}
	if (on)
		report_add(&patient->report, DOCTOR_OK, "forwarding", NULL,
			   "Packets are forwarded.");
}

/* --- rp_filter --- */

/* True: what comes from there by that link is dropped for where it comes from. */
static bool kernel_refuses(const struct patient *patient, const struct router_link *link,
			   const struct addr *source, const struct addr *destination)
{
	const struct router_question question = { .source = *source,
						  .destination = *destination,
						  .in = link->index };
	struct router_answer answer;

	return router_route(patient->router, &question, &answer, NULL) == 0 &&
	       answer.error == -EXDEV;
}

static void kernel_rp_finding(struct patient *patient, const struct router_link *link,
			      const char *whose)
{
	struct json *check;
	char key[80];

	if (report_has(&patient->report, "rp-filter", link->name))
		return;
	check = report_add(&patient->report, DOCTOR_FINDING, "rp-filter", link->name,
			   "rp_filter drops what comes in by %s.", link->name);
	report_evidence(check, "It is strict, and the way back to %s is by another "
			       "link in the main table.", whose);
	report_remedy(check, DOCTOR_HERE,
		      "Make it loose there: then any way back is enough.");
	snprintf(key, sizeof(key), "net/ipv4/conf/%s/rp_filter", link->name);
	kernel_switch(check, "90-rp-filter.conf", key, 2);
}

/* Is there any way there? Without one, nothing can come by the wrong one. */
static bool kernel_knows(const struct patient *patient, const struct addr *destination)
{
	const struct router_question question = { .destination = *destination };
	struct router_answer answer;

	return router_route(patient->router, &question, &answer, NULL) == 0 &&
	       !answer.error;
}

static bool kernel_rp_filter(struct patient *patient)
{
	/* Of the range for tests between networks: no network of anybody's. */
	static const struct addr stranger = { .family = AF_INET,
					      .bytes = { 198, 18, 0, 77 } };
	bool connected = kernel_knows(patient, &stranger);
	const struct patient_network *network;
	const struct patient_wan *wan;
	bool fine = true;
	size_t i;

	for (i = 0; i < patient->wan_count; i++) {
		wan = &patient->wans[i];
		if (!connected || !wan->link || !wan->link->up ||
		    addr_is_none(&wan->own) ||
		    !kernel_refuses(patient, wan->link, &stranger, &wan->own))
			continue;
		kernel_rp_finding(patient, wan->link, "the internet");
		fine = false;
	}
	for (i = 0; i < patient->network_count; i++) {
		network = &patient->networks[i];
		if (network->containers || network->router.family != AF_INET ||
		    !kernel_refuses(patient, network->link, &network->client,
				    &network->router))
			continue;
		kernel_rp_finding(patient, network->link, network->text);
		fine = false;
	}
	return fine;
}

/* --- bridges --- */

static unsigned kernel_ports(const struct router *router, uint32_t bridge)
{
	unsigned count = 0;
	size_t i;

	for (i = 0; i < router->link_count; i++)
		count += router->links[i].master == bridge && router->links[i].up;
	return count;
}

/*
 * Is somebody but that server known in the bridge's network? As /proc/net/arp has it:
 * address, type, flags (2: answered), MAC, mask, link.
 */
static bool kernel_has_neighbour(const struct patient *patient,
				 const struct router_link *bridge,
				 const struct addr *server)
{
	char path[PATH_MAX], line[200], host[64], link[32];
	struct addr address;
	unsigned flags;
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/net/arp", patient->options->root);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %*s %x %*s %*s %31s", host, &flags, link) == 3 &&
		    flags & 2 && strcmp(link, bridge->name) == 0 &&
		    addr_parse(host, &address))
			found = !addr_equal(&address, server);
	}
	if (file)
		fclose(file);
	return found;
}

/* A forward whose server is in the network of a bridge with one port; NULL: none. */
static const struct patient_forward *kernel_behind_port(const struct patient *patient,
							const struct router_link *bridge)
{
	const struct patient_network *network;
	size_t i, n;

	if (kernel_ports(patient->router, bridge->index) != 1)
		return NULL;
	for (n = 0; n < patient->network_count; n++) {
		network = &patient->networks[n];
		for (i = 0; network->link == bridge && !network->containers &&
			    i < patient->forward_count; i++) {
			if (patient->forwards[i].server.family ==
				    network->router.family &&
			    addr_same_prefix(&patient->forwards[i].server,
					     &network->router, network->bits))
				return &patient->forwards[i];
		}
	}
	return NULL;
}

static void kernel_bridge_finding(struct patient *patient,
				  const struct router_link *bridge,
				  const struct patient_forward *forward)
{
	struct json *check;

	check = report_add(&patient->report, DOCTOR_FINDING, "bridge-netfilter",
			   bridge->name,
			   "Packets within %s go through the rules of IP as well, and so "
			   "the hairpin ends there.", bridge->name);
	report_evidence(check, "net.bridge.bridge-nf-call-iptables = 1 (Docker switches "
			       "it on).");
	report_evidence(check, "Client and server (%s) are behind the same port of %s: "
			       "what is sent on to the server would leave by the port "
			       "that it came by, and a bridge does not do that.",
			forward->subject, bridge->name);
	report_remedy(check, DOCTOR_HERE,
		      "Switch it off; where Docker runs, check afterwards that its "
		      "networks are still kept apart as you want them.");
	kernel_switch(check, "90-bridge.conf", "net.bridge.bridge-nf-call-iptables", 0);
}

static void kernel_bridges(struct patient *patient)
{
	const struct patient_forward *forward;
	const struct patient_network *network;
	const struct router_link *bridge = NULL;
	size_t i;

	for (i = 0; i < patient->network_count; i++) {
		network = &patient->networks[i];
		if (network->containers || strcmp(network->link->kind, "bridge") != 0)
			continue;
		bridge = network->link;
		forward = patient->router->bridge_calls_ip == ROUTER_ON
				  ? kernel_behind_port(patient, bridge) : NULL;
		if (forward && kernel_has_neighbour(patient, bridge, &forward->server)) {
			kernel_bridge_finding(patient, bridge, forward);
			return;
		}
	}
	if (patient->router->bridge_calls_ip != ROUTER_ON) {
		report_add(&patient->report, DOCTOR_OK, "bridges", NULL,
			   "Packets within a bridge do not go through the rules of IP.");
		return;
	}
	if (bridge)
		report_add(&patient->report, DOCTOR_NOTE, "bridge-netfilter", bridge->name,
			   "Packets within %s go through the rules of IP as well "
			   "(net.bridge.bridge-nf-call-iptables = 1): a hairpin within "
			   "it needs no masquerade then, and a rule of postrouting by "
			   "iifname \"%s\" does not match.", bridge->name, bridge->name);
}

/* --- the old iptables --- */

static void kernel_legacy(struct patient *patient, enum router_legacy legacy,
			  const char *family, const char *program)
{
	struct json *check;

	if (legacy == ROUTER_LEGACY_NONE)
		return;
	if (legacy == ROUTER_LEGACY_EMPTY) {
		report_add(&patient->report, DOCTOR_NOTE, "legacy-iptables", family,
			   "The nat table of the old iptables is loaded beside nft's "
			   "rules; it translates nothing.");
		return;
	}
	check = report_add(&patient->report, DOCTOR_FINDING, "legacy-iptables", family,
			   "The old iptables translates beside nft's rules.");
	report_evidence(check, "nft does not show these rules, hairpind cannot keep them "
			       "in step, and they take packets before or after the "
			       "others.");
	report_remedy(check, DOCTOR_HERE,
		      "Keep a copy, empty that table, and write what is still needed of "
		      "it as rules of nft. See who loads it at the start.");
	report_command(check, "%s-save -t nat > /root/%s-nat.rules", program, program);
	report_command(check, "%s -t nat -F", program);
}

void surroundings_kernel(struct patient *patient)
{
	const struct router *router = patient->router;

	kernel_forwarding(patient);
	if (kernel_rp_filter(patient))
		report_add(&patient->report, DOCTOR_OK, "rp-filter", NULL,
			   "No source is dropped by rp_filter.");
	kernel_bridges(patient);
	kernel_legacy(patient, router->legacy_nat4, "IPv4", "iptables-legacy");
	kernel_legacy(patient, router->legacy_nat6, "IPv6", "ip6tables-legacy");
	if (router->legacy_nat4 == ROUTER_LEGACY_NONE &&
	    router->legacy_nat6 == ROUTER_LEGACY_NONE)
		report_add(&patient->report, DOCTOR_OK, "iptables", NULL,
			   "The old iptables does not translate beside nft.");
}
