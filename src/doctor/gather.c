/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is: the router, its ruleset, the WANs and their addresses. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/rtnl.h"

#include "patient.h"

/* --- the daemon's word --- */

static const struct json *gather_named(const struct patient *patient, const char *list,
				       const char *key, const char *name)
{
	const struct json *one = json_child(json_get(patient->options->status, list));
	const char *of;

	for (; one; one = json_next(one)) {
		of = json_string(json_get(one, key));
		if (of && strcmp(of, name) == 0)
			return one;
	}
	return NULL;
}

static bool gather_parse(const struct json *value, int family, struct addr *ret_address)
{
	const char *text = json_string(value);
	struct addr address;

	if (!text || !addr_parse(text, &address) || address.family != family)
		return false;
	*ret_address = address;
	return true;
}

static void gather_former(struct patient_wan *wan, const struct json *status)
{
	const size_t most = sizeof(wan->former) / sizeof(wan->former[0]);
	const struct json *one = json_child(json_get(status, "former"));

	for (; one && wan->former_count < most; one = json_next(one)) {
		if (addr_parse(json_string(one) ?: "", &wan->former[wan->former_count]))
			wan->former_count++;
	}
}

/* What the record says that was published last. */
static void gather_published(const struct patient *patient, struct patient_wan *wan)
{
	const struct json *record;
	const char *of, *family;
	struct addr address;

	record = json_child(json_get(patient->options->status, "records"));
	for (; record && addr_is_none(&wan->outer); record = json_next(record)) {
		of = json_string(json_get(record, "wan"));
		family = json_string(json_get(record, "family"));
		if (!of || strcmp(of, wan->name) != 0 || !family ||
		    strcmp(family, "ipv4") != 0)
			continue;
		if (gather_parse(json_get(record, "published"), AF_INET, &address) &&
		    addr_is_global(&address)) {
			wan->outer = address;
			wan->outer_from = "record";
		}
	}
}

/* Behind another router the own address is not what the internet sees. */
static bool gather_is_inner(const struct addr *own)
{
	enum addr_class class = addr_classify(own);

	return class == ADDR_NONE || class == ADDR_PRIVATE || class == ADDR_CGNAT ||
	       class == ADDR_ULA || class == ADDR_LINK_LOCAL || class == ADDR_LOOPBACK;
}

/* One address, or that there are several. */
struct gather_literal {
	struct addr address;
	unsigned count;
};

/* Adds what the rule compares with and the internet could know. */
static void gather_literal(const struct patient *patient, const struct walk_rule *rule,
			   struct gather_literal *literal)
{
	struct addr addresses[PATIENT_ADDRESSES_MAX];
	size_t i, n;

	n = walk_rule_destinations(patient->walk, rule, addresses,
				   PATIENT_ADDRESSES_MAX);
	for (i = 0; i < n && i < PATIENT_ADDRESSES_MAX; i++) {
		if (addresses[i].family != AF_INET || gather_is_inner(&addresses[i]) ||
		    (literal->count && addr_equal(&addresses[i], &literal->address)))
			continue;
		literal->address = addresses[i];
		literal->count++;
	}
}

/*
 * Nobody told: the one address that tagged rules hold, or else all forwards, was the
 * public one at least when they were written.
 */
static void gather_from_rules(const struct patient *patient, struct patient_wan *wan)
{
	struct gather_literal tagged = { .count = 0 }, any = { .count = 0 };
	const struct walk_chain *chain;
	const struct walk_rule *rule;
	size_t i, n;

	for (i = 0; patient->walk && (chain = walk_chain(patient->walk, i)); i++) {
		for (n = 0; n < chain->rule_count; n++) {
			rule = &chain->rules[n];
			if (!rule->nat_destination)
				continue;
			gather_literal(patient, rule, &any);
			if (*rule->comment && tag_match(&wan->tag, rule->comment) > 0)
				gather_literal(patient, rule, &tagged);
		}
	}
	if (tagged.count != 1 && (tagged.count || any.count != 1))
		return;
	wan->outer = tagged.count ? tagged.address : any.address;
	wan->outer_from = "rule";
}

