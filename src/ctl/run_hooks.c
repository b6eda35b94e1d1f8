/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch --run-hooks: the hooks are claimed from the daemon and run here, by the same code and
 * the same contract as the supervisor's, so that they may have a service, a user and a
 * sandbox of their own. A daemon that goes is waited for; what runs then comes to its end.
 *
 * When told to stop the claim is given up first: the daemon keeps the event, and whoever
 * claims next runs the hook that we end now, and those behind it.
 */
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hairpin/allowance.h"
#include "hairpin/channel.h"
#include "hairpin/clock.h"
#include "hairpin/control.h"
#include "hairpin/fault.h"
#include "hairpin/hooks.h"
#include "hairpin/log.h"
#include "hairpin/notify.h"
#include "hairpin/order.h"
#include "hairpin/sandbox.h"

#include "run.h"

enum {
	RUNNER_CLAIM_MS = 10000,	/* the daemon answers within */
	RUNNER_RETRY_MS = 100,		/* doubling, */
	RUNNER_RETRY_MAX_MS = 1000,
	RUNNER_GO_ON = -1,		/* no exit status */
};

struct runner {
	const struct ctl_options *options;
	struct hooks hooks;
	int signals;
	int channel;			/* -1: no daemon just now */
	struct fault fault;		/* its going, for the log */
	struct allowance messages;	/* that it sends */
	int64_t retry_ms;		/* then: when to try again */
	int wait_ms;
	bool stopping;
	int status;			/* RUNNER_GO_ON */
};

/* --- the claim --- */

/* No hook runs then; a signal is not kept waiting. */
static int claim_read(const struct runner *runner, int fd, char *answer, size_t room,
		      int *ret_channel, struct err *ret_err)
{
	struct pollfd wait[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = runner->signals, .events = POLLIN },
	};
	ssize_t got = -EAGAIN;

	if (poll(wait, 2, RUNNER_CLAIM_MS) > 0 && wait[0].revents)
		got = channel_receive(fd, answer, room - 1, ret_channel);
	if (got <= 0)
		return err_set(ret_err, -ETIMEDOUT,
			       "the daemon does not answer; see its log");
	answer[got] = '\0';
	return 0;
}

/* -EPROTO: not from this daemon, whatever it is tried with. */
static int claim_judge(const char *answer, int channel, struct err *ret_err)
{
	struct json_error error;
	struct json *root = json_parse(answer, strlen(answer), JSON_STRICT, &error);
	const char *refused = json_string(json_get(root, "error"));
	const char *version = json_string(json_get(root, "version"));
	char shown[200];
	int rc = 0;

	if (refused)
		rc = err_set(ret_err, -EPROTO, "%s",
			     text_escape(shown, sizeof(shown), refused, strlen(refused)));
	else if (!version || channel < 0)
		rc = err_set(ret_err, -EPROTO,
			     "what the daemon says is no answer: is it hairpind's socket?");
	else if (strcmp(version, HAIRPIN_VERSION) != 0)
		rc = err_set(ret_err, -EPROTO,
			     "hairpind is of version %s, this is " HAIRPIN_VERSION
			     ": start hairpind again",
			     text_escape(shown, sizeof(shown), version, strlen(version)));
	json_free(root);
	return rc;
}

static int claim(const struct runner *runner, int *ret_channel, struct err *ret_err)
{
	static const char request[] = "{\"command\":\"run-hooks\"}\n";
	char answer[CONTROL_REQUEST_BYTES];
	int fd, channel = -1, rc;

	rc = ctl_connect(runner->options->socket_path, RUNNER_CLAIM_MS, &fd, ret_err);
	if (rc < 0)
		return rc;
	/* Turned away at the door: the reason is there to be read. */
	if (send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) < 0 && errno != EPIPE &&
	    errno != ECONNRESET)
		rc = err_set_errno(ret_err, -errno, "cannot ask the daemon");
	if (rc == 0)
		rc = claim_read(runner, fd, answer, sizeof(answer), &channel, ret_err);
	if (rc == 0)
		rc = claim_judge(answer, channel, ret_err);
	close(fd);
	if (rc == 0)
		*ret_channel = channel;
	else if (channel >= 0)
		close(channel);
	return rc;
}

/* --- what is said --- */

