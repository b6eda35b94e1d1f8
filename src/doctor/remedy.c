/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose tables are whose, where a rule may stand, and the parts of its line. */
#include "remedy.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "hairpin/nft.h"

enum { REMEDY_PREROUTING = -110, REMEDY_POSTROUTING = 90, REMEDY_EXCEPTIONS_MAX = 15 };

#define REMEDY_TABLE "hairpin"

/* --- owners --- */

static bool remedy_starts(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

/* What is seen of a table by its chains and rules. */
struct remedy_signs {
	bool xt;		/* a rule of iptables-nft */
	bool native;		/* a NAT rule of nft */
	bool built_in;		/* a chain named as iptables names its own */
	bool docker;
};

static struct remedy_signs remedy_read_signs(const struct patient *patient,
					     const struct walk_table *table)
{
	static const char *const built_in[] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT",
						"POSTROUTING" };
	struct remedy_signs signs = { .xt = false };
	const struct walk_chain *chain;
	size_t i, j;

	for (i = 0; (chain = walk_chain(patient->walk, i)); i++) {
		if (chain->table != table)
			continue;
		for (j = 0; j < sizeof(built_in) / sizeof(built_in[0]); j++)
			signs.built_in |= strcmp(chain->name, built_in[j]) == 0;
		signs.docker |= remedy_starts(chain->name, "DOCKER");
		for (j = 0; j < chain->rule_count; j++) {
			signs.xt |= chain->rules[j].xt;
			signs.native |= !chain->rules[j].xt &&
					(chain->rules[j].nat_destination ||
					 chain->rules[j].nat_source);
		}
	}
	return signs;
}

static bool remedy_is_standard(const struct walk_table *table)
{
	static const char *const names[] = { "nat", "filter", "mangle", "raw", "security" };
	size_t i;

	if (table->family == NFPROTO_INET)
		return false;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(table->name, names[i]) == 0)
			return true;
	}
	return false;
}

enum remedy_owner remedy_owner_of(const struct patient *patient,
				  const struct walk_table *table)
{
	static const char *const others[] = { "firewalld", "docker", "miniupnpd", "libvirt",
					      "podman", "netavark" };
	struct remedy_signs signs;
	size_t i;

	if (*table->owner)
		return REMEDY_OTHERS;
	if (strcmp(table->name, "fw4") == 0)
		return REMEDY_FW4;
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (remedy_starts(table->name, others[i]))
			return REMEDY_OTHERS;
	}
	signs = remedy_read_signs(patient, table);
	if (signs.xt || (remedy_is_standard(table) && signs.built_in && !signs.native))
		return REMEDY_IPTABLES;
	return signs.docker ? REMEDY_OTHERS : REMEDY_ADMIN;
}

/* --- places --- */

bool remedy_is_word(const char *name)
{
	if (!isalpha((unsigned char)*name) || strlen(name) > 63)
		return false;
	for (; *name; name++) {
		if (!isalnum((unsigned char)*name) && !strchr("_-.", *name))
			return false;
	}
	return true;
}

bool remedy_is_quotable(const char *name)
{
	if (!*name)
		return false;
	for (; *name; name++) {
		if (!isalnum((unsigned char)*name) && !strchr("_-.:@+", *name))
			return false;
	}
	return true;
}

static bool remedy_takes(const struct walk_chain *chain, const char *type, unsigned hook,
			 int family)
{
	int own = family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	return strcmp(chain->type, type) == 0 && chain->hook == hook &&
	       !chain->table->dormant &&
	       (chain->table->family == own || chain->table->family == NFPROTO_INET) &&
	       remedy_is_word(chain->name) && remedy_is_word(chain->table->name);
}

static const struct walk_chain *remedy_find_chain(const struct patient *patient,
						  unsigned hook, int family,
						  const struct walk_table *of, bool anyones)
{
	const struct walk_chain *chain;
	size_t i;

	for (i = 0; (chain = walk_chain(patient->walk, i)); i++) {
		if ((!of || chain->table == of) &&
		    remedy_takes(chain, "nat", hook, family) &&
		    (anyones || remedy_owner_of(patient, chain->table) == REMEDY_ADMIN))
			return chain;
	}
	return NULL;
}

static void remedy_place_set(struct remedy_place *place, const char *family,
			     const char *table, const char *chain)
{
	snprintf(place->family, sizeof(place->family), "%s", family);
	snprintf(place->table, sizeof(place->table), "%s", table);
	snprintf(place->chain, sizeof(place->chain), "%s", chain);
	place->both_families = strcmp(family, "inet") == 0;
}

