/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what it needs to know is brought together here; src/doctor judges. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/config.h"
#include "hairpin/doctor.h"

#include "doctor_show.h"
#include "run.h"

enum { DOCTOR_STATUS_MS = 5000 };

struct visit {
	struct doctor_options options;
	struct config *config;
	struct err config_note, status_note;
	struct ctl_answer status;	/* of the daemon, if it runs */
};

static void visit_done(struct visit *visit)
{
	ctl_answer_done(&visit->status);
	config_free(visit->config);
}

/* Where the configuration names another socket than the default one, there. */
static const char *visit_socket(const struct visit *visit,
				const struct ctl_options *options)
{
	const char *given = options->socket_path;

	if (visit->config && strcmp(given, HAIRPIN_RUNSTATEDIR "/control.sock") == 0)
		return visit->config->control.socket;
	return given;
}

/* That no daemon runs is a fact like any other, not a failure. */
static void visit_ask_daemon(struct visit *visit, const struct ctl_options *options)
{
	int rc = ctl_ask(visit_socket(visit, options), "{\"command\": \"status\"}",
			 DOCTOR_STATUS_MS, &visit->status, &visit->status_note);
	const char *error;

	if (rc < 0) {
		visit->options.status_note = visit->status_note.text;
		return;
	}
	error = json_string(json_get(visit->status.root, "error"));
	if (error) {
		err_set(&visit->status_note, -EPERM, "%s", error);
		visit->options.status_note = visit->status_note.text;
		return;
	}
	visit->options.status = visit->status.root;
}

/* False after the complaint: the configuration that was named cannot be read. */
static bool visit_begin(struct visit *visit, const struct ctl_options *options)
{
	visit->config = ctl_configuration(&options->look, &visit->config_note);
	if (!visit->config && options->look.config_path) {
		run_complain(CTL_USAGE, visit->config_note.text);
		return false;
	}
	visit->options.config = visit->config;
	visit->options.config_note = visit->config ? NULL : visit->config_note.text;
	visit->options.passive = options->passive;
	visit->options.root = "";
	visit_ask_daemon(visit, options);
	return true;
}

static int doctor_print(const struct ctl_options *options, const struct ctl_view *view,
			const struct json *report,
			void (*show)(const struct json *, const struct ctl_view *,
				     struct text *))
{
	TEXT_CLEANUP struct text out = TEXT_INIT;

	if (options->json)
		return run_print_object(report, view);
	show(report, view, &out);
	return run_print(&out);
}

static int doctor_examine(const struct ctl_options *options, const struct ctl_view *view,
			  const struct doctor_options *asked)
{
	struct json *report;
	int64_t findings = 0;
	struct err err;
	int rc = doctor_run(asked, &report, &err), status;

	if (rc < 0)
		return run_complain(CTL_FAILED, err.text);
	(void)json_integer(json_get(report, "findings"), 0, INT32_MAX, &findings);
	status = doctor_print(options, view, report, doctor_show);
	json_free(report);
	return status == CTL_DONE && findings ? CTL_FAILED : status;
}

/* "443", "443/tcp", "5060/udp". */
static bool doctor_parse_port(const char *text, struct doctor_probe *probe)
{
	const char *slash = strchrnul(text, '/');
	char digits[8];
	long port;

	if ((size_t)(slash - text) >= sizeof(digits))
		return false;
	memcpy(digits, text, (size_t)(slash - text));
	digits[slash - text] = '\0';
	if (!text_parse_number(digits, 1, UINT16_MAX, &port))
		return false;
	if (*slash && strcmp(slash, "/tcp") != 0 && strcmp(slash, "/udp") != 0)
		return false;
	probe->port = (uint16_t)port;
	probe->protocol = strcmp(slash, "/udp") == 0 ? IPPROTO_UDP : IPPROTO_TCP;
	return true;
}

static int doctor_try(const struct ctl_options *options, const struct ctl_view *view,
		      const struct doctor_options *asked)
{
	struct doctor_probe probe = { .address = options->address,
				      .interface = options->interface,
				      .options = asked };
	const char *verdict;
	struct json *report;
	struct err err;
	bool answered;
	int rc, status;

	if (!doctor_parse_port(options->probe, &probe))
		return run_complain(CTL_USAGE,
				    "--probe wants a port, such as 443 or 5060/udp");
	rc = doctor_probe(&probe, &report, &err);
	if (rc < 0)
		return run_complain(rc == -EINVAL ? CTL_USAGE : CTL_FAILED, err.text);
	verdict = json_string(json_get(report, "verdict"));
	answered = verdict && strcmp(verdict, "answered") == 0;
	status = doctor_print(options, view, report, doctor_show_probe);
	json_free(report);
	return status == CTL_DONE && !answered ? CTL_FAILED : status;
}

int run_doctor(const struct ctl_options *options, const struct ctl_view *view)
{
	struct visit visit = { 0 };
	int status;

	if (!options->probe && (options->address || options->interface))
		return run_complain(CTL_USAGE,
				    "--address and --interface are for doctor --probe");
	if (!visit_begin(&visit, options))
		return CTL_USAGE;
	status = options->probe ? doctor_try(options, view, &visit.options)
				: doctor_examine(options, view, &visit.options);
	visit_done(&visit);
	return status;
}
