/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hairpin/channel.h"
#include "hairpin/clock.h"
#include "hairpin/log.h"
#include "hairpin/notify.h"
#include "state.h"

/* The terminal and the service manager signal all of us; only the supervisor decides. */
static void core_settle_signals(void)
{
	static const int ours[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 };
	sigset_t none;
	size_t i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		(void)signal(ours[i], SIG_IGN);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * What is not the core's: by name, because the log's own socket must stay. The kept
 * variables are wiped too: what the core needs of them stands in its document.
 */
static void core_forget_others(struct supervisor *supervisor)
{
	int others[] = { supervisor->signals, supervisor->lock, supervisor->channel,
			 supervisor->publisher_program, hooks_fd(&supervisor->hooks),
			 supervisor->finder.fd, supervisor->finder.errors.fd };
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i] >= 0)
			close(others[i]);
	}
	if (supervisor->load.pid) {
		close(supervisor->load.pipe);
		close(supervisor->load.document);
	}
	load_vault_done(&supervisor->vault);
}

static int core_child(struct supervisor *supervisor, int channel)
{
	const struct supervisor_options *options = supervisor->options;
	const struct load_facts *facts = &supervisor->facts;
	struct core_options core = {
		.mode = options->mode,
		.supervisor = channel,
		.config = supervisor->document,
		.control = supervisor->control,
		.state_directory = supervisor->state_directory,
		.state_path = facts->state_directory,
		.metrics_directory = supervisor->metrics,
		.metrics_path = facts->metrics_textfile,
		.uid = facts->core.uid,
		.gid = facts->core.gid,
		.control_group = facts->control_group,
		.admin_group = facts->admin_group,
		.hooks_user = facts->runner,
		.hooks_outside = options->hooks_outside,
		.watchdog_ms = supervisor->watchdog_ms,
	};

	(void)prctl(PR_SET_NAME, "hairpind: core", 0, 0, 0);
	core_settle_signals();
	core_forget_others(supervisor);
	return options->run_core(&core);
}

static pid_t core_fork(struct supervisor *supervisor, const int ends[2])
{
	pid_t parent = getpid(), pid = fork();
	int status;

	if (pid != 0)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent)
		_exit(EXIT_FAILED);
	supervisor->channel = ends[0];
	status = core_child(supervisor, ends[1]);
	(void)fflush(NULL);
	_exit(status);
}

void core_start(struct supervisor *supervisor, int64_t now_ms)
{
	struct process *core = &supervisor->core;
	char count[FAULT_TEXT_BYTES];
	int ends[2], rc;
	pid_t pid;

	restart_started(&core->restart, now_ms);
	core->due_ms = NEVER;
	log_set_level(supervisor->facts.log_level);
	(void)lseek(supervisor->document, 0, SEEK_SET);
	rc = channel_pair(ends);
	pid = rc < 0 ? -1 : core_fork(supervisor, ends);
	if (pid < 0) {
		if (rc == 0) {
			rc = -errno;
			close(ends[0]);
			close(ends[1]);
		}
		core->due_ms = now_ms + RESTART_FIRST_MS +
			       restart_delay_ms(&core->restart, now_ms);
		if (fault_comes(&supervisor->unborn, now_ms))
			log_error("core: cannot be started: %s%s; tried again",
				  strerror(-rc), fault_count(&supervisor->unborn, count));
		return;
	}
	close(ends[1]);
	core->pid = pid;
	supervisor->channel = ends[0];
	supervisor->core_deadline_ms = NEVER;
}

void core_tell(struct supervisor *supervisor, const void *packet, size_t bytes, int fd)
{
	int rc;

	if (supervisor->channel < 0)
		return;
	rc = channel_send(supervisor->channel, packet, bytes, fd);
	if (rc < 0 && rc != -EPIPE && fault_comes(&supervisor->deaf, clock_now_ms()))
		log_error("core: does not take a message: %s", strerror(-rc));
}

void core_tell_simple(struct supervisor *supervisor, enum message_type type)
{
	struct message message = { .type = type };

	core_tell(supervisor, &message, sizeof(message), -1);
}

/* --- what it says --- */

static void core_noticed(struct supervisor *supervisor,
			 const struct message_notice *notice, int64_t now_ms)
{
	char state[MESSAGE_TEXT_BYTES + 32];

	if (notice->status[0]) {
		snprintf(state, sizeof(state), "STATUS=%s", notice->status);
		notify_send(state);
	}
	if (notice->ready && !supervisor->ready) {
		supervisor->ready = true;
		notify_send("READY=1");
	}
	if (supervisor->watchdog_ms > 0)
		notify_send("WATCHDOG=1");
	if (!notice->done)
		return;
	supervisor->exit_status = notice->exit_status;
	supervisor->stopping = true;
	if (supervisor->stop_deadline_ms == NEVER)
		supervisor->stop_deadline_ms = now_ms + SUPERVISOR_DONE_MS;
}

