/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of nft. */
#include <inttypes.h>
#include <string.h>

#include "hairpin/nft.h"

#include "remedy.h"

static const char *rules_protocol(const struct patient_forward *forward)
{
	return forward->protocol == IPPROTO_TCP ? "tcp" : "udp";
}

/* "tcp dport 80", "udp dport 7000-7010", "tcp dport != { 22 }", "meta l4proto tcp" */
static void rules_add_service(struct text *out, const struct forwards *all,
			      const struct patient_forward *forward)
{
	TEXT_CLEANUP struct text ports = TEXT_INIT;

	if (!forwards_is_rest(forward)) {
		text_addf(out, "%s dport %u", rules_protocol(forward), forward->port);
		if (forward->port != forward->port_last)
			text_addf(out, "-%u", forward->port_last);
		return;
	}
	if (remedy_add_exceptions(&ports, all, forward, ", "))
		text_addf(out, "%s dport != { %s }", rules_protocol(forward), ports.bytes);
	else
		text_addf(out, "meta l4proto %s", rules_protocol(forward));
}

static const char *rules_ip(const struct patient_forward *forward)
{
	return forward->server.family == AF_INET ? "ip" : "ip6";
}

/* What the packet is to ask for: ours, whatever it is, or the address, with a tag. */
static bool rules_add_destination(struct text *out, struct forwards *all,
				  const struct patient_forward *forward,
				  enum remedy_side side, const char **ret_comment)
{
	int family = forward->server.family;
	struct addr own = forwards_own(forward->wan, family);
	struct addr seen = forwards_public(forward->wan, family);
	const char *name = forward->wan->link ? forward->wan->link->name : "";
	char address[ADDR_TEXT_BYTES];

	*ret_comment = NULL;
	if (forwards_is_rest(forward) && side == REMEDY_LAN) {
		if (!remedy_is_quotable(name))
			return false;
		text_addf(out, "iifname != \"%s\" ", name);
	}
	if (remedy_is_plain(all->patient, forward))
		return remedy_add_local_match(out, all->patient, family) || true;
	if (side == REMEDY_INTERNET && !addr_equal(&own, &seen)) {
		text_addf(out, "iifname \"%s\"", name);
		return remedy_is_quotable(name);
	}
	if (addr_is_none(&seen))
		return false;
	text_addf(out, "%s daddr %s", rules_ip(forward), addr_format(&seen, address));
	*ret_comment = remedy_tag_word(forward->wan);
	return true;
}

void remedy_add_forward(struct forwards *all, struct finding *finding,
			const struct patient_forward *forward, enum remedy_side side)
{
	remedy_add_forward_before(all, finding, forward, side, forward->rule);
}

void remedy_add_forward_before(struct forwards *all, struct finding *finding,
			       const struct patient_forward *forward,
			       enum remedy_side side, const struct walk_rule *before)
{
	TEXT_CLEANUP struct text match = TEXT_INIT;
	TEXT_CLEANUP struct text service = TEXT_INIT;
	TEXT_CLEANUP struct text target = TEXT_INIT;
	struct remedy_place place;
	const char *comment;

	remedy_place_find(all->patient, NF_INET_PRE_ROUTING, forward->server.family,
			  before, &place);
	if (place.owner == REMEDY_IPTABLES) {
		remedy_iptables_forward(all, finding, forward, side);
		return;
	}
	if (!rules_add_destination(&match, all, forward, side, &comment))
		return;
	rules_add_service(&service, all, forward);
	remedy_add_target(&target, forward);
	remedy_place_make(finding, &place, NF_INET_PRE_ROUTING);
	/* Behind all others, where it is for what they leave over. */
	finding_command(finding, "nft '%s rule %s %s %s %s %s dnat %s%sto %s%s%s%s'",
			forwards_is_rest(forward) ? "add" : "insert", place.family,
			place.table, place.chain, match.bytes, service.bytes,
			place.both_families ? rules_ip(forward) : "",
			place.both_families ? " " : "", target.bytes,
			comment ? " comment \"" : "", comment ? comment : "",
			comment ? "\"" : "");
}

