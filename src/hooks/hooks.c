/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hairpin/hookfiles.h"
#include "hairpin/log.h"
#include "hairpin/spawn.h"
#include "hairpin/text.h"

void hooks_init(struct hooks *hooks, hooks_ran *ran, hooks_done *done, void *context)
{
	memset(hooks, 0, sizeof(*hooks));
	hooks->ran = ran;
	hooks->done = done;
	hooks->context = context;
	hooks->output.fd = -1;
	hooks->uid = (uid_t)-1;
	hooks->gid = (gid_t)-1;
	hooks->allowance = (struct allowance){ .apart_ms = HOOKS_APART_MS,
					       .at_once = HOOKS_AT_ONCE };
}

void hooks_set(struct hooks *hooks, const char *directory, int64_t timeout_ms, uid_t uid,
	       gid_t gid)
{
	(void)text_copy(hooks->directory, sizeof(hooks->directory), directory);
	hooks->timeout_ms = timeout_ms;
	hooks->uid = uid;
	hooks->gid = gid;
}

static const char *hooks_name(const struct hooks *hooks)
{
	return hooks->names[hooks->next - 1];
}

/* The first reason is what the core hears; all of them are in the log. */
static void hooks_note(struct hooks *hooks, const char *reason)
{
	if (!hooks->reply.text[0])
		text_escape(hooks->reply.text, MESSAGE_TEXT_BYTES, reason,
			    strlen(reason));
	log_warning("%s", reason);
}

static void hooks_count_failure(struct hooks *hooks, const char *reason)
{
	hooks->reply.failed++;
	hooks_note(hooks, reason);
}

/* --- one file --- */

/* `text`: what it printed, or why it was not run. */
static void hooks_tell(struct hooks *hooks, enum message_outcome outcome, int code,
		       const char *text)
{
	struct message_hook_result result = {
		.head = { MESSAGE_HOOK_RESULT, hooks->queue[0].head.number },
		.event = hooks->queue[0].event,
		.outcome = outcome,
		.code = (uint32_t)code,
	};

	(void)text_copy(result.name, sizeof(result.name), hooks_name(hooks));
	(void)text_copy(result.text, sizeof(result.text), text);
	if (!hooks->orphaned)
		hooks->ran(hooks->context, &result);
}

static void hooks_refuse(struct hooks *hooks, const char *reason)
{
	char shown[MESSAGE_TEXT_BYTES];

	hooks_count_failure(hooks, reason);
	text_escape(shown, sizeof(shown), reason, strlen(reason));
	hooks_tell(hooks, MESSAGE_HOOK_REFUSED, 0, shown);
}

/* Of the directory's files this is no news; who asked for one wants to know. */
static void hooks_pass_over(struct hooks *hooks, const char *reason)
{
	char shown[MESSAGE_TEXT_BYTES];

	log_info("%s: passed over", reason);
	text_escape(shown, sizeof(shown), reason, strlen(reason));
	if (hooks->queue[0].only[0])
		hooks_tell(hooks, MESSAGE_HOOK_IGNORED, 0, shown);
}

/*
 * The JSON is smaller than a pipe: written at once, it waits there for a hook that reads.
 */
static int hooks_make_input(const struct message_hook *event, int *ret_fd)
{
	char *line = hook_facts_json(event);
	int ends[2], rc = 0;
	size_t length;

	if (!line)
		return -ENOMEM;
	length = strlen(line);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		free(line);
		return -errno;
	}
	if (write(ends[1], line, length) != (ssize_t)length)
		rc = -EIO;
	free(line);
	close(ends[1]);
	if (rc < 0)
		close(ends[0]);
	else
		*ret_fd = ends[0];
	/* O_NONBLOCK belongs to the open file: the hook must not inherit it. */
	return rc < 0 ? rc : fcntl(ends[0], F_SETFL, 0);
}

