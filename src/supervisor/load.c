/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "restart.h"

/* What earlier readings took out of sight is put back, in this child only. */
static void load_restore_variables(const struct load_vault *vault)
{
	size_t i;

	for (i = 0; i < LOAD_VARIABLES_MAX; i++) {
		if (vault->kept[i])
			(void)putenv(vault->kept[i]);
	}
}

static bool load_write_all(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length > 0) {
		ssize_t put = write(fd, at, length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		at += put;
		length -= (size_t)put;
	}
	return true;
}

static void load_child(struct load *load, const struct supervisor_options *options,
		       const struct load_vault *vault, bool to_stderr, int report)
		__attribute__((noreturn));
static void load_child(struct load *load, const struct supervisor_options *options,
		       const struct load_vault *vault, bool to_stderr, int report)
{
	sigset_t none;

	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)prctl(PR_SET_NAME, "hairpind: load", 0, 0, 0);
	load_restore_variables(vault);
	load_gather(options, load->document, to_stderr, &load->facts);
	_exit(load_write_all(report, &load->facts, sizeof(load->facts)) ? 0 : 1);
}

int load_start(struct load *load, const struct supervisor_options *options,
	       const struct load_vault *vault, bool to_stderr, int64_t now_ms,
	       struct err *ret_err)
{
	int report[2] = { -1, -1 };

	memset(load, 0, sizeof(*load));
	load->document = memfd_create("hairpind", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (load->document < 0)
		return err_set_errno(ret_err, -errno,
				     "cannot make a place for the configuration");
	if (pipe2(report, O_CLOEXEC) < 0)
		goto fail;
	load->pid = fork();
	if (load->pid == 0)
		load_child(load, options, vault, to_stderr, report[1]);
	if (load->pid < 0)
		goto fail;
	close(report[1]);
	load->pipe = report[0];
	(void)fcntl(load->pipe, F_SETFL, O_NONBLOCK);
	load->deadline_ms = now_ms + LOAD_TIME_MS;
	return 0;
fail:
	(void)err_set_errno(ret_err, -errno, "cannot read the configuration");
	if (report[0] >= 0) {
		close(report[0]);
		close(report[1]);
	}
	close(load->document);
	load->pid = 0;
	return -EIO;
}

bool load_read(struct load *load, int64_t now_ms)
{
	while (load->got < sizeof(load->facts)) {
		char *to = (char *)&load->facts + load->got;
		ssize_t got = read(load->pipe, to, sizeof(load->facts) - load->got);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && errno == EAGAIN) {
			load->late = now_ms >= load->deadline_ms;
			return load->late;
		}
		if (got <= 0)
			return true;
		load->got += (size_t)got;
	}
	return true;
}

/* The value's bytes are those that /proc/PID/environ shows. */
static int load_hide_variables(const struct load_facts *facts, struct load_vault *vault)
{
	size_t i;

	for (i = 0; i < LOAD_VARIABLES_MAX && environ[i]; i++) {
		char *value = strchr(environ[i], '=');

		if (!facts->variables[i] || vault->kept[i] || !value)
			continue;
		vault->kept[i] = strdup(environ[i]);
		if (!vault->kept[i])
			return -ENOMEM;
		secret_wipe(value + 1, strlen(value + 1));
	}
	return 0;
}

/* As many words as it says, each with its end. */
static bool load_command_holds(struct load_command *command)
{
	size_t at = 0;

	command->wan[sizeof(command->wan) - 1] = '\0';
	command->words[sizeof(command->words) - 1] = '\0';
	for (unsigned i = 0; i < command->count && at < sizeof(command->words); i++)
		at += strlen(command->words + at) + 1;
	if (command->family == 0)
		return true;
	return command->count > 0 && command->count <= CONFIG_COMMAND_WORDS &&
	       at <= sizeof(command->words) && command->words[0] == '/';
}

static bool load_facts_hold(struct load_facts *facts)
{
	for (size_t i = 0; i < LOAD_COMMANDS_MAX; i++)
		if (!load_command_holds(&facts->commands[i]))
			return false;
	facts->hooks_directory[sizeof(facts->hooks_directory) - 1] = '\0';
	facts->state_directory[sizeof(facts->state_directory) - 1] = '\0';
	facts->metrics_textfile[sizeof(facts->metrics_textfile) - 1] = '\0';
	facts->socket[sizeof(facts->socket) - 1] = '\0';
	facts->problems[sizeof(facts->problems) - 1] = '\0';
	facts->control_group_name[sizeof(facts->control_group_name) - 1] = '\0';
	return facts->valid;
}

/* Whatever is wrong with a configuration, the child says so: its death is our own fault. */
static int load_failed(const struct load *load, struct err *ret_err)
{
	char death[RESTART_DEATH_BYTES];

	if (load->late)
		return err_set(ret_err, -EIO,
			       "the configuration could not be read in time");
	return err_set(ret_err, -EIO, "the process that reads the configuration %s; please "
		       "report it, with the file but without its secrets",
		       restart_death(load->status, death));
}

int load_finish(struct load *load, struct load_vault *vault, int *ret_document,
		struct err *ret_err)
{
	int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
	int document = load->document;
	bool whole = load->got == sizeof(load->facts);

	load->document = -1;
	load_cancel(load);
	if (!whole) {
		close(document);
		return load_failed(load, ret_err);
	}
	if (load_hide_variables(&load->facts, vault) < 0) {
		close(document);
		return err_set(ret_err, -EIO,
			       "no memory to hide the secrets of the environment");
	}
	if (!load_facts_hold(&load->facts)) {
		close(document);
		return err_set(ret_err, -EINVAL, "the configuration does not hold");
	}
	if (fcntl(document, F_ADD_SEALS, seals) < 0) {
		close(document);
		return err_set_errno(ret_err, -EIO, "cannot seal the configuration");
	}
	*ret_document = document;
	return 0;
}

void load_reaped(struct load *load, int status)
{
	load->reaped = true;
	load->status = status;
}

void load_cancel(struct load *load)
{
	if (load->pid == 0)
		return;
	close(load->pipe);
	if (load->document >= 0)
		close(load->document);
	if (!load->reaped && load->got != sizeof(load->facts))
		kill(load->pid, SIGKILL);
	while (!load->reaped && waitpid(load->pid, &load->status, 0) < 0 && errno == EINTR)
		;
	load->pid = 0;
}

void load_vault_done(struct load_vault *vault)
{
	size_t i;

	for (i = 0; i < LOAD_VARIABLES_MAX; i++) {
		if (!vault->kept[i])
			continue;
		secret_wipe(vault->kept[i], strlen(vault->kept[i]));
		free(vault->kept[i]);
		vault->kept[i] = NULL;
	}
}