void remedy_add_return_path(struct forwards *all, struct finding *finding,
			    const struct patient_forward *forward,
			    const struct patient_network *network)
{
	const char *name = network->link->name;
	struct remedy_place place;

	remedy_place_find(all->patient, NF_INET_POST_ROUTING, forward->server.family,
			  forward->rule, &place);
	if (place.owner == REMEDY_IPTABLES) {
		remedy_iptables_return_path(finding, network);
		return;
	}
	if (!remedy_is_quotable(name))
		return;
	remedy_place_make(finding, &place, NF_INET_POST_ROUTING);
	finding_command(finding,
			"nft 'insert rule %s %s %s iifname \"%s\" oifname \"%s\" ct status "
			"dnat masquerade comment \"hairpin return path\"'",
			place.family, place.table, place.chain, name, name);
}

/* --- filters --- */

/* The base chain on whose way it was dropped; NULL: it is not in the steps. */
static const struct walk_chain *rules_find_base(const struct walk_result *dropped)
{
	const struct walk_chain *chain;
	size_t i;

	if (dropped->chain && *dropped->chain->type)
		return dropped->chain;
	for (i = dropped->step_count; i-- > 0;) {
		chain = dropped->steps[i].chain;
		if (dropped->steps[i].kind == WALK_CHAIN && chain && *chain->type)
			return chain;
	}
	return NULL;
}

/* Did the packet's way leave the base chain for good? What is added is not reached then. */
static bool rules_has_gone(const struct walk_result *dropped,
			   const struct walk_chain *base)
{
	const struct walk_step *step;
	size_t i;

	for (i = dropped->step_count; i-- > 0;) {
		step = &dropped->steps[i];
		if (step->kind == WALK_CHAIN && step->chain == base)
			return false;
		if (step->kind == WALK_CHAIN && strcmp(step->verdict, "goto") == 0)
			return true;
	}
	return false;
}

/* Only what this forward needs where a rule says no; all forwards where none says yes. */
static void rules_add_accepted(struct text *out, const struct forwards *all,
			       const struct patient_forward *forward,
			       const struct walk_chain *base, bool by_rule,
			       const struct router_link *in, const struct router_link *out_link)
{
	char server[ADDR_TEXT_BYTES];

	text_addf(out, "iifname \"%s\" ", in->name);
	if (base->hook == NF_INET_PRE_ROUTING) {
		rules_add_service(out, all, forward);
		return;
	}
	if (out_link)
		text_addf(out, "oifname \"%s\" ", out_link->name);
	else if (by_rule && forward->port == forward->port_last)
		text_addf(out, "%s daddr %s %s dport %u ", rules_ip(forward),
			  addr_format(&forward->server, server), rules_protocol(forward),
			  forward->server_port);
	else if (by_rule)
		text_addf(out, "%s daddr %s ", rules_ip(forward),
			  addr_format(&forward->server, server));
	text_add(out, "ct status dnat");
}

/* May a rule of it be touched, if only until the program that made it does it again? */
static bool rules_may_touch(struct finding *finding, enum remedy_owner owner,
			    const struct walk_table *table)
{
	if (*table->owner || !remedy_is_word(table->name))
		return false;
	if (owner == REMEDY_OTHERS)
		finding_evidence(finding, "The table %s is another program's: what is mended "
				 "there must be told its configuration too, or is gone at "
				 "its next reload.", table->name);
	return true;
}

/* For the next reload; the rule itself is added as in any table. */
static void rules_tell_fw4(struct finding *finding, const char *match)
{
	finding_command(finding, "mkdir -p /usr/share/nftables.d/chain-pre/forward");
	finding_command(finding,
			"echo '%s accept comment \"hairpin\"' >> "
			"/usr/share/nftables.d/chain-pre/forward/hairpin.nft", match);
}