void remedy_place_find(const struct patient *patient, unsigned hook, int family,
		       const struct walk_rule *rule, struct remedy_place *ret_place)
{
	const struct walk_chain *chain = NULL;

	*ret_place = (struct remedy_place){ .owner = REMEDY_ADMIN };
	if (rule && remedy_owner_of(patient, rule->chain->table) == REMEDY_IPTABLES) {
		ret_place->owner = REMEDY_IPTABLES;
		return;
	}
	if (rule)
		chain = remedy_find_chain(patient, hook, family, rule->chain->table, false);
	if (!chain && (!rule || remedy_owner_of(patient, rule->chain->table) ==
				REMEDY_ADMIN))
		chain = remedy_find_chain(patient, hook, family, NULL, false);
	if (chain) {
		remedy_place_set(ret_place, nft_family_name(chain->table->family),
				 chain->table->name, chain->name);
		return;
	}
	ret_place->made = true;
	remedy_place_set(ret_place, family == AF_INET ? "ip" : "ip6", REMEDY_TABLE,
			 hook == NF_INET_PRE_ROUTING ? "prerouting" : "postrouting");
}

bool remedy_place_within(const struct patient *patient, unsigned hook, int family,
			 const struct walk_rule *rule, struct remedy_place *ret_place)
{
	const struct walk_chain *chain =
		remedy_find_chain(patient, hook, family, rule->chain->table, true);

	if (!chain)
		return false;
	*ret_place = (struct remedy_place){ .owner = REMEDY_OTHERS };
	remedy_place_set(ret_place, nft_family_name(chain->table->family),
			 chain->table->name, chain->name);
	return true;
}

void remedy_place_make(struct finding *finding, const struct remedy_place *place,
		       unsigned hook)
{
	bool first = hook == NF_INET_PRE_ROUTING;

	if (!place->made)
		return;
	finding_command(finding, "nft 'add table %s %s'", place->family, place->table);
	finding_command(finding,
			"nft 'add chain %s %s %s { type nat hook %s priority %d; }'",
			place->family, place->table, place->chain,
			first ? "prerouting" : "postrouting",
			first ? REMEDY_PREROUTING : REMEDY_POSTROUTING);
}

/* --- parts of a line --- */

const char *remedy_tag_word(const struct patient_wan *wan)
{
	static const char word[] = "hairpin";

	if (wan->beside)
		return NULL;
	if (wan->tag.literal_bytes && remedy_is_quotable(wan->tag.pattern))
		return wan->tag.pattern;
	return tag_match(&wan->tag, word) != TAG_NO_MATCH ? word : NULL;
}

static size_t remedy_add_lan(struct text *out, const struct patient *patient, int family)
{
	const struct patient_network *network;
	char text[ADDR_TEXT_BYTES];
	size_t i, count = 0;

	for (i = 0; i < patient->network_count; i++) {
		network = &patient->networks[i];
		if (network->containers || network->router.family != family)
			continue;
		text_addf(out, "%s%s", count ? ", " : "",
			  addr_format(&network->router, text));
		count++;
	}
	return count;
}

bool remedy_add_local_match(struct text *out, const struct patient *patient, int family)
{
	TEXT_CLEANUP struct text lan = TEXT_INIT;
	size_t count = remedy_add_lan(&lan, patient, family);
	const char *ip = family == AF_INET ? "ip" : "ip6";

	if (count == 1)
		text_addf(out, "%s daddr != %s ", ip, lan.bytes);
	else if (count)
		text_addf(out, "%s daddr != { %s } ", ip, lan.bytes);
	text_add(out, "fib daddr type local");
	return count > 0;
}

bool remedy_add_local_options(struct text *out, const struct patient *patient, int family)
{
	TEXT_CLEANUP struct text lan = TEXT_INIT;
	size_t count = remedy_add_lan(&lan, patient, family);

	if (count > 1)
		return false;
	if (count)
		text_addf(out, "! -d %s ", lan.bytes);
	text_add(out, "-m addrtype --dst-type LOCAL");
	return true;
}

bool remedy_add_exceptions(struct text *out, const struct forwards *all,
			   const struct patient_forward *forward, const char *between)
{
	struct addr own = forwards_own(forward->wan, forward->server.family);
	struct walk_packet packet;
	size_t i, count = 0;

	packet = forwards_packet(forward, &forward->source, &own,
				 forwards_link(forward->wan));
	for (i = 0; i < all->port_count && count < REMEDY_EXCEPTIONS_MAX; i++) {
		if (all->ports[i].protocol != forward->protocol ||
		    all->ports[i].first != all->ports[i].last)
			continue;
		packet.destination_port = all->ports[i].first;
		if (walk_rule_miss(all->patient->walk, &all->router, forward->rule,
				   &packet) != WALK_MISS_PORT)
			continue;
		text_addf(out, "%s%u", count ? between : "", packet.destination_port);
		count++;
	}
	return count > 0;
}

void remedy_add_target(struct text *out, const struct patient_forward *forward)
{
	char text[ADDR_TEXT_BYTES];
	bool port = forward->server_port != forward->tried;

	addr_format(&forward->server, text);
	if (forward->server.family == AF_INET6)
		text_addf(out, "[%s]", text);
	else
		text_add(out, text);
	if (port)
		text_addf(out, ":%u", forward->server_port);
}

bool remedy_is_plain(const struct patient *patient, const struct patient_forward *forward)
{
	return patient->wan_count == 1 && !patient->other_count &&
	       forward->server.family == AF_INET &&
	       addr_equal(&forward->wan->own, &forward->wan->outer);
}
