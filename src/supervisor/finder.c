/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "finder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hairpin/hookfiles.h"
#include "hairpin/log.h"
#include "hairpin/spawn.h"
#include "hairpin/text.h"

void finder_init(struct finder *finder, const struct load_facts *facts,
		  hooks_done *done, void *context)
{
	*finder = (struct finder){ .facts = facts, .done = done, .context = context,
				     .fd = -1, .errors = { .fd = -1 },
				     .allowance = { .apart_ms = 5000, .at_once = 50 } };
}

bool finder_busy(const struct finder *finder)
{
	return finder->stage != HOOKS_IDLE;
}

static void answer(struct finder *finder, int status, const char *text)
{
	struct message_reply reply = { .head = finder->reply.head, .status = status };

	text_escape(reply.text, MESSAGE_TEXT_BYTES, text, strlen(text));
	finder->done(finder->context, &reply);
}

/* --- beginning --- */

static const struct load_command *find(const struct load_facts *facts,
			const struct message_command *wanted)
{
	for (size_t i = 0; i < LOAD_COMMANDS_MAX; i++) {
		const struct load_command *at = &facts->commands[i];

		if (at->family == wanted->family && strcmp(at->wan, wanted->wan) == 0)
			return at;
	}
	return NULL;
}

static void split(const char *words, uint8_t count, char *argv[CONFIG_COMMAND_WORDS + 1])
{
	for (uint8_t i = 0; i < count; i++) {
		argv[i] = (char *)words;
		words += strlen(words) + 1;
	}
	argv[count] = NULL;
}

static int open_program(const char *path, int *ret_fd, struct err *ret_err)
{
	char directory[CONFIG_COMMAND_BYTES];
	const char *name = strrchr(path, '/') + 1;

	snprintf(directory, sizeof(directory), "%.*s", (int)(name - path), path);
	return hookfiles_open("command", directory, name, geteuid(), ret_fd, ret_err);
}

static int spawn_it(struct finder *finder, const struct message_command *wanted,
		    const struct load_command *entry, int executable, int out, int errors,
		    struct err *ret_err)
{
	struct message_hook facts = { .event = MESSAGE_EVENT_SOURCE,
				      .family = wanted->family };
	char *argv[CONFIG_COMMAND_WORDS + 1];
	struct spawn spawn = {
		.executable = executable, .argv = argv, .in = -1, .out = out,
		.err = errors, .channel = -1, .uid = finder->facts->hooks.uid,
		.gid = finder->facts->hooks.gid, .session = true,
	};
	char **environment;
	int rc;

	memcpy(facts.wan, wanted->wan, sizeof(facts.wan));
	memcpy(facts.interface, wanted->interface, sizeof(facts.interface));
	environment = hook_facts_environment(&facts);
	if (!environment)
		return err_set_errno(ret_err, -ENOMEM, "cannot make the environment");
	split(entry->words, entry->count, argv);
	spawn.environment = environment;
	rc = spawn_start(&spawn, &finder->pid, ret_err);
	hook_facts_environment_free(environment);
	return rc;
}

static int begin(struct finder *finder, const struct message_command *wanted,
		 const struct load_command *entry, struct err *ret_err)
{
	int executable = -1, out[2] = { -1, -1 }, errors[2] = { -1, -1 };
	int rc = open_program(entry->words, &executable, ret_err);

	if (rc < 0)
		return rc;
	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0)
		rc = err_set_errno(ret_err, -errno, "cannot make a pipe");
	else
		rc = spawn_it(finder, wanted, entry, executable, out[1], errors[1],
			      ret_err);
	close(executable);
	if (out[1] >= 0)
		close(out[1]);
	if (errors[1] >= 0)
		close(errors[1]);
	if (rc == 0) {
		finder->fd = out[0];
		finder->bytes = 0;
		(void)fcntl(finder->fd, F_SETFL, O_NONBLOCK);
		hook_output_init(&finder->errors, errors[0]);
		return 0;
	}
	if (out[0] >= 0)
		close(out[0]);
	if (errors[0] >= 0)
		close(errors[0]);
	return rc;
}

