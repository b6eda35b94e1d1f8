/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "surroundings.h"

/* --- the link --- */

static const struct config_wan *wan_config(const struct patient *patient,
					   const struct patient_wan *wan)
{
	const struct config *config = patient->options->config;

	return config ? &config->wans[wan - patient->wans] : NULL;
}

static void wan_list_links(struct patient *patient, struct json *check)
{
	TEXT_CLEANUP struct text names = TEXT_INIT;
	const struct router *router = patient->router;
	size_t i;

	for (i = 0; i < router->link_count && names.length < 200; i++) {
		if (router->links[i].loopback || router->links[i].master)
			continue;
		text_addf(&names, "%s%s", names.length ? ", " : "",
			  router->links[i].name);
	}
	report_evidence(check, "Links that there are: %s.",
			names.length ? names.bytes : "none");
}

static void wan_missing(struct patient *patient, const struct patient_wan *wan)
{
	const struct config_wan *config = wan_config(patient, wan);
	struct json *check;

	if (config && *config->interface) {
		check = report_add(&patient->report, DOCTOR_FINDING, "wan-missing",
				   wan->name, "The WAN's interface %s is not there.",
				   config->interface);
		wan_list_links(patient, check);
		report_remedy(check, DOCTOR_ELSEWHERE,
			      "Bring the connection up (PPPoE, modem, driver), or name "
			      "the right interface in hairpind.json.");
		return;
	}
	check = report_add(&patient->report, DOCTOR_FINDING, "wan-missing", wan->name,
			   "There is no default route, so no WAN is known.");
	wan_list_links(patient, check);
	report_remedy(check, DOCTOR_ELSEWHERE,
		      "Bring the connection to the internet up, or name its interface "
		      "in hairpind.json.");
}

/* Set down by hand, or has it no carrier? */
static bool wan_is_enabled(const struct router_link *link)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { 0 };
	bool enabled = true;

	if (fd < 0)
		return true;
	memcpy(request.ifr_name, link->name, sizeof(request.ifr_name));
	if (ioctl(fd, SIOCGIFFLAGS, &request) == 0)
		enabled = request.ifr_flags & IFF_UP;
	close(fd);
	return enabled;
}

static void wan_down(struct patient *patient, const struct patient_wan *wan)
{
	const char *name = wan->link->name;
	char word[REPORT_WORD_BYTES];
	struct json *check;

	if (wan_is_enabled(wan->link)) {
		check = report_add(&patient->report, DOCTOR_FINDING, "wan-down",
				   wan->name, "%s has no carrier.", name);
		report_remedy(check, DOCTOR_ELSEWHERE,
			      "Look at the cable, the modem and the other end.");
		return;
	}
	check = report_add(&patient->report, DOCTOR_FINDING, "wan-down", wan->name,
			   "%s is set down.", name);
	report_remedy(check, DOCTOR_HERE, "Set it up; a default route that went with it "
					  "must come again from DHCP, PPP or the "
					  "network's configuration.");
	if (report_word(name, word))
		report_command(check, "ip link set %s up", word);
}

static void wan_no_address(struct patient *patient, const struct patient_wan *wan)
{
	const struct config_wan *config = wan_config(patient, wan);
	char text[ADDR_TEXT_BYTES];
	struct json *check;

	if (config && config->ipv4 == CONFIG_OFF)
		return;
	if (!addr_is_none(&wan->own6) && !surroundings_has_forwards(patient)) {
		report_add(&patient->report, DOCTOR_NOTE, "wan-no-address", wan->name,
			   "%s has an IPv6 address (%s) and none of IPv4.",
			   wan->link->name, addr_format(&wan->own6, text));
		return;
	}
	check = report_add(&patient->report, DOCTOR_FINDING, "wan-no-address", wan->name,
			   "%s has no IPv4 address.", wan->link->name);
	report_evidence(check, "Nothing from outside comes in while there is none.");
	report_remedy(check, DOCTOR_ELSEWHERE,
		      "See why DHCP or PPP gave none: its log, the provider, the modem.");
}

