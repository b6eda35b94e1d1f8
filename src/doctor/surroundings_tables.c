/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that another program keeps, and what it does to them and to ours. */
#include <stdio.h>
#include <string.h>

#include "surroundings.h"

struct keeper {
	const char *name;
	const char *table;	/* called so; NULL: any */
	const char *chain;	/* begins so, within such a table; NULL: any */
	const char *does;
};

static const struct keeper keepers[] = {
	{ "fw4", "fw4", NULL,
	  "OpenWrt's fw4 makes table inet fw4 anew at each reload and interface change: "
	  "what was put into it by hand is gone then. Rules of one's own belong into "
	  "/etc/nftables.d/*.nft." },
	{ "firewalld", "firewalld", NULL,
	  "firewalld makes its table anew at each reload, and newer versions let nobody "
	  "else change it. Rules of one's own belong into a table of their own." },
	{ "Docker", NULL, "DOCKER",
	  "Docker makes its chains when it starts, and does not notice when a reload of "
	  "another firewall (flush ruleset) removes them: restart it then." },
	{ "Docker", "docker-bridges", NULL,
	  "Docker makes its tables when it starts, and does not notice when a reload of "
	  "another firewall (flush ruleset) removes them: restart it then." },
	{ "miniupnpd", "miniupnpd", NULL,
	  "miniupnpd adds forwards when hosts of the LAN ask for them; a reload of the "
	  "firewall removes them until they ask again." },
	{ "miniupnpd", NULL, "MINIUPNPD",
	  "miniupnpd adds forwards when hosts of the LAN ask for them; a reload of the "
	  "firewall removes them until they ask again." },
	{ "miniupnpd", NULL, "prerouting_miniupnpd",
	  "miniupnpd adds forwards when hosts of the LAN ask for them; a reload of the "
	  "firewall removes them until they ask again." },
	{ "libvirt", NULL, "LIBVIRT_",
	  "libvirt makes its chains when a network starts; a reload of the firewall "
	  "removes them until libvirtd starts again." },
	{ "libvirt", "libvirt_network", NULL,
	  "libvirt makes its table when a network starts; a reload of the firewall (flush "
	  "ruleset) removes it until libvirtd starts again." },
	{ "ufw", NULL, "ufw-",
	  "ufw makes its chains anew at each reload; NAT rules of one's own belong into "
	  "/etc/ufw/before.rules." },
	{ "Kubernetes", NULL, "KUBE-",
	  "kube-proxy keeps its chains as they are to be, and takes packets for its "
	  "services before other rules see them." },
	{ "Tailscale", NULL, "ts-",
	  "tailscaled puts its chains in front when it starts." },
};

static bool table_is(const char *name, const char *wanted)
{
	return !wanted || strcmp(name, wanted) == 0;
}

static bool chain_begins(const char *name, const char *wanted)
{
	return !wanted || strncmp(name, wanted, strlen(wanted)) == 0;
}

static void table_tell(struct patient *patient, const char *name, const char *does)
{
	if (!report_has(&patient->report, "foreign-table", name))
		report_add(&patient->report, DOCTOR_NOTE, "foreign-table", name, "%s",
			   does);
}

static void table_look(struct patient *patient, const struct walk_chain *chain)
{
	size_t i;

	for (i = 0; i < sizeof(keepers) / sizeof(keepers[0]); i++) {
		if (table_is(chain->table->name, keepers[i].table) &&
		    chain_begins(chain->name, keepers[i].chain))
			table_tell(patient, keepers[i].name, keepers[i].does);
	}
}

static bool chain_is_xt(const struct walk_chain *chain)
{
	size_t i;

	for (i = 0; i < chain->rule_count; i++) {
		if (chain->rules[i].xt)
			return true;
	}
	return false;
}

/* Somebody holds it: even root gets -EPERM. */
static void table_look_held(struct patient *patient, const struct walk_table *table)
{
	char subject[300];

	if (!*table->owner)
		return;
	snprintf(subject, sizeof(subject), "table %s", table->name);
	if (report_has(&patient->report, "table-owned", subject))
		return;
	report_add(&patient->report, DOCTOR_NOTE, "table-owned", subject,
		   "Table %s belongs to a running program (%s): nobody else may change "
		   "its rules, neither hairpind nor nft.", table->name, table->owner);
}

void surroundings_tables(struct patient *patient)
{
	const struct walk_chain *chain;
	const struct walk_table *table;
	bool xt = false;
	size_t i;

	if (!patient->walk)
		return;
	for (i = 0; (table = walk_table(patient->walk, i)); i++)
		table_look_held(patient, table);
	for (i = 0; (chain = walk_chain(patient->walk, i)); i++) {
		table_look(patient, chain);
		xt |= chain_is_xt(chain);
	}
	if (xt)
		table_tell(patient, "iptables",
			   "Some rules were made by iptables (iptables-nft). Change them "
			   "with iptables only; what was not saved (iptables-save) is "
			   "gone after the next start.");
}