void remedy_add_accept(struct forwards *all, struct finding *finding,
		       const struct patient_forward *forward,
		       const struct walk_result *dropped, const struct router_link *in,
		       const struct router_link *out)
{
	TEXT_CLEANUP struct text match = TEXT_INIT;
	const struct walk_chain *base = rules_find_base(dropped);
	bool by_rule = dropped->at != NULL;
	enum remedy_owner owner;

	if (!base || !remedy_is_quotable(in->name) ||
	    (out && !remedy_is_quotable(out->name)))
		return;
	owner = remedy_owner_of(all->patient, base->table);
	if (owner == REMEDY_IPTABLES) {
		remedy_iptables_accept(finding, forward, by_rule, in, out);
		return;
	}
	rules_add_accepted(&match, all, forward, base, by_rule, in, out);
	if (owner == REMEDY_FW4)
		rules_tell_fw4(finding, match.bytes);
	if (!remedy_is_word(base->name) || !rules_may_touch(finding, owner, base->table))
		return;
	finding_command(finding, "nft '%s rule %s %s %s %s accept'",
			by_rule || rules_has_gone(dropped, base) ? "insert" : "add",
			nft_family_name(base->table->family), base->table->name,
			base->name, match.bytes);
}

void remedy_add_answers(struct forwards *all, struct finding *finding,
			const struct walk_result *dropped)
{
	const struct walk_chain *base = rules_find_base(dropped);
	const char *family;
	enum remedy_owner owner;

	if (!base || !remedy_is_word(base->name) || !remedy_is_word(base->table->name))
		return;
	owner = remedy_owner_of(all->patient, base->table);
	family = nft_family_name(base->table->family);
	if (owner == REMEDY_IPTABLES)
		finding_command(finding, "%s -t %s -I %s -m conntrack --ctstate ESTABLISHED,"
				"RELATED -j ACCEPT",
				base->table->family == NFPROTO_IPV6 ? "ip6tables-nft"
								    : "iptables-nft",
				base->table->name, base->name);
	else if (rules_may_touch(finding, owner, base->table))
		finding_command(finding, "nft 'insert rule %s %s %s ct state established,"
				"related accept'", family, base->table->name, base->name);
}

/* --- too much --- */

void remedy_spare_router(struct forwards *all, struct finding *finding,
			 const struct patient_forward *forward,
			 const struct walk_rule *rule)
{
	TEXT_CLEANUP struct text service = TEXT_INIT;
	const struct patient_network *network;
	struct remedy_place place;
	char address[ADDR_TEXT_BYTES];
	size_t i;

	remedy_place_find(all->patient, NF_INET_PRE_ROUTING, forward->server.family, rule,
			  &place);
	if (place.owner == REMEDY_IPTABLES) {
		remedy_iptables_spare(all, finding, forward);
		return;
	}
	if (place.made && !(rules_may_touch(finding, REMEDY_OTHERS, rule->chain->table) &&
			    remedy_place_within(all->patient, NF_INET_PRE_ROUTING,
						forward->server.family, rule, &place)))
		return;
	rules_add_service(&service, all, forward);
	for (i = 0; i < all->patient->network_count; i++) {
		network = &all->patient->networks[i];
		if (network->containers ||
		    network->router.family != forward->server.family)
			continue;
		finding_command(finding, "nft 'insert rule %s %s %s %s daddr %s %s accept'",
				place.family, place.table, place.chain, rules_ip(forward),
				addr_format(&network->router, address), service.bytes);
	}
}

/* By its handle, which also finds a rule of iptables: its number there may change. */
void remedy_remove(struct forwards *all, struct finding *finding,
		   const struct walk_rule *rule)
{
	const struct walk_table *table = rule->chain->table;
	enum remedy_owner owner = remedy_owner_of(all->patient, table);

	if (rules_may_touch(finding, owner, table) && remedy_is_word(rule->chain->name))
		finding_command(finding, "nft 'delete rule %s %s %s handle %" PRIu64 "'",
				nft_family_name(table->family), table->name,
				rule->chain->name, rule->handle);
}