static void gather_outer(const struct patient *patient, struct patient_wan *wan)
{
	const struct json *status = gather_named(patient, "wans", "name", wan->name);
	const struct json *side = json_get(status, "ipv4");
	const char *source = json_string(json_get(side, "source"));
	struct addr address;

	wan->outer_from = "";
	gather_former(wan, status);
	if (!gather_is_inner(&wan->own)) {
		wan->outer = wan->own;
		wan->outer_from = "interface";
		return;
	}
	if (source && strcmp(source, "interface") != 0 &&
	    gather_parse(json_get(side, "address"), AF_INET, &address)) {
		wan->outer = address;
		wan->outer_from = "outside";
		return;
	}
	gather_published(patient, wan);
	if (addr_is_none(&wan->outer))
		gather_from_rules(patient, wan);
}

/* --- WANs --- */

/* As the daemon chooses, with no memory of the address it had until now. */
static int gather_own(const struct rtnl_snapshot *snapshot, uint32_t link, int family,
		      struct addr *ret_own)
{
	const struct addr none = { 0 };
	struct wan_candidate *mine;
	size_t count;

	mine = rtnl_addresses_of(snapshot, link, &count);
	if (!mine)
		return -ENOMEM;
	*ret_own = wan_choose(family, mine, count, &none);
	free(mine);
	return 0;
}

static int gather_wan(struct patient *patient, const struct config_wan *config,
		      const struct rtnl_snapshot *snapshot, struct err *ret_err)
{
	struct patient_wan *wan = &patient->wans[patient->wan_count];
	uint32_t link = rtnl_uplink(snapshot, config->interface, AF_INET);
	uint32_t link6 = rtnl_uplink(snapshot, config->interface, AF_INET6);
	int rc = 0;

	wan->name = config->name;
	wan->link = router_link_of(patient->router, link);
	if (link && config->ipv4 != CONFIG_OFF)
		rc = gather_own(snapshot, link, AF_INET, &wan->own);
	if (rc == 0 && link6 && config->ipv6 != CONFIG_OFF)
		rc = gather_own(snapshot, link6, AF_INET6, &wan->own6);
	if (rc < 0)
		return err_set_errno(ret_err, rc, "cannot choose an address");
	rc = tag_init(&wan->tag, config->tag, ret_err);
	if (rc < 0)
		return rc;
	patient->wan_count++;
	gather_outer(patient, wan);
	return 0;
}

static int gather_wans(struct patient *patient, const struct rtnl_snapshot *snapshot,
		       struct err *ret_err)
{
	const struct config *config = patient->options->config;
	size_t i;
	int rc = 0;

	if (!config)
		return gather_wan(patient, &config_assumed_wan, snapshot, ret_err);
	for (i = 0; rc == 0 && i < config->wan_count && i < PATIENT_WANS_MAX; i++)
		rc = gather_wan(patient, &config->wans[i], snapshot, ret_err);
	return rc;
}

/* Was nobody asked which links are WANs? */
static bool gather_is_guessed(const struct patient *patient)
{
	const struct config *config = patient->options->config;

	return !config || (config->wan_count == 1 && !*config->wans[0].interface);
}

/* The WAN whose link it is; one that is not configured counts as the first's. */
static const struct patient_wan *gather_wan_of(const struct patient *patient,
					       const struct rtnl_snapshot *snapshot,
					       uint32_t link)
{
	size_t i;

	for (i = 0; i < patient->wan_count; i++) {
		if (patient->wans[i].link && patient->wans[i].link->index == link)
			return &patient->wans[i];
	}
	for (i = 0; gather_is_guessed(patient) && i < snapshot->default_count; i++) {
		if (snapshot->defaults[i].link == link)
			return &patient->wans[0];
	}
	return NULL;
}