static void core_wants_hooks(struct supervisor *supervisor,
			     const struct message_hook *event, int64_t now_ms)
{
	struct message_reply reply = { .head = { MESSAGE_HOOK_DONE,
						 event->head.number } };
	int rc = hooks_push(&supervisor->hooks, event, now_ms);

	if (rc == 0)
		return;
	reply.status = rc;
	core_tell(supervisor, &reply, sizeof(reply), -1);
}

/* When a daemon ends is not the core's to say; nor does anything begin at the end. */
static bool core_may_say(const struct supervisor *supervisor, const void *packet)
{
	const struct message *head = packet;
	const struct message_notice *notice = packet;

	if (head->type != MESSAGE_NOTICE || !notice->done)
		return true;
	return supervisor->stopping || supervisor->options->mode != CORE_DAEMON;
}

static void core_said(struct supervisor *supervisor, const void *packet, int64_t now_ms)
{
	const struct message *head = packet;

	if (supervisor->stopping && head->type != MESSAGE_NOTICE)
		return;
	switch (head->type) {
	case MESSAGE_PUBLISHER_START:
		publisher_wanted(supervisor, head->number, now_ms);
		break;
	case MESSAGE_PUBLISHER_END:
		supervisor->publisher.due_ms = NEVER;
		publisher_kill(supervisor);
		break;
	case MESSAGE_HOOK_RUN:
		core_wants_hooks(supervisor, packet, now_ms);
		break;
	case MESSAGE_COMMAND_RUN:
		finder_run(&supervisor->finder, packet, now_ms);
		break;
	case MESSAGE_RELOAD:
		reload_wanted(supervisor, head->number, now_ms);
		break;
	case MESSAGE_LEVEL:
		log_set_level(((const struct message_level *)packet)->level);
		break;
	case MESSAGE_NOTICE:
		core_noticed(supervisor, packet, now_ms);
		break;
	}
}

/* The channel's end: it was ended for what it said, or it is leaving, or it hides. */
static void core_unheard(struct supervisor *supervisor, bool lied, int64_t now_ms)
{
	char count[FAULT_TEXT_BYTES];

	close(supervisor->channel);
	supervisor->channel = -1;
	supervisor->core_deadline_ms = now_ms + SUPERVISOR_DONE_MS;
	if (!lied)
		return;
	if (fault_comes(&supervisor->liar, now_ms))
		log_error("core: says what it must not; it is ended%s",
			  fault_count(&supervisor->liar, count));
	(void)kill(supervisor->core.pid, SIGKILL);
}

void core_kill(struct supervisor *supervisor)
{
	log_warning("core: did not leave in time; it is killed");
	(void)kill(supervisor->core.pid, SIGKILL);
	supervisor->core_deadline_ms = NEVER;
}

/*
 * One turn takes a bounded number, and so does a second: a core gone mad does not own the
 * supervisor.
 */
void core_readable(struct supervisor *supervisor, int64_t now_ms)
{
	union {
		struct message head;
		struct message_hook hook;
		struct message_command command;
		struct message_level level;
		struct message_notice notice;
	} packet;
	ssize_t got;
	int turn;

	for (turn = 0; turn < 64 && supervisor->channel >= 0; turn++) {
		if (!allowance_is_due(&supervisor->messages, now_ms))
			return;
		got = channel_receive(supervisor->channel, &packet, sizeof(packet), NULL);
		if (got == -EAGAIN)
			return;
		allowance_spend(&supervisor->messages, now_ms);
		if (got > 0 && message_to_supervisor_ok(&packet, (size_t)got) &&
		    core_may_say(supervisor, &packet))
			core_said(supervisor, &packet, now_ms);
		else
			core_unheard(supervisor, got != 0, now_ms);
	}
}

/* --- its end --- */

void core_died(struct supervisor *supervisor, int status, int64_t now_ms)
{
	struct process *core = &supervisor->core;
	char death[RESTART_DEATH_BYTES], count[FAULT_TEXT_BYTES];
	int64_t delay_ms;

	core_readable(supervisor, now_ms);	/* what it said last counts */
	if (supervisor->channel >= 0)
		close(supervisor->channel);
	supervisor->channel = -1;
	core->pid = 0;
	supervisor->core_deadline_ms = NEVER;
	hooks_forget(&supervisor->hooks);
	if (supervisor->stopping || supervisor->options->mode != CORE_DAEMON) {
		supervisor->exit_status = WIFEXITED(status) ? WEXITSTATUS(status)
							    : EXIT_FAILED;
		supervisor->stopping = true;
		return;
	}
	delay_ms = restart_delay_ms(&core->restart, now_ms);
	if (fault_comes(&core->fault, now_ms))
		log_error("core: %s%s; it is started again %s",
			  restart_death(status, death), fault_count(&core->fault, count),
			  delay_ms ? "shortly" : "now");
	core->due_ms = now_ms + delay_ms;
}
