/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon says of itself and of its records, and what it means if there is none. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "surroundings.h"

enum {
	RECORD_ATTEMPTS = 3,	/* so many without success are no accident */
	RECORDS_SHOWN = 16,
};

/* --- none --- */

static bool daemon_has_work(const struct patient *patient)
{
	const struct config *config = patient->options->config;
	const struct walk_chain *chain;
	size_t i, n;

	if (config && config->provider_count)
		return true;
	for (i = 0; patient->walk && (chain = walk_chain(patient->walk, i)); i++) {
		for (n = 0; n < chain->rule_count; n++) {
			if (surroundings_tagged(patient, chain->rules[n].comment))
				return true;
		}
	}
	return false;
}

static const char *daemon_socket(const struct patient *patient)
{
	const struct config *config = patient->options->config;

	return config ? config->control.socket : HAIRPIN_RUNSTATEDIR "/control.sock";
}

/* It may well run, and not for our ears. */
static bool daemon_is_closed(const struct patient *patient)
{
	return access(daemon_socket(patient), W_OK) < 0 && errno == EACCES;
}

static void daemon_absent(struct patient *patient)
{
	const char *why = patient->options->status_note;
	struct json *check;

	if (daemon_is_closed(patient)) {
		check = report_add(&patient->report, DOCTOR_UNKNOWN, "rights", "hairpind",
				   "This user may not ask hairpind.");
		if (why)
			report_evidence(check, "%s", why);
		return;
	}
	if (!daemon_has_work(patient))
		return;
	check = report_add(&patient->report, DOCTOR_NOTE, "daemon-absent", NULL,
			   "hairpind does not answer: while it does not run nobody "
			   "follows the address.");
	/* Without a socket there is nothing to add. */
	if (why && access(daemon_socket(patient), F_OK) == 0)
		report_evidence(check, "%s", why);
	report_remedy(check, DOCTOR_HERE, "Start it, and let it start with the router.");
	report_command(check, "systemctl enable --now hairpind");
}

static void daemon_config(struct patient *patient)
{
	const char *why = patient->options->config_note;
	struct json *check;

	if (patient->options->config || !why || !*why)
		return;
	if (geteuid() != 0) {
		check = report_add(&patient->report, DOCTOR_UNKNOWN, "rights",
				   "configuration",
				   "The configuration could not be read: the WAN is taken "
				   "to be that of the default route, the tag \"hairpin\".");
		report_evidence(check, "%s", why);
		report_remedy(check, DOCTOR_HERE, "Ask again as root.");
		report_command(check, "sudo hairpinctl doctor");
		return;
	}
	check = report_add(&patient->report, DOCTOR_FINDING, "config-broken", NULL,
			   "hairpind's configuration has a mistake: the daemon would not "
			   "start with it.");
	report_evidence(check, "%s", why);
	report_remedy(check, DOCTOR_ELSEWHERE, "Mend it; this shows every mistake:");
	report_command(check, "hairpind --check");
}

/* --- what it says --- */

static void daemon_wans(struct patient *patient)
{
	const struct json *wan = json_child(json_get(patient->options->status, "wans"));
	const char *error, *name;
	struct json *check;

	for (; wan; wan = json_next(wan)) {
		error = json_string(json_get(json_get(wan, "rules"), "error"));
		name = json_string(json_get(wan, "name"));
		if (!error)
			continue;
		check = report_add(&patient->report, DOCTOR_FINDING, "rules-refused", name,
				   "hairpind cannot bring the rules into step.");
		report_evidence(check, "It says: %s", error);
		report_remedy(check, DOCTOR_HERE, "Mend what it names, then:");
		report_command(check, "hairpinctl sync");
		return;		/* one look for all WANs: the same for each */
	}
}

static void daemon_publisher(struct patient *patient)
{
	const struct json *status = patient->options->status;
	const char *state = json_string(json_get(status, "publisher"));
	struct json *check;

	if (!state || strcmp(state, "failed") != 0)
		return;
	check = report_add(&patient->report, DOCTOR_FINDING, "publisher-failed", NULL,
			   "hairpin-publish, which speaks with the internet for hairpind, "
			   "does not start.");
	report_remedy(check, DOCTOR_HERE, "The log says why.");
	report_command(check, "journalctl -u hairpind -n 50");
}

static void daemon_pause(struct patient *patient)
{
	const struct json *status = patient->options->status;
	const char *until = json_string(json_get(status, "paused_until"));
	struct json *check;

	if (!until)
		return;
	check = report_add(&patient->report, DOCTOR_NOTE, "paused", NULL,
			   "hairpind is paused until %s: it changes nothing.", until);
	report_remedy(check, DOCTOR_HERE, "To go on now:");
	report_command(check, "hairpinctl resume");
}