static int hooks_spawn_as(struct hooks *hooks, struct spawn *spawn, struct err *ret_err)
{
	int rc = spawn_start(spawn, &hooks->pid, ret_err);

	if (rc == -EPERM && spawn->uid != (uid_t)-1)
		log_warning("hooks cannot be run as user %u here", (unsigned)spawn->uid);
	return rc;
}

static int hooks_spawn(struct hooks *hooks, int executable, int in, int out,
		       struct err *ret_err)
{
	const struct message_hook *event = &hooks->queue[0];
	char **environment = hook_facts_environment(event);
	char path[sizeof(hooks->directory) + HOOKS_LINE_BYTES];
	char *argv[] = { path, (char *)message_event_name(event->event), NULL };
	struct spawn spawn = {
		.executable = executable, .argv = argv, .environment = environment,
		.in = in, .out = out, .err = out, .channel = -1,
		.uid = hooks->uid, .gid = hooks->gid, .session = true,
	};
	int rc;

	if (!environment)
		return err_set_errno(ret_err, -ENOMEM, "cannot make the environment");
	snprintf(path, sizeof(path), "%s/%s", hooks->directory, hooks_name(hooks));
	rc = hooks_spawn_as(hooks, &spawn, ret_err);
	hook_facts_environment_free(environment);
	return rc;
}

static int hooks_begin_with(struct hooks *hooks, int executable, struct err *ret_err)
{
	int out[2], in = -1, rc;

	rc = hooks_make_input(&hooks->queue[0], &in);
	if (rc < 0)
		return err_set_errno(ret_err, rc, "cannot make its input");
	if (pipe2(out, O_CLOEXEC) < 0) {
		close(in);
		return err_set_errno(ret_err, -errno, "cannot make a pipe");
	}
	rc = hooks_spawn(hooks, executable, in, out[1], ret_err);
	close(in);
	close(out[1]);
	if (rc < 0) {
		close(out[0]);
		return rc;
	}
	hook_output_init(&hooks->output, out[0]);
	return 0;
}

/* True: it runs. False: passed over, refused or failed, and counted so. */
static bool hooks_begin(struct hooks *hooks, const char *name, int64_t now_ms)
{
	char reason[sizeof(struct err) + HOOKS_LINE_BYTES];
	struct err err = { "" };
	int executable = -1, rc;

	rc = hookfiles_open("hook", hooks->directory, name, geteuid(), &executable, &err);
	if (rc == -ENOENT) {
		hooks_pass_over(hooks, err.text);
		return false;
	}
	hooks->reply.ran++;	/* a refused one counts too: no more fail than ran */
	if (rc < 0) {
		hooks_refuse(hooks, err.text);
		return false;
	}
	rc = hooks_begin_with(hooks, executable, &err);
	close(executable);
	if (rc < 0) {
		snprintf(reason, sizeof(reason), "hook %s: %s", name, err.text);
		hooks_refuse(hooks, reason);
		return false;
	}
	hooks->stage = HOOKS_RUNNING;
	hooks->deadline_ms = now_ms + hooks->timeout_ms;
	return true;
}

/* --- one event --- */

static void hooks_finish_event(struct hooks *hooks)
{
	struct message_reply reply = hooks->reply;
	bool orphaned = hooks->orphaned;

	hookfiles_free(hooks->names);
	hooks->names = NULL;
	hooks->begun = hooks->orphaned = false;
	hooks->queued--;
	memmove(&hooks->queue[0], &hooks->queue[1],
		hooks->queued * sizeof(hooks->queue[0]));
	if (!orphaned)
		hooks->done(hooks->context, &reply);
}

/* The files of the event: all there are, or the one that is asked for. */
static int hooks_list(struct hooks *hooks, struct err *ret_err)
{
	const char *only = hooks->queue[0].only;
	char **names;

	if (!only[0])
		return hookfiles_list(hooks->directory, geteuid(), &hooks->names,
				      ret_err);
	names = calloc(2, sizeof(*names));
	if (names)
		names[0] = strdup(only);
	if (!names || !names[0]) {
		free(names);
		return err_set_errno(ret_err, -ENOMEM, "cannot list the hooks");
	}
	hooks->names = names;
	return 0;
}

