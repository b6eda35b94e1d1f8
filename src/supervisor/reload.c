/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration, read at start and again on SIGHUP or on the core's request. A bad
 * one is reported and the old one stays in force, in all processes.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "hairpin/clock.h"
#include "hairpin/log.h"
#include "hairpin/notify.h"
#include "state.h"

/* What was opened, or given to the core, at start: another value waits for the next one. */
static void reload_say_later(const struct load_facts *old, const struct load_facts *new)
{
	const char *what = NULL;

	if (strcmp(old->socket, new->socket) != 0)
		what = "control.socket";
	else if (old->control_group != new->control_group)
		what = "control.group";
	else if (old->admin_group != new->admin_group)
		what = "control.admin_group";
	else if (strcmp(old->state_directory, new->state_directory) != 0)
		what = "state.directory";
	else if (strcmp(old->metrics_textfile, new->metrics_textfile) != 0)
		what = "metrics.textfile";
	if (what)
		log_warning("configuration: another %s holds when hairpind is started "
			    "again",
			    what);
}

/* Takes over the document and what the supervisor itself lives by. */
static void reload_adopt(struct supervisor *supervisor, int document)
{
	const struct load_facts *facts = &supervisor->load.facts;
	const struct load_facts old = supervisor->facts;
	bool first = supervisor->document < 0;
	bool outside = supervisor->options->hooks_outside;

	supervisor->facts = *facts;
	if (!first) {
		struct load_facts *now = &supervisor->facts;

		memcpy(now->socket, old.socket, sizeof(old.socket));
		memcpy(now->state_directory, old.state_directory,
		       sizeof(old.state_directory));
		memcpy(now->metrics_textfile, old.metrics_textfile,
		       sizeof(old.metrics_textfile));
		now->control_group = old.control_group;
		now->admin_group = old.admin_group;
		close(supervisor->document);
	}
	supervisor->document = document;
	log_open("hairpind", facts->log_to_syslog ? LOG_TO_SYSLOG : LOG_TO_STDERR,
		 facts->log_level);
	if (!first)
		reload_say_later(&old, facts);
	if (facts->hooks_user_refused && !outside)
		log_warning("hooks: their user is unknown, or we are not root; they are "
			    "not run");
	/* Whatever the core wishes. */
	hooks_set(&supervisor->hooks,
		  outside || facts->hooks_user_refused ? "" : facts->hooks_directory,
		  facts->hooks_timeout_ms, facts->hooks.uid, facts->hooks.gid);
}

static void reload_await(struct load *load)
{
	for (;;) {
		struct pollfd wait = { .fd = load->pipe, .events = POLLIN };
		int64_t left_ms = load->deadline_ms - clock_now_ms();

		if (load_read(load, clock_now_ms()))
			return;
		(void)poll(&wait, 1, left_ms > 0 ? (int)left_ms : 0);
	}
}

int reload_first(struct supervisor *supervisor)
{
	struct load *load = &supervisor->load;
	struct err err = { "" };
	int document = -1, rc;

	rc = load_start(load, supervisor->options, &supervisor->vault, true,
			clock_now_ms(), &err);
	if (rc == 0) {
		reload_await(load);
		rc = load_finish(load, &supervisor->vault, &document, &err);
	}
	if (rc == -EINVAL)
		return EXIT_USAGE;	/* the child has printed why */
	if (rc < 0) {
		log_error("%s", err.text);
		return EXIT_FAILED;
	}
	reload_adopt(supervisor, document);
	return EXIT_DONE;
}

static void reload_answer(struct supervisor *supervisor, int status, const char *text)
{
	struct message_reply reply = {
		.head = { MESSAGE_CONFIG, supervisor->load_number },
		.status = status,
	};

	snprintf(reply.text, sizeof(reply.text), "%s", text);
	if (status == 0)
		(void)lseek(supervisor->document, 0, SEEK_SET);
	core_tell(supervisor, &reply, sizeof(reply),
		  status == 0 ? supervisor->document : -1);
}

