/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hairpin/log.h"
#include "rights.h"
#include "sections.h"

#ifndef HAIRPIN_SYSCONFDIR
#define HAIRPIN_SYSCONFDIR "/etc/hairpind"
#endif
#ifndef HAIRPIN_RUNSTATEDIR
#define HAIRPIN_RUNSTATEDIR "/run/hairpind"
#endif
#ifndef HAIRPIN_STATEDIR
#define HAIRPIN_STATEDIR "/var/lib/hairpind"
#endif

enum { FILES_MAX = 64 };

struct files {
	struct source sources[FILES_MAX];
	size_t count;
};

static struct config *config_new(void)
{
	struct config *config = calloc(1, sizeof *config);

	if (!config)
		return NULL;
	config->nat.enabled = true;
	config->nat.conntrack = true;
	(void)text_copy(config->nat.names, sizeof config->nat.names, "dns:");
	config->nat.max = 131072;
	config->dns.check_every_ms = 10 * 60 * 1000;
	config->dns.verify = true;
	strcpy(config->hooks.directory, HAIRPIN_SYSCONFDIR "/hooks.d");
	config->hooks.timeout_ms = 30 * 1000;
	config->log.level = LOG_NOTICE;
	strcpy(config->control.socket, HAIRPIN_RUNSTATEDIR "/control.sock");
	strcpy(config->control.group, "hairpind");
	strcpy(config->state_directory, HAIRPIN_STATEDIR);
	config->metrics_addresses = true;
	return config;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->wan_count; i++) {
		free(config->wans[i].tag);
		free(config->wans[i].outside4);
		free(config->wans[i].outside6);
	}
	for (size_t i = 0; i < config->provider_count; i++)
		entry_done(&config->providers[i]);
	free(config->contact);
	free(config->user_agent);
	free(config->wans);
	free(config->nat.tables);
	free(config->providers);
	free(config);
}

const char *config_user_agent(const struct config *config,
			      const struct config_provider *provider)
{
	return provider->user_agent ? provider->user_agent : config->user_agent;
}

/* --- the files --- */

static void files_done(struct files *files)
{
	for (size_t i = 0; i < files->count; i++)
		source_done(&files->sources[i]);
}

static char *directory_of(const char *path)
{
	char copy[PATH_MAX];

	return text_copy(copy, sizeof copy, path) ? realpath(dirname(copy), NULL) : NULL;
}

struct duplicates {
	struct config_problems *problems;
	struct source *source;
};

static void report_duplicate(void *context, const struct json *member)
{
	struct duplicates *duplicates = context;
	const char *key = json_key(member);
	char shown[100];

	problem_at(duplicates->problems, duplicates->source, member, PROBLEM_ERROR,
		   "the key \"%s\" stands here twice; remove one",
		   text_escape(shown, sizeof shown, key, strlen(key)));
}

/* Opens one file; 0 also where a mistake was reported, -ENOENT where there is none. */
static int files_add(struct files *files, const char *path,
		     struct config_problems *problems)
{
	struct duplicates duplicates = { .problems = problems };
	struct source *source = &files->sources[files->count];
	struct json_error error;
	struct err err = { 0 };
	int result;

	result = rights_read(path, JSON_MAX_BYTES, &source->text, &source->length,
			     &source->exposed, &err);
	if (result == -ENOENT)
		return result;
	if (result < 0) {
		problem_of_file(problems, path, "%s", err.text);
		return 0;
	}
	files->count++;
	source->name = strdup(path);
	source->directory = directory_of(path);
	if (!source->name || !source->directory)
		return -ENOMEM;
	source->root = json_parse(source->text, source->length, JSON_TOLERANT, &error);
	if (!source->root) {
		problem_syntax(problems, source, &error);
		return 0;
	}
	duplicates.source = source;
	result = json_each_duplicate(source->root, report_duplicate, &duplicates);
	if (result < 0)
		return result;
	if (json_kind(source->root) == JSON_OBJECT)
		return 0;
	problem_at(problems, source, source->root, PROBLEM_ERROR,
		   "the file must be an object; begin with { and end with }");
	json_free(source->root);
	source->root = NULL;
	return 0;
}

/* Editors and package managers leave copies beside; only NAME.json counts. */
static int is_drop_in(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return entry->d_name[0] != '.' && length > 5 &&
	       strcmp(entry->d_name + length - 5, ".json") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);	/* the same in every locale */
}

static int files_add_drop_ins(struct files *files, const char *path,
			      struct config_problems *problems)
{
	char directory[PATH_MAX], copy[PATH_MAX], file[PATH_MAX + NAME_MAX + 2];
	struct dirent **names;
	int count, result = 0;

	if (!text_copy(copy, sizeof copy, path) ||
	    !schema_join(directory, sizeof directory, dirname(copy), "conf.d"))
		return 0;	/* the file itself has such a path: reported */
	count = scandir(directory, &names, is_drop_in, by_name);
	if (count < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			problem_of_file(problems, directory, "cannot be listed: %s",
					strerror(errno));
		return errno == ENOMEM ? -ENOMEM : 0;
	}
	for (int i = 0; i < count; i++) {
		snprintf(file, sizeof file, "%s/%s", directory, names[i]->d_name);
		free(names[i]);
		if (result < 0 || files->count == FILES_MAX)
			continue;
		if (files->count == FILES_MAX - 1)
			problem_of_file(problems, file, "too many files; at most %d",
					FILES_MAX);
		result = files_add(files, file, problems);
		if (result == -ENOENT)	/* removed just now, or a link to nothing */
			result = 0;
	}
	free(names);
	return result;
}