/* Those that were run before whoever ran them went. */
static void hooks_pass_begun(struct hooks *hooks)
{
	const char *after = hooks->queue[0].after;

	/* NOLINTNEXTLINE(*NullDereference): hooks_list() has set them */
	while (hooks->names[hooks->next] && strcmp(hooks->names[hooks->next], after) <= 0)
		hooks->next++;
}

static void hooks_begin_event(struct hooks *hooks, int64_t now_ms)
{
	struct err err = { "" };
	int rc;

	allowance_spend(&hooks->allowance, now_ms);
	hooks->begun = true;
	hooks->next = 0;
	memset(&hooks->reply, 0, sizeof(hooks->reply));
	hooks->reply.head.type = MESSAGE_HOOK_DONE;
	hooks->reply.head.number = hooks->queue[0].head.number;
	if (!hooks->directory[0])
		return;
	rc = hooks_list(hooks, &err);
	if (rc == -ENOENT)
		return;
	if (rc < 0) {
		hooks_note(hooks, err.text);
		hooks->reply.status = rc;
		return;
	}
	hooks_pass_begun(hooks);
}

/* An event is there, but the last ones came too fast. */
static bool hooks_is_waiting(const struct hooks *hooks)
{
	return hooks->stage == HOOKS_IDLE && hooks->queued > 0 && !hooks->begun &&
	       !hooks->stopped;
}

/* Goes on until something runs, the next event is not yet due, or nothing is left. */
static void hooks_advance(struct hooks *hooks, int64_t now_ms)
{
	while (hooks->stage == HOOKS_IDLE && hooks->queued > 0 && !hooks->stopped) {
		if (!hooks->begun && !allowance_is_due(&hooks->allowance, now_ms))
			return;
		if (!hooks->begun)
			hooks_begin_event(hooks, now_ms);
		while (hooks->names && hooks->names[hooks->next]) {
			const char *name = hooks->names[hooks->next++];

			if (hooks_begin(hooks, name, now_ms))
				return;
		}
		hooks_finish_event(hooks);
	}
}

int hooks_push(struct hooks *hooks, const struct message_hook *event, int64_t now_ms)
{
	if (hooks->queued == HOOKS_QUEUE_MAX)
		return -EBUSY;
	hooks->queue[hooks->queued++] = *event;
	if (hooks->queued == 1)
		hooks_advance(hooks, now_ms);
	return 0;
}

void hooks_forget(struct hooks *hooks)
{
	hooks->queued = hooks->begun ? 1 : 0;
	hooks->orphaned = hooks->begun;
}

bool hooks_busy(const struct hooks *hooks)
{
	return hooks->stage != HOOKS_IDLE;
}

/* --- the loop's questions and news --- */

int hooks_fd(const struct hooks *hooks)
{
	return hooks->output.fd;
}

int64_t hooks_deadline_ms(const struct hooks *hooks)
{
	if (hooks->stage == HOOKS_RUNNING || hooks->stage == HOOKS_TERMINATING)
		return hooks->deadline_ms;
	return hooks_is_waiting(hooks) ? allowance_due_ms(&hooks->allowance, 0) : -1;
}

/* End of output is not the end of the process: that is told by SIGCHLD. */
void hooks_readable(struct hooks *hooks)
{
	if (!hook_output_read(&hooks->output, hooks_name(hooks)))
		hook_output_done(&hooks->output, hooks_name(hooks));
}

static void hooks_signal(struct hooks *hooks, int number)
{
	(void)kill(-hooks->pid, number);
	(void)kill(-hooks->pid, SIGCONT);	/* one that stopped itself hears it too */
}

