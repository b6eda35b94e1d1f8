/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The publisher is started when the core asks and gets one end of a channel whose other
 * end the core gets; the supervisor keeps none, so the two notice each other's end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hairpin/channel.h"
#include "hairpin/log.h"
#include "hairpin/order.h"
#include "hairpin/spawn.h"
#include "hairpin/text.h"
#include "state.h"

enum {
	ENVIRONMENT_MAX = 64,
	PUBLISHER_KILLED_MS = 1000,	/* so long a killed one is waited for at most */
};

/*
 * Never what would change where it sends secrets (proxies, key logs). Of what is let
 * through only time zone and language matter in service; the rest is for test runs.
 */
static bool variable_is_harmless(const char *variable)
{
	static const char *const prefixes[] = {
		"PATH=", "LANG=", "LC_", "TZ=", "LD_", "ASAN_OPTIONS=", "UBSAN_OPTIONS=",
		"LSAN_OPTIONS=", "FAKETIME", "HAIRPIND_", "JOURNAL_STREAM=",
	};
	size_t i;

	for (i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	}
	return false;
}

static void environment_gather(char *environment[ENVIRONMENT_MAX])
{
	size_t count = 0, i;

	for (i = 0; environ[i] && count < ENVIRONMENT_MAX - 1; i++) {
		if (variable_is_harmless(environ[i]))
			environment[count++] = environ[i];
	}
	environment[count] = NULL;
}

static int publisher_spawn(struct supervisor *supervisor, int channel,
			   struct err *ret_err)
{
	const struct load_user *user = &supervisor->facts.publisher;
	char *argv[] = { (char *)"hairpin-publish", NULL };
	char *environment[ENVIRONMENT_MAX];
	struct spawn spawn = {
		.executable = supervisor->publisher_program, .argv = argv,
		.environment = environment, .in = -1, .out = STDERR_FILENO,
		.err = STDERR_FILENO, .channel = channel,
		.uid = user->uid, .gid = user->gid, .session = true,
	};
	int rc;

	if (spawn.executable < 0)
		return err_set(ret_err, -ENOENT,
			       "%s is missing or may be written by others",
			       supervisor->options->publisher_path);
	environment_gather(environment);
	rc = spawn_start(&spawn, &supervisor->publisher.pid, ret_err);
	if (rc != -EPERM || spawn.uid == (uid_t)-1)
		return rc;
	if (!supervisor->user_refusal_told)
		log_notice("publisher: %s; it keeps the user %u", ret_err->text,
			   (unsigned)geteuid());
	supervisor->user_refusal_told = true;
	spawn.uid = (uid_t)-1;
	return spawn_start(&spawn, &supervisor->publisher.pid, ret_err);
}

static void publisher_answer(struct supervisor *supervisor, int status, const char *text,
			     int fd)
{
	struct message_reply reply = {
		.head = { MESSAGE_PUBLISHER, supervisor->publisher_number },
		.status = status,
	};

	text_escape(reply.text, MESSAGE_TEXT_BYTES, text, strlen(text));
	core_tell(supervisor, &reply, sizeof(reply), fd);
}

void publisher_start(struct supervisor *supervisor, int64_t now_ms)
{
	struct process *publisher = &supervisor->publisher;
	struct err err = { "" };
	int ends[2], rc;

	publisher->due_ms = NEVER;
	allowance_spend(&supervisor->publishers, now_ms);
	restart_started(&publisher->restart, now_ms);
	rc = channel_pair(ends);
	if (rc < 0) {
		publisher_answer(supervisor, rc, "no channel", -1);
		return;
	}
	rc = publisher_spawn(supervisor, ends[1], &err);
	close(ends[1]);
	if (rc < 0)
		log_info("publisher: cannot be started: %s", err.text);
	publisher_answer(supervisor, rc, err.text, rc < 0 ? -1 : ends[0]);
	close(ends[0]);
}

static int64_t publisher_due_ms(const struct supervisor *supervisor, int64_t now_ms)
{
	return MAX(supervisor->publisher.not_before_ms,
		   allowance_due_ms(&supervisor->publishers, now_ms));
}

/* An earlier one has lost its channel, or will when its core is gone. */
void publisher_wanted(struct supervisor *supervisor, uint32_t number, int64_t now_ms)
{
	struct process *publisher = &supervisor->publisher;

	publisher_kill(supervisor);
	supervisor->publisher_number = number;
	publisher->due_ms = publisher_due_ms(supervisor, now_ms);
	if (supervisor->publisher_before)
		publisher->due_ms = MAX(publisher->due_ms, now_ms + PUBLISHER_KILLED_MS);
	if (publisher->due_ms <= now_ms)
		publisher_start(supervisor, now_ms);
}

void publisher_kill(struct supervisor *supervisor)
{
	if (supervisor->publisher.pid <= 0)
		return;
	(void)kill(supervisor->publisher.pid, SIGKILL);
	supervisor->publisher_before = supervisor->publisher.pid;
	supervisor->publisher.pid = 0;
}

void publisher_gone(struct supervisor *supervisor, int64_t now_ms)
{
	struct process *publisher = &supervisor->publisher;

	supervisor->publisher_before = 0;
	if (publisher->due_ms != NEVER)
		publisher->due_ms = publisher_due_ms(supervisor, now_ms);
}

/* The core asks again if it has work; dying often, it is then kept waiting. */
void publisher_died(struct supervisor *supervisor, int status, int64_t now_ms)
{
	struct process *publisher = &supervisor->publisher;
	char death[RESTART_DEATH_BYTES], count[FAULT_TEXT_BYTES];

	publisher->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	if (fault_comes(&publisher->fault, now_ms))
		log_warning("publisher: %s%s", restart_death(status, death),
			    fault_count(&publisher->fault, count));
	publisher->not_before_ms = now_ms + restart_delay_ms(&publisher->restart, now_ms);
}
