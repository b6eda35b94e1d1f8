/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configured names, as this machine's resolver answers them, against the WAN's address. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "names_ask.h"
#include "surroundings.h"

enum {
	DNS_LIMIT_MS = 4000,
	DNS_TTL_S = 3600,	/* a change is seen everywhere only after so long */
};

struct dns_name {
	struct addr wanted;		/* IPv4; none: nothing to compare with */
	const struct json *record;	/* of the daemon; NULL */
	char asked[CONFIG_HOSTNAME_BYTES + 8];
};

struct dns {
	struct patient *patient;
	struct name_question questions[NAMES_ASK_MAX];
	struct dns_name names[NAMES_ASK_MAX];
	size_t count;
	unsigned right;
};

static const struct json *dns_record(const struct patient *patient, const char *hostname)
{
	const struct json *record = json_child(json_get(patient->options->status,
							"records"));
	const char *of, *family;

	for (; record; record = json_next(record)) {
		of = json_string(json_get(record, "hostname"));
		family = json_string(json_get(record, "family"));
		if (of && strcmp(of, hostname) == 0 && family &&
		    strcmp(family, "ipv4") == 0)
			return record;
	}
	return NULL;
}

/* What the daemon wants, else what the WAN has. */
static struct addr dns_wanted(const struct patient *patient,
			      const struct config_provider *provider,
			      const struct json *record)
{
	const char *text = json_string(json_get(record, "wanted"));
	const struct addr none = { 0 };
	struct addr wanted;

	if (text && addr_parse(text, &wanted))
		return wanted;
	if (provider->families && !(provider->families & CONFIG_IPV4))
		return none;
	if (patient->options->status || provider->wan >= patient->wan_count)
		return none;
	wanted = patient->wans[provider->wan].outer;
	return addr_is_global(&wanted) ? wanted : none;
}

static void dns_add(struct dns *dns, const struct config_provider *provider,
		    const struct config_hostname *hostname)
{
	struct dns_name *name = &dns->names[dns->count];
	bool wild = strncmp(hostname->name, "*.", 2) == 0;

	if (dns->count == NAMES_ASK_MAX || hostname->families == CONFIG_IPV6)
		return;
	name->record = dns_record(dns->patient, hostname->name);
	name->wanted = dns_wanted(dns->patient, provider, name->record);
	if (addr_is_none(&name->wanted))
		return;
	/* Of a wildcard, any name below it. */
	snprintf(name->asked, sizeof(name->asked), "%s%s", wild ? "doctor" : "",
		 hostname->name + wild);
	dns->questions[dns->count].name = name->asked;
	dns->count++;
}

static void dns_gather(struct dns *dns)
{
	const struct config *config = dns->patient->options->config;
	const struct config_provider *provider;
	size_t i, n;

	for (i = 0; i < config->provider_count; i++) {
		provider = &config->providers[i];
		/* Behind a proxy other addresses are published than ours. */
		if (provider->broken || !provider->check)
			continue;
		for (n = 0; n < provider->hostname_count; n++)
			dns_add(dns, provider, &provider->hostnames[n]);
	}
}

static bool dns_has(const struct name_question *question, const struct addr *address)
{
	size_t i;

	for (i = 0; i < question->count; i++) {
		if (addr_equal(&question->answers[i], address))
			return true;
	}
	return false;
}

/* The first answer of IPv4, an inner one before others; none. */
static struct addr dns_first(const struct name_question *question, bool inner)
{
	size_t i;

	for (i = 0; i < question->count; i++) {
		if (question->answers[i].family == AF_INET &&
		    (!inner || !addr_is_global(&question->answers[i])))
			return question->answers[i];
	}
	return (struct addr){ 0 };
}

static void dns_remedy(struct json *check, const struct dns_name *name)
{
	const char *state = json_string(json_get(name->record, "state"));

	if (!state) {
		report_remedy(check, DOCTOR_HERE, "Nothing follows the address while "
						  "hairpind does not run. Start it:");
		report_command(check, "systemctl enable --now hairpind");
		return;
	}
	report_evidence(check, "hairpind says of the record: %s.", state);
	if (strcmp(state, "current") == 0)
		report_evidence(check, "The zone's own name servers have the right "
				       "address; the resolver here remembers the other "
				       "one until its time to live is over.");
}