/* --- double NAT --- */

/* Is something of the forwards not known? What is known to be wrong was told as such. */
static bool wan_has_doubts(const struct patient *patient, const struct patient_wan *wan)
{
	const struct patient_forward *forward;
	size_t i, n;

	for (i = 0; i < patient->forward_count; i++) {
		forward = &patient->forwards[i];
		if (forward->server.family != AF_INET)
			continue;
		if (addr_is_none(&wan->outer) || forward->internet == PATIENT_UNKNOWN)
			return true;
		for (n = 0; n < patient->network_count; n++) {
			if (!patient->networks[n].containers &&
			    patient->networks[n].router.family == AF_INET &&
			    forward->networks[n] == PATIENT_UNKNOWN)
				return true;
		}
	}
	return false;
}

static const struct patient_forward *wan_first_forward(const struct patient *patient)
{
	size_t i;

	for (i = 0; i < patient->forward_count; i++) {
		if (patient->forwards[i].server.family == AF_INET)
			return &patient->forwards[i];
	}
	return NULL;
}

/* Both lines, for a forward that there is or one to learn from. */
static void wan_add_twins(const struct patient *patient, const struct patient_wan *wan,
			  struct json *check)
{
	static const struct patient_forward sample = {
		.protocol = IPPROTO_TCP, .port = 443, .port_last = 443,
		.server = { .family = AF_INET, .bytes = { 192, 168, 1, 2 } },
	};
	const struct patient_forward *forward = wan_first_forward(patient);
	const char *outer = "PUBLIC-ADDRESS", *tag = "hairpin", *to;
	char outer_text[ADDR_TEXT_BYTES], server[ADDR_TEXT_BYTES], ports[16];

	if (!forward)
		forward = &sample;
	if (!addr_is_none(&wan->outer))
		outer = addr_format(&wan->outer, outer_text);
	if (wan->tag.literal_bytes)
		tag = wan->tag.pattern;
	to = forward->rule && forward->rule->chain->table->family != NFPROTO_IPV4
		     ? "dnat ip to" : "dnat to";
	snprintf(ports, sizeof(ports), "%u-%u", forward->port, forward->port_last);
	if (forward->port == forward->port_last)
		snprintf(ports, sizeof(ports), "%u", forward->port);
	addr_format(&forward->server, server);
	report_evidence(check, "From inside: ip daddr %s %s dport %s %s %s comment \"%s\"",
			outer, forward->protocol == IPPROTO_UDP ? "udp" : "tcp", ports,
			to, server, tag);
	report_evidence(check, "From outside: iifname \"%s\" %s dport %s %s %s",
			wan->link->name,
			forward->protocol == IPPROTO_UDP ? "udp" : "tcp", ports, to,
			server);
}

static const char *wan_outer_from(const struct patient_wan *wan)
{
	if (strcmp(wan->outer_from, "outside") == 0)
		return "hairpind was told so from outside";
	if (strcmp(wan->outer_from, "record") == 0)
		return "so says the record that was published last";
	return "so say the rules";
}

static void wan_double_nat(struct patient *patient, const struct patient_wan *wan)
{
	/* Beside the finding of a forward this is its background. */
	bool finding = !patient->report.findings && wan_has_doubts(patient, wan);
	char own[ADDR_TEXT_BYTES], outer[ADDR_TEXT_BYTES];
	struct json *check;

	addr_format(&wan->own, own);
	check = report_add(&patient->report, finding ? DOCTOR_FINDING : DOCTOR_NOTE,
			   "double-nat", wan->name,
			   "Another router stands in front of this one: %s has the "
			   "private address %s.", wan->link->name, own);
	if (!addr_is_none(&wan->outer))
		report_evidence(check, "The internet sees %s: %s.",
				addr_format(&wan->outer, outer), wan_outer_from(wan));
	else
		report_evidence(check, "The public address is not known here, so what "
				       "LAN clients meet there cannot be told.");
	report_evidence(check, "Each forward needs two rules here, and the router in "
			       "front must send its ports to %s:", own);
	wan_add_twins(patient, wan, check);
	if (addr_is_none(&wan->outer))
		report_remedy(check, DOCTOR_ELSEWHERE,
			      "Make the router in front a bridge; or have hairpind find "
			      "the public address, with \"ipv4\": {\"source\": \"upnp\"} "
			      "or another source in hairpind.json, and ask again.");
	else
		report_remedy(check, DOCTOR_ELSEWHERE,
			      "Make the router in front a bridge, or keep both rules for "
			      "each forward.");
}