/* RELOADING=1 wants the time, so that the manager can tell late news from new ones. */
static void reload_say_begin(void)
{
	char state[64];
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	notify_send(state);
}

static void reload_begin(struct supervisor *supervisor, uint32_t number, int64_t now_ms)
{
	struct supervisor_options options = *supervisor->options;
	struct err err = { "" };

	/* One that was there and is gone is no wish for the built-in one. */
	if (!options.config_path && supervisor->facts.has_file)
		options.config_path = CONFIG_FILE;
	supervisor->load_number = number;
	allowance_spend(&supervisor->loads, now_ms);
	reload_say_begin();
	if (load_start(&supervisor->load, &options, &supervisor->vault, false, now_ms,
		       &err) == 0)
		return;
	log_error("%s; the old configuration stays", err.text);
	reload_answer(supervisor, -EIO, err.text);
	notify_send("READY=1");
}

/*
 * Further wishes while one is being read, or when the last ones came too fast, are one more
 * reading, for the last who asked.
 */
void reload_wanted(struct supervisor *supervisor, uint32_t number, int64_t now_ms)
{
	struct message_reply busy = { .head = { MESSAGE_CONFIG,
						supervisor->load_again_number },
				      .status = -EBUSY,
				      .text = "another reload follows" };

	if (supervisor->load.pid == 0 && !supervisor->load_again &&
	    allowance_is_due(&supervisor->loads, now_ms)) {
		reload_begin(supervisor, number, now_ms);
		return;
	}
	if (supervisor->load_again && supervisor->load_again_number)
		core_tell(supervisor, &busy, sizeof(busy), -1);
	supervisor->load_again = true;
	supervisor->load_again_number = number;
}

/* Line by line: the log keeps one line one line. */
static void reload_log_problems(char *problems, int level)
{
	char *line, *rest = problems;

	while ((line = strtok_r(rest, "\n", &rest)))
		log_write(level, "%s", line);
}

/* What came of it, unless somebody wishes so many that the log would be full of it. */
static void reload_log(struct supervisor *supervisor, int rc, const struct err *err,
		       int64_t now_ms)
{
	struct load_facts *facts = &supervisor->load.facts;
	int level = rc < 0 || facts->broken ? LOG_ERR : LOG_WARNING;

	if (!allowance_is_due(&supervisor->loads_told, now_ms))
		return;
	allowance_spend(&supervisor->loads_told, now_ms);
	if (rc == 0)
		log_notice("configuration: read again, %u entries disabled, %u warnings",
			   facts->broken, facts->warnings);
	else
		log_error("configuration: %s; the old one stays", err->text);
	if (rc == 0 || rc == -EINVAL)
		reload_log_problems(facts->problems, level);
}

static void reload_end(struct supervisor *supervisor, int64_t now_ms)
{
	struct load_facts *facts = &supervisor->load.facts;
	struct err err = { "" };
	int document = -1, rc;

	rc = load_finish(&supervisor->load, &supervisor->vault, &document, &err);
	if (rc == 0) {
		reload_adopt(supervisor, document);
		reload_answer(supervisor, 0, facts->problems);
	} else {
		reload_answer(supervisor, rc, rc == -EINVAL ? facts->problems : err.text);
	}
	reload_log(supervisor, rc, &err, now_ms);
	if (supervisor->ready)
		notify_send("READY=1");
}

void reload_readable(struct supervisor *supervisor, int64_t now_ms)
{
	if (supervisor->load.pid) {
		if (!load_read(&supervisor->load, now_ms))
			return;
		reload_end(supervisor, now_ms);
	}
	if (!supervisor->load_again || supervisor->stopping ||
	    !allowance_is_due(&supervisor->loads, now_ms))
		return;
	supervisor->load_again = false;
	reload_begin(supervisor, supervisor->load_again_number, now_ms);
}

int64_t reload_deadline_ms(const struct supervisor *supervisor)
{
	if (supervisor->load.pid)
		return supervisor->load.deadline_ms;
	if (!supervisor->load_again || supervisor->stopping)
		return NEVER;
	return allowance_due_ms(&supervisor->loads, 0);
}
