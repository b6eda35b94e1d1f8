/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of iptables. It is called by the name that is always the one of nf_tables: where the
 * rules are, whatever "iptables" stands for.
 */
#include "remedy.h"

static const char *iptables_program(int family)
{
	return family == AF_INET6 ? "ip6tables-nft" : "iptables-nft";
}

static void iptables_add_service(struct text *out, const struct forwards *all,
				 const struct patient_forward *forward)
{
	TEXT_CLEANUP struct text ports = TEXT_INIT;

	text_addf(out, "-p %s", forward->protocol == IPPROTO_TCP ? "tcp" : "udp");
	if (forward->port == forward->port_last)
		text_addf(out, " --dport %u", forward->port);
	else if (!forwards_is_rest(forward))
		text_addf(out, " --dport %u:%u", forward->port, forward->port_last);
	else if (remedy_add_exceptions(&ports, all, forward, ","))
		text_addf(out, " -m multiport ! --dports %s", ports.bytes);
}

static bool iptables_add_destination(struct text *out, struct forwards *all,
				     const struct patient_forward *forward,
				     enum remedy_side side)
{
	int family = forward->server.family;
	struct addr own = forwards_own(forward->wan, family);
	struct addr seen = forwards_public(forward->wan, family);
	const char *name = forward->wan->link ? forward->wan->link->name : "";
	const char *tag = remedy_tag_word(forward->wan);
	char address[ADDR_TEXT_BYTES];

	if (forwards_is_rest(forward) && side == REMEDY_LAN) {
		if (!remedy_is_quotable(name))
			return false;
		text_addf(out, "! -i %s ", name);
	}
	if (remedy_is_plain(all->patient, forward) &&
	    remedy_add_local_options(out, all->patient, family))
		return true;
	if (side == REMEDY_INTERNET && !addr_equal(&own, &seen)) {
		text_addf(out, "-i %s", name);
		return remedy_is_quotable(name);
	}
	if (addr_is_none(&seen))
		return false;
	text_addf(out, "-d %s", addr_format(&seen, address));
	if (tag)
		text_addf(out, " -m comment --comment %s", tag);
	return true;
}

void remedy_iptables_forward(struct forwards *all, struct finding *finding,
			     const struct patient_forward *forward, enum remedy_side side)
{
	TEXT_CLEANUP struct text match = TEXT_INIT;
	TEXT_CLEANUP struct text service = TEXT_INIT;
	TEXT_CLEANUP struct text target = TEXT_INIT;

	if (!iptables_add_destination(&match, all, forward, side))
		return;
	iptables_add_service(&service, all, forward);
	remedy_add_target(&target, forward);
	/* Behind all others, where it is for what they leave over. */
	finding_command(finding, "%s -t nat %s PREROUTING %s %s -j DNAT --to-destination %s",
			iptables_program(forward->server.family),
			forwards_is_rest(forward) ? "-A" : "-I", match.bytes, service.bytes,
			target.bytes);
}

/* -i is not taken in POSTROUTING: by the network's addresses. */
void remedy_iptables_return_path(struct finding *finding,
				 const struct patient_network *network)
{
	struct addr first = { .family = network->router.family };
	char prefix[ADDR_PREFIX_TEXT_BYTES];

	first = addr_join(&network->router, network->bits, &first);
	addr_format_prefix(&first, network->bits, prefix);
	finding_command(finding,
			"%s -t nat -I POSTROUTING -s %s -d %s -m conntrack --ctstate DNAT -j "
			"MASQUERADE", iptables_program(first.family), prefix, prefix);
}

void remedy_iptables_accept(struct finding *finding, const struct patient_forward *forward,
			    bool by_rule, const struct router_link *in,
			    const struct router_link *out)
{
	TEXT_CLEANUP struct text match = TEXT_INIT;
	char server[ADDR_TEXT_BYTES];

	if (out)
		text_addf(&match, "-o %s", out->name);
	else
		text_addf(&match, "-d %s", addr_format(&forward->server, server));
	if (!out && forward->port == forward->port_last)
		text_addf(&match, " -p %s --dport %u",
			  forward->protocol == IPPROTO_TCP ? "tcp" : "udp",
			  forward->server_port);
	finding_command(finding,
			"%s %s FORWARD -i %s %s -m conntrack --ctstate DNAT -j ACCEPT",
			iptables_program(forward->server.family), by_rule ? "-I" : "-A",
			in->name, match.bytes);
}

void remedy_iptables_spare(struct forwards *all, struct finding *finding,
			   const struct patient_forward *forward)
{
	TEXT_CLEANUP struct text service = TEXT_INIT;
	const struct patient_network *network;
	char address[ADDR_TEXT_BYTES];
	size_t i;

	iptables_add_service(&service, all, forward);
	for (i = 0; i < all->patient->network_count; i++) {
		network = &all->patient->networks[i];
		if (network->containers ||
		    network->router.family != forward->server.family)
			continue;
		finding_command(finding, "%s -t nat -I PREROUTING -d %s %s -j ACCEPT",
				iptables_program(forward->server.family),
				addr_format(&network->router, address), service.bytes);
	}
}