static void wan_cgnat(struct patient *patient, const struct patient_wan *wan)
{
	bool finding = surroundings_has_forwards(patient);
	char text[ADDR_TEXT_BYTES];
	struct json *check;

	check = report_add(&patient->report, finding ? DOCTOR_FINDING : DOCTOR_NOTE,
			   "cgnat", wan->name,
			   "The provider shares its public addresses among customers: %s "
			   "has %s, of the range for that.", wan->link->name,
			   addr_format(&wan->own, text));
	report_evidence(check, "Nothing that begins outside comes in by IPv4, whatever "
			       "the rules here are.");
	report_remedy(check, DOCTOR_ELSEWHERE,
		      "Ask the provider for a public IPv4 address, use IPv6, or a tunnel "
		      "to a machine that has one.");
}

/* --- the address --- */

/* Has the daemon heard from outside of another address than a global one of our own? */
static void wan_compare(struct patient *patient, const struct patient_wan *wan)
{
	const struct json *record = json_child(json_get(patient->options->status,
							"records"));
	const char *of, *family, *published;
	struct addr address;
	struct json *check;
	char own[ADDR_TEXT_BYTES];
	bool verified;

	for (; record; record = json_next(record)) {
		of = json_string(json_get(record, "wan"));
		family = json_string(json_get(record, "family"));
		published = json_string(json_get(record, "published"));
		if (!of || strcmp(of, wan->name) != 0 || !family || !published ||
		    strcmp(family, "ipv4") != 0 ||
		    !json_bool(json_get(record, "verified"), &verified) || !verified ||
		    !addr_parse(published, &address) || addr_equal(&address, &wan->own))
			continue;
		if (strcmp(json_string(json_get(record, "state")) ?: "", "current") != 0)
			continue;
		check = report_add(&patient->report, DOCTOR_NOTE, "wan-differs", wan->name,
				   "A record that is current says %s, and the interface "
				   "has %s.", published, addr_format(&wan->own, own));
		report_evidence(check, "The daemon looks at it again when the address "
				       "changes; hairpinctl sync makes it look now.");
		return;
	}
}

static void wan_class(struct patient *patient, const struct patient_wan *wan)
{
	enum addr_class class = addr_classify(&wan->own);
	char text[ADDR_TEXT_BYTES];

	addr_format(&wan->own, text);
	switch (class) {
	case ADDR_GLOBAL:
		report_add(&patient->report, DOCTOR_OK, "wan", wan->name,
			   "%s has the global address %s.", wan->link->name, text);
		wan_compare(patient, wan);
		break;
	case ADDR_PRIVATE:
		wan_double_nat(patient, wan);
		break;
	case ADDR_CGNAT:
		wan_cgnat(patient, wan);
		break;
	default:
		report_add(&patient->report, DOCTOR_NOTE, "wan-not-global", wan->name,
			   "%s has %s, which is no address of the internet (%s): it is "
			   "never published.", wan->link->name, text,
			   addr_class_name(class));
		break;
	}
}

void surroundings_wans(struct patient *patient)
{
	const struct patient_wan *wan;
	size_t i;

	for (i = 0; i < patient->wan_count; i++) {
		wan = &patient->wans[i];
		if (!wan->link)
			wan_missing(patient, wan);
		else if (!wan->link->up)
			wan_down(patient, wan);
		else if (addr_is_none(&wan->own))
			wan_no_address(patient, wan);
		else
			wan_class(patient, wan);
	}
}
