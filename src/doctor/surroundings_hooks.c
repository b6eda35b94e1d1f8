/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks that cannot run, and those that do not do what they should. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hairpin/hookfiles.h"

#include "surroundings.h"

static void hook_refused(struct patient *patient, const char *directory,
			 const struct hookfile *file)
{
	char path[sizeof(file->name) + CONFIG_PATH_BYTES], word[REPORT_WORD_BYTES];
	struct json *check;

	check = report_add(&patient->report, DOCTOR_FINDING, "hook-refused", file->name,
			   "The hook %s is never run.", file->name);
	report_evidence(check, "%s", file->why.text);
	/* chown and chmod would follow it, to whatever it names. */
	if (strstr(file->why.text, "symbolic link")) {
		report_remedy(check, DOCTOR_HERE, "Put the file itself in its place, root's "
						  "and writable by nobody else.");
		return;
	}
	report_remedy(check, DOCTOR_HERE,
		      "Who can write a hook has the rights of whoever runs it: it must be "
		      "root's, and nobody else may write it. Read it first: until now "
		      "others could change it.");
	snprintf(path, sizeof(path), "%s/%s", directory, file->name);
	if (!report_word(path, word))
		return;
	report_command(check, "chown root:root %s", word);
	report_command(check, "chmod 755 %s", word);
}

/* A file that is there but cannot be executed was probably meant to be. */
static void hook_ignored(struct patient *patient, const char *directory,
			 const struct hookfile *file)
{
	char path[sizeof(file->name) + CONFIG_PATH_BYTES], word[REPORT_WORD_BYTES];
	struct json *check;

	check = report_add(&patient->report, DOCTOR_NOTE, "hook-ignored", file->name,
			   "%s lies among the hooks and is not run.", file->name);
	report_evidence(check, "%s", file->why.text);
	snprintf(path, sizeof(path), "%s/%s", directory, file->name);
	if (!strstr(file->why.text, "executable") || !report_word(path, word))
		return;
	report_remedy(check, DOCTOR_HERE, "If it is to be one:");
	report_command(check, "chmod 755 %s", word);
}

static bool hooks_are_none(const char *directory)
{
	DIR *stream = opendir(directory);
	const struct dirent *entry = NULL;

	while (stream && (entry = readdir(stream)) && entry->d_name[0] == '.')
		;
	if (stream)
		closedir(stream);
	return stream && !entry;
}

static void hooks_unreadable(struct patient *patient, const char *directory, int rc,
			     const struct err *err)
{
	struct json *check;
	char word[REPORT_WORD_BYTES];

	if (rc == -ENOENT || hooks_are_none(directory))
		return;
	if (rc == -EACCES || geteuid() != 0) {
		report_add(&patient->report, DOCTOR_UNKNOWN, "rights", directory,
			   "The hooks' directory could not be looked at: %s", err->text);
		return;
	}
	check = report_add(&patient->report, DOCTOR_FINDING, "hook-refused", directory,
			   "No hook is run: their directory is not to be trusted.");
	report_evidence(check, "%s", err->text);
	report_remedy(check, DOCTOR_HERE, "It must be root's, and nobody else may write it; "
					  "so must each directory above it.");
	if (!report_word(directory, word))
		return;
	report_command(check, "chown root:root %s", word);
	report_command(check, "chmod 755 %s", word);
}

static bool hooks_lack_runner(const struct patient *patient)
{
	const struct json *status = patient->options->status;
	const char *reason = json_string(json_get(status, "hooks_reason"));

	return reason && strstr(reason, "--run-hooks");
}

static void hooks_look(struct patient *patient, const struct config *config)
{
	const char *directory = config->hooks.directory;
	struct hookfile *files = NULL;
	size_t i, count = 0, ready = 0;
	struct err err = { "" };
	uid_t user;
	int rc;

	user = hookfiles_user(json_get(patient->options->status, "hooks_runner"),
			      config->control.socket);
	rc = hookfiles_look(directory, user, &files, &count, &err);
	if (rc < 0) {
		hooks_unreadable(patient, directory, rc, &err);
		return;
	}
	for (i = 0; i < count; i++) {
		if (files[i].state == HOOKFILE_REFUSED)
			hook_refused(patient, directory, &files[i]);
		else if (files[i].state == HOOKFILE_IGNORED)
			hook_ignored(patient, directory, &files[i]);
		else
			ready++;
	}
	if (ready && ready == count && !hooks_lack_runner(patient))
		report_add(&patient->report, DOCTOR_OK, "hooks", NULL,
			   "Each hook may run.");
	free(files);
}

/* Whoever is to run them, a service of their own, is not there. */
static void hooks_waiting(struct patient *patient)
{
	struct json *check;

	if (!hooks_lack_runner(patient))
		return;
	check = report_add(&patient->report, DOCTOR_FINDING, "hook-runner", NULL,
			   "No hook is run: nobody is there to run them.");
	report_evidence(check, "hairpind was started with --outside-hooks and leaves them "
			       "to hairpinctl watch --run-hooks, which does not run.");
	report_remedy(check, DOCTOR_HERE,
		      "Start the service that runs it, and let it start with hairpind.");
	report_command(check, "systemctl enable --now hairpind-hooks");
}

/* What the daemon knows of their last runs. */
static void hooks_failing(struct patient *patient)
{
	const struct json *hook = json_child(json_get(patient->options->status, "hooks"));
	const char *name, *result, *last;
	char word[REPORT_WORD_BYTES];
	struct json *check;

	for (; hook; hook = json_next(hook)) {
		name = json_string(json_get(hook, "name"));
		result = json_string(json_get(hook, "result"));
		last = json_string(json_get(hook, "last_run"));
		if (!name || !result || strcmp(result, "ok") == 0 ||
		    report_has(&patient->report, "hook-refused", name))
			continue;
		check = report_add(&patient->report, DOCTOR_FINDING, "hook-failing", name,
				   "The hook %s failed when it ran last: %s.", name,
				   result);
		if (last)
			report_evidence(check, "That was at %s.", last);
		report_remedy(check, DOCTOR_ELSEWHERE,
			      "Mend the hook; this runs it and shows what it prints:");
		if (report_word(name, word))
			report_command(check, "hairpinctl hook test %s", word);
	}
}

void surroundings_hooks(struct patient *patient)
{
	const struct config *config = patient->options->config;

	if (config && *config->hooks.directory)
		hooks_look(patient, config);
	hooks_waiting(patient);
	hooks_failing(patient);
}