void hooks_tick(struct hooks *hooks, int64_t now_ms)
{
	int64_t due_ms = hooks_deadline_ms(hooks);
	char text[24];

	if (due_ms < 0 || now_ms < due_ms)
		return;
	if (hooks->stage == HOOKS_IDLE) {
		hooks_advance(hooks, now_ms);
	} else if (hooks->stage == HOOKS_RUNNING) {
		log_warning("hook %s: still runs after %s; it is ended",
			    hooks_name(hooks),
			    text_format_duration(hooks->timeout_ms, text));
		hooks_signal(hooks, SIGTERM);
		hooks->stage = HOOKS_TERMINATING;
		hooks->deadline_ms = now_ms + HOOKS_TERM_MS;
	} else {
		hooks_signal(hooks, SIGKILL);
		hooks->stage = HOOKS_KILLING;
	}
}

bool hooks_ended(struct hooks *hooks, pid_t pid)
{
	if (hooks->stage == HOOKS_IDLE || pid != hooks->pid)
		return false;
	(void)kill(-pid, SIGKILL);	/* heirs in its group */
	return true;
}

static enum message_outcome hooks_outcome(const struct hooks *hooks, int status,
					   int *ret_code)
{
	*ret_code = 0;
	if (hooks->stage != HOOKS_RUNNING)
		return MESSAGE_HOOK_TIMED_OUT;
	if (WIFSIGNALED(status)) {
		*ret_code = WTERMSIG(status);
		return MESSAGE_HOOK_SIGNAL;
	}
	*ret_code = WEXITSTATUS(status);
	return *ret_code ? MESSAGE_HOOK_EXIT : MESSAGE_HOOK_OK;
}

static void hooks_judge(struct hooks *hooks, enum message_outcome outcome, int code)
{
	const char *name = hooks_name(hooks);
	char reason[HOOKS_LINE_BYTES] = "";

	if (outcome == MESSAGE_HOOK_TIMED_OUT)
		snprintf(reason, sizeof(reason), "hook %s: had to be ended", name);
	else if (outcome == MESSAGE_HOOK_SIGNAL)
		snprintf(reason, sizeof(reason), "hook %s: killed by signal %d (%s)",
			 name, code, strsignal(code));
	else if (outcome == MESSAGE_HOOK_EXIT)
		snprintf(reason, sizeof(reason), "hook %s: exit status %d", name, code);
	if (reason[0])
		hooks_count_failure(hooks, reason);
	else
		log_info("hook %s: done", name);
}

void hooks_reaped(struct hooks *hooks, int status, int64_t now_ms)
{
	enum message_outcome outcome;
	int code;

	hook_output_done(&hooks->output, hooks_name(hooks));
	outcome = hooks_outcome(hooks, status, &code);
	hooks_judge(hooks, outcome, code);
	hooks_tell(hooks, outcome, code, hooks->output.said);
	hooks->stage = HOOKS_IDLE;
	hooks->pid = 0;
	hooks_advance(hooks, now_ms);
}

void hooks_stop(struct hooks *hooks, int64_t now_ms)
{
	hooks->stopped = true;
	if (hooks->stage != HOOKS_RUNNING)
		return;
	hooks_signal(hooks, SIGTERM);
	hooks->stage = HOOKS_TERMINATING;
	hooks->deadline_ms = now_ms + HOOKS_TERM_MS;
}

void hooks_kill(struct hooks *hooks)
{
	if (hooks->pid > 0) {
		(void)kill(-hooks->pid, SIGKILL);
		while (waitpid(hooks->pid, NULL, 0) < 0 && errno == EINTR)
			;
		hooks->pid = 0;
	}
	if (hooks->output.fd >= 0)
		close(hooks->output.fd);
	hooks->output.fd = -1;
	hookfiles_free(hooks->names);
	hooks->names = NULL;
	hooks->queued = 0;
	hooks->stage = HOOKS_IDLE;
}
