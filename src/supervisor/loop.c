/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hairpin/clock.h"
#include "hairpin/log.h"
#include "hairpin/notify.h"
#include "state.h"

/* Politely first: the core saves and leaves. A second wish is obeyed at once. */
static void loop_stop(struct supervisor *supervisor, int64_t now_ms)
{
	if (supervisor->stop_deadline_ms != NEVER) {
		log_notice("told to stop again: leaving at once");
		supervisor->stop_deadline_ms = now_ms;
		return;
	}
	supervisor->stopping = true;
	supervisor->stop_deadline_ms = now_ms + SUPERVISOR_STOP_MS;
	notify_send("STOPPING=1");
	load_cancel(&supervisor->load);
	hooks_stop(&supervisor->hooks, now_ms);
	finder_stop(&supervisor->finder, now_ms);
	core_tell_simple(supervisor, MESSAGE_STOP);
}

/* WNOWAIT first: while it is not reaped, a hook's process group still is its own. */
static void loop_reap(struct supervisor *supervisor, int64_t now_ms)
{
	for (;;) {
		siginfo_t info = { .si_pid = 0 };
		bool hook, finder;
		int status;

		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    !info.si_pid)
			return;
		hook = hooks_ended(&supervisor->hooks, info.si_pid);
		finder = finder_ended(&supervisor->finder, info.si_pid);
		if (waitpid(info.si_pid, &status, WNOHANG) != info.si_pid)
			return;
		if (hook)
			hooks_reaped(&supervisor->hooks, status, now_ms);
		else if (finder)
			finder_reaped(&supervisor->finder, status);
		else if (info.si_pid == supervisor->core.pid)
			core_died(supervisor, status, now_ms);
		else if (info.si_pid == supervisor->publisher.pid)
			publisher_died(supervisor, status, now_ms);
		else if (info.si_pid == supervisor->publisher_before)
			publisher_gone(supervisor, now_ms);
		else if (info.si_pid == supervisor->load.pid)
			load_reaped(&supervisor->load, status);
	}
}

static void loop_signalled(struct supervisor *supervisor, int64_t now_ms)
{
	struct signalfd_siginfo info;

	while (read(supervisor->signals, &info, sizeof(info)) == sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			loop_reap(supervisor, now_ms);
			break;
		case SIGTERM:
		case SIGINT:
			loop_stop(supervisor, now_ms);
			break;
		case SIGHUP:
			if (!supervisor->stopping)
				reload_wanted(supervisor, 0, now_ms);
			break;
		case SIGUSR1:
			core_tell_simple(supervisor, MESSAGE_LOOK);
			break;
		case SIGUSR2:
			core_tell_simple(supervisor, MESSAGE_UPDATE);
			break;
		}
	}
}

/* The time is up: whoever still runs is killed. */
static void loop_kill(struct supervisor *supervisor)
{
	if (supervisor->core.pid > 0) {
		log_warning("core: did not leave in time; it is killed");
		(void)kill(supervisor->core.pid, SIGKILL);
		while (waitpid(supervisor->core.pid, NULL, 0) < 0 && errno == EINTR)
			;
		supervisor->core.pid = 0;
		if (supervisor->exit_status == EXIT_DONE)
			supervisor->exit_status = EXIT_FAILED;
	}
	hooks_kill(&supervisor->hooks);
	finder_kill(&supervisor->finder);
	supervisor->over = true;
}

static void loop_tick(struct supervisor *supervisor, int64_t now_ms)
{
	hooks_tick(&supervisor->hooks, now_ms);
	finder_tick(&supervisor->finder, now_ms);
	reload_readable(supervisor, now_ms);
	if (supervisor->core_deadline_ms != NEVER &&
	    now_ms >= supervisor->core_deadline_ms)
		core_kill(supervisor);
	if (supervisor->stopping) {
		if (supervisor->stop_deadline_ms != NEVER &&
		    now_ms >= supervisor->stop_deadline_ms)
			loop_kill(supervisor);
		if (supervisor->core.pid == 0 && !hooks_busy(&supervisor->hooks) &&
		    !finder_busy(&supervisor->finder))
			supervisor->over = true;
		return;
	}
	if (supervisor->core.due_ms != NEVER && now_ms >= supervisor->core.due_ms)
		core_start(supervisor, now_ms);
	if (supervisor->publisher.due_ms != NEVER &&
	    now_ms >= supervisor->publisher.due_ms)
		publisher_start(supervisor, now_ms);
}

static void earlier(int64_t *nearest_ms, int64_t at_ms)
{
	if (at_ms != NEVER && (*nearest_ms == NEVER || at_ms < *nearest_ms))
		*nearest_ms = at_ms;
}

/* Nothing due: no wake-up. */
static int loop_timeout_ms(const struct supervisor *supervisor, int64_t now_ms)
{
	int64_t nearest_ms = NEVER;

	earlier(&nearest_ms, supervisor->core.due_ms);
	earlier(&nearest_ms, supervisor->publisher.due_ms);
	earlier(&nearest_ms, supervisor->stop_deadline_ms);
	earlier(&nearest_ms, hooks_deadline_ms(&supervisor->hooks));
	earlier(&nearest_ms, finder_deadline_ms(&supervisor->finder));
	earlier(&nearest_ms, reload_deadline_ms(supervisor));
	earlier(&nearest_ms, supervisor->core_deadline_ms);
	if (!allowance_is_due(&supervisor->messages, now_ms))
		earlier(&nearest_ms, allowance_due_ms(&supervisor->messages, now_ms));
	if (nearest_ms == NEVER)
		return -1;
	if (nearest_ms <= now_ms)
		return 0;
	return nearest_ms - now_ms < INT_MAX ? (int)(nearest_ms - now_ms) : INT_MAX;
}

void loop_run(struct supervisor *supervisor)
{
	int64_t now_ms = clock_now_ms();

	loop_tick(supervisor, now_ms);
	while (!supervisor->over) {
		/* What a core says too much is for the kernel to keep, in the channel's bounds. */
		bool hears = allowance_is_due(&supervisor->messages, now_ms);
		struct pollfd wait[] = {
			{ .fd = supervisor->signals, .events = POLLIN },
			{ .fd = hears ? supervisor->channel : -1, .events = POLLIN },
			{ .fd = hooks_fd(&supervisor->hooks), .events = POLLIN },
			{ .fd = supervisor->load.pid ? supervisor->load.pipe : -1,
			  .events = POLLIN },
			{ .fd = supervisor->finder.fd, .events = POLLIN },
			{ .fd = supervisor->finder.errors.fd, .events = POLLIN },
		};
		int timeout_ms = loop_timeout_ms(supervisor, now_ms);

		if (poll(wait, sizeof(wait) / sizeof(wait[0]), timeout_ms) < 0 &&
		    errno != EINTR) {
			log_error("poll: %m");
			return;
		}
		now_ms = clock_now_ms();
		if (wait[1].revents)
			core_readable(supervisor, now_ms);
		if (wait[2].revents)
			hooks_readable(&supervisor->hooks);
		if (wait[4].revents || wait[5].revents)
			finder_readable(&supervisor->finder);
		if (wait[0].revents)
			loop_signalled(supervisor, now_ms);
		loop_tick(supervisor, now_ms);
	}
}
