/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/control.h"

enum {
	RUN_READ_MS = 10000,	/* the daemon answers these at once */
	RUN_CHANGE_MS = 40000,	/* a reload may take the daemon half a minute */
};

int run_complain(enum ctl_exit status, const char *sentence)
{
	fprintf(stderr, "hairpinctl: %s\n", sentence);
	return status;
}

/* Prints; a full disk or a closed pipe is a failure like any other. */
int run_print(const struct text *out)
{
	if (out->failed)
		return run_complain(CTL_FAILED, "out of memory");
	fwrite(out->bytes, 1, out->length, stdout);
	if (fflush(stdout) != 0 || ferror(stdout))
		return run_complain(CTL_FAILED, "cannot write to standard output");
	return CTL_DONE;
}

int run_print_json(const char *json, size_t length, const struct ctl_view *view)
{
	TEXT_CLEANUP struct text out = TEXT_INIT;

	if (view->terminal)
		ctl_json_show(json, length, &out);
	else
		text_add_bytes(&out, json, length);
	text_add_char(&out, '\n');
	return run_print(&out);
}

int run_print_object(const struct json *object, const struct ctl_view *view)
{
	char *line = json_print(object, false);
	int status;

	if (!line)
		return run_complain(CTL_FAILED, "out of memory");
	status = run_print_json(line, strlen(line), view);
	free(line);
	return status;
}

int run_exit_of(int rc)
{
	switch (rc) {
	case -ENOENT:
	case -ETIMEDOUT:
		return CTL_NO_DAEMON;
	case -EINVAL:
	case -E2BIG:
		return CTL_USAGE;
	}
	return CTL_FAILED;
}

/* A hook's test has its turn when those before it are done. */
static int64_t run_limit_ms(const struct ctl_options *options)
{
	switch (options->command) {
	case CTL_STATUS:
	case CTL_RULES:
	case CTL_PLAN:
	case CTL_VERSION:
	case CTL_METRICS:
		return RUN_READ_MS;
	case CTL_HOOK:
		return strcmp(options->words[0], "test") ? RUN_READ_MS
							 : CONTROL_HOOK_MS + 1000;
	default:
		return RUN_CHANGE_MS;
	}
}

int run_ask(const struct ctl_options *options, struct ctl_answer *ret_answer,
		   struct err *ret_err)
{
	char *request;
	int rc = ctl_request(options, &request, ret_err);

	if (rc < 0)
		return rc;
	rc = ctl_ask(options->socket_path, request, run_limit_ms(options), ret_answer,
		     ret_err);
	free(request);
	return rc;
}

/* --- rules: of the daemon, or of the kernel --- */

static int run_show_rules(const struct ctl_options *options, const struct ctl_view *view,
			  const struct json *rules)
{
	TEXT_CLEANUP struct text out = TEXT_INIT;

	if (options->json)
		return run_print_object(rules, view);
	ctl_rules_show(rules, view, &out);
	return run_print(&out);
}

int run_look_failed(int rc, const struct err *err, int why, const struct err *daemon)
{
	if (rc == -EPERM || rc == -EACCES) {
		if (why != -ENOENT)
			return run_complain(CTL_FAILED, daemon->text);
		return run_complain(CTL_FAILED,
				    "no daemon answers, and only root may read the "
				    "kernel's rules");
	}
	return run_complain(rc == -EBADMSG || rc == -EAFNOSUPPORT ? CTL_USAGE : CTL_FAILED,
			    err->text);
}

void run_look_said(const struct ctl_options *options, const struct ctl_view *view,
		   const struct err *note, int why, const struct err *daemon)
{
	if (why != -ENOENT)
		run_complain(CTL_DONE, daemon->text);
	if (*note->text) {
		run_complain(CTL_DONE, note->text);
		run_complain(CTL_DONE, "so the tag is taken to be \"hairpin\"");
	}
	if (!options->json && view->terminal)
		run_complain(CTL_DONE, "no daemon answers; so says the kernel itself");
}

static int run_rules_alone(const struct ctl_options *options,
			   const struct ctl_view *view, int why,
			   const struct err *daemon)
{
	struct json *rules;
	struct err note, err;
	int rc = ctl_look(&options->look, &rules, &note, &err);
	int status;

	if (rc < 0)
		return run_look_failed(rc, &err, why, daemon);
	run_look_said(options, view, &note, why, daemon);
	status = run_show_rules(options, view, rules);
	json_free(rules);
	return status;
}

/* --- version: ours and the daemon's --- */