static int files_open(struct files *files, const struct config_load *load,
		      struct config_problems *problems)
{
	const char *path = load->path ? load->path : CONFIG_FILE;
	int result = files_add(files, path, problems);

	if (result == -ENOENT && load->path) {
		problem_of_file(problems, path,
				"there is no such file; give its path with -c");
		return 0;
	}
	if (result < 0 && result != -ENOENT)
		return result;
	return files_add_drop_ins(files, path, problems);
}

/* --- reading --- */

/* WANs first, in all files: a provider may name one of a later file. */
static void read_files(struct reading *reading, struct files *files)
{
	const struct json *part;
	size_t wan = 0;

	for (size_t i = 0; i < files->count; i++) {
		reading->source = &files->sources[i];
		sections_read(reading);
	}
	wans_default(reading);
	for (size_t i = 0; i < files->count && !reading->no_memory; i++) {
		reading->source = &files->sources[i];
		part = json_get(reading->source->root, "providers");
		if (part)
			entries_read(reading, part);
	}
	for (size_t i = 0; i < files->count && !reading->no_memory; i++) {
		reading->source = &files->sources[i];
		wans_check(reading, json_get(reading->source->root, "wans"), &wan);
	}
}

/* What travels to the confined process is one document of bounded size. */
static void check_size(const struct config *config, const char *name,
		       struct config_problems *problems)
{
	char *text = config_print(config, CONFIG_REVEAL);
	size_t length = text ? strlen(text) : 0;

	if (!text)
		return;
	if (length > JSON_MAX_BYTES)
		problem_of_file(problems, name,
				"the whole configuration is larger than %d bytes; "
				"use fewer or smaller CA files",
				JSON_MAX_BYTES);
	secret_wipe(text, length);
	free(text);
}

/* A secret must not be found in /proc/PID/environ, nor by our children. */
static void wipe_environment(const struct config *config)
{
	for (size_t i = 0; i < config->provider_count; i++) {
		const struct config_provider *provider = &config->providers[i];

		for (size_t j = 0; j < provider->setting_count; j++) {
			const char *env = provider->settings[j].env;
			char *value = env ? getenv(env) : NULL;

			if (!value)
				continue;
			secret_wipe(value, strlen(value));
			unsetenv(env);
		}
	}
}

int config_load(const struct config_load *load, struct config **ret_config,
		struct config_problems *problems)
{
	const char *name = load->path ? load->path : CONFIG_FILE;
	struct reading reading = { .load = load, .problems = problems };
	struct files *files = calloc(1, sizeof *files);
	int result = -ENOMEM;

	reading.config = config_new();
	if (!files || !reading.config)
		goto fail;
	result = files_open(files, load, problems);
	if (result < 0)
		goto fail;
	read_files(&reading, files);
	if (problems->errors == 0 && !reading.no_memory)
		check_size(reading.config, name, problems);
	if (reading.no_memory)
		result = -ENOMEM;
	else if (problems->errors > 0)
		result = -EINVAL;
	if (result < 0)
		goto fail;
	wipe_environment(reading.config);
	files_done(files);
	free(files);
	*ret_config = reading.config;
	return 0;
fail:
	if (files)
		files_done(files);
	free(files);
	config_free(reading.config);
	return result;
}

/* The first complaint, without the end of its line. */
static int parse_failed(const struct config_problems *problems, struct err *ret_err)
{
	return err_set(ret_err, -EINVAL, "%.*s", (int)strcspn(problems->text.bytes, "\n"),
		       problems->text.bytes);
}

int config_parse(const char *text, size_t length, struct config **ret_config,
		 struct err *ret_err)
{
	struct config_problems problems = { .text = TEXT_INIT };
	struct reading reading = { .problems = &problems };
	struct json_error error;
	struct files *files = calloc(1, sizeof *files);
	int result = -ENOMEM;

	reading.config = config_new();
	if (!files || !reading.config)
		goto out;
	files->count = 1;
	files->sources[0] = (struct source){ .name = strdup("effective configuration"),
					     .text = malloc(length + 1),
					     .length = length };
	if (!files->sources[0].name || !files->sources[0].text)
		goto out;
	memcpy(files->sources[0].text, text, length);
	files->sources[0].text[length] = '\0';
	files->sources[0].root = json_parse(text, length, JSON_STRICT, &error);
	if (!files->sources[0].root && error.no_memory)
		goto out;
	if (json_kind(files->sources[0].root) != JSON_OBJECT) {
		result = err_set(ret_err, -EINVAL,
				 "the effective configuration is no object");
		goto out;
	}
	read_files(&reading, files);
	result = reading.no_memory ? -ENOMEM : 0;
	if (problems.errors > 0)
		result = parse_failed(&problems, ret_err);
out:
	if (files)
		files_done(files);
	free(files);
	config_problems_done(&problems);
	if (result == 0)
		*ret_config = reading.config;
	else
		config_free(reading.config);
	return result == -ENOMEM ? err_set(ret_err, result, "no memory to read it")
				 : result;
}
