/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runner.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "hairpin/channel.h"
#include "hairpin/clock.h"
#include "hairpin/json.h"
#include "hairpin/log.h"
#include "hairpin/text.h"

#include "core.h"

enum { RUNNER_READS = 64 };	/* results taken in one turn of the loop */

/* --- beginning and end --- */

static void on_runner(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	runner_readable(io->data);
}

void runner_done(struct core *core)
{
	struct runner *runner = &core->runner;

	if (!runner->there)
		return;
	if (core->loop)
		ev_io_stop(core->loop, &runner->io);
	close(runner->channel);
	runner->there = false;
}

static void runner_lost(struct core *core, const char *why)
{
	struct runner *runner = &core->runner;
	char count[FAULT_TEXT_BYTES];

	if (fault_comes(&runner->fault, clock_now_ms()))
		log_notice("hooks: process %ld of user %u runs them no more: %s%s",
			   (long)runner->pid, (unsigned)runner->uid, why,
			   fault_count(&runner->fault, count));
	runner_done(core);
	events_return(core);
}

static int runner_tell_how(const struct core *core)
{
	struct message_hooks how = { .head.type = MESSAGE_HOOKS,
				     .timeout_ms = core->config->hooks.timeout_ms };

	(void)text_copy(how.directory, sizeof(how.directory),
			core->config->hooks.directory);
	(void)text_copy(how.user, sizeof(how.user), core->config->hooks.user);
	return channel_send(core->runner.channel, &how, sizeof(how), -1);
}

void runner_configured(struct core *core)
{
	if (core->runner.there && runner_tell_how(core) < 0)
		runner_lost(core, "it does not take how hooks are run now");
}

int runner_claim(struct core *core, pid_t pid, uid_t uid, int *ret_end)
{
	struct runner *runner = &core->runner;
	int ends[2], rc;

	if (runner->there)
		return -EBUSY;
	rc = channel_pair(ends);
	if (rc < 0)
		return rc;
	*runner = (struct runner){ .there = true, .channel = ends[0], .pid = pid,
				   .uid = uid, .fault = runner->fault };
	rc = runner_tell_how(core);
	if (rc < 0) {
		close(ends[0]);
		close(ends[1]);
		runner->there = false;
		return rc;
	}
	if (core->loop) {
		ev_io_init(&runner->io, on_runner, ends[0], EV_READ);
		runner->io.data = core;
		ev_io_start(core->loop, &runner->io);
	}
	if (!runner->fault.count || fault_goes(&runner->fault))
		log_notice("hooks: run by process %ld of user %u", (long)pid,
			   (unsigned)uid);
	*ret_end = ends[1];
	return 0;
}

/* --- the event it has --- */

static void runner_heard(struct core *core)
{
	core->runner.silent_ms = clock_now_ms() + core->config->hooks.timeout_ms +
				 RUNNER_SLACK_MS;
}

int runner_send(struct core *core, const struct message_hook *hook)
{
	int rc = channel_send(core->runner.channel, hook, sizeof(*hook), -1);

	if (rc == 0)
		runner_heard(core);
	else if (rc != -EAGAIN)
		runner_lost(core, strerror(-rc));
	return rc;
}

static void runner_said(struct core *core, const void *packet)
{
	const struct message *head = packet;

	runner_heard(core);
	if (!core->events.outside)
		return;		/* the event under way is the supervisor's */
	if (head->type == MESSAGE_HOOK_RESULT)
		events_ran(core, packet);
	else
		events_finished(core, packet);
}

void runner_readable(struct core *core)
{
	union {
		struct message head;
		struct message_reply reply;
		struct message_hook_result result;
	} packet;
	ssize_t got;

	for (int i = 0; i < RUNNER_READS && core->runner.there; i++) {
		got = channel_receive(core->runner.channel, &packet, sizeof(packet), NULL);
		if (got == -EAGAIN)
			return;
		if (got > 0 && message_of_runner_ok(&packet, (size_t)got))
			runner_said(core, &packet);
		else
			runner_lost(core, got == 0 ? "it is gone"
						   : "it says what it must not");
	}
}

/* --- its turn --- */

bool runner_is_missing(const struct core *core)
{
	return core->options->hooks_outside && !core->runner.there;
}

void runner_format(const struct core *core, struct json *object, const char *key)
{
	struct json *runner;

	if (!core->runner.there) {
		json_add_null(object, key);
		return;
	}
	runner = json_add(object, key, json_new_object());
	json_add_integer(runner, "pid", core->runner.pid);
	json_add_integer(runner, "uid", core->runner.uid);
}

const char *runner_reason(const struct core *core)
{
	if (core->config->hooks.directory[0] && runner_is_missing(core))
		return "nobody is there to run hooks: start hairpind-hooks, that is "
		       "hairpinctl watch --run-hooks";
	return core->events.book.reason[0] ? core->events.book.reason : NULL;
}

/* Once for each time that none is there. */
static void runner_miss(struct core *core, int64_t now_ms)
{
	struct runner *runner = &core->runner;

	if (!runner_is_missing(core) || !events_wait(core)) {
		runner->waited_ms = 0;
		runner->absence_said = runner->absence_said && !runner->there;
		return;
	}
	if (!runner->waited_ms)
		runner->waited_ms = now_ms;
	if (runner->absence_said || now_ms < runner->waited_ms + RUNNER_ABSENT_MS)
		return;
	log_warning("hooks: events wait, and nobody is there to run them: start "
		    "hairpind-hooks, that is hairpinctl watch --run-hooks");
	runner->absence_said = true;
}

void runner_turn(struct core *core, int64_t now_ms)
{
	struct runner *runner = &core->runner;

	if (runner->there && core->events.outside && now_ms >= runner->silent_ms)
		runner_lost(core, "it says nothing");
	runner_miss(core, now_ms);
}

int64_t runner_due_ms(const struct core *core)
{
	const struct runner *runner = &core->runner;

	if (runner->there)
		return core->events.outside ? runner->silent_ms : INT64_MAX;
	return runner->waited_ms && !runner->absence_said
		       ? runner->waited_ms + RUNNER_ABSENT_MS
		       : INT64_MAX;
}
