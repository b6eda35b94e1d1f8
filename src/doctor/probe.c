/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/doctor.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "probe_private.h"

/*
 * One SYN more than the first, after a second; where that fails the same again, traced.
 * Hosts of a LAN answer within milliseconds.
 */
enum { TRY_MS = 1200, TRACED_MS = 2000, DESTINATIONS_MAX = 16 };

struct examination {
	const struct doctor_probe *asked;
	struct patient *patient;
	struct addr destinations[DESTINATIONS_MAX];
	size_t destination_count;
	struct json *probes;
	unsigned answered, failed, unproven, impossible;
};

/* --- one client --- */

static void count_verdict(struct examination *exam, const struct json *probe)
{
	const char *verdict = json_string(json_get(probe, "verdict"));

	if (!verdict || strcmp(verdict, "failed") == 0)
		exam->failed++;
	else if (strcmp(verdict, "answered") == 0)
		exam->answered++;
	else if (strcmp(verdict, "unproven") == 0)
		exam->unproven++;
	else
		exam->impossible++;
}

/*
 * Once as everybody would, so that nothing of ours is in the way; where that fails once
 * more with the trace, if the kernel can.
 */
static int try_twice(struct json *probe, const struct probe_client *client,
		     const struct conntrack_flow *wanted, struct probe_try *ret_try,
		     struct err *ret_err)
{
	struct trace_flow flow = { .protocol = wanted->protocol, .client = wanted->source,
				   .destination = wanted->destination,
				   .port = wanted->destination_port };
	struct probe_try first;
	struct trace *trace;
	struct err err;
	int r = probe_try(client, wanted, NULL, TRY_MS, &first, ret_err);

	if (r < 0)
		return r;
	if (first.end != PROBE_ANSWERED && trace_new(&flow, &trace, &err) == 0) {
		probe_try_done(&first);
		r = probe_try(client, wanted, trace, TRACED_MS, &first, ret_err);
		trace_free(trace);
		if (r == 0 && first.end == PROBE_ANSWERED)
			report_evidence(probe, "The first try got no answer, the second "
					"did.");
	} else if (first.end != PROBE_ANSWERED) {
		report_evidence(probe, "There is no trace: %s.", err.text);
	}
	if (r == 0)
		*ret_try = first;
	return r;
}

static int examine_as(struct examination *exam, struct json *probe,
		      const struct probe_client *client, const struct addr *destination,
		      struct err *ret_err)
{
	struct conntrack_flow wanted = {
		.protocol = exam->asked->protocol,
		.source = client->address,
		.destination = *destination,
		.destination_port = exam->asked->port,
	};
	char text[ADDR_TEXT_BYTES];
	struct probe_try tried;
	int r = try_twice(probe, client, &wanted, &tried, ret_err);

	if (r < 0)
		return r;
	json_add_string(probe, "client", addr_format(&client->address, text));
	json_add_integer(probe, "took_us", tried.took_us);
	probe_tell(probe, exam->patient, client, &tried);
	probe_try_done(&tried);
	return 0;
}

/* Why not, what could be done, and what is known without. */
static void add_impossible(struct examination *exam, struct json *probe,
			   const struct patient_network *network,
			   const struct addr *destination, int why,
			   const struct err *err)
{
	TEXT_CLEANUP struct text sentence = TEXT_INIT;

	text_addf(&sentence, "No client can join %s: %s.", network->text, err->text);
	json_add_string(probe, "verdict", "impossible");
	json_add_string(probe, "text", sentence.bytes);
	if (why == -EPERM || why == -EACCES)
		report_evidence(probe, "Ask again as root.");
	else
		report_evidence(probe, "Try it from a host of that network; or give "
				"--interface with a LAN that is a bridge.");
	probe_walk_add(probe, exam->patient, network, exam->asked, destination);
}

static int examine_network(struct examination *exam,
			   const struct patient_network *network,
			   const struct addr *destination, struct err *ret_err)
{
	struct json *probe = json_add(exam->probes, NULL, json_new_object());
	struct probe_client client;
	char text[ADDR_TEXT_BYTES];
	struct err err;
	int r;

	json_add_string(probe, "interface", network->link->name);
	json_add_string(probe, "network", network->text);
	json_add_string(probe, "address", addr_format(destination, text));
	json_add(probe, "evidence", json_new_array());
	r = probe_client_join(&client, exam->patient, network, &err);
	if (r == 0)
		r = examine_as(exam, probe, &client, destination, ret_err);
	else if (r != -ENOMEM)
		add_impossible(exam, probe, network, destination, r, &err);
	else
		err_set(ret_err, r, "%s", err.text);
	probe_client_leave(&client);
	if (json_get(probe, "verdict"))
		r = 0;
	count_verdict(exam, probe);
	return r;
}

/* --- where to, and from where --- */