void finder_run(struct finder *finder, const struct message_command *wanted,
		 int64_t now_ms)
{
	const struct load_command *entry = find(finder->facts, wanted);
	struct err err = { "" };
	int rc;

	if (finder_busy(finder) || !allowance_is_due(&finder->allowance, now_ms)) {
		struct message_reply reply = {
			.head = { MESSAGE_COMMAND_DONE, wanted->head.number },
			.status = -EBUSY };

		finder->done(finder->context, &reply);
		return;
	}
	finder->reply.head = (struct message){ MESSAGE_COMMAND_DONE,
						wanted->head.number };
	if (!entry) {
		answer(finder, -ENOENT, "the configuration names no command for it");
		return;
	}
	if (finder->facts->hooks_user_refused) {
		answer(finder, -EPERM, "the user for hooks and commands is unknown");
		return;
	}
	allowance_spend(&finder->allowance, now_ms);
	snprintf(finder->name, sizeof(finder->name), "%s of wan %s",
		 strrchr(entry->words, '/') + 1, wanted->wan);
	rc = begin(finder, wanted, entry, &err);
	if (rc < 0) {
		answer(finder, rc, err.text);
		return;
	}
	finder->stage = HOOKS_RUNNING;
	finder->deadline_ms = now_ms + finder->facts->hooks_timeout_ms;
}

/* --- while it runs --- */

/* What is beyond one byte too many is not kept. */
void finder_readable(struct finder *finder)
{
	char chunk[512];
	ssize_t got;

	if (finder->errors.fd >= 0 &&
	    !hook_output_read(&finder->errors, finder->name))
		hook_output_done(&finder->errors, finder->name);
	for (int i = 0; i < 16 && finder->fd >= 0; i++) {
		size_t room = sizeof(finder->printed) - finder->bytes;

		got = read(finder->fd, chunk, sizeof(chunk));
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got <= 0) {
			close(finder->fd);
			finder->fd = -1;
			return;
		}
		if ((size_t)got < room)
			room = (size_t)got;
		memcpy(finder->printed + finder->bytes, chunk, room);
		finder->bytes += room;
	}
}

int64_t finder_deadline_ms(const struct finder *finder)
{
	bool waits = finder->stage == HOOKS_RUNNING ||
		     finder->stage == HOOKS_TERMINATING;

	return waits ? finder->deadline_ms : -1;
}

static void send_signal(const struct finder *finder, int number)
{
	(void)kill(-finder->pid, number);
	(void)kill(-finder->pid, SIGCONT);
}

void finder_tick(struct finder *finder, int64_t now_ms)
{
	if (finder_deadline_ms(finder) < 0 || now_ms < finder->deadline_ms)
		return;
	if (finder->stage == HOOKS_RUNNING) {
		finder_stop(finder, now_ms);
	} else {
		send_signal(finder, SIGKILL);
		finder->stage = HOOKS_KILLING;
	}
}

void finder_stop(struct finder *finder, int64_t now_ms)
{
	if (finder->stage != HOOKS_RUNNING)
		return;
	send_signal(finder, SIGTERM);
	finder->stage = HOOKS_TERMINATING;
	finder->deadline_ms = now_ms + HOOKS_TERM_MS;
}

/* --- its end --- */

static void close_pipes(struct finder *finder)
{
	if (finder->fd >= 0)
		close(finder->fd);
	finder->fd = -1;
	hook_output_done(&finder->errors, finder->name);
}

bool finder_ended(struct finder *finder, pid_t pid)
{
	if (!finder_busy(finder) || pid != finder->pid)
		return false;
	(void)kill(-pid, SIGKILL);	/* heirs in its group */
	return true;
}

void finder_reaped(struct finder *finder, int status)
{
	enum hooks_stage stage = finder->stage;
	char text[ADDR_ALONE_BYTES + 1];

	finder_readable(finder);	/* what it said last lies in the pipe */
	close_pipes(finder);
	finder->stage = HOOKS_IDLE;
	finder->pid = 0;
	if (stage != HOOKS_RUNNING) {
		answer(finder, -ETIMEDOUT, "ran too long and had to be ended");
	} else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		answer(finder, -EIO, "failed; its exit status is not 0");
	} else if (finder->bytes > ADDR_ALONE_BYTES ||
		   memchr(finder->printed, '\0', finder->bytes)) {
		answer(finder, -EMSGSIZE, "printed more than one address");
	} else {
		memcpy(text, finder->printed, finder->bytes);
		text[finder->bytes] = '\0';
		/* The end of its line is no fault, but would be escaped. */
		for (size_t i = finder->bytes; i > 0 && strchr(" \t\r\n", text[i - 1]); i--)
			text[i - 1] = '\0';
		answer(finder, 0, text);
	}
}

void finder_kill(struct finder *finder)
{
	if (finder->pid > 0) {
		(void)kill(-finder->pid, SIGKILL);
		while (waitpid(finder->pid, NULL, 0) < 0 && errno == EINTR)
			;
		finder->pid = 0;
	}
	close_pipes(finder);
	finder->stage = HOOKS_IDLE;
}