static bool gather_is_own(const struct patient *patient, const struct addr *address)
{
	size_t i;

	for (i = 0; i < patient->wan_count; i++) {
		if (addr_equal(&patient->wans[i].own, address))
			return true;
	}
	return false;
}

static void gather_others(struct patient *patient, const struct rtnl_snapshot *snapshot)
{
	const struct wan_candidate *one;
	const struct patient_wan *of;
	size_t i;

	for (i = 0; i < snapshot->address_count; i++) {
		one = &snapshot->addresses[i];
		of = gather_wan_of(patient, snapshot, one->ifindex);
		if (!of || one->address.family != AF_INET ||
		    !addr_is_global(&one->address) ||
		    gather_is_own(patient, &one->address) ||
		    patient->other_count == PATIENT_WANS_MAX)
			continue;
		patient->others[patient->other_count++] = (struct patient_wan){
			.name = of->name, .tag = of->tag, .beside = true,
			.link = router_link_of(patient->router, one->ifindex),
			.own = one->address,
			.outer = one->address, .outer_from = "interface",
		};
	}
}

/* What leads to the internet is no LAN, be it configured as a WAN or not. */
static int gather_networks(struct patient *patient,
			   const struct rtnl_snapshot *snapshot)
{
	uint32_t *links = calloc(snapshot->default_count + 1, sizeof(*links));
	size_t i;

	if (!links)
		return -ENOMEM;
	for (i = 0; i < snapshot->default_count; i++)
		links[i] = snapshot->defaults[i].link;
	patient_find_networks(patient, links, snapshot->default_count);
	free(links);
	return 0;
}

static int gather_addresses(struct patient *patient, struct err *ret_err)
{
	struct rtnl_snapshot snapshot = { 0 };
	struct rtnl *rtnl;
	int rc = rtnl_new(&rtnl, ret_err);

	if (rc < 0)
		return rc;
	rc = rtnl_snapshot(rtnl, &snapshot, ret_err);
	rtnl_free(rtnl);
	if (rc == 0)
		rc = gather_wans(patient, &snapshot, ret_err);
	if (rc == 0)
		gather_others(patient, &snapshot);
	if (rc == 0 && gather_networks(patient, &snapshot) < 0)
		rc = err_set(ret_err, -ENOMEM, "out of memory");
	rtnl_snapshot_done(&snapshot);
	return rc;
}

/* --- the ruleset --- */

static int gather_rules(struct patient *patient, struct err *ret_err)
{
	struct json *check;
	struct err err;
	int rc = walk_new(&patient->walk, &err);

	if (rc == -EPERM || rc == -EACCES) {
		check = report_add(&patient->report, DOCTOR_UNKNOWN, "rights", NULL,
				   "Only root may read the kernel's rules; no port "
				   "forward was looked at.");
		report_remedy(check, DOCTOR_HERE, "Ask again as root.");
		report_command(check, "sudo hairpinctl doctor");
		return 0;
	}
	if (rc < 0 && rc != -ENOMEM) {
		report_add(&patient->report, DOCTOR_UNKNOWN, "rules-unread", NULL,
			   "The kernel's rules could not be read: %s", err.text);
		return 0;
	}
	return rc < 0 ? err_set(ret_err, rc, "%s", err.text) : 0;
}

int patient_gather(struct patient *patient, struct err *ret_err)
{
	int rc = router_new(&patient->router, ret_err);

	if (rc == 0)
		rc = gather_rules(patient, ret_err);
	if (rc == 0)
		rc = gather_addresses(patient, ret_err);
	return rc;
}

void patient_done(struct patient *patient)
{
	size_t i;

	for (i = 0; i < patient->wan_count; i++)
		tag_done(&patient->wans[i].tag);
	rule_texts_done(patient);
	files_done(patient);
	free(patient->forwards);
	walk_free(patient->walk);
	router_free(patient->router);
}
