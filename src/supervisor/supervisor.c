/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hairpin/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hairpin/clock.h"
#include "hairpin/log.h"
#include "hairpin/notify.h"
#include "hairpin/sandbox.h"
#include "state.h"

static void supervisor_hook_ran(void *context, const struct message_hook_result *result)
{
	core_tell(context, result, message_hook_result_bytes(result), -1);
}

static void supervisor_hooks_done(void *context, const struct message_reply *reply)
{
	core_tell(context, reply, sizeof(*reply), -1);
}

static void supervisor_init(struct supervisor *supervisor,
			    const struct supervisor_options *options)
{
	memset(supervisor, 0, sizeof(*supervisor));
	supervisor->options = options;
	supervisor->document = supervisor->channel = supervisor->signals = -1;
	supervisor->lock = supervisor->state_directory = supervisor->control = -1;
	supervisor->metrics = -1;
	supervisor->publisher_program = -1;
	supervisor->core.due_ms = 0;		/* at once */
	supervisor->publisher.due_ms = NEVER;
	supervisor->stop_deadline_ms = supervisor->core_deadline_ms = NEVER;
	supervisor->messages = (struct allowance){ .apart_ms = MESSAGE_APART_MS,
						   .at_once = MESSAGE_AT_ONCE };
	supervisor->publishers = (struct allowance){ .apart_ms = 1000, .at_once = 20 };
	supervisor->loads = (struct allowance){ .apart_ms = 100, .at_once = 100 };
	supervisor->loads_told = (struct allowance){ .apart_ms = 60000, .at_once = 60 };
	supervisor->watchdog_ms = notify_watchdog_ms();
	hooks_init(&supervisor->hooks, supervisor_hook_ran, supervisor_hooks_done,
		   supervisor);
	finder_init(&supervisor->finder, &supervisor->facts, supervisor_hooks_done,
		     supervisor);
}

/* Signals come as bytes through the loop, in its order, and interrupt nothing. */
static int supervisor_take_signals(struct supervisor *supervisor)
{
	static const int ours[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaddset(&set, ours[i]);
	/*
	 * Whoever started us may have left it ignored, and children would vanish unseen.
	 */
	(void)signal(SIGCHLD, SIG_DFL);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	supervisor->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return supervisor->signals < 0 ? -errno : 0;
}

/*
 * Opened once: after an upgrade on disk the running core must not meet a publisher of
 * another build. Whether it can be trusted is seen on the descriptor.
 */
static int supervisor_open_publisher(const char *path)
{
	struct stat status;
	int fd;

	fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) &&
	    !(status.st_mode & S_IWOTH))
		return fd;
	close(fd);
	return -1;
}

static void supervisor_done(struct supervisor *supervisor)
{
	publisher_kill(supervisor);
	load_cancel(&supervisor->load);
	hooks_kill(&supervisor->hooks);
	finder_kill(&supervisor->finder);
	prepare_undo(supervisor);
	load_vault_done(&supervisor->vault);
	if (supervisor->channel >= 0)
		close(supervisor->channel);
	if (supervisor->document >= 0)
		close(supervisor->document);
	if (supervisor->publisher_program >= 0)
		close(supervisor->publisher_program);
	if (supervisor->signals >= 0)
		close(supervisor->signals);
}

static void supervisor_begin(const struct supervisor_options *options)
{
	struct err err;

	log_open("hairpind", LOG_TO_STDERR,
		 options->log_level >= 0 ? options->log_level : LOG_NOTICE);
	if (sandbox_begin(&err) < 0 || sandbox_supervise(&err) < 0)
		log_warning("%s", err.text);
}

int supervisor_run(const struct supervisor_options *options)
{
	struct supervisor *supervisor;
	int status, rc;

	supervisor_begin(options);
	supervisor = malloc(sizeof(*supervisor));
	if (!supervisor) {
		log_error("out of memory");
		return EXIT_FAILED;
	}
	supervisor_init(supervisor, options);
	rc = supervisor_take_signals(supervisor);
	if (rc < 0)
		log_error("cannot take signals: %s", strerror(-rc));
	supervisor->exit_status = rc < 0 ? EXIT_FAILED : reload_first(supervisor);
	if (supervisor->exit_status == EXIT_DONE && prepare_state_directory(supervisor) &&
	    prepare_control(supervisor)) {
		prepare_metrics(supervisor);
		supervisor->publisher_program =
			supervisor_open_publisher(options->publisher_path);
		loop_run(supervisor);
	}
	status = supervisor->exit_status;
	supervisor_done(supervisor);
	free(supervisor);
	return status;
}