static void runner_tell(struct runner *runner, const void *packet, size_t bytes)
{
	int rc = runner->channel < 0 ? 0
				     : channel_send(runner->channel, packet, bytes, -1);

	if (rc < 0 && rc != -EPIPE)
		log_error("hooks: the daemon does not take a message: %s", strerror(-rc));
}

static void runner_ran(void *context, const struct message_hook_result *result)
{
	runner_tell(context, result, message_hook_result_bytes(result));
}

static void runner_finished(void *context, const struct message_reply *reply)
{
	runner_tell(context, reply, sizeof(*reply));
}

static void runner_push(struct runner *runner, const struct message_hook *event)
{
	struct message_reply reply = { .head = { MESSAGE_HOOK_DONE, event->head.number } };

	reply.status = hooks_push(&runner->hooks, event, clock_now_ms());
	if (reply.status < 0)
		runner_tell(runner, &reply, sizeof(reply));
}

/* Whose hooks they are: ours, or somebody's whom only root can become. */
static void runner_set(struct runner *runner, const struct message_hooks *how)
{
	struct err err;
	const struct passwd *user = how->user[0] ? getpwnam(how->user) : NULL;
	uid_t uid = (uid_t)-1;
	gid_t gid = (gid_t)-1;

	if (!hooks_meant(runner->options, how, &err)) {
		log_error("hooks: %s", err.text);
		runner->status = CTL_FAILED;
		return;
	}
	if (how->user[0] && (!user || (geteuid() != 0 && user->pw_uid != geteuid()))) {
		log_error("hooks: they are to be run as %s (\"hooks\": {\"user\": ...}); we "
			  "are user %u and cannot: start this as that user or as root",
			  how->user, (unsigned)geteuid());
		runner->status = CTL_FAILED;
		return;
	}
	if (user && geteuid() == 0) {
		uid = user->pw_uid;
		gid = user->pw_gid;
	}
	if (how->directory[0] && access(how->directory, F_OK) < 0)
		log_notice("hooks: none are run: %s: %s, as this process sees it",
			   how->directory, strerror(errno));
	hooks_set(&runner->hooks, how->directory, how->timeout_ms, uid, gid);
}

/* --- the daemon's end --- */

static void runner_leave(struct runner *runner)
{
	close(runner->channel);
	runner->channel = -1;
	hooks_forget(&runner->hooks);
}

static void runner_lost(struct runner *runner)
{
	char count[FAULT_TEXT_BYTES];

	if (fault_comes(&runner->fault, clock_now_ms()))
		log_notice("hooks: hairpind is gone%s; waiting for it",
			   fault_count(&runner->fault, count));
	runner_leave(runner);
	runner->wait_ms = RUNNER_RETRY_MS;
	runner->retry_ms = clock_now_ms() + runner->wait_ms;
}

static void runner_again(struct runner *runner)
{
	struct err err;
	int rc = claim(runner, &runner->channel, &err);

	if (rc == 0) {
		if (fault_goes(&runner->fault))
			log_notice("hooks: hairpind is there again");
		return;
	}
	if (rc == -EPROTO) {
		log_error("hooks: %s", err.text);
		runner->status = CTL_FAILED;
	}
	runner->wait_ms = runner->wait_ms < RUNNER_RETRY_MAX_MS / 2 ? 2 * runner->wait_ms
								     : RUNNER_RETRY_MAX_MS;
	runner->retry_ms = clock_now_ms() + runner->wait_ms;
}

/* As the supervisor hears a core: not one that says too much. */
static bool runner_hears(const struct runner *runner)
{
	return allowance_is_due(&runner->messages, clock_now_ms());
}

static void runner_readable(struct runner *runner)
{
	union {
		struct message head;
		struct message_hook hook;
		struct message_hooks how;
	} packet;
	ssize_t got;

	for (int turn = 0; turn < 64 && runner->channel >= 0; turn++) {
		if (!runner_hears(runner))
			return;
		got = channel_receive(runner->channel, &packet, sizeof(packet), NULL);
		if (got == -EAGAIN)
			return;
		allowance_spend(&runner->messages, clock_now_ms());
		if (got <= 0 || !message_to_runner_ok(&packet, (size_t)got))
			runner_lost(runner);
		else if (packet.head.type == MESSAGE_HOOKS)
			runner_set(runner, &packet.how);
		else
			runner_push(runner, &packet.hook);
	}
}

/* --- the loop --- */

