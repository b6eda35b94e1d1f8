/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/doctor.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "hairpin/nft.h"

#include "patient.h"

static const char *doctor_reach_name(enum patient_reach reach)
{
	static const char *const names[] = {
		[PATIENT_YES] = "yes", [PATIENT_NO] = "no",
		[PATIENT_ELSEWHERE] = "elsewhere", [PATIENT_ROUTER] = "router",
		[PATIENT_UNKNOWN] = "unknown",
	};

	return names[reach];
}

static void doctor_add_rule(struct json *object, struct patient *patient,
			    const struct walk_rule *rule)
{
	TEXT_CLEANUP struct text line = TEXT_INIT;
	struct json *shown;

	if (!rule) {
		json_add_null(object, "rule");
		return;
	}
	shown = json_add(object, "rule", json_new_object());
	rule_text_add(&line, patient, rule);
	json_add_string(shown, "family", nft_family_name(rule->chain->table->family));
	json_add_string(shown, "table", rule->chain->table->name);
	json_add_string(shown, "chain", rule->chain->name);
	json_add_integer(shown, "handle", (int64_t)rule->handle);
	json_add_string(shown, "comment", *rule->comment ? rule->comment : NULL);
	json_add(shown, "text", line.failed ? NULL : json_new_string(line.bytes));
}

static void doctor_add_networks(struct json *object, const struct patient *patient,
				const struct patient_forward *forward)
{
	struct json *networks = json_add(object, "networks", json_new_array()), *one;
	const struct patient_network *network;
	char prefix[ADDR_PREFIX_TEXT_BYTES];
	struct addr none;
	size_t i;

	for (i = 0; i < patient->network_count; i++) {
		network = &patient->networks[i];
		if (network->containers ||
		    network->router.family != forward->server.family)
			continue;
		none = (struct addr){ .family = network->router.family };
		none = addr_join(&network->router, network->bits, &none);
		one = json_add(networks, NULL, json_new_object());
		json_add_string(one, "network",
				addr_format_prefix(&none, network->bits, prefix));
		json_add_string(one, "interface", network->link->name);
		json_add_string(one, "reach", doctor_reach_name(forward->networks[i]));
	}
}

static void doctor_add_forward(struct json *forwards, struct patient *patient,
			       const struct patient_forward *forward)
{
	struct json *object = json_add(forwards, NULL, json_new_object());
	char text[ADDR_TEXT_BYTES];

	json_add_string(object, "protocol",
			forward->protocol == IPPROTO_UDP ? "udp" : "tcp");
	json_add_integer(object, "port", forward->port);
	json_add_integer(object, "port_last", forward->port_last);
	json_add_string(object, "to", addr_format(&forward->server, text));
	json_add_integer(object, "to_port", forward->server_port);
	json_add_string(object, "wan", forward->wan ? forward->wan->name : NULL);
	doctor_add_rule(object, patient, forward->rule);
	json_add_string(object, "internet", doctor_reach_name(forward->internet));
	doctor_add_networks(object, patient, forward);
}

static struct json *doctor_forwards(struct patient *patient)
{
	struct json *forwards = json_new_array();
	size_t i;

	for (i = 0; i < patient->forward_count; i++)
		doctor_add_forward(forwards, patient, &patient->forwards[i]);
	return forwards;
}

/* Until somebody knows better. */
static void doctor_forget(struct patient *patient)
{
	struct patient_forward *forward;
	size_t i, n;

	for (i = 0; i < patient->forward_count; i++) {
		forward = &patient->forwards[i];
		forward->internet = PATIENT_UNKNOWN;
		for (n = 0; n < patient->network_count; n++)
			forward->networks[n] = PATIENT_UNKNOWN;
	}
}

/* Forwards first: what is wrong around them is judged by what became of them. */
static int doctor_examine(struct patient *patient, struct json **ret_report,
			  struct err *ret_err)
{
	struct json *report;
	int rc;

	rc = patient_gather(patient, ret_err);
	if (rc == 0)
		rc = patient_find_forwards(patient, ret_err);
	if (rc < 0)
		return rc;
	patient_choose_clients(patient);
	doctor_forget(patient);
	patient_judge_forwards(patient);
	patient_judge_surroundings(patient);
	report = report_take(&patient->report, doctor_forwards(patient));
	if (!report)
		return err_set(ret_err, -ENOMEM, "out of memory");
	*ret_report = report;
	return 0;
}

int doctor_run(const struct doctor_options *options, struct json **ret_report,
	       struct err *ret_err)
{
	struct patient *patient = calloc(1, sizeof(*patient));
	int rc;

	if (!patient)
		return err_set(ret_err, -ENOMEM, "out of memory");
	patient->options = options;
	report_begin(&patient->report);
	rc = doctor_examine(patient, ret_report, ret_err);
	report_done(&patient->report);
	patient_done(patient);
	free(patient);
	return rc;
}