static void dns_split(struct dns *dns, const struct dns_name *name,
		      const struct addr *answer)
{
	char text[ADDR_TEXT_BYTES], wanted[ADDR_TEXT_BYTES];
	struct json *check;

	check = report_add(&dns->patient->report, DOCTOR_NOTE, "dns-split", name->asked,
			   "%s is %s when it is asked from here.", name->asked,
			   addr_format(answer, text));
	report_evidence(check, "The internet is to see %s. Whoever asks the same resolver "
			       "goes to the server directly, so the hairpin is not used; "
			       "who asks another one (DNS over HTTPS) needs it.",
			addr_format(&name->wanted, wanted));
}

/* Right now; how soon would the next address be? */
static void dns_right(struct dns *dns, const struct dns_name *name,
		      const struct name_question *question)
{
	struct json *check;

	dns->right++;
	if (question->ttl_s <= DNS_TTL_S)
		return;
	check = report_add(&dns->patient->report, DOCTOR_NOTE, "dns-ttl", name->asked,
			   "Resolvers remember %s for %" PRId64 " minutes.", name->asked,
			   question->ttl_s / 60);
	report_evidence(check, "For so long some clients go on to the former address after "
			       "a change; 1 to 5 minutes are usual for an address that "
			       "changes.");
	report_remedy(check, DOCTOR_ELSEWHERE,
		      "Set a shorter time to live at the provider, or as \"ttl\" of its "
		      "entry in hairpind.json where it takes one.");
}

static void dns_judge(struct dns *dns, const struct dns_name *name,
		      const struct name_question *question)
{
	struct addr other = dns_first(question, true);
	/* While the daemon runs it is its work, and the records say how it goes. */
	enum doctor_verdict verdict = name->record ? DOCTOR_NOTE : DOCTOR_FINDING;
	char text[ADDR_TEXT_BYTES], wanted[ADDR_TEXT_BYTES];
	struct json *check;

	addr_format(&name->wanted, wanted);
	if (dns_has(question, &name->wanted)) {
		dns_right(dns, name, question);
		return;
	}
	if (!addr_is_none(&other)) {
		dns_split(dns, name, &other);
		return;
	}
	other = dns_first(question, false);
	if (addr_is_none(&other))
		check = report_add(&dns->patient->report, verdict, "dns-unpublished",
				   name->asked, "%s has no IPv4 address; it should have "
				   "%s.", name->asked, wanted);
	else
		check = report_add(&dns->patient->report, verdict, "dns-stale",
				   name->asked, "%s is %s; it should be %s.", name->asked,
				   addr_format(&other, text), wanted);
	dns_remedy(check, name);
}

static void dns_tell(struct dns *dns)
{
	unsigned failed = 0;
	size_t i;

	for (i = 0; i < dns->count; i++) {
		if (dns->questions[i].result == NAME_FAILED)
			failed++;
		else
			dns_judge(dns, &dns->names[i], &dns->questions[i]);
	}
	if (failed)
		report_add(&dns->patient->report, DOCTOR_UNKNOWN, "dns-unasked", NULL,
			   "The resolver of this machine did not answer for %u of %zu "
			   "names.", failed, dns->count);
	if (dns->right && dns->right == dns->count)
		report_add(&dns->patient->report, DOCTOR_OK, "dns", NULL,
			   "Every name has the WAN's address.");
}

void surroundings_dns(struct patient *patient)
{
	struct dns *dns;

	if (!patient->options->config)
		return;
	dns = calloc(1, sizeof(*dns));
	if (!dns)
		return;
	dns->patient = patient;
	dns_gather(dns);
	names_ask(dns->questions, dns->count, DNS_LIMIT_MS);
	dns_tell(dns);
	free(dns);
}
