/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The child's half of reading the configuration: everything here ends with that process.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hairpin/text.h"
#include "load.h"

#define CORE_USER "hairpind"
#define PUBLISHER_USER "hairpin-publish"
#define HOOKS_USER "hairpind-hooks"
#define NOBODY "nobody"

static const struct load_user stay = { .uid = (uid_t)-1, .gid = (gid_t)-1 };

/* Environ as it was, to see which values config_load() wiped: those were secrets. */
struct variables {
	char *at[LOAD_VARIABLES_MAX];
	size_t length[LOAD_VARIABLES_MAX];	/* a wiped one is shorter */
	size_t count;
};

static void variables_note(struct variables *variables)
{
	size_t i;

	for (i = 0; i < LOAD_VARIABLES_MAX && environ[i]; i++) {
		variables->at[i] = environ[i];
		variables->length[i] = strlen(environ[i]);
	}
	variables->count = i;
}

static void variables_compare(const struct variables *variables, uint8_t *changed)
{
	for (size_t i = 0; i < variables->count; i++)
		changed[i] = strlen(variables->at[i]) != variables->length[i];
}

static struct load_user user_find(const char *name)
{
	const struct passwd *entry = name[0] ? getpwnam(name) : NULL;

	if (!entry)
		return stay;
	return (struct load_user){ .uid = entry->pw_uid, .gid = entry->pw_gid };
}

static gid_t group_find(const char *name)
{
	const struct group *entry = name[0] ? getgrnam(name) : NULL;

	return entry ? entry->gr_gid : (gid_t)-1;
}

/*
 * The core becomes the service's user only where that one owns the state directory, or
 * where the directory is still to be made (it is then made his).
 */
static struct load_user core_user(const char *state_directory)
{
	struct load_user user = user_find(CORE_USER);
	struct stat status;

	if (user.uid == (uid_t)-1 || stat(state_directory, &status) < 0)
		return user;
	return status.st_uid == user.uid ? user : stay;
}

static void users_gather(const struct config *config, struct load_facts *facts)
{
	facts->core = facts->publisher = facts->hooks = stay;
	facts->runner = user_find(config->hooks.user[0] ? config->hooks.user
							: HOOKS_USER).uid;
	if (geteuid() != 0) {
		facts->hooks_user_refused = config->hooks.user[0] != '\0';
		return;
	}
	facts->core = core_user(facts->state_directory);
	facts->publisher = user_find(PUBLISHER_USER);
	if (facts->publisher.uid == (uid_t)-1)
		facts->publisher = user_find(NOBODY);
	facts->hooks = user_find(config->hooks.user);
	facts->hooks_user_refused = config->hooks.user[0] &&
				    facts->hooks.uid == (uid_t)-1;
}

static void groups_gather(const struct config *config, struct load_facts *facts)
{
	facts->control_group = group_find(config->control.group);
	facts->admin_group = group_find(config->control.admin_group);
	facts->control_group_missing = config->control.group[0] &&
				       facts->control_group == (gid_t)-1;
	(void)text_copy(facts->control_group_name, sizeof(facts->control_group_name),
			config->control.group);
}

/* What the command line said holds against the file, here and in the document. */
static void options_apply(const struct supervisor_options *options, struct config *config)
{
	if (options->state_directory)
		(void)text_copy(config->state_directory, sizeof(config->state_directory),
				options->state_directory);
	if (options->socket)
		(void)text_copy(config->control.socket, sizeof(config->control.socket),
				options->socket);
	if (options->log_level >= 0)
		config->log.level = options->log_level;
}

static bool document_write(const struct config *config, int document)
{
	char *text = config_print(config, CONFIG_REVEAL);
	size_t length, put = 0;

	if (!text)
		return false;
	for (length = strlen(text); put < length;) {
		ssize_t written = write(document, text + put, length - put);

		if (written < 0 && errno != EINTR)
			break;
		if (written > 0)
			put += (size_t)written;
	}
	secret_wipe(text, length);
	free(text);
	return put == length;
}

static void command_gather(const struct config_wan *wan, int family,
			   const struct config_outside *outside,
			   struct load_command *command)
{
	*command = (struct load_command){ .family = (uint8_t)family };
	(void)text_copy(command->wan, sizeof(command->wan), wan->name);
	memcpy(command->words, outside->command, outside->command_bytes);
	for (size_t i = 0; i < outside->command_bytes; i++)
		command->count += command->words[i] == '\0';
}

static void commands_gather(const struct config *config, struct load_facts *facts)
{
	struct load_command *next = facts->commands;

	for (size_t i = 0; i < config->wan_count; i++) {
		const struct config_wan *wan = &config->wans[i];

		if (wan->ipv4 == CONFIG_COMMAND)
			command_gather(wan, AF_INET, wan->outside4, next++);
		if (wan->ipv6 == CONFIG_COMMAND)
			command_gather(wan, AF_INET6, wan->outside6, next++);
	}
}

static void facts_gather(const struct config *config, struct load_facts *facts)
{
	facts->log_level = config->log.level;
	facts->log_to_syslog = config->log.to_syslog;
	facts->hooks_timeout_ms = config->hooks.timeout_ms;
	(void)text_copy(facts->hooks_directory, sizeof(facts->hooks_directory),
			config->hooks.directory);
	(void)text_copy(facts->state_directory, sizeof(facts->state_directory),
			config->state_directory);
	(void)text_copy(facts->metrics_textfile, sizeof(facts->metrics_textfile),
			config->metrics_textfile);
	(void)text_copy(facts->socket, sizeof(facts->socket), config->control.socket);
	commands_gather(config, facts);
	users_gather(config, facts);
	groups_gather(config, facts);
}

/* Whole lines only: half a character would not pass the core's check. */
static void lines_copy(char *out, size_t out_bytes, const char *text)
{
	char *end;

	if ((size_t)snprintf(out, out_bytes, "%s", text) < out_bytes)
		return;
	end = strrchr(out, '\n');
	*(end ? end + 1 : out) = '\0';
}

static void problems_tell(const struct config_problems *problems, bool to_stderr,
			  struct load_facts *facts)
{
	const char *text = problems->text.bytes;

	facts->errors = problems->errors;
	facts->broken = problems->broken;
	facts->warnings = problems->warnings;
	if (!text)
		return;
	lines_copy(facts->problems, sizeof(facts->problems), text);
	if (to_stderr && *text)
		fputs(text, stderr);
}

/* Not read, and nothing is wrong with it. */
static void no_memory_tell(bool to_stderr, struct load_facts *facts)
{
	static const char why[] = "configuration: no memory to read it\n";

	(void)text_copy(facts->problems, sizeof(facts->problems), why);
	if (to_stderr)
		fputs(why, stderr);
}

void load_gather(const struct supervisor_options *options, int document, bool to_stderr,
		 struct load_facts *facts)
{
	struct config_load load = {
		.path = options->config_path,
		.catalogue = options->catalogue,
	};
	struct config_problems problems = { .text = TEXT_INIT };
	struct variables variables = { .count = 0 };
	struct config *config = NULL;

	facts->has_file = access(CONFIG_FILE, F_OK) == 0;
	variables_note(&variables);
	if (config_load(&load, &config, &problems) == 0) {
		options_apply(options, config);
		facts_gather(config, facts);
		facts->valid = document_write(config, document);
		config_free(config);
	}
	variables_compare(&variables, facts->variables);
	problems_tell(&problems, to_stderr, facts);
	if (!facts->valid && facts->errors == 0)
		no_memory_tell(to_stderr, facts);
	config_problems_done(&problems);
}