/* --- records --- */

static void record_evidence(struct json *check, const struct json *record)
{
	const char *reason = json_string(json_get(record, "reason"));
	const char *answer = json_string(json_get(record, "last_answer"));
	const char *wanted = json_string(json_get(record, "wanted"));
	const char *published = json_string(json_get(record, "published"));

	if (reason)
		report_evidence(check, "%s", reason);
	else if (answer)
		report_evidence(check, "The provider's last answer: %s.", answer);
	if (wanted)
		report_evidence(check, "Wanted %s, published %s.", wanted,
				published ? published : "nothing");
}

static void record_refused(struct patient *patient, const struct json *record,
			   const char *hostname, const char *subject)
{
	char word[REPORT_WORD_BYTES];
	struct json *check;

	check = report_add(&patient->report, DOCTOR_FINDING, "record-refused", subject,
			   "The provider refused %s for good; hairpind asks it no more.",
			   hostname);
	record_evidence(check, record);
	report_remedy(check, DOCTOR_HERE,
		      "Mend what it refused (password, host name, account), then:");
	report_command(check, "hairpinctl reload");
	if (report_word(hostname, word))
		report_command(check, "hairpinctl update --force %s", word);
}

static void record_failing(struct patient *patient, const struct json *record,
			   const char *hostname, const char *subject, int64_t attempts)
{
	const char *next = json_string(json_get(record, "next_try"));
	bool often = attempts >= RECORD_ATTEMPTS;
	struct json *check;

	check = report_add(&patient->report, often ? DOCTOR_FINDING : DOCTOR_NOTE,
			   "record-failing", subject,
			   "%s could not be published, %d times so far.", hostname,
			   (int)attempts);
	record_evidence(check, record);
	if (next)
		report_evidence(check, "hairpind tries again at %s.", next);
	if (often)
		report_remedy(check, DOCTOR_ELSEWHERE,
			      "Look at the way to the provider: is the internet there, "
			      "does its name resolve, is its service well?");
}

/* Each by its zone's own name servers, where they were asked. */
static void records_well(struct patient *patient, const struct json *records)
{
	const struct json *record = json_child(records);
	struct json *check;
	bool verified;

	check = report_add(&patient->report, DOCTOR_OK, "records", NULL,
			   "Every record is published.");
	for (; record && json_count(json_get(check, "evidence")) < RECORDS_SHOWN;
	     record = json_next(record)) {
		verified = false;
		(void)json_bool(json_get(record, "verified"), &verified);
		report_evidence(check, "%s: %s%s",
				json_string(json_get(record, "hostname")) ?: "?",
				json_string(json_get(record, "published")) ?: "?",
				verified ? ", as the zone's own name servers answer" : "");
	}
}

static void daemon_records(struct patient *patient)
{
	const struct json *record = json_child(json_get(patient->options->status,
							"records"));
	const char *hostname, *family, *state;
	unsigned current = 0, count = 0;
	int64_t attempts;
	char subject[300];

	for (; record; record = json_next(record)) {
		hostname = json_string(json_get(record, "hostname"));
		family = json_string(json_get(record, "family"));
		state = json_string(json_get(record, "state"));
		if (!hostname || !state)
			continue;
		attempts = 0;
		(void)json_integer(json_get(record, "attempts"), 0, INT32_MAX, &attempts);
		snprintf(subject, sizeof(subject), "%s (%s)", hostname,
			 family ? family : "?");
		count++;
		if (strcmp(state, "disabled") == 0)
			record_refused(patient, record, hostname, subject);
		else if (strcmp(state, "current") == 0)
			current++;
		else if (attempts)
			record_failing(patient, record, hostname, subject, attempts);
	}
	if (count && current == count)
		records_well(patient, json_get(patient->options->status, "records"));
}

static void daemon_names(struct patient *patient)
{
	const struct json *name = json_child(json_get(patient->options->status, "names"));
	const char *reason, *of;
	struct json *check;

	for (; name; name = json_next(name)) {
		reason = json_string(json_get(name, "reason"));
		of = json_string(json_get(name, "name"));
		if (!reason || !of)
			continue;
		check = report_add(&patient->report, DOCTOR_NOTE, "name-unresolved", of,
				   "The name %s, of a comment, does not resolve just now.",
				   of);
		report_evidence(check, "%s", reason);
	}
}

void surroundings_daemon(struct patient *patient)
{
	const struct json *status = patient->options->status;

	daemon_config(patient);
	if (!status) {
		daemon_absent(patient);
		return;
	}
	report_add(&patient->report, DOCTOR_OK, "daemon", NULL, "hairpind runs.");
	daemon_wans(patient);
	daemon_publisher(patient);
	daemon_pause(patient);
	daemon_records(patient);
	daemon_names(patient);
}