static int run_show_version(const struct ctl_options *options,
			    const struct ctl_view *view, const char *daemon)
{
	TEXT_CLEANUP struct text out = TEXT_INIT;
	struct json *versions;
	char shown[64] = "no daemon answers";
	int status;

	if (daemon)
		text_escape(shown, sizeof(shown), daemon, strlen(daemon));
	if (!options->json) {
		text_addf(&out, "hairpinctl %s\nhairpind   %s\n", HAIRPIN_VERSION, shown);
		return run_print(&out);
	}
	versions = json_new_object();
	json_add_string(versions, "version", HAIRPIN_VERSION);
	json_add_string(versions, "daemon", daemon);
	status = run_print_object(versions, view);
	json_free(versions);
	return status;
}

/* --- providers: files that need no daemon --- */

static int run_providers(const struct ctl_options *options, const struct ctl_view *view)
{
	TEXT_CLEANUP struct text out = TEXT_INIT;
	struct json *providers;
	struct err err;
	int rc = ctl_providers(options->look.catalogue, options->words[0], &providers, &err);
	int status;

	if (rc < 0)
		return run_complain(rc == -ENOENT ? CTL_USAGE : CTL_FAILED, err.text);
	if (options->json) {
		status = run_print_object(providers, view);
	} else {
		ctl_providers_show(providers, options->words[0], view, &out);
		status = run_print(&out);
	}
	json_free(providers);
	return status;
}

/* --- everything else --- */

static int run_show_text(const struct ctl_options *options, const struct ctl_view *view,
			 const struct json *answer)
{
	static void (*const shows[])(const struct json *, const struct ctl_view *,
				     struct text *) = {
		[CTL_STATUS] = ctl_status_show, [CTL_SYNC] = ctl_sync_show,
		[CTL_UPDATE] = ctl_update_show, [CTL_RULES] = ctl_rules_show,
		[CTL_RELOAD] = ctl_reload_show,	[CTL_PAUSE] = ctl_pause_show,
		[CTL_RESUME] = ctl_resume_show, [CTL_LOG] = ctl_log_show,
	};
	TEXT_CLEANUP struct text out = TEXT_INIT;

	/* NOLINTNEXTLINE(*CallAndMessage): the commands that come here are in it */
	shows[options->command](answer, view, &out);
	return run_print(&out);
}

int run_show_refusal(const struct ctl_view *view, const struct json *answer,
		     const char *error)
{
	TEXT_CLEANUP struct text problems = TEXT_INIT;
	char shown[600];

	ctl_reload_show(answer, view, &problems);
	fwrite(problems.bytes, 1, problems.length, stderr);
	return run_complain(CTL_FAILED,
			    text_escape(shown, sizeof(shown), error, strlen(error)));
}

static int run_show_answer(const struct ctl_options *options, const struct ctl_view *view,
			   const struct ctl_answer *answer)
{
	const struct json *error = json_get(answer->root, "error");
	const char *sentence = json_string(error);
	int status;

	if (options->command == CTL_VERSION && !error)
		return run_show_version(options, view,
					json_string(json_get(answer->root, "version")));
	if (options->json) {
		status = run_print_json(answer->text, answer->length, view);
		return error && status == CTL_DONE ? CTL_FAILED : status;
	}
	if (error)
		return run_show_refusal(view, answer->root,
					sentence ? sentence : "the daemon refused");
	return run_show_text(options, view, answer->root);
}

/* What the daemon answers, shown as it is; rules and version do without a daemon too. */
static int run_asked(const struct ctl_options *options, const struct ctl_view *view)
{
	struct ctl_answer answer;
	struct err err;
	int rc = run_ask(options, &answer, &err), status;

	if (rc < 0 && options->command == CTL_RULES)
		return run_rules_alone(options, view, rc, &err);
	if (rc < 0 && options->command == CTL_VERSION) {
		if (rc != -ENOENT)
			run_complain(CTL_DONE, err.text);
		return run_show_version(options, view, NULL);
	}
	if (rc < 0)
		return run_complain(run_exit_of(rc), err.text);
	status = run_show_answer(options, view, &answer);
	ctl_answer_done(&answer);
	return status;
}

int ctl_run(const struct ctl_options *options, const struct ctl_view *view)
{
	static int (*const runs[CTL_COMMANDS])(const struct ctl_options *,
					       const struct ctl_view *) = {
		[CTL_STATUS] = run_asked,     [CTL_PLAN] = run_plan,
		[CTL_SYNC] = run_asked,	      [CTL_UPDATE] = run_asked,
		[CTL_WATCH] = run_watch,      [CTL_DOCTOR] = run_doctor,
		[CTL_RULES] = run_asked,      [CTL_TAG] = run_tag,
		[CTL_HOOK] = run_hook,	      [CTL_PROVIDERS] = run_providers,
		[CTL_RELOAD] = run_asked,     [CTL_PAUSE] = run_asked,
		[CTL_RESUME] = run_asked,    [CTL_LOG] = run_asked,
		[CTL_IMPORT] = run_import,    [CTL_METRICS] = run_metrics,
		[CTL_VERSION] = run_asked,    [CTL_COMPLETE] = run_complete,
	};

	return runs[options->command](options, view);
}
