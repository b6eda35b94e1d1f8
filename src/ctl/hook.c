/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hook list, hook test. */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/config.h"
#include "hairpin/hookfiles.h"

/* --- list: the directory as it is, and what the daemon knows of its files --- */

static const char *state_name(enum hookfile_state state)
{
	static const char *const names[] = {
		[HOOKFILE_READY] = "ready",
		[HOOKFILE_REFUSED] = "refused",
		[HOOKFILE_IGNORED] = "ignored",
	};

	return names[state];
}

static const struct json *known_of(const struct json *daemon, const char *name)
{
	const struct json *each = json_child(json_get(daemon, "hooks"));
	const char *of;

	for (; each; each = json_next(each)) {
		of = json_string(json_get(each, "name"));
		if (of && strcmp(of, name) == 0)
			return each;
	}
	return NULL;
}

static void add_known(struct json *object, const struct json *known)
{
	static const char *const strings[] = { "last_run", "event", "result" };
	static const char *const numbers[] = { "runs", "failures" };
	int64_t number;

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		json_add_string(object, strings[i],
				json_string(json_get(known, strings[i])));
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (json_integer(json_get(known, numbers[i]), 0, INT64_MAX, &number))
			json_add_integer(object, numbers[i], number);
		else
			json_add_null(object, numbers[i]);
	}
}

/* Names of files may hold any bytes, JSON only UTF-8. */
static void add_file(struct json *array, const struct hookfile *file,
		     const struct json *daemon)
{
	struct json *object = json_add(array, NULL, json_new_object());
	char shown[4 * sizeof(file->name)];

	text_escape(shown, sizeof(shown), file->name, strlen(file->name));
	json_add_string(object, "name", shown);
	json_add_string(object, "state", state_name(file->state));
	json_add_string(object, "reason", file->why.text[0] ? file->why.text : NULL);
	add_known(object, known_of(daemon, file->name));
}

static void add_runner(struct json *list, const struct json *runner)
{
	static const char *const keys[] = { "pid", "uid" };
	struct json *object;
	int64_t number;

	if (json_kind(runner) != JSON_OBJECT) {
		json_add_null(list, "runner");
		return;
	}
	object = json_add(list, "runner", json_new_object());
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (json_integer(json_get(runner, keys[i]), 0, UINT32_MAX, &number))
			json_add_integer(object, keys[i], number);
}

static struct json *list_make(const char *directory, const char *socket,
			      const struct json *daemon)
{
	struct json *list = json_new_object(), *array;
	const struct json *runner = json_get(daemon, "runner");
	struct hookfile *files = NULL;
	struct err err = { "" };
	size_t count = 0;

	if (*directory && hookfiles_look(directory, hookfiles_user(runner, socket), &files,
					 &count, &err) < 0)
		count = 0;
	json_add_string(list, "directory", *directory ? directory : NULL);
	json_add_string(list, "reason", err.text[0] ? err.text
				: json_string(json_get(daemon, "reason")));
	add_runner(list, runner);
	array = json_add(list, "hooks", json_new_array());
	for (size_t i = 0; i < count; i++)
		add_file(array, &files[i], daemon);
	free(files);
	return list;
}

static int list_print(const struct ctl_options *options, const struct ctl_view *view,
		      struct json *take)
{
	TEXT_CLEANUP struct text out = TEXT_INIT;
	int status;

	if (options->json) {
		status = run_print_object(take, view);
	} else {
		ctl_hooks_show(take, view, &out);
		status = run_print(&out);
	}
	json_free(take);
	return status;
}

/* No daemon: the configuration says which directory. */
static int list_alone(const struct ctl_options *options, const struct ctl_view *view)
{
	struct err note;
	struct config *config = ctl_configuration(&options->look, &note);
	struct json *list;

	if (!config)
		return run_complain(CTL_USAGE, note.text);
	list = list_make(config->hooks.directory, options->socket_path, NULL);
	config_free(config);
	return list_print(options, view, list);
}

static int hook_list(const struct ctl_options *options, const struct ctl_view *view)
{
	struct ctl_answer answer;
	const char *directory;
	struct json *list;
	struct err err;
	int rc = run_ask(options, &answer, &err);

	if (rc == -EACCES || rc == -EPROTO)
		run_complain(CTL_DONE, err.text);
	if (rc < 0)
		return list_alone(options, view);
	if (json_get(answer.root, "error")) {
		ctl_answer_done(&answer);
		return list_alone(options, view);
	}
	directory = json_string(json_get(answer.root, "directory"));
	list = list_make(directory ? directory : "", options->socket_path, answer.root);
	ctl_answer_done(&answer);
	return list_print(options, view, list);
}

/* --- test --- */

static int hook_test(const struct ctl_options *options, const struct ctl_view *view)
{
	TEXT_CLEANUP struct text out = TEXT_INIT;
	struct ctl_answer answer;
	const char *result, *error;
	struct err err;
	int rc = run_ask(options, &answer, &err), status;

	if (rc < 0)
		return run_complain(run_exit_of(rc), err.text);
	if (options->json) {
		status = run_print_json(answer.text, answer.length, view);
	} else if (json_get(answer.root, "error")) {
		error = json_string(json_get(answer.root, "error"));
		status = run_show_refusal(view, answer.root,
					  error ? error : "the daemon refused");
	} else {
		ctl_hook_test_show(answer.root, view, &out);
		status = run_print(&out);
	}
	result = json_string(json_get(answer.root, "result"));
	if (status == CTL_DONE && (!result || strcmp(result, "ok") != 0))
		status = CTL_FAILED;
	ctl_answer_done(&answer);
	return status;
}

int run_hook(const struct ctl_options *options, const struct ctl_view *view)
{
	const char *const *words = options->words;

	if (strcmp(words[0], "list") == 0 && !words[1])
		return hook_list(options, view);
	if (strcmp(words[0], "test") == 0 && words[1])
		return hook_test(options, view);
	return run_complain(CTL_USAGE, "hook wants list, or test NAME [EVENT]");
}