static void add_destination(struct examination *exam, const struct addr *address)
{
	for (size_t i = 0; i < exam->destination_count; i++)
		if (addr_equal(&exam->destinations[i], address))
			return;
	if (!addr_is_none(address) && exam->destination_count < DESTINATIONS_MAX)
		exam->destinations[exam->destination_count++] = *address;
}

static bool is_forward(const struct examination *exam, const struct addr *address)
{
	struct conntrack_flow flow = { .protocol = exam->asked->protocol,
				       .destination = *address,
				       .destination_port = exam->asked->port };
	struct probe_expected expected;

	flow.source.family = address->family;
	probe_expect(exam->patient, &flow, 0, &expected);
	return expected.rule && expected.wan;
}

/*
 * The first public address; of the others, and of IPv6, those where rules send that port
 * on for clients from the internet.
 */
static int find_destinations(struct examination *exam, struct err *ret_err)
{
	const struct patient *patient = exam->patient;
	struct addr given;

	if (exam->asked->address) {
		if (!addr_parse(exam->asked->address, &given))
			return err_set(ret_err, -EINVAL, "\"%.64s\" is no address",
				       exam->asked->address);
		add_destination(exam, &given);
		return 0;
	}
	for (size_t i = 0; i < patient->wan_count; i++) {
		const struct patient_wan *wan = &patient->wans[i];

		if (!addr_is_none(&wan->outer) &&
		    (exam->destination_count == 0 || is_forward(exam, &wan->outer)))
			add_destination(exam, &wan->outer);
		if (!addr_is_none(&wan->own6) && is_forward(exam, &wan->own6))
			add_destination(exam, &wan->own6);
	}
	if (exam->destination_count == 0)
		return err_set(ret_err, -EINVAL, "the public address is not known here: "
			       "give it by --address");
	return 0;
}

static bool is_asked_for(const struct examination *exam,
			 const struct patient_network *network)
{
	if (exam->asked->interface)
		return strcmp(network->link->name, exam->asked->interface) == 0;
	return !network->containers;
}

static int examine_all(struct examination *exam, struct err *ret_err)
{
	const struct patient *patient = exam->patient;
	unsigned clients = 0;
	int r = 0;

	for (size_t i = 0; i < exam->destination_count; i++) {
		const struct addr *destination = &exam->destinations[i];

		for (size_t j = 0; r == 0 && j < patient->network_count; j++) {
			const struct patient_network *network = &patient->networks[j];

			if (network->router.family != destination->family ||
			    !is_asked_for(exam, network))
				continue;
			clients++;
			r = examine_network(exam, network, destination, ret_err);
		}
	}
	if (r < 0 || clients > 0)
		return r;
	if (exam->asked->interface)
		return err_set(ret_err, -EINVAL, "%.64s has no network of clients of that "
			       "family here", exam->asked->interface);
	return err_set(ret_err, -EINVAL, "no network of clients of that family was found "
		       "here");
}

/* --- the report --- */

static const char *verdict_of(const struct examination *exam)
{
	if (exam->failed)
		return "failed";
	if (exam->unproven)
		return "unproven";
	return exam->answered ? "answered" : "impossible";
}

static int make_report(struct examination *exam, struct json **ret_report,
		       struct err *ret_err)
{
	struct json *report = json_new_object();
	char text[ADDR_TEXT_BYTES], *whole;

	json_add_integer(report, "schema", 1);
	json_add_string(report, "verdict", verdict_of(exam));
	json_add_string(report, "address", addr_format(&exam->destinations[0], text));
	json_add_integer(report, "port", exam->asked->port);
	json_add_string(report, "protocol",
			exam->asked->protocol == IPPROTO_UDP ? "udp" : "tcp");
	json_add(report, "probes", exam->probes);
	exam->probes = NULL;
	whole = json_print(report, false);	/* knows what is missing below it */
	if (!whole) {
		json_free(report);
		return err_set(ret_err, -ENOMEM, "out of memory");
	}
	free(whole);
	*ret_report = report;
	return 0;
}

static int examine(struct examination *exam, struct json **ret_report,
		   struct err *ret_err)
{
	int r = patient_gather(exam->patient, ret_err);

	if (r == 0)
		r = find_destinations(exam, ret_err);
	if (r == 0)
		r = examine_all(exam, ret_err);
	return r < 0 ? r : make_report(exam, ret_report, ret_err);
}

int doctor_probe(const struct doctor_probe *probe, struct json **ret_report,
		 struct err *ret_err)
{
	struct patient *patient = calloc(1, sizeof(*patient));
	struct examination exam = { .asked = probe, .patient = patient,
				    .probes = json_new_array() };
	int r;

	if (!patient) {
		json_free(exam.probes);
		return err_set(ret_err, -ENOMEM, "out of memory");
	}
	patient->options = probe->options;
	report_begin(&patient->report);
	r = examine(&exam, ret_report, ret_err);
	json_free(exam.probes);
	report_done(&patient->report);
	patient_done(patient);
	free(patient);
	return r;
}