static void runner_stop(struct runner *runner)
{
	if (runner->stopping) {
		hooks_kill(&runner->hooks);
		return;
	}
	runner->stopping = true;
	notify_send("STOPPING=1");
	if (runner->channel >= 0)
		runner_leave(runner);
	hooks_stop(&runner->hooks, clock_now_ms());
}

/* WNOWAIT first: while it is not reaped, a hook's process group still is its own. */
static void runner_reap(struct runner *runner)
{
	for (;;) {
		siginfo_t info = { .si_pid = 0 };
		int status;
		bool hook;

		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    !info.si_pid)
			return;
		hook = hooks_ended(&runner->hooks, info.si_pid);
		if (waitpid(info.si_pid, &status, WNOHANG) != info.si_pid)
			return;
		if (hook)
			hooks_reaped(&runner->hooks, status, clock_now_ms());
	}
}

static void runner_signalled(struct runner *runner)
{
	struct signalfd_siginfo info;

	while (read(runner->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			runner_reap(runner);
		else
			runner_stop(runner);
	}
}

/* While an event of the former claim is run another one would only wait, in vain perhaps. */
static bool runner_may_claim(const struct runner *runner)
{
	return runner->channel < 0 && !runner->stopping && runner->hooks.queued == 0;
}

static int runner_timeout_ms(const struct runner *runner)
{
	int64_t due_ms = hooks_deadline_ms(&runner->hooks), now_ms = clock_now_ms();

	if (runner_may_claim(runner) && (due_ms < 0 || runner->retry_ms < due_ms))
		due_ms = runner->retry_ms;
	if (!runner_hears(runner)) {
		int64_t hear_ms = allowance_due_ms(&runner->messages, now_ms);

		due_ms = due_ms < 0 ? hear_ms : MIN(due_ms, hear_ms);
	}
	if (due_ms < 0)
		return -1;
	return due_ms > now_ms ? (int)(due_ms - now_ms) : 0;
}

static void runner_turn(struct runner *runner)
{
	struct pollfd wait[] = {
		{ .fd = runner->signals, .events = POLLIN },
		{ .fd = runner_hears(runner) ? runner->channel : -1, .events = POLLIN },
		{ .fd = hooks_fd(&runner->hooks), .events = POLLIN },
	};

	if (poll(wait, sizeof(wait) / sizeof(wait[0]), runner_timeout_ms(runner)) < 0)
		return;
	if (wait[2].revents)
		hooks_readable(&runner->hooks);
	if (wait[1].revents)
		runner_readable(runner);
	if (wait[0].revents)
		runner_signalled(runner);
	hooks_tick(&runner->hooks, clock_now_ms());
	if (runner_may_claim(runner) && clock_now_ms() >= runner->retry_ms)
		runner_again(runner);
	if (runner->stopping && !hooks_busy(&runner->hooks))
		runner->status = CTL_DONE;
}

static int take_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	/* Whoever started us may have left it ignored. */
	(void)signal(SIGCHLD, SIG_DFL);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void runner_run(struct runner *runner)
{
	log_notice("hooks: run here from now on");
	notify_send("READY=1\nSTATUS=running hooks for hairpind");
	while (runner->status == RUNNER_GO_ON)
		runner_turn(runner);
	hooks_kill(&runner->hooks);
	if (runner->channel >= 0)
		close(runner->channel);
}

int run_hooks(const struct ctl_options *options)
{
	struct runner *runner = calloc(1, sizeof(*runner));
	int status = CTL_FAILED, rc;
	struct err err;

	if (!runner)
		return run_complain(CTL_FAILED, "out of memory");
	log_open("hairpinctl", LOG_TO_STDERR, LOG_NOTICE);
	if (sandbox_begin(&err) < 0)
		log_warning("%s", err.text);
	*runner = (struct runner){ .options = options, .channel = -1,
				   .signals = take_signals(), .status = RUNNER_GO_ON,
				   .messages = { .apart_ms = MESSAGE_APART_MS,
						 .at_once = MESSAGE_AT_ONCE } };
	hooks_init(&runner->hooks, runner_ran, runner_finished, runner);
	rc = claim(runner, &runner->channel, &err);
	if (rc < 0) {
		status = run_complain(rc == -EPROTO ? CTL_FAILED : run_exit_of(rc),
				      err.text);
	} else if (runner->signals >= 0) {
		runner_run(runner);
		status = runner->status;
	}
	if (runner->signals >= 0)
		close(runner->signals);
	free(runner);
	return status;
}
